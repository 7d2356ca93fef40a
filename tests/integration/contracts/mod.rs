//! Every exchange of a test is held against Microsoft's own contracts: what the client sends and what the
//! sandbox answers, except where Azure itself was seen to depart from them.
//!
//! The contracts lie beside the checkout. Where they do not, nothing is checked, and the tests say so.

mod derived;
mod openapi;
pub(crate) mod uncovered;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use azure_core::Result;
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request};
use cmk::sandbox::{Local, VAULT_SUFFIX};
use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

/// One request and its answer. Bodies that are no JSON are no business of the contracts.
pub(crate) struct Exchange {
    pub(crate) method: String,
    pub(crate) host: String,
    /// The segments of the path, decoded.
    pub(crate) path: Vec<String>,
    pub(crate) api_version: String,
    pub(crate) sent: Option<Value>,
    pub(crate) status: u16,
    pub(crate) answered: Option<Value>,
}

/// Which of the two bodies is looked at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Side {
    Request,
    Answer,
}

impl Side {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Request => "req",
            Self::Answer => "rsp",
        }
    }
}

/// What is known of the contracts.
struct Contracts {
    openapi: openapi::Specifications,
    derived: PathBuf,
    /// What Azure does against its contracts: group of operations, place in the body, kind of departure.
    departures: BTreeSet<(String, String, String)>,
    /// Compiled schemas by what they are of; `None` where there is none.
    compiled: Mutex<BTreeMap<String, Option<Arc<Validator>>>>,
    /// What was found in a body before: tests say the same things over and over.
    judged: Mutex<HashMap<(String, Side, String), Vec<String>>>,
}

static CONTRACTS: LazyLock<Option<Contracts>> = LazyLock::new(|| {
    let root = shared()?;
    let departures = std::fs::read_to_string(root.join("CONTRACT_VS_REALITY.tsv")).expect("the departures are there");
    Some(Contracts {
        openapi: openapi::Specifications::load(&root.join("contracts/specification")),
        derived: root.join("contracts/derived-json-schema"),
        departures: departures.lines().filter_map(departure).chain(known()).collect(),
        compiled: Mutex::default(),
        judged: Mutex::default(),
    })
});

/// Departures that are known besides the list: what Azure was recorded to answer, and what today's clients send.
const KNOWN: [(&str, &str, &str); 4] = [
    // Azure was recorded with `Microsoft.KeyVault/deletedVaults`.
    ("Vaults", "rsp.type", "wrong"),
    // Nobody made a built-in role.
    ("RoleDefinitions", "rsp.properties.createdBy", "null"),
    ("RoleDefinitions", "rsp.properties.updatedBy", "null"),
    // The Azure CLI sends the rules for IPv6 back in every version, as it got them.
    ("StorageAccounts", "req.properties.networkAcls.ipv6Rules", "undeclared"),
];

fn known() -> impl Iterator<Item = (String, String, String)> {
    KNOWN.iter().map(|(group, place, kind)| ((*group).to_owned(), (*place).to_owned(), (*kind).to_owned()))
}

/// Where the contracts and the recordings lie, if they do.
#[expect(clippy::print_stderr, reason = "a test that checks nothing has to say so")]
pub(crate) fn shared() -> Option<PathBuf> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/azure"));
    if root.is_dir() {
        return Some(root.to_owned());
    }
    eprintln!("skipped: {} is not there, so nothing is held against Azure's contracts", root.display());
    None
}

/// A line of the list of departures: operation, place, kind and more.
fn departure(line: &str) -> Option<(String, String, String)> {
    let mut fields = line.split('\t');
    let (operation, place, kind) = (fields.next()?, fields.next()?, fields.next()?);
    let kind = kind.split([' ', '(']).next()?;
    place.contains('.').then(|| (group_of(operation).to_owned(), normal(place), kind.to_owned()))
}

/// Operations on one kind of thing depart alike.
fn group_of(operation: &str) -> &str {
    operation.split_once('_').map_or("keys", |(group, _)| group)
}

/// A list shows a thing as the thing itself is shown.
fn normal(place: &str) -> String {
    place.replacen("rsp.value[].", "rsp.", 1)
}

/// What is wrong with an exchange, one line a problem.
pub(crate) fn problems(exchange: &Exchange) -> Vec<String> {
    let Some(contracts) = CONTRACTS.as_ref() else { return Vec::new() };
    let Exchange { method, path, status, .. } = exchange;
    let found = contracts.find(exchange);
    let said = found.into_iter().map(|problem| format!("{method} /{} -> {status}: {problem}", path.join("/")));
    said.collect()
}

