//! How a server ends, and who may have its state meanwhile.

use super::{Served, cmk, text};
use serde_json::Value;

#[tokio::test]
async fn a_signal_ends_it_and_nothing_is_lost() {
    for signal in ["-TERM", "-INT"] {
        let served = Served::start(&[]);
        let client = served.client();
        served.make_group(&client, "rg-kept").await;
        let _ = served.token(&client).await;
        // A connection that somebody keeps open does not hold the end up.
        let folder = served.stop(signal);
        assert!(!folder.path().join("state.json.tls/ready.json").exists());

        let again = Served::start_in(folder, &[]);
        let shown = again.sandbox(&["show", "--format", "json"]);
        let world: Value = serde_json::from_slice(&shown.stdout).unwrap();
        assert_eq!(world["writes"], 1, "{world}");
        assert_eq!(world["requests"]["login"]["POST"], 2, "{world}");
        assert!(world["groups"][0]["id"].as_str().unwrap().ends_with("rg-kept"), "{world}");
    }
}

#[test]
fn a_second_opener_is_refused() {
    let served = Served::start(&[]);
    let second = cmk().args(["sandbox", "serve", "--state"]).arg(served.state()).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second).contains("in use by another process"), "{}", text(&second));

    let option = format!("--sandbox={}", served.state().display());
    let plan = cmk().args(["plan", "specs/quickstart.yaml", &option]).output().unwrap();
    assert_eq!(plan.status.code(), Some(1));

    // Another state, but the same folder: clients of the first would be led astray.
    let folder = served.folder.path().join("state.json.tls");
    let other = served.folder.path().join("other.json");
    let third = cmk().args(["sandbox", "serve", "--state"]).arg(other).arg("--tls-dir").arg(folder).output().unwrap();
    assert_eq!(third.status.code(), Some(1));
    assert!(text(&third).contains("belongs to a sandbox that is being served"), "{}", text(&third));
}

#[test]
fn a_server_that_was_killed_is_not_taken_for_one_that_runs() {
    let mut served = Served::start(&[]);
    served.child.kill().unwrap();
    served.child.wait().unwrap();
    let env = cmk().args(["sandbox", "env", "--state"]).arg(served.state()).output().unwrap();
    assert_eq!(env.status.code(), Some(1));
    assert!(env.stdout.is_empty() && text(&env).contains("no sandbox is being served"), "{}", text(&env));
}
