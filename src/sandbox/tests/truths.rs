//! Who can read what.

use super::*;

#[test]
fn an_account_with_a_key_of_microsofts_can_always_be_read() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_account("st1");
    assert!(stage.readable());
    assert!(!stage.world.truth(stage.now, "st2").readable, "an account that is not there cannot");
}

#[test]
fn the_truth_says_why() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_bound_account();
    let why = |stage: &Stage| stage.world.truth(stage.now, "st1").why;
    assert!(why(&stage).contains("unwraps with main/"), "{}", why(&stage));
    stage.vault("PATCH", "/keys/main", &json!({"attributes": {"enabled": false}})).ok();
    assert!(why(&stage).contains("is disabled"), "{}", why(&stage));
    stage.arm("DELETE", &vault("kv1"), &Value::Null).ok();
    assert!(why(&stage).contains("is not live"), "{}", why(&stage));
}

#[test]
fn disabling_another_version_than_the_accounts_own_does_no_harm() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_bound_account();
    stage.vault("POST", "/keys/main/create", &json!({"kty": "RSA"})).ok();
    stage.vault("PATCH", "/keys/main", &json!({"attributes": {"enabled": false}})).ok();
    assert!(stage.readable());
}

#[test]
fn taking_unwrap_from_the_operations_of_a_key_makes_its_accounts_unreadable() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_bound_account();
    stage.vault("PATCH", "/keys/main", &json!({"key_ops": ["wrapKey"]})).ok();
    assert!(!stage.readable());
}

#[test]
fn a_stranger_with_the_old_name_cannot_read() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_bound_account();
    for kind in ["None", "SystemAssigned"] {
        stage.arm("PATCH", &account("st1"), &json!({"identity": {"type": kind}})).ok();
    }
    assert!(!stage.readable(), "the new principal has no grant");
}

#[test]
fn deleting_a_user_assigned_identity_makes_its_accounts_unreadable_for_good() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_bound_account();
    let made = stage.arm("PUT", &identity("id1"), &json!({"location": "westeurope"})).ok();
    stage.grants(made["properties"]["principalId"].as_str().unwrap()).ok();
    let mut body = binding("main", None);
    body["properties"]["encryption"]["identity"] = json!({"userAssignedIdentity": identity("id1")});
    body["identity"] = json!({"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {identity("id1"): {}}});
    stage.arm("PATCH", &account("st1"), &body).ok();
    assert!(stage.readable());
    stage.arm("DELETE", &identity("id1"), &Value::Null).ok();
    assert!(!stage.readable());
    stage.arm("PUT", &identity("id1"), &json!({"location": "westeurope"})).ok();
    assert!(!stage.readable(), "another principal under the old name");
}
