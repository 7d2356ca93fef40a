//! What the witness notes down of each run, and of each request.

use crate::apply::Event;
use crate::plan::{Plan, StepId};
use crate::sandbox::{LOGIN_HOST, Millis, VAULT_SUFFIX};
use azure_core::base64::decode_url_safe;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A request as it passed.
#[derive(Debug, Clone)]
pub struct Sent {
    pub(super) run: usize,
    pub(super) number: u64,
    pub(super) at: Millis,
    pub(super) method: String,
    pub(super) host: String,
    pub(super) path: String,
    pub(super) request_id: Option<String>,
    pub(super) bearer: Option<String>,
    pub(super) note: String,
    pub(super) reads: bool,
    /// The private members of a key that it carries.
    pub(super) private: Vec<String>,
}

impl Sent {
    pub(in crate::prove) fn new(
        run: usize,
        number: u64,
        at: Millis,
        request: &http::Request<Vec<u8>>,
        note: &str,
    ) -> Self {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        Self {
            run,
            number,
            at,
            method: request.method().as_str().to_owned(),
            host: request.uri().host().unwrap_or_default().to_ascii_lowercase(),
            path: request.uri().path().to_owned(),
            request_id: header("x-ms-client-request-id").map(str::to_owned),
            bearer: header("authorization").and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned),
            note: note.to_owned(),
            reads: Self::reads(request),
            private: private(request),
        }
    }

    /// Whether a request, by what it asks, leaves the world alone.
    pub(in crate::prove) fn reads(request: &http::Request<Vec<u8>>) -> bool {
        let path = request.uri().path().to_ascii_lowercase();
        match request.method().as_str() {
            "GET" | "HEAD" => true,
            "POST" => request.uri().host() == Some(LOGIN_HOST) || path.ends_with("/checknameavailability"),
            _ => false,
        }
    }

    /// Host and path in lower case: what is asked for, however it is spelt.
    pub(super) fn place(&self) -> String {
        format!("{}{}", self.host, self.path).to_ascii_lowercase()
    }

    /// The audience of the token that it carries.
    pub(super) fn audience(&self) -> Option<String> {
        let claims = self.bearer.as_ref()?.split('.').nth(1)?;
        let claims: Value = serde_json::from_slice(&decode_url_safe(claims).ok()?).ok()?;
        claims["aud"].as_str().map(str::to_owned)
    }

    /// The request in short, for the log.
    pub(super) fn line(&self) -> String {
        let path = match self.path.split_once("/resourceGroups/") {
            Some((_, rest)) => {
                rest.replace("/providers/Microsoft.KeyVault", "").replace("/providers/Microsoft.Storage", "")
            }
            None => format!("{}{}", self.host, self.path),
        };
        format!("{} {path}", self.method)
    }
}

/// The private members of a key that is imported.
fn private(request: &http::Request<Vec<u8>>) -> Vec<String> {
    if request.method() != http::Method::PUT || !request.uri().path().starts_with("/keys/") {
        return vec![];
    }
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let members = ["d", "p", "q", "dp", "dq", "qi"].into_iter().filter_map(|name| body["key"][name].as_str());
    members.map(str::to_owned).collect()
}

/// What a run was told and what it showed.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) run_id: uuid::Uuid,
    /// Whether it has planned; before that it may write nothing.
    pub(super) planned: bool,
    /// (resource, field) in lower case, as the plan showed them.
    pub(super) shown: BTreeSet<(String, String)>,
    pub(super) steps: Vec<(StepId, String)>,
    /// The steps that have begun and not ended, in the order of their beginning.
    pub(super) open: Vec<StepId>,
    /// The last answer that told of a place: status, and whether Azure named a code.
    pub(super) told: BTreeMap<String, (u16, bool)>,
    /// The places that somebody else has changed, or may have, since this run looked at them.
    pub(super) changed_since: BTreeSet<String>,
    pub(super) requests: u64,
    pub(super) writes: Vec<u64>,
    pub(super) effects: u64,
    /// Whether it applies a plan that was applied already.
    pub(super) expects_nothing: bool,
    /// It was asked by name to open what was closed.
    pub(super) opens: bool,
}

impl Notes {
    pub(super) fn plan(&mut self, run_id: uuid::Uuid, plan: &Plan) {
        self.planned = true;
        self.run_id = run_id;
        for step in &plan.steps {
            self.steps.push((step.id.clone(), step.action.resource().to_ascii_lowercase()));
            for change in &step.because {
                self.shown.insert((change.resource.to_ascii_lowercase(), change.path.to_ascii_lowercase()));
            }
        }
    }

    pub(super) fn heard(&mut self, event: &Event) {
        match event {
            Event::Started { step } => self.open.push(step.clone()),
            Event::Finished { step, .. } => self.open.retain(|open| open != step),
            Event::Waiting { .. } => {}
        }
    }

    pub(super) fn shows(&self, resource: &str, field: &str) -> bool {
        self.shown.contains(&(resource.to_ascii_lowercase(), field.to_ascii_lowercase()))
    }

    /// Whether a request that changes something is one of an open step, by its id.
    pub(super) fn is_named(&self, host: &str, path: &str, request_id: Option<&str>) -> bool {
        let lower = path.to_ascii_lowercase();
        if let Some(vault) = host.strip_suffix(VAULT_SUFFIX) {
            // What a vault does itself is known by the vault and the path there.
            let place = format!("/vaults/{}{lower}", vault.trim_end_matches('.'));
            let about = |id: &StepId| self.steps.iter().any(|(step, of)| step == id && of.ends_with(&place));
            let mut open = self.open.iter().filter(|id| about(id));
            return open.any(|id| Some(self.id_of(&[id.0.as_str()]).as_str()) == request_id);
        }
        let Some((scope, _)) = lower.split_once("/roleassignments/") else {
            let expected = self.request_id(path);
            return expected.is_some() && expected.as_deref() == request_id;
        };
        // Each role assignment is a step of its own, and the name of the assignment is no step's.
        let collection = format!("{scope}/roleassignments");
        let about = |id: &StepId| {
            id.0.starts_with("revocation/")
                || self.steps.iter().any(|(step, resource)| step == id && *resource == collection)
        };
        let mut open = self.open.iter().filter(|id| about(id));
        open.any(|id| Some(self.id_of(&[id.0.as_str()]).as_str()) == request_id)
    }

    /// The request id under which the open steps that write to a place go.
    fn request_id(&self, path: &str) -> Option<String> {
        let path = path.to_ascii_lowercase();
        let mine = |id: &&StepId| self.steps.iter().any(|(step, resource)| step == *id && *resource == path);
        let names: Vec<&str> = self.open.iter().filter(mine).map(|id| id.0.as_str()).collect();
        (!names.is_empty()).then(|| self.id_of(&names))
    }

    fn id_of(&self, names: &[&str]) -> String {
        uuid::Uuid::new_v5(&self.run_id, names.join(" ").as_bytes()).to_string()
    }
}
