//! How runs end, and whether in the end all is as the spec asks: S9, S10, S13 and L4.

use super::Witness;
use super::diff;
use super::facts;
use super::sight::Sight;
use crate::apply::Outcome;
use crate::plan::Plan;
use crate::prove::run::Ended;
use crate::sandbox::{Census, Millis};
use serde_json::Value;
use std::time::Duration;

/// A run may take no longer: every step may wait out its budget, one after the other.
const TOOK_MAX: Duration = Duration::from_secs(3 * 3600);

impl Witness {
    pub(in crate::prove) fn end_run(
        &mut self,
        run: usize,
        now: Millis,
        took: Duration,
        ended: &Ended,
        census: &Census,
    ) {
        self.spells.note(&self.desired, now, census);
        // The plan was looked at when it was made.
        match ended {
            Ended::Crashed => {}
            Ended::Blind(failure) => self.quiet(&format!("{failure:?}")),
            Ended::Applied(_, outcome) => self.quiet(&format!("{outcome:?}")),
        }
        // What was there in the beginning cannot hold what was told since.
        let changes = diff::changes(&self.first, census);
        let written: Vec<String> = changes.iter().filter_map(|change| change.after).map(Value::to_string).collect();
        self.quiet(&written.join("\n"));
        let steps = u64::try_from(self.runs[run].steps.len()).unwrap_or(u64::MAX);
        let things = u64::try_from(self.desired.accounts.len() + self.desired.vaults.len()).unwrap_or(u64::MAX);
        let (requests, bound) = (self.runs[run].requests, 60 + 30 * things + 300 * steps);
        self.holds("S9", requests <= bound, || format!("{requests} requests, more than {bound}"));
        self.holds("S9", took <= TOOK_MAX, || format!("it took {} s", took.as_secs()));
        let told = match ended {
            Ended::Crashed => "crashed".to_owned(),
            Ended::Blind(failure) => format!("could not look: {failure}"),
            Ended::Applied(plan, outcome) => {
                self.outcome(run, plan, outcome);
                if plan.refusals.is_empty() && outcome.is_good() { "good".to_owned() } else { "not good".to_owned() }
            }
        };
        self.say(now, &format!("run {} ends: {told}", run + 1));
    }

    fn outcome(&mut self, run: usize, plan: &Plan, outcome: &Outcome) {
        for refusal in &plan.refusals {
            self.log.push(format!("          refused {}: {} {}", refusal.code, refusal.resource, refusal.detail));
        }
        let is_begun = plan.refusals.is_empty() && outcome.unaccepted.is_empty();
        for step in plan.steps.iter().filter(|_| outcome.is_good() && is_begun) {
            self.met("action", step.action.name());
        }
        let untouched = is_begun || self.runs[run].effects == 0;
        self.holds("S13", untouched, || "something was written although the plan refuses, or asks".to_owned());
    }

    /// L4: what the spec asks for is so, and every account of it reads its data.
    pub(in crate::prove) fn all_is_true(&mut self, now: Millis, census: &Census) {
        let sight = Sight { census, now };
        for (fact, is_so) in facts::facts(&self.desired, sight) {
            self.holds("L4", is_so, || format!("not so in the end: {fact}"));
        }
        let revoked = self.revoked(sight);
        let names: Vec<String> = self
            .desired
            .accounts
            .values()
            .filter(|account| account.encryption.is_some())
            .map(|account| account.id.name.to_string())
            .collect();
        for name in names {
            let truth = census.truths().get(&name);
            let readable = truth.is_some_and(|truth| truth.readable);
            let wanted = !revoked.contains(&name);
            self.holds("L4", readable == wanted, || format!("account {name} reads in the end, or not: {truth:?}"));
        }
    }
}
