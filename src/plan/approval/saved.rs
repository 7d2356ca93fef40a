//! A plan as a file: what was decided and what it is bound to, for a fresh plan to be held against.
//!
//! Holds no secret: it is made of the spec's text and of what the plan shows. A file
//! that was cut off, changed, of another version or of another program is refused.

use super::super::accept::Acknowledgement;
use super::super::action::Action;
use super::super::digest::text_digest;
use super::super::risk::{Consent, RiskClass};
use super::super::types::{Change, Plan, Step};
use super::{Identities, Risk, of_saved};
use serde::{Deserialize, Serialize};

/// What the file says it is.
pub const FORMAT: &str = "cmk plan";

/// The version of the form. Another one is not read: an approval must not be half understood.
const FORMAT_VERSION: u64 = 1;

/// Where a plan was made, and of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The cloud's name.
    pub cloud: &'a str,
    /// The spec's name, as it was given.
    pub spec_name: &'a str,
    /// The spec's whole text.
    pub spec: &'a str,
}

/// A plan as it was saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SavedPlan {
    /// The word that tells such a file from others.
    format: String,
    format_version: u64,
    /// The program that wrote it.
    pub tool: String,
    /// The cloud's name.
    pub cloud: String,
    /// The tenant, when something that was read names it.
    pub tenant: Option<String>,
    /// The digest that is approved.
    pub digest: String,
    /// The spec's name, as it was given.
    pub spec_name: String,
    /// SHA-256 of the spec's text.
    pub spec_digest: String,
    /// SHA-256 over what the spec asks for.
    pub desired: String,
    /// What tells the things from others of the same name.
    pub identities: Identities,
    /// The steps.
    pub steps: Vec<SavedStep>,
    /// The spec's whole text.
    pub spec: String,
}

/// A step as it was saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SavedStep {
    /// Its name.
    pub id: String,
    /// The action's name.
    pub action: String,
    /// The ARM path of the thing that is written to.
    pub resource: String,
    /// SHA-256 over the action with all its properties, but for the key that the account is bound to before.
    pub exactly: String,
    /// The key version that the account is bound to before.
    pub former: Option<String>,
    /// The differences that it mends.
    pub because: Vec<SavedChange>,
    /// The steps before it.
    pub after: Vec<String>,
    /// Its risks.
    pub risks: Vec<SavedRisk>,
}

/// A difference as it was saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedChange {
    /// The thing.
    pub resource: String,
    /// The property.
    pub path: String,
    /// What it is.
    pub before: Option<String>,
    /// What it will be.
    pub after: String,
}

/// A risk as it was saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedRisk {
    /// Its class, by name.
    pub class: String,
    /// What is at risk.
    pub object: String,
    /// What would happen.
    pub why: String,
    /// Who has to say yes.
    pub consent: String,
}

impl SavedPlan {
    /// The risks in it that take the operator's yes, which an approval gives.
    pub fn asks(&self) -> Vec<Acknowledgement> {
        let risks = self.steps.iter().flat_map(|step| &step.risks);
        let asked = risks.filter(|risk| risk.consent == Consent::Operator.as_str());
        asked
            .filter_map(|risk| {
                Some(Acknowledgement { class: RiskClass::by_name(&risk.class)?, object: risk.object.clone() })
            })
            .collect()
    }
}

impl SavedStep {
    /// The saved form of a step.
    pub fn of(step: &Step) -> Self {
        let Step { id, action, because, needs: _, gives: _, after, risks } = step;
        let (exactly, former) = exactly(action);
        Self {
            id: id.0.clone(),
            action: action.name().to_owned(),
            resource: action.resource(),
            exactly,
            former,
            because: because.iter().map(SavedChange::of).collect(),
            after: after.iter().map(|id| id.0.clone()).collect(),
            risks: risks.iter().map(SavedRisk::of).collect(),
        }
    }
}

impl SavedChange {
    fn of(change: &Change) -> Self {
        let Change { resource, path, before, after } = change.clone();
        Self { resource, path, before, after }
    }
}

impl SavedRisk {
    fn of(risk: &Risk) -> Self {
        let Risk { class, object, why, consent } = risk;
        Self {
            class: class.as_str().to_owned(),
            object: object.to_ascii_lowercase(),
            why: why.clone(),
            consent: consent.as_str().to_owned(),
        }
    }
}

