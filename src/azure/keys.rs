//! Keys, through ARM and through a vault's own data plane: looked at, and made when absent. No key is changed or deleted.

use super::call::{Call, Effect, Method, Service};
use super::key_life;
use super::paths::{has_id, read_as};
use super::vaults;
use crate::model::{
    KeyCreate, KeyName, KeyType, KeyVersion, Marks, Rotation, Seen, SeenDeletedKey, SeenKey, SeenRotation, Thumbprint,
    Timestamp, VaultId, Version,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The data plane's version; what we read has been the same since 7.0.
pub(super) const VAULT_API_VERSION: &str = "7.5";

/// The permission that shows a key through ARM.
pub const ARM_READ: &str = "Microsoft.KeyVault/vaults/keys/read";
/// The permission that shows a deleted key: the vault decides by itself, by access policy or by role.
pub const DELETED_READ: &str = "the vault's key permission `get`";

/// Looks at a key's current version through ARM.
pub fn arm_get(vault: &VaultId, key: &KeyName) -> Call {
    Call::get(format!("{vault}/keys/{key}"), vaults::API_VERSION)
}

/// Lists a key's versions through ARM.
pub fn arm_versions(vault: &VaultId, key: &KeyName) -> Call {
    Call::get(format!("{vault}/keys/{key}/versions"), vaults::API_VERSION)
}

/// Looks at one version of a key through ARM.
pub fn arm_version(vault: &VaultId, key: &KeyName, version: &Version) -> Call {
    Call::get(format!("{vault}/keys/{key}/versions/{version}"), vaults::API_VERSION)
}

/// Makes the first version of a key that does not exist.
///
/// Create-if-absent by ARM's contract: "If it already exists, then the existing key
/// is returned without any write operations being performed." The data plane's
/// create would add a version instead.
pub fn arm_create(
    vault: &VaultId,
    key: &KeyName,
    create: &KeyCreate,
    marks: &Marks,
    rotation: Option<&Rotation>,
) -> Call {
    let KeyCreate { kind, size_bits } = create;
    let mut attributes = key_life::dates(marks);
    attributes.insert("enabled".to_owned(), Value::Bool(true));
    let mut body = json!({ "properties": { "kty": kind.as_str(), "keySize": size_bits, "attributes": attributes } });
    if let Some(rotation) = rotation {
        // In this door's spelling of the kinds of actions.
        let policy = key_life::policy(rotation, &SeenRotation::default(), ["rotate", "notify"]);
        body["properties"]["rotationPolicy"] = policy;
    }
    if !marks.tags.is_empty() {
        body["tags"] = json!(marks.tags);
    }
    let path = format!("{vault}/keys/{key}");
    Call::send(Method::Put, Effect::CreateIfAbsent, path, vaults::API_VERSION, body)
}

/// Looks at a key's current version in the vault itself.
pub fn vault_get(host: &str, key: &KeyName) -> Call {
    in_vault(host, format!("/keys/{key}"), format!("api-version={VAULT_API_VERSION}"))
}

/// Lists a key's versions in the vault itself, in pages as large as Key Vault gives.
pub fn vault_versions(host: &str, key: &KeyName) -> Call {
    in_vault(host, format!("/keys/{key}/versions"), format!("api-version={VAULT_API_VERSION}&maxresults=25"))
}

/// Looks in the vault itself for a deleted key that can still be recovered. Resource Manager does not show those.
pub fn vault_get_deleted(host: &str, key: &KeyName) -> Call {
    in_vault(host, format!("/deletedkeys/{key}"), format!("api-version={VAULT_API_VERSION}"))
}

/// Reads a deleted key.
pub fn read_deleted(body: &Value) -> Result<SeenDeletedKey, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire {
        scheduled_purge_date: Option<i64>,
        managed: Option<bool>,
    }
    let wire: Wire = read_as(body, "the deleted key")?;
    let of_certificate = wire.managed.unwrap_or(false);
    Ok(SeenDeletedKey { scheduled_purge: wire.scheduled_purge_date.map(Timestamp), of_certificate })
}

fn in_vault(host: &str, path: String, query: String) -> Call {
    let service = Service::KeyVault { host: host.to_owned() };
    Call { service, query, ..Call::get(path, VAULT_API_VERSION) }
}

#[derive(Deserialize)]
struct Attributes {
    enabled: Option<bool>,
    created: Option<i64>,
    nbf: Option<i64>,
    exp: Option<i64>,
}

