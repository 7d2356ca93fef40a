//! What has to exist before each recording can be replayed.

use serde_json::{Value, json};

use super::Recording;
use super::stage::Stage;

/// Sets the scene for a recording; false if nobody knows how.
pub(super) fn set(name: &str, stage: &mut Stage, recording: &mut Recording) -> bool {
    let area = name.split('_').next().unwrap_or_default();
    match area {
        "rg" | "uami" => group_or_identity(name, stage, recording),
        "storage" => account(name, stage, recording),
        "scope" => scope(name, stage, recording),
        "role" => role(name, stage, recording),
        "key" | "deletedkey" => key(name, stage, recording),
        "vault" | "deletedvault" | "accesspolicies" | "arm" => vault(name, stage, recording),
        _ => false,
    }
}

fn group_or_identity(name: &str, stage: &mut Stage, recording: &Recording) -> bool {
    match name {
        "rg_get_404" | "rg_put_201" => {}
        "rg_delete_202" | "uami_put_201" => stage.has_group(&recording.path, "westus2"),
        "uami_put_200" => {
            stage.has_group(&recording.path, "westus2");
            stage.arm("PUT", &recording.path, "2023-01-31", recording.body.clone());
        }
        _ => return false,
    }
    true
}

/// The vaults, keys, identities and names of the recordings about accounts.
const CLI_VAULT: &str = "clitest000003";
const IDENTITY_VAULT: &str = "clitest000002";

fn sibling(recording: &Recording, kind: &str, name: &str) -> String {
    format!("{}/providers/{kind}/{name}", recording.parent(4))
}

fn account(name: &str, stage: &mut Stage, recording: &mut Recording) -> bool {
    match name {
        "storage_get_404_rg" => {}
        "storage_put_2025_06_01"
        | "storage_put_202_identity_none"
        | "storage_put_202_sysassigned"
        | "storage_put_infra_encryption"
        | "storage_put_keytype_account"
        | "storage_put_400_uami_missing" => stage.has_group(&recording.path, "eastus2"),
        "storage_async_200" | "storage_async_202" => being_made(stage, recording, name.ends_with("200")),
        "storage_checkname_taken" | "storage_get_2025_06_01" | "storage_list_by_rg" => listed(stage, recording),
        "storage_listkeys_409_notprovisioned" => {
            stage.has_group(&recording.path, "eastus2");
            let body = json!({"location": "eastus2", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}});
            stage.arm("PUT", &recording.parent(8), "2024-01-01", body);
        }
        "storage_put_cmk_uami_at_create" | "storage_async_200_cmk_uami" => with_identity(name, stage, recording),
        name if name.starts_with("storage_patch_cmk_switch") => patched_identity(name, stage, recording),
        "storage_patch_identity" | "storage_patch_revert_mmk" => bound(name, stage, recording),
        name if name.starts_with("storage_patch_cmk") => bound(name, stage, recording),
        "storage_patch_add_sysassigned"
        | "storage_patch_identity_none_keeps_cmk"
        | "storage_patch_replace_uami_null" => patched_identity(name, stage, recording),
        _ => return false,
    }
    true
}

/// An account as a recorded answer shows it, or one with the recorded name.
fn listed(stage: &mut Stage, recording: &Recording) {
    let row = if recording.answer["value"].is_array() { &recording.answer["value"][0] } else { &recording.answer };
    let named =
        format!("{}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/cli000002", recording.parent(2));
    let path = row["id"].as_str().unwrap_or(&named).to_owned();
    let location = row["location"].as_str().unwrap_or("eastus2").to_owned();
    stage.has_group(&path, &location);
    let body = json!({"location": location, "kind": "StorageV2", "sku": {"name": "Standard_LRS"}});
    stage.arm("PUT", &path, &recording.api_version(), body);
    stage.wait();
}

fn being_made(stage: &mut Stage, recording: &mut Recording, done: bool) {
    let path = format!(
        "{}/resourceGroups/clitest.rg000001/providers/Microsoft.Storage/storageAccounts/cli000002",
        recording.parent(2)
    );
    stage.has_group(&path, "southcentralus");
    let body = json!({
        "location": "southcentralus", "kind": "StorageV2", "sku": {"name": "Standard_LRS"},
        "identity": {"type": "SystemAssigned"},
    });
    let (headers, _) = stage.arm("PUT", &path, &recording.api_version(), body);
    recording.follow(headers["location"].to_str().expect("an address"));
    if done {
        stage.wait();
    }
}

