//! The nouns: what is wanted, what was seen, and what can be said of it.
//!
//! Plain data. Nothing here does IO, reads a clock or knows a wire format.

pub mod account;
pub mod audit;
pub mod estate;
pub mod fact;
pub mod found;
pub mod grant;
pub mod guard;
pub mod identity;
pub mod ids;
pub mod key;
pub mod life;
pub mod own;
pub mod seen;
mod stairs;
pub mod text;
pub mod usage;
pub mod vault;

pub use account::{AccountCreate, Binding, SeenAccount, SeenEncryption, SeenIdentity, VersionRule};
pub use estate::{
    Access, Account, Desired, Encryption, Group, Key, NameState, Observed, Policy, SeenDeletedKey, SeenDeletedVault,
    SeenGroup, SeenLock, SeenSubscription, SpecAccept, Vault,
};
pub use fact::{Check, Fact};
pub use found::{Found, FoundAccount};
pub use grant::{AccessPolicy, ENCRYPTION_USER, GrantScope, KeyPermission, RoleAssignment};
pub use guard::{Guard, Pattern};
pub use identity::{Identities, Identity, SeenUserIdentity, Who};
pub use ids::{
    AccountId, AccountName, BadName, GroupId, GroupName, IdentityId, IdentityName, KeyName, KeyRef, Location,
    SubscriptionId, VaultId, VaultName, Version,
};
pub use key::{KeyCreate, KeyType, KeyVersion, SeenKey, Timestamp};
pub use life::{Enabled, KeyLife, Marks, Period, Rotation, SeenRotation};
pub use own::{KeyImport, MaterialSource, Thumbprint};
pub use seen::{HiddenReason, Seen};
pub use usage::{Bound, KeyUser, KeyUsers, Outsider, SeenScope, Sweep, Unseen};
pub use vault::{MayUse, PermissionModel, SeenVault, VaultCreate, VaultSku};
