//! What clients ask for besides the resources themselves: lists, names, providers, regions and old versions.

use super::*;
use crate::sandbox::directory::SubscriptionState;

fn subscription(path: &str) -> String {
    format!("/subscriptions/{}/{path}", SUBSCRIPTIONS[0])
}

fn names(body: &Value) -> Vec<String> {
    body["value"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_thousand_accounts_are_listed_in_pages() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_account("st0000");
    // One is made as clients make it and the others after its image, to save the time.
    let image = stage.world.state.accounts["st0000"].clone();
    for number in 1..1_000 {
        let name = format!("st{number:04}");
        let another = crate::sandbox::account::Account { name: name.clone(), ..image.clone().into_inner() };
        stage.world.state.accounts.insert(name, another.into());
    }
    for path in [
        subscription("providers/Microsoft.Storage/storageAccounts"),
        group("rg") + "/providers/Microsoft.Storage/storageAccounts",
    ] {
        let mut page = stage.get(&path).ok();
        let mut seen = names(&page);
        let mut pages = 1;
        while let Some(link) = page["nextLink"].as_str().map(str::to_owned) {
            page = stage.at("GET", ARM_HOST, &link, &Value::Null).ok();
            seen.extend(names(&page));
            pages += 1;
        }
        assert_eq!((seen.len(), pages), (1_000, 4));
        assert!(seen.is_sorted());
    }
}

#[test]
fn the_name_of_a_deleted_account_is_held_for_its_subscription_for_a_while() {
    let mut stage = Stage::new(Pace::practice());
    let there = |path: String| path.replace(SUBSCRIPTIONS[0], SUBSCRIPTIONS[1]);
    stage.arm("PUT", &there(group("rg")), &json!({"location": "westeurope"})).ok();
    stage.has_account("st1");
    stage.arm("DELETE", &account("st1"), &Value::Null).ok();
    let check = there(subscription("providers/Microsoft.Storage/checkNameAvailability"));
    let wanted = json!({"name": "st1", "type": "Microsoft.Storage/storageAccounts"});
    assert_eq!(stage.arm("POST", &check, &wanted).ok()["nameAvailable"], false);
    stage.arm("PUT", &there(account("st1")), &account_body()).is(409, "StorageAccountAlreadyTaken");
    stage.wait(31_000);
    assert_eq!(stage.arm("POST", &check, &wanted).ok()["nameAvailable"], true);
    stage.arm("PUT", &there(account("st1")), &account_body()).ok();
}

#[test]
fn the_oldest_kind_of_account_has_fewer_services_and_no_tier() {
    let mut stage = Stage::new(Pace::instant());
    let mut body = account_body();
    body["kind"] = json!("Storage");
    body["sku"]["name"] = json!("Standard_RAGRS");
    stage.arm("PUT", &account("st1"), &body).ok();
    let properties = stage.get(&account("st1")).ok()["properties"].clone();
    assert!(properties.get("accessTier").is_none());
    assert_eq!(properties["primaryEndpoints"].as_object().unwrap().len(), 4);
    assert_eq!(properties["secondaryLocation"], "northeurope");
    assert!(properties["secondaryEndpoints"].get("file").is_none());
}

#[test]
fn older_versions_do_not_show_what_came_later() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_account("st1");
    let mut at =
        |version: &str| stage.get(&format!("{}?api-version={version}", account("st1"))).ok()["properties"].clone();
    let new = at("2025-06-01");
    assert_eq!((&new["networkAcls"]["ipv6Rules"], &new["allowCrossTenantDelegationSas"]), (&json!([]), &json!(false)));
    let old = at("2019-06-01");
    let later = ["keyCreationTime", "allowCrossTenantDelegationSas"].map(|name| old.get(name).is_some());
    assert_eq!((later, old["networkAcls"].get("ipv6Rules")), ([false, false], None));
}

