//! A token goes to the hosts of its own audience and to no other, whatever an answer says. `Middle::asked` checks every
//! request of every run; these runs are the ones that try to lead a token away.

use super::middle::{Middle, Reply};
use super::{THINGS, assert_clear, converged, observed};
use crate::practice::{Practice, example};
use cmk::azure::Kind;
use cmk::model::Seen;
use serde_json::json;

/// Places that a vault may be said to be at, none of which is its own.
fn elsewhere() -> Vec<String> {
    let suffix = cmk::sandbox::VAULT_SUFFIX;
    vec![
        "https://evil.example/".to_owned(),
        format!("https://kv-quickstart.{suffix}.evil.example/"),
        format!("https://kv-quickstart.{suffix}@evil.example/"),
        format!("https://a.kv-quickstart.{suffix}/"),
        format!("https://{suffix}/"),
        format!("https://kv-other.{suffix}/"),
        format!("http://kv-quickstart.{suffix}/"),
        format!("https://{}/", cmk::sandbox::ARM_HOST),
        "https://[::1]/".to_owned(),
        "evil.example".to_owned(),
        String::new(),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_vault_that_is_said_to_be_elsewhere_is_refused() {
    let practice = converged().await;
    for uri in elsewhere() {
        let to = uri.clone();
        let change = move |reply: Reply| reply.json(|body| body["properties"]["vaultUri"] = json!(to));
        assert_clear(observed(&practice, THINGS[1], change).await, &uri);
    }
}

#[tokio::test(start_paused = true)]
async fn no_account_is_pointed_at_a_vault_elsewhere() {
    for uri in elsewhere() {
        let practice = Practice::new();
        let to = uri.clone();
        // From the creation on: the answer to a write is a look, too.
        let middle = Middle::new(&practice, move |line, reply| {
            let change = |body: &mut serde_json::Value| {
                if body.pointer("/properties/vaultUri").is_some() {
                    body["properties"]["vaultUri"] = json!(to);
                }
            };
            if line.contains(THINGS[1]) { reply.json(change) } else { reply }
        });
        let run = middle.run(&example("quickstart.yaml")).await;
        assert!(!run.good, "{uri}: {}", run.shown);
        let binds = middle.asked().into_iter().filter(|asked| asked.body.contains("keyvaulturi")).count();
        assert_eq!(binds, 0, "{uri}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_bound_to_a_vault_elsewhere_is_told_and_nobody_there_is_asked() {
    let practice = converged().await;
    for uri in ["https://evil.example/", "https://kv-quickstart.vault.evil.example/", "http://169.254.169.254/"] {
        let change = move |reply: Reply| {
            reply.json(|body| body["properties"]["encryption"]["keyvaultproperties"]["keyvaulturi"] = json!(uri))
        };
        assert_eq!(observed(&practice, THINGS[3], change).await, None, "{uri}");
    }
}

/// What a vault sends to somebody without a token, leading elsewhere in one way or another.
const CHALLENGES: [&str; 4] = [
    r#"Bearer authorization="https://evil.example/tenant", resource="https://vault.azure.net""#,
    r#"Bearer authorization="https://login.microsoftonline.com/other", resource="https://evil.example""#,
    r#"Bearer authorization="http://127.0.0.1/x", scope="https://evil.example/.default""#,
    "Negotiate \u{1b}[2J",
];

#[tokio::test(start_paused = true)]
async fn a_challenge_leads_to_no_other_authority_and_to_no_other_audience() {
    let practice = converged().await;
    for challenge in CHALLENGES {
        let middle = Middle::new(&practice, move |line, reply| match line {
            // ARM does not show the key, so the vault itself is asked.
            _ if line.contains("/vaults/kv-quickstart/keys/") => {
                Reply { status: 403, ..reply }.body(json!({ "error": { "code": "AuthorizationFailed" } }).to_string())
            }
            _ if line.contains(cmk::sandbox::VAULT_SUFFIX) => {
                let refused = json!({ "error": { "code": "Unauthorized", "message": "AKV10000" } });
                Reply { status: 401, ..reply }.with("www-authenticate", challenge).body(refused.to_string())
            }
            _ => reply,
        });
        let observed = middle.observe(&example("quickstart.yaml")).await.expect("what is not shown is hidden");
        assert!(matches!(observed.keys.values().next(), Some(Seen::Hidden(_))), "{challenge}");
        // One token for each audience, and one question to the vault: nothing was asked for again.
        assert_eq!(middle.times("/oauth2/"), 2, "{challenge}");
        assert_eq!(middle.times(cmk::sandbox::VAULT_SUFFIX), 1, "{challenge}");
    }
}

#[tokio::test(start_paused = true)]
async fn entra_cannot_send_a_secret_elsewhere() {
    for status in [301, 302, 307, 308] {
        let practice = Practice::new();
        let middle = Middle::new(&practice, move |line, reply| {
            let moved = Reply { status, ..reply.clone() }.with("location", "https://evil.example/token");
            if line.contains("/oauth2/") { moved } else { reply }
        });
        let failure = middle.observe(&example("quickstart.yaml")).await.expect_err("no token, no look");
        assert_eq!(failure.kind, Kind::Credential, "{failure}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_no_token_is_a_failure_to_sign_in() {
    let bodies = [
        "",
        "null",
        "[]",
        "<html>",
        "{}",
        r#"{"access_token":5}"#,
        r#"{"access_token":"a\r\nHost: evil","expires_in":3600}"#,
        r#"{"access_token":"t","expires_in":-1,"token_type":"Bearer"}"#,
        r#"{"access_token":"t","expires_in":18446744073709551615,"token_type":"Bearer"}"#,
        r#"{"access_token":"t","expires_in":9223372036854775807,"token_type":"Bearer"}"#,
    ];
    for body in bodies {
        let practice = Practice::new();
        let middle =
            Middle::new(&practice, move |line, reply| if line.contains("/oauth2/") { reply.body(body) } else { reply });
        let failure = middle.observe(&example("quickstart.yaml")).await.expect_err("no token, no look");
        assert!(failure.to_string().len() < 5000, "{body}: {failure}");
    }
}
