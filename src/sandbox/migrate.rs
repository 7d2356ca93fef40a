//! Worlds of earlier versions of the state file, brought up to the newest.
//!
//! A step works on the JSON and says by hand what is new: it has to stay right while the types go on.

use serde_json::{Value, json};

/// Brings a world from a version of the format to the newest. A world that is not one is left for its reader to
/// refuse.
pub(super) fn to_newest(version: u64, world: &mut Value) {
    if version < 2 {
        who_may_do_what(world);
        what_is_remembered(world);
    }
    if version < 3 {
        whose_it_is(world);
    }
}

/// Version 2 knew one directory and two subscriptions.
fn whose_it_is(world: &mut Value) {
    let tenant = "7e57ab1e-0000-4000-8000-00000000d1e5";
    let subscription = |id: &str, name: &str| json!({"id": id, "name": name, "state": "Enabled"});
    let directory = json!({
        "tenant": tenant, "name": "Sandbox", "domain": "sandbox.test",
        "subscriptions": [
            subscription("11111111-1111-1111-1111-111111111111", "Practice one"),
            subscription("22222222-2222-2222-2222-222222222222", "Practice two"),
        ],
    });
    set(world, "/state", "directory", directory);
    let kinds = [("vaults", ""), ("deleted_vaults", "/vault"), ("accounts", ""), ("identities", "")];
    for (kind, inside) in kinds {
        let all = world.pointer_mut(&format!("/state/{kind}")).and_then(Value::as_object_mut);
        for one in all.into_iter().flat_map(serde_json::Map::values_mut) {
            set(one, inside, "tenant", json!(tenant));
        }
    }
}

/// Version 1 had one caller, who could do everything, and one domain.
fn who_may_do_what(world: &mut Value) {
    set(world, "", "domain", json!("sandbox"));
    set(world, "/pace", "principal_replication", json!(2_000));
    let owner = "0b1ec71d-0000-4000-8000-000000000002";
    let secret = "b13f2617dab0675b327f530afe2ec574b6ac8d88a135e9a1d59999f0a587ea70";
    let application = json!({
        "object": owner, "application": "c11e47ed-0000-4000-8000-000000000001", "name": "cmk-practice", "born": 0,
        "kind": {"application": {"secret": secret}},
    });
    set(world, "/state", "principals", json!({owner: application}));
    let subscriptions = ["11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"];
    let assignments = subscriptions.into_iter().zip(1..).map(|(subscription, number)| {
        let scope = format!("/subscriptions/{subscription}");
        let name = format!("a551960e-0000-4000-8000-00000000000{number}");
        let assignment = json!({
            "scope": scope, "name": name, "role": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "principal": owner,
            "kind": "ServicePrincipal", "created": 0, "updated": 0, "by": owner, "arrives": 0,
            "remarks": {"condition": null, "condition_version": null, "description": null},
        });
        (format!("{scope}/providers/microsoft.authorization/roleassignments/{name}"), assignment)
    });
    set(world, "/state", "assignments", Value::Object(assignments.collect()));
    for (vaults, vault) in [("/state/vaults", ""), ("/state/deleted_vaults", "/vault")] {
        let all = world.pointer_mut(vaults).and_then(Value::as_object_mut);
        for one in all.into_iter().flat_map(serde_json::Map::values_mut) {
            set(one, vault, "domain", json!("sandbox"));
        }
    }
}

/// Version 1 forgot the names of deleted accounts and had all providers registered.
fn what_is_remembered(world: &mut Value) {
    set(world, "/state", "held_names", json!({}));
    set(world, "/state", "purges", json!({}));
    set(world, "/state", "unregistered", json!([]));
}

/// Sets a field of the object at a pointer, if there is an object.
fn set(world: &mut Value, pointer: &str, field: &str, value: Value) {
    if let Some(fields) = world.pointer_mut(pointer).and_then(Value::as_object_mut) {
        fields.insert(field.to_owned(), value);
    }
}
