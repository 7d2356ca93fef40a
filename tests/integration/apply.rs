//! Whole runs: spec to plan to steps to a second, empty plan, against the sandbox in virtual time.

use super::practice::{Applied, Practice, comes_first, desired, example};
use cmk::apply::{Event, StepOutcome};
use cmk::azure::{Call, Effect, Method};
use cmk::plan::{Action, Plan};
use cmk::sandbox::{Fault, Mishap};
use serde_json::{Value, json};

fn ids(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.id.0.as_str()).collect()
}

fn names(applied: &Applied) -> Vec<(&str, &str)> {
    applied.outcome.steps.iter().map(|(id, outcome)| (id.0.as_str(), outcome.as_str())).collect()
}

const GROUP: &str = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-quickstart";

fn vault_path() -> String {
    format!("{GROUP}/providers/Microsoft.KeyVault/vaults/kv-quickstart")
}

/// What another team does, by hand, through ARM.
async fn by_hand(practice: &Practice, method: Method, path: String, api_version: &str, body: Value) -> Value {
    let call = Call::send(method, Effect::Write, path, api_version, body);
    practice.azure().call(&call).await.expect("the other team's request is taken").body
}

async fn vault_now(practice: &Practice) -> Value {
    practice.azure().call(&Call::get(vault_path(), "2026-02-01")).await.expect("the vault is there").body
}

#[tokio::test(start_paused = true)]
async fn the_quickstart_is_done_with_six_writes_and_then_there_is_nothing_to_do() {
    let practice = Practice::new();
    let quickstart = example("quickstart.yaml");
    let applied = practice.converge(&quickstart).await;
    assert_eq!(ids(&applied.plan).len(), 6, "{:?}", ids(&applied.plan));
    assert_eq!(applied.stats.writes_succeeded, 6);
    assert!(applied.outcome.steps.iter().all(|(_, outcome)| *outcome == StepOutcome::Done));

    let again = practice.apply(&quickstart).await;
    assert!(again.plan.is_empty());
    assert_eq!(again.stats.writes_sent, 0);
}

#[tokio::test(start_paused = true)]
async fn planning_the_quickstart_takes_few_requests() {
    let practice = Practice::new();
    let quickstart = example("quickstart.yaml");
    let (_, first) = practice.plan(&quickstart).await;
    // Signing in, six looks, and the locks, which only a plan with steps has use for.
    assert_eq!(first.total(), 8, "{first:?}");
    practice.converge(&quickstart).await;
    let (_, converged) = practice.plan(&quickstart).await;
    assert_eq!(converged.total(), 5, "{converged:?}");
}

#[tokio::test(start_paused = true)]
async fn the_account_reads_its_data_through_the_key_afterwards() {
    let practice = Practice::new();
    practice.converge(&example("quickstart.yaml")).await;
    let now = practice.sandbox.now();
    let truth = practice.sandbox.world(|world| world.truth(now, "stquickstart"));
    assert!(truth.readable, "{}", truth.why);
}

#[tokio::test(start_paused = true)]
async fn every_request_is_counted_once_as_the_sandbox_counts_them() {
    let practice = Practice::new();
    let applied = practice.apply(&example("quickstart.yaml")).await;
    let counts = practice.sandbox.world(|world| world.counts().clone());
    assert_eq!(applied.stats.requests, counts.requests);
    assert_eq!(applied.stats.writes_succeeded, counts.effects);
    // The check of a name is a POST that changes nothing; each refused PATCH was a write that was sent.
    assert_eq!(applied.stats.writes_sent, counts.writes);
    assert!(counts.writes > counts.effects, "the grant takes a while, so a PATCH was refused: {counts:?}");
}

