//! The key versions that accounts move between.

use super::super::action::{Action, Binds};
use super::super::types::{Step, StepId};
use crate::model::fact::pinned_version;
use crate::model::{AccountName, Binding, KeyRef, Observed, Seen, SeenKey, Timestamp, Version, VersionRule};
use std::collections::HashMap;

/// A move of an account from one key version to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyMove {
    /// The step that makes it.
    pub step: StepId,
    /// The account.
    pub account: AccountName,
    /// The version in use; nothing when Microsoft manages the key, or there is no account yet.
    pub from: Option<VersionUse>,
    /// The version that will be in use.
    pub to: VersionUse,
}

/// The use of a key version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionUse {
    /// The key: `kv-prod/main`.
    pub key: String,
    /// The version; nothing when it is made by this very plan, or cannot be told.
    pub version: Option<Version>,
    /// Whether Azure follows the newest version by itself.
    pub follows: bool,
    /// When the version was made, if that was seen.
    pub created: Option<Timestamp>,
    /// When it expires, if it does.
    pub expires: Option<Timestamp>,
}

pub(super) fn moves(steps: &[Step], observed: &Observed) -> Vec<KeyMove> {
    let keys: Keys<'_> = observed
        .keys
        .iter()
        .filter_map(|(name, seen)| Some((name.to_string().to_ascii_lowercase(), seen.known()?)))
        .collect();
    steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::SetEncryption { account, key, version, since, .. } => {
                let account_seen = observed.accounts.get(&account.name).and_then(Seen::known);
                let binding = account_seen.and_then(|seen| seen.encryption.binding.as_ref());
                Some(KeyMove {
                    step: step.id.clone(),
                    account: account.name.clone(),
                    from: binding.map(|binding| from(binding, &keys)),
                    to: to(key, version, *since, observed),
                })
            }
            Action::CreateAccount { id, key: Some(Binds { key, version, since, .. }), .. } => Some(KeyMove {
                step: step.id.clone(),
                account: id.name.clone(),
                from: None,
                to: to(key, version, *since, observed),
            }),
            _ => None,
        })
        .collect()
}

/// The keys that were seen, by `vault/name` in lower case.
type Keys<'a> = HashMap<String, &'a SeenKey>;

fn from(binding: &Binding, keys: &Keys<'_>) -> VersionUse {
    let label = binding.vault_host.split('.').next().unwrap_or(&binding.vault_host);
    let key = format!("{label}/{}", binding.key);
    let version = binding.in_use().cloned();
    let seen = keys.get(&key.to_ascii_lowercase()).copied();
    used(key, seen, version, binding.version.is_none())
}

/// Of a version that the plan brings about, `since` a moment, nothing is known yet.
fn to(key: &KeyRef, rule: &VersionRule, since: Option<Timestamp>, observed: &Observed) -> VersionUse {
    let seen = observed.keys.get(key).and_then(Seen::known).filter(|_| since.is_none());
    let key = key.to_string();
    let version = match (seen, rule) {
        (Some(seen), VersionRule::Auto) => seen.current().map(|version| version.id.clone()),
        (Some(seen), rule) => pinned_version(seen, rule).cloned(),
        (None, VersionRule::Exact(version)) => Some(version.clone()),
        (None, VersionRule::Latest | VersionRule::Auto) => None,
    };
    used(key, seen, version, *rule == VersionRule::Auto)
}

fn used(key: String, seen: Option<&SeenKey>, version: Option<Version>, follows: bool) -> VersionUse {
    let known = version.as_ref().and_then(|version| seen?.version(version));
    VersionUse {
        key,
        follows,
        created: known.and_then(|version| version.created),
        expires: known.and_then(|version| version.expires),
        version,
    }
}
