//! The control host of a running sandbox: for whoever started it, not for clients of Azure.

use http::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::Sandbox;
use super::super::wire::Answer;

/// Answers a request to the control host: `GET /world` and `POST /advance`.
pub(super) fn answer(sandbox: &Sandbox, key: &str, request: &http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
    let sent = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let sent = sent.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    // By their hashes, so that the time it takes tells nothing of the key.
    if Sha256::digest(sent) != Sha256::digest(key) {
        return Answer::error(401, "Unauthorized", "the key is in ready.json, for its owner to read").written();
    }
    let answer = match (request.method(), request.uri().path()) {
        (&Method::GET, "/world") => {
            let now = sandbox.now();
            Answer::json(200, sandbox.world(|world| world.shown(now)))
        }
        (&Method::POST, "/advance") => advance(sandbox, request.body()),
        _ => Answer::error(404, "NotFound", "there is GET /world and POST /advance"),
    };
    answer.written()
}

fn advance(sandbox: &Sandbox, body: &[u8]) -> Answer {
    let sent: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(milliseconds) = sent["milliseconds"].as_i64().filter(|by| *by >= 0) else {
        return Answer::error(400, "BadRequest", "`milliseconds` must be a whole number from 0");
    };
    match sandbox.advance(milliseconds) {
        Ok(now) => Answer::json(200, json!({"now": now.whole()})),
        Err(error) => Answer::error(500, "NotSaved", &error.to_string()),
    }
}
