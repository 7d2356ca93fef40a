//! Throttling: Resource Manager lets a caller do so much at once, and then only as fast as it refills.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::wire::{Answer, Ask};
use super::{Millis, Pace};

/// What a caller may still do, by subscription, caller and kind of request.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Buckets {
    by_kind: BTreeMap<String, Bucket>,
}

/// Counted in thousandths of a request, because that is what a millisecond refills.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Bucket {
    thousandths: i64,
    at: Millis,
}

struct Kind {
    name: &'static str,
    header: &'static str,
    size: i64,
    per_second: i64,
}

const READS: Kind =
    Kind { name: "read", header: "x-ms-ratelimit-remaining-subscription-reads", size: 250, per_second: 25 };
const WRITES: Kind =
    Kind { name: "write", header: "x-ms-ratelimit-remaining-subscription-writes", size: 200, per_second: 10 };
const DELETES: Kind =
    Kind { name: "delete", header: "x-ms-ratelimit-remaining-subscription-deletes", size: 200, per_second: 10 };

impl Buckets {
    /// Takes one request out, and gives the header that says how many are left.
    pub(super) fn take(
        &mut self,
        subscription: &str,
        ask: &Ask,
        now: Millis,
        pace: Pace,
    ) -> Result<(&'static str, String), Answer> {
        let kind = match ask.method.as_str() {
            "DELETE" => DELETES,
            _ if ask.only_reads() => READS,
            _ => WRITES,
        };
        let full = Bucket { thousandths: kind.size * 1000, at: now };
        let bucket = self.by_kind.entry(format!("{subscription}/{}/{}", ask.caller.object, kind.name)).or_insert(full);
        let refill = now.0.saturating_sub(bucket.at.0).max(0).saturating_mul(kind.per_second);
        let filled = bucket.thousandths.saturating_add(refill).min(full.thousandths);
        *bucket = Bucket { thousandths: filled, at: now.max(bucket.at) };
        if !pace.throttling {
            return Ok((kind.header, (kind.size - 1).to_string()));
        }
        if bucket.thousandths < 1000 {
            return Err(too_many(subscription, &ask.caller.object, &kind));
        }
        bucket.thousandths -= 1000;
        Ok((kind.header, (bucket.thousandths / 1000).to_string()))
    }
}

fn too_many(subscription: &str, caller: &str, kind: &Kind) -> Answer {
    let text = format!(
        "Number of '{}' requests for subscription '{subscription}' actor '{caller}' exceeded. Please try again after '1' seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for additional information.",
        kind.name
    );
    Answer::error(429, "SubscriptionRequestsThrottled", &text)
        .gateway()
        .header("retry-after", "1")
        .header(kind.header, "0")
}
