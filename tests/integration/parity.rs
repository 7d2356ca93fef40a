//! The map of what is real in the sandbox, `docs/sandbox.md`, against the sandbox and against the tests.

use std::path::{Path, PathBuf};

use cmk::sandbox::{ARM_HOST, LOGIN_HOST, SUBSCRIPTIONS, TENANT, VAULT_SUFFIX};
use serde_json::{Value, json};

use crate::contracts;
use crate::recorded::{Recording, Stage};

/// A row of the map: an operation and what is claimed of it.
struct Row {
    method: String,
    path: String,
    claim: String,
    witnesses: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn map() -> String {
    let text = std::fs::read_to_string(root().join("docs/sandbox.md")).unwrap();
    text.split("\n## What is real\n").nth(1).unwrap().split("\n## ").next().unwrap().to_owned()
}

/// Everything between backticks.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn rows() -> Vec<Row> {
    let map = map();
    let rows = map.lines().filter_map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [operation, claim, witnesses] = cells.as_slice() else { return None };
        let (method, _) = operation.split_once(" `")?;
        let path = quoted(operation).first()?.replace('…', "/subscriptions/{s}/resourceGroups/{g}/providers/");
        let (method, claim) = (method.to_owned(), (*claim).to_owned());
        Some(Row { method, path, claim, witnesses: quoted(witnesses) })
    });
    rows.collect()
}

/// Adds the Rust sources of a folder, and of all in it, to a text.
pub(crate) fn sources(folder: &Path, into: &mut String) {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            into.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// A world in which every kind of thing is there once.
fn furnished() -> Stage {
    let mut stage = Stage::new();
    let group = format!("/subscriptions/{}/resourceGroups/rg", SUBSCRIPTIONS[0]);
    let vault = format!("{group}/providers/Microsoft.KeyVault/vaults/kv1");
    stage.has_vault(&vault, "westeurope", 7, false);
    stage.has_key(&vault, "main");
    let body = json!({"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}});
    stage.arm("PUT", &format!("{group}/providers/Microsoft.Storage/storageAccounts/st1"), "2025-06-01", body);
    stage.wait();
    stage
}

/// A path with names of that world in the place of what a contract or the map calls them.
fn filled(template: &str) -> String {
    let segments = template.split('/').map(|segment| {
        let Some(name) = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
            return segment.to_owned();
        };
        let name = name.to_ascii_lowercase();
        let is = |words: &[&str]| words.iter().any(|word| name == *word || (word.len() > 2 && name.contains(word)));
        match () {
            () if is(&["s", "subscription"]) => SUBSCRIPTIONS[0].to_owned(),
            () if is(&["g", "resourcegroup"]) => "rg".to_owned(),
            () if is(&["scope"]) => format!("subscriptions/{}/resourceGroups/rg", SUBSCRIPTIONS[0]),
            () if is(&["version"]) => "0123456789abcdef0123456789abcdef".to_owned(),
            () if is(&["account"]) => "st1".to_owned(),
            () if is(&["vault"]) => "kv1".to_owned(),
            () if is(&["key"]) => "main".to_owned(),
            () if is(&["location", "region"]) => "westeurope".to_owned(),
            () if is(&["operation"]) => "add".to_owned(),
            () if is(&["tenant"]) => TENANT.to_owned(),
            () if is(&["namespace"]) => "Microsoft.Storage".to_owned(),
            () => "x1x1".to_owned(),
        }
    });
    segments.collect::<Vec<String>>().join("/")
}

/// Whether the sandbox knows an operation at all, whatever it thinks of this one request.
fn is_known(stage: &Stage, method: &str, path: &str) -> bool {
    let kv = format!("kv1.{VAULT_SUFFIX}");
    let (host, path) = path.split_once(":/").unwrap_or(("arm", path.trim_start_matches('/')));
    let path = format!("/{}", filled(path));
    let (host, version) = match host {
        "vault" => (kv.as_str(), "7.5"),
        "login" => (LOGIN_HOST, ""),
        "graph" => ("graph.sandbox.test", ""),
        _ if path.contains("Microsoft.Storage/") => (ARM_HOST, "2025-06-01"),
        _ if path.contains("Microsoft.KeyVault/") => (ARM_HOST, "2024-11-01"),
        _ if path.contains("Microsoft.ManagedIdentity/") => (ARM_HOST, "2023-01-31"),
        _ => (ARM_HOST, "2022-04-01"),
    };
    let recording = Recording {
        method: method.to_owned(),
        host: host.to_owned(),
        path,
        query: format!("api-version={version}"),
        body: if method == "GET" { Value::Null } else { json!({}) },
        status: 0,
        headers: Value::Null,
        answer: Value::Null,
        signed_in: host != LOGIN_HOST,
    };
    let (status, _, answer) = stage.clone().send(&recording);
    let code = answer["error"]["code"].as_str().unwrap_or_default();
    let unknown = ["InvalidResourceType", "InvalidResourceNamespace", "UnsupportedHttpMethod", "NotFound"];
    let said = answer["error"]["message"].as_str().unwrap_or_default();
    let lost = status == 404 && answer.is_null() && method != "HEAD";
    !(unknown.contains(&code) || lost || said.starts_with("Resource not found for the segment"))
}

#[test]
fn every_witness_of_the_map_is_a_test() {
    let mut all = String::new();
    sources(&root().join("src/sandbox"), &mut all);
    sources(&root().join("tests"), &mut all);
    let text = map();
    let mut missing = Vec::new();
    let named = quoted(&text).into_iter().filter(|word| word.contains('_') && !word.contains(['/', ' ', '{']));
    for witness in named {
        if !all.contains(&format!("#[test]\nfn {witness}()")) {
            missing.push(witness);
        }
    }
    let bare = rows().into_iter().filter(|row| row.witnesses.is_empty() && !row.claim.starts_with("absent"));
    missing.extend(bare.map(|row| format!("{} {} has no witness", row.method, row.path)));
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn the_sandbox_knows_what_the_map_says_and_nothing_that_it_calls_absent() {
    let stage = furnished();
    let rows = rows();
    assert!(rows.len() > 80, "{} rows were read", rows.len());
    let wrong = rows.iter().filter(|row| is_known(&stage, &row.method, &row.path) == row.claim.starts_with("absent"));
    let wrong: Vec<String> = wrong.map(|row| format!("{} {} is not {}", row.method, row.path, row.claim)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_operation_that_microsoft_describes_and_the_sandbox_answers_is_on_the_map() {
    let stage = furnished();
    let form = |path: &str| -> String {
        let parts = path.trim_start_matches('/').split('/');
        let parts = parts.map(|part| if part.starts_with('{') { "{}".to_owned() } else { part.to_ascii_lowercase() });
        parts.collect::<Vec<String>>().join("/")
    };
    let rows: Vec<(String, String)> = rows().into_iter().map(|row| (row.method, form(&row.path))).collect();
    // What is below any scope is below a resource of a resource as well, which no path of the world fits.
    let listed = |method: &String, path: &str| {
        let tail = path.rsplit_once("/providers/").map(|(_, tail)| format!("{{}}/providers/{}", form(tail)));
        rows.contains(&(method.clone(), form(path))) || tail.is_some_and(|tail| rows.contains(&(method.clone(), tail)))
    };
    let described = contracts::described().into_iter().filter(|(method, path)| {
        !path.contains("{parentResourcePath}") && !listed(method, path) && is_known(&stage, method, path)
    });
    let missing: Vec<String> = described.map(|(method, path)| format!("{method} {path}")).collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
