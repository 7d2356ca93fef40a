//! Whether what came back is what was asked for. An answer about another thing is refused before anything is read of it.
//!
//! What an answer says decides what is sent next: a vault's URI becomes the place
//! that an account fetches its key from. So each answer has to fit its own request,
//! whoever wrote it.

use super::call::{Call, Method, Service};
use super::cloud::Cloud;
use super::failure::{Failure, Kind};
use super::paths::resource;
use crate::model::VaultName;
use serde_json::Value;
use url::Url;

/// Fails when the body of an answer is about another thing than its call was.
pub(super) fn check(call: &Call, cloud: &Cloud, body: &Value) -> Result<(), Failure> {
    let Some(thing) = &call.thing else { return Ok(()) };
    if let Some(id) = told_id(call, body)
        && !is_same(thing, id)
    {
        return Err(Failure::unintelligible(call, format!("the answer is about another thing: `{id}`")));
    }
    items_are_within(call, thing, body)?;
    let key = key(call, thing, cloud);
    for item in std::iter::once(body).chain(body.get("value").and_then(Value::as_array).into_iter().flatten()) {
        vault_uri(call, cloud, item)?;
        if let Some((host, name)) = &key {
            key_uris(call, item, host, name)?;
        }
    }
    Ok(())
}

/// The ARM id that an answer bears. What an action answers may be about anything.
fn told_id<'a>(call: &Call, body: &'a Value) -> Option<&'a str> {
    let is_action = call.method == Method::Post;
    match call.service {
        Service::Arm if !is_action => body.get("id").and_then(Value::as_str),
        Service::Arm | Service::KeyVault { .. } => None,
    }
}

/// What Azure Resource Manager lists under a path has its id under that path too.
fn items_are_within(call: &Call, path: &str, body: &Value) -> Result<(), Failure> {
    let within = format!("{}/", path.trim_end_matches('/').to_lowercase());
    let items = body.get("value").and_then(Value::as_array).filter(|_| call.service == Service::Arm);
    let ids = items.into_iter().flatten().filter_map(|item| item.get("id")?.as_str());
    match ids.into_iter().find(|id| !id.to_lowercase().starts_with(&within)) {
        Some(id) => Err(Failure::unintelligible(call, format!("the list has another thing in it: `{id}`"))),
        None => Ok(()),
    }
}

/// Whether an id is that of the path. ARM gives ids back in any case.
fn is_same(path: &str, id: &str) -> bool {
    let (path, id) = (path.to_lowercase(), id.to_lowercase());
    // The answer to `accessPolicies/add` bears the id of the list.
    let path = path.strip_suffix("/accesspolicies/add").map_or(path.clone(), |vault| format!("{vault}/accesspolicies"));
    path.trim_end_matches('/') == id.trim_end_matches('/')
}

/// The vault's host and the name of the key that a call is about.
fn key(call: &Call, thing: &str, cloud: &Cloud) -> Option<(String, String)> {
    let parts: Vec<&str> = thing.trim_matches('/').split('/').collect();
    match &call.service {
        Service::KeyVault { host } => match parts[..] {
            ["keys" | "deletedkeys", name, ..] => Some((host.clone(), name.to_owned())),
            _ => None,
        },
        Service::Arm => {
            let (_, after) = parts.split_at_checked(6)?;
            let [collection, vault, keys, name, ..] = after else { return None };
            let is_key = collection.eq_ignore_ascii_case("vaults") && keys.eq_ignore_ascii_case("keys");
            let vault = VaultName::parse(vault).ok().filter(|_| is_key)?;
            Some((cloud.vault_host(&vault), (*name).to_owned()))
        }
    }
}

/// The places in which a key's own URI may stand.
const KEY_URIS: [&str; 4] = ["/kid", "/key/kid", "/properties/keyUri", "/properties/keyUriWithVersion"];

fn key_uris(call: &Call, item: &Value, host: &str, name: &str) -> Result<(), Failure> {
    for uri in KEY_URIS.iter().filter_map(|place| item.pointer(place)?.as_str()) {
        let url = Url::parse(uri).ok();
        let is_ours = url.as_ref().is_some_and(|url| {
            let mut path = url.path_segments().into_iter().flatten();
            url.host_str().is_some_and(|told| told.eq_ignore_ascii_case(host))
                && path.next() == Some("keys")
                && path.next().is_some_and(|told| told.eq_ignore_ascii_case(name))
        });
        if !is_ours {
            return Err(Failure::unintelligible(call, format!("the answer is about another key: `{uri}`")));
        }
    }
    Ok(())
}