#[test]
fn a_federated_application_needs_a_user_assigned_identity_and_is_shown_as_sent() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_bound_account();
    let application = "0b1ec71d-0000-4000-8000-00000000fede";
    let mut body = binding("main", None);
    body["properties"]["encryption"]["identity"] = json!({"federatedIdentityClientId": application});
    stage.arm("PATCH", &account("st1"), &body).is(400, "InvalidValuesForRequestParameters");
    let principal =
        stage.arm("PUT", &identity("id1"), &json!({"location": "westeurope"})).ok()["properties"]["principalId"]
            .clone();
    stage.grants(principal.as_str().unwrap()).ok();
    body["identity"] = json!({"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {identity("id1"): {}}});
    let wanted = json!({"federatedIdentityClientId": application, "userAssignedIdentity": identity("id1")});
    body["properties"]["encryption"]["identity"] = wanted.clone();
    assert_eq!(stage.arm("PATCH", &account("st1"), &body).ok()["properties"]["encryption"]["identity"], wanted);
}

#[test]
fn a_provider_can_be_unregistered_and_then_makes_nothing() {
    let mut stage = Stage::new(Pace::instant());
    let provider = |verb: &str| subscription(&format!("providers/Microsoft.KeyVault{verb}?api-version=2022-09-01"));
    assert_eq!(stage.get(&provider("")).ok()["registrationState"], "Registered");
    stage.arm("POST", &provider("/unregister"), &Value::Null).ok();
    let refused = stage.arm("PUT", &vault("kv1"), &vault_body(&json!([])));
    refused.is(409, "MissingSubscriptionRegistration");
    assert_eq!(refused.body["error"]["details"][0]["target"], "Microsoft.KeyVault");
    stage.get(&vault("kv1")).is(404, "ResourceNotFound");
    stage.arm("POST", &provider("/register"), &Value::Null).ok();
    stage.arm("PUT", &vault("kv1"), &vault_body(&json!([]))).ok();
    let list = stage.get(&subscription("providers?api-version=2022-09-01")).ok();
    let kinds = list["value"][1]["resourceTypes"].as_array().unwrap();
    assert!(kinds.iter().any(|kind| kind["resourceType"] == "vaults"), "{list}");
    stage.get(&subscription("providers/Microsoft.Compute?api-version=2022-09-01")).is(404, "InvalidResourceNamespace");
}

#[test]
fn resources_of_one_type_are_found_whatever_group_they_are_in() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    stage.has_account("st1");
    let filter = "resourceType%20eq%20'Microsoft.KeyVault/vaults'";
    let list = stage.get(&subscription(&format!("resources?api-version=2015-11-01&$filter={filter}"))).ok();
    assert_eq!(names(&list), ["kv1"]);
    assert!(list["value"][0].get("properties").is_none(), "this list tells little");
    let all = stage.get(&format!("{}/resources", group("rg"))).ok();
    assert_eq!(all["value"].as_array().unwrap().len(), 2);
    stage.get(&format!("{}/resources", group("other"))).is(404, "ResourceGroupNotFound");
    let odd = subscription("resources?api-version=2021-04-01&$filter=color%20eq%20'red'");
    stage.get(&odd).is(400, "InvalidFilterInQueryString");
}

#[test]
fn a_group_is_made_found_and_listed() {
    let mut stage = Stage::new(Pace::instant());
    assert_eq!(stage.arm("PUT", &group("two"), &json!({"location": "eastus"})).status, 201);
    assert_eq!(stage.arm("HEAD", &group("two"), &Value::Null).status, 204);
    assert_eq!(stage.arm("HEAD", &group("three"), &Value::Null).status, 404);
    assert_eq!(names(&stage.get(&subscription("resourcegroups")).ok()), ["rg", "two"]);
    let going = stage.arm("DELETE", &group("two"), &Value::Null);
    let link = going.header("location").to_owned();
    assert_eq!(stage.at("GET", ARM_HOST, &link, &Value::Null).status, 200);
    stage.get(&group("two")).is(404, "ResourceGroupNotFound");
}

#[test]
fn an_identity_is_made_listed_and_deleted_once() {
    let mut stage = Stage::new(Pace::instant());
    let body = json!({"location": "westeurope", "tags": {"team": "one"}});
    let made = stage.arm("PUT", &identity("id1"), &body);
    assert_eq!((made.status, &made.body["tags"]["team"]), (201, &json!("one")));
    assert_eq!(stage.arm("PUT", &identity("id1"), &body).status, 200);
    assert_eq!(stage.get(&identity("id1")).ok()["properties"], made.body["properties"]);
    let all = "providers/Microsoft.ManagedIdentity/userAssignedIdentities";
    assert_eq!(names(&stage.get(&subscription(all)).ok()), ["id1"]);
    assert_eq!(names(&stage.get(&format!("{}/{all}", group("rg"))).ok()), ["id1"]);
    assert_eq!(stage.arm("DELETE", &identity("id1"), &Value::Null).status, 200);
    assert_eq!(stage.arm("DELETE", &identity("id1"), &Value::Null).status, 204);
    stage.get(&identity("id1")).is(404, "ResourceNotFound");
}

