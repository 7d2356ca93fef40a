//! What happens to a key that is there: new versions, dates and tags, versions enabled and disabled, rotation policies.
//!
//! Resource Manager only makes keys; all of this goes to the vault itself, which asks for permissions of its own. Each
//! call says only what it is about: what an update leaves out stays as it is.

use super::call::{Call, Effect, Method, Service};
use super::keys::VAULT_API_VERSION;
use super::paths::read_as;
use crate::model::{KeyName, Marks, Period, Rotation, SeenRotation, Version};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The permission that shows a rotation policy: the vault decides by itself, by access policy or by role.
pub const POLICY_READ: &str = "the vault's key permission `getrotationpolicy`";

/// Makes a new version, like the newest one, and good for as long as the rotation policy says.
///
/// Sent twice, it makes two: nothing in the request says which version it is to come after.
pub fn rotate(host: &str, key: &KeyName) -> Call {
    let call = to_vault(host, Method::Post, format!("/keys/{key}/rotate"), Value::Null);
    Call { body: None, ..call }
}

/// Brings a deleted key back, with every version as it was: enabled or disabled, in date or not.
///
/// The answer comes before the key can be read. Sent again meanwhile, it fails.
pub fn recover(host: &str, key: &KeyName) -> Call {
    let call = to_vault(host, Method::Post, format!("/deletedkeys/{key}/recover"), Value::Null);
    Call { body: None, ..call }
}

/// Enables or disables one version, and says nothing else of it.
pub fn enable(host: &str, key: &KeyName, version: &Version, enabled: bool) -> Call {
    let body = json!({ "attributes": { "enabled": enabled } });
    to_vault(host, Method::Patch, format!("/keys/{key}/{version}"), body)
}

/// Gives one version dates and tags, and leaves it as enabled or disabled as it is. `tags` are those that it has: an
/// update with tags replaces all of them.
pub fn mark(host: &str, key: &KeyName, version: &Version, marks: &Marks, tags: &BTreeMap<String, String>) -> Call {
    let mut body = Map::new();
    let attributes = dates(marks);
    if !attributes.is_empty() {
        body.insert("attributes".to_owned(), Value::Object(attributes));
    }
    if !marks.tags.is_empty() {
        let mut all = tags.clone();
        all.extend(marks.tags.clone());
        body.insert("tags".to_owned(), json!(all));
    }
    to_vault(host, Method::Patch, format!("/keys/{key}/{version}"), Value::Object(body))
}

/// The dates in the form in which both doors take them.
pub(super) fn dates(marks: &Marks) -> Map<String, Value> {
    let Marks { not_before, expires, tags: _ } = marks;
    let named = [("nbf", not_before), ("exp", expires)];
    named.into_iter().filter_map(|(name, date)| Some((name.to_owned(), json!(date.as_ref()?.0)))).collect()
}

/// Looks at a key's rotation policy. One that nobody has set is answered as one that only notifies.
pub fn get_policy(host: &str, key: &KeyName) -> Call {
    let path = format!("/keys/{key}/rotationpolicy");
    let service = Service::KeyVault { host: host.to_owned() };
    Call { service, thing: None, ..Call::get(path, VAULT_API_VERSION) }
}

/// Sets a key's rotation policy. What the wish does not speak of is sent as it was seen, since the policy is replaced.
pub fn set_policy(host: &str, key: &KeyName, wanted: &Rotation, seen: &SeenRotation) -> Call {
    let call =
        to_vault(host, Method::Put, format!("/keys/{key}/rotationpolicy"), policy(wanted, seen, ["Rotate", "Notify"]));
    Call { thing: None, ..call }
}

/// A rotation policy as it is sent. The two doors spell the kinds of actions differently.
pub(super) fn policy(wanted: &Rotation, seen: &SeenRotation, [rotate, notify]: [&str; 2]) -> Value {
    let Rotation { every, notify_before, expire_after } = wanted;
    let action = |kind: &str, trigger: &str, period: &Period| json!({ "trigger": { trigger: period.to_string() }, "action": { "type": kind } });
    let mut actions = vec![action(rotate, "timeAfterCreate", every)];
    let expire_after = expire_after.or(seen.expire_after);
    // A time before the end makes no sense without an end, and Key Vault refuses it.
    let notify_before = notify_before.or(seen.notify_before).filter(|_| expire_after.is_some());
    actions.extend(notify_before.map(|period| action(notify, "timeBeforeExpiry", &period)));
    let mut body = json!({ "lifetimeActions": actions });
    if let Some(period) = expire_after {
        body["attributes"] = json!({ "expiryTime": period.to_string() });
    }
    body
}

