//! Signing in, and what becomes of tokens.

use azure_core::base64::{decode_url_safe, encode_url_safe};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

use super::*;
use crate::sandbox::{CLIENT_SECRET, LOGIN_HOST};

const PUBLIC_LOGIN: &str = "login.microsoftonline.com";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn post(stage: &mut Stage, url: &str, form: &[(&str, &str)]) -> Heard {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    heard(stage.world.handle(stage.now, &http::Request::post(url).body(form.into_bytes()).unwrap()))
}

/// Asks for a token in the second form, the usual way but for some fields.
fn asks(stage: &mut Stage, but: &[(&str, &str)]) -> Heard {
    let scope = format!("https://{ARM_HOST}/.default");
    let usual = [
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT_ID),
        ("client_secret", CLIENT_SECRET),
        ("scope", &scope),
    ];
    let replaced = |name: &str| but.iter().any(|(other, _)| *other == name);
    let usual = usual.into_iter().filter(|(name, _)| !replaced(name));
    let form: Vec<(&str, &str)> = usual.chain(but.iter().copied()).filter(|(_, value)| !value.is_empty()).collect();
    post(stage, &format!("https://{LOGIN_HOST}/{TENANT}/oauth2/v2.0/token"), &form)
}

#[track_caller]
fn is_refused(answer: &Heard, status: u16, error: &str, code: &str) {
    assert_eq!((answer.status, answer.body["error"].as_str()), (status, Some(error)), "{answer:?}");
    let text = answer.body["error_description"].as_str().unwrap();
    assert!(text.starts_with(&format!("AADSTS{code}: ")), "{text}");
    assert_eq!(answer.body["error_codes"][0].to_string(), code);
}

