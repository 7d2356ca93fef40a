//! The real program as against Azure itself: no `--sandbox`, its real transport, the public cloud's real names.

use super::{Served, cmk, quickstart, state, text};
use serde_json::Value;

#[test]
fn cmk_applies_and_plans_without_knowing_that_it_is_in_a_sandbox() {
    let served = Served::start(&[]);
    let applied = served.unawares(&["apply", "--yes", "--format", "json", quickstart().to_str().unwrap()]);
    assert_eq!(applied.status.code(), Some(0), "{}", text(&applied));
    let document: Value = serde_json::from_slice(&applied.stdout).unwrap();
    assert_eq!(document["cloud"], "public");
    assert_eq!(document["stats"]["writes"]["succeeded"], 6);

    let plan = served.unawares(&["plan", "--detailed-exitcode", quickstart().to_str().unwrap()]);
    assert_eq!(plan.status.code(), Some(0), "{}", text(&plan));

    let world: Value = serde_json::from_slice(&served.sandbox(&["show", "--format", "json"]).stdout).unwrap();
    assert_eq!(world["effects"], 6, "{world}");
    let account = &world["accounts"][0];
    assert_eq!(account["readable"], true, "{account}");
    assert!(account["why"].as_str().unwrap().contains("kv-quickstart.vault.azure.net"), "{account}");
}

#[test]
fn a_world_that_was_served_as_the_public_cloud_is_the_same_without_a_server() {
    let served = Served::start(&[]);
    let applied = served.unawares(&["apply", "--yes", quickstart().to_str().unwrap()]);
    assert_eq!(applied.status.code(), Some(0), "{}", text(&applied));
    let folder = served.stop("-TERM");
    let sandbox = format!("--sandbox={}", state(folder.path()).display());
    let plan = cmk().args(["plan", "--detailed-exitcode", &sandbox]).arg(quickstart()).output().unwrap();
    assert_eq!(plan.status.code(), Some(0), "{}", text(&plan));
}
