//! Encryption with a customer's key, and all that can stand in its way.

use super::*;

fn kv(stage: &mut Stage) -> Value {
    stage.get(&account("st1")).ok()["properties"]["encryption"]["keyvaultproperties"].clone()
}

#[test]
fn a_grant_has_to_arrive_before_the_account_can_be_bound() {
    let mut stage = Stage::new(Pace::practice());
    stage.has_vault();
    stage.has_key("main");
    let principal = stage.has_account("st1");
    stage.bind("main", None).is(403, "KeyVaultAuthenticationFailure");
    stage.grants(&principal).ok();
    stage.wait(2_499);
    stage.bind("main", None).is(403, "KeyVaultAuthenticationFailure");
    stage.wait(1);
    stage.bind("main", None).ok();
    assert!(stage.readable());
}

#[test]
fn a_bound_account_shows_the_version_it_found_and_an_end_in_1970() {
    let mut stage = Stage::new(Pace::practice());
    stage.has_bound_account();
    let shown = kv(&mut stage);
    let version = stage.get(&format!("{}/keys/main", vault("kv1"))).ok()["properties"]["keyUriWithVersion"].clone();
    assert_eq!(shown["currentVersionedKeyIdentifier"], version);
    assert_eq!(shown["currentVersionedKeyExpirationTimestamp"], "1970-01-01T00:00:00.0000000Z");
    assert_eq!(shown["lastKeyRotationTimestamp"], "2027-01-15T08:00:15.0000000Z");
    assert_eq!(shown["keyvaulturi"], "https://kv1.vault.sandbox.test/");
    assert!(shown.get("keyversion").is_none());
}

#[test]
fn the_key_version_is_echoed_as_it_was_sent() {
    let mut stage = Stage::new(Pace::practice());
    stage.has_bound_account();
    stage.bind("main", Some("")).ok();
    assert_eq!(kv(&mut stage)["keyversion"], "");
    let id = kv(&mut stage)["currentVersionedKeyIdentifier"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    stage.bind("main", Some(&id)).ok();
    assert_eq!(kv(&mut stage)["keyversion"], id);
    stage.bind("main", None).ok();
    assert!(kv(&mut stage).get("keyversion").is_none());
}

#[test]
fn the_rotation_time_moves_only_when_the_key_changes() {
    let mut stage = Stage::new(Pace::practice());
    stage.has_bound_account();
    let first = kv(&mut stage);
    stage.wait(10_000);
    stage.bind("main", None).ok();
    assert_eq!(kv(&mut stage), first, "the same again");
    let id = first["currentVersionedKeyIdentifier"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    stage.bind("main", Some(&id)).ok();
    let pinned = kv(&mut stage);
    assert_ne!(pinned["lastKeyRotationTimestamp"], first["lastKeyRotationTimestamp"], "the same version, now pinned");
}

#[test]
fn an_account_without_a_usable_identity_cannot_be_bound() {
    let mut stage = Stage::new(Pace::practice());
    stage.has_vault();
    stage.has_key("main");
    stage.has_account("st1");
    stage.arm("PATCH", &account("st1"), &json!({"identity": {"type": "None"}})).ok();
    let refused = stage.bind("main", None);
    assert_eq!(refused.status, 400);
    assert!(refused.message().starts_with("Missing pre-requisites"));
}

#[test]
fn an_account_cannot_be_born_bound_with_its_own_identity() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    stage.has_key("main");
    let mut body = account_body();
    body["properties"] = binding("main", None)["properties"].clone();
    let refused = stage.arm("PUT", &account("st1"), &body);
    assert_eq!(refused.status, 400);
    assert!(refused.message().starts_with("Missing pre-requisites"));
    stage.get(&account("st1")).is(404, "ResourceNotFound");
}

#[test]
fn an_account_can_be_born_bound_with_a_user_assigned_identity() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    stage.has_key("main");
    let made = stage.arm("PUT", &identity("id1"), &json!({"location": "westeurope"})).ok();
    stage.grants(made["properties"]["principalId"].as_str().unwrap()).ok();
    let mut body = account_body();
    body["identity"] = json!({"type": "UserAssigned", "userAssignedIdentities": {identity("id1"): {}}});
    body["properties"] = binding("main", None)["properties"].clone();
    body["properties"]["encryption"]["identity"] = json!({"userAssignedIdentity": identity("id1")});
    stage.arm("PUT", &account("st1"), &body).ok();
    assert_eq!(kv(&mut stage)["keyname"], "main");
    assert!(stage.readable());
}

