//! `cmk apply`: looks, plans, prints, asks, applies, and proves by a second look.

use super::approval::{self, Approval, Given};
use super::arguments::Format;
use super::ask::{self, Ask as Asking};
use super::context::{Context, block_on};
use super::exit::{Exit, Trouble};
use super::guard::Guards;
use super::interrupt::{self, stopped};
use super::output::Stderr;
use super::own_key;
use super::progress::Progress;
use super::session;
use crate::apply::{self, Budgets, Outcome, Settings, Sight, StepOutcome};
use crate::azure::Azure;
use crate::diag::Source;
use crate::model::{AccountName, Desired, KeyRef, Observed};
use crate::plan::{self, Accepted, Action, Ask, Plan};
use crate::report::evidence::{self, Run};
use crate::report::text::wrap;
use crate::report::verdict::{ApplyVerdict, PlanVerdict, Proof};
use crate::report::{Traffic, human, json, outcome};
use crate::verify::{self, Evidence};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// How a spec is to be applied.
#[derive(Debug)]
pub(super) struct Wishes {
    /// Do not ask first.
    pub(super) yes: bool,
    /// Stop in order when this time is over.
    pub(super) timeout: Option<Duration>,
    /// Where to write the receipt.
    pub(super) receipt: Option<PathBuf>,
    /// The folder of keys of one's own.
    pub(super) key_dir: Option<PathBuf>,
    /// The risks that the operator says yes to.
    pub(super) accepted: Accepted,
    /// The digest of the plan that was approved.
    pub(super) approved: Option<String>,
    /// What may be touched at all.
    pub(super) guards: Guards,
    /// How far is looked for others.
    pub(super) sight: Sight,
}

/// All that applying one spec needs.
struct Job<'a> {
    context: &'a mut Context,
    source: &'a Source,
    desired: &'a Desired,
    receipt: Option<&'a Path>,
    key_dir: Option<&'a Path>,
    run_id: Uuid,
    azure: &'a Azure,
    format: Format,
    ask: Asking,
    accepted: Accepted,
    approval: &'a Approval,
    guards: &'a Guards,
    sight: Sight,
    stop: watch::Receiver<bool>,
}

/// Applies a spec, or what a saved plan of it allows.
pub(super) fn run(context: &mut Context, path: &str, format: Format, wishes: Wishes) -> Result<Exit, Trouble> {
    match approval::given(context, path, wishes.approved.as_deref())? {
        Ok(given) => go(context, given, format, wishes),
        Err(not_approved) => {
            context.output.stderr.tell(&not_approved.render());
            Ok(Exit::NotApproved)
        }
    }
}

/// Applies what was given.
pub(super) fn go(context: &mut Context, given: Given, format: Format, wishes: Wishes) -> Result<Exit, Trouble> {
    let Wishes { yes, timeout, receipt, key_dir, accepted, approved: _, guards, sight } = wishes;
    let Given { source, desired, approval } = given;
    receipt.as_deref().map_or(Ok(()), super::receipt::check)?;
    let azure = context.azure()?;
    let ask = context.ask(yes || approval.is_given());
    block_on(async {
        let stop = interrupt::listen(context.output.stderr.clone(), timeout);
        let (source, desired, azure, run_id) = (&source, &desired, &azure, Uuid::new_v4());
        let (approval, guards) = (&approval, &guards);
        let (receipt, key_dir) = (receipt.as_deref(), key_dir.as_deref());
        let job = Job {
            context,
            source,
            desired,
            receipt,
            key_dir,
            run_id,
            azure,
            format,
            ask,
            accepted,
            approval,
            guards,
            sight,
            stop,
        };
        job.run().await
    })?
}

