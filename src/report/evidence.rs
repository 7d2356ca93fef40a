//! What can be shown to hold: for a person, and as the documents of `verify` and of a receipt.

use super::document::{StatsEntry, stats};
use super::json::write;
use super::text::{Paint, clean, count, wrap};
use super::{Scene, Traffic};
use crate::apply::Outcome;
use crate::model::Check;
use crate::plan::Plan;
use crate::verify::{AccountEvidence, Evidence, Finding};
use serde::Serialize;

/// What binds a receipt to a run.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    /// The plan that was applied.
    pub plan: &'a Plan,
    /// How each step ended.
    pub outcome: &'a Outcome,
    /// SHA-256 of the spec's text, in hexadecimal digits.
    pub spec_digest: &'a str,
    /// The run's own id, from which the request ids of its steps are made.
    pub run_id: String,
    /// SHA-256 of the texts of the guards that bounded the run, in hexadecimal digits.
    pub guards: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    format_version: u32,
    tool: String,
    cloud: String,
    tenant: Option<String>,
    observed_at: String,
    proved: bool,
    #[serde(flatten)]
    run: Option<RunEntry>,
    findings: Vec<FindingEntry>,
    accounts: Vec<AccountEntry>,
    stats: StatsEntry,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RunEntry {
    run_id: String,
    plan_digest: String,
    spec_digest: String,
    guard_digests: Vec<String>,
    steps: Vec<StepEntry>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StepEntry {
    id: String,
    outcome: &'static str,
    request_id: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FindingEntry {
    subject: String,
    statement: String,
    holds: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AccountEntry {
    id: String,
    key: String,
    pinned_version: Option<String>,
    current_version: Option<String>,
    last_key_rotation: Option<String>,
    principal_id: Option<String>,
    permissions: Vec<String>,
    key_expires: Option<String>,
}

/// The document of `verify`.
pub fn json(evidence: &Evidence, tenant: Option<String>, traffic: &Traffic, scene: &Scene) -> String {
    write(&document(evidence, tenant, None, traffic, scene))
}

/// The receipt of a run, for auditors: what was asked, what was done, and what Azure reports of it afterwards.
pub fn receipt(evidence: &Evidence, run: &Run<'_>, traffic: &Traffic, scene: &Scene) -> String {
    let entry = RunEntry {
        run_id: run.run_id.clone(),
        plan_digest: run.plan.digest.clone(),
        spec_digest: run.spec_digest.to_owned(),
        guard_digests: run.guards.clone(),
        steps: run
            .outcome
            .steps
            .iter()
            .map(|(id, end)| StepEntry {
                id: clean(&id.0),
                outcome: end.as_str(),
                request_id: run.outcome.request_ids.get(id).cloned(),
            })
            .collect(),
    };
    write(&document(evidence, run.plan.tenant.clone(), Some(entry), traffic, scene))
}

fn document(
    evidence: &Evidence,
    tenant: Option<String>,
    run: Option<RunEntry>,
    traffic: &Traffic,
    scene: &Scene,
) -> Document {
    Document {
        format_version: 1,
        tool: super::TOOL.to_owned(),
        cloud: scene.cloud.clone(),
        tenant,
        observed_at: evidence.at.to_string(),
        proved: evidence.is_proved(),
        run,
        findings: evidence.findings.iter().map(finding).collect(),
        accounts: evidence.accounts.iter().map(account).collect(),
        stats: stats(traffic),
    }
}

fn finding(finding: &Finding) -> FindingEntry {
    let Finding { subject, statement, check } = finding;
    FindingEntry {
        subject: clean(subject),
        statement: clean(statement),
        holds: holds(check),
        why: why(check).map(clean),
    }
}

fn account(evidence: &AccountEvidence) -> AccountEntry {
    let AccountEvidence { id, key, pinned, current, rotated, principal, permissions, expires } = evidence;
    AccountEntry {
        id: id.to_string(),
        key: key.to_string(),
        pinned_version: pinned.as_ref().map(ToString::to_string),
        current_version: current.as_ref().map(ToString::to_string),
        last_key_rotation: rotated.as_deref().map(clean),
        principal_id: principal.as_deref().map(clean),
        permissions: permissions.iter().map(|one| clean(one)).collect(),
        key_expires: expires.map(|at| at.to_string()),
    }
}

fn holds(check: &Check) -> &'static str {
    match check {
        Check::Yes => "yes",
        Check::No(_) => "no",
        Check::Pending(_) => "notYet",
        Check::Unknown(_) => "unknown",
    }
}

fn why(check: &Check) -> Option<&str> {
    match check {
        Check::Yes => None,
        Check::No(why) | Check::Pending(why) | Check::Unknown(why) => Some(why),
    }
}

/// The evidence for a person: what does not hold, or that all does.
pub fn human(evidence: &Evidence, styled: bool) -> String {
    let paint = Paint { styled };
    let mut out = String::new();
    for finding in &evidence.findings {
        let mark = match &finding.check {
            Check::Yes => "yes",
            Check::No(_) => "NO",
            Check::Pending(_) => "not yet",
            Check::Unknown(_) => "unknown",
        };
        let line = wrap(&format!("{mark:>8}  "), "          ", &finding.statement);
        out.push_str(&if finding.check.is_yes() { line } else { paint.bad(&line) });
        if let Some(why) = why(&finding.check) {
            out.push_str(&wrap("          ", "          ", why));
        }
    }
    let bad = evidence.findings.iter().filter(|finding| !finding.check.is_yes()).count();
    let all = count(evidence.findings.len(), "statement");
    let verdict = if bad == 0 {
        paint.good(&wrap("", "", &format!("Verified: {all} hold, as Azure reports it at {}.", evidence.at)))
    } else {
        paint.bad(&wrap("", "", &format!("Not verified: {bad} of {all} could not be shown to hold.")))
    };
    out.push('\n');
    out.push_str(&verdict);
    out
}
