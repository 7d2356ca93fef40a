//! What was done to keys that are there, held against what the spec asks and what the plan showed: S2, S3, S6, S7, S12, S14.

use super::diff::Change;
use super::honest::{Finding, Scene};
use super::sight::Sight;
use crate::model::{Desired, Enabled, KeyLife};
use crate::prove::Mishap;
use crate::sandbox::ARM_HOST;
use azure_core::base64::encode_url_safe;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;

/// A day, in milliseconds.
const DAY: i64 = 86_400_000;

impl Scene<'_> {
    /// One more version, or other properties of one: nothing else happens to versions.
    pub(super) fn versions(&self, vault: &str, key: &str, change: &Change<'_>) -> Vec<Finding> {
        let none = vec![];
        let list = |value: Option<&'_ Value>| value.and_then(Value::as_array).cloned().unwrap_or_else(|| none.clone());
        let (before, after) = (list(change.before), list(change.after));
        let same = |a: &Value, b: &Value| a["id"] == b["id"];
        let gone = before.iter().filter(|one| !after.iter().any(|other| same(one, other)));
        let mut findings: Vec<Finding> =
            gone.map(|one| ("S2", false, format!("version {} of {vault}/{key} is gone", one["id"]))).collect();
        let added: Vec<&Value> = after.iter().filter(|one| !before.iter().any(|other| same(one, other))).collect();
        if !added.is_empty() {
            findings.extend(self.added(vault, key, before.last(), added.len()));
        }
        for now in &after {
            let Some(was) = before.iter().find(|was| same(was, now)) else { continue };
            findings.extend(self.changed(vault, key, was, now, &after));
        }
        findings
    }

    /// A version is added because the newest was too old, and one at a time.
    fn added(&self, vault: &str, key: &str, newest: Option<&Value>, count: usize) -> Vec<Finding> {
        if self.sent.path.to_ascii_lowercase().ends_with("/rotationpolicy") {
            // Key Vault itself makes what the policy asks for, once it is set.
            return self.shown(&format!("key {vault}/{key}"), &["rotation.every"]);
        }
        if own(self.desired, vault, key).is_some() {
            return self.added_to_own(vault, key, count);
        }
        let mut findings = self.shown(&format!("key {vault}/{key}"), &["newestVersion"]);
        let by_vault = self.sent.host != ARM_HOST;
        let made = newest.and_then(|one| one["created"].as_i64()).unwrap_or_default() / 1000;
        let due = life(self.desired, vault, key).is_some_and(|life| {
            let asked = life.rotated_since.is_some_and(|since| made < since.0);
            let old =
                life.max_age.is_some_and(|age| age.after(crate::model::Timestamp(made)).0 <= self.after.now.seconds());
            // Made first where a policy is to be set that the newest version is too old for.
            let overtaken = life.rotation.is_some_and(|rotation| {
                rotation.every.after(crate::model::Timestamp(made)).0 <= self.after.now.seconds()
            });
            asked || old || overtaken
        });
        let once = count == 1 && by_vault && (due || self.is_beside(vault, key));
        findings.push((
            "S12",
            once,
            format!("{count} versions of {vault}/{key} were added, whose newest was of {made}"),
        ));
        let open = newest.is_some_and(|one| one["enabled"] == true);
        findings.push(("S14", open, format!("{vault}/{key} got a version, after somebody disabled its newest")));
        findings
    }

    /// A key that is brought from outside gets one version and never another.
    fn added_to_own(&self, vault: &str, key: &str, count: usize) -> Vec<Finding> {
        let once = count == 1 && self.is_beside(vault, key);
        vec![("S12", once, format!("{vault}/{key}, which was there, was imported again"))]
    }

    /// Whether a version may be one too many through nobody's fault.
    fn is_beside(&self, vault: &str, key: &str) -> bool {
        // Two who look in the same moment both see what is to be done; one writer is promised, not two.
        let place = format!("/vaults/{vault}/keys/{key}").to_ascii_lowercase();
        let meanwhile =
            self.notes.changed_since.iter().any(|changed| {
                changed.ends_with(&place) || changed.contains(&format!("{}.", vault.to_ascii_lowercase()))
            });
        // A request that the network delivers twice has two effects: that window is Azure's, whose call has no condition.
        meanwhile || self.sent.note == Mishap::Twice.name()
    }

    fn changed(&self, vault: &str, key: &str, was: &Value, now: &Value, all: &[Value]) -> Vec<Finding> {
        let resource = format!("key {vault}/{key}");
        let id = now["id"].as_str().unwrap_or_default();
        let mut findings = vec![];
        for (field, path) in [("not_before", "notBefore"), ("expires", "expires")] {
            if was[field] != now[field] {
                findings.extend(self.shown(&resource, &[path]));
            }
        }
        if was["enabled"] != now["enabled"] {
            findings.extend(self.shown(&resource, &[format!("versions[{id}].enabled").as_str()]));
            if now["enabled"] == true {
                findings.push(("S14", self.notes.opens, format!("version {id} of {vault}/{key} was enabled unasked")));
            } else {
                findings.extend(self.disabled(vault, key, id, all));
            }
        }
        findings.extend(self.tagged(vault, key, &was["tags"], &now["tags"]));
        for field in ["kty", "size", "curve", "ops", "created", "modulus", "public"] {
            findings.push((
                "S7",
                was[field] == now[field],
                format!("{field} of version {id} of {vault}/{key} was changed"),
            ));
        }
        findings
    }

    /// Tags of others stay; ours are those that were shown.
    fn tagged(&self, vault: &str, key: &str, was: &Value, now: &Value) -> Vec<Finding> {
        let names = |tags: &Value| -> BTreeSet<String> {
            tags.as_object().into_iter().flat_map(|tags| tags.keys().cloned()).collect()
        };
        let mut findings = vec![];
        for name in names(was).union(&names(now)) {
            if was[name] == now[name] {
                continue;
            }
            findings.push(("S3", !now[name].is_null(), format!("tag {name} of {vault}/{key} is gone")));
            findings.extend(self.shown(&format!("key {vault}/{key}"), &[format!("tags[{name}]").as_str()]));
        }
        findings
    }

    /// S6: what the spec names may be disabled; what is only old, once nobody has needed it for a day.
    fn disabled(&self, vault: &str, key: &str, id: &str, all: &[Value]) -> Vec<Finding> {
        let Some(life) = life(self.desired, vault, key) else {
            return vec![("S6", false, format!("version {id} of {vault}/{key} was disabled, which no spec asks for"))];
        };
        let named = life.versions.iter().any(|(version, enabled)| version.as_str() == id && !enabled);
        if named || life.enabled == Some(Enabled::No) {
            return vec![("S6", true, String::new())];
        }
        let asked = life.retire_after.is_some();
        let users = users(self.before, vault, key);
        let used: Vec<&str> = users.iter().filter(|user| user.version == id).map(|user| user.name.as_str()).collect();
        let newer = all.iter().rev().take_while(|one| one["id"] != id).filter(|one| one["enabled"] == true);
        let made = newer.filter_map(|one| one["created"].as_i64()).max();
        let last = users.iter().map(|user| user.moved).chain(made).max();
        let over = made.is_some() && last.is_some_and(|last| last / 1000 * 1000 + DAY <= self.after.now.0);
        // For a version that somebody made between the look and the write nobody can wait, and nobody needs the old one for it.
        let over = over || self.is_beside(vault, key);
        vec![
            ("S6", asked, format!("version {id} of {vault}/{key} was disabled, which no spec asks for")),
            ("S6", used.is_empty(), format!("version {id} of {vault}/{key} was disabled under {used:?}")),
            (
                "S6",
                over,
                format!("version {id} of {vault}/{key} was disabled before a day was over: {last:?}, {made:?}"),
            ),
        ]
    }

    /// A rotation policy is what was shown.
    pub(super) fn policy(&self, vault: &str, key: &str, change: &Change<'_>) -> Vec<Finding> {
        let asked = life(self.desired, vault, key).is_some_and(|life| life.rotation.is_some());
        let mut findings = vec![("S7", asked, format!("{vault}/{key} is rotated as no spec asks for"))];
        if change.path.last() != Some(&"updated") {
            let fields = ["rotation.every", "rotation.notifyBefore", "rotation.expireAfter"];
            let resource = format!("key {vault}/{key}");
            let any = fields.iter().any(|field| self.notes.shows(&resource, field));
            findings.push(("S7", any, format!("the rotation policy of {vault}/{key} was set and not shown")));
        }
        findings
    }
}

