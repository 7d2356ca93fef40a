//! Resource groups: looked at and made, never changed and never deleted.

use super::call::{Call, Effect, Method};
use super::failure::clean;
use super::paths::{has_id, read_as};
use crate::model::{GroupId, Location, SeenGroup};
use serde::Deserialize;
use serde_json::{Value, json};

/// Generally available and in recorded traffic; what we read has not changed since 2016.
const API_VERSION: &str = "2022-09-01";

/// The permission that shows a group.
pub const READ: &str = "Microsoft.Resources/subscriptions/resourceGroups/read";

/// Looks at a group.
pub fn get(id: &GroupId) -> Call {
    Call::get(id.to_string(), API_VERSION)
}

/// Makes a group. A write, not create-if-absent: on a group that is there it replaces the tags.
pub fn create(id: &GroupId, location: &Location) -> Call {
    Call::send(Method::Put, Effect::Write, id.to_string(), API_VERSION, json!({ "location": location.as_str() }))
}

/// Reads a group.
pub fn read(body: &Value) -> Result<SeenGroup, String> {
    #[derive(Deserialize)]
    struct Wire {
        location: String,
        properties: Option<Properties>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Properties {
        provisioning_state: Option<String>,
    }
    has_id(body, "the resource group")?;
    let wire: Wire = read_as(body, "the resource group")?;
    let location = Location::parse(&wire.location).map_err(|error| format!("the group's location {error}"))?;
    let state = wire.properties.and_then(|properties| properties.provisioning_state);
    Ok(SeenGroup { location, provisioning_state: state.map_or_else(|| "Succeeded".to_owned(), |state| clean(&state)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_read() {
        let seen = read(&json!({"id": "/g", "location": "West US 2", "properties": {"provisioningState": "Deleting"}}))
            .unwrap();
        assert_eq!((seen.location.as_str(), seen.provisioning_state.as_str()), ("westus2", "Deleting"));
        assert!(read(&json!({"id": "/g"})).is_err());
        assert_eq!(read(&json!({"location": "westus2"})).unwrap_err(), "the resource group has no id");
    }
}
