//! A key's life beyond its being there: dates, tags, whether it can be used, and its rotation.

mod stairs;
mod versions;

use super::action::Action;
use super::draft::{Draft, changed, made};
use super::types::Change;
use crate::model::{
    AccountName, Check, Desired, Enabled, Fact, HiddenReason, KeyLife, KeyRef, Marks, Observed, Rotation, Seen,
    SeenKey, SeenRotation, Timestamp, VaultId, Version,
};
use std::collections::BTreeMap;

/// What keys need before accounts are bound to them.
pub(super) fn plan(desired: &Desired, observed: &Observed, draft: &mut Draft) {
    each(desired, observed, |room| {
        room.open(draft);
        room.marks(draft);
        room.policy(draft);
        room.next(draft);
    });
}

/// What is closed once accounts have left it. To be asked last, when it is known who leaves.
pub(super) fn close(desired: &Desired, observed: &Observed, draft: &mut Draft) {
    each(desired, observed, |room| {
        room.shut(draft);
        room.retire(draft);
    });
}

/// Every key that is there, with what is asked of it.
fn each(desired: &Desired, observed: &Observed, mut act: impl FnMut(&Room<'_>)) {
    for vault in desired.vaults.values() {
        for (name, wanted) in &vault.keys {
            let key = KeyRef { vault: vault.id.name.clone(), name: name.clone() };
            let Some(Seen::Known(seen)) = observed.keys.get(&key) else { continue };
            act(&Room { desired, observed, vault: &vault.id, key: &key, life: &wanted.life, seen });
        }
    }
}

/// The keys of which versions are to be disabled, each with its vault's host: who uses them has to be known first.
pub fn closing(desired: &Desired, observed: &Observed) -> BTreeMap<KeyRef, String> {
    let is_closing = |key: &KeyRef, life: &KeyLife| {
        let Some(Seen::Known(seen)) = observed.keys.get(key) else { return false };
        let enabled = seen.versions.iter().filter(|version| version.enabled);
        let (count, named) = enabled.fold((0_usize, false), |(count, named), version| {
            (count + 1, named || life.versions.get(&version.id) == Some(&false))
        });
        named || (life.enabled == Some(Enabled::No) && count > 0) || (life.retire_after.is_some() && count > 1)
    };
    let wanted = desired.keys().filter(|(key, wanted)| is_closing(key, &wanted.life));
    wanted
        .filter_map(|(key, _)| {
            let host = observed.vaults.get(&key.vault).and_then(Seen::known)?.host.clone();
            Some((key, host))
        })
        .collect()
}

/// Whether the spec says that nobody can use this key.
pub(super) fn closes(desired: &Desired, key: &KeyRef) -> bool {
    desired.key(key).is_some_and(|wanted| wanted.life.enabled == Some(Enabled::No))
}

/// Whether the spec says that nobody can use this version.
pub(super) fn closes_version(desired: &Desired, key: &KeyRef, version: &Version) -> bool {
    desired.key(key).is_some_and(|wanted| wanted.life.versions.get(version) == Some(&false))
}

/// A key that is there, and what is asked of it.
struct Room<'a> {
    desired: &'a Desired,
    observed: &'a Observed,
    vault: &'a VaultId,
    key: &'a KeyRef,
    life: &'a KeyLife,
    seen: &'a SeenKey,
}