/// The thumbprint of a key that the spec brings from outside.
pub(super) fn own<'a>(desired: &'a Desired, vault: &str, key: &str) -> Option<&'a str> {
    let is_it = |(of, _): &(crate::model::KeyRef, &crate::model::Key)| {
        of.vault.as_str().eq_ignore_ascii_case(vault) && of.name.as_str().eq_ignore_ascii_case(key)
    };
    Some(desired.keys().find(is_it)?.1.import.as_ref()?.thumbprint.as_str())
}

/// The thumbprint of the newest version of a key as the sandbox keeps it, by RFC 7638.
pub(super) fn thumbprint(key: &Value) -> String {
    let newest = key["versions"].as_array().and_then(|versions| versions.last()).cloned().unwrap_or_default();
    let public = |name: &str| newest["public"][name].as_str().unwrap_or_default().to_owned();
    let text = format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, public("e"), public("n"));
    encode_url_safe(Sha256::digest(text))
}

/// What the spec asks of a key.
fn life<'a>(desired: &'a Desired, vault: &str, key: &str) -> Option<&'a KeyLife> {
    let is_it = |(of, _): &(crate::model::KeyRef, &crate::model::Key)| {
        of.vault.as_str().eq_ignore_ascii_case(vault) && of.name.as_str().eq_ignore_ascii_case(key)
    };
    desired.keys().find(is_it).map(|(_, wanted)| &wanted.life)
}

