//! A stage: one world, those who act on it, and the witness who sees it all.

use super::custody;
use super::ground::{Ground, Past, locked};
use super::hand::Hand;
use super::line::Line;
use super::meddle::Meddling;
use super::run::{Ended, How, Run};
use super::stand_in;
use super::witness::Witness;
use crate::apply::{self, Budgets, Event, Outcome, Settings, Sight};
use crate::azure::{Azure, Cloud, Counted, Failure, Options, Retry, credential};
use crate::import;
use crate::model::{Access, Desired, Observed, SubscriptionId};
use crate::plan::{Accepted, Action, Plan, RiskClass, judge};
use crate::sandbox::{self, Local, Millis, World};
use azure_core::http::HttpClient;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// A world and its watchers.
#[derive(Debug, Clone)]
pub struct Stage {
    ground: Arc<Ground>,
}

impl Stage {
    /// A stage with a world on it. To be made in virtual time.
    pub fn new(desired: &Desired, world: World, start: Millis, meddling: Meddling) -> Self {
        Self { ground: Arc::new(Ground::new(desired, world, start, meddling)) }
    }

    /// Looks at what the witness saw.
    pub fn witness<T>(&self, look: impl FnOnce(&Witness) -> T) -> T {
        look(&locked(&self.ground.witness))
    }

    /// The world after each effect on it, oldest first, the first one being where it began.
    pub fn past(&self) -> Vec<Past> {
        self.ground.past()
    }

    /// The moment, and the world as it is.
    pub fn now(&self) -> (Millis, World) {
        (self.ground.sandbox.now(), self.ground.sandbox.world(|world| world.clone()))
    }

