//! Storage accounts in ARM: looked at, made, and changed in two narrow ways; never replaced and never deleted.

use super::call::{Call, Effect, Method};
use super::failure::clean;
use super::keys::version_of;
use super::paths::{read_as, resource};
use super::vaults::host_of;
use crate::model::{
    AccountCreate, AccountId, AccountName, Binding, GroupId, Identities, KeyName, Location, SeenAccount,
    SeenEncryption, SeenIdentity, SubscriptionId, Version, Who,
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

/// Looks at every account of a subscription.
pub fn list(subscription: &SubscriptionId) -> Call {
    let path = format!("/subscriptions/{subscription}/providers/Microsoft.Storage/storageAccounts");
    Call { thing: None, ..Call::get(path, API_VERSION) }
}

/// A key as an account is to be bound to it.
#[derive(Debug, Clone, Copy)]
pub struct Bound<'a> {
    /// The vault's host.
    pub host: &'a str,
    /// The key's name.
    pub key: &'a KeyName,
    /// The version; an empty text lets Azure follow the newest.
    pub version: &'a str,
    /// As whom the account reaches it.
    pub who: &'a Who,
}

/// Looks at every account of a resource group.
pub fn list_group(group: &GroupId) -> Call {
    Call { thing: None, ..Call::get(format!("{group}/providers/Microsoft.Storage/storageAccounts"), API_VERSION) }
}

/// Makes an account that does not exist: no public blobs, no plain HTTP, no old TLS; with its key where it is given one.
pub fn create(
    id: &AccountId,
    location: &Location,
    create: &AccountCreate,
    identity: &Identities,
    bound: Option<Bound<'_>>,
) -> Call {
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
    if !identity.is_empty() {
        body["identity"] = identities(identity, identity.kind());
    }
    if let Some(bound) = bound {
        let nothing = SeenEncryption { binding: None, infrastructure: None };
        body["properties"]["encryption"] = encryption_body(bound, &nothing);
    }
    Call::send(Method::Put, Effect::Write, id.to_string(), API_VERSION, body)
}

/// Gives an account identities beside those it has.
///
/// The type is a union: `SystemAssigned` alone drops the user-assigned identities, and `UserAssigned` alone the
/// system-assigned one, whose principal would be another when it is added again. A PATCH adds what its map names and
/// keeps the rest, so only what is new is named.
pub fn attach(id: &AccountId, new: &Identities, current: &SeenIdentity) -> Call {
    let body = json!({ "identity": attached(new, current) });
    Call::send(Method::Patch, Effect::Write, id.to_string(), API_VERSION, body)
}

fn attached(new: &Identities, current: &SeenIdentity) -> Value {
    let system = new.system || current.system_principal.is_some();
    let user = !new.user.is_empty() || !current.user_assigned.is_empty();
    let kind = match (system, user) {
        (true, true) => "SystemAssigned,UserAssigned",
        (false, true) => "UserAssigned",
        (true | false, false) => "SystemAssigned",
    };
    identities(new, kind)
}

/// Takes identities from an account and leaves the others.
///
/// What is named with `null` goes, and what is not named stays, as long as the type speaks of its kind; where no
/// user-assigned identity is left, the type alone says so. One that stays is named, since a type of user-assigned
/// identities without any is refused.
pub fn detach(id: &AccountId, gone: &Identities, current: &SeenIdentity, encryption: &SeenEncryption) -> Call {
    let left = current.without(gone);
    let mut body = json!({ "identity": { "type": left.kind() } });
    if !left.user_assigned.is_empty() {
        for held in &gone.user {
            body["identity"]["userAssignedIdentities"][held.to_string()] = Value::Null;
        }
        let reads = encryption.binding.as_ref().and_then(|binding| binding.user_assigned_identity.as_ref());
        let is_read = |held: &&String| reads.is_some_and(|reads| reads.eq_ignore_ascii_case(held));
        let stays = left.user_assigned.iter().find(is_read).or(left.user_assigned.first());
        if let Some(held) = stays {
            body["identity"]["userAssignedIdentities"][held] = json!({});
        }
    }
    Call::send(Method::Patch, Effect::Write, id.to_string(), API_VERSION, body)
}

