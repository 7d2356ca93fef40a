//! The table of effects: what each action needs before it, and what holds after it.
//!
//! This table is the heart of the order: nobody writes edges by hand. A step goes
//! after the steps that give what it needs.
//!
//! | action | needs | gives |
//! |---|---|---|
//! | create a resource group | – | `GroupLive` |
//! | create a vault | `GroupLive` | `VaultLive`, `PurgeProtected` when made so |
//! | protect a vault | `VaultLive` | `PurgeProtected` |
//! | create a key | `VaultLive` | `KeyLive`, `KeyUsable` for its newest version |
//! | create an account | `GroupLive` | `AccountLive`, `Attached` when made with an identity |
//! | attach an identity | `AccountLive` | `Attached` |
//! | grant | `VaultLive`, `Attached`; at one key `KeyLive` | `CanUnwrap` |
//! | revoke access | `VaultLive`, `Attached` | `NoAccess` |
//! | leave the key | `AccountLive`; of the former key `KeyEnabled`, `CanUnwrap` | `MicrosoftManaged` |
//! | set encryption | `AccountLive`, `Attached`, `VaultLive`, `PurgeProtected`, `KeyUsable`, `CanUnwrap`; of the former key `KeyUsable`, `CanUnwrap` | `EncryptedWith` |
//!
//! The former key counts because Azure unwraps the account's data key with it to
//! wrap it anew: moving off a key that no longer unwraps fails.

use super::types::{Action, Former, GrantBy};
use crate::model::{AccountId, Fact, GrantScope, KeyPermission, VersionRule};
use std::collections::BTreeSet;

/// What must hold before an action is taken.
pub fn needs(action: &Action) -> Vec<Fact> {
    match action {
        Action::CreateGroup { .. } => vec![],
        Action::CreateVault { id, .. } => vec![Fact::GroupLive(id.group.clone())],
        Action::CreateAccount { id, .. } => vec![Fact::GroupLive(id.group.clone())],
        Action::ProtectVault { id } => vec![Fact::VaultLive(id.name.clone())],
        Action::CreateKey { vault, .. } => vec![Fact::VaultLive(vault.name.clone())],
        Action::AttachIdentity { id } => vec![Fact::AccountLive(id.name.clone())],
        Action::Grant { account, vault, key, by, .. } => {
            let mut needs = vec![Fact::VaultLive(vault.name.clone()), Fact::Attached(account.name.clone())];
            needs.extend((*by == GrantBy::Role(GrantScope::Key)).then(|| Fact::KeyLive(key.clone())));
            needs
        }
        Action::RevokeAccess { account, vault } => {
            vec![Fact::VaultLive(vault.name.clone()), Fact::Attached(account.name.clone())]
        }
        Action::SetEncryption { account, vault, key, version, permissions, former } => {
            let mut needs = vec![
                Fact::AccountLive(account.name.clone()),
                Fact::Attached(account.name.clone()),
                Fact::VaultLive(vault.name.clone()),
                Fact::PurgeProtected(vault.name.clone()),
                Fact::KeyUsable(key.clone(), version.clone()),
                Fact::CanUnwrap(account.name.clone(), key.clone(), permissions.clone()),
            ];
            needs.extend(former.iter().flat_map(|former| unwraps(account, former)));
            needs
        }
        Action::LeaveKey { account, former } => {
            let mut needs = vec![Fact::AccountLive(account.name.clone())];
            needs.extend(former.iter().flat_map(|former| unwraps(account, former)));
            needs
        }
    }
}

/// What Azure needs to unwrap an account's data key with the key that it is bound to.
fn unwraps(account: &AccountId, former: &Former) -> [Fact; 2] {
    let unwrap = BTreeSet::from([KeyPermission::UnwrapKey]);
    [
        Fact::KeyEnabled(former.key.clone(), former.version.clone()),
        Fact::CanUnwrap(account.name.clone(), former.key.clone(), unwrap),
    ]
}

/// What holds after an action was taken.
pub fn gives(action: &Action) -> Vec<Fact> {
    match action {
        Action::CreateGroup { id, .. } => vec![Fact::GroupLive(id.clone())],
        Action::CreateVault { id, purge_protection, .. } => {
            let mut gives = vec![Fact::VaultLive(id.name.clone())];
            gives.extend(purge_protection.then(|| Fact::PurgeProtected(id.name.clone())));
            gives
        }
        Action::ProtectVault { id } => vec![Fact::PurgeProtected(id.name.clone())],
        Action::CreateKey { key, .. } => vec![
            Fact::KeyLive(key.clone()),
            Fact::KeyUsable(key.clone(), VersionRule::Latest),
            Fact::KeyUsable(key.clone(), VersionRule::Auto),
        ],
        Action::CreateAccount { id, identity, .. } => {
            let mut gives = vec![Fact::AccountLive(id.name.clone())];
            gives.extend(identity.map(|_| Fact::Attached(id.name.clone())));
            gives
        }
        Action::AttachIdentity { id } => vec![Fact::Attached(id.name.clone())],
        Action::Grant { account, key, permissions, .. } => {
            vec![Fact::CanUnwrap(account.name.clone(), key.clone(), permissions.clone())]
        }
        Action::RevokeAccess { account, vault } => vec![Fact::NoAccess(account.name.clone(), vault.name.clone())],
        Action::LeaveKey { account, .. } => vec![Fact::MicrosoftManaged(account.name.clone())],
        Action::SetEncryption { account, key, version, .. } => {
            vec![Fact::EncryptedWith(account.name.clone(), key.clone(), version.clone())]
        }
    }
}
