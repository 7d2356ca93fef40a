//! Who gains or loses access to keys, and who has it already.

use super::super::action::{Action, Binds, GrantBy};
use super::super::types::{Step, StepId};
use super::Radius;
use crate::model::{
    AccountName, GrantScope, KeyPermission, Observed, PermissionModel, RoleAssignment, Seen, SeenVault, VaultName, Who,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A change of who may do what with which keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessChange {
    /// The step that makes it.
    pub step: StepId,
    /// Whether access is gained or lost.
    pub gains: bool,
    /// Whose access: "the system-assigned identity of account st1".
    pub who: String,
    /// Its principal id; nothing when Azure chooses it in this very plan.
    pub principal: Option<String>,
    /// What it may do, in Key Vault's words.
    pub permissions: Vec<String>,
    /// By what: "access policy".
    pub by: &'static str,
    /// On what: "every key of vault kv1".
    pub scope: String,
    /// What of it is more than storage needs.
    pub more_than_needed: Vec<String>,
}

/// Somebody who has access to keys of a vault that the plan touches, and is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// The vault.
    pub vault: VaultName,
    /// Their principal id.
    pub principal: String,
    /// The account of the spec whose identity it is, when it is one.
    pub account: Option<AccountName>,
    /// What they may do with keys, in Key Vault's words, or the roles with which they do it and where they hold those.
    pub permissions: Vec<String>,
}

pub(super) fn changes(steps: &[Step], observed: &Observed) -> Vec<AccessChange> {
    steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::Grant { who, vault, key, permissions, by } => {
                let principal = who.principal(observed).map(str::to_owned);
                let needed = KeyPermission::needed();
                let more =
                    permissions.iter().filter(|one| !needed.contains(one)).map(|one| format!("permission {one}"));
                Some(AccessChange {
                    step: step.id.clone(),
                    gains: true,
                    who: who.to_string(),
                    principal,
                    permissions: permissions.iter().map(ToString::to_string).collect(),
                    by: by_what(*by),
                    scope: match by {
                        GrantBy::Role(GrantScope::Key) => format!("key {key}"),
                        GrantBy::AccessPolicy | GrantBy::Role(GrantScope::Vault) => {
                            format!("every key of vault {}", vault.name)
                        }
                    },
                    more_than_needed: more.collect(),
                })
            }
            Action::RevokeAccess { account: _, who, vault } => {
                let held = held(who, &vault.name, observed);
                let seen = observed.vaults.get(&vault.name).and_then(Seen::known);
                let by_role = seen.is_some_and(|vault| vault.permission_model == PermissionModel::Rbac);
                Some(AccessChange {
                    step: step.id.clone(),
                    gains: false,
                    who: who.to_string(),
                    principal: who.principal(observed).map(str::to_owned),
                    permissions: held,
                    by: by_what(if by_role { GrantBy::Role(GrantScope::Vault) } else { GrantBy::AccessPolicy }),
                    scope: format!("every key of vault {}", vault.name),
                    more_than_needed: vec![],
                })
            }
            _ => None,
        })
        .collect()
}

fn by_what(by: GrantBy) -> &'static str {
    match by {
        GrantBy::AccessPolicy => "access policy",
        GrantBy::Role(_) => "role Key Vault Crypto Service Encryption User",
    }
}

/// What an identity may do with a vault's keys, in Key Vault's words.
fn held(who: &Who, vault: &VaultName, observed: &Observed) -> Vec<String> {
    let Some((vault, principal)) = observed.vaults.get(vault).and_then(Seen::known).zip(who.principal(observed)) else {
        return vec![];
    };
    let entries = vault.access_policies.iter().filter(|entry| entry.application_id.is_none());
    let mine = entries.filter(|entry| entry.object_id.eq_ignore_ascii_case(principal));
    mine.flat_map(|entry| entry.keys.iter().cloned()).collect()
}

fn principal(account: &AccountName, observed: &Observed) -> Option<String> {
    observed.accounts.get(account).and_then(Seen::known)?.identity.system_principal.clone()
}

/// The entries of others in the vaults that a plan touches, by vault and principal.
pub(super) fn neighbours(radius: &Radius, steps: &[Step], observed: &Observed) -> Vec<Neighbour> {
    let own = radius.accounts.iter().filter_map(|name| principal(name, observed));
    let named = steps.iter().filter_map(|step| match &step.action {
        Action::Grant { who, .. }
        | Action::RevokeAccess { who, .. }
        | Action::SetEncryption { who, .. }
        | Action::SwitchIdentity { who, .. }
        | Action::CreateAccount { key: Some(Binds { who, .. }), .. } => who.principal(observed).map(str::to_owned),
        _ => None,
    });
    let touched: BTreeSet<String> = own.chain(named).map(|id| id.to_ascii_lowercase()).collect();
    let owners = owners(observed);
    let mut all = vec![];
    for name in &radius.vaults {
        let Some(vault) = observed.vaults.get(name).and_then(Seen::known) else { continue };
        let others = holders(vault).into_iter().filter(|(principal, _)| !touched.contains(principal));
        all.extend(others.map(|(principal, permissions)| Neighbour {
            vault: name.clone(),
            account: owners.get(&principal).map(|name| (*name).clone()),
            principal,
            permissions,
        }));
    }
    all
}

/// Who may do something with keys of a vault, by principal in lower case, and what.
fn holders(vault: &SeenVault) -> BTreeMap<String, Vec<String>> {
    let mut held: BTreeMap<String, Vec<String>> = BTreeMap::new();
    match vault.permission_model {
        PermissionModel::AccessPolicies => {
            for entry in vault.access_policies.iter().filter(|entry| !entry.keys.is_empty()) {
                held.entry(entry.object_id.to_ascii_lowercase()).or_default().extend(entry.keys.iter().cloned());
            }
        }
        PermissionModel::Rbac => {
            for one in vault.role_assignments.as_ref().and_then(Seen::known).into_iter().flatten() {
                let role = one.unwrapping_role().map(|role| role_in_words(role, one, &vault.id.to_string()));
                held.entry(one.principal.to_ascii_lowercase()).or_default().extend(role);
            }
            held.retain(|_, roles| !roles.is_empty());
        }
    }
    held
}

fn role_in_words(role: &str, held: &RoleAssignment, vault: &str) -> String {
    let place = match held.scope.rsplit_once("/keys/") {
        Some((_, key)) => format!("at key {key}"),
        None if held.is_inherited_by(vault) => format!("from above, at {}", held.scope),
        None => "at the vault".to_owned(),
    };
    let limit = if held.is_conditional { ", within a condition" } else { "" };
    format!("{role} {place}{limit}")
}

/// The accounts by the principals of their own identities, in lower case.
fn owners(observed: &Observed) -> HashMap<String, &AccountName> {
    let accounts = observed.accounts.iter().filter_map(|(name, seen)| Some((name, seen.known()?)));
    // Should two ever have the same one, the first is named.
    accounts
        .rev()
        .filter_map(|(name, seen)| Some((seen.identity.system_principal.as_ref()?.to_ascii_lowercase(), name)))
        .collect()
}
