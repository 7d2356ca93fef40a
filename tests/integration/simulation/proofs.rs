//! `cmk prove`: on the project's own examples, each exchange held against Azure's contracts, and the program itself.

use crate::contracts;
use crate::practice::desired;
use crate::program::cmk;
use cmk::prove::{Extent, as_text, prove_watched};
use cmk::sandbox::Watch;
use std::path::{Path, PathBuf};
use std::process::Output;

pub(super) fn prove(spec: &Path, arguments: &[&str]) -> Output {
    cmk().arg("prove").arg(spec).args(arguments).output().expect("the program starts")
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("specs").join(name)
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn every_example_is_proved() {
    // In an ordinary test run the shortest alone: each of the others takes its ten seconds unoptimised.
    let all = super::thorough();
    for entry in std::fs::read_dir(example("")).expect("the examples are there") {
        let path = entry.expect("a readable entry").path();
        if !(all || path.ends_with("guide-start.yaml")) {
            continue;
        }
        let spec = std::fs::read_to_string(&path).expect("the example is there");
        let extent = Extent { seeds: 10, is_exhaustive: true };
        let verdict = prove_watched(&desired(&spec), extent, None, &Watch::new(contracts::hold)).expect("a simulator");
        let text = as_text(&path.display().to_string(), &verdict);
        assert!(text.ends_with("Proved: from every start, whatever went wrong, the next run converges\n"), "{text}");
    }
}

#[test]
fn a_verdict_in_json_says_what_was_checked_and_how_often() {
    let output = prove(&example("guide-start.yaml"), &["--format", "json", "--seeds", "1"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let verdict: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(verdict["proved"], true);
    assert_eq!(verdict["guard"], serde_json::Value::Null, "nobody gave one");
    assert_eq!(verdict["failures"], serde_json::json!([]));
    assert!(verdict["checked"]["S2"].as_u64().is_some_and(|times| times > 100), "{verdict:#}");
    assert_eq!(verdict["starts"][0]["converges"], true);
    // Every invariant that is promised was either checked or is said not to have been.
    let told = |list: &serde_json::Value| -> Vec<String> {
        let names =
            list.as_array().expect("a list").iter().map(|one| one["invariant"].as_str().expect("a name").to_owned());
        names.collect()
    };
    let mut all: Vec<String> = verdict["checked"].as_object().expect("counts").keys().cloned().collect();
    let not = told(&verdict["notChecked"]);
    assert!(not.contains(&"L5".to_owned()) && !not.contains(&"S2".to_owned()), "{not:?}");
    all.extend(not);
    all.sort();
    let promised = (1..=16).map(|n| format!("S{n}")).chain((1..=9).map(|n| format!("L{n}")));
    let mut promised: Vec<String> = promised.collect();
    promised.sort();
    assert_eq!(all, promised);
}

#[test]
fn a_spec_that_cannot_converge_is_not_proved_and_the_log_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let spec = folder.path().join("regions.yaml");
    // The vault is there, in its region; the account can only be made in another.
    let wrong = "
version: 1
defaults: { subscription: 11111111-1111-1111-1111-111111111111, resourceGroup: rg, location: westeurope }
vaults: { kv1: { location: northeurope, keys: { main: {} } } }
accounts: { st1: { create: {}, identity: systemAssigned, encryption: { key: kv1/main } } }
";
    std::fs::write(&spec, wrong).expect("the spec can be written");
    let output = prove(&spec, &["--seeds", "0"]);
    let told = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("CMK037") || told.contains("CMK204"), "{told}");
}

#[test]
fn a_spec_of_a_subscription_of_ones_own_is_proved() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = std::fs::read_to_string(example("guide-start.yaml")).expect("an example");
    let own = text.replace("11111111-1111-1111-1111-111111111111", "3F1E7A52-9f0b-4c7d-8a11-0123456789ab");
    assert_ne!(text, own);
    let spec = folder.path().join("own.yaml");
    std::fs::write(&spec, own).expect("the spec can be written");
    let output = prove(&spec, &["--seeds", "2"]);
    assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
}

fn text_of(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}
