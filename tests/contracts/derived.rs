//! Which of the schemas that were derived from Microsoft's type definitions an exchange falls under.

use std::path::Path;

use serde_json::Value;

use super::{Exchange, Side, openapi};

/// A schema without its name, which is not the address that it would have to be. Those of answers allow for whatever
/// Azure may add one day; the sandbox adds nothing, so they are closed.
pub(super) fn read(file: &Path) -> Value {
    let mut schema = openapi::read(file);
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("$id");
    }
    close(&mut schema);
    schema
}

/// Lets nothing be there that is not declared, wherever something is.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(close);
            let declares = members
                .get("properties")
                .is_some_and(|declared| declared.as_object().is_some_and(|all| !all.is_empty()));
            if declares && members.get("type").is_some_and(|kind| kind == "object") {
                members.entry("additionalProperties").or_insert(Value::Bool(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The name of the file for a body, as far as such files exist: whole resources, by type and version.
pub(super) fn file(exchange: &Exchange, side: Side) -> Option<String> {
    let Exchange { method, path, api_version, .. } = exchange;
    let whole = match side {
        Side::Request => method == "PUT",
        Side::Answer => ["GET", "PUT", "PATCH"].contains(&method.as_str()),
    };
    let providers = path.iter().rposition(|segment| segment.eq_ignore_ascii_case("providers"))?;
    let [namespace, rest @ ..] = &path[providers + 1..] else { return None };
    // A resource has as many names as kinds; a list has one name less.
    if !whole || rest.is_empty() || rest.len() % 2 != 0 {
        return None;
    }
    let kinds = rest.iter().step_by(2).map(|kind| spelt(kind)).collect::<Vec<&str>>().join("_");
    let side = if side == Side::Request { "request" } else { "response" };
    Some(format!("{}_{kinds}@{api_version}.{side}.schema.json", spelt(namespace)))
}

/// As the files spell it, however the client did.
fn spelt(segment: &str) -> &str {
    let known = [
        "Microsoft.Authorization",
        "Microsoft.KeyVault",
        "Microsoft.ManagedIdentity",
        "Microsoft.Storage",
        "roleAssignments",
        "vaults",
        "accessPolicies",
        "keys",
        "locations",
        "deletedVaults",
        "userAssignedIdentities",
        "storageAccounts",
        "encryptionScopes",
    ];
    known.into_iter().find(|one| one.eq_ignore_ascii_case(segment)).unwrap_or(segment)
}
