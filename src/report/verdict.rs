//! The verdict on a plan and on applying it: one place decides, for people, documents and exit codes alike.

use crate::apply::Outcome;
use crate::plan::{Plan, StepId};

/// What a plan comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanVerdict {
    /// Something is refused, so nothing is sent.
    Refused,
    /// There are steps to take.
    Steps,
    /// There are none, but not everything that is desired could be judged.
    Unjudged,
    /// There are none. Waits and notes do not count.
    NothingToDo,
}

impl PlanVerdict {
    /// The verdict on a plan.
    pub fn of(plan: &Plan) -> Self {
        if !plan.refusals.is_empty() {
            Self::Refused
        } else if !plan.is_empty() {
            Self::Steps
        } else if is_unjudged(plan) {
            Self::Unjudged
        } else {
            Self::NothingToDo
        }
    }

    /// The name used in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Steps => "steps",
            Self::Unjudged => "unjudged",
            Self::NothingToDo => "nothingToDo",
        }
    }
}

/// Whether a blind spot keeps something that is desired from being judged.
pub fn is_unjudged(plan: &Plan) -> bool {
    plan.blind_spots.iter().any(|spot| !spot.hides.is_empty())
}

/// What the second look, after the last step, showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// A plan made afresh; without steps, it proves that the work is done.
    Looked(Box<Plan>),
    /// The look failed, or was not taken: why.
    NotLooked(String),
}

impl Proof {
    /// The steps that a fresh plan would still take.
    pub fn left(&self) -> Vec<&StepId> {
        match self {
            Self::Looked(plan) => plan.steps.iter().map(|step| &step.id).collect(),
            Self::NotLooked(_) => Vec::new(),
        }
    }

    /// The name used in documents.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Looked(plan) => match PlanVerdict::of(plan) {
                PlanVerdict::NothingToDo => "nothingLeft",
                PlanVerdict::Steps => "left",
                PlanVerdict::Refused => "refused",
                PlanVerdict::Unjudged => "unjudged",
            },
            Self::NotLooked(_) => "notLooked",
        }
    }
}

/// How applying ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApplyVerdict {
    /// A second look found nothing left to do.
    Done,
    /// It was asked to stop before it was through.
    Interrupted,
    /// Some steps did not come to their good end.
    Incomplete,
    /// Every step ended well, but the second look finds something left, or could not be taken.
    Unproved,
}

impl ApplyVerdict {
    /// The verdict on an outcome and the look after it.
    ///
    /// The look decides: a step whose effect came late is done all the same. Only when
    /// it does not prove the end, the steps say how it came.
    pub fn of(outcome: &Outcome, proof: &Proof) -> Self {
        let is_proved = matches!(proof, Proof::Looked(plan) if PlanVerdict::of(plan) == PlanVerdict::NothingToDo);
        if outcome.interrupted {
            Self::Interrupted
        } else if is_proved {
            Self::Done
        } else if outcome.is_good() {
            Self::Unproved
        } else {
            Self::Incomplete
        }
    }

    /// The name used in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Interrupted => "interrupted",
            Self::Incomplete => "incomplete",
            Self::Unproved => "unproved",
        }
    }
}
