//! What applying came to, for a person: each step's end, the verdict, and what was sent.

use super::human::sandbox_line;
use super::text::{Paint, count, wrap};
use super::verdict::{ApplyVerdict, Proof};
use super::words::{self, duration};
use super::{Scene, Traffic};
use crate::apply::{Outcome, StepOutcome};
use crate::plan::Plan;
use std::collections::BTreeMap;

/// The report after the last step: what became of each, the verdict, the traffic.
pub fn outcome(
    plan: &Plan,
    outcome: &Outcome,
    proof: &Proof,
    traffic: &Traffic,
    scene: &Scene,
    styled: bool,
) -> String {
    let paint = Paint { styled };
    let ends: BTreeMap<_, _> = outcome.steps.iter().map(|(id, end)| (id, end)).collect();
    let mut out = String::new();
    for (number, step) in (1..).zip(&plan.steps) {
        if let Some(end) = ends.get(&step.id) {
            out.push_str(&one_step(number, &words::action(&step.action), end, paint));
        }
    }
    out.push('\n');
    out.push_str(&verdict(outcome, proof, paint));
    out.push_str(&traffic_lines(traffic));
    out.push_str(&sandbox_line(scene, "was"));
    out
}

fn one_step(number: usize, action: &str, end: &StepOutcome, paint: Paint) -> String {
    let line = wrap(&format!("{number:>3}. "), "     ", &format!("{}: {action}", end.as_str()));
    let mut out = match end {
        StepOutcome::Done | StepOutcome::Already => paint.good(&line),
        StepOutcome::Skipped(_) => line,
        StepOutcome::Blocked(_) | StepOutcome::Unconfirmed(_) => paint.caution(&line),
        StepOutcome::Failed(_) => paint.bad(&line),
    };
    let detail = end.detail();
    if !detail.is_empty() {
        out.push_str(&wrap("       ", "       ", &detail));
    }
    out
}

fn verdict(outcome: &Outcome, proof: &Proof, paint: Paint) -> String {
    let good = outcome.steps.iter().filter(|(_, end)| end.is_good()).count();
    let all = count(outcome.steps.len(), "step");
    match ApplyVerdict::of(outcome, proof) {
        ApplyVerdict::Done => {
            let (how, but) =
                if outcome.is_good() { (all.as_str(), ",") } else { ("not every step ended well,", " but it is") };
            paint.good(&wrap("", "", &format!("Done: {how}{but} proved by a second look: nothing left to do.")))
        }
        ApplyVerdict::Interrupted => {
            let text = format!("Interrupted: {good} of {all} ended well. Run the same command again to go on.");
            paint.bad(&wrap("", "", &text))
        }
        ApplyVerdict::Incomplete => {
            let text = format!("Not done: {good} of {all} ended well. {}", left(proof));
            paint.bad(&wrap("", "", &text))
        }
        ApplyVerdict::Unproved => {
            let text =
                format!("Not proved: every step ended well, but the work is not seen to be done. {}", left(proof));
            paint.bad(&wrap("", "", &text))
        }
    }
}

/// What the second look leaves open.
fn left(proof: &Proof) -> String {
    match proof {
        Proof::NotLooked(why) => format!("The second look was not taken: {why}"),
        Proof::Looked(plan) => match (plan.refusals.len(), plan.steps.as_slice()) {
            (0, []) => "A second look could not see everything: run `cmk plan` for the blind spots.".to_owned(),
            (0, steps) => {
                let ids: Vec<&str> = steps.iter().map(|step| step.id.0.as_str()).collect();
                format!("A second look finds left: {}. Run the same command again to go on.", ids.join(", "))
            }
            (refusals, _) => {
                format!("A second look finds {}: run `cmk plan` to read it.", count(refusals, "refusal"))
            }
        },
    }
}

/// Requests, writes, retries and waits.
pub fn traffic_lines(traffic: &Traffic) -> String {
    let services: Vec<String> = traffic
        .requests
        .iter()
        .map(|(service, methods)| format!("{service} {}", methods.values().sum::<u64>()))
        .collect();
    let total: u64 = traffic.requests.values().flat_map(BTreeMap::values).sum();
    let by = if services.is_empty() { String::new() } else { format!(" ({})", services.join(", ")) };
    let mut out = wrap(
        "",
        "  ",
        &format!(
            "Requests: {total}{by}. Writes: {} sent, {} succeeded. Retries: {}.",
            traffic.writes_sent, traffic.writes_succeeded, traffic.retries
        ),
    );
    if !traffic.waits.is_empty() {
        let waits: Vec<String> =
            traffic.waits.iter().map(|(what, long)| format!("{} until {what}", duration(*long))).collect();
        out.push_str(&wrap("", "  ", &format!("Waited: {}.", waits.join("; "))));
    }
    out
}
