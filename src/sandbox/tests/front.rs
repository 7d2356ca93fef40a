//! Signing in, Resource Manager's own refusals, groups and mishaps.

use super::*;
use crate::sandbox::{CLIENT_SECRET, Fault, LOGIN_HOST, Mishap, Unreachable};

fn sign_in(stage: &mut Stage, tenant: &str, secret: &str, scope: &str) -> Heard {
    let form =
        [("client_id", CLIENT_ID), ("client_secret", secret), ("scope", scope), ("grant_type", "client_credentials")];
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let url = format!("https://{LOGIN_HOST}/{tenant}/oauth2/v2.0/token");
    let request = http::Request::post(url).body(form.into_bytes()).unwrap();
    heard(stage.world.handle(stage.now, &request))
}

fn scope(host: &str) -> String {
    format!("https://{host}/.default")
}

#[test]
fn a_token_opens_the_door_it_was_made_for_until_it_expires() {
    let mut stage = Stage::new(Pace::practice());
    let answer = sign_in(&mut stage, TENANT, CLIENT_SECRET, &scope(ARM_HOST)).ok();
    assert_eq!(answer["token_type"], "Bearer");
    let token = answer["access_token"].as_str().unwrap().to_owned();
    let url = format!("https://{ARM_HOST}/subscriptions/{}?api-version=2022-12-01", SUBSCRIPTIONS[0]);
    let ask = request("GET", &url, Some(&token), &Value::Null);
    let subscription = heard(stage.world.handle(stage.now, &ask)).ok();
    assert_eq!(subscription["tenantId"], TENANT);
    stage.wait(3_600_000);
    heard(stage.world.handle(stage.now, &ask)).is(401, "ExpiredAuthenticationToken");
}

#[test]
fn a_wrong_secret_and_a_wrong_tenant_are_refused_with_their_codes() {
    let mut stage = Stage::new(Pace::practice());
    let wrong = sign_in(&mut stage, TENANT, "guess", &scope(ARM_HOST));
    assert_eq!((wrong.status, wrong.body["error"].as_str()), (401, Some("invalid_client")));
    assert!(wrong.body["error_description"].as_str().unwrap().starts_with("AADSTS7000215"));
    let lost = sign_in(&mut stage, SUBSCRIPTIONS[0], CLIENT_SECRET, &scope(ARM_HOST));
    assert_eq!(lost.status, 400);
    assert!(lost.body["error_description"].as_str().unwrap().starts_with("AADSTS90002"));
}

#[test]
fn a_token_for_one_audience_does_not_open_the_other_door() {
    let mut stage = Stage::new(Pace::practice());
    stage.has_vault();
    let url = format!("https://{ARM_HOST}/subscriptions?api-version=2022-12-01");
    stage.at("GET", VAULT_SUFFIX, &url, &Value::Null).is(401, "InvalidAuthenticationTokenAudience");
    let url = format!("https://kv1.{VAULT_SUFFIX}/keys?api-version=7.5");
    let wrong = stage.at("GET", ARM_HOST, &url, &Value::Null);
    wrong.is(401, "Unauthorized");
    assert!(wrong.message().starts_with("AKV10022"));
}

#[test]
fn a_changed_token_is_not_believed() {
    let mut stage = Stage::new(Pace::practice());
    let old = token(&owner(), ARM_HOST, Millis(0), Millis(1_000));
    let fresh = token(&owner(), ARM_HOST, stage.now, stage.now.plus(60_000));
    let parts: Vec<&str> = fresh.split('.').collect();
    let forged = format!("{}.{}.{}", parts[0], parts[1], old.rsplit('.').next().unwrap());
    let url = format!("https://{ARM_HOST}/subscriptions?api-version=2022-12-01");
    let answer = heard(stage.world.handle(stage.now, &request("GET", &url, Some(&forged), &Value::Null)));
    answer.is(401, "InvalidAuthenticationToken");
}

