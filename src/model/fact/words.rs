//! The words for facts: the thing that each is about, and what it says.

use super::Fact;
use crate::model::account::VersionRule;
use crate::model::identity::Who;
use crate::model::ids::KeyRef;
use std::fmt;

impl Fact {
    /// The thing that has to be looked at to check the fact, in the words of plans: `vault kv-prod`.
    pub fn subject(&self) -> String {
        match self {
            Self::GroupLive(group) => format!("resource group {}", group.name),
            Self::VaultLive(vault)
            | Self::PurgeProtected(vault)
            | Self::Audited(vault, _)
            | Self::CanUnwrap(_, KeyRef { vault, .. }, _)
            | Self::NoAccess(_, vault) => {
                format!("vault {vault}")
            }
            Self::KeyLive(key)
            | Self::KeyHolds(key, _)
            | Self::KeyUsable(key, _)
            | Self::KeyEnabled(key, _)
            | Self::VersionDisabled(key, _)
            | Self::KeyMarked(key, _)
            | Self::RotatesBy(key, _)
            | Self::RotatedSince(key, _)
            | Self::Retirable(key, ..) => format!("key {key}"),
            Self::IdentityLive(identity) => format!("identity {}", identity.name),
            Self::AccountLive(account)
            | Self::Attached(account, _)
            | Self::Detached(account, _)
            | Self::NotReachedAs(account, _)
            | Self::MicrosoftManaged(account)
            | Self::BoundTo(account, ..)
            | Self::NotUnder(account, ..)
            | Self::PinnedSince(account, ..)
            | Self::EncryptedWith(account, ..) => {
                format!("account {account}")
            }
            Self::NoScopeUnderKey(account) => format!("the encryption scopes of account {account}"),
        }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GroupLive(group) => write!(f, "resource group {} exists", group.name),
            Self::Audited(vault, sinks) => {
                let all: Vec<String> = sinks.iter().map(ToString::to_string).collect();
                write!(f, "the audit log of vault {vault} goes to {}", all.join(", "))
            }
            Self::VaultLive(vault) => write!(f, "vault {vault} is ready"),
            Self::PurgeProtected(vault) => write!(f, "vault {vault} has soft delete and purge protection"),
            Self::KeyLive(key) => write!(f, "key {key} exists"),
            Self::KeyHolds(key, thumbprint) => write!(f, "key {key} is the one with the thumbprint {thumbprint}"),
            Self::KeyUsable(key, VersionRule::Exact(version)) => write!(f, "key {key} version {version} can be used"),
            Self::KeyUsable(key, VersionRule::Latest | VersionRule::Auto) => write!(f, "key {key} can be used"),
            Self::KeyEnabled(key, version) => write!(f, "key {key} version {version} still unwraps"),
            Self::VersionDisabled(key, version) => write!(f, "key {key} version {version} is disabled"),
            Self::KeyMarked(key, _) => write!(f, "key {key} bears its dates and tags"),
            Self::RotatesBy(key, _) => write!(f, "Key Vault rotates key {key} by itself"),
            Self::RotatedSince(key, since) => write!(f, "key {key} has a version of {since} or later"),
            Self::Retirable(key, version, _) => write!(f, "nobody needs key {key} version {version} any more"),
            Self::NotUnder(account, key, version) => write!(f, "account {account} is off {key} version {version}"),
            Self::PinnedSince(account, key, since) => {
                write!(f, "account {account} is pinned to a version of {key} of {since} or later")
            }
            Self::AccountLive(account) => write!(f, "account {account} is ready"),
            Self::IdentityLive(identity) => write!(f, "identity {} exists", identity.name),
            Self::Attached(account, Who::System(_)) => write!(f, "account {account} has a system-assigned identity"),
            Self::Attached(account, Who::User(id)) => write!(f, "account {account} has the identity {}", id.name),
            Self::Detached(account, Who::System(_)) => write!(f, "account {account} has no system-assigned identity"),
            Self::Detached(account, Who::User(id)) => {
                write!(f, "account {account} does not have the identity {}", id.name)
            }
            Self::NotReachedAs(account, Who::System(_)) => {
                write!(f, "account {account} reaches no key as its system-assigned identity")
            }
            Self::NotReachedAs(account, Who::User(id)) => {
                write!(f, "account {account} reaches no key as {}", id.name)
            }
            Self::NoScopeUnderKey(account) => write!(f, "no encryption scope of account {account} is under a key"),
            Self::NoAccess(who, vault) => {
                write!(f, "{} has no access to the keys of {vault}", in_short(who))
            }
            Self::MicrosoftManaged(account) => {
                write!(f, "account {account} is encrypted with a key that Microsoft manages")
            }
            Self::CanUnwrap(who, key, permissions) => {
                let names: Vec<&str> = permissions.iter().map(|permission| permission.as_str()).collect();
                write!(f, "{} may {} with {key}", in_short(who), names.join(", "))
            }
            Self::BoundTo(account, key, rule) => match rule {
                VersionRule::Latest => write!(f, "account {account} is bound to the newest version of {key}"),
                VersionRule::Auto => write!(f, "account {account} is bound to {key} and follows it"),
                VersionRule::Exact(version) => write!(f, "account {account} is bound to {key} version {version}"),
            },
            Self::EncryptedWith(account, key, rule, who) => {
                match rule {
                    VersionRule::Latest => write!(f, "account {account} is encrypted with the newest version of {key}"),
                    VersionRule::Auto => write!(f, "account {account} follows {key}"),
                    VersionRule::Exact(version) => {
                        write!(f, "account {account} is encrypted with {key} version {version}")
                    }
                }?;
                match who {
                    Who::System(_) => Ok(()),
                    Who::User(identity) => write!(f, ", as {}", identity.name),
                }
            }
        }
    }
}

fn in_short(who: &Who) -> String {
    match who {
        Who::System(account) => format!("the identity of {}", account.name),
        Who::User(identity) => format!("the identity {}", identity.name),
    }
}
