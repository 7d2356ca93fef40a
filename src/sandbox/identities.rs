//! User-assigned identities.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::World;
use super::arm::{self, Place};
use super::wire::{Answer, Ask, Reply};

const KIND: &str = "Microsoft.ManagedIdentity/userAssignedIdentities";

/// A user-assigned identity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Identity {
    /// The directory that it is of: the world's.
    pub tenant: String,
    pub subscription: String,
    pub group: String,
    pub name: String,
    pub location: String,
    pub tags: Value,
    pub principal: String,
    pub client: String,
}

impl Identity {
    /// The id as Azure answers it: with `resourcegroups` in lower case, unlike everywhere else.
    pub(super) fn id(&self) -> String {
        let Self { subscription, group, name, .. } = self;
        format!("/subscriptions/{subscription}/resourcegroups/{group}/providers/{KIND}/{name}")
    }

    pub(super) fn body(&self) -> Value {
        let Self { tenant, name, location, tags, principal, client, .. } = self;
        json!({
            "id": self.id(), "name": name, "type": KIND, "location": location, "tags": tags,
            "properties": {"tenantId": tenant, "principalId": principal, "clientId": client},
        })
    }
}

pub(super) fn list(world: &World, subscription: &str, group: Option<&str>) -> Answer {
    let here = world.state.identities.values().filter(|identity| {
        identity.subscription == subscription && group.is_none_or(|group| identity.group.eq_ignore_ascii_case(group))
    });
    Answer::json(200, json!({"value": here.map(Identity::body).collect::<Vec<Value>>()}))
}

/// Answers one identity's path.
pub(super) fn answer(world: &mut World, ask: &Ask, place: &Place, name: &str) -> Reply {
    let key = format!("/subscriptions/{}/resourcegroups/{}/providers/{KIND}/{name}", place.subscription, place.group);
    let key = key.to_ascii_lowercase();
    let found = world.state.identities.get(&key);
    match ask.method.as_str() {
        "GET" => found
            .map(|identity| Answer::json(200, identity.body()))
            .ok_or_else(|| arm::not_found(KIND, name, &place.group)),
        "PUT" => put(world, ask, place, name, key),
        "DELETE" => {
            let status = if found.is_some() { 200 } else { 204 };
            world.state.identities.remove(&key);
            Ok(Answer::empty(status))
        }
        _ => Err(arm::no_method(ask)),
    }
}

fn put(world: &mut World, ask: &Ask, place: &Place, name: &str, key: String) -> Reply {
    let sent = ask.object()?;
    arm::check_members(&sent)?;
    let location = arm::location(&sent, KIND)?;
    if let Some(identity) = world.state.identities.get_mut(&key) {
        if identity.location != location {
            return Err(arm::moved(name, &identity.location, &location, &place.group));
        }
        identity.tags = arm::tags(&sent);
        return Ok(Answer::json(200, identity.body()));
    }
    let identity = Identity {
        tenant: ask.tenant.clone(),
        subscription: place.subscription.clone(),
        group: place.group.clone(),
        name: name.to_owned(),
        location,
        tags: arm::tags(&sent),
        principal: world.ids.guid(),
        client: world.ids.guid(),
    };
    // A relative Location: against the standard, and what Azure sends.
    let answer = Answer::json(201, identity.body()).header("location", identity.id());
    world.state.identities.insert(key, identity);
    Ok(answer)
}