#[test]
fn both_doors_challenge_a_caller_without_a_token() {
    let mut stage = Stage::new(Pace::practice());
    stage.has_vault();
    let urls = [
        (format!("https://{ARM_HOST}/subscriptions?api-version=2022-12-01"), "authorization_uri="),
        (format!("https://kv1.{VAULT_SUFFIX}/keys?api-version=7.5"), "resource=\"https://vault.sandbox.test\""),
    ];
    for (url, part) in urls {
        let answer = heard(stage.world.handle(stage.now, &request("GET", &url, None, &Value::Null)));
        assert_eq!(answer.status, 401);
        assert!(answer.header("www-authenticate").contains(part), "{answer:?}");
    }
}

#[test]
fn a_request_without_a_well_formed_api_version_is_refused() {
    let mut stage = Stage::new(Pace::practice());
    let url = format!("https://{ARM_HOST}{}", group("rg"));
    stage.at("GET", ARM_HOST, &url, &Value::Null).is(400, "MissingApiVersionParameter");
    for wrong in ["latest", "2023-13-01", "2023-05-01-prevew", "2023"] {
        let answer = stage.get(&format!("{}?api-version={wrong}", group("rg")));
        answer.is(400, "InvalidApiVersionParameter");
    }
    stage.get(&format!("{}?api-version=2023-05-01-preview", group("rg"))).ok();
}

#[test]
fn paths_are_read_in_any_case_and_every_answer_is_dated() {
    let mut stage = Stage::new(Pace::practice());
    let answer = stage.get(&format!("/SUBSCRIPTIONS/{}/resourcegroups/RG", SUBSCRIPTIONS[0]));
    assert_eq!(answer.header("date"), "Fri, 15 Jan 2027 08:00:00 GMT");
    assert_eq!(answer.header("x-ms-request-id").len(), 36);
    assert_eq!(answer.ok()["name"], "rg");
}

#[test]
fn what_does_not_exist_is_never_answered_with_success() {
    let mut stage = Stage::new(Pace::practice());
    stage.get("/subscriptions/33333333-3333-3333-3333-333333333333").is(404, "SubscriptionNotFound");
    stage.get(&group("other")).is(404, "ResourceGroupNotFound");
    stage.get(&format!("{}/providers/Microsoft.Web/sites/x", group("rg"))).is(404, "InvalidResourceNamespace");
    stage.get(&format!("{}/providers/Microsoft.Storage/disks/x", group("rg"))).is(404, "InvalidResourceType");
    stage.get(&account("st1")).is(404, "ResourceNotFound");
    stage.get(&vault("kv1")).is(404, "ResourceNotFound");
    stage.get(&account("st1").replace("/rg/", "/other/")).is(404, "ResourceGroupNotFound");
}

#[test]
fn a_misspelt_member_of_a_resource_is_refused() {
    let mut stage = Stage::new(Pace::practice());
    let body = json!({"location": "westeurope", "property": {}});
    stage.arm("PUT", &group("new"), &body).is(400, "InvalidRequestContent");
}

#[test]
fn a_region_that_does_not_exist_is_refused() {
    let mut stage = Stage::new(Pace::practice());
    let answer = stage.arm("PUT", &group("new"), &json!({"location": "westeurop"}));
    answer.is(400, "LocationNotAvailableForResourceType");
    let answer = stage.arm("PUT", &group("new"), &json!({"location": "West Europe"}));
    assert_eq!((answer.status, answer.body["location"].as_str()), (201, Some("westeurope")));
}

#[test]
fn deleting_a_group_deletes_its_accounts_and_soft_deletes_its_vaults() {
    let mut stage = Stage::new(Pace::practice());
    stage.has_bound_account();
    let answer = stage.arm("DELETE", &group("rg"), &Value::Null);
    assert_eq!(answer.status, 202);
    assert!(answer.header("location").contains("/operationresults/"));
    let deleted = format!("/subscriptions/{}/providers/Microsoft.KeyVault/deletedVaults", SUBSCRIPTIONS[0]);
    assert_eq!(stage.get(&deleted).ok()["value"][0]["name"], "kv1");
    assert!(!stage.readable());
}

