//! Rotation policies: when a key gets its next version by itself, and until when that version is good.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Millis;
use super::key_vault::{Door, bad_parameter, pick};
use super::keys::{Key, Version};
use super::vault::Vault;
use super::wire::{Answer, Reply};
use super::world::{State, guid_of};

/// The shortest life that a policy may give.
const LIFE_DAYS_MIN: i64 = 28;

/// What someone has set for a key. A key without one is shown a policy that only notifies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Policy {
    /// As they were sent, with the spelling that Azure gives the kinds.
    pub actions: Vec<Value>,
    /// An ISO 8601 duration, for each new version from its creation.
    pub life: Option<String>,
    pub created: Millis,
    pub updated: Millis,
}

impl Policy {
    fn body(&self, vault: &Vault, key: &Key) -> Value {
        let Self { actions, life, created, updated } = self;
        let mut attributes = json!({"created": created.seconds(), "updated": updated.seconds()});
        if let Some(life) = life {
            attributes["expiryTime"] = json!(life);
        }
        let id = format!("{}/keys/{}/rotationpolicy", vault.uri(), key.name);
        json!({"id": id, "lifetimeActions": actions, "attributes": attributes})
    }

    /// The policy that a key is made with through Resource Manager.
    pub(super) fn of_new_key(sent: &Value, now: Millis) -> Result<Self, String> {
        let (actions, life) = read(sent, now)?;
        Ok(Self { actions, life, created: now, updated: now })
    }

    /// The policy as Resource Manager shows it, which has its own spelling for the kinds of actions.
    pub(super) fn arm_body(&self) -> Value {
        let Self { actions, life, created, updated } = self;
        let mut actions = actions.clone();
        for action in &mut actions {
            let kind = action["action"]["type"].as_str().unwrap_or_default().to_ascii_lowercase();
            action["action"]["type"] = json!(kind);
        }
        let mut attributes = json!({"created": created.seconds(), "updated": updated.seconds()});
        if let Some(life) = life {
            attributes["expiryTime"] = json!(life);
        }
        json!({"lifetimeActions": actions, "attributes": attributes})
    }

    /// When a version that is made now expires, in seconds since 1970.
    pub(super) fn expiry(&self, now: Millis) -> Option<i64> {
        self.life.as_deref().and_then(|life| moved(now, life, false)).map(Millis::seconds)
    }

    /// When a key whose newest version is this one is due for the next.
    fn due(&self, newest: &Version) -> Option<Millis> {
        let rotate = self.actions.iter().find(|action| is_kind(action, "Rotate"))?;
        let trigger = &rotate["trigger"];
        match (trigger["timeAfterCreate"].as_str(), trigger["timeBeforeExpiry"].as_str()) {
            (Some(span), _) => moved(newest.created, span, false),
            (None, Some(span)) => moved(Millis(newest.expires?.saturating_mul(1000)), span, true),
            (None, None) => None,
        }
    }
}

fn is_kind(action: &Value, kind: &str) -> bool {
    action["action"]["type"].as_str().is_some_and(|written| written.eq_ignore_ascii_case(kind))
}

/// A moment and a duration of the calendar: months and years are as long as they are.
fn moved(from: Millis, span: &str, back: bool) -> Option<Millis> {
    let span: Span = span.parse().ok()?;
    let start = Timestamp::from_millisecond(from.0).ok()?.to_zoned_datetime(TimeZone::UTC);
    let end = if back { start.checked_sub(span) } else { start.checked_add(span) };
    end.ok().map(|end| Millis(end.timestamp().as_millisecond()))
}

