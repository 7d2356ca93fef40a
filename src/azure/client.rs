//! The client: sends a call and reads its answer. The only thing that talks to Azure; it decides nothing about plans.

use super::call::{Answer, Call, Effect, Service};
use super::cloud::Cloud;
use super::counted::{Counted, Stats};
use super::failure::{Failure, from_pipeline};
use super::holdback::HoldBack;
use super::incoming;
use super::retry::{Resend, header};
use crate::model::Timestamp;
use azure_core::credentials::TokenCredential;
use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::policies::auth::BearerTokenAuthorizationPolicy;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{
    ClientOptions, Context, Method, Pipeline, PipelineSendOptions, Request, RetryOptions, Transport, UserAgentOptions,
};
use azure_core::time::parse_rfc7231;
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
    /// The request id of calls that bring none of their own.
    request_id: Option<String>,
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
        let sender = Sender { permits, retry: options.retry, holds: Arc::default() };
        let arm = sender.pipeline(&cloud.arm_audience, credential.clone(), &transport);
        let vault = sender.pipeline(&cloud.vault_audience, credential, &transport);
        Self { inner: Arc::new(Inner { cloud, arm, vault, counted: transport }), request_id: None }
    }

    /// The same client, whose calls all go under one request id: everything that one step asks, in Azure's logs too.
    #[must_use]
    pub fn under(&self, request_id: String) -> Self {
        Self { inner: self.inner.clone(), request_id: Some(request_id) }
    }

    /// Sends a call, again if its effect allows it, and reads the answer. Anything but 2xx is a failure.
    pub async fn call(&self, call: &Call) -> Result<Answer, Failure> {
        let url = call.url(&self.inner.cloud)?;
        let mut request = request(call, url.clone(), self.request_id.as_ref())?;
        let pipeline = match &call.service {
            Service::Arm => &self.inner.arm,
            Service::KeyVault { .. } => &self.inner.vault,
        };
        let context = Context::new().with_value(call.effect);
        let options = PipelineSendOptions { skip_checks: true, ..PipelineSendOptions::default() };
        match pipeline.send(&context, &mut request, Some(options)).await {
            Ok(response) => incoming::answer(call, &self.inner.cloud, &url, &response),
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

/// What the pipelines of one client share.
struct Sender {
    permits: Arc<Semaphore>,
    retry: Retry,
    holds: Arc<HoldBack>,
}

impl Sender {
    fn pipeline(&self, audience: &str, credential: Arc<dyn TokenCredential>, counted: &Arc<Counted>) -> Pipeline {
        let resend = Resend {
            retry: self.retry,
            effect: None,
            permits: Some(self.permits.clone()),
            counted: counted.clone(),
            holds: self.holds.clone(),
        };
        let options = ClientOptions {
            per_call_policies: vec![Arc::new(resend)],
            per_try_policies: vec![Arc::new(Attempt { counted: counted.clone() })],
            ..client_options(counted)
        };
        // One policy an audience: it keeps one token, whatever scope it is asked for.
        let bearer = BearerTokenAuthorizationPolicy::new(credential, [format!("{audience}/.default")]);
        Pipeline::new(None, None, options, Vec::new(), vec![Arc::new(bearer)], None)
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

fn request(call: &Call, url: Url, request_id: Option<&String>) -> Result<Request, Failure> {
    let mut request = Request::new(url, call.method);
    request.insert_header("accept", "application/json");
    let id = call.request_id.as_ref().or(request_id).cloned().unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    request.insert_header("x-ms-client-request-id", id);
    if let Some(body) = &call.body {
        let bytes = serde_json::to_vec(body).map_err(|error| Failure::unintelligible(call, error.to_string()))?;
        request.insert_header("content-type", "application/json");
        request.set_body(bytes);
    } else if call.method == Method::Post {
        // Azure's front ends answer 411 to a POST that does not state its length.
        request.insert_header("content-length", "0");
    }
    Ok(request)
}

/// A failure of signing in names its own endpoint; any other is one of the call's.
fn placed(failure: Failure, call: &Call) -> Failure {
    if failure.said.target.is_empty() { failure.of(call) } else { failure }
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
                let request_id = incoming::request_id(response.headers()).unwrap_or_default();
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

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::super::fake::{Fake, Reply, Tokens, options};
    use super::*;
    use azure_core::http::Method;
    use serde_json::json;
    use std::sync::atomic::Ordering;

    fn read() -> Call {
        Call::get("/x".to_owned(), "1")
    }

    #[tokio::test(start_paused = true)]
    async fn requests_and_writes_are_counted_once_each() {
        let fake = Fake::new([
            ("GET /x", Reply::empty(500)),
            ("GET /x", Reply::empty(200)),
            ("PUT /x", Reply::NotSent),
            ("PUT /x", Reply::empty(201)),
            ("PUT /x", Reply::empty(500)),
            ("POST /x", Reply::empty(200)),
        ]);
        let azure = fake.azure();
        azure.call(&read()).await.unwrap();
        let write = Call { method: Method::Put, effect: Effect::Write, ..read() };
        azure.call(&write).await.unwrap_err();
        azure.call(&write).await.unwrap();
        azure.call(&write).await.unwrap_err();
        azure.call(&Call { method: Method::Post, ..read() }).await.unwrap();
        let stats = azure.stats();
        assert_eq!(serde_json::to_value(&stats.requests).unwrap(), json!({"arm": {"GET": 2, "PUT": 2, "POST": 1}}));
        assert_eq!((stats.writes_sent, stats.writes_succeeded, stats.retries), (2, 1, 1));
        assert_eq!(stats.total(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn all_that_a_step_asks_goes_under_its_request_id_and_other_calls_under_their_own() {
        let fake = Fake::new([
            ("GET /x", Reply::empty(500)),
            ("", Reply::empty(200)),
            ("", Reply::empty(200)),
            ("", Reply::empty(200)),
        ]);
        let azure = fake.azure();
        let step = azure.under("step-1".to_owned());
        step.call(&read()).await.unwrap();
        step.call(&read().with_request_id("own")).await.unwrap();
        azure.call(&read()).await.unwrap();
        let ids: Vec<String> = fake.asked().into_iter().filter_map(|asked| asked.request_id).collect();
        assert_eq!(ids[..3], ["step-1", "step-1", "own"]);
        assert!(uuid::Uuid::parse_str(&ids[3]).is_ok(), "{ids:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn each_audience_gets_its_own_token_once() {
        let script = ["GET management", "GET management", "GET kv.vault"].map(|key| (key, Reply::empty(200)));
        let fake = Fake::new(script);
        let tokens = Arc::new(Tokens::default());
        let transport = Counted::new(Cloud::public(), fake.clone());
        let azure = Azure::new(Cloud::public(), tokens.clone(), transport, options());
        let vault = Call { service: Service::KeyVault { host: "kv.vault.azure.net".to_owned() }, ..read() };
        let (one, two) = (read(), read());
        let (a, b, c) = futures::join!(azure.call(&one), azure.call(&two), azure.call(&vault));
        assert!(a.is_ok() && b.is_ok() && c.is_ok());
        assert_eq!(tokens.given.load(Ordering::SeqCst), 2);
        for asked in fake.asked() {
            let token = asked.authorization.unwrap();
            let audience = if asked.line.contains("vault") { "vault.azure.net/" } else { "management.azure.com/" };
            assert!(token.ends_with(&format!("https://{audience}.default")), "{} {token}", asked.line);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_requests_are_in_flight_than_allowed_and_waiting_holds_no_place() {
        let throttled = ("GET /subscriptions/s1/slow", Reply::empty(429).with("retry-after", "20"));
        let fake = Fake::new([throttled].into_iter().chain((0..13).map(|_| ("GET ", Reply::empty(200)))));
        let azure = fake.azure();
        let slow = Call::get("/subscriptions/s1/slow".to_owned(), "1");
        let quick = read();
        let start = tokio::time::Instant::now();
        let all_quick = async {
            futures::future::join_all((0..12).map(|_| azure.call(&quick))).await;
            start.elapsed()
        };
        let (answer, quick_took) = futures::join!(azure.call(&slow), all_quick);
        assert!(answer.is_ok() && quick_took < Duration::from_secs(1));
        assert_eq!(fake.in_flight_max.load(Ordering::SeqCst), options().concurrency);
    }

    #[tokio::test(start_paused = true)]
    async fn no_token_leaves_for_a_host_outside_the_cloud() {
        let fake = Fake::new([]);
        let evil = Call { service: Service::KeyVault { host: "kv.vault.azure.net.evil.example".to_owned() }, ..read() };
        let failure = fake.azure().call(&evil).await.unwrap_err();
        assert_eq!((failure.kind, fake.asked().len()), (Kind::Foreign, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_challenge_is_not_followed() {
        let challenge = r#"Bearer authorization="https://evil.example/t", resource="https://vault.azure.net""#;
        let fake = Fake::new([("GET kv", Reply::error(401, "Unauthorized").with("www-authenticate", challenge))]);
        let vault = Call { service: Service::KeyVault { host: "kv.vault.azure.net".to_owned() }, ..read() };
        let failure = fake.azure().call(&vault).await.unwrap_err();
        assert_eq!((failure.kind, fake.asked().len()), (Kind::Credential, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn now_is_the_newest_date_that_azure_told() {
        let date = |text: &str| ("GET /x", Reply::empty(200).with("date", text));
        let fake = Fake::new([date("Wed, 21 Oct 2015 07:28:00 GMT"), date("Wed, 21 Oct 2015 07:27:00 GMT")]);
        let azure = fake.azure();
        assert_eq!(azure.now(), Timestamp(0));
        azure.call(&read()).await.unwrap();
        azure.call(&read()).await.unwrap();
        assert_eq!(azure.now(), Timestamp(1_445_412_480));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_says_what_where_and_what_azure_said() {
        let reply = Reply::error(409, "VaultAlreadyExists").with("x-ms-request-id", "r-1");
        let failure = Fake::new([("GET /x", reply)]).azure().call(&read()).await.unwrap_err();
        let expected = "the state of the resource does not allow this\n  GET /x\n  409 VaultAlreadyExists: said Azure\n  request id r-1";
        assert_eq!(failure.to_string(), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_no_json_is_unintelligible() {
        let reply = Reply::Answer(200, Vec::new(), "<html>Sign in to the hotel's network</html>".to_owned());
        let failure = Fake::new([("GET /x", reply)]).azure().call(&read()).await.unwrap_err();
        assert_eq!(failure.kind, Kind::Unintelligible);
    }

    #[tokio::test(start_paused = true)]
    async fn links_are_resolved_against_the_request() {
        let reply = Reply::empty(202).with("location", "/ops/1?api-version=1").with("retry-after", "17");
        let answer = Fake::new([("GET /x", reply)]).azure().call(&read()).await.unwrap();
        assert_eq!(answer.location.unwrap().as_str(), "https://management.azure.com/ops/1?api-version=1");
        assert_eq!(answer.retry_after, Some(Duration::from_secs(17)));
    }
}
