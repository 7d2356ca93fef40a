//! Any text as a spec: parsed, resolved, its problems rendered, and its desired state planned for an empty Azure.

#![no_main]

use cmk::diag::{self, Source};
use cmk::model::{Observed, Seen};
use cmk::report::{Scene, Traffic, human, json};
use cmk::{plan, spec};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let source = Source { name: "any.yaml".to_owned(), text: text.to_owned() };
    let (desired, diagnostics) = spec::load(&source);
    assert_eq!(desired.is_none(), diagnostics.has_errors());
    cmk_fuzz::check_shown(&diag::render(&source, &diagnostics, false));
    let checked = [(source, diagnostics)];
    cmk_fuzz::check_shown(&json::diagnostics(&checked));
    let Some(desired) = desired else { return };
    let mut observed = Observed::default();
    observed.groups.extend(desired.groups.keys().map(|id| (id.clone(), Seen::Absent)));
    observed.vaults.extend(desired.vaults.keys().map(|name| (name.clone(), Seen::Absent)));
    observed.keys.extend(desired.keys().map(|(key, _)| (key, Seen::Absent)));
    observed.accounts.extend(desired.accounts.keys().map(|name| (name.clone(), Seen::Absent)));
    let plan = plan::plan(&desired, &observed);
    let scene = Scene { cloud: "public".to_owned(), sandbox_file: None };
    cmk_fuzz::check_shown(&human::plan(&plan, &scene, false));
    cmk_fuzz::check_shown(&json::plan(&plan, &Traffic::default(), &scene));
});
