//! A search through subscriptions for accounts that are bound to customer-managed keys, and for the vaults. Reads only.

use super::look;
use crate::azure::{Azure, Failure, Kind, accounts, identities, page, vaults};
use crate::model::{Found, FoundAccount, SeenAccount, SubscriptionId, Unseen};
use futures::future::try_join_all;

/// Searches subscriptions. What may not be seen is told and no failure.
pub async fn found(azure: &Azure, subscriptions: &[SubscriptionId]) -> Result<Found, Failure> {
    let mut found = Found::default();
    for id in subscriptions {
        let seen = page::all(azure, accounts::list(id), accounts::read).await;
        let seen = found.told(seen, format!("the accounts of subscription {id}"), accounts::READ)?;
        found.accounts += seen.len();
        for account in seen.into_iter().filter(|account| account.encryption.binding.is_some()) {
            found.add(account);
        }
    }
    for id in subscriptions {
        let seen = page::all(azure, vaults::list(id), vaults::read).await;
        let listed = found.told(seen, format!("the vaults of subscription {id}"), vaults::READ)?;
        // Who may use a vault's keys by role is not in a list.
        let used: Vec<_> = listed.into_iter().filter(|vault| found.uses(&vault.host)).collect();
        let looks = used
            .into_iter()
            .map(async |listed| Ok(look::vault(azure, &listed.id).await?.known().cloned().unwrap_or(listed)));
        found.vaults.extend(try_join_all(looks).await?);
    }
    found.bound.sort_by(|a, b| a.account.id.cmp(&b.account.id));
    Ok(found)
}

impl Found {
    fn told<T>(&mut self, seen: Result<Vec<T>, Failure>, what: String, permission: &str) -> Result<Vec<T>, Failure> {
        match seen {
            Err(failure) if matches!(failure.kind, Kind::Denied | Kind::NotFound) => {
                self.unseen.push(Unseen { what, why: failure.summary(), permission: permission.to_owned() });
                Ok(vec![])
            }
            seen => seen,
        }
    }

    fn add(&mut self, account: SeenAccount) {
        let by = account.encryption.binding.as_ref().and_then(|binding| binding.user_assigned_identity.clone());
        match by.as_deref().map(identities::id).transpose() {
            Ok(identity) => self.bound.push(FoundAccount { account, identity }),
            Err(why) => {
                let what = format!("the identity of account {}", account.id.name);
                self.unseen.push(Unseen { what, why, permission: identities::READ.to_owned() });
            }
        }
    }

    fn uses(&self, host: &str) -> bool {
        let bindings = self.bound.iter().filter_map(|one| one.account.encryption.binding.as_ref());
        bindings.into_iter().any(|binding| binding.vault_host.eq_ignore_ascii_case(host))
    }
}
