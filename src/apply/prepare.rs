//! (Desired, Azure) -> what is there and what is to be done: the look before an apply. Sends no write.

use crate::azure::{Azure, Failure};
use crate::model::{Desired, Observed};
use crate::observe;
use crate::plan::{Plan, plan, subscriptions};

/// Observes and plans; where something is to be sent, looks at the locks in its way and plans again.
///
/// Locks are looked at last because an estate that is as it should be has no use for them:
/// the most common run of all sends not one request more.
pub async fn prepare(desired: &Desired, azure: &Azure) -> Result<(Observed, Plan), Failure> {
    let mut observed = observe::observe(desired, azure).await?;
    let first = plan(desired, &observed);
    let written = subscriptions(&first);
    if written.is_empty() {
        return Ok((observed, first));
    }
    observed.locks = observe::locks(&written, azure).await?;
    let second = plan(desired, &observed);
    Ok((observed, second))
}
