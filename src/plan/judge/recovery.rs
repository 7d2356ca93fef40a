//! The judge's own rules of what comes back: only what was seen to be deleted, where it was, and shown as that.

use super::super::types::Change;
use super::{Bench, absent, unless};
use crate::model::{KeyRef, Location, NameState, Seen, VaultId};

impl Bench<'_> {
    /// A vault comes back where it was: nothing stands in its place, and a deleted one holds its name.
    pub(super) fn vault_back(
        &self,
        id: &VaultId,
        location: &Location,
        tenant: &str,
        because: &[Change],
    ) -> Vec<String> {
        let deleted = match self.observed.vault_names.get(&id.name) {
            Some(Seen::Known(NameState::SoftDeleted(deleted))) => Some(deleted),
            _ => None,
        };
        let here = deleted.is_some_and(|deleted| {
            deleted.was.as_ref().is_none_or(|was| was == id)
                && deleted.location.as_ref().is_none_or(|at| at == location)
        });
        let trusts = self.observed.subscriptions.get(&id.group.subscription).and_then(Seen::known);
        [
            absent(self.observed.vaults.get(&id.name), "the vault"),
            self.group_stands(&id.group),
            unless(deleted.is_some(), "no deleted vault of this name was seen"),
            unless(here, "the deleted vault was in another place"),
            unless(trusts.is_some_and(|seen| seen.tenant == tenant), "it would trust another tenant than before"),
            return_is_shown(because),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// A key comes back in a vault that is there: what one holds that comes back itself, nobody has seen.
    pub(super) fn key_back(&self, vault: &VaultId, key: &KeyRef, because: &[Change]) -> Vec<String> {
        let deleted = self.observed.deleted_keys.get(key).and_then(Seen::known);
        [
            absent(self.observed.keys.get(key), "the key"),
            unless(key.vault == vault.name && self.vault(&vault.name).is_some(), "its vault was not seen"),
            unless(deleted.is_some(), "no deleted key of this name was seen"),
            unless(deleted.is_none_or(|seen| !seen.of_certificate), "it belongs to a certificate"),
            return_is_shown(because),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn return_is_shown(because: &[Change]) -> Option<String> {
    let shown = because.iter().any(|change| change.path == "state" && change.before.is_some());
    unless(shown, "it brings something back that was deleted, and the plan does not show that")
}