/// Somebody under a key.
struct User {
    name: String,
    version: String,
    /// In milliseconds since 1970.
    moved: i64,
}

/// Everybody in the world who is under a key: accounts and their scopes, whether any spec names them or not.
fn users(sight: Sight<'_>, vault: &str, key: &str) -> Vec<User> {
    let of = |name: String, binding: &Value| {
        let host = binding["vault_uri"].as_str()?.split("://").last()?.to_ascii_lowercase();
        let here = host.starts_with(&format!("{}.", vault.to_ascii_lowercase()));
        let is_it = here && binding["key"].as_str()?.eq_ignore_ascii_case(key);
        let version = binding["current"].as_str()?.to_owned();
        is_it.then(|| User { name, version, moved: binding["rotated"].as_i64().unwrap_or_default() })
    };
    let accounts = sight.census.things().get("accounts");
    let mut users = vec![];
    for (name, account) in accounts.into_iter().flat_map(|all| all.iter()) {
        users.extend(of(format!("account {name}"), &account["encryption"]["binding"]));
        for (scope, held) in account["scopes"].as_object().into_iter().flatten() {
            users.extend(of(format!("scope {scope} of {name}"), &held["binding"]));
        }
    }
    users
}

/// The accounts, whether the spec names them or not, whose key or whose version of it the spec closes on purpose.
pub(super) fn closed(desired: &Desired, sight: Sight<'_>) -> BTreeSet<String> {
    let is_closed = |name: &str| {
        let Some(binding) = sight.binding(name) else { return false };
        let Some(life) = life(desired, &binding.vault, &binding.key) else { return false };
        let named = life.versions.iter().any(|(version, enabled)| version.as_str() == binding.current && !enabled);
        named || life.enabled == Some(Enabled::No)
    };
    let all = sight.census.things().get("accounts");
    all.into_iter().flat_map(|all| all.keys()).filter(|name| is_closed(name)).cloned().collect()
}

/// What the spec says of keys through their life, in words, and whether it holds.
pub(super) fn facts(desired: &Desired, vault: &str, sight: Sight<'_>) -> Vec<(String, bool)> {
    let mut facts = vec![];
    for (key, wanted) in desired.keys().filter(|(key, _)| key.vault.as_str().eq_ignore_ascii_case(vault)) {
        let Some(seen) = sight.key(vault, key.name.as_str()) else { continue };
        let versions = seen["versions"].as_array().cloned().unwrap_or_default();
        let Some(newest) = versions.last() else { continue };
        let KeyLife { enabled, versions: named, marks, rotation, max_age, rotated_since, retire_after: _ } =
            &wanted.life;
        let mut say = |what: &str, is_so: bool| facts.push((format!("key {key} {what}"), is_so));
        if let Some(import) = &wanted.import {
            say("is the one that the spec brings", thumbprint(seen) == import.thumbprint.as_str());
        }
        match enabled {
            Some(Enabled::Yes) => say("can be used", newest["enabled"] == true),
            Some(Enabled::No) => say("can be used for nothing", versions.iter().all(|one| one["enabled"] == false)),
            Some(Enabled::AsUsed) | None => {}
        }
        for (version, enabled) in named {
            let is_so = versions.iter().any(|one| one["id"] == version.as_str() && one["enabled"] == *enabled);
            say(&format!("version {version} is as the spec says"), is_so);
        }
        for (name, value) in &marks.tags {
            say(&format!("has the tag {name}"), newest["tags"][name] == value.as_str());
        }
        if let Some(date) = marks.not_before {
            say("begins when it should", newest["not_before"].as_i64() == Some(date.0));
        }
        if let Some(date) = marks.expires {
            say("ends when it should", newest["expires"].as_i64() == Some(date.0));
        }
        if let Some(wanted) = rotation {
            let rotates = seen["rotation"]["actions"].as_array().is_some_and(|actions| {
                actions.iter().any(|one| {
                    one["action"]["type"] == "Rotate" && one["trigger"]["timeAfterCreate"] == wanted.every.to_string()
                })
            });
            say("is rotated as it should", rotates);
        }
        let made = newest["created"].as_i64().unwrap_or_default() / 1000;
        if let Some(since) = rotated_since {
            say("is rotated", made >= since.0);
        }
        // What was closed is not rotated.
        if let Some(age) = max_age.filter(|_| newest["enabled"] == true) {
            say("is young enough", age.after(crate::model::Timestamp(made)).0 > sight.now.seconds());
        }
    }
    facts
}
