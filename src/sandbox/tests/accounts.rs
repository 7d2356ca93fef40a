//! Storage accounts apart from their encryption.

use super::*;

#[test]
fn a_new_account_is_answered_with_nothing_and_comes_later() {
    let mut stage = Stage::new(Pace::practice());
    let answer = stage.arm("PUT", &account("st1"), &account_body());
    assert_eq!((answer.status, &answer.body, answer.header("retry-after")), (202, &Value::Null, "2"));
    assert_eq!(answer.header("azure-asyncoperation"), "");
    let poll = answer.header("location").strip_prefix("https://arm.sandbox.test").unwrap().to_owned();
    assert_eq!(stage.get(&account("st1")).ok()["properties"]["provisioningState"], "Creating");
    assert_eq!(stage.get(&poll).status, 202);
    stage.wait(1_500);
    let done = stage.get(&poll);
    assert_eq!(done.status, 200);
    assert_eq!(done.body, stage.get(&account("st1")).ok());
    assert_eq!(done.body["properties"]["provisioningState"], "Succeeded");
}

#[test]
fn a_list_shows_an_account_in_the_making_differently_from_a_get() {
    let mut stage = Stage::new(Pace::practice());
    stage.arm("PUT", &account("st1"), &account_body()).ok();
    let list = stage.get(&format!("{}/providers/Microsoft.Storage/storageAccounts", group("rg"))).ok();
    assert_eq!(list["value"][0]["properties"]["provisioningState"], "ResolvingDns");
    assert_eq!(list["value"][0]["properties"]["keyCreationTime"]["key1"], Value::Null);
}

#[test]
fn an_account_in_the_making_refuses_every_change() {
    let mut stage = Stage::new(Pace::practice());
    stage.arm("PUT", &account("st1"), &account_body()).ok();
    stage.arm("PATCH", &account("st1"), &json!({"tags": {}})).is(409, "StorageAccountIsNotProvisioned");
    stage.arm("PUT", &account("st1"), &account_body()).is(409, "StorageAccountOperationInProgress");
    stage.arm("DELETE", &account("st1"), &Value::Null).is(409, "StorageAccountOperationInProgress");
    stage.arm("POST", &format!("{}/listKeys", account("st1")), &Value::Null).is(409, "StorageAccountIsNotProvisioned");
}

#[test]
fn a_new_account_has_the_defaults_of_its_api_version() {
    let mut stage = Stage::new(Pace::instant());
    let mut body = account_body();
    body["properties"] = json!({"allowSharedKeyAccess": false});
    stage.arm("PUT", &account("st1"), &body).ok();
    let properties = stage.get(&account("st1")).ok()["properties"].clone();
    assert_eq!(properties["minimumTlsVersion"], "TLS1_2");
    assert_eq!(properties["allowBlobPublicAccess"], false);
    assert_eq!(properties["supportsHttpsTrafficOnly"], true);
    assert_eq!(properties["allowSharedKeyAccess"], false, "what is sent is kept");
    assert_eq!(properties["encryption"]["keySource"], "Microsoft.Storage");
    assert_eq!(properties["encryption"]["services"]["blob"]["keyType"], "Account");
    stage.arm("PUT", &format!("{}?api-version=2019-06-01", account("st2")), &account_body()).ok();
    assert_eq!(stage.get(&account("st2")).ok()["properties"]["minimumTlsVersion"], "TLS1_0");
}

#[test]
fn an_account_name_is_taken_for_everyone() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_account("st1");
    let check =
        |subscription: &str| format!("/subscriptions/{subscription}/providers/Microsoft.Storage/checkNameAvailability");
    let wanted = json!({"name": "st1", "type": "Microsoft.Storage/storageAccounts"});
    let taken = stage.arm("POST", &check(SUBSCRIPTIONS[1]), &wanted).ok();
    assert_eq!((taken["nameAvailable"].as_bool(), taken["reason"].as_str()), (Some(false), Some("AlreadyExists")));
    let there = group("rg").replace(SUBSCRIPTIONS[0], SUBSCRIPTIONS[1]);
    stage.arm("PUT", &there, &json!({"location": "westeurope"})).ok();
    let there = account("st1").replace(SUBSCRIPTIONS[0], SUBSCRIPTIONS[1]);
    stage.arm("PUT", &there, &account_body()).is(409, "StorageAccountAlreadyTaken");
    stage.get(&there).is(404, "ResourceNotFound");
    stage.arm("PUT", &group("two"), &json!({"location": "westeurope"})).ok();
    let there = account("st1").replace("/rg/", "/two/");
    stage.arm("PUT", &there, &account_body()).is(409, "StorageAccountInAnotherResourceGroup");
}

#[test]
fn an_account_name_is_short_and_plain() {
    let mut stage = Stage::new(Pace::instant());
    for name in ["st", "St1", "st-1", "a123456789012345678901234"] {
        stage.arm("PUT", &account(name), &account_body()).is(400, "AccountNameInvalid");
    }
}

