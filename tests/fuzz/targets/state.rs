//! Any bytes as the sandbox's state file; what is taken for a world then answers requests, now and much later.

#![no_main]

use cmk::sandbox::store::decode;
use cmk::sandbox::{ARM_HOST, LOGIN_HOST, Millis, SUBSCRIPTIONS, Sandbox, VAULT_SUFFIX};
use libfuzzer_sys::fuzz_target;
use std::path::Path;
use std::sync::Arc;

fuzz_target!(|text: &[u8]| {
    let world = match decode(Path::new("state.json"), text) {
        Ok(world) => world,
        Err(error) => {
            let _ = error.to_string();
            return;
        }
    };
    for now in [0, 1_767_225_600_000, i64::MAX / 2] {
        let sandbox = Sandbox::in_memory(world.clone(), Arc::new(move || Millis(now)));
        let token = token(&sandbox);
        for (method, url, body) in requests() {
            let request = http::Request::builder().method(method).uri(url);
            let request = request.header("authorization", format!("Bearer {token}")).body(body.into()).unwrap();
            let _ = sandbox.exchange(&request);
        }
        sandbox.world(|world| {
            let _ = world.truth(Millis(now), "stquickstart");
        });
    }
});

fn token(sandbox: &Sandbox) -> String {
    use cmk::sandbox::{CLIENT_ID, CLIENT_SECRET, TENANT};
    let body = format!(
        "client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}&grant_type=client_credentials&scope=https%3A%2F%2F{ARM_HOST}%2F.default"
    );
    let url = format!("https://{LOGIN_HOST}/{TENANT}/oauth2/v2.0/token");
    let request = http::Request::builder().method("POST").uri(url);
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(body.into_bytes()).unwrap();
    let Ok(response) = sandbox.exchange(&request) else { return String::new() };
    let answer: serde_json::Value = serde_json::from_slice(response.body()).unwrap_or_default();
    answer["access_token"].as_str().unwrap_or_default().to_owned()
}

fn requests() -> Vec<(&'static str, String, &'static str)> {
    let group = format!("https://{ARM_HOST}/subscriptions/{}/resourceGroups/rg-quickstart", SUBSCRIPTIONS[0]);
    let vault = format!("{group}/providers/Microsoft.KeyVault/vaults/kv-quickstart");
    let account = format!("{group}/providers/Microsoft.Storage/storageAccounts/stquickstart");
    let entry = r#"{"properties":{"accessPolicies":[]}}"#;
    vec![
        ("GET", format!("{group}?api-version=2022-09-01"), ""),
        ("GET", format!("{vault}?api-version=2026-02-01"), ""),
        ("GET", format!("{vault}/keys/storage?api-version=2026-02-01"), ""),
        ("GET", format!("{vault}/keys/storage/versions?api-version=2026-02-01"), ""),
        ("GET", format!("{account}?api-version=2025-06-01"), ""),
        ("PUT", format!("{vault}/accessPolicies/add?api-version=2026-02-01"), entry),
        ("PATCH", format!("{account}?api-version=2025-06-01"), r#"{"identity":{"type":"SystemAssigned"}}"#),
        ("GET", format!("https://kv-quickstart.{VAULT_SUFFIX}/keys/storage?api-version=7.5"), ""),
    ]
}
