//! Role definitions and role assignments.

use super::*;

const ENCRYPTION_USER: &str = "e147488a-f6f5-4113-8e2d-b22465e65bf6";
const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
const OTHER: &str = "99999999-9999-4999-8999-999999999999";
const FIRST: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const SECOND: &str = "aaaaaaaa-0000-4000-8000-000000000002";

fn subscription() -> String {
    format!("/subscriptions/{}", SUBSCRIPTIONS[0])
}

fn assignments(scope: &str) -> String {
    format!("{scope}/providers/Microsoft.Authorization/roleAssignments")
}

fn wanted(role: &str, principal: &str, kind: &str) -> Value {
    let role = format!("{}/providers/Microsoft.Authorization/roleDefinitions/{role}", subscription());
    let mut body = json!({"properties": {"roleDefinitionId": role, "principalId": principal}});
    if !kind.is_empty() {
        body["properties"]["principalType"] = json!(kind);
    }
    body
}

fn names(answer: Heard) -> Vec<String> {
    let body = answer.ok();
    body["value"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

impl Stage {
    fn assigns(&mut self, scope: &str, name: &str, body: &Value) -> Heard {
        self.arm("PUT", &format!("{}/{name}?api-version=2022-04-01", assignments(scope)), body)
    }

    fn role_get(&mut self, path: &str) -> Heard {
        let mark = if path.contains('?') { '&' } else { '?' };
        self.get(&format!("{path}{mark}api-version=2022-04-01"))
    }
}

#[test]
fn a_built_in_role_is_found_by_name_and_by_id() {
    let mut stage = Stage::new(Pace::instant());
    let roles = format!("{}/providers/Microsoft.Authorization/roleDefinitions", subscription());
    let filter = "$filter=roleName%20eq%20'Key%20Vault%20Crypto%20Service%20Encryption%20User'";
    let found = stage.role_get(&format!("{roles}?{filter}")).ok();
    let role = &found["value"][0];
    assert_eq!(role["name"], ENCRYPTION_USER);
    assert_eq!(role["id"], format!("{roles}/{ENCRYPTION_USER}"));
    assert_eq!(role["properties"]["permissions"][0]["dataActions"].as_array().unwrap().len(), 3);
    assert_eq!(stage.role_get(&format!("{roles}/{ENCRYPTION_USER}")).ok(), *role);
    let root = "/providers/Microsoft.Authorization/roleDefinitions";
    assert_eq!(stage.role_get(&format!("{root}/{ENCRYPTION_USER}")).ok()["id"], format!("{root}/{ENCRYPTION_USER}"));
    stage.role_get(&format!("{roles}/{OTHER}")).is(404, "RoleDefinitionDoesNotExist");
    assert!(names(stage.role_get(&roles)).len() > 10, "without a filter they are all shown");
}

#[test]
fn an_assignment_is_shown_with_nulls_and_the_put_does_not_say_who_made_it() {
    let mut stage = Stage::new(Pace::instant());
    let made = stage.assigns(&group("rg"), FIRST, &wanted(READER, OTHER, "ServicePrincipal"));
    assert_eq!(made.status, 201);
    let expected = json!({
        "id": format!("{}/{FIRST}", assignments(&group("rg"))), "name": FIRST,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "roleDefinitionId": format!("{}/providers/Microsoft.Authorization/roleDefinitions/{READER}", subscription()),
            "principalId": OTHER, "principalType": "ServicePrincipal", "scope": group("rg"),
            "condition": null, "conditionVersion": null, "description": null,
            "createdOn": "2027-01-15T08:00:00.0000000Z", "updatedOn": "2027-01-15T08:00:00.0000000Z",
            "createdBy": null, "updatedBy": CALLER_OBJECT_ID, "delegatedManagedIdentityResourceId": null,
        },
    });
    assert_eq!(made.body, expected);
    let path = format!("{}/{FIRST}", assignments(&group("rg")));
    let mut shown = stage.role_get(&path).ok();
    assert_eq!(shown["properties"]["createdBy"], CALLER_OBJECT_ID);
    shown["properties"]["createdBy"] = Value::Null;
    assert_eq!(shown, expected);
    let gone = stage.arm("DELETE", &format!("{path}?api-version=2022-04-01"), &Value::Null);
    assert_eq!((gone.status, &gone.body["name"]), (200, &json!(FIRST)));
    stage.role_get(&path).is(404, "RoleAssignmentNotFound");
    assert_eq!(stage.arm("DELETE", &format!("{path}?api-version=2022-04-01"), &Value::Null).status, 204);
}

#[test]
fn the_same_assignment_again_is_a_201_and_under_another_name_a_clash() {
    let mut stage = Stage::new(Pace::instant());
    let body = wanted(READER, OTHER, "ServicePrincipal");
    stage.assigns(&group("rg"), FIRST, &body).ok();
    let mut described = body.clone();
    described["properties"]["description"] = json!("for the audit");
    let again = stage.assigns(&group("rg"), FIRST, &described);
    assert_eq!((again.status, &again.body["properties"]["description"]), (201, &json!("for the audit")));
    stage.assigns(&group("rg"), SECOND, &body).is(409, "RoleAssignmentExists");
    let another = wanted(READER, TENANT, "ServicePrincipal");
    stage.assigns(&group("rg"), FIRST, &another).is(400, "RoleAssignmentUpdateNotPermitted");
    let another = wanted(ENCRYPTION_USER, OTHER, "ServicePrincipal");
    stage.assigns(&group("rg"), FIRST, &another).is(400, "RoleAssignmentUpdateNotPermitted");
}

#[test]
fn what_makes_no_sense_is_not_assigned() {
    let mut stage = Stage::new(Pace::instant());
    let rg = group("rg");
    stage.assigns(&rg, FIRST, &wanted(READER, "wow", "")).is(400, "InvalidPrincipalId");
    stage.assigns(&rg, FIRST, &wanted(OTHER, OTHER, "User")).is(400, "RoleDefinitionDoesNotExist");
    stage.assigns(&rg, "reader-for-all", &wanted(READER, OTHER, "User")).is(400, "InvalidRoleAssignmentId");
    stage.assigns(&rg, FIRST, &wanted(READER, OTHER, "Robot")).is(400, "BadRequestFormat");
    stage.assigns(&rg, FIRST, &wanted(READER, CALLER_OBJECT_ID, "User")).is(400, "UnmatchedPrincipalType");
    let mut elsewhere = wanted(READER, OTHER, "User");
    elsewhere["properties"]["scope"] = json!(subscription());
    stage.assigns(&rg, FIRST, &elsewhere).is(400, "InvalidCreateRoleAssignmentRequest");
    stage.assigns(&group("none"), FIRST, &wanted(READER, OTHER, "User")).is(404, "ResourceGroupNotFound");
    stage.assigns(&vault("kv1"), FIRST, &wanted(READER, OTHER, "User")).is(404, "ResourceNotFound");
    assert_eq!(names(stage.role_get(&assignments(&rg))), ["a551960e-0000-4000-8000-000000000001"]);
}

#[test]
fn a_principal_is_not_found_until_it_is_replicated_unless_its_kind_is_said() {
    let mut stage = Stage::new(Pace::practice());
    let made = stage.arm("PUT", &identity("id1"), &json!({"location": "westeurope"})).ok();
    let principal = made["properties"]["principalId"].as_str().unwrap().to_owned();
    let refused = stage.assigns(&group("rg"), FIRST, &wanted(READER, &principal, ""));
    refused.is(400, "PrincipalNotFound");
    let text = format!("Principal {} does not exist in the directory {TENANT}.", principal.replace('-', ""));
    assert!(refused.message().starts_with(&text), "{refused:?}");
    stage.assigns(&group("rg"), FIRST, &wanted(READER, &principal, "ServicePrincipal")).ok();
    stage.wait(1_999);
    stage.assigns(&subscription(), SECOND, &wanted(READER, &principal, "")).is(400, "PrincipalNotFound");
    stage.wait(1);
    let made = stage.assigns(&subscription(), SECOND, &wanted(READER, &principal, "")).ok();
    assert_eq!(made["properties"]["principalType"], "ServicePrincipal");
    stage.assigns(&group("rg"), SECOND, &wanted(READER, OTHER, "")).is(400, "PrincipalNotFound");
}

#[test]
fn a_list_shows_what_is_above_and_below_and_filters_choose() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    stage.assigns(&group("rg"), FIRST, &wanted(READER, OTHER, "User")).ok();
    stage.assigns(&vault("kv1"), SECOND, &wanted(READER, OTHER, "User")).ok();
    let owner = "a551960e-0000-4000-8000-000000000001";
    let mut list = |scope: &str, filter: &str| {
        let mut names = names(stage.role_get(&format!("{}?$filter={filter}", assignments(scope))));
        names.sort();
        names
    };
    assert_eq!(list(&subscription(), ""), [owner, FIRST, SECOND]);
    assert_eq!(list(&subscription(), "atScope()"), [owner]);
    assert_eq!(list(&group("rg"), "atScope()"), [owner, FIRST]);
    assert_eq!(list(&vault("kv1"), "atScope()"), [owner, FIRST, SECOND]);
    assert_eq!(list(&subscription(), &format!("principalId%20eq%20'{OTHER}'")), [FIRST, SECOND]);
    assert_eq!(list(&group("rg"), &format!("atScope()%20and%20assignedTo('{OTHER}')")), [FIRST]);
    let unknown = format!("{}?$filter=roleName%20ne%20'x'", assignments(&subscription()));
    stage.role_get(&unknown).is(400, "UnsupportedQuery");
}