/// Holds the URI of a vault against the one host that a vault of this name has.
fn vault_uri(call: &Call, cloud: &Cloud, item: &Value) -> Result<(), Failure> {
    let text = |place: &str| item.pointer(place).and_then(Value::as_str);
    let vault = text("/id").and_then(|id| resource(id, "Microsoft.KeyVault/vaults").ok());
    let (Some((_, name)), Some(uri)) = (vault, text("/properties/vaultUri")) else { return Ok(()) };
    let Ok(name) = VaultName::parse(name) else { return Ok(()) };
    let url = Url::parse(uri).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    let plain = url.as_ref().is_some_and(|url| url.scheme() == "https" && url.username().is_empty());
    if plain && host.eq_ignore_ascii_case(&cloud.vault_host(&name)) {
        return Ok(());
    }
    let (kind, why) = if cloud.is_vault_host(host) {
        (Kind::Unintelligible, "is another vault's".to_owned())
    } else {
        (Kind::Foreign, format!("is not a vault of the {} cloud", cloud.name))
    };
    Err(Failure::new(kind, format!("vault {name} is said to be at `{uri}`, which {why}")).of(call))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const GROUP: &str = "/subscriptions/abcdef00-0000-0000-0000-000000000000/resourceGroups/rg";

    fn of(path: &str) -> Call {
        Call::get(format!("{GROUP}/providers/Microsoft.KeyVault/vaults/{path}"), "1")
    }

    fn kind(call: &Call, body: &Value) -> Option<Kind> {
        check(call, &Cloud::public(), body).err().map(|failure| failure.kind)
    }

    #[test]
    fn an_answer_bears_the_id_that_was_asked_for_in_any_case() {
        let call = of("kv1");
        assert_eq!(kind(&call, &json!({ "id": call.path.to_uppercase() })), None);
        assert_eq!(kind(&call, &json!({ "id": of("kv2").path })), Some(Kind::Unintelligible));
        assert_eq!(kind(&call, &json!({ "name": "no id at all" })), None);
        let add = Call { method: Method::Put, ..of("kv1/accessPolicies/add") };
        assert_eq!(kind(&add, &json!({ "id": of("kv1/accessPolicies/").path })), None);
        assert_eq!(kind(&add, &json!({ "id": of("kv2/accessPolicies/").path })), Some(Kind::Unintelligible));
    }

    #[test]
    fn a_vault_is_at_its_own_host_or_the_answer_is_refused() {
        let call = of("Kv1");
        let at = |uri: &str| kind(&call, &json!({ "id": call.path, "properties": { "vaultUri": uri } }));
        assert_eq!(at("https://kv1.vault.azure.net"), None);
        assert_eq!(at("https://KV1.vault.azure.net:443/"), None);
        assert_eq!(at("https://kv2.vault.azure.net/"), Some(Kind::Unintelligible));
        for uri in ["https://kv1.vault.azure.net.evil.example/", "https://kv1.vault.azure.net@evil.example/", "kv1", ""]
        {
            assert_eq!(at(uri), Some(Kind::Foreign), "{uri}");
        }
        assert!(at("http://kv1.vault.azure.net/").is_some() && at("https://a@kv1.vault.azure.net/").is_some());
    }

    #[test]
    fn a_key_is_the_one_that_was_asked_for_in_every_item() {
        let item = |uri: &str| json!({ "value": [{ "properties": { "keyUriWithVersion": uri } }] });
        let arm = of("kv1/keys/main/versions");
        assert_eq!(kind(&arm, &item("https://kv1.vault.azure.net:443/keys/Main/1")), None);
        assert_eq!(kind(&arm, &item("https://kv1.vault.azure.net/keys/other/1")), Some(Kind::Unintelligible));
        assert_eq!(kind(&arm, &item("https://kv2.vault.azure.net/keys/main/1")), Some(Kind::Unintelligible));
        let listed = |of: &Call| json!({ "value": [{ "id": format!("{}/1", of.path.to_uppercase()) }] });
        assert_eq!(kind(&arm, &listed(&arm)), None);
        assert_eq!(kind(&arm, &listed(&of("kv1/keys/other/versions"))), Some(Kind::Unintelligible));
        let host = "kv1.vault.azure.net".to_owned();
        let vault = Call { service: Service::KeyVault { host }, ..Call::get("/keys/main".to_owned(), "1") };
        let key = |kid: &str| json!({ "key": { "kid": kid } });
        assert_eq!(kind(&vault, &key("https://kv1.vault.azure.net/keys/main/1")), None);
        assert_eq!(kind(&vault, &key("https://kv2.vault.azure.net/keys/main/1")), Some(Kind::Unintelligible));
    }
}
