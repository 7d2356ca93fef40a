//! Who uses a key: accounts and their encryption scopes, whether a spec names them or not.

use super::identity::Who;
use super::ids::{AccountId, Version};
use super::key::Timestamp;
use std::fmt;

/// An encryption scope as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenScope {
    /// Its name.
    pub name: String,
    /// Whether data can be written under it.
    pub is_enabled: bool,
    /// The vault's host and the key's name; nothing when Microsoft manages its key.
    pub key: Option<(String, String)>,
    /// The version that it is pinned to.
    pub version: Option<Version>,
    /// The version in use, where Azure tells it.
    pub current: Option<Version>,
    /// When it last moved to another version, where Azure tells it.
    pub moved: Option<Timestamp>,
}

/// Somebody who uses a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyUser {
    /// The account.
    pub account: AccountId,
    /// The encryption scope of it; nothing when the account as a whole is bound to the key.
    pub scope: Option<String>,
    /// As whom it reaches the key; a scope does so as its account. Nothing when the identity is in no form that is known.
    pub who: Option<Who>,
    /// The version that it is pinned to; nothing when Azure follows the newest.
    pub pinned: Option<Version>,
    /// The version in use, where Azure tells it.
    pub current: Option<Version>,
    /// When it last moved to another version, where Azure tells it.
    pub moved: Option<Timestamp>,
}

impl fmt::Display for KeyUser {
    /// `account st1`, `scope hr of account st1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scope {
            None => write!(f, "account {}", self.account.name),
            Some(scope) => write!(f, "scope {scope} of account {}", self.account.name),
        }
    }
}

impl KeyUser {
    /// Whether it uses this version, or may: where Azure does not tell which is in use, an older one may be.
    pub fn may_use(&self, version: &Version) -> bool {
        self.current.as_ref().or(self.pinned.as_ref()).is_none_or(|used| used == version)
    }
}

/// An account that the spec does not name and that is bound to a customer-managed key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outsider {
    /// The account.
    pub account: AccountId,
    /// The vault's host.
    pub vault_host: String,
    /// The key's name.
    pub key: String,
}

/// Something that was not seen, and may hold users.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unseen {
    /// What: `subscription 1111…`, `the encryption scopes of account st1`.
    pub what: String,
    /// What Azure said.
    pub why: String,
    /// The permission that would show it.
    pub permission: String,
}

/// All that was found out about who uses a key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyUsers {
    /// The users, by account and scope.
    pub users: Vec<KeyUser>,
    /// What could not be seen.
    pub unseen: Vec<Unseen>,
    /// How many accounts were looked at.
    pub accounts: usize,
}

/// Whoever is bound to any key, over whole subscriptions: accounts and encryption scopes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sweep {
    /// The users, each with its key.
    pub bound: Vec<Bound>,
    /// What could not be seen.
    pub unseen: Vec<Unseen>,
    /// How many accounts were looked at.
    pub accounts: usize,
}

/// A user and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The vault's host.
    pub host: String,
    /// The key's name.
    pub key: String,
    /// Who is bound to it.
    pub user: KeyUser,
}

impl Sweep {
    /// Who uses a key of the vault at a host.
    pub fn of(&self, host: &str, key: &str) -> KeyUsers {
        self.who(|one| one.host.eq_ignore_ascii_case(host) && one.key.eq_ignore_ascii_case(key))
    }

    /// Who uses any key of the vault at a host.
    pub fn at(&self, host: &str) -> KeyUsers {
        self.who(|one| one.host.eq_ignore_ascii_case(host))
    }

    fn who(&self, is_meant: impl Fn(&Bound) -> bool) -> KeyUsers {
        let mut users: Vec<KeyUser> =
            self.bound.iter().filter(|one| is_meant(one)).map(|one| one.user.clone()).collect();
        users.sort();
        KeyUsers { users, unseen: self.unseen.clone(), accounts: self.accounts }
    }
}
