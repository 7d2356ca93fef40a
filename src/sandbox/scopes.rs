//! Encryption scopes: parts of an account with a key of their own, reached with the account's identity.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::account::{self, Account};
use super::arm::{self, Place};
use super::encryption::{self, Binding};
use super::wire::{Answer, Ask, Reply};
use super::world::State;
use super::{Millis, Pace, World, accounts};

const KIND: &str = "Microsoft.Storage/storageAccounts/encryptionScopes";
const PAGE: usize = 5000;

/// An encryption scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Scope {
    pub name: String,
    /// The customer's key; `None` is a key of Microsoft's.
    pub binding: Option<Binding>,
    pub enabled: bool,
    /// Said at creation or never.
    pub infrastructure: Option<bool>,
    pub created: Millis,
    pub modified: Millis,
}

/// By name.
pub(super) type Scopes = BTreeMap<String, Scope>;

/// How much of a scope an answer tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    /// The answer to a PUT has the properties of a key even where there is no key.
    Made,
    Shown,
}

impl Scope {
    fn body(&self, account: &Account, view: View) -> Value {
        let Self { name, binding, enabled, infrastructure, created, modified } = self;
        let source = if binding.is_some() { "Microsoft.Keyvault" } else { "Microsoft.Storage" };
        let state = if *enabled { "Enabled" } else { "Disabled" };
        let mut properties = json!({
            "source": source, "creationTime": created.ticks(), "lastModifiedTime": modified.ticks(), "state": state,
        });
        match binding {
            Some(binding) => properties["keyVaultProperties"] = key_body(binding),
            None if view == View::Made => properties["keyVaultProperties"] = json!({}),
            None => {}
        }
        if let Some(infrastructure) = infrastructure {
            properties["requireInfrastructureEncryption"] = json!(infrastructure);
        }
        let id = format!("{}/encryptionScopes/{name}", account.id());
        json!({"id": id, "type": KIND, "name": name, "properties": properties})
    }
}

/// The address of the key as it was sent, and what was found there.
fn key_body(binding: &Binding) -> Value {
    let host = binding.host();
    let key = &binding.key;
    let mut uri = format!("{}/keys/{key}", binding.vault_uri.trim_end_matches('/'));
    if let Some(version) = &binding.version {
        uri = format!("{uri}/{version}");
    }
    json!({
        "keyUri": uri, "currentVersionedKeyIdentifier": format!("https://{host}/keys/{key}/{}", binding.current),
        "lastKeyRotationTimestamp": binding.rotated.ticks(),
    })
}

/// Answers `storageAccounts/{account}/encryptionScopes` and below.
pub(super) fn answer(world: &mut World, now: Millis, ask: &Ask, place: &Place, account: &str, rest: &[&str]) -> Reply {
    let found = accounts::find(world, place, account).map_err(|_| no_account(ask, place, account))?;
    match (ask.method.as_str(), rest) {
        ("GET", []) => list(found, ask),
        ("GET", [name]) => {
            let scope = found.scopes.get(*name).ok_or_else(|| absent(name))?;
            Ok(Answer::json(200, scope.body(found, View::Shown)))
        }
        ("PUT" | "PATCH", [name]) => change(world, now, ask, place, account, name),
        (_, [] | [_]) => Err(arm::no_method(ask)),
        _ => Err(arm::no_route(ask)),
    }
}

fn no_account(ask: &Ask, place: &Place, name: &str) -> Answer {
    if ask.method == "GET" {
        return arm::not_found(account::KIND, name, &place.group);
    }
    accounts::no_parent(place, name, "encryptionScopes")
}

fn absent(name: &str) -> Answer {
    let text = format!("The specified encryption scope {name} does not exist.");
    Answer::error(404, "EncryptionScopeNotFound", &text)
}

/// PUT makes a scope or changes it; PATCH only changes one. Both leave alone what they do not name.
fn change(world: &mut World, now: Millis, ask: &Ask, place: &Place, account: &str, name: &str) -> Reply {
    let sent = ask.object()?;
    arm::check_members(&sent)?;
    let properties = &sent["properties"];
    let mut account = accounts::find(world, place, account)?.clone();
    accounts::check_provisioned(&account, now)?;
    let before = account.scopes.get(name).cloned();
    if before.is_none() && ask.method == "PATCH" {
        return Err(absent(name));
    }
    if !valid_name(name) {
        return Err(account::invalid("encryptionScopeName"));
    }
    let made = before.is_none();
    let mut scope = before.unwrap_or_else(|| Scope {
        name: name.to_owned(),
        binding: None,
        enabled: true,
        infrastructure: properties["requireInfrastructureEncryption"].as_bool(),
        created: now,
        modified: now,
    });
    check_infrastructure(&scope, properties)?;
    scope.enabled = enabled(&properties["state"], scope.enabled)?;
    bind(&mut scope, &account, properties, &world.state, now)?;
    scope.modified = now;
    let view = if ask.method == "PUT" { View::Made } else { View::Shown };
    let answer = Answer::json(if made { 201 } else { 200 }, scope.body(&account, view));
    account.scopes.insert(name.to_owned(), scope);
    world.state.accounts.insert(account.name.clone(), account.into());
    Ok(answer)
}

/// Said at creation or never: a scope that is there can only hear what it knows.
fn check_infrastructure(scope: &Scope, sent: &Value) -> Result<(), Answer> {
    let sent = sent["requireInfrastructureEncryption"].as_bool();
    if sent.is_none() || sent == scope.infrastructure {
        return Ok(());
    }
    let text = "The property 'requireInfrastructureEncryption' was specified in the input, but it cannot be updated as it is read-only.";
    Err(Answer::error(400, "PropertyIsReadOnly", text))
}

