//! (Desired, Observed) -> Plan. Pure and total: no IO, no clock, an answer for every input.
//!
//! Each kind of thing proposes actions for the facts that do not hold. What then
//! lacks a need is dropped and told, and what stays is put in order by the table
//! of effects.

mod accept;
mod accounts;
mod action;
pub mod approval;
mod audit;
mod crowd;
mod digest;
mod draft;
mod effects;
mod encryption;
mod groups;
pub mod guard;
mod identities;
mod judge;
mod key_state;
mod life;
mod obstacles;
mod order;
mod own_key;
mod recovery;
mod removal;
pub mod review;
pub mod risk;
#[cfg(test)]
pub(crate) mod tests;
mod together;
mod touched;
mod types;
mod vaults;

pub use accept::{Accepted, Acknowledgement, Ask};
pub use action::{Action, Binds, Former, GrantBy};
pub use digest::text_digest;
pub use effects::{gives, needs};
pub use encryption::revoking;
pub use judge::{Breach, judge};
pub use life::closing;
pub use obstacles::subscriptions;
pub use review::{Review, shares_vaults};
pub use risk::{Consent, Risk, RiskClass};
pub use types::{BlindSpot, Change, Note, Plan, Refusal, Step, StepId, Wait};

use crate::model::{Desired, Observed, Seen};

/// Says what is to be done so that what is desired holds, given what was observed.
pub fn plan(desired: &Desired, observed: &Observed) -> Plan {
    let mut draft = draft::Draft::default();
    groups::plan(desired, observed, &mut draft);
    vaults::plan(desired, observed, &mut draft);
    audit::plan(desired, observed, &mut draft);
    life::plan(desired, observed, &mut draft);
    identities::plan(desired, observed, &mut draft);
    accounts::plan(desired, observed, &mut draft);
    encryption::plan(desired, observed, &mut draft);
    removal::plan(desired, observed, &mut draft);
    life::close(desired, observed, &mut draft);
    own_key::withhold(desired, observed, &mut draft);
    draft.prune(observed);
    together::join(&mut draft.proposals, observed);
    crowd::look(observed, &mut draft);
    obstacles::refuse_locked(observed, &mut draft);
    let draft::Draft {
        proposals,
        refusals,
        waits,
        blind_spots,
        mut notes,
        recovered: _,
        unseen: _,
        granted: _,
        renewed: _,
    } = draft;
    let refusals = refusals.into_iter().collect();
    let mut steps = order::order(proposals, observed);
    notes.extend(accept::by_spec(&mut steps, desired, observed));
    let bound = approval::bound(&steps, desired, observed);
    let digest = approval::digest(&bound, &steps);
    let blind_spots = blind_spots.into_values().collect();
    let review = review::review(&steps, desired, observed);
    let (tenant, fingerprint) = (tenant(observed), digest::fingerprint(observed));
    Plan { steps, refusals, waits, blind_spots, notes, review, tenant, bound, digest, fingerprint }
}

/// The tenant that the things seen belong to: the first one named, in order.
fn tenant(observed: &Observed) -> Option<String> {
    let vaults = observed.vaults.values().filter_map(Seen::known).map(|vault| vault.tenant.clone());
    let subscriptions = observed.subscriptions.values().filter_map(Seen::known).map(|seen| seen.tenant.clone());
    let identities = observed.accounts.values().filter_map(Seen::known).filter_map(|seen| seen.identity.tenant.clone());
    vaults.chain(subscriptions).chain(identities).next()
}
