//! Keys through both doors.

use super::*;

fn arm_key(name: &str) -> String {
    format!("{}/keys/{name}", vault("kv1"))
}

fn newest(body: &Value) -> String {
    body["properties"]["keyUriWithVersion"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

#[test]
fn resource_manager_creates_a_key_once_and_then_only_shows_it() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    let made = stage.arm("PUT", &arm_key("main"), &key_body()).ok();
    assert_eq!(made["properties"]["keySize"], 2048);
    assert_eq!(made["properties"]["keyUri"], "https://kv1.vault.sandbox.test/keys/main");
    let effects = stage.world.counts().effects;
    let mut other = key_body();
    other["properties"]["keySize"] = json!(4096);
    other["properties"]["attributes"]["enabled"] = json!(false);
    let again = stage.arm("PUT", &arm_key("main"), &other).ok();
    assert_eq!(again, made);
    assert_eq!(stage.world.counts().effects, effects);
}

#[test]
fn the_vault_adds_a_version_each_time_a_key_is_created() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    stage.has_key("main");
    let first = newest(&stage.get(&arm_key("main")).ok());
    stage.vault("POST", "/keys/main/create", &json!({"kty": "RSA", "key_size": 3072})).ok();
    let second = stage.get(&arm_key("main")).ok();
    assert_ne!(newest(&second), first);
    assert_eq!(second["properties"]["keySize"], 3072);
    let versions = stage.get(&format!("{}/versions", arm_key("main"))).ok();
    assert_eq!(versions["value"].as_array().unwrap().len(), 2);
    let old = stage.get(&format!("{}/versions/{first}", arm_key("main"))).ok();
    assert_eq!(old["properties"]["keySize"], 2048);
}

#[test]
fn lists_do_not_tell_the_kind_and_the_size_of_a_key() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    stage.has_key("main");
    for path in [format!("{}/keys", vault("kv1")), format!("{}/versions", arm_key("main"))] {
        let row = stage.get(&path).ok()["value"][0]["properties"].clone();
        assert_eq!((&row["kty"], &row["keySize"]), (&Value::Null, &Value::Null), "{path}");
        assert_eq!(row["attributes"]["enabled"], true);
    }
}

#[test]
fn versions_come_in_the_order_of_their_ids_in_pages_with_a_port_in_the_link() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    for _ in 0..5 {
        stage.wait(1_000);
        stage.vault("POST", "/keys/main/create", &json!({"kty": "RSA"})).ok();
    }
    let first = stage.vault("GET", "/keys/main/versions?maxresults=3", &Value::Null).ok();
    let link = first["nextLink"].as_str().unwrap().to_owned();
    assert!(link.starts_with("https://kv1.vault.sandbox.test:443/keys/main/versions?"), "{link}");
    let second = stage.at("GET", VAULT_SUFFIX, &link, &Value::Null).ok();
    assert_eq!(second["nextLink"], Value::Null);
    let rows = [&first, &second].into_iter().flat_map(|page| page["value"].as_array().unwrap());
    let ids: Vec<&str> = rows.map(|row| row["kid"].as_str().unwrap()).collect();
    assert!(ids.len() == 5 && ids.is_sorted(), "{ids:?}");
    let created = |row: &Value| row["attributes"]["created"].as_i64().unwrap();
    let times: Vec<i64> =
        [&first, &second].into_iter().flat_map(|page| page["value"].as_array().unwrap()).map(created).collect();
    assert!(!times.is_sorted(), "the order of ids is not the order of time");
}

#[test]
fn a_caller_needs_a_policy_that_has_arrived() {
    let mut stage = Stage::new(Pace::practice());
    stage.arm("PUT", &vault("kv1"), &vault_body(&json!([entry(CALLER_OBJECT_ID, &["get"])]))).ok();
    stage.has_key("main");
    stage.wait(1_000);
    let early = stage.vault("GET", "/keys/main", &Value::Null);
    early.is(403, "Forbidden");
    assert_eq!(early.body["error"]["innererror"]["code"], "AccessDenied");
    stage.wait(1_500);
    let bundle = stage.vault("GET", "/keys/main", &Value::Null).ok();
    let modulus = azure_core::base64::decode_url_safe(bundle["key"]["n"].as_str().unwrap()).unwrap();
    assert_eq!(modulus.len(), 256);
    assert!(modulus[0] & 0x80 != 0 && modulus[255] & 1 != 0, "it looks like a modulus of 2048 bits");
    let refused = stage.vault("POST", "/keys/main/create", &json!({"kty": "RSA"}));
    refused.is(403, "Forbidden");
    assert!(refused.message().contains("does not have keys create permission on key vault 'kv1;location=westeurope'"));
}

