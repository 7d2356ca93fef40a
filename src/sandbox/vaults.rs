//! Vaults in Resource Manager: create, replace, update, show, list, delete.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::arm::{self, Place};
use super::deleted_vaults;
use super::policies::{self, Arrivals, Policy};
use super::vault::Vault;
use super::wire::{Answer, Ask, Reply};
use super::{Millis, World, access};

const KIND: &str = "Microsoft.KeyVault/vaults";
const PAGE: usize = 20;
/// Settings that are kept as they are sent.
const SETTINGS: [&str; 5] = [
    "enabledForDeployment",
    "enabledForDiskEncryption",
    "enabledForTemplateDeployment",
    "networkAcls",
    "publicNetworkAccess",
];
/// From this version on a new vault that does not say otherwise is on roles.
const ROLES_BY_DEFAULT: &str = "2026-02-01";

/// The vault at a place, if it is live and really there: names are global, places are not.
pub(super) fn find<'a>(world: &'a World, place: &Place, name: &str) -> Option<&'a Vault> {
    let vault = world.state.vaults.get(&name.to_ascii_lowercase());
    vault.map(|vault| &**vault).filter(|vault| is_at(vault, place))
}

pub(super) fn find_mut<'a>(world: &'a mut World, place: &Place, name: &str) -> Option<&'a mut Vault> {
    let vault = world.state.vaults.get_mut(&name.to_ascii_lowercase()).filter(|vault| is_at(vault, place));
    vault.map(|vault| &mut **vault)
}

pub(super) fn is_at(vault: &Vault, place: &Place) -> bool {
    vault.subscription == place.subscription && vault.group.eq_ignore_ascii_case(&place.group)
}

pub(super) fn invalid(property: &str) -> Answer {
    Answer::error(400, "BadRequest", &format!("An invalid value was provided for '{property}'."))
}

pub(super) fn no_parent(place: &Place, name: &str, child: &str) -> Answer {
    let Place { subscription, group } = place;
    let text = format!(
        "Failed to perform 'write' on resource(s) of type 'vaults/{child}', because the parent resource '/subscriptions/{subscription}/resourceGroups/{group}/providers/{KIND}/{name}' could not be found."
    );
    Answer::error(404, "ParentResourceNotFound", &text).gateway()
}

/// Answers one vault's path.
pub(super) fn answer(world: &mut World, now: Millis, ask: &Ask, place: &Place, name: &str) -> Reply {
    let absent = || arm::not_found(KIND, name, &place.group);
    match ask.method.as_str() {
        "GET" => find(world, place, name).map(|vault| Answer::json(200, vault.body(now))).ok_or_else(absent),
        "PUT" => put(world, now, ask, place, name),
        "PATCH" => patch(world, now, ask, place, name),
        "DELETE" => {
            if find(world, place, name).is_none() {
                return Ok(Answer::empty(204));
            }
            deleted_vaults::soft_delete(&mut world.state, &name.to_ascii_lowercase(), now);
            Ok(Answer::empty(200))
        }
        _ => Err(arm::no_method(ask)),
    }
}

/// A page of vaults. Even the page with the last vault on it has a `nextLink`; the page behind that is empty.
pub(super) fn list(world: &World, now: Millis, ask: &Ask, subscription: &str, group: Option<&str>) -> Reply {
    let after = match ask.query.get("$skiptoken") {
        None => String::new(),
        Some(token) => azure_core::base64::decode_url_safe(token)
            .ok()
            .and_then(|name| String::from_utf8(name).ok())
            .ok_or_else(|| invalid("$skiptoken"))?,
    };
    let top = ask.query.get("$top").and_then(|top| top.parse().ok()).unwrap_or(PAGE).clamp(1, 1000);
    let page: Vec<&Vault> = world
        .state
        .vaults
        .iter()
        .filter(|(name, vault)| {
            **name > after
                && vault.subscription == subscription
                && group.is_none_or(|group| vault.group.eq_ignore_ascii_case(group))
        })
        .map(|(_, vault)| &**vault)
        .take(top)
        .collect();
    let mut body = json!({"value": page.iter().map(|vault| vault.body(now)).collect::<Vec<Value>>()});
    if let Some(last) = page.last() {
        let token = azure_core::base64::encode_url_safe(last.name.to_ascii_lowercase());
        let path = ask.path.join("/");
        body["nextLink"] = json!(format!(
            "https://{}/{path}?api-version={}&$top={top}&$skiptoken={token}",
            ask.host,
            ask.api_version()
        ));
    }
    Ok(Answer::json(200, body))
}

