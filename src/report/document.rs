//! The plan as a document for programs. Structs of its own: renaming a field of the model must not rename one here.
//!
//! `docs/plan.schema.json` is made from these structs, comments included.

use super::requests::{Request, Requests};
use super::sheet::reads;
use super::text::clean;
use super::verdict::PlanVerdict;
use super::{Scene, Traffic, story, words};
use crate::plan::review::{AccessChange, KeyMove, Neighbour, Radius, Readability, Review, Sharer, VersionUse};
use crate::plan::{Ask, BlindSpot, Change, Note, Plan, Refusal, Risk, Step, StepId, Wait};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The version of the documents. A field that goes or changes its meaning makes a new one; a new field does not.
pub const FORMAT_VERSION: u32 = 1;

/// A plan, and after apply what became of it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "A plan of cmk")]
pub(super) struct PlanDocument {
    /// Rises when a field goes or changes its meaning; not when one is added.
    format_version: u32,
    /// The program that made the plan.
    tool_version: &'static str,
    /// `public`, or `sandbox` for the Azure to practise on.
    cloud: String,
    /// The tenant, when something that was read names it.
    tenant: Option<String>,
    /// SHA-256 over the steps: the same steps for the same reasons give the same.
    digest: String,
    /// SHA-256 over what was observed: the same look gives the same. Only to be compared within one `toolVersion`.
    fingerprint: String,
    /// The plan in numbers and words.
    pub(super) summary: Summary,
    /// What the operator has to say yes to, the gravest first. Without it, nothing is sent.
    asks: Vec<AskEntry>,
    /// What the steps mean for data, keys and people.
    review: ReviewEntry,
    /// The steps, in an order in which they may be taken one by one.
    pub(super) steps: Vec<StepEntry>,
    /// What will not be done. With one refusal or more, nothing is sent.
    refusals: Vec<RefusalEntry>,
    /// What is under way in Azure by itself.
    waits: Vec<WaitEntry>,
    /// What could not be seen.
    blind_spots: Vec<BlindSpotEntry>,
    /// Differences that are told and left as they are.
    notes: Vec<NoteEntry>,
    /// What the look after the last step showed; only after apply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) proof: Option<ProofEntry>,
    /// The requests that were sent. Differs from run to run.
    stats: StatsEntry,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    steps: usize,
    refusals: usize,
    waits: usize,
    blind_spots: usize,
    notes: usize,
    /// `none`, `accessChange`, `irreversible`, `protectionLowered`, `custodyChange`, `reopening` or
    /// `couldBecomeUnreadable`, from the least grave to the gravest.
    highest_risk: &'static str,
    /// The code of the highest risk.
    highest_risk_code: Option<&'static str>,
    /// Of a plan: `nothingToDo`, `steps`, `unjudged` or `refused`. After apply: `done`, `interrupted`, `incomplete` or
    /// `unproved`.
    pub(super) verdict: &'static str,
}

/// A yes that a plan needs from its operator.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AskEntry {
    /// The exact words: `--accept CMK404:account/stbilling`.
    words: String,
    code: Option<&'static str>,
    /// What is at risk: `account/stbilling`.
    object: String,
    why: Vec<String>,
    /// The steps that wait for it.
    steps: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ReviewEntry {
    radius: RadiusEntry,
    /// Whether each account that is touched can read its data.
    readability: Vec<ReadabilityEntry>,
    /// Who gains or loses what on which key.
    access: Vec<AccessEntry>,
    /// The key versions that accounts move between.
    versions: Vec<MoveEntry>,
    /// Who else has access to keys of the vaults that are touched, and is left alone.
    nearby: Vec<NeighbourEntry>,
}

