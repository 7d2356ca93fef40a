//! What ails a key version that an account is to use, or has used so far, and the command lines that mend it.

use super::action::Former;
use super::draft::Draft;
use crate::model::{Account, Binding, Encryption, KeyRef, KeyType, KeyVersion, Observed, Seen, SeenKey, VersionRule};

/// How long a version has to be good for when an account is first bound to it, in days.
///
/// A key that ends sooner has to be replaced before anybody has got used to it, and an account that is bound to it by
/// version notices when it is too late.
const GOOD_FOR_DAYS: i64 = 30;

/// Refuses to bind an account to a version that is about to expire. Days count from Azure's own clock.
///
/// No exception for a key that rotates by itself: whether it does so in time is not seen here. An account that is
/// bound to this very version gains nothing from a refusal.
pub(super) fn refuses_expiring(
    observed: &Observed,
    account: &Account,
    encryption: &Encryption,
    binding: Option<&Binding>,
    draft: &mut Draft,
) -> bool {
    let Encryption { key, version: rule, who: _, permissions: _, scope: _ } = encryption;
    let seen = observed.keys.get(key).and_then(Seen::known);
    let Some((version, end)) = seen.and_then(|seen| meant(seen, rule)).and_then(|v| Some((v, v.expires?))) else {
        return false;
    };
    let in_use = binding.zip(observed.vaults.get(&key.vault).and_then(Seen::known)).is_some_and(|(binding, vault)| {
        let used = binding.in_use();
        binding.is_to(key, vault) && used == Some(&version.id)
    });
    let seconds_left = end.0 - observed.at.0;
    // One that has expired already is refused in its own words.
    if in_use || seconds_left <= 0 || seconds_left >= GOOD_FOR_DAYS * 86_400 {
        return false;
    }
    let days = seconds_left / 86_400;
    let left = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
    draft.refuse(
        "CMK217",
        &format!("key {key}"),
        format!(
            "account {} is to be bound to version {}, which expires on {end}, in {left}",
            account.id.name, version.id
        ),
        format!("{}, then plan again", renew(key, rule)),
    );
    true
}

/// How a version that has ended, or will soon, is replaced.
fn renew(key: &KeyRef, rule: &VersionRule) -> String {
    let KeyRef { vault, name } = key;
    let rotate = format!("make a new version with `az keyvault key rotate --vault-name {vault} --name {name}`");
    match rule {
        VersionRule::Latest | VersionRule::Auto => {
            format!("{rotate}, or move the date with `{} --expires DATE`", set_attributes(key))
        }
        VersionRule::Exact(_) => format!("{rotate} and name that one, or write `version: latest`"),
    }
}

fn set_attributes(key: &KeyRef) -> String {
    format!("az keyvault key set-attributes --vault-name {} --name {}", key.vault, key.name)
}

/// The version that a rule means.
fn meant<'a>(key: &'a SeenKey, rule: &VersionRule) -> Option<&'a KeyVersion> {
    match rule {
        VersionRule::Latest => key.newest_enabled(),
        VersionRule::Auto => key.current(),
        VersionRule::Exact(id) => key.version(id),
    }
}

/// The way out when a key that is there cannot be used: another one for each thing that may ail it.
pub(super) fn mend(observed: &Observed, key: &KeyRef, rule: &VersionRule) -> String {
    let another = "name another key or version";
    let Some(seen) = observed.keys.get(key).and_then(Seen::known) else { return another.to_owned() };
    if matches!(seen.kind, KeyType::Other(_)) {
        return format!("name a key of type RSA or RSA-HSM: the type of {key} cannot be changed");
    }
    match meant(seen, rule).or_else(|| seen.current()) {
        Some(version) if !version.enabled => {
            let enable = format!("{} --version {} --enabled true", set_attributes(key), version.id);
            format!("somebody disabled it: if it should be used, enable it with `{enable}`; if not, {another}")
        }
        Some(version) if version.not_before.is_some_and(|start| observed.at < start) => {
            let start = version.not_before.map(|start| format!(" until {start}")).unwrap_or_default();
            format!("wait{start}, or move the date with `{} --not-before DATE`, or {another}", set_attributes(key))
        }
        Some(version) if version.expires.is_some_and(|end| observed.at >= end) => renew(key, rule),
        Some(_) => format!("name a key of 2048, 3072 or 4096 bits: the size of {key} cannot be changed"),
        None => another.to_owned(),
    }
}

/// The way out when the key that an account uses so far does not unwrap any more.
pub(super) fn recover(observed: &Observed, former: &Former) -> String {
    let Former { key, version, left: _ } = former;
    let once_more = "Azure needs it once more to move the account off it";
    match observed.keys.get(key) {
        Some(Seen::Absent) => {
            let KeyRef { vault, name } = key;
            format!("recover it first with `az keyvault key recover --vault-name {vault} --name {name}`: {once_more}")
        }
        Some(Seen::Known(seen)) if seen.version(version).is_some_and(|version| version.enabled) => {
            format!("give the account's identity get, wrapKey and unwrapKey in vault {} again: {once_more}", key.vault)
        }
        Some(Seen::Known(_) | Seen::Hidden(_)) | None => {
            format!("enable it first with `{} --version {version} --enabled true`: {once_more}", set_attributes(key))
        }
    }
}