#[tokio::test(start_paused = true)]
async fn the_guide_starts_from_an_account_that_exists_without_identity() {
    let practice = Practice::new();
    let guide = example("guide.yaml");
    let (before, _) = practice.plan(&guide).await;
    let codes: Vec<&str> = before.refusals.iter().map(|refusal| refusal.code).collect();
    assert!(codes.contains(&"CMK201"), "{:?}", before.refusals);

    practice.converge(&example("guide-start.yaml")).await;
    let applied = practice.converge(&guide).await;
    let mut ids = ids(&applied.plan);
    ids.sort_unstable();
    let expected =
        ["encryption/stguide", "grant/stguide/kv-guide", "identity/stguide", "key/kv-guide/storage", "vault/kv-guide"];
    assert_eq!(ids, expected);
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_spreads_slowly_is_waited_for_and_named() {
    let practice = Practice::new();
    let applied = practice.converge(&example("quickstart.yaml")).await;
    let honours = "Azure honours the grant of stquickstart on vault kv-quickstart";
    let told = applied.events.iter().any(|event| matches!(event, Event::Waiting { what, .. } if what == honours));
    assert!(told, "{:#?}", applied.events);
    let waited = applied.outcome.waits.iter().find(|(what, _)| what == honours).map(|(_, time)| time.as_secs());
    assert!(waited.is_some_and(|seconds| (85..=120).contains(&seconds)), "{:?}", applied.outcome.waits);
}

#[tokio::test(start_paused = true)]
async fn three_accounts_of_one_vault_are_granted_access_in_one_call() {
    let practice = Practice::new();
    let applied = practice.converge(&example("shared-key.yaml")).await;
    let puts = applied.stats.requests["arm"]["PUT"];
    let grants = applied.plan.steps.iter().filter(|step| matches!(step.action, Action::Grant { .. })).count();
    assert_eq!(grants, 3);
    // A group, a vault, a key, three accounts, and one call for the three grants.
    assert_eq!(puts, 7, "{:?}", applied.stats);
    assert_eq!(applied.stats.writes_succeeded, 10);
}

#[tokio::test(start_paused = true)]
async fn every_example_converges() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("specs");
    let mut tried = 0;
    for entry in std::fs::read_dir(folder).expect("the examples are there") {
        let name = entry.expect("a readable entry").file_name().into_string().expect("a plain name");
        let practice = Practice::new();
        if let Some(first) = comes_first(&name) {
            practice.converge(&example(first)).await;
        }
        practice.let_importer_in(&example(&name)).await;
        practice.converge(&example(&name)).await;
        tried += 1;
    }
    assert!(tried >= 4, "{tried}");
}

#[tokio::test(start_paused = true)]
async fn a_key_of_another_team_is_used_by_its_id_and_its_vault_is_never_made() {
    let practice = Practice::new();
    let by_id = example("key-by-id.yaml");
    let (before, _) = practice.plan(&by_id).await;
    let refused: Vec<_> = before.refusals.iter().map(|refusal| (refusal.code, refusal.resource.as_str())).collect();
    assert_eq!(refused, [("CMK201", "key kv-security/app"), ("CMK201", "vault kv-security")]);

    practice.converge(&example("two-subscriptions.yaml")).await;
    let applied = practice.converge(&by_id).await;
    let of_theirs: Vec<&str> = ids(&applied.plan).into_iter().filter(|id| id.contains("kv-security")).collect();
    assert_eq!(of_theirs, ["grant/stbyid/kv-security"], "their vault gets one entry and nothing else");
    let now = practice.sandbox.now();
    for account in ["stbyuri", "stbyid", "stapp"] {
        let truth = practice.sandbox.world(|world| world.truth(now, account));
        assert!(truth.readable, "{account}: {}", truth.why);
    }
}

#[tokio::test(start_paused = true)]
async fn what_other_teams_made_of_the_vault_is_untouched() {
    let practice = Practice::new();
    let group = json!({ "location": "westeurope", "tags": { "owner": "platform" } });
    by_hand(&practice, Method::Put, GROUP.to_owned(), "2022-09-01", group).await;
    let theirs = json!({
        "tenantId": cmk::sandbox::TENANT,
        "objectId": "aaaaaaaa-0000-0000-0000-000000000001",
        "permissions": { "keys": ["get", "list"], "secrets": ["get", "set"], "certificates": ["import"] },
    });
    let vault = json!({
        "location": "westeurope",
        "tags": { "cost": "4711" },
        "properties": {
            "tenantId": cmk::sandbox::TENANT,
            "sku": { "family": "A", "name": "standard" },
            "accessPolicies": [theirs],
            "enableRbacAuthorization": false,
            "enabledForDiskEncryption": true,
            "softDeleteRetentionInDays": 30,
            "networkAcls": { "bypass": "AzureServices", "defaultAction": "Allow" },
        },
    });
    by_hand(&practice, Method::Put, vault_path(), "2026-02-01", vault).await;
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    let before = vault_now(&practice).await;

    practice.converge(&example("quickstart.yaml")).await;

    let mut after = vault_now(&practice).await;
    let entries = after["properties"]["accessPolicies"].as_array_mut().expect("a list");
    let ours = entries.iter().position(|entry| entry["objectId"] != "aaaaaaaa-0000-0000-0000-000000000001");
    let ours = entries.remove(ours.expect("our entry was added"));
    assert_eq!(ours["permissions"], json!({ "keys": ["get", "wrapKey", "unwrapKey", "recover"] }));
    assert_eq!(after["properties"]["enablePurgeProtection"], json!(true));
    after["properties"].as_object_mut().expect("an object").remove("enablePurgeProtection");
    let known = |mut vault: Value| {
        vault.as_object_mut().expect("an object").remove("systemData");
        vault
    };
    assert_eq!(known(after), known(before));
}

