//! A plan in the making: what the files of each kind of thing add to, before it is put in order.

use super::action::Action;
use super::effects;
use super::types::{BlindSpot, Change, Note, Refusal, Wait};
use crate::model::{Binding, Check, Fact, HiddenReason, KeyRef, Observed, Timestamp, VaultName, Version, Who};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// An action with the differences that it mends.
pub(super) type Proposal = (Action, Vec<Change>);

/// A plan in the making.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) proposals: Vec<Proposal>,
    pub(super) refusals: BTreeSet<Refusal>,
    pub(super) waits: Vec<Wait>,
    pub(super) blind_spots: BTreeMap<String, BlindSpot>,
    pub(super) notes: Vec<Note>,
    /// The grants that were proposed.
    pub(super) granted: BTreeSet<(Who, KeyRef)>,
    /// The keys that get a newer version than they have, or have one enabled again, and from when on that is new enough.
    pub(super) renewed: BTreeMap<KeyRef, Timestamp>,
    /// What is brought back in this plan, in words, and what it holds: nothing else that hangs on it is planned yet.
    pub(super) recovered: Recovered,
    /// Facts that dropped actions would have given, with the thing that could not be seen and is the cause.
    pub(super) unseen: Vec<(Fact, String)>,
}

/// The vaults and keys that a plan brings back. What comes back with them can be seen only then: a key may be disabled,
/// access may be gone. So a plan that brings something back ends there, and the next one goes on from what is seen.
#[derive(Debug, Default)]
pub(super) struct Recovered {
    vaults: BTreeSet<VaultName>,
    keys: BTreeSet<KeyRef>,
}

impl Recovered {
    /// Whether a vault comes back.
    pub(super) fn has_vault(&self, vault: &VaultName) -> bool {
        self.vaults.contains(vault)
    }

    /// Whether what an account is bound to comes back. A host begins with its vault's name.
    pub(super) fn has_bound(&self, binding: &Binding) -> bool {
        let is_host = |vault: &VaultName| {
            let label = binding.vault_host.split('.').next().unwrap_or_default();
            label.eq_ignore_ascii_case(vault.as_str())
        };
        let is_key = |key: &KeyRef| is_host(&key.vault) && binding.key.eq_ignore_ascii_case(key.name.as_str());
        self.vaults.iter().any(is_host) || self.keys.iter().any(is_key)
    }

    /// Whether a key comes back, by itself or with its vault.
    pub(super) fn has_key(&self, key: &KeyRef) -> bool {
        self.has_vault(&key.vault) || self.keys.contains(key)
    }
}

impl Draft {
    pub(super) fn propose(&mut self, action: Action, because: Vec<Change>) {
        if let Action::RotateKey { key, since, .. } | Action::EnableVersion { key, newest: Some(since), .. } = &action {
            self.renewed.insert(key.clone(), *since);
        }
        match &action {
            Action::RecoverVault { id, .. } => drop(self.recovered.vaults.insert(id.name.clone())),
            Action::RecoverKey { key, .. } => drop(self.recovered.keys.insert(key.clone())),
            _ => {}
        }
        self.proposals.push((action, because));
    }

    /// Whether nobody else has asked for this grant: one for an identity and a key, whoever reaches the key so.
    pub(super) fn is_first_grant(&mut self, who: &Who, key: &KeyRef) -> bool {
        self.granted.insert((who.clone(), key.clone()))
    }

    /// Whether a version of a key is enabled again in this plan.
    pub(super) fn opens(&self, key: &KeyRef, version: &Version) -> bool {
        let is_it = |action: &Action| matches!(action, Action::EnableVersion { key: of, version: one, .. } if of == key && one == version);
        self.proposals.iter().any(|(action, _)| is_it(action))
    }

    pub(super) fn refuse(
        &mut self,
        code: &'static str,
        resource: &str,
        detail: impl Into<String>,
        help: impl Into<String>,
    ) {
        let refusal = Refusal { code, resource: resource.to_owned(), detail: detail.into(), help: help.into() };
        self.refusals.insert(refusal);
    }

    pub(super) fn note(&mut self, resource: &str, text: impl Into<String>) {
        self.notes.push(Note { resource: resource.to_owned(), text: text.into() });
    }

    /// Records what is under way by itself; a fact that holds or fails records nothing.
    pub(super) fn wait_for(&mut self, fact: Fact, observed: &Observed) {
        if let Check::Pending(why) = fact.check(observed) {
            self.waits.push(Wait { fact, why });
        }
    }

    pub(super) fn hidden(&mut self, resource: &str, reason: &HiddenReason) {
        self.blind_spots.entry(resource.to_owned()).or_insert_with(|| BlindSpot {
            resource: resource.to_owned(),
            why: reason.what.clone(),
            permission: reason.permission.clone(),
            hides: vec![],
        });
    }