/// An action with all its properties, shown or not, and apart from them the key that the account is bound to before.
fn exactly(action: &Action) -> (String, Option<String>) {
    let mut rest = action.clone();
    let former = match &mut rest {
        Action::SetEncryption { former, since, attach, .. } => {
            // Once the version is made, the same step no longer waits for it, and an identity that somebody else has
            // attached is no longer among its changes, which bound it.
            *since = None;
            attach.user.clear();
            former.take()
        }
        // The same of one that somebody else has given or taken already.
        Action::AttachIdentity { identity, .. } => {
            identity.user.clear();
            None
        }
        Action::DetachIdentity { identity, .. } => {
            *identity = crate::model::Identities::default();
            None
        }
        Action::LeaveKey { former, .. } => former.take(),
        Action::CreateAccount { key, .. } => {
            if let Some(binds) = key {
                binds.since = None;
            }
            None
        }
        Action::CreateGroup { .. }
        | Action::CreateVault { .. }
        | Action::RecoverVault { .. }
        | Action::SetAudit { .. }
        | Action::ProtectVault { .. }
        | Action::CreateKey { .. }
        | Action::ImportKey { .. }
        | Action::RecoverKey { .. }
        | Action::MarkKey { .. }
        | Action::SetRotation { .. }
        | Action::RotateKey { .. }
        | Action::EnableVersion { .. }
        | Action::DisableVersion { .. }
        | Action::CreateIdentity { .. }
        | Action::SwitchIdentity { .. }
        | Action::Grant { .. }
        | Action::RevokeAccess { .. } => None,
    };
    let former = former.map(|former| format!("{} version {}", former.key, former.version));
    (text_digest(&format!("{rest:?}")), former)
}

/// The file of a plan.
#[expect(clippy::missing_panics_doc, reason = "texts and numbers always make JSON")]
pub fn save(plan: &Plan, origin: &Origin<'_>) -> String {
    let saved = SavedPlan {
        format: FORMAT.to_owned(),
        format_version: FORMAT_VERSION,
        tool: concat!("cmk ", env!("CARGO_PKG_VERSION")).to_owned(),
        cloud: origin.cloud.to_owned(),
        tenant: plan.tenant.clone(),
        digest: plan.digest.clone(),
        spec_name: origin.spec_name.to_owned(),
        spec_digest: text_digest(origin.spec),
        desired: plan.bound.desired.clone(),
        identities: plan.bound.identities.clone(),
        steps: plan.steps.iter().map(SavedStep::of).collect(),
        spec: origin.spec.to_owned(),
    };
    let mut text = serde_json::to_string_pretty(&saved).expect("texts and numbers make JSON");
    text.push('\n');
    text
}

/// Whether a text is a saved plan, whole or not, rather than a spec.
pub fn is_saved(text: &str) -> bool {
    let start: String = text.chars().take(200).filter(|c| !c.is_whitespace()).collect();
    start.starts_with(r#"{"format":"cmkplan""#)
}

/// Why a file is not taken for a saved plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadPlanFile {
    /// It is something else.
    Foreign,
    /// It is one of another version of the form: which.
    OtherVersion(u64),
    /// It was cut off or changed: how that shows.
    Damaged(String),
}

/// Reads the file of a plan, and holds it against its own digests. That proves that it is whole, not who wrote it.
pub fn read(text: &str) -> Result<SavedPlan, BadPlanFile> {
    let damaged = |what: &str| BadPlanFile::Damaged(what.to_owned());
    let value: serde_json::Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(_) if is_saved(text) => return Err(damaged("it is not whole JSON, so it was probably cut off")),
        Err(_) => return Err(BadPlanFile::Foreign),
    };
    if value["format"] != FORMAT {
        return Err(BadPlanFile::Foreign);
    }
    match value["formatVersion"].as_u64() {
        Some(FORMAT_VERSION) => {}
        Some(other) => return Err(BadPlanFile::OtherVersion(other)),
        None => return Err(damaged("it does not say its version")),
    }
    let saved: SavedPlan =
        serde_json::from_value(value).map_err(|error| BadPlanFile::Damaged(format!("it does not fit: {error}")))?;
    if text_digest(&saved.spec) != saved.spec_digest {
        return Err(damaged("the spec in it is not the one that its digest speaks of"));
    }
    if of_saved(&saved.desired, &saved.identities, &saved.steps) != saved.digest {
        return Err(damaged("its steps are not those that its digest speaks of"));
    }
    Ok(saved)
}
