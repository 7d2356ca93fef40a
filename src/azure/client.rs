//! The client: sends a call and reads its answer. The only thing that talks to Azure; it decides nothing about plans.

use super::call::{Answer, Call, Effect, Service};
use super::cloud::Cloud;
use super::counted::{Counted, Stats};
use super::failure::{Failure, from_pipeline};
use super::retry::{Resend, header, retry_after};
use super::said;
use crate::model::Timestamp;
use azure_core::credentials::TokenCredential;
use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::policies::auth::BearerTokenAuthorizationPolicy;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{
    ClientOptions, Context, Pipeline, PipelineSendOptions, RawResponse, Request, RetryOptions, Transport,
    UserAgentOptions,
};
use azure_core::time::parse_rfc7231;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tracing::debug;
use url::Url;

/// How the client behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How many requests may be in flight at once; at least one.
    pub concurrency: usize,
    /// When requests are sent again.
    pub retry: Retry,
}

/// How often and after how long a request is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How often a request is sent at most, the first time included.
    pub tries: u32,
    /// The wait after the first try; it doubles with each.
    pub first_delay: Duration,
    /// The longest wait, also when Azure asks for a longer one in `Retry-After`.
    pub delay_max: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { concurrency: 8, retry: Retry::default() }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self { tries: 5, first_delay: Duration::from_millis(500), delay_max: Duration::from_secs(30) }
    }
}

/// A client for one cloud under one identity. Cheap to clone; clones share connections, counters and limits.
#[derive(Debug, Clone)]
pub struct Azure {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    cloud: Cloud,
    arm: Pipeline,
    vault: Pipeline,
    counted: Arc<Counted>,
}

impl Azure {
    /// A client that sends through a transport, which the credential should share so that sign-in is counted too.
    pub fn new(cloud: Cloud, credential: Arc<dyn TokenCredential>, transport: Arc<Counted>, options: Options) -> Self {
        let permits = Arc::new(Semaphore::new(options.concurrency.max(1)));
        let pipeline = |audience: &str| {
            let resend = Resend {
                retry: options.retry,
                effect: None,
                permits: Some(permits.clone()),
                counted: transport.clone(),
            };
            let client_options = ClientOptions {
                per_call_policies: vec![Arc::new(resend)],
                per_try_policies: vec![Arc::new(Attempt { counted: transport.clone() })],
                ..client_options(&transport)
            };
            // One policy an audience: it keeps one token, whatever scope it is asked for.
            let scope = format!("{audience}/.default");
            let bearer = BearerTokenAuthorizationPolicy::new(credential.clone(), [scope]);
            Pipeline::new(None, None, client_options, Vec::new(), vec![Arc::new(bearer)], None)
        };
        let (arm, vault) = (pipeline(&cloud.arm_audience), pipeline(&cloud.vault_audience));
        Self { inner: Arc::new(Inner { cloud, arm, vault, counted: transport }) }
    }

    /// Sends a call, again if its effect allows it, and reads the answer. Anything but 2xx is a failure.
    pub async fn call(&self, call: &Call) -> Result<Answer, Failure> {
        let url = call.url(&self.inner.cloud)?;
        let mut request = request(call, url.clone())?;
        let pipeline = match &call.service {
            Service::Arm => &self.inner.arm,
            Service::KeyVault { .. } => &self.inner.vault,
        };
        let context = Context::new().with_value(call.effect);
        let options = PipelineSendOptions { skip_checks: true, ..PipelineSendOptions::default() };
        match pipeline.send(&context, &mut request, Some(options)).await {
            Ok(response) => answer(call, &url, &response),
            Err(error) => Err(placed(from_pipeline(&error), call)),
        }
    }

    /// What was sent so far.
    pub fn stats(&self) -> Stats {
        self.inner.counted.stats()
    }

    /// The newest time with which Azure has answered; the start of 1970 before the first answer.
    pub fn now(&self) -> Timestamp {
        Timestamp(self.inner.counted.tally.newest())
    }

