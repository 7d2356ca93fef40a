//! Refusals against the sandbox: what Azure would have refused half way is refused before anything is sent.

use super::practice::{Practice, desired, example, text};
use cmk::apply::{Sight, StepOutcome, prepare};
use cmk::azure::{Azure, Call, Effect, Failure, Method, Service};
use cmk::plan::Plan;
use cmk::sandbox::{CALLER_OBJECT_ID, SUBSCRIPTIONS, TENANT, VAULT_SUFFIX};
use serde_json::{Value, json};
use std::time::Duration;

const GROUP: &str = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-quickstart";
const VAULTS: &str = "2026-02-01";
const ACCOUNTS: &str = "2025-06-01";

fn codes(plan: &Plan) -> Vec<&str> {
    plan.refusals.iter().map(|refusal| refusal.code).collect()
}

async fn send(azure: &Azure, method: Method, path: String, version: &str, body: Value) -> Result<Value, Failure> {
    let call = Call { thing: None, ..Call::send(method, Effect::Write, path, version, body) };
    Ok(azure.call(&call).await?.body)
}

async fn lock(practice: &Practice, scope: &str, level: &str) {
    let path = format!("{scope}/providers/Microsoft.Authorization/locks/no-changes");
    let body = json!({ "properties": { "level": level, "notes": "the audit is under way" } });
    send(&practice.azure(), Method::Put, path, "2020-05-01", body).await.expect("the owner may lock");
}

async fn unlock(practice: &Practice, scope: &str) {
    let path = format!("{scope}/providers/Microsoft.Authorization/locks/no-changes");
    send(&practice.azure(), Method::Delete, path, "2020-05-01", Value::Null).await.expect("the owner may unlock");
}

