//! Storage accounts: what can be asked for, and what a look at one shows.

use super::identity::{Identities, Who, kind};
use super::ids::{AccountId, IdentityId, Location, Version};

/// How to make an account that is not there. The values are ARM's: `Standard_LRS`, `StorageV2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountCreate {
    /// The SKU's name.
    pub sku: String,
    /// The kind of account.
    pub kind: String,
}

/// Which version of a key an account is bound to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VersionRule {
    /// The newest enabled version, pinned: a newer one is a difference.
    Latest,
    /// No version: Azure follows the newest by itself, looking once a day.
    Auto,
    /// Exactly this version.
    Exact(Version),
}

/// An account as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenAccount {
    /// Where it is.
    pub id: AccountId,
    /// Its region.
    pub location: Location,
    /// Its SKU as ARM spells it.
    pub sku: String,
    /// Its kind as ARM spells it.
    pub kind: String,
    /// Its managed identities.
    pub identity: SeenIdentity,
    /// What its data is encrypted with.
    pub encryption: SeenEncryption,
    /// ARM's provisioning state: `Succeeded`, `Creating`, `ResolvingDns`.
    pub provisioning_state: String,
}

/// The managed identities of an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SeenIdentity {
    /// The system-assigned identity's principal (object) id, if there is one.
    pub system_principal: Option<String>,
    /// The tenant of the system-assigned identity.
    pub tenant: Option<String>,
    /// The ARM ids of the user-assigned identities, as Azure spells them.
    pub user_assigned: Vec<String>,
}

/// What an account's data is encrypted with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenEncryption {
    /// The customer-managed key, or nothing when Microsoft manages the key.
    pub binding: Option<Binding>,
    /// Whether infrastructure encryption is on; fixed at creation. A PATCH of the encryption must say it again.
    pub infrastructure: Option<bool>,
}

/// An account's binding to a customer-managed key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The vault's host: `kv-prod.vault.azure.net`.
    pub vault_host: String,
    /// The key's name.
    pub key: String,
    /// The version that is pinned; nothing when Azure follows the newest. Azure's `""` and absence are both nothing.
    pub version: Option<Version>,
    /// The version in use at the moment, from `currentVersionedKeyIdentifier`.
    pub current: Option<Version>,
    /// When the binding last changed, from `lastKeyRotationTimestamp`, as Azure writes it.
    pub rotated: Option<String>,
    /// The user-assigned identity that unwraps, by ARM id; nothing for the system-assigned one.
    pub user_assigned_identity: Option<String>,
}

impl SeenIdentity {
    /// Whether a user-assigned identity is among them. ARM compares ids without case.
    pub fn has_user(&self, id: &IdentityId) -> bool {
        let id = id.to_string();
        self.user_assigned.iter().any(|held| held.eq_ignore_ascii_case(&id))
    }

    /// Whether this identity of the account is among them.
    pub fn has(&self, who: &Who) -> bool {
        match who {
            Who::System(_) => self.system_principal.is_some(),
            Who::User(id) => self.has_user(id),
        }
    }

    /// Those that are wanted and not among them.
    pub fn lacks(&self, wanted: &Identities) -> Identities {
        let Identities { system, user } = wanted;
        Identities {
            system: *system && self.system_principal.is_none(),
            user: user.iter().filter(|id| !self.has_user(id)).cloned().collect(),
        }
    }

    /// Those that are to go and are among them.
    pub fn still_has(&self, unwanted: &Identities) -> Identities {
        let Identities { system, user } = unwanted;
        Identities {
            system: *system && self.system_principal.is_some(),
            user: user.iter().filter(|id| self.has_user(id)).cloned().collect(),
        }
    }

    /// What they are with these besides. Of a new one of its own, the principal is not known.
    #[must_use]
    pub fn with(&self, new: &Identities) -> Self {
        let Identities { system, user } = new;
        let fresh = user.iter().filter(|id| !self.has_user(id)).map(ToString::to_string);
        Self {
            system_principal: self.system_principal.clone().or_else(|| system.then(String::new)),
            tenant: self.tenant.clone(),
            user_assigned: self.user_assigned.iter().cloned().chain(fresh).collect(),
        }
    }

    /// What is left of them without these.
    #[must_use]
    pub fn without(&self, gone: &Identities) -> Self {
        let Identities { system, user } = gone;
        let stays = |held: &&String| !user.iter().any(|id| id.to_string().eq_ignore_ascii_case(held));
        Self {
            system_principal: self.system_principal.clone().filter(|_| !system),
            tenant: self.tenant.clone(),
            user_assigned: self.user_assigned.iter().filter(stays).cloned().collect(),
        }
    }

    /// ARM's word for what it is, in its own spelling.
    pub fn kind(&self) -> &'static str {
        kind(self.system_principal.is_some(), !self.user_assigned.is_empty())
    }
}

impl SeenAccount {
    /// As whom it reaches its key. Nothing when it is not bound to one, or names an identity in no form that is known.
    pub fn reaches_as(&self) -> Option<Who> {
        match &self.encryption.binding.as_ref()?.user_assigned_identity {
            None => Some(Who::System(self.id.clone())),
            Some(id) => IdentityId::parse(id).map(Who::User),
        }
    }

    /// As whom its encryption scopes reach their keys, of which Azure names none: its own identity, unless its encryption
    /// names another. Nothing where it has none, or names one in no form that is known.
    pub fn scopes_reach_as(&self) -> Option<Who> {
        if self.encryption.binding.is_some() {
            return self.reaches_as();
        }
        self.identity.system_principal.as_ref().map(|_| Who::System(self.id.clone()))
    }

    /// Whether the account can be used and changed, rather than being still under way.
    pub fn is_ready(&self) -> bool {
        self.provisioning_state.eq_ignore_ascii_case("Succeeded")
    }
}
