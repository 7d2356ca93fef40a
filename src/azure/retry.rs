//! When a request is sent again, and after how long. Does not know what the request means beyond its effect.
//!
//! Ours, not `azure_core`'s: that one sends POST and PATCH again after a 500, waits
//! out any `Retry-After` and tries for over a minute against an untrusted certificate.

use super::call::Effect;
use super::client::Retry;
use super::counted::Counted;
use super::failure::{Failure, Kind, inside};
use super::holdback::HoldBack;
use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{AsyncRawResponse, Context, Request};
use azure_core::time::parse_rfc7231;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The policy that sends again. Holds a permit while a request is in flight, never while it waits.
#[derive(Debug)]
pub(super) struct Resend {
    pub(super) retry: Retry,
    /// The effect of every request; else the one that the context names.
    pub(super) effect: Option<Effect>,
    /// How many requests may be in flight at once; without it, any number.
    pub(super) permits: Option<Arc<Semaphore>>,
    pub(super) counted: Arc<Counted>,
    /// What is held back, shared by all requests of one client.
    pub(super) holds: Arc<HoldBack>,
}

impl Resend {
    async fn permit(&self, request: &Request) -> Option<SemaphorePermit<'_>> {
        self.holds.pass(request.url()).await;
        match &self.permits {
            Some(permits) => Some(permits.acquire().await.expect("this semaphore is never closed")),
            None => None,
        }
    }

    async fn once(&self, context: &Context<'_>, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let mut permit = self.permit(request).await;
        // What queued for a permit may have been held back meanwhile; it must not wait with a permit in hand.
        while self.holds.held_until(request.url()).is_some() {
            drop(permit);
            permit = self.permit(request).await;
        }
        next[0].send(context, request, &next[1..]).await
    }
}

#[async_trait::async_trait]
impl Policy for Resend {
    async fn send(&self, context: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let effect = self.effect.or_else(|| context.value::<Effect>().copied()).unwrap_or(Effect::Write);
        let mut tries = 1;
        if effect == Effect::Write && self.holds.held_until(request.url()).is_some() {
            return Err(azure_core::Error::new(ErrorKind::Other, held_back()));
        }
        loop {
            let result = self.once(context, request, next).await;
            let asked = result.as_ref().ok().and_then(|response| retry_after(response.headers()));
            let pause = delay(self.retry, tries, asked);
            if is_throttled(&result) {
                self.holds.hold(request.url(), pause);
            }
            if tries >= self.retry.tries || !again(effect, &result) {
                return result;
            }
            tokio::time::sleep(pause).await;
            request.body_mut().reset().await?;
            self.counted.tally.with(|stats| stats.retries += 1);
            tries += 1;
        }
    }
}

/// What a write meets whose limit is exhausted: waiting here would let what it rests on grow old.
fn held_back() -> Failure {
    Failure::new(Kind::Throttled, "Azure has asked for a pause; nothing was sent")
}

fn is_throttled(result: &azure_core::Result<AsyncRawResponse>) -> bool {
    result.as_ref().is_ok_and(|response| u16::from(response.status()) == 429)
}

