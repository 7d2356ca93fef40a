//! What a plan means for data, keys and people: whose data could become unreadable, who gains access to what,
//! which key versions change, and what is near and left alone.

mod access;
mod readability;
mod versions;

pub use access::{AccessChange, Neighbour};
pub use readability::{Readability, Reads, reads};
pub use versions::{KeyMove, VersionUse};

use super::action::Action;
use super::types::{Plan, Step};
use crate::model::{
    AccountId, AccountName, Bound, Desired, HiddenReason, KeyRef, KeyUser, Observed, Seen, SeenAccount, Sweep, Unseen,
    VaultName, Who,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What a plan means.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Review {
    /// The things that its steps touch.
    pub radius: Radius,
    /// Whether each account that it touches can read its data, before and after.
    pub readability: Vec<Readability>,
    /// Who gains or loses what.
    pub access: Vec<AccessChange>,
    /// The key versions that accounts move between.
    pub versions: Vec<KeyMove>,
    /// Who else has access to the keys of the vaults that the plan touches, and is left alone.
    pub nearby: Vec<Neighbour>,
}

/// The things that a plan touches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Radius {
    /// Accounts that are written to, or whose access is.
    pub accounts: BTreeSet<AccountName>,
    /// Vaults that are written to, or hold a key that an account is bound to.
    pub vaults: BTreeSet<VaultName>,
    /// Keys that are made, or that an account is bound to.
    pub keys: BTreeSet<KeyRef>,
    /// Accounts that no step touches and that are bound to a key of a vault which one does.
    pub others: BTreeSet<AccountName>,
    /// Accounts that the spec does not name and that are bound to a key of a vault which a step touches.
    pub outsiders: BTreeSet<AccountId>,
    /// Who was seen under the keys of these vaults, encryption scopes included, by key: `kv1/main`. Nothing where encryption
    /// scopes were not looked at.
    pub under: Option<BTreeMap<String, BTreeSet<Sharer>>>,
    /// What was not looked at, and may hold more of them: "the accounts of subscription …: 403 …".
    pub unseen: Vec<String>,
}

/// An account or an encryption scope under a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sharer {
    /// The account.
    pub account: AccountId,
    /// The encryption scope of it; nothing when the account as a whole is bound to the key.
    pub scope: Option<String>,
    /// Whether the spec names the account.
    pub is_in_spec: bool,
}

/// Reviews the steps of a plan.
pub(super) fn review(steps: &[Step], desired: &Desired, observed: &Observed) -> Review {
    let radius = radius(steps, desired, observed);
    Review {
        readability: readability::readability(steps, &radius, desired, observed),
        access: access::changes(steps, observed),
        versions: versions::moves(steps, observed),
        nearby: access::neighbours(&radius, steps, observed),
        radius,
    }
}

