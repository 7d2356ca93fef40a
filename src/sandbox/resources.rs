//! The one list of all resources, whatever provider they are of.

use serde_json::{Value, json};

use super::identities::Identity;
use super::wire::{Answer, Ask, Reply};
use super::{Millis, World, account, paging};

const PAGE: usize = 1000;

/// Answers `/subscriptions/{s}/resources` and the same of a group.
pub(super) fn list(world: &World, now: Millis, ask: &Ask, subscription: &str, group: Option<&str>) -> Reply {
    let conditions = conditions(ask.query.get("$filter").map_or("", String::as_str))?;
    let rows = all(world, now, subscription).into_iter().filter(|(id, row)| {
        let inside = group.is_none_or(|group| is_in(id, group));
        inside && conditions.iter().all(|(field, value)| holds(id, row, field, value))
    });
    let top = ask.query.get("$top").and_then(|top| top.parse().ok()).unwrap_or(PAGE).clamp(1, PAGE);
    let (page, next) = paging::page(ask, rows.collect(), top)?;
    let mut body = json!({"value": page});
    if let Some(next) = next {
        body["nextLink"] = json!(next);
    }
    Ok(Answer::json(200, body))
}

/// All resources of a subscription by id in lower case, each with what this list tells of it.
fn all(world: &World, now: Millis, subscription: &str) -> Vec<(String, Value)> {
    let state = &world.state;
    let accounts = state.accounts.values().filter(|one| one.subscription == subscription);
    let accounts = accounts.map(|one| one.body(now, account::View::Listed));
    let vaults = state.vaults.values().filter(|one| one.subscription == subscription).map(|one| one.body(now));
    let identities = state.identities.values().filter(|one| one.subscription == subscription).map(Identity::body);
    accounts.chain(vaults).chain(identities).map(|body| (id_of(&body), outline(&body))).collect()
}

fn id_of(body: &Value) -> String {
    body["id"].as_str().unwrap_or_default().to_ascii_lowercase()
}

fn outline(body: &Value) -> Value {
    let names = ["id", "name", "type", "location", "tags", "kind", "sku", "identity"];
    let told = names.into_iter().filter(|name| !body[*name].is_null());
    Value::Object(told.map(|name| (name.to_owned(), body[name].clone())).collect())
}

fn is_in(id: &str, group: &str) -> bool {
    id.split('/').nth(4).is_some_and(|one| one.eq_ignore_ascii_case(group))
}

/// The `field eq 'value'` of a filter, all of which have to hold.
fn conditions(filter: &str) -> Result<Vec<(String, String)>, Answer> {
    let parts = filter.split(" and ").map(str::trim).filter(|part| !part.is_empty());
    let read = parts.map(|part| {
        let (field, value) = part.split_once(" eq ")?;
        let value = value.trim().strip_prefix('\'')?.strip_suffix('\'')?;
        let field = field.trim().to_ascii_lowercase();
        let known = ["resourcetype", "name", "resourcegroup", "location"].contains(&field.as_str());
        known.then(|| (field, value.to_owned()))
    });
    read.collect::<Option<_>>().ok_or_else(|| {
        let text = format!("Invalid $filter '{filter}' specified in the query string.");
        Answer::error(400, "InvalidFilterInQueryString", &text).gateway()
    })
}

fn holds(id: &str, row: &Value, field: &str, value: &str) -> bool {
    let is = |name: &str| row[name].as_str().is_some_and(|one| one.eq_ignore_ascii_case(value));
    match field {
        "resourcetype" => is("type"),
        "resourcegroup" => is_in(id, value),
        name => is(name),
    }
}
