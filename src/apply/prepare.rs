//! (Desired, Azure) -> what is there and what is to be done: the look before an apply. Sends no write.

use crate::azure::{Azure, Failure};
use crate::model::{Desired, KeyRef, Observed};
use crate::observe;
use crate::plan::{Plan, closing, plan, revoking, shares_vaults, subscriptions};
use futures::future::try_join;
use std::collections::BTreeSet;

/// Observes and plans; where something is to be sent, looks at the locks in its way and at who else uses the vaults that
/// it touches, and plans again. Where versions of keys are to be disabled, or access is to be taken away, looks first at who
/// uses them.
///
/// These are looked at last because an estate that is as it should be has no use for them:
/// the most common run of all sends not one request more. A vault that is to be made has no other users.
pub async fn prepare(desired: &Desired, azure: &Azure) -> Result<(Observed, Plan), Failure> {
    let mut observed = observe::observe(desired, azure).await?;
    let (closing, revoking) = (closing(desired, &observed), revoking(desired, &observed));
    if !(closing.is_empty() && revoking.is_empty()) {
        let all = observe::sweep(azure, &desired.subscriptions()).await?;
        let of_key = |(key, host): (KeyRef, String)| (key.clone(), all.of(&host, key.name.as_str()));
        observed.users = closing.into_iter().map(of_key).collect();
        observed.vault_users = revoking.into_iter().map(|(vault, host)| (vault, all.at(&host))).collect();
    }
    let first = plan(desired, &observed);
    let written = subscriptions(&first);
    if written.is_empty() {
        return Ok((observed, first));
    }
    let crowded = if shares_vaults(&first, &observed) { written.clone() } else { BTreeSet::new() };
    (observed.locks, observed.outsiders) =
        try_join(observe::locks(&written, azure), observe::outsiders(desired, &crowded, azure)).await?;
    let second = plan(desired, &observed);
    Ok((observed, second))
}
