//! What differs between two censuses of a world.

use crate::sandbox::Census;
use serde_json::Value;
use std::sync::Arc;

/// A place in the census whose value differs. Lists are compared as wholes.
#[derive(Debug)]
pub(super) struct Change<'a> {
    /// The way to it: `["vaults", "kv1", "policies"]`.
    pub(super) path: Vec<&'a str>,
    /// What was there.
    pub(super) before: Option<&'a Value>,
    /// What is there.
    pub(super) after: Option<&'a Value>,
}

/// Every place that differs; of what is new or gone, only its root.
pub(super) fn changes<'a>(before: &'a Census, after: &'a Census) -> Vec<Change<'a>> {
    let mut found = vec![];
    for ((kind, old), new) in before.things().iter().zip(after.things().values()) {
        // What two censuses share has not changed.
        if Arc::ptr_eq(old, new) {
            continue;
        }
        for (name, thing) in old.iter() {
            let now = new.get(name);
            if !now.is_some_and(|now| Arc::ptr_eq(thing, now)) {
                walk(&mut vec![kind, name], Some(thing), now.map(|now| &**now), &mut found);
            }
        }
        for (name, thing) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
            walk(&mut vec![kind, name], None, Some(thing), &mut found);
        }
    }
    found
}

fn walk<'a>(path: &mut Vec<&'a str>, before: Option<&'a Value>, after: Option<&'a Value>, found: &mut Vec<Change<'a>>) {
    if before == after {
        return;
    }
    let (Some(Value::Object(old)), Some(Value::Object(new))) = (before, after) else {
        return found.push(Change { path: path.clone(), before, after });
    };
    for name in old.keys() {
        path.push(name);
        walk(path, old.get(name), new.get(name), found);
        path.pop();
    }
    for name in new.keys().filter(|name| !old.contains_key(*name)) {
        path.push(name);
        walk(path, None, new.get(name), found);
        path.pop();
    }
}
