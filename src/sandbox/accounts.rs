//! Storage accounts in Resource Manager: create, update, show, list, delete.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::account::{self, Account, KIND, View};
use super::account_identity::{self, Change};
use super::arm::{self, Place};
use super::encryption::{self, Encryption};
use super::scopes::{self, Scopes};
use super::wire::{Answer, Ask, Reply};
use super::{Millis, Pace, World, account_names, paging, providers, services};

/// How many accounts a page of a list has.
const PAGE: usize = 250;
const SKUS: [&str; 14] = [
    "Standard_LRS",
    "Standard_GRS",
    "Standard_RAGRS",
    "Standard_ZRS",
    "Standard_GZRS",
    "Standard_RAGZRS",
    "Premium_LRS",
    "Premium_ZRS",
    "StandardV2_LRS",
    "StandardV2_GRS",
    "StandardV2_ZRS",
    "StandardV2_GZRS",
    "PremiumV2_LRS",
    "PremiumV2_ZRS",
];
const KINDS: [&str; 5] = ["Storage", "StorageV2", "BlobStorage", "FileStorage", "BlockBlobStorage"];

/// Answers what is below `/subscriptions/{s}/providers/Microsoft.Storage`.
pub(super) fn answer_subscription(world: &World, now: Millis, ask: &Ask, subscription: &str, rest: &[&str]) -> Reply {
    match (ask.method.as_str(), rest) {
        ("GET", ["storageaccounts"]) => list(world, now, ask, subscription, None),
        ("POST", ["checknameavailability"]) => {
            providers::check_names(world, subscription, "Microsoft.Storage")?;
            account_names::availability(world, ask, subscription)
        }
        ("GET", ["locations", _, "asyncoperations", operation]) => poll(world, now, ask, operation),
        _ => Err(arm::no_route(ask)),
    }
}

/// Answers what is below a group's `storageAccounts`.
pub(super) fn answer(world: &mut World, now: Millis, ask: &Ask, place: &Place, name: &str, rest: &[&str]) -> Reply {
    match (ask.method.as_str(), rest) {
        (_, [_, "encryptionscopes", rest @ ..]) => scopes::answer(world, now, ask, place, name, rest),
        (_, [_, kind, rest @ ..]) if services::exists(kind) => {
            services::answer(world, now, ask, place, name, (kind, rest))
        }
        ("GET", []) => list(world, now, ask, &place.subscription, Some(&place.group)),
        ("GET", [_]) => Ok(Answer::json(200, shown(find(world, place, name)?, now, ask, View::Single))),
        ("PUT", [_]) => put(world, now, ask, place, name),
        ("PATCH", [_]) => patch(world, now, ask, place, name),
        ("DELETE", [_]) => delete(world, now, place, name),
        ("POST", [_, "listkeys"]) => list_keys(find(world, place, name)?, now),
        _ => Err(arm::no_route(ask)),
    }
}

pub(super) fn find<'a>(world: &'a World, place: &Place, name: &str) -> Result<&'a Account, Answer> {
    let account = world.state.accounts.get(&name.to_ascii_lowercase()).filter(|account| is_at(account, place));
    account.map(|account| &**account).ok_or_else(|| arm::not_found(KIND, name, &place.group))
}

/// A part of an account that is not there.
pub(super) fn no_parent(place: &Place, name: &str, child: &str) -> Answer {
    let Place { subscription, group } = place;
    let text = format!(
        "Failed to perform 'write' on resource(s) of type 'storageAccounts/{child}', because the parent resource '/subscriptions/{subscription}/resourceGroups/{group}/providers/{KIND}/{name}' could not be found."
    );
    Answer::error(404, "ParentResourceNotFound", &text).gateway()
}

fn shown(account: &Account, now: Millis, ask: &Ask, view: View) -> Value {
    account::shaped(account.body(now, view), ask.api_version())
}

fn is_at(account: &Account, place: &Place) -> bool {
    account.subscription == place.subscription && account.group.eq_ignore_ascii_case(&place.group)
}

