//! For how long accounts could not be read, or could have become so by one more mishap.

use super::facts;
use super::sight::Sight;
use crate::model::{Access, Desired};
use crate::sandbox::{Census, Millis};
use std::collections::BTreeMap;
use std::time::Duration;

/// The longest time that something lasted, and since when it does.
#[derive(Debug, Clone, Default)]
struct Spell {
    since: Option<Millis>,
    longest: i64,
}

/// One account's spells.
#[derive(Debug, Clone, Default)]
struct OfAccount {
    was_readable: bool,
    unreadable: Spell,
    at_risk: Spell,
}

/// All accounts' spells.
#[derive(Debug, Default)]
pub(super) struct Spells {
    accounts: BTreeMap<String, OfAccount>,
    /// What was there when they were last noted.
    last: Census,
}

impl Spells {
    /// Notes how things stand at a moment.
    pub(super) fn note(&mut self, desired: &Desired, now: Millis, census: &Census) {
        let sight = Sight { census, now };
        for (name, account) in &desired.accounts {
            let (name, revoked) = (name.as_str(), account.access == Access::Revoked);
            let readable = census.truths().get(name).is_some_and(|truth| truth.readable);
            let spells = self.accounts.entry(name.to_owned()).or_default();
            spells.was_readable |= readable;
            spells.unreadable.note(now, !readable && spells.was_readable && !revoked);
            // An account that was safe stays so while nothing about it is touched: time only lets grants arrive.
            let stays_safe = spells.at_risk.since.is_none() && sight.is_untouched(&self.last, name, None);
            spells.at_risk.note(now, !stays_safe && facts::at_risk(name, sight));
        }
        self.last = census.clone();
    }

    /// The longest time that an account which could read its data before could not.
    pub(super) fn unreadable_longest(&self) -> Duration {
        longest(self.accounts.values().map(|spells| &spells.unreadable))
    }

    /// The longest time that an account was bound to a key that the next mishap could have put out of its reach.
    pub(super) fn at_risk_longest(&self) -> Duration {
        longest(self.accounts.values().map(|spells| &spells.at_risk))
    }
}

impl Spell {
    fn note(&mut self, now: Millis, is_so: bool) {
        let since = match (is_so, self.since) {
            (true, since) => since.unwrap_or(now),
            (false, Some(since)) => {
                self.longest = self.longest.max(now.0 - since.0);
                self.since = None;
                return;
            }
            (false, None) => return,
        };
        self.since = Some(since);
        self.longest = self.longest.max(now.0 - since.0);
    }
}

fn longest<'a>(spells: impl Iterator<Item = &'a Spell>) -> Duration {
    let longest = spells.map(|spell| spell.longest).max().unwrap_or(0);
    Duration::from_millis(u64::try_from(longest).unwrap_or(0))
}