/// An account with a system-assigned identity, a vault that it may use, and the keys.
fn bound(name: &str, stage: &mut Stage, recording: &mut Recording) {
    let vault = sibling(recording, "Microsoft.KeyVault/vaults", CLI_VAULT);
    stage.has_vault(&vault, "southcentralus", 7, true);
    let version = stage.has_key(&vault, "testkey");
    stage.has_key(&vault, "newkey");
    let mut body = json!({"location": "southcentralus", "kind": "Storage", "sku": {"name": "Standard_LRS"}});
    if name != "storage_patch_identity" {
        body["identity"] = json!({"type": "SystemAssigned"});
    }
    stage.arm("PUT", &recording.path, &recording.api_version(), body);
    stage.wait();
    recording.swap("1b7df75594a14a3c8877ee6cb7dca164", &version);
    if name == "storage_patch_identity" {
        return;
    }
    let (_, shown) = stage.arm("GET", &recording.path, &recording.api_version(), Value::Null);
    stage.grants(&vault, &shown["identity"]["principalId"]);
    if name != "storage_patch_cmk_versionless" {
        let key = json!({"keyname": "testkey", "keyvaulturi": format!("https://{CLI_VAULT}.{}/", cmk::sandbox::VAULT_SUFFIX)});
        let body =
            json!({"properties": {"encryption": {"keySource": "Microsoft.Keyvault", "keyvaultproperties": key}}});
        stage.arm("PATCH", &recording.path, &recording.api_version(), body);
    }
}

/// A vault and two user-assigned identities that may use it.
fn identities(stage: &mut Stage, group: &str) -> [String; 2] {
    let vault = format!("{group}/providers/Microsoft.KeyVault/vaults/{IDENTITY_VAULT}");
    stage.has_vault(&vault, "eastus2euap", 7, true);
    stage.has_key(&vault, "testkey");
    ["id000006", "newid000007"].map(|name| {
        let id = format!("{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}");
        let (_, made) = stage.arm("PUT", &id, "2023-01-31", json!({"location": "eastus2euap"}));
        stage.grants(&vault, &made["properties"]["principalId"]);
        made["id"].as_str().unwrap_or_default().to_owned()
    })
}

/// What `az` sends to create an account that is encrypted with a customer's key from the start.
fn created_bound(identity: &str, kind: &str) -> Value {
    let vault = format!("https://{IDENTITY_VAULT}.{}/", cmk::sandbox::VAULT_SUFFIX);
    json!({
        "sku": {"name": "Standard_RAGRS"}, "kind": "StorageV2", "location": "eastus2euap",
        "identity": {"type": kind, "userAssignedIdentities": {identity: {}}},
        "properties": {"encryption": {
            "services": {"blob": {}}, "keySource": "Microsoft.Keyvault",
            "keyvaultproperties": {"keyname": "testkey", "keyvaulturi": vault},
            "identity": {"userAssignedIdentity": identity},
        }},
    })
}

fn with_identity(name: &str, stage: &mut Stage, recording: &mut Recording) {
    let group = format!("{}/resourceGroups/clitest.rg000001", recording.parent(2));
    let [identity, _] = identities(stage, &group);
    if name == "storage_async_200_cmk_uami" {
        let path = format!("{group}/providers/Microsoft.Storage/storageAccounts/sa1000003");
        let body = created_bound(&identity, "UserAssigned");
        let (headers, _) = stage.arm("PUT", &path, &recording.api_version(), body);
        stage.wait();
        recording.follow(headers["location"].to_str().expect("an address"));
    }
}

fn patched_identity(name: &str, stage: &mut Stage, recording: &Recording) {
    let [identity, _] = identities(stage, &recording.parent(4));
    let alone = ["storage_patch_add_sysassigned", "storage_patch_identity_none_keeps_cmk"].contains(&name);
    let kind = if alone { "UserAssigned" } else { "SystemAssigned,UserAssigned" };
    stage.arm("PUT", &recording.path, &recording.api_version(), created_bound(&identity, kind));
    stage.wait();
    let (_, shown) = stage.arm("GET", &recording.path, &recording.api_version(), Value::Null);
    if !alone {
        let vault = sibling(recording, "Microsoft.KeyVault/vaults", IDENTITY_VAULT);
        stage.grants(&vault, &shown["identity"]["principalId"]);
    }
}

