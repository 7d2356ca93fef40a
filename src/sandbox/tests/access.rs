//! Who may do what, at Resource Manager and at vaults.

use super::*;
use crate::sandbox::actions::{Need, need};

const APPLICATION: &str = "0a991ca7-0000-4000-8000-000000000003";
const GUEST: &str = "90e57000-0000-4000-8000-000000000004";
const OFFICER: &str = "Key Vault Crypto Officer";
const ENCRYPTION_USER: &str = "Key Vault Crypto Service Encryption User";

fn subscription() -> String {
    format!("/subscriptions/{}", SUBSCRIPTIONS[0])
}

impl Stage {
    /// Another application, with a role, makes the requests from now on.
    fn goes_on_as(&mut self, role: &str, scope: &str) {
        self.world.add_application(APPLICATION, GUEST, "a secret", "guest");
        self.caller = Caller { object: GUEST.to_owned(), application: APPLICATION.to_owned() };
        if !role.is_empty() {
            self.world.add_assignment(GUEST, role, scope).unwrap();
        }
    }

    /// Assigns a role as the owner would, without waiting.
    fn assigns_role(&mut self, role: &str, principal: &str, scope: &str) {
        let role = crate::sandbox::roles::Role::by_name(role).unwrap().id;
        let name = self.world.ids.guid();
        let body = json!({"properties": {
            "roleDefinitionId": format!("/providers/Microsoft.Authorization/roleDefinitions/{role}"),
            "principalId": principal, "principalType": "ServicePrincipal",
        }});
        let path = format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}?api-version=2022-04-01");
        self.arm("PUT", &path, &body).ok();
    }

    /// The vault `kv1` on roles and a key `main` in it.
    fn has_vault_on_roles(&mut self) {
        let mut body = vault_body(&Value::Null);
        body["properties"]["enableRbacAuthorization"] = json!(true);
        self.arm("PUT", &vault("kv1"), &body).ok();
        self.wait(5_000);
        self.has_key("main");
    }
}

fn path(text: &str) -> Vec<String> {
    text.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
}

#[test]
fn what_a_request_needs_follows_from_its_path() {
    let (s, g) = ("/subscriptions/s", "/subscriptions/s/resourceGroups/g");
    let kv = format!("{g}/providers/Microsoft.KeyVault/vaults/v");
    let st = format!("{g}/providers/Microsoft.Storage/storageAccounts");
    let check = |method: &str, at: &str, action: &str, scope: &str, list: bool| {
        let (action, scope) = (action.to_owned(), scope.to_owned());
        assert_eq!(need(method, &path(at)), Some(Need { action, scope, list }), "{method} {at}");
    };
    check("GET", s, "Microsoft.Resources/subscriptions/read", s, false);
    check("GET", &format!("{s}/resourcegroups"), "Microsoft.Resources/subscriptions/resourceGroups/read", s, true);
    check("PUT", g, "Microsoft.Resources/subscriptions/resourceGroups/write", g, false);
    check("GET", &st, "Microsoft.Storage/storageAccounts/read", g, true);
    check("PATCH", &format!("{st}/a"), "Microsoft.Storage/storageAccounts/write", &format!("{st}/a"), false);
    let keys = "Microsoft.Storage/storageAccounts/listKeys/action";
    check("POST", &format!("{st}/a/listKeys"), keys, &format!("{st}/a"), false);
    check("DELETE", &kv, "Microsoft.KeyVault/vaults/delete", &kv, false);
    let add = format!("{kv}/accessPolicies/add");
    check("PUT", &add, "Microsoft.KeyVault/vaults/accessPolicies/write", &add, false);
    check("GET", &format!("{kv}/keys"), "Microsoft.KeyVault/vaults/keys/read", &kv, true);
    let purge = format!("{s}/providers/Microsoft.KeyVault/locations/l/deletedVaults/v");
    let action = "Microsoft.KeyVault/locations/deletedVaults/purge/action";
    check("POST", &format!("{purge}/purge"), action, &purge, false);
    let name = format!("{s}/providers/Microsoft.Storage/checkNameAvailability");
    check("POST", &name, "Microsoft.Storage/checkNameAvailability/read", s, false);
    let one = format!("{kv}/providers/Microsoft.Authorization/roleAssignments/n");
    check("PUT", &one, "Microsoft.Authorization/roleAssignments/write", &one, false);
    let register = format!("{s}/providers/Microsoft.KeyVault/register");
    check("POST", &register, "Microsoft.KeyVault/register/action", s, false);
    assert_eq!(need("GET", &path(&format!("{s}/operationresults/x"))), None);
    assert_eq!(need("GET", &path("/tenants")), None);
}

