//! A plan for a person: the verdict first, then what is refused, done, waited for and unseen.

use super::text::{Paint, count, wrap};
use super::verdict::{PlanVerdict, is_unjudged};
use super::{Scene, words};
use crate::plan::{BlindSpot, Change, Plan, Refusal, RiskClass, Step, StepId};
use std::collections::BTreeMap;

/// The whole report of a plan.
pub fn plan(plan: &Plan, scene: &Scene, styled: bool) -> String {
    let paint = Paint { styled };
    let mut out = header(plan, scene);
    out.push('\n');
    out.push_str(&paint.strong(&wrap("", "", &verdict(plan))));
    for refusal in &plan.refusals {
        out.push('\n');
        out.push_str(&refused(refusal, paint));
    }
    out.push_str(&steps(&plan.steps, paint));
    out.push_str(&waits(plan, paint));
    out.push_str(&blind_spots(&plan.blind_spots, paint));
    out.push_str(&notes(plan, paint));
    if !plan.is_empty() {
        out.push('\n');
        out.push_str(&wrap("", "", &format!("Digest: {}", plan.digest)));
    }
    out
}

/// Where the plan was made, and whether any Azure is concerned at all.
fn header(plan: &Plan, scene: &Scene) -> String {
    let tenant = plan.tenant.as_ref().map(|tenant| format!(", tenant {tenant}")).unwrap_or_default();
    let mut out = wrap("", "", &format!("Cloud: {}{tenant}", scene.cloud));
    out.push_str(&sandbox_line(scene, "is"));
    out
}

/// Says plainly that no Azure is touched, when that is so.
pub(super) fn sandbox_line(scene: &Scene, is: &str) -> String {
    match &scene.sandbox_file {
        Some(file) => wrap("", "", &format!("This is the sandbox: no Azure {is} touched. Its state is in {file}")),
        None => String::new(),
    }
}

/// The verdict in a sentence or two.
pub fn verdict(plan: &Plan) -> String {
    match PlanVerdict::of(plan) {
        PlanVerdict::Refused => {
            let steps = match plan.steps.len() {
                0 => String::new(),
                number => format!(" The {} below would be taken without it.", count(number, "step")),
            };
            format!("Refused, for {}: nothing is sent.{steps}", count(plan.refusals.len(), "reason"))
        }
        PlanVerdict::Steps => {
            let unseen = if is_unjudged(plan) { " Not everything could be seen: blind spots below." } else { "" };
            format!("{} to take. {}{unseen}", count(plan.steps.len(), "step"), risk_sentence(plan))
        }
        PlanVerdict::Unjudged => "No steps, but not everything could be seen: see the blind spots below.".to_owned(),
        PlanVerdict::NothingToDo if plan.waits.is_empty() => "Nothing to do: all is as the spec wants it.".to_owned(),
        PlanVerdict::NothingToDo => "Nothing to do. Something is still under way in Azure: see below.".to_owned(),
    }
}

/// The highest risk by name, with the steps that carry it.
fn risk_sentence(plan: &Plan) -> String {
    let highest = plan.gravest();
    if highest == RiskClass::None {
        return "Highest risk: none.".to_owned();
    }
    let numbers: Vec<String> = (1..)
        .zip(&plan.steps)
        .filter(|(_, step)| step.gravest() == highest)
        .map(|(number, _): (usize, _)| number.to_string())
        .collect();
    let noun = if numbers.len() == 1 { "step" } else { "steps" };
    format!("Highest risk: {} ({noun} {}).", words::risk_name(highest), numbers.join(", "))
}

/// A refusal in the manner of a compiler's error.
fn refused(refusal: &Refusal, paint: Paint) -> String {
    let Refusal { code, resource, detail, help } = refusal;
    let summary = words::summary(code).unwrap_or(resource);
    let mut out = paint.bad(&wrap("", "  ", &format!("refused[{code}]: {summary}")));
    out.push_str(&wrap("  ", "  ", &format!("{resource}: {detail}")));
    out.push_str(&wrap("help: ", "      ", help));
    out
}

fn steps(steps: &[Step], paint: Paint) -> String {
    let numbers: BTreeMap<&StepId, usize> = steps.iter().map(|step| &step.id).zip(1..).collect();
    let mut out = String::new();
    for (step, number) in steps.iter().zip(1..) {
        out.push('\n');
        out.push_str(&one_step(step, number, &numbers, paint));
    }
    out
}

fn one_step(step: &Step, number: usize, numbers: &BTreeMap<&StepId, usize>, paint: Paint) -> String {
    let first = format!("{number:>3}. ");
    let mut out = paint.strong(&wrap(&first, "     ", &words::action(&step.action)));
    for risk in &step.risks {
        let text = format!("{}: {}", words::risk_name(risk.class), risk.why);
        out.push_str(&paint.caution(&wrap("       risk: ", "         ", &text)));
    }
    out.push_str(&changes(step));
    if !step.after.is_empty() {
        let after: Vec<String> = step.after.iter().map(|id| name(id, numbers)).collect();
        out.push_str(&wrap("       after ", "         ", &after.join(", ")));
    }
    out
}

/// The differences that a step mends. Of a thing that is made everything is new, so its properties stand in one list.
fn changes(step: &Step) -> String {
    let target = words::target(&step.action);
    let is_new = |change: &Change| change.resource == target && change.before.is_none();
    if step.because.len() > 1 && step.because.iter().all(is_new) && words::is_creation(&step.action) {
        let list: Vec<String> = step.because.iter().map(|new| format!("{}: {}", new.path, new.after)).collect();
        return wrap("       with ", "         ", &list.join(", "));
    }
    let mut told = target.as_str();
    let mut out = String::new();
    for change in &step.because {
        out.push_str(&one_change(change, told));
        told = &change.resource;
    }
    out
}

/// A step by its number; by its id, should it not be in the plan.
fn name(id: &StepId, numbers: &BTreeMap<&StepId, usize>) -> String {
    numbers.get(id).map_or_else(|| id.to_string(), usize::to_string)
}

/// A difference; the thing is named only where it is not the one just spoken of.
fn one_change(change: &Change, told: &str) -> String {
    let Change { resource, path, before, after } = change;
    let of = if resource == told { String::new() } else { format!("{resource}: ") };
    let before = before.as_deref().unwrap_or("(none)");
    wrap("       ", "         ", &format!("{of}{path}: {before} → {after}"))
}

fn waits(plan: &Plan, paint: Paint) -> String {
    if plan.waits.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{}", paint.strong("Under way in Azure\n"));
    for wait in &plan.waits {
        out.push_str(&wrap("  ", "    ", &format!("waiting until {}: {}", wait.fact, wait.why)));
    }
    out
}

fn blind_spots(spots: &[BlindSpot], paint: Paint) -> String {
    if spots.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{}", paint.caution("Blind spots\n"));
    for BlindSpot { resource, why, permission, hides } in spots {
        out.push_str(&wrap("  ", "    ", &format!("{resource} could not be seen: {why}")));
        for hidden in hides {
            out.push_str(&wrap("    hides: ", "           ", hidden));
        }
        if let Some(permission) = permission {
            out.push_str(&wrap("    help: ", "          ", &format!("the permission {permission} would show it")));
        }
    }
    out
}

fn notes(plan: &Plan, paint: Paint) -> String {
    if plan.notes.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{}", paint.strong("Notes: told, and left as it is\n"));
    for note in &plan.notes {
        out.push_str(&wrap("  ", "    ", &format!("{}: {}", note.resource, note.text)));
    }
    out
}