fn delete(world: &mut World, now: Millis, place: &Place, name: &str) -> Reply {
    let Ok(account) = find(world, place, name) else { return Ok(Answer::empty(204)) };
    if !account.provisioned(now) {
        return Err(in_progress());
    }
    let key = account.name.clone();
    account_names::release(&mut world.state, &key, now, world.pace);
    Ok(Answer::empty(200))
}

fn list(world: &World, now: Millis, ask: &Ask, subscription: &str, group: Option<&str>) -> Reply {
    let here = world.state.accounts.values().filter(|account| {
        account.subscription == subscription && group.is_none_or(|group| account.group.eq_ignore_ascii_case(group))
    });
    let (page, next) = paging::page(ask, here.map(|account| (account.name.clone(), &**account)).collect(), PAGE)?;
    let rows: Vec<Value> = page.into_iter().map(|account| shown(account, now, ask, View::Listed)).collect();
    let mut body = json!({"value": rows});
    if let Some(next) = next {
        body["nextLink"] = json!(next);
    }
    Ok(Answer::json(200, body))
}

fn put(world: &mut World, now: Millis, ask: &Ask, place: &Place, name: &str) -> Reply {
    let sent = ask.object()?;
    arm::check_members(&sent)?;
    account_names::check(&world.state, place, name)?;
    let Some(account) = world.state.accounts.get(name) else { return create(world, now, ask, place, name, &sent) };
    if !is_at(account, place) {
        return Err(account_names::clash(account, place));
    }
    let location = sent["location"].as_str().map(super::regions::plain);
    if let Some(location) = location.filter(|location| *location != account.location) {
        return Err(arm::moved(name, &account.location, &location, &place.group));
    }
    if !account.provisioned(now) {
        return Err(in_progress());
    }
    update(world, now, ask, account.clone().into_inner(), &sent)
}

/// Answers at once and with nothing: the account itself comes later.
fn create(world: &mut World, now: Millis, ask: &Ask, place: &Place, name: &str, sent: &Value) -> Reply {
    let location = arm::location(sent, KIND)?;
    let sku = chosen(&sent["sku"]["name"], &SKUS).ok_or_else(|| account::invalid("sku"))?;
    let kind = chosen(&sent["kind"], &KINDS).ok_or_else(|| account::invalid("kind"))?;
    let mut settings = account::defaults(ask.api_version(), &kind);
    account::set(&mut settings, &sent["properties"])?;
    let mut account = Account {
        tenant: ask.tenant.clone(),
        subscription: place.subscription.clone(),
        group: place.group.clone(),
        name: name.to_owned(),
        location,
        kind,
        sku,
        tags: arm::tags(sent),
        identity: None,
        settings,
        encryption: Encryption::new(now),
        created: now,
        ready: now.plus(world.pace.account_creation),
        operation: world.ids.guid(),
        scopes: Scopes::new(),
        services: Map::new(),
    };
    let change = Change { account: &account.id(), sent: &sent["identity"], merge: false };
    account.identity = account_identity::changed(None, &change, &world.state, &mut world.ids)?;
    encryption::create(&mut account, &sent["properties"]["encryption"], &world.state, now)?;
    let answer = pending(&account, world.pace, ask);
    world.state.held_names.remove(name);
    world.state.accounts.insert(name.to_owned(), account.into());
    Ok(answer)
}

fn patch(world: &mut World, now: Millis, ask: &Ask, place: &Place, name: &str) -> Reply {
    let sent = ask.object()?;
    arm::check_members(&sent)?;
    let account = find(world, place, name)?.clone();
    check_provisioned(&account, now)?;
    update(world, now, ask, account, &sent)
}

