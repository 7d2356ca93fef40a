//! Management locks: read only. What a lock forbids is the planner's business.

use super::call::Call;
use super::failure::clean;
use super::paths::read_as;
use crate::model::{SeenLock, SubscriptionId};
use serde::Deserialize;
use serde_json::Value;

/// The current version; the list has had this shape since 2015.
const API_VERSION: &str = "2020-05-01";

/// The permission that shows locks.
pub const READ: &str = "Microsoft.Authorization/locks/read";

/// Lists the locks of a subscription: on itself, on its groups and on their resources.
pub fn list(subscription: &SubscriptionId) -> Call {
    let path = format!("/subscriptions/{subscription}/providers/Microsoft.Authorization/locks");
    // What it lists lies anywhere in the subscription, not under the path of the list.
    Call { thing: None, ..Call::get(path, API_VERSION) }
}

/// What stands between a lock's scope and its name.
const BETWEEN: &str = "/providers/microsoft.authorization/locks/";

/// Reads one lock. Its scope is what its id begins with.
pub fn read(body: &Value) -> Result<SeenLock, String> {
    #[derive(Deserialize)]
    struct Wire {
        id: String,
        name: Option<String>,
        properties: Properties,
    }
    #[derive(Deserialize)]
    struct Properties {
        level: String,
        notes: Option<String>,
    }
    let wire: Wire = read_as(body, "the lock")?;
    let end = wire.id.to_ascii_lowercase().rfind(BETWEEN).ok_or_else(|| format!("`{}` is no lock's id", wire.id))?;
    let named = &wire.id[end + BETWEEN.len()..];
    Ok(SeenLock {
        scope: clean(&wire.id[..end]),
        name: clean(wire.name.as_deref().unwrap_or(named)),
        level: clean(&wire.properties.level),
        notes: wire.properties.notes.map(|notes| clean(&notes)).filter(|notes| !notes.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_lock_is_on_what_its_id_begins_with() {
        let id = "/subscriptions/s/resourcegroups/rg/providers/Microsoft.Authorization/locks/no-changes";
        let lock = json!({ "id": id, "name": "no-changes", "properties": { "level": "ReadOnly", "notes": "" } });
        let seen = read(&lock).unwrap();
        assert_eq!((seen.scope.as_str(), seen.name.as_str()), ("/subscriptions/s/resourcegroups/rg", "no-changes"));
        assert_eq!((seen.level.as_str(), seen.notes), ("ReadOnly", None));
        assert!(read(&json!({ "id": "/subscriptions/s", "properties": { "level": "ReadOnly" } })).is_err());
    }
}
