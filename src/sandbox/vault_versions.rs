//! The versions of a vault's own API: which there are, and what the older ones do not show.

use serde_json::{Map, Value};

use super::key_vault::bad_parameter;
use super::wire::Answer;

/// In the order of their making, roughly.
const VERSIONS: [&str; 19] = [
    "2015-06-01",
    "2016-10-01",
    "7.0",
    "7.0-preview",
    "7.1",
    "7.1-preview",
    "7.2",
    "7.2-preview",
    "7.3",
    "7.3-preview",
    "7.4",
    "7.4-preview.1",
    "7.5",
    "7.5-preview.1",
    "7.6",
    "7.6-preview.1",
    "7.6-preview.2",
    "2025-06-01-preview",
    "2025-07-01",
];
/// Attributes that came in later, with the version that brought them.
const ATTRIBUTES: [(&str, &str); 3] = [("recoverableDays", "7.1"), ("exportable", "7.3"), ("hsmPlatform", "7.5")];

/// Refuses a version that vaults do not speak.
pub(super) fn check(version: &str) -> Result<(), Answer> {
    if version.is_empty() {
        return Err(bad_parameter("api-version must be specified"));
    }
    if VERSIONS.contains(&version) {
        return Ok(());
    }
    let newest = VERSIONS[VERSIONS.len() - 1];
    let text = format!(
        "The specified version ({version}) is not recognized. Consider using the latest supported version ({newest})."
    );
    Err(bad_parameter(&text))
}

/// An answer as a version shows it.
pub(super) fn shaped(mut answer: Answer, version: &str) -> Answer {
    // Versions named after a year are all older or all newer than the numbered ones.
    let old = ["2015-06-01", "2016-10-01"].contains(&version);
    let numbered = version.starts_with("7.");
    let hidden: Vec<&str> = ATTRIBUTES
        .iter()
        .filter(|(_, since)| old || (numbered && version.get(..3) < Some(*since)))
        .map(|(name, _)| *name)
        .collect();
    if let Some(body) = &mut answer.body {
        hide(body, &hidden);
        for row in body.get_mut("value").and_then(Value::as_array_mut).into_iter().flatten() {
            hide(row, &hidden);
        }
    }
    answer
}

fn hide(body: &mut Value, names: &[&str]) {
    let attributes: Option<&mut Map<String, Value>> = body.get_mut("attributes").and_then(Value::as_object_mut);
    if let Some(attributes) = attributes {
        attributes.retain(|name, _| !names.contains(&name.as_str()));
    }
}
