//! The two halves that a plan compares: what is desired and what was observed.

use super::account::{AccountCreate, SeenAccount, VersionRule};
use super::audit::{SeenSetting, Sink};
use super::grant::{GrantScope, KeyPermission};
use super::identity::{Identities, Identity, SeenUserIdentity, Who};
use super::ids::{
    AccountId, AccountName, GroupId, IdentityId, KeyName, KeyRef, Location, SubscriptionId, VaultId, VaultName,
};
use super::key::{KeyCreate, SeenKey, Timestamp};
use super::life::KeyLife;
use super::own::KeyImport;
use super::seen::Seen;
use super::usage::{KeyUsers, Outsider, SeenScope, Sweep};
use super::vault::{PermissionModel, SeenVault, VaultCreate};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What should be true: a spec with its references resolved and its defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Desired {
    /// The resource groups that the spec names.
    pub groups: BTreeMap<GroupId, Group>,
    /// The vaults, by their globally unique names.
    pub vaults: BTreeMap<VaultName, Vault>,
    /// The user-assigned identities.
    pub identities: BTreeMap<IdentityId, Identity>,
    /// The accounts, by their globally unique names.
    pub accounts: BTreeMap<AccountName, Account>,
    /// The rules that the spec lifts or sets.
    pub policy: Policy,
    /// What the spec itself says yes to.
    pub accepts: Vec<SpecAccept>,
}

/// A yes that the spec gives to something that cannot be undone, of a thing that the spec makes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpecAccept {
    /// The thing, in lower case: `vault/kv-prod`.
    pub object: String,
    /// The first moment at which it no longer counts.
    pub ends: Timestamp,
    /// The last day on which it counts, as it is written: `2026-12-31`.
    pub until: String,
}

/// A resource group that should be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The region to make it in.
    pub location: Option<Location>,
    /// Whether to make it when it is absent.
    pub create: bool,
}

/// A vault that should be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vault {
    /// Where it is.
    pub id: VaultId,
    /// The region to make it in.
    pub location: Option<Location>,
    /// How to make it when it is absent.
    pub create: Option<VaultCreate>,
    /// Whether to bring it back when it was deleted and still holds its name.
    pub recover: bool,
    /// Whether purge protection should be on. Nothing: leave it as it is.
    pub purge_protection: Option<bool>,
    /// Where its audit log should go, beside anywhere that it goes. Nothing: leave it as it is.
    pub audit: BTreeSet<Sink>,
    /// Who should decide about access.
    pub permission_model: Option<PermissionModel>,
    /// The keys that should be in it.
    pub keys: BTreeMap<KeyName, Key>,
}

/// A key that should be in a vault.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// How to make it when it is absent.
    pub create: Option<KeyCreate>,
    /// The material that it is made of; nothing: Key Vault makes it.
    pub import: Option<KeyImport>,
    /// Whether to bring it back when it was deleted and still holds its name.
    pub recover: bool,
    /// What should be true of it beyond its being there.
    pub life: KeyLife,
}

impl fmt::Debug for Key {
    /// As derived, but for what is not said: plans are bound to this text, and those of older specs stay what they are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { create, import, recover, life } = self;
        let mut all = f.debug_struct("Key");
        all.field("create", create);
        if let Some(import) = import {
            all.field("import", import);
        }
        all.field("recover", recover).field("life", life).finish()
    }
}

/// An account that should be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Where it is.
    pub id: AccountId,
    /// The region to make it in.
    pub location: Option<Location>,
    /// How to make it when it is absent.
    pub create: Option<AccountCreate>,
    /// The identities that it should have beside those it has. None: leave it as it is.
    pub identity: Identities,
    /// The identities that it should have no more.
    pub removes: Identities,
    /// The key that should protect it. Nothing: leave it as it is.
    pub encryption: Option<Encryption>,
    /// Whether it should be able to use that key.
    pub access: Access,
    /// Whether it should go back to a key that Microsoft manages. Only when the spec says so in so many words.
    pub leaves_key: bool,
}

/// Whether an account should be able to use its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// It should.
    #[default]
    Granted,
    /// It should not: its data is to be out of reach.
    Revoked,
}

/// The key that should protect an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encryption {
    /// The key.
    pub key: KeyRef,
    /// Which version of it.
    pub version: VersionRule,
    /// As whom the account is to reach it.
    pub who: Who,
    /// What that identity is to be allowed to do with the vault's keys.
    pub permissions: BTreeSet<KeyPermission>,
    /// How far the grant is to reach where role assignments decide. Nothing said: the key alone.
    pub scope: Option<GrantScope>,
}

/// Rules that a spec may lift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Whether an account and its vault must be in the same region, as Microsoft's guide demands.
    pub same_region: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self { same_region: true }
    }
}

impl Desired {
    /// The desired key by its reference.
    pub fn key(&self, key: &KeyRef) -> Option<&Key> {
        self.vaults.get(&key.vault)?.keys.get(&key.name)
    }

    /// The subscriptions of everything desired.
    pub fn subscriptions(&self) -> BTreeSet<SubscriptionId> {
        let groups = self.groups.keys();
        let vaults = self.vaults.values().map(|vault| &vault.id.group);
        let identities = self.identities.keys().map(|id| &id.group);
        let accounts = self.accounts.values().map(|account| &account.id.group);
        groups.chain(vaults).chain(identities).chain(accounts).map(|group| group.subscription.clone()).collect()
    }

