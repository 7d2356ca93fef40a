//! Accounts as Resource Manager shows them.

use crate::azure::failure::clean;
use crate::azure::keys::version_of;
use crate::azure::paths::{read_as, resource};
use crate::azure::vaults::host_of;
use crate::model::{
    AccountId, AccountName, Binding, KeyName, Location, SeenAccount, SeenEncryption, SeenIdentity, Version,
};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Wire {
    id: String,
    location: String,
    sku: Sku,
    kind: String,
    identity: Option<Identity>,
    properties: Properties,
}

#[derive(Deserialize)]
struct Sku {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    principal_id: Option<String>,
    tenant_id: Option<String>,
    user_assigned_identities: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    provisioning_state: Option<String>,
    encryption: Option<Encryption>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Encryption {
    key_source: Option<String>,
    #[serde(rename = "requireInfrastructureEncryption")]
    infrastructure: Option<bool>,
    /// Lower case on the wire, unlike its neighbours.
    #[serde(rename = "keyvaultproperties")]
    key_vault: Option<KeyVault>,
    identity: Option<Reach>,
}

#[derive(Deserialize)]
struct KeyVault {
    keyname: Option<String>,
    keyversion: Option<String>,
    keyvaulturi: Option<String>,
    #[serde(rename = "currentVersionedKeyIdentifier")]
    current: Option<String>,
    #[serde(rename = "lastKeyRotationTimestamp")]
    rotated: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reach {
    user_assigned_identity: Option<String>,
}

/// Reads an account.
pub fn read(body: &Value) -> Result<SeenAccount, String> {
    let wire: Wire = read_as(body, "the account")?;
    let (group, name) = resource(&wire.id, "Microsoft.Storage/storageAccounts")?;
    // Names of accounts have small letters only, but ids come back in whatever case they were once asked for.
    let name = AccountName::parse(&name.to_ascii_lowercase()).map_err(|error| format!("the account's name {error}"))?;
    Ok(SeenAccount {
        id: AccountId { group, name },
        location: Location::parse(&wire.location).map_err(|error| format!("the account's location {error}"))?,
        sku: clean(&wire.sku.name),
        kind: clean(&wire.kind),
        identity: wire.identity.map(identity).unwrap_or_default(),
        encryption: wire.properties.encryption.map_or(Ok(MICROSOFT_MANAGED), encryption)?,
        provisioning_state: wire
            .properties
            .provisioning_state
            .map_or_else(|| "Succeeded".to_owned(), |state| clean(&state)),
    })
}

pub(super) const MICROSOFT_MANAGED: SeenEncryption = SeenEncryption { binding: None, infrastructure: None };

fn identity(wire: Identity) -> SeenIdentity {
    SeenIdentity {
        system_principal: filled(wire.principal_id).map(|id| id.to_ascii_lowercase()),
        tenant: filled(wire.tenant_id).map(|id| id.to_ascii_lowercase()),
        user_assigned: wire.user_assigned_identities.unwrap_or_default().into_iter().map(|(id, _)| id).collect(),
    }
}

fn encryption(wire: Encryption) -> Result<SeenEncryption, String> {
    let infrastructure = wire.infrastructure;
    match wire.key_source.as_deref() {
        Some(source) if source.eq_ignore_ascii_case("Microsoft.Keyvault") => {}
        None => return Ok(SeenEncryption { binding: None, infrastructure }),
        Some(source) if source.eq_ignore_ascii_case("Microsoft.Storage") => {
            return Ok(SeenEncryption { binding: None, infrastructure });
        }
        // Not to be taken for "no key": a key that we do not understand may be all that reads the data.
        Some(source) => return Err(format!("the account's key source is `{source}`, which is not known")),
    }
    let key_vault = wire.key_vault.ok_or("the account's key source is Key Vault, but it names no key")?;
    let uri = filled(key_vault.keyvaulturi).ok_or("the account's key has no keyvaulturi")?;
    let binding = Binding {
        vault_host: host_of(&uri)?,
        key: key_name(key_vault.keyname)?,
        version: filled(key_vault.keyversion)
            .map(|text| Version::parse(&text))
            .transpose()
            .map_err(|error| format!("the version of the account's key {error}"))?,
        current: filled(key_vault.current).and_then(|uri| version_of(&uri).ok()),
        rotated: filled(key_vault.rotated),
        user_assigned_identity: wire.identity.and_then(|identity| filled(identity.user_assigned_identity)),
    };
    Ok(SeenEncryption { binding: Some(binding), infrastructure })
}

fn key_name(text: Option<String>) -> Result<String, String> {
    let name = filled(text).ok_or("the account's key has no keyname")?;
    KeyName::parse(&name).map_err(|error| format!("the name of the account's key {error}"))?;
    Ok(name)
}

/// Azure writes "not set" as absence, as null and as an empty text.
fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
