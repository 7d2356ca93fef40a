//! The judge's own rules of audit logs: what is sent anew is asked for, and what is no longer sent is said.

use super::super::risk::RiskClass;
use super::{Bench, unless};
use crate::model::audit::{OUR_SETTING, SeenSetting, Sink};
use crate::model::{Seen, VaultId};
use std::collections::BTreeSet;

impl Bench<'_> {
    fn our_setting(&self, vault: &VaultId) -> Option<&SeenSetting> {
        let all = self.observed.audits.get(&vault.name).and_then(Seen::known)?;
        all.iter().find(|one| one.name.eq_ignore_ascii_case(OUR_SETTING))
    }

    /// A setting is replaced as a whole, so the one that is there has to have been seen.
    pub(super) fn audit_sent(&self, vault: &VaultId, wanted: &BTreeSet<Sink>, sinks: &BTreeSet<Sink>) -> Vec<String> {
        let seen = self.observed.audits.get(&vault.name).and_then(Seen::known).is_some();
        let before = self.our_setting(vault).map(|one| &one.sinks);
        let is_fair = |sink: &Sink| wanted.contains(sink) || before.is_some_and(|before| before.contains(sink));
        [
            self.vault_stands(vault),
            unless(seen || self.vault(&vault.name).is_none(), "its diagnostic settings were not seen"),
            unless(sinks.iter().all(is_fair), "it sends the audit log where nobody asked for it"),
            unless(!sinks.is_empty(), "it sends the audit log nowhere"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// A place that the setting no longer sends to, and one whose readers learn what they did not know.
    pub(super) fn audit_moved(&self, vault: &VaultId, sinks: &BTreeSet<Sink>) -> Vec<(RiskClass, String)> {
        let ours = self.our_setting(vault);
        let lost = ours.is_some_and(|one| !one.sinks.is_subset(sinks));
        let tells = ours.is_none_or(|one| !one.audits() || !sinks.is_subset(&one.sinks));
        let due = [lost.then_some(RiskClass::ProtectionLowered), tells.then_some(RiskClass::AccessChange)];
        due.into_iter().flatten().map(|class| (class, format!("vault/{}", vault.name))).collect()
    }
}