#[tokio::test(start_paused = true)]
async fn the_tags_and_settings_of_an_account_are_untouched() {
    let practice = Practice::new();
    practice.converge(&example("guide-start.yaml")).await;
    let path = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-guide\
                /providers/Microsoft.Storage/storageAccounts/stguide";
    let theirs = json!({ "tags": { "team": "billing" }, "properties": { "accessTier": "Cool" } });
    let before = by_hand(&practice, Method::Patch, path.to_owned(), "2025-06-01", theirs).await;

    practice.converge(&example("guide.yaml")).await;

    let after = practice.azure().call(&Call::get(path.to_owned(), "2025-06-01")).await.expect("it is there").body;
    assert_eq!(after["tags"], json!({ "team": "billing" }));
    for (name, value) in before["properties"].as_object().expect("an object") {
        if name != "encryption" {
            assert_eq!(&after["properties"][name], value, "{name}");
        }
    }
}

/// The mishaps of an ordinary bad day. Each is followed by a time when all is well.
fn mishaps() -> Vec<(&'static str, Mishap)> {
    vec![
        ("lost before", Mishap::LostBefore),
        ("lost after", Mishap::LostAfter),
        ("500", Mishap::error(500, "InternalServerError", "Encountered internal server error.")),
        ("503", Mishap::error(503, "ServerTimeout", "The request timed out.")),
        ("429", Mishap::throttled(7)),
        ("409", Mishap::error(409, "StorageAccountOperationInProgress", "An operation is currently performing.")),
        ("404 page", Mishap::Answer { status: 404, headers: vec![], body: None }),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_mishap_at_any_request_leaves_a_state_from_which_the_next_run_converges() {
    let quickstart = example("quickstart.yaml");
    let requests = Practice::new().apply(&quickstart).await.stats.total();
    assert!(requests > 20, "{requests}");
    for at in 0..u32::try_from(requests).expect("few") {
        for (name, mishap) in mishaps() {
            let practice = Practice::new();
            practice.sandbox.inject(Fault { method: None, path: String::new(), after: at, times: 1, mishap });
            practice.try_apply(&quickstart).await;
            practice.converge(&quickstart).await;
            let versions = practice.key_versions("kv-quickstart", "storage").await;
            assert_eq!(versions, 1, "{name} at request {at}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_vault_whose_answer_was_lost_is_not_sent_again() {
    let practice = Practice::new();
    practice.sandbox.inject(Fault::once("PUT", "/vaults/kv-quickstart", Mishap::LostAfter));
    let applied = practice.converge(&example("quickstart.yaml")).await;
    assert_eq!(applied.stats.writes_succeeded, 5, "the lost one is not known to have succeeded");
    let effects = practice.sandbox.world(|world| world.counts().effects);
    assert_eq!(effects, 6);
}

#[tokio::test(start_paused = true)]
async fn a_failed_step_skips_what_hangs_on_it_and_nothing_else() {
    let practice = Practice::new();
    let denied = Mishap::error(403, "AuthorizationFailed", "The client does not have authorization.");
    let fault = Fault {
        method: Some("PUT"),
        path: "/storageAccounts/stsharedlogs".into(),
        after: 0,
        times: 99,
        mishap: denied,
    };
    practice.sandbox.inject(fault);
    let applied = practice.apply(&example("shared-key.yaml")).await;
    let bad: Vec<_> = names(&applied).into_iter().filter(|(_, outcome)| *outcome != "done").collect();
    let expected = [
        ("account/stsharedlogs", "failed"),
        ("grant/stsharedlogs/kv-shared", "skipped"),
        ("encryption/stsharedlogs", "skipped"),
    ];
    assert_eq!(bad, expected);
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_is_never_honoured_fails_after_its_budget_and_says_so() {
    let practice = Practice::new();
    let refused =
        Mishap::error(403, "KeyVaultAuthenticationFailure", "The operation failed because of authentication issue.");
    practice.sandbox.inject(Fault {
        method: Some("PATCH"),
        path: String::new(),
        after: 0,
        times: 9_999,
        mishap: refused,
    });
    let applied = practice.apply(&example("quickstart.yaml")).await;
    let (id, outcome) = applied.outcome.steps.last().expect("steps");
    assert_eq!(id.0, "encryption/stquickstart");
    assert_eq!(outcome.as_str(), "failed");
    assert!(outcome.detail().starts_with("after 600 s of trying"), "{}", outcome.detail());
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_disabled_meanwhile_blocks_instead_of_being_waited_for() {
    let practice = Practice::new();
    let spec = example("quickstart.yaml");
    // The grant is never honoured. While that is waited for, somebody disables the key, which has the same symptom.
    let refused =
        Mishap::error(403, "KeyVaultAuthenticationFailure", "The operation failed because of authentication issue.");
    let path = "/storageAccounts/".to_owned();
    practice.sandbox.inject(Fault { method: Some("PATCH"), path, after: 0, times: 9_999, mishap: refused });
    let meanwhile = async {
        tokio::time::sleep(std::time::Duration::from_secs(100)).await;
        practice.disable_key("kv-quickstart", "storage").await;
    };
    let (applied, ()) = futures::join!(practice.apply(&spec), meanwhile);
    let (_, outcome) = applied.outcome.steps.last().expect("steps");
    assert_eq!(outcome.as_str(), "blocked", "{outcome:?}");
    assert!(
        outcome.detail().contains("kv-quickstart/storage") && outcome.detail().contains("it has no enabled version"),
        "{}",
        outcome.detail()
    );
}

#[tokio::test(start_paused = true)]
async fn a_wish_to_stop_ends_waits_and_begins_nothing_more() {
    let practice = Practice::new();
    let applied = practice.apply_until(&example("quickstart.yaml"), std::time::Duration::from_secs(5)).await;
    assert!(applied.outcome.interrupted);
    let outcomes = names(&applied);
    assert!(outcomes.contains(&("encryption/stquickstart", "skipped")), "{outcomes:?}");
    practice.converge(&example("quickstart.yaml")).await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_refuses_something_sends_no_write() {
    let practice = Practice::new();
    let applied = practice.apply(&example("guide.yaml")).await;
    assert!(!applied.plan.refusals.is_empty());
    assert_eq!(applied.stats.writes_sent, 0);
    assert!(applied.outcome.steps.iter().all(|(_, outcome)| matches!(outcome, StepOutcome::Skipped(_))));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_somebody_holds_is_refused_before_anything_is_sent() {
    let practice = Practice::new();
    practice.converge(&example("quickstart.yaml")).await;
    let elsewhere = "
version: 1
defaults: { subscription: 22222222-2222-2222-2222-222222222222, resourceGroup: rg-other, location: westeurope }
resourceGroups: { rg-other: { create: {} } }
vaults: { kv-quickstart: { create: {} } }
accounts: { stquickstart: { create: {} } }
";
    let (plan, _) = practice.plan(&desired(elsewhere)).await;
    let refused: Vec<_> = plan.refusals.iter().map(|refusal| (refusal.code, refusal.resource.as_str())).collect();
    assert_eq!(refused, [("CMK202", "account stquickstart"), ("CMK202", "vault kv-quickstart")]);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_not_there_is_refused_even_when_the_spec_does_not_list_it() {
    let spec = "
version: 1
defaults: { subscription: 11111111-1111-1111-1111-111111111111, resourceGroup: rg-nowhere, location: westeurope }
accounts: { stnew: { create: {} } }
";
    let (plan, _) = Practice::new().plan(&desired(spec)).await;
    let refused: Vec<_> = plan.refusals.iter().map(|refusal| (refusal.code, refusal.resource.as_str())).collect();
    assert_eq!(refused, [("CMK201", "resource group rg-nowhere")]);
}
