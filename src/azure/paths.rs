//! ARM ids in text, read without regard to case, as Azure compares them. Knows no services.

use crate::model::{GroupId, GroupName, SubscriptionId};
use serde_json::Value;

/// Reads `/subscriptions/…/resourceGroups/…/providers/{kind}/{name}` into the group and the name.
///
/// Azure gives back ids in whatever case a client once wrote: `resourcegroups` is common.
pub(super) fn resource<'a>(id: &'a str, kind: &str) -> Result<(GroupId, &'a str), String> {
    let wrong = || format!("`{id}` is not the id of a {kind}");
    let parts: Vec<&str> = id.trim_matches('/').split('/').collect();
    let [subscriptions, subscription, groups, group, providers, namespace, collection, name] = parts[..] else {
        return Err(wrong());
    };
    let fixed = subscriptions.eq_ignore_ascii_case("subscriptions")
        && groups.eq_ignore_ascii_case("resourceGroups")
        && providers.eq_ignore_ascii_case("providers")
        && format!("{namespace}/{collection}").eq_ignore_ascii_case(kind);
    if !fixed {
        return Err(wrong());
    }
    let subscription = SubscriptionId::parse(subscription).map_err(|_| wrong())?;
    let group = GroupName::parse(group).map_err(|_| wrong())?;
    Ok((GroupId { subscription, name: group }, name))
}

/// Reads a body into a wire type; the error says what was being read.
pub(super) fn read_as<T: serde::de::DeserializeOwned>(body: &Value, what: &str) -> Result<T, String> {
    T::deserialize(body).map_err(|error| format!("{what} cannot be read: {error}"))
}

/// The id that Azure gives every thing. Without one an answer cannot be held against what was asked for.
pub(super) fn has_id(body: &Value, what: &str) -> Result<(), String> {
    let id = body.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
    id.map(drop).ok_or_else(|| format!("{what} has no id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_in_any_case() {
        let id = "/subscriptions/ABCDEF00-0000-0000-0000-000000000000/resourcegroups/RG/providers/microsoft.keyvault/Vaults/Kv";
        let (group, name) = resource(id, "Microsoft.KeyVault/vaults").unwrap();
        assert_eq!(group.to_string(), "/subscriptions/abcdef00-0000-0000-0000-000000000000/resourceGroups/RG");
        assert_eq!(name, "Kv");
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        for wrong in ["", "/subscriptions/x", "/subscriptions/abcdef00-0000-0000-0000-000000000000/resourceGroups/rg"] {
            assert!(resource(wrong, "Microsoft.KeyVault/vaults").is_err(), "{wrong}");
        }
    }
}
