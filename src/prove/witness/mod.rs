//! The witness: sees every request and every effect, and holds them against what must never happen.
//!
//! Shares no code with what it watches: it reads the sandbox's own state and the
//! requests as they passed. Of the product it takes only values: what the spec asks
//! for, what the plan showed, and what was told.

mod closed;
mod diff;
mod facts;
mod honest;
mod notes;
mod sight;

pub use notes::Sent;

use super::mishap::Mishap;
use super::stage::Ended;
use crate::apply::{Event, Outcome};
use crate::model::{Access, Desired};
use crate::plan::Plan;
use crate::sandbox::{ARM_HOST, CLIENT_SECRET, ExchangeError, LOGIN_HOST, Millis, Readability, VAULT_SUFFIX};
use closed::Doors;
use honest::{Finding, Scene};
use notes::Notes;
use serde_json::Value;
use sight::Sight;
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

/// Which accounts could read, by name.
type Truths = BTreeMap<String, Readability>;

/// The longest time that something lasted, and since when it does.
#[derive(Debug, Clone, Default)]
struct Spell {
    since: Option<Millis>,
    longest: i64,
}

/// The witness of one stage.
#[derive(Debug)]
pub struct Witness {
    desired: Desired,
    start: Millis,
    runs: Vec<Notes>,
    checked: BTreeMap<&'static str, u64>,
    breaches: Vec<Breach>,
    log: Vec<String>,
    met: BTreeMap<String, u64>,
    doors: Doors,
    secrets: BTreeSet<String>,
    was_readable: BTreeSet<String>,
    /// Every principal that an account of the spec has had, and whose it was.
    principals: BTreeMap<String, String>,
    unreadable: BTreeMap<String, Spell>,
    at_risk: BTreeMap<String, Spell>,
}