    /// The cloud that this client talks to.
    pub fn cloud(&self) -> &Cloud {
        &self.inner.cloud
    }
}

/// What every pipeline of ours has in common: our transport, our name, and no retries but our own.
pub(super) fn client_options(transport: &Arc<Counted>) -> ClientOptions {
    ClientOptions {
        retry: RetryOptions::none(),
        transport: Some(Transport::new(transport.clone())),
        user_agent: UserAgentOptions { application_id: Some(concat!("cmk-", env!("CARGO_PKG_VERSION")).to_owned()) },
        ..ClientOptions::default()
    }
}

fn request(call: &Call, url: Url) -> Result<Request, Failure> {
    let mut request = Request::new(url, call.method);
    request.insert_header("accept", "application/json");
    let id = call.request_id.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    request.insert_header("x-ms-client-request-id", id);
    if let Some(body) = &call.body {
        let bytes = serde_json::to_vec(body).map_err(|error| Failure::unintelligible(call, error.to_string()))?;
        request.insert_header("content-type", "application/json");
        request.set_body(bytes);
    }
    Ok(request)
}

/// A failure of signing in names its own endpoint; any other is one of the call's.
fn placed(failure: Failure, call: &Call) -> Failure {
    if failure.said.target.is_empty() { failure.of(call) } else { failure }
}

fn answer(call: &Call, url: &Url, response: &RawResponse) -> Result<Answer, Failure> {
    let status = u16::from(response.status());
    let headers = response.headers();
    let bytes: &[u8] = response.body();
    let request_id =
        ["x-ms-request-id", "x-ms-correlation-request-id"].into_iter().find_map(|name| header(headers, name));
    if !(200..300).contains(&status) {
        let mut failure = said::read(status, bytes).of(call);
        failure.said.request_id = request_id.map(super::failure::clean);
        return Err(failure);
    }
    let link = |name| header(headers, name).and_then(|text| url.join(text).ok());
    Ok(Answer {
        status,
        body: body(call, bytes)?,
        retry_after: retry_after(headers),
        location: link("location"),
        operation: link("azure-asyncoperation"),
        request_id: request_id.map(super::failure::clean),
    })
}

fn body(call: &Call, bytes: &[u8]) -> Result<Value, Failure> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    serde_json::from_slice(bytes)
        .map_err(|error| Failure::unintelligible(call, format!("the body is not JSON: {error}")))
}

/// The policy around each single try: counts writes, notes Azure's time, and logs without headers or bodies.
#[derive(Debug)]
struct Attempt {
    counted: Arc<Counted>,
}

#[async_trait::async_trait]
impl Policy for Attempt {
    async fn send(&self, context: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let writes = context.value::<Effect>().is_none_or(|effect| *effect != Effect::Read);
        if writes {
            self.counted.tally.with(|stats| stats.writes_sent += 1);
        }
        let start = tokio::time::Instant::now();
        let result = next[0].send(context, request, &next[1..]).await;
        let milliseconds = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (method, path) = (request.method().as_str(), request.url().path());
        match &result {
            Ok(response) => {
                let status = u16::from(response.status());
                if writes && (200..300).contains(&status) {
                    self.counted.tally.with(|stats| stats.writes_succeeded += 1);
                }
                self.note_time(response.headers());
                let request_id = header(response.headers(), "x-ms-request-id").unwrap_or_default();
                debug!(method, path, status, request_id, milliseconds, "answered");
            }
            Err(error) => {
                if writes && *error.kind() == ErrorKind::Connection {
                    self.counted.tally.with(|stats| stats.writes_sent -= 1);
                }
                debug!(method, path, milliseconds, error = %super::failure::chain(error), "not answered");
            }
        }
        result
    }
}

impl Attempt {
    fn note_time(&self, headers: &Headers) {
        if let Some(date) = header(headers, "date").and_then(|text| parse_rfc7231(text).ok()) {
            self.counted.tally.tell_time(date.unix_timestamp());
        }
    }
}
