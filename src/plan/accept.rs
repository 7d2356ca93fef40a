//! Acknowledgements: the risks that an operator has said yes to, by code and object; and the few that a spec may.

use super::risk::{Consent, RiskClass};
use super::touched::Touched;
use super::types::{Note, Plan, Step, StepId};
use crate::model::{Desired, Observed, SpecAccept};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One acknowledgement: `CMK404:account/stbilling`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Acknowledgement {
    /// The kind of risk.
    pub class: RiskClass,
    /// The thing at risk: `account/stbilling`.
    pub object: String,
}

impl Acknowledgement {
    /// Reads `CODE:object`. Codes are taken in any case, and objects as they are compared by Azure: without case.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (code, object) = text.split_once(':').ok_or_else(|| {
            "it names a code and an object, such as `CMK404:account/stbilling`: copy it from the plan".to_owned()
        })?;
        let class = RiskClass::by_code(code.trim()).ok_or_else(|| {
            let codes: Vec<&str> = RiskClass::ALL.iter().filter_map(|class| class.code()).collect();
            format!("`{code}` is no code of a risk: those are {}", codes.join(", "))
        })?;
        let object = object.trim();
        let is_named = object.split_once('/').is_some_and(|(kind, name)| !kind.is_empty() && !name.is_empty());
        if !is_named || object.contains('*') {
            return Err(format!(
                "`{object}` names no single object, such as `account/stbilling`: copy it from the plan"
            ));
        }
        Ok(Self { class, object: object.to_ascii_lowercase() })
    }
}

impl fmt::Display for Acknowledgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.class.code().unwrap_or("none"), self.object)
    }
}

/// What an operator has said yes to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accepted {
    named: BTreeSet<Acknowledgement>,
    whole_plan: bool,
}

impl Accepted {
    /// Nothing but what this names.
    pub fn named(named: impl IntoIterator<Item = Acknowledgement>) -> Self {
        Self { named: named.into_iter().collect(), whole_plan: false }
    }

    /// Everything that one plan holds, since that very plan was approved.
    pub fn whole_plan() -> Self {
        Self { named: BTreeSet::new(), whole_plan: true }
    }

    /// The same, and what this names as well.
    #[must_use]
    pub fn and(mut self, more: impl IntoIterator<Item = Acknowledgement>) -> Self {
        self.named.extend(more);
        self
    }

    /// What was named, and is not asked for by this plan: a yes that waits for a plan to use it.
    pub fn unused(&self, plan: &Plan) -> Vec<&Acknowledgement> {
        let asked: BTreeSet<Acknowledgement> = plan.asks().into_iter().map(|ask| ask.what).collect();
        self.named.iter().filter(|named| !asked.contains(*named)).collect()
    }
}

/// A yes that a plan needs from its operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// What has to be said.
    pub what: Acknowledgement,
    /// Why, once each.
    pub why: Vec<String>,
    /// The steps that wait for it.
    pub steps: Vec<StepId>,
}

impl Plan {
    /// All that this plan needs a yes to, the gravest first.
    pub fn asks(&self) -> Vec<Ask> {
        let mut asks: BTreeMap<Acknowledgement, Ask> = BTreeMap::new();
        for step in &self.steps {
            for risk in step.risks.iter().filter(|risk| risk.consent == Consent::Operator) {
                let what = Acknowledgement { class: risk.class, object: risk.object.to_ascii_lowercase() };
                let ask = asks.entry(what.clone()).or_insert_with(|| Ask { what, why: vec![], steps: vec![] });
                if !ask.why.contains(&risk.why) {
                    ask.why.push(risk.why.clone());
                }
                ask.steps.push(step.id.clone());
            }
        }
        let mut asks: Vec<Ask> = asks.into_values().collect();
        asks.sort_by(|a, b| b.what.class.cmp(&a.what.class).then_with(|| a.what.object.cmp(&b.what.object)));
        asks
    }

    /// What nobody has said yes to yet. With anything left here, no step is taken.
    pub fn unaccepted(&self, accepted: &Accepted) -> Vec<Ask> {
        if accepted.whole_plan {
            return vec![];
        }
        self.asks().into_iter().filter(|ask| !accepted.named.contains(&ask.what)).collect()
    }
}

/// A year, in seconds: for longer nobody can foresee what an acknowledgement says yes to.
const FORESEEABLE_SECONDS: i64 = 366 * 86_400;

/// Takes in what the spec itself says yes to, and tells of what does not count.
///
/// It counts only for what cannot be undone, of a thing that a step of this very plan makes, and only until its
/// day is over by Azure's clock.
pub(super) fn by_spec(steps: &mut [Step], desired: &Desired, observed: &Observed) -> Vec<Note> {
    let made: BTreeSet<String> = steps.iter().filter_map(|step| Touched::by(&step.action).makes).collect();
    let mut notes = vec![];
    for SpecAccept { object, ends, until } in &desired.accepts {
        let asked: Vec<&mut super::Risk> = steps
            .iter_mut()
            .flat_map(|step| &mut step.risks)
            .filter(|risk| risk.class == RiskClass::Irreversible && risk.object.eq_ignore_ascii_case(object))
            .filter(|risk| risk.consent == Consent::Operator)
            .collect();
        let is_over = *ends <= observed.at;
        let mut tell = |text: &str| {
            let resource = object.replacen('/', " ", 1);
            notes.push(Note { resource, text: format!("the spec's `accept` until {until} {text}") });
        };
        if is_over {
            tell("is over by Azure's clock and does not count; take it out of the spec");
        } else if ends.0 - observed.at.0 > FORESEEABLE_SECONDS {
            tell("reaches more than a year ahead; choose an earlier day");
        }
        if is_over || asked.is_empty() {
            continue;
        }
        if made.contains(object) {
            for risk in asked {
                risk.consent = Consent::Spec;
            }
        } else {
            tell("does not count: this plan does not make the thing, so it takes the operator's `--accept`");
        }
    }
    notes
}