#[test]
fn a_reader_may_look_and_not_touch() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_account("st1");
    stage.goes_on_as("Reader", &group("rg"));
    stage.get(&account("st1")).ok();
    let refused = stage.arm("PATCH", &account("st1"), &json!({"tags": {}}));
    refused.is(403, "AuthorizationFailed");
    assert_eq!(refused.header("x-ms-failure-cause"), "gateway");
    let text = format!(
        "The client '{APPLICATION}' with object id '{GUEST}' does not have authorization to perform action 'Microsoft.Storage/storageAccounts/write' over scope '{}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
        account("st1")
    );
    assert_eq!(refused.message(), text);
    stage.arm("POST", &format!("{}/listKeys", account("st1")), &Value::Null).is(403, "AuthorizationFailed");
    stage.get(&group("absent")).is(403, "AuthorizationFailed");
}

#[test]
fn a_contributor_may_do_everything_but_assign() {
    let mut stage = Stage::new(Pace::instant());
    stage.goes_on_as("Contributor", &subscription());
    stage.has_account("st1");
    let name = format!("{}/providers/Microsoft.Authorization/roleAssignments/{GUEST}", group("rg"));
    let refused = stage.arm("PUT", &format!("{name}?api-version=2022-04-01"), &json!({}));
    refused.is(403, "AuthorizationFailed");
    assert!(
        refused.message().contains(&format!("'Microsoft.Authorization/roleAssignments/write' over scope '{name}'"))
    );
}

#[test]
fn a_role_counts_at_its_scope_and_below_and_nowhere_else() {
    let mut stage = Stage::new(Pace::instant());
    stage.arm("PUT", &group("two"), &json!({"location": "westeurope"})).ok();
    stage.goes_on_as("Storage Account Contributor", &group("rg"));
    stage.has_account("st1");
    stage.arm("PUT", &account("st2").replace("/rg/", "/two/"), &account_body()).is(403, "AuthorizationFailed");
    stage.arm("PUT", &vault("kv1"), &vault_body(&json!([]))).is(403, "AuthorizationFailed");
    let elsewhere = account("st1").replace(SUBSCRIPTIONS[0], SUBSCRIPTIONS[1]);
    stage.get(&elsewhere).is(403, "AuthorizationFailed");
}

#[test]
fn lists_show_what_their_reader_may_see() {
    let mut stage = Stage::new(Pace::instant());
    stage.arm("PUT", &group("two"), &json!({"location": "westeurope"})).ok();
    stage.has_account("st1");
    stage.arm("PUT", &account("st2").replace("/rg/", "/two/"), &account_body()).ok();
    let names = |stage: &mut Stage, path: &str| {
        let rows = stage.get(path).ok()["value"].as_array().unwrap().clone();
        let name = |row: &Value| row["name"].as_str().or(row["subscriptionId"].as_str()).unwrap().to_owned();
        rows.iter().map(name).collect::<Vec<String>>()
    };
    let accounts = format!("{}/providers/Microsoft.Storage/storageAccounts", subscription());
    assert_eq!(names(&mut stage, &accounts), ["st1", "st2"]);
    assert_eq!(names(&mut stage, "/subscriptions"), SUBSCRIPTIONS);
    stage.goes_on_as("Reader", &group("two"));
    assert_eq!(names(&mut stage, &accounts), ["st2"]);
    assert_eq!(names(&mut stage, &format!("{}/resourcegroups", subscription())), ["two"]);
    assert_eq!(names(&mut stage, "/subscriptions"), [SUBSCRIPTIONS[0]]);
    stage.get(&subscription()).ok();
    stage.get(&format!("/subscriptions/{}", SUBSCRIPTIONS[1])).is(403, "AuthorizationFailed");
}

