//! Vaults: their birth, their replacement, their policies and their afterlife.

use super::*;
use crate::sandbox::Unreachable;

const OTHER: &str = "99999999-9999-4999-8999-999999999999";

fn policies(body: &Value) -> Vec<String> {
    let entries = body["properties"]["accessPolicies"].as_array().unwrap();
    entries.iter().map(|entry| entry["objectId"].as_str().unwrap().to_owned()).collect()
}

fn deleted(name: &str) -> String {
    let subscription = SUBSCRIPTIONS[0];
    format!("/subscriptions/{subscription}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/{name}")
}

#[test]
fn a_new_vault_is_not_in_the_dns_at_once() {
    let mut stage = Stage::new(Pace::practice());
    let made = stage.arm("PUT", &vault("kv1"), &vault_body(&json!([])));
    assert_eq!(made.status, 200);
    assert_eq!(made.body["properties"]["provisioningState"], "RegisteringDns");
    assert_eq!(made.body["properties"]["vaultUri"], "https://kv1.vault.sandbox.test");
    let url = format!("https://kv1.{VAULT_SUFFIX}/keys?api-version=7.5");
    let ask = request("GET", &url, None, &Value::Null);
    let missing = stage.world.exchange(stage.now, &ask).unwrap_err();
    assert_eq!(missing, Unreachable::NoSuchHost("kv1.vault.sandbox.test".to_owned()));
    stage.wait(999);
    let young = stage.get(&vault("kv1")).ok();
    assert_eq!(young["properties"]["provisioningState"], "RegisteringDns");
    assert_eq!(young["properties"]["vaultUri"], "https://kv1.vault.sandbox.test/");
    stage.wait(1);
    assert_eq!(stage.get(&vault("kv1")).ok()["properties"]["provisioningState"], "Succeeded");
    assert_eq!(heard(stage.world.handle(stage.now, &ask)).status, 401);
}

#[test]
fn a_put_on_a_live_vault_throws_away_the_policies_it_does_not_send() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_bound_account();
    assert!(stage.readable());
    let after = stage.arm("PUT", &vault("kv1"), &vault_body(&json!([entry(CALLER_OBJECT_ID, &["get"])]))).ok();
    assert_eq!(policies(&after), [CALLER_OBJECT_ID]);
    assert!(!stage.readable(), "the account's grant is gone");
}

#[test]
fn policies_are_required_unless_the_vault_is_on_roles() {
    let mut stage = Stage::new(Pace::instant());
    let refused = stage.arm("PUT", &vault("kv1"), &vault_body(&Value::Null));
    refused.is(400, "BadRequest");
    assert_eq!(refused.message(), "An invalid value was provided for 'accessPolicies'.");
    let mut body = vault_body(&Value::Null);
    body["properties"]["enableRbacAuthorization"] = json!(true);
    stage.arm("PUT", &vault("kv1"), &body).ok();
}

#[test]
fn a_new_vault_is_on_roles_by_default_from_2026_02_01_on() {
    let mut stage = Stage::new(Pace::instant());
    let old = stage.arm("PUT", &vault("kvold"), &vault_body(&json!([]))).ok();
    assert!(old["properties"].get("enableRbacAuthorization").is_none());
    let path = format!("{}?api-version=2026-02-01", vault("kvnew"));
    let new = stage.arm("PUT", &path, &vault_body(&Value::Null)).ok();
    assert_eq!(new["properties"]["enableRbacAuthorization"], true);
    let mut body = vault_body(&json!([]));
    body["properties"]["enableRbacAuthorization"] = json!(false);
    let path = format!("{}?api-version=2026-02-01", vault("kvsaid"));
    assert_eq!(stage.arm("PUT", &path, &body).ok()["properties"]["enableRbacAuthorization"], false);
}

#[test]
fn purge_protection_cannot_be_switched_off() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    let mut body = vault_body(&json!([]));
    body["properties"]["enablePurgeProtection"] = json!(false);
    let refused = stage.arm("PUT", &vault("kv1"), &body);
    refused.is(400, "BadRequest");
    assert!(refused.message().contains("irreversible"));
    leave_out(&mut body, "/properties", "enablePurgeProtection");
    let kept = stage.arm("PUT", &vault("kv1"), &body).ok();
    assert_eq!(kept["properties"]["enablePurgeProtection"], true, "leaving it out does not switch it off");
}

