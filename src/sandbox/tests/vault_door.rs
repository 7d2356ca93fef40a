//! The rest of a vault's own door: import, rotation, wrapping and versions of the API.

use azure_core::base64::encode_url_safe;

use super::*;

const DAY: i64 = 86_400_000;

fn made(stage: &mut Stage, body: &Value) -> Value {
    stage.vault("POST", "/keys/main/create", body).ok()
}

fn version_of(bundle: &Value) -> String {
    bundle["key"]["kid"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

fn turn(stage: &mut Stage, version: &str, verb: &str, value: &str) -> Heard {
    stage.vault("POST", &format!("/keys/main/{version}/{verb}"), &json!({"alg": "RSA-OAEP-256", "value": value}))
}

#[track_caller]
fn is_forbidden(answer: &Heard, inner: &str) {
    answer.is(403, "Forbidden");
    assert_eq!(answer.body["error"]["innererror"]["code"], inner);
}

fn rotates(every: &str, life: &str) -> Value {
    json!({
        "lifetimeActions": [{"trigger": {"timeAfterCreate": every}, "action": {"type": "Rotate"}}],
        "attributes": {"expiryTime": life},
    })
}

#[test]
fn what_a_version_wraps_only_that_version_unwraps() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    let first = version_of(&made(&mut stage, &json!({"kty": "RSA"})));
    let secret = encode_url_safe([7_u8; 40]);
    let wrapped = turn(&mut stage, &first, "wrapkey", &secret).ok();
    assert_ne!(wrapped["value"], json!(secret));
    let value = wrapped["value"].as_str().unwrap().to_owned();
    let second = version_of(&made(&mut stage, &json!({"kty": "RSA"})));
    assert_eq!(turn(&mut stage, &first, "unwrapkey", &value).ok()["value"], json!(secret));
    turn(&mut stage, &second, "unwrapkey", &value).is(400, "BadParameter");
}

#[test]
fn an_expired_version_unwraps_and_does_not_wrap_and_a_disabled_one_does_neither() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    let end = stage.now.seconds() + 100;
    let version = version_of(&made(&mut stage, &json!({"kty": "RSA", "attributes": {"exp": end}})));
    let wrapped = turn(&mut stage, &version, "wrapkey", "AAAA").ok()["value"].as_str().unwrap().to_owned();
    stage.wait(101_000);
    is_forbidden(&turn(&mut stage, &version, "wrapkey", "AAAA"), "KeyExpired");
    turn(&mut stage, &version, "unwrapkey", &wrapped).ok();
    stage.vault("PATCH", "/keys/main", &json!({"attributes": {"enabled": false}})).ok();
    is_forbidden(&turn(&mut stage, &version, "unwrapkey", &wrapped), "KeyDisabled");
    let begin = stage.now.seconds() + 100;
    let unripe = version_of(&made(&mut stage, &json!({"kty": "RSA", "attributes": {"nbf": begin}})));
    is_forbidden(&turn(&mut stage, &unripe, "wrapkey", "AAAA"), "KeyNotYetValid");
    let signs = version_of(&made(&mut stage, &json!({"kty": "RSA", "key_ops": ["sign"]})));
    is_forbidden(&turn(&mut stage, &signs, "wrapkey", "AAAA"), "KeyOperationForbidden");
}

#[test]
fn wrapping_is_no_change() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    let version = version_of(&made(&mut stage, &json!({"kty": "RSA"})));
    let before = stage.world.counts().clone();
    turn(&mut stage, &version, "wrapkey", "AAAA").ok();
    assert_eq!((stage.world.counts().writes, stage.world.counts().effects), (before.writes, before.effects));
}

#[test]
fn an_imported_key_shows_its_public_half_and_the_private_half_is_nowhere() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    let (modulus, private) = (encode_url_safe([0x91_u8; 256]), encode_url_safe([0x5A_u8; 256]));
    let jwk = json!({"kty": "RSA", "n": modulus, "e": "AQAB", "d": private, "p": private, "key_ops": ["wrapKey"]});
    let body = json!({"key": jwk, "tags": {"from": "outside"}, "attributes": {"enabled": true}});
    let bundle = stage.vault("PUT", "/keys/main", &body).ok();
    assert_eq!((&bundle["key"]["n"], &bundle["key"]["key_ops"]), (&json!(modulus), &json!(["wrapKey"])));
    assert_eq!(bundle["tags"]["from"], "outside");
    let world = serde_json::to_string(&stage.world).unwrap();
    assert!(!world.contains(&private) && !bundle.to_string().contains(&private));
    let short = json!({"key": {"kty": "RSA", "n": "AQAB", "e": "AQAB", "d": "AQAB"}});
    stage.vault("PUT", "/keys/main", &short).is(400, "BadParameter");
}

#[test]
fn an_import_into_hardware_takes_a_premium_vault_and_one_over_a_deleted_key_is_a_conflict() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    let (modulus, private) = (encode_url_safe([0x91_u8; 256]), encode_url_safe([0x5A_u8; 256]));
    let body = |hsm: bool| json!({"Hsm": hsm, "key": {"kty": "RSA", "n": modulus, "e": "AQAB", "d": private}});
    stage.vault("PUT", "/keys/main", &body(true)).is(400, "BadParameter");
    let first = version_of(&stage.vault("PUT", "/keys/main", &body(false)).ok());
    let second = version_of(&stage.vault("PUT", "/keys/main", &body(false)).ok());
    assert_ne!(first, second, "an import knows no \"if absent\": it adds a version");
    stage.vault("DELETE", "/keys/main", &Value::Null).ok();
    stage.vault("PUT", "/keys/main", &body(false)).is(409, "Conflict");
}

