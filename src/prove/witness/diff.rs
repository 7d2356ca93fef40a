//! What differs between two censuses of a world.

use serde_json::Value;

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
pub(super) fn changes<'a>(before: &'a Value, after: &'a Value) -> Vec<Change<'a>> {
    let mut found = vec![];
    walk(&mut vec![], Some(before), Some(after), &mut found);
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