fn scope(name: &str, stage: &mut Stage, recording: &mut Recording) -> bool {
    stage.has_group(&recording.path, "eastus2");
    let account = recording.parent(8);
    let mut body = json!({"location": "eastus2", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}});
    body["identity"] = json!({"type": "SystemAssigned"});
    stage.arm("PUT", &account, "2023-05-01", body);
    stage.wait();
    let made = match name {
        "scope_put_201" => vec![],
        "scope_patch_disable" => vec!["testencryption2"],
        "scope_patch_kv" => vec!["encryption000003"],
        "scope_list_page1_nextLink" | "scope_list_page2" => vec!["myencryption", "testencryption1", "testencryption2"],
        _ => return false,
    };
    for scope in made {
        let body = json!({"properties": {"source": "Microsoft.Storage", "requireInfrastructureEncryption": true}});
        stage.arm("PUT", &format!("{account}/encryptionScopes/{scope}"), "2023-05-01", body);
    }
    if name == "scope_list_page2" {
        let body = json!({"properties": {"state": "Disabled"}});
        stage.arm("PATCH", &format!("{account}/encryptionScopes/testencryption2"), "2023-05-01", body);
    }
    if name == "scope_patch_kv" {
        let vault = sibling(recording, "Microsoft.KeyVault/vaults", "envault000004");
        stage.has_vault(&vault, "eastus2", 7, true);
        let version = stage.has_key(&vault, "enkey000005");
        recording.swap("9c468dc842a449d78dc775dcaf3e0d68", &version);
        let (_, shown) = stage.arm("GET", &account, "2023-05-01", Value::Null);
        stage.grants(&vault, &shown["identity"]["principalId"]);
    }
    true
}

/// A new identity stands for the recorded principal.
fn role(name: &str, stage: &mut Stage, recording: &mut Recording) -> bool {
    let recorded = match name {
        "role_list_filter_principal" => "0207ee96-75b6-43d8-af87-f8718fde0acc",
        _ => "90cc53e8-4a6e-45b6-8339-516448218ee0",
    };
    let whole = if name == "role_list_filter_principal" { &recording.answer["value"][0] } else { &recording.answer };
    let path = whole["id"].as_str().unwrap_or(&recording.path).to_owned();
    let properties = whole["properties"].clone();
    stage.has_group(&path, "eastus2");
    let group: Vec<&str> = path.split('/').take(5).collect();
    let identity = format!("{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id1", group.join("/"));
    let (_, made) = stage.arm("PUT", &identity, "2023-01-31", json!({"location": "eastus2"}));
    let principal = made["properties"]["principalId"].as_str().unwrap_or_default().to_owned();
    recording.swap(recorded, &principal);
    let assigned = match name {
        "role_put_400_principalnotfound" | "role_get_404" => return true,
        "role_put_201" => false,
        "role_get_200" | "role_delete_200" | "role_list_filter_principal" => true,
        _ => return false,
    };
    stage.wait();
    if assigned {
        let wanted = json!({
            "roleDefinitionId": properties["roleDefinitionId"], "principalId": principal,
            "principalType": "ServicePrincipal",
        });
        stage.arm("PUT", &path, "2022-04-01", json!({"properties": wanted}));
    }
    true
}

/// The policy that was recorded.
fn policy() -> Value {
    json!({
        "lifetimeActions": [
            {"trigger": {"timeAfterCreate": "P15D"}, "action": {"type": "Rotate"}},
            {"trigger": {"timeBeforeExpiry": "P7D"}, "action": {"type": "Notify"}},
        ],
        "attributes": {"expiryTime": "P30D"},
    })
}

