//! The closed list of writes that `cmk` can make. There is no purge and no delete in it.

use crate::model::audit::{OUR_SETTING, Sink};
use crate::model::{
    AccountCreate, AccountId, AccountName, GrantScope, GroupId, Identities, IdentityId, KeyCreate, KeyPermission,
    KeyRef, Location, Marks, Period, PermissionModel, Rotation, Thumbprint, Timestamp, VaultCreate, VaultId, VaultSku,
    Version, VersionRule, Who,
};
use std::collections::BTreeSet;

/// The few writes that `cmk` can make. There is no purge and no delete to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Make a resource group.
    CreateGroup {
        /// The group.
        id: GroupId,
        /// Its region.
        location: Location,
    },
    /// Make a vault that does not exist.
    CreateVault {
        /// The vault.
        id: VaultId,
        /// Its region.
        location: Location,
        /// The tenant whose identities it will trust.
        tenant: String,
        /// Its properties.
        create: VaultCreate,
        /// Who decides about access to its keys.
        model: PermissionModel,
        /// Whether it is made with purge protection, which cannot be turned off again.
        purge_protection: bool,
    },
    /// Bring a deleted vault back, with the keys, the access policies and the protection that it had.
    RecoverVault {
        /// The vault.
        id: VaultId,
        /// Its region.
        location: Location,
        /// The tenant that it trusts.
        tenant: String,
        /// The tier, which Azure asks for and leaves as it was.
        sku: VaultSku,
    },
    /// Turn on soft delete and purge protection, for good.
    ProtectVault {
        /// The vault.
        id: VaultId,
    },
    /// Have a diagnostic setting of one's own send a vault's audit log to more places.
    SetAudit {
        /// The vault.
        vault: VaultId,
        /// The places that the spec asks for, by whichever setting.
        wanted: BTreeSet<Sink>,
        /// The places that the setting sends to afterwards.
        sinks: BTreeSet<Sink>,
        /// The places that it sends to now, and afterwards no more.
        loses: BTreeSet<Sink>,
    },
    /// Make a key that does not exist.
    CreateKey {
        /// The vault that is to hold it.
        vault: VaultId,
        /// The key.
        key: KeyRef,
        /// Its properties.
        create: KeyCreate,
        /// Its dates and tags.
        marks: Marks,
        /// How Key Vault is to rotate it by itself.
        rotation: Option<Rotation>,
    },
    /// Make a key that does not exist of material from outside.
    ImportKey {
        /// The vault that is to hold it.
        vault: VaultId,
        /// The key.
        key: KeyRef,
        /// Its type and size.
        create: KeyCreate,
        /// Which key it is.
        thumbprint: Thumbprint,
        /// Its dates and tags.
        marks: Marks,
    },
    /// Bring a deleted key back, with all its versions as they were.
    RecoverKey {
        /// The vault that holds it.
        vault: VaultId,
        /// The key.
        key: KeyRef,
    },
    /// Give a key's current version dates and tags, beside any others that it has.
    MarkKey {
        /// The vault that holds it.
        vault: VaultId,
        /// The key.
        key: KeyRef,
        /// Its current version.
        version: Version,
        /// The dates and tags.
        marks: Marks,
    },
    /// Have Key Vault rotate a key by itself.
    SetRotation {
        /// The vault that holds it.
        vault: VaultId,
        /// The key.
        key: KeyRef,
        /// How.
        rotation: Rotation,
    },
    /// Make a new version of a key.
    RotateKey {
        /// The vault that holds it.
        vault: VaultId,
        /// The key.
        key: KeyRef,
        /// The moment from which on a version is new enough: when one is, nothing is done.
        since: Timestamp,
    },
    /// Let a version of a key be used again.
    EnableVersion {
        /// The vault that holds it.
        vault: VaultId,
        /// The key.
        key: KeyRef,
        /// The version.
        version: Version,
        /// Whether Storage can wrap with it then: it is in date.
        in_date: bool,
        /// When it was made, if it is in date and no newer version is: who is pinned to the newest moves to it.
        newest: Option<Timestamp>,
    },
    /// Let a version of a key be used for nothing.
    DisableVersion {
        /// The vault that holds it.
        vault: VaultId,
        /// The key.
        key: KeyRef,
        /// The version.
        version: Version,
        /// How long nobody must have used it. Nothing: it is disabled whoever uses it.
        retired_after: Option<Period>,
        /// The accounts under the version that go over to another one, or to another key, first.
        leaving: BTreeSet<AccountName>,
    },
    /// Make a user-assigned identity that does not exist.
    CreateIdentity {
        /// The identity.
        id: IdentityId,
        /// Its region.
        location: Location,
    },
    /// Make an account that does not exist, with its identities and, where those are older than it, with its key.
    CreateAccount {
        /// The account.
        id: AccountId,
        /// Its region.
        location: Location,
        /// Its properties.
        create: AccountCreate,
        /// The identities that it is made with.
        identity: Identities,
        /// The key that it is bound to from its first moment.
        key: Option<Binds>,
    },
    /// Give an account identities beside those it has.
    AttachIdentity {
        /// The account.
        id: AccountId,
        /// Those that it gets.
        identity: Identities,
    },
    /// Take identities from an account that reaches nothing as them.
    DetachIdentity {
        /// The account.
        id: AccountId,
        /// Those that it loses.
        identity: Identities,
        /// Those that it is to have, and has before: what is left of its identities is then never nothing by mistake.
        keeps: Identities,
    },
    /// Let an identity use a key.
    Grant {
        /// The identity.
        who: Who,
        /// The vault.
        vault: VaultId,
        /// The key that it is needed for.
        key: KeyRef,
        /// What the identity may do with it.
        permissions: BTreeSet<KeyPermission>,
        /// By what.
        by: GrantBy,
    },
    /// Take away what an account's identity may do with a vault's keys.
    RevokeAccess {
        /// The account whose data is to be out of reach.
        account: AccountId,
        /// The identity as which it reaches its key.
        who: Who,
        /// The vault.
        vault: VaultId,
    },
    /// Hand an account's encryption back to a key that Microsoft manages.
    LeaveKey {
        /// The account.
        account: AccountId,
        /// As whom it reaches the key that it leaves, when that can be said.
        who: Option<Who>,
        /// The key that it is bound to now, when its vault can be seen: Azure unwraps with it once more.
        former: Option<Former>,
    },
    /// Point an account's encryption at a key.
    SetEncryption {
        /// The account.
        account: AccountId,
        /// The vault that holds the key.
        vault: VaultId,
        /// The key.
        key: KeyRef,
        /// Which version of it.
        version: VersionRule,
        /// As whom it reaches the key. One that it has now, if it is bound to a key now: Azure does not change both at once.
        who: Who,
        /// As whom it is to reach the key afterwards, where a later step changes that.
        then: Option<Who>,
        /// The moment that the version is of at least, where this plan makes a new one.
        since: Option<Timestamp>,
        /// The user-assigned identities that it gets in the same request; none, if it is bound to a key now.
        attach: Identities,
        /// What the identity needs to hold in the vault.
        permissions: BTreeSet<KeyPermission>,
        /// The key that it is bound to now, when its vault can be seen: Azure unwraps with it to wrap anew.
        former: Option<Former>,
    },
    /// Have an account reach the key that it is bound to as another of its identities.
    SwitchIdentity {
        /// The account.
        account: AccountId,
        /// The vault that holds the key.
        vault: VaultId,
        /// The key, which stays.
        key: KeyRef,
        /// The version, which stays.
        version: VersionRule,
        /// As whom it reaches the key before.
        from: Who,
        /// As whom it reaches the key from then on.
        who: Who,
        /// What the new identity needs to hold in the vault.
        permissions: BTreeSet<KeyPermission>,
    },
}