/// What is wrong with the exchanges of a server's record. Its own control, Entra ID and Graph have no contract.
pub(crate) fn problems_of_record(record: &str) -> Vec<String> {
    let lines = record.lines().map(|line| serde_json::from_str::<Value>(line).expect("a record is lines of JSON"));
    lines.filter_map(|line| recorded(&line)).flat_map(|exchange| problems(&exchange)).collect()
}

fn recorded(line: &Value) -> Option<Exchange> {
    let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let host = text("host").split(':').next().unwrap_or_default().to_owned();
    let is_vault = host.ends_with(VAULT_SUFFIX) || host.ends_with(".vault.azure.net");
    let is_arm = host == cmk::sandbox::ARM_HOST || host == "management.azure.com";
    if !(is_vault || is_arm) || text("path").starts_with("/metadata/") {
        return None;
    }
    let json = |name: &str| Some(line[name].clone()).filter(|body| body.is_object() || body.is_array());
    Some(Exchange {
        method: text("method"),
        path: text("path").split('/').skip(1).map(str::to_owned).collect(),
        api_version: line["query"]["api-version"].as_str().unwrap_or_default().to_owned(),
        sent: json("requestBody"),
        // A connection that was cut gave no answer to judge.
        status: u16::try_from(line["status"].as_u64()?).ok()?,
        answered: json("responseBody"),
        // The contracts know a vault by one suffix.
        host: if is_vault { format!("v.{VAULT_SUFFIX}") } else { host },
    })
}

/// Method and path of every operation that the contracts describe; a vault's own are marked `vault:`.
pub(crate) fn described() -> Vec<(String, String)> {
    CONTRACTS.as_ref().map(|contracts| contracts.openapi.described()).unwrap_or_default()
}

impl Contracts {
    fn find(&self, exchange: &Exchange) -> Vec<String> {
        let Exchange { method, path, status, api_version, .. } = exchange;
        let vault = exchange.host.ends_with(VAULT_SUFFIX);
        let Some(operation) = self.openapi.operation(method, path, vault, api_version) else {
            return uncovered::is_known(method, path)
                .then(Vec::new)
                .unwrap_or_else(|| vec!["there is no contract for this, and it is not listed as such".to_owned()]);
        };
        let mut problems = Vec::new();
        let good = *status < 300;
        if good && !operation.answers(*status) {
            problems.push(format!("{} does not answer {status}", operation.id));
        }
        if let (Some(sent), true) = (&exchange.sent, good) {
            // What is refused may be wrong; what is accepted must not be.
            problems.extend(self.judge(operation, exchange, Side::Request, sent));
        }
        match &exchange.answered {
            Some(answered) if good => problems.extend(self.judge(operation, exchange, Side::Answer, answered)),
            Some(answered) => problems.extend(refusal(answered)),
            None => {}
        }
        problems
    }

    fn judge(&self, operation: &openapi::Operation, exchange: &Exchange, side: Side, body: &Value) -> Vec<String> {
        let of = format!("{} {} {}", operation.id, exchange.status, exchange.api_version);
        let key = (of, side, body.to_string());
        let before = self.judged.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        before.unwrap_or_else(|| {
            let found = self.judge_anew(operation, exchange, side, body);
            self.judged.lock().unwrap_or_else(PoisonError::into_inner).insert(key, found.clone());
            found
        })
    }

    fn judge_anew(&self, operation: &openapi::Operation, exchange: &Exchange, side: Side, body: &Value) -> Vec<String> {
        let Some(validator) = self.validator(operation, exchange, side) else { return Vec::new() };
        let group = group_of(&operation.id);
        let lines = validator.iter_errors(body).flat_map(|error| places(&error, side));
        let new = lines
            .filter(|(place, kind, _)| !self.departures.contains(&(group.to_owned(), normal(place), kind.clone())));
        new.map(|(place, kind, text)| format!("{}: {place}: {kind}: {text}", operation.id)).collect()
    }

    fn validator(&self, operation: &openapi::Operation, exchange: &Exchange, side: Side) -> Option<Arc<Validator>> {
        let derived = derived::file(exchange, side).map(|name| self.derived.join(name)).filter(|file| file.is_file());
        let name = derived.as_ref().map_or_else(
            || format!("{} {} {side:?} {}", operation.file.display(), operation.id, exchange.status),
            |file| file.display().to_string(),
        );
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = compiled.entry(name).or_insert_with(|| {
            let schema = match derived {
                Some(file) => Some(derived::read(&file)),
                None => self.openapi.schema(operation, side, exchange.status),
            };
            schema.map(|schema| Arc::new(jsonschema::validator_for(&schema).expect("a contract is a schema")))
        });
        entry.clone()
    }
}

