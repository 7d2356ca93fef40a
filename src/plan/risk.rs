//! What a reviewer should know about a step before agreeing to it, and who has to say yes.
//!
//! The rules here are the planner's. The judge has rules of its own (`judge/stated.rs`) and rejects a plan that
//! says less than they do.

use super::action::{Action, GrantBy};
use crate::model::audit::{OUR_SETTING, Sink};
use crate::model::key::in_date;
use crate::model::{
    AccountId, AccountName, Binding, GrantScope, Identities, KeyPermission, KeyRef, Marks, MayUse, Observed,
    PermissionModel, Seen, SeenAccount, VaultId, Version, Who,
};
use std::collections::BTreeSet;
use std::fmt;

/// The kinds of risk. The later, the graver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum RiskClass {
    /// Nothing of note.
    #[default]
    None,
    /// Who may use a key changes, or on whose key data depends.
    AccessChange,
    /// It cannot be undone.
    Irreversible,
    /// Something that guards data or keys is given up or never put up.
    ProtectionLowered,
    /// Another vault, tenant or subscription holds the key that data depends on, or somebody outside of Azure does.
    CustodyChange,
    /// Something that was revoked, disabled, deleted or let expire comes back.
    Reopening,
    /// Data that can be read could not be read afterwards.
    Unreadable,
}

impl RiskClass {
    /// All that have a code, the least grave first.
    pub const ALL: [Self; 6] = [
        Self::AccessChange,
        Self::Irreversible,
        Self::ProtectionLowered,
        Self::CustodyChange,
        Self::Reopening,
        Self::Unreadable,
    ];

    /// The name used in documents: `accessChange`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::AccessChange => "accessChange",
            Self::Irreversible => "irreversible",
            Self::ProtectionLowered => "protectionLowered",
            Self::CustodyChange => "custodyChange",
            Self::Reopening => "reopening",
            Self::Unreadable => "couldBecomeUnreadable",
        }
    }

    /// Its code, in the list of codes; `none` has none.
    pub fn code(self) -> Option<&'static str> {
        Some(match self {
            Self::None => return None,
            Self::AccessChange => "CMK401",
            Self::Irreversible => "CMK402",
            Self::ProtectionLowered => "CMK403",
            Self::CustodyChange => "CMK404",
            Self::Reopening => "CMK405",
            Self::Unreadable => "CMK406",
        })
    }

    /// The class with this code, in any case.
    pub fn by_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.code().is_some_and(|own| own.eq_ignore_ascii_case(code)))
    }

    /// The class with this name in documents.
    pub fn by_name(name: &str) -> Option<Self> {
        std::iter::once(Self::None).chain(Self::ALL).find(|class| class.as_str() == name)
    }
}

impl fmt::Display for RiskClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One risk of a step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Risk {
    /// Its kind.
    pub class: RiskClass,
    /// What is at risk, as an acknowledgement names it: `account/stbilling`, `vault/kv-prod`.
    pub object: String,
    /// What would happen, with names.
    pub why: String,
    /// Who has to say yes.
    pub consent: Consent,
}

/// Who has to say yes to a risk before it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Consent {
    /// Whoever says yes to the plan.
    Plan,
    /// The spec, which has done so.
    Spec,
    /// The operator, by name, or by approving this very plan.
    Operator,
}

impl Consent {
    /// The name used in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Spec => "spec",
            Self::Operator => "operator",
        }
    }
}

/// What can be said of an action, the gravest first.
pub(super) fn risks(action: &Action, observed: &Observed) -> Vec<Risk> {
    let mut risks = Rules { observed }.of(action);
    risks.sort_by(|a, b| b.class.cmp(&a.class).then_with(|| a.object.cmp(&b.object)));
    risks
}

struct Rules<'a> {
    observed: &'a Observed,
}

