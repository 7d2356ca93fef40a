//! What a plan means for data, keys and people: whose data could become unreadable, who gains access to what,
//! which key versions change, and what is near and left alone.

mod access;
mod readability;
mod versions;

pub use access::{AccessChange, Neighbour};
pub use readability::{Readability, Reads, reads};
pub use versions::{KeyMove, VersionUse};

use super::types::{Action, Step};
use crate::model::{AccountName, Desired, KeyRef, Observed, Seen, VaultName, Who};
use std::collections::BTreeSet;

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
}

/// Reviews the steps of a plan.
pub(super) fn review(steps: &[Step], desired: &Desired, observed: &Observed) -> Review {
    let radius = radius(steps, observed);
    Review {
        readability: readability::readability(steps, &radius, desired, observed),
        access: access::changes(steps, observed),
        versions: versions::moves(steps, observed),
        nearby: access::neighbours(&radius, steps, observed),
        radius,
    }
}

fn radius(steps: &[Step], observed: &Observed) -> Radius {
    let mut radius = Radius::default();
    for step in steps {
        match &step.action {
            Action::CreateGroup { .. } | Action::CreateIdentity { .. } => {}
            Action::CreateVault { id, .. } | Action::ProtectVault { id } => {
                radius.vaults.insert(id.name.clone());
            }
            Action::CreateKey { key, .. } => {
                radius.vaults.insert(key.vault.clone());
                radius.keys.insert(key.clone());
            }
            Action::CreateAccount { id, key, .. } => {
                radius.accounts.insert(id.name.clone());
                radius.vaults.extend(key.iter().map(|binds| binds.vault.name.clone()));
                radius.keys.extend(key.iter().map(|binds| binds.key.clone()));
            }
            Action::AttachIdentity { id, .. } | Action::LeaveKey { account: id, .. } => {
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
    radius.others = others(&radius, observed);
    radius
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
fn others(radius: &Radius, observed: &Observed) -> BTreeSet<AccountName> {
    let hosts: BTreeSet<String> = radius
        .vaults
        .iter()
        .filter_map(|name| observed.vaults.get(name)?.known())
        .map(|vault| vault.host.to_ascii_lowercase())
        .collect();
    let seen = observed.accounts.iter().filter_map(|(name, seen)| Some((name, seen.known()?)));
    let bound = seen.filter(|(_, seen)| {
        let binding = seen.encryption.binding.as_ref();
        binding.is_some_and(|binding| hosts.contains(&binding.vault_host.to_ascii_lowercase()))
    });
    bound.map(|(name, _)| name.clone()).filter(|name| !radius.accounts.contains(name)).collect()
}
