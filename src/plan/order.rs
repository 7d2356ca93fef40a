//! Proposals -> steps, in an order in which each comes after what gives what it needs.

use super::draft::Proposal;
use super::types::{Action, Step, StepId};
use super::{effects, risk};
use crate::model::{Fact, Observed};
use std::collections::BTreeSet;

/// Puts proposals in order: by what they need, and where that leaves a choice, by kind and name.
///
/// The order does not depend on the order of the proposals. `needs` without a giver among them
/// hold already or are under way; the draft has dropped all others.
pub(super) fn order(proposals: Vec<Proposal>, observed: &Observed) -> Vec<Step> {
    let mut waiting: Vec<Step> =
        proposals.into_iter().map(|(action, because)| step(action, because, observed)).collect();
    waiting.sort_by_key(|step| (rank(&step.action), step.id.clone()));
    let links: Vec<Vec<StepId>> = waiting.iter().map(|step| givers(step, &waiting, observed)).collect();
    for (step, after) in waiting.iter_mut().zip(links) {
        step.after = after;
    }
    let mut ordered: Vec<Step> = vec![];
    let mut placed: BTreeSet<StepId> = BTreeSet::new();
    while !waiting.is_empty() {
        // The table of effects has no circle, so some step is always free; should one ever appear,
        // its steps go last and the executor, which checks what they need, will not take them.
        let next = waiting.iter().position(|step| step.after.iter().all(|id| placed.contains(id))).unwrap_or(0);
        let step = waiting.remove(next);
        placed.insert(step.id.clone());
        ordered.push(step);
    }
    ordered
}

fn step(action: Action, because: Vec<super::Change>, observed: &Observed) -> Step {
    let risks = risk::risks(&action, observed);
    let (needs, gives): (Vec<Fact>, Vec<Fact>) = (effects::needs(&action), effects::gives(&action));
    Step { id: id(&action), action, because, needs, gives, after: vec![], risks }
}

/// The steps that give what a step needs and what does not hold yet.
fn givers(step: &Step, all: &[Step], observed: &Observed) -> Vec<StepId> {
    let missing: Vec<&Fact> = step.needs.iter().filter(|need| !need.check(observed).is_yes()).collect();
    all.iter()
        .filter(|other| other.id != step.id && other.gives.iter().any(|given| missing.contains(&given)))
        .map(|other| other.id.clone())
        .collect()
}

/// The place of a kind of action where needs leave a choice: containers, then what is in them, then what binds them.
fn rank(action: &Action) -> u8 {
    match action {
        Action::CreateGroup { .. } => 0,
        Action::CreateVault { .. } => 1,
        Action::ProtectVault { .. } => 2,
        Action::CreateKey { .. } => 3,
        Action::CreateAccount { .. } => 4,
        Action::AttachIdentity { .. } => 5,
        Action::Grant { .. } => 6,
        Action::SetEncryption { .. } => 7,
        Action::LeaveKey { .. } => 8,
        Action::RevokeAccess { .. } => 9,
    }
}

fn id(action: &Action) -> StepId {
    StepId(match action {
        Action::CreateGroup { id, .. } => format!("group/{}/{}", id.subscription, id.name),
        Action::CreateVault { id, .. } => format!("vault/{}", id.name),
        Action::ProtectVault { id } => format!("protection/{}", id.name),
        Action::CreateKey { key, .. } => format!("key/{key}"),
        Action::CreateAccount { id, .. } => format!("account/{}", id.name),
        Action::AttachIdentity { id } => format!("identity/{}", id.name),
        Action::Grant { account, vault, .. } => format!("grant/{}/{}", account.name, vault.name),
        Action::RevokeAccess { account, vault } => format!("revocation/{}/{}", account.name, vault.name),
        Action::SetEncryption { account, .. } | Action::LeaveKey { account, .. } => {
            format!("encryption/{}", account.name)
        }
    })
}
