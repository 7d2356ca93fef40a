//! Storage accounts in ARM: looked at, made, and changed in two narrow ways; never replaced and never deleted.

use super::call::{Call, Effect, Method};
use super::keys::version_of;
use super::paths::{read_as, resource};
use super::vaults::host_of;
use crate::model::{
    AccountCreate, AccountId, AccountName, Binding, IdentityKind, KeyName, Location, SeenAccount, SeenEncryption,
    SeenIdentity, SubscriptionId, Version,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// In recorded traffic; the shapes of encryption and identity have been the same since 2023-05-01.
const API_VERSION: &str = "2025-06-01";

/// The permission that shows an account.
pub const READ: &str = "Microsoft.Storage/storageAccounts/read";
/// The permission that shows whether a name is free.
pub const READ_NAME: &str = "Microsoft.Storage/checkNameAvailability/read";

/// Looks at an account.
pub fn get(id: &AccountId) -> Call {
    Call::get(id.to_string(), API_VERSION)
}

/// Makes an account that does not exist: no public blobs, no plain HTTP, no old TLS.
pub fn create(id: &AccountId, location: &Location, create: &AccountCreate, identity: Option<IdentityKind>) -> Call {
    let AccountCreate { sku, kind } = create;
    let mut body = json!({
        "location": location.as_str(),
        "sku": { "name": sku },
        "kind": kind,
        "properties": {
            "minimumTlsVersion": "TLS1_2",
            "supportsHttpsTrafficOnly": true,
            "allowBlobPublicAccess": false,
        },
    });
    match identity {
        Some(IdentityKind::SystemAssigned) => body["identity"] = json!({ "type": "SystemAssigned" }),
        None => {}
    }
    Call::send(Method::Put, Effect::Write, id.to_string(), API_VERSION, body)
}

/// Gives an account a system-assigned identity beside those it has.
///
/// The type is a union: `SystemAssigned` alone drops the user-assigned identities,
/// and a PATCH with both and no map keeps them.
pub fn attach_system(id: &AccountId, current: &SeenIdentity) -> Call {
    let kind = if current.user_assigned.is_empty() { "SystemAssigned" } else { "SystemAssigned,UserAssigned" };
    let body = json!({ "identity": { "type": kind } });
    Call::send(Method::Patch, Effect::Write, id.to_string(), API_VERSION, body)
}

/// Points an account's encryption at a key, through its system-assigned identity, and touches nothing else.
///
/// Without a version an empty one is sent, which lets Azure follow the newest: left
/// out, it would keep the pinned version. Azure refuses the change on an account with
/// infrastructure encryption unless that is said again, and refuses the mention on
/// one without.
pub fn set_encryption(
    id: &AccountId,
    host: &str,
    key: &KeyName,
    version: Option<&Version>,
    current: &SeenEncryption,
) -> Call {
    let mut encryption = json!({
        // What every account has; Microsoft's own clients send them each time.
        "services": {
            "blob": { "enabled": true, "keyType": "Account" },
            "file": { "enabled": true, "keyType": "Account" },
        },
        "keySource": "Microsoft.Keyvault",
        "keyvaultproperties": {
            "keyvaulturi": format!("https://{host}/"),
            "keyname": key.as_str(),
            "keyversion": version.map_or("", Version::as_str),
        },
    });
    if current.infrastructure == Some(true) {
        encryption["requireInfrastructureEncryption"] = json!(true);
    }
    if current.binding.as_ref().is_some_and(|binding| binding.user_assigned_identity.is_some()) {
        // Empty means the system-assigned identity; left out, the old one would stay.
        encryption["identity"] = json!({ "userAssignedIdentity": "" });
    }
    let body = json!({ "properties": { "encryption": encryption } });
    Call::send(Method::Patch, Effect::Write, id.to_string(), API_VERSION, body)
}

/// Asks whether an account's name is free. A POST that changes nothing.
pub fn check_name(subscription: &SubscriptionId, name: &AccountName) -> Call {
    let body = json!({ "name": name.as_str(), "type": "Microsoft.Storage/storageAccounts" });
    let path = format!("/subscriptions/{subscription}/providers/Microsoft.Storage/checkNameAvailability");
    Call::send(Method::Post, Effect::Read, path, API_VERSION, body)
}

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
    require_infrastructure_encryption: Option<bool>,
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
    let name = AccountName::parse(name).map_err(|error| format!("the account's name {error}"))?;
    Ok(SeenAccount {
        id: AccountId { group, name },
        location: Location::parse(&wire.location).map_err(|error| format!("the account's location {error}"))?,
        sku: wire.sku.name,
        kind: wire.kind,
        identity: wire.identity.map(identity).unwrap_or_default(),
        encryption: wire.properties.encryption.map_or(Ok(MICROSOFT_MANAGED), encryption)?,
        provisioning_state: wire.properties.provisioning_state.unwrap_or_else(|| "Succeeded".to_owned()),
    })
}

const MICROSOFT_MANAGED: SeenEncryption = SeenEncryption { binding: None, infrastructure: None };

fn identity(wire: Identity) -> SeenIdentity {
    SeenIdentity {
        system_principal: filled(wire.principal_id).map(|id| id.to_ascii_lowercase()),
        tenant: filled(wire.tenant_id).map(|id| id.to_ascii_lowercase()),
        user_assigned: wire.user_assigned_identities.unwrap_or_default().into_iter().map(|(id, _)| id).collect(),
    }
}

fn encryption(wire: Encryption) -> Result<SeenEncryption, String> {
    let infrastructure = wire.require_infrastructure_encryption;
    let in_vault = wire.key_source.is_some_and(|source| source.eq_ignore_ascii_case("Microsoft.Keyvault"));
    if !in_vault {
        return Ok(SeenEncryption { binding: None, infrastructure });
    }
    let key_vault = wire.key_vault.ok_or("the account's key source is Key Vault, but it names no key")?;
    let uri = filled(key_vault.keyvaulturi).ok_or("the account's key has no keyvaulturi")?;
    let binding = Binding {
        vault_host: host_of(&uri)?,
        key: filled(key_vault.keyname).ok_or("the account's key has no keyname")?,
        version: filled(key_vault.keyversion)
            .map(|text| Version::parse(&text))
            .transpose()
            .map_err(|error| format!("the version of the account's key {error}"))?,
        current: filled(key_vault.current).and_then(|uri| version_of(&uri).ok()),
        user_assigned_identity: wire.identity.and_then(|identity| filled(identity.user_assigned_identity)),
    };
    Ok(SeenEncryption { binding: Some(binding), infrastructure })
}

/// Azure writes "not set" as absence, as null and as an empty text.
fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
