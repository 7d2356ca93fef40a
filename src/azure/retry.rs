//! When a request is sent again, and after how long. Does not know what the request means beyond its effect.
//!
//! Ours, not `azure_core`'s: that one sends POST and PATCH again after a 500, waits
//! out any `Retry-After` and tries for over a minute against an untrusted certificate.

use super::call::Effect;
use super::client::Retry;
use super::counted::Counted;
use super::failure::{Kind, inside};
use azure_core::error::ErrorKind;
use azure_core::http::headers::{HeaderName, Headers};
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{AsyncRawResponse, Context, Request};
use azure_core::time::parse_rfc7231;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// The policy that sends again. Holds a permit while a request is in flight, never while it waits.
#[derive(Debug)]
pub(super) struct Resend {
    pub(super) retry: Retry,
    /// The effect of every request; else the one that the context names.
    pub(super) effect: Option<Effect>,
    /// How many requests may be in flight at once; without it, any number.
    pub(super) permits: Option<Arc<Semaphore>>,
    pub(super) counted: Arc<Counted>,
}

impl Resend {
    async fn once(&self, context: &Context<'_>, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let _permit = match &self.permits {
            Some(permits) => Some(permits.acquire().await.expect("this semaphore is never closed")),
            None => None,
        };
        next[0].send(context, request, &next[1..]).await
    }
}

#[async_trait::async_trait]
impl Policy for Resend {
    async fn send(&self, context: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let effect = self.effect.or_else(|| context.value::<Effect>().copied()).unwrap_or(Effect::Write);
        let mut tries = 1;
        loop {
            let result = self.once(context, request, next).await;
            if tries >= self.retry.tries || !again(effect, &result) {
                return result;
            }
            let asked = result.as_ref().ok().and_then(|response| retry_after(response.headers()));
            tokio::time::sleep(delay(self.retry, tries, asked)).await;
            request.body_mut().reset().await?;
            self.counted.tally.with(|stats| stats.retries += 1);
            tries += 1;
        }
    }
}

/// Whether a request with this effect may be sent again after this.
fn again(effect: Effect, result: &azure_core::Result<AsyncRawResponse>) -> bool {
    let repeatable = match effect {
        Effect::Read | Effect::CreateIfAbsent => true,
        Effect::Write => false,
    };
    match result {
        Ok(response) => match u16::from(response.status()) {
            // Throttled requests were not acted on, whatever they are.
            429 => true,
            501 | 505 => false,
            408 | 500..=599 => repeatable,
            _ => false,
        },
        Err(error) => match error.kind() {
            ErrorKind::Connection => !is_permanent(error),
            ErrorKind::Io => repeatable,
            _ => false,
        },
    }
}

/// Whether trying again cannot help: a certificate does not become trusted by waiting.
fn is_permanent(error: &azure_core::Error) -> bool {
    inside(error).is_some_and(|failure| matches!(failure.kind, Kind::Tls | Kind::Dns | Kind::Foreign))
}

/// How long to wait after try number `tries`: what Azure asked for if that is longer, and never longer than allowed.
fn delay(retry: Retry, tries: u32, asked: Option<Duration>) -> Duration {
    let doubled = retry.first_delay.saturating_mul(2u32.saturating_pow(tries.saturating_sub(1)));
    asked.unwrap_or_default().max(doubled).min(retry.delay_max)
}

/// What a response says about when to come back: milliseconds, seconds, or a date, held against the response's own.
pub(super) fn retry_after(headers: &Headers) -> Option<Duration> {
    for name in ["retry-after-ms", "x-ms-retry-after-ms"] {
        if let Some(milliseconds) = header(headers, name).and_then(|text| text.trim().parse().ok()) {
            return Some(Duration::from_millis(milliseconds));
        }
    }
    let text = header(headers, "retry-after")?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let then = parse_rfc7231(text).ok()?;
    let now = parse_rfc7231(header(headers, "date")?).ok()?;
    u64::try_from((then - now).whole_seconds()).ok().map(Duration::from_secs)
}

pub(super) fn header<'a>(headers: &'a Headers, name: &'static str) -> Option<&'a str> {
    headers.get_optional_str(&HeaderName::from_static(name))
}
