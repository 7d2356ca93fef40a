//! A stage: one world, those who act on it, and the witness who sees it all.

use super::clock;
use super::hand::Hand;
use super::line::{Crash, Line};
use super::meddle::Meddling;
use super::mishap::{Mishap, Script};
use super::witness::{Sent, Witness};
use crate::apply::{self, Budgets, Event, Outcome, Settings};
use crate::azure::{Azure, Cloud, Counted, Failure, Options, Retry, credential};
use crate::model::{Desired, Observed};
use crate::observe::observe;
use crate::plan::{Accepted, Plan, RiskClass, judge, plan};
use crate::sandbox::{self, ExchangeError, Millis, Sandbox, World};
use azure_core::http::HttpClient;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Changes a plan.
pub type Alter = Arc<dyn Fn(&mut Plan) + Send + Sync>;

/// Puts something in front of a transport.
pub type Wrap = Arc<dyn Fn(Arc<dyn HttpClient>) -> Arc<dyn HttpClient> + Send + Sync>;

/// How one run is to go.
#[derive(Clone)]
pub struct How {
    /// What goes wrong.
    pub script: Script,
    /// Where it is cut off.
    pub crash: Option<Crash>,
    /// How long every answer takes.
    pub latency: Duration,
    /// How much is under way at once.
    pub concurrency: usize,
    /// Changes the plan between planning and applying: nothing in the product, all in those who test the witness.
    pub alter: Option<Alter>,
    /// Puts something between the product and the line, for the same purpose.
    pub wrap: Option<Wrap>,
    /// Applies the plan a second time, from the same old observation.
    pub again: bool,
    /// The kinds of risk that the operator says yes to, wherever the plan asks.
    pub accepts: Vec<RiskClass>,
}

/// What an operator says yes to who wants what the spec says and no more: nothing that was closed is opened.
pub const AGREEABLE: [RiskClass; 4] =
    [RiskClass::Irreversible, RiskClass::ProtectionLowered, RiskClass::CustodyChange, RiskClass::Unreadable];

impl Default for How {
    fn default() -> Self {
        Self {
            script: Script::calm(),
            crash: None,
            latency: Duration::from_millis(40),
            concurrency: 8,
            alter: None,
            wrap: None,
            again: false,
            accepts: AGREEABLE.to_vec(),
        }
    }
}

impl std::fmt::Debug for How {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { script, crash, latency, concurrency, alter: _, wrap: _, again: _, accepts } = self;
        f.debug_struct("How")
            .field("script", script)
            .field("crash", crash)
            .field("latency", latency)
            .field("concurrency", concurrency)
            .field("accepts", accepts)
            .finish_non_exhaustive()
    }
}

/// How a run ended.
#[derive(Debug, Clone)]
pub enum Ended {
    /// It was cut off.
    Crashed,
    /// It could not look.
    Blind(Box<Failure>),
    /// It planned, and took what steps it could.
    Applied(Box<Plan>, Outcome),
}

impl Ended {
    /// Whether everything that the spec asks for was planned and done.
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Applied(plan, outcome) if plan.is_complete() && outcome.is_good())
    }

    /// Whether nothing was begun: the plan refuses something, or the operator has not said yes to what it asks.
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Applied(plan, outcome) if !plan.refusals.is_empty() || !outcome.unaccepted.is_empty())
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Crashed => f.write_str("cut off"),
            Self::Blind(failure) => write!(f, "could not look: {failure}"),
            Self::Applied(plan, outcome) => {
                let bad = outcome.steps.iter().filter(|(_, outcome)| !outcome.is_good());
                let bad: Vec<String> =
                    bad.map(|(id, outcome)| format!("{id} {}: {}", outcome.as_str(), outcome.detail())).collect();
                let refusals = plan.refusals.iter().map(|one| format!("{} {}: {}", one.code, one.resource, one.detail));
                let asks = outcome.unaccepted.iter().map(|ask| format!("nobody accepts {}", ask.what));
                let blind = plan.blind_spots.iter().map(|spot| format!("blind on {}: {}", spot.resource, spot.why));
                let steps = (bad.is_empty() && !plan.is_empty()).then(|| format!("{} steps taken", plan.steps.len()));
                let all: Vec<String> = refusals.chain(asks).chain(blind).chain(bad).chain(steps).collect();
                f.write_str(&all.join("; "))
            }
        }
    }
}

/// One run.
#[derive(Debug, Clone)]
pub struct Run {
    /// How it ended.
    pub ended: Ended,
    /// Requests that it sent, sign-in included.
    pub requests: u64,
    /// Requests of it that changed the world.
    pub effects: u64,
    /// How long it took.
    pub took: Duration,
    /// The waits for effects that applying told of.
    pub waits: Vec<(String, Duration)>,
}

/// A world and its watchers.
#[derive(Debug, Clone)]
pub struct Stage {
    inner: Arc<Inner>,
}

