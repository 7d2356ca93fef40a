//! Who uses a key is found over whole subscriptions, in the spec or not, and what could not be seen is told.

use super::practice::{Practice, desired, example, text};
use cmk::azure::{Call, Effect, Method};
use cmk::model::{KeyUsers, SubscriptionId, Version};
use cmk::report::{Scene, human};
use cmk::sandbox::{self, Fault, Mishap};
use serde_json::json;

const VERSION: &str = "2023-05-01";

fn subscription(at: usize) -> SubscriptionId {
    SubscriptionId::parse(sandbox::SUBSCRIPTIONS[at]).expect("a GUID")
}

async fn users(practice: &Practice, subscriptions: &[SubscriptionId]) -> KeyUsers {
    let azure = practice.azure();
    let host = azure.cloud().vault_host(&cmk::model::VaultName::parse("kv-quickstart").expect("a name"));
    cmk::observe::users(&azure, &host, "STORAGE", subscriptions).await.expect("it can be looked at")
}

fn names(found: &KeyUsers) -> Vec<String> {
    let scope = |scope: &Option<String>| scope.as_ref().map(|name| format!("/{name}")).unwrap_or_default();
    found.users.iter().map(|user| format!("{}{}", user.account.name, scope(&user.scope))).collect()
}

/// Puts an encryption scope of its own under the key of the quickstart.
async fn scope(practice: &Practice, name: &str) {
    let account = format!(
        "/subscriptions/{}/resourceGroups/rg-quickstart/providers/Microsoft.Storage/storageAccounts/stquickstart",
        sandbox::SUBSCRIPTIONS[0]
    );
    let key = format!("https://kv-quickstart.{}/keys/storage", sandbox::VAULT_SUFFIX);
    let body = json!({ "properties": { "source": "Microsoft.KeyVault", "keyVaultProperties": { "keyUri": key } } });
    let call = Call::send(Method::Put, Effect::Write, format!("{account}/encryptionScopes/{name}"), VERSION, body);
    practice.azure().call(&call).await.expect("the scope is made");
}

#[tokio::test(start_paused = true)]
async fn accounts_and_scopes_are_found_whether_a_spec_names_them_or_not() {
    let practice = Practice::new();
    practice.converge(&example("quickstart.yaml")).await;
    scope(&practice, "payroll").await;
    let found = users(&practice, &[subscription(0), subscription(1)]).await;
    assert_eq!(names(&found), ["stquickstart", "stquickstart/payroll"]);
    assert!(found.unseen.is_empty(), "{:?}", found.unseen);
    let (account, scope) = (&found.users[0], &found.users[1]);
    assert!(account.pinned.is_some() && scope.pinned.is_none());
    let other = Version::parse(&"f".repeat(32)).expect("32 digits");
    assert!(!account.may_use(&other), "it is pinned to another version");
    assert!(account.may_use(account.pinned.as_ref().expect("pinned")));
}

#[tokio::test(start_paused = true)]
async fn another_key_has_no_users_and_costs_no_look_at_scopes_of_accounts_without_identity() {
    let practice = Practice::new();
    practice.converge(&example("quickstart.yaml")).await;
    let azure = practice.azure();
    let found = cmk::observe::users(&azure, "kv-other.vault.azure.net", "storage", &[subscription(0)]).await;
    assert!(found.expect("it can be looked at").users.is_empty());
    let requests: u64 = azure.stats().requests.values().flat_map(|methods| methods.values()).sum();
    assert_eq!(requests, 3, "a sign-in, a list of accounts, the scopes of one account");
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_cannot_be_seen_is_told_and_not_taken_for_empty() {
    let practice = Practice::new();
    practice.converge(&example("quickstart.yaml")).await;
    let hidden = SubscriptionId::parse("99999999-9999-9999-9999-999999999999").expect("a GUID");
    let found = users(&practice, &[hidden.clone(), subscription(0)]).await;
    assert_eq!(names(&found), ["stquickstart"]);
    assert_eq!(found.unseen.len(), 1);
    assert!(found.unseen[0].what.contains(hidden.as_str()), "{:?}", found.unseen);
    assert_eq!(found.unseen[0].permission, "Microsoft.Storage/storageAccounts/read");
}

/// The plan for a second account under the key of the quickstart; the first is not in this spec.
async fn second(practice: &Practice) -> cmk::plan::Plan {
    let spec = text("quickstart.yaml").replace("stquickstart", "stsecond");
    practice.plan(&desired(&spec)).await.0
}

#[tokio::test(start_paused = true)]
async fn a_plan_names_accounts_outside_of_the_spec_that_are_under_the_same_vault() {
    let practice = Practice::new();
    let fresh = second(&practice).await;
    assert!(fresh.review.radius.unseen.is_empty(), "a vault that is not there has no users: {:?}", fresh.review.radius);
    practice.converge(&example("quickstart.yaml")).await;
    let plan = second(&practice).await;
    let radius = &plan.review.radius;
    let outside: Vec<&str> = radius.outsiders.iter().map(|id| id.name.as_str()).collect();
    assert_eq!(outside, ["stquickstart"]);
    assert!(radius.unseen.iter().all(|text| text.contains("encryption scopes")), "{:?}", radius.unseen);
    let text = human::plan(&plan, &Scene { cloud: "sandbox".to_owned(), sandbox_file: None }, false);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("stquickstart (not in the spec, group rg-quickstart)"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn that_accounts_outside_of_the_spec_may_not_be_listed_is_said_and_stops_nothing() {
    let practice = Practice::new();
    practice.converge(&example("quickstart.yaml")).await;
    let mishap = Mishap::error(403, "AuthorizationFailed", "The client may not.");
    let path = "/providers/Microsoft.Storage/storageAccounts".to_owned();
    practice.sandbox.inject(Fault { method: Some("GET"), path, after: 1, times: 1, mishap });
    let plan = second(&practice).await;
    assert!(!plan.steps.is_empty() && plan.blind_spots.is_empty(), "{:?}", plan.blind_spots);
    let unseen = plan.review.radius.unseen.join("; ");
    assert!(unseen.contains("Microsoft.Storage/storageAccounts/read would show them"), "{unseen}");
}
