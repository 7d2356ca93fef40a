//! Audit logs of vaults: sent where the spec says by one diagnostic setting, beside whatever others have set.
//!
//! The settings of others are never changed. Where one of them sends the audit log to the same place, that is enough:
//! Azure takes no second one for it. What the spec does not speak of stays, in our own setting too.

use super::action::Action;
use super::draft::{Draft, changed};
use crate::model::audit::{OUR_SETTING, SETTINGS_MAX, SeenSetting, Sink, unserved};
use crate::model::{Desired, Fact, Observed, Seen, Vault};
use std::collections::BTreeSet;

pub(super) fn plan(desired: &Desired, observed: &Observed, draft: &mut Draft) {
    for (name, vault) in desired.vaults.iter().filter(|(_, vault)| !vault.audit.is_empty()) {
        if draft.recovered.has_vault(name) {
            continue;
        }
        match (observed.vaults.get(name), observed.audits.get(name)) {
            (Some(Seen::Known(_)), Some(Seen::Known(settings))) => existing(vault, settings, draft),
            (Some(Seen::Known(_)), Some(Seen::Hidden(reason))) => {
                let resource = format!("vault {name}");
                draft.hidden(&resource, reason);
                let fact = Fact::Audited(name.clone(), vault.audit.clone());
                draft.hides(&resource, &reason.what, fact.to_string());
            }
            (Some(Seen::Absent), _) if vault.create.is_some() => propose(vault, vault.audit.clone(), None, draft),
            _ => {}
        }
    }
}

fn existing(vault: &Vault, settings: &[SeenSetting], draft: &mut Draft) {
    if unserved(&vault.audit, settings).is_empty() {
        return;
    }
    let (ours, others): (Vec<&SeenSetting>, Vec<&SeenSetting>) = settings.iter().partition(|one| one.is_ours());
    let ours = ours.first().copied();
    let resource = format!("vault {}", vault.id.name);
    if ours.is_none() && settings.len() >= SETTINGS_MAX {
        let names: Vec<&str> = settings.iter().map(|one| one.name.as_str()).collect();
        return draft.refuse(
            "CMK276",
            &resource,
            format!("it has {} diagnostic settings, and Azure allows no more: {}", settings.len(), names.join(", ")),
            "have the owner of one of them send the category AuditEvent there too, or take one away",
        );
    }
    let by = |sink: &Sink| others.iter().find(|one| one.audits() && one.sinks.contains(sink));
    let mut sinks = ours.map(|one| one.sinks.clone()).unwrap_or_default();
    for sink in vault.audit.iter().filter(|sink| by(sink).is_none()) {
        sinks.retain(|held| held.kind() != sink.kind());
        sinks.insert(sink.clone());
    }
    if let Some((sink, other)) = sinks.iter().find_map(|sink| Some((sink, by(sink)?))) {
        return draft.refuse(
            "CMK277",
            &resource,
            format!(
                "its setting {OUR_SETTING} sends other logs to {sink}, and {} sends the audit log there: Azure takes it from one setting only",
                other.name
            ),
            format!("take that place out of {OUR_SETTING}, or the category AuditEvent out of {}", other.name),
        );
    }
    propose(vault, sinks, ours, draft);
}

fn propose(vault: &Vault, sinks: BTreeSet<Sink>, ours: Option<&SeenSetting>, draft: &mut Draft) {
    let resource = format!("vault {}", vault.id.name);
    let (before, audits) = ours.map(|one| (one.sinks.clone(), one.audits())).unwrap_or_default();
    let new = sinks.iter().filter(|sink| !audits || !before.contains(sink));
    let because = new.map(|sink| {
        let held = before.iter().find(|held| audits && held.kind() == sink.kind());
        changed(&resource, &format!("audit.{}", sink.kind()), held.map(ToString::to_string), sink.to_string())
    });
    let because = because.collect();
    let loses = before.difference(&sinks).cloned().collect();
    let (id, wanted) = (vault.id.clone(), vault.audit.clone());
    draft.propose(Action::SetAudit { vault: id, wanted, sinks, loses }, because);
}
