//! User-assigned identities in ARM: looked at and made, never changed and never deleted.

use super::call::{Call, Effect, Method};
use super::paths::{has_id, read_as, resource};
use crate::model::{IdentityId, IdentityName, Location, SeenUserIdentity};
use serde::Deserialize;
use serde_json::{Value, json};

/// Generally available and in recorded traffic.
const API_VERSION: &str = "2023-01-31";

/// The permission that shows an identity.
pub const READ: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/read";

/// Looks at an identity.
pub fn get(id: &IdentityId) -> Call {
    Call::get(id.to_string(), API_VERSION)
}

/// Makes an identity. A write, not create-if-absent: on one that is there it replaces the tags.
pub fn create(id: &IdentityId, location: &Location) -> Call {
    Call::send(Method::Put, Effect::Write, id.to_string(), API_VERSION, json!({ "location": location.as_str() }))
}

#[derive(Deserialize)]
struct Wire {
    properties: Properties,
}

#[derive(Deserialize)]
struct Properties {
    #[serde(rename = "principalId")]
    principal: Option<String>,
    #[serde(rename = "clientId")]
    client: Option<String>,
    #[serde(rename = "tenantId")]
    tenant: Option<String>,
}

/// Reads the ARM id of an identity.
pub fn id(text: &str) -> Result<IdentityId, String> {
    let (group, name) = resource(text, "Microsoft.ManagedIdentity/userAssignedIdentities")?;
    let name = IdentityName::parse(name).map_err(|error| format!("the identity's name {error}"))?;
    Ok(IdentityId { group, name })
}

/// Reads an identity.
pub fn read(body: &Value) -> Result<SeenUserIdentity, String> {
    has_id(body, "the identity")?;
    let Wire { properties: Properties { principal, client, tenant } } = read_as(body, "the identity")?;
    let guid = |text: Option<String>| text.filter(|text| !text.is_empty()).map(|text| text.to_ascii_lowercase());
    let principal = guid(principal).ok_or("the identity has no principalId")?;
    Ok(SeenUserIdentity { principal, client: guid(client), tenant: guid(tenant) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_read() {
        let seen = read(&json!({"id": "/i", "properties": {"principalId": "P", "clientId": "C", "tenantId": ""}}));
        let wanted = SeenUserIdentity { principal: "p".to_owned(), client: Some("c".to_owned()), tenant: None };
        assert_eq!(seen, Ok(wanted));
        assert!(read(&json!({"id": "/i", "properties": {}})).is_err());
    }
}
