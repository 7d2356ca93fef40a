//! (Desired, Azure) -> what is there and what is to be done: the look before an apply. Sends no write.

use crate::azure::{Azure, Failure};
use crate::model::{Desired, KeyRef, Observed, SubscriptionId};
use crate::observe;
use crate::plan::{Plan, closing, plan, revoking, shares_vaults, subscriptions};
use futures::future::try_join;
use std::collections::BTreeSet;

/// How far is looked for others who use the vaults that a plan touches. It changes what a plan shows, and no step of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// At the accounts: one list a subscription.
    Accounts,
    /// At the encryption scopes too: one list more for each account that has an identity.
    EncryptionScopes,
}

/// Observes and plans; where something is to be sent, looks at the locks in its way and at who else uses the vaults that
/// it touches, and plans again. Where versions of keys are to be disabled, or access is to be taken away, looks first at who
/// uses them.
///
/// These are looked at last because an estate that is as it should be has no use for them:
/// the most common run of all sends not one request more. A vault that is to be made has no other users.
pub async fn prepare(desired: &Desired, azure: &Azure, sight: Sight) -> Result<(Observed, Plan), Failure> {
    let mut observed = observe::observe(desired, azure).await?;
    let (closing, revoking) = (closing(desired, &observed), revoking(desired, &observed));
    if !(closing.is_empty() && revoking.is_empty()) {
        let all = observe::sweep(azure, &desired.subscriptions()).await?;
        let of_key = |(key, host): (KeyRef, String)| (key.clone(), all.of(&host, key.name.as_str()));
        observed.users = closing.into_iter().map(of_key).collect();
        observed.vault_users = revoking.into_iter().map(|(vault, host)| (vault, all.at(&host))).collect();
        observed.sweep = Some(all);
    }
    let first = plan(desired, &observed);
    let written = subscriptions(&first);
    if written.is_empty() {
        return Ok((observed, first));
    }
    let is_shared = shares_vaults(&first, &observed);
    let looking = look_beside(desired, azure, &mut observed, is_shared.then_some(sight), &written);
    let ((), locks) = try_join(looking, observe::locks(&written, azure)).await?;
    observed.locks = locks;
    let second = plan(desired, &observed);
    Ok((observed, second))
}

/// Looks who else uses vaults that others may use, as far as is wished and nobody has looked yet.
async fn look_beside(
    desired: &Desired,
    azure: &Azure,
    observed: &mut Observed,
    sight: Option<Sight>,
    written: &BTreeSet<SubscriptionId>,
) -> Result<(), Failure> {
    match sight {
        Some(_) if observed.sweep.is_some() => {}
        Some(Sight::EncryptionScopes) => {
            observed.sweep = Some(observe::sweep(azure, &desired.subscriptions()).await?);
        }
        Some(Sight::Accounts) => observed.outsiders = observe::outsiders(desired, written, azure).await?,
        None => {}
    }
    Ok(())
}
