//! Storage accounts in Resource Manager: create, update, show, list, delete.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::account::{self, Account, KIND, View};
use super::account_identity::{self, Change};
use super::arm::{self, Place};
use super::encryption::{self, Encryption};
use super::wire::{Answer, Ask, Reply};
use super::{Millis, Pace, World};

const SKUS: [&str; 8] = [
    "Standard_LRS",
    "Standard_GRS",
    "Standard_RAGRS",
    "Standard_ZRS",
    "Standard_GZRS",
    "Standard_RAGZRS",
    "Premium_LRS",
    "Premium_ZRS",
];
const KINDS: [&str; 5] = ["Storage", "StorageV2", "BlobStorage", "FileStorage", "BlockBlobStorage"];

/// Answers what is below `/subscriptions/{s}/providers/Microsoft.Storage`.
pub(super) fn answer_subscription(world: &World, now: Millis, ask: &Ask, subscription: &str, rest: &[&str]) -> Reply {
    match (ask.method.as_str(), rest) {
        ("GET", ["storageaccounts"]) => Ok(list(world, now, subscription, None)),
        ("POST", ["checknameavailability"]) => check_availability(world, ask),
        ("GET", ["locations", _, "asyncoperations", operation]) => poll(world, now, ask, operation),
        _ => Err(arm::no_route(ask)),
    }
}

/// Answers what is below a group's `storageAccounts`.
pub(super) fn answer(world: &mut World, now: Millis, ask: &Ask, place: &Place, name: &str, rest: &[&str]) -> Reply {
    match (ask.method.as_str(), rest) {
        ("GET", []) => Ok(list(world, now, &place.subscription, Some(&place.group))),
        ("GET", [_]) => Ok(Answer::json(200, find(world, place, name)?.body(now, View::Single))),
        ("PUT", [_]) => put(world, now, ask, place, name),
        ("PATCH", [_]) => patch(world, now, ask, place, name),
        ("DELETE", [_]) => delete(world, now, place, name),
        ("POST", [_, "listkeys"]) => list_keys(find(world, place, name)?, now),
        _ => Err(arm::no_route(ask)),
    }
}

fn find<'a>(world: &'a World, place: &Place, name: &str) -> Result<&'a Account, Answer> {
    let account = world.state.accounts.get(&name.to_ascii_lowercase()).filter(|account| is_at(account, place));
    account.ok_or_else(|| arm::not_found(KIND, name, &place.group))
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
    world.state.accounts.remove(&key);
    Ok(Answer::empty(200))
}

fn list(world: &World, now: Millis, subscription: &str, group: Option<&str>) -> Answer {
    let here = world.state.accounts.values().filter(|account| {
        account.subscription == subscription && group.is_none_or(|group| account.group.eq_ignore_ascii_case(group))
    });
    Answer::json(200, json!({"value": here.map(|account| account.body(now, View::Listed)).collect::<Vec<Value>>()}))
}

fn put(world: &mut World, now: Millis, ask: &Ask, place: &Place, name: &str) -> Reply {
    let sent = ask.object()?;
    arm::check_members(&sent)?;
    if !valid_name(name) {
        return Err(Answer::error(400, "AccountNameInvalid", &invalid_text(name)));
    }
    let Some(account) = world.state.accounts.get(name) else { return create(world, now, ask, place, name, &sent) };
    if !is_at(account, place) {
        return Err(clash(account, place));
    }
    let location = sent["location"].as_str().map(super::regions::plain);
    if let Some(location) = location.filter(|location| *location != account.location) {
        return Err(arm::moved(name, &account.location, &location, &place.group));
    }
    if !account.provisioned(now) {
        return Err(in_progress());
    }
    update(world, now, account.clone(), &sent, false)
}