/// Reads ARM's answer about a key: its type and its current version.
pub fn read_arm(body: &Value) -> Result<SeenKey, String> {
    has_id(body, "the key")?;
    let wire: ArmKey = read_as(body, "the key")?;
    let kind = wire.properties.kty.as_deref().ok_or("the key has no kty")?;
    // Left out where nobody has set one, and by doors that do not show it.
    let policy = wire.properties.rotation_policy.as_ref().filter(|policy| !policy.is_null());
    Ok(SeenKey {
        kind: KeyType::parse(kind),
        size_bits: wire.properties.key_size,
        tags: wire.tags.unwrap_or_default(),
        rotation: policy.map(key_life::read_policy).transpose()?.map(Seen::Known),
        versions: vec![arm_item(wire.properties)?],
        all_versions: false,
    })
}

/// Reads one item of ARM's list of versions.
pub fn read_arm_version(body: &Value) -> Result<KeyVersion, String> {
    has_id(body, "the key's version")?;
    let wire: ArmKey = read_as(body, "the key's version")?;
    arm_item(wire.properties)
}

#[derive(Deserialize)]
struct ArmKey {
    properties: ArmProperties,
    tags: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArmProperties {
    kty: Option<String>,
    key_size: Option<u32>,
    attributes: Option<Attributes>,
    key_uri_with_version: Option<String>,
    rotation_policy: Option<Value>,
}

fn arm_item(properties: ArmProperties) -> Result<KeyVersion, String> {
    let uri = properties.key_uri_with_version.ok_or("the key has no keyUriWithVersion")?;
    version(&uri, properties.attributes)
}

/// Reads the vault's own answer about a key: its type and its current version.
pub fn read_vault(body: &Value) -> Result<SeenKey, String> {
    #[derive(Deserialize)]
    struct Wire {
        key: Jwk,
        attributes: Option<Attributes>,
        tags: Option<BTreeMap<String, String>>,
    }
    #[derive(Deserialize)]
    struct Jwk {
        kid: String,
        kty: String,
        n: Option<String>,
        e: Option<String>,
    }
    let wire: Wire = read_as(body, "the key")?;
    Ok(SeenKey {
        kind: KeyType::parse(&wire.key.kty),
        size_bits: wire.key.n.as_deref().and_then(modulus_bits),
        versions: vec![KeyVersion {
            thumbprint: wire.key.n.as_deref().zip(wire.key.e.as_deref()).and_then(thumbprint),
            ..version(&wire.key.kid, wire.attributes)?
        }],
        all_versions: false,
        tags: wire.tags.unwrap_or_default(),
        rotation: None,
    })
}

/// Reads one item of the vault's own list of versions.
pub fn read_vault_version(body: &Value) -> Result<KeyVersion, String> {
    #[derive(Deserialize)]
    struct Wire {
        kid: String,
        attributes: Option<Attributes>,
    }
    let wire: Wire = read_as(body, "the key's version")?;
    version(&wire.kid, wire.attributes)
}

/// The size of an RSA modulus in base64url, which the data plane states in no other way.
fn modulus_bits(modulus: &str) -> Option<u32> {
    let bytes = modulus.trim_end_matches('=').len() * 6 / 8;
    u32::try_from(bytes * 8).ok()
}

/// The thumbprint of a public half in base64url.
fn thumbprint((modulus, exponent): (&str, &str)) -> Option<Thumbprint> {
    let bytes = |text: &str| azure_core::base64::decode_url_safe(text.trim_end_matches('=')).ok();
    Some(Thumbprint::of_rsa(&bytes(modulus)?, &bytes(exponent)?))
}

fn version(uri: &str, attributes: Option<Attributes>) -> Result<KeyVersion, String> {
    let id = version_of(uri)?;
    let attributes = attributes.ok_or("the key's version has no attributes")?;
    Ok(KeyVersion {
        id,
        enabled: attributes.enabled.unwrap_or(true),
        created: attributes.created.map(Timestamp),
        not_before: attributes.nbf.map(Timestamp),
        expires: attributes.exp.filter(|seconds| *seconds != 0).map(Timestamp),
        thumbprint: None,
    })
}

/// The version at the end of a key's URI: `https://kv.vault.azure.net/keys/name/version`.
pub(super) fn version_of(uri: &str) -> Result<Version, String> {
    let last = uri.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    Version::parse(last).map_err(|_| format!("`{uri}` does not end in a key's version"))
}

/// A key with all its versions, newest first by creation, which Azure tells in whole seconds.
///
/// Among those of one second the current version, which `key` was read with, comes
/// first, and the others by id, so that the order is the same each time. Azure itself
/// lists versions by id. A list that lags behind the key still gets its current one.
pub fn with_versions(key: SeenKey, mut versions: Vec<KeyVersion>) -> SeenKey {
    let current = key.versions.first().cloned();
    versions.extend(current.clone().filter(|current| versions.iter().all(|version| version.id != current.id)));
    // Only the look at the key itself shows a modulus; the list does not.
    for version in &mut versions {
        let own = current.as_ref().filter(|current| current.id == version.id);
        version.thumbprint = version.thumbprint.take().or_else(|| own?.thumbprint.clone());
    }
    let is_current = |version: &KeyVersion| current.as_ref().is_some_and(|current| current.id == version.id);
    versions.sort_by(|one, other| {
        let newest = other.created.cmp(&one.created);
        newest.then_with(|| is_current(other).cmp(&is_current(one))).then_with(|| one.id.cmp(&other.id))
    });
    SeenKey { versions, all_versions: true, ..key }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "11111111111111111111111111111111";
    const TWO: &str = "22222222222222222222222222222222";

    fn arm(version: &str, attributes: &Value) -> Value {
        json!({ "id": "/keys/main", "properties": {
            "kty": "RSA", "keySize": 3072, "attributes": attributes,
            "keyUriWithVersion": format!("https://kv.vault.azure.net/keys/main/{version}"),
        } })
    }

    #[test]
    fn a_key_is_read_through_arm() {
        let seen = read_arm(&arm(ONE, &json!({ "enabled": false, "created": 5, "exp": 9, "nbf": null }))).unwrap();
        assert_eq!((seen.kind, seen.size_bits, seen.all_versions), (KeyType::Rsa, Some(3072), false));
        let version = &seen.versions[0];
        assert_eq!((version.id.as_str(), version.enabled), (ONE, false));
        assert_eq!(
            (version.created, version.not_before, version.expires),
            (Some(Timestamp(5)), None, Some(Timestamp(9)))
        );
    }

    #[test]
    fn the_start_of_1970_is_no_expiry() {
        let seen = read_arm(&arm(ONE, &json!({ "enabled": true, "exp": 0 }))).unwrap();
        assert_eq!(seen.versions[0].expires, None);
    }

    #[test]
    fn a_key_is_read_in_the_vault_and_its_size_is_that_of_its_modulus() {
        let kid = format!("https://kv.vault.azure.net/keys/main/{ONE}");
        for (characters, bits) in [(342, 2048), (512, 3072), (683, 4096)] {
            let key = json!({ "kid": kid, "kty": "RSA-HSM", "n": "A".repeat(characters), "e": "AQAB" });
            let seen = read_vault(&json!({ "key": key, "attributes": { "enabled": true } })).unwrap();
            assert_eq!((seen.kind, seen.size_bits), (KeyType::RsaHsm, Some(bits)));
        }
    }

    #[test]
    fn versions_are_newest_first_whatever_order_azure_lists_them_in() {
        let item = |version: &str, created: i64| {
            read_arm_version(&arm(version, &json!({ "enabled": true, "created": created }))).unwrap()
        };
        let key = |current: &str, created: i64| {
            read_arm(&arm(current, &json!({ "enabled": true, "created": created }))).unwrap()
        };
        let ids = |key, versions| -> Vec<String> {
            with_versions(key, versions).versions.into_iter().map(|version| version.id.to_string()).collect()
        };
        assert_eq!(ids(key(TWO, 2), vec![item(ONE, 1), item(TWO, 2)]), [TWO, ONE]);
        // Two of one second: the one that Azure calls current is the newer.
        assert_eq!(ids(key(TWO, 1), vec![item(ONE, 1), item(TWO, 1)]), [TWO, ONE]);
        assert_eq!(ids(key(ONE, 1), vec![item(TWO, 1), item(ONE, 1)]), [ONE, TWO]);
        // A list that does not show the newest yet.
        assert_eq!(ids(key(TWO, 2), vec![item(ONE, 1)]), [TWO, ONE]);
    }

    #[test]
    fn a_key_without_a_version_makes_no_sense() {
        assert!(read_arm(&json!({ "id": "/keys/main", "properties": { "kty": "RSA" } })).is_err());
        let versionless = json!({ "kid": "https://kv.vault.azure.net/keys/main", "attributes": {} });
        assert!(read_vault_version(&versionless).is_err());
    }
}
