//! The witness: sees every request and every effect, and holds them against what must never happen.
//!
//! Shares no code with what it watches: it reads the sandbox's own state and the
//! requests as they passed. Of the product it takes only values: what the spec asks
//! for, what the plan showed, and what was told.

mod audit;
mod closed;
mod custody;
mod diff;
mod effects;
mod ends;
mod facts;
mod honest;
mod identities;
mod keys;
mod notes;
mod recovery;
mod sight;
mod spells;

pub use notes::Sent;

use super::mishap::Mishap;
use crate::apply::Event;
use crate::model::{Desired, Guard};
use crate::plan::Plan;
use crate::sandbox::{ARM_HOST, CLIENT_SECRET, Census, LOGIN_HOST, Millis, VAULT_SUFFIX};
use closed::Doors;
use notes::Notes;
use serde_json::Value;
use sight::Sight;
use spells::Spells;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// An invariant that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Its name: `S3`.
    pub invariant: &'static str,
    /// What happened.
    pub what: String,
    /// The request that did it, in short.
    pub by: String,
}

/// The witness of one stage.
#[derive(Debug)]
pub struct Witness {
    desired: Desired,
    /// What the operator allows to be touched.
    pub(super) guard: Guard,
    start: Millis,
    runs: Vec<Notes>,
    checked: BTreeMap<&'static str, u64>,
    breaches: Vec<Breach>,
    log: Vec<String>,
    met: BTreeMap<String, u64>,
    doors: Doors,
    secrets: BTreeSet<String>,
    /// The audience of every token that was sent.
    audiences: BTreeMap<String, Option<String>>,
    /// Every principal that an account of the spec has had, and whose it was.
    principals: BTreeMap<String, String>,
    spells: Spells,
    /// What was there in the beginning.
    first: Census,
}

impl Witness {
    pub(super) fn new(desired: Desired, start: Millis, first: Census) -> Self {
        Self {
            desired,
            guard: Guard::default(),
            start,
            runs: vec![],
            checked: BTreeMap::new(),
            breaches: vec![],
            log: vec![],
            met: BTreeMap::new(),
            doors: Doors::default(),
            secrets: BTreeSet::from([CLIENT_SECRET.to_owned()]),
            audiences: BTreeMap::new(),
            principals: BTreeMap::new(),
            spells: Spells::default(),
            first,
        }
    }