fn put(world: &mut World, now: Millis, ask: &Ask, place: &Place, name: &str) -> Reply {
    let sent = ask.object()?;
    arm::check_members(&sent)?;
    deleted_vaults::check_name(name)?;
    let location = arm::location(&sent, KIND)?;
    let properties = &sent["properties"];
    check_properties(properties, &ask.tenant)?;
    let key = name.to_ascii_lowercase();
    let recover = properties["createMode"].as_str().is_some_and(|mode| mode.eq_ignore_ascii_case("recover"));
    if let Some(vault) = world.state.vaults.get(&key) {
        if !is_at(vault, place) {
            return Err(deleted_vaults::taken(name));
        }
        if vault.location != location {
            return Err(arm::moved(name, &vault.location, &location, &place.group));
        }
        return if recover { Ok(Answer::json(200, vault.body(now))) } else { replace(world, now, ask, &sent, &key) };
    }
    match (world.state.deleted_vaults.get(&key), recover) {
        (Some(_), true) => deleted_vaults::recover(world, now, place, name, &location),
        (Some(deleted), false) if deleted.vault.subscription == place.subscription => {
            Err(deleted_vaults::in_deleted_state())
        }
        (Some(_), false) => Err(deleted_vaults::taken(name)),
        (None, true) => Err(deleted_vaults::no_deleted(name)),
        (None, false) => create(world, now, ask, &sent, place, name, location),
    }
}

/// What is wrong whatever the vault is.
fn check_properties(properties: &Value, own: &str) -> Result<(), Answer> {
    if !properties["tenantId"].as_str().is_some_and(|tenant| tenant.eq_ignore_ascii_case(own)) {
        return Err(invalid("tenantId"));
    }
    let sku = properties["sku"]["name"].as_str().unwrap_or_default().to_ascii_lowercase();
    if !["standard", "premium"].contains(&sku.as_str()) || properties["sku"]["family"] != "A" {
        return Err(invalid("sku"));
    }
    check_common(properties)
}

/// What is wrong in a PUT and in a PATCH alike.
fn check_common(properties: &Value) -> Result<(), Answer> {
    if properties["enablePurgeProtection"] == json!(false) {
        let text = "The property \"enablePurgeProtection\" cannot be set to false. Enabling the purge protection for a vault is an irreversible action.";
        return Err(Answer::error(400, "BadRequest", text));
    }
    let switches = ["enablePurgeProtection", "enableRbacAuthorization", "enableSoftDelete", "enabledForDeployment"];
    for switch in switches {
        if !properties[switch].is_null() && !properties[switch].is_boolean() {
            return Err(invalid(switch));
        }
    }
    let days = &properties["softDeleteRetentionInDays"];
    if !days.is_null() && !days.as_i64().is_some_and(|days| (7..=90).contains(&days)) {
        return Err(invalid("softDeleteRetentionInDays"));
    }
    Ok(())
}

fn create(
    world: &mut World,
    now: Millis,
    ask: &Ask,
    sent: &Value,
    place: &Place,
    name: &str,
    location: String,
) -> Reply {
    let properties = &sent["properties"];
    let arrives = now.plus(world.pace.grant_propagation);
    let new_rules = ask.api_version().get(..10).is_some_and(|date| date >= ROLES_BY_DEFAULT);
    let rbac = properties["enableRbacAuthorization"].as_bool().or(new_rules.then_some(true));
    let policies = listed(properties, rbac, &ask.tenant)?;
    // A vault that is not told of soft delete answers with its 90 days; one that is told keeps them to itself.
    let silent = if properties["enableSoftDelete"].is_null() { Some(90) } else { None };
    let vault = Vault {
        domain: world.domain,
        tenant: ask.tenant.clone(),
        subscription: place.subscription.clone(),
        group: place.group.clone(),
        name: name.to_owned(),
        location,
        tags: arm::tags(sent),
        sku: properties["sku"].clone(),
        arrivals: policies::arrivals(&policies, &Arrivals::new(), arrives),
        policies,
        purge_protection: properties["enablePurgeProtection"] == json!(true),
        rbac,
        retention_days: properties["softDeleteRetentionInDays"].as_i64().or(silent),
        settings: whole(properties),
        created: now,
        modified: now,
        registered: now.plus(world.pace.vault_dns),
        keys: BTreeMap::new(),
        deleted_keys: BTreeMap::new(),
    };
    let mut body = vault.body(now);
    body["properties"]["provisioningState"] = json!("RegisteringDns");
    // Only this one answer has the address without its slash.
    body["properties"]["vaultUri"] = json!(vault.uri());
    world.state.vaults.insert(name.to_ascii_lowercase(), vault.into());
    Ok(Answer::json(200, body))
}

