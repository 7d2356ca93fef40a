//! A key's life: what can be asked of it beyond its being there, and the lengths of time that such wishes are in.

use super::ids::Version;
use super::key::Timestamp;
use jiff::Span;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::fmt;

/// A length of time on the calendar, in months and days: `P90D`, `P1Y6M`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Period {
    /// Months; a year has twelve.
    pub months: u16,
    /// Days; a week has seven.
    pub days: u16,
}

impl Period {
    /// The longest that is taken: a hundred years.
    const MONTHS_MAX: u32 = 1_200;
    const DAYS_MAX: u32 = 36_500;

    /// So many days.
    pub const fn days(days: u16) -> Self {
        Self { months: 0, days }
    }

    /// Reads an ISO 8601 duration of years, months, weeks and days, longer than nothing. No hours: Key Vault's are of days.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.strip_prefix(['P', 'p'])?;
        let (mut months, mut days) = (0_u32, 0_u32);
        for (unit, to_months, factor) in [('Y', true, 12), ('M', true, 1), ('W', false, 7), ('D', false, 1)] {
            let Some((number, after)) = rest.split_once([unit, unit.to_ascii_lowercase()]) else { continue };
            let number: u32 = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())??;
            let total = if to_months { &mut months } else { &mut days };
            *total = total.checked_add(number.checked_mul(factor)?)?;
            rest = after;
        }
        let fits = rest.is_empty() && months <= Self::MONTHS_MAX && days <= Self::DAYS_MAX && months + days > 0;
        fits.then_some(())?;
        Some(Self { months: u16::try_from(months).ok()?, days: u16::try_from(days).ok()? })
    }

    /// The moment at its end, when it begins at `start`. Months are as long as they are.
    pub fn after(self, start: Timestamp) -> Timestamp {
        let end = jiff::Timestamp::from_second(start.0).ok().and_then(|start| {
            let span = Span::new().try_months(self.months).ok()?.try_days(self.days).ok()?;
            let end = start.to_zoned_datetime(TimeZone::UTC).checked_add(span).ok()?;
            Some(end.timestamp().as_second())
        });
        Timestamp(end.unwrap_or(i64::MAX))
    }

    /// How many days it has at least, whenever it begins.
    pub fn days_at_least(self) -> u32 {
        u32::from(self.months) * 28 + u32::from(self.days)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (years, months) = (self.months / 12, self.months % 12);
        f.write_str("P")?;
        for (number, unit) in [(years, 'Y'), (months, 'M'), (self.days, 'D')] {
            if number > 0 {
                write!(f, "{number}{unit}")?;
            }
        }
        Ok(())
    }
}

/// What should be true of a key through its life. What is not said stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyLife {
    /// Whether it can be used.
    pub enabled: Option<Enabled>,
    /// Whether single versions can be used.
    pub versions: BTreeMap<Version, bool>,
    /// What its current version bears.
    pub marks: Marks,
    /// How Key Vault rotates it by itself.
    pub rotation: Option<Rotation>,
    /// How old its newest version may become before `cmk` makes another one.
    pub max_age: Option<Period>,
    /// Its newest version is to be of this moment or later.
    pub rotated_since: Option<Timestamp>,
    /// How long after everybody has moved on its old versions are disabled. At least a day.
    pub retire_after: Option<Period>,
}

/// Whether a key can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enabled {
    /// Its current version can.
    Yes,
    /// No version can.
    No,
    /// The versions that accounts of the spec are under can.
    AsUsed,
}

/// Dates and tags of a key's version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Marks {
    /// The moment before which it may not be used.
    pub not_before: Option<Timestamp>,
    /// The moment after which it may not be used.
    pub expires: Option<Timestamp>,
    /// Tags that it has, beside any others.
    pub tags: BTreeMap<String, String>,
}

impl Marks {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How Key Vault is to rotate a key by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rotation {
    /// How long after a version was made the next one is.
    pub every: Period,
    /// How long before a version expires its owners are told. Nothing: as it is.
    pub notify_before: Option<Period>,
    /// How long each new version is good for. Nothing: as it is.
    pub expire_after: Option<Period>,
}

/// A key's rotation policy as it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeenRotation {
    /// How long after a version was made the next one is.
    pub every: Option<Period>,
    /// How long before a version expires the next one is made.
    pub before_expiry: Option<Period>,
    /// How long before a version expires its owners are told.
    pub notify_before: Option<Period>,
    /// How long each new version is good for.
    pub expire_after: Option<Period>,
}

impl SeenRotation {
    /// Whether it does what is wanted.
    pub fn does(&self, wanted: &Rotation) -> bool {
        let Rotation { every, notify_before, expire_after } = wanted;
        self.every == Some(*every)
            && self.before_expiry.is_none()
            && (notify_before.is_none() || self.notify_before == *notify_before)
            && (expire_after.is_none() || self.expire_after == *expire_after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_as_iso_8601_has_them() {
        let read = |text: &str| Period::parse(text).map(|period| (period.months, period.days, period.to_string()));
        assert_eq!(read("P90D"), Some((0, 90, "P90D".to_owned())));
        assert_eq!(read("P1Y6M"), Some((18, 0, "P1Y6M".to_owned())));
        assert_eq!(read("p2w"), Some((0, 14, "P14D".to_owned())));
        assert_eq!(read("P12M"), read("P1Y"));
        for wrong in
            ["", "P", "P0D", "90D", "P1D1Y", "PT5H", "P-1D", "P+1D", "P1.5Y", "P1Y 2M", "P9999999999D", "P101Y"]
        {
            assert_eq!(Period::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn months_are_as_long_as_they_are() {
        let january = Timestamp(1_767_225_600);
        assert_eq!(Period { months: 1, days: 0 }.after(january), Timestamp(january.0 + 31 * 86_400));
        assert_eq!(Period::days(30).after(january), Timestamp(january.0 + 30 * 86_400));
        assert_eq!(Period::days(1).after(Timestamp(i64::MAX)), Timestamp(i64::MAX));
    }

    #[test]
    fn a_policy_that_notifies_besides_does_what_is_wanted() {
        let seen = SeenRotation {
            every: Some(Period::days(90)),
            notify_before: Some(Period::days(30)),
            ..SeenRotation::default()
        };
        let wanted = Rotation { every: Period::days(90), notify_before: None, expire_after: None };
        assert!(seen.does(&wanted));
        assert!(!seen.does(&Rotation { expire_after: Some(Period::days(365)), ..wanted }));
        assert!(!SeenRotation { before_expiry: Some(Period::days(9)), ..seen }.does(&wanted));
    }
}