#[test]
fn there_are_no_managed_hsms_and_none_can_be_made() {
    let mut stage = Stage::new(Pace::instant());
    let of_group = format!("{}/providers/Microsoft.KeyVault/managedHSMs", group("rg"));
    let kinds = ["managedHSMs", "deletedManagedHSMs"];
    let of_all = kinds.map(|kind| subscription(&format!("providers/Microsoft.KeyVault/{kind}")));
    for list in of_all.iter().chain([&of_group]) {
        assert_eq!(stage.get(list).ok()["value"], json!([]));
    }
    stage.arm("PUT", &format!("{of_group}/hsm1"), &json!({"location": "westeurope"})).is(404, "InvalidResourceType");
}

#[test]
fn regions_are_listed_with_the_names_that_people_know() {
    let mut stage = Stage::new(Pace::instant());
    let list = stage.get(&subscription("locations?api-version=2022-12-01")).ok();
    let shown = |name: &str| {
        let all = list["value"].as_array().unwrap();
        all.iter().find(|row| row["name"] == name).unwrap()["displayName"].as_str().unwrap().to_owned()
    };
    let some = ["westeurope", "germanywestcentral", "norwayeast", "eastus2", "newzealandnorth", "southafricanorth"];
    let wanted =
        ["West Europe", "Germany West Central", "Norway East", "East US 2", "New Zealand North", "South Africa North"];
    assert_eq!(some.map(shown), wanted);
}

#[test]
fn old_versions_tell_less_of_tenants_and_subscriptions() {
    let mut stage = Stage::new(Pace::instant());
    let tenant = stage.get("/tenants?api-version=2016-06-01").ok()["value"][0].clone();
    assert_eq!((tenant["tenantId"].as_str(), tenant.get("displayName")), (Some(TENANT), None));
    assert_eq!(stage.get("/tenants?api-version=2022-12-01").ok()["value"][0]["tenantCategory"], "Home");
    let old = stage.get("/subscriptions?api-version=2016-06-01").ok();
    assert_eq!((old["value"].as_array().unwrap().len(), old["value"][0].get("tenantId")), (2, None));
    let one = stage.get(&format!("/subscriptions/{}?api-version=2022-12-01", SUBSCRIPTIONS[1])).ok();
    assert_eq!((&one["tenantId"], &one["state"]), (&json!(TENANT), &json!("Enabled")));
}

#[test]
fn deleted_vaults_are_listed_in_pages_and_a_purge_takes_a_moment() {
    let mut stage = Stage::new(Pace::practice());
    for name in ["kv1", "kv2", "kv3"] {
        let mut body = vault_body(&json!([]));
        body["properties"].as_object_mut().unwrap().remove("enablePurgeProtection");
        stage.arm("PUT", &vault(name), &body).ok();
        stage.arm("DELETE", &vault(name), &Value::Null).ok();
    }
    let list = subscription("providers/Microsoft.KeyVault/deletedVaults?api-version=2024-11-01&$top=2");
    let first = stage.get(&list).ok();
    assert_eq!(names(&first), ["kv1", "kv2"]);
    let second = stage.at("GET", ARM_HOST, first["nextLink"].as_str().unwrap(), &Value::Null).ok();
    assert_eq!((names(&second), second.get("nextLink")), (vec!["kv3".to_owned()], None));
    let purge = subscription("providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv1/purge");
    let begun = stage.arm("POST", &purge, &Value::Null);
    assert_eq!((begun.status, begun.header("retry-after")), (202, "5"));
    let link = begun.header("location").to_owned();
    let early = stage.at("GET", ARM_HOST, &link, &Value::Null);
    assert_eq!(
        (early.status, &early.body["status"], early.header("location")),
        (202, &json!("NotStarted"), link.as_str())
    );
    stage.wait(1_000);
    assert_eq!(stage.at("GET", ARM_HOST, &link, &Value::Null).ok()["status"], "Succeeded");
    let other = subscription("providers/Microsoft.KeyVault/locations/westeurope/operationResults/none");
    stage.get(&other).is(404, "OperationNotFound");
}

#[test]
fn in_a_disabled_subscription_things_can_be_looked_at_and_deleted_only() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_account("st1");
    stage.world.state.directory.subscriptions[0].state = SubscriptionState::Disabled;
    let shown = stage.get(&format!("/subscriptions/{}", SUBSCRIPTIONS[0])).ok();
    assert_eq!(shown["state"], "Disabled");
    assert_eq!(stage.get(&account("st1")).ok()["name"], "st1");
    stage.arm("PUT", &account("st2"), &account_body()).is(409, "ReadOnlyDisabledSubscription");
    stage.arm("PATCH", &account("st1"), &json!({"tags": {}})).is(409, "ReadOnlyDisabledSubscription");
    assert_eq!(stage.arm("DELETE", &account("st1"), &Value::Null).status, 200);
}
