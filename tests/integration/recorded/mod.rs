//! What Azure was recorded to answer, asked of the sandbox: the same status, the same error, and every field.
//!
//! The recordings lie beside the checkout. Where they do not, this says so and checks nothing.

mod compare;
mod scenes;
mod stage;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::contracts;
pub(crate) use stage::Stage;

/// Recordings that are not replayed, and why. All are, so far.
const NOT_REPLAYED: [(&str, &str); 0] = [];

/// A recording: what was asked and what was answered, in the sandbox's names.
pub(crate) struct Recording {
    pub(crate) method: String,
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: Value,
    pub(crate) status: u16,
    pub(crate) headers: Value,
    pub(crate) answer: Value,
    /// Whether the caller had signed in.
    pub(crate) signed_in: bool,
}

fn recordings() -> BTreeMap<String, Value> {
    let Some(root) = contracts::shared() else { return BTreeMap::new() };
    let files = std::fs::read_dir(root.join("examples")).expect("the recordings can be read").flatten();
    let all = files.map(|file| {
        let name = file.path().file_stem().expect("a file has a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(file.path()).expect("a recording can be read");
        (name, serde_json::from_str(&stage::localized(&text)).expect("a recording is JSON"))
    });
    all.collect()
}

fn replay(name: &str, whole: &Value) -> Vec<String> {
    let mut recording = stage::recording(whole);
    let mut stage = Stage::new();
    if !scenes::set(name, &mut stage, &mut recording) {
        return vec!["is neither replayed nor listed as not replayed".to_owned()];
    }
    let (status, headers, body) = stage.send(&recording);
    let mut problems = Vec::new();
    if status != recording.status {
        return vec![format!("answers {status} {body} instead of {}", recording.status)];
    }
    if recording.answer["error"]["code"] != body["error"]["code"] {
        problems.push(format!("refuses with {} instead of {}", body["error"], recording.answer["error"]));
    }
    for header in ["location", "retry-after", "www-authenticate"] {
        if !recording.headers[header].is_null() && !headers.contains_key(header) {
            problems.push(format!("has no header {header}"));
        }
    }
    compare::missing(&recording.answer, &body, "", &mut problems);
    problems
}

#[test]
fn every_recorded_answer_is_given_again() {
    let listed = |name: &str| NOT_REPLAYED.iter().any(|(one, _)| *one == name);
    let all = recordings();
    let mut problems = Vec::new();
    for (name, whole) in all.iter().filter(|(name, _)| !listed(name)) {
        problems.extend(replay(name, whole).into_iter().map(|problem| format!("{name}: {problem}")));
    }
    if !all.is_empty() {
        let gone = NOT_REPLAYED.iter().filter(|(name, _)| !all.contains_key(*name));
        problems.extend(gone.map(|(name, _)| format!("{name}: is listed and does not exist")));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
