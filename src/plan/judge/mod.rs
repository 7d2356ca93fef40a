//! An independent second opinion on a plan: can any allowed order of its steps do harm?
//!
//! Shares no code with the planner, reads neither the table of effects nor the steps'
//! `needs` and `gives`, and checks every plan before it is applied. It asks of each
//! step what it would do to what was seen, and trusts only what was seen and what the
//! steps before it, by `after`, will have made. Two descriptions of the same thing by
//! two routes must agree; where they do not, the plan is not applied.

mod audit;
mod identities;
mod life;
mod own_key;
mod recovery;
mod stated;

use super::action::{Action, Binds, GrantBy};
use super::types::{Change, Plan, Step, StepId};
use crate::model::{
    AccountId, AccountName, Binding, GrantScope, Identities, IdentityId, KeyPermission, KeyRef, Observed,
    PermissionModel, Seen, SeenAccount, SeenKey, SeenVault, VaultId, VaultName, VersionRule, Who,
};
use std::collections::{BTreeSet, HashMap};

/// Why a plan must not be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The step that would do harm.
    pub step: StepId,
    /// What harm, and why.
    pub what: String,
}

/// Judges a plan against what was observed. An empty answer means that no allowed order of the steps was found to do harm.
pub fn judge(plan: &Plan, observed: &Observed) -> Vec<Breach> {
    let mut breaches = shape(plan);
    // Orders are only meaningful in a plan whose links are sound.
    if breaches.is_empty() {
        let by_id: HashMap<&StepId, &Step> = plan.steps.iter().map(|step| (&step.id, step)).collect();
        let shut = plan.steps.iter().filter_map(|step| match &step.action {
            Action::RevokeAccess { account, .. } => Some(&account.name),
            _ => None,
        });
        let shut: BTreeSet<&AccountName> = shut.collect();
        for step in &plan.steps {
            let before = Before::of(step, &by_id);
            let mut harms = Bench { observed, before: &before, shut: &shut }.harms(step);
            if let Action::DisableVersion { key, version, .. } = &step.action {
                harms.extend(life::at_odds(plan, key, version, observed));
            }
            if let Action::ImportKey { key, .. } = &step.action {
                harms.extend(own_key::at_odds(plan, key));
            }
            if let Action::DetachIdentity { id, identity, .. } = &step.action {
                harms.extend(identities::at_odds(plan, id, identity));
            }
            breaches.extend(harms.into_iter().map(|what| Breach { step: step.id.clone(), what }));
        }
    }
    breaches
}

/// The links between steps: unique names, and each step after steps that stand before it.
fn shape(plan: &Plan) -> Vec<Breach> {
    let mut breaches = vec![];
    let mut known: BTreeSet<&StepId> = BTreeSet::new();
    for step in &plan.steps {
        for id in step.after.iter().filter(|id| !known.contains(id)) {
            let what = format!("it goes after {id}, which does not stand before it");
            breaches.push(Breach { step: step.id.clone(), what });
        }
        if !known.insert(&step.id) {
            breaches.push(Breach { step: step.id.clone(), what: "two steps have its name".to_owned() });
        }
    }
    breaches
}

/// What will certainly have been done when a step begins: the actions of all steps before it, by their links.
struct Before<'a>(Vec<&'a Action>);

impl<'a> Before<'a> {
    fn of(step: &'a Step, by_id: &HashMap<&'a StepId, &'a Step>) -> Self {
        let mut reached: BTreeSet<&StepId> = BTreeSet::new();
        let mut open: Vec<&StepId> = step.after.iter().collect();
        while let Some(id) = open.pop() {
            if reached.insert(id) {
                open.extend(by_id.get(id).into_iter().flat_map(|step| &step.after));
            }
        }
        Self(reached.into_iter().filter_map(|id| by_id.get(id)).map(|step| &step.action).collect())
    }

    fn any(&self, is: impl Fn(&Action) -> bool) -> bool {
        self.0.iter().any(|action| is(action))
    }
}

