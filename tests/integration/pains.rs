//! The troubles that people have had with customer-managed keys in other tools, each by name, and that they end here.

use super::practice::{Practice, cloud, desired, example, text};
use cmk::apply::{Sight, prepare, previews};
use cmk::azure::{Call, Effect, Method, Service};
use cmk::plan::{Action, Plan, RiskClass};
use cmk::sandbox::{CALLER_OBJECT_ID, Fault, Mishap, SUBSCRIPTIONS, TENANT, VAULT_SUFFIX};
use serde_json::{Value, json};
use std::time::Duration;

const VAULTS: &str = "2026-02-01";
const ACCOUNTS: &str = "2025-06-01";
const DAY: Duration = Duration::from_secs(86_400);

const ACCOUNT: &str = "Microsoft.Storage/storageAccounts/stquickstart";
const VAULT: &str = "Microsoft.KeyVault/vaults/kv-quickstart";

/// Somebody else, at work in the group of the quickstart through Resource Manager.
async fn arm(practice: &Practice, method: Method, thing: &str, version: &str, body: Value) -> Value {
    let path = format!("/subscriptions/{}/resourceGroups/rg-quickstart/providers/{thing}", SUBSCRIPTIONS[0]);
    let call = Call { thing: None, ..Call::send(method, Effect::Write, path, version, body) };
    practice.azure().call(&call).await.expect("the owner may do it").body
}

async fn seen(practice: &Practice, thing: &str, version: &str) -> Value {
    let path = format!("/subscriptions/{}/resourceGroups/rg-quickstart/providers/{thing}", SUBSCRIPTIONS[0]);
    practice.azure().call(&Call { thing: None, ..Call::get(path, version) }).await.expect("it is there").body
}

/// The owner of the quickstart's vault, at work in the vault itself.
async fn in_vault(practice: &Practice, method: Method, path: &str, body: Option<Value>) {
    let permissions = json!({ "keys": ["get", "list", "update", "delete", "recover", "rotate"] });
    let entry = json!({ "tenantId": TENANT, "objectId": CALLER_OBJECT_ID, "permissions": permissions });
    let grant = json!({ "properties": { "accessPolicies": [entry] } });
    arm(practice, Method::Put, &format!("{VAULT}/accessPolicies/add"), VAULTS, grant).await;
    tokio::time::sleep(Duration::from_secs(120)).await;
    let host = format!("kv-quickstart.{VAULT_SUFFIX}");
    let call = Call::send(method, Effect::Write, path.to_owned(), "7.5", Value::Null);
    let call = Call { service: Service::KeyVault { host }, body, thing: None, ..call };
    practice.azure().call(&call).await.expect("the owner of the vault may do it");
}

/// Takes the account's own entry out of the vault's access policies, as a security team does in an emergency.
async fn take_access(practice: &Practice) {
    let principal = seen(practice, ACCOUNT, ACCOUNTS).await["identity"]["principalId"].clone();
    let entry = json!({ "tenantId": TENANT, "objectId": principal, "permissions": { "keys": ["get", "wrapKey", "unwrapKey", "recover"] } });
    let body = json!({ "properties": { "accessPolicies": [entry] } });
    arm(practice, Method::Put, &format!("{VAULT}/accessPolicies/remove"), VAULTS, body).await;
    tokio::time::sleep(Duration::from_secs(900)).await;
}

fn codes(plan: &Plan) -> Vec<&str> {
    plan.refusals.iter().map(|refusal| refusal.code).collect()
}

