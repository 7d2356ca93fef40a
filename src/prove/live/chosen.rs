//! What only Azure chooses (principals, versions and their dates, the key that an account is under), written over a world.

use super::Borrowed;
use crate::model::{Binding, Desired, KeyVersion, Observed, Period, Seen, SeenKey, SeenRotation, SeenScope};
use crate::prove::stand_in;
use crate::sandbox::{VAULT_SUFFIX, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The vault's name: the first part of its host.
pub(super) fn label(binding: &Binding) -> String {
    binding.vault_host.split('.').next().unwrap_or_default().to_ascii_lowercase()
}

/// The world with what only Azure chooses.
pub(super) fn overwritten(
    world: &World,
    (desired, observed): (&Desired, &Observed),
    ids: &BTreeMap<String, String>,
    borrowed: &BTreeMap<String, Borrowed>,
) -> Result<World, String> {
    let unread = |error: serde_json::Error| format!("the sandbox cannot be written down: {error}");
    let mut text = serde_json::to_string(world).map_err(unread)?;
    // An id that was drawn stands nowhere but where it is meant. One that was seen may be the same as one that was drawn
    // for something else, so all that were drawn are marked before any is replaced.
    let mark = |at: usize| format!("\u{1}{at}\u{1}");
    for (at, drawn) in ids.keys().enumerate() {
        text = text.replace(drawn.as_str(), &mark(at));
    }
    for (at, seen) in ids.values().enumerate() {
        text = text.replace(&mark(at), seen);
    }
    let mut whole: Value = serde_json::from_str(&text).map_err(unread)?;
    for (key, seen) in observed.keys.iter().filter_map(|(key, seen)| Some((key, seen.known()?))) {
        let lower = (key.vault.as_str().to_ascii_lowercase(), key.name.as_str().to_ascii_lowercase());
        if let Some(versions) = whole.pointer_mut(&format!("/state/vaults/{}/keys/{}/versions", lower.0, lower.1)) {
            *versions = versions_of(seen, &versions[0]);
            // The key that the spec brings is played by its stand-in.
            if let (Some(public), Some(newest)) =
                (stand_in::public(desired, key, seen), versions.as_array_mut().and_then(|all| all.last_mut()))
            {
                newest["public"] = public;
            }
        }
        let place = format!("/state/vaults/{}/keys/{}", lower.0, lower.1);
        if let (Some(key), Some(Seen::Known(policy))) = (whole.pointer_mut(&place), &seen.rotation) {
            key["rotation"] = policy_of(policy, observed.at.0);
        }
    }
    for account in observed.accounts.values().filter_map(Seen::known) {
        let Some(binding) = &account.encryption.binding else { continue };
        let current = current(&mut whole, binding, borrowed);
        let place = format!("/state/accounts/{}/encryption", account.id.name);
        let Some(encryption) = whole.pointer_mut(&place) else { continue };
        let moved = binding.rotated.as_deref().and_then(|text| text.parse::<jiff::Timestamp>().ok());
        encryption["binding"] = json!({
            "vault_uri": format!("https://{}.{VAULT_SUFFIX}/", label(binding)), "key": binding.key,
            "version": binding.version.as_ref().map(ToString::to_string), "current": current, "expires": null,
            "rotated": moved.map_or(observed.at.0.saturating_mul(1000), jiff::Timestamp::as_millisecond),
        });
        if let Some(identity) = &binding.user_assigned_identity {
            encryption["identity"] = json!({ "userAssignedIdentity": identity });
        }
    }
    for (account, seen) in observed.scopes.iter().filter_map(|(name, seen)| Some((name, seen.known()?))) {
        if let Some(scopes) = whole.pointer_mut(&format!("/state/accounts/{account}/scopes")) {
            *scopes = seen.iter().map(|scope| (scope.name.clone(), scope_of(scope, observed.at.0))).collect();
        }
    }
    serde_json::from_value(whole).map_err(unread)
}

/// An encryption scope as it was seen.
fn scope_of(seen: &SeenScope, now: i64) -> Value {
    let SeenScope { name, is_enabled, key, version, current, moved } = seen;
    let at = |seconds: i64| seconds.saturating_mul(1000);
    let binding = key.as_ref().map(|(host, key)| {
        let label = host.split('.').next().unwrap_or_default().to_ascii_lowercase();
        json!({
            "vault_uri": format!("https://{label}.{VAULT_SUFFIX}/"), "key": key,
            "version": version.as_ref().map(ToString::to_string), "expires": null,
            "current": current.as_ref().or(version.as_ref()).map_or_else(String::new, ToString::to_string),
            "rotated": at(moved.map_or(now, |moved| moved.0)),
        })
    });
    json!({
        "name": name, "binding": binding, "enabled": is_enabled, "infrastructure": null,
        "created": at(now), "modified": at(now),
    })
}

/// Versions as they were seen, the newest last, each otherwise like the one that the sandbox made.
fn versions_of(seen: &SeenKey, made: &Value) -> Value {
    let one = |version: &KeyVersion| {
        let mut one = made.clone();
        one["id"] = json!(version.id.as_str());
        one["enabled"] = json!(version.enabled);
        one["not_before"] = json!(version.not_before.map(|at| at.0));
        one["expires"] = json!(version.expires.map(|at| at.0));
        if let Some(created) = version.created {
            one["created"] = json!(created.0.saturating_mul(1000));
        }
        one
    };
    let mut versions: Vec<Value> = seen.versions.iter().rev().map(one).collect();
    // Of other versions, nobody looked at the tags.
    if let Some(newest) = versions.last_mut().filter(|_| !seen.tags.is_empty()) {
        newest["tags"] = json!(seen.tags);
    }
    versions.into()
}

/// A rotation policy as it was seen. One that only notifies is what a key has until somebody sets one.
fn policy_of(seen: &SeenRotation, now: i64) -> Value {
    let SeenRotation { every, before_expiry, notify_before, expire_after } = seen;
    let action = |kind: &str, trigger: &str, period: &Period| json!({ "trigger": { trigger: period.to_string() }, "action": { "type": kind } });
    let rotates = every.map(|period| action("Rotate", "timeAfterCreate", &period));
    let rotates = rotates.or(before_expiry.map(|period| action("Rotate", "timeBeforeExpiry", &period)));
    if rotates.is_none() && expire_after.is_none() {
        return Value::Null;
    }
    let notifies = notify_before.map(|period| action("Notify", "timeBeforeExpiry", &period));
    let actions: Vec<Value> = rotates.into_iter().chain(notifies).collect();
    let (life, now) = (expire_after.map(|period| period.to_string()), now.saturating_mul(1000));
    json!({ "actions": actions, "life": life, "created": now, "updated": now })
}

/// The version that wraps an account's data key. Where it was not looked at it is there, and enabled.
fn current(whole: &mut Value, binding: &Binding, borrowed: &BTreeMap<String, Borrowed>) -> String {
    let label = label(binding);
    let place = format!("/state/vaults/{label}/keys/{}/versions", binding.key.to_ascii_lowercase());
    let named = binding.in_use().map(ToString::to_string);
    let Some(Value::Array(versions)) = whole.pointer_mut(&place) else { return named.unwrap_or_default() };
    let newest = versions.last().cloned().unwrap_or_default();
    let Some(named) = named else { return newest["id"].as_str().unwrap_or_default().to_owned() };
    if borrowed.contains_key(&label) {
        if let Some(only) = versions.first_mut() {
            only["id"] = json!(named);
        }
    } else if !versions.iter().any(|version| version["id"] == named.as_str()) {
        let mut older = newest;
        older["id"] = json!(named);
        older["enabled"] = json!(true);
        versions.insert(0, older);
    }
    named
}
