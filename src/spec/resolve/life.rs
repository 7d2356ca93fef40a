//! What a spec asks of a key through its life: dates, tags, versions, rotation.

use super::{Resolver, beginning, day};
use crate::diag::Diagnostic;
use crate::model::{Enabled, KeyLife, Marks, Period, Rotation, Timestamp, Version};
use crate::spec::shown::shown;
use crate::spec::types::{KeyEntry, RotationEntry, VersionWish};
use std::collections::BTreeMap;

/// Key Vault's own limits, in days: the shortest life that a policy may give, the soonest rotation, and how long before
/// the end it has to be.
const LIFE_DAYS_MIN: u32 = 28;
const ROTATION_DAYS_MIN: u32 = 7;
const BEFORE_END_SECONDS_MIN: i64 = 7 * 86_400;

/// Some day, from which two lengths of time are compared.
const A_DAY: Timestamp = Timestamp(1_767_225_600);

/// Key Vault's limits for tags.
const TAGS_MAX: usize = 15;
const TAG_LENGTH_MAX: usize = 256;

impl Resolver<'_> {
    pub(super) fn life(&mut self, path: [&str; 4], entry: &KeyEntry) -> KeyLife {
        let KeyEntry {
            create: _,
            import: _,
            recover: _,
            enabled,
            versions,
            not_before,
            expires,
            tags,
            rotation,
            max_age,
            retire_old_versions,
        } = entry;
        let not_before = not_before.as_deref().and_then(|text| self.moment(path, "notBefore", text));
        let expires = expires.as_deref().and_then(|text| self.moment(path, "expires", text));
        self.in_order(path, not_before, expires);
        self.tags(path, tags);
        let life = KeyLife {
            enabled: enabled.map(|enabled| if enabled { Enabled::Yes } else { Enabled::No }),
            versions: self.key_versions(path, versions),
            marks: Marks { not_before, expires, tags: tags.clone() },
            rotation: rotation.as_ref().and_then(|rotation| self.rotation(path, rotation)),
            max_age: max_age.as_deref().and_then(|text| self.period(&extended(path, ["maxAge"]), text, 1)),
            rotated_since: None,
            retire_after: retire_old_versions.as_deref().and_then(|text| self.retirement(path, text)),
        };
        self.dated_for_good(path, &life);
        life
    }

    /// A day, whose first moment in UTC is meant, or a moment.
    fn moment(&mut self, path: [&str; 4], field: &str, written: &str) -> Option<Timestamp> {
        let moment = day(written).and_then(beginning).or_else(|| Timestamp::parse(written));
        if moment.is_none() {
            let span = self.spec.value_span(&extended(path, [field]));
            self.say(
                Diagnostic::error("CMK053", span, format!("`{}` is no day and no moment", shown(written)))
                    .label("year, month and day, or a moment with its time zone")
                    .help(format!("write `{field}: 2027-01-31`, or `{field}: 2027-01-31T12:00:00Z`")),
            );
        }
        moment
    }

    fn in_order(&mut self, path: [&str; 4], not_before: Option<Timestamp>, expires: Option<Timestamp>) {
        if let (Some(begin), Some(end)) = (not_before, expires)
            && begin >= end
        {
            let span = self.spec.value_span(&extended(path, ["expires"]));
            let begins = self.spec.value_span(&extended(path, ["notBefore"]));
            self.say(
                Diagnostic::error("CMK054", span, "the key would end before it begins")
                    .label(format!("ends at {end}"))
                    .related(begins, format!("begins at {begin}"))
                    .help("correct one of the two dates"),
            );
        }
    }

    fn tags(&mut self, path: [&str; 4], tags: &BTreeMap<String, String>) {
        let too_long = tags.iter().find(|(name, value)| {
            let long = |text: &str| text.chars().count() > TAG_LENGTH_MAX;
            name.is_empty() || long(name) || long(value)
        });
        let (place, label) = match too_long {
            Some((name, _)) => {
                (self.spec.key_span(&extended(path, ["tags", name])), "1 to 256 characters, and a value of at most 256")
            }
            None if tags.len() > TAGS_MAX => (self.spec.key_span(&extended(path, ["tags"])), "more than 15 tags"),
            None => return,
        };
        self.say(
            Diagnostic::error("CMK056", place, "Key Vault takes no such tags")
                .label(label)
                .help("keep fewer or shorter tags: a key bears at most 15"),
        );
    }

    fn key_versions(&mut self, path: [&str; 4], versions: &BTreeMap<String, VersionWish>) -> BTreeMap<Version, bool> {
        let mut wanted = BTreeMap::new();
        for (written, wish) in versions {
            if let Ok(version) = Version::parse(written) {
                wanted.insert(version, wish.enabled);
                continue;
            }
            let span = self.spec.key_span(&extended(path, ["versions", written]));
            self.say(
                Diagnostic::error("CMK038", span, format!("`{}` names no version of a key", shown(written)))
                    .label("not 32 hexadecimal digits")
                    .help("write the 32 digits at the end of the version's id, and `{ enabled: false }` behind them"),
            );
        }
        wanted
    }

    fn rotation(&mut self, path: [&str; 4], entry: &RotationEntry) -> Option<Rotation> {
        let RotationEntry { every, notify_before, expire_after } = entry;
        let place = |field| extended(path, ["rotation", field]);
        let every_read = self.period(&place("every"), every, ROTATION_DAYS_MIN);
        let notify_before_read = notify_before.as_deref().map(|text| self.period(&place("notifyBefore"), text, 1));
        let expire_after_read =
            expire_after.as_deref().map(|text| self.period(&place("expireAfter"), text, LIFE_DAYS_MIN));
        let rotation = Rotation {
            every: every_read?,
            notify_before: notify_before_read.unwrap_or(None),
            expire_after: expire_after_read.unwrap_or(None),
        };
        if let Some(life) = rotation.expire_after
            && rotation.every.after(A_DAY) > Timestamp(life.after(A_DAY).0 - BEFORE_END_SECONDS_MIN)
        {
            let span = self.spec.value_span(&place("every"));
            let ends = self.spec.value_span(&place("expireAfter"));
            self.say(
                Diagnostic::error("CMK055", span, "the next version would come too late")
                    .label("at least 7 days before the version ends")
                    .related(ends, "it ends then")
                    .help("make `expireAfter` longer: accounts that follow the key need a day to notice a new version"),
            );
        }
        if rotation.notify_before.is_some() && rotation.expire_after.is_none() {
            let span = self.spec.key_span(&place("notifyBefore"));
            self.say(
                Diagnostic::error("CMK055", span, "a key without an end has no time before it")
                    .label("`expireAfter` is missing beside it")
                    .help("add `expireAfter`, as in `expireAfter: P1Y`, or remove `notifyBefore`"),
            );
        }
        Some(rotation)
    }

    fn retirement(&mut self, path: [&str; 4], written: &str) -> Option<Period> {
        let period = written.strip_prefix("after ").unwrap_or(written);
        self.period(&extended(path, ["retireOldVersions"]), period, 1)
    }

    fn period(&mut self, place: &[&str], written: &str, days_min: u32) -> Option<Period> {
        let span = self.spec.value_span(place);
        let field = place.last().copied().unwrap_or_default();
        let Some(period) = Period::parse(written) else {
            self.say(
                Diagnostic::error("CMK052", span, format!("`{}` is no length of time", shown(written)))
                    .label("`P`, then years, months, weeks or days")
                    .help(format!("write `{field}: P90D` for 90 days, or `P1Y6M` for a year and a half")),
            );
            return None;
        };
        if period.days_at_least() < days_min {
            self.say(
                Diagnostic::error("CMK055", span, format!("`{field}` is too short"))
                    .label(format!("at least {days_min} days"))
                    .help(format!("write a longer time, such as `{field}: P90D`")),
            );
            return None;
        }
        Some(period)
    }

    /// A date belongs to one version: the next one does not have it, and would be given it once it is there.
    fn dated_for_good(&mut self, path: [&str; 4], life: &KeyLife) {
        let renews = life.rotation.map(|_| "rotation").or(life.max_age.map(|_| "maxAge"));
        let dated = life.marks.expires.map(|_| "expires").or(life.marks.not_before.map(|_| "notBefore"));
        if let (Some(renews), Some(dated)) = (renews, dated) {
            let span = self.spec.key_span(&extended(path, [dated]));
            let other = self.spec.key_span(&extended(path, [renews]));
            self.say(
                Diagnostic::error("CMK057", span, format!("`{dated}` is of one version, and the key gets others"))
                    .label("the same date for each of them")
                    .related(other, "this makes new versions")
                    .help("remove it, or let `rotation` say `expireAfter`: each version then gets its own end"),
            );
        }
    }
}

fn extended<'p, const N: usize>(path: [&'p str; 4], more: [&'p str; N]) -> Vec<&'p str> {
    path.into_iter().chain(more).collect()
}