/// What the runs on a stage share.
pub(super) struct Inner {
    sandbox: Sandbox,
    witness: Mutex<Witness>,
    meddling: Mutex<Meddling>,
    past: Mutex<Vec<(Millis, World)>>,
    keeps_past: bool,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").finish_non_exhaustive()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stage {
    /// A stage with a world on it. To be made in virtual time.
    pub fn new(desired: &Desired, world: World, start: Millis, meddling: Meddling) -> Self {
        let witness = Mutex::new(Witness::new(desired.clone(), start));
        let past = Mutex::new(vec![(start, world.clone())]);
        let sandbox = Sandbox::in_memory(world, clock::from(start));
        let inner = Inner { sandbox, witness, meddling: Mutex::new(meddling), past, keeps_past: true };
        Self { inner: Arc::new(inner) }
    }

    /// Looks at what the witness saw.
    pub fn witness<T>(&self, look: impl FnOnce(&Witness) -> T) -> T {
        look(&locked(&self.inner.witness))
    }

    /// The world after each effect on it, oldest first, the first one being where it began.
    pub fn past(&self) -> Vec<(Millis, World)> {
        locked(&self.inner.past).clone()
    }

    /// The moment, and the world as it is.
    pub fn now(&self) -> (Millis, World) {
        (self.inner.sandbox.now(), self.inner.sandbox.world(|world| world.clone()))
    }