fn identities(named: &Identities, kind: &str) -> Value {
    let mut body = json!({ "type": kind });
    for id in &named.user {
        body["userAssignedIdentities"][id.to_string()] = json!({});
    }
    body
}

/// Points an account's encryption at a key, or at an identity as which to reach it, and touches nothing else.
///
/// An empty version lets Azure follow the newest: left out, it would keep the pinned
/// version. Azure refuses the change on an account with
/// infrastructure encryption unless that is said again, and refuses the mention on
/// one without.
pub fn set_encryption(id: &AccountId, bound: Bound<'_>, current: &SeenEncryption) -> Call {
    let body = json!({ "properties": { "encryption": encryption_body(bound, current) } });
    Call::send(Method::Patch, Effect::Write, id.to_string(), API_VERSION, body)
}

/// Gives an account identities beside those it has and points its encryption at a key that it reaches as one of them, at
/// once. For an account under Microsoft's key: Azure refuses another key and another identity in one request.
pub fn attach_and_bind(
    id: &AccountId,
    (new, identity): (&Identities, &SeenIdentity),
    bound: Bound<'_>,
    encryption: &SeenEncryption,
) -> Call {
    let body = json!({
        "identity": attached(new, identity),
        "properties": { "encryption": encryption_body(bound, encryption) },
    });
    Call::send(Method::Patch, Effect::Write, id.to_string(), API_VERSION, body)
}

fn encryption_body(bound: Bound<'_>, current: &SeenEncryption) -> Value {
    let Bound { host, key, version, who } = bound;
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
            "keyversion": version,
        },
    });
    if current.infrastructure == Some(true) {
        encryption["requireInfrastructureEncryption"] = json!(true);
    }
    let by_user = current.binding.as_ref().is_some_and(|binding| binding.user_assigned_identity.is_some());
    match who {
        // Empty means the system-assigned identity; left out, the old one would stay.
        Who::System(_) if by_user => encryption["identity"] = json!({ "userAssignedIdentity": "" }),
        Who::System(_) => {}
        Who::User(identity) => encryption["identity"] = json!({ "userAssignedIdentity": identity.to_string() }),
    }
    encryption
}