#[tokio::test(start_paused = true)]
async fn a_read_only_lock_refuses_the_plan_and_its_removal_lets_it_through() {
    let practice = Practice::new();
    let guide = example("guide.yaml");
    practice.converge(&example("guide-start.yaml")).await;
    let group = GROUP.replace("quickstart", "guide");
    lock(&practice, &group, "ReadOnly").await;
    let (locked, stats) = practice.plan(&guide).await;
    assert_eq!(codes(&locked), ["CMK215"], "{:#?}", locked.refusals);
    assert!(locked.refusals[0].detail.contains("the audit is under way"), "{:?}", locked.refusals[0]);
    assert_eq!(stats.writes_sent, 0);
    // What the lock forbids is refused by Azure itself: writing, and actions that hand out secrets.
    let account = format!("{group}/providers/Microsoft.Storage/storageAccounts/stguide");
    for (method, path) in [(Method::Patch, account.clone()), (Method::Post, format!("{account}/listKeys"))] {
        let failure = send(&practice.azure(), method, path, ACCOUNTS, json!({})).await.expect_err("it is locked");
        assert!(failure.is("ScopeLocked"), "{failure}");
        let text = format!(
            "The scope '{account}' cannot perform write operation because following scope(s) are locked: '{group}'. Please remove the lock and try again."
        );
        assert_eq!(failure.said.message, text);
        assert!(failure.help().unwrap().contains("az lock list"));
    }
    unlock(&practice, &group).await;
    lock(&practice, &group, "CanNotDelete").await;
    practice.converge(&guide).await;
    let failure =
        send(&practice.azure(), Method::Delete, account, ACCOUNTS, Value::Null).await.expect_err("it is locked");
    assert!(failure.is("ScopeLocked"), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn a_locked_estate_that_is_as_it_should_be_is_not_looked_at_more_than_any_other() {
    let practice = Practice::new();
    let quickstart = example("quickstart.yaml");
    practice.converge(&quickstart).await;
    lock(&practice, "/subscriptions/11111111-1111-1111-1111-111111111111", "ReadOnly").await;
    let (plan, stats) = practice.plan(&quickstart).await;
    assert!(plan.is_empty() && plan.is_complete() && plan.notes.is_empty(), "{plan:#?}");
    assert_eq!(stats.total(), 5, "{stats:?}");
}

/// An application that may do all in the group of the guide, and sees nothing of the subscription.
const LIMITED: &str = "
version: 1
groups: [{ subscription: 11111111-1111-1111-1111-111111111111, name: rg-guide, location: westeurope }]
accounts:
  - { subscription: 11111111-1111-1111-1111-111111111111, resourceGroup: rg-guide, name: stguide, location: westeurope }
applications:
  - { clientId: a0000000-0000-4000-8000-000000000001, objectId: b0000000-0000-4000-8000-000000000001, secret: s, name: limited }
assignments:
  - principal: b0000000-0000-4000-8000-000000000001
    role: Contributor
    scope: /subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-guide
";

#[tokio::test(start_paused = true)]
async fn locks_and_names_that_may_not_be_seen_are_told_with_the_permission_that_shows_them() {
    let practice = Practice::seeded(LIMITED);
    let azure = practice.azure_as("a0000000-0000-4000-8000-000000000001", "s");
    let (_, plan) =
        prepare(&example("guide.yaml"), &azure, Sight::Accounts).await.expect("what may not be seen is no failure");
    assert!(!plan.is_empty() && plan.refusals.is_empty(), "{plan:#?}");
    let notes: Vec<&str> = plan.notes.iter().map(|note| note.text.as_str()).collect();
    for permission in ["Microsoft.Authorization/locks/read", "Microsoft.KeyVault/checkNameAvailability/read"] {
        assert!(notes.iter().any(|note| note.contains(permission)), "{permission}: {notes:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn providers_that_are_not_registered_are_refused_at_no_further_request() {
    let verb = |provider: &str, verb: &str| {
        format!("/subscriptions/{}/providers/{provider}/{verb}?api-version=2021-04-01", SUBSCRIPTIONS[0])
    };
    let practice = Practice::seeded(&format!(
        "version: 1\nrequests:\n  - {{ method: POST, url: '{}' }}\n  - {{ method: POST, url: '{}' }}\n",
        verb("Microsoft.Storage", "unregister"),
        verb("Microsoft.KeyVault", "unregister"),
    ));
    let quickstart = example("quickstart.yaml");
    let (plan, stats) = practice.plan(&quickstart).await;
    assert_eq!(codes(&plan), ["CMK216", "CMK216"], "{:#?}", plan.refusals);
    assert!(plan.refusals[1].help.contains("az provider register --namespace Microsoft.Storage"), "{plan:#?}");
    // The group could still be made, so locks are looked at: the same eight requests as with providers.
    assert_eq!((stats.total(), stats.writes_sent), (8, 0), "{stats:?}");
    for provider in ["Microsoft.Storage", "Microsoft.KeyVault"] {
        let path = format!("/subscriptions/{}/providers/{provider}/register", SUBSCRIPTIONS[0]);
        send(&practice.azure(), Method::Post, path, "2021-04-01", json!({})).await.expect("the owner may register");
    }
    practice.converge(&quickstart).await;
}

/// Does something to a key in the vault itself, as its owner.
async fn in_vault(practice: &Practice, method: Method, path: &str, body: Option<Value>) -> Result<Value, Failure> {
    let host = format!("kv-quickstart.{VAULT_SUFFIX}");
    let call = Call::send(method, Effect::Write, path.to_owned(), "7.5", Value::Null);
    let call = Call { service: Service::KeyVault { host }, body, thing: None, ..call };
    Ok(practice.azure().call(&call).await?.body)
}

async fn own_the_vault(practice: &Practice) {
    let permissions = json!({ "keys": ["get", "list", "update", "delete", "recover", "rotate"] });
    let entry = json!({ "tenantId": TENANT, "objectId": CALLER_OBJECT_ID, "permissions": permissions });
    let path = format!("{GROUP}/providers/Microsoft.KeyVault/vaults/kv-quickstart/accessPolicies/add");
    let body = json!({ "properties": { "accessPolicies": [entry] } });
    send(&practice.azure(), Method::Put, path, VAULTS, body).await.expect("the owner may grant itself access");
    tokio::time::sleep(Duration::from_secs(120)).await;
}

/// The quickstart's vault with a second key, which no account uses.
fn with_a_spare_key() -> String {
    text("quickstart.yaml").replace("    keys:\n", "    keys:\n      spare: { create: {} }\n")
}

#[tokio::test(start_paused = true)]
async fn a_deleted_key_that_holds_the_name_is_refused_with_the_date_and_one_more_request() {
    let practice = Practice::new();
    let spec = desired(&with_a_spare_key());
    practice.converge(&spec).await;
    own_the_vault(&practice).await;
    in_vault(&practice, Method::Delete, "/keys/spare", None).await.expect("the owner may delete");
    tokio::time::sleep(Duration::from_secs(120)).await;
    let (plan, stats) = practice.plan(&spec).await;
    assert_eq!(codes(&plan), ["CMK212"], "{plan:#?}");
    let refusal = &plan.refusals[0];
    assert!(refusal.detail.contains("until 2026-"), "{refusal:?}");
    // Two audiences to sign in to, group, vault, account, two keys, and the deleted key.
    assert_eq!(stats.total(), 8, "{stats:?}");
    in_vault(&practice, Method::Post, "/deletedkeys/spare/recover", None).await.expect("the owner may recover");
    tokio::time::sleep(Duration::from_secs(120)).await;
    practice.converge(&spec).await;
}

#[tokio::test(start_paused = true)]
async fn a_key_is_made_where_deleted_ones_may_not_be_seen_and_that_is_told() {
    let practice = Practice::new();
    practice.converge(&example("quickstart.yaml")).await;
    let (plan, _) = practice.plan(&desired(&with_a_spare_key())).await;
    assert_eq!(plan.steps.len(), 1, "{plan:#?}");
    assert!(plan.notes[0].text.contains("for want of the vault's key permission `get`"), "{:?}", plan.notes);
    practice.converge(&desired(&with_a_spare_key())).await;
}

#[tokio::test(start_paused = true)]
async fn a_key_that_expires_soon_is_not_bound_to_and_one_in_use_is_left_alone() {
    let practice = Practice::new();
    let quickstart = example("quickstart.yaml");
    practice.converge(&quickstart).await;
    own_the_vault(&practice).await;
    let soon = practice.sandbox.now().0 / 1000 + 20 * 86_400;
    let body = json!({ "attributes": { "exp": soon } });
    in_vault(&practice, Method::Patch, "/keys/storage", Some(body)).await.expect("the owner may set the date");
    let (plan, _) = practice.plan(&quickstart).await;
    assert!(plan.is_empty() && plan.is_complete() && plan.notes.is_empty(), "{plan:#?}");
    let second =
        with_a_spare_key().replace("stquickstart:", "stsecond:").replace("name: stquickstart", "name: stsecond");
    let (plan, stats) = practice.plan(&desired(&second)).await;
    assert_eq!(codes(&plan), ["CMK217"], "{plan:#?}");
    assert_eq!(stats.writes_sent, 0);
}

#[tokio::test(start_paused = true)]
async fn what_an_azure_policy_forbids_is_told_with_the_policys_name() {
    let scope = format!("/subscriptions/{}", SUBSCRIPTIONS[0]);
    let seed = |rule: &str| {
        format!(
            "version: 1\npolicies: [{{ name: p1, displayName: Corporate storage rules, scope: {scope}, rule: {rule} }}]\n"
        )
    };
    let quickstart = example("quickstart.yaml");
    for (rule, definition) in [
        ("customerManagedKey", "Storage accounts should use customer-managed key for encryption"),
        ("allowedLocations, locations: [northeurope]", "Allowed locations"),
    ] {
        let practice = Practice::seeded(&seed(rule));
        let applied = practice.apply(&quickstart).await;
        let failed: Vec<&str> = applied
            .outcome
            .steps
            .iter()
            .filter_map(|(_, outcome)| match outcome {
                StepOutcome::Failed(text) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        let named = format!("the assignment `Corporate storage rules` (definition `{definition}`)");
        assert!(!failed.is_empty() && failed.iter().all(|text| text.contains(&named)), "{failed:#?}");
        assert!(failed.iter().all(|text| text.contains("CMK309")), "{failed:#?}");
    }
    Practice::seeded(&seed("noPublicBlobAccess")).converge(&quickstart).await;
    Practice::seeded(&seed("allowedLocations, locations: [West Europe]")).converge(&quickstart).await;
}
