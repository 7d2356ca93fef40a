//! Managed identities: what can be asked for, what a look at one shows, and as whom an account reaches its key.

use super::estate::Observed;
use super::ids::{AccountId, IdentityId, Location};
use super::seen::Seen;
use std::collections::BTreeSet;
use std::fmt;

/// As whom an account reaches its key. Named by the spec's ids; the principal is for Azure to choose.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// The identity that lives and dies with this account.
    System(AccountId),
    /// An identity of its own, which several accounts may share.
    User(IdentityId),
}

impl Who {
    /// Its short name: the account's, or the identity's own.
    pub fn name(&self) -> &str {
        match self {
            Self::System(account) => account.name.as_str(),
            Self::User(identity) => identity.name.as_str(),
        }
    }

    /// The principal id, when it was seen.
    pub fn principal<'a>(&self, observed: &'a Observed) -> Option<&'a str> {
        match self {
            Self::System(account) => {
                observed.accounts.get(&account.name).and_then(Seen::known)?.identity.system_principal.as_deref()
            }
            Self::User(id) => Some(&observed.identities.get(id).and_then(Seen::known)?.principal),
        }
    }

    /// The tenant that it is of, when that was seen.
    pub fn tenant<'a>(&self, observed: &'a Observed) -> Option<&'a str> {
        match self {
            Self::System(account) => {
                observed.accounts.get(&account.name).and_then(Seen::known)?.identity.tenant.as_deref()
            }
            Self::User(id) => observed.identities.get(id).and_then(Seen::known)?.tenant.as_deref(),
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(account) => write!(f, "the system-assigned identity of account {}", account.name),
            Self::User(identity) => write!(f, "the user-assigned identity {}", identity.name),
        }
    }
}

/// The identities that an account is to have. None of either kind: as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identities {
    /// Whether it is to have one of its own.
    pub system: bool,
    /// The user-assigned ones.
    pub user: BTreeSet<IdentityId>,
}

impl Identities {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        !self.system && self.user.is_empty()
    }

    /// Each of them, for an account.
    pub fn of<'a>(&'a self, account: &'a AccountId) -> impl Iterator<Item = Who> + 'a {
        let own = self.system.then(|| Who::System(account.clone()));
        own.into_iter().chain(self.user.iter().cloned().map(Who::User))
    }

    /// ARM's word for what an account has that has these.
    pub fn kind(&self) -> &'static str {
        kind(self.system, !self.user.is_empty())
    }
}

/// ARM's word for having an identity of one's own, and user-assigned ones, in its own spelling: no space after the comma.
pub(super) fn kind(system: bool, user: bool) -> &'static str {
    match (system, user) {
        (true, false) => "SystemAssigned",
        (true, true) => "SystemAssigned,UserAssigned",
        (false, true) => "UserAssigned",
        (false, false) => "None",
    }
}

/// A user-assigned identity that should be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Where it is.
    pub id: IdentityId,
    /// The region to make it in.
    pub location: Option<Location>,
    /// Whether to make it when it is absent.
    pub create: bool,
}

/// A user-assigned identity as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenUserIdentity {
    /// Its principal (object) id.
    pub principal: String,
    /// Its client (application) id.
    pub client: Option<String>,
    /// Its tenant.
    pub tenant: Option<String>,
}
