//! Proposals -> steps, in an order in which each comes after what gives what it needs.

use super::action::Action;
use super::draft::Proposal;
use super::types::{Step, StepId};
use super::{effects, risk};
use crate::model::{Fact, Observed, Who};
use std::collections::{BTreeSet, HashMap};

/// Puts proposals in order: by what they need, and where that leaves a choice, by kind and name.
///
/// The order does not depend on the order of the proposals. `needs` without a giver among them
/// hold already or are under way; the draft has dropped all others.
pub(super) fn order(proposals: Vec<Proposal>, observed: &Observed) -> Vec<Step> {
    let mut waiting: Vec<Step> =
        proposals.into_iter().map(|(action, because)| step(action, because, observed)).collect();
    waiting.sort_by_key(|step| (rank(&step.action), step.id.clone()));
    let links = links(&waiting, observed);
    for (at, givers) in links.iter().enumerate() {
        waiting[at].after = givers.iter().map(|giver| waiting[*giver].id.clone()).collect();
    }
    let mut waiting: Vec<Option<Step>> = waiting.into_iter().map(Some).collect();
    sequence(&links).into_iter().filter_map(|at| waiting[at].take()).collect()
}

/// For each step, the steps that give what it needs and what does not hold yet.
fn links(steps: &[Step], observed: &Observed) -> Vec<BTreeSet<usize>> {
    let mut givers: HashMap<&Fact, Vec<usize>> = HashMap::new();
    for (at, step) in steps.iter().enumerate() {
        for fact in &step.gives {
            givers.entry(fact).or_default().push(at);
        }
    }
    let of = |(at, step): (usize, &Step)| {
        let missing = step.needs.iter().filter(|need| !need.check(observed).is_yes());
        let all = missing.filter_map(|need| givers.get(need)).flatten().copied();
        all.filter(|giver| *giver != at).collect()
    };
    steps.iter().enumerate().map(of).collect()
}

/// The order in which the first step that is free comes next.
///
/// The table of effects has no circle, so some step is always free; should one ever appear, its steps go last and the
/// executor, which checks what they need, will not take them.
fn sequence(links: &[BTreeSet<usize>]) -> Vec<usize> {
    let mut open: Vec<usize> = links.iter().map(BTreeSet::len).collect();
    let mut takers: Vec<Vec<usize>> = vec![vec![]; links.len()];
    for (at, givers) in links.iter().enumerate() {
        for giver in givers {
            takers[*giver].push(at);
        }
    }
    let mut free: BTreeSet<usize> = (0..links.len()).filter(|at| open[*at] == 0).collect();
    let mut left: BTreeSet<usize> = (0..links.len()).collect();
    let mut order = vec![];
    while let Some(next) = free.pop_first().or_else(|| left.first().copied()) {
        left.remove(&next);
        order.push(next);
        for taker in &takers[next] {
            open[*taker] = open[*taker].saturating_sub(1);
            if open[*taker] == 0 && left.contains(taker) {
                free.insert(*taker);
            }
        }
    }
    order
}

fn step(action: Action, because: Vec<super::Change>, observed: &Observed) -> Step {
    let risks = risk::risks(&action, observed);
    let (needs, gives): (Vec<Fact>, Vec<Fact>) = (effects::needs(&action), effects::gives(&action));
    Step { id: id(&action), action, because, needs, gives, after: vec![], risks }
}

/// The place of a kind of action where needs leave a choice: containers, then what is in them, then what binds them.
fn rank(action: &Action) -> u8 {
    match action {
        Action::CreateGroup { .. } => 0,
        Action::CreateVault { .. } | Action::RecoverVault { .. } => 1,
        Action::ProtectVault { .. } | Action::SetAudit { .. } => 2,
        Action::CreateKey { .. } | Action::ImportKey { .. } | Action::RecoverKey { .. } => 3,
        Action::EnableVersion { .. } => 4,
        Action::MarkKey { .. } => 5,
        // Before its policy, which would make Key Vault do the same.
        Action::RotateKey { .. } => 6,
        Action::SetRotation { .. } => 7,
        Action::CreateIdentity { .. } => 8,
        Action::CreateAccount { .. } => 9,
        Action::AttachIdentity { .. } => 10,
        Action::Grant { .. } => 11,
        Action::SetEncryption { .. } => 12,
        Action::SwitchIdentity { .. } => 13,
        Action::LeaveKey { .. } => 14,
        Action::DetachIdentity { .. } => 15,
        Action::RevokeAccess { .. } => 16,
        Action::DisableVersion { .. } => 17,
    }
}

fn id(action: &Action) -> StepId {
    StepId(match action {
        Action::CreateGroup { id, .. } => format!("group/{}/{}", id.subscription, id.name),
        Action::CreateVault { id, .. } => format!("vault/{}", id.name),
        Action::RecoverVault { id, .. } => format!("recovery/{}", id.name),
        Action::ProtectVault { id } => format!("protection/{}", id.name),
        Action::SetAudit { vault, .. } => format!("audit/{}", vault.name),
        Action::CreateKey { key, .. } | Action::ImportKey { key, .. } => format!("key/{key}"),
        Action::RecoverKey { key, .. } => format!("recovery/{key}"),
        Action::MarkKey { key, .. } => format!("marks/{key}"),
        Action::SetRotation { key, .. } => format!("rotationPolicy/{key}"),
        Action::RotateKey { key, .. } => format!("rotation/{key}"),
        Action::EnableVersion { key, version, .. } => format!("enabled/{key}/{version}"),
        Action::DisableVersion { key, version, .. } => format!("disabled/{key}/{version}"),
        Action::CreateAccount { id, .. } => format!("account/{}", id.name),
        Action::CreateIdentity { id, .. } => format!("userIdentity/{}", id.name),
        Action::AttachIdentity { id, .. } => format!("identity/{}", id.name),
        Action::DetachIdentity { id, .. } => format!("removal/{}", id.name),
        Action::Grant { who: Who::System(account), vault, .. } => format!("grant/{}/{}", account.name, vault.name),
        // One identity may be granted several keys of a vault, for several accounts.
        Action::Grant { who: Who::User(identity), vault: _, key, .. } => format!("grant/{}/{key}", identity.name),
        Action::RevokeAccess { account, who: _, vault } => format!("revocation/{}/{}", account.name, vault.name),
        Action::SetEncryption { account, .. } | Action::LeaveKey { account, .. } => {
            format!("encryption/{}", account.name)
        }
        Action::SwitchIdentity { account, .. } => format!("reach/{}", account.name),
    })
}