fn key(name: &str, stage: &mut Stage, recording: &Recording) -> bool {
    let host = recording.host.clone();
    stage.has_vault_at(&host);
    let path = recording.path.trim_end_matches('/').replace("/deletedkeys/", "/keys/");
    let key = path.split('/').take(3).collect::<Vec<_>>().join("/");
    let make = |stage: &mut Stage, key: &str, body: Value| stage.vault("POST", &host, &format!("{key}/create"), body);
    let plain = json!({"kty": "RSA"});
    let tagged = json!({"kty": "RSA", "key_ops": ["encrypt", "decrypt"], "tags": {"test": "foo"}});
    let disabled = json!({"attributes": {"enabled": false}});
    match name {
        "key_create_200" | "key_create_401_challenge" => {}
        "key_list_nextlink" => {
            make(stage, "/keys/key1-000004", plain.clone());
            make(stage, "/keys/key2-000005", plain);
        }
        "key_rotationpolicy_get_default" | "key_rotationpolicy_put" => {
            make(stage, &key, plain);
        }
        "key_rotate" | "key_rotationpolicy_get" => {
            make(stage, &key, plain);
            stage.vault("PUT", &host, &format!("{key}/rotationpolicy"), policy());
        }
        "key_delete_200" => {
            make(stage, &key, tagged);
        }
        "key_get_disabled_200" | "key_patch" => {
            make(stage, &key, tagged);
            stage.vault("PATCH", &host, &key, disabled);
        }
        "key_versions" => {
            make(stage, &key, plain);
            make(stage, &key, tagged);
            stage.vault("PATCH", &host, &key, disabled);
        }
        "key_purge_204" | "key_recover_200" | "deletedkey_get_404" => {
            make(stage, &key, plain);
            stage.vault("DELETE", &host, &key, Value::Null);
            if name != "deletedkey_get_404" {
                stage.wait();
            }
        }
        _ => return false,
    }
    true
}

fn vault(name: &str, stage: &mut Stage, recording: &mut Recording) -> bool {
    let version = recording.api_version();
    match name {
        "deletedvault_get_404" => {}
        "vault_put_200_registeringdns" => stage.has_group(&recording.path, "westus2"),
        "arm_key_put" => stage.has_vault(&recording.parent(8), "westus2", 90, false),
        "vault_delete_200" => stage.has_vault(&recording.path, "eastus2", 7, false),
        "vault_get_200" | "vault_put_enable_purge_protection" => {
            stage.has_vault_like(&recording.answer, &version);
        }
        "vault_list_by_rg_nextlink" => {
            stage.has_vault_like(&recording.answer["value"][0], &version);
        }
        "vault_list_last_page_empty" => {
            stage.has_vault(&format!("{}/pykvf9870e4e", recording.path), "westus", 90, false);
        }
        "vault_put_recover" => {
            let path = stage.has_vault_like(&recording.answer, &version);
            stage.arm("DELETE", &path, &version, Value::Null);
        }
        "accesspolicies_add" => {
            let properties = json!({
                "tenantId": cmk::sandbox::TENANT, "sku": {"family": "A", "name": "standard"},
                "accessPolicies": recording.answer["properties"]["accessPolicies"],
            });
            let like = json!({"id": recording.parent(8), "location": "eastus2", "tags": {}, "properties": properties});
            stage.has_vault_like(&like, &version);
        }
        "deletedvault_get_200" => deleted(stage, &recording.answer["properties"]["vaultId"], &version),
        "vault_purge_202" | "vault_purge_poll_202" | "vault_purge_poll_200" => purged(name, stage, recording),
        _ => return false,
    }
    true
}

fn deleted(stage: &mut Stage, path: &Value, version: &str) {
    let path = path.as_str().expect("a vault has an id").to_owned();
    stage.has_vault(&path, "eastus2", 7, false);
    stage.arm("DELETE", &path, version, Value::Null);
}

fn purged(name: &str, stage: &mut Stage, recording: &mut Recording) {
    let version = recording.api_version();
    let subscription = recording.parent(2);
    let vault = format!("{subscription}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/cli-test-kv-sd-000002");
    deleted(stage, &json!(vault), &version);
    if name == "vault_purge_202" {
        return;
    }
    let there = "providers/Microsoft.KeyVault/locations/eastus2/deletedVaults/cli-test-kv-sd-000002";
    let (headers, _) = stage.arm("POST", &format!("{subscription}/{there}/purge"), &version, Value::Null);
    recording.follow(headers["location"].to_str().expect("an address"));
    if name == "vault_purge_poll_200" {
        stage.wait();
    }
}