    /// Lets somebody else do something to the world.
    pub fn by_hand<T>(&self, act: impl FnOnce(&mut Hand<'_>) -> T) -> T {
        self.ground.by_hand(act)
    }

    /// Observes, plans and applies once; holds what it could see against what must hold.
    pub async fn run(&self, desired: &Desired, how: &How) -> Run {
        let began = tokio::time::Instant::now();
        let run_id = {
            let mut witness = locked(&self.ground.witness);
            let number = witness.begin_run(self.ground.sandbox.now());
            uuid::Uuid::from_u128(0x636d_6b00 + number as u128)
        };
        let number = self.witness(Witness::runs) - 1;
        let crashed = Arc::new(Notify::new());
        let line = Line {
            ground: self.ground.clone(),
            run: number,
            script: how.script.clone(),
            crash: how.crash,
            crashed: crashed.clone(),
            latency: how.latency,
            sent: AtomicU64::new(0),
        };
        let work = self.work(desired, how, line, number, run_id);
        let (ended, waits) = tokio::select! {
            biased;
            () = crashed.notified() => (Ended::Crashed, vec![]),
            done = work => done,
        };
        let took = began.elapsed();
        let now = self.ground.sandbox.now();
        let census = self.ground.census();
        let mut witness = locked(&self.ground.witness);
        witness.end_run(number, now, took, &ended, &census);
        let (requests, effects) = witness.traffic(number);
        Run { ended, requests, effects, took, waits }
    }

    /// Once nothing goes wrong any more: L1 to L4. True if all of them hold.
    ///
    /// Applies calmly, then once more, and looks whether what the spec asks for is so.
    pub async fn converges(&self, desired: &Desired) -> bool {
        self.converges_as(desired, &How::default()).await
    }

    /// The same, with runs that go as told.
    pub async fn converges_as(&self, desired: &Desired, how: &How) -> bool {
        let before = self.witness(|witness| witness.breaches().len());
        let mut first = self.run(desired, how).await;
        // What comes back is looked at before anything is planned with it: a key may have been deleted before its vault.
        for _ in 0..2 {
            if !matches!(&first.ended, Ended::Applied(plan, _) if brings_back(plan) && first.ended.is_good()) {
                break;
            }
            first = self.run(desired, how).await;
        }
        self.hold("L1", first.ended.is_good(), || format!("a calm run ended badly: {}", first.ended));
        if first.ended.is_good() {
            let second = self.run(desired, how).await;
            let empty = matches!(&second.ended, Ended::Applied(plan, _) if plan.is_empty() && plan.is_complete());
            self.hold("L2", empty, || format!("the next plan is not empty: {}", second.ended));
            let writes = self.witness(|witness| witness.writes_of(witness.runs() - 1));
            self.hold("L3", writes.is_empty(), || format!("the next run sent writes: {writes:?}"));
            if how.accepts.contains(&RiskClass::Reopening) {
                // No step hangs on what was given back, so nobody has waited until Azure honours it.
                let pace = self.ground.sandbox.world(|world| world.pace());
                let seconds = u64::try_from(super::start::arrival_seconds(pace)).unwrap_or_default();
                tokio::time::sleep(Duration::from_secs(seconds)).await;
            }
            let census = self.ground.census();
            locked(&self.ground.witness).all_is_true(self.ground.sandbox.now(), &census);
        }
        self.witness(|witness| witness.breaches().len()) == before
    }

    /// Writes a spec of what is there, as `cmk import` does, and holds that a plan of it has no steps (L8). Where all is as
    /// desired, every account that has access to its key is in it.
    pub async fn imports(&self, desired: &Desired, all_is_true: bool) {
        let azure = client(Arc::new(Local(self.ground.sandbox.clone())), How::default().concurrency);
        let subscriptions: Vec<SubscriptionId> = desired.subscriptions().into_iter().collect();
        match import::search(&azure, &subscriptions, |_| true).await {
            Ok(written) => {
                self.hold("L8", written.is_so(), || format!("a spec of what is there has a plan:\n{}", written.text));
                let bound = desired.accounts.values().filter(|one| one.encryption.is_some());
                for account in bound.filter(|one| all_is_true && one.access == Access::Granted) {
                    let name = account.id.name.to_string();
                    let is_there = written.import.document.accounts.contains_key(&name);
                    self.hold("L8", is_there, || format!("{name} is not in a spec of what is there"));
                    self.ground.met("import", "an account under a key");
                }
            }
            Err(why) => self.hold("L8", false, || format!("no spec of what is there: {why}")),
        }
        let sent = azure.stats().writes_sent;
        self.hold("L8", sent == 0, || format!("looking sent {sent} writes"));
    }

    /// Looks and plans, and does no more.
    pub(super) async fn look(&self, desired: &Desired) -> Result<(Observed, Plan), Failure> {
        let azure = client(Arc::new(Local(self.ground.sandbox.clone())), How::default().concurrency);
        apply::prepare(desired, &azure, Sight::Accounts).await
    }

    /// Holds something against an invariant.
    pub fn hold(&self, invariant: &'static str, is_so: bool, what: impl FnOnce() -> String) {
        locked(&self.ground.witness).holds(invariant, is_so, what);
    }

    async fn work(
        &self,
        desired: &Desired,
        how: &How,
        line: Line,
        number: usize,
        run_id: uuid::Uuid,
    ) -> (Ended, Vec<(String, Duration)>) {
        let transport: Arc<dyn HttpClient> = Arc::new(line);
        let transport = match &how.wrap {
            Some(wrap) => wrap(transport),
            None => transport,
        };
        let azure = client(transport, how.concurrency);
        let (observed, shown) = match apply::prepare(desired, &azure, Sight::Accounts).await {
            Ok(prepared) => prepared,
            Err(failure) => return (Ended::Blind(Box::new(failure)), vec![]),
        };
        let guard = how.guard.clone().unwrap_or_else(|| custody::guard_of(desired));
        let shown = custody::guarded(shown, &observed, &guard);
        locked(&self.ground.witness).guard = guard;
        let breaches = judge(&shown, &observed);
        self.hold("L9", breaches.is_empty(), || format!("the judge rejects the plan: {breaches:?}"));
        let opens = how.accepts.contains(&RiskClass::Reopening);
        locked(&self.ground.witness).planned(number, run_id, &shown, opens);
        let mut taken = shown.clone();
        if let Some(alter) = &how.alter {
            alter(&mut taken);
            if !judge(&taken, &observed).is_empty() {
                self.ground.met("judge", "rejects an altered plan");
            }
        }
        let mut outcome = self.take(&taken, desired, observed.clone(), &azure, how, number, run_id).await;
        if how.again && outcome.is_good() {
            locked(&self.ground.witness).expects_nothing(number);
            outcome = self.take(&taken, desired, observed, &azure, how, number, run_id).await;
        }
        let waits = outcome.waits.clone();
        (Ended::Applied(Box::new(shown), outcome), waits)
    }

    #[expect(clippy::too_many_arguments, reason = "a private step of `work`, which has them all at hand")]
    async fn take(
        &self,
        taken: &Plan,
        desired: &Desired,
        observed: Observed,
        azure: &Azure,
        how: &How,
        number: usize,
        run_id: uuid::Uuid,
    ) -> Outcome {
        let asked = taken.asks().into_iter().map(|ask| ask.what);
        let accepted = Accepted::named(asked.filter(|what| how.accepts.contains(&what.class)));
        let settings = Settings {
            concurrency: how.concurrency,
            budgets: Budgets::default(),
            run_id,
            accepted,
            materials: stand_in::materials(desired),
        };
        let (_keep, stop) = watch::channel(false);
        let mut sink = |event: Event| locked(&self.ground.witness).heard(number, &event);
        apply::apply(taken, desired, observed, azure, &settings, stop, &mut sink).await
    }
}

/// Whether a plan ends with things that were deleted, and are looked at once they are back.
fn brings_back(plan: &Plan) -> bool {
    let is_back = |action: &Action| matches!(action, Action::RecoverVault { .. } | Action::RecoverKey { .. });
    plan.steps.iter().any(|step| is_back(&step.action))
}

fn client(transport: Arc<dyn HttpClient>, concurrency: usize) -> Azure {
    let cloud = Cloud::at("sandbox", sandbox::ARM_HOST, sandbox::LOGIN_HOST, sandbox::VAULT_SUFFIX);
    let counted = Counted::new(cloud.clone(), transport);
    let choice = credential::Choice::ClientSecret {
        tenant: sandbox::TENANT.to_owned(),
        client: sandbox::CLIENT_ID.to_owned(),
        secret: sandbox::CLIENT_SECRET.into(),
    };
    let credential = credential::build(&choice, &cloud, &counted, Retry::default()).expect("a secret is enough");
    Azure::new(cloud, credential, counted, Options { concurrency, retry: Retry::default() })
}