fn radius(steps: &[Step], desired: &Desired, observed: &Observed) -> Radius {
    let mut radius = Radius::default();
    for step in steps {
        match &step.action {
            Action::CreateGroup { .. } | Action::CreateIdentity { .. } => {}
            Action::CreateVault { id, .. } | Action::ProtectVault { id } | Action::SetAudit { vault: id, .. } => {
                radius.vaults.insert(id.name.clone());
            }
            Action::RecoverVault { id, .. } => {
                radius.vaults.insert(id.name.clone());
                radius.accounts.extend(bound_to(&step.action, observed));
            }
            Action::RecoverKey { key, .. } => {
                radius.vaults.insert(key.vault.clone());
                radius.keys.insert(key.clone());
                radius.accounts.extend(bound_to(&step.action, observed));
            }
            Action::CreateKey { key, .. } | Action::ImportKey { key, .. } => {
                radius.vaults.insert(key.vault.clone());
                radius.keys.insert(key.clone());
            }
            Action::MarkKey { key, .. }
            | Action::SetRotation { key, .. }
            | Action::RotateKey { key, .. }
            | Action::EnableVersion { key, .. }
            | Action::DisableVersion { key, .. } => {
                radius.vaults.insert(key.vault.clone());
                radius.keys.insert(key.clone());
                radius.accounts.extend(under(&step.action, observed));
            }
            Action::CreateAccount { id, key, .. } => {
                radius.accounts.insert(id.name.clone());
                radius.vaults.extend(key.iter().map(|binds| binds.vault.name.clone()));
                radius.keys.extend(key.iter().map(|binds| binds.key.clone()));
            }
            Action::AttachIdentity { id, .. }
            | Action::DetachIdentity { id, .. }
            | Action::LeaveKey { account: id, .. } => {
                radius.accounts.insert(id.name.clone());
            }
            Action::Grant { who, vault, .. } => {
                radius.accounts.extend(reaching(who, observed));
                radius.vaults.insert(vault.name.clone());
            }
            Action::RevokeAccess { account, who: _, vault } => {
                radius.accounts.insert(account.name.clone());
                radius.vaults.insert(vault.name.clone());
            }
            Action::SetEncryption { account, key, .. } | Action::SwitchIdentity { account, key, .. } => {
                radius.accounts.insert(account.name.clone());
                radius.vaults.insert(key.vault.clone());
                radius.keys.insert(key.clone());
            }
        }
    }
    let hosts = hosts(&radius, observed);
    radius.others = others(&radius, &hosts, observed);
    if !hosts.is_empty() {
        radius.under = observed.sweep.as_ref().map(|sweep| under_keys(sweep, &hosts, desired, observed));
        radius.outsiders = match &radius.under {
            Some(under) => beyond_spec(under),
            None => outsiders(&hosts, observed),
        };
        radius.unseen = unseen(observed);
    }
    radius
}

/// Whether a plan touches a vault that is there, and that others may therefore use.
pub fn shares_vaults(plan: &Plan, observed: &Observed) -> bool {
    !hosts(&plan.review.radius, observed).is_empty()
}

/// The vaults that are touched and there, by their hosts in lower case.
fn hosts(radius: &Radius, observed: &Observed) -> BTreeMap<String, VaultName> {
    let seen = radius.vaults.iter().filter_map(|name| Some((name, observed.vaults.get(name)?.known()?)));
    seen.map(|(name, vault)| (vault.host.to_ascii_lowercase(), name.clone())).collect()
}

/// Who was seen under the keys of these vaults, in the spec or not.
fn under_keys(
    sweep: &Sweep,
    hosts: &BTreeMap<String, VaultName>,
    desired: &Desired,
    observed: &Observed,
) -> BTreeMap<String, BTreeSet<Sharer>> {
    // To Azure, the case of a key's name means nothing: one that the spec names is called as the spec calls it.
    let by_spec: HashMap<String, &KeyRef> =
        observed.keys.keys().map(|key| (key.to_string().to_ascii_lowercase(), key)).collect();
    let mut keys: BTreeMap<String, BTreeSet<Sharer>> = BTreeMap::new();
    for Bound { host, key, user } in &sweep.bound {
        let Some(vault) = hosts.get(&host.to_ascii_lowercase()) else { continue };
        let name = format!("{vault}/{key}").to_ascii_lowercase();
        let name = by_spec.get(&name).map_or(name, ToString::to_string);
        let KeyUser { account, scope, who: _, pinned: _, current: _, moved: _ } = user;
        let is_in_spec = desired.accounts.contains_key(&account.name);
        keys.entry(name).or_default().insert(Sharer { account: account.clone(), scope: scope.clone(), is_in_spec });
    }
    keys
}

/// Those of them that are accounts as a whole, and that the spec does not name.
fn beyond_spec(under: &BTreeMap<String, BTreeSet<Sharer>>) -> BTreeSet<AccountId> {
    let accounts = under.values().flatten().filter(|one| one.scope.is_none() && !one.is_in_spec);
    accounts.map(|one| one.account.clone()).collect()
}

/// The accounts that the spec does not name, under keys of these vaults.
fn outsiders(hosts: &BTreeMap<String, VaultName>, observed: &Observed) -> BTreeSet<AccountId> {
    let all = observed.outsiders.values().filter_map(Seen::known).flatten();
    let under = all.filter(|one| hosts.contains_key(&one.vault_host.to_ascii_lowercase()));
    under.map(|one| one.account.clone()).collect()
}

