//! What applying tells while it runs, and what it leaves as its result.

use crate::plan::{Ask, StepId};
use std::collections::BTreeMap;
use std::time::Duration;

/// Progress, in one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A step begins: it looks before it acts.
    Started {
        /// The step.
        step: StepId,
    },
    /// A step waits for an effect in Azure.
    Waiting {
        /// The step.
        step: StepId,
        /// What is waited for, as a clause after "until": "Azure honours the grant".
        what: String,
        /// How long it has been waited for.
        elapsed: Duration,
        /// How long it will be waited for at most.
        budget: Duration,
    },
    /// A step has ended.
    Finished {
        /// The step.
        step: StepId,
        /// How it ended.
        outcome: StepOutcome,
    },
}

/// How one step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepOutcome {
    /// What it gives held before it acted: nothing was sent.
    Already,
    /// It acted, and what it gives was seen to hold.
    Done,
    /// What it needs does not hold: which facts, and why.
    Blocked(Vec<String>),
    /// Azure refused or failed: what was tried, what was said, what to do; one paragraph a line.
    Failed(String),
    /// It acted, but its effect was not seen within the budget.
    Unconfirmed(String),
    /// It was not begun: why.
    Skipped(String),
}

impl StepOutcome {
    /// The name used in documents.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Already => "already",
            Self::Done => "done",
            Self::Blocked(_) => "blocked",
            Self::Failed(_) => "failed",
            Self::Unconfirmed(_) => "unconfirmed",
            Self::Skipped(_) => "skipped",
        }
    }

    /// Whether what the step gives holds.
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Already | Self::Done)
    }

    /// What there is to say beyond the name.
    pub fn detail(&self) -> String {
        match self {
            Self::Already | Self::Done => String::new(),
            Self::Blocked(facts) => facts.join("; "),
            Self::Failed(text) | Self::Unconfirmed(text) | Self::Skipped(text) => text.clone(),
        }
    }
}

/// How applying a plan ended, and how long it waited for what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// One entry a step, in the plan's order.
    pub steps: Vec<(StepId, StepOutcome)>,
    /// Whether it was asked to stop before it was through.
    pub interrupted: bool,
    /// The `x-ms-client-request-id` of every step that began.
    pub request_ids: BTreeMap<StepId, String>,
    /// Every wait for an effect: what for, and for how long.
    pub waits: Vec<(String, Duration)>,
    /// The risks of the plan to which nobody has said yes; with one or more, no step was begun.
    pub unaccepted: Vec<Ask>,
}

impl Outcome {
    /// Whether what every step gives holds.
    pub fn is_good(&self) -> bool {
        !self.interrupted && self.steps.iter().all(|(_, outcome)| outcome.is_good())
    }
}