#[test]
fn soft_delete_cannot_be_switched_off_and_its_days_cannot_be_changed() {
    let mut stage = Stage::new(Pace::instant());
    let mut body = vault_body(&json!([]));
    body["properties"]["enableSoftDelete"] = json!(false);
    body["properties"]["softDeleteRetentionInDays"] = json!(7);
    let made = stage.arm("PUT", &vault("kv1"), &body).ok();
    assert_eq!(made["properties"]["enableSoftDelete"], true);
    let patch = |days: i64| json!({"properties": {"softDeleteRetentionInDays": days}});
    stage.arm("PATCH", &vault("kv1"), &patch(7)).ok();
    let refused = stage.arm("PATCH", &vault("kv1"), &patch(90));
    refused.is(400, "BadRequest");
    stage.arm("PATCH", &vault("kv1"), &patch(91)).is(400, "BadRequest");
}

#[test]
fn a_patch_changes_what_it_names_and_nothing_else() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_bound_account();
    let before = stage.get(&vault("kv1")).ok();
    let body = json!({"tags": {"team": "payroll"}, "properties": {"enablePurgeProtection": true}});
    let after = stage.arm("PATCH", &vault("kv1"), &body).ok();
    assert_eq!(after["tags"]["team"], "payroll");
    assert_eq!(after["properties"], before["properties"]);
}

#[test]
fn adding_a_policy_leaves_the_others_and_joins_permissions() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    let add = |keys: &[&str]| json!({"properties": {"accessPolicies": [entry(OTHER, keys)]}});
    let path = format!("{}/accessPolicies/add", vault("kv1"));
    stage.arm("PUT", &path, &add(&["get"])).ok();
    let answer = stage.arm("PUT", &path, &add(&["GET", "wrapKey"])).ok();
    assert!(answer["id"].as_str().unwrap().ends_with("/accessPolicies/"));
    assert_eq!(answer["properties"]["accessPolicies"][0]["permissions"]["keys"], json!(["get", "wrapKey"]));
    assert_eq!(policies(&answer), [OTHER], "only the principals of the request are told");
    assert_eq!(policies(&stage.get(&vault("kv1")).ok()), [CALLER_OBJECT_ID, OTHER]);
}

#[test]
fn a_vault_that_is_full_takes_no_other_policy_and_loses_none() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    let path = format!("{}/accessPolicies/add", vault("kv1"));
    let others: Vec<_> = (0..1023).map(|n| entry(&format!("00000000-0000-4000-8000-{n:012}"), &["get"])).collect();
    stage.arm("PUT", &path, &json!({"properties": {"accessPolicies": others}})).ok();
    let one = |object: &str| json!({"properties": {"accessPolicies": [entry(object, &["list"])]}});
    stage.arm("PUT", &path, &one(OTHER)).is(400, "BadRequest");
    assert_eq!(policies(&stage.get(&vault("kv1")).ok()).len(), 1024);
    stage.arm("PUT", &path, &one(CALLER_OBJECT_ID)).ok();
}

#[test]
fn replacing_and_removing_a_policy_touch_its_principal_only() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    let body = |keys: &[&str]| json!({"properties": {"accessPolicies": [entry(OTHER, keys)]}});
    let path = |operation: &str| format!("{}/accessPolicies/{operation}", vault("kv1"));
    stage.arm("PUT", &path("add"), &body(&["get", "list"])).ok();
    let replaced = stage.arm("PUT", &path("replace"), &body(&["sign", "verify"])).ok();
    assert_eq!(replaced["properties"]["accessPolicies"][0]["permissions"]["keys"], json!(["sign", "verify"]));
    stage.arm("PUT", &path("remove"), &body(&["sign", "verify"])).ok();
    assert_eq!(policies(&stage.get(&vault("kv1")).ok()), [CALLER_OBJECT_ID]);
    stage.arm("PUT", &path("reset"), &body(&["get"])).is(400, "BadRequest");
}

#[test]
fn adding_again_what_is_there_does_not_make_the_grant_wait_again() {
    let mut stage = Stage::new(Pace::practice());
    let principal = stage.has_bound_account();
    stage.grants(&principal).ok();
    assert!(stage.readable());
    let body = json!({"properties": {"accessPolicies": [entry(&principal, &["unwrapKey"])]}});
    stage.arm("PUT", &format!("{}/accessPolicies/remove", vault("kv1")), &body).ok();
    assert!(!stage.readable());
    stage.grants(&principal).ok();
    assert!(!stage.readable(), "what was taken away has to arrive anew");
    stage.wait(2_500);
    assert!(stage.readable());
}

