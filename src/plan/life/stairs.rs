//! The stairs of a rotation: a new version, everybody on it, and the old ones disabled once nobody has needed them for
//! long enough.
//!
//! Where a key stands is read from Azure each time. A run that was cut off anywhere is a start like any other.

use super::super::action::Action;
use super::super::draft::{Draft, made};
use super::Room;
use crate::model::{Check, Enabled, Fact, KeyVersion, Period, Timestamp};
use std::collections::BTreeSet;

impl Room<'_> {
    /// Makes a new version where the newest is older than the spec allows.
    pub(super) fn next(&self, draft: &mut Draft) {
        if self.life.enabled == Some(Enabled::No) {
            return;
        }
        let Some(current) = self.seen.current() else { return };
        let Some((since, why)) = self.due(current, draft) else { return };
        if !current.enabled {
            // Somebody closed it. A newer version would open it again.
            let text =
                format!("its newest version {} is disabled: it is not rotated before that is enabled", current.id);
            return draft.note(&self.resource(), text);
        }
        let mut change = made(&self.resource(), "newestVersion", why);
        change.before = Some(current.id.to_string());
        let (vault, key) = (self.vault.clone(), self.key.clone());
        draft.propose(Action::RotateKey { vault, key, since }, vec![change]);
    }

    /// The moment from which on a version is new enough, where the newest is not.
    ///
    /// An age that was passed asks for a version that is newer than the one that was seen, and so for the same however
    /// often it is planned.
    fn due(&self, current: &KeyVersion, draft: &mut Draft) -> Option<(Timestamp, String)> {
        let asked = self.life.rotated_since;
        let overtaken = self.overtaken();
        if self.life.max_age.is_none() && asked.is_none() && overtaken.is_none() {
            return None;
        }
        let Some(created) = current.created else {
            draft.note(&self.resource(), "Azure does not say when its newest version was made: it is not rotated");
            return None;
        };
        if let Some(since) = asked.filter(|since| created < *since && self.observed.at < *since) {
            // By its own clock Azure could not make one that is new enough, and would be asked again and again.
            draft.note(
                &self.resource(),
                format!("it is not rotated before {since}, which is yet to come by Azure's clock"),
            );
            return None;
        }
        if let Some(since) = asked.filter(|since| created < *since) {
            return Some((since, format!("one of {since} or later")));
        }
        if let Some(every) = overtaken.filter(|every| every.after(created) <= self.observed.at) {
            let why = format!("a new one: that one is of {created}, and its policy is to be one version every {every}");
            return Some((Timestamp(created.0 + 1), why));
        }
        let max_age = self.life.max_age?;
        let due = max_age.after(created);
        if self.observed.at < due {
            draft.note(&self.resource(), format!("its newest version is of {created}: the next is due on {due}"));
            return None;
        }
        Some((Timestamp(created.0 + 1), format!("a new one: that one is of {created}, and may be {max_age} old")))
    }

    /// Whether this plan moves anybody under the key or within it: the waiting time then begins anew.
    fn is_moved_to(&self, draft: &Draft) -> bool {
        let moves = |action: &Action| match action {
            Action::SetEncryption { key, .. } | Action::SwitchIdentity { key, .. } => key == self.key,
            Action::CreateAccount { key: Some(binds), .. } => binds.key == *self.key,
            _ => false,
        };
        draft.renewed.contains_key(self.key) || draft.proposals.iter().any(|(action, _)| moves(action))
    }

    /// How often a policy is to rotate the key that is set in this plan. Key Vault makes a new version as soon as a policy
    /// is set that the newest one is too old for; made here, the accounts that are pinned move along.
    fn overtaken(&self) -> Option<Period> {
        let wanted = self.life.rotation?;
        let is_set = matches!(Fact::RotatesBy(self.key.clone(), wanted).check(self.observed), Check::No(_));
        is_set.then_some(wanted.every)
    }

    /// Disables old versions that nobody has used for long enough, and says of the others what they wait for.
    pub(super) fn retire(&self, draft: &mut Draft) {
        let (Some(wait), Some(newest)) = (self.life.retire_after, self.seen.newest_enabled()) else { return };
        if self.life.enabled == Some(Enabled::No) || self.is_moved_to(draft) {
            return;
        }
        if self.hidden_account().is_some() {
            return;
        }
        if !self.seen.all_versions {
            let hidden = "which of its old versions can be retired".to_owned();
            return draft.hides(&self.resource(), "not all of its versions were read", hidden);
        }
        let older = self.seen.versions.iter().skip_while(|version| version.id != newest.id).skip(1);
        for version in older.filter(|version| version.enabled && !self.life.versions.contains_key(&version.id)) {
            let id = &version.id;
            match Fact::Retirable(self.key.clone(), id.clone(), wait).check(self.observed) {
                Check::Yes => {
                    self.propose_disabled(id, Some(wait), BTreeSet::new(), draft);
                }
                Check::No(why) | Check::Pending(why) => {
                    draft.note(&self.resource(), format!("version {id} stays enabled: {why}"));
                }
                Check::Unknown(why) => {
                    let hidden = format!("key {} version {id} is retired", self.key);
                    draft.hides(&self.resource(), &why, hidden);
                }
            }
        }
    }
}
