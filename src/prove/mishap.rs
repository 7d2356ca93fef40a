//! What goes wrong on the way to Azure, and when: a script, made by hand or from a seed.

use super::chance::Chance;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One thing that goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mishap {
    /// The answer takes so many seconds.
    Slow(u32),
    /// 429 with a `Retry-After` of so many seconds; no effect.
    Throttled(u32),
    /// 409: another operation is under way; no effect.
    Busy,
    /// 500; no effect.
    Server,
    /// 503 although the request had its effect.
    ServerAfter,
    /// The connection breaks before the request arrives.
    LostBefore,
    /// The connection breaks before the answer arrives.
    LostAfter,
    /// No connection is made.
    NotSent,
    /// 403 `AuthorizationFailed`; no effect.
    Denied,
    /// 401: the token has expired; no effect.
    Expired,
    /// A proxy's 404 page, which says nothing about the thing.
    Page,
    /// The answer is one of so many seconds ago, if the request reads.
    Stale(u32),
    /// What reads an operation's or a thing's state is told that it failed.
    Failed,
    /// The request is delivered twice, and the second answer is the one that arrives.
    Twice,
}

impl Mishap {
    /// One of each kind.
    pub const ALL: [Self; 14] = [
        Self::Slow(45),
        Self::Throttled(7),
        Self::Busy,
        Self::Server,
        Self::ServerAfter,
        Self::LostBefore,
        Self::LostAfter,
        Self::NotSent,
        Self::Denied,
        Self::Expired,
        Self::Page,
        Self::Stale(5),
        Self::Failed,
        Self::Twice,
    ];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Slow(_) => "slow answer",
            Self::Throttled(_) => "throttled",
            Self::Busy => "busy",
            Self::Server => "server error",
            Self::ServerAfter => "server error after the effect",
            Self::LostBefore => "lost before the effect",
            Self::LostAfter => "lost after the effect",
            Self::NotSent => "no connection",
            Self::Denied => "denied",
            Self::Expired => "expired token",
            Self::Page => "a proxy's page",
            Self::Stale(_) => "stale read",
            Self::Failed => "failed operation",
            Self::Twice => "delivered twice",
        }
    }

    /// The answer that is given instead of Azure's, for the mishaps that are one: status, headers, body.
    pub(super) fn answer(self) -> Option<(u16, Option<u32>, Value)> {
        let error = |code: &str, message: &str| json!({ "error": { "code": code, "message": message } });
        Some(match self {
            Self::Throttled(seconds) => {
                (429, Some(seconds), error("SubscriptionRequestsThrottled", "Too many requests."))
            }
            Self::Busy => {
                (409, None, error("StorageAccountOperationInProgress", "An operation is currently performing."))
            }
            Self::Server => (500, None, error("InternalServerError", "Encountered internal server error.")),
            Self::ServerAfter => (503, None, error("ServerTimeout", "The request timed out.")),
            Self::Denied => {
                (403, None, error("AuthorizationFailed", "The client does not have authorization to perform action."))
            }
            Self::Expired => (401, None, error("ExpiredAuthenticationToken", "The access token has expired.")),
            Self::Page => (404, None, Value::Null),
            Self::Failed => (
                200,
                None,
                json!({ "status": "Failed", "error": { "code": "InternalError", "message": "It failed." } }),
            ),
            Self::Slow(_) | Self::LostBefore | Self::LostAfter | Self::NotSent | Self::Stale(_) | Self::Twice => {
                return None;
            }
        })
    }
}

/// Which requests of a run something happens to. Requests are counted from 1, sign-in included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script {
    /// By the request's number.
    pub mishaps: BTreeMap<u64, Mishap>,
    /// Parts of paths, in lower case, that this run may not read: 403.
    pub hidden: Vec<String>,
}

impl Script {
    /// Nothing goes wrong.
    pub fn calm() -> Self {
        Self::default()
    }

    /// One mishap, at one request.
    pub fn once(number: u64, mishap: Mishap) -> Self {
        Self { mishaps: BTreeMap::from([(number, mishap)]), hidden: vec![] }
    }

    /// Mishaps at every request whose number leaves this rest when divided by `every`: all of one kind, the one whose
    /// turn it is in this round, or of all kinds in turn.
    pub fn in_turn(every: u64, rest: u64, round: u64, one_kind: bool, requests_max: u64) -> Self {
        let every = every.max(1);
        let kinds = Mishap::ALL.len() as u64;
        let kind = |number: u64| if one_kind { round } else { number / every + rest + round };
        let mishaps = (1..=requests_max).filter(|number| number % every == rest % every).filter_map(|number| {
            let at = usize::try_from(kind(number) % kinds).ok()?;
            Some((number, *Mishap::ALL.get(at)?))
        });
        Self { mishaps: mishaps.collect(), hidden: vec![] }
    }

    /// A script by chance over about so many requests.
    pub fn by_chance(chance: &mut Chance, requests: u64) -> Self {
        let mut mishaps = BTreeMap::new();
        for _ in 0..chance.below(6) {
            let number = 1 + chance.below(requests.max(1));
            if let Some(kind) = chance.pick(&Mishap::ALL).copied() {
                let seconds = u32::try_from(1 + chance.below(60)).unwrap_or(1);
                let mishap = match kind {
                    Mishap::Slow(_) => Mishap::Slow(seconds),
                    Mishap::Throttled(_) => Mishap::Throttled(seconds),
                    Mishap::Stale(_) => Mishap::Stale(seconds % 8),
                    other => other,
                };
                mishaps.insert(number, mishap);
            }
        }
        Self { mishaps, hidden: vec![] }
    }
}
