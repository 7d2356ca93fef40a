//! Signing in: gives out tokens, and checks the ones that come back.
//!
//! A token is a JWT in shape, so a client may read its claims, and is sealed with a hash, so a client cannot
//! change them. Nothing about a token is kept: what a token says is all that is known of it.

use azure_core::base64::{decode_url_safe, encode_url_safe};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::wire::{Answer, Ask, Reply, pairs};
use super::{ARM_HOST, CALLER_OBJECT_ID, CLIENT_ID, CLIENT_SECRET, LOGIN_HOST, Millis, TENANT, VAULT_SUFFIX, World};

/// Answers the login host.
pub(super) fn answer(world: &World, now: Millis, ask: &Ask) -> Reply {
    let lower = ask.path_lower();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    match (ask.method.as_str(), lower.as_slice()) {
        ("POST", [tenant, "oauth2", "v2.0", "token"]) => token(world, now, ask, tenant),
        _ => Err(Answer::empty(404)),
    }
}

fn token(world: &World, now: Millis, ask: &Ask, tenant: &str) -> Reply {
    let form = pairs(&ask.body);
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    if tenant != TENANT {
        let text =
            format!("AADSTS90002: Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID.");
        return Err(refused(now, 400, "invalid_request", 90_002, &text));
    }
    if field("grant_type") != "client_credentials" {
        let text = "AADSTS70003: The app requested an unsupported grant type.";
        return Err(refused(now, 400, "unsupported_grant_type", 70_003, text));
    }
    if field("client_id") != CLIENT_ID {
        let text = format!(
            "AADSTS700016: Application with identifier '{}' was not found in the directory.",
            field("client_id")
        );
        return Err(refused(now, 400, "unauthorized_client", 700_016, &text));
    }
    if field("client_secret") != CLIENT_SECRET {
        let text = format!(
            "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{CLIENT_ID}'."
        );
        return Err(refused(now, 401, "invalid_client", 7_000_215, &text));
    }
    let Some(audience) = audience_of(field("scope")) else {
        let text =
            format!("AADSTS500011: The resource principal named {} was not found in the tenant.", field("scope"));
        return Err(refused(now, 400, "invalid_resource", 500_011, &text));
    };
    let lifetime = world.pace.token_lifetime;
    let seconds = lifetime / 1000;
    Ok(Answer::json(
        200,
        json!({
            "token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds,
            "access_token": issue(audience, now, now.plus(lifetime)),
        }),
    ))
}

/// The audience behind a scope of the form `https://host/.default`; the doubled slash is legal too.
fn audience_of(scope: &str) -> Option<&'static str> {
    let resource = scope.strip_suffix("/.default")?.trim_end_matches('/');
    [ARM_HOST, VAULT_SUFFIX].into_iter().find(|host| resource.strip_prefix("https://") == Some(*host))
}

fn refused(now: Millis, status: u16, error: &str, code: u32, text: &str) -> Answer {
    let description = format!("{text} Timestamp: {}", now.whole());
    Answer::json(
        status,
        json!({"error": error, "error_description": description, "error_codes": [code], "timestamp": now.whole()}),
    )
}

/// A token for `host`, good until `end`.
pub(super) fn issue(host: &str, now: Millis, end: Millis) -> String {
    let head = encode_url_safe(json!({"alg": "none", "typ": "JWT"}).to_string());
    let claims = json!({
        "aud": format!("https://{host}"), "iss": format!("https://{LOGIN_HOST}/{TENANT}/"),
        "tid": TENANT, "oid": CALLER_OBJECT_ID, "sub": CALLER_OBJECT_ID, "appid": CLIENT_ID, "idtyp": "app",
        "iat": now.seconds(), "nbf": now.seconds(), "exp": end.seconds(),
    });
    let claims = encode_url_safe(claims.to_string());
    let seal = seal(&head, &claims);
    format!("{head}.{claims}.{seal}")
}

fn seal(head: &str, claims: &str) -> String {
    encode_url_safe(Sha256::digest(format!("sandbox seal {head}.{claims}")))
}

/// What is wrong with a bearer token.
pub(super) enum Distrust {
    Missing,
    Unreadable,
    Expired(Millis),
    WrongAudience(String),
}

/// Whether the request carries a token that is good for `host` now.
pub(super) fn check(ask: &Ask, host: &str, now: Millis) -> Result<(), Distrust> {
    let token = ask.bearer.as_deref().ok_or(Distrust::Missing)?;
    let claims = claims(token).ok_or(Distrust::Unreadable)?;
    let audience = claims["aud"].as_str().unwrap_or_default();
    if audience.strip_prefix("https://") != Some(host) {
        return Err(Distrust::WrongAudience(audience.to_owned()));
    }
    let end = claims["exp"].as_i64().unwrap_or_default();
    if end <= now.seconds() {
        return Err(Distrust::Expired(Millis(end.saturating_mul(1000))));
    }
    Ok(())
}

fn claims(token: &str) -> Option<Value> {
    let (head, rest) = token.split_once('.')?;
    let (body, sealed) = rest.split_once('.')?;
    if sealed != seal(head, body) {
        return None;
    }
    serde_json::from_slice(&decode_url_safe(body).ok()?).ok()
}