/// The key that an account is bound to when it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binds {
    /// The vault that holds the key.
    pub vault: VaultId,
    /// The key.
    pub key: KeyRef,
    /// Which version of it.
    pub version: VersionRule,
    /// The moment that the version is of at least, where this plan makes a new one.
    pub since: Option<Timestamp>,
    /// As whom the account reaches it: a user-assigned identity, since its own is younger than any grant.
    pub who: Who,
    /// What the identity needs to hold in the vault.
    pub permissions: BTreeSet<KeyPermission>,
}

/// By what access is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GrantBy {
    /// An entry in the vault's access policies, which reaches every key of it.
    AccessPolicy,
    /// An assignment of the role Key Vault Crypto Service Encryption User, at the vault or at the key.
    Role(GrantScope),
}

/// The key version that an account's data key is wrapped with before a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Former {
    /// The key.
    pub key: KeyRef,
    /// The version in use.
    pub version: Version,
    /// Whether the account is off this version after the step: a pin may be set to the version that is in use already.
    pub left: bool,
}

impl Action {
    /// The action's name in documents: `createVault`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CreateGroup { .. } => "createGroup",
            Self::CreateVault { .. } => "createVault",
            Self::RecoverVault { .. } => "recoverVault",
            Self::ProtectVault { .. } => "protectVault",
            Self::SetAudit { .. } => "setAudit",
            Self::CreateKey { .. } => "createKey",
            Self::ImportKey { .. } => "importKey",
            Self::RecoverKey { .. } => "recoverKey",
            Self::MarkKey { .. } => "markKey",
            Self::SetRotation { .. } => "setRotation",
            Self::RotateKey { .. } => "rotateKey",
            Self::EnableVersion { .. } => "enableVersion",
            Self::DisableVersion { .. } => "disableVersion",
            Self::CreateIdentity { .. } => "createIdentity",
            Self::CreateAccount { .. } => "createAccount",
            Self::AttachIdentity { .. } => "attachIdentity",
            Self::DetachIdentity { .. } => "detachIdentity",
            Self::Grant { .. } => "grant",
            Self::RevokeAccess { .. } => "revokeAccess",
            Self::LeaveKey { .. } => "leaveKey",
            Self::SetEncryption { .. } => "setEncryption",
            Self::SwitchIdentity { .. } => "switchIdentity",
        }
    }

    /// The account that it is for, if it is for one.
    pub fn account(&self) -> Option<&AccountName> {
        match self {
            Self::CreateGroup { .. }
            | Self::CreateVault { .. }
            | Self::RecoverVault { .. }
            | Self::ProtectVault { .. }
            | Self::SetAudit { .. }
            | Self::CreateKey { .. }
            | Self::ImportKey { .. }
            | Self::RecoverKey { .. }
            | Self::MarkKey { .. }
            | Self::SetRotation { .. }
            | Self::RotateKey { .. }
            | Self::EnableVersion { .. }
            | Self::DisableVersion { .. }
            | Self::CreateIdentity { .. }
            | Self::Grant { who: Who::User(_), .. } => None,
            Self::CreateAccount { id, .. } | Self::AttachIdentity { id, .. } | Self::DetachIdentity { id, .. } => {
                Some(&id.name)
            }
            Self::Grant { who: Who::System(account), .. }
            | Self::RevokeAccess { account, .. }
            | Self::LeaveKey { account, .. }
            | Self::SwitchIdentity { account, .. }
            | Self::SetEncryption { account, .. } => Some(&account.name),
        }
    }

    /// The ARM path of the thing that is written to; of what the vault itself does, the vault's and the path there.
    pub fn resource(&self) -> String {
        match self {
            Self::CreateGroup { id, .. } => id.to_string(),
            Self::CreateVault { id, .. } | Self::RecoverVault { id, .. } | Self::ProtectVault { id } => id.to_string(),
            Self::SetAudit { vault, .. } => format!("{vault}{DIAGNOSTIC_SETTINGS}/{OUR_SETTING}"),
            Self::CreateKey { vault, key, .. } | Self::ImportKey { vault, key, .. } => {
                format!("{vault}/keys/{}", key.name)
            }
            Self::RecoverKey { vault, key } => format!("{vault}/deletedkeys/{}/recover", key.name),
            Self::MarkKey { vault, key, version, .. }
            | Self::EnableVersion { vault, key, version, .. }
            | Self::DisableVersion { vault, key, version, .. } => format!("{vault}/keys/{}/{version}", key.name),
            Self::SetRotation { vault, key, .. } => format!("{vault}/keys/{}/rotationpolicy", key.name),
            Self::RotateKey { vault, key, .. } => format!("{vault}/keys/{}/rotate", key.name),
            Self::Grant { vault, by: GrantBy::AccessPolicy, .. } => format!("{vault}/accessPolicies/add"),
            Self::Grant { vault, by: GrantBy::Role(GrantScope::Vault), .. } => format!("{vault}{ROLE_ASSIGNMENTS}"),
            Self::Grant { vault, key, by: GrantBy::Role(GrantScope::Key), .. } => {
                format!("{vault}/keys/{}{ROLE_ASSIGNMENTS}", key.name)
            }
            Self::RevokeAccess { vault, .. } => format!("{vault}/accessPolicies/remove"),
            Self::CreateIdentity { id, .. } => id.to_string(),
            Self::CreateAccount { id, .. } | Self::AttachIdentity { id, .. } | Self::DetachIdentity { id, .. } => {
                id.to_string()
            }
            Self::SetEncryption { account, .. }
            | Self::SwitchIdentity { account, .. }
            | Self::LeaveKey { account, .. } => account.to_string(),
        }
    }
}

const DIAGNOSTIC_SETTINGS: &str = "/providers/Microsoft.Insights/diagnosticSettings";
const ROLE_ASSIGNMENTS: &str = "/providers/Microsoft.Authorization/roleAssignments";
