//! Resource groups.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::account_names;
use super::arm;
use super::deleted_vaults;
use super::wire::{Answer, Ask, Reply};
use super::{Millis, World};

/// A resource group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Group {
    pub subscription: String,
    pub name: String,
    pub location: String,
    pub tags: Value,
}

/// How a group is found, however its name was written.
pub(super) fn key(subscription: &str, group: &str) -> String {
    format!("{subscription}/{group}").to_ascii_lowercase()
}

pub(super) fn not_found(group: &str) -> Answer {
    Answer::error(404, "ResourceGroupNotFound", &format!("Resource group '{group}' could not be found.")).gateway()
}

pub(super) fn list(world: &World, subscription: &str) -> Answer {
    let here = world.state.groups.values().filter(|group| group.subscription == subscription);
    Answer::json(200, json!({"value": here.map(body).collect::<Vec<Value>>()}))
}

/// Answers `/subscriptions/{s}/resourcegroups/{name}`.
pub(super) fn answer(world: &mut World, now: Millis, ask: &Ask, subscription: &str) -> Reply {
    let name = &ask.path[3];
    let key = key(subscription, name);
    let found = world.state.groups.get(&key);
    match ask.method.as_str() {
        "GET" => found.map(|group| Answer::json(200, body(group))).ok_or_else(|| not_found(name)),
        "HEAD" => found.map(|_| Answer::empty(204)).ok_or_else(|| Answer::empty(404).gateway()),
        "PUT" => put(world, ask, subscription, name, key),
        "DELETE" => {
            found.ok_or_else(|| not_found(name))?;
            Ok(delete(world, now, ask, subscription, name, &key))
        }
        _ => Err(arm::no_method(ask)),
    }
}

fn put(world: &mut World, ask: &Ask, subscription: &str, name: &str, key: String) -> Reply {
    let sent = ask.object()?;
    arm::check_members(&sent)?;
    let valid = |letter: char| letter.is_alphanumeric() || "-_.()".contains(letter);
    if name.len() > 90 || name.ends_with('.') || !name.chars().all(valid) {
        let text = format!(
            "The provided resource group name '{name}' has these invalid characters: the name can only be letters, digits, '-', '.', '(', ')' or '_', and must not end with '.'."
        );
        return Err(Answer::error(400, "InvalidResourceGroup", &text).gateway());
    }
    let location = arm::location(&sent, "Microsoft.Resources/resourceGroups")?;
    if let Some(group) = world.state.groups.get_mut(&key) {
        if group.location != location {
            let text = format!(
                "Invalid resource group location '{location}'. The Resource group already exists in location '{}'.",
                group.location
            );
            return Err(Answer::error(409, "InvalidResourceGroupLocation", &text).gateway());
        }
        group.tags = arm::tags(&sent);
        return Ok(Answer::json(200, body(group)));
    }
    let group = Group { subscription: subscription.into(), name: name.into(), location, tags: arm::tags(&sent) };
    let answer = Answer::json(201, body(&group));
    world.state.groups.insert(key, group);
    Ok(answer)
}

/// Azure deletes what is in the group, without asking. Vaults stay behind as deleted ones.
fn delete(world: &mut World, now: Millis, ask: &Ask, subscription: &str, name: &str, group: &str) -> Answer {
    let inside = |subscription: &str, name: &str| key(subscription, name) == group;
    let state = &mut world.state;
    let accounts = state.accounts.iter().filter(|(_, account)| inside(&account.subscription, &account.group));
    for account in accounts.map(|(account, _)| account.clone()).collect::<Vec<_>>() {
        account_names::release(state, &account, now, world.pace);
    }
    state.identities.retain(|_, identity| !inside(&identity.subscription, &identity.group));
    let vaults = state.vaults.iter().filter(|(_, vault)| inside(&vault.subscription, &vault.group));
    for vault in vaults.map(|(vault, _)| vault.clone()).collect::<Vec<_>>() {
        deleted_vaults::soft_delete(state, &vault, now);
    }
    state.groups.remove(group);
    let job = azure_core::base64::encode_url_safe(format!("RESOURCEGROUPDELETIONJOB-{name}"));
    let location = format!(
        "https://{}/subscriptions/{subscription}/operationresults/{job}?api-version={}",
        ask.host,
        ask.api_version()
    );
    Answer::empty(202).header("location", location).header("retry-after", "15")
}

fn body(group: &Group) -> Value {
    let Group { subscription, name, location, tags } = group;
    json!({
        "id": format!("/subscriptions/{subscription}/resourceGroups/{name}"), "name": name,
        "type": "Microsoft.Resources/resourceGroups", "location": location, "tags": tags,
        "properties": {"provisioningState": "Succeeded"},
    })
}
