//! The last gate before the network: counts what leaves and lets nothing leave for a host outside the cloud.

use super::cloud::Cloud;
use super::failure::{Failure, Kind};
use azure_core::error::ErrorKind;
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

/// What was sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stats {
    /// Requests that left, by service (`arm`, `keyVault`, `login`) and method.
    pub requests: BTreeMap<String, BTreeMap<String, u64>>,
    /// Requests that left and could change something.
    pub writes_sent: u64,
    /// Those of them that Azure answered with 2xx.
    pub writes_succeeded: u64,
    /// Requests that were sent again.
    pub retries: u64,
}

impl Stats {
    /// All requests that left, sign-in included.
    pub fn total(&self) -> u64 {
        self.requests.values().flat_map(BTreeMap::values).sum()
    }
}

/// A transport that counts, and that refuses hosts outside its cloud.
///
/// The credential and the client share one, so that sign-in is counted too and a
/// secret goes nowhere but to the cloud's own Entra ID.
#[derive(Debug)]
pub struct Counted {
    inner: Arc<dyn HttpClient>,
    cloud: Cloud,
    pub(super) tally: Tally,
}

impl Counted {
    /// Puts the gate in front of a transport.
    pub fn new(cloud: Cloud, inner: Arc<dyn HttpClient>) -> Arc<Self> {
        Arc::new(Self { inner, cloud, tally: Tally::default() })
    }

    /// What was sent so far.
    pub fn stats(&self) -> Stats {
        self.tally.with(|stats| stats.clone())
    }

    fn service(&self, url: &Url) -> Option<&'static str> {
        // A name or a password in a URL is nothing that we write.
        if !url.username().is_empty() || url.password().is_some() {
            None
        } else if self.cloud.is_arm(url) {
            Some("arm")
        } else if self.cloud.is_authority(url) {
            Some("login")
        } else if self.cloud.is_vault(url) {
            Some("keyVault")
        } else {
            None
        }
    }
}

#[async_trait::async_trait]
impl HttpClient for Counted {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let Some(service) = self.service(request.url()) else {
            let host = request.url().host_str().unwrap_or("a URL without a host");
            let failure = Failure::new(Kind::Foreign, format!("{host} is not of the {} cloud", self.cloud.name));
            return Err(azure_core::Error::with_error(ErrorKind::Connection, failure, "refused to send"));
        };
        let method = request.method().as_str();
        // Counted before it leaves: a caller that gives up while waiting has sent it all the same.
        self.tally.with(|stats| *count(stats, service, method) += 1);
        let result = self.inner.execute_request(request).await;
        if matches!(&result, Err(error) if *error.kind() == ErrorKind::Connection) {
            self.tally.with(|stats| uncount(stats, service, method));
        }
        result
    }
}

fn count<'a>(stats: &'a mut Stats, service: &str, method: &str) -> &'a mut u64 {
    stats.requests.entry(service.to_owned()).or_default().entry(method.to_owned()).or_default()
}

/// Takes one back, and leaves no zero behind.
fn uncount(stats: &mut Stats, service: &str, method: &str) {
    let number = count(stats, service, method);
    *number = number.saturating_sub(1);
    for methods in stats.requests.values_mut() {
        methods.retain(|_, number| *number > 0);
    }
    stats.requests.retain(|_, methods| !methods.is_empty());
}

/// The counters, and the newest time that Azure has told.
#[derive(Debug, Default)]
pub(super) struct Tally {
    stats: Mutex<Stats>,
    newest: AtomicI64,
}

impl Tally {
    pub(super) fn with<T>(&self, change: impl FnOnce(&mut Stats) -> T) -> T {
        // A panic elsewhere cannot leave counters half-written.
        change(&mut self.stats.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn tell_time(&self, seconds: i64) {
        self.newest.fetch_max(seconds, Ordering::Relaxed);
    }

    pub(super) fn newest(&self) -> i64 {
        self.newest.load(Ordering::Relaxed)
    }
}
