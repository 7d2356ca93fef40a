//! Resource providers: which there are, and whether a subscription has them registered.

use serde_json::{Value, json};

use super::arm;
use super::wire::{Answer, Ask, Reply};
use super::{World, regions, versions};

/// The providers of the sandbox with their resource types. Every subscription begins with all of them.
const PROVIDERS: [(&str, &[&str]); 4] = [
    ("Microsoft.Authorization", &["locks", "roleAssignments", "roleDefinitions"]),
    (
        "Microsoft.KeyVault",
        &["vaults", "vaults/accessPolicies", "vaults/keys", "deletedVaults", "checkNameAvailability"],
    ),
    ("Microsoft.ManagedIdentity", &["userAssignedIdentities"]),
    (
        "Microsoft.Storage",
        &[
            "storageAccounts",
            "storageAccounts/encryptionScopes",
            "storageAccounts/blobServices",
            "storageAccounts/fileServices",
            "checkNameAvailability",
        ],
    ),
];

/// Answers `/subscriptions/{s}/providers` and what is below it but is no resource; `None` if it is something else.
pub(super) fn answer(world: &mut World, ask: &Ask, subscription: &str, below: &[&str]) -> Option<Reply> {
    match below {
        [] => Some(arm::reading(ask, || Ok(list(world, subscription)))),
        [namespace] => Some(arm::reading(ask, || show(world, subscription, namespace))),
        [namespace, verb @ ("register" | "unregister")] if ask.method == "POST" => {
            Some(register(world, subscription, namespace, *verb == "register"))
        }
        _ => None,
    }
}

fn list(world: &World, subscription: &str) -> Answer {
    let all = PROVIDERS.iter().map(|(namespace, kinds)| body(world, subscription, namespace, kinds));
    Answer::json(200, json!({"value": all.collect::<Vec<Value>>()}))
}

fn find(namespace: &str) -> Result<(&'static str, &'static [&'static str]), Answer> {
    let found = PROVIDERS.iter().find(|(known, _)| known.eq_ignore_ascii_case(namespace));
    found.copied().ok_or_else(|| {
        let text = format!("The resource namespace '{namespace}' is invalid.");
        Answer::error(404, "InvalidResourceNamespace", &text).gateway()
    })
}

fn show(world: &World, subscription: &str, namespace: &str) -> Reply {
    let (namespace, kinds) = find(namespace)?;
    Ok(Answer::json(200, body(world, subscription, namespace, kinds)))
}

fn register(world: &mut World, subscription: &str, namespace: &str, on: bool) -> Reply {
    let (namespace, kinds) = find(namespace)?;
    let key = key(subscription, namespace);
    if on {
        world.state.unregistered.remove(&key);
    } else {
        world.state.unregistered.insert(key);
    }
    Ok(Answer::json(200, body(world, subscription, namespace, kinds)))
}

fn key(subscription: &str, namespace: &str) -> String {
    format!("{subscription}/{namespace}").to_ascii_lowercase()
}

/// Refuses to make things of a provider that the subscription has not registered.
pub(super) fn check_registered(world: &World, ask: &Ask, subscription: &str, namespace: &str) -> Result<(), Answer> {
    let Ok((namespace, _)) = find(namespace) else { return Ok(()) };
    if ask.only_reads() || !world.state.unregistered.contains(&key(subscription, namespace)) {
        return Ok(());
    }
    Err(unregistered(namespace))
}

/// Refuses to say anything about a name. Storage says that it does not know the subscription, which misleads many.
pub(super) fn check_names(world: &World, subscription: &str, namespace: &str) -> Result<(), Answer> {
    if !world.state.unregistered.contains(&key(subscription, namespace)) {
        return Ok(());
    }
    if namespace == "Microsoft.Storage" {
        let text = format!("Subscription {subscription} was not found.");
        return Err(Answer::error(404, "SubscriptionNotFound", &text));
    }
    Err(unregistered(namespace))
}

fn unregistered(namespace: &str) -> Answer {
    let text = format!(
        "The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for how to register subscriptions."
    );
    let details = json!([{"code": "MissingSubscriptionRegistration", "target": namespace, "message": text}]);
    let error = json!({"code": "MissingSubscriptionRegistration", "message": text, "details": details});
    Answer::json(409, json!({"error": error})).gateway()
}

fn body(world: &World, subscription: &str, namespace: &str, kinds: &[&str]) -> Value {
    let registered = !world.state.unregistered.contains(&key(subscription, namespace));
    let locations: Vec<String> = regions::all().iter().map(|region| regions::shown(region)).collect();
    let versions = versions::of(&namespace.to_ascii_lowercase()).unwrap_or(&["2022-04-01"]);
    let kinds = kinds.iter().map(
        |kind| json!({"resourceType": kind, "locations": locations, "apiVersions": versions, "capabilities": "None"}),
    );
    json!({
        "id": format!("/subscriptions/{subscription}/providers/{namespace}"), "namespace": namespace,
        "registrationPolicy": "RegistrationRequired",
        "registrationState": if registered { "Registered" } else { "NotRegistered" },
        "resourceTypes": kinds.collect::<Vec<Value>>(),
    })
}