/// What was not looked at, and may hold users of the vaults' keys.
fn unseen(observed: &Observed) -> Vec<String> {
    if let Some(Sweep { bound: _, unseen, accounts: _ }) = &observed.sweep {
        let hidden = unseen
            .iter()
            .map(|Unseen { what, why, permission }| format!("{what}: {why} ({permission} would show them)"));
        let elsewhere = "other subscriptions and other services, which may use the same keys".to_owned();
        return hidden.chain([elsewhere]).collect();
    }
    let hidden = observed.outsiders.iter().filter_map(|(id, seen)| match seen {
        Seen::Hidden(HiddenReason { what, permission }) => {
            let would = permission.as_ref().map_or(String::new(), |name| format!(" ({name} would show them)"));
            Some(format!("the accounts of subscription {id}: {what}{would}"))
        }
        Seen::Known(_) | Seen::Absent => None,
    });
    let beyond = match observed.outsiders.len() {
        0 => "accounts outside of the spec, which may use the same keys",
        _ => {
            "encryption scopes (`--encryption-scopes` looks at them), other subscriptions and other services, which may \
             use the same keys"
        }
    };
    hidden.chain([beyond.to_owned()]).collect()
}

/// The accounts that were seen under a version which an action enables or disables.
fn under(action: &Action, observed: &Observed) -> Vec<AccountName> {
    let (Action::EnableVersion { key, version, .. } | Action::DisableVersion { key, version, .. }) = action else {
        return vec![];
    };
    let Some(vault) = observed.vaults.get(&key.vault).and_then(Seen::known) else { return vec![] };
    let seen = observed.accounts.values().filter_map(Seen::known);
    let under = seen.filter(|seen| {
        let binding = seen.encryption.binding.as_ref().filter(|binding| binding.is_to(key, vault));
        binding.is_some_and(|binding| binding.in_use() == Some(version))
    });
    under.map(|seen| seen.id.name.clone()).collect()
}

/// The accounts that were seen to be bound to what an action brings back. A host begins with its vault's name.
pub(super) fn bound_to(action: &Action, observed: &Observed) -> Vec<AccountName> {
    let (vault, key) = match action {
        Action::RecoverVault { id, .. } => (&id.name, None),
        Action::RecoverKey { vault, key } => (&vault.name, Some(key.name.as_str())),
        _ => return vec![],
    };
    let is_it = |seen: &&SeenAccount| {
        let binding = seen.encryption.binding.as_ref();
        binding.is_some_and(|binding| {
            let label = binding.vault_host.split('.').next().unwrap_or_default();
            label.eq_ignore_ascii_case(vault.as_str()) && key.is_none_or(|key| binding.key.eq_ignore_ascii_case(key))
        })
    };
    let seen = observed.accounts.values().filter_map(Seen::known).filter(is_it);
    seen.map(|seen| seen.id.name.clone()).collect()
}

/// The accounts that reach their keys as an identity. Its own, an account has whether or not it is bound to a key.
fn reaching(who: &Who, observed: &Observed) -> Vec<AccountName> {
    match who {
        Who::System(account) => vec![account.name.clone()],
        Who::User(_) => {
            let seen = observed.accounts.values().filter_map(Seen::known);
            let by = seen.filter(|seen| seen.encryption.binding.as_ref().is_some_and(|binding| binding.is_by(who)));
            by.map(|seen| seen.id.name.clone()).collect()
        }
    }
}

/// The accounts that were seen to use a vault which the plan touches, and are not touched themselves.
fn others(radius: &Radius, hosts: &BTreeMap<String, VaultName>, observed: &Observed) -> BTreeSet<AccountName> {
    let seen = observed.accounts.iter().filter_map(|(name, seen)| Some((name, seen.known()?)));
    let bound = seen.filter(|(_, seen)| {
        let binding = seen.encryption.binding.as_ref();
        binding.is_some_and(|binding| hosts.contains_key(&binding.vault_host.to_ascii_lowercase()))
    });
    bound.map(|(name, _)| name.clone()).filter(|name| !radius.accounts.contains(name)).collect()
}
