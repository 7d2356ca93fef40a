//! What can go wrong with a key that is there: rotated twice, opened unasked, or closed on somebody who needs it.

use super::super::action::Action;
use super::super::risk::RiskClass;
use super::super::types::Plan;
use super::{Bench, is_host, unless};
use crate::model::{
    AccountName, Binding, KeyRef, KeyVersion, Marks, Observed, Period, Seen, SeenKey, Timestamp, Version, VersionRule,
};
use std::collections::BTreeSet;

/// A day, in seconds: Storage looks for newer versions once in it.
const DAY_SECONDS: i64 = 86_400;

impl Bench<'_> {
    pub(super) fn marked(&self, key: &KeyRef, version: &Version) -> Vec<String> {
        let is_current = self.key(key).and_then(|seen| seen.versions.first()).is_some_and(|one| one.id == *version);
        unless(is_current, "it is about a version that is not the current one").into_iter().collect()
    }

    pub(super) fn policy_set(&self, key: &KeyRef) -> Vec<String> {
        let seen = self.key(key).and_then(|seen| seen.rotation.as_ref());
        let known = matches!(seen, Some(Seen::Known(_)));
        unless(known, "the policy that it replaces was not seen").into_iter().collect()
    }

    /// One new version at a time, and none where the newest was closed on purpose.
    pub(super) fn rotated(&self, key: &KeyRef, since: i64) -> Vec<String> {
        let newest = self.key(key).and_then(|seen| seen.versions.first());
        let Some(newest) = newest else { return vec!["no version of the key was seen".to_owned()] };
        let older = newest.created.is_some_and(|created| created.0 < since);
        [
            unless(newest.enabled, "the newest version is disabled: another one would open the key again"),
            unless(older, "the newest version is new enough, or nobody knows how old it is"),
            unless(since <= self.observed.at.0.saturating_add(1), "it asks for a version of a time to come"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    pub(super) fn opened(&self, key: &KeyRef, version: &Version) -> Vec<String> {
        let is_shut = self.version(key, version).is_some_and(|one| !one.enabled);
        unless(is_shut, "the version was not seen to be disabled").into_iter().collect()
    }

    /// Nobody is shut out who was not seen, and nobody who is to come in.
    pub(super) fn shut(&self, key: &KeyRef, version: &Version, leaving: &BTreeSet<AccountName>) -> Vec<String> {
        let enabled = self.version(key, version).is_some_and(|one| one.enabled);
        let users = self.observed.users.get(key);
        let seen_all = users.is_some_and(|users| users.unseen.is_empty());
        let hidden = self.observed.accounts.values().any(|seen| matches!(seen, Seen::Hidden(_)));
        let mut harms: Vec<String> = [
            unless(enabled, "the version was not seen to be enabled"),
            unless(users.is_some(), "nobody looked who uses the key"),
            unless(users.is_none() || seen_all, "not everybody was seen who may use the key"),
            unless(!hidden, "an account of the spec could not be seen, and may have to leave first"),
        ]
        .into_iter()
        .flatten()
        .collect();
        for account in leaving {
            let goes = self.before.any(|action| match action {
                Action::SetEncryption { account: of, key: to, version: rule, since, .. } => {
                    let elsewhere =
                        to != key || since.is_some() || !self.key(key).is_some_and(|seen| means(seen, rule, version));
                    of.name == *account && elsewhere
                }
                Action::LeaveKey { account: of, .. } => of.name == *account,
                _ => false,
            });
            harms.extend(unless(goes, format!("account {account} has not left the key before it")));
        }
        harms
    }

    /// What is retired, nobody needs: by what was seen of users and of bindings, and for long enough.
    pub(super) fn retired(&self, key: &KeyRef, version: &Version, wait: Period) -> Vec<String> {
        let seen = self.key(key);
        let at = |of: &SeenKey| of.versions.iter().position(|one| one.id == *version);
        let newer = seen.and_then(|seen| {
            let before = seen.versions.get(..at(seen)?)?;
            before.iter().find(|one| one.enabled)
        });
        let users = self.observed.users.get(key).map_or(&[][..], |users| users.users.as_slice());
        let used =
            users.iter().any(|user| user.current.as_ref().or(user.pinned.as_ref()).is_none_or(|one| one == version));
        let bound = self.under(key, version).next().is_some();
        let moves = users.iter().map(|user| user.moved.map(|at| at.0));
        let last = moves.chain([newer.and_then(|one| one.created).map(|at| at.0)]).collect::<Option<Vec<i64>>>();
        let last = last.and_then(|all| all.into_iter().max());
        let over = last.is_some_and(|last| {
            let days = i64::from(wait.days_at_least()).max(1);
            last + days * DAY_SECONDS <= self.observed.at.0
        });
        [
            unless(newer.is_some(), "no newer version was seen that can be used"),
            unless(!used && !bound, "somebody uses the version that it retires"),
            unless(over, "not enough time has passed since the last move, or nobody knows when that was"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Whether a rule will mean a version that an earlier step makes or enables.
    pub(super) fn will_be_renewed(&self, key: &KeyRef, rule: &VersionRule) -> bool {
        self.before.any(|action| match (action, rule) {
            (Action::RotateKey { key: of, .. }, VersionRule::Latest | VersionRule::Auto) => of == key,
            (Action::EnableVersion { key: of, version, .. }, rule) if of == key => {
                let opened = self.version(key, version).filter(|one| self.is_in_date(one.not_before, one.expires));
                opened.is_some_and(|opened| match rule {
                    VersionRule::Exact(id) => *id == opened.id,
                    VersionRule::Auto => self.key(key).and_then(|seen| seen.versions.first()) == Some(opened),
                    VersionRule::Latest => true,
                })
            }
            _ => false,
        })
    }

    /// Whether Storage can wrap with what a rule will mean by then.
    pub(super) fn will_be_usable(&self, key: &KeyRef, rule: &VersionRule) -> bool {
        let made = self.before.any(
            |action| matches!(action, Action::CreateKey { key: made, .. } | Action::ImportKey { key: made, .. } if made == key),
        );
        if self.will_be_renewed(key, rule) {
            return true;
        }
        match (self.key(key), rule) {
            (None, VersionRule::Exact(_)) => false,
            (None, VersionRule::Latest | VersionRule::Auto) => made,
            (Some(seen), rule) => {
                meant(seen, rule).is_some_and(|one| one.enabled && self.is_in_date(one.not_before, one.expires))
            }
        }
    }

    fn is_in_date(&self, not_before: Option<Timestamp>, expires: Option<Timestamp>) -> bool {
        let now = self.observed.at;
        not_before.is_none_or(|start| start <= now) && expires.is_none_or(|end| now < end)
    }

    /// Whether an earlier step enables a version.
    pub(super) fn will_be_open(&self, key: &KeyRef, version: &Version) -> bool {
        self.before.any(|action| {
            matches!(action, Action::EnableVersion { key: of, version: one, .. } if of == key && one == version)
        })
    }

    fn version(&self, key: &KeyRef, version: &Version) -> Option<&KeyVersion> {
        self.key(key)?.versions.iter().find(|one| one.id == *version)
    }

    /// The bindings of accounts that were seen under a version of a key.
    fn under<'b>(
        &'b self,
        key: &'b KeyRef,
        version: &'b Version,
    ) -> impl Iterator<Item = (&'b AccountName, &'b Binding)> {
        bindings(self.observed, key)
            .filter(move |(_, one)| one.current.as_ref().or(one.version.as_ref()) == Some(version))
    }

    /// Whose data is out of reach once a version is disabled.
    pub(super) fn shut_out(
        &self,
        key: &KeyRef,
        version: &Version,
        leaving: &BTreeSet<AccountName>,
    ) -> Vec<(RiskClass, String)> {
        let users = self.observed.users.get(key).map_or(&[][..], |users| users.users.as_slice());
        let told =
            users.iter().filter(|user| user.current.as_ref().or(user.pinned.as_ref()).is_none_or(|one| one == version));
        let names = told.map(|user| &user.account.name).chain(self.under(key, version).map(|(name, _)| name));
        let out: BTreeSet<&AccountName> = names.filter(|name| !leaving.contains(*name)).collect();
        out.into_iter().map(|name| (RiskClass::Unreadable, format!("account/{name}"))).collect()
    }

    /// What new dates do: they bring a version back into use, or take it out.
    pub(super) fn dated(&self, key: &KeyRef, version: &Version, marks: &Marks) -> Vec<(RiskClass, String)> {
        let Some(seen) = self.version(key, version) else { return vec![] };
        let is = self.is_in_date(seen.not_before, seen.expires);
        let will = self.is_in_date(marks.not_before.or(seen.not_before), marks.expires.or(seen.expires));
        let object = format!("key/{key}");
        match (is, will) {
            (false, true) => vec![(RiskClass::Reopening, object)],
            (true, false) => vec![(RiskClass::AccessChange, object)],
            (true, true) | (false, false) => vec![],
        }
    }
}

/// The version that a rule means in a key as it was seen.
fn meant<'a>(key: &'a SeenKey, rule: &VersionRule) -> Option<&'a KeyVersion> {
    match rule {
        VersionRule::Exact(id) => key.versions.iter().find(|one| one.id == *id),
        VersionRule::Latest => key.versions.iter().find(|one| one.enabled),
        VersionRule::Auto => key.versions.first(),
    }
}

/// Whether a rule means this version. One that it names need not be there.
fn means(key: &SeenKey, rule: &VersionRule, version: &Version) -> bool {
    match rule {
        VersionRule::Exact(id) => id == version,
        VersionRule::Latest | VersionRule::Auto => meant(key, rule).is_some_and(|one| one.id == *version),
    }
}

/// The accounts that were seen bound to a key.
fn bindings<'a>(observed: &'a Observed, key: &'a KeyRef) -> impl Iterator<Item = (&'a AccountName, &'a Binding)> {
    let vault = observed.vaults.get(&key.vault).and_then(Seen::known);
    let seen =
        observed.accounts.iter().filter_map(|(name, seen)| Some((name, seen.known()?.encryption.binding.as_ref()?)));
    seen.filter(move |(_, one)| {
        vault.is_some_and(|vault| is_host(vault, &one.vault_host)) && one.key.eq_ignore_ascii_case(key.name.as_str())
    })
}

/// What two steps of a plan do to each other whatever their order: a version is closed that another step needs.
pub(super) fn at_odds(plan: &Plan, key: &KeyRef, version: &Version, observed: &Observed) -> Option<String> {
    let seen = observed.keys.get(key).and_then(Seen::known);
    // Who follows the key is taken for one who needs the newest that can be used.
    let needed = |rule: &VersionRule| match rule {
        VersionRule::Exact(id) => id == version,
        VersionRule::Latest | VersionRule::Auto => seen.is_some_and(|seen| means(seen, &VersionRule::Latest, version)),
    };
    let needs = plan.steps.iter().any(|step| match &step.action {
        Action::SetEncryption { key: to, version: rule, since: None, .. }
        | Action::SwitchIdentity { key: to, version: rule, .. } => to == key && needed(rule),
        Action::CreateAccount { key: Some(binds), .. } => binds.key == *key && needed(&binds.version),
        Action::EnableVersion { key: of, version: one, .. } => of == key && one == version,
        Action::RotateKey { key: of, .. } => of == key,
        _ => false,
    });
    unless(!needs, "another step of the same plan needs the version, or makes it usable")
}
