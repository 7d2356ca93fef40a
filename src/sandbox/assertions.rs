//! Assertions: a JWT instead of a secret, signed by a certificate's key or by a trusted third party.
//!
//! What an assertion says is checked; its signature is not, because the sandbox knows neither the certificates
//! of an application nor the keys of a third party. So whoever knows a client id can sign in with an assertion.

use std::collections::BTreeMap;

use serde_json::Value;

use super::tokens::part;
use super::{Millis, hosts};

const KIND: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// What a third party's assertion has to be meant for.
const EXCHANGE: &str = "api://AzureADTokenExchange";

/// Whether a form's assertion speaks for an application; else the directory's number for it, and its words.
pub(super) fn check(
    form: &BTreeMap<String, String>,
    client: &str,
    tenant: &str,
    now: Millis,
) -> Result<(), (u32, String)> {
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    if field("client_assertion_type") != KIND {
        let text = "The request body must contain the following parameter: 'client_assertion_type'.";
        return Err((900_144, text.to_owned()));
    }
    let malformed = || (50_027, "JWT token is invalid or malformed.".to_owned());
    let parts: Vec<&str> = field("client_assertion").split('.').collect();
    let [head, claims, signature] = parts.as_slice() else { return Err(malformed()) };
    let (head, claims) = (part(head).ok_or_else(malformed)?, part(claims).ok_or_else(malformed)?);
    let signed = head["alg"].as_str().is_some_and(|kind| kind != "none") && !signature.is_empty();
    if !signed {
        return Err(malformed());
    }
    check_time(&claims, now)?;
    check_parties(&claims, client, tenant)
}

fn check_time(claims: &Value, now: Millis) -> Result<(), (u32, String)> {
    let seconds = |name: &str| claims[name].as_i64();
    let (from, until) = (seconds("nbf").or_else(|| seconds("iat")), seconds("exp").unwrap_or_default());
    // Clocks differ by minutes, and nobody minds.
    if from.is_none_or(|from| from <= now.seconds().saturating_add(300)) && until > now.seconds() {
        return Ok(());
    }
    let written = |seconds: i64| Millis(seconds.saturating_mul(1000)).whole();
    let text = format!(
        "Client assertion is not within its valid time range. Current time: {}, assertion valid from {}, expiry time of assertion {}.",
        now.whole(),
        written(from.unwrap_or_default()),
        written(until)
    );
    Err((700_024, text))
}

/// An application speaks for itself and to the token endpoint; a third party speaks of a subject of its own.
fn check_parties(claims: &Value, client: &str, tenant: &str) -> Result<(), (u32, String)> {
    let text = |name: &str| claims[name].as_str().unwrap_or_default();
    let (audience, issuer, subject) = (text("aud"), text("iss"), text("sub"));
    if audience == EXCHANGE && issuer.starts_with("https://") && !subject.is_empty() {
        return Ok(());
    }
    if !is_token_endpoint(audience, tenant) {
        let text = "Client assertion audience claim does not match Realm issuer. Review the documentation at https://docs.microsoft.com/azure/active-directory/develop/active-directory-certificate-credentials.";
        return Err((700_023, text.to_owned()));
    }
    if !issuer.eq_ignore_ascii_case(client) || !subject.eq_ignore_ascii_case(client) {
        let text = "Client assertion application identifier doesn't match 'client_id' parameter. Review the documentation at https://docs.microsoft.com/azure/active-directory/develop/active-directory-certificate-credentials.";
        return Err((700_021, text.to_owned()));
    }
    Ok(())
}

/// `https://{login}/{tenant}/…`: the endpoint of either version, or the issuer itself.
fn is_token_endpoint(audience: &str, tenant: &str) -> bool {
    let rest = audience.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
    let Some((host, path)) = rest else { return false };
    let paths = ["", "v2.0", "oauth2/token", "oauth2/v2.0/token"];
    let path = path.trim_end_matches('/');
    let path = path.strip_prefix(tenant).map(|rest| rest.trim_start_matches('/'));
    hosts::service(host) == Some(hosts::Service::Login) && path.is_some_and(|path| paths.contains(&path))
}
