//! The clock of resources is moved, and everything but tokens follows.

use super::super::{Clock, Sandbox};
use super::*;
use std::sync::Arc;

const A_DAY: i64 = 86_400_000;

#[test]
fn moved_time_reaches_resources_and_no_token() {
    let mut stage = Stage::new(Pace::instant());
    let subscriptions = format!("https://{ARM_HOST}/subscriptions?api-version=2022-12-01");
    let token = token(&owner(), ARM_HOST, stage.now, stage.now.plus(3_600_000));
    stage.world.advance(stage.now, 400 * A_DAY);
    let answer = heard(stage.world.handle(stage.now, &request("GET", &subscriptions, Some(&token), &Value::Null)));
    let date = answer.header("date").to_owned();
    assert!(date.contains("2028"), "{date}");
    answer.ok();
    // But a token does end, in its own time.
    let later = stage.now.plus(4_000_000);
    let answer = heard(stage.world.handle(later, &request("GET", &subscriptions, Some(&token), &Value::Null)));
    answer.is(401, "ExpiredAuthenticationToken");
}

#[test]
fn moved_time_stays_moved_when_the_file_is_opened_again_and_an_older_file_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("world.json");
    let clock: Clock = Arc::new(|| START);
    let open = || Sandbox::open(&file, clock.clone(), None).unwrap();
    let moved = open().advance(A_DAY).unwrap();
    assert_eq!(moved, START.plus(A_DAY));
    assert_eq!(open().world(|world| world.resources(START)), moved);

    let text = std::fs::read_to_string(&file).unwrap();
    let older = text.replace(&format!(",\"ahead\":{A_DAY}"), "");
    assert!(older.len() < text.len());
    std::fs::write(&file, older).unwrap();
    assert_eq!(open().world(|world| world.resources(START)), START);
}
