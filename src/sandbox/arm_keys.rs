//! Keys through Resource Manager: create if absent, and look. There is no other verb here.

use serde_json::{Value, json};

use super::arm::{self, Place};
use super::keys::{self, Key, Recipe, Version};
use super::rotation::Policy;
use super::vault::Vault;
use super::wire::{Answer, Ask, Reply};
use super::{Millis, World, access, vaults};

const KIND: &str = "Microsoft.KeyVault/vaults/keys";

/// Answers `vaults/{vault}/keys` and below.
pub(super) fn answer(
    world: &mut World,
    now: Millis,
    ask: &Ask,
    place: &Place,
    vault: &str,
    name: &str,
    rest: &[&str],
) -> Reply {
    let Some(found) = vaults::find(world, place, vault) else { return Err(vaults::no_parent(place, vault, "keys")) };
    let key = Some(name).filter(|name| !name.is_empty());
    let verb = if ask.only_reads() { "read" } else { "write" };
    access::check_through_arm(&world.state, found, key, &ask.caller, verb, now)?;
    let absent = || arm::not_found(KIND, &format!("{vault}/{name}"), &place.group);
    let key = || found.keys.get(&name.to_ascii_lowercase()).filter(|key| key.visible <= now).ok_or_else(absent);
    match (ask.method.as_str(), rest) {
        ("GET", []) => Ok(list(found, now)),
        ("GET", [_]) => current(found, key()?),
        ("PUT", [_]) => put(world, now, ask, place, vault, name),
        ("GET", [_, "versions"]) => Ok(versions(found, key()?)),
        ("GET", [_, "versions", version]) => {
            let key = key()?;
            key.version(version)
                .map(|version| Answer::json(200, version_body(found, key, version, true)))
                .ok_or_else(absent)
        }
        (_, [] | [_] | [_, "versions", ..]) => Err(arm::no_method(ask)),
        _ => Err(arm::no_route(ask)),
    }
}

/// Creates the first version. A key that exists is answered as it is: nothing is compared and nothing changes.
fn put(world: &mut World, now: Millis, ask: &Ask, place: &Place, vault: &str, name: &str) -> Reply {
    let sent = ask.object()?;
    arm::check_members(&sent)?;
    let found = vaults::find_mut(world, place, vault).ok_or_else(|| vaults::no_parent(place, vault, "keys"))?;
    if let Some(key) = found.keys.get(&name.to_ascii_lowercase()) {
        return current(found, key);
    }
    if let Some((_, text)) = keys::reserved(found, name, now) {
        return Err(Answer::error(409, "Conflict", &text));
    }
    if !keys::valid_name(name) {
        return Err(Answer::error(400, "BadParameter", &format!("The request URI contains an invalid name: {name}")));
    }
    let properties = &sent["properties"];
    let rest = json!({"attributes": properties["attributes"], "tags": sent["tags"]});
    let recipe = Recipe::read(
        &properties["kty"],
        &properties["keySize"],
        &properties["curveName"],
        &properties["keyOps"],
        &rest,
    );
    let recipe = recipe.map_err(|text| Answer::error(400, "BadParameter", &text))?;
    if recipe.kty.ends_with("-HSM") && found.sku["name"] != "premium" {
        return Err(Answer::error(400, "BadParameter", "The vault's SKU does not support HSM keys."));
    }
    let policy = Some(&properties["rotationPolicy"]).filter(|policy| policy.is_object());
    let policy = policy.map(|policy| Policy::of_new_key(policy, now)).transpose();
    let policy = policy.map_err(|text| Answer::error(400, "BadParameter", &text))?;
    let mut version = recipe.made(&mut world.ids, now);
    if version.expires.is_none() {
        version.expires = policy.as_ref().and_then(|policy| policy.expiry(now));
    }
    let found = vaults::find_mut(world, place, vault).ok_or_else(|| vaults::no_parent(place, vault, "keys"))?;
    keys::add_version(found, name, version, now);
    if let Some(key) = found.keys.get_mut(&name.to_ascii_lowercase()) {
        key.rotation = policy;
    }
    let found = &*found;
    found.keys.get(&name.to_ascii_lowercase()).map_or_else(|| Err(Answer::empty(500)), |key| current(found, key))
}

/// The key as its newest version.
fn current(vault: &Vault, key: &Key) -> Reply {
    let version = key.newest().ok_or_else(|| Answer::empty(500))?;
    let mut body = version_body(vault, key, version, true);
    body["id"] = json!(format!("{}/keys/{}", vault.id(), key.name));
    body["name"] = json!(key.name);
    body["type"] = json!(KIND);
    if let Some(policy) = &key.rotation {
        body["properties"]["rotationPolicy"] = policy.arm_body();
    }
    Ok(Answer::json(200, body))
}

/// Lists show attributes and addresses only: not the kind, not the size, not the operations.
fn list(vault: &Vault, now: Millis) -> Answer {
    let seen = vault.keys.values().filter(|key| key.visible <= now);
    let rows = seen.filter_map(|key| {
        let newest = key.newest()?;
        let mut row = json!({
            "id": format!("{}/keys/{}", vault.id(), key.name), "name": key.name, "type": KIND,
            "location": vault.location,
            "properties": {"attributes": newest.attributes(vault), "keyUri": uri(vault, key)},
        });
        tag(&mut row, newest);
        Some(row)
    });
    Answer::json(200, json!({"value": rows.collect::<Vec<Value>>()}))
}

fn versions(vault: &Vault, key: &Key) -> Answer {
    let mut versions: Vec<&Version> = key.versions.iter().collect();
    versions.sort_by(|one, other| one.id.cmp(&other.id));
    let rows = versions.into_iter().map(|version| version_body(vault, key, version, false));
    Answer::json(200, json!({"value": rows.collect::<Vec<Value>>()}))
}

fn uri(vault: &Vault, key: &Key) -> String {
    format!("{}/keys/{}", vault.uri(), key.name)
}

fn version_body(vault: &Vault, key: &Key, version: &Version, whole: bool) -> Value {
    let uri = uri(vault, key);
    let mut properties = json!({
        "attributes": version.attributes(vault), "keyUri": uri, "keyUriWithVersion": format!("{uri}/{}", version.id),
    });
    if whole {
        properties["kty"] = json!(version.kty);
        properties["keyOps"] = json!(version.ops);
        match &version.curve {
            Some(curve) => properties["curveName"] = json!(curve),
            None => properties["keySize"] = json!(version.size),
        }
    }
    let mut body = json!({
        "id": format!("{}/keys/{}/versions/{}", vault.id(), key.name, version.id), "name": version.id,
        "type": format!("{KIND}/versions"), "location": vault.location, "properties": properties,
    });
    tag(&mut body, version);
    body
}

fn tag(body: &mut Value, version: &Version) {
    if version.tags.is_object() {
        body["tags"] = version.tags.clone();
    }
}
