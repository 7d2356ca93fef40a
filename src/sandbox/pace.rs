//! How long Azure takes over things. Every wait of the sandbox is named here.

use serde::{Deserialize, Serialize};

/// The delays of the sandbox, all in milliseconds, and whether it throttles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// From the PUT of a storage account until it is `Succeeded`.
    pub account_creation: i64,
    /// From the PUT of a vault until its name resolves.
    pub vault_dns: i64,
    /// From the moment a grant is written until the vault honours it.
    pub grant_propagation: i64,
    /// From the birth of an identity until it is known to those who assign roles.
    pub principal_replication: i64,
    /// From deleting a key until the deleted key can be seen, and from recovering it until the key can.
    pub deleted_object: i64,
    /// From a new key version until accounts bound without a version take it up by themselves.
    pub version_pickup: i64,
    /// How long a token is good for.
    pub token_lifetime: i64,
    /// Whether Resource Manager throttles, at the rates that Azure publishes.
    pub throttling: bool,
}

impl Pace {
    /// Short, but long enough that a program which does not wait is caught.
    #[must_use]
    pub const fn practice() -> Self {
        Self {
            account_creation: 1_500,
            vault_dns: 1_000,
            grant_propagation: 2_500,
            principal_replication: 2_000,
            deleted_object: 1_000,
            version_pickup: 5_000,
            token_lifetime: 3_599_000,
            throttling: true,
        }
    }

    /// What Azure has been seen to take.
    #[must_use]
    pub const fn azure() -> Self {
        Self {
            account_creation: 17_500,
            vault_dns: 20_000,
            grant_propagation: 90_000,
            principal_replication: 20_000,
            deleted_object: 15_000,
            version_pickup: 86_400_000,
            token_lifetime: 3_599_000,
            throttling: true,
        }
    }

    /// No waits at all, for tests about something else. Versions are never picked up unasked.
    #[must_use]
    pub const fn instant() -> Self {
        Self {
            account_creation: 0,
            vault_dns: 0,
            grant_propagation: 0,
            principal_replication: 0,
            deleted_object: 0,
            version_pickup: i64::MAX,
            token_lifetime: 3_599_000,
            throttling: false,
        }
    }

    /// What a `Retry-After` header says about a wait, in whole seconds.
    pub(super) const fn retry_after(wait: i64) -> i64 {
        wait.saturating_add(999).div_euclid(1000)
    }
}
