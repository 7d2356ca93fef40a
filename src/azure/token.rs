//! A cache of tokens in front of any credential: one request a scope, however many ask at once. Shows no token.

use super::failure::{Failure, Kind, chain, clean, inside};
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::ErrorKind;
use azure_core::time::{Duration, OffsetDateTime};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// A token with less than this left is replaced.
const LEFT_MIN: Duration = Duration::minutes(5);
/// How long a credential may take. The Azure CLI has no limit of its own.
const WAIT_MAX: std::time::Duration = std::time::Duration::from_secs(180);

type Slot = Arc<tokio::sync::Mutex<Option<AccessToken>>>;

/// The cache. The Azure CLI's credential has none and would run `az` for each call.
pub(super) struct Cached {
    inner: Arc<dyn TokenCredential>,
    slots: Mutex<BTreeMap<String, Slot>>,
}

impl Cached {
    pub(super) fn new(inner: Arc<dyn TokenCredential>) -> Self {
        Self { inner, slots: Mutex::default() }
    }

    fn slot(&self, scopes: &[&str]) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry(scopes.join(" ")).or_default().clone()
    }
}

impl fmt::Debug for Cached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cached").field(&self.inner).finish()
    }
}

#[async_trait::async_trait]
impl TokenCredential for Cached {
    /// The options are dropped: they carry the context of the call that needs the token, which is not ours to send.
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let slot = self.slot(scopes);
        let mut held = slot.lock().await;
        // By the local clock, because the expiry was computed by it.
        let now = OffsetDateTime::now_utc();
        if let Some(token) = held.as_ref().filter(|token| token.expires_on > now + LEFT_MIN) {
            return Ok(token.clone());
        }
        let Ok(result) = tokio::time::timeout(WAIT_MAX, self.inner.get_token(scopes, None)).await else {
            let message = format!("no token came within {} seconds", WAIT_MAX.as_secs());
            return Err(wrapped(Failure::new(Kind::Credential, message)));
        };
        let token = result.map_err(|error| wrapped(readable(&error)))?;
        *held = Some(token.clone());
        Ok(token)
    }
}

fn wrapped(failure: Failure) -> azure_core::Error {
    azure_core::Error::with_error(ErrorKind::Credential, failure, "signing in failed")
}

/// What went wrong, as a failure of signing in, except that a connection never made keeps its kind.
fn readable(error: &azure_core::Error) -> Failure {
    if let Some(failure) = inside(error) {
        let kind = match failure.kind {
            Kind::Tls | Kind::Dns | Kind::Foreign | Kind::NotSent => failure.kind,
            // A lost answer of Entra's must not look like a lost answer to the write that waits for it.
            _ => Kind::Credential,
        };
        return Failure { kind, ..failure.clone() };
    }
    let said = chain(error);
    let said = said.split("To troubleshoot, visit").next().unwrap_or(&said);
    Failure::new(Kind::Credential, clean(said))
}

#[cfg(test)]
mod tests {
    use super::super::fake::Tokens;
    use super::*;
    use std::sync::atomic::Ordering;

    #[tokio::test(start_paused = true)]
    async fn many_who_ask_at_once_make_one_request_a_scope() {
        let tokens = Arc::new(Tokens::default());
        let cached = Cached::new(tokens.clone());
        let start = tokio::time::Instant::now();
        let scopes = ["arm", "vault", "arm", "vault", "arm"];
        let got = futures::future::join_all(scopes.map(async |scope| cached.get_token(&[scope], None).await)).await;
        assert_eq!(tokens.given.load(Ordering::SeqCst), 2);
        assert_eq!(got[0].as_ref().unwrap().token.secret(), got[2].as_ref().unwrap().token.secret());
        // Two scopes do not wait for each other.
        assert!(start.elapsed() < std::time::Duration::from_millis(150));
    }

    #[derive(Debug)]
    struct Fails(ErrorKind);

    #[async_trait::async_trait]
    impl TokenCredential for Fails {
        async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
            let message =
                "AzureCliCredential authentication failed. ERROR: run 'az login'\nTo troubleshoot, visit https://x";
            Err(azure_core::Error::with_message(self.0.clone(), message))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_sign_in_is_one_line_and_never_looks_like_a_lost_write() {
        for kind in [ErrorKind::Credential, ErrorKind::Io] {
            let error = Cached::new(Arc::new(Fails(kind))).get_token(&["arm"], None).await.unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::Credential);
            let failure = inside(&error).unwrap();
            assert_eq!(failure.kind, Kind::Credential);
            assert_eq!(failure.summary(), "AzureCliCredential authentication failed. ERROR: run 'az login'");
        }
    }
}