#[test]
fn all_does_not_include_purge() {
    let mut stage = Stage::new(Pace::instant());
    stage.arm("PUT", &vault("kv1"), &vault_body(&json!([entry(CALLER_OBJECT_ID, &["all"])]))).ok();
    stage.has_key("main");
    stage.vault("DELETE", "/keys/main", &Value::Null).ok();
    stage.vault("DELETE", "/deletedkeys/main", &Value::Null).is(403, "Forbidden");
}

#[test]
fn a_disabled_key_is_still_shown() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    stage.has_key("main");
    stage.vault("PATCH", "/keys/main/", &json!({"attributes": {"enabled": false}})).ok();
    assert_eq!(stage.vault("GET", "/keys/main", &Value::Null).ok()["attributes"]["enabled"], false);
    assert_eq!(stage.get(&arm_key("main")).ok()["properties"]["attributes"]["enabled"], false);
}

#[test]
fn a_patch_of_one_version_leaves_the_others() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    stage.has_key("main");
    let first = newest(&stage.get(&arm_key("main")).ok());
    stage.vault("POST", "/keys/main/create", &json!({"kty": "RSA"})).ok();
    stage.vault("PATCH", &format!("/keys/main/{first}"), &json!({"attributes": {"enabled": false}})).ok();
    assert_eq!(stage.vault("GET", "/keys/main", &Value::Null).ok()["attributes"]["enabled"], true);
}

#[test]
fn a_deleted_key_takes_a_while_to_be_seen_and_a_recovered_one_as_well() {
    let mut stage = Stage::new(Pace::practice());
    stage.has_bound_account();
    stage.vault("DELETE", "/keys/main", &Value::Null).ok();
    assert!(!stage.readable());
    stage.vault("GET", "/keys/main", &Value::Null).is(404, "KeyNotFound");
    stage.vault("GET", "/deletedkeys/main", &Value::Null).is(404, "KeyNotFound");
    let busy = stage.vault("POST", "/keys/main/create", &json!({"kty": "RSA"}));
    assert_eq!(busy.body["error"]["innererror"]["code"], "ObjectIsBeingDeleted");
    stage.wait(1_000);
    stage.vault("GET", "/deletedkeys/main", &Value::Null).ok();
    stage.vault("POST", "/keys/main/create", &json!({"kty": "RSA"})).is(409, "Conflict");
    stage.arm("PUT", &arm_key("main"), &key_body()).is(409, "Conflict");
    stage.vault("DELETE", "/deletedkeys/main", &Value::Null).is(403, "Forbidden");
    stage.vault("POST", "/deletedkeys/main/recover", &Value::Null).ok();
    stage.vault("GET", "/keys/main", &Value::Null).is(404, "KeyNotFound");
    stage.wait(1_000);
    stage.vault("GET", "/keys/main", &Value::Null).ok();
    assert!(stage.readable());
    stage.vault("POST", "/deletedkeys/main/recover", &Value::Null).is(400, "MethodNotAllowed");
}

#[test]
fn what_deleted_keys_are_promised_depends_on_the_vault() {
    let mut stage = Stage::new(Pace::instant());
    let all = json!([entry(CALLER_OBJECT_ID, &["all"])]);
    let mut body = vault_body(&all);
    leave_out(&mut body, "/properties", "enablePurgeProtection");
    body["properties"]["softDeleteRetentionInDays"] = json!(7);
    stage.arm("PUT", &vault("kv1"), &body).ok();
    stage.has_key("main");
    let attributes = stage.vault("GET", "/keys/main", &Value::Null).ok()["attributes"].clone();
    assert_eq!(
        (&attributes["recoveryLevel"], &attributes["recoverableDays"]),
        (&json!("CustomizedRecoverable+Purgeable"), &json!(7))
    );
    stage.arm("PATCH", &vault("kv1"), &json!({"properties": {"enablePurgeProtection": true}})).ok();
    let attributes = stage.vault("GET", "/keys/main", &Value::Null).ok()["attributes"].clone();
    assert_eq!(attributes["recoveryLevel"], "CustomizedRecoverable");
}

#[test]
fn keys_of_odd_sizes_and_hsm_keys_in_a_standard_vault_are_refused() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    let mut body = key_body();
    body["properties"]["keySize"] = json!(1024);
    stage.arm("PUT", &arm_key("main"), &body).is(400, "BadParameter");
    stage.vault("POST", "/keys/main/create", &json!({"kty": "RSA-HSM"})).is(400, "BadParameter");
    stage.arm("PUT", &arm_key("under_score"), &key_body()).is(400, "BadParameter");
}

#[test]
fn keys_of_an_absent_vault_have_no_parent() {
    let mut stage = Stage::new(Pace::instant());
    stage.arm("PUT", &arm_key("main"), &key_body()).is(404, "ParentResourceNotFound");
}