/// Hands an account's encryption back to a key that Microsoft manages, and touches nothing else.
pub fn leave_key(id: &AccountId, current: &SeenEncryption) -> Call {
    let mut encryption = json!({
        "services": {
            "blob": { "enabled": true, "keyType": "Account" },
            "file": { "enabled": true, "keyType": "Account" },
        },
        "keySource": "Microsoft.Storage",
    });
    if current.infrastructure == Some(true) {
        encryption["requireInfrastructureEncryption"] = json!(true);
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

const MICROSOFT_MANAGED: SeenEncryption = SeenEncryption { binding: None, infrastructure: None };

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{GroupId, GroupName, IdentityId, IdentityName};

    const SUBSCRIPTION: &str = "abcdef00-0000-0000-0000-000000000000";
    const VERSION: &str = "0123456789abcdef0123456789abcdef";

    fn id() -> AccountId {
        let subscription = SubscriptionId::parse(SUBSCRIPTION).unwrap();
        let group = GroupId { subscription, name: GroupName::parse("rg").unwrap() };
        AccountId { group, name: AccountName::parse("st1").unwrap() }
    }

    fn account(identity: &Value, encryption: &Value) -> Value {
        json!({
            "id": format!("/subscriptions/{SUBSCRIPTION}/resourcegroups/rg/providers/Microsoft.Storage/storageAccounts/st1"),
            "location": "westeurope", "kind": "StorageV2", "sku": { "name": "Standard_LRS", "tier": "Standard" },
            "identity": identity, "properties": { "provisioningState": "Succeeded", "encryption": encryption },
        })
    }

    fn bound(version: &Value) -> Value {
        json!({ "keySource": "Microsoft.Keyvault", "identity": { "userAssignedIdentity": "" }, "keyvaultproperties": {
            "keyname": "main", "keyversion": version, "keyvaulturi": "https://Kv.vault.azure.net/",
            "currentVersionedKeyIdentifier": format!("https://kv.vault.azure.net/keys/main/{VERSION}"),
            "currentVersionedKeyExpirationTimestamp": "1970-01-01T00:00:00.0000000Z",
        } })
    }

    #[test]
    fn a_system_identity_is_added_to_those_that_are_there() {
        let kind = |user_assigned: &[&str]| {
            let user_assigned = user_assigned.iter().map(|id| (*id).to_owned()).collect();
            let new = Identities { system: true, ..Identities::default() };
            let call = attach(&id(), &new, &SeenIdentity { user_assigned, ..SeenIdentity::default() });
            assert_eq!(call.method, Method::Patch);
            call.body.unwrap()
        };
        assert_eq!(kind(&[]), json!({ "identity": { "type": "SystemAssigned" } }));
        assert_eq!(kind(&["/uami"]), json!({ "identity": { "type": "SystemAssigned,UserAssigned" } }));
    }

    #[test]
    fn an_identity_is_taken_away_and_all_others_stay() {
        let named = |name: &str| {
            let group = id().group;
            IdentityId { group, name: IdentityName::parse(name).unwrap() }
        };
        let [a, b] = ["id-a", "id-b"].map(named);
        let body = |system: bool, users: &[&IdentityId], gone: Identities, reads_as: Option<&IdentityId>| {
            let user_assigned = users.iter().map(ToString::to_string).collect();
            let system_principal = system.then(|| "p".to_owned());
            let seen = SeenIdentity { system_principal, user_assigned, ..SeenIdentity::default() };
            let mut encryption = bound(&json!(""));
            encryption["identity"]["userAssignedIdentity"] = json!(reads_as.map(ToString::to_string));
            let encryption = read(&account(&Value::Null, &encryption)).unwrap().encryption;
            let call = detach(&id(), &gone, &seen, &encryption);
            assert_eq!((call.method, call.effect), (Method::Patch, Effect::Write));
            call.body.unwrap()["identity"].clone()
        };
        let own = Identities { system: true, ..Identities::default() };
        let user = |one: &IdentityId| Identities { user: [one.clone()].into(), ..Identities::default() };
        // The one that stays and that the key is reached as is named, and no other.
        let map = json!({ b.to_string(): {} });
        let expected = json!({ "type": "UserAssigned", "userAssignedIdentities": map });
        assert_eq!(body(true, &[&a, &b], own.clone(), Some(&b)), expected);
        let map = json!({ a.to_string(): null, b.to_string(): {} });
        let expected = json!({ "type": "SystemAssigned,UserAssigned", "userAssignedIdentities": map });
        assert_eq!(body(true, &[&a, &b], user(&a), None), expected);
        assert_eq!(body(true, &[&a], user(&a), None), json!({ "type": "SystemAssigned" }));
        assert_eq!(body(false, &[&a], user(&a), None), json!({ "type": "None" }));
        assert_eq!(body(true, &[], own, None), json!({ "type": "None" }));
    }

    #[test]
    fn a_key_without_a_version_is_sent_with_an_empty_one() {
        let key = KeyName::parse("main").unwrap();
        let sent = |version, current| {
            let bound = Bound { host: "kv.vault.azure.net", key: &key, version, who: &Who::System(id()) };
            let call = set_encryption(&id(), bound, current);
            assert_eq!((call.method, call.effect), (Method::Patch, Effect::Write));
            call.body.unwrap()["properties"]["encryption"].clone()
        };
        let encryption = sent("", &MICROSOFT_MANAGED);
        assert_eq!(
            encryption["keyvaultproperties"],
            json!({ "keyname": "main", "keyversion": "", "keyvaulturi": "https://kv.vault.azure.net/" })
        );
        assert_eq!(encryption.get("requireInfrastructureEncryption"), None);
        assert_eq!(encryption.get("identity"), None);
        let doubly = SeenEncryption { infrastructure: Some(true), ..MICROSOFT_MANAGED };
        let encryption = sent(VERSION, &doubly);
        assert_eq!(encryption["keyvaultproperties"]["keyversion"], json!(VERSION));
        assert_eq!(encryption["requireInfrastructureEncryption"], json!(true));
    }

    #[test]
    fn a_binding_through_another_identity_is_moved_to_the_system_one() {
        let mut body = account(&Value::Null, &bound(&json!("")));
        body["properties"]["encryption"]["identity"] = json!({ "userAssignedIdentity": "/uami" });
        let seen = read(&body).unwrap().encryption;
        let (key, who) = (KeyName::parse("main").unwrap(), Who::System(id()));
        let bound = Bound { host: "kv.vault.azure.net", key: &key, version: "", who: &who };
        let call = set_encryption(&id(), bound, &seen);
        assert_eq!(call.body.unwrap()["properties"]["encryption"]["identity"], json!({ "userAssignedIdentity": "" }));
    }

    #[test]
    fn an_empty_version_and_none_are_the_same() {
        for version in [json!(""), json!(null)] {
            let binding = read(&account(&Value::Null, &bound(&version))).unwrap().encryption.binding.unwrap();
            assert_eq!((binding.version, binding.user_assigned_identity), (None, None));
            assert_eq!(binding.current, Some(Version::parse(VERSION).unwrap()));
            assert_eq!(binding.vault_host, "kv.vault.azure.net");
        }
        let binding = read(&account(&Value::Null, &bound(&json!(VERSION)))).unwrap().encryption.binding.unwrap();
        assert_eq!(binding.version, Some(Version::parse(VERSION).unwrap()));
    }

    #[test]
    fn identities_are_read_with_and_without_a_system_one() {
        let both = json!({ "type": "SystemAssigned,UserAssigned", "principalId": "P", "tenantId": "T",
            "userAssignedIdentities": { "/a": { "principalId": "x" }, "/b": {} } });
        let seen = read(&account(&both, &Value::Null)).unwrap();
        assert_eq!(seen.id, id());
        assert_eq!(seen.identity.system_principal.as_deref(), Some("p"));
        assert_eq!(seen.identity.user_assigned, ["/a", "/b"]);
        let none = read(&account(&json!({ "type": "None" }), &json!({ "keySource": "Microsoft.Storage" }))).unwrap();
        assert_eq!((none.identity, none.encryption), (SeenIdentity::default(), MICROSOFT_MANAGED));
    }

    #[test]
    fn a_new_account_is_closed_by_default() {
        let create_as = AccountCreate { sku: "Standard_LRS".to_owned(), kind: "StorageV2".to_owned() };
        let location = Location::parse("westeurope").unwrap();
        let body = create(&id(), &location, &create_as, &Identities { system: true, ..Identities::default() }, None)
            .body
            .unwrap();
        assert_eq!(body["identity"], json!({ "type": "SystemAssigned" }));
        assert_eq!(
            body["properties"],
            json!({ "minimumTlsVersion": "TLS1_2", "supportsHttpsTrafficOnly": true, "allowBlobPublicAccess": false })
        );
        assert_eq!(
            create(&id(), &location, &create_as, &Identities::default(), None).body.unwrap().get("identity"),
            None
        );
    }

    #[test]
    fn a_key_source_that_is_not_known_is_not_taken_for_no_key() {
        let encryption = json!({ "keySource": "Microsoft.Unheard", "keyvaultproperties": null });
        assert!(read(&account(&Value::Null, &encryption)).unwrap_err().contains("Microsoft.Unheard"));
        let mut encryption = bound(&json!(""));
        encryption["keyvaultproperties"]["keyname"] = json!("../secrets");
        assert!(read(&account(&Value::Null, &encryption)).is_err());
    }
}
