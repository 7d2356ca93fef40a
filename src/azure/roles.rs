//! Role assignments: looked at, made, and taken away again one by one by those who made them.

use super::call::{Call, Effect, Method};
use super::paths::read_as;
use crate::model::{ENCRYPTION_USER, RoleAssignment, VaultId};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// Stable, and in recorded traffic.
const API_VERSION: &str = "2022-04-01";

/// The permission that shows role assignments.
pub const READ: &str = "Microsoft.Authorization/roleAssignments/read";

/// The names of assignments that `cmk` makes are drawn from what they say, in a namespace of their own.
const NAMES: Uuid = Uuid::from_u128(0x6d7f_0c1e_52f5_4c6e_9a53_1f0b_c0de_c3a1);

/// Looks at every role assignment at a vault, above it and inside it.
pub fn list(vault: &VaultId) -> Call {
    Call { thing: None, ..Call::get(format!("{vault}/providers/Microsoft.Authorization/roleAssignments"), API_VERSION) }
}

/// Assigns the role that storage needs to a managed identity, at a vault or at a key of it.
///
/// Its name follows from scope, role and principal, so the same assignment made twice is one. The kind of the
/// principal is always sent: without it Azure looks an identity up in a directory that may not have heard of it yet,
/// and answers `PrincipalNotFound`.
pub fn assign(scope: &str, subscription: &str, principal: &str) -> Call {
    let role =
        format!("/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{ENCRYPTION_USER}");
    let path = format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{}", name(scope, principal));
    let properties = json!({ "roleDefinitionId": role, "principalId": principal, "principalType": "ServicePrincipal" });
    Call::send(Method::Put, Effect::CreateIfAbsent, path, API_VERSION, json!({ "properties": properties }))
}

/// Takes one assignment away. On one that is gone it does nothing, by contract.
pub fn unassign(id: &str) -> Call {
    Call { method: Method::Delete, effect: Effect::Write, thing: None, ..Call::get(id.to_owned(), API_VERSION) }
}

fn name(scope: &str, principal: &str) -> Uuid {
    let text = format!("{scope}|{ENCRYPTION_USER}|{principal}").to_ascii_lowercase();
    Uuid::new_v5(&NAMES, text.as_bytes())
}

/// Reads an assignment.
pub fn read(body: &Value) -> Result<RoleAssignment, String> {
    #[derive(Deserialize)]
    struct Wire {
        id: String,
        properties: Properties,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Properties {
        scope: String,
        role_definition_id: String,
        principal_id: String,
        condition: Option<String>,
    }
    let Wire { id, properties } = read_as(body, "the role assignment")?;
    let Properties { scope, role_definition_id, principal_id, condition } = properties;
    let role = role_definition_id.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let is_conditional = condition.is_some_and(|condition| !condition.is_empty());
    Ok(RoleAssignment { id, scope, role, principal: principal_id.to_ascii_lowercase(), is_conditional })
}

#[cfg(test)]
mod tests {
    use super::*;

    const VAULT: &str = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv1";

    #[test]
    fn the_same_assignment_has_the_same_name_however_it_is_spelled() {
        let one = assign(VAULT, "s", "P1");
        assert_eq!(one.path, assign(VAULT, "s", "p1").path);
        assert_ne!(one.path, assign(VAULT, "s", "p2").path);
        assert_eq!(one.effect, Effect::CreateIfAbsent);
        let properties = &one.body.unwrap()["properties"];
        assert_eq!(properties["principalType"], "ServicePrincipal");
        assert!(properties["roleDefinitionId"].as_str().unwrap().ends_with(ENCRYPTION_USER));
    }

    #[test]
    fn an_assignment_is_read_and_says_how_far_it_reaches() {
        let body = json!({ "id": format!("{VAULT}/providers/Microsoft.Authorization/roleAssignments/n"), "properties": {
            "scope": "/subscriptions/S/resourceGroups/RG", "principalId": "ABC", "condition": null,
            "roleDefinitionId": format!("/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/{ENCRYPTION_USER}"),
        }});
        let seen = read(&body).unwrap();
        assert!(seen.lets_unwrap("abc", VAULT) && seen.is_inherited_by(VAULT));
        assert!(seen.lets_unwrap("ABC", &format!("{VAULT}/keys/main")));
        assert!(!seen.lets_unwrap("abc", "/subscriptions/s/resourceGroups/rg2"));
        assert!(!seen.lets_unwrap("other", VAULT));
        let conditional = RoleAssignment { is_conditional: true, ..seen };
        assert!(!conditional.lets_unwrap("abc", VAULT));
    }
}