fn claims(token: &str) -> Value {
    serde_json::from_slice(&decode_url_safe(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn look(stage: &mut Stage, url: &str) -> Heard {
    heard(stage.world.handle(stage.now, &request("GET", url, None, &Value::Null)))
}

fn assertion(claims: &Value) -> String {
    let head = encode_url_safe(json!({"alg": "RS256", "typ": "JWT", "x5t": "abc"}).to_string());
    format!("{head}.{}.c2ln", encode_url_safe(claims.to_string()))
}

#[test]
fn a_token_says_who_it_is_for_and_is_signed_by_the_key_that_the_login_host_publishes() {
    let mut stage = Stage::new(Pace::practice());
    let answer = asks(&mut stage, &[]).ok();
    assert_eq!((answer["expires_in"].as_i64(), answer["token_type"].as_str()), (Some(3_599), Some("Bearer")));
    let token = answer["access_token"].as_str().unwrap().to_owned();
    let said = claims(&token);
    let start = START.seconds();
    assert_eq!(
        said,
        json!({
            "aud": "https://arm.sandbox.test", "iss": format!("https://login.sandbox.test/{TENANT}/"),
            "idp": format!("https://login.sandbox.test/{TENANT}/"), "tid": TENANT, "oid": CALLER_OBJECT_ID,
            "sub": CALLER_OBJECT_ID, "appid": CLIENT_ID, "appidacr": "1", "idtyp": "app", "ver": "1.0",
            "iat": start, "nbf": start, "exp": start + 3_599,
        })
    );
    let keys = look(&mut stage, &format!("https://{LOGIN_HOST}/{TENANT}/discovery/v2.0/keys")).ok();
    let key = &keys["keys"][0];
    let (text, signature) = token.rsplit_once('.').unwrap();
    let head: Value = serde_json::from_slice(&decode_url_safe(text.split('.').next().unwrap()).unwrap()).unwrap();
    assert_eq!((&head["kid"], &head["alg"]), (&key["kid"], &json!("ES256")));
    let number = |name: &str| decode_url_safe(key[name].as_str().unwrap()).unwrap();
    let point = [vec![4], number("x"), number("y")].concat();
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    public.verify(text.as_bytes(), &decode_url_safe(signature).unwrap()).unwrap();
}

#[test]
fn the_older_form_names_a_resource_and_gets_its_numbers_as_texts() {
    let mut stage = Stage::new(Pace::practice());
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT_ID),
        ("client_secret", CLIENT_SECRET),
        ("resource", "https://management.core.windows.net/"),
    ];
    let answer = post(&mut stage, &format!("https://{PUBLIC_LOGIN}/{TENANT}/oauth2/token"), &form).ok();
    assert_eq!((&answer["expires_in"], &answer["resource"]), (&json!("3599"), &json!(form[3].1)));
    assert_eq!(answer["expires_on"], (START.seconds() + 3_599).to_string());
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(claims(token)["aud"], "https://management.core.windows.net/", "the slash stays");
    let url = "https://management.azure.com/subscriptions?api-version=2022-12-01";
    heard(stage.world.handle(stage.now, &request("GET", url, Some(token), &Value::Null))).ok();
}

#[test]
fn a_scope_may_have_a_slash_too_many() {
    let mut stage = Stage::new(Pace::practice());
    let resources = [
        "https://management.azure.com",
        "https://management.azure.com/",
        "https://management.core.windows.net/",
        "https://vault.azure.net",
        "https://vault.sandbox.test/",
        "https://graph.microsoft.com",
    ];
    asks(&mut stage, &[("scope", "openid profile offline_access https://vault.azure.net/.default")]).ok();
    for resource in resources {
        let answer = asks(&mut stage, &[("scope", &format!("{resource}/.default"))]).ok();
        assert_eq!(claims(answer["access_token"].as_str().unwrap())["aud"], resource);
    }
}

#[test]
fn the_directory_refuses_with_its_own_codes() {
    let mut stage = Stage::new(Pace::practice());
    let mut check = |but: &[(&str, &str)], status: u16, error: &str, code: &str| {
        is_refused(&asks(&mut stage, but), status, error, code);
    };
    check(&[("client_secret", "guess")], 401, "invalid_client", "7000215");
    check(&[("client_id", TENANT)], 400, "unauthorized_client", "700016");
    check(&[("grant_type", "password")], 400, "unsupported_grant_type", "70003");
    check(&[("grant_type", "")], 400, "invalid_request", "900144");
    check(&[("client_secret", "")], 401, "invalid_client", "7000216");
    check(&[("scope", "https://example.com/.default")], 400, "invalid_resource", "500011");
    check(&[("scope", "https://vault.azure.net/user")], 400, "invalid_scope", "1002012");
    check(&[("scope", "")], 400, "invalid_request", "900144");
    let there = |tenant: &str| format!("https://{LOGIN_HOST}/{tenant}/oauth2/v2.0/token");
    is_refused(&post(&mut stage, &there(SUBSCRIPTIONS[0]), &[]), 400, "invalid_request", "90002");
    is_refused(&post(&mut stage, &there("common"), &[]), 400, "invalid_request", "50059");
}

#[test]
fn an_assertion_signs_in_like_a_secret_if_what_it_says_is_right() {
    let mut stage = Stage::new(Pace::practice());
    let now = START.seconds();
    let own = json!({
        "aud": format!("https://{PUBLIC_LOGIN}/{TENANT}/oauth2/v2.0/token"), "iss": CLIENT_ID, "sub": CLIENT_ID,
        "nbf": now, "exp": now + 600, "jti": "1",
    });
    let but = |name: &str, value: Value| {
        let mut claims = own.clone();
        claims[name] = value;
        claims
    };
    let mut send = |text: &str| {
        let but = [("client_secret", ""), ("client_assertion_type", ASSERTION), ("client_assertion", text)];
        asks(&mut stage, &but)
    };
    let token = send(&assertion(&own)).ok()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(claims(&token)["appidacr"], "2");
    let mut third = but("aud", json!("api://AzureADTokenExchange"));
    third["iss"] = json!("https://token.actions.githubusercontent.com");
    third["sub"] = json!("repo:contoso/keys:ref:refs/heads/main");
    send(&assertion(&third)).ok();
    let expired = send(&assertion(&but("exp", json!(now))));
    is_refused(&expired, 401, "invalid_client", "700024");
    let elsewhere = send(&assertion(&but("aud", json!("https://example.com/token"))));
    is_refused(&elsewhere, 401, "invalid_client", "700023");
    let another = send(&assertion(&but("sub", json!(TENANT))));
    is_refused(&another, 401, "invalid_client", "700021");
    is_refused(&send("nonsense"), 401, "invalid_client", "50027");
    let unsigned = assertion(&own).trim_end_matches("c2ln").to_owned();
    is_refused(&send(&unsigned), 401, "invalid_client", "50027");
}

#[test]
fn the_login_host_says_where_everything_is_in_the_names_that_it_was_asked_by() {
    let mut stage = Stage::new(Pace::practice());
    for (host, issuer) in [(LOGIN_HOST, LOGIN_HOST), (PUBLIC_LOGIN, PUBLIC_LOGIN), ("login.windows.net", PUBLIC_LOGIN)]
    {
        let url = format!("https://{host}/{TENANT}/v2.0/.well-known/openid-configuration");
        let said = look(&mut stage, &url).ok();
        assert_eq!(said["issuer"], format!("https://{issuer}/{TENANT}/v2.0"));
        assert_eq!(said["token_endpoint"], format!("https://{issuer}/{TENANT}/oauth2/v2.0/token"));
        assert_eq!(said["jwks_uri"], format!("https://{issuer}/{TENANT}/discovery/v2.0/keys"));
        for tenant in ["common", "organizations"] {
            let said = look(&mut stage, &url.replace(TENANT, tenant)).ok();
            assert_eq!(said["issuer"], format!("https://{issuer}/{{tenantid}}/v2.0"));
        }
        let lost = look(&mut stage, &url.replace(TENANT, SUBSCRIPTIONS[0]));
        is_refused(&lost, 400, "invalid_request", "90002");
    }
    let old = look(&mut stage, &format!("https://{PUBLIC_LOGIN}/{TENANT}/.well-known/openid-configuration")).ok();
    assert_eq!(old["issuer"], format!("https://sts.windows.net/{TENANT}/"));
}

#[test]
fn instance_discovery_knows_which_login_hosts_there_are() {
    let mut stage = Stage::new(Pace::practice());
    let mut discover = |host: &str| {
        let endpoint = format!("https%3A%2F%2F{host}%2F{TENANT}%2Foauth2%2Fv2.0%2Fauthorize");
        let query = format!("api-version=1.1&authorization_endpoint={endpoint}");
        look(&mut stage, &format!("https://{PUBLIC_LOGIN}/common/discovery/instance?{query}"))
    };
    let said = discover("login.windows.net").ok();
    assert_eq!(
        said["tenant_discovery_endpoint"],
        format!("https://login.windows.net/{TENANT}/v2.0/.well-known/openid-configuration")
    );
    assert_eq!(said["metadata"][0]["preferred_network"], PUBLIC_LOGIN);
    assert_eq!(discover(LOGIN_HOST).status, 200);
    is_refused(&discover("login.example.com"), 400, "invalid_instance", "50049");
}

#[test]
fn a_token_of_another_tenant_is_not_believed_though_its_signature_is_good() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    let foreign = |stage: &Stage, host: &str| {
        let (caller, audience) = (&owner(), &format!("https://{host}"));
        let (tenant, until) = (SUBSCRIPTIONS[0], stage.now.plus(60_000));
        let issuer = Domain::Public.issuer(tenant);
        Token { caller, audience, issuer, tenant, proof: "1", from: stage.now, until }.signed()
    };
    let url = format!("https://{ARM_HOST}/subscriptions?api-version=2022-12-01");
    let ask = request("GET", &url, Some(&foreign(&stage, ARM_HOST)), &Value::Null);
    heard(stage.world.handle(stage.now, &ask)).is(401, "InvalidAuthenticationTokenTenant");
    let url = format!("https://kv1.{VAULT_SUFFIX}/keys?api-version=7.5");
    let ask = request("GET", &url, Some(&foreign(&stage, VAULT_SUFFIX)), &Value::Null);
    let refused = heard(stage.world.handle(stage.now, &ask));
    refused.is(401, "Unauthorized");
    assert!(refused.message().starts_with("AKV10032"), "{refused:?}");
}

