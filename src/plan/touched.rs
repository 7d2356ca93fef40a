//! What an action touches: the one list from which guards, identities and acknowledgements know it.

use super::types::Action;
use crate::model::{AccountId, GroupId, KeyCreate, KeyPermission, KeyRef, VaultId, VersionRule};
use std::collections::BTreeSet;

/// The things that an action writes to, or makes data depend on.
#[derive(Debug, Default)]
pub(super) struct Touched<'a> {
    /// A group that is made.
    pub(super) group: Option<&'a GroupId>,
    /// The vault.
    pub(super) vault: Option<&'a VaultId>,
    /// The account.
    pub(super) account: Option<&'a AccountId>,
    /// The key.
    pub(super) key: Option<&'a KeyRef>,
    /// Which version of the key data is to depend on.
    pub(super) version: Option<&'a VersionRule>,
    /// As what the key is made, when it is.
    pub(super) key_made: Option<&'a KeyCreate>,
    /// The permissions that are granted.
    pub(super) granted: Option<&'a BTreeSet<KeyPermission>>,
    /// The tenant that a new vault trusts.
    pub(super) tenant: Option<&'a str>,
    /// The thing that is made, in lower case and as risks name things: `vault/kv-prod`.
    pub(super) makes: Option<String>,
    /// Whether the account's own identity is made.
    pub(super) makes_identity: bool,
}

impl<'a> Touched<'a> {
    /// What one action touches.
    pub(super) fn by(action: &'a Action) -> Self {
        let touched = Self::default();
        let named = |text: String| Some(text.to_ascii_lowercase());
        match action {
            Action::CreateGroup { id, .. } => {
                Self { group: Some(id), makes: named(format!("group/{}", id.name)), ..touched }
            }
            Action::CreateVault { id, tenant, .. } => {
                let makes = named(format!("vault/{}", id.name));
                Self { vault: Some(id), tenant: Some(tenant), makes, ..touched }
            }
            Action::ProtectVault { id } => Self { vault: Some(id), ..touched },
            Action::CreateKey { vault, key, create } => {
                let makes = named(format!("key/{key}"));
                Self { vault: Some(vault), key: Some(key), key_made: Some(create), makes, ..touched }
            }
            Action::CreateAccount { id, identity, .. } => {
                let makes = named(format!("account/{}", id.name));
                Self { account: Some(id), makes, makes_identity: identity.is_some(), ..touched }
            }
            Action::AttachIdentity { id } => Self { account: Some(id), makes_identity: true, ..touched },
            Action::Grant { account, vault, key: _, permissions, by: _ } => {
                Self { vault: Some(vault), account: Some(account), granted: Some(permissions), ..touched }
            }
            Action::RevokeAccess { account, vault } => Self { vault: Some(vault), account: Some(account), ..touched },
            Action::LeaveKey { account, former: _ } => Self { account: Some(account), ..touched },
            Action::SetEncryption { account, vault, key, version, permissions: _, former: _ } => {
                Self { vault: Some(vault), account: Some(account), key: Some(key), version: Some(version), ..touched }
            }
        }
    }

    /// The groups, and with them the subscriptions, that hold what is touched.
    pub(super) fn groups(&self) -> impl Iterator<Item = &'a GroupId> {
        let vault = self.vault.map(|id| &id.group);
        let account = self.account.map(|id| &id.group);
        self.group.into_iter().chain(vault).chain(account)
    }
}
