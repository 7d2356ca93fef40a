//! What Azure has asked to be left alone for a while: one refusal holds back every request under the same limit.
//!
//! Azure counts requests by subscription and provider, and by vault. Without this, ten
//! steps side by side would each run into the same 429, and each refusal counts too.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// The limits that are exhausted at the moment, and until when.
#[derive(Debug, Default)]
pub(super) struct HoldBack {
    until: Mutex<BTreeMap<String, Instant>>,
}

impl HoldBack {
    /// Records that the limit over this URL is exhausted for a while; a longer wait that is known stays.
    pub(super) fn hold(&self, url: &Url, pause: Duration) {
        let until = Instant::now() + pause;
        let mut all = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let held = all.entry(limit_of(url)).or_insert(until);
        *held = (*held).max(until);
    }

    /// Waits until nothing holds this URL back.
    pub(super) async fn pass(&self, url: &Url) {
        while let Some(until) = self.held_until(url) {
            tokio::time::sleep_until(until).await;
        }
    }

    /// Until when this URL is held back, if it is.
    pub(super) fn held_until(&self, url: &Url) -> Option<Instant> {
        let all = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&limit_of(url)).copied().filter(|until| *until > Instant::now())
    }
}

/// The limit that counts a URL: the subscription with the provider, or the host where there is no subscription.
fn limit_of(url: &Url) -> String {
    let path = url.path().to_ascii_lowercase();
    let after = |word: &str| path.split('/').skip_while(|part| *part != word).nth(1).unwrap_or_default().to_owned();
    let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
    format!("{host} {} {}", after("subscriptions"), after("providers"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    const ACCOUNT: &str = "https://management.azure.com/subscriptions/S1/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st1";

    #[tokio::test(start_paused = true)]
    async fn a_refusal_holds_back_what_shares_the_limit_and_nothing_else() {
        let held = HoldBack::default();
        held.hold(&url(ACCOUNT), Duration::from_secs(10));
        let began = Instant::now();
        held.pass(&url(&ACCOUNT.replace("Microsoft.Storage/storageAccounts/st1", "Microsoft.KeyVault/vaults/kv1")))
            .await;
        held.pass(&url(&ACCOUNT.replace("S1", "S2"))).await;
        held.pass(&url("https://kv1.vault.azure.net/keys/k")).await;
        assert_eq!(began.elapsed(), Duration::ZERO);
        held.pass(&url(&ACCOUNT.replace("st1", "st2").replace("/S1/", "/s1/"))).await;
        assert_eq!(began.elapsed(), Duration::from_secs(10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_shorter_refusal_does_not_shorten_a_longer_one() {
        let held = HoldBack::default();
        held.hold(&url(ACCOUNT), Duration::from_secs(10));
        held.hold(&url(ACCOUNT), Duration::from_secs(1));
        let began = Instant::now();
        held.pass(&url(ACCOUNT)).await;
        assert_eq!(began.elapsed(), Duration::from_secs(10));
    }
}