#[test]
fn a_vault_that_is_deleted_and_recovered_has_lost_its_assignments() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    let key = format!("{}/keys/main", vault("kv1"));
    stage.assigns(&vault("kv1"), FIRST, &wanted(ENCRYPTION_USER, OTHER, "ServicePrincipal")).ok();
    stage.assigns(&key, SECOND, &wanted(ENCRYPTION_USER, OTHER, "ServicePrincipal")).ok();
    stage.arm("DELETE", &vault("kv1"), &Value::Null).ok();
    let mut recover = vault_body(&Value::Null);
    recover["properties"]["createMode"] = json!("recover");
    stage.arm("PUT", &vault("kv1"), &recover).ok();
    for scope in [vault("kv1"), key] {
        let filter = format!("principalId%20eq%20'{OTHER}'");
        assert_eq!(names(stage.role_get(&format!("{}?$filter={filter}", assignments(&scope)))), Vec::<String>::new());
    }
}

#[test]
fn a_star_covers_slashes_and_also_nothing_between_two_of_them() {
    let covers = crate::sandbox::roles::matches;
    assert!(covers("*/read", "Microsoft.Storage/storageAccounts/read"));
    assert!(covers("Microsoft.KeyVault/vaults/*/read", "microsoft.keyvault/vaults/read"));
    assert!(covers("Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/vaults/keys/versions/read"));
    assert!(covers("Microsoft.Authorization/*/Write", "Microsoft.Authorization/roleAssignments/write"));
    assert!(!covers("*/read", "Microsoft.Storage/storageAccounts/write"));
    assert!(!covers("Microsoft.KeyVault/*", "Microsoft.KeyVaults/vaults/read"));
}
