//! What an action touches: the one list from which guards, identities and acknowledgements know it.

use super::action::Action;
use super::action::Binds;
use crate::model::audit::Sink;
use crate::model::{AccountId, GroupId, IdentityId, KeyCreate, KeyPermission, KeyRef, VaultId, VersionRule, Who};
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
    /// The user-assigned identities.
    pub(super) identities: Vec<&'a IdentityId>,
    /// The key.
    pub(super) key: Option<&'a KeyRef>,
    /// Which version of the key data is to depend on.
    pub(super) version: Option<&'a VersionRule>,
    /// As what the key is made, when it is.
    pub(super) key_made: Option<&'a KeyCreate>,
    /// The permissions that are granted.
    pub(super) granted: Option<&'a BTreeSet<KeyPermission>>,
    /// The places that a vault's audit log goes to.
    pub(super) sinks: Option<&'a BTreeSet<Sink>>,
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
            Action::RecoverVault { id, tenant, .. } => Self { vault: Some(id), tenant: Some(tenant), ..touched },
            Action::ProtectVault { id } => Self { vault: Some(id), ..touched },
            Action::SetAudit { vault: id, sinks, .. } => Self { vault: Some(id), sinks: Some(sinks), ..touched },
            Action::CreateKey { vault, key, create, marks: _, rotation: _ }
            | Action::ImportKey { vault, key, create, thumbprint: _, marks: _ } => {
                let makes = named(format!("key/{key}"));
                Self { vault: Some(vault), key: Some(key), key_made: Some(create), makes, ..touched }
            }
            Action::RecoverKey { vault, key }
            | Action::MarkKey { vault, key, .. }
            | Action::SetRotation { vault, key, .. }
            | Action::RotateKey { vault, key, .. }
            | Action::EnableVersion { vault, key, .. }
            | Action::DisableVersion { vault, key, .. } => Self { vault: Some(vault), key: Some(key), ..touched },
            Action::CreateIdentity { id, .. } => {
                let makes = named(format!("identity/{}", id.name));
                Self { identities: vec![id], makes, ..touched }
            }
            Action::CreateAccount { id, identity, key: binds, .. } => {
                let makes = named(format!("account/{}", id.name));
                let identities = identity.user.iter().collect();
                let touched = Self { account: Some(id), identities, makes, makes_identity: identity.system, ..touched };
                match binds {
                    None => touched,
                    Some(Binds { vault, key, version, since: _, who: _, permissions: _ }) => {
                        Self { vault: Some(vault), key: Some(key), version: Some(version), ..touched }
                    }
                }
            }
            Action::AttachIdentity { id, identity } => {
                let identities = identity.user.iter().collect();
                Self { account: Some(id), identities, makes_identity: identity.system, ..touched }
            }
            Action::DetachIdentity { id, identity, keeps: _ } => {
                Self { account: Some(id), identities: identity.user.iter().collect(), ..touched }
            }
            Action::Grant { who, vault, key: _, permissions, by: _ } => {
                Self { vault: Some(vault), granted: Some(permissions), ..touched }.with(who)
            }
            Action::RevokeAccess { account, who, vault } => {
                let touched = Self { vault: Some(vault), ..touched }.with(who);
                Self { account: Some(account), ..touched }
            }
            Action::LeaveKey { account, who: _, former: _ } => Self { account: Some(account), ..touched },
            Action::SetEncryption {
                account,
                vault,
                key,
                version,
                who,
                then: _,
                since: _,
                attach,
                permissions: _,
                former: _,
            } => {
                let touched = Self { vault: Some(vault), key: Some(key), version: Some(version), ..touched }.with(who);
                let others = attach.user.iter().filter(|new| !matches!(who, Who::User(who) if who == *new));
                let identities = touched.identities.iter().copied().chain(others).collect();
                Self { account: Some(account), identities, ..touched }
            }
            Action::SwitchIdentity { account, vault, key, version, from: _, who, permissions: _ } => {
                let touched = Self { vault: Some(vault), key: Some(key), version: Some(version), ..touched }.with(who);
                Self { account: Some(account), ..touched }
            }
        }
    }

    fn with(self, who: &'a Who) -> Self {
        match who {
            Who::System(account) => Self { account: Some(account), ..self },
            Who::User(identity) => Self { identities: vec![identity], ..self },
        }
    }

    /// The groups, and with them the subscriptions, that hold what is touched.
    pub(super) fn groups(&self) -> impl Iterator<Item = &'a GroupId> {
        let vault = self.vault.map(|id| &id.group);
        let account = self.account.map(|id| &id.group);
        let identities = self.identities.iter().map(|id| &id.group).collect::<Vec<_>>();
        self.group.into_iter().chain(vault).chain(account).chain(identities)
    }
}
