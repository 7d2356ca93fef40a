//! Approved is what is applied: what a plan is bound to, its digest, its saved form, and whether a fresh plan is
//! the same or safer than an approved one.
//!
//! A saved plan bounds what a fresh one may do. Its steps are never executed.

mod identity;
mod safer;
mod saved;
#[cfg(test)]
mod tests;

pub use identity::{Identities, MADE, NOT_SEEN};
pub use safer::{Difference, same_or_safer};
pub use saved::{BadPlanFile, FORMAT, Origin, SavedChange, SavedPlan, SavedRisk, SavedStep, is_saved, read, save};

use super::digest::{Digest, text_digest};
use super::risk::Risk;
use super::types::Step;
use crate::model::{Desired, Observed};

/// What a plan says of a key version that Key Vault has yet to choose.
pub(super) const VERSION_MADE: &str = "the version that Key Vault makes";

/// What a plan is bound to beyond its steps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bound {
    /// SHA-256 over what the spec asks for, in hexadecimal digits: not over its text, so that a comment changes nothing.
    pub desired: String,
    /// What tells the things that the steps touch from others of the same name.
    pub identities: Identities,
}

/// What the steps of a plan are bound to.
pub(super) fn bound(steps: &[Step], desired: &Desired, observed: &Observed) -> Bound {
    let identities = identity::identities(steps, observed);
    Bound { desired: text_digest(&format!("{desired:?}")), identities }
}

/// SHA-256 over what the plan is bound to and its steps, in hexadecimal digits. It holds no clock values.
pub(super) fn digest(bound: &Bound, steps: &[Step]) -> String {
    let steps: Vec<SavedStep> = steps.iter().map(SavedStep::of).collect();
    of_saved(&bound.desired, &bound.identities, &steps)
}

/// The same over the saved form, from which a file's own digest is worked out again.
fn of_saved(desired: &str, identities: &Identities, steps: &[SavedStep]) -> String {
    let mut digest = Digest::default();
    digest.texts([FORMAT, desired]);
    digest.count(identities.len());
    for (object, facts) in identities {
        digest.texts([object.as_str()]);
        digest.count(facts.len());
        for (fact, value) in facts {
            digest.texts([fact.as_str(), value]);
        }
    }
    digest.count(steps.len());
    for step in steps {
        let SavedStep { id, action, resource, exactly, former, because, after, risks } = step;
        digest.texts([id.as_str(), action, resource, exactly, former.as_deref().unwrap_or("\u{0}")]);
        digest.count(because.len());
        for SavedChange { resource, path, before, after } in because {
            digest.texts([resource.as_str(), path, before.as_deref().unwrap_or("\u{0}"), after]);
        }
        digest.count(after.len());
        digest.texts(after.iter().map(String::as_str));
        digest.count(risks.len());
        for SavedRisk { class, object, why, consent } in risks {
            digest.texts([class.as_str(), object, why, consent]);
        }
    }
    digest.end()
}
