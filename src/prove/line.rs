//! The line between the product and the sandbox: every request passes here, meets its mishap, and is told to the witness.

use super::ground::Ground;
use super::mishap::{Mishap, Script};
use super::witness::Sent;
use crate::sandbox::{ExchangeError, LOGIN_HOST, Unreachable, local};
use azure_core::error::ErrorKind;
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use azure_core::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// Where a run is cut off. Requests are counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// Right before this request arrives.
    Before(u64),
    /// Right after this request had its effect, before its answer.
    After(u64),
}

/// One run's line.
pub(super) struct Line {
    pub(super) ground: Arc<Ground>,
    pub(super) run: usize,
    pub(super) script: Script,
    pub(super) crash: Option<Crash>,
    pub(super) crashed: Arc<Notify>,
    pub(super) latency: Duration,
    pub(super) sent: AtomicU64,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("run", &self.run).finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl HttpClient for Line {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed) + 1;
        let request = local::outgoing(request)?;
        tokio::time::sleep(self.latency).await;
        self.ground.meddle(self.run, number);
        self.crash_at(Crash::Before(number)).await;
        let mishap = self.mishap(number, &request);
        let answer = self.meet(number, &request, mishap).await;
        self.crash_at(Crash::After(number)).await;
        answer
    }
}

impl Line {
    /// Ends the run here, if this is the place: the future that waits is dropped by whoever is told.
    async fn crash_at(&self, place: Crash) {
        if self.crash == Some(place) {
            self.crashed.notify_one();
            std::future::pending::<()>().await;
        }
    }

    fn mishap(&self, number: u64, request: &http::Request<Vec<u8>>) -> Option<Mishap> {
        let path = request.uri().path().to_ascii_lowercase();
        let hidden = Sent::reads(request) && self.script.hidden.iter().any(|part| path.contains(part.as_str()));
        if hidden {
            return Some(Mishap::Denied);
        }
        // Signing in has no operation that could fail later.
        let is_login = request.uri().host() == Some(LOGIN_HOST);
        self.script.mishaps.get(&number).copied().filter(|mishap| !(is_login && *mishap == Mishap::Failed))
    }

    async fn meet(
        &self,
        number: u64,
        request: &http::Request<Vec<u8>>,
        mishap: Option<Mishap>,
    ) -> Result<AsyncRawResponse> {
        let Some(mishap) = mishap else { return self.pass(number, request, "") };
        self.ground.met("mishap", mishap.name());
        if let Some(response) = self.ground.made_up(mishap) {
            if mishap == Mishap::ServerAfter {
                self.ground.exchange(self.run, number, request, mishap.name()).ok();
            }
            self.ground.told(self.run, number, request, Some(&response), mishap.name());
            return Ok(local::incoming(response));
        }
        match mishap {
            Mishap::Slow(seconds) => {
                let answer = self.pass(number, request, mishap.name());
                tokio::time::sleep(Duration::from_secs(u64::from(seconds))).await;
                answer
            }
            Mishap::Stale(seconds) if Sent::reads(request) => {
                let response = self.ground.stale(request, seconds).map_err(local::failed)?;
                self.ground.told(self.run, number, request, Some(&response), mishap.name());
                Ok(local::incoming(response))
            }
            Mishap::Twice => {
                self.ground.exchange(self.run, number, request, "first of two").ok();
                self.pass(number, request, mishap.name())
            }
            Mishap::LostAfter => {
                self.ground.exchange(self.run, number, request, mishap.name()).ok();
                Err(self.lost(number, request, mishap))
            }
            Mishap::LostBefore => Err(self.lost(number, request, mishap)),
            Mishap::NotSent => {
                self.ground.told(self.run, number, request, None, mishap.name());
                Err(Error::with_message(ErrorKind::Connection, "connection refused"))
            }
            _ => self.pass(number, request, ""),
        }
    }

    fn pass(&self, number: u64, request: &http::Request<Vec<u8>>, note: &str) -> Result<AsyncRawResponse> {
        let response = self.ground.exchange(self.run, number, request, note);
        self.ground.told(self.run, number, request, response.as_ref().ok(), note);
        response.map(local::incoming).map_err(local::failed)
    }

    fn lost(&self, number: u64, request: &http::Request<Vec<u8>>, mishap: Mishap) -> Error {
        self.ground.told(self.run, number, request, None, mishap.name());
        let host = request.uri().host().unwrap_or_default().to_owned();
        local::failed(ExchangeError::Unreachable(Unreachable::Lost(host)))
    }
}