/// Where in the body an error is, which kind it is, and what it says.
fn places(error: &ValidationError<'_>, side: Side) -> Vec<(String, String, String)> {
    let place = place(&error.instance_path().to_string(), side);
    let text: String = error.to_string().chars().take(160).collect();
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let all = unexpected.iter().map(|name| (format!("{place}.{name}"), "undeclared".to_owned(), text.clone()));
            all.collect()
        }
        ValidationErrorKind::FalseSchema => vec![(place, "readOnly".to_owned(), text)],
        ValidationErrorKind::Enum { .. } => vec![(place, "enum".to_owned(), text)],
        _ if error.instance().is_null() => vec![(place, "null".to_owned(), text)],
        _ => vec![(place, "wrong".to_owned(), text)],
    }
}

/// A JSON pointer as the list of departures writes it.
fn place(pointer: &str, side: Side) -> String {
    let mut place = side.prefix().to_owned();
    let mut any = false;
    for segment in pointer.split('/').skip(1) {
        if segment.parse::<usize>().is_ok() {
            place.push_str("[]");
        } else if std::mem::take(&mut any) {
            place.push_str(".*");
        } else {
            place = format!("{place}.{segment}");
            any = segment == "userAssignedIdentities";
        }
    }
    place
}

/// What every refusal looks like.
fn refusal(body: &Value) -> Vec<String> {
    let text = |name: &str| body["error"][name].as_str().is_some_and(|text| !text.is_empty());
    if text("code") && text("message") { Vec::new() } else { vec![format!("this is no error of Azure's: {body}")] }
}

/// The way into a sandbox, with someone who reads along.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    inner: Local,
    problems: Arc<Mutex<BTreeSet<String>>>,
}

impl Checked {
    pub(crate) fn new(inner: Local) -> Self {
        Self { inner, problems: Arc::default() }
    }

    fn note(&self, exchange: &Exchange) {
        let found = problems(exchange);
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
    }

    /// All that was found so far.
    pub(crate) fn found(&self) -> Vec<String> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

#[async_trait::async_trait]
impl HttpClient for Checked {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let answer = self.inner.execute_request(request).await?.try_into_raw_response().await?;
        let url = request.url();
        let sent = match request.body() {
            Body::Bytes(bytes) => serde_json::from_slice(bytes).ok(),
            Body::SeekableStream(_) => None,
        };
        let version = url.query_pairs().find(|(name, _)| name == "api-version").map(|(_, value)| value.into_owned());
        self.note(&Exchange {
            method: request.method().as_ref().to_owned(),
            host: url.host_str().unwrap_or_default().to_owned(),
            path: segments(url.path()),
            api_version: version.unwrap_or_default(),
            sent,
            status: answer.status().into(),
            answered: serde_json::from_slice(answer.body().as_ref()).ok(),
        });
        let (status, headers, body) = answer.deconstruct();
        Ok(AsyncRawResponse::from_bytes(status, headers, body.as_ref().to_vec()))
    }
}

/// The segments of a path. Nothing that the contracts look at is ever encoded.
pub(crate) fn segments(path: &str) -> Vec<String> {
    path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
}

#[test]
fn a_misspelt_field_and_an_unknown_operation_are_noticed() {
    if shared().is_none() {
        return;
    }
    let path = segments("/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/st1");
    let exchange = |method: &str, path: &[String], sent: Value| Exchange {
        method: method.to_owned(),
        host: cmk::sandbox::ARM_HOST.to_owned(),
        path: path.to_vec(),
        api_version: "2025-06-01".to_owned(),
        sent: Some(sent),
        status: 200,
        answered: None,
    };
    let misspelt = serde_json::json!({"properties": {"encryption": {"keyVaultProperties": {}}}});
    for method in ["PATCH", "PUT"] {
        let found = problems(&exchange(method, &path, misspelt.clone()));
        assert!(found.iter().any(|line| line.contains("keyVaultProperties: undeclared")), "{method}: {found:?}");
    }
    let unknown = [path.as_slice(), &["turnInsideOut".to_owned()]].concat();
    assert_eq!(problems(&exchange("POST", &unknown, Value::Null)).len(), 1);
}
