//! An account and the life of its key: closed with it, and moved to the version that this plan brings about.

use super::Pair;
use crate::model::{
    Binding, Check, Encryption, Fact, KeyRef, KeyVersion, Observed, Seen, Timestamp, Version, VersionRule,
};
use crate::plan::approval::VERSION_MADE;
use crate::plan::draft::Draft;
use crate::plan::life;

impl Pair<'_> {
    /// Whether the spec closes the key, or the version, that the account is to be under. One that is under it stays so,
    /// out of reach.
    pub(super) fn is_closed(&self, draft: &mut Draft) -> bool {
        let key = &self.encryption.key;
        let bound_here = self.binding().zip(self.seen_vault()).filter(|(binding, vault)| binding.is_to(key, vault));
        let closed = if life::closes(self.desired, key) {
            format!("key {key}")
        } else if let Some(version) = self.closed_version(bound_here.map(|(binding, _)| binding)) {
            format!("version {version} of key {key}")
        } else {
            return false;
        };
        match bound_here {
            Some(_) => draft.note(&self.resource(), format!("it is under {closed}, which the spec says is disabled")),
            None => draft.refuse(
                "CMK262",
                &self.resource(),
                format!("it is to be bound to {closed}, which the spec says is disabled"),
                "remove what disables it, or name another key or version for the account",
            ),
        }
        true
    }

    /// A version that the spec closes and that the account is to be under, or is under with no way out.
    fn closed_version<'v>(&'v self, binding: Option<&'v Binding>) -> Option<&'v Version> {
        let key = &self.encryption.key;
        let is_closed = |version: &&Version| life::closes_version(self.desired, key, version);
        let used = binding.and_then(Binding::in_use);
        let seen = self.observed.keys.get(key).and_then(Seen::known)?;
        let gone = |version: &&Version| seen.version(version).is_some_and(|version| !version.enabled);
        if let Some(lost) = used.filter(is_closed).filter(gone) {
            return Some(lost);
        }
        let meant = match &self.encryption.version {
            VersionRule::Latest => seen.newest_enabled().map(|version| &version.id),
            VersionRule::Auto => seen.current().map(|version| &version.id),
            VersionRule::Exact(version) => Some(version),
        };
        meant.filter(is_closed)
    }

    /// Whether this plan brings about the newest version, which an account may follow.
    pub(super) fn is_renewed(&self, draft: &Draft) -> bool {
        self.encryption.version == VersionRule::Auto && draft.renewed.contains_key(&self.encryption.key)
    }

    /// Whether the account is under the key as it is to be, at a version that is new enough.
    pub(super) fn bound_since(&self, since: Option<Timestamp>) -> Check {
        if since.is_some() && self.is_under_opened() {
            return Check::Yes;
        }
        let bound = self.encrypted();
        match since {
            Some(since) if bound.is_yes() => {
                let key = self.encryption.key.clone();
                Fact::PinnedSince(self.account.id.name.clone(), key, since).check(self.observed)
            }
            Some(_) | None => bound,
        }
    }

    /// Whether the account is pinned, as it is to be, to the very version that is enabled again.
    fn is_under_opened(&self) -> bool {
        let Some((binding, vault)) = self.binding().zip(self.seen_vault()) else { return false };
        let opened = opened_version(self.observed, &self.encryption.key)
            .is_some_and(|version| binding.version.as_ref() == Some(&version.id));
        opened && binding.is_to(&self.encryption.key, vault) && binding.is_by(self.who)
    }
}

/// The moment that the version to pin is of at least, where this plan brings about a newer one.
pub(super) fn since(wanted: &Encryption, draft: &Draft) -> Option<Timestamp> {
    let newest = wanted.version == VersionRule::Latest;
    draft.renewed.get(&wanted.key).copied().filter(|_| newest)
}

/// The key's newest version, if it is disabled: where the newest is enabled again, that one.
fn opened_version<'o>(observed: &'o Observed, key: &KeyRef) -> Option<&'o KeyVersion> {
    let seen = observed.keys.get(key).and_then(Seen::known)?;
    seen.current().filter(|current| !current.enabled)
}

/// The version that this plan brings about: one that Key Vault makes, or one that is enabled again.
pub(super) fn renewed_in_words(observed: &Observed, key: &KeyRef) -> String {
    opened_version(observed, key).map_or_else(|| VERSION_MADE.to_owned(), |version| version.id.to_string())
}
