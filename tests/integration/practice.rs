//! A place to run whole plans: the product's real client against a sandbox in this process, in virtual time.

use cmk::apply::{Budgets, Event, Outcome, Settings, apply};
use cmk::azure::{Azure, Cloud, Counted, Options, Retry, Stats, credential};
use cmk::diag::Source;
use cmk::model::Desired;
use cmk::plan::{Plan, plan};
use cmk::sandbox::{self, Clock, Local, Millis, Pace, Sandbox, World};
use std::sync::Arc;
use tokio::sync::watch;

/// A sandbox and the way to it.
pub(crate) struct Practice {
    pub(crate) sandbox: Sandbox,
}

/// A run of `apply`: what was planned, what came of it, what was told and what was sent.
pub(crate) struct Applied {
    pub(crate) plan: Plan,
    pub(crate) outcome: Outcome,
    pub(crate) events: Vec<Event>,
    pub(crate) stats: Stats,
}

/// Azure's time in the sandbox: 2026-01-01, plus what has passed on tokio's clock, which tests pause.
fn clock() -> Clock {
    let start = tokio::time::Instant::now();
    Arc::new(move || {
        let passed = i64::try_from(start.elapsed().as_millis()).expect("tests end within the age of the universe");
        Millis(1_767_225_600_000 + passed)
    })
}

/// The sandbox's endpoints, as the program's own `--sandbox` has them.
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

impl Practice {
    /// An empty Azure with waits as long as Azure's own.
    pub(crate) fn new() -> Self {
        Self { sandbox: Sandbox::in_memory(World::new(Pace::azure()), clock()) }
    }

    /// A client of its own, as a fresh run of the program has one.
    pub(crate) fn azure(&self) -> Azure {
        let counted = Counted::new(cloud(), Arc::new(Local(self.sandbox.clone())));
        let choice = credential::Choice::ClientSecret {
            tenant: sandbox::TENANT.to_owned(),
            client: sandbox::CLIENT_ID.to_owned(),
            secret: sandbox::CLIENT_SECRET.into(),
        };
        let retry = Retry::default();
        let credential = credential::build(&choice, &cloud(), &counted, retry).expect("a secret is enough");
        Azure::new(cloud(), credential, counted, Options::default())
    }

    /// What is to be done for a spec, and what was sent to find out.
    pub(crate) async fn plan(&self, desired: &Desired) -> (Plan, Stats) {
        let azure = self.azure();
        let observed = cmk::observe::observe(desired, &azure).await.expect("the sandbox can be observed");
        (plan(desired, &observed), azure.stats())
    }

    /// Observes, plans and applies.
    pub(crate) async fn apply(&self, desired: &Desired) -> Applied {
        let azure = self.azure();
        let observed = cmk::observe::observe(desired, &azure).await.expect("the sandbox can be observed");
        let plan = plan(desired, &observed);
        let (_keep, stop) = watch::channel(false);
        let settings = Settings { concurrency: 8, budgets: Budgets::default(), run_id: uuid::Uuid::nil() };
        let mut events = vec![];
        let outcome = apply(&plan, desired, observed, &azure, &settings, stop, &mut |event| events.push(event)).await;
        Applied { plan, outcome, events, stats: azure.stats() }
    }

    /// Applies and insists that every step succeeded and that a second plan is empty.
    pub(crate) async fn converge(&self, desired: &Desired) -> Applied {
        let applied = self.apply(desired).await;
        assert!(applied.plan.is_complete(), "{:#?}", applied.plan);
        assert!(applied.outcome.is_good(), "{:#?}", applied.outcome);
        let (second, _) = self.plan(desired).await;
        assert!(second.is_empty() && second.is_complete(), "{second:#?}");
        applied
    }
}

/// The desired state of a spec that has no fault.
pub(crate) fn desired(spec: &str) -> Desired {
    let source = Source { name: "test.yaml".to_owned(), text: spec.to_owned() };
    let (desired, diagnostics) = cmk::spec::load(&source);
    desired.unwrap_or_else(|| panic!("{}", cmk::diag::render(&source, &diagnostics, false)))
}

/// An example of the project's own.
pub(crate) fn example(name: &str) -> Desired {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("specs").join(name);
    desired(&std::fs::read_to_string(path).expect("the example is there"))
}
