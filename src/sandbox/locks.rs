//! Management locks: on a subscription, a group or a resource, and what they forbid.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::arm;
use super::assignments::covers;
use super::wire::{Answer, Ask, Reply};
use super::world::State;
use super::{World, paging};

/// How many locks a page of a list has.
const PAGE: usize = 100;
const LEVELS: [&str; 2] = ["CanNotDelete", "ReadOnly"];

/// A lock on a scope and all that is below it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Lock {
    pub scope: String,
    pub name: String,
    pub level: String,
    pub notes: Option<String>,
}

impl Lock {
    fn body(&self) -> Value {
        let Self { scope, name, level, notes } = self;
        let mut properties = json!({"level": level});
        if let Some(notes) = notes {
            properties["notes"] = json!(notes);
        }
        json!({
            "id": format!("{scope}/providers/Microsoft.Authorization/locks/{name}"),
            "type": "Microsoft.Authorization/locks", "name": name, "properties": properties,
        })
    }
}

fn key(scope: &str, name: &str) -> String {
    format!("{scope}/{name}").to_ascii_lowercase()
}

/// Answers `{scope}/providers/Microsoft.Authorization/locks…`; `rest` is what follows `locks`, as it was written.
pub(super) fn answer(world: &mut World, ask: &Ask, scope: &str, rest: &[String]) -> Reply {
    match (ask.method.as_str(), rest) {
        ("GET", []) => list(world, ask, scope),
        ("GET", [name]) => {
            let found = world.state.locks.get(&key(scope, name));
            found.map(|lock| Answer::json(200, lock.body())).ok_or_else(|| not_found(name))
        }
        ("PUT", [name]) => put(world, ask, scope, name),
        ("DELETE", [name]) => {
            let gone = world.state.locks.remove(&key(scope, name));
            Ok(gone.map_or_else(|| Answer::empty(204), |_| Answer::empty(200)))
        }
        (_, [] | [_]) => Err(arm::no_method(ask)),
        _ => Err(arm::no_route(ask)),
    }
}

/// The locks at a scope, above it and below it.
fn list(world: &World, ask: &Ask, scope: &str) -> Reply {
    let here = world.state.locks.values().filter(|lock| covers(&lock.scope, scope) || covers(scope, &lock.scope));
    let rows = here.map(|lock| (key(&lock.scope, &lock.name), lock.body())).collect();
    let (page, next) = paging::page(ask, rows, PAGE)?;
    let mut answer = json!({"value": page});
    if let Some(next) = next {
        answer["nextLink"] = json!(next);
    }
    Ok(Answer::json(200, answer))
}

fn put(world: &mut World, ask: &Ask, scope: &str, name: &str) -> Reply {
    let sent = ask.object()?;
    let properties = &sent["properties"];
    let said = properties["level"].as_str().unwrap_or_default();
    let Some(level) = LEVELS.into_iter().find(|level| level.eq_ignore_ascii_case(said)) else {
        let text =
            format!("The lock level '{said}' is not valid. The allowed lock levels are 'CanNotDelete,ReadOnly'.");
        return Err(Answer::error(400, "LockLevelNotValid", &text));
    };
    let notes = properties["notes"].as_str().map(str::to_owned);
    let lock = Lock { scope: scope.to_owned(), name: name.to_owned(), level: level.to_owned(), notes };
    let answer = lock.body();
    let is_new = world.state.locks.insert(key(scope, name), lock).is_none();
    Ok(Answer::json(if is_new { 201 } else { 200 }, answer))
}

fn not_found(name: &str) -> Answer {
    Answer::error(404, "LockNotFound", &format!("The lock '{name}' could not be found."))
}

/// Refuses what a lock forbids, before anybody looks whether the resource is there.
///
/// Locks are Resource Manager's own: a vault's keys and an account's blobs do not know them. A deletion is stopped by
/// locks below its scope as well, since those things would go with it.
pub(super) fn check(state: &State, ask: &Ask) -> Result<(), Answer> {
    let lower = ask.path_lower();
    // Else nobody could take a lock away.
    let on_locks = lower.windows(2).any(|pair| pair[0] == "microsoft.authorization" && pair[1] == "locks");
    if ask.method == "GET" || ask.method == "HEAD" || on_locks || is_about_names(&lower) {
        return Ok(());
    }
    let path: String = ask.path.iter().flat_map(|segment| ["/", segment]).collect();
    let deletes = ask.method == "DELETE";
    let forbids = |lock: &&Lock| {
        let above = covers(&lock.scope, &path) && (deletes || lock.level == "ReadOnly");
        above || (deletes && covers(&path, &lock.scope))
    };
    let locked: Vec<&str> = state.locks.values().filter(forbids).map(|lock| lock.scope.as_str()).collect();
    if locked.is_empty() {
        return Ok(());
    }
    // What is posted is an action on the resource that stands before it.
    let scope =
        if ask.method == "POST" { path.rsplit_once('/').map_or(path.as_str(), |(above, _)| above) } else { &path };
    let verb = if deletes { "delete" } else { "write" };
    let text = format!(
        "The scope '{scope}' cannot perform {verb} operation because following scope(s) are locked: '{}'. Please remove the lock and try again.",
        locked.join(",")
    );
    Err(Answer::error(409, "ScopeLocked", &text).gateway())
}

/// Asking for a name and registering a provider are no writes to anything that could be locked.
fn is_about_names(lower: &[String]) -> bool {
    lower.last().is_some_and(|last| ["checknameavailability", "register", "unregister"].contains(&last.as_str()))
}