impl Rules<'_> {
    fn of(&self, action: &Action) -> Vec<Risk> {
        match action {
            Action::MarkKey { key: of, version, marks, .. } => self.marks(of, version, marks),
            Action::ImportKey { key: of, thumbprint, .. } => {
                let why = format!(
                    "its material comes from outside: whoever has a copy of {thumbprint} can unwrap the keys of the data under it"
                );
                vec![risk(RiskClass::CustodyChange, key(of), why, Consent::Operator)]
            }
            Action::EnableVersion { key: of, version, .. } => {
                let why = format!("version {version} can be used again, after somebody disabled it");
                vec![risk(RiskClass::Reopening, key(of), why, Consent::Operator)]
            }
            Action::DisableVersion { key: of, version, retired_after: None, leaving, .. } => {
                self.closing(of, version, leaving)
            }
            Action::DisableVersion { key: of, version, retired_after: Some(_), .. } => {
                let why = format!(
                    "version {version} can be used for nothing any more; of what is not storage, nobody saw whether it is used"
                );
                vec![risk(RiskClass::AccessChange, key(of), why, Consent::Plan)]
            }
            Action::RecoverVault { id, .. } => {
                let why = format!(
                    "it comes back with its keys and access policies, after somebody deleted it{}",
                    self.read_again(action)
                );
                vec![risk(RiskClass::Reopening, vault(id), why, Consent::Operator)]
            }
            Action::RecoverKey { key: of, .. } => {
                let why = format!(
                    "it comes back with all its versions, after somebody deleted it{}",
                    self.read_again(action)
                );
                vec![risk(RiskClass::Reopening, key(of), why, Consent::Operator)]
            }
            Action::SetAudit { vault: id, sinks, loses, .. } => {
                let lost = |sink: &Sink| {
                    let why = format!("its audit log no longer goes to {sink} by the setting {OUR_SETTING}");
                    risk(RiskClass::ProtectionLowered, vault(id), why, Consent::Operator)
                };
                let seen = self.observed.audits.get(&id.name).and_then(Seen::known).into_iter().flatten();
                let before: BTreeSet<&Sink> =
                    seen.filter(|one| one.is_ours() && one.audits()).flat_map(|one| &one.sinks).collect();
                let shown = |sink: &Sink| {
                    let why = format!("whoever reads {sink} learns who does what with its keys");
                    risk(RiskClass::AccessChange, vault(id), why, Consent::Plan)
                };
                let new = sinks.iter().filter(|sink| !before.contains(sink)).map(shown);
                loses.iter().map(lost).chain(new).collect()
            }
            Action::CreateGroup { .. }
            | Action::SetRotation { .. }
            | Action::RotateKey { .. }
            | Action::CreateKey { .. }
            | Action::CreateIdentity { .. }
            | Action::CreateAccount { key: None, .. } => vec![],
            Action::CreateAccount { id, key: Some(binds), .. } => vec![depends(id, &binds.key)],
            Action::CreateVault { id, purge_protection: true, .. } => {
                vec![risk(RiskClass::Irreversible, vault(id), PROTECTED_FOR_GOOD, Consent::Spec)]
            }
            Action::CreateVault { id, purge_protection: false, .. } => {
                let why = "it is made without purge protection: whoever may purge it can destroy its keys at once";
                vec![risk(RiskClass::ProtectionLowered, vault(id), why, Consent::Operator)]
            }
            Action::ProtectVault { id } => {
                vec![risk(RiskClass::Irreversible, vault(id), PROTECTED_FOR_GOOD, Consent::Operator)]
            }
            Action::AttachIdentity { id, identity } => {
                let why = self.account(&id.name).and_then(|seen| returns(seen, identity));
                let risk = why.map(|why| risk(RiskClass::Reopening, account(&id.name), why, Consent::Operator));
                risk.into_iter().collect()
            }
            Action::DetachIdentity { id, identity, keeps: _ } => loses(id, identity),
            Action::Grant { who, vault: on, key, by, .. } => self.grant(who, on, key, *by),
            Action::RevokeAccess { account: id, who: _, vault } => self.revocation(id, vault),
            Action::LeaveKey { account: id, .. } => {
                let why =
                    "its data is protected by a key that Microsoft manages from then on, which nobody here can revoke";
                let mut risks = vec![risk(RiskClass::ProtectionLowered, account(&id.name), why, Consent::Operator)];
                risks.extend(self.scopes_lost(id, &Who::System(id.clone()), None));
                risks
            }
            Action::SetEncryption { account: id, vault: to, key, who, .. } => {
                let mut risks = self.encryption(id, to, key);
                risks.extend(self.scopes_lost(id, who, Some((to, key))));
                risks
            }
            Action::SwitchIdentity { account: id, vault, key, from, who, .. } => {
                let why = format!("its data is read as {who} instead of {from} from then on");
                let mut risks = vec![risk(RiskClass::AccessChange, account(&id.name), why, Consent::Plan)];
                risks.extend(self.scopes_lost(id, who, Some((vault, key))));
                risks
            }
        }
    }

    /// The accounts whose data is within reach again, for the end of a sentence.
    fn read_again(&self, action: &Action) -> String {
        let names: Vec<String> =
            super::review::bound_to(action, self.observed).iter().map(ToString::to_string).collect();
        if names.is_empty() { String::new() } else { format!("; bound to it: {}", names.join(", ")) }
    }

    /// Dates take a version out of use, or bring it back.
    fn marks(&self, of: &KeyRef, version: &Version, marks: &Marks) -> Vec<Risk> {
        let seen = self.observed.keys.get(of).and_then(Seen::known).and_then(|seen| seen.version(version));
        let Some(seen) = seen else { return vec![] };
        let now = self.observed.at;
        let is = in_date(seen.not_before, seen.expires, now);
        let will = in_date(marks.not_before.or(seen.not_before), marks.expires.or(seen.expires), now);
        match (is, will) {
            (false, true) => {
                let why = format!("version {version} is out of date, and is in date again from then on");
                vec![risk(RiskClass::Reopening, key(of), why, Consent::Operator)]
            }
            (true, false) => {
                let why = format!(
                    "version {version} is out of date from then on: who is under it still reads, and nobody can be bound to it"
                );
                vec![risk(RiskClass::AccessChange, key(of), why, Consent::Plan)]
            }
            (true, true) | (false, false) => vec![],
        }
    }

    /// To disable a version puts everybody's data out of reach that is under it, and that of others whom nobody saw.
    fn closing(&self, of: &KeyRef, version: &Version, leaving: &BTreeSet<AccountName>) -> Vec<Risk> {
        let why = "disks, databases and others that are no storage accounts may use it too, and were not seen";
        let mut risks = vec![risk(RiskClass::Unreadable, key(of), why, Consent::Operator)];
        let users = self.observed.users.get(of).map_or(&[][..], |seen| seen.users.as_slice());
        let under = users.iter().filter(|user| user.may_use(version) && !leaving.contains(&user.account.name));
        for user in under {
            let why = format!("{user} is under version {version}: its data can no longer be read or written");
            risks.push(risk(RiskClass::Unreadable, account(&user.account.name), why, Consent::Operator));
        }
        risks
    }

    /// The accounts that were seen and may be concerned by what an identity may do.
    fn accounts(&self, who: &Who) -> Box<dyn Iterator<Item = &SeenAccount> + '_> {
        match who {
            Who::System(id) => Box::new(self.account(&id.name).into_iter()),
            Who::User(id) => {
                let id = Who::User(id.clone());
                let seen = self.observed.accounts.values().filter_map(Seen::known);
                Box::new(seen.filter(move |seen| seen.encryption.binding.as_ref().is_some_and(|one| one.is_by(&id))))
            }
        }
    }

    fn account(&self, name: &AccountName) -> Option<&SeenAccount> {
        self.observed.accounts.get(name).and_then(Seen::known)
    }

    fn grant(&self, who: &Who, on: &VaultId, key: &KeyRef, by: GrantBy) -> Vec<Risk> {
        let why = match by {
            GrantBy::Role(GrantScope::Key) => format!("its identity gains access to key {key}"),
            GrantBy::AccessPolicy | GrantBy::Role(GrantScope::Vault) => {
                format!("its identity gains access to every key of vault {}", on.name)
            }
        };
        let object = match who {
            Who::System(id) => account(&id.name),
            Who::User(id) => format!("identity/{}", id.name),
        };
        let mut risks = vec![risk(RiskClass::AccessChange, object, why, Consent::Plan)];
        // Of a shared identity, every account that reads as it is opened again.
        risks.extend(self.accounts(who).filter_map(|seen| {
            let why = self.reopens(seen, who, on)?;
            Some(risk(RiskClass::Reopening, account(&seen.id.name), why, Consent::Operator))
        }));
        risks
    }

    /// Taking access away closes an account that is bound to a key of the vault; of another it takes only the entry.
    fn revocation(&self, id: &AccountId, vault: &VaultId) -> Vec<Risk> {
        let binding = self.account(&id.name).and_then(|seen| seen.encryption.binding.as_ref());
        if !binding.is_some_and(|binding| self.is_in(binding, vault)) {
            let why = format!("its identity loses its access to vault {}", vault.name);
            return vec![risk(RiskClass::AccessChange, account(&id.name), why, Consent::Plan)];
        }
        let why = format!("its data can no longer be read or written once its access to vault {} is gone", vault.name);
        let mut risks = vec![risk(RiskClass::Unreadable, account(&id.name), why, Consent::Operator)];
        let Some(found) = self.observed.vault_users.get(&vault.name) else { return risks };
        let scopes = found.users.iter().filter(|user| user.account == *id).filter_map(|user| user.scope.as_ref());
        risks.extend(scopes.map(|scope| {
            let why = format!("nor can what is in its encryption scope {scope}");
            risk(RiskClass::Unreadable, account(&id.name), why, Consent::Operator)
        }));
        risks
    }

    /// Why a grant would give back what somebody took away, if it would: an account that is bound to a key of the
    /// vault had access to it once.
    fn reopens(&self, seen: &SeenAccount, who: &Who, on: &VaultId) -> Option<String> {
        let vault = self.observed.vaults.get(&on.name).and_then(Seen::known)?;
        let binding = seen.encryption.binding.as_ref()?;
        let is_bound_here = binding.is_by(who) && binding.vault_host.eq_ignore_ascii_case(&vault.host);
        let Some(principal) = who.principal(self.observed) else {
            return is_bound_here
                .then(|| "it is bound to a key, but the identity that had access was removed".to_owned());
        };
        let lacks = match vault.lets(principal, Some(&binding.key), &KeyPermission::needed()) {
            MayUse::Yes => false,
            // What cannot be seen is not granted either; the planner has said so.
            MayUse::No(_) | MayUse::Unknown(_) => true,
        };
        (is_bound_here && lacks).then(|| {
            format!(
                "it is bound to a key of vault {}, but its identity {principal} no longer has access: it was taken away, or the identity was removed and made anew",
                on.name
            )
        })
    }

    fn encryption(&self, id: &AccountId, to: &VaultId, key: &KeyRef) -> Vec<Risk> {
        let binding = self.account(&id.name).and_then(|seen| seen.encryption.binding.as_ref());
        let Some(binding) = binding else {
            return vec![depends(id, key)];
        };
        if self.is_in(binding, to) {
            let other = !binding.key.eq_ignore_ascii_case(key.name.as_str());
            let why = format!("its data depends on key {key} instead of {} from then on", binding.key);
            return other
                .then(|| risk(RiskClass::AccessChange, account(&id.name), why, Consent::Plan))
                .into_iter()
                .collect();
        }
        let why = format!("its key is held by {} now, and by vault {} from then on", binding.vault_host, to.name);
        vec![risk(RiskClass::CustodyChange, account(&id.name), why, Consent::Operator)]
    }

    /// The encryption scopes that would be read as another identity, which is not known to be let at their keys. That it is
    /// let at one key, with all of its vault where access policies decide, the step has seen to.
    fn scopes_lost(&self, id: &AccountId, reader: &Who, let_at: Option<(&VaultId, &KeyRef)>) -> Vec<Risk> {
        let Some(seen) = self.account(&id.name) else { return vec![] };
        if seen.scopes_reach_as().as_ref() == Some(reader) {
            return vec![];
        }
        let scopes = self.observed.scopes.get(&id.name).and_then(Seen::known).into_iter().flatten();
        let under = scopes.filter_map(|scope| Some((&scope.name, scope.key.as_ref()?)));
        let lost = under.filter(|(_, (host, key))| !self.may_read(reader, host, key, let_at));
        lost.map(|(scope, (host, key))| {
            let why = format!(
                "its encryption scope {scope} is under {host}/{key} and is read as {reader} from then on, of which nobody saw that it may use that key"
            );
            risk(RiskClass::Unreadable, account(&id.name), why, Consent::Operator)
        })
        .collect()
    }

    fn may_read(&self, reader: &Who, host: &str, key: &str, let_at: Option<(&VaultId, &KeyRef)>) -> bool {
        let mut seen = self.observed.vaults.values().filter_map(Seen::known);
        let Some(vault) = seen.find(|vault| vault.host.eq_ignore_ascii_case(host)) else { return false };
        let by_step = let_at.is_some_and(|(on, at)| {
            let reaches_all = vault.permission_model == PermissionModel::AccessPolicies;
            vault.id.name == on.name && (reaches_all || at.name.as_str().eq_ignore_ascii_case(key))
        });
        let lets = |principal: &str| matches!(vault.lets(principal, Some(key), &KeyPermission::needed()), MayUse::Yes);
        by_step || reader.principal(self.observed).is_some_and(lets)
    }

    fn is_in(&self, binding: &Binding, vault: &VaultId) -> bool {
        let seen = self.observed.vaults.get(&vault.name).and_then(Seen::known);
        seen.is_some_and(|seen| seen.host.eq_ignore_ascii_case(&binding.vault_host))
    }
}

