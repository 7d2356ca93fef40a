//! A verdict as text for people and as JSON for programs.

use super::verdict::{Failed, Guarded, Start, Tried, Verdict};
use crate::plan::Refusal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// How many invariants of safety, S1 and so on, and of liveness, L1 and so on, `docs/safety.md` names.
const SAFETY: u32 = 16;
const LIVENESS: u32 = 9;

/// Those of the planner by itself: no run shows them.
const OF_THE_PLANNER: [&str; 3] = ["L5", "L6", "L7"];

/// The invariants that a proof did not check, and why.
fn unchecked(verdict: &Verdict) -> Vec<(String, &'static str)> {
    let names = (1..=SAFETY).map(|n| format!("S{n}")).chain((1..=LIVENESS).map(|n| format!("L{n}")));
    let missing = names.filter(|name| !verdict.checked.keys().any(|checked| *checked == *name));
    let why = |name: &str| {
        let of_planner = OF_THE_PLANNER.contains(&name);
        if of_planner {
            "of the planner by itself: cmk's own tests check it"
        } else {
            "nothing in this spec calls for it"
        }
    };
    missing
        .map(|name| {
            let why = why(&name);
            (name, why)
        })
        .collect()
}

/// The verdict for a person.
pub fn as_text(spec: &str, verdict: &Verdict) -> String {
    let mut text = String::new();
    head(&mut text, spec, verdict.limits.as_deref());
    for start in &verdict.starts {
        text.push_str(&start_line(start));
    }
    let Verdict { scenes, runs, requests, failed, .. } = verdict;
    let _ = writeln!(text, "\n{scenes} scenes of {runs} runs with {requests} requests");
    text.push_str(&shares(verdict));
    text.push_str("What went wrong on purpose:\n");
    for (what, times) in verdict.met.iter().filter(|(what, _)| is_disturbance(what)) {
        let _ = writeln!(text, "  {times:>8}  {}", without_kind(what));
    }
    text.push_str("Invariants, and how often each was checked:\n");
    let checked: Vec<String> = verdict.checked.iter().map(|(name, times)| format!("{name} {times}")).collect();
    for line in checked.chunks(8) {
        let _ = writeln!(text, "  {}", line.join("   "));
    }
    text.push_str(&not_checked(verdict));
    text.push_str(&times(verdict));
    for failure in &verdict.failures {
        text.push_str(&failed_scene(failure));
    }
    text.push_str(&guard(verdict));
    let proved = if verdict.is_good() {
        "Proved: from every start, whatever went wrong, the next run converges".to_owned()
    } else {
        format!("Not proved: {failed} of {scenes} scenes failed")
    };
    let outside = if verdict.is_outside() { "Outside of the guard: a plan like this is refused\n" } else { "" };
    let _ = write!(text, "\n{outside}{proved}\n");
    text
}

/// What the guards say of the first plan: each breach with its code and what to do, and what could not be held against it.
fn guard(verdict: &Verdict) -> String {
    let Some(Guarded { breaches, unchecked }) = &verdict.guard else { return String::new() };
    let from = verdict.starts.first().map_or("", |start| start.from.as_str());
    let outside = if breaches.is_empty() { "within" } else { "outside of" };
    let mut text = format!("\nThe first plan, from \"{from}\", is {outside} the guard\n");
    for Refusal { code, resource, detail, help } in breaches {
        let _ = writeln!(text, "  refused[{code}]: {resource}: {detail}\n    help: {help}; `cmk explain {code}`");
    }
    for what in unchecked {
        let _ = writeln!(text, "  not checked: {what}");
    }
    text
}

/// What is proved, and from where.
fn head(text: &mut String, spec: &str, limits: Option<&[String]>) {
    let Some(limits) = limits else {
        let _ = writeln!(text, "Proof of {spec}, in the simulator: nothing was sent to Azure\n");
        return;
    };
    let _ = writeln!(text, "Proof of {spec}, in the simulator, from what was read of Azure: no write was sent");
    let _ = writeln!(text, "Not as it is in Azure, or not known to be:");
    for limit in limits {
        let _ = writeln!(text, "  {limit}");
    }
    text.push('\n');
}

/// What of all that could go wrong at one place was tried.
fn shares(verdict: &Verdict) -> String {
    let Verdict { crashes, mishaps, .. } = verdict;
    let share = |Tried { tried, of }: Tried, what: &str| {
        if tried == of { format!("all {of} {what}") } else { format!("{tried} of {of} {what}") }
    };
    let rest = if crashes.tried < crashes.of || mishaps.tried < mishaps.of {
        "; of each kind of request some (`--exhaustive` tries all)"
    } else {
        ""
    };
    let (crashes, mishaps) = (share(*crashes, "crashes"), share(*mishaps, "pairs of a request and a mishap"));
    format!("Tried: {crashes} and {mishaps}{rest}\n")
}

