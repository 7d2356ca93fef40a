//! One run of the product: how it is to go, and how it went.

use super::line::Crash;
use super::mishap::Script;
use crate::apply::Outcome;
use crate::azure::Failure;
use crate::model::Guard;
use crate::plan::{Plan, RiskClass};
use azure_core::http::HttpClient;
use std::sync::Arc;
use std::time::Duration;

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
    /// What the operator allows to be touched; nothing: exactly what the spec names.
    pub guard: Option<Guard>,
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
            guard: None,
        }
    }
}

impl std::fmt::Debug for How {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { script, crash, latency, concurrency, alter: _, wrap: _, again: _, accepts, guard } = self;
        f.debug_struct("How")
            .field("script", script)
            .field("crash", crash)
            .field("latency", latency)
            .field("concurrency", concurrency)
            .field("accepts", accepts)
            .field("guard", guard)
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
