//! The moments of the sandbox and the five ways in which Azure writes them down.

use serde::{Deserialize, Serialize};

/// A moment: milliseconds since 1970, handed in by whoever owns the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// The moment that is `milliseconds` later.
    #[must_use]
    pub const fn plus(self, milliseconds: i64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }

    /// The moment that is `days` later.
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        self.plus(days.saturating_mul(86_400_000))
    }

    /// Whole seconds since 1970: how Key Vault counts.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// `Wed, 19 Jun 2024 10:37:42 GMT`, for the `Date` header.
    pub(super) fn http_date(self) -> String {
        self.written("%a, %d %b %Y %H:%M:%S GMT")
    }

    /// `2024-06-20T04:47:12.8170000Z`: the seven decimals of storage accounts.
    pub(super) fn ticks(self) -> String {
        let fraction = self.0.rem_euclid(1000);
        format!("{}.{fraction:03}0000Z", self.written("%Y-%m-%dT%H:%M:%S"))
    }

    /// `2024-06-20T04:46:17.26Z`, near enough: the milliseconds of `systemData`.
    pub(super) fn thousandths(self) -> String {
        let fraction = self.0.rem_euclid(1000);
        format!("{}.{fraction:03}Z", self.written("%Y-%m-%dT%H:%M:%S"))
    }

    /// `2023-11-06T12:47:17Z`, for deleted vaults.
    pub fn whole(self) -> String {
        self.written("%Y-%m-%dT%H:%M:%SZ")
    }

    /// `2023-11-06 12:47:17Z`, for the purge of a vault.
    pub(super) fn spaced(self) -> String {
        self.written("%Y-%m-%d %H:%M:%SZ")
    }

    /// A moment outside the calendar is written as its beginning rather than as a panic.
    fn written(self, format: &str) -> String {
        let moment = jiff::Timestamp::from_second(self.seconds()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        moment.strftime(format).to_string()
    }
}