/// A PUT on a vault that exists: what is not sent is gone, above all the access policies of others.
/// Purge protection and the retention stay, because nothing can take them back.
fn replace(world: &mut World, now: Millis, ask: &Ask, sent: &Value, key: &str) -> Reply {
    let properties = &sent["properties"];
    let arrives = now.plus(world.pace.grant_propagation);
    let Some(vault) = world.state.vaults.get(key) else { return Err(Answer::empty(500)) };
    let rbac = properties["enableRbacAuthorization"].as_bool().or(vault.rbac);
    access::check_model_change(&world.state, vault, rbac, &ask.caller)?;
    let Some(vault) = world.state.vaults.get_mut(key) else { return Err(Answer::empty(500)) };
    let policies = listed(properties, rbac, &ask.tenant)?;
    keep_retention(vault, properties)?;
    vault.rbac = rbac;
    vault.arrivals = policies::arrivals(&policies, &vault.arrivals, arrives);
    vault.policies = policies;
    vault.purge_protection |= properties["enablePurgeProtection"] == json!(true);
    vault.sku = properties["sku"].clone();
    vault.tags = arm::tags(sent);
    vault.settings = whole(properties);
    vault.touched(now);
    Ok(Answer::json(200, vault.body(now)))
}

fn keep_retention(vault: &mut Vault, properties: &Value) -> Result<(), Answer> {
    let Some(days) = properties["softDeleteRetentionInDays"].as_i64() else { return Ok(()) };
    if days != vault.retention() {
        let text = "The property \"softDeleteRetentionInDays\" has been set already and it can't be modified.";
        return Err(Answer::error(400, "BadRequest", text));
    }
    vault.retention_days = Some(days);
    Ok(())
}

/// A PATCH changes what it names and nothing else. A list that it names it replaces.
fn patch(world: &mut World, now: Millis, ask: &Ask, place: &Place, name: &str) -> Reply {
    let sent = ask.object()?;
    arm::check_members(&sent)?;
    let properties = &sent["properties"];
    check_common(properties)?;
    let arrives = now.plus(world.pace.grant_propagation);
    let absent = || arm::not_found(KIND, name, &place.group);
    let vault = find(world, place, name).ok_or_else(absent)?;
    let rbac = properties["enableRbacAuthorization"].as_bool().or(vault.rbac);
    access::check_model_change(&world.state, vault, rbac, &ask.caller)?;
    let vault = find_mut(world, place, name).ok_or_else(absent)?;
    keep_retention(vault, properties)?;
    if !properties["accessPolicies"].is_null() {
        vault.policies = policies::read(&properties["accessPolicies"], &ask.tenant)?;
        vault.arrivals = policies::arrivals(&vault.policies, &vault.arrivals, arrives);
    }
    vault.rbac = rbac;
    vault.purge_protection |= properties["enablePurgeProtection"] == json!(true);
    if properties["sku"].is_object() {
        vault.sku = properties["sku"].clone();
    }
    if sent["tags"].is_object() {
        vault.tags = sent["tags"].clone();
    }
    vault.settings = kept(properties, std::mem::take(&mut vault.settings));
    vault.touched(now);
    Ok(Answer::json(200, vault.body(now)))
}

/// The policies that a PUT brings. It has to bring some, if only none, unless the vault is on roles.
fn listed(properties: &Value, rbac: Option<bool>, tenant: &str) -> Result<Vec<Policy>, Answer> {
    match &properties["accessPolicies"] {
        Value::Null if rbac == Some(true) => Ok(Vec::new()),
        list => policies::read(list, tenant),
    }
}

/// The settings that a PUT leaves behind, whatever there was before.
fn whole(properties: &Value) -> Map<String, Value> {
    let defaults = [("enabledForDeployment", json!(false)), ("publicNetworkAccess", json!("Enabled"))];
    kept(properties, defaults.map(|(name, value)| (name.to_owned(), value)).into_iter().collect())
}

/// The settings among `properties`, over those there were.
fn kept(properties: &Value, mut before: Map<String, Value>) -> Map<String, Value> {
    for name in SETTINGS {
        if !properties[name].is_null() {
            before.insert(name.to_owned(), properties[name].clone());
        }
    }
    before
}