fn ids(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.id.0.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_tool_that_wants_to_remove_cmk_on_every_plan() {
    let practice = Practice::new();
    practice.converge(&example("quickstart.yaml")).await;
    let spec = text("quickstart.yaml");
    let silent = &spec[..spec.find("    encryption:").expect("the example has one")];
    let (plan, stats) = practice.plan(&desired(silent)).await;
    assert!(plan.is_empty() && plan.is_complete(), "leaving it out orders nothing: {:?}", ids(&plan));
    assert_eq!(stats.writes_sent, 0);
}

#[tokio::test(start_paused = true)]
async fn key_vault_authentication_failure_after_a_fresh_role_assignment() {
    let practice = Practice::new();
    let applied = practice.converge(&example("rbac.yaml")).await;
    let refused = applied.stats.writes_sent - applied.stats.writes_succeeded;
    assert!(refused > 0, "the sandbox is as slow as Azure: some bindings were refused at first");
    assert!(applied.outcome.waits.iter().any(|(what, _)| what.starts_with("Azure honours the grant")));
}

#[tokio::test(start_paused = true)]
async fn the_vault_update_that_wipes_access_policies() {
    let practice = Practice::new();
    let open = text("quickstart.yaml").replace("    purgeProtection: true\n", "");
    let vault_alone = &open[..open.find("accounts:").expect("the example has some")];
    practice.converge(&desired(vault_alone)).await;
    let team = "99999999-0000-4000-8000-000000000009";
    let entry =
        json!({ "tenantId": TENANT, "objectId": team, "permissions": { "keys": ["sign"], "secrets": ["get"] } });
    let body = json!({ "properties": { "accessPolicies": [entry] } });
    arm(&practice, Method::Put, &format!("{VAULT}/accessPolicies/add"), VAULTS, body).await;
    let applied = practice.converge(&example("quickstart.yaml")).await;
    assert!(ids(&applied.plan).contains(&"protection/kv-quickstart"), "{:?}", ids(&applied.plan));
    let vault = seen(&practice, VAULT, VAULTS).await;
    let entries = vault["properties"]["accessPolicies"].as_array().expect("a list").clone();
    let theirs = entries.iter().find(|entry| entry["objectId"] == team).expect("their entry is still there");
    assert_eq!(theirs["permissions"]["secrets"], json!(["get"]));
    assert_eq!(vault["properties"]["enablePurgeProtection"], true);
}

#[tokio::test(start_paused = true)]
async fn enable_purge_protection_false() {
    let practice = Practice::new();
    let open = text("quickstart.yaml").replace("purgeProtection: true", "purgeProtection: false");
    let vault_alone = desired(&open[..open.find("accounts:").expect("the example has some")]);
    let (observed, plan) =
        prepare(&vault_alone, &practice.azure(), Sight::Accounts).await.expect("it can be looked at");
    let all = previews(&plan, &observed, &cloud()).expect("all can be named");
    let vault = all.iter().find(|one| one.url.contains("/vaults/kv-quickstart?")).expect("the vault is made");
    let properties = vault.body.as_ref().expect("a body")["properties"].clone();
    assert!(properties.get("enablePurgeProtection").is_none(), "Azure refuses `false`: {properties}");
    practice.converge(&vault_alone).await;
}

#[tokio::test(start_paused = true)]
async fn the_name_held_by_a_soft_deleted_vault() {
    let practice = Practice::new();
    let spec = text("quickstart.yaml");
    let vault_alone = desired(&spec[..spec.find("accounts:").expect("the example has some")]);
    practice.converge(&vault_alone).await;
    arm(&practice, Method::Delete, VAULT, VAULTS, Value::Null).await;
    let (plan, stats) = practice.plan(&vault_alone).await;
    assert_eq!(codes(&plan), ["CMK203"], "{:#?}", plan.refusals);
    assert!(plan.refusals[0].detail.contains("until 2026-"), "it says until when: {:?}", plan.refusals);
    assert!(plan.refusals[0].help.contains("recover: true"), "and the way out: {:?}", plan.refusals);
    assert_eq!(stats.writes_sent, 0);
}

#[tokio::test(start_paused = true)]
async fn moving_off_a_vault_that_was_deleted() {
    let practice = Practice::new();
    practice.converge(&example("quickstart.yaml")).await;
    arm(&practice, Method::Delete, VAULT, VAULTS, Value::Null).await;
    let (plan, stats) = practice.plan(&example("quickstart.yaml")).await;
    assert!(codes(&plan).contains(&"CMK211"), "{:#?}", plan.refusals);
    let lost = plan.refusals.iter().find(|refusal| refusal.code == "CMK211").expect("just seen");
    assert!(lost.help.contains("az keyvault recover --name kv-quickstart"), "{lost:?}");
    assert_eq!(stats.writes_sent, 0, "no other vault takes its name, and its old key stays recoverable");
}

#[tokio::test(start_paused = true)]
async fn the_stale_version_after_rotation() {
    let practice = Practice::new();
    practice.converge(&example("quickstart.yaml")).await;
    let before = practice.plan(&example("quickstart.yaml")).await.0;
    assert!(before.is_empty());
    in_vault(&practice, Method::Post, "/keys/storage/rotate", None).await;
    let applied = practice.converge(&example("quickstart.yaml")).await;
    assert_eq!(ids(&applied.plan), ["encryption/stquickstart"], "the pin is stale, and only that is mended");
    let account = seen(&practice, ACCOUNT, ACCOUNTS).await;
    let pinned = account["properties"]["encryption"]["keyvaultproperties"]["keyversion"].as_str().expect("pinned");
    let used = account["properties"]["encryption"]["keyvaultproperties"]["currentVersionedKeyIdentifier"].as_str();
    assert!(used.is_some_and(|id| id.ends_with(pinned)), "read back: {account}");
}

#[tokio::test(start_paused = true)]
async fn the_plan_that_dies_of_a_403() {
    let practice = Practice::new();
    practice.converge(&example("shared-key.yaml")).await;
    let mishap = Mishap::error(403, "AuthorizationFailed", "The client may not.");
    let path = "/vaults/".to_owned();
    practice.sandbox.inject(Fault { method: Some("GET"), path, after: 0, times: 1, mishap });
    let (plan, _) = practice.plan(&example("shared-key.yaml")).await;
    assert!(plan.is_empty() && plan.refusals.is_empty(), "{:?}", ids(&plan));
    let permissions: Vec<_> = plan.blind_spots.iter().filter_map(|spot| spot.permission.as_deref()).collect();
    assert!(permissions.contains(&"Microsoft.KeyVault/vaults/read"), "{:#?}", plan.blind_spots);
}

#[tokio::test(start_paused = true)]
async fn key_creation_through_a_closed_firewall() {
    let practice = Practice::new();
    let spec = text("quickstart.yaml");
    let group = &spec[..spec.find("vaults:").expect("the example has some")];
    practice.converge(&desired(group)).await;
    let closed = json!({ "location": "westeurope", "properties": {
        "tenantId": TENANT, "sku": { "family": "A", "name": "standard" }, "accessPolicies": [],
        "enableRbacAuthorization": false, "enablePurgeProtection": true,
        "networkAcls": { "defaultAction": "Deny", "bypass": "AzureServices" },
    } });
    arm(&practice, Method::Put, VAULT, VAULTS, closed).await;
    tokio::time::sleep(Duration::from_secs(120)).await;
    let applied = practice.converge(&example("quickstart.yaml")).await;
    assert!(ids(&applied.plan).contains(&"key/kv-quickstart/storage"), "the key is made through Resource Manager");
    let vault = seen(&practice, VAULT, VAULTS).await;
    assert_eq!(vault["properties"]["networkAcls"]["defaultAction"], "Deny", "and the door stays closed");
}

#[tokio::test(start_paused = true)]
async fn account_busy_for_minutes_after_a_200() {
    let practice = Practice::prompt();
    practice.converge(&example("guide-start.yaml")).await;
    let mishap = Mishap::error(
        409,
        "StorageAccountOperationInProgress",
        "An operation is currently performing on this storage account that requires exclusive access.",
    );
    let path = "/storageAccounts/stguide".to_owned();
    practice.sandbox.inject(Fault { method: Some("PATCH"), path, after: 1, times: 6, mishap });
    let applied = practice.converge(&example("guide.yaml")).await;
    let busy = applied.outcome.waits.iter().find(|(what, _)| what.ends_with("is no longer busy"));
    assert!(busy.is_some_and(|(_, waited)| waited.as_secs() >= 20), "{:?}", applied.outcome.waits);
}

#[tokio::test(start_paused = true)]
async fn infrastructure_encryption_that_must_be_echoed() {
    let practice = Practice::new();
    let spec = text("quickstart.yaml");
    let group = &spec[..spec.find("vaults:").expect("the example has some")];
    practice.converge(&desired(group)).await;
    let account = json!({ "location": "westeurope", "sku": { "name": "Standard_LRS" }, "kind": "StorageV2",
        "properties": { "encryption": { "keySource": "Microsoft.Storage", "requireInfrastructureEncryption": true } } });
    arm(&practice, Method::Put, ACCOUNT, ACCOUNTS, account).await;
    tokio::time::sleep(Duration::from_secs(120)).await;
    practice.converge(&example("quickstart.yaml")).await;
    let account = seen(&practice, ACCOUNT, ACCOUNTS).await;
    assert_eq!(account["properties"]["encryption"]["requireInfrastructureEncryption"], true);
    assert_eq!(account["properties"]["encryption"]["keySource"], "Microsoft.Keyvault");
}

#[tokio::test(start_paused = true)]
async fn endless_diff_for_a_vault_in_another_subscription() {
    let practice = Practice::new();
    practice.converge(&example("two-subscriptions.yaml")).await;
    for _ in 0..3 {
        let again = practice.apply(&example("two-subscriptions.yaml")).await;
        assert!(again.plan.is_empty() && again.plan.is_complete(), "{:?}", ids(&again.plan));
        assert_eq!(again.stats.writes_sent, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_expired_key_that_looks_like_an_authentication_failure() {
    let practice = Practice::new();
    practice.converge(&example("quickstart.yaml")).await;
    let end = practice.sandbox.now().0 / 1000 + 40 * 86_400;
    let body = json!({ "attributes": { "exp": end } });
    in_vault(&practice, Method::Patch, "/keys/storage", Some(body)).await;
    tokio::time::sleep(41 * DAY).await;
    let (plan, _) = practice.plan(&example("quickstart.yaml")).await;
    assert!(plan.is_empty() && plan.refusals.is_empty(), "a bound account reads on: {:#?}", plan.refusals);
    let second = desired(&text("quickstart.yaml").replace("stquickstart", "stsecond"));
    let (plan, stats) = practice.plan(&second).await;
    assert_eq!(codes(&plan), ["CMK207"], "{:#?}", plan.refusals);
    assert!(plan.refusals[0].detail.contains("has expired"), "it says so: {:?}", plan.refusals);
    assert_eq!(stats.writes_sent, 0, "nothing is tried that would fail with another name");
}

#[tokio::test(start_paused = true)]
async fn ci_that_regrants_what_security_has_just_revoked() {
    let practice = Practice::new();
    practice.converge(&example("quickstart.yaml")).await;
    take_access(&practice).await;
    let (plan, _) = practice.plan(&example("quickstart.yaml")).await;
    let grant = plan.steps.iter().find(|step| matches!(step.action, Action::Grant { .. })).expect("what is missing");
    assert_eq!(grant.gravest(), RiskClass::Reopening, "{grant:#?}");
    let asks: Vec<RiskClass> = plan.asks().iter().map(|ask| ask.what.class).collect();
    assert!(asks.contains(&RiskClass::Reopening), "the operator is asked: {asks:?}");
    let applied = practice.apply(&example("quickstart.yaml")).await;
    assert!(!applied.outcome.is_good() && applied.stats.writes_sent == 0, "an ordinary apply gives nothing back");
}

/// The quickstart without its account, with these wishes for its key.
fn key_alone(wishes: &str) -> cmk::model::Desired {
    let spec = with_wishes(wishes);
    desired(&spec[..spec.find("accounts:").expect("the example has some")])
}

/// The quickstart's text, with these wishes for its key.
fn with_wishes(wishes: &str) -> String {
    let (spec, create) = (text("quickstart.yaml"), "create: { type: RSA, size: 2048 }");
    assert!(spec.contains(create), "the example makes its key");
    spec.replace(create, &format!("{create}\n        {wishes}"))
}

#[tokio::test(start_paused = true)]
async fn a_tag_edit_that_re_enables_a_disabled_key() {
    let practice = Practice::new();
    practice.converge(&key_alone("")).await;
    in_vault(&practice, Method::Patch, "/keys/storage", Some(json!({ "tags": { "owner": "them" } }))).await;
    in_vault(&practice, Method::Patch, "/keys/storage", Some(json!({ "attributes": { "enabled": false } }))).await;
    let applied = practice.converge(&key_alone("tags: { team: pay }")).await;
    assert_eq!(ids(&applied.plan), ["marks/kv-quickstart/storage"]);
    let key = seen(&practice, &format!("{VAULT}/keys/storage"), VAULTS).await;
    assert_eq!(key["properties"]["attributes"]["enabled"], false, "it is as disabled as before");
    assert_eq!(key["tags"], json!({ "owner": "them", "team": "pay" }));
}

#[tokio::test(start_paused = true)]
async fn an_old_version_disabled_too_soon() {
    let practice = Practice::new();
    let wanted = desired(&with_wishes("retireOldVersions: P1D"));
    practice.converge(&wanted).await;
    in_vault(&practice, Method::Post, "/keys/storage/rotate", None).await;
    // The account moves to the new version; the old one is left alone for a day at least.
    let moved = practice.converge(&wanted).await;
    assert_eq!(ids(&moved.plan), ["encryption/stquickstart"]);
    tokio::time::sleep(Duration::from_secs(86_340)).await;
    let (early, stats) = practice.plan(&wanted).await;
    assert!(early.is_empty(), "{:?}", ids(&early));
    assert_eq!(stats.writes_sent, 0);
    assert!(early.notes.iter().any(|note| note.text.contains("it waits until")), "{:?}", early.notes);
    tokio::time::sleep(Duration::from_secs(120)).await;
    let retired = practice.converge(&wanted).await;
    assert_eq!(retired.plan.steps.len(), 1);
    assert!(matches!(&retired.plan.steps[0].action, Action::DisableVersion { retired_after: Some(_), .. }));
}

/// Between the plan and the step, somebody whom the spec does not name comes under the version that is to go.
#[tokio::test(start_paused = true)]
async fn an_old_version_that_somebody_needs_since_the_plan_was_made() {
    let practice = Practice::new();
    let wanted = desired(&with_wishes("retireOldVersions: P1D"));
    practice.converge(&wanted).await;
    let old = seen(&practice, ACCOUNT, ACCOUNTS).await["properties"]["encryption"]["keyvaultproperties"].clone();
    in_vault(&practice, Method::Post, "/keys/storage/rotate", None).await;
    practice.converge(&wanted).await;
    tokio::time::sleep(DAY * 2).await;
    let azure = practice.azure();
    let (observed, plan) = prepare(&wanted, &azure, Sight::Accounts).await.expect("it can be looked at");
    assert!(matches!(&plan.steps[0].action, Action::DisableVersion { .. }), "{:?}", ids(&plan));

    let properties = json!({
        "keyvaulturi": old["keyvaulturi"], "keyname": old["keyname"], "keyversion": old["keyversion"],
    });
    let encryption = json!({ "keySource": "Microsoft.Keyvault", "keyvaultproperties": properties });
    let back = json!({ "properties": { "encryption": encryption } });
    arm(&practice, Method::Patch, ACCOUNT, ACCOUNTS, back).await;
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let accepted = cmk::plan::Accepted::named(vec![]);
    let budgets = cmk::apply::Budgets::default();
    let settings = cmk::apply::Settings {
        concurrency: 8,
        budgets,
        run_id: uuid::Uuid::nil(),
        accepted,
        materials: cmk::material::Materials::default(),
    };
    let outcome = cmk::apply::apply(&plan, &wanted, observed, &azure, &settings, stop, &mut |_| {}).await;
    let (_, ended) = &outcome.steps[0];
    assert_eq!(ended.as_str(), "blocked", "{ended:?}");
    assert!(ended.detail().contains("is still under it"), "{ended:?}");
    assert_eq!(azure.stats().writes_sent, 0);
}