    /// Lets somebody else do something to the world.
    pub fn by_hand<T>(&self, act: impl FnOnce(&mut Hand<'_>) -> T) -> T {
        self.inner.by_hand(act)
    }

    /// Observes, plans and applies once; holds what it could see against what must hold.
    pub async fn run(&self, desired: &Desired, how: &How) -> Run {
        let began = tokio::time::Instant::now();
        let run_id = {
            let mut witness = locked(&self.inner.witness);
            let number = witness.begin_run(self.inner.sandbox.now());
            uuid::Uuid::from_u128(0x636d_6b00 + number as u128)
        };
        let number = self.witness(Witness::runs) - 1;
        let crashed = Arc::new(Notify::new());
        let line = Line {
            inner: self.inner.clone(),
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
        let now = self.inner.sandbox.now();
        let truths = self.inner.sandbox.world(|world| world.truths(now));
        let census = self.inner.sandbox.world(|world| world.census(now));
        let mut witness = locked(&self.inner.witness);
        witness.end_run(number, now, took, &ended, &census, &truths);
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
        let first = self.run(desired, how).await;
        self.hold("L1", first.ended.is_good(), || format!("a calm run ended badly: {}", first.ended));
        if first.ended.is_good() {
            let second = self.run(desired, how).await;
            let empty = matches!(&second.ended, Ended::Applied(plan, _) if plan.is_empty() && plan.is_complete());
            self.hold("L2", empty, || format!("the next plan is not empty: {}", second.ended));
            let writes = self.witness(|witness| witness.writes_of(witness.runs() - 1));
            self.hold("L3", writes.is_empty(), || format!("the next run sent writes: {writes:?}"));
            if how.accepts.contains(&RiskClass::Reopening) {
                // No step hangs on what was given back, so nobody has waited until Azure honours it.
                let pace = self.inner.sandbox.world(|world| world.pace());
                let seconds = u64::try_from(super::start::arrival_seconds(pace)).unwrap_or_default();
                tokio::time::sleep(Duration::from_secs(seconds)).await;
            }
            let (now, world) = self.now();
            locked(&self.inner.witness).all_is_true(now, &world.census(now), &world.truths(now));
        }
        self.witness(|witness| witness.breaches().len()) == before
    }

    /// Holds something against an invariant.
    pub fn hold(&self, invariant: &'static str, is_so: bool, what: impl FnOnce() -> String) {
        locked(&self.inner.witness).holds(invariant, is_so, what);
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
        let observed = match observe(desired, &azure).await {
            Ok(observed) => observed,
            Err(failure) => return (Ended::Blind(Box::new(failure)), vec![]),
        };
        let shown = plan(desired, &observed);
        let breaches = judge(&shown, &observed);
        self.hold("L9", breaches.is_empty(), || format!("the judge rejects the plan: {breaches:?}"));
        let opens = how.accepts.contains(&RiskClass::Reopening);
        locked(&self.inner.witness).planned(number, run_id, &shown, opens);
        let mut taken = shown.clone();
        if let Some(alter) = &how.alter {
            alter(&mut taken);
        }
        let mut outcome = self.take(&taken, desired, observed.clone(), &azure, how, number, run_id).await;
        if how.again && outcome.is_good() {
            locked(&self.inner.witness).expects_nothing(number);
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
        let settings = Settings { concurrency: how.concurrency, budgets: Budgets::default(), run_id, accepted };
        let (_keep, stop) = watch::channel(false);
        let mut sink = |event: Event| locked(&self.inner.witness).heard(number, &event);
        apply::apply(taken, desired, observed, azure, &settings, stop, &mut sink).await
    }
}

impl Inner {
    /// Carries a request to the world, before the eyes of the witness.
    pub(super) fn exchange(
        &self,
        run: usize,
        number: u64,
        request: &http::Request<Vec<u8>>,
        note: &str,
    ) -> Result<http::Response<Vec<u8>>, ExchangeError> {
        let now = self.sandbox.now();
        if Sent::reads(request) {
            return self.sandbox.exchange(request);
        }
        let (before, truths) = self.sandbox.world(|world| (world.census(now), world.truths(now)));
        let response = self.sandbox.exchange(request);
        let (after, truths_after) = self.sandbox.world(|world| (world.census(now), world.truths(now)));
        let changed = before != after;
        let sent = Sent::new(run, number, now, request, note);
        locked(&self.witness).wrote(&sent, &response, (&before, &after), (&truths, &truths_after));
        if changed {
            self.keep(now);
        }
        response
    }

    fn keep(&self, now: Millis) {
        if self.keeps_past {
            let world = self.sandbox.world(|world| world.clone());
            locked(&self.past).push((now, world));
        }
    }

    /// Tells the witness what a run was answered.
    pub(super) fn told(
        &self,
        run: usize,
        number: u64,
        request: &http::Request<Vec<u8>>,
        response: Option<&http::Response<Vec<u8>>>,
        note: &str,
    ) {
        let sent = Sent::new(run, number, self.sandbox.now(), request, note);
        locked(&self.witness).told(&sent, response);
    }

    /// Counts something that came to pass.
    pub(super) fn met(&self, kind: &str, what: &str) {
        locked(&self.witness).met(kind, what);
    }

    /// An answer that Azure's front gives instead of Azure.
    pub(super) fn made_up(&self, mishap: Mishap) -> Option<http::Response<Vec<u8>>> {
        let (status, retry_after, body) = mishap.answer()?;
        let date = jiff::Timestamp::from_second(self.sandbox.now().seconds()).ok()?;
        let mut response = http::Response::builder()
            .status(status)
            .header("content-type", "application/json")
            .header("date", date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
        if let Some(seconds) = retry_after {
            response = response.header("retry-after", seconds.to_string());
        }
        let body = if body.is_null() { vec![] } else { body.to_string().into_bytes() };
        response.body(body).ok()
    }

    /// What a read would have given some seconds ago.
    pub(super) fn stale(
        &self,
        request: &http::Request<Vec<u8>>,
        seconds: u32,
    ) -> Result<http::Response<Vec<u8>>, ExchangeError> {
        let now = self.sandbox.now();
        let then = now.plus(-i64::from(seconds) * 1000);
        let past = locked(&self.past);
        let world = past.iter().rev().find(|(at, _)| *at <= then).or_else(|| past.first()).map(|(_, world)| world);
        let mut world = match world {
            Some(world) => world.clone(),
            None => return self.sandbox.exchange(request),
        };
        // The token is good now; what is old is what is read.
        Ok(world.exchange(now, request)?)
    }

    /// Lets the meddler do what comes before this request.
    pub(super) fn meddle(&self, run: usize, number: u64) {
        let acts = locked(&self.meddling).due(run, number);
        for act in acts {
            let now = self.sandbox.now();
            let (before, after, done) = self.sandbox.world(|world| {
                let before = world.census(now);
                let done = act.perform(&mut Hand { world, now });
                (before, world.census(now), done)
            });
            let changed = before != after;
            let mut witness = locked(&self.witness);
            witness.meddled(now, act.name(), done, &before, &after);
            drop(witness);
            if changed {
                self.keep(now);
            }
        }
    }

    fn by_hand<T>(&self, act: impl FnOnce(&mut Hand<'_>) -> T) -> T {
        let now = self.sandbox.now();
        let (before, after, result) = self.sandbox.world(|world| {
            let before = world.census(now);
            let result = act(&mut Hand { world, now });
            (before, world.census(now), result)
        });
        locked(&self.witness).meddled(now, "by hand", 200, &before, &after);
        self.keep(now);
        result
    }
}

fn client(transport: Arc<dyn HttpClient>, concurrency: usize) -> Azure {
    let cloud = cloud();
    let counted = Counted::new(cloud.clone(), transport);
    let choice = credential::Choice::ClientSecret {
        tenant: sandbox::TENANT.to_owned(),
        client: sandbox::CLIENT_ID.to_owned(),
        secret: sandbox::CLIENT_SECRET.into(),
    };
    let credential = credential::build(&choice, &cloud, &counted, Retry::default()).expect("a secret is enough");
    Azure::new(cloud, credential, counted, Options { concurrency, retry: Retry::default() })
}

/// The sandbox's endpoints.
fn cloud() -> Cloud {
    let root = |host: &str| format!("https://{host}/").parse().expect("a fixed host makes a URL");
    Cloud {
        name: "sandbox".to_owned(),
        arm: root(sandbox::ARM_HOST),
        arm_audience: format!("https://{}", sandbox::ARM_HOST),
        authority: root(sandbox::LOGIN_HOST),
        vault_suffix: sandbox::VAULT_SUFFIX.to_owned(),
        vault_audience: format!("https://{}", sandbox::VAULT_SUFFIX),
    }
}
