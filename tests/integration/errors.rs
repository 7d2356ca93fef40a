//! Every error that Azure was recorded to answer to a call of ours is told with a way out of its own.

use crate::contracts::{shared, uncovered::fits};
use cmk::azure::{Kind, said};
use serde_json::Value;

/// The calls that `cmk` makes, as the list of recorded errors writes them.
const CALLS: &[(&str, &str)] = &[
    ("GET", "subscriptions/*/resourceGroups/*"),
    ("PUT", "subscriptions/*/resourceGroups/*"),
    ("GET", "subscriptions/*/resourceGroups/*/providers/Microsoft.KeyVault/vaults/*"),
    ("PUT", "subscriptions/*/resourceGroups/*/providers/Microsoft.KeyVault/vaults/*"),
    ("PATCH", "subscriptions/*/resourceGroups/*/providers/Microsoft.KeyVault/vaults/*"),
    ("GET", "subscriptions/*/providers/Microsoft.KeyVault/locations/*/deletedVaults/*"),
    ("GET", "subscriptions/*/resourceGroups/*/providers/Microsoft.Storage/storageAccounts/*"),
    ("PUT", "subscriptions/*/resourceGroups/*/providers/Microsoft.Storage/storageAccounts/*"),
    ("PATCH", "subscriptions/*/resourceGroups/*/providers/Microsoft.Storage/storageAccounts/*"),
    ("GET", "subscriptions/*/providers/Microsoft.Storage/locations/*/asyncoperations/*"),
    ("GET", "KV/keys/*"),
];

/// What Azure says of properties that `cmk` never sends.
const NEVER_SENT: [&str; 3] = [
    "InvalidStorageAccountImmutabilityPolicy",
    "StorageAccountTypeConversionNotAllowed",
    "InvalidValuesForRequestParameters",
];

fn is_ours(method: &str, path: &str) -> bool {
    let path: Vec<String> = path.trim_matches('/').split('/').map(str::to_owned).collect();
    CALLS.iter().any(|(listed, template)| *listed == method && fits(template, &path))
}

#[test]
fn every_recorded_error_that_our_calls_can_meet_has_a_way_out_of_its_own() {
    let Some(root) = shared() else { return };
    let text = std::fs::read_to_string(root.join("ERRORS.jsonl")).expect("the recorded errors are there");
    let mut told = 0;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let error: Value = serde_json::from_str(line).expect("each line is JSON");
        let (method, path) = (error["method"].as_str().expect("a method"), error["path"].as_str().expect("a path"));
        let code = error["code"].as_str().unwrap_or_default();
        if !is_ours(method, path) || NEVER_SENT.contains(&code) {
            continue;
        }
        let status = u16::try_from(error["status"].as_u64().expect("a status")).expect("a status is small");
        let failure = said::read(status, error["body"].as_str().unwrap_or_default().as_bytes());
        let help = failure.help().unwrap_or_else(|| panic!("{method} {path}: {failure} has no way out"));
        // What passes by itself has one way out: waiting.
        let passes = matches!(failure.kind, Kind::Server | Kind::Throttled | Kind::Busy);
        let generic = ["ask for a role that allows this", "check the credential"];
        assert!(passes || !generic.iter().any(|words| help.starts_with(words)), "{method} {path}: {failure}: {help}");
        told += 1;
    }
    assert!(told >= 25, "only {told} of the recorded errors are ours");
}
