//! That the contracts are held against what is said at all: `tests/contracts` finds what is wrong on purpose.

use crate::contracts::{Exchange, problems, problems_of_record, segments, shared};
use crate::practice::{Practice, example};
use crate::program::cmk;
use cmk::sandbox::{Fault, Mishap};
use futures::FutureExt as _;
use serde_json::Value;
use std::panic::AssertUnwindSafe;
use std::path::Path;

#[test]
fn a_misspelt_field_and_an_unknown_operation_are_noticed() {
    if shared().is_none() {
        return;
    }
    let path = segments("/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/st1");
    let exchange = |method: &str, path: &[String], sent: Value| Exchange {
        method: method.to_owned(),
        host: "arm.sandbox.test".to_owned(),
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

#[tokio::test(start_paused = true)]
async fn a_test_in_this_process_fails_by_a_misspelt_answer() {
    if shared().is_none() {
        return;
    }
    let practice = Practice::new();
    let body = Some(serde_json::json!({"kynd": "StorageV2"}));
    let misspelt = Mishap::Answer { status: 200, headers: vec![], body };
    practice.sandbox.inject(Fault::once("GET", "storageAccounts/", misspelt));
    let failed = AssertUnwindSafe(practice.apply(&example("quickstart.yaml"))).catch_unwind().await.err().unwrap();
    let said = failed.downcast_ref::<String>().unwrap();
    assert!(said.contains("kynd: undeclared"), "{said}");
}

#[test]
fn what_the_program_says_to_its_sandbox_is_recorded_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/quickstart.yaml");
    let state = format!("--sandbox={}", folder.path().join("state.json").display());
    let mut apply = cmk();
    let output = apply.args(["apply", "--yes", &state]).arg(spec).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let record = std::fs::read_to_string(apply.record()).unwrap();
    assert!(record.lines().count() > 20, "{record}");
    // A half line is what a killed program leaves.
    let cut = &record[..record.len() - 10];
    assert!(problems_of_record(cut).is_empty());
    let misspelt = record.replace("\"keySource\"", "\"keySauce\"");
    let found = problems_of_record(&misspelt);
    let said = |side: &str| found.iter().any(|line| line.contains(&format!("{side}.properties.encryption.keySauce")));
    assert!(shared().is_none() || (said("req") && said("rsp")), "{found:#?}");
}
