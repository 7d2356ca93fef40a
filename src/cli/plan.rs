//! `cmk plan`: looks, plans and prints; sends no write.

use super::context::{Context, block_on};
use super::exit::{Exit, Trouble};
use super::surfaces::Surfaces;
use super::{interrupt, session};
use crate::plan::Plan;
use crate::report::verdict::PlanVerdict;

/// Shows the plan of a spec.
pub(super) fn run(context: &mut Context, spec: &str, surfaces: &Surfaces, is_detailed: bool) -> Result<Exit, Trouble> {
    let (_, desired) = session::desired(context, spec)?;
    surfaces.check()?;
    let azure = context.azure()?;
    let stderr = context.output.stderr.clone();
    let (observed, plan) = block_on(async {
        let stop = interrupt::listen(stderr.clone(), None);
        session::look(&desired, &azure, stop, &stderr).await
    })??;
    surfaces.show(context, &azure, &plan, &observed)?;
    Ok(exit(&plan, is_detailed))
}

/// The exit code of a plan. A plan that could not see everything must not pass for "nothing to do" where the caller
/// asked for the difference.
fn exit(plan: &Plan, is_detailed: bool) -> Exit {
    match PlanVerdict::of(plan) {
        PlanVerdict::Refused => Exit::Refused,
        PlanVerdict::Steps if is_detailed => Exit::StepsWaiting,
        PlanVerdict::Unjudged if is_detailed => Exit::Error,
        PlanVerdict::Steps | PlanVerdict::Unjudged | PlanVerdict::NothingToDo => Exit::Good,
    }
}
