//! What plan and apply have in common: a spec that is good, and a look at the cloud.

use super::context::{Context, now};
use super::exit::Trouble;
use super::guard::Guards;
use super::interrupt::stopped;
use super::output::Stderr;
use super::{progress, source, validate};
use crate::apply::{self, Sight};
use crate::azure::{Azure, Failure, Stats};
use crate::diag::Source;
use crate::model::{Desired, Observed, Timestamp};
use crate::plan::{self, Note, Plan, Refusal};
use crate::report::Traffic;
use crate::{diag, spec};
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
    sight: Sight,
    stop: watch::Receiver<bool>,
    stderr: &Stderr,
) -> Result<(Observed, Plan), Trouble> {
    let looking = progress::looking(stderr);
    let planned = tokio::select! {
        planned = planned(desired, azure, guards, sight) => planned.map_err(|failure| trouble(&failure)),
        () = stopped(stop) => Err(Trouble::new("interrupted while looking, which changes nothing")),
    };
    drop(looking);
    let (observed, mut plan) = planned?;
    plan.notes.extend(other_time(observed.at, now()));
    tracing::info!(steps = plan.steps.len(), refusals = plan.refusals.len(), digest = plan.digest, "planned");
    Ok((observed, plan))
}

/// Plans go by Azure's clock: keys expire by it. A time that is far from this machine's is told, for one of the two is
/// wrong, and which one cannot be known here.
fn other_time(azure: Timestamp, here: Timestamp) -> Option<Note> {
    let apart = azure.0.abs_diff(here.0);
    let direction = if azure.0 > here.0 { "ahead of" } else { "behind" };
    let days = apart / DAY_SECONDS;
    (apart > DAY_SECONDS).then(|| Note {
        resource: "clock".to_owned(),
        text: format!(
            "Azure's newest answer is dated {days} days {direction} this machine's clock. The dates of keys were held \
             against Azure's: if that one is wrong, so may be what this plan says of them"
        ),
    })
}

const DAY_SECONDS: u64 = 86_400;

/// A plan that was judged and held against the guards, with what it was made from.
async fn planned(desired: &Desired, azure: &Azure, guards: &Guards, sight: Sight) -> Result<(Observed, Plan), Failure> {
    let (mut observed, plan) = apply::prepare(desired, azure, sight).await?;
    let mut plan = judged(plan, &observed);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_azure_that_is_days_away_is_told() {
        let note = |azure: i64| other_time(Timestamp(azure), Timestamp(1_767_225_600)).map(|note| note.text);
        assert_eq!(note(1_767_225_600 + 86_400), None);
        assert_eq!(note(1_767_225_600 - 3_600), None);
        assert!(note(1_767_225_600 + 40 * 86_400).unwrap().contains("dated 40 days ahead of this machine's clock"));
        assert!(note(0).unwrap().contains("days behind"));
    }
}