/// PUT and PATCH on an account that exists differ in less than one would think: both leave alone what they do
/// not name. So a PUT that was written for creation and says `Microsoft.Storage` takes a customer's key away.
fn update(world: &mut World, now: Millis, ask: &Ask, mut account: Account, sent: &Value) -> Reply {
    if !sent["sku"]["name"].is_null() {
        let sku = chosen(&sent["sku"]["name"], &SKUS).ok_or_else(|| account::invalid("sku"))?;
        check_conversion(&account.sku, &sku)?;
        account.sku = sku;
    }
    if !sent["kind"].is_null() {
        let kind = chosen(&sent["kind"], &KINDS).ok_or_else(|| account::invalid("kind"))?;
        if kind != account.kind && kind != "StorageV2" {
            return Err(account::invalid("kind"));
        }
        account.kind = kind;
    }
    if sent["tags"].is_object() {
        account.tags = sent["tags"].clone();
    }
    account::set(&mut account.settings, &sent["properties"])?;
    let change = Change { account: &account.id(), sent: &sent["identity"], merge: ask.method == "PATCH" };
    account.identity = account_identity::changed(account.identity.as_ref(), &change, &world.state, &mut world.ids)?;
    encryption::update(&mut account, &sent["properties"]["encryption"], &world.state, now)?;
    let answer = Answer::json(200, shown(&account, now, ask, View::Single));
    world.state.accounts.insert(account.name.clone(), account.into());
    Ok(answer)
}

fn check_conversion(from: &str, to: &str) -> Result<(), Answer> {
    let fixed = |sku: &str| sku.contains("ZRS") || sku.starts_with("Premium");
    if from == to || !(fixed(from) || fixed(to)) {
        return Ok(());
    }
    let text = format!("Storage account type {from} cannot be changed to {to}.");
    Err(Answer::error(400, "StorageAccountTypeConversionNotAllowed", &text))
}

fn chosen(sent: &Value, among: &[&str]) -> Option<String> {
    sent.as_str().filter(|one| among.contains(one)).map(str::to_owned)
}

/// `Retry-After` and `Location`, and no body. There is no `Azure-AsyncOperation` here.
fn pending(account: &Account, pace: Pace, ask: &Ask) -> Answer {
    let Account { subscription, location, operation, .. } = account;
    let link = format!(
        "https://{}/subscriptions/{subscription}/providers/Microsoft.Storage/locations/{location}/asyncoperations/{operation}?monitor=true&api-version={}&t={}",
        ask.host,
        ask.api_version(),
        account.created.0
    );
    let wait = Pace::retry_after(pace.account_creation);
    Answer::empty(202).header("location", link).header("retry-after", wait.to_string())
}

/// 202 until the account is there, then the account itself.
fn poll(world: &World, now: Millis, ask: &Ask, operation: &str) -> Reply {
    let account = world.state.accounts.values().find(|account| account.operation == operation);
    let account = account.ok_or_else(|| {
        let text = format!("The operation '{operation}' could not be found.");
        Answer::error(404, "OperationNotFound", &text)
    })?;
    if account.provisioned(now) {
        return Ok(Answer::json(200, shown(account, now, ask, View::Single)));
    }
    Ok(pending(account, world.pace, ask))
}

fn in_progress() -> Answer {
    let text = "An operation is currently performing on this storage account that requires exclusive access.";
    Answer::error(409, "StorageAccountOperationInProgress", text)
}

/// Refuses what can only be done with an account that is there.
pub(super) fn check_provisioned(account: &Account, now: Millis) -> Result<(), Answer> {
    if account.provisioned(now) {
        return Ok(());
    }
    let text = "The storage account provisioning state must be 'Succeeded' before executing the operation.";
    Err(Answer::error(409, "StorageAccountIsNotProvisioned", text))
}

/// Two keys that open nothing.
fn list_keys(account: &Account, now: Millis) -> Reply {
    check_provisioned(account, now)?;
    let key = |name: &str| {
        let value = azure_core::base64::encode(Sha256::digest(format!("sandbox {} {name}", account.operation)));
        json!({"creationTime": account.created.ticks(), "keyName": name, "value": value, "permissions": "FULL"})
    };
    Ok(Answer::json(200, json!({"keys": [key("key1"), key("key2")]})))
}