impl Job<'_> {
    async fn run(self) -> Result<Exit, Trouble> {
        let (observed, plan) = self.look().await?;
        for unused in self.accepted.unused(&plan) {
            let text =
                format!("--accept {unused}: this plan does not ask for it; take it out, lest it says yes to another");
            self.context.output.stderr.remark(&wrap("", "  ", &text));
        }
        if self.format == Format::Human {
            let text = human::plan(&plan, self.context.scene(), self.context.output.stdout_styled);
            self.context.output.document(&text)?;
        }
        match PlanVerdict::of(&plan) {
            PlanVerdict::Refused => self.end_without_steps(&plan, &observed, Exit::Refused),
            PlanVerdict::NothingToDo => self.end_without_steps(&plan, &observed, Exit::Good),
            PlanVerdict::Unjudged => self.end_without_steps(&plan, &observed, Exit::Error),
            PlanVerdict::Steps => self.take_approved_steps(&plan, observed).await,
        }
    }

    /// Goes ahead when the plan is what was approved, and everything that it asks for was said yes to.
    async fn take_approved_steps(mut self, plan: &Plan, observed: Observed) -> Result<Exit, Trouble> {
        match self.approval.admits(plan, &self.accepted) {
            Err(not_approved) => {
                self.context.output.stderr.tell(&not_approved.render());
                return self.end_without_steps(plan, &observed, Exit::NotApproved);
            }
            Ok(accepted) => self.accepted = accepted,
        }
        if plan.unaccepted(&self.accepted).is_empty() {
            self.take_steps(plan, observed).await
        } else {
            self.end_unaccepted(plan, &observed)
        }
    }

    async fn look(&self) -> Result<(Observed, Plan), Trouble> {
        let stderr = &self.context.output.stderr;
        session::look(self.desired, self.azure, self.guards, self.sight, self.stop.clone(), stderr).await
    }

    /// Ends when there is nothing to send.
    fn end_without_steps(self, plan: &Plan, observed: &Observed, exit: Exit) -> Result<Exit, Trouble> {
        let traffic = session::traffic(self.azure.stats(), vec![]);
        self.write_receipt(plan, &Outcome::default(), &verify::verify(self.desired, observed), &traffic)?;
        let text = match self.format {
            Format::Human => format!("\n{}", outcome::traffic_lines(&traffic)),
            Format::Json => json::plan(plan, &traffic, self.context.scene()),
        };
        self.context.output.document(&text)?;
        match exit {
            Exit::Error => Err(Trouble::new("not everything that the spec asks for could be judged")
                .help("give cmk the permissions that the blind spots name, and run the same command again")),
            Exit::Good | Exit::Refused | Exit::StepsWaiting | Exit::NotApproved => Ok(exit),
        }
    }

    /// Ends because the plan bears a risk to which nobody has said yes, with the words that would say it.
    fn end_unaccepted(self, plan: &Plan, observed: &Observed) -> Result<Exit, Trouble> {
        let asks = plan.unaccepted(&self.accepted);
        self.context.output.stderr.tell(&unaccepted(&asks));
        self.end_without_steps(plan, observed, Exit::Refused)
    }

    /// Ends because the material of a key is not at hand, or is another one.
    fn end_without_material(
        self,
        plan: &Plan,
        observed: &Observed,
        wrong: &[(KeyRef, String)],
    ) -> Result<Exit, Trouble> {
        let stderr = &self.context.output.stderr;
        for (key, why) in wrong {
            let text = format!("refused[CMK271]: key {key} cannot be imported: {why}. Nothing was sent");
            stderr.tell(&wrap("", "  ", &text));
        }
        stderr.tell("help: `cmk explain CMK271`\n");
        self.end_without_steps(plan, observed, Exit::Refused)
    }

    async fn take_steps(self, plan: &Plan, observed: Observed) -> Result<Exit, Trouble> {
        let materials = match own_key::materials(plan, self.desired, self.key_dir) {
            Ok(materials) => materials,
            Err(wrong) => return self.end_without_material(plan, &observed, &wrong),
        };
        self.may_go(plan).await?;
        let stderr = self.context.output.stderr.clone();
        if self.format == Format::Human {
            self.context.output.document("\n")?;
        }
        let mut progress = Progress::new(&stderr);
        let settings = Settings {
            concurrency: self.context.concurrency,
            budgets: Budgets::default(),
            run_id: self.run_id,
            accepted: self.accepted.clone(),
            materials,
        };
        let mut sink = |event| progress.tell(&event);
        let before = verify::verify(self.desired, &observed);
        let outcome =
            apply::apply(plan, self.desired, observed, self.azure, &settings, self.stop.clone(), &mut sink).await;
        let (proof, seen) = self.prove(&outcome).await;
        if let Some(seen) = seen {
            let mut evidence = verify::verify(self.desired, &seen);
            evidence.findings.extend(verify::moved(&before, &evidence, &bound(plan, &outcome)));
            let traffic = session::traffic(self.azure.stats(), outcome.waits.clone());
            self.write_receipt(plan, &outcome, &evidence, &traffic)?;
        }
        self.report(plan, &outcome, &proof)
    }

    /// Writes the receipt, where one is wished for.
    fn write_receipt(
        &self,
        plan: &Plan,
        outcome: &Outcome,
        evidence: &Evidence,
        traffic: &Traffic,
    ) -> Result<(), Trouble> {
        let Some(path) = self.receipt else { return Ok(()) };
        let spec_digest = plan::text_digest(&self.source.text);
        let run = Run {
            plan,
            outcome,
            spec_digest: &spec_digest,
            run_id: self.run_id.to_string(),
            guards: self.guards.digests(),
        };
        super::receipt::write(path, &evidence::receipt(evidence, &run, traffic, self.context.scene()))
    }

    /// Asks where there is somebody to ask; anything but a yes ends the command.
    async fn may_go(&self, plan: &Plan) -> Result<(), Trouble> {
        match self.ask {
            Asking::Nobody => return Ok(()),
            Asking::Unclear => return Err(ask::unclear()),
            Asking::Person => {}
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
    async fn prove(&self, outcome: &Outcome) -> (Proof, Option<Observed>) {
        if outcome.interrupted {
            return (Proof::NotLooked("cmk was asked to stop".to_owned()), None);
        }
        match self.look().await {
            Ok((observed, plan)) => (Proof::Looked(Box::new(plan)), Some(observed)),
            Err(trouble) => (Proof::NotLooked(trouble.what), None),
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

/// The words that say yes to each of these risks.
fn unaccepted(asks: &[Ask]) -> String {
    let mut out = wrap("", "  ", "not applied: nobody has said yes to these risks. Nothing was sent");
    for ask in asks {
        out.push_str(&wrap("  ", "    ", &format!("{}: {}", ask.what, ask.why.join("; "))));
    }
    out.push_str("help: when each of them is meant, add\n");
    for ask in asks {
        out.push_str(&wrap("      ", "      ", &format!("--accept {}", ask.what)));
    }
    out
}

/// The accounts that this run bound to a key.
fn bound(plan: &Plan, outcome: &Outcome) -> Vec<AccountName> {
    let steps = plan.steps.iter().zip(&outcome.steps);
    let done = steps.filter(|(_, (_, end))| *end == StepOutcome::Done).map(|(step, _)| &step.action);
    done.filter_map(|action| match action {
        Action::SetEncryption { account, .. } => Some(account.name.clone()),
        Action::CreateAccount { id, key: Some(_), .. } => Some(id.name.clone()),
        _ => None,
    })
    .collect()
}

/// The answer of a person, read on a thread of its own since reading blocks.
async fn answer(steps: usize, stderr: Stderr) -> bool {
    tokio::task::spawn_blocking(move || ask::ask(steps, &stderr)).await.unwrap_or(false)
}
