//! (Plan, Azure) -> Outcome: the only writer.
//!
//! Takes the steps of a plan side by side as their order allows. Each looks at what
//! is, acts only if that is still right, sends once and confirms what came of it.
//! There is no rollback and no state: a run that was killed is simply run again.

mod event;
mod knowledge;
mod perform;
mod prepare;
mod request;
mod schedule;
mod step;
mod wait;

pub use event::{Event, Outcome, StepOutcome};
pub use prepare::{Sight, prepare};
pub use request::{Preview, previews};
pub use wait::Budgets;

use crate::azure::Azure;
use crate::material::Materials;
use crate::model::{Desired, KeyRef, Observed};
use crate::plan::{Accepted, Action, Plan, Step, StepId};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use knowledge::Knowledge;
use schedule::{Batch, Schedule};
use std::collections::BTreeMap;
use step::Run;
use tokio::sync::{mpsc, watch};
use wait::Waiting;

/// How a plan is applied.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many batches of steps run side by side, one at least.
    pub concurrency: usize,
    /// How long effects are waited for.
    pub budgets: Budgets,
    /// Names this run; the request ids of its steps are made from it.
    pub run_id: uuid::Uuid,
    /// The risks that the operator said yes to.
    pub accepted: Accepted,
    /// The material of the keys that the plan imports.
    pub materials: Materials,
}

/// Applies a plan that was made from this observation of this desired state, telling of its progress.
///
/// Takes no step of a plan that refuses something, or that bears a risk to which nobody has said yes. When `stop` becomes true, no further step
/// begins, waits end, and requests that are under way are finished.
pub async fn apply(
    plan: &Plan,
    desired: &Desired,
    observed: Observed,
    azure: &Azure,
    settings: &Settings,
    stop: watch::Receiver<bool>,
    sink: &mut dyn FnMut(Event),
) -> Outcome {
    let (events, mut inbox) = mpsc::unbounded_channel();
    let known = Knowledge::new(azure, desired, observed);
    let waiting = Waiting::new(events, stop.clone(), settings.budgets.clone());
    let run = Run { azure, known, waiting, materials: &settings.materials, id: settings.run_id };
    let mut ledger = Ledger {
        plan,
        schedule: Schedule::new(plan),
        outcomes: vec![None; plan.steps.len()],
        request_ids: BTreeMap::new(),
    };
    let mut running = FuturesUnordered::new();
    let unaccepted = plan.unaccepted(&settings.accepted);
    let hindrance = match (plan.refusals.as_slice(), unaccepted.as_slice()) {
        ([], []) if lacking(plan, &settings.materials).is_some() => Some("the material of a key is not at hand"),
        ([], []) => None,
        ([], _) => Some("nobody has said yes to a risk of the plan"),
        _ => Some("the plan refuses something"),
    };
    let may_begin = || hindrance.is_none() && !*stop.borrow();
    loop {
        if may_begin() {
            for batch in ledger.schedule.start(settings.concurrency.max(1).saturating_sub(running.len())) {
                let names: Vec<StepId> = batch.iter().map(|at| plan.steps[*at].id.clone()).collect();
                let request_id = run.request_id(&names);
                for at in &batch {
                    ledger.request_ids.insert(plan.steps[*at].id.clone(), request_id.clone());
                    tracing::info!(step = %plan.steps[*at].id, "begins");
                    sink(Event::Started { step: plan.steps[*at].id.clone() });
                }
                running.push(take_batch(&run, plan, batch, request_id));
            }
        }
        if running.is_empty() {
            break;
        }
        tokio::select! {
            // In this order, and not by chance: the same answers give the same progress.
            biased;
            Some(event) = inbox.recv() => sink(event),
            Some((batch, outcomes)) = running.next() => {
                while let Ok(event) = inbox.try_recv() {
                    sink(event);
                }
                ledger.record(&batch, outcomes, sink);
            }
        }
    }
    let interrupted = ledger.close(hindrance, sink) && *stop.borrow();
    let request_ids = std::mem::take(&mut ledger.request_ids);
    Outcome { steps: ledger.into_steps(), interrupted, request_ids, waits: run.waiting.total(), unaccepted }
}

/// The first key of a plan whose material is not at hand.
pub fn lacking<'p>(plan: &'p Plan, materials: &Materials) -> Option<&'p KeyRef> {
    plan.steps.iter().find_map(|step| match &step.action {
        Action::ImportKey { key, thumbprint, .. } if materials.get(key, thumbprint).is_none() => Some(key),
        _ => None,
    })
}

async fn take_batch(run: &Run<'_>, plan: &Plan, batch: Batch, request_id: String) -> (Batch, Vec<StepOutcome>) {
    let steps: Vec<&Step> = batch.iter().map(|at| &plan.steps[*at]).collect();
    let outcomes = step::take(run, &steps, request_id).await;
    (batch, outcomes)
}

/// How each step ended so far.
struct Ledger<'a> {
    plan: &'a Plan,
    schedule: Schedule,
    outcomes: Vec<Option<StepOutcome>>,
    request_ids: BTreeMap<StepId, String>,
}

impl Ledger<'_> {
    fn record(&mut self, batch: &Batch, outcomes: Vec<StepOutcome>, sink: &mut dyn FnMut(Event)) {
        for (at, outcome) in batch.iter().zip(outcomes) {
            self.schedule.finish(*at, outcome.is_good());
            self.end(*at, outcome, sink);
        }
        while let Some((at, culprit)) = self.schedule.skip() {
            self.end(at, StepOutcome::Skipped(format!("it goes after {culprit}, which did not succeed")), sink);
        }
    }

    fn end(&mut self, at: usize, outcome: StepOutcome, sink: &mut dyn FnMut(Event)) {
        let step = self.plan.steps[at].id.clone();
        tracing::info!(%step, outcome = outcome.as_str(), detail = outcome.detail(), "ended");
        sink(Event::Finished { step, outcome: outcome.clone() });
        self.outcomes[at] = Some(outcome);
    }

    /// Ends the steps that never began; says whether any step was left out or cut short by a wish to stop.
    fn close(&mut self, hindrance: Option<&'static str>, sink: &mut dyn FnMut(Event)) -> bool {
        let why = hindrance.unwrap_or("stopped before it began");
        for at in self.schedule.waiting() {
            self.end(at, StepOutcome::Skipped(why.to_owned()), sink);
        }
        self.outcomes.iter().flatten().any(|outcome| !outcome.is_good())
    }

    fn into_steps(self) -> Vec<(StepId, StepOutcome)> {
        let ids = self.plan.steps.iter().map(|step| step.id.clone());
        let missing = || StepOutcome::Skipped("it was not reached".to_owned());
        ids.zip(self.outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(missing))).collect()
    }
}
