//! The names of accounts: which are good, which are taken, and for how long after a deletion.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::account::{self, Account, KIND};
use super::arm::Place;
use super::wire::{Answer, Ask, Reply};
use super::world::State;
use super::{Millis, Pace, World};

/// A name is held so many times as long as making an account takes.
const HOLD_FACTOR: i64 = 20;

/// The name of a deleted account: for a while only the subscription that had it may have it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Held {
    pub subscription: String,
    pub until: Millis,
}

/// Takes an account away and holds its name.
pub(super) fn release(state: &mut State, name: &str, now: Millis, pace: Pace) {
    if let Some(account) = state.accounts.remove(name) {
        let Account { subscription, .. } = account.into_inner();
        let until = now.plus(pace.account_creation.saturating_mul(HOLD_FACTOR));
        state.held_names.insert(name.to_owned(), Held { subscription, until });
    }
}

/// Refuses a new account whose name is not good or is held.
pub(super) fn check(state: &State, place: &Place, name: &str) -> Result<(), Answer> {
    if !valid(name) {
        return Err(Answer::error(400, "AccountNameInvalid", &invalid_text(name)));
    }
    let held = state.held_names.get(name).filter(|held| held.subscription != place.subscription);
    held.map_or(Ok(()), |_| Err(taken(name)))
}

fn valid(name: &str) -> bool {
    (3..=24).contains(&name.len()) && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
}

fn invalid_text(name: &str) -> String {
    format!(
        "{name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in length and use numbers and lower-case letters only."
    )
}

fn taken_text(name: &str) -> String {
    format!("The storage account named {name} is already taken.")
}

fn taken(name: &str) -> Answer {
    Answer::error(409, "StorageAccountAlreadyTaken", &taken_text(name))
}

/// What is said when the name belongs to an account elsewhere.
pub(super) fn clash(account: &Account, place: &Place) -> Answer {
    let name = &account.name;
    if account.subscription == place.subscription {
        let text = format!("The account {name} is already in another resource group in this subscription.");
        return Answer::error(409, "StorageAccountInAnotherResourceGroup", &text);
    }
    taken(name)
}

/// Answers `checkNameAvailability`.
pub(super) fn availability(world: &World, ask: &Ask, subscription: &str) -> Reply {
    let sent = ask.object()?;
    if sent["type"] != KIND {
        return Err(account::invalid("type"));
    }
    let name = sent["name"].as_str().unwrap_or_default();
    let held = world.state.held_names.get(name).is_some_and(|held| held.subscription != subscription);
    let refused = |reason: &str, message: String| -> Value {
        json!({"nameAvailable": false, "reason": reason, "message": message})
    };
    Ok(Answer::json(
        200,
        if !valid(name) {
            refused("AccountNameInvalid", invalid_text(name))
        } else if held || world.state.accounts.contains_key(name) {
            refused("AlreadyExists", taken_text(name))
        } else {
            json!({"nameAvailable": true})
        },
    ))
}
