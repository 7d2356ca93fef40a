//! Whether what came back was meant to, and came back as it was: S7, S14.

use super::diff::Change;
use super::honest::{Finding, Scene};

impl Scene<'_> {
    /// Whether a deleted thing is gone from its shelf because it is live again.
    pub(super) fn is_back(&self, path: &[&str]) -> bool {
        match path {
            ["deleted_vaults", vault] => self.before.vault(vault).is_none() && self.after.vault(vault).is_some(),
            ["vaults", vault, "deleted_keys", key] => self.after.key(vault, key).is_some(),
            _ => false,
        }
    }

    /// A vault that is live again; nothing when none of its name was deleted.
    pub(super) fn vault_back(&self, name: &str, change: &Change<'_>) -> Option<Vec<Finding>> {
        let deleted = self.before.census.thing("deleted_vaults", name)?;
        let wanted = self.desired.vaults.values().find(|vault| vault.id.name.as_str().eq_ignore_ascii_case(name));
        let asked = wanted.is_some_and(|vault| vault.recover);
        let mut was = deleted["vault"].clone();
        was["modified"] = change.after.map(|vault| vault["modified"].clone()).unwrap_or_default();
        let mut findings = self.came_back(&format!("vault {name}"), asked, Some(&was) == change.after);
        findings.push(self.looked(&format!("{}{}", self.sent.host, self.sent.path)));
        Some(findings)
    }

    /// A key that is live again; nothing when none of its name was deleted.
    pub(super) fn key_back(&self, vault: &str, key: &str, change: &Change<'_>) -> Option<Vec<Finding>> {
        let deleted = self.before.vault(vault)?["deleted_keys"].get(key)?;
        let is_it = |(of, _): &(crate::model::KeyRef, &crate::model::Key)| {
            of.vault.as_str().eq_ignore_ascii_case(vault) && of.name.as_str().eq_ignore_ascii_case(key)
        };
        let asked = self.desired.keys().find(is_it).is_some_and(|(_, wanted)| wanted.recover);
        let versions = change.after.map(|key| &key["versions"]);
        Some(self.came_back(&format!("key {vault}/{key}"), asked, Some(&deleted["key"]["versions"]) == versions))
    }

    fn came_back(&self, resource: &str, asked: bool, is_same: bool) -> Vec<Finding> {
        let mut findings = self.shown(resource, &["state"]);
        findings.push(("S14", self.notes.opens, format!("{resource} came back, and nobody had said yes to that")));
        findings.push(("S14", asked, format!("{resource} came back, which no spec asks for")));
        findings.push(("S7", is_same, format!("{resource} came back as another than it was")));
        findings
    }
}
