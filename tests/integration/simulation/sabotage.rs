//! Sabotage: what breaks the planner or the executor on purpose must be noticed, else the witness is asleep.
//!
//! Nothing of it is in the product: a saboteur alters the plan between planning and
//! applying, or sits between the client and the line and rewrites what passes.

use super::scenes::scene;
use azure_core::http::headers::HeaderValue;
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Method, Request};
use cmk::model::{Fact, Guard, KeyPermission, Pattern, Period, VersionRule};
use cmk::plan::{Action, Change, Consent, Former, Plan, RiskClass, Step, StepId};
use cmk::prove::{How, OTHERS};
use cmk::sandbox::{CLIENT_ID, CLIENT_SECRET, LOGIN_HOST, TENANT, VAULT_SUFFIX};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// The seeds within which each sabotage must be noticed.
const SEEDS: u64 = 200;

type Alter = fn(&mut Plan);
type Rewrite = fn(&mut Asked);

/// A request, taken apart.
struct Asked {
    method: Method,
    path: String,
    url: url::Url,
    body: Value,
}

/// What sits on the line.
#[derive(Debug)]
struct Saboteur {
    inner: Arc<dyn HttpClient>,
    way: Way,
    /// The last request that made a vault.
    vault: Mutex<Option<Request>>,
    begun: Mutex<bool>,
}

#[derive(Debug, Clone, Copy)]
enum Way {
    Rewrite(Rewrite),
    /// A look that is refused is taken for absence.
    HiddenIsAbsent,
    /// A vault's creation is sent again when access has been granted.
    CreateAgain,
    /// A key that was made is made again in the vault, where creating adds a version.
    AddsVersions,
    /// A rotation is sent twice.
    RotatesTwice,
    /// A key of one's own is imported twice.
    ImportsTwice,
    /// Something is written while looking.
    WritesWhileLooking,
    /// A token for Resource Manager is sent to the vault.
    TokenToVault,
    /// Each step's request id is lost.
    NoRequestId,
    /// An account's identities are taken off when its key is set.
    TakesIdentityOff,
    /// Accounts look as if Microsoft managed their keys.
    OverlooksBindings,
    /// A success is reported for every write that is not a creation, and nothing is sent.
    SaysDone,
}

fn copy(request: &Request, method: Method, url: url::Url, body: Option<Vec<u8>>) -> Request {
    let mut copy = Request::new(url, method);
    for (name, value) in request.headers().iter() {
        copy.insert_header(name.clone(), value.clone());
    }
    if let Some(body) = body {
        copy.set_body(body);
    }
    copy
}

fn bytes(request: &Request) -> Vec<u8> {
    match request.body() {
        Body::Bytes(bytes) => bytes.to_vec(),
        Body::SeekableStream(_) => vec![],
    }
}

fn same(request: &Request) -> Request {
    copy(request, request.method(), request.url().clone(), Some(bytes(request)))
}