#[test]
fn a_vault_without_purge_protection_is_refused() {
    let mut stage = Stage::new(Pace::instant());
    let mut body = vault_body(&json!([]));
    leave_out(&mut body, "/properties", "enablePurgeProtection");
    stage.arm("PUT", &vault("kv1"), &body).ok();
    stage.has_key("main");
    let principal = stage.has_account("st1");
    stage.grants(&principal).ok();
    let refused = stage.bind("main", None);
    refused.is(400, "KeyVaultPolicyError");
    assert_eq!(refused.message(), "Keyvault policy recoverable is not set");
}

#[test]
fn a_vault_or_a_key_that_is_not_there_is_refused() {
    let mut stage = Stage::new(Pace::instant());
    let principal = stage.has_account("st1");
    stage.bind("main", None).is(400, "KeyVaultNotFound");
    stage.has_vault();
    stage.grants(&principal).ok();
    stage.bind("main", None).is(400, "KeyVaultKeyNotFound");
    stage.has_key("main");
    stage.bind("main", Some("00000000000000000000000000000000")).is(400, "KeyVaultKeyNotFound");
    stage.bind("main", None).ok();
}

#[test]
fn names_in_camel_case_are_not_the_names_of_the_wire() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_bound_account();
    let key = json!({"keyVaultUri": "https://kv1.vault.sandbox.test/", "keyName": "main"});
    let body = json!({"properties": {"encryption": {"keySource": "Microsoft.Keyvault", "keyVaultProperties": key}}});
    stage.arm("PATCH", &account("st1"), &body).is(400, "MissingKeyvaultProperties");
}

#[test]
fn an_expired_key_and_a_disabled_key_fail_with_the_code_of_a_missing_grant() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_bound_account();
    stage.has_key("expired");
    let ended = json!({"attributes": {"exp": stage.now.seconds()}});
    stage.vault("PATCH", "/keys/expired", &ended).ok();
    stage.bind("expired", None).is(403, "KeyVaultAuthenticationFailure");
    stage.has_key("disabled");
    stage.vault("PATCH", "/keys/disabled", &json!({"attributes": {"enabled": false}})).ok();
    stage.bind("disabled", None).is(403, "KeyVaultAuthenticationFailure");
}

#[test]
fn a_key_that_is_no_rsa_key_is_refused() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_bound_account();
    stage.vault("POST", "/keys/curve/create", &json!({"kty": "EC", "crv": "P-256"})).ok();
    stage.bind("curve", None).is(400, "KeyVaultKeyNotSupported");
}

#[test]
fn moving_to_another_key_needs_the_old_key_as_well() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_bound_account();
    stage.has_key("next");
    stage.vault("PATCH", "/keys/main", &json!({"attributes": {"enabled": false}})).ok();
    stage.bind("next", None).is(403, "KeyVaultAuthenticationFailure");
    stage.vault("PATCH", "/keys/main", &json!({"attributes": {"enabled": true}})).ok();
    stage.bind("next", None).ok();
    stage.vault("PATCH", "/keys/main", &json!({"attributes": {"enabled": false}})).ok();
    assert!(stage.readable(), "the old key is free now");
}

#[test]
fn an_expired_old_key_does_not_hold_an_account_back() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_bound_account();
    stage.has_key("next");
    let ended = json!({"attributes": {"exp": stage.now.seconds() - 1}});
    stage.vault("PATCH", "/keys/main", &ended).ok();
    assert!(stage.readable(), "dates do not matter for unwrapping");
    stage.bind("next", None).ok();
}

#[test]
fn a_put_that_was_written_for_creation_takes_the_customers_key_away() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_bound_account();
    let mut body = account_body();
    body["properties"] = json!({"encryption": {"keySource": "Microsoft.Storage", "services": {"blob": {}}}});
    let after = stage.arm("PUT", &account("st1"), &body).ok();
    assert_eq!(after["properties"]["encryption"]["keySource"], "Microsoft.Storage");
    assert!(after["properties"]["encryption"].get("keyvaultproperties").is_none());
}

#[test]
fn a_put_that_does_not_speak_of_encryption_leaves_it_alone() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_bound_account();
    let after = stage.arm("PUT", &account("st1"), &account_body()).ok();
    assert_eq!(after["properties"]["encryption"]["keySource"], "Microsoft.Keyvault");
}