    /// Records that what may not be seen hides something.
    pub(super) fn hidden_with(&mut self, resource: &str, reason: &HiddenReason, hidden: String) {
        self.hidden(resource, reason);
        self.hides(resource, &reason.what, hidden);
    }

    pub(super) fn hides(&mut self, resource: &str, why: &str, hidden: String) {
        let spot = self.blind_spots.entry(resource.to_owned()).or_insert_with(|| BlindSpot {
            resource: resource.to_owned(),
            why: why.to_owned(),
            permission: None,
            hides: vec![],
        });
        if !spot.hides.contains(&hidden) {
            spot.hides.push(hidden);
        }
    }

    /// Drops every action that needs what neither holds, nor is under way, nor is given by another
    /// action that stays, and says so: what could not be judged is a blind spot, what fails is refused.
    ///
    /// What is dropped gives nothing any more, so others may follow it: always the first in order.
    pub(super) fn prune(&mut self, observed: &Observed) {
        let mut standing: Vec<Option<Proposal>> = self.proposals.drain(..).map(Some).collect();
        let needs: Vec<Vec<Fact>> = standing.iter().flatten().map(|(action, _)| effects::needs(action)).collect();
        let mut given: HashMap<Fact, usize> = HashMap::new();
        for (action, _) in standing.iter().flatten() {
            for fact in effects::gives(action) {
                *given.entry(fact).or_default() += 1;
            }
        }
        let mut takers: HashMap<&Fact, Vec<usize>> = HashMap::new();
        for (at, needs) in needs.iter().enumerate() {
            for need in needs {
                takers.entry(need).or_default().push(at);
            }
        }
        let mut doubtful: BTreeSet<usize> = (0..standing.len()).collect();
        while let Some(at) = doubtful.pop_first() {
            let Some((fact, check)) = first_unmet(&needs[at], &given, observed) else { continue };
            let Some((action, _)) = standing[at].take() else { continue };
            match check {
                Check::Unknown(why) => self.drop_unseen(&action, fact, &why),
                Check::Yes | Check::No(_) | Check::Pending(_) => self.drop_unmet(&action, fact, &check),
            }
            for fact in effects::gives(&action) {
                given.entry(fact.clone()).and_modify(|number| *number = number.saturating_sub(1));
                doubtful.extend(takers.get(&fact).into_iter().flatten().filter(|taker| standing[**taker].is_some()));
            }
        }
        self.proposals = standing.into_iter().flatten().collect();
    }

    fn drop_unseen(&mut self, action: &Action, fact: &Fact, why: &str) {
        self.drop_for(action, &fact.subject(), why);
    }

    pub(super) fn drop_for(&mut self, action: &Action, subject: &str, why: &str) {
        for given in effects::gives(action) {
            self.hides(subject, why, given.to_string());
            self.unseen.push((given, subject.to_owned()));
        }
    }

    /// A need that fails has usually been refused with its own words already; this keeps the plan honest when it was not.
    fn drop_unmet(&mut self, action: &Action, fact: &Fact, check: &Check) {
        let cause = self.unseen.iter().find(|(lost, _)| lost == fact).map(|(_, subject)| subject.clone());
        if let Some(subject) = cause {
            // The spot is there already, with what Azure said.
            return self.drop_for(action, &subject, "");
        }
        if !self.refusals.is_empty() || self.blind_spots.contains_key(&fact.subject()) {
            return self.explain_dropped(action, fact);
        }
        let why = match check {
            Check::No(why) => why.as_str(),
            Check::Yes | Check::Pending(_) | Check::Unknown(_) => "nothing in this plan brings it about",
        };
        self.refuse(
            "CMK214",
            &action.resource(),
            format!("it needs that {fact}, and that does not hold: {why}"),
            "make it so, or add it to the spec, and plan again",
        );
    }

    fn explain_dropped(&mut self, action: &Action, fact: &Fact) {
        if let Some(spot) = self.blind_spots.get_mut(&fact.subject()) {
            spot.hides.extend(effects::gives(action).iter().map(ToString::to_string));
            spot.hides.dedup();
        }
    }
}

/// The first need that neither holds, nor is under way, nor is given by a proposal that stands.
fn first_unmet<'a>(needs: &'a [Fact], given: &HashMap<Fact, usize>, observed: &Observed) -> Option<(&'a Fact, Check)> {
    needs.iter().find_map(|need| match need.check(observed) {
        Check::Yes | Check::Pending(_) => None,
        _ if given.get(need).is_some_and(|number| *number > 0) => None,
        check => Some((need, check)),
    })
}

/// One property of a thing that is made.
pub(super) fn made(resource: &str, path: &str, after: impl Into<String>) -> Change {
    Change { resource: resource.to_owned(), path: path.to_owned(), before: None, after: after.into() }
}

/// One property of a thing that changes.
pub(super) fn changed(resource: &str, path: &str, before: Option<String>, after: impl Into<String>) -> Change {
    Change { resource: resource.to_owned(), path: path.to_owned(), before, after: after.into() }
}