#[async_trait::async_trait]
impl HttpClient for Saboteur {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let path = request.url().path().to_ascii_lowercase();
        let (method, is_get) = (request.method(), request.method() == Method::Get);
        match self.way {
            Way::Rewrite(rewrite) => return self.inner.execute_request(&Self::rewritten(request, rewrite)).await,
            Way::HiddenIsAbsent if is_get => {
                let answer = self.inner.execute_request(request).await?;
                if u16::from(answer.status()) != 403 {
                    return Ok(answer);
                }
                let body = json!({ "error": { "code": "ResourceNotFound", "message": "It is not there." } });
                return Ok(AsyncRawResponse::from_bytes(404.into(), answer.headers().clone(), body.to_string()));
            }
            Way::OverlooksBindings if is_get && path.contains("/storageaccounts/") => {
                let answer = self.inner.execute_request(request).await?;
                let (status, headers) = (answer.status(), answer.headers().clone());
                let answer = answer.try_into_raw_response().await?;
                let mut body: Value = serde_json::from_slice(answer.body().as_ref()).unwrap_or_default();
                if body.pointer("/properties/encryption").is_some() {
                    body["properties"]["encryption"] = json!({ "keySource": "Microsoft.Storage" });
                }
                return Ok(AsyncRawResponse::from_bytes(status, headers, body.to_string()));
            }
            Way::CreateAgain if method == Method::Put => {
                let answer = self.inner.execute_request(request).await;
                if path.contains("/vaults/") && !path.contains("accesspolicies") && !path.contains("/keys/") {
                    *self.vault.lock().unwrap() = Some(same(request));
                }
                let again = self.vault.lock().unwrap().as_ref().map(same);
                if let (true, Some(again)) = (path.contains("accesspolicies"), again) {
                    self.inner.execute_request(&again).await.ok();
                }
                return answer;
            }
            Way::AddsVersions if method == Method::Put && path.contains("/keys/") => {
                let answer = self.inner.execute_request(request).await;
                self.add_version(request).await;
                return answer;
            }
            Way::RotatesTwice if path.ends_with("/rotate") => {
                self.inner.execute_request(request).await.ok();
            }
            Way::ImportsTwice if method == Method::Put && path.starts_with("/keys/") => {
                self.inner.execute_request(request).await.ok();
            }
            Way::WritesWhileLooking if is_get && path.contains("/storageaccounts/") => self.write_a_tag(request).await,
            Way::TokenToVault if is_get && path.contains("/keys/") => {
                let vault = path.split("/vaults/").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or("kv1");
                let url = format!("https://{vault}.{VAULT_SUFFIX}/keys?api-version=7.5").parse().unwrap();
                self.inner.execute_request(&copy(request, Method::Get, url, None)).await.ok();
            }
            Way::TakesIdentityOff
                if method == Method::Patch && bytes(request).windows(10).any(|w| w == b"keySource\"") =>
            {
                let answer = self.inner.execute_request(request).await;
                let body = br#"{"identity":{"type":"None"}}"#.to_vec();
                self.inner.execute_request(&copy(request, method, request.url().clone(), Some(body))).await.ok();
                return answer;
            }
            Way::NoRequestId => {
                let mut other = same(request);
                other.insert_header("x-ms-client-request-id", HeaderValue::from_static("lost"));
                return self.inner.execute_request(&other).await;
            }
            Way::SaysDone if method == Method::Put && path.contains("accesspolicies") => {
                let body = bytes(request);
                let headers = azure_core::http::headers::Headers::new();
                return Ok(AsyncRawResponse::from_bytes(200.into(), headers, body));
            }
            _ => {}
        }
        self.inner.execute_request(request).await
    }
}

impl Saboteur {
    fn rewritten(request: &Request, rewrite: Rewrite) -> Request {
        let mut asked = Asked {
            method: request.method(),
            path: request.url().path().to_ascii_lowercase(),
            url: request.url().clone(),
            body: serde_json::from_slice(&bytes(request)).unwrap_or_default(),
        };
        let before = asked.body.clone();
        if asked.body.is_object() {
            rewrite(&mut asked);
        }
        let body = if asked.body == before { bytes(request) } else { asked.body.to_string().into_bytes() };
        copy(request, asked.method, asked.url, Some(body))
    }

