//! Worlds that an earlier `cmk` has written down.

use std::sync::Arc;

use super::*;
use crate::sandbox::Sandbox;
use crate::sandbox::world::State;

const VERSION_1: &str = include_str!("files/version-1.json");

#[test]
fn a_world_of_version_1_loads_and_works() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sandbox.json");
    std::fs::write(&path, VERSION_1).unwrap();
    // The world was written on 2026-11-24.
    let now = Millis(1_795_600_000_000);
    let sandbox = Sandbox::open(&path, Arc::new(move || now), None).unwrap();
    let truth = sandbox.world(|world| world.truth(now, "stquickstart"));
    assert!(truth.readable, "{}", truth.why);
    let send = |method: &str, path: &str, version: &str, body: &Value| {
        let token = token(&owner(), ARM_HOST, now, now.plus(60_000));
        let url = format!("https://{ARM_HOST}{path}?api-version={version}");
        heard(sandbox.exchange(&request(method, &url, Some(&token), body)).unwrap())
    };
    let quickstart = group("rg-quickstart");
    let st = format!("{quickstart}/providers/Microsoft.Storage/storageAccounts/stquickstart");
    let account = send("GET", &st, ARM_VERSION, &Value::Null).ok();
    let principal = account["identity"]["principalId"].clone();
    let vault = format!("{quickstart}/providers/Microsoft.KeyVault/vaults/kv-quickstart");
    let shown = send("GET", &vault, VAULT_VERSION, &Value::Null).ok();
    assert_eq!(shown["properties"]["vaultUri"], "https://kv-quickstart.vault.sandbox.test/");
    // The account's identity is no newcomer: a role can be assigned without saying what it is.
    let role = "e147488a-f6f5-4113-8e2d-b22465e65bf6";
    let role = format!("/providers/Microsoft.Authorization/roleDefinitions/{role}");
    let body = json!({"properties": {"roleDefinitionId": role, "principalId": principal}});
    let assignment = format!("{vault}/providers/Microsoft.Authorization/roleAssignments/{}", SUBSCRIPTIONS[1]);
    assert_eq!(send("PUT", &assignment, "2022-04-01", &body).status, 201);
    drop(sandbox);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("\"version\":3"));
    Sandbox::open(&path, Arc::new(move || now), None).unwrap();
}

#[test]
fn an_empty_world_of_version_1_becomes_an_empty_world_of_today() {
    let mut old: Value = serde_json::from_str(VERSION_1).unwrap();
    let world = &mut old["world"];
    for empty in ["groups", "accounts", "vaults", "deleted_vaults", "identities"] {
        world["state"][empty] = json!({});
    }
    crate::sandbox::migrate::to_newest(1, world);
    let today = serde_json::to_value(World::new(Pace::practice())).unwrap();
    for part in ["state", "domain", "pace"] {
        assert_eq!(world[part], today[part], "{part}");
    }
}

/// Each version that was ever written, by a `cmk` of its time.
const ALL: [(u64, &str); 3] =
    [(1, VERSION_1), (2, include_str!("files/version-2.json")), (3, include_str!("files/version-3.json"))];

#[test]
fn worlds_of_all_versions_load_and_are_of_a_directory() {
    for (version, text) in ALL {
        assert!(text.contains(&format!("\"version\":{version},")), "{version}");
        let world = crate::sandbox::store::decode(std::path::Path::new("state.json"), text.as_bytes()).unwrap();
        let truth = world.truth(Millis(1_796_000_000_000), "stquickstart");
        assert!(truth.readable, "{version}: {}", truth.why);
        let (tenant, subscriptions) = (world.tenant(), world.subscriptions());
        if version < 3 {
            assert_eq!((tenant, subscriptions), (TENANT, SUBSCRIPTIONS.map(str::to_owned).to_vec()), "{version}");
        } else {
            assert_eq!((tenant, subscriptions.len()), ("c0ffee00-0000-4000-8000-00000000c0de", 3));
        }
        let State { vaults, accounts, .. } = &world.state;
        assert!(vaults.values().all(|vault| vault.tenant == tenant), "{version}");
        assert!(accounts.values().all(|account| account.tenant == tenant), "{version}");
    }
}
