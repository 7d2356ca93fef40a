//! Tokens: what they say, and whether one that comes back is believed.
//!
//! Nothing about a token is kept: what a signed token says is all that is known of it.

use azure_core::base64::{decode_url_safe, encode_url_safe};
use serde_json::{Value, json};

use super::hosts::{self, Service};
use super::wire::Ask;
use super::{Millis, signer};

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Caller {
    /// The object id of the principal: what grants name.
    pub object: String,
    /// The application, or client, id: what error texts name.
    pub application: String,
}

/// A token before it is signed.
pub(super) struct Token<'a> {
    pub caller: &'a Caller,
    /// As it was asked for, with or without a slash at the end.
    pub audience: &'a str,
    pub issuer: String,
    pub tenant: &'a str,
    /// How the caller proved who it is: `1` a secret, `2` an assertion.
    pub proof: &'static str,
    pub from: Millis,
    pub until: Millis,
}

impl Token<'_> {
    pub(super) fn signed(&self) -> String {
        let Self { caller, audience, issuer, tenant, proof, from, until } = self;
        let key = signer::key_id();
        let head = encode_url_safe(json!({"typ": "JWT", "alg": "ES256", "kid": key}).to_string());
        let Caller { object, application } = caller;
        let claims = json!({
            "aud": audience, "iss": issuer, "idp": issuer, "tid": tenant, "oid": object, "sub": object,
            "appid": application, "appidacr": proof, "idtyp": "app", "ver": "1.0",
            "iat": from.seconds(), "nbf": from.seconds(), "exp": until.seconds(),
        });
        let text = format!("{head}.{}", encode_url_safe(claims.to_string()));
        let signature = encode_url_safe(signer::sign(&text));
        format!("{text}.{signature}")
    }
}

/// What is wrong with a bearer token.
#[derive(Debug)]
pub(super) enum Distrust {
    Missing,
    /// No token at all, or not signed by this process.
    Unreadable,
    Expired(Millis),
    WrongAudience(String),
    WrongIssuer(String),
}

/// Who carries the request's token, if the token is good for a service at that time.
pub(super) fn check(ask: &Ask, service: Service) -> Result<Caller, Distrust> {
    let token = ask.bearer.as_deref().ok_or(Distrust::Missing)?;
    let claims = claims(token).ok_or(Distrust::Unreadable)?;
    let text = |name: &str| claims[name].as_str().unwrap_or_default().to_owned();
    if !hosts::issues(&ask.tenant, &text("iss")) || text("tid") != ask.tenant {
        return Err(Distrust::WrongIssuer(text("iss")));
    }
    if hosts::audience(&text("aud")) != Some(service) {
        return Err(Distrust::WrongAudience(text("aud")));
    }
    let until = claims["exp"].as_i64().unwrap_or_default();
    if until <= ask.at.seconds() {
        return Err(Distrust::Expired(Millis(until.saturating_mul(1000))));
    }
    Ok(Caller { object: text("oid"), application: text("appid") })
}

fn claims(token: &str) -> Option<Value> {
    let (text, signature) = token.rsplit_once('.')?;
    if !signer::verifies(text, &decode_url_safe(signature).ok()?) {
        return None;
    }
    part(text.split_once('.')?.1)
}

/// A part of a token, read without asking whether it is true.
pub(super) fn part(text: &str) -> Option<Value> {
    serde_json::from_slice(&decode_url_safe(text).ok()?).ok()
}