#[test]
fn a_policy_of_another_tenant_is_refused_and_so_is_a_policy_of_an_absent_vault() {
    let mut stage = Stage::new(Pace::instant());
    let path = format!("{}/accessPolicies/add", vault("kv1"));
    let mut wrong = entry(OTHER, &["get"]);
    wrong["tenantId"] = json!(OTHER);
    let body = json!({"properties": {"accessPolicies": [wrong]}});
    stage.arm("PUT", &path, &body).is(404, "ParentResourceNotFound");
    stage.has_vault();
    stage.arm("PUT", &path, &body).is(400, "BadRequest");
    let body = json!({"properties": {"accessPolicies": [entry(OTHER, &["fly"])]}});
    stage.arm("PUT", &path, &body).is(400, "BadRequest");
}

#[test]
fn a_deleted_vault_keeps_its_name_and_comes_back_whole() {
    let mut stage = Stage::new(Pace::practice());
    stage.has_bound_account();
    let before = stage.get(&vault("kv1")).ok();
    assert_eq!(stage.arm("DELETE", &vault("kv1"), &Value::Null).status, 200);
    stage.get(&vault("kv1")).is(404, "ResourceNotFound");
    assert!(!stage.readable());
    let shown = stage.get(&deleted("kv1")).ok();
    assert_eq!(shown["properties"]["vaultId"], vault("kv1"));
    assert_eq!(shown["properties"]["purgeProtectionEnabled"], true);
    stage.arm("PUT", &vault("kv1"), &vault_body(&json!([]))).is(409, "ConflictError");
    stage.arm("POST", &format!("{}/purge", deleted("kv1")), &Value::Null).is(405, "MethodNotAllowed");
    let mut recover = vault_body(&Value::Null);
    recover["properties"]["createMode"] = json!("recover");
    let after = stage.arm("PUT", &vault("kv1"), &recover).ok();
    assert_eq!(after["properties"], before["properties"]);
    assert!(stage.readable());
    stage.get(&deleted("kv1")).is(404, "DeletedVaultNotFound");
}

#[test]
fn a_vault_comes_back_only_where_it_was() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    stage.arm("DELETE", &vault("kv1"), &Value::Null).ok();
    stage.arm("PUT", &group("two"), &json!({"location": "westeurope"})).ok();
    let mut recover = vault_body(&Value::Null);
    recover["properties"]["createMode"] = json!("recover");
    stage.arm("PUT", &vault("kv1").replace("/rg/", "/two/"), &recover).is(409, "ConflictError");
    stage.arm("PUT", &vault("kv2"), &recover).is(404, "DeletedVaultNotFound");
}

#[test]
fn an_unprotected_vault_can_be_purged_and_a_protected_one_purges_itself_in_time() {
    let mut stage = Stage::new(Pace::instant());
    let mut body = vault_body(&json!([]));
    leave_out(&mut body, "/properties", "enablePurgeProtection");
    stage.arm("PUT", &vault("soft"), &body).ok();
    stage.arm("DELETE", &vault("soft"), &Value::Null).ok();
    let purged = stage.arm("POST", &format!("{}/purge", deleted("soft")), &Value::Null);
    assert_eq!(purged.status, 202);
    stage.has_vault();
    stage.arm("DELETE", &vault("kv1"), &Value::Null).ok();
    stage.now = stage.now.plus_days(90);
    stage.get(&deleted("kv1")).is(404, "DeletedVaultNotFound");
}

#[test]
fn a_vault_name_is_taken_for_everyone() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    let elsewhere = |path: String| path.replace(SUBSCRIPTIONS[0], SUBSCRIPTIONS[1]);
    stage.arm("PUT", &elsewhere(group("rg")), &json!({"location": "westeurope"})).ok();
    stage.arm("PUT", &elsewhere(vault("KV1")), &vault_body(&json!([]))).is(409, "VaultAlreadyExists");
    stage.arm("PUT", &vault("kv"), &vault_body(&json!([]))).is(400, "VaultNameNotValid");
    stage.arm("PUT", &vault("kv--1"), &vault_body(&json!([]))).is(400, "VaultNameNotValid");
    let check = format!("/subscriptions/{}/providers/Microsoft.KeyVault/checkNameAvailability", SUBSCRIPTIONS[1]);
    let ask = |name: &str| json!({"name": name, "type": "Microsoft.KeyVault/vaults"});
    assert_eq!(stage.arm("POST", &check, &ask("kv1")).ok()["reason"], "AlreadyExists");
    stage.arm("DELETE", &vault("kv1"), &Value::Null).ok();
    assert_eq!(stage.arm("POST", &check, &ask("kv1")).ok()["nameAvailable"], false);
    assert_eq!(stage.arm("POST", &check, &ask("kv2")).ok()["nameAvailable"], true);
    stage.arm("PUT", &elsewhere(vault("kv1")), &vault_body(&json!([]))).is(409, "VaultAlreadyExists");
}

