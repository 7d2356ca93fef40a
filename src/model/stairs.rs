//! The stairs of a rotation, each a statement that can be checked: a newer version is there, who uses the key has moved
//! to it, and an older one can be disabled without taking anybody's data.

use super::account::SeenAccount;
use super::estate::Observed;
use super::fact::{Check, no, on};
use super::ids::{KeyRef, Version};
use super::key::{SeenKey, Timestamp};
use super::life::Period;
use super::usage::KeyUsers;
use super::vault::SeenVault;

/// How long an older version stays enabled at least, counted from the last move: Storage looks for a newer one daily.
const WAIT_LEAST: Period = Period::days(1);

/// Whether the newest enabled version is of this moment or later.
pub(super) fn rotated_since(key: &SeenKey, since: Timestamp) -> Check {
    match key.newest_enabled().map(|version| (version, version.created)) {
        Some((_, Some(created))) if created >= since => Check::Yes,
        Some((version, Some(created))) => no(format!("its newest version {} is of {created}", version.id)),
        Some((version, None)) => Check::Unknown(format!("Azure does not say when version {} was made", version.id)),
        None if key.all_versions => no("it has no enabled version"),
        None => Check::Unknown("not all of its versions were read".to_owned()),
    }
}

/// Whether an account is pinned to a version of this moment or later.
pub(super) fn pinned_since(
    account: &SeenAccount,
    vault: &SeenVault,
    key: &KeyRef,
    since: Timestamp,
    observed: &Observed,
) -> Check {
    let Some(binding) = account.encryption.binding.as_ref().filter(|binding| binding.is_to(key, vault)) else {
        return no(format!("it is not bound to {key}"));
    };
    let Some(pinned) = &binding.version else { return no("it follows the newest version by itself") };
    on(observed.keys.get(key), |seen| match seen.version(pinned).map(|version| version.created) {
        Some(Some(created)) if created >= since => Check::Yes,
        Some(Some(created)) => no(format!("it is pinned to version {pinned} of {created}")),
        Some(None) => Check::Unknown(format!("Azure does not say when version {pinned} was made")),
        // Only the newest is read where nothing else is asked for, and this one is not it.
        None => no(format!("it is pinned to version {pinned}, which is not the newest")),
    })
}

/// Whether nobody who was seen uses a version any more, everybody was seen, and all have been off it long enough.
pub(super) fn retirable(key: &KeyRef, version: &Version, wait: Period, observed: &Observed) -> Check {
    let Some(users) = observed.users.get(key) else {
        return Check::Unknown("nobody looked who uses it".to_owned());
    };
    if let Some(unseen) = users.unseen.first() {
        return Check::Unknown(format!(
            "who uses it may be among what was not seen: {}: {}; {} would show it",
            unseen.what, unseen.why, unseen.permission
        ));
    }
    on(observed.keys.get(key), |seen| {
        let Some(newest) = seen.newest_enabled() else { return no("it has no enabled version to go over to") };
        if newest.id == *version {
            return no("it is the newest one");
        }
        if let Some(user) = users.users.iter().find(|user| user.may_use(version)) {
            return no(format!("{user} is still under it"));
        }
        let Some(made) = newest.created else {
            return Check::Unknown(format!("Azure does not say when version {} was made", newest.id));
        };
        match last_move(users, made) {
            Err(user) => Check::Unknown(format!("Azure does not say when {user} moved")),
            Ok(moved) => {
                let end = wait.after(moved).max(WAIT_LEAST.after(moved));
                if observed.at < end {
                    no(format!("everybody is off it since {moved}: it waits until {end}"))
                } else {
                    Check::Yes
                }
            }
        }
    })
}

/// The later of a version's making and the last move of anybody who uses the key; or who does not say.
fn last_move(users: &KeyUsers, made: Timestamp) -> Result<Timestamp, String> {
    users.users.iter().try_fold(made, |latest, user| Ok(latest.max(user.moved.ok_or_else(|| user.to_string())?)))
}
