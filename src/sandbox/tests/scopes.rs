//! Encryption scopes, and the settings of an account's services.

use super::*;

fn scope(name: &str) -> String {
    format!("{}/encryptionScopes/{name}", account("st1"))
}

fn keyed(uri: &str) -> Value {
    json!({"properties": {"source": "Microsoft.KeyVault", "keyVaultProperties": {"keyUri": uri}}})
}

fn key_uri(key: &str) -> String {
    format!("https://kv1.{VAULT_SUFFIX}/keys/{key}")
}

#[test]
fn a_scope_is_made_once_and_then_changed() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_account("st1");
    let body = json!({"properties": {"source": "Microsoft.Storage", "requireInfrastructureEncryption": true}});
    let made = stage.arm("PUT", &scope("one"), &body);
    assert_eq!((made.status, &made.body["properties"]["keyVaultProperties"]), (201, &json!({})));
    let again = stage.arm("PUT", &scope("one"), &body);
    assert_eq!(again.status, 200);
    let disabled = stage.arm("PATCH", &scope("one"), &json!({"properties": {"state": "disabled"}})).ok();
    assert_eq!(
        (&disabled["properties"]["state"], disabled["properties"].get("keyVaultProperties")),
        (&json!("Disabled"), None)
    );
    assert_eq!(stage.get(&scope("one")).ok(), disabled);
    let other = json!({"properties": {"requireInfrastructureEncryption": false}});
    stage.arm("PATCH", &scope("one"), &other).is(400, "PropertyIsReadOnly");
    stage.arm("DELETE", &scope("one"), &Value::Null).is(405, "UnsupportedHttpMethod");
    stage.arm("PATCH", &scope("two"), &json!({})).is(404, "EncryptionScopeNotFound");
    stage.get(&scope("two")).is(404, "EncryptionScopeNotFound");
}

#[test]
fn a_scope_uses_the_identity_of_its_account_and_takes_up_new_versions() {
    let mut stage = Stage::new(Pace::practice());
    stage.has_vault();
    stage.has_key("main");
    let principal = stage.has_account("st1");
    stage.arm("PUT", &scope("one"), &keyed(&key_uri("main"))).is(403, "KeyVaultAuthenticationFailure");
    stage.grants(&principal).ok();
    stage.wait(5_000);
    let made = stage.arm("PUT", &scope("one"), &keyed(&key_uri("main"))).ok()["properties"].clone();
    assert_eq!(made["source"], "Microsoft.Keyvault", "the spelling is Azure's own");
    assert_eq!(made["keyVaultProperties"]["keyUri"], json!(key_uri("main")));
    let newest = stage.vault("POST", "/keys/main/create", &json!({"kty": "RSA"})).ok()["key"]["kid"].clone();
    stage.wait(6_000);
    let after = stage.get(&scope("one")).ok()["properties"]["keyVaultProperties"].clone();
    assert_eq!(after["currentVersionedKeyIdentifier"], newest);
    let back = json!({"properties": {"source": "Microsoft.Storage"}});
    assert!(stage.arm("PATCH", &scope("one"), &back).ok()["properties"].get("keyVaultProperties").is_none());
    stage.arm("PATCH", &scope("one"), &keyed("kv1/keys/main")).is(400, "InvalidValuesForRequestParameters");
}

#[test]
fn scopes_are_listed_in_pages_by_name_and_by_state() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_account("st1");
    for name in ["alpha", "beta1", "beta2", "beta3"] {
        stage.arm("PUT", &scope(name), &json!({"properties": {"source": "Microsoft.Storage"}})).ok();
    }
    stage.arm("PATCH", &scope("beta2"), &json!({"properties": {"state": "Disabled"}})).ok();
    let names = |body: &Value| -> Vec<String> {
        body["value"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    let mut list =
        |query: &str| stage.get(&format!("{}/encryptionScopes?api-version={ARM_VERSION}{query}", account("st1"))).ok();
    let first = list("&$maxpagesize=2");
    assert_eq!(names(&first), ["alpha", "beta1"]);
    assert!(first["nextLink"].as_str().unwrap().ends_with("&$maxpagesize=2&$skipToken=beta2"), "{first}");
    let second = list("&$maxpagesize=2&$skipToken=beta2");
    assert_eq!((names(&second), second.get("nextLink")), (vec!["beta2".to_owned(), "beta3".to_owned()], None));
    assert_eq!(names(&list("&$filter=startswith(name,%20beta)&$include=Enabled")), ["beta1", "beta3"]);
    assert_eq!(names(&list("&$include=Disabled")), ["beta2"]);
}

#[test]
fn a_scopes_name_is_short_and_plain_and_its_account_exists() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_account("st1");
    let body = json!({"properties": {"source": "Microsoft.Storage"}});
    for name in ["ab", "one--two", "-one"] {
        stage.arm("PUT", &scope(name), &body).is(400, "InvalidValuesForRequestParameters");
    }
    let elsewhere = scope("one").replace("st1", "st2");
    stage.arm("PUT", &elsewhere, &body).is(404, "ParentResourceNotFound");
    stage.get(&elsewhere).is(404, "ResourceNotFound");
}

#[test]
fn the_services_of_an_account_keep_what_they_are_told() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_account("st1");
    let service = |kind: &str| format!("{}/{kind}/default", account("st1"));
    let fresh = stage.get(&service("blobServices")).ok();
    assert_eq!(fresh["properties"]["deleteRetentionPolicy"]["enabled"], false);
    assert_eq!(stage.get(&service("fileServices")).ok()["properties"]["shareDeleteRetentionPolicy"]["days"], 7);
    let keep = json!({"properties": {"deleteRetentionPolicy": {"enabled": true, "days": 14}}});
    let set = stage.arm("PUT", &service("blobServices"), &keep).ok();
    assert_eq!(set["properties"]["deleteRetentionPolicy"]["days"], 14);
    assert_eq!(stage.get(&service("blobServices")).ok(), set);
    let list = stage.get(&format!("{}/blobServices", account("st1"))).ok();
    assert_eq!(list["value"], json!([set]));
    stage.get(&format!("{}/queueServices/default", account("st1"))).is(404, "InvalidResourceType");
}
