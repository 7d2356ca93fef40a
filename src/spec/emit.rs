//! A document -> text that reads back as the same document.

use super::types::Document;

/// Writes a spec as YAML. Fails only if the crate does, which for these types would be a bug of ours.
pub fn emit(document: &Document) -> Result<String, String> {
    serde_yaml::to_string(document).map_err(|error| format!("the spec cannot be written: {error}"))
}