impl Room<'_> {
    fn resource(&self) -> String {
        format!("key {}", self.key)
    }

    /// An account of the spec that could not be seen: what it is about to do cannot be told.
    fn hidden_account(&self) -> Option<(&AccountName, &HiddenReason)> {
        self.desired.accounts.keys().find_map(|name| match self.observed.accounts.get(name) {
            Some(Seen::Hidden(reason)) => Some((name, reason)),
            Some(Seen::Known(_) | Seen::Absent) | None => None,
        })
    }

    /// Dates and tags of the current version. Nothing is said of whether it is enabled.
    fn marks(&self, draft: &mut Draft) {
        let (Some(current), marks) = (self.seen.current(), &self.life.marks) else { return };
        if marks.is_empty() {
            return;
        }
        let resource = self.resource();
        let date = |path: &str, is: Option<Timestamp>, wanted: Option<Timestamp>| {
            let wanted = wanted.filter(|wanted| is != Some(*wanted))?;
            Some(changed(&resource, path, is.map(|date| date.to_string()), wanted.to_string()))
        };
        let mut because: Vec<Change> = vec![];
        because.extend(date("notBefore", current.not_before, marks.not_before));
        because.extend(date("expires", current.expires, marks.expires));
        because.extend(marks.tags.iter().filter_map(|(name, value)| {
            let is = self.seen.tags.get(name);
            (is != Some(value)).then(|| changed(&resource, &format!("tags[{name}]"), is.cloned(), value))
        }));
        if because.is_empty() {
            return;
        }
        let (vault, key, version) = (self.vault.clone(), self.key.clone(), current.id.clone());
        draft.propose(Action::MarkKey { vault, key, version, marks: marks.clone() }, because);
    }

    /// How Key Vault rotates the key by itself.
    fn policy(&self, draft: &mut Draft) {
        let Some(wanted) = self.life.rotation else { return };
        match Fact::RotatesBy(self.key.clone(), wanted).check(self.observed) {
            Check::Yes | Check::Pending(_) => {}
            Check::Unknown(why) => {
                let what = format!("Key Vault rotates it every {}", wanted.every);
                match &self.seen.rotation {
                    Some(Seen::Hidden(reason)) => draft.hidden(&self.resource(), reason),
                    Some(Seen::Known(_) | Seen::Absent) | None => {}
                }
                draft.hides(&self.resource(), &why, what);
            }
            Check::No(_) => {
                let seen = self.seen.rotation.as_ref().and_then(Seen::known).copied().unwrap_or_default();
                let because = policy_changes(&self.resource(), &seen, &wanted);
                let (vault, key) = (self.vault.clone(), self.key.clone());
                draft.propose(Action::SetRotation { vault, key, rotation: wanted }, because);
            }
        }
    }
}

fn policy_changes(resource: &str, seen: &SeenRotation, wanted: &Rotation) -> Vec<Change> {
    let Rotation { every, notify_before, expire_after } = wanted;
    let before = match (seen.every, seen.before_expiry) {
        (Some(every), _) => Some(every.to_string()),
        (None, Some(before)) => Some(format!("{before} before it expires")),
        (None, None) => None,
    };
    let every = Some(changed(resource, "rotation.every", before, every.to_string()));
    let rest = [
        ("rotation.notifyBefore", seen.notify_before, notify_before),
        ("rotation.expireAfter", seen.expire_after, expire_after),
    ];
    let rest = rest.into_iter().filter_map(|(path, is, wanted)| {
        let wanted = wanted.filter(|wanted| is != Some(*wanted))?;
        Some(changed(resource, path, is.map(|is| is.to_string()), wanted.to_string()))
    });
    every.filter(|change| change.before.as_ref() != Some(&change.after)).into_iter().chain(rest).collect()
}

/// What a key is made with, beyond type and size.
pub(super) fn made_with(resource: &str, life: &KeyLife) -> Vec<Change> {
    let Marks { not_before, expires, tags } = &life.marks;
    let dates = [("notBefore", not_before), ("expires", expires)];
    let dates = dates.into_iter().filter_map(|(path, date)| Some(made(resource, path, date.as_ref()?.to_string())));
    let tags = tags.iter().map(|(name, value)| made(resource, &format!("tags[{name}]"), value));
    let policy = life.rotation.iter().flat_map(|wanted| policy_changes(resource, &SeenRotation::default(), wanted));
    dates.chain(tags).chain(policy).collect()
}