#[test]
fn the_last_page_of_a_list_promises_another_one_which_is_empty() {
    let mut stage = Stage::new(Pace::instant());
    for name in ["kva", "kvb", "kvc"] {
        stage.arm("PUT", &vault(name), &vault_body(&json!([]))).ok();
    }
    let mut path = format!("{}/providers/Microsoft.KeyVault/vaults?api-version=2024-11-01&$top=2", group("rg"));
    let mut sizes = Vec::new();
    loop {
        let page = stage.get(&path).ok();
        sizes.push(page["value"].as_array().unwrap().len());
        let Some(next) = page["nextLink"].as_str() else { break };
        path = next.strip_prefix("https://arm.sandbox.test").unwrap().to_owned();
    }
    assert_eq!(sizes, [2, 1, 0]);
}

#[test]
fn the_firewall_keeps_callers_out_and_lets_storage_in_unless_told_otherwise() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_bound_account();
    let acls = |bypass: &str| json!({"properties": {"networkAcls": {"defaultAction": "Deny", "bypass": bypass}}});
    stage.arm("PATCH", &vault("kv1"), &acls("AzureServices")).ok();
    let refused = stage.vault("GET", "/keys/main", &Value::Null);
    refused.is(403, "Forbidden");
    assert_eq!(refused.body["error"]["innererror"]["code"], "ForbiddenByFirewall");
    assert!(stage.readable());
    stage.arm("PATCH", &vault("kv1"), &acls("None")).ok();
    assert!(!stage.readable());
}

#[test]
fn a_refused_request_changes_nothing_however_far_it_got() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    let before = stage.get(&vault("kv1")).ok();
    let half_right = json!({"properties": {"softDeleteRetentionInDays": 90, "accessPolicies": [{"objectId": "x"}]}});
    stage.arm("PATCH", &vault("kv1"), &half_right).is(400, "BadRequest");
    assert_eq!(stage.get(&vault("kv1")).ok(), before);
}

#[test]
fn one_setting_of_a_vault_sends_a_log_to_a_place_and_no_second_one() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    let at = |name: &str| {
        let slash = if name.is_empty() { "" } else { "/" };
        let list = format!("{}/providers/Microsoft.Insights/diagnosticSettings{slash}{name}", vault("kv1"));
        format!("{list}?api-version=2021-05-01-preview")
    };
    let to = |place: &str, log: Value| json!({"properties": {"workspaceId": place, "logs": [log]}});
    let audit = json!({"category": "AuditEvent", "enabled": true});
    let made = stage.arm("PUT", &at("one"), &to("/Soc", audit.clone())).ok();
    assert_eq!(
        (&made["properties"]["workspaceId"], &made["properties"]["storageAccountId"]),
        (&json!("/Soc"), &Value::Null)
    );
    let group = json!({"categoryGroup": "allLogs", "enabled": true});
    assert_eq!(stage.arm("PUT", &at("two"), &to("/soc", group.clone())).status, 409);
    assert_eq!(stage.arm("PUT", &at("two"), &json!({"properties": {"logs": [audit]}})).status, 400);
    for name in ["two", "three", "four", "five"] {
        stage.arm("PUT", &at(name), &to(name, group.clone())).ok();
    }
    assert_eq!(stage.arm("PUT", &at("six"), &to("six", group)).status, 409);
    assert_eq!(stage.get(&at("")).ok()["value"].as_array().map(Vec::len), Some(5));
    assert_eq!(stage.arm("DELETE", &at("two"), &Value::Null).status, 200);
    assert_eq!(stage.get(&at("two")).status, 404);
    assert_eq!(stage.get(&at("one")).ok()["name"], "one");
}