#[test]
fn who_has_no_role_sees_nothing() {
    let mut stage = Stage::new(Pace::instant());
    stage.goes_on_as("", "");
    assert_eq!(stage.get("/subscriptions").ok()["value"], json!([]));
    let accounts = format!("{}/providers/Microsoft.Storage/storageAccounts", subscription());
    stage.get(&accounts).is(403, "AuthorizationFailed");
}

#[test]
fn an_identity_is_lent_out_only_by_those_who_may() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_account("st1");
    stage.arm("PUT", &identity("id1"), &json!({"location": "westeurope"})).ok();
    stage.goes_on_as("Storage Account Contributor", &group("rg"));
    let body = json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {identity("id1"): {}}}});
    let refused = stage.arm("PATCH", &account("st1"), &body);
    refused.is(403, "LinkedAuthorizationFailed");
    let part = "'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action' on the linked scope(s) '";
    assert!(refused.message().contains(&format!("{part}{}'", identity("id1"))), "{refused:?}");
    stage.world.add_assignment(GUEST, "Managed Identity Operator", &identity("id1")).unwrap();
    stage.arm("PATCH", &account("st1"), &body).ok();
}

#[test]
fn a_new_application_signs_in_and_its_secret_is_not_kept() {
    let mut stage = Stage::new(Pace::instant());
    stage.goes_on_as("Reader", &subscription());
    let form = format!(
        "grant_type=client_credentials&client_id={APPLICATION}&client_secret=a+secret&scope=https://{ARM_HOST}/.default"
    );
    let ask = http::Request::post(format!("https://login.sandbox.test/{TENANT}/oauth2/v2.0/token"));
    let token = heard(stage.world.handle(stage.now, &ask.body(form.into_bytes()).unwrap())).ok();
    let url = format!("https://{ARM_HOST}{}?api-version=2021-04-01", group("rg"));
    let ask = request("GET", &url, token["access_token"].as_str(), &Value::Null);
    heard(stage.world.handle(stage.now, &ask)).ok();
    assert!(!serde_json::to_string(&stage.world).unwrap().contains("a secret"));
    assert!(stage.world.add_assignment(GUEST, "Key Vault Gardener", &subscription()).is_err());
}

#[test]
fn an_access_policy_is_for_its_principal_alone() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    stage.has_key("main");
    stage.goes_on_as("Owner", &subscription());
    let refused = stage.vault("GET", "/keys/main", &Value::Null);
    refused.is(403, "Forbidden");
    assert!(refused.message().contains(&format!("'appid={APPLICATION};oid={GUEST};")), "{refused:?}");
    stage.grants(GUEST).ok();
    stage.vault("GET", "/keys/main", &Value::Null).ok();
}

#[test]
fn on_a_vault_on_roles_an_owner_manages_keys_and_touches_none() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault_on_roles();
    let refused = stage.vault("GET", "/keys/main", &Value::Null);
    refused.is(403, "Forbidden");
    assert_eq!(refused.body["error"]["innererror"]["code"], "ForbiddenByRbac");
    let id = format!("{}/keys/main", vault("kv1")).to_lowercase();
    assert!(refused.message().contains(&format!("Action: 'Microsoft.KeyVault/vaults/keys/read'\r\nResource: '{id}'")));
    stage.get(&format!("{}/keys/main", vault("kv1"))).ok();
    stage.assigns_role(OFFICER, CALLER_OBJECT_ID, &vault("kv1"));
    stage.vault("GET", "/keys/main", &Value::Null).ok();
    stage.vault("POST", "/keys/other/create", &json!({"kty": "RSA"})).ok();
    stage.vault("GET", "/keys/main/rotationpolicy", &Value::Null).ok();
}

