//! What a plan is made of.

use super::action::Action;
use super::approval::Bound;
use super::review::Review;
use super::risk::{Risk, RiskClass};
use crate::model::Fact;
use std::fmt;

/// All that will be done, what will not be done and why, and what could not be seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The steps, in an order in which they may be taken one by one.
    pub steps: Vec<Step>,
    /// What `cmk` will not do. With one refusal or more, no step is taken.
    pub refusals: Vec<Refusal>,
    /// What is under way in Azure by itself and will be waited for.
    pub waits: Vec<Wait>,
    /// What could not be seen, and what hangs on it.
    pub blind_spots: Vec<BlindSpot>,
    /// Differences that the spec does not ask to mend, such as another SKU than `create` names.
    pub notes: Vec<Note>,
    /// What the steps mean for data, keys and people.
    pub review: Review,
    /// The tenant, when something that was read names it.
    pub tenant: Option<String>,
    /// What its approval is bound to beyond the steps.
    pub bound: Bound,
    /// SHA-256 over what it is bound to and its steps, in hexadecimal digits; holds no clock values.
    pub digest: String,
    /// SHA-256 over what was observed, but for the moment of the look: the same look gives the same fingerprint.
    pub fingerprint: String,
}

/// A step's name, readable and stable: `grant/stbilling/kv-prod`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(pub String);

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One write, why it is needed and what it hangs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub id: StepId,
    /// What it does.
    pub action: Action,
    /// The differences that it mends, for people.
    pub because: Vec<Change>,
    /// What must hold before it, from the table of effects.
    pub needs: Vec<Fact>,
    /// What holds after it, from the table of effects.
    pub gives: Vec<Fact>,
    /// The steps that give what it needs, directly.
    pub after: Vec<StepId>,
    /// What a reviewer should know before agreeing, the gravest first; empty when there is nothing of note.
    pub risks: Vec<Risk>,
}

/// A difference between what is and what should be, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The thing: `account stbilling`.
    pub resource: String,
    /// The property, in the spec's or ARM's words: `encryption.keySource`.
    pub path: String,
    /// What it is; nothing when it is not set or the thing is not there.
    pub before: Option<String>,
    /// What it will be.
    pub after: String,
}

/// What `cmk` will not do, why, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// The kind of problem: a code whose summary and long story are in the list of codes.
    pub code: &'static str,
    /// The thing: `vault kv-prod`.
    pub resource: String,
    /// What is the matter, with names.
    pub detail: String,
    /// What to do.
    pub help: String,
}

/// What is under way in Azure by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// What is waited for.
    pub fact: Fact,
    /// What is under way: "its provisioning state is Creating".
    pub why: String,
}

/// What could not be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlindSpot {
    /// The thing: `vault kv-prod`.
    pub resource: String,
    /// What Azure said.
    pub why: String,
    /// The permission that would show it, when it is known.
    pub permission: Option<String>,
    /// What cannot be judged because of it, and is therefore not done: one sentence each.
    pub hides: Vec<String>,
}

/// A difference that is told and not mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The thing: `account stbilling`.
    pub resource: String,
    /// What differs.
    pub text: String,
}

impl Step {
    /// The gravest of its risks.
    pub fn gravest(&self) -> RiskClass {
        self.risks.iter().map(|risk| risk.class).max().unwrap_or(RiskClass::None)
    }
}

impl Plan {
    /// The gravest risk of its steps.
    pub fn gravest(&self) -> RiskClass {
        self.steps.iter().map(Step::gravest).max().unwrap_or(RiskClass::None)
    }

    /// Whether there is no step to take. Waits and notes do not count.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether everything desired could be judged and nothing is refused.
    pub fn is_complete(&self) -> bool {
        self.refusals.is_empty() && self.blind_spots.is_empty()
    }
}
