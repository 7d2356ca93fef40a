//! `cmk apply`: looks, plans, prints, asks, applies, and proves by a second look.

use super::arguments::Format;
use super::ask::{self, Ask};
use super::context::{Context, block_on};
use super::exit::{Exit, Trouble};
use super::interrupt::{self, stopped};
use super::output::Stderr;
use super::progress::Progress;
use super::session;
use crate::apply::{self, Budgets, Outcome, Settings};
use crate::azure::Azure;
use crate::model::{Desired, Observed};
use crate::plan::Plan;
use crate::report::verdict::{ApplyVerdict, PlanVerdict, Proof};
use crate::report::{human, json, outcome};
use tokio::sync::watch;
use uuid::Uuid;

/// All that applying one spec needs.
struct Job<'a> {
    context: &'a mut Context,
    desired: &'a Desired,
    azure: &'a Azure,
    format: Format,
    ask: Ask,
    stop: watch::Receiver<bool>,
}

/// Applies a spec.
pub(super) fn run(context: &mut Context, spec: &str, yes: bool, format: Format) -> Result<Exit, Trouble> {
    let desired = session::desired(context, spec)?;
    let azure = context.azure()?;
    let ask = context.ask(yes);
    block_on(async {
        let stop = interrupt::listen(context.output.stderr.clone());
        Job { context, desired: &desired, azure: &azure, format, ask, stop }.run().await
    })?
}

impl Job<'_> {
    async fn run(self) -> Result<Exit, Trouble> {
        let (observed, plan) = self.look().await?;
        if self.format == Format::Human {
            let text = human::plan(&plan, self.context.scene(), self.context.output.stdout_styled);
            self.context.output.document(&text)?;
        }
        match PlanVerdict::of(&plan) {
            PlanVerdict::Refused => self.end_without_steps(&plan, Exit::Refused),
            PlanVerdict::NothingToDo => self.end_without_steps(&plan, Exit::Good),
            PlanVerdict::Unjudged => self.end_without_steps(&plan, Exit::Error),
            PlanVerdict::Steps => self.take_steps(&plan, observed).await,
        }
    }

    async fn look(&self) -> Result<(Observed, Plan), Trouble> {
        session::look(self.desired, self.azure, self.stop.clone(), &self.context.output.stderr).await
    }

    /// Ends when there is nothing to send.
    fn end_without_steps(self, plan: &Plan, exit: Exit) -> Result<Exit, Trouble> {
        let traffic = session::traffic(self.azure.stats(), vec![]);
        let text = match self.format {
            Format::Human => format!("\n{}", outcome::traffic_lines(&traffic)),
            Format::Json => json::plan(plan, &traffic, self.context.scene()),
        };
        self.context.output.document(&text)?;
        match exit {
            Exit::Error => Err(Trouble::new("not everything that the spec asks for could be judged")
                .help("give cmk the permissions that the blind spots name, and run the same command again")),
            Exit::Good | Exit::Refused | Exit::StepsWaiting => Ok(exit),
        }
    }

    async fn take_steps(self, plan: &Plan, observed: Observed) -> Result<Exit, Trouble> {
        self.may_go(plan).await?;
        let stderr = self.context.output.stderr.clone();
        if self.format == Format::Human {
            self.context.output.document("\n")?;
        }
        let mut progress = Progress::new(&stderr);
        let settings =
            Settings { concurrency: self.context.concurrency, budgets: Budgets::default(), run_id: Uuid::new_v4() };
        let mut sink = |event| progress.tell(&event);
        let outcome =
            apply::apply(plan, self.desired, observed, self.azure, &settings, self.stop.clone(), &mut sink).await;
        let proof = self.prove(&outcome).await;
        self.report(plan, &outcome, &proof)
    }

    /// Asks where there is somebody to ask; anything but a yes ends the command.
    async fn may_go(&self, plan: &Plan) -> Result<(), Trouble> {
        match self.ask {
            Ask::Nobody => return Ok(()),
            Ask::Unclear => return Err(ask::unclear()),
            Ask::Person => {}
        }
        let stderr = self.context.output.stderr.clone();
        if self.format == Format::Json {
            stderr.tell(&human::plan(plan, self.context.scene(), stderr.styled));
        }
        let is_yes = tokio::select! {
            answer = answer(plan.steps.len(), stderr) => answer,
            () = stopped(self.stop.clone()) => return Err(Trouble::new("interrupted: nothing was sent")),
        };
        if is_yes { Ok(()) } else { Err(Trouble::new("not applied: the answer was not 'yes'. Nothing was sent")) }
    }

    /// Looks a second time, at everything: what a step believes of itself is no proof.
    async fn prove(&self, outcome: &Outcome) -> Proof {
        if outcome.interrupted {
            return Proof::NotLooked("cmk was asked to stop".to_owned());
        }
        match self.look().await {
            Ok((_, plan)) => Proof::Looked(plan),
            Err(trouble) => Proof::NotLooked(trouble.what),
        }
    }

    fn report(self, plan: &Plan, outcome: &Outcome, proof: &Proof) -> Result<Exit, Trouble> {
        let traffic = session::traffic(self.azure.stats(), outcome.waits.clone());
        let scene = self.context.scene();
        let text = match self.format {
            Format::Human => outcome::outcome(plan, outcome, proof, &traffic, scene, self.context.output.stdout_styled),
            Format::Json => json::applied(plan, outcome, proof, &traffic, scene),
        };
        self.context.output.document(&text)?;
        Ok(match ApplyVerdict::of(outcome, proof) {
            ApplyVerdict::Done => Exit::Good,
            ApplyVerdict::Interrupted | ApplyVerdict::Incomplete | ApplyVerdict::Unproved => Exit::Error,
        })
    }
}

/// The answer of a person, read on a thread of its own since reading blocks.
async fn answer(steps: usize, stderr: Stderr) -> bool {
    tokio::task::spawn_blocking(move || ask::ask(steps, &stderr)).await.unwrap_or(false)
}