#[test]
fn an_elliptic_key_has_a_point_of_the_length_of_its_curve() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    let bundle = made(&mut stage, &json!({"kty": "EC", "crv": "P-384"}));
    let part = |name: &str| azure_core::base64::decode_url_safe(bundle["key"][name].as_str().unwrap()).unwrap();
    assert_eq!((part("x").len(), part("y").len()), (48, 48));
    assert_eq!((bundle["key"].get("n"), &bundle["key"]["crv"]), (None, &json!("P-384")));
    stage.vault("POST", "/keys/main/create", &json!({"kty": "EC", "crv": "P-1"})).is(400, "BadParameter");
}

#[test]
fn a_key_without_a_rotation_policy_is_shown_one_that_only_notifies() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    made(&mut stage, &json!({"kty": "RSA"}));
    let shown = stage.vault("GET", "/keys/main/rotationpolicy", &Value::Null).ok();
    assert_eq!((shown.get("id"), &shown["attributes"]), (None, &Value::Null));
    assert_eq!(shown["lifetimeActions"][0]["trigger"]["timeBeforeExpiry"], "P30D");
}

#[test]
fn rotating_gives_the_new_version_the_life_of_the_policy() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    made(&mut stage, &json!({"kty": "RSA"}));
    let set = stage.vault("PUT", "/keys/main/rotationpolicy", &rotates("P15D", "P30D")).ok();
    assert_eq!(set["lifetimeActions"][0]["action"]["type"], "Rotate");
    assert_eq!(set, stage.vault("GET", "/keys/main/rotationpolicy", &Value::Null).ok());
    let rotated = stage.vault("POST", "/keys/main/rotate", &Value::Null).ok();
    assert_eq!(rotated["attributes"]["exp"].as_i64().unwrap(), stage.now.seconds() + 30 * DAY / 1000);
    for wrong in [rotates("P15D", "P27D"), rotates("soon", "P30D")] {
        stage.vault("PUT", "/keys/main/rotationpolicy", &wrong).is(400, "BadParameter");
    }
}

#[test]
fn a_policy_rotates_the_key_by_itself_and_the_account_follows_the_next_day() {
    let mut stage = Stage::new(Pace::azure());
    stage.has_vault();
    stage.wait(2 * 3_600_000);
    stage.has_key("main");
    let principal = {
        stage.arm("PUT", &account("st1"), &account_body()).ok();
        stage.wait(60_000);
        stage.get(&account("st1")).ok()["identity"]["principalId"].as_str().unwrap().to_owned()
    };
    stage.grants(&principal).ok();
    stage.wait(2 * 3_600_000);
    let bound = stage.bind("main", None).ok();
    let current = |body: &Value| body["properties"]["encryption"]["keyvaultproperties"].clone();
    stage.vault("PUT", "/keys/main/rotationpolicy", &rotates("P15D", "P30D")).ok();
    stage.wait(15 * DAY);
    let newest = stage.vault("GET", "/keys/main", &Value::Null).ok();
    let versions = stage.vault("GET", "/keys/main/versions", &Value::Null).ok();
    assert_eq!(versions["value"].as_array().unwrap().len(), 2);
    let still = stage.get(&account("st1")).ok();
    assert_eq!(current(&still), current(&bound), "the account has not looked yet");
    stage.wait(DAY);
    let followed = current(&stage.get(&account("st1")).ok());
    assert_eq!(followed["currentVersionedKeyIdentifier"], newest["key"]["kid"]);
    assert_ne!(followed["lastKeyRotationTimestamp"], current(&bound)["lastKeyRotationTimestamp"]);
    assert!(stage.readable());
}

#[test]
fn when_a_key_rotated_by_itself_does_not_depend_on_who_looked_when() {
    let play = |steps: i64| {
        let mut stage = Stage::new(Pace::instant());
        stage.has_vault();
        made(&mut stage, &json!({"kty": "RSA"}));
        stage.vault("PUT", "/keys/main/rotationpolicy", &rotates("P10D", "P30D")).ok();
        for _ in 0..steps {
            stage.wait(100 * DAY / steps);
            stage.vault("GET", "/keys/main", &Value::Null).ok();
        }
        stage.vault("GET", "/keys/main/versions", &Value::Null).ok()
    };
    let often = play(100);
    assert_eq!(often["value"].as_array().unwrap().len(), 11);
    assert_eq!(often, play(1));
}

#[test]
fn a_version_of_the_api_that_vaults_do_not_speak_is_refused_and_old_ones_say_less() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    made(&mut stage, &json!({"kty": "RSA"}));
    let mut at = |version: &str| {
        let url = format!("https://kv1.{VAULT_SUFFIX}/keys/main?api-version={version}");
        stage.at("GET", VAULT_SUFFIX, &url, &Value::Null)
    };
    at("8.0").is(400, "BadParameter");
    let shown = |body: Value| -> Vec<bool> {
        let names = ["recoverableDays", "exportable", "hsmPlatform"];
        names.map(|name| body["attributes"].get(name).is_some()).to_vec()
    };
    assert_eq!(shown(at("7.0").ok()), [false, false, false]);
    assert_eq!(shown(at("7.3").ok()), [true, true, false]);
    assert_eq!(shown(at("7.6-preview.2").ok()), [true, true, true]);
    assert_eq!(shown(at("2025-07-01").ok()), [true, true, true]);
}