#[test]
fn a_data_role_counts_from_the_subscription_down_to_a_single_key() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault_on_roles();
    stage.has_key("other");
    let key = format!("{}/keys/main", vault("kv1"));
    for (scope, others) in [(key, 403), (vault("kv1"), 200), (group("rg"), 200), (subscription(), 200)] {
        let mut stage = Stage { world: stage.world.clone(), now: stage.now, caller: owner() };
        stage.assigns_role(OFFICER, CALLER_OBJECT_ID, &scope);
        assert_eq!(stage.vault("GET", "/keys/main", &Value::Null).status, 200, "{scope}");
        assert_eq!(stage.vault("GET", "/keys/other", &Value::Null).status, others, "{scope}");
        assert_eq!(stage.vault("GET", "/keys", &Value::Null).status, others, "{scope}");
    }
}

#[test]
fn vaults_hear_of_a_role_later() {
    let mut stage = Stage::new(Pace::practice());
    stage.has_vault_on_roles();
    stage.assigns_role(OFFICER, CALLER_OBJECT_ID, &vault("kv1"));
    stage.wait(2_499);
    stage.vault("GET", "/keys/main", &Value::Null).is(403, "Forbidden");
    stage.wait(1);
    stage.vault("GET", "/keys/main", &Value::Null).ok();
}

#[test]
fn the_vaults_provider_hears_of_a_role_later_than_resource_manager_and_says_so_with_a_400() {
    let mut stage = Stage::new(Pace::practice());
    stage.has_vault();
    stage.goes_on_as("", "");
    let guest = std::mem::replace(&mut stage.caller, owner());
    stage.assigns_role("Key Vault Contributor", GUEST, &vault("kv1"));
    stage.caller = guest;
    stage.get(&vault("kv1")).ok();
    let path = format!("{}/keys/main", vault("kv1"));
    let refused = stage.arm("PUT", &path, &key_body());
    refused.is(400, "ForbiddenByRbac");
    assert!(refused.message().contains("Caller: name=KeyVault/ManagementPlane;appid="), "{refused:?}");
    stage.wait(2_500);
    stage.arm("PUT", &path, &key_body()).ok();
}

#[test]
fn an_account_goes_to_a_vault_on_roles_with_a_role() {
    let mut stage = Stage::new(Pace::practice());
    stage.has_vault_on_roles();
    let principal = stage.has_account("st1");
    stage.bind("main", None).is(403, "KeyVaultAuthenticationFailure");
    stage.assigns_role(ENCRYPTION_USER, &principal, &vault("kv1"));
    stage.bind("main", None).is(403, "KeyVaultAuthenticationFailure");
    stage.wait(2_500);
    stage.bind("main", None).ok();
    assert!(stage.readable());
    stage.arm("DELETE", &vault("kv1"), &Value::Null).ok();
    let mut recover = vault_body(&Value::Null);
    recover["properties"]["createMode"] = json!("recover");
    stage.arm("PUT", &vault("kv1"), &recover).ok();
    assert!(!stage.readable(), "the vault is back and its assignments are not");
}

#[test]
fn moving_a_vault_to_roles_shuts_out_who_has_only_a_policy() {
    let mut stage = Stage::new(Pace::instant());
    let principal = stage.has_bound_account();
    let to = |rbac: bool| json!({"properties": {"enableRbacAuthorization": rbac}});
    stage.arm("PATCH", &vault("kv1"), &to(true)).ok();
    assert!(!stage.readable());
    stage.assigns_role(ENCRYPTION_USER, &principal, &format!("{}/keys/main", vault("kv1")));
    assert!(stage.readable());
    stage.goes_on_as("Key Vault Contributor", &subscription());
    let refused = stage.arm("PATCH", &vault("kv1"), &to(false));
    refused.is(403, "InsufficientPermissions");
    assert!(refused.message().starts_with("Caller is not allowed to change permission model."), "{refused:?}");
    stage.arm("PATCH", &vault("kv1"), &to(true)).ok();
}
