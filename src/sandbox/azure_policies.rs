//! Azure Policy, as far as it forbids: a few rules that estates with keys often have, assigned at a scope by a seed.
//!
//! There is no API for them here. Who is told of them is whoever breaks them, in Azure's own words.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::account::View;
use super::assignments::covers;
use super::wire::{Answer, Ask};
use super::{Millis, World, regions};

/// A policy in force at a scope and below.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Assignment {
    pub scope: String,
    pub name: String,
    pub display_name: String,
    pub rule: Rule,
    /// The regions of [`Rule::AllowedLocations`].
    pub locations: Vec<String>,
}

/// What a policy demands. Each is a definition of Azure's own, by its id there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Rule {
    /// Accounts are encrypted with a customer-managed key.
    CustomerManagedKey,
    /// Accounts allow no public access to blobs.
    NoPublicBlobAccess,
    /// Resources are in one of some regions.
    AllowedLocations,
}

impl Rule {
    const fn definition(self) -> (&'static str, &'static str) {
        match self {
            Self::CustomerManagedKey => (
                "6fac406b-40ca-413b-bf8e-0bf964659c25",
                "Storage accounts should use customer-managed key for encryption",
            ),
            Self::NoPublicBlobAccess => {
                ("4fa4b6c0-31ca-4c0d-b10d-24b96f62a751", "Storage account public access should be disallowed")
            }
            Self::AllowedLocations => ("e56962a6-4747-49cd-b67b-bf8b01975c4c", "Allowed locations"),
        }
    }
}

impl Assignment {
    /// Whether a resource, as it would be, is what the rule demands.
    fn is_kept(&self, kind: &str, resource: &Value) -> bool {
        let is_account = kind == "storageaccounts";
        let said = |pointer: &str| resource.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        match self.rule {
            Rule::CustomerManagedKey => {
                !is_account || said("/properties/encryption/keySource").eq_ignore_ascii_case("Microsoft.Keyvault")
            }
            Rule::NoPublicBlobAccess => {
                !is_account || resource.pointer("/properties/allowBlobPublicAccess") == Some(&json!(false))
            }
            Rule::AllowedLocations => {
                let location = regions::plain(said("/location"));
                self.locations.iter().any(|one| regions::plain(one) == location)
            }
        }
    }
}

/// Refuses to make or change an account or a vault into what a policy forbids.
pub(super) fn check(world: &World, now: Millis, ask: &Ask) -> Result<(), Answer> {
    if world.state.policies.is_empty() || !["PUT", "PATCH"].contains(&ask.method.as_str()) {
        return Ok(());
    }
    let lower = ask.path_lower();
    let [_, _, _, _, _, _, kind, name] = lower.as_slice() else { return Ok(()) };
    let present = match kind.as_str() {
        "storageaccounts" => world.state.accounts.get(name).map(|account| account.body(now, View::Single)),
        "vaults" => world.state.vaults.get(name).map(|vault| vault.body(now)),
        _ => return Ok(()),
    };
    let mut resource = present.unwrap_or_default();
    merge(&mut resource, ask.object()?);
    let path: String = ask.path.iter().flat_map(|segment| ["/", segment]).collect();
    let here = world.state.policies.iter().filter(|policy| covers(&policy.scope, &path));
    let broken: Vec<&Assignment> = here.filter(|policy| !policy.is_kept(kind, &resource)).collect();
    if broken.is_empty() { Ok(()) } else { Err(disallowed(&ask.path[7], &broken)) }
}

/// What is sent over what is there, member by member.
fn merge(into: &mut Value, sent: Value) {
    match (into, sent) {
        (Value::Object(into), Value::Object(sent)) => {
            for (name, value) in sent {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, sent) => *into = sent,
    }
}

fn disallowed(name: &str, broken: &[&Assignment]) -> Answer {
    let ids = |policy: &Assignment| {
        let (id, shown) = policy.rule.definition();
        let assignment =
            format!("{}/providers/Microsoft.Authorization/policyAssignments/{}", policy.scope, policy.name);
        (assignment, format!("/providers/Microsoft.Authorization/policyDefinitions/{id}"), id, shown)
    };
    let identifiers: Vec<Value> = broken
        .iter()
        .map(|policy| {
            let (assignment, definition, _, shown) = ids(policy);
            json!({
                "policyAssignment": {"name": policy.display_name, "id": assignment},
                "policyDefinition": {"name": shown, "id": definition},
            })
        })
        .collect();
    let told: Vec<Value> = broken
        .iter()
        .map(|policy| {
            let (assignment, definition, id, shown) = ids(policy);
            let info = json!({
                "policyDefinitionDisplayName": shown, "policyDefinitionId": definition, "policyDefinitionName": id,
                "policyDefinitionEffect": "Deny", "policyAssignmentId": assignment,
                "policyAssignmentName": policy.name, "policyAssignmentDisplayName": policy.display_name,
                "policyAssignmentScope": policy.scope, "policyAssignmentParameters": {},
            });
            json!({"type": "PolicyViolation", "info": info})
        })
        .collect();
    let identifiers = Value::Array(identifiers);
    let text = format!("Resource '{name}' was disallowed by policy. Policy identifiers: '{identifiers}'.");
    let error = json!({"code": "RequestDisallowedByPolicy", "target": name, "message": text, "additionalInfo": told});
    Answer::json(403, json!({"error": error})).gateway()
}
