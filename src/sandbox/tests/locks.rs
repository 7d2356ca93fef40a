//! Management locks: where they can be, and what they forbid.

use super::*;

const LOCKS: &str = "/providers/Microsoft.Authorization/locks";

fn path(scope: &str, name: &str) -> String {
    format!("{scope}{LOCKS}/{name}?api-version=2020-05-01")
}

fn lock(stage: &mut Stage, scope: &str, level: &str) {
    let body = json!({"properties": {"level": level, "notes": "why"}});
    assert_eq!(stage.arm("PUT", &path(scope, "no"), &body).status, 201);
}

fn subscription() -> String {
    format!("/subscriptions/{}", SUBSCRIPTIONS[0])
}

#[test]
fn a_lock_is_made_shown_listed_and_taken_away() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    for scope in [subscription(), group("rg"), vault("kv1")] {
        lock(&mut stage, &scope, "CanNotDelete");
        let shown = stage.get(&path(&scope, "no")).ok();
        assert_eq!(shown["id"], format!("{scope}{LOCKS}/no"));
        assert_eq!(shown["properties"], json!({"level": "CanNotDelete", "notes": "why"}));
    }
    let all = stage.get(&format!("{}{LOCKS}?api-version=2016-09-01", subscription())).ok();
    assert_eq!(all["value"].as_array().map(Vec::len), Some(3));
    let wrong = stage.arm("PUT", &path(&group("rg"), "no"), &json!({"properties": {"level": "Firmly"}}));
    wrong.is(400, "LockLevelNotValid");
    stage
        .arm("PUT", &path(&group("none"), "no"), &json!({"properties": {"level": "ReadOnly"}}))
        .is(404, "ResourceGroupNotFound");
    for scope in [subscription(), group("rg"), vault("kv1")] {
        stage.arm("DELETE", &path(&scope, "no"), &Value::Null).ok();
        stage.get(&path(&scope, "no")).is(404, "LockNotFound");
    }
}

#[test]
fn a_read_only_lock_forbids_writing_and_actions_below_it_and_nothing_else() {
    for locked in [subscription(), group("rg"), account("st1")] {
        let mut stage = Stage::new(Pace::instant());
        stage.has_account("st1");
        stage.has_account("st2");
        lock(&mut stage, &locked, "ReadOnly");
        let heard = stage.arm("PATCH", &account("st1"), &json!({"tags": {}}));
        heard.is(409, "ScopeLocked");
        let text = format!(
            "The scope '{}' cannot perform write operation because following scope(s) are locked: '{locked}'. Please remove the lock and try again.",
            account("st1")
        );
        assert_eq!(heard.message(), text);
        stage.arm("POST", &format!("{}/listKeys", account("st1")), &Value::Null).is(409, "ScopeLocked");
        stage.arm("DELETE", &group("rg"), &Value::Null).is(409, "ScopeLocked");
        stage.get(&account("st1")).ok();
        let other = stage.arm("PATCH", &account("st2"), &json!({"tags": {}}));
        assert_eq!(other.status == 200, locked == account("st1"), "{other:?}");
    }
}

#[test]
fn a_vaults_own_door_knows_no_locks() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_vault();
    stage.has_key("main");
    lock(&mut stage, &vault("kv1"), "ReadOnly");
    stage.arm("PUT", &format!("{}/keys/other", vault("kv1")), &key_body()).is(409, "ScopeLocked");
    stage.vault("POST", "/keys/other/create", &json!({"kty": "RSA", "key_size": 2048})).ok();
}

#[test]
fn a_lock_against_deleting_forbids_only_that_and_goes_with_what_it_was_on() {
    let mut stage = Stage::new(Pace::instant());
    stage.has_account("st1");
    lock(&mut stage, &account("st1"), "CanNotDelete");
    stage.arm("PATCH", &account("st1"), &json!({"tags": {}})).ok();
    stage.arm("DELETE", &account("st1"), &Value::Null).is(409, "ScopeLocked");
    stage.arm("DELETE", &path(&account("st1"), "no"), &Value::Null).ok();
    stage.arm("DELETE", &account("st1"), &Value::Null).ok();
    assert!(stage.world.state.locks.is_empty());
}

#[test]
fn who_may_not_see_locks_is_told_so() {
    let mut stage = Stage::new(Pace::instant());
    let caller = Caller { object: SUBSCRIPTIONS[1].to_owned(), application: "limited".to_owned() };
    stage.world.add_assignment(&caller.object, "Contributor", &group("rg")).unwrap();
    stage.caller = caller;
    stage.get(&format!("{}{LOCKS}?api-version=2020-05-01", group("rg"))).ok();
    stage.get(&format!("{}{LOCKS}?api-version=2020-05-01", subscription())).is(403, "AuthorizationFailed");
}