    /// All desired keys with their references, in order.
    pub fn keys(&self) -> impl Iterator<Item = (KeyRef, &Key)> {
        self.vaults.iter().flat_map(|(vault, wanted)| {
            wanted.keys.iter().map(|(name, key)| (KeyRef { vault: vault.clone(), name: name.clone() }, key))
        })
    }
}

/// What was seen of all that the desired state speaks of, and when.
///
/// Every thing that `Desired` names has an entry; a missing one means that nobody looked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    /// The newest `Date` with which Azure answered: the only "now" that counts.
    pub at: Timestamp,
    /// Subscriptions, looked at only when something is to be created in them.
    pub subscriptions: BTreeMap<SubscriptionId, Seen<SeenSubscription>>,
    /// The resource groups.
    pub groups: BTreeMap<GroupId, Seen<SeenGroup>>,
    /// The vaults.
    pub vaults: BTreeMap<VaultName, Seen<SeenVault>>,
    /// For vaults that are absent and would be created: whether their names are free.
    pub vault_names: BTreeMap<VaultName, Seen<NameState>>,
    /// The keys.
    pub keys: BTreeMap<KeyRef, Seen<SeenKey>>,
    /// The user-assigned identities.
    pub identities: BTreeMap<IdentityId, Seen<SeenUserIdentity>>,
    /// The accounts.
    pub accounts: BTreeMap<AccountName, Seen<SeenAccount>>,
    /// For accounts that are absent and would be created: whether their names are free.
    pub account_names: BTreeMap<AccountName, Seen<NameState>>,
    /// For keys that are absent and would be created in a vault that is there: whether a deleted key holds the name.
    pub deleted_keys: BTreeMap<KeyRef, Seen<SeenDeletedKey>>,
    /// The locks in each subscription that a plan would write to, looked at only when there is such a plan.
    pub locks: BTreeMap<SubscriptionId, Seen<Vec<SeenLock>>>,
    /// The accounts in each subscription that the spec does not name and that are bound to a key of one's own, looked at
    /// only when a plan touches a vault that others may use, and nobody looks at all users anyway.
    pub outsiders: BTreeMap<SubscriptionId, Seen<Vec<Outsider>>>,
    /// The encryption scopes of accounts that are to lose an identity which they have, or to reach their keys as another,
    /// looked at only then.
    pub scopes: BTreeMap<AccountName, Seen<Vec<SeenScope>>>,
    /// Who uses any key at all, encryption scopes included, over all subscriptions of the spec. Nothing where nobody looked:
    /// that is done only when something is to be closed, or somebody asks for it. For whoever reads a plan; no step rests on it.
    pub sweep: Option<Sweep>,
    /// The diagnostic settings of vaults whose audit log the spec speaks of.
    pub audits: BTreeMap<VaultName, Seen<Vec<SeenSetting>>>,
    /// Who uses keys of which versions are to be disabled, over all subscriptions of the spec, looked at only then.
    pub users: BTreeMap<KeyRef, KeyUsers>,
    /// Who uses any key of the vaults in which access is to be taken away, over all subscriptions of the spec, looked at
    /// only then.
    pub vault_users: BTreeMap<VaultName, KeyUsers>,
}

/// A subscription as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenSubscription {
    /// The tenant that it trusts: a new vault's tenant.
    pub tenant: String,
}

/// A resource group as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenGroup {
    /// Its region.
    pub location: Location,
    /// ARM's provisioning state: `Succeeded`, `Deleting`.
    pub provisioning_state: String,
}

/// Whether a globally unique name can be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameState {
    /// Nobody holds it.
    Free,
    /// Somebody holds it, perhaps in another tenant; what Azure said about it.
    Taken(String),
    /// A deleted vault holds it until it is recovered or its time is over.
    SoftDeleted(SeenDeletedVault),
    /// Nobody can say: the subscription has not registered the resource provider that keeps such names.
    Unregistered {
        /// The provider: `Microsoft.Storage`.
        provider: &'static str,
    },
}

/// A vault between its deletion and its purge, as it was seen. What it holds nobody can see.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SeenDeletedVault {
    /// When it is purged by itself and its name becomes free, as Azure stated it.
    pub scheduled_purge: Option<String>,
    /// Where it was, and is again once it is recovered.
    pub was: Option<VaultId>,
    /// Its region.
    pub location: Option<Location>,
}

/// A key between its deletion and its purge, as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenDeletedKey {
    /// When it is purged by itself and its name becomes free.
    pub scheduled_purge: Option<Timestamp>,
    /// Whether it belongs to a certificate, and comes back with that alone.
    pub of_certificate: bool,
}

/// A management lock as it was seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeenLock {
    /// The ARM id of what it locks, with all that is below: a subscription, a group or a resource.
    pub scope: String,
    /// Its name.
    pub name: String,
    /// ARM's level: `ReadOnly`, `CanNotDelete`.
    pub level: String,
    /// What its maker wrote on it.
    pub notes: Option<String>,
}
