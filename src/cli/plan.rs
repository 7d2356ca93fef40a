//! `cmk plan`: looks, plans and prints; sends no write.

use super::context::{Context, block_on};
use super::exit::{Exit, Trouble};
use super::guard::Guards;
use super::surfaces::Surfaces;
use super::{interrupt, receipt, session};
use crate::apply::Sight;
use crate::plan::Plan;
use crate::plan::approval::{self, Origin};
use crate::report::text::wrap;
use crate::report::verdict::PlanVerdict;
use std::path::PathBuf;

/// How a plan is to be shown, and what bounds it.
#[derive(Debug)]
pub(super) struct Wishes {
    /// Whether waiting steps have an exit code of their own.
    pub(super) is_detailed: bool,
    /// Where to save the plan.
    pub(super) save: Option<PathBuf>,
    /// What may be touched at all.
    pub(super) guards: Guards,
    /// How far is looked for others.
    pub(super) sight: Sight,
}

/// Prints the plan of a spec.
pub(super) fn run(context: &mut Context, spec: &str, surfaces: &Surfaces, wishes: &Wishes) -> Result<Exit, Trouble> {
    let Wishes { is_detailed, save, guards, sight } = wishes;
    let (source, desired) = session::desired(context, spec)?;
    save.as_deref().map_or(Ok(()), receipt::check)?;
    surfaces.check()?;
    let azure = context.azure()?;
    let stderr = context.output.stderr.clone();
    let (observed, plan) = block_on(async {
        let stop = interrupt::listen(stderr.clone(), None);
        session::look(&desired, &azure, guards, *sight, stop, &stderr).await
    })??;
    match save {
        Some(path) if plan.refusals.is_empty() => {
            let origin = Origin { cloud: &context.scene().cloud, spec_name: &source.name, spec: &source.text };
            receipt::write(path, &approval::save(&plan, &origin))?;
        }
        Some(path) => {
            let text = format!("not saved to {}: a plan that is refused is nothing to approve", path.display());
            context.output.stderr.tell(&wrap("", "  ", &text));
        }
        None => {}
    }
    surfaces.show(context, &azure, &plan, &observed)?;
    Ok(exit(&plan, *is_detailed))
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
