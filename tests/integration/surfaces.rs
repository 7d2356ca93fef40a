//! The surfaces of a plan, from outside: files, requests, and specs that mean harm.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn quickstart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/quickstart.yaml")
}

fn cmk(folder: &Path, words: &[&str], spec: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmk"));
    command.env_clear().current_dir(folder).stdin(Stdio::null());
    command.args(words).arg("--sandbox").arg(spec).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn conforms(document: &Value) -> bool {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/plan.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(schema).expect("it is committed")).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema").is_valid(document)
}

#[test]
fn one_look_is_written_in_several_forms() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = "--out=human=plan.txt,json=plan.json,markdown=plan.md";
    let result = cmk(folder.path(), &["plan", "--format", "markdown", out], &quickstart());
    assert_eq!(result.status.code(), Some(0), "{}", text(&result.stderr));
    let read = |name| fs::read_to_string(folder.path().join(name)).expect("it was written");
    assert_eq!(text(&result.stdout), read("plan.md"));
    let document: Value = serde_json::from_str(&read("plan.json")).expect("JSON");
    assert!(conforms(&document), "{document:#}");
    let digest = document["digest"].as_str().expect("a digest");
    assert!(read("plan.md").contains(digest) && read("plan.txt").contains(digest));
    assert_eq!(document["stats"]["requests"]["login"]["POST"], 1, "there was one look");
    assert!(document["steps"][0].get("requests").is_none());
}

#[test]
fn a_file_that_cannot_be_written_is_told_before_anything_is_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let result = cmk(folder.path(), &["plan", "--out=json=no/such/folder.json"], &quickstart());
    assert_eq!(result.status.code(), Some(1));
    assert!(text(&result.stderr).contains("cannot be written"), "{}", text(&result.stderr));
    assert!(!folder.path().join(".cmk-sandbox.json").exists(), "a world was made, so something was asked");
}

#[test]
fn the_requests_that_are_shown_are_the_writes_that_are_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let shown = cmk(folder.path(), &["plan", "--format=json", "--show-requests"], &quickstart());
    let document: Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    assert!(conforms(&document));
    let requests: Vec<&Value> =
        document["steps"].as_array().expect("steps").iter().map(|step| &step["requests"][0]).collect();
    let methods: Vec<&str> = requests.iter().map(|request| request["method"].as_str().expect("a method")).collect();
    assert_eq!(methods, ["PUT", "PUT", "PUT", "PUT", "PUT", "PATCH"]);
    let entry = &requests[4]["body"]["properties"]["accessPolicies"][0];
    assert_eq!(entry["objectId"], "{principal id of account stquickstart}");
    assert_eq!(entry["tenantId"], document["tenant"], "what is known is not named but shown");
    assert!(requests.iter().all(|request| !request.to_string().to_lowercase().contains("bearer")));
}

#[test]
fn applied_documents_keep_to_the_schema() {
    let folder = tempfile::tempdir().expect("a folder");
    let result = cmk(folder.path(), &["apply", "--yes", "--format=json"], &quickstart());
    let document: Value = serde_json::from_slice(&result.stdout).expect("JSON");
    assert_eq!(document["summary"]["verdict"], "done");
    assert!(conforms(&document), "{document:#}");
}

#[test]
fn no_word_of_a_spec_is_a_command_to_a_ci_system() {
    let folder = tempfile::tempdir().expect("a folder");
    let spec = folder.path().join("evil.yaml");
    let evil = "version: 1\n\"##vso[task.setvariable variable=x]y\": ##[error]z\naccounts:\n  ::error::: {}\n";
    fs::write(&spec, evil).expect("it is written");
    for command in ["validate", "plan"] {
        let mut told = Command::new(env!("CARGO_BIN_EXE_cmk"));
        let told = told.env_clear().current_dir(folder.path()).arg(command).arg(&spec).output().expect("it starts");
        for line in (text(&told.stdout) + &text(&told.stderr)).lines() {
            let is_command = line.trim_start().starts_with("::") || line.contains("##vso[") || line.contains("##[");
            assert!(!is_command, "{command}: {line:?}");
        }
    }
}
