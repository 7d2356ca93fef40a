//! Vaults after their deletion, and vault names: who has a name, and what it takes to have it again.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::arm::{self, Place};
use super::regions;
use super::vault::Vault;
use super::wire::{Answer, Ask, Reply};
use super::world::State;
use super::{Millis, World, paging, providers, vaults};

const PAGE: usize = 50;

/// A vault between its deletion and its purge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct DeletedVault {
    pub vault: Vault,
    pub deleted: Millis,
    /// When it purges itself.
    pub purge: Millis,
}

/// Answers what is below `/subscriptions/{s}/providers/Microsoft.KeyVault`.
pub(super) fn answer(world: &mut World, now: Millis, ask: &Ask, subscription: &str, rest: &[&str]) -> Reply {
    match (ask.method.as_str(), rest) {
        ("POST", ["checknameavailability"]) => {
            providers::check_names(world, subscription, "Microsoft.KeyVault")?;
            check_availability(world, ask)
        }
        // There are none, and clients that list vaults list these as well.
        ("GET", ["managedhsms" | "deletedmanagedhsms"]) => Ok(Answer::json(200, json!({"value": []}))),
        ("GET", ["deletedvaults"]) => list(world, ask, subscription),
        ("GET", ["locations", location, "deletedvaults", name]) => {
            find(world, subscription, location, name).map(|deleted| Answer::json(200, body(deleted)))
        }
        ("POST", ["locations", location, "deletedvaults", name, "purge"]) => {
            purge(world, now, ask, subscription, location, name)
        }
        ("GET", ["locations", location, "operationresults", job]) => poll(world, now, ask, subscription, location, job),
        _ => Err(arm::no_route(ask)),
    }
}

/// Moves a vault, by its name in lower case, among the deleted ones. Its keys stay inside it.
pub(super) fn soft_delete(state: &mut State, name: &str, now: Millis) {
    if let Some(vault) = state.vaults.remove(name) {
        let purge = now.plus_days(vault.retention());
        let vault = vault.into_inner();
        state.deleted_vaults.insert(name.to_owned(), DeletedVault { vault, deleted: now, purge });
    }
}

/// Brings a vault back with its policies, its retention and its keys, but only where it was.
pub(super) fn recover(world: &mut World, now: Millis, place: &Place, name: &str, location: &str) -> Reply {
    let key = name.to_ascii_lowercase();
    let deleted =
        world.state.deleted_vaults.get(&key).filter(|deleted| deleted.vault.subscription == place.subscription);
    let deleted = deleted.ok_or_else(|| taken(name))?;
    if !vaults::is_at(&deleted.vault, place) || deleted.vault.location != location {
        return Err(in_deleted_state());
    }
    let mut vault = deleted.vault.clone();
    world.state.deleted_vaults.remove(&key);
    vault.touched(now);
    let answer = Answer::json(200, vault.body(now));
    world.state.vaults.insert(key, vault.into());
    Ok(answer)
}

fn find<'a>(world: &'a World, subscription: &str, location: &str, name: &str) -> Result<&'a DeletedVault, Answer> {
    let here = |deleted: &&DeletedVault| {
        deleted.vault.subscription == subscription && deleted.vault.location == regions::plain(location)
    };
    world.state.deleted_vaults.get(name).filter(here).ok_or_else(|| no_deleted(name))
}

fn list(world: &World, ask: &Ask, subscription: &str) -> Reply {
    let here = world.state.deleted_vaults.iter().filter(|(_, deleted)| deleted.vault.subscription == subscription);
    let top = ask.query.get("$top").and_then(|top| top.parse().ok()).unwrap_or(PAGE).clamp(1, PAGE);
    let (page, next) = paging::page(ask, here.map(|(name, deleted)| (name.clone(), deleted)).collect(), top)?;
    let mut answer = json!({"value": page.into_iter().map(body).collect::<Vec<Value>>()});
    if let Some(next) = next {
        answer["nextLink"] = json!(next);
    }
    Ok(Answer::json(200, answer))
}

fn purge(world: &mut World, now: Millis, ask: &Ask, subscription: &str, location: &str, name: &str) -> Reply {
    let deleted = find(world, subscription, location, name)?;
    if deleted.vault.purge_protection {
        return Err(Answer::error(405, "MethodNotAllowed", "Operation 'DeletedVaultPurge' is not allowed."));
    }
    world.state.deleted_vaults.remove(name);
    let job = world.ids.version();
    let answer = Answer::empty(202).header("location", job_link(ask, subscription, location, &job));
    world.state.purges.insert(job, now);
    Ok(answer.header("retry-after", "5"))
}