    async fn add_version(&self, request: &Request) {
        let path = request.url().path();
        let (vault, key) = path.split_once("/vaults/").and_then(|(_, rest)| rest.split_once("/keys/")).unwrap();
        let url = format!("https://{LOGIN_HOST}/{TENANT}/oauth2/v2.0/token").parse().unwrap();
        let mut login = Request::new(url, Method::Post);
        login.set_body(format!(
            "grant_type=client_credentials&client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}&scope=https%3A%2F%2F{VAULT_SUFFIX}%2F.default"
        ));
        let Ok(answer) = self.inner.execute_request(&login).await else { return };
        let Ok(answer) = answer.try_into_raw_response().await else { return };
        let body: Value = serde_json::from_slice(answer.body().as_ref()).unwrap_or_default();
        let url = format!("https://{vault}.{VAULT_SUFFIX}/keys/{key}/create?api-version=7.5").parse().unwrap();
        let mut create = copy(request, Method::Post, url, Some(br#"{"kty":"RSA"}"#.to_vec()));
        create.insert_header("authorization", format!("Bearer {}", body["access_token"].as_str().unwrap_or_default()));
        self.inner.execute_request(&create).await.ok();
    }

    async fn write_a_tag(&self, request: &Request) {
        let first = !std::mem::replace(&mut *self.begun.lock().unwrap(), true);
        if first {
            let body = br#"{"tags":{"seen":"yes"}}"#.to_vec();
            let write = copy(request, Method::Patch, request.url().clone(), Some(body));
            self.inner.execute_request(&write).await.ok();
        }
    }
}

fn on_line(way: Way) -> How {
    let wrap = move |inner: Arc<dyn HttpClient>| -> Arc<dyn HttpClient> {
        Arc::new(Saboteur { inner, way, vault: Mutex::default(), begun: Mutex::default() })
    };
    How { wrap: Some(Arc::new(wrap)), ..How::default() }
}

fn in_plan(alter: Alter) -> How {
    How { alter: Some(Arc::new(alter)), ..How::default() }
}

fn entries(asked: &mut Asked) -> Option<&mut Vec<Value>> {
    let is_grant = asked.path.ends_with("/accesspolicies/add");
    asked.body.pointer_mut("/properties/accessPolicies")?.as_array_mut().filter(|_| is_grant)
}

/// A guard that allows nothing of what the scenes' specs name.
fn elsewhere() -> Guard {
    Guard { vaults: vec![Pattern::new("kv-elsewhere")], ..Guard::default() }
}

/// Disables the version that an account has just left.
fn retire_at_once(plan: &mut Plan) {
    let moves: Vec<Step> = plan.steps.iter().filter(|step| step.id.0.starts_with("encryption/")).cloned().collect();
    for step in moves {
        let Action::SetEncryption { vault, key, former: Some(Former { key: left, version, left: _ }), .. } =
            &step.action
        else {
            continue;
        };
        if key != left {
            continue;
        }
        let (vault, key, version) = (vault.clone(), key.clone(), version.clone());
        let wait = Some(Period::days(1));
        let gives = vec![Fact::VersionDisabled(key.clone(), version.clone())];
        let change = Change {
            resource: format!("key {key}"),
            path: format!("versions[{version}].enabled"),
            before: Some("true".to_owned()),
            after: "false".to_owned(),
        };
        let id = StepId(format!("disabled/{key}/{version}"));
        let action = Action::DisableVersion { vault, key, version, retired_after: wait, leaving: BTreeSet::new() };
        let (because, needs, after, risks) = (vec![change], vec![], vec![step.id.clone()], vec![]);
        plan.steps.push(Step { id, action, because, needs, gives, after, risks });
    }
}

/// Each sabotage: what it is, the invariant that notices it, and how.
#[expect(clippy::too_many_lines, reason = "a table reads best in one piece")]
fn all() -> Vec<(&'static str, &'static str, How)> {
    let rewrite = |rewrite: Rewrite| on_line(Way::Rewrite(rewrite));
    vec![
        (
            "a step forgets what it goes after",
            "L1",
            in_plan(|plan| plan.steps.iter_mut().for_each(|s| s.after.clear())),
        ),
        (
            "two steps are swapped",
            "L1",
            in_plan(|plan| {
                let last = plan.steps.len().saturating_sub(1);
                if last > 0 {
                    let action = plan.steps[last].action.clone();
                    plan.steps[last].action = plan.steps[0].action.clone();
                    plan.steps[0].action = action;
                }
            }),
        ),
        (
            "a need is dropped: the vault and its key",
            "L1",
            in_plan(|plan| {
                for step in &mut plan.steps {
                    if matches!(step.action, Action::SetEncryption { .. }) {
                        step.needs.retain(|need| matches!(need, Fact::AccountLive(_) | Fact::Attached(..)));
                        step.after.clear();
                    }
                }
            }),
        ),
        ("the last step is forgotten", "L2", in_plan(|plan| drop(plan.steps.pop()))),
        (
            "nothing is confirmed: what a step gives is forgotten",
            "L2",
            in_plan(|plan| {
                plan.steps.iter_mut().for_each(|step| step.gives.clear());
            }),
        ),
        (
            "a door is closed for good that was not shown",
            "S5",
            rewrite(|asked| {
                if asked.method == Method::Put && asked.body.pointer("/properties/enableSoftDelete").is_some() {
                    asked.body["properties"]["enablePurgeProtection"] = json!(true);
                }
            }),
        ),
        ("an identity is taken off when its key is set", "S1", on_line(Way::TakesIdentityOff)),
        (
            "what was deleted comes back, and nobody is asked",
            "S14",
            in_plan(|plan| {
                let is_back =
                    |step: &Step| matches!(step.action, Action::RecoverVault { .. } | Action::RecoverKey { .. });
                plan.steps.iter_mut().filter(|step| is_back(step)).for_each(|step| step.risks.clear());
            }),
        ),
        ("a refusal is ignored", "S13", in_plan(|plan| plan.refusals.clear())),
        (
            "what the guard forbids is done all the same",
            "S15",
            How { guard: Some(elsewhere()), ..in_plan(|plan| plan.refusals.clear()) },
        ),
        ("a binding is overlooked, and access given back", "S14", on_line(Way::OverlooksBindings)),
        (
            "the whole vault is put instead of an entry",
            "S3",
            rewrite(|asked| {
                if entries(asked).is_some() {
                    let url = asked.url.to_string().replace("/accessPolicies/add", "");
                    asked.url = url.parse().unwrap();
                    let properties = &mut asked.body["properties"];
                    properties["tenantId"] = json!(TENANT);
                    properties["sku"] = json!({ "family": "A", "name": "standard" });
                    asked.body["location"] = json!("westeurope");
                }
            }),
        ),
        (
            "entries are replaced instead of added",
            "S3",
            rewrite(|asked| {
                if entries(asked).is_some() {
                    asked.url = asked
                        .url
                        .to_string()
                        .replace("/accessPolicies/add", "/accessPolicies/replace")
                        .parse()
                        .unwrap();
                }
            }),
        ),
        (
            "access is granted to somebody else",
            "S3",
            rewrite(|asked| {
                for entry in entries(asked).into_iter().flatten() {
                    entry["objectId"] = json!(OTHERS);
                }
            }),
        ),
        (
            "more is granted than the spec says",
            "S3",
            rewrite(|asked| {
                for entry in entries(asked).into_iter().flatten() {
                    entry["permissions"]["keys"] = json!(["all"]);
                }
            }),
        ),
        (
            "an identity is replaced instead of united",
            "S4",
            rewrite(|asked| {
                if asked.method == Method::Patch
                    && asked.body.pointer("/identity/type") == Some(&json!("SystemAssigned,UserAssigned"))
                {
                    asked.body["identity"]["type"] = json!("SystemAssigned");
                }
            }),
        ),
        (
            "the identity is taken off with the encryption",
            "L1",
            rewrite(|asked| {
                if asked.method == Method::Patch && asked.body.pointer("/properties/encryption").is_some() {
                    asked.body["identity"] = json!({ "type": "None" });
                }
            }),
        ),
        (
            "tags are written along",
            "S7",
            rewrite(|asked| {
                if asked.method == Method::Patch {
                    asked.body["tags"] = json!({ "by": "cmk" });
                }
            }),
        ),
        (
            "an account is deleted instead of changed",
            "S2",
            rewrite(|asked| {
                if asked.method == Method::Patch && asked.path.contains("/storageaccounts/") {
                    asked.method = Method::Delete;
                }
            }),
        ),
        ("a look that is refused is taken for absence", "S11", on_line(Way::HiddenIsAbsent)),
        ("a vault's creation is sent again later", "S8", on_line(Way::CreateAgain)),
        ("a key version is added blindly", "S12", on_line(Way::AddsVersions)),
        ("a rotation is sent twice", "S12", on_line(Way::RotatesTwice)),
        ("a key of one's own is imported twice", "S12", on_line(Way::ImportsTwice)),
        ("an old version is retired as soon as the account has moved", "S6", in_plan(retire_at_once)),
        (
            "what somebody closed is opened unasked",
            "S14",
            in_plan(|plan| {
                for step in &mut plan.steps {
                    step.risks.retain(|risk| risk.class != RiskClass::Reopening);
                }
            }),
        ),
        ("a write while looking", "S13", on_line(Way::WritesWhileLooking)),
        ("a token for the wrong host", "S16", on_line(Way::TokenToVault)),
        ("writes without their step's id", "S7", on_line(Way::NoRequestId)),
        ("done is said and nothing was sent", "L1", on_line(Way::SaysDone)),
    ]
}

#[test]
fn every_sabotage_is_noticed_within_two_hundred_seeds() {
    let mut unnoticed = vec![];
    let mut noticed = vec![];
    for (name, invariant, how) in all() {
        let found = (0..SEEDS).find_map(|seed| {
            let seen = scene(seed).play(&how);
            seen.breaches
                .iter()
                .find(|breach| breach.invariant == invariant)
                .map(|breach| format!("{name}: seed {seed}, {} {}", breach.invariant, breach.what))
        });
        match found {
            Some(text) => noticed.push(text),
            None => unnoticed.push(name),
        }
    }
    assert!(unnoticed.is_empty(), "nobody noticed: {unnoticed:#?}\nnoticed:\n{}", noticed.join("\n"));
    assert!(noticed.len() >= 10, "{noticed:#?}");
}

/// Sabotages of plans that the judge has to catch before anything is sent. A step too few does no harm, and refusals
/// are not its business.
fn for_the_judge() -> Vec<(&'static str, Alter)> {
    vec![
        ("what was deleted comes back, and nobody is asked", |plan| {
            let is_back = |step: &Step| matches!(step.action, Action::RecoverVault { .. } | Action::RecoverKey { .. });
            plan.steps.iter_mut().filter(|step| is_back(step)).for_each(|step| step.risks.clear());
        }),
        ("a step forgets what it goes after", |plan| plan.steps.iter_mut().for_each(|step| step.after.clear())),
        ("two steps are swapped", |plan| {
            if let Some(last) = plan.steps.len().checked_sub(1) {
                plan.steps.swap(0, last);
            }
        }),
        ("a step is taken twice", |plan| plan.steps.extend(plan.steps.first().cloned())),
        ("an unwrap is not granted", |plan| {
            for step in &mut plan.steps {
                if let Action::Grant { permissions, .. } = &mut step.action {
                    permissions.remove(&KeyPermission::UnwrapKey);
                }
            }
        }),
        ("a vault is made without protection", |plan| {
            for step in &mut plan.steps {
                if let Action::CreateVault { purge_protection, .. } = &mut step.action {
                    *purge_protection = false;
                }
            }
        }),
        ("a vault is made for another tenant", |plan| {
            for step in &mut plan.steps {
                if let Action::CreateVault { tenant, .. } = &mut step.action {
                    "another".clone_into(tenant);
                }
            }
        }),
        ("a version that nobody saw is pinned", |plan| {
            for step in &mut plan.steps {
                if let Action::SetEncryption { version, .. } = &mut step.action {
                    let unseen = cmk::model::Version::parse(&"f".repeat(32)).unwrap();
                    *version = VersionRule::Exact(unseen);
                }
            }
        }),
        ("what changes is not shown", |plan| plan.steps.iter_mut().for_each(|step| step.because.clear())),
        ("a risk is not said", |plan| plan.steps.iter_mut().for_each(|step| step.risks.clear())),
        ("nobody is asked", |plan| {
            for risk in plan.steps.iter_mut().flat_map(|step| &mut step.risks) {
                if risk.class > RiskClass::Irreversible {
                    risk.consent = Consent::Plan;
                }
            }
        }),
    ]
}

#[test]
fn every_sabotage_of_a_plan_is_rejected_by_the_judge() {
    let unnoticed: Vec<&str> = for_the_judge()
        .into_iter()
        .filter(|(_, alter)| {
            let how = in_plan(*alter);
            let rejected = |seed| scene(seed).play(&how).met.contains_key("judge rejects an altered plan");
            !(0..SEEDS).any(rejected)
        })
        .map(|(name, _)| name)
        .collect();
    assert!(unnoticed.is_empty(), "the judge accepts: {unnoticed:#?}");
}
