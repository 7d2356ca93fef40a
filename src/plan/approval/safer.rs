//! Whether a fresh plan is the same as an approved one, or safer: what it does is a part of what was approved.

use super::super::risk::{Consent, RiskClass};
use super::super::types::Plan;
use super::{MADE, NOT_SEEN, SavedPlan, SavedRisk, SavedStep, VERSION_MADE};
use std::collections::{BTreeMap, BTreeSet};

/// Something in a fresh plan that was not approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The step or the thing.
    pub subject: String,
    /// What was not approved of it.
    pub what: String,
}

/// What a fresh plan does, or does it to, that the approved one does not. Nothing: it is the same or safer.
///
/// Each fresh step has to be an approved one, with the same properties, the same start and no risk more; each thing
/// that it touches has to be the one that was approved, by what the cloud chose for it. That steps are missing
/// is fine: somebody has taken them already.
pub fn same_or_safer(approved: &SavedPlan, fresh: &Plan) -> Vec<Difference> {
    let mut differences = vec![];
    if approved.desired != fresh.bound.desired {
        let what = "it does not ask for what the approved plan's spec asks for".to_owned();
        differences.push(Difference { subject: "the spec".to_owned(), what });
    }
    let by_id: BTreeMap<&str, &SavedStep> = approved.steps.iter().map(|step| (step.id.as_str(), step)).collect();
    let approved_ids: BTreeSet<&str> = approved.steps.iter().map(|step| step.id.as_str()).collect();
    for step in fresh.steps.iter().map(SavedStep::of) {
        let found = match by_id.get(step.id.as_str()) {
            None => vec!["it was not approved: no approved step has its name".to_owned()],
            Some(known) => against(known, &step, &approved_ids),
        };
        differences.extend(found.into_iter().map(|what| Difference { subject: format!("step {}", step.id), what }));
    }
    for (object, facts) in &fresh.bound.identities {
        let subject = || object.replacen('/', " ", 1);
        let Some(known) = approved.identities.get(object) else {
            let what = "no approved step touches it".to_owned();
            differences.push(Difference { subject: subject(), what });
            continue;
        };
        let strange = facts.iter().filter_map(|(fact, value)| other(known, fact, value));
        differences.extend(strange.map(|what| Difference { subject: subject(), what }));
    }
    differences
}

/// How a step goes beyond the approved one of its name.
fn against(approved: &SavedStep, fresh: &SavedStep, approved_ids: &BTreeSet<&str>) -> Vec<String> {
    let mut found = vec![];
    let is_same =
        approved.action == fresh.action && approved.resource == fresh.resource && approved.exactly == fresh.exactly;
    if !is_same {
        found.push("it would do something else than the approved step of its name".to_owned());
    }
    if approved.former != fresh.former {
        let named = |former: &Option<String>| former.clone().unwrap_or_else(|| "no key that was seen".to_owned());
        let (then, now) = (named(&approved.former), named(&fresh.former));
        found.push(format!("the account was bound to {then} when it was approved, and is bound to {now} now"));
    }
    for change in &fresh.because {
        let known = approved.because.iter().find(|one| one.resource == change.resource && one.path == change.path);
        match known {
            None => found.push(format!("it changes {} of {}, which was not approved", change.path, change.resource)),
            Some(known) if known.after == change.after => {}
            // The key was to be made by an approved step, and has been: its version could not be approved by name.
            Some(known) if known.after == VERSION_MADE && makes_its_key(approved, approved_ids) => {}
            Some(known) => {
                found.push(format!("{} would become {}, and {} was approved", change.path, change.after, known.after));
            }
        }
    }
    found.extend(fresh.risks.iter().filter_map(|risk| raised(&approved.risks, risk)));
    found
}

/// Whether an approved step makes the key that this step binds to, or a new version of it.
fn makes_its_key(step: &SavedStep, approved_ids: &BTreeSet<&str>) -> bool {
    let key = step.because.iter().find(|change| change.path == "encryption.key");
    key.is_some_and(|key| approved_ids.contains(format!("key/{}", key.after).as_str()))
        || rotates_its_key(step, approved_ids)
}

/// How a risk goes beyond those that were approved of the same step.
fn raised(approved: &[SavedRisk], fresh: &SavedRisk) -> Option<String> {
    let SavedRisk { class, object, why, consent } = fresh;
    let code = RiskClass::by_name(class).and_then(RiskClass::code).unwrap_or(class);
    let alike = approved.iter().filter(|known| known.class == *class && known.object == *object);
    match alike.max_by_key(|known| weight(&known.consent)) {
        None => Some(format!("it bears the risk {code}:{object}, which was not approved: {why}")),
        Some(known) if weight(consent) > weight(&known.consent) => {
            Some(format!("its risk {code}:{object} now needs the {consent}'s yes, and needed the {}'s", known.consent))
        }
        Some(_) => None,
    }
}

/// The weight of a consent by its name; one that is not known weighs most.
fn weight(consent: &str) -> usize {
    let all = [Consent::Plan, Consent::Spec, Consent::Operator];
    all.iter().position(|known| known.as_str() == consent).unwrap_or(all.len())
}

/// How something known of a thing is not what was approved.
fn other(approved: &BTreeMap<String, String>, fact: &str, fresh: &str) -> Option<String> {
    let is_version = fact.starts_with("modulus of ");
    let known = match approved.get(fact) {
        Some(known) => known,
        // A key that an approved step makes has no version that could have been approved.
        None if is_version && approved.get("version").is_some_and(|version| version == MADE) => return None,
        None => return Some(format!("its {fact} is {fresh}, and nothing was approved of that")),
    };
    let is_fine = known == fresh || known == MADE || known == NOT_SEEN;
    (!is_fine).then(|| format!("its {fact} is {fresh}, and {known} was approved: it is another thing of the same name"))
}

/// Whether an approved step makes a new version of the key that this step binds to. The key may stay, and is then not
/// among the changes; the step's own id names its account alone, so the steps that it goes after are asked.
fn rotates_its_key(step: &SavedStep, approved_ids: &BTreeSet<&str>) -> bool {
    step.after.iter().any(|after| after.starts_with("rotation/") && approved_ids.contains(after.as_str()))
}