fn job_link(ask: &Ask, subscription: &str, location: &str, job: &str) -> String {
    let place =
        format!("https://{}/subscriptions/{subscription}/providers/Microsoft.KeyVault/locations/{location}", ask.host);
    format!("{place}/operationResults/{job}?api-version={}", ask.api_version())
}

/// How a purge is doing: 202 while it has not begun, then 200.
fn poll(world: &World, now: Millis, ask: &Ask, subscription: &str, location: &str, job: &str) -> Reply {
    let Some(begun) = world.state.purges.get(job) else {
        let text = format!("The operation '{job}' could not be found.");
        return Err(Answer::error(404, "OperationNotFound", &text));
    };
    let end = begun.plus(world.pace.deleted_object);
    if now < end {
        let body = json!({"createdDateTime": begun.spaced(), "status": "NotStarted"});
        let link = job_link(ask, subscription, location, job);
        return Ok(Answer::json(202, body).header("location", link).header("retry-after", "5"));
    }
    let times = json!({"createdDateTime": begun.spaced(), "lastActionDateTime": end.spaced(), "status": "Succeeded"});
    Ok(Answer::json(200, times))
}

fn body(deleted: &DeletedVault) -> Value {
    let DeletedVault { vault, deleted, purge } = deleted;
    let (subscription, location, name) = (&vault.subscription, &vault.location, &vault.name);
    let mut properties = json!({
        "vaultId": vault.id(), "location": location, "tags": vault.tags,
        "deletionDate": deleted.whole(), "scheduledPurgeDate": purge.whole(),
    });
    if vault.purge_protection {
        properties["purgeProtectionEnabled"] = json!(true);
    }
    let id =
        format!("/subscriptions/{subscription}/providers/Microsoft.KeyVault/locations/{location}/deletedVaults/{name}");
    json!({"id": id, "name": name, "type": "Microsoft.KeyVault/deletedVaults", "properties": properties})
}

pub(super) fn no_deleted(name: &str) -> Answer {
    let text = format!(
        "The specified deleted vault '{name}' does not exist. Ensure that the vault was indeed deleted and that it is in recoverable state. If soft delete was not enabled then the vault is permanently deleted. Follow this link for more information: https://go.microsoft.com/fwlink/?linkid=2149745"
    );
    Answer::error(404, "DeletedVaultNotFound", &text)
}

const IN_DELETED_STATE: &str = "A vault with the same name already exists in deleted state. You need to either recover or purge existing key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete.";

pub(super) fn in_deleted_state() -> Answer {
    Answer::error(409, "ConflictError", IN_DELETED_STATE)
}

fn taken_text(name: &str) -> String {
    format!(
        "The vault name '{name}' is already in use. Vault names are globaly unique so it is possible that the name is already taken. If you are sure that the vault name was not taken then it is possible that a vault with the same name was recently deleted but not purged after being placed in a recoverable state. Follow this link for more information: https://go.microsoft.com/fwlink/?linkid=2147740."
    )
}

pub(super) fn taken(name: &str) -> Answer {
    Answer::error(409, "VaultAlreadyExists", &taken_text(name))
}

/// 3 to 24 letters, digits and single hyphens, beginning with a letter and not ending with a hyphen.
pub(super) fn check_name(name: &str) -> Result<(), Answer> {
    let allowed = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    let begins = name.starts_with(|letter: char| letter.is_ascii_alphabetic());
    if (3..=24).contains(&name.len()) && allowed && begins && !name.ends_with('-') && !name.contains("--") {
        return Ok(());
    }
    Err(Answer::error(400, "VaultNameNotValid", &invalid_text(name)))
}

fn invalid_text(name: &str) -> String {
    format!(
        "The vault name '{name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. The name must begin with a letter, end with a letter or digit, and not contain consecutive hyphens. Follow this link for more information: https://go.microsoft.com/fwlink/?linkid=2147742"
    )
}

fn check_availability(world: &World, ask: &Ask) -> Reply {
    let sent = ask.object()?;
    if sent["type"] != "Microsoft.KeyVault/vaults" {
        return Err(vaults::invalid("type"));
    }
    let name = sent["name"].as_str().unwrap_or_default();
    let key = name.to_ascii_lowercase();
    let refusal = if check_name(name).is_err() {
        Some(("AccountNameInvalid", invalid_text(name)))
    } else if world.state.vaults.contains_key(&key) {
        Some(("AlreadyExists", taken_text(name)))
    } else if world.state.deleted_vaults.contains_key(&key) {
        Some(("AlreadyExists", IN_DELETED_STATE.to_owned()))
    } else {
        None
    };
    Ok(Answer::json(
        200,
        match refusal {
            None => json!({"nameAvailable": true}),
            Some((reason, message)) => json!({"nameAvailable": false, "reason": reason, "message": message}),
        },
    ))
}