impl Witness {
    pub(super) fn new(desired: Desired, start: Millis) -> Self {
        Self {
            desired,
            start,
            runs: vec![],
            checked: BTreeMap::new(),
            breaches: vec![],
            log: vec![],
            met: BTreeMap::new(),
            doors: Doors::default(),
            secrets: BTreeSet::from([CLIENT_SECRET.to_owned()]),
            was_readable: BTreeSet::new(),
            principals: BTreeMap::new(),
            unreadable: BTreeMap::new(),
            at_risk: BTreeMap::new(),
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
        longest(&self.unreadable)
    }

    /// The longest time that an account was bound to a key that the next mishap could have put out of its reach.
    pub fn at_risk_longest(&self) -> Duration {
        longest(&self.at_risk)
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
        let body: Value =
            response.and_then(|response| serde_json::from_slice(response.body()).ok()).unwrap_or_default();
        let note = if sent.note.is_empty() { String::new() } else { format!(" [{}]", sent.note) };
        let code = body["error"]["code"].as_str().map(|code| format!(" {code}")).unwrap_or_default();
        let told = status.map_or_else(|| "nothing".to_owned(), |status| status.to_string());
        self.say(sent.at, &format!("run {} #{} {} -> {told}{code}{note}", sent.run + 1, sent.number, sent.line()));
        self.secrets.extend(sent.bearer.clone().filter(|token| !token.is_empty()));
        let notes = &mut self.runs[sent.run];
        notes.requests += 1;
        if let Some(status) = status.filter(|_| sent.reads) {
            notes.told.insert(sent.place(), (status, body["error"]["code"].is_string()));
            // An answer that is out of date shows nothing of what was changed meanwhile.
            if sent.note != Mishap::Stale(0).name() {
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
        let audience = sent.audience();
        self.holds("S16", audience == wanted, || format!("a token for {audience:?} went to {}", sent.host));
    }

    /// Takes in a request that may change the world, with the world before and after it.
    pub(super) fn wrote(
        &mut self,
        sent: &Sent,
        response: &Result<http::Response<Vec<u8>>, ExchangeError>,
        (before, after): (&Value, &Value),
        (truths, truths_after): (&Truths, &Truths),
    ) {
        let run = sent.run;
        self.runs[run].writes.push(sent.number);
        let planned = self.runs[run].planned && !self.runs[run].expects_nothing;
        self.holds("S13", planned, || "a write was sent where only looking was allowed".to_owned());
        let lower = sent.path.to_ascii_lowercase();
        // A role assignment is a grant; whose it was is judged by what became of it.
        let may_go = sent.method != "DELETE" || lower.contains("/roleassignments/");
        let gentle = may_go && !lower.contains("purge") && !lower.contains("deletedvaults");
        self.holds("S2", gentle, || "a request that deletes or purges".to_owned());
        if before == after {
            return;
        }
        self.runs[run].effects += 1;
        let status = response.as_ref().map_or(0, |response| response.status().as_u16());
        self.say(sent.at, &format!("run {} #{} {} has its effect ({status})", run + 1, sent.number, sent.line()));
        let named = self.runs[run].is_named(&sent.path, sent.request_id.as_deref());
        self.holds("S7", named, || "a write does not carry its step's request id".to_owned());
        let findings = if self.is_in_window(sent) { vec![] } else { self.findings(sent, before, after) };
        for (invariant, is_so, what) in findings {
            self.holds(invariant, is_so, || what);
        }
        for (_, notes) in self.runs.iter_mut().enumerate().filter(|(at, _)| *at != run) {
            notes.changed_since.insert(sent.place());
        }
        self.know_principals(after, sent.at);
        self.readable(truths, truths_after);
        self.time(sent.at, after, truths_after);
    }

    /// Whether two make the same vault in the same moment, which Azure lets nobody notice: the later PUT replaces what
    /// the other made. The one window that is not promised; that accounts stay readable (S1) is held even there.
    fn is_in_window(&mut self, sent: &Sent) -> bool {
        let notes = &self.runs[sent.run];
        let place = sent.place();
        let is_vault = place.rsplit('/').nth(1) == Some("vaults") && sent.method == "PUT";
        let made_meanwhile = notes.told.get(&place) == Some(&(404, true)) && notes.changed_since.contains(&place);
        if is_vault && made_meanwhile {
            self.met("window", "two make one vault");
        }
        is_vault && made_meanwhile
    }

    fn findings(&self, sent: &Sent, before: &Value, after: &Value) -> Vec<Finding> {
        let notes = &self.runs[sent.run];
        let (before, after) = (Sight { census: before, now: sent.at }, Sight { census: after, now: sent.at });
        let scene = Scene { desired: &self.desired, notes, sent, before, after, principals: &self.principals };
        let changes = diff::changes(before.census, after.census);
        let mut findings: Vec<Finding> = changes.iter().flat_map(|change| scene.judge(change)).collect();
        let (had, has) = (facts::facts(&self.desired, before), facts::facts(&self.desired, after));
        findings.extend(
            had.into_iter()
                .filter(|(_, held)| *held)
                .map(|(fact, _)| ("S8", has.get(&fact) == Some(&true), format!("no longer so: {fact}"))),
        );
        // Somebody asked this run by name to open what was closed.
        let doors = if notes.opens { vec![] } else { self.doors.opened(sent.run, before, after) };
        findings.extend(doors.into_iter().map(|(is_so, what)| ("S14", is_so, what)));
        findings
    }

    fn know_principals(&mut self, census: &Value, now: Millis) {
        let sight = Sight { census, now };
        for name in self.desired.accounts.keys() {
            if let Some(principal) = sight.principal(name.as_str()) {
                self.principals.insert(principal.to_ascii_lowercase(), name.as_str().to_owned());
            }
        }
    }

    /// The accounts that the spec puts out of reach on purpose.
    fn revoked(&self) -> BTreeSet<String> {
        let revoked = self.desired.accounts.values().filter(|account| account.access == Access::Revoked);
        revoked.map(|account| account.id.name.to_string()).collect()
    }

    /// S1: whoever could read before can read after, but for the accounts that a revocation names.
    fn readable(&mut self, before: &Truths, after: &Truths) {
        let revoked = self.revoked();
        for (account, truth) in before.iter().filter(|(name, truth)| truth.readable && !revoked.contains(*name)) {
            let now = after.get(account);
            let still = now.is_some_and(|truth| truth.readable);
            self.holds("S1", still, || {
                format!("account {account} cannot read its data any more: {now:?}; before: {}", truth.why)
            });
        }
    }

    fn time(&mut self, now: Millis, census: &Value, truths: &Truths) {
        let sight = Sight { census, now };
        let names: Vec<String> = self.desired.accounts.keys().map(ToString::to_string).collect();
        let revoked = self.revoked();
        for name in names {
            let readable = truths.get(&name).is_some_and(|truth| truth.readable);
            if readable {
                self.was_readable.insert(name.clone());
            }
            let lost = !readable && self.was_readable.contains(&name) && !revoked.contains(&name);
            let at_risk = facts::at_risk(&name, sight);
            self.unreadable.entry(name.clone()).or_default().note(now, lost);
            self.at_risk.entry(name).or_default().note(now, at_risk);
        }
    }

    /// Takes in what somebody else did.
    pub(super) fn meddled(&mut self, now: Millis, act: &str, status: u16, before: &Value, after: &Value) {
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

    pub(super) fn end_run(
        &mut self,
        run: usize,
        now: Millis,
        took: Duration,
        ended: &Ended,
        census: &Value,
        truths: &Truths,
    ) {
        self.time(now, census, truths);
        self.quiet(&format!("{ended:?}"));
        self.quiet(&census.to_string());
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
    pub(super) fn all_is_true(&mut self, now: Millis, census: &Value, truths: &Truths) {
        let sight = Sight { census, now };
        for (fact, is_so) in facts::facts(&self.desired, sight) {
            self.holds("L4", is_so, || format!("not so in the end: {fact}"));
        }
        let revoked = self.revoked();
        let names: Vec<String> = self
            .desired
            .accounts
            .values()
            .filter(|account| account.encryption.is_some())
            .map(|account| account.id.name.to_string())
            .collect();
        for name in names {
            let truth = truths.get(&name);
            let readable = truth.is_some_and(|truth| truth.readable);
            let wanted = !revoked.contains(&name);
            self.holds("L4", readable == wanted, || format!("account {name} reads in the end, or not: {truth:?}"));
        }
    }
}

/// A run may take no longer: every step may wait out its budget, one after the other.
const TOOK_MAX: Duration = Duration::from_secs(3 * 3600);

impl Spell {
    fn note(&mut self, now: Millis, is_so: bool) {
        let since = match (is_so, self.since) {
            (true, since) => since.unwrap_or(now),
            (false, Some(since)) => {
                self.longest = self.longest.max(now.0 - since.0);
                self.since = None;
                return;
            }
            (false, None) => return,
        };
        self.since = Some(since);
        self.longest = self.longest.max(now.0 - since.0);
    }
}

fn longest(spells: &BTreeMap<String, Spell>) -> Duration {
    let longest = spells.values().map(|spell| spell.longest).max().unwrap_or(0);
    Duration::from_millis(u64::try_from(longest).unwrap_or(0))
}
