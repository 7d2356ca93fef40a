//! Versions that are to be usable, and versions that are not.

use super::super::action::{Action, Former};
use super::super::draft::{Draft, changed};
use super::Room;
use crate::model::key::in_date;
use crate::model::{AccountName, Enabled, KeyVersion, Period, Seen, Version};
use std::collections::{BTreeMap, BTreeSet};

impl Room<'_> {
    /// Enables the versions that are to be usable.
    pub(super) fn open(&self, draft: &mut Draft) {
        for (id, enabled) in self.wanted() {
            match self.seen.version(&id) {
                Some(version) if enabled && !version.enabled => self.enable(version, draft),
                Some(_) => {}
                None if self.seen.all_versions => draft.refuse(
                    "CMK261",
                    &self.resource(),
                    format!("it has no version {id}"),
                    "correct the version under `versions`, or remove the line",
                ),
                None => self.unlisted(draft),
            }
        }
        if self.life.enabled == Some(Enabled::No) && !self.seen.all_versions {
            self.unlisted(draft);
        }
    }

    /// Disables the versions that are not to be usable.
    pub(super) fn shut(&self, draft: &mut Draft) {
        for id in self.wanted().into_iter().filter(|(_, enabled)| !enabled).map(|(id, _)| id) {
            if self.seen.version(&id).is_some_and(|version| version.enabled) {
                self.disable(&id, draft);
            }
        }
    }

    /// Which versions are to be usable and which are not, of those that the spec speaks of. One that it names goes by
    /// what is said of it.
    fn wanted(&self) -> BTreeMap<Version, bool> {
        let of_key: Vec<(Version, bool)> = match self.life.enabled {
            None => vec![],
            Some(Enabled::Yes) => self.seen.current().into_iter().map(|version| (version.id.clone(), true)).collect(),
            Some(Enabled::No) => self.seen.versions.iter().map(|version| (version.id.clone(), false)).collect(),
            Some(Enabled::AsUsed) => self.in_use().into_iter().map(|version| (version, true)).collect(),
        };
        let named = self.life.versions.iter().map(|(version, enabled)| (version.clone(), *enabled));
        of_key.into_iter().chain(named).collect()
    }

    /// The versions that accounts of the spec are under now.
    fn in_use(&self) -> BTreeSet<Version> {
        let Some(vault) = self.observed.vaults.get(&self.vault.name).and_then(Seen::known) else {
            return BTreeSet::new();
        };
        let named = self.desired.accounts.keys().filter_map(|name| self.observed.accounts.get(name)?.known());
        let bindings = named.filter_map(|seen| seen.encryption.binding.as_ref());
        let here = bindings.filter(|binding| binding.is_to(self.key, vault));
        here.filter_map(|binding| binding.in_use().cloned()).collect()
    }

    fn unlisted(&self, draft: &mut Draft) {
        let hidden = "which of its versions can be used".to_owned();
        draft.hides(&self.resource(), "not all of its versions were read", hidden);
    }

    fn enable(&self, version: &KeyVersion, draft: &mut Draft) {
        let KeyVersion { id, created, not_before, expires, enabled: _, thumbprint: _ } = version;
        let in_date = in_date(*not_before, *expires, self.observed.at);
        // Accounts that are pinned to the newest version move to it, if it is that then.
        let newer = self.seen.versions.iter().take_while(|other| other.id != *id).any(|other| other.enabled);
        let newest = created.filter(|_| in_date && !newer);
        let change = changed(&self.resource(), &format!("versions[{id}].enabled"), Some("false".to_owned()), "true");
        let (vault, key) = (self.vault.clone(), self.key.clone());
        draft.propose(Action::EnableVersion { vault, key, version: id.clone(), in_date, newest }, vec![change]);
    }

    /// Nothing is closed as long as it could not be seen who is behind the door.
    fn disable(&self, id: &Version, draft: &mut Draft) {
        let Some(users) = self.observed.users.get(self.key) else { return };
        let hidden = format!("key {} version {id} is disabled", self.key);
        for unseen in &users.unseen {
            let why = format!("{}; {} would show it", unseen.why, unseen.permission);
            draft.hides(&unseen.what, &why, hidden.clone());
        }
        // It may be about to leave, and has to go first.
        if let Some((name, reason)) = self.hidden_account() {
            draft.hides(&format!("account {name}"), &reason.what, hidden);
            return;
        }
        if !users.unseen.is_empty() {
            return;
        }
        let leaving = self.leaving(id, draft);
        self.propose_disabled(id, None, leaving, draft);
    }

    /// The accounts that this plan takes off this version.
    fn leaving(&self, id: &Version, draft: &Draft) -> BTreeSet<AccountName> {
        let is_it = |former: &Former| former.key == *self.key && former.version == *id && former.left;
        let all = draft.proposals.iter().filter_map(|(action, _)| match action {
            Action::SetEncryption { account, former: Some(former), .. }
            | Action::LeaveKey { account, former: Some(former), .. }
                if is_it(former) =>
            {
                Some(account.name.clone())
            }
            _ => None,
        });
        all.collect()
    }

    pub(super) fn propose_disabled(
        &self,
        id: &Version,
        retired_after: Option<Period>,
        leaving: BTreeSet<AccountName>,
        draft: &mut Draft,
    ) {
        let change = changed(&self.resource(), &format!("versions[{id}].enabled"), Some("true".to_owned()), "false");
        let (vault, key, version) = (self.vault.clone(), self.key.clone(), id.clone());
        draft.propose(Action::DisableVersion { vault, key, version, retired_after, leaving }, vec![change]);
    }
}