const PROTECTED_FOR_GOOD: &str = "purge protection stays on for good";

/// Why an identity would give an account back what somebody took from it: it reaches its key as that one, and no longer has it.
fn returns(seen: &SeenAccount, new: &Identities) -> Option<&'static str> {
    let is = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    match &seen.encryption.binding.as_ref()?.user_assigned_identity {
        None => (new.system && seen.identity.system_principal.is_none()).then_some(
            "it is bound to a key and lost the identity with which it reached it; a new one is the first step to letting it read again",
        ),
        Some(by) => {
            let has = seen.identity.user_assigned.iter().any(|held| is(held, by));
            let gets = new.user.iter().any(|user| is(&user.to_string(), by));
            (!has && gets).then_some("it reaches its key as an identity that somebody took from it, and gets it back")
        }
    }
}

/// What taking identities from an account means. Its own is gone for good; a user-assigned one stays where it is.
fn loses(id: &AccountId, gone: &Identities) -> Vec<Risk> {
    let own = gone.system.then(|| {
        let why = "its own identity is gone for good, and so is whatever it was allowed anywhere: a new one is somebody else to Azure";
        risk(RiskClass::Irreversible, account(&id.name), why, Consent::Operator)
    });
    let user = gone.user.iter().map(|user| {
        let why = format!("it can no longer act as the identity {}, whatever that is allowed", user.name);
        risk(RiskClass::AccessChange, account(&id.name), why, Consent::Plan)
    });
    own.into_iter().chain(user).collect()
}

fn depends(id: &AccountId, key: &KeyRef) -> Risk {
    let why = format!("its data depends on key {key} from then on, and on who holds it");
    risk(RiskClass::AccessChange, account(&id.name), why, Consent::Plan)
}

fn risk(class: RiskClass, object: String, why: impl Into<String>, consent: Consent) -> Risk {
    Risk { class, object, why: why.into(), consent }
}

fn key(key: &KeyRef) -> String {
    format!("key/{key}")
}

fn vault(id: &VaultId) -> String {
    format!("vault/{}", id.name)
}

fn account(name: &AccountName) -> String {
    format!("account/{name}")
}
