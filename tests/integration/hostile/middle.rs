//! Somebody between us and Azure, who may change every answer, and who notes which token was sent where.

use crate::practice::{Practice, cloud};
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request};
use cmk::apply::{Budgets, Settings, apply};
use cmk::azure::{Azure, Cloud, Counted, Failure, Options, Retry, credential};
use cmk::model::{Desired, Observed};
use cmk::observe::observe;
use cmk::plan::{Accepted, plan};
use cmk::report::verdict::Proof;
use cmk::report::{Scene, Traffic, human, json, outcome, progress};
use cmk::sandbox::{self, Local};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// An answer on its way.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(held, _)| held != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// Changes the JSON body.
    pub(super) fn json(self, change: impl FnOnce(&mut serde_json::Value)) -> Self {
        let Ok(mut body) = serde_json::from_slice(&self.body) else { return self };
        change(&mut body);
        self.body(body.to_string())
    }
}

/// What is done to the answer of a request, which is told as `GET https://…`.
type Tamper = Arc<dyn Fn(&str, Reply) -> Reply + Send + Sync>;

/// A request that left: its line, and the audience of the token that it bore.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) line: String,
    pub(super) audience: Option<String>,
    pub(super) body: String,
}

/// The one in the middle.
pub(super) struct Middle {
    cloud: Cloud,
    behind: Local,
    tamper: Tamper,
    tokens: Mutex<BTreeMap<String, String>>,
    asked: Mutex<Vec<Asked>>,
}

impl fmt::Debug for Middle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Middle")
    }
}

/// The way that the product takes to tokens, with a note of what each token is for.
#[derive(Debug)]
struct Noted {
    inner: Arc<dyn TokenCredential>,
    middle: Arc<Middle>,
}

#[async_trait::async_trait]
impl TokenCredential for Noted {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let token = self.inner.get_token(scopes, None).await?;
        let audience = scopes.join(" ").trim_end_matches("/.default").to_owned();
        self.middle.tokens.lock().unwrap().insert(token.token.secret().to_owned(), audience);
        Ok(token)
    }
}

#[async_trait::async_trait]
impl HttpClient for Middle {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let line = format!("{} {}", request.method().as_str(), request.url());
        let bearer = request.headers().get_optional_string(&azure_core::http::headers::AUTHORIZATION);
        let audience = bearer.map(|text| {
            let tokens = self.tokens.lock().unwrap();
            text.strip_prefix("Bearer ").and_then(|token| tokens.get(token)).cloned().unwrap_or(text)
        });
        let Body::Bytes(bytes) = request.body() else { panic!("a body that is a stream") };
        let body = String::from_utf8_lossy(bytes).into_owned();
        self.asked.lock().unwrap().push(Asked { line: line.clone(), audience, body });
        let (status, headers, body) = self.behind.execute_request(request).await?.deconstruct();
        let headers = headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_str().to_owned()));
        let reply = Reply { status: status.into(), headers: headers.collect(), body: body.collect().await?.to_vec() };
        let Reply { status, headers, body } = (self.tamper)(&line, reply);
        let mut all = Headers::new();
        for (name, value) in headers {
            all.insert(name, value);
        }
        Ok(AsyncRawResponse::from_bytes(status.into(), all, body))
    }
}

impl Middle {
    pub(super) fn new(practice: &Practice, tamper: impl Fn(&str, Reply) -> Reply + Send + Sync + 'static) -> Arc<Self> {
        let cloud = cloud();
        let behind = Local(practice.sandbox.clone());
        Arc::new(Self { cloud, behind, tamper: Arc::new(tamper), tokens: Mutex::default(), asked: Mutex::default() })
    }

    /// The product's own client, which reaches everything, Entra ID too, through here.
    pub(super) fn azure(self: &Arc<Self>) -> Azure {
        let counted = Counted::new(self.cloud.clone(), self.clone());
        let choice = credential::Choice::ClientSecret {
            tenant: sandbox::TENANT.to_owned(),
            client: sandbox::CLIENT_ID.to_owned(),
            secret: sandbox::CLIENT_SECRET.into(),
        };
        let inner = credential::build(&choice, &self.cloud, &counted, Retry::default()).expect("a secret is enough");
        Azure::new(self.cloud.clone(), Arc::new(Noted { inner, middle: self.clone() }), counted, Options::default())
    }

    /// Everything that left, after a check that each token went to its own audience and nothing left the cloud.
    pub(super) fn asked(&self) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap().clone();
        for Asked { line, audience, .. } in &asked {
            let url: url::Url = line.split_once(' ').unwrap().1.parse().unwrap();
            let expected = if self.cloud.is_arm(&url) {
                Some(&self.cloud.arm_audience)
            } else if self.cloud.is_vault(&url) {
                Some(&self.cloud.vault_audience)
            } else {
                assert!(self.cloud.is_authority(&url), "{line} left the cloud");
                None
            };
            assert_eq!(audience.as_ref(), expected, "{line}");
        }
        asked
    }

    /// How often a request whose line begins like this left.
    pub(super) fn times(&self, part: &str) -> usize {
        self.asked().iter().filter(|asked| asked.line.contains(part)).count()
    }

    pub(super) async fn observe(self: &Arc<Self>, desired: &Desired) -> Result<Observed, Failure> {
        let result = observe(desired, &self.azure()).await;
        self.asked();
        result
    }

    /// Observes, plans, applies and looks again; gives everything that a person or a program would read of it.
    pub(super) async fn run(self: &Arc<Self>, desired: &Desired) -> Run {
        let azure = self.azure();
        let scene = Scene { cloud: "sandbox".to_owned(), sandbox_file: None };
        let traffic = Traffic::default();
        let observed = match observe(desired, &azure).await {
            Ok(observed) => observed,
            Err(failure) => return Run { shown: failure.to_string(), ..Run::default() },
        };
        let planned = plan(desired, &observed);
        let mut shown = human::plan(&planned, &scene, false) + &json::plan(&planned, &traffic, &scene);
        let settings = Settings {
            concurrency: 8,
            budgets: Budgets::default(),
            run_id: uuid::Uuid::nil(),
            accepted: Accepted::whole_plan(),
            materials: cmk::material::Materials::default(),
        };
        let (_keep, stop) = watch::channel(false);
        let mut lines = String::new();
        let mut sink = |event| lines.extend([progress::line(&event), "\n".to_owned()]);
        let ended = apply(&planned, desired, observed, &azure, &settings, stop, &mut sink).await;
        let proof = match observe(desired, &azure).await {
            Ok(observed) => Proof::Looked(Box::new(plan(desired, &observed))),
            Err(failure) => Proof::NotLooked(failure.to_string()),
        };
        shown.push_str(&lines);
        shown.push_str(&outcome::outcome(&planned, &ended, &proof, &traffic, &scene, false));
        shown.push_str(&json::applied(&planned, &ended, &proof, &traffic, &scene));
        self.asked();
        Run { good: ended.is_good(), shown }
    }
}

/// What came of a run.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) good: bool,
    /// Reports, documents and progress, one after the other.
    pub(super) shown: String,
}
