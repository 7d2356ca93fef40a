//! A scripted Azure for unit tests: gives the answers it was told to give, and remembers what was asked.

use super::client::{Azure, Options, Retry};
use super::cloud::Cloud;
use super::counted::Counted;
use super::failure::{Failure, Kind};
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request};
use azure_core::time::{Duration, OffsetDateTime};
use serde_json::Value;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What becomes of one request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Answer(u16, Vec<(&'static str, String)>, String),
    Lost,
    NotSent,
    Untrusted,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::Answer(status, Vec::new(), body.to_string())
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self::Answer(status, Vec::new(), String::new())
    }

    pub(crate) fn error(status: u16, code: &str) -> Self {
        Self::json(status, &serde_json::json!({ "error": { "code": code, "message": "said Azure" } }))
    }

    pub(crate) fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        match self {
            Self::Answer(status, mut headers, body) => {
                headers.push((name, value.into()));
                Self::Answer(status, headers, body)
            }
            other => other,
        }
    }
}

/// What was asked: `GET https://…`, with the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) body: String,
    pub(crate) authorization: Option<String>,
    pub(crate) request_id: Option<String>,
}

/// The script: pairs of a request's beginning of line or part of it, and the reply; each is used once, in order.
#[derive(Debug, Default)]
pub(crate) struct Fake {
    replies: Mutex<Vec<(String, Reply)>>,
    asked: Mutex<Vec<Asked>>,
    in_flight: AtomicUsize,
    pub(crate) in_flight_max: AtomicUsize,
}

impl Fake {
    pub(crate) fn new<'a>(script: impl IntoIterator<Item = (&'a str, Reply)>) -> Arc<Self> {
        let replies = script.into_iter().map(|(key, reply)| (key.to_owned(), reply)).collect();
        Arc::new(Self { replies: Mutex::new(replies), ..Self::default() })
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }

    /// A client in the public cloud that talks to this script, with a token that is always at hand.
    pub(crate) fn azure(self: &Arc<Self>) -> Azure {
        let transport = Counted::new(Cloud::public(), self.clone());
        Azure::new(Cloud::public(), Arc::new(Tokens::default()), transport, options())
    }

    fn reply(&self, line: &str) -> Option<Reply> {
        let mut replies = self.replies.lock().unwrap();
        let matches = |key: &str| match key.split_once(' ') {
            Some((method, part)) => line.starts_with(method) && line.contains(part),
            None => line.starts_with(key),
        };
        let at = replies.iter().position(|(key, _)| matches(key))?;
        Some(replies.remove(at).1)
    }
}

pub(crate) fn options() -> Options {
    Options { concurrency: 4, retry: Retry { tries: 4, ..Retry::default() } }
}

#[async_trait::async_trait]
impl HttpClient for Fake {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let Body::Bytes(bytes) = request.body() else { panic!("a body that is a stream") };
        let line = format!("{} {}", request.method().as_str(), request.url());
        let authorization = request.headers().get_optional_string(&azure_core::http::headers::AUTHORIZATION);
        let body = String::from_utf8_lossy(bytes).into_owned();
        let header = azure_core::http::headers::HeaderName::from_static("x-ms-client-request-id");
        let request_id = request.headers().get_optional_string(&header);
        self.asked.lock().unwrap().push(Asked { line: line.clone(), body, authorization, request_id });
        let in_flight = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        self.in_flight_max.fetch_max(in_flight, Ordering::SeqCst);
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
        let error = |kind, message: &str| Err(azure_core::Error::with_message(kind, message.to_owned()));
        match self.reply(&line) {
            Some(Reply::Answer(status, headers, body)) => {
                let mut all = Headers::new();
                for (name, value) in headers {
                    all.insert(name, value);
                }
                Ok(AsyncRawResponse::from_bytes(status.into(), all, body))
            }
            Some(Reply::Lost) => error(ErrorKind::Io, "connection reset"),
            Some(Reply::NotSent) => error(ErrorKind::Connection, "connection refused"),
            Some(Reply::Untrusted) => {
                let failure = Failure::new(Kind::Tls, "unknown issuer");
                Err(azure_core::Error::with_error(ErrorKind::Connection, failure, "no"))
            }
            None => error(ErrorKind::Other, &format!("the script has no answer to {line}")),
        }
    }
}

/// A credential that gives `token-N-SCOPE` and counts.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    pub(crate) given: AtomicUsize,
}

#[async_trait::async_trait]
impl TokenCredential for Tokens {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let number = self.given.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        let token = format!("token-{number}-{}", scopes.join(" "));
        Ok(AccessToken::new(token, OffsetDateTime::now_utc() + Duration::hours(1)))
    }
}