/// Reads a rotation policy from either door. Kinds of actions that are not known are passed over.
pub fn read_policy(body: &Value) -> Result<SeenRotation, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire {
        lifetime_actions: Option<Vec<Action>>,
        attributes: Option<Attributes>,
    }
    #[derive(Deserialize)]
    struct Action {
        action: Kind,
        trigger: Trigger,
    }
    #[derive(Deserialize)]
    struct Kind {
        #[serde(rename = "type")]
        kind: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Trigger {
        time_after_create: Option<String>,
        time_before_expiry: Option<String>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Attributes {
        expiry_time: Option<String>,
    }
    let Wire { lifetime_actions, attributes } = read_as(body, "the rotation policy")?;
    let mut seen = SeenRotation::default();
    for Action { action, trigger } in lifetime_actions.unwrap_or_default() {
        let (after, before) = (period(trigger.time_after_create)?, period(trigger.time_before_expiry)?);
        if action.kind.eq_ignore_ascii_case("rotate") {
            (seen.every, seen.before_expiry) = (after, before);
        } else if action.kind.eq_ignore_ascii_case("notify") {
            seen.notify_before = before;
        }
    }
    seen.expire_after = period(attributes.and_then(|attributes| attributes.expiry_time))?;
    Ok(seen)
}

fn period(text: Option<String>) -> Result<Option<Period>, String> {
    let text = text.filter(|text| !text.is_empty());
    text.map(|text| Period::parse(&text).ok_or_else(|| format!("`{text}` is no length of time in days"))).transpose()
}

pub(super) fn to_vault(host: &str, method: Method, path: String, body: Value) -> Call {
    let service = Service::KeyVault { host: host.to_owned() };
    // Answers name the key by its address in the vault, not by this path.
    Call { service, ..Call::send(method, Effect::Write, path, VAULT_API_VERSION, body) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn name() -> KeyName {
        KeyName::parse("main").unwrap()
    }

    #[test]
    fn an_update_says_only_what_it_is_about() {
        let version = Version::parse(&"a".repeat(32)).unwrap();
        let tags = BTreeMap::from([("owner".to_owned(), "them".to_owned())]);
        let wanted = Marks { tags: BTreeMap::from([("team".to_owned(), "pay".to_owned())]), ..Marks::default() };
        let sent = |marks: &Marks| mark("kv.vault.azure.net", &name(), &version, marks, &tags).body;
        assert_eq!(sent(&wanted), Some(json!({ "tags": { "owner": "them", "team": "pay" } })));
        let dated = Marks { expires: Some(Timestamp(9)), ..Marks::default() };
        assert_eq!(sent(&dated), Some(json!({ "attributes": { "exp": 9 } })));
        let disabled = enable("kv.vault.azure.net", &name(), &version, false);
        assert_eq!(
            (disabled.path, disabled.body),
            (format!("/keys/main/{version}"), Some(json!({ "attributes": { "enabled": false } })))
        );
    }

    #[test]
    fn what_a_wish_leaves_out_of_a_policy_stays_as_it_was() {
        let shown = json!({ "id": null, "attributes": { "expiryTime": "P2Y", "created": 1 }, "lifetimeActions": [
            { "trigger": { "timeBeforeExpiry": "P30D" }, "action": { "type": "Notify" } },
            { "trigger": { "timeAfterCreate": null, "timeBeforeExpiry": "P60D" }, "action": { "type": "rotate" } } ] });
        let seen = read_policy(&shown).unwrap();
        let wanted = Rotation { every: Period::days(90), notify_before: None, expire_after: None };
        let sent = policy(&wanted, &seen, ["Rotate", "Notify"]);
        assert_eq!(
            sent,
            json!({ "attributes": { "expiryTime": "P2Y" }, "lifetimeActions": [
            { "trigger": { "timeAfterCreate": "P90D" }, "action": { "type": "Rotate" } },
            { "trigger": { "timeBeforeExpiry": "P30D" }, "action": { "type": "Notify" } } ] })
        );
        assert!(read_policy(&sent).unwrap().does(&wanted));
    }

    #[test]
    fn a_policy_that_nobody_has_set_only_notifies() {
        let shown = json!({ "attributes": null, "lifetimeActions": [
            { "trigger": { "timeBeforeExpiry": "P30D" }, "action": { "type": "Notify" } } ] });
        let seen = read_policy(&shown).unwrap();
        assert_eq!((seen.every, seen.notify_before), (None, Some(Period::days(30))));
        let wanted = Rotation { every: Period::days(90), notify_before: None, expire_after: None };
        // Without an end there is nothing to be told of before it.
        assert_eq!(policy(&wanted, &seen, ["rotate", "notify"])["lifetimeActions"].as_array().unwrap().len(), 1);
    }
}