/// Whether a request with this effect may be sent again after this.
fn again(effect: Effect, result: &azure_core::Result<AsyncRawResponse>) -> bool {
    match effect {
        Effect::Read | Effect::CreateIfAbsent => {}
        // Not even after a 429, which had no effect: while it is waited out, somebody else may make the thing that is
        // about to be made, and sent again the request would replace it. Whoever sent it looks again first.
        Effect::Write => return false,
    }
    match result {
        Ok(response) => match u16::from(response.status()) {
            501 | 505 => false,
            408 | 429 | 500..=599 => true,
            _ => false,
        },
        Err(error) => match error.kind() {
            ErrorKind::Connection => !is_permanent(error),
            ErrorKind::Io => true,
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

/// A header's value. Not by the library's own way to ask, which makes an error of each one that is not there, with a
/// backtrace if those are on: a third of a run's time.
pub(super) fn header<'a>(headers: &'a Headers, name: &'static str) -> Option<&'a str> {
    headers.iter().find(|(had, _)| had.as_str() == name).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::fake::{Fake, Reply};
    use super::super::{Call, Failure, Method};
    use super::*;
    use serde_json::json;

    fn call(method: Method, effect: Effect) -> Call {
        Call { method, effect, body: Some(json!({})), ..Call::get("/x".to_owned(), "1") }
    }

    /// Sends one call at a script and says how often it was sent and what came of it.
    async fn sent(effect: Effect, replies: Vec<Reply>) -> (usize, Result<u16, Failure>) {
        let fake = Fake::new(replies.into_iter().map(|reply| ("PUT /x", reply)));
        let result = fake.azure().call(&call(Method::Put, effect)).await;
        (fake.asked().len(), result.map(|answer| answer.status))
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_is_not_sent_again_whatever_became_of_it() {
        let kinds = [
            (Reply::empty(500), Kind::Server),
            (Reply::empty(503), Kind::Server),
            (Reply::empty(408), Kind::Server),
            (Reply::Lost, Kind::Lost),
            (Reply::empty(429), Kind::Throttled),
            (Reply::NotSent, Kind::NotSent),
        ];
        for (reply, kind) in kinds {
            let (times, result) = sent(Effect::Write, vec![reply.clone(), Reply::empty(200)]).await;
            assert_eq!((times, result.unwrap_err().kind), (1, kind), "{reply:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_under_an_exhausted_limit_is_not_sent_and_a_read_waits() {
        let fake = Fake::new([
            ("PUT /x", Reply::empty(429).with("retry-after", "10")),
            ("GET /x", Reply::empty(200)),
            ("PUT /x", Reply::empty(200)),
        ]);
        let azure = fake.azure();
        let write = call(Method::Put, Effect::Write);
        for _ in 0..3 {
            assert_eq!(azure.call(&write).await.unwrap_err().kind, Kind::Throttled);
        }
        assert_eq!((fake.asked().len(), azure.stats().writes_sent), (1, 1));
        azure.call(&Call::get("/x".to_owned(), "1")).await.unwrap();
        azure.call(&write).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn one_refusal_holds_back_the_requests_that_share_its_limit() {
        let fake = Fake::new([
            ("GET /subscriptions/s1/providers/p/a", Reply::empty(429).with("retry-after", "10")),
            ("GET /subscriptions/s2/providers/p/c", Reply::empty(200)),
            ("GET /subscriptions/s1/providers/p/", Reply::empty(200)),
            ("GET /subscriptions/s1/providers/p/", Reply::empty(200)),
        ]);
        let azure = fake.azure();
        let began = tokio::time::Instant::now();
        let get = async |path: &str, wait_milliseconds| {
            tokio::time::sleep(Duration::from_millis(wait_milliseconds)).await;
            azure.call(&Call::get(path.to_owned(), "1")).await.unwrap();
            began.elapsed().as_secs()
        };
        let times = futures::join!(
            get("/subscriptions/s1/providers/p/a", 0),
            get("/subscriptions/s1/providers/p/b", 1000),
            get("/subscriptions/s2/providers/p/c", 500),
        );
        assert_eq!(times, (10, 10, 0));
        assert_eq!(fake.asked().len(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn reads_and_creations_of_what_is_absent_are_sent_again() {
        for effect in [Effect::Read, Effect::CreateIfAbsent] {
            for reply in [Reply::empty(500), Reply::empty(408), Reply::empty(429), Reply::Lost, Reply::NotSent] {
                let (times, result) = sent(effect, vec![reply.clone(), Reply::empty(200)]).await;
                assert_eq!((times, result), (2, Ok(200)), "{effect:?} {reply:?}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_will_not_change_is_not_tried_again() {
        for reply in [Reply::error(400, "Bad"), Reply::error(403, "AuthorizationFailed"), Reply::Untrusted] {
            let (times, _) = sent(Effect::Read, vec![reply.clone(), Reply::empty(200)]).await;
            assert_eq!(times, 1, "{reply:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn tries_are_bounded_and_the_last_answer_is_told() {
        let (times, result) = sent(Effect::Read, vec![Reply::error(503, "ServerTimeout"); 9]).await;
        assert_eq!(times, 4);
        assert_eq!(result.unwrap_err().summary(), "503 ServerTimeout: said Azure");
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_is_honoured_and_capped() {
        for (asked, seconds) in [("7", 7.0), ("3600", 30.0), ("0", 0.5), ("-5", 0.5), ("soon", 0.5)] {
            let start = tokio::time::Instant::now();
            let reply = Reply::empty(429).with("retry-after", asked);
            sent(Effect::Read, vec![reply, Reply::empty(200)]).await.1.unwrap();
            // The fake credential takes a tenth of a second.
            let waited = start.elapsed().as_secs_f64() - 0.1;
            assert!((waited - seconds).abs() < 0.01, "{asked}: {waited}");
        }
    }

    #[test]
    fn a_date_is_held_against_the_answers_own() {
        let mut headers = Headers::new();
        headers.insert("date", "Wed, 21 Oct 2015 07:28:00 GMT");
        headers.insert("retry-after", "Wed, 21 Oct 2015 07:28:12 GMT");
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(12)));
        headers.insert("retry-after", "Wed, 21 Oct 2015 07:27:00 GMT");
        assert_eq!(retry_after(&headers), None);
        headers.insert("retry-after-ms", "250");
        assert_eq!(retry_after(&headers), Some(Duration::from_millis(250)));
    }
}
