//! A search through subscriptions for accounts that are bound to customer-managed keys, and for the vaults. Reads only.

use super::look;
use super::users::{all_accounts, unless_hidden};
use crate::azure::{Azure, Failure, identities, page, vaults};
use crate::model::{Found, FoundAccount, SeenAccount, SubscriptionId, Unseen};
use futures::future::try_join_all;

/// Searches subscriptions. What may not be seen is told and no failure.
pub async fn found(azure: &Azure, subscriptions: &[SubscriptionId]) -> Result<Found, Failure> {
    let mut found = Found::default();
    for id in subscriptions {
        let seen = found.told(all_accounts(azure, id).await?);
        found.accounts += seen.len();
        for account in seen.into_iter().filter(|account| account.encryption.binding.is_some()) {
            found.add(account);
        }
    }
    for id in subscriptions {
        let seen = page::all(azure, vaults::list(id), vaults::read).await;
        let listed = found.told(unless_hidden(seen, || format!("the vaults of subscription {id}"), vaults::READ)?);
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
    /// What was seen of a list; one that may not be seen is told.
    fn told<T>(&mut self, seen: Result<Vec<T>, Unseen>) -> Vec<T> {
        seen.unwrap_or_else(|unseen| {
            self.unseen.push(unseen);
            vec![]
        })
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