#[test]
fn requests_writes_and_effects_are_counted() {
    let mut stage = Stage::new(Pace::practice());
    let before = stage.world.counts().clone();
    stage.get(&group("rg"));
    stage.arm("PUT", &group("rg"), &json!({"location": "westeurope"})).ok();
    stage.arm("PUT", &group("rg"), &json!({"location": "eastus"})).is(409, "InvalidResourceGroupLocation");
    stage.arm("PUT", &group("two"), &json!({"location": "eastus"})).ok();
    let after = stage.world.counts();
    assert_eq!(after.of("arm", "GET") - before.of("arm", "GET"), 1);
    assert_eq!(after.of("arm", "PUT") - before.of("arm", "PUT"), 3);
    assert_eq!(after.writes - before.writes, 3);
    assert_eq!(after.effects - before.effects, 1, "only the last one changed anything");
}

#[test]
fn a_mishap_happens_to_the_request_it_was_meant_for() {
    let mut stage = Stage::new(Pace::practice());
    stage.world.inject(Fault::once("PUT", "resourcegroups/two", Mishap::throttled(6)));
    stage.get(&group("two")).is(404, "ResourceGroupNotFound");
    let body = json!({"location": "eastus"});
    let throttled = stage.arm("PUT", &group("two"), &body);
    assert_eq!((throttled.status, throttled.header("retry-after")), (429, "6"));
    assert_eq!(stage.arm("PUT", &group("two"), &body).status, 201, "the mishap had no effect and is over");
}

#[test]
fn an_answer_lost_before_and_after_the_effect_looks_alike_and_is_not() {
    let mut stage = Stage::new(Pace::practice());
    let url = format!("https://{ARM_HOST}{}?api-version=2021-04-01", group("two"));
    let token = token(&owner(), ARM_HOST, stage.now, stage.now.plus(60_000));
    let put = request("PUT", &url, Some(&token), &json!({"location": "eastus"}));
    for (mishap, status) in [(Mishap::LostBefore, 404), (Mishap::LostAfter, 200)] {
        stage.world.inject(Fault::once("PUT", "/two", mishap));
        let lost = stage.world.exchange(stage.now, &put).unwrap_err();
        assert_eq!(lost, Unreachable::Lost(ARM_HOST.to_owned()));
        assert_eq!(stage.get(&group("two")).status, status);
    }
}

#[test]
fn the_same_requests_at_the_same_times_give_the_same_world() {
    let play = || {
        let mut stage = Stage::new(Pace::practice());
        stage.has_bound_account();
        serde_json::to_string(&stage.world).unwrap()
    };
    assert_eq!(play(), play());
}

#[test]
fn resource_manager_throttles_and_says_when_to_come_back() {
    let mut stage = Stage::new(Pace::practice());
    let first = stage.get(&group("rg"));
    assert_eq!(first.header("x-ms-ratelimit-remaining-subscription-reads"), "249");
    for _ in 0..249 {
        stage.get(&group("rg")).ok();
    }
    let throttled = stage.get(&group("rg"));
    throttled.is(429, "SubscriptionRequestsThrottled");
    assert_eq!(throttled.header("retry-after"), "1");
    stage.arm("PUT", &group("two"), &json!({"location": "eastus"})).ok();
    stage.wait(1_000);
    for _ in 0..25 {
        stage.get(&group("rg")).ok();
    }
    stage.get(&group("rg")).is(429, "SubscriptionRequestsThrottled");
}

#[test]
fn the_versions_that_the_newest_clients_speak_are_spoken() {
    let mut stage = Stage::new(Pace::instant());
    // What the Azure CLI 2.91 and the Python SDK of October 2026 ask in.
    let asked = [
        (account("st1"), ["2025-08-01", "2026-09-01"]),
        (vault("kv1"), ["2026-02-01", "2026-05-15"]),
        (identity("id1"), ["2024-11-30", "2025-05-31-preview"]),
    ];
    for (path, versions) in asked {
        for version in versions {
            stage.get(&format!("{path}?api-version={version}")).is(404, "ResourceNotFound");
        }
    }
}

#[test]
fn a_version_that_a_provider_does_not_speak_is_refused() {
    let mut stage = Stage::new(Pace::instant());
    for path in [account("st1"), vault("kv1"), identity("id1")] {
        stage.get(&format!("{path}?api-version=2020-02-29")).is(400, "NoRegisteredProviderFound");
    }
    let list =
        format!("/subscriptions/{}/providers/Microsoft.KeyVault/vaults?api-version=2020-02-29", SUBSCRIPTIONS[0]);
    stage.get(&list).is(400, "NoRegisteredProviderFound");
}
