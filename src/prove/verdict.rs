//! What a proof comes to: whether a spec converges from wherever it starts, and at what price.

use super::ground::Past;
use super::stage::Stage;
use super::witness::{Breach, Witness};
use crate::plan::Refusal;
use crate::sandbox::World;
use std::collections::BTreeMap;
use std::time::Duration;

/// The verdict on one spec.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// Where the proof began from what was seen: what of that is not as it is in Azure, or not known to be.
    pub limits: Option<Vec<String>>,
    /// What the guards say of the first plan from the first start, where there are guards.
    pub guard: Option<Guarded>,
    /// One entry for each world that it was started from.
    pub starts: Vec<Start>,
    /// How often each invariant was checked.
    pub checked: BTreeMap<&'static str, u64>,
    /// What went wrong on the way, on purpose, and how often: `mishap throttled`.
    pub met: BTreeMap<String, u64>,
    /// The first scenes that failed.
    pub failures: Vec<Failed>,
    /// The crashes after an effect that were tried.
    pub crashes: Tried,
    /// The pairs of a request and a mishap that were tried in order; those by chance are not counted.
    pub mishaps: Tried,
    /// How many scenes failed.
    pub failed: u64,
    /// How many scenes were played.
    pub scenes: u64,
    /// How many runs of the product that took.
    pub runs: u64,
    /// How many requests were sent.
    pub requests: u64,
    /// The longest time that an account which could read its data could not.
    pub unreadable_longest: Duration,
    /// The longest time that an account was bound to a key that one more mishap could have put out of its reach.
    pub at_risk_longest: Duration,
    /// The longest wait for one effect, and what for.
    pub wait_longest: Option<(String, Duration)>,
}

/// What guards say of a plan.
#[derive(Debug, Clone, Default)]
pub struct Guarded {
    /// Where it goes beyond them.
    pub breaches: Vec<Refusal>,
    /// What they say that could not be held against it, and why.
    pub unchecked: Vec<String>,
}

/// How many were tried of how many that there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tried {
    /// So many.
    pub tried: u64,
    /// Of so many.
    pub of: u64,
}

impl Tried {
    pub(super) fn add(&mut self, other: Self) {
        self.tried += other.tried;
        self.of += other.of;
    }
}

/// A calm run from one world.
#[derive(Debug, Clone)]
pub struct Start {
    /// The world: "nothing is there".
    pub from: String,
    /// Whether all that the spec asks for came true.
    pub converges: bool,
    /// The requests of the first run.
    pub requests: u64,
    /// Those of them that changed something.
    pub effects: u64,
    /// How long it took, in Azure's time.
    pub took: Duration,
}

/// A scene that failed.
#[derive(Debug, Clone)]
pub struct Failed {
    /// What was played: "nothing is there, a crash after effect 3".
    pub scene: String,
    /// What was broken first.
    pub breach: Breach,
    /// What happened, line by line.
    pub log: Vec<String>,
    /// The world in which it began.
    pub world: World,
}

/// How many failed scenes are kept whole.
const KEPT_MAX: usize = 3;

impl Verdict {
    /// Whether every scene ended as it must.
    pub fn is_good(&self) -> bool {
        self.failed == 0 && self.scenes > 0
    }

    /// Whether a pipeline with these guards would refuse the first plan.
    pub fn is_outside(&self) -> bool {
        self.guard.as_ref().is_some_and(|guarded| !guarded.breaches.is_empty())
    }

    /// Takes in what was seen of a scene.
    pub(super) fn take(&mut self, scene: impl FnOnce() -> String, stage: &Stage) {
        stage.witness(|witness| self.take_witness(witness));
        let Some(breach) = stage.witness(|witness| witness.breaches().first().cloned()) else { return };
        self.failed += 1;
        let Some(Past { world, .. }) = stage.past().into_iter().next() else { return };
        let log = stage.witness(|witness| witness.log().to_vec());
        self.keep(Failed { scene: scene(), breach, log, world });
    }

    fn take_witness(&mut self, witness: &Witness) {
        self.scenes += 1;
        for (invariant, times) in witness.checked() {
            *self.checked.entry(invariant).or_default() += times;
        }
        for (what, times) in witness.met_all() {
            *self.met.entry(what.clone()).or_default() += times;
        }
        self.runs += u64::try_from(witness.runs()).unwrap_or(0);
        self.requests += witness.requests();
        self.unreadable_longest = self.unreadable_longest.max(witness.unreadable_longest());
        self.at_risk_longest = self.at_risk_longest.max(witness.at_risk_longest());
    }

    fn keep(&mut self, failed: Failed) {
        if self.failures.len() < KEPT_MAX {
            self.failures.push(failed);
        }
    }

    /// Takes in what was seen of other scenes.
    pub(super) fn absorb(&mut self, other: Self) {
        let Self {
            limits: _,
            guard: _,
            starts,
            checked,
            met,
            failures,
            crashes,
            mishaps,
            failed,
            scenes,
            runs,
            requests,
            unreadable_longest,
            at_risk_longest,
            wait_longest,
        } = other;
        self.starts.extend(starts);
        for (invariant, times) in checked {
            *self.checked.entry(invariant).or_default() += times;
        }
        for (what, times) in met {
            *self.met.entry(what).or_default() += times;
        }
        for failure in failures {
            self.keep(failure);
        }
        self.crashes.add(crashes);
        self.mishaps.add(mishaps);
        self.failed += failed;
        self.scenes += scenes;
        self.runs += runs;
        self.requests += requests;
        self.unreadable_longest = self.unreadable_longest.max(unreadable_longest);
        self.at_risk_longest = self.at_risk_longest.max(at_risk_longest);
        self.waited(&wait_longest.into_iter().collect::<Vec<_>>());
    }

    pub(super) fn waited(&mut self, waits: &[(String, Duration)]) {
        for (what, time) in waits {
            if self.wait_longest.as_ref().is_none_or(|(_, longest)| time > longest) {
                self.wait_longest = Some((what.clone(), *time));
            }
        }
    }
}
