//! The words for a key's life, in both halves of the tests' language.

use super::world::{key_ref, version};
use crate::model::*;

/// What is wanted of a key: `enabled`, `disabled`, `as-used`, `shut=A`, `tag=team:pay`, `begins=900`, `ends=2000`,
/// `age=P90D`, `since=900`, `retire=P7D`, `every=P90D`.
pub(super) fn life(words: &[&str]) -> KeyLife {
    let mut life = KeyLife::default();
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("enabled", _) => life.enabled = Some(Enabled::Yes),
            ("disabled", _) => life.enabled = Some(Enabled::No),
            ("as-used", _) => life.enabled = Some(Enabled::AsUsed),
            ("shut", letter) => drop(life.versions.insert(version(letter), false)),
            ("tag", tag) => {
                let (name, value) = tag.split_once(':').unwrap();
                life.marks.tags.insert(name.to_owned(), value.to_owned());
            }
            ("begins", at) => life.marks.not_before = Some(moment(at)),
            ("ends", at) => life.marks.expires = Some(moment(at)),
            ("age", period) => life.max_age = Period::parse(period),
            ("since", at) => life.rotated_since = Some(moment(at)),
            ("retire", period) => life.retire_after = Period::parse(period),
            ("every", period) => {
                let every = Period::parse(period).unwrap();
                life.rotation = Some(Rotation { every, notify_before: None, expire_after: None });
            }
            _ => {}
        }
    }
    life
}

pub(super) fn moment(text: &str) -> Timestamp {
    Timestamp(text.parse().unwrap())
}

/// What was seen of a key besides its versions: `tag=team:pay`, `every=P90D`, `policy-hidden`, `few` for not all versions.
pub(super) fn seen_life(words: &[&str], seen: &mut SeenKey) {
    seen.rotation = Some(Seen::Known(SeenRotation::default()));
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("tag", tag) => {
                let (name, value) = tag.split_once(':').unwrap();
                seen.tags.insert(name.to_owned(), value.to_owned());
            }
            ("every", period) => {
                seen.rotation =
                    Some(Seen::Known(SeenRotation { every: Period::parse(period), ..SeenRotation::default() }));
            }
            ("policy-hidden", _) => seen.rotation = Some(super::world::hidden()),
            ("few", _) => seen.all_versions = false,
            _ => {}
        }
    }
}

/// `users kv1/main [st9@A] [st9/scope@A] [moved=900] [unseen]`: the accounts that were seen under the key, and these others.
pub(super) fn see_users(words: &[&str], observed: &mut Observed) {
    let key = key_ref(words[1]);
    let moved = words.iter().find_map(|word| word.strip_prefix("moved=")).map(moment);
    let host = format!("{}.vault.test", key.vault);
    let mut found = KeyUsers::default();
    for seen in observed.accounts.values().filter_map(Seen::known) {
        let binding = seen.encryption.binding.as_ref();
        let Some(binding) = binding.filter(|one| one.vault_host == host && one.key == key.name.as_str()) else {
            continue;
        };
        let (pinned, current) = (binding.version.clone(), binding.current.clone());
        let who = seen.reaches_as();
        found.users.push(KeyUser { account: seen.id.clone(), scope: None, who, pinned, current, moved });
    }
    for (name, letter) in words[2..].iter().filter_map(|word| word.split_once('@')) {
        let (name, scope) = name.split_once('/').map_or((name, None), |(name, scope)| (name, Some(scope.to_owned())));
        let account = AccountId { group: super::world::group(), name: AccountName::parse(name).unwrap() };
        let used = Some(version(letter));
        let who = Some(Who::System(account.clone()));
        found.users.push(KeyUser { account, scope, who, pinned: used.clone(), current: used, moved });
    }
    if words.contains(&"unseen") {
        let what = "subscription 2".to_owned();
        found.unseen.push(Unseen { what, why: "403 AuthorizationFailed".to_owned(), permission: "a/read".to_owned() });
    }
    observed.users.insert(key, found);
}

/// `scopes st1`, `scopes st1 hr=kv1/main`, `scopes st1 hidden`: the encryption scopes of an account.
pub(super) fn see_scopes(words: &[&str], observed: &mut Observed) {
    let under = words[2..].iter().filter_map(|word| word.split_once('=')).map(|(name, key)| SeenScope {
        name: name.to_owned(),
        is_enabled: true,
        key: key.split_once('/').map(|(vault, key)| (format!("{vault}.vault.test"), key.to_owned())),
        version: None,
        current: None,
        moved: None,
    });
    let seen = if words.contains(&"hidden") { super::world::hidden() } else { Seen::Known(under.collect()) };
    observed.scopes.insert(AccountName::parse(words[1]).unwrap(), seen);
}

/// `sharers kv1 st9=id1 st1/hr=id1 st1/hr=own [unseen]`: who was found to use keys of the vault, and as whom.
pub(super) fn see_sharers(words: &[&str], observed: &mut Observed) {
    let mut found = KeyUsers::default();
    for (name, identity) in words[2..].iter().filter_map(|word| word.split_once('=')) {
        let (name, scope) = name.split_once('/').map_or((name, None), |(name, scope)| (name, Some(scope.to_owned())));
        let account = AccountId { group: super::world::group(), name: AccountName::parse(name).unwrap() };
        let who = match identity {
            "own" => Who::System(account.clone()),
            name => Who::User(super::world::identity(name)),
        };
        found.users.push(KeyUser { account, scope, who: Some(who), pinned: None, current: None, moved: None });
    }
    if words.contains(&"unseen") {
        let what = "subscription 2".to_owned();
        found.unseen.push(Unseen { what, why: "403 AuthorizationFailed".to_owned(), permission: "a/read".to_owned() });
    }
    observed.vault_users.insert(VaultName::parse(words[1]).unwrap(), found);
}

/// `sweep kv1/main st9 st9/hr [unseen]`: the accounts and scopes that were found under the key by a look at everybody; what a
/// `sweep` before it found stays.
pub(super) fn see_all_users(words: &[&str], observed: &mut Observed) {
    let (vault, key) = words[1].split_once('/').unwrap();
    let mut found = observed.sweep.take().unwrap_or_default();
    for name in words[2..].iter().filter(|word| **word != "unseen") {
        let (name, scope) = name.split_once('/').map_or((*name, None), |(name, scope)| (name, Some(scope.to_owned())));
        let account = AccountId { group: super::world::group(), name: AccountName::parse(name).unwrap() };
        let user = KeyUser { who: None, account, scope, pinned: None, current: None, moved: None };
        found.bound.push(Bound { host: format!("{vault}.vault.test"), key: key.to_owned(), user });
    }
    if words.contains(&"unseen") {
        let what = "the encryption scopes of account st9".to_owned();
        found.unseen.push(Unseen { what, why: "403 AuthorizationFailed".to_owned(), permission: "a/read".to_owned() });
    }
    observed.sweep = Some(found);
}
