//! Documents for programs. Structs of their own: renaming a field of the model must not rename one here.

use super::text::is_unsafe;
use super::verdict::{ApplyVerdict, PlanVerdict, Proof};
use super::{Scene, Traffic};
use crate::apply::{Outcome, StepOutcome};
use crate::diag::{Diagnostic, Diagnostics, Source, place};
use crate::plan::{BlindSpot, Change, Note, Plan, Refusal, Step, Wait};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The version of the documents. A field that goes or changes its meaning makes a new one; a new field does not.
pub const FORMAT_VERSION: u32 = 1;

/// A plan, and after apply what became of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PlanDocument {
    format_version: u32,
    cloud: String,
    tenant: Option<String>,
    digest: String,
    summary: Summary,
    steps: Vec<StepEntry>,
    refusals: Vec<RefusalEntry>,
    waits: Vec<WaitEntry>,
    blind_spots: Vec<BlindSpotEntry>,
    notes: Vec<NoteEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<ProofEntry>,
    stats: StatsEntry,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    steps: usize,
    refusals: usize,
    waits: usize,
    blind_spots: usize,
    notes: usize,
    highest_risk: &'static str,
    verdict: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StepEntry {
    id: String,
    action: &'static str,
    resource: String,
    because: Vec<ChangeEntry>,
    after: Vec<String>,
    risk: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome_detail: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ChangeEntry {
    resource: String,
    path: String,
    before: Option<String>,
    after: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RefusalEntry {
    code: &'static str,
    resource: String,
    detail: String,
    help: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WaitEntry {
    r#for: String,
    why: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct BlindSpotEntry {
    resource: String,
    why: String,
    permission: Option<String>,
    hides: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NoteEntry {
    resource: String,
    text: String,
}

/// What the look after the last step showed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProofEntry {
    result: &'static str,
    left: Vec<String>,
    detail: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatsEntry {
    requests: BTreeMap<String, BTreeMap<String, u64>>,
    writes: Writes,
    retries: u64,
    waits: Vec<WaitedEntry>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Writes {
    sent: u64,
    succeeded: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WaitedEntry {
    r#for: String,
    ms: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DiagnosticsDocument {
    format_version: u32,
    diagnostics: Vec<DiagnosticEntry>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DiagnosticEntry {
    code: &'static str,
    severity: &'static str,
    file: String,
    line: usize,
    column: usize,
    message: String,
    help: Option<String>,
}

/// The document of `plan`.
pub fn plan(plan: &Plan, traffic: &Traffic, scene: &Scene) -> String {
    write(&document(plan, traffic, scene))
}

/// The document of `apply`: the plan, what became of each step, and what a second look showed.
pub fn applied(plan: &Plan, outcome: &Outcome, proof: &Proof, traffic: &Traffic, scene: &Scene) -> String {
    let mut document = document(plan, traffic, scene);
    document.summary.verdict = ApplyVerdict::of(outcome, proof).as_str();
    let mut ends: BTreeMap<&str, &StepOutcome> = outcome.steps.iter().map(|(id, end)| (id.0.as_str(), end)).collect();
    for step in &mut document.steps {
        let end = ends.remove(step.id.as_str());
        step.outcome = end.map(StepOutcome::as_str);
        step.outcome_detail = end.map(StepOutcome::detail).filter(|detail| !detail.is_empty());
    }
    document.proof = Some(ProofEntry {
        result: proof.as_str(),
        left: proof.left().into_iter().map(ToString::to_string).collect(),
        detail: match proof {
            Proof::Looked(_) => String::new(),
            Proof::NotLooked(why) => why.clone(),
        },
    });
    write(&document)
}

/// The document of `validate`: the problems of every text.
pub fn diagnostics(checked: &[(Source, Diagnostics)]) -> String {
    let diagnostics = checked
        .iter()
        .flat_map(|(source, diagnostics)| diagnostics.iter().map(move |one| diagnostic(source, one)))
        .collect();
    write(&DiagnosticsDocument { format_version: FORMAT_VERSION, diagnostics })
}

fn diagnostic(source: &Source, diagnostic: &Diagnostic) -> DiagnosticEntry {
    let (line, column) = place(source, diagnostic.span.start);
    DiagnosticEntry {
        code: diagnostic.code,
        severity: diagnostic.severity.as_str(),
        file: source.name.clone(),
        line,
        column,
        message: diagnostic.message.clone(),
        help: diagnostic.help.clone(),
    }
}

fn document(plan: &Plan, traffic: &Traffic, scene: &Scene) -> PlanDocument {
    let Plan { steps, refusals, waits, blind_spots, notes, review: _, tenant, bound: _, digest, fingerprint: _ } = plan;
    PlanDocument {
        format_version: FORMAT_VERSION,
        cloud: scene.cloud.clone(),
        tenant: tenant.clone(),
        digest: digest.clone(),
        summary: Summary {
            steps: steps.len(),
            refusals: refusals.len(),
            waits: waits.len(),
            blind_spots: blind_spots.len(),
            notes: notes.len(),
            highest_risk: plan.gravest().as_str(),
            verdict: PlanVerdict::of(plan).as_str(),
        },
        steps: steps.iter().map(step).collect(),
        refusals: refusals.iter().map(refusal).collect(),
        waits: waits.iter().map(wait).collect(),
        blind_spots: blind_spots.iter().map(blind_spot).collect(),
        notes: notes.iter().map(note).collect(),
        proof: None,
        stats: stats(traffic),
    }
}

fn step(step: &Step) -> StepEntry {
    // What a step needs and gives is how the plan was made, not what a reader of it needs.
    let Step { id, action, because, needs: _, gives: _, after, risks: _ } = step;
    StepEntry {
        id: id.to_string(),
        action: action.name(),
        resource: action.resource(),
        because: because.iter().map(change).collect(),
        after: after.iter().map(ToString::to_string).collect(),
        risk: step.gravest().as_str(),
        outcome: None,
        outcome_detail: None,
    }
}

fn change(change: &Change) -> ChangeEntry {
    let Change { resource, path, before, after } = change.clone();
    ChangeEntry { resource, path, before, after }
}

fn refusal(refusal: &Refusal) -> RefusalEntry {
    let Refusal { code, resource, detail, help } = refusal.clone();
    RefusalEntry { code, resource, detail, help }
}

fn wait(wait: &Wait) -> WaitEntry {
    let Wait { fact, why } = wait;
    WaitEntry { r#for: fact.to_string(), why: why.clone() }
}

fn blind_spot(spot: &BlindSpot) -> BlindSpotEntry {
    let BlindSpot { resource, why, permission, hides } = spot.clone();
    BlindSpotEntry { resource, why, permission, hides }
}

fn note(note: &Note) -> NoteEntry {
    let Note { resource, text } = note.clone();
    NoteEntry { resource, text }
}

pub(super) fn stats(traffic: &Traffic) -> StatsEntry {
    let Traffic { requests, writes_sent, writes_succeeded, retries, waits } = traffic.clone();
    let waits = waits
        .into_iter()
        .map(|(what, long)| WaitedEntry { r#for: what, ms: u64::try_from(long.as_millis()).unwrap_or(u64::MAX) })
        .collect();
    StatsEntry { requests, writes: Writes { sent: writes_sent, succeeded: writes_succeeded }, retries, waits }
}

/// Writes a document with a line break at its end.
///
/// What could steer a terminal can stand only inside of JSON's strings, so escaping
/// it changes no meaning, and the document is safe to look at.
pub(super) fn write<T: Serialize>(document: &T) -> String {
    let text = serde_json::to_string_pretty(document).expect("every map key is a text and nothing else can fail");
    let mut out = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        if c != '\n' && is_unsafe(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out.push('\n');
    out
}
