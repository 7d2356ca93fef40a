//! Key vaults in ARM: looked at, made, protected, and given entries; never replaced and never deleted.

use super::call::{Call, Effect, Method};
use super::failure::clean;
use super::paths::{read_as, resource};
use crate::model::{
    AccessPolicy, KeyPermission, Location, NameState, PermissionModel, SeenDeletedVault, SeenVault, SubscriptionId,
    VaultCreate, VaultId, VaultName, VaultSku,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use url::Url;

/// Earlier control-plane versions retire on 2027-02-27. This one makes new vaults RBAC by default, so we always
/// send the permission model.
pub(super) const API_VERSION: &str = "2026-02-01";

/// The permission that shows a vault.
pub const READ: &str = "Microsoft.KeyVault/vaults/read";
/// The permission that shows whether a name is free.
pub const READ_NAME: &str = "Microsoft.KeyVault/checkNameAvailability/read";

/// Looks at a vault.
pub fn get(id: &VaultId) -> Call {
    Call::get(id.to_string(), API_VERSION)
}

/// Looks at every vault of a subscription.
pub fn list(subscription: &SubscriptionId) -> Call {
    let path = format!("/subscriptions/{subscription}/providers/Microsoft.KeyVault/vaults");
    Call { thing: None, ..Call::get(path, API_VERSION) }
}

/// Makes a vault that does not exist, with nobody let in yet.
///
/// Only for a vault that was seen to be absent: a PUT on one that is there replaces
/// its access policies. Purge protection is sent as true or not at all, because
/// Azure refuses `false` even at creation.
pub fn create(
    id: &VaultId,
    location: &Location,
    tenant: &str,
    create: &VaultCreate,
    (model, purge_protection): (PermissionModel, bool),
) -> Call {
    let VaultCreate { sku, soft_delete_retention_days } = create;
    let mut properties = json!({
        "tenantId": tenant,
        "sku": { "family": "A", "name": sku.as_str() },
        "accessPolicies": [],
        "enableRbacAuthorization": model == PermissionModel::Rbac,
        "enableSoftDelete": true,
        "softDeleteRetentionInDays": soft_delete_retention_days,
    });
    if purge_protection {
        properties["enablePurgeProtection"] = json!(true);
    }
    let body = json!({ "location": location.as_str(), "properties": properties });
    Call::send(Method::Put, Effect::Write, id.to_string(), API_VERSION, body)
}

/// Brings a deleted vault back as it was: its keys, access policies, tier and protection. Azure asks for a tier, and
/// takes no other property than its own.
///
/// Only for a vault that was seen to be absent: without the mode, the same PUT would replace one that is there.
pub fn recover(id: &VaultId, location: &Location, tenant: &str, sku: VaultSku) -> Call {
    let properties =
        json!({ "tenantId": tenant, "sku": { "family": "A", "name": sku.as_str() }, "createMode": "recover" });
    let body = json!({ "location": location.as_str(), "properties": properties });
    Call::send(Method::Put, Effect::Write, id.to_string(), API_VERSION, body)
}

/// Turns on soft delete and purge protection, for good, and touches nothing else.
pub fn protect(id: &VaultId) -> Call {
    let body = json!({ "properties": { "enableSoftDelete": true, "enablePurgeProtection": true } });
    Call::send(Method::Patch, Effect::Write, id.to_string(), API_VERSION, body)
}

/// Adds our entries to the vault's access policies and leaves every other entry alone.
///
/// Not a PUT of the vault: that replaces the whole list, and an entry that another
/// team added since we looked would be gone. An entry for a principal that has one
/// already adds to its permissions.
pub fn add_access(id: &VaultId, tenant: &str, entries: &[(&str, &BTreeSet<KeyPermission>)]) -> Call {
    let entries: Vec<Value> = entries
        .iter()
        .map(|(object_id, permissions)| {
            let keys: Vec<&str> = permissions.iter().map(|permission| permission.as_str()).collect();
            json!({ "tenantId": tenant, "objectId": object_id, "permissions": { "keys": keys } })
        })
        .collect();
    let body = json!({ "properties": { "accessPolicies": entries } });
    Call::send(Method::Put, Effect::Write, format!("{id}/accessPolicies/add"), API_VERSION, body)
}

/// Takes these key permissions out of one principal's entry, and leaves its others and every other entry alone.
pub fn remove_access(id: &VaultId, tenant: &str, principal: &str, keys: &BTreeSet<&str>) -> Call {
    let entry = json!({ "tenantId": tenant, "objectId": principal, "permissions": { "keys": keys } });
    let body = json!({ "properties": { "accessPolicies": [entry] } });
    Call::send(Method::Put, Effect::Write, format!("{id}/accessPolicies/remove"), API_VERSION, body)
}

/// Asks whether a vault's name is free. A POST that changes nothing.
pub fn check_name(subscription: &SubscriptionId, name: &VaultName) -> Call {
    let body = json!({ "name": name.as_str(), "type": "Microsoft.KeyVault/vaults" });
    let path = format!("/subscriptions/{subscription}/providers/Microsoft.KeyVault/checkNameAvailability");
    Call::send(Method::Post, Effect::Read, path, API_VERSION, body)
}

/// Looks for a deleted vault of this subscription.
pub fn get_deleted(subscription: &SubscriptionId, location: &Location, name: &VaultName) -> Call {
    let path =
        format!("/subscriptions/{subscription}/providers/Microsoft.KeyVault/locations/{location}/deletedVaults/{name}");
    Call::get(path, API_VERSION)
}

/// Looks at every deleted vault of a subscription, whatever region it is in.
pub fn list_deleted(subscription: &SubscriptionId) -> Call {
    let path = format!("/subscriptions/{subscription}/providers/Microsoft.KeyVault/deletedVaults");
    // What it lists has its id under the region that it was deleted in.
    Call { thing: None, ..Call::get(path, API_VERSION) }
}

#[derive(Deserialize)]
struct Wire {
    id: String,
    location: String,
    properties: Properties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    tenant_id: String,
    sku: Sku,
    access_policies: Option<Vec<Entry>>,
    enable_soft_delete: Option<bool>,
    soft_delete_retention_in_days: Option<u8>,
    enable_purge_protection: Option<bool>,
    enable_rbac_authorization: Option<bool>,
    vault_uri: Option<String>,
    provisioning_state: Option<String>,
}

#[derive(Deserialize)]
struct Sku {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    object_id: String,
    application_id: Option<String>,
    permissions: Option<Permissions>,
}

#[derive(Deserialize)]
struct Permissions {
    keys: Option<Vec<String>>,
}

/// Reads a vault.
pub fn read(body: &Value) -> Result<SeenVault, String> {
    let wire: Wire = read_as(body, "the vault")?;
    let (group, name) = resource(&wire.id, "Microsoft.KeyVault/vaults")?;
    let name = VaultName::parse(name).map_err(|error| format!("the vault's name {error}"))?;
    let properties = wire.properties;
    let uri = properties.vault_uri.as_deref().ok_or("the vault has no vaultUri")?;
    let rbac = properties.enable_rbac_authorization.unwrap_or(false);
    Ok(SeenVault {
        id: VaultId { group, name },
        location: Location::parse(&wire.location).map_err(|error| format!("the vault's location {error}"))?,
        tenant: properties.tenant_id.to_ascii_lowercase(),
        sku: clean(&properties.sku.name),
        // Absent only on vaults from before soft delete was always on.
        soft_delete: properties.enable_soft_delete.unwrap_or(false),
        soft_delete_retention_days: properties.soft_delete_retention_in_days,
        purge_protection: properties.enable_purge_protection.unwrap_or(false),
        permission_model: if rbac { PermissionModel::Rbac } else { PermissionModel::AccessPolicies },
        access_policies: properties.access_policies.unwrap_or_default().into_iter().map(policy).collect(),
        role_assignments: None,
        host: host_of(uri)?,
        provisioning_state: properties.provisioning_state.map_or_else(|| "Succeeded".to_owned(), |state| clean(&state)),
    })
}

/// Reads the entries in the answer of [`add_access`]: those of the principals that it named, merged.
pub fn read_added(body: &Value) -> Result<Vec<AccessPolicy>, String> {
    #[derive(Deserialize)]
    struct Added {
        properties: AddedProperties,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct AddedProperties {
        access_policies: Vec<Entry>,
    }
    let added: Added = read_as(body, "the list of access policies")?;
    Ok(added.properties.access_policies.into_iter().map(policy).collect())
}

fn policy(entry: Entry) -> AccessPolicy {
    AccessPolicy {
        object_id: entry.object_id.to_ascii_lowercase(),
        application_id: entry.application_id.filter(|id| !id.is_empty()).map(|id| id.to_ascii_lowercase()),
        keys: entry.permissions.and_then(|permissions| permissions.keys).unwrap_or_default().into_iter().collect(),
    }
}

/// The host in a vault's URI, which comes with and without a slash at its end.
pub(super) fn host_of(uri: &str) -> Result<String, String> {
    let url = Url::parse(uri).map_err(|_| format!("`{uri}` is not a URL"))?;
    url.host_str().map(str::to_ascii_lowercase).ok_or_else(|| format!("`{uri}` has no host"))
}

/// Reads whether a name is free; for vaults and accounts alike.
pub fn read_name(body: &Value) -> Result<NameState, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire {
        name_available: bool,
        reason: Option<String>,
        message: Option<String>,
    }
    let wire: Wire = read_as(body, "whether the name is free")?;
    if wire.name_available {
        return Ok(NameState::Free);
    }
    let said = wire.message.or(wire.reason).unwrap_or_else(|| "the name is not available".to_owned());
    Ok(NameState::Taken(clean(&said)))
}

/// Reads a deleted vault.
pub fn read_deleted(body: &Value) -> Result<SeenDeletedVault, String> {
    #[derive(Deserialize)]
    struct Wire {
        properties: Deleted,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Deleted {
        vault_id: Option<String>,
        location: Option<String>,
        scheduled_purge_date: Option<String>,
    }
    let Deleted { vault_id, location, scheduled_purge_date } = read_as::<Wire>(body, "the deleted vault")?.properties;
    let was = vault_id.and_then(|id| {
        let (group, name) = resource(&id, "Microsoft.KeyVault/vaults").ok()?;
        Some(VaultId { group, name: VaultName::parse(name).ok()? })
    });
    let location = location.and_then(|location| Location::parse(&location).ok());
    Ok(SeenDeletedVault { scheduled_purge: scheduled_purge_date.map(|date| clean(&date)), was, location })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{GroupId, GroupName, VaultSku};

    const SUBSCRIPTION: &str = "abcdef00-0000-0000-0000-000000000000";

    fn id() -> VaultId {
        let subscription = SubscriptionId::parse(SUBSCRIPTION).unwrap();
        let group = GroupId { subscription, name: GroupName::parse("rg").unwrap() };
        VaultId { group, name: VaultName::parse("Kv-Prod").unwrap() }
    }

    #[test]
    fn a_new_vault_states_its_permission_model_and_never_refuses_protection() {
        let location = Location::parse("westeurope").unwrap();
        let wanted = VaultCreate { sku: VaultSku::Standard, soft_delete_retention_days: 90 };
        let call = create(&id(), &location, "t", &wanted, (PermissionModel::AccessPolicies, false));
        assert_eq!((call.method, call.effect), (Method::Put, Effect::Write));
        let properties = &call.body.unwrap()["properties"];
        assert_eq!(properties["enableRbacAuthorization"], json!(false));
        assert_eq!(properties["accessPolicies"], json!([]));
        assert_eq!(properties.get("enablePurgeProtection"), None);
        let properties = &create(&id(), &location, "t", &wanted, (PermissionModel::AccessPolicies, true)).body.unwrap()
            ["properties"];
        assert_eq!(properties["enablePurgeProtection"], json!(true));
    }

    #[test]
    fn entries_are_added_by_the_one_call_that_replaces_nothing() {
        let call = add_access(&id(), "t", &[("p", &KeyPermission::needed())]);
        assert!(call.path.ends_with("/vaults/Kv-Prod/accessPolicies/add"));
        let entry =
            json!({ "tenantId": "t", "objectId": "p", "permissions": { "keys": ["get", "wrapKey", "unwrapKey"] } });
        assert_eq!(call.body, Some(json!({ "properties": { "accessPolicies": [entry] } })));
    }

    #[test]
    fn protecting_sends_two_fields() {
        let call = protect(&id());
        assert_eq!(call.method, Method::Patch);
        assert_eq!(
            call.body,
            Some(json!({ "properties": { "enableSoftDelete": true, "enablePurgeProtection": true } }))
        );
    }

    #[test]
    fn a_vault_is_read_with_what_azure_leaves_out() {
        let body = json!({
            "id": format!("/subscriptions/{SUBSCRIPTION}/resourcegroups/RG/providers/Microsoft.KeyVault/vaults/kv-prod"),
            "location": "westus2",
            "properties": {
                "tenantId": "T-1", "sku": { "family": "A", "name": "standard" }, "enableSoftDelete": true,
                "enableRbacAuthorization": null, "vaultUri": "https://Kv-Prod.vault.azure.net",
                "accessPolicies": [
                    { "tenantId": "t", "objectId": "ABC", "permissions": { "keys": ["all"], "secrets": ["get"] } },
                    { "tenantId": "t", "objectId": "d", "applicationId": "E", "permissions": {} },
                ],
            },
        });
        let seen = read(&body).unwrap();
        assert_eq!(seen.id, id());
        assert_eq!((seen.host.as_str(), seen.tenant.as_str()), ("kv-prod.vault.azure.net", "t-1"));
        assert!(seen.soft_delete && !seen.purge_protection && seen.is_ready());
        assert_eq!(seen.permission_model, PermissionModel::AccessPolicies);
        assert_eq!(seen.access_policies[0].object_id, "abc");
        assert!(seen.access_policies[0].allows("abc", KeyPermission::UnwrapKey));
        assert_eq!(seen.access_policies[1].application_id.as_deref(), Some("e"));
    }

    #[test]
    fn a_name_that_is_taken_says_why() {
        assert_eq!(read_name(&json!({ "nameAvailable": true })), Ok(NameState::Free));
        let taken = json!({ "nameAvailable": false, "reason": "AlreadyExists", "message": "Taken." });
        assert_eq!(read_name(&taken), Ok(NameState::Taken("Taken.".to_owned())));
        assert!(read_name(&json!({})).is_err());
    }
}
