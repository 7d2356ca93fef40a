//! Texts that Azure chooses cannot steer a terminal, forge a line or hide in a document.

use super::middle::{Middle, Reply};
use super::{THINGS, converged};
use crate::practice::{Practice, example};
use serde_json::{Value, json};

/// Colours, a cleared screen, a title, a rewritten line, a forged line, writing turned around, and what is invisible.
const EVIL: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31mok\rerror\nDone: all is well\u{202e}desrever\u{200b}\u{2066}\u{feff}\u{ad}\u{e0041}";

/// Fails when a text holds anything but letters and line breaks that are ours.
pub(super) fn assert_harmless(shown: &str) {
    let is_harmful = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    let harmful: Vec<char> = shown.chars().filter(|c| is_harmful(*c)).collect();
    assert!(harmful.is_empty(), "{harmful:?} in {shown:?}");
    assert!(!shown.lines().any(|line| line.starts_with("Done: all is well")), "a forged line: {shown}");
}

fn is_id(text: &str) -> bool {
    text.starts_with('/') || text.starts_with("https://")
}

/// Puts the evil behind every text of a document but the ids, so that the document can still be read.
fn poison(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.insert(EVIL.to_owned(), json!(EVIL));
            fields.values_mut().for_each(poison);
        }
        Value::Array(items) => items.iter_mut().for_each(poison),
        Value::String(text) if !is_id(text) => text.push_str(EVIL),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[tokio::test(start_paused = true)]
async fn errors_are_shown_harmless() {
    let body = json!({ "error": { "code": format!("Bad{EVIL}"), "message": EVIL, "innererror": { "code": EVIL },
        "details": [{ "message": format!("detail {EVIL}") }] } });
    for status in [400, 401, 403, 404, 409, 410, 500] {
        for body in [body.to_string(), json!({ "error": EVIL, "error_description": EVIL }).to_string(), EVIL.to_owned()]
        {
            for method in ["GET", "PUT", "PATCH", "POST"] {
                let practice = Practice::new();
                let body = body.clone();
                let middle = Middle::new(&practice, move |line, reply| {
                    let spoil = line.starts_with(method) && !line.contains("rg-quickstart?");
                    let evil = Reply { status, ..reply.clone() }.body(body.clone()).with("x-ms-request-id", EVIL);
                    if spoil { evil } else { reply }
                });
                let run = middle.run(&example("quickstart.yaml")).await;
                assert_harmless(&run.shown);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_things_say_of_themselves_is_shown_harmless() {
    let practice = converged().await;
    for thing in THINGS {
        let middle =
            Middle::new(&practice, move |line, reply| if line.contains(thing) { reply.json(poison) } else { reply });
        let run = middle.run(&example("quickstart.yaml")).await;
        assert_harmless(&run.shown);
    }
    // One text at a time, so that the others do not make the whole unintelligible.
    let places = [
        (THINGS[0], "/properties/provisioningState"),
        (THINGS[1], "/properties/provisioningState"),
        (THINGS[1], "/properties/sku/name"),
        (THINGS[1], "/properties/tenantId"),
        (THINGS[1], "/properties/accessPolicies/0/objectId"),
        (THINGS[1], "/properties/accessPolicies/0/permissions/keys/0"),
        (THINGS[2], "/properties/kty"),
        (THINGS[3], "/sku/name"),
        (THINGS[3], "/kind"),
        (THINGS[3], "/identity/principalId"),
        (THINGS[3], "/properties/provisioningState"),
        (THINGS[3], "/properties/encryption/keySource"),
        (THINGS[3], "/properties/encryption/keyvaultproperties/keyname"),
        (THINGS[3], "/properties/encryption/keyvaultproperties/keyversion"),
        (THINGS[3], "/properties/encryption/keyvaultproperties/keyvaulturi"),
        (THINGS[3], "/properties/encryption/keyvaultproperties/currentVersionedKeyIdentifier"),
    ];
    for (thing, place) in places {
        let middle = Middle::new(&practice, move |line, reply| {
            let spoil = |body: &mut Value| {
                let text = body.pointer_mut(place).unwrap_or_else(|| panic!("{place} of {thing}"));
                *text = json!(format!("{}{EVIL}", text.as_str().unwrap_or_default()));
            };
            if line.starts_with("GET") && line.contains(thing) { reply.json(spoil) } else { reply }
        });
        let run = middle.run(&example("quickstart.yaml")).await;
        assert!(!run.shown.is_empty());
        assert_harmless(&run.shown);
    }
}

#[tokio::test(start_paused = true)]
async fn what_entra_says_is_shown_harmless() {
    let practice = Practice::new();
    let middle = Middle::new(&practice, |line, reply| {
        let body = json!({ "error": "invalid_client", "error_description": EVIL }).to_string();
        if line.contains("/oauth2/") { Reply { status: 401, ..reply }.body(body) } else { reply }
    });
    let run = middle.run(&example("quickstart.yaml")).await;
    assert!(run.shown.contains("invalid_client"), "{}", run.shown);
    assert_harmless(&run.shown);
}
