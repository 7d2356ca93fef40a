//! Who uses a key, over whole subscriptions. Storage alone: disks, databases and others may use a key too.

use crate::azure::{Azure, Failure, Kind, accounts, page, scopes};
use crate::model::{
    AccountId, Bound, Desired, HiddenReason, KeyUser, KeyUsers, Outsider, Seen, SeenAccount, SeenScope, SubscriptionId,
    Sweep, Timestamp, Unseen, Who,
};
use futures::future::try_join_all;
use std::collections::{BTreeMap, BTreeSet};

/// Finds the accounts and encryption scopes that are bound to a key of a vault. Fails as [`sweep`] does.
pub async fn users(
    azure: &Azure,
    host: &str,
    key: &str,
    subscriptions: &[SubscriptionId],
) -> Result<KeyUsers, Failure> {
    Ok(sweep(azure, subscriptions).await?.of(host, key))
}

/// Looks at every account and encryption scope of subscriptions.
///
/// Fails when nothing could be said. A subscription or a list of scopes that may not be seen is told.
pub async fn sweep<'s>(
    azure: &Azure,
    subscriptions: impl IntoIterator<Item = &'s SubscriptionId>,
) -> Result<Sweep, Failure> {
    let mut found = Sweep::default();
    for looked in try_join_all(subscriptions.into_iter().map(|id| all_accounts(azure, id))).await? {
        match looked {
            Ok(seen) => {
                found.accounts += seen.len();
                for (users, unseen) in try_join_all(seen.iter().map(|account| of_account(azure, account))).await? {
                    found.bound.extend(users);
                    found.unseen.extend(unseen);
                }
            }
            Err(unseen) => found.unseen.push(unseen),
        }
    }
    found.unseen.sort();
    Ok(found)
}

/// Finds the accounts of subscriptions that the spec does not name and that are bound to a customer-managed key.
///
/// One list a subscription; their encryption scopes are not looked at.
pub async fn outsiders(
    desired: &Desired,
    subscriptions: &BTreeSet<SubscriptionId>,
    azure: &Azure,
) -> Result<BTreeMap<SubscriptionId, Seen<Vec<Outsider>>>, Failure> {
    let looks = subscriptions.iter().map(async |id| {
        let seen = match page::all(azure, accounts::list(id), accounts::read).await {
            Ok(accounts) => Seen::Known(accounts.into_iter().filter_map(|seen| outsider(desired, seen)).collect()),
            Err(failure) if matches!(failure.kind, Kind::Denied | Kind::NotFound) => {
                Seen::Hidden(HiddenReason { what: failure.summary(), permission: Some(accounts::READ.to_owned()) })
            }
            // One that nobody asked for and that cannot be read stops no plan.
            Err(failure) if failure.kind == Kind::Unintelligible => {
                Seen::Hidden(HiddenReason { what: failure.summary(), permission: None })
            }
            Err(failure) => return Err(failure),
        };
        Ok((id.clone(), seen))
    });
    Ok(try_join_all(looks).await?.into_iter().collect())
}

fn outsider(desired: &Desired, seen: SeenAccount) -> Option<Outsider> {
    let binding = seen.encryption.binding.filter(|_| !desired.accounts.contains_key(&seen.id.name))?;
    Some(Outsider { account: seen.id, vault_host: binding.vault_host, key: binding.key })
}

/// What may not be seen is told and no failure.
pub(super) fn unless_hidden<T>(
    result: Result<T, Failure>,
    what: impl FnOnce() -> String,
    permission: &str,
) -> Result<Result<T, Unseen>, Failure> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(failure) if matches!(failure.kind, Kind::Denied | Kind::NotFound) => {
            Ok(Err(Unseen { what: what(), why: failure.summary(), permission: permission.to_owned() }))
        }
        Err(failure) => Err(failure),
    }
}

pub(super) async fn all_accounts(
    azure: &Azure,
    id: &SubscriptionId,
) -> Result<Result<Vec<SeenAccount>, Unseen>, Failure> {
    let seen = page::all(azure, accounts::list(id), accounts::read).await;
    unless_hidden(seen, || format!("subscription {id}"), accounts::READ)
}

async fn of_account(azure: &Azure, account: &SeenAccount) -> Result<(Vec<Bound>, Option<Unseen>), Failure> {
    let of_it = account.encryption.binding.as_ref().map(|binding| Bound {
        host: binding.vault_host.clone(),
        key: binding.key.clone(),
        user: KeyUser {
            account: account.id.clone(),
            scope: None,
            who: account.reaches_as(),
            pinned: binding.version.clone(),
            current: binding.current.clone(),
            moved: binding.rotated.as_deref().and_then(Timestamp::parse),
        },
    });
    let mut users: Vec<Bound> = of_it.into_iter().collect();
    // A scope reaches its key as the account's identity: without one there is none with a key of its own.
    if account.identity.system_principal.is_none() && account.identity.user_assigned.is_empty() {
        return Ok((users, None));
    }
    match all_scopes(azure, &account.id).await? {
        Ok(scopes) => {
            users.extend(scopes.into_iter().filter_map(|scope| of_scope(account, scope)));
            Ok((users, None))
        }
        Err(unseen) => Ok((users, Some(unseen))),
    }
}

fn of_scope(account: &SeenAccount, scope: SeenScope) -> Option<Bound> {
    let SeenScope { name, is_enabled: _, key, version: pinned, current, moved } = scope;
    let (host, key) = key?;
    // Azure names no identity at a scope: it is the account's, which is its own unless its encryption names another.
    let who = account.reaches_as().or_else(|| Some(Who::System(account.id.clone())));
    let user = KeyUser { account: account.id.clone(), scope: Some(name), who, pinned, current, moved };
    Some(Bound { host, key, user })
}

/// Looks at the encryption scopes of an account.
pub async fn scopes(azure: &Azure, account: &AccountId) -> Result<Seen<Vec<SeenScope>>, Failure> {
    Ok(match all_scopes(azure, account).await? {
        Ok(scopes) => Seen::Known(scopes),
        Err(Unseen { what: _, why, permission }) => {
            Seen::Hidden(HiddenReason { what: why, permission: Some(permission) })
        }
    })
}

async fn all_scopes(azure: &Azure, account: &AccountId) -> Result<Result<Vec<SeenScope>, Unseen>, Failure> {
    match page::all(azure, scopes::list(account), scopes::read).await {
        // Some kinds of accounts know no scopes.
        Err(failure) if failure.is("FeatureNotSupportedForAccount") => Ok(Ok(vec![])),
        seen => unless_hidden(seen, || format!("the encryption scopes of account {}", account.name), scopes::READ),
    }
}