    /// How often each invariant was checked.
    pub fn checked(&self) -> &BTreeMap<&'static str, u64> {
        &self.checked
    }

    /// What was broken.
    pub fn breaches(&self) -> &[Breach] {
        &self.breaches
    }

    /// What happened, line by line.
    pub fn log(&self) -> &[String] {
        &self.log
    }

    /// How often each action, mishap, outcome, refusal and meddling came to pass: `action grant`.
    pub fn met_all(&self) -> &BTreeMap<String, u64> {
        &self.met
    }

    /// How many runs there were.
    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    /// How many requests all runs sent.
    pub fn requests(&self) -> u64 {
        self.runs.iter().map(|notes| notes.requests).sum()
    }

    /// The longest time that an account which could read its data before could not.
    pub fn unreadable_longest(&self) -> Duration {
        self.spells.unreadable_longest()
    }

    /// The longest time that an account was bound to a key that the next mishap could have put out of its reach.
    pub fn at_risk_longest(&self) -> Duration {
        self.spells.at_risk_longest()
    }

    /// Holds one thing against an invariant that is not about a single request.
    pub fn holds(&mut self, invariant: &'static str, is_so: bool, what: impl FnOnce() -> String) {
        *self.checked.entry(invariant).or_default() += 1;
        if !is_so {
            let what = what();
            let by = self.log.last().cloned().unwrap_or_default();
            self.log.push(format!("          BREACH of {invariant}: {what}"));
            self.breaches.push(Breach { invariant, what, by });
        }
    }

    pub(super) fn met(&mut self, kind: &str, what: &str) {
        *self.met.entry(format!("{kind} {what}")).or_default() += 1;
    }

    fn say(&mut self, at: Millis, text: &str) {
        let passed = at.0 - self.start.0;
        self.log.push(format!("{:>6}.{:03}  {text}", passed / 1000, passed.rem_euclid(1000)));
    }

    pub(super) fn begin_run(&mut self, now: Millis) -> usize {
        self.runs.push(Notes::default());
        self.say(now, &format!("run {} begins", self.runs.len()));
        self.runs.len()
    }

    pub(super) fn planned(&mut self, run: usize, run_id: uuid::Uuid, plan: &Plan, opens: bool) {
        self.runs[run].opens = opens;
        self.runs[run].plan(run_id, plan);
        for refusal in &plan.refusals {
            self.met("refusal", refusal.code);
        }
        for code in plan.steps.iter().flat_map(|step| &step.risks).filter_map(|risk| risk.class.code()) {
            self.met("risk", code);
        }
        self.quiet(&format!("{plan:?}"));
    }

    pub(super) fn expects_nothing(&mut self, run: usize) {
        self.runs[run].expects_nothing = true;
    }

    pub(super) fn traffic(&self, run: usize) -> (u64, u64) {
        (self.runs[run].requests, self.runs[run].effects)
    }

    /// The numbers of the requests of a run that could have changed the world.
    pub fn writes_of(&self, run: usize) -> Vec<u64> {
        self.runs.get(run).map(|notes| notes.writes.clone()).unwrap_or_default()
    }

    pub(super) fn heard(&mut self, run: usize, event: &Event) {
        self.runs[run].heard(event);
        if let Event::Finished { step, outcome } = event {
            self.met("outcome", outcome.as_str());
            let text = format!("          run {} {step}: {} {}", run + 1, outcome.as_str(), outcome.detail());
            self.quiet(&text);
            self.log.push(text.trim_end().to_owned());
        }
    }

    /// S10: nothing that is told holds a secret.
    fn quiet(&mut self, text: &str) {
        let leaked = self.secrets.iter().any(|secret| text.contains(secret.as_str()));
        self.holds("S10", !leaked, || "a secret or token was told".to_owned());
    }

    /// Takes in the answer to any request: S9, S13, S16 and what the run knows from now on.
    pub(super) fn told(&mut self, sent: &Sent, response: Option<&http::Response<Vec<u8>>>) {
        let status = response.map(|response| response.status().as_u16());
        // Only what is refused says a code, and to read all the rest takes a tenth of a proof's time.
        let refused = response.filter(|response| !response.status().is_success());
        let body: Value = refused.and_then(|response| serde_json::from_slice(response.body()).ok()).unwrap_or_default();
        let note = if sent.note.is_empty() { String::new() } else { format!(" [{}]", sent.note) };
        let code = body["error"]["code"].as_str().map(|code| format!(" {code}")).unwrap_or_default();
        let told = status.map_or_else(|| "nothing".to_owned(), |status| status.to_string());
        self.say(sent.at, &format!("run {} #{} {} -> {told}{code}{note}", sent.run + 1, sent.number, sent.line()));
        self.secrets.extend(sent.private.iter().cloned());
        self.secrets.extend(sent.bearer.clone().filter(|token| !token.is_empty()));
        let notes = &mut self.runs[sent.run];
        notes.requests += 1;
        if let Some(status) = status.filter(|_| sent.reads) {
            notes.told.insert(sent.place(), (status, body["error"]["code"].is_string()));
            // An answer that is out of date shows nothing of what was changed meanwhile, were it the first one of all.
            if sent.note == Mishap::Stale(0).name() {
                notes.changed_since.insert(sent.place());
            } else {
                notes.changed_since.remove(&sent.place());
            }
            if status == 200 {
                self.doors.shown(sent.run, &sent.place());
            }
        }
        self.audience(sent);
    }

    /// S16: a token goes only to its own audience, and nowhere but to the cloud.
    fn audience(&mut self, sent: &Sent) {
        let wanted = match sent.host.as_str() {
            ARM_HOST => Some(format!("https://{ARM_HOST}")),
            LOGIN_HOST => None,
            host if host.ends_with(&format!(".{VAULT_SUFFIX}")) => Some(format!("https://{VAULT_SUFFIX}")),
            host => {
                let host = host.to_owned();
                return self.holds("S16", false, || format!("a request went to {host}"));
            }
        };
        let bearer = sent.bearer.clone().unwrap_or_default();
        let audience = self.audiences.entry(bearer).or_insert_with(|| sent.audience()).clone();
        self.holds("S16", audience == wanted, || format!("a token for {audience:?} went to {}", sent.host));
    }

    /// Takes in what somebody else did.
    pub(super) fn meddled(&mut self, now: Millis, act: &str, status: u16, before: &Census, after: &Census) {
        self.say(now, &format!("somebody {act} ({status})"));
        if before != after {
            self.met("meddling", act);
        }
        self.know_principals(before, now);
        let (before, after) = (Sight { census: before, now }, Sight { census: after, now });
        self.doors.meddled(&self.desired, before, after);
        for notes in &mut self.runs {
            notes.changed_since.extend(notes.told.keys().cloned());
        }
    }
}