impl Door<'_> {
    /// The policy of a key, or the one that every key has until someone sets one.
    pub(super) fn rotation_policy(&mut self, name: &str) -> Reply {
        let now = self.now;
        let vault = &*self.vault("getrotationpolicy")?;
        let (key, _) = pick(vault, name, None, now)?;
        if let Some(policy) = &key.rotation {
            return Ok(Answer::json(200, policy.body(vault, key)));
        }
        let notify = json!({"trigger": {"timeBeforeExpiry": "P30D"}, "action": {"type": "Notify"}});
        Ok(Answer::json(200, json!({"lifetimeActions": [notify], "attributes": null})))
    }

    pub(super) fn set_rotation_policy(&mut self, name: &str) -> Reply {
        let sent = self.ask.object()?;
        let now = self.now;
        let vault = self.vault("setrotationpolicy")?;
        pick(vault, name, None, now)?;
        let (actions, life) = read(&sent, now).map_err(|text| bad_parameter(&text))?;
        let key = vault.keys.get_mut(&name.to_ascii_lowercase()).ok_or_else(|| Answer::empty(500))?;
        let created = key.rotation.as_ref().map_or(now, |policy| policy.created);
        key.rotation = Some(Policy { actions, life, created, updated: now });
        self.rotation_policy_as_set(name)
    }

    fn rotation_policy_as_set(&self, name: &str) -> Reply {
        let vault = self.world.state.vaults.get(&self.vault);
        let found = vault.and_then(|vault| {
            let key = vault.keys.get(&name.to_ascii_lowercase())?;
            Some(key.rotation.as_ref()?.body(vault, key))
        });
        found.map(|body| Answer::json(200, body)).ok_or_else(|| Answer::empty(500))
    }
}

/// The actions and the life in a request, or what is wrong with them.
fn read(sent: &Value, now: Millis) -> Result<(Vec<Value>, Option<String>), String> {
    let life = sent["attributes"]["expiryTime"].as_str().filter(|life| !life.is_empty());
    if let Some(life) = life {
        let end = moved(now, life, false).ok_or_else(|| format!("Invalid expiryTime: {life}"))?;
        if end < now.plus_days(LIFE_DAYS_MIN) {
            return Err(format!("The expiryTime must be at least {LIFE_DAYS_MIN} days: {life}"));
        }
    }
    let mut actions = Vec::new();
    for action in sent["lifetimeActions"].as_array().into_iter().flatten() {
        let kind = ["Rotate", "Notify"].into_iter().find(|kind| is_kind(action, kind));
        let kind = kind.ok_or_else(|| format!("Invalid lifetime action: {}", action["action"]["type"]))?;
        if actions.iter().any(|present| is_kind(present, kind)) {
            return Err(format!("There is more than one lifetime action of type {kind}"));
        }
        let names = ["timeAfterCreate", "timeBeforeExpiry"];
        let given = names.into_iter().find(|name| !action["trigger"][*name].is_null());
        let given = given.ok_or_else(|| format!("The lifetime action {kind} has no trigger"))?;
        let span = action["trigger"][given].as_str().unwrap_or_default();
        if moved(now, span, false).is_none() {
            return Err(format!("Invalid {given}: {span}"));
        }
        if given == "timeBeforeExpiry" && kind == "Rotate" && life.is_none() {
            return Err("timeBeforeExpiry needs an expiryTime".to_owned());
        }
        actions.push(json!({"trigger": {given: span}, "action": {"type": kind}}));
    }
    Ok((actions, life.map(str::to_owned)))
}

/// Gives every key that is due its next version. The version's id follows from the one before it, so that it
/// does not matter when anyone looks.
pub(super) fn rotate_by_policy(state: &mut State, now: Millis) {
    // Touching a vault parts it from its copies, so only one with a policy is.
    let has_policy = |vault: &Vault| vault.keys.values().any(|key| key.rotation.is_some());
    let vaults = state.vaults.values_mut().filter(|vault| has_policy(vault));
    for key in vaults.flat_map(|vault| vault.keys.values_mut()) {
        let Some(policy) = key.rotation.clone() else { continue };
        while let Some((due, newest)) = key.newest().and_then(|newest| Some((policy.due(newest)?, newest))) {
            if due > now || due <= newest.created {
                break;
            }
            let next = next(newest, due, &policy);
            key.versions.push(next);
        }
    }
}

fn next(newest: &Version, due: Millis, policy: &Policy) -> Version {
    let seed: [u8; 32] = Sha256::digest(format!("sandbox rotation of {}", newest.id)).into();
    let mut next = newest.renewed(&seed, guid_of(seed).replace('-', ""), due);
    next.expires = policy.expiry(due);
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_follow_the_calendar() {
        let start = Millis(1_767_225_600_000);
        assert_eq!(moved(start, "P1M", false), Some(start.plus_days(31)));
        assert_eq!(moved(start, "P30D", true), Some(start.plus_days(-30)));
        assert_eq!(moved(start, "30 days hence", false), None);
    }
}
