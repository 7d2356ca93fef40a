//! Every exchange of a test is held against Microsoft's own contracts: what the client sends and what the
//! sandbox answers, except where Azure itself was seen to depart from them.
//!
//! Both test programs have this module: the integration tests, and the unit tests of the sandbox. It uses nothing of
//! the crate, so that a name that is wrong there is not wrong here as well.
//!
//! The contracts lie beside the checkout. Where they do not, nothing is checked, and the tests say so.

mod derived;
mod openapi;
pub(crate) mod uncovered;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

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
    /// Exchanges in which nothing was found, by their hash: what is said again, to the byte, is not even read.
    good: Mutex<HashSet<u64>>,
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
        good: Mutex::default(),
    })
});

/// Departures that are known besides the list: what Azure was recorded to answer, and what today's clients send.
const KNOWN: [(&str, &str, &str); 5] = [
    // Azure was recorded with `Microsoft.KeyVault/deletedVaults`.
    ("Vaults", "rsp.type", "wrong"),
    // Nobody made a built-in role.
    ("RoleDefinitions", "rsp.properties.createdBy", "null"),
    ("RoleDefinitions", "rsp.properties.updatedBy", "null"),
    // So an identity is taken off; recorded, and the only way to do it.
    ("StorageAccounts", "req.identity.userAssignedIdentities.*", "null"),
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

/// What is wrong with the exchanges of a record, whose last line may be a half: its writer was killed.
///
/// Entra ID, Graph and a cloud's description of itself have no contract.
pub(crate) fn problems_of_record(record: &str) -> Vec<String> {
    let whole = record.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let lines = whole.lines().map(|line| serde_json::from_str::<Value>(line).expect("a record is lines of JSON"));
    lines.filter_map(|line| recorded(&line)).flat_map(|exchange| problems(&exchange)).collect()
}

fn recorded(line: &Value) -> Option<Exchange> {
    let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let json = |name: &str| Some(line[name].clone()).filter(|body| body.is_object() || body.is_array());
    let (host, path) = (text("host"), text("path"));
    has_contract(&host, &path).then_some(())?;
    Some(Exchange {
        method: text("method"),
        path: segments(&path),
        api_version: line["query"]["api-version"].as_str().unwrap_or_default().to_owned(),
        sent: json("requestBody"),
        // A connection that was cut gave no answer to judge.
        status: u16::try_from(line["status"].as_u64()?).ok()?,
        answered: json("responseBody"),
        host,
    })
}

/// What is wrong with an exchange as it went over the line. Nothing is, if no answer came.
pub(crate) fn problems_of_http(
    request: &http::Request<Vec<u8>>,
    answer: Option<&http::Response<Vec<u8>>>,
) -> Vec<String> {
    let (Some(contracts), Some(answer)) = (CONTRACTS.as_ref(), answer) else { return Vec::new() };
    let uri = request.uri();
    let host = &uri.host().unwrap_or_default().to_ascii_lowercase();
    if !has_contract(host, uri.path()) {
        return Vec::new();
    }
    let mut hasher = DefaultHasher::new();
    (request.method(), uri, request.body(), answer.status(), answer.body()).hash(&mut hasher);
    let hash = hasher.finish();
    if contracts.good.lock().unwrap_or_else(PoisonError::into_inner).contains(&hash) {
        return Vec::new();
    }
    let version = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let version = version.into_iter().find(|(name, _)| name == "api-version").map(|(_, value)| value.into_owned());
    let found = problems(&Exchange {
        method: request.method().as_str().to_owned(),
        host: host.clone(),
        path: segments(uri.path()),
        api_version: version.unwrap_or_default(),
        sent: serde_json::from_slice(request.body()).ok(),
        status: answer.status().as_u16(),
        answered: serde_json::from_slice(answer.body()).ok(),
    });
    if found.is_empty() {
        let mut good = contracts.good.lock().unwrap_or_else(PoisonError::into_inner);
        if good.len() >= GOOD_MAX {
            good.clear();
        }
        good.insert(hash);
    }
    found
}

/// How many bodies are remembered before all are forgotten: a long simulation never says some of them again.
const JUDGED_MAX: usize = 20_000;

/// How many exchanges are remembered before all are forgotten.
const GOOD_MAX: usize = 2_000_000;

/// Fails the test that said this.
#[track_caller]
pub(crate) fn hold(request: &http::Request<Vec<u8>>, answer: Option<&http::Response<Vec<u8>>>) {
    let found = problems_of_http(request, answer);
    assert!(found.is_empty(), "against Azure's contracts: {}", found.join("\n"));
}

/// The same of the answer alone: for what is sent wrong on purpose, and taken all the same.
pub(crate) fn hold_answer(request: &http::Request<Vec<u8>>, answer: Option<&http::Response<Vec<u8>>>) {
    let (parts, _) = request.clone().into_parts();
    hold(&http::Request::from_parts(parts, Vec::new()), answer);
}

/// Whether a host is a vault, under either of the names that the sandbox gives them.
fn is_vault(host: &str) -> bool {
    [".vault.sandbox.test", ".vault.azure.net"].iter().any(|suffix| host.ends_with(suffix))
}

/// Whether there are contracts for what is said to a host.
fn has_contract(host: &str, path: &str) -> bool {
    let is_arm = ["arm.sandbox.test", "management.azure.com"].contains(&host);
    is_vault(host) || (is_arm && !path.starts_with("/metadata/"))
}

/// Method and path of every operation that the contracts describe; a vault's own are marked `vault:`.
pub(crate) fn described() -> Vec<(String, String)> {
    CONTRACTS.as_ref().map(|contracts| contracts.openapi.described()).unwrap_or_default()
}

impl Contracts {
    fn find(&self, exchange: &Exchange) -> Vec<String> {
        let Exchange { method, path, status, api_version, .. } = exchange;
        let mut problems = Vec::new();
        let good = *status < 300;
        let operation = self.openapi.operation(method, path, is_vault(&exchange.host), api_version);
        let Some(operation) = operation.filter(|operation| !is_of_others(operation, exchange)) else {
            if good && !uncovered::is_known(method, path) {
                problems.push("there is no contract for this, and it is not listed as such".to_owned());
            }
            problems.extend(exchange.answered.as_ref().filter(|_| !good).into_iter().flat_map(refusal));
            return problems;
        };
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
            let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
            if judged.len() >= JUDGED_MAX {
                judged.clear();
            }
            judged.insert(key, found.clone());
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

/// Whether an answer is the list of all resources, of which Key Vault's contract describes the part with vaults.
fn is_of_others(operation: &openapi::Operation, exchange: &Exchange) -> bool {
    let listed = exchange.answered.as_ref().and_then(|body| body["value"].as_array());
    operation.id == "Vaults_List" && listed.into_iter().flatten().any(|one| one["type"] != "Microsoft.KeyVault/vaults")
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

/// The segments of a path. Nothing that the contracts look at is ever encoded.
pub(crate) fn segments(path: &str) -> Vec<String> {
    path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
}
