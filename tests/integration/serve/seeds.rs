//! A sandbox of another directory: whatever tells of it tells of that one, and the product works in it.

use super::{Served, answer, cmk, quickstart, state, text};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::path::PathBuf;

const TENANT: &str = "c0ffee00-0000-4000-8000-00000000c0de";
const THIRD: &str = "33333333-3333-3333-3333-333333333333";

const SEED: &str = "\
version: 1
pace: instant
tenant: { id: C0FFEE00-0000-4000-8000-00000000C0DE, name: Contoso, domain: contoso.example }
subscriptions:
  - { id: 11111111-1111-1111-1111-111111111111, name: Production }
  - { id: 22222222-aaaa-4000-8000-222222222222 }
  - { id: 33333333-3333-3333-3333-333333333333, name: Archive }
";

/// A folder with the seed in it, and the quickstart's spec for the third subscription.
fn folder() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (seed, spec) = (folder.path().join("seed.yaml"), folder.path().join("third.yaml"));
    std::fs::write(&seed, SEED).unwrap();
    let first = "subscription: 11111111-1111-1111-1111-111111111111";
    let text = std::fs::read_to_string(quickstart()).unwrap();
    assert!(text.contains(first));
    std::fs::write(&spec, text.replace(first, &format!("subscription: {THIRD}"))).unwrap();
    (folder, seed, spec)
}

#[test]
fn cmk_plans_and_applies_in_the_third_subscription_of_another_directory() {
    let (folder, seed, spec) = folder();
    let (seed, spec) = (seed.to_str().unwrap().to_owned(), spec.to_str().unwrap().to_owned());
    let served = Served::start_in(folder, &["--seed", &seed]);
    let plan = served.unawares(&["plan", "--detailed-exitcode", &spec]);
    assert_eq!(plan.status.code(), Some(2), "{}", text(&plan));
    let applied = served.unawares(&["apply", "--yes", &spec]);
    assert_eq!(applied.status.code(), Some(0), "{}", text(&applied));
    let world: Value = serde_json::from_slice(&served.sandbox(&["show", "--format", "json"]).stdout).unwrap();
    assert_eq!(world["accounts"][0]["readable"], true, "{world:#}");
    assert!(world["accounts"][0]["id"].as_str().unwrap().contains(THIRD), "{world:#}");

    let elsewhere = std::fs::read_to_string(&spec).unwrap().replace(THIRD, "22222222-2222-2222-2222-222222222222");
    std::fs::write(&spec, elsewhere).unwrap();
    let lost = served.unawares(&["plan", &spec]);
    assert_ne!(lost.status.code(), Some(0), "the default world's second subscription is not in this one");

    // The same world inside the process, which signs in at the world's own directory.
    let third = std::fs::read_to_string(&spec).unwrap().replace("22222222-2222-2222-2222-222222222222", THIRD);
    std::fs::write(&spec, third).unwrap();
    let folder = served.stop("-TERM");
    let sandbox = format!("--sandbox={}", state(folder.path()).display());
    let again = cmk().args(["plan", "--detailed-exitcode", &sandbox, &spec]).output().unwrap();
    assert_eq!(again.status.code(), Some(0), "{}", text(&again));
}

#[tokio::test]
async fn whatever_tells_of_the_directory_tells_of_the_seeds() {
    let (folder, seed, _) = folder();
    let served = Served::start_in(folder, &["--domain", "sandbox", "--seed", seed.to_str().unwrap()]);
    assert_eq!(served.said("tenantId"), TENANT);
    assert_eq!(served.ready["subscriptions"].as_array().unwrap().len(), 3);
    let exports = text(&served.sandbox(&["env"]));
    assert!(exports.contains(&format!("export AZURE_TENANT_ID={TENANT}")), "{exports}");
    assert!(exports.contains("export ARM_SUBSCRIPTION_ID=11111111-1111-1111-1111-111111111111"), "{exports}");

    let client = served.client();
    let (arm, login) = (served.said("arm"), served.said("login"));
    let token = served.token(&client).await;
    let get = async |url: String, token: &str| answer(client.get(url).bearer_auth(token)).await;
    let (_, tenants) = get(format!("{arm}/tenants?api-version=2022-12-01"), &token).await;
    let said = &tenants["value"][0];
    assert_eq!((&said["tenantId"], &said["displayName"]), (&json!(TENANT), &json!("Contoso")));
    assert_eq!((&said["defaultDomain"], &tenants["value"][1]), (&json!("contoso.example"), &Value::Null));
    let (_, all) = get(format!("{arm}/subscriptions?api-version=2022-12-01"), &token).await;
    let names: Vec<&Value> = all["value"].as_array().unwrap().iter().map(|one| &one["displayName"]).collect();
    assert_eq!(names, ["Production", "Practice 2", "Archive"]);
    assert!(all["value"].as_array().unwrap().iter().all(|one| one["tenantId"] == TENANT), "{all}");

    let (_, openid) = get(format!("{login}/{TENANT}/v2.0/.well-known/openid-configuration"), "").await;
    assert_eq!(openid["issuer"], format!("{login}/{TENANT}/v2.0"));
    let (_, cloud) = get(format!("{arm}/metadata/endpoints?api-version=2022-09-01"), "").await;
    assert_eq!(cloud["authentication"]["tenant"], TENANT);
    let old = cmk::sandbox::TENANT;
    let (status, _) = get(format!("{login}/{old}/v2.0/.well-known/openid-configuration"), "").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);

    let refused = client.get(format!("{arm}/subscriptions?api-version=2022-12-01")).send().await.unwrap();
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap().to_owned();
    assert!(challenge.contains(&format!("/{TENANT}\"")), "{challenge}");
    let world: Value = serde_json::from_slice(&served.sandbox(&["show", "--format", "json"]).stdout).unwrap();
    assert_eq!(world["tenant"], json!({"id": TENANT, "name": "Contoso", "domain": "contoso.example"}));
    assert_eq!(world["subscriptions"][2], json!({"id": THIRD, "name": "Archive", "state": "Enabled"}));
}

#[test]
fn a_seed_that_is_wrong_or_too_large_is_refused_with_its_place() {
    let (folder, seed, _) = folder();
    let serve = |seed: &PathBuf| {
        let served =
            cmk().args(["sandbox", "serve", "--seed"]).arg(seed).arg("--state").arg(state(folder.path())).output();
        let served = served.unwrap();
        assert_eq!(served.status.code(), Some(1));
        text(&served)
    };
    std::fs::write(&seed, SEED.replace("22222222-aaaa-4000-8000-222222222222", THIRD)).unwrap();
    let twice = serve(&seed);
    assert!(twice.contains("subscriptions[2].id") && twice.contains("in subscriptions[1]"), "{twice}");
    std::fs::write(&seed, format!("{SEED}#{}", "x".repeat(2 << 20))).unwrap();
    assert!(serve(&seed).contains("larger than 1 MiB"));
    assert!(!state(folder.path()).exists());
}
