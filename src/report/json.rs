//! Documents for programs: plans, what became of them, and the problems of specs.

pub use super::document::FORMAT_VERSION;
use super::document::{PlanDocument, ProofEntry, document};
use super::requests::Requests;
use super::verdict::{ApplyVerdict, Proof};
use super::{Scene, Traffic};
use crate::apply::{Outcome, StepOutcome};
use crate::diag::{Diagnostic, Diagnostics, Source, place};
use crate::model::text::is_unsafe;
use crate::plan::Plan;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

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
    showing(plan, None, traffic, scene)
}

/// The document of `plan`, with the requests that each step will send.
pub fn showing(plan: &Plan, requests: Option<&Requests>, traffic: &Traffic, scene: &Scene) -> String {
    write(&document(plan, requests, traffic, scene))
}

/// The document of `apply`: the plan, what became of each step, and what a second look showed.
pub fn applied(plan: &Plan, outcome: &Outcome, proof: &Proof, traffic: &Traffic, scene: &Scene) -> String {
    let mut document = document(plan, None, traffic, scene);
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

/// The schema of the documents of `plan` and `apply`.
pub fn schema() -> serde_json::Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    generator.into_root_schema_for::<PlanDocument>().to_value()
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

/// Writes a document with a line break at its end.
pub(super) fn write<T: Serialize>(document: &T) -> String {
    let mut out = pretty(document);
    out.push('\n');
    out
}

/// JSON with a property a line.
///
/// What could steer a terminal, or be a command to a CI system, can stand only inside
/// of JSON's strings, so escaping it changes no meaning, and the text is safe to
/// look at. No line can begin with `::`, since strings begin with a quotation mark.
pub(super) fn pretty<T: Serialize>(value: &T) -> String {
    let text = serde_json::to_string_pretty(value).expect("every map key is a text and nothing else can fail");
    let mut out = String::with_capacity(text.len() + 1);
    let mut before = ' ';
    for c in text.chars() {
        if (c != '\n' && is_unsafe(c)) || (c == '#' && before == '#') {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
        before = c;
    }
    out
}