fn enabled(sent: &Value, before: bool) -> Result<bool, Answer> {
    match sent.as_str() {
        None if sent.is_null() => Ok(before),
        Some(state) if state.eq_ignore_ascii_case("Enabled") => Ok(true),
        Some(state) if state.eq_ignore_ascii_case("Disabled") => Ok(false),
        _ => Err(account::invalid("state")),
    }
}

fn bind(scope: &mut Scope, account: &Account, sent: &Value, state: &State, now: Millis) -> Result<(), Answer> {
    let source = &sent["source"];
    match source.as_str() {
        None if source.is_null() => return Ok(()),
        Some(source) if source.eq_ignore_ascii_case("Microsoft.Storage") => {
            scope.binding = None;
            return Ok(());
        }
        Some(source) if source.eq_ignore_ascii_case("Microsoft.KeyVault") => {}
        _ => return Err(account::invalid("source")),
    }
    let uri = sent["keyVaultProperties"]["keyUri"].as_str().unwrap_or_default();
    let mut wanted = address(uri).ok_or_else(|| account::invalid("keyVaultProperties.keyUri"))?;
    if let Some(before) = scope.binding.as_ref().filter(|before| before.same_key(&wanted)) {
        wanted = Binding { vault_uri: wanted.vault_uri, version: wanted.version, ..before.clone() };
    } else {
        let version = encryption::check_account_wraps(account, &wanted, state, now)?;
        wanted.current.clone_from(&version.id);
        wanted.expires = version.expires;
        wanted.rotated = now;
    }
    scope.binding = Some(wanted);
    Ok(())
}

/// `https://{vault}/keys/{key}` with or without a version.
fn address(uri: &str) -> Option<Binding> {
    let (vault, path) = uri.split_once("/keys/")?;
    let mut parts = path.trim_end_matches('/').split('/');
    let key = parts.next().filter(|key| !key.is_empty())?.to_owned();
    let version = parts.next().map(str::to_owned);
    if !vault.starts_with("https://") || parts.next().is_some() {
        return None;
    }
    let vault_uri = format!("{vault}/");
    Some(Binding { vault_uri, key, version, current: String::new(), expires: None, rotated: Millis::default() })
}

/// 3 to 63 lower-case letters, digits and single hyphens.
fn valid_name(name: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    (3..=63).contains(&name.len())
        && name.chars().all(plain)
        && !name.contains("--")
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// A page of scopes. The link of the next page names the scope that it begins with.
fn list(account: &Account, ask: &Ask) -> Reply {
    let asked = |name: &str| ask.query.get(name).map_or("", String::as_str);
    let size = match asked("$maxpagesize") {
        "" => PAGE,
        size => {
            size.parse().ok().filter(|size| (1..=PAGE).contains(size)).ok_or_else(|| account::invalid("maxpagesize"))?
        }
    };
    let beginning = match asked("$filter") {
        "" => "",
        filter => started(filter).ok_or_else(|| account::invalid("filter"))?,
    };
    let wanted = |scope: &&Scope| match asked("$include").to_ascii_lowercase().as_str() {
        "enabled" => scope.enabled,
        "disabled" => !scope.enabled,
        _ => true,
    };
    let from = asked("$skiptoken");
    let mut rest =
        account.scopes.values().filter(|scope| scope.name.as_str() >= from && scope.name.starts_with(beginning));
    let mut rest = rest.by_ref().filter(wanted).peekable();
    let page: Vec<Value> = rest.by_ref().take(size).map(|scope| scope.body(account, View::Shown)).collect();
    let mut body = json!({"value": page});
    if let Some(next) = rest.peek() {
        let mut link = format!("https://{}/{}?api-version={}", ask.host, ask.path.join("/"), ask.api_version());
        for name in ["$maxpagesize", "$filter", "$include"] {
            if !asked(name).is_empty() {
                link = format!("{link}&{name}={}", asked(name).replace(' ', "%20"));
            }
        }
        body["nextLink"] = json!(format!("{link}&$skipToken={}", next.name));
    }
    Ok(Answer::json(200, body))
}

/// The beginning that `startswith(name, …)` asks for, with or without quotes.
fn started(filter: &str) -> Option<&str> {
    let inside = filter.trim().strip_prefix("startswith(")?.strip_suffix(')')?;
    let (field, beginning) = inside.split_once(',')?;
    (field.trim() == "name").then(|| beginning.trim().trim_matches('\''))
}

/// Scopes bound without a version take up the newest one as their accounts do.
pub(super) fn pick_up_versions(state: &mut State, now: Millis, pace: Pace) {
    let bound = state.accounts.iter().flat_map(|(name, account)| {
        account.scopes.values().filter_map(move |scope| Some((name, account, scope, scope.binding.as_ref()?)))
    });
    let moves = bound.filter_map(|(name, account, scope, binding)| {
        let moved = encryption::picked_up(account, binding, state, now, pace)?;
        Some((name.clone(), scope.name.clone(), moved))
    });
    for (account, scope, moved) in moves.collect::<Vec<_>>() {
        let scope = state.accounts.get_mut(&account).and_then(|account| account.scopes.get_mut(&scope));
        if let Some(scope) = scope {
            scope.binding = Some(moved);
        }
    }
}