fn start_line(start: &Start) -> String {
    let Start { from, converges, requests, effects, took } = start;
    let verdict = if *converges { "converges" } else { "DOES NOT CONVERGE" };
    let (requests, effects) = (count(*requests, "request"), count(*effects, "change"));
    format!("  {from}: {verdict}, {requests}, {effects}, {}\n", seconds(*took))
}

fn times(verdict: &Verdict) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "Longest that a readable account was unreadable: {}", seconds(verdict.unreadable_longest));
    let _ = writeln!(text, "Longest that an account was at risk: {}", seconds(verdict.at_risk_longest));
    if let Some((what, time)) = &verdict.wait_longest {
        let _ = writeln!(text, "Longest wait: {}, until {what}", seconds(*time));
    }
    text
}

fn failed_scene(failure: &Failed) -> String {
    let Failed { scene, breach, log, world: _ } = failure;
    let mut text = format!("\nFailed: {scene}\n  {}: {}\n  by {}\n", breach.invariant, breach.what, breach.by.trim());
    for line in log {
        let _ = writeln!(text, "    {line}");
    }
    text
}

/// What was not checked, in a line for each reason.
fn not_checked(verdict: &Verdict) -> String {
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, why) in unchecked(verdict) {
        reasons.entry(why).or_default().push(name);
    }
    let lines = reasons.iter().map(|(why, names)| format!("  not checked: {}: {why}\n", names.join(" ")));
    lines.collect()
}

fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs())
}

fn is_disturbance(what: &str) -> bool {
    ["mishap ", "meddling ", "crash "].iter().any(|kind| what.starts_with(kind))
}

fn without_kind(what: &str) -> &str {
    what.strip_prefix("mishap ").or_else(|| what.strip_prefix("meddling ")).unwrap_or(what)
}

/// The verdict as a JSON document.
pub fn as_json(spec: &str, verdict: &Verdict) -> String {
    let starts: Vec<Value> = verdict.starts.iter().map(start_value).collect();
    let failures: Vec<Value> = verdict.failures.iter().map(failed_value).collect();
    let wait = verdict.wait_longest.as_ref().map(|(what, time)| json!({ "until": what, "seconds": time.as_secs() }));
    let unreached: Vec<Value> =
        unchecked(verdict).into_iter().map(|(name, why)| json!({ "invariant": name, "because": why })).collect();
    let document = json!({
        "schema": "cmk-proof", "version": 1, "spec": spec, "proved": verdict.is_good(),
        "guard": verdict.guard.as_ref().map(guard_value),
        "fromLive": verdict.limits.is_some(), "limits": verdict.limits,
        "scenes": verdict.scenes, "scenesFailed": verdict.failed, "runs": verdict.runs,
        "requests": verdict.requests, "crashes": tried(verdict.crashes), "mishaps": tried(verdict.mishaps),
        "starts": starts, "checked": verdict.checked, "notChecked": unreached,
        "met": verdict.met, "unreadableSecondsMax": verdict.unreadable_longest.as_secs(),
        "atRiskSecondsMax": verdict.at_risk_longest.as_secs(), "waitLongest": wait, "failures": failures,
    });
    format!("{document:#}\n")
}

fn guard_value(Guarded { breaches, unchecked }: &Guarded) -> Value {
    let breach = |Refusal { code, resource, detail, help }: &Refusal| json!({ "code": code, "resource": resource, "detail": detail, "help": help });
    let breaches: Vec<Value> = breaches.iter().map(breach).collect();
    let verdict = if breaches.is_empty() { "within the guard" } else { "outside of the guard" };
    json!({ "verdict": verdict, "breaches": breaches, "notChecked": unchecked })
}

fn tried(Tried { tried, of }: Tried) -> Value {
    json!({ "tried": tried, "of": of })
}

fn start_value(start: &Start) -> Value {
    let Start { from, converges, requests, effects, took } = start;
    json!({ "from": from, "converges": converges, "requests": requests, "effects": effects, "seconds": took.as_secs() })
}

fn failed_value(failure: &Failed) -> Value {
    let Failed { scene, breach, log, world: _ } = failure;
    json!({ "scene": scene, "invariant": breach.invariant, "what": breach.what, "by": breach.by.trim(), "log": log })
}
