//! Access policies: who may do what with a vault's contents, and since when the vault knows it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::arm::{self, Place};
use super::vaults;
use super::wire::{Answer, Ask, Reply};
use super::{Millis, World};

const KEY_PERMISSIONS: [&str; 21] = [
    "all",
    "encrypt",
    "decrypt",
    "wrapkey",
    "unwrapkey",
    "sign",
    "verify",
    "get",
    "list",
    "create",
    "update",
    "import",
    "delete",
    "backup",
    "restore",
    "recover",
    "purge",
    "release",
    "rotate",
    "getrotationpolicy",
    "setrotationpolicy",
];
/// How many entries a vault may have.
const ENTRIES_MAX: usize = 1024;

const KINDS: [&str; 4] = ["keys", "secrets", "certificates", "storage"];

/// One entry: a principal and its permissions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Policy {
    pub tenant: String,
    pub object: String,
    /// With an application id the entry speaks of that application on behalf of a user, and of nobody else.
    pub application: Option<String>,
    /// By kind (`keys`, `secrets`, …), each as it was written.
    pub permissions: BTreeMap<String, Vec<String>>,
}

impl Policy {
    fn principal(&self) -> (String, String) {
        let application = self.application.as_deref().unwrap_or_default();
        (self.object.to_ascii_lowercase(), application.to_ascii_lowercase())
    }

    /// What is granted on keys, in lower case. `all` is everything but `purge`.
    pub(super) fn on_keys(&self) -> Vec<String> {
        let written: Vec<String> =
            self.permissions.get("keys").into_iter().flatten().map(|one| one.to_ascii_lowercase()).collect();
        if written.iter().any(|one| one == "all") {
            let all = KEY_PERMISSIONS.iter().filter(|one| **one != "purge" || written.iter().any(|one| one == "purge"));
            return all.map(|one| (*one).to_owned()).collect();
        }
        written
    }

    pub(super) fn body(&self) -> Value {
        let Self { tenant, object, application, permissions } = self;
        let mut body = json!({"tenantId": tenant, "objectId": object, "permissions": permissions});
        if let Some(application) = application {
            body["applicationId"] = json!(application);
        }
        body
    }
}

/// Reads a list of entries. An entry that is wrong in any way spoils the list.
pub(super) fn read(list: &Value, own: &str) -> Result<Vec<Policy>, Answer> {
    let entries = list.as_array().filter(|entries| entries.len() <= ENTRIES_MAX);
    let policies: Option<Vec<Policy>> =
        entries.and_then(|entries| entries.iter().map(|entry| read_one(entry, own)).collect());
    policies.ok_or_else(|| vaults::invalid("accessPolicies"))
}

fn read_one(entry: &Value, own: &str) -> Option<Policy> {
    let guid = |name: &str| entry[name].as_str().filter(|text| uuid::Uuid::parse_str(text).is_ok()).map(str::to_owned);
    let tenant = guid("tenantId").filter(|tenant| tenant.eq_ignore_ascii_case(own))?;
    let object = guid("objectId")?;
    let application = if entry["applicationId"].is_null() { None } else { Some(guid("applicationId")?) };
    let mut permissions = BTreeMap::new();
    let empty = Map::new();
    for (kind, list) in entry["permissions"].as_object().unwrap_or(&empty) {
        if !KINDS.contains(&kind.as_str()) {
            return None;
        }
        if !list.is_null() {
            let list = list.as_array()?.iter().map(|one| one.as_str().map(str::to_owned));
            permissions.insert(kind.clone(), list.collect::<Option<Vec<String>>>()?);
        }
    }
    let keys = permissions.get("keys").into_iter().flatten();
    let known = keys.clone().all(|one| KEY_PERMISSIONS.contains(&one.to_ascii_lowercase().as_str()));
    known.then_some(Policy { tenant, object, application, permissions })
}

/// When each permission on keys arrives at the vault, by `object id|permission` in lower case.
pub(super) type Arrivals = BTreeMap<String, Millis>;

/// The arrivals after a change of the entries: what was granted before keeps its time, what is new takes its
/// time from now, and what is gone is forgotten, so granting it again starts anew.
pub(super) fn arrivals(policies: &[Policy], before: &Arrivals, arrives: Millis) -> Arrivals {
    let alone = policies.iter().filter(|policy| policy.application.is_none());
    let granted = alone.flat_map(|policy| {
        let object = policy.object.to_ascii_lowercase();
        policy.on_keys().into_iter().map(move |permission| format!("{object}|{permission}"))
    });
    granted
        .map(|grant| (before.get(&grant).copied().unwrap_or(arrives), grant))
        .map(|(at, grant)| (grant, at))
        .collect()
}

/// Answers `vaults/{name}/accessPolicies/{add|replace|remove}`.
pub(super) fn answer(world: &mut World, now: Millis, ask: &Ask, place: &Place, name: &str, operation: &str) -> Reply {
    if ask.method != "PUT" {
        return Err(arm::no_method(ask));
    }
    let change: fn(&mut Policy, &Policy) = match operation {
        "add" => add,
        "replace" => replace,
        "remove" => remove,
        _ => return Err(vaults::invalid("operationKind")),
    };
    let Some(vault) = vaults::find_mut(world, place, name) else {
        return Err(vaults::no_parent(place, name, "accessPolicies"));
    };
    let sent = read(&ask.object()?["properties"]["accessPolicies"], &ask.tenant)?;
    let is_new = |wanted: &&Policy| !vault.policies.iter().any(|policy| policy.principal() == wanted.principal());
    let more = if operation == "remove" { 0 } else { sent.iter().filter(is_new).count() };
    if vault.policies.len() + more > ENTRIES_MAX {
        return Err(vaults::invalid("accessPolicies"));
    }
    for wanted in &sent {
        let present = vault.policies.iter_mut().find(|policy| policy.principal() == wanted.principal());
        match present {
            Some(policy) => change(policy, wanted),
            None if operation == "remove" => {}
            None => vault.policies.push(wanted.clone()),
        }
    }
    vault.policies.retain(|policy| operation != "remove" || policy.permissions.values().any(|list| !list.is_empty()));
    let id = format!("{}/accessPolicies/", vault.id());
    let told = |policy: &&Policy| sent.iter().any(|wanted| wanted.principal() == policy.principal());
    let now_there: Vec<Value> = vault.policies.iter().filter(told).map(Policy::body).collect();
    vault.touched(now);
    let arrives = now.plus(world.pace.grant_propagation);
    if let Some(vault) = vaults::find_mut(world, place, name) {
        vault.arrivals = arrivals(&vault.policies, &vault.arrivals, arrives);
    }
    Ok(Answer::json(
        200,
        json!({"id": id, "type": "Microsoft.KeyVault/vaults/accessPolicies", "properties": {"accessPolicies": now_there}}),
    ))
}

fn has(list: &[String], permission: &str) -> bool {
    list.iter().any(|one| one.eq_ignore_ascii_case(permission))
}

fn add(policy: &mut Policy, more: &Policy) {
    for (kind, list) in &more.permissions {
        let present = policy.permissions.entry(kind.clone()).or_default();
        for permission in list {
            if !has(present, permission) {
                present.push(permission.clone());
            }
        }
    }
}

fn replace(policy: &mut Policy, with: &Policy) {
    policy.permissions.clone_from(&with.permissions);
}

fn remove(policy: &mut Policy, less: &Policy) {
    for (kind, list) in &less.permissions {
        if let Some(present) = policy.permissions.get_mut(kind) {
            present.retain(|permission| !has(list, permission));
        }
    }
}