/// One step, held against what was seen and what will have been done before it.
struct Bench<'a> {
    observed: &'a Observed,
    before: &'a Before<'a>,
    /// The accounts whose access this plan takes away.
    shut: &'a BTreeSet<&'a AccountName>,
}

/// Collects what is wrong where a condition does not hold.
fn unless(holds: bool, what: impl Into<String>) -> Option<String> {
    (!holds).then(|| what.into())
}

impl Bench<'_> {
    fn harms(&self, step: &Step) -> Vec<String> {
        let mut harms: Vec<String> = match &step.action {
            Action::CreateGroup { id, .. } => {
                absent(self.observed.groups.get(id), "the resource group").into_iter().collect()
            }
            Action::CreateVault { id, tenant, purge_protection, .. } => {
                self.vault_made(id, tenant, *purge_protection, &step.because)
            }
            Action::RecoverVault { id, location, tenant, .. } => self.vault_back(id, location, tenant, &step.because),
            Action::RecoverKey { vault, key } => self.key_back(vault, key, &step.because),
            Action::ProtectVault { id } => {
                [self.vault_stands(id), one_way_door_is_shown(&step.because)].into_iter().flatten().collect()
            }
            Action::SetAudit { vault, wanted, sinks, .. } => self.audit_sent(vault, wanted, sinks),
            Action::CreateKey { vault, key, .. } => {
                [absent(self.observed.keys.get(key), "the key"), self.vault_stands(vault)]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            Action::ImportKey { vault, key, create, thumbprint, marks: _ } => self
                .vault_stands(vault)
                .into_iter()
                .chain(self.imported(key, create, thumbprint, &step.because))
                .collect(),
            Action::MarkKey { vault, key, version, .. } => {
                self.vault_stands(vault).into_iter().chain(self.marked(key, version)).collect()
            }
            Action::SetRotation { vault, key, .. } => {
                self.vault_stands(vault).into_iter().chain(self.policy_set(key)).collect()
            }
            Action::RotateKey { vault, key, since } => {
                self.vault_stands(vault).into_iter().chain(self.rotated(key, since.0)).collect()
            }
            Action::EnableVersion { vault, key, version, .. } => {
                self.vault_stands(vault).into_iter().chain(self.opened(key, version)).collect()
            }
            Action::DisableVersion { vault, key, version, retired_after, leaving } => {
                let mut harms: Vec<String> = self.vault_stands(vault).into_iter().collect();
                harms.extend(self.shut(key, version, leaving));
                harms.extend(retired_after.iter().flat_map(|wait| self.retired(key, version, *wait)));
                harms
            }
            Action::CreateIdentity { id, .. } => {
                let is_absent = absent(self.observed.identities.get(id), "the identity");
                [is_absent, self.group_stands(&id.group)].into_iter().flatten().collect()
            }
            Action::CreateAccount { id, identity, key, .. } => self.account_made(id, identity, key.as_ref()),
            Action::AttachIdentity { id, identity } => self.attached(id, identity),
            Action::DetachIdentity { id, identity, keeps } => self.detached(id, identity, keeps),
            Action::Grant { who, vault, permissions, by, .. } => self.granted(who, vault, permissions, *by),
            Action::RevokeAccess { account, who, vault } => self.revoked(account, who, vault),
            Action::LeaveKey { account, .. } => self.left(account),
            Action::SetEncryption { account, vault, key, version, who, since, attach, .. } => {
                let has_identity = self.will_have_identity(account, who) || attach.of(account).any(|new| new == *who);
                let mut harms = self.bound(account, vault, key, version, who);
                harms.extend(unless(has_identity, "the account would have no identity to unwrap with"));
                harms.extend(self.comes_with_key(account, attach));
                let renewed = since.is_none() || self.will_be_renewed(key, version);
                harms.extend(unless(renewed, "no step before it makes the newer version that it pins"));
                harms
            }
            Action::SwitchIdentity { account, vault, key, version, who, .. } => {
                self.switched(account, vault, key, version, who)
            }
        };
        harms.extend(unless(!step.because.is_empty(), "it shows no change to the reader"));
        harms.extend(self.unstated(step));
        harms
    }

    fn account(&self, id: &AccountId) -> Option<&SeenAccount> {
        self.observed.accounts.get(&id.name).and_then(Seen::known)
    }

    fn vault(&self, name: &VaultName) -> Option<&SeenVault> {
        self.observed.vaults.get(name).and_then(Seen::known)
    }

    fn key(&self, key: &KeyRef) -> Option<&SeenKey> {
        self.observed.keys.get(key).and_then(Seen::known)
    }

    fn group_stands(&self, id: &crate::model::GroupId) -> Option<String> {
        let stands = matches!(self.observed.groups.get(id), Some(Seen::Known(_)));
        let made = self.before.any(|action| matches!(action, Action::CreateGroup { id: made, .. } if made == id));
        unless(stands || made, "its resource group is neither there nor made before it")
    }

    fn vault_stands(&self, id: &VaultId) -> Option<String> {
        let made = self.before.any(|action| matches!(action, Action::CreateVault { id: made, .. } if made == id));
        unless(self.vault(&id.name).is_some() || made, "its vault is neither there nor made before it")
    }

    fn vault_made(&self, id: &VaultId, tenant: &str, purge_protection: bool, because: &[Change]) -> Vec<String> {
        let trusts = self.observed.subscriptions.get(&id.group.subscription).and_then(Seen::known);
        [
            absent(self.observed.vaults.get(&id.name), "the vault"),
            self.group_stands(&id.group),
            unless(
                trusts.is_some_and(|seen| seen.tenant == tenant),
                "it would trust another tenant than its subscription's",
            ),
            if purge_protection { one_way_door_is_shown(because) } else { None },
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn account_made(&self, id: &AccountId, identity: &Identities, key: Option<&Binds>) -> Vec<String> {
        let is_absent = absent(self.observed.accounts.get(&id.name), "the account");
        let mut harms: Vec<String> = [is_absent, self.group_stands(&id.group)].into_iter().flatten().collect();
        harms.extend(identity.user.iter().filter_map(|user| self.identity_stands(user)));
        if let Some(Binds { vault, key, version, since, who, permissions: _ }) = key {
            let renewed = since.is_none() || self.will_be_renewed(key, version);
            harms.extend(unless(renewed, "no step before it makes the newer version that it pins"));
            let is_elder = matches!(who, Who::User(user) if identity.user.contains(user));
            harms.extend(unless(is_elder, "it would reach its key as an identity that has no access by then"));
            harms.extend(self.key_takes(vault, key, version, who));
        }
        harms
    }

    fn identity_stands(&self, id: &IdentityId) -> Option<String> {
        let stands = matches!(self.observed.identities.get(id), Some(Seen::Known(_)));
        let made = self.before.any(|action| matches!(action, Action::CreateIdentity { id: made, .. } if made == id));
        unless(stands || made, "an identity that it names is neither there nor made before it")
    }

    /// Azure changes the key of an account or the identity as which it reaches the key, and never both at once.
    fn switched(
        &self,
        account: &AccountId,
        vault: &VaultId,
        key: &KeyRef,
        version: &VersionRule,
        who: &Who,
    ) -> Vec<String> {
        let seen = self.account(account).and_then(|seen| seen.encryption.binding.as_ref());
        let of_it = |binding: &Binding| {
            let here = self.vault(&vault.name).is_some_and(|vault| is_host(vault, &binding.vault_host));
            here && binding.key.eq_ignore_ascii_case(key.name.as_str())
        };
        let moved = self.before.any(|action| match action {
            Action::SetEncryption { account: of, key: to, version: at, .. } => {
                of == account && to == key && at == version
            }
            _ => false,
        });
        let mut harms: Vec<String> = unless(
            moved || seen.is_some_and(of_it),
            "it would change the key and the identity at once, which Azure does not do",
        )
        .into_iter()
        .collect();
        harms.extend(unless(self.will_have_identity(account, who), "the account would not have the identity"));
        harms.extend(self.key_takes(vault, key, version, who));
        harms
    }

    /// What must hold of a key by the moment from which an account reads through it as an identity.
    fn key_takes(&self, vault: &VaultId, key: &KeyRef, version: &VersionRule, who: &Who) -> Vec<String> {
        [
            unless(key.vault == vault.name, "the key is of another vault"),
            self.vault_stands(vault),
            unless(self.will_be_protected(vault), "the vault would have no purge protection"),
            unless(self.will_be_usable(key, version), "the key would not be usable"),
            unless(self.will_unwrap(who, vault, key), "the account's identity could not unwrap with the key"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn granted(&self, who: &Who, vault: &VaultId, permissions: &BTreeSet<KeyPermission>, by: GrantBy) -> Vec<String> {
        let is = self.vault(&vault.name).map(|seen| seen.permission_model);
        let made = self.before.0.iter().find_map(|action| match action {
            Action::CreateVault { id, model, .. } if id == vault => Some(*model),
            _ => None,
        });
        let fits = match by {
            GrantBy::AccessPolicy => PermissionModel::AccessPolicies,
            GrantBy::Role(_) => PermissionModel::Rbac,
        };
        [
            self.vault_stands(vault),
            match who {
                Who::System(account) => {
                    let has = self.will_have_identity(account, who);
                    unless(has, "the account has no identity to grant anything to")
                }
                Who::User(identity) => self.identity_stands(identity),
            },
            unless(!permissions.is_empty(), "it grants nothing"),
            unless(is.or(made).is_none_or(|model| model == fits), "the vault takes no grants of this kind"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Azure unwraps once more with the key that is left.
    fn left(&self, account: &AccountId) -> Vec<String> {
        let seen = self.account(account);
        let binding = seen.and_then(|seen| seen.encryption.binding.as_ref());
        let vault = binding.and_then(|binding| {
            self.observed.vaults.values().filter_map(Seen::known).find(|v| is_host(v, &binding.vault_host))
        });
        let shut = seen.zip(vault).is_some_and(|(seen, vault)| self.is_closed(seen, vault));
        [
            unless(binding.is_some(), "its account is not bound to any key"),
            unless(!shut, "the account's identity could not unwrap with the key that it leaves"),
            binding.and_then(|former| self.move_fails(former)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// From the moment of this step the account reads through the new key, so all that takes must hold by then.
    fn bound(
        &self,
        account: &AccountId,
        vault: &VaultId,
        key: &KeyRef,
        version: &VersionRule,
        who: &Who,
    ) -> Vec<String> {
        let seen = self.account(account);
        let made = self.before.any(|action| matches!(action, Action::CreateAccount { id, .. } if id == account));
        let former = seen.and_then(|seen| seen.encryption.binding.as_ref());
        let by = |former: &Binding| match (who, &former.user_assigned_identity) {
            (Who::System(_), None) => true,
            (Who::User(id), Some(held)) => held.eq_ignore_ascii_case(&id.to_string()),
            (Who::System(_), Some(_)) | (Who::User(_), None) => false,
        };
        let mut harms: Vec<String> = [
            unless(seen.is_some() || made, "its account is neither there nor made before it"),
            unless(former.is_none_or(by), "it would change the key and the identity at once, which Azure does not do"),
            former.and_then(|former| self.move_fails(former)),
        ]
        .into_iter()
        .flatten()
        .collect();
        harms.extend(self.key_takes(vault, key, version, who));
        harms
    }

    fn will_be_protected(&self, vault: &VaultId) -> bool {
        self.vault(&vault.name).is_some_and(|seen| seen.purge_protection && seen.soft_delete)
            || self.before.any(|action| match action {
                Action::CreateVault { id, purge_protection, .. } => id == vault && *purge_protection,
                Action::ProtectVault { id } => id == vault,
                _ => false,
            })
    }

    fn will_unwrap(&self, who: &Who, vault: &VaultId, key: &KeyRef) -> bool {
        let has = self.principal(who).zip(self.vault(&vault.name));
        has.is_some_and(|(principal, vault)| may_unwrap(principal, vault, key.name.as_str()))
            || self.before.any(|action| match action {
                Action::Grant { who: to, vault: on, key: of, permissions, by } => {
                    let reaches = *by != GrantBy::Role(GrantScope::Key) || of == key;
                    to == who && on == vault && reaches && NEEDED.iter().all(|needed| permissions.contains(needed))
                }
                _ => false,
            })
    }

    fn principal(&self, who: &Who) -> Option<&str> {
        match who {
            Who::System(account) => self.account(account)?.identity.system_principal.as_deref(),
            Who::User(id) => Some(&self.observed.identities.get(id).and_then(Seen::known)?.principal),
        }
    }

    /// Whether an account is bound to a key of this vault and may no longer use it. What an identity may do that nobody
    /// looked at is not known, and not taken for nothing.
    fn is_closed(&self, account: &SeenAccount, vault: &SeenVault) -> bool {
        let Some(binding) = account.encryption.binding.as_ref().filter(|one| is_host(vault, &one.vault_host)) else {
            return false;
        };
        match &binding.user_assigned_identity {
            None => !account.identity.system_principal.as_ref().is_some_and(|one| may_unwrap(one, vault, &binding.key)),
            Some(held) => self
                .observed
                .identities
                .iter()
                .filter(|(id, _)| held.eq_ignore_ascii_case(&id.to_string()))
                .any(|(_, seen)| seen.known().is_some_and(|seen| !may_unwrap(&seen.principal, vault, &binding.key))),
        }
    }

    /// Azure unwraps once more with the former key. Where that key is in a vault that was seen, it must still work.
    fn move_fails(&self, former: &Binding) -> Option<String> {
        let vault = self.observed.vaults.values().filter_map(Seen::known).find(|v| is_host(v, &former.vault_host))?;
        let mine = |key: &&KeyRef| key.vault == vault.id.name && key.name.as_str().eq_ignore_ascii_case(&former.key);
        let name = self.observed.keys.keys().find(mine)?;
        let in_use = former.current.as_ref().or(former.version.as_ref())?;
        let version = self.key(name)?.versions.iter().find(|version| version.id == *in_use)?;
        unless(
            version.enabled || self.will_be_open(name, in_use),
            "the key that the account is bound to now is disabled, so Azure cannot move it",
        )
    }
}

/// What Storage cannot do without.
const NEEDED: [KeyPermission; 3] = [KeyPermission::Get, KeyPermission::WrapKey, KeyPermission::UnwrapKey];

fn may_unwrap(principal: &str, vault: &SeenVault, key: &str) -> bool {
    if vault.permission_model == PermissionModel::AccessPolicies {
        let held = |needed: &KeyPermission| vault.access_policies.iter().any(|entry| entry.allows(principal, *needed));
        return NEEDED.iter().all(held);
    }
    let path = format!("{}/keys/{key}", vault.id);
    let all = vault.role_assignments.as_ref().and_then(Seen::known).into_iter().flatten();
    all.into_iter().any(|one| one.lets_unwrap(principal, &path))
}

fn is_host(vault: &SeenVault, host: &str) -> bool {
    vault.host.eq_ignore_ascii_case(host)
}

/// Nothing is made that is there, or of which nobody knows whether it is.
fn absent<T>(seen: Option<&Seen<T>>, what: &str) -> Option<String> {
    match seen {
        Some(Seen::Absent) => None,
        Some(Seen::Known(_)) => Some(format!("{what} exists: making it again would replace what others made of it")),
        Some(Seen::Hidden(_)) => Some(format!("{what} could not be seen, so it may exist")),
        None => Some(format!("nobody looked whether {what} exists")),
    }
}

fn one_way_door_is_shown(because: &[Change]) -> Option<String> {
    let shown = because.iter().any(|change| matches!(change.path.as_str(), "purgeProtection" | "softDelete"));
    unless(shown, "it cannot be undone, and the plan does not show that")
}
