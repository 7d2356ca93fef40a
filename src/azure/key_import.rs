//! Key material of one's own into a vault.

use super::call::{Call, Method};
use super::key_life::{dates, to_vault};
use crate::model::{KeyCreate, KeyName, KeyType, Marks};
use serde_json::{Value, json};

/// The place of the material in the body of an import.
const MATERIAL: &str = "key";

/// Imports a key. `material` is the JSON web key, or, where nothing is sent, what stands for it.
///
/// Where a key of this name is, this adds a version to it: the data plane knows no "if absent", and Resource Manager
/// imports nothing. Sent twice, it makes two versions.
pub fn import(host: &str, key: &KeyName, create: &KeyCreate, marks: &Marks, material: &Value) -> Call {
    let mut attributes = dates(marks);
    attributes.insert("enabled".to_owned(), Value::Bool(true));
    let mut body = json!({ "Hsm": create.kind == KeyType::RsaHsm, MATERIAL: material, "attributes": attributes });
    if !marks.tags.is_empty() {
        body["tags"] = json!(marks.tags);
    }
    to_vault(host, Method::Put, format!("/keys/{key}"), body)
}

/// Puts the material in its place.
pub fn fill(call: &mut Call, material: Value) {
    if let Some(body) = &mut call.body {
        body[MATERIAL] = material;
    }
}

/// Takes the material out again.
pub fn take(call: &mut Call) -> Option<Value> {
    call.body.as_mut()?.get_mut(MATERIAL).map(Value::take)
}
