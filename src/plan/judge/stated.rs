//! Whether a step says how grave it is: the judge's own rules of risk, from what was seen and the action alone.

use super::super::action::Action;
use super::super::risk::{Consent, RiskClass};
use super::super::types::Step;
use super::{Bench, is_host, unless};
use crate::model::{Binding, Seen, Who};

impl Bench<'_> {
    /// What a step does not say of itself, or claims that the spec or nobody has to say yes to.
    pub(super) fn unstated(&self, step: &Step) -> Vec<String> {
        let due = self.due(&step.action);
        let mut harms: Vec<String> = vec![];
        for (class, object) in &due {
            let stated =
                step.risks.iter().find(|risk| risk.class == *class && risk.object.eq_ignore_ascii_case(object));
            let what = format!("it does not say that it is {class} for {object}");
            harms.extend(unless(stated.is_some(), what));
            let is_fair = stated.is_none_or(|risk| risk.consent >= least_consent(*class, &step.action));
            harms.extend(unless(is_fair, format!("it asks nobody who may decide about {class} of {object}")));
        }
        harms
    }

    /// The accounts that a grant gives access back to: those that read as this identity and no longer may.
    fn reopened(&self, who: &Who, vault: &crate::model::VaultName) -> Vec<(RiskClass, String)> {
        let Some(vault) = self.vault(vault) else { return vec![] };
        let by_it = |seen: &&crate::model::SeenAccount| {
            let held = seen.encryption.binding.as_ref().and_then(|one| one.user_assigned_identity.as_deref());
            match who {
                Who::System(account) => held.is_none() && seen.id.name == account.name,
                Who::User(id) => held.is_some_and(|held| held.eq_ignore_ascii_case(&id.to_string())),
            }
        };
        let seen: Vec<&crate::model::SeenAccount> = match who {
            Who::System(account) => self.account(account).into_iter().collect(),
            Who::User(_) => self.observed.accounts.values().filter_map(Seen::known).collect(),
        };
        let shut = seen.into_iter().filter(by_it).filter(|seen| self.is_closed(seen, vault));
        shut.map(|seen| (RiskClass::Reopening, format!("account/{}", seen.id.name))).collect()
    }

    fn due(&self, action: &Action) -> Vec<(RiskClass, String)> {
        match action {
            Action::MarkKey { key, version, marks, .. } => self.dated(key, version, marks),
            Action::ImportKey { key, .. } => vec![(RiskClass::CustodyChange, format!("key/{key}"))],
            Action::EnableVersion { key, .. } | Action::RecoverKey { key, .. } => {
                vec![(RiskClass::Reopening, format!("key/{key}"))]
            }
            Action::RecoverVault { id, .. } => vec![(RiskClass::Reopening, format!("vault/{}", id.name))],
            Action::DisableVersion { key, version, retired_after: None, leaving, .. } => {
                let mut due = self.shut_out(key, version, leaving);
                due.push((RiskClass::Unreadable, format!("key/{key}")));
                due
            }
            Action::DisableVersion { key, retired_after: Some(_), .. } => {
                vec![(RiskClass::AccessChange, format!("key/{key}"))]
            }
            Action::SetAudit { vault, sinks, .. } => self.audit_moved(vault, sinks),
            Action::CreateGroup { .. }
            | Action::SetRotation { .. }
            | Action::RotateKey { .. }
            | Action::CreateKey { .. }
            | Action::CreateIdentity { .. }
            | Action::CreateAccount { key: None, .. } => vec![],
            Action::CreateAccount { id, key: Some(_), .. } => {
                vec![(RiskClass::AccessChange, format!("account/{}", id.name))]
            }
            Action::SwitchIdentity { account, vault, key, who, .. } => {
                let object = format!("account/{}", account.name);
                let lost = self.scopes_shut(account, who, Some((vault, key)));
                let mut due = vec![(RiskClass::AccessChange, object.clone())];
                due.extend(lost.then_some((RiskClass::Unreadable, object)));
                due
            }
            Action::CreateVault { id, purge_protection: true, .. } | Action::ProtectVault { id } => {
                vec![(RiskClass::Irreversible, format!("vault/{}", id.name))]
            }
            Action::CreateVault { id, purge_protection: false, .. } => {
                vec![(RiskClass::ProtectionLowered, format!("vault/{}", id.name))]
            }
            Action::AttachIdentity { id, identity } => {
                let seen = self.account(id);
                let reached = seen.and_then(|seen| Some((seen, seen.encryption.binding.as_ref()?)));
                let lost = reached.is_some_and(|(seen, binding)| match &binding.user_assigned_identity {
                    None => identity.system && seen.identity.system_principal.is_none(),
                    // Of those that it gets, none is among those that it has.
                    Some(by) => {
                        let held = seen.identity.user_assigned.iter().any(|one| one.eq_ignore_ascii_case(by));
                        !held && identity.user.iter().any(|one| by.eq_ignore_ascii_case(&one.to_string()))
                    }
                });
                let object = format!("account/{}", id.name);
                lost.then_some((RiskClass::Reopening, object)).into_iter().collect()
            }
            Action::DetachIdentity { id, identity, .. } => {
                let object = format!("account/{}", id.name);
                let user = (!identity.user.is_empty()).then(|| (RiskClass::AccessChange, object.clone()));
                let own = identity.system.then_some((RiskClass::Irreversible, object));
                own.into_iter().chain(user).collect()
            }
            Action::Grant { who: who @ Who::System(account), vault, .. } => {
                let mut due = vec![(RiskClass::AccessChange, format!("account/{}", account.name))];
                due.extend(self.reopened(who, &vault.name));
                due
            }
            Action::Grant { who: who @ Who::User(identity), vault, .. } => {
                let mut due = vec![(RiskClass::AccessChange, format!("identity/{}", identity.name))];
                due.extend(self.reopened(who, &vault.name));
                due
            }
            Action::RevokeAccess { account, vault, .. } => {
                let object = format!("account/{}", account.name);
                let bound = self.account(account).and_then(|seen| seen.encryption.binding.as_ref());
                let closes = bound.zip(self.vault(&vault.name)).is_some_and(|(b, v)| is_host(v, &b.vault_host));
                vec![(if closes { RiskClass::Unreadable } else { RiskClass::AccessChange }, object)]
            }
            Action::LeaveKey { account, .. } => {
                let object = format!("account/{}", account.name);
                let lost = self.scopes_shut(account, &Who::System(account.clone()), None);
                let mut due = vec![(RiskClass::ProtectionLowered, object.clone())];
                due.extend(lost.then_some((RiskClass::Unreadable, object)));
                due
            }
            Action::SetEncryption { account, vault, key, who, .. } => {
                let object = format!("account/{}", account.name);
                let Some(seen) = self.account(account) else { return vec![] };
                let lost = self.scopes_shut(account, who, Some((vault, key)));
                let stays =
                    |binding: &Binding| self.vault(&vault.name).is_some_and(|seen| is_host(seen, &binding.vault_host));
                let class = match &seen.encryption.binding {
                    None => Some(RiskClass::AccessChange),
                    Some(binding) => (!stays(binding)).then_some(RiskClass::CustodyChange),
                };
                let lost = lost.then_some(RiskClass::Unreadable);
                class.into_iter().chain(lost).map(|class| (class, object.clone())).collect()
            }
        }
    }
}

/// Who at least has to say yes. That a new vault is protected, the spec has said itself.
fn least_consent(class: RiskClass, action: &Action) -> Consent {
    match class {
        RiskClass::None | RiskClass::AccessChange => Consent::Plan,
        RiskClass::Irreversible if matches!(action, Action::CreateVault { .. }) => Consent::Spec,
        RiskClass::Irreversible
        | RiskClass::ProtectionLowered
        | RiskClass::CustodyChange
        | RiskClass::Reopening
        | RiskClass::Unreadable => Consent::Operator,
    }
}