#[test]
fn an_account_cannot_move() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_account("st1");
    let mut body = account_body();
    body["location"] = json!("eastus");
    stage.arm("PUT", &account("st1"), &body).is(409, "InvalidResourceLocation");
}

#[test]
fn an_identity_that_is_taken_off_and_put_back_is_a_stranger() {
    let mut stage = Stage::new(Pace::instant());
    let first = stage.has_account("st1");
    let path = account("st1");
    let kept = stage.arm("PATCH", &path, &json!({"identity": {"type": "SystemAssigned"}})).ok();
    assert_eq!(kept["identity"]["principalId"], first);
    let none = stage.arm("PATCH", &path, &json!({"identity": {"type": "None"}})).ok();
    assert_eq!(none["identity"], json!({"type": "None"}));
    let again = stage.arm("PATCH", &path, &json!({"identity": {"type": "SystemAssigned"}})).ok();
    assert_ne!(again["identity"]["principalId"], first);
}

#[test]
fn an_identity_that_is_left_out_survives() {
    let mut stage = Stage::new(Pace::instant());
    let first = stage.has_account("st1");
    let mut body = account_body();
    leave_out(&mut body, "", "identity");
    assert_eq!(stage.arm("PUT", &account("st1"), &body).ok()["identity"]["principalId"], first);
    let patched = stage.arm("PATCH", &account("st1"), &json!({"tags": {"a": "b"}})).ok();
    assert_eq!(patched["identity"]["principalId"], first);
    assert_eq!(patched["tags"]["a"], "b");
}

#[test]
fn an_account_made_without_an_identity_does_not_mention_one() {
    let mut stage = Stage::new(Pace::instant());
    let mut body = account_body();
    leave_out(&mut body, "", "identity");
    stage.arm("PUT", &account("st1"), &body).ok();
    assert!(stage.get(&account("st1")).ok().get("identity").is_none());
}

#[test]
fn user_assigned_identities_have_to_exist_and_go_when_the_type_leaves_them_out() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_account("st1");
    let attach =
        json!({"identity": {"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {identity("id1"): {}}}});
    stage.arm("PATCH", &account("st1"), &attach).is(400, "FailedIdentityOperation");
    let made = stage.arm("PUT", &identity("id1"), &json!({"location": "westeurope"}));
    assert_eq!(made.status, 201);
    assert!(made.header("location").starts_with("/subscriptions/"), "the header is relative");
    let principal = made.body["properties"]["principalId"].clone();
    let both = stage.arm("PATCH", &account("st1"), &attach).ok();
    assert_eq!(both["identity"]["type"], "SystemAssigned,UserAssigned");
    assert_eq!(both["identity"]["userAssignedIdentities"][identity("id1")]["principalId"], principal);
    let type_only = json!({"identity": {"type": "SystemAssigned,UserAssigned"}});
    let kept = stage.arm("PATCH", &account("st1"), &type_only).ok();
    assert_eq!(kept["identity"], both["identity"]);
    let alone = stage.arm("PATCH", &account("st1"), &json!({"identity": {"type": "SystemAssigned"}})).ok();
    assert!(alone["identity"].get("userAssignedIdentities").is_none());
}

#[test]
fn null_takes_one_user_assigned_identity_off() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_account("st1");
    for name in ["id1", "id2"] {
        stage.arm("PUT", &identity(name), &json!({"location": "westeurope"})).ok();
    }
    let change = |map: Value| json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": map}});
    stage.arm("PATCH", &account("st1"), &change(json!({identity("id1"): {}}))).ok();
    let after = stage.arm("PATCH", &account("st1"), &change(json!({identity("id2"): {}, identity("id1"): null}))).ok();
    let left: Vec<&String> = after["identity"]["userAssignedIdentities"].as_object().unwrap().keys().collect();
    assert_eq!(left, [&identity("id2")]);
}

#[test]
fn properties_that_the_service_does_not_know_are_ignored_and_wrong_values_are_not() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_account("st1");
    // What Azure forgives is no contract's.
    stage.world.set_watch(Watch::new(contracts::hold_answer));
    let unknown = json!({"properties": {"minimumTlsVersoin": "TLS1_3"}});
    let after = stage.arm("PATCH", &account("st1"), &unknown).ok();
    assert!(after["properties"].get("minimumTlsVersoin").is_none());
    let wrong = json!({"properties": {"minimumTlsVersion": "1.2"}});
    stage.arm("PATCH", &account("st1"), &wrong).is(400, "InvalidValuesForRequestParameters");
}

#[test]
fn deleting_an_account_that_is_not_there_is_no_error() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_account("st1");
    assert_eq!(stage.arm("DELETE", &account("st1"), &Value::Null).status, 200);
    assert_eq!(stage.arm("DELETE", &account("st1"), &Value::Null).status, 204);
}