#[test]
fn services_answer_to_the_public_clouds_names_as_well() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    let url = format!("https://management.azure.com{}?api-version=2021-04-01", group("rg"));
    stage.at("GET", "management.azure.com", &url, &Value::Null).ok();
    let url = "https://kv1.vault.azure.net/keys?api-version=7.5";
    stage.at("GET", "vault.azure.net", url, &Value::Null).ok();
    let challenge = look(&mut stage, url);
    assert_eq!(
        challenge.header("www-authenticate"),
        format!("Bearer authorization=\"https://{PUBLIC_LOGIN}/{TENANT}\", resource=\"https://vault.azure.net\"")
    );
}

#[test]
fn a_public_world_hands_out_public_names() {
    let mut stage = Stage::new(Pace::instant());
    stage.world.set_domain(Domain::Public);
    stage.has_vault();
    stage.has_key("main");
    let shown = |stage: &mut Stage| stage.get(&vault("kv1")).ok()["properties"]["vaultUri"].clone();
    assert_eq!(shown(&mut stage), "https://kv1.vault.azure.net/");
    let key = stage.vault("GET", "/keys/main", &Value::Null).ok();
    assert!(key["key"]["kid"].as_str().unwrap().starts_with("https://kv1.vault.azure.net/keys/main/"));
    let token = asks(&mut stage, &[]).ok()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(claims(&token)["iss"], format!("https://sts.windows.net/{TENANT}/"));
    stage.world.set_domain(Domain::Sandbox);
    assert_eq!(shown(&mut stage), "https://kv1.vault.sandbox.test/");
}

#[test]
fn links_lead_back_to_the_host_that_was_asked() {
    let mut stage = Stage::new(Pace::practice());
    let url = format!("https://management.azure.com{}?api-version={ARM_VERSION}", account("st1"));
    let made = stage.at("PUT", "management.azure.com", &url, &account_body());
    assert!(made.header("location").starts_with("https://management.azure.com/"), "{made:?}");
}
