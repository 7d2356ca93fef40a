//! What plan and apply have in common: a spec that is good, and a look at the cloud.

use super::context::Context;
use super::exit::Trouble;
use super::guard::Guards;
use super::interrupt::stopped;
use super::output::Stderr;
use super::{progress, source, validate};
use crate::azure::{Azure, Failure, Stats};
use crate::diag::Source;
use crate::model::{Desired, Observed};
use crate::plan::{self, Plan, Refusal};
use crate::report::Traffic;
use crate::{diag, observe, spec};
use std::time::Duration;
use tokio::sync::watch;

/// A spec's text and what it asks for. Its problems are told on stderr.
pub(super) fn desired(context: &Context, path: &str) -> Result<(Source, Desired), Trouble> {
    let source = source::read(path)?;
    let desired = resolved(context, &source)?;
    Ok((source, desired))
}

/// What a spec's text asks for. Its problems are told on stderr.
pub(super) fn resolved(context: &Context, source: &Source) -> Result<Desired, Trouble> {
    let (desired, diagnostics) = spec::load(source);
    let stderr = &context.output.stderr;
    if !diagnostics.is_empty() {
        stderr.tell(&format!("{}\n", diag::render(source, &diagnostics, stderr.styled)));
    }
    match desired {
        Some(desired) if !diagnostics.has_errors() => Ok(desired),
        Some(_) | None => {
            Err(Trouble::new(format!("{} has {}; no request was sent", source.name, validate::errors(&diagnostics)))
                .help("`cmk explain CODE` tells the long story of each code"))
        }
    }
}

/// Looks at the cloud and plans. A stop ends it at once, since looking leaves nothing half done.
pub(super) async fn look(
    desired: &Desired,
    azure: &Azure,
    guards: &Guards,
    stop: watch::Receiver<bool>,
    stderr: &Stderr,
) -> Result<(Observed, Plan), Trouble> {
    let looking = progress::looking(stderr);
    let planned = tokio::select! {
        planned = planned(desired, azure, guards) => planned.map_err(|failure| trouble(&failure)),
        () = stopped(stop) => Err(Trouble::new("interrupted while looking, which changes nothing")),
    };
    drop(looking);
    let (observed, plan) = planned?;
    tracing::info!(steps = plan.steps.len(), refusals = plan.refusals.len(), digest = plan.digest, "planned");
    Ok((observed, plan))
}

/// A plan that was judged and held against the guards, with what it was made from.
async fn planned(desired: &Desired, azure: &Azure, guards: &Guards) -> Result<(Observed, Plan), Failure> {
    let mut observed = observe::observe(desired, azure).await?;
    let mut plan = judged(plan::plan(desired, &observed), &observed);
    guards.check(&mut plan, &mut observed, azure).await?;
    Ok((observed, plan))
}

/// A plan that the judge rejects is never applied, whatever the planner thinks of it.
fn judged(mut plan: Plan, observed: &Observed) -> Plan {
    let breaches = plan::judge(&plan, observed);
    plan.refusals.extend(breaches.into_iter().map(|breach| Refusal {
        code: "CMK290",
        resource: format!("step {}", breach.step),
        detail: breach.what,
        help: "please report this with the plan: cmk should not have planned it. Nothing was sent".to_owned(),
    }));
    plan
}

/// A call that failed, as the trouble that ends a command.
pub(super) fn trouble(failure: &Failure) -> Trouble {
    Trouble { code: Some(failure.diagnostic_code().to_owned()), what: failure.to_string(), help: failure.help() }
}

/// The traffic so far, with the waits that applying reported.
pub(super) fn traffic(stats: Stats, waits: Vec<(String, Duration)>) -> Traffic {
    let Stats { requests, writes_sent, writes_succeeded, retries } = stats;
    Traffic { requests, writes_sent, writes_succeeded, retries, waits }
}
