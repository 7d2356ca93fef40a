//! Looking at the world and moving its clock, while it is served and while it is not.

use super::{Served, answer, cmk, text};
use reqwest::StatusCode;
use serde_json::Value;

fn now(world: &[u8]) -> String {
    let world: Value = serde_json::from_slice(world).unwrap();
    world["now"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_clock_of_resources_moves_and_stays_moved_and_tokens_stay_good() {
    let served = Served::start(&[]);
    let client = served.client();
    let token = served.token(&client).await;
    let before = now(&served.sandbox(&["show", "--format", "json"]).stdout);
    served.sandbox(&["advance", "P400D"]);
    let after = now(&served.sandbox(&["show", "--format", "json"]).stdout);
    assert!(after[..4] > before[..4], "{before} {after}");

    let url = format!("{}/subscriptions?api-version=2022-12-01", served.said("arm"));
    let (status, body) = answer(client.get(&url).bearer_auth(token)).await;
    assert_eq!(status, StatusCode::OK, "{body}");

    let folder = served.stop("-TERM");
    let state = folder.path().join("state.json");
    let show = || cmk().args(["sandbox", "show", "--format", "json", "--state"]).arg(&state).output().unwrap();
    assert_eq!(now(&show().stdout)[..10], after[..10]);
    let advance = cmk().args(["sandbox", "advance", "P400D", "--state"]).arg(&state).output().unwrap();
    assert_eq!(advance.status.code(), Some(0), "{}", text(&advance));
    assert!(now(&show().stdout)[..4] > after[..4]);
}

#[tokio::test]
async fn only_the_owner_of_the_key_reaches_the_server_itself() {
    let served = Served::start(&[]);
    let client = served.client();
    let request = client.get("https://control.sandbox.test/world");
    assert_eq!(answer(request).await.0, StatusCode::UNAUTHORIZED);
    let token = served.token(&client).await;
    let request = client.post("https://control.sandbox.test/advance").bearer_auth(token);
    assert_eq!(answer(request).await.0, StatusCode::UNAUTHORIZED);
}

#[test]
fn where_there_is_no_sandbox_nothing_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let show = cmk().args(["sandbox", "show", "--state"]).arg(folder.path().join("none.json")).output().unwrap();
    assert_eq!(show.status.code(), Some(1));
    assert!(text(&show).contains("there is no sandbox in"), "{}", text(&show));
}
