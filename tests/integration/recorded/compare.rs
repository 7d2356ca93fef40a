//! A recorded body against one of the sandbox's: nothing may be missing; more may be there.

use serde_json::Value;

/// Fields whose values are of their time and place. Their type still counts.
const OWN: [&str; 33] = [
    "createdOn",
    "updatedOn",
    "updatedBy",
    "created",
    "updated",
    "exp",
    "createdAt",
    "createdBy",
    "createdByType",
    "lastModifiedAt",
    "lastModifiedBy",
    "lastModifiedByType",
    "createdDateTime",
    "lastActionDateTime",
    "creationTime",
    "lastModifiedTime",
    "lastEnabledTime",
    "lastKeyRotationTimestamp",
    "key1",
    "key2",
    "deletedDate",
    "deletionDate",
    "scheduledPurgeDate",
    "n",
    "kid",
    "keyUriWithVersion",
    "currentVersionedKeyIdentifier",
    "principalId",
    "clientId",
    "nextLink",
    "message",
    "primaryEndpoints",
    "secondaryEndpoints",
];
/// Fields that Azure showed for a while and has ceased to show, or that the recording cut short.
const GONE: [&str; 2] = ["identityUrl", "certRenewAfter"];

/// Everything in `recorded` that `ours` lacks or says otherwise.
pub(super) fn missing(recorded: &Value, ours: &Value, place: &str, problems: &mut Vec<String>) {
    match (recorded, ours) {
        (Value::Object(recorded), Value::Object(ours)) => {
            for (name, value) in recorded.iter().filter(|(name, _)| !GONE.contains(&name.as_str())) {
                let place = format!("{place}/{name}");
                match ours.get(name) {
                    None => problems.push(format!("{place} is missing")),
                    Some(own) if OWN.contains(&name.as_str()) => alike(value, own, &place, problems),
                    Some(own) => missing(value, own, &place, problems),
                }
            }
        }
        (Value::Array(recorded), Value::Array(ours)) => {
            if recorded.len() != ours.len() {
                problems.push(format!("{place} has {} entries instead of {}", ours.len(), recorded.len()));
            }
            for (index, value) in recorded.iter().enumerate() {
                one_of(value, ours, &format!("{place}/{index}"), problems);
            }
        }
        (recorded, ours) if recorded == ours => {}
        _ => problems.push(format!("{place} is {ours} instead of {recorded}")),
    }
}

/// The order of a list says nothing. The complaint is about the entry that comes nearest.
fn one_of(value: &Value, ours: &[Value], place: &str, problems: &mut Vec<String>) {
    let complaints = ours.iter().map(|own| {
        let mut found = Vec::new();
        missing(value, own, place, &mut found);
        found
    });
    problems.extend(complaints.min_by_key(Vec::len).unwrap_or_default());
}

/// Of one type, down to the names of the fields.
fn alike(recorded: &Value, ours: &Value, place: &str, problems: &mut Vec<String>) {
    match (recorded, ours) {
        (Value::Object(recorded), Value::Object(ours)) => {
            for (name, value) in recorded {
                match ours.get(name) {
                    None => problems.push(format!("{place}/{name} is missing")),
                    Some(own) => alike(value, own, &format!("{place}/{name}"), problems),
                }
            }
        }
        (recorded, ours) => {
            if std::mem::discriminant(recorded) != std::mem::discriminant(ours) {
                problems.push(format!("{place} is {ours}, which is another type than that of {recorded}"));
            }
        }
    }
}