/// Answers at once and with nothing: the account itself comes later.
fn create(world: &mut World, now: Millis, ask: &Ask, place: &Place, name: &str, sent: &Value) -> Reply {
    let location = arm::location(sent, KIND)?;
    let sku = chosen(&sent["sku"]["name"], &SKUS).ok_or_else(|| account::invalid("sku"))?;
    let kind = chosen(&sent["kind"], &KINDS).ok_or_else(|| account::invalid("kind"))?;
    let mut settings = account::defaults(ask.api_version());
    account::set(&mut settings, &sent["properties"])?;
    let mut account = Account {
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
    };
    let change = Change { account: &account.id(), sent: &sent["identity"], merge: false };
    account.identity = account_identity::changed(None, &change, &world.state, &mut world.ids)?;
    encryption::create(&mut account, &sent["properties"]["encryption"], &world.state, now)?;
    let answer = pending(&account, world.pace, ask);
    world.state.accounts.insert(name.to_owned(), account);
    Ok(answer)
}

fn patch(world: &mut World, now: Millis, ask: &Ask, place: &Place, name: &str) -> Reply {
    let sent = ask.object()?;
    arm::check_members(&sent)?;
    let account = find(world, place, name)?.clone();
    if !account.provisioned(now) {
        return Err(not_provisioned());
    }
    update(world, now, account, &sent, true)
}

/// PUT and PATCH on an account that exists differ in less than one would think: both leave alone what they do
/// not name. So a PUT that was written for creation and says `Microsoft.Storage` takes a customer's key away.
fn update(world: &mut World, now: Millis, mut account: Account, sent: &Value, merge: bool) -> Reply {
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
    let change = Change { account: &account.id(), sent: &sent["identity"], merge };
    account.identity = account_identity::changed(account.identity.as_ref(), &change, &world.state, &mut world.ids)?;
    encryption::update(&mut account, &sent["properties"]["encryption"], &world.state, now)?;
    let answer = Answer::json(200, account.body(now, View::Single));
    world.state.accounts.insert(account.name.clone(), account);
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
        return Ok(Answer::json(200, account.body(now, View::Single)));
    }
    Ok(pending(account, world.pace, ask))
}

fn valid_name(name: &str) -> bool {
    (3..=24).contains(&name.len()) && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
}

fn invalid_text(name: &str) -> String {
    format!(
        "{name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in length and use numbers and lower-case letters only."
    )
}

fn clash(account: &Account, place: &Place) -> Answer {
    let name = &account.name;
    if account.subscription == place.subscription {
        let text = format!("The account {name} is already in another resource group in this subscription.");
        return Answer::error(409, "StorageAccountInAnotherResourceGroup", &text);
    }
    Answer::error(409, "StorageAccountAlreadyTaken", &format!("The storage account named {name} is already taken."))
}

fn check_availability(world: &World, ask: &Ask) -> Reply {
    let sent = ask.object()?;
    if sent["type"] != KIND {
        return Err(account::invalid("type"));
    }
    let name = sent["name"].as_str().unwrap_or_default();
    Ok(Answer::json(
        200,
        if !valid_name(name) {
            json!({"nameAvailable": false, "reason": "AccountNameInvalid", "message": invalid_text(name)})
        } else if world.state.accounts.contains_key(name) {
            let text = format!("The storage account named {name} is already taken.");
            json!({"nameAvailable": false, "reason": "AlreadyExists", "message": text})
        } else {
            json!({"nameAvailable": true})
        },
    ))
}

fn in_progress() -> Answer {
    let text = "An operation is currently performing on this storage account that requires exclusive access.";
    Answer::error(409, "StorageAccountOperationInProgress", text)
}

fn not_provisioned() -> Answer {
    let text = "The storage account provisioning state must be 'Succeeded' before executing the operation.";
    Answer::error(409, "StorageAccountIsNotProvisioned", text)
}

/// Two keys that open nothing.
fn list_keys(account: &Account, now: Millis) -> Reply {
    if !account.provisioned(now) {
        return Err(not_provisioned());
    }
    let key = |name: &str| {
        let value = azure_core::base64::encode(Sha256::digest(format!("sandbox {} {name}", account.operation)));
        json!({"creationTime": account.created.ticks(), "keyName": name, "value": value, "permissions": "FULL"})
    };
    Ok(Answer::json(200, json!({"keys": [key("key1"), key("key2")]})))
}