/// The things that a plan touches.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RadiusEntry {
    accounts: Vec<String>,
    vaults: Vec<String>,
    keys: Vec<String>,
    /// Accounts that no step touches and that use a key of a vault which one does.
    others: Vec<String>,
    /// The ARM ids of accounts that the spec does not name, under keys of the vaults that are touched.
    outsiders: Vec<String>,
    /// Who was seen under the keys of these vaults, encryption scopes included, by key; null where encryption scopes were not
    /// looked at.
    under: Option<Vec<UnderEntry>>,
    /// What was not looked at, and may hold more of them.
    unseen: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct UnderEntry {
    /// `kv-prod/main`.
    key: String,
    users: Vec<SharerEntry>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SharerEntry {
    /// The ARM id of the account.
    account: String,
    /// The encryption scope of it; null when the account as a whole is bound to the key.
    scope: Option<String>,
    /// Whether the spec names the account.
    in_spec: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ReadabilityEntry {
    account: String,
    before: ReadsEntry,
    /// What may come in between.
    during: Option<String>,
    after: ReadsEntry,
    /// The steps that change it.
    steps: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ReadsEntry {
    /// `notThere`, `byMicrosoft`, `byKey`, `no` or `unknown`.
    state: &'static str,
    /// The same in words, with the key or the reason.
    text: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AccessEntry {
    step: String,
    /// Whether access is gained; else it is lost.
    gains: bool,
    who: String,
    /// The principal id; `null` when Azure chooses it in this very plan.
    principal_id: Option<String>,
    permissions: Vec<String>,
    /// By what: `access policy`.
    by: &'static str,
    scope: String,
    /// What of it is more than storage needs.
    more_than_needed: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct MoveEntry {
    step: String,
    account: String,
    /// `null` when Microsoft manages the key, or there is no account yet.
    from: Option<VersionEntry>,
    to: VersionEntry,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct VersionEntry {
    key: String,
    /// `null` when this very plan makes it, or it cannot be told.
    version: Option<String>,
    /// Whether Azure follows the newest version by itself.
    follows: bool,
    created: Option<String>,
    expires: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct NeighbourEntry {
    vault: String,
    principal_id: String,
    /// The account of the spec whose identity it is, when it is one.
    account: Option<String>,
    permissions: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StepEntry {
    /// Readable and stable: `grant/stbilling/kv-prod`.
    pub(super) id: String,
    action: &'static str,
    /// The ARM path of the thing that is written to.
    resource: String,
    /// What it does, as an order.
    title: String,
    why: &'static str,
    /// The differences that it mends.
    because: Vec<ChangeEntry>,
    /// The steps that it goes after.
    after: Vec<String>,
    /// What it waits for, and how long.
    waits: Option<String>,
    /// What is left behind when the run is cut off after it.
    leaves_behind: String,
    /// How it is undone by hand; `null` when it cannot be.
    undo: Option<String>,
    /// The gravest of its risks.
    risk: &'static str,
    /// Its risks, the gravest first.
    risks: Vec<RiskEntry>,
    /// What it will send, when that was asked for. In braces: what only Azure knows by then.
    #[serde(skip_serializing_if = "Option::is_none")]
    requests: Option<Vec<RequestEntry>>,
    /// How it ended; only after apply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) outcome_detail: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RiskEntry {
    class: &'static str,
    code: Option<&'static str>,
    /// What is at risk: `account/stbilling`.
    object: String,
    why: String,
    /// Who has to say yes: `plan` (whoever agrees to it), `spec` (which has done so) or `operator` (by name).
    consent: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RequestEntry {
    method: String,
    url: String,
    /// The JSON body.
    body: Option<serde_json::Value>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ChangeEntry {
    resource: String,
    path: String,
    before: Option<String>,
    after: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RefusalEntry {
    code: &'static str,
    resource: String,
    detail: String,
    help: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct WaitEntry {
    r#for: String,
    why: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct BlindSpotEntry {
    resource: String,
    why: String,
    /// The permission that would show it, when it is known.
    permission: Option<String>,
    /// What cannot be judged because of it, and is therefore not done.
    hides: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct NoteEntry {
    resource: String,
    text: String,
}

/// What the look after the last step showed.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProofEntry {
    pub(super) result: &'static str,
    pub(super) left: Vec<String>,
    pub(super) detail: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatsEntry {
    /// Requests by service and method.
    requests: BTreeMap<String, BTreeMap<String, u64>>,
    writes: Writes,
    retries: u64,
    waits: Vec<WaitedEntry>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Writes {
    sent: u64,
    succeeded: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct WaitedEntry {
    r#for: String,
    ms: u64,
}

/// The document of a plan that has not been applied.
pub(super) fn document(plan: &Plan, requests: Option<&Requests>, traffic: &Traffic, scene: &Scene) -> PlanDocument {
    let Plan { steps, refusals, waits, blind_spots, notes, review, tenant, bound: _, digest, fingerprint } = plan;
    let grants: HashSet<&StepId> =
        steps.iter().filter(|step| story::is_grant(&step.action)).map(|step| &step.id).collect();
    PlanDocument {
        format_version: FORMAT_VERSION,
        tool_version: super::TOOL,
        cloud: scene.cloud.clone(),
        tenant: tenant.clone(),
        digest: digest.clone(),
        fingerprint: fingerprint.clone(),
        summary: Summary {
            steps: steps.len(),
            refusals: refusals.len(),
            waits: waits.len(),
            blind_spots: blind_spots.len(),
            notes: notes.len(),
            highest_risk: plan.gravest().as_str(),
            highest_risk_code: plan.gravest().code(),
            verdict: PlanVerdict::of(plan).as_str(),
        },
        asks: plan.asks().into_iter().map(ask).collect(),
        review: review_entry(review),
        steps: steps.iter().map(|one| step(one, &grants, requests)).collect(),
        refusals: refusals.iter().map(refusal).collect(),
        waits: waits.iter().map(wait).collect(),
        blind_spots: blind_spots.iter().map(blind_spot).collect(),
        notes: notes.iter().map(note).collect(),
        proof: None,
        stats: stats(traffic),
    }
}

fn ids(steps: &[StepId]) -> Vec<String> {
    steps.iter().map(ToString::to_string).collect()
}

fn ask(ask: Ask) -> AskEntry {
    let Ask { what, why, steps } = ask;
    AskEntry {
        // Words to be copied to a command line, so nothing hidden may be in them.
        words: clean(&format!("--accept {what}")),
        code: what.class.code(),
        object: what.object,
        why,
        steps: ids(&steps),
    }
}

fn review_entry(review: &Review) -> ReviewEntry {
    let Review { radius, readability, access, versions, nearby } = review;
    let Radius { accounts, vaults, keys, others, outsiders, under, unseen } = radius;
    ReviewEntry {
        radius: RadiusEntry {
            accounts: accounts.iter().map(ToString::to_string).collect(),
            vaults: vaults.iter().map(ToString::to_string).collect(),
            keys: keys.iter().map(ToString::to_string).collect(),
            others: others.iter().map(ToString::to_string).collect(),
            outsiders: outsiders.iter().map(ToString::to_string).collect(),
            under: under.as_ref().map(|under| under.iter().map(|(key, users)| under_entry(key, users)).collect()),
            unseen: unseen.clone(),
        },
        readability: readability.iter().map(readability_entry).collect(),
        access: access.iter().map(access_entry).collect(),
        versions: versions.iter().map(move_entry).collect(),
        nearby: nearby.iter().map(neighbour).collect(),
    }
}

fn under_entry(key: &str, users: &BTreeSet<Sharer>) -> UnderEntry {
    let user = |Sharer { account, scope, is_in_spec }: &Sharer| SharerEntry {
        account: account.to_string(),
        scope: scope.clone(),
        in_spec: *is_in_spec,
    };
    UnderEntry { key: key.to_owned(), users: users.iter().map(user).collect() }
}

fn readability_entry(readability: &Readability) -> ReadabilityEntry {
    let Readability { account, before, during, after, steps } = readability;
    ReadabilityEntry {
        account: account.to_string(),
        before: ReadsEntry { state: before.as_str(), text: reads(before) },
        during: during.clone(),
        after: ReadsEntry { state: after.as_str(), text: reads(after) },
        steps: ids(steps),
    }
}

fn access_entry(change: &AccessChange) -> AccessEntry {
    let AccessChange { step, gains, who, principal, permissions, by, scope, more_than_needed } = change.clone();
    let step = step.to_string();
    AccessEntry { step, gains, who, principal_id: principal, permissions, by, scope, more_than_needed }
}

fn move_entry(moved: &KeyMove) -> MoveEntry {
    let KeyMove { step, account, from, to } = moved;
    MoveEntry {
        step: step.to_string(),
        account: account.to_string(),
        from: from.as_ref().map(version),
        to: version(to),
    }
}

fn version(used: &VersionUse) -> VersionEntry {
    let VersionUse { key, version, follows, created, expires } = used;
    VersionEntry {
        key: key.clone(),
        version: version.as_ref().map(ToString::to_string),
        follows: *follows,
        created: created.map(|at| at.to_string()),
        expires: expires.map(|at| at.to_string()),
    }
}

fn neighbour(neighbour: &Neighbour) -> NeighbourEntry {
    let Neighbour { vault, principal, account, permissions } = neighbour;
    NeighbourEntry {
        vault: vault.to_string(),
        principal_id: principal.clone(),
        account: account.as_ref().map(ToString::to_string),
        permissions: permissions.clone(),
    }
}

fn step(step: &Step, grants: &HashSet<&StepId>, requests: Option<&Requests>) -> StepEntry {
    // What a step needs and gives is how the plan was made, not what a reader of it needs.
    let Step { id, action, because, needs: _, gives: _, after, risks } = step;
    StepEntry {
        id: id.to_string(),
        action: action.name(),
        resource: action.resource(),
        title: words::action(action),
        why: story::why(action),
        because: because.iter().map(change).collect(),
        after: ids(after),
        waits: story::waits(action, after.iter().any(|id| grants.contains(id))),
        leaves_behind: story::leaves(action),
        undo: story::undo(action).ok(),
        risk: step.gravest().as_str(),
        risks: risks.iter().map(risk).collect(),
        requests: requests.map(|requests| requests.of(id).iter().map(request).collect()),
        outcome: None,
        outcome_detail: None,
    }
}

fn risk(risk: &Risk) -> RiskEntry {
    let Risk { class, object, why, consent } = risk;
    RiskEntry {
        class: class.as_str(),
        code: class.code(),
        object: object.clone(),
        why: why.clone(),
        consent: consent.as_str(),
    }
}

fn request(request: &Request) -> RequestEntry {
    let Request { method, url, body } = request.clone();
    RequestEntry { method, url, body }
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
