//! What the targets share: answers written as text, a transport that gives them, and what must hold of all output.

use azure_core::Error;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use azure_core::time::OffsetDateTime;
use cmk::azure::{Azure, Cloud, Counted, Options, Retry};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One answer: a line with the status, lines of headers, an empty line, the body.
#[derive(Debug, Clone, Default)]
pub struct Message {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Message {
    pub fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(2).position(|two| two == b"\n\n").unwrap_or(bytes.len());
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split('\n');
        let status = lines.next().and_then(|line| line.trim().parse().ok()).unwrap_or(200);
        let headers = lines.filter_map(|line| line.split_once(": "));
        // As an HTTP library lets them through: names in lower case, no line breaks.
        let headers = headers.filter(|(name, _)| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        Self { status, headers, body: bytes.get(end + 2..).unwrap_or_default().to_vec() }
    }

    fn response(&self) -> AsyncRawResponse {
        let mut headers = Headers::new();
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        AsyncRawResponse::from_bytes(self.status.into(), headers, self.body.clone())
    }
}

/// Gives scripted answers to the requests that the script names by their number, and sends the others on.
#[derive(Debug)]
pub struct Scripted {
    cloud: Cloud,
    pub script: Mutex<Script>,
    pub otherwise: Option<Arc<dyn HttpClient>>,
}

/// The answers, by the number of the request.
#[derive(Debug, Default)]
pub struct Script {
    pub asked: u32,
    pub answers: BTreeMap<u32, Message>,
    /// The answer to every request that has none of its own.
    pub all: Option<Message>,
}

impl Scripted {
    pub fn new(cloud: Cloud, script: Script, otherwise: Option<Arc<dyn HttpClient>>) -> Arc<Self> {
        Arc::new(Self { cloud, script: Mutex::new(script), otherwise })
    }

    /// Each token goes only to the hosts of its own audience.
    fn check_token(&self, request: &Request) {
        let url = request.url();
        let name = azure_core::http::headers::AUTHORIZATION;
        let token = request.headers().get_optional_string(&name).unwrap_or_default();
        let audience = match token.strip_prefix("Bearer token for ") {
            Some(scope) => scope.trim_end_matches("/.default"),
            None => return,
        };
        let fits = (audience == self.cloud.arm_audience && self.cloud.is_arm(url))
            || (audience == self.cloud.vault_audience && self.cloud.is_vault(url));
        assert!(fits, "a token for {audience} was sent to {url}");
    }
}

#[async_trait::async_trait]
impl HttpClient for Scripted {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        self.check_token(request);
        let scripted = {
            let mut script = self.script.lock().unwrap();
            script.asked += 1;
            let number = script.asked;
            script.answers.get(&number).or(script.all.as_ref()).map(Message::response)
        };
        match (scripted, &self.otherwise) {
            (Some(response), _) => Ok(response),
            (None, Some(otherwise)) => otherwise.execute_request(request).await,
            (None, None) => Err(Error::with_message(ErrorKind::Io, "the script is at its end")),
        }
    }
}

/// A credential whose tokens say what they are for.
#[derive(Debug)]
pub struct Tokens;

#[async_trait::async_trait]
impl TokenCredential for Tokens {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let expires = OffsetDateTime::now_utc() + azure_core::time::Duration::hours(1);
        Ok(AccessToken::new(format!("token for {}", scopes.join(" ")), expires))
    }
}

pub fn azure(transport: Arc<Scripted>, credential: Arc<dyn TokenCredential>, tries: u32) -> Azure {
    let cloud = transport.cloud.clone();
    let retry = Retry { tries, first_delay: Duration::from_millis(500), delay_max: Duration::from_secs(30) };
    let counted = Counted::new(cloud.clone(), transport);
    Azure::new(cloud, credential, counted, Options { concurrency: 4, retry })
}

/// Runs a task in virtual time.
pub fn block_on<F: Future>(task: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime of one thread").block_on(task)
}

/// Nothing that is shown can steer a terminal or hide.
pub fn check_shown(text: &str) {
    let is_unsafe = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    if let Some(wrong) = text.chars().find(|c| is_unsafe(*c)) {
        panic!("{wrong:?} in {text:?}");
    }
}
