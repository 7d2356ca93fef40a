//! What a search through subscriptions found, of which a spec can be written.

use super::account::SeenAccount;
use super::ids::IdentityId;
use super::usage::Unseen;
use super::vault::SeenVault;

/// The accounts that are bound to customer-managed keys, and the vaults, as far as they could be seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The accounts that are bound to a key, by subscription, group and name.
    pub bound: Vec<FoundAccount>,
    /// How many accounts were looked at, bound or not.
    pub accounts: usize,
    /// The vaults.
    pub vaults: Vec<SeenVault>,
    /// What could not be seen, and may hold more.
    pub unseen: Vec<Unseen>,
}

/// An account that is bound to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundAccount {
    /// The account.
    pub account: SeenAccount,
    /// The user-assigned identity as which it reaches its key; nothing for its own.
    pub identity: Option<IdentityId>,
}