#[test]
fn azure_lets_the_identity_go_that_the_encryption_still_needs() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_bound_account();
    let mut body = binding("main", None);
    body["identity"] = json!({"type": "None"});
    let after = stage.arm("PATCH", &account("st1"), &body).ok();
    assert_eq!(after["properties"]["encryption"]["keySource"], "Microsoft.Keyvault");
    assert!(!stage.readable());
}

#[test]
fn infrastructure_encryption_is_said_at_creation_or_never() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_bound_account();
    let mut body = binding("main", None);
    body["properties"]["encryption"]["requireInfrastructureEncryption"] = json!(false);
    let refused = stage.arm("PATCH", &account("st1"), &body);
    assert_eq!(refused.status, 400);
    assert!(refused.message().contains("requireInfrastructureEncryption"));
}

#[test]
fn an_account_bound_without_a_version_takes_up_a_new_one_by_itself_after_a_while() {
    let mut stage = Stage::new(Pace::practice());
    stage.has_bound_account();
    let first = kv(&mut stage);
    stage.vault("POST", "/keys/main/create", &json!({"kty": "RSA"})).ok();
    assert_eq!(kv(&mut stage), first);
    stage.wait(5_000);
    let second = kv(&mut stage);
    assert_ne!(second["currentVersionedKeyIdentifier"], first["currentVersionedKeyIdentifier"]);
}

#[test]
fn an_account_bound_to_a_version_stays_with_it() {
    let mut stage = Stage::new(Pace::practice());
    stage.has_bound_account();
    let id = kv(&mut stage)["currentVersionedKeyIdentifier"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    stage.bind("main", Some(&id)).ok();
    let pinned = kv(&mut stage);
    stage.vault("POST", "/keys/main/create", &json!({"kty": "RSA"})).ok();
    stage.wait(1_000_000);
    assert_eq!(kv(&mut stage), pinned);
}

#[test]
fn going_back_to_a_key_of_microsofts_needs_the_customers_key_once_more() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_bound_account();
    stage.vault("PATCH", "/keys/main", &json!({"attributes": {"enabled": false}})).ok();
    let back = json!({"properties": {"encryption": {"keySource": "Microsoft.Storage"}}});
    stage.arm("PATCH", &account("st1"), &back).is(403, "KeyVaultAuthenticationFailure");
    stage.vault("PATCH", "/keys/main", &json!({"attributes": {"enabled": true}})).ok();
    let after = stage.arm("PATCH", &account("st1"), &back).ok();
    assert_eq!(after["identity"]["type"], "SystemAssigned", "the identity stays");
}

#[test]
fn another_identity_for_the_same_key_has_to_be_able_to_use_it_and_does_not_count_as_a_rotation() {
    let mut stage = Stage::new(Pace::practice());
    stage.has_bound_account();
    let before = kv(&mut stage);
    let made = stage.arm("PUT", &identity("id1"), &json!({"location": "westeurope"})).ok();
    let mut body = binding("main", None);
    body["properties"]["encryption"]["identity"] = json!({"userAssignedIdentity": identity("id1")});
    body["identity"] = json!({"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {identity("id1"): {}}});
    stage.arm("PATCH", &account("st1"), &body).is(403, "KeyVaultAuthenticationFailure");
    stage.grants(made["properties"]["principalId"].as_str().unwrap()).ok();
    stage.wait(2_500);
    stage.arm("PATCH", &account("st1"), &body).ok();
    assert_eq!(kv(&mut stage), before);
}

#[test]
fn a_new_version_that_cannot_wrap_is_not_taken_up() {
    let mut stage = Stage::new(Pace::practice());
    stage.has_bound_account();
    let first = kv(&mut stage);
    let disabled = json!({"kty": "RSA", "attributes": {"enabled": false}});
    stage.vault("POST", "/keys/main/create", &disabled).ok();
    stage.wait(10_000);
    assert_eq!(kv(&mut stage), first);
}

#[test]
fn a_key_whose_time_has_not_come_cannot_be_bound() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_bound_account();
    stage.has_key("next");
    let later = json!({"attributes": {"nbf": stage.now.seconds() + 1}});
    stage.vault("PATCH", "/keys/next", &later).ok();
    stage.bind("next", None).is(403, "KeyVaultAuthenticationFailure");
    stage.wait(1_000);
    stage.bind("next", None).ok();
}
