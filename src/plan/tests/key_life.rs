//! A key's life: dates and tags, versions opened and closed, rotation, and the staircase.

use super::check;
use expect_test::{Expect, expect};

const DAY: i64 = 86_400;

/// A vault with a key of these wishes, and an account under it, pinned to the newest version.
fn wanted(wishes: &str) -> String {
    format!("vault kv1 protected; key kv1/main {wishes}; account st1 system uses kv1/main")
}

/// The same that follows the key.
fn following(wishes: &str) -> String {
    format!("{} auto", wanted(wishes))
}

/// The key with these versions at a day, and the account under one of them.
fn seen(day: i64, key: &str, account: &str) -> String {
    format!(
        "now {}; vault kv1 protected st1=get+wrapKey+unwrapKey; key kv1/main {key}; account st1 system bound kv1/main{account}",
        day * DAY
    )
}

fn is(wanted: &str, seen: &str, expected: &Expect) {
    check(wanted, seen, expected);
}

#[test]
fn a_key_is_made_with_its_dates_its_tags_and_its_rotation() {
    check(
        "group; vault kv1 create protected; key kv1/main create tag=team:pay every=P90D",
        "",
        &expect![[r#"
        1. group/11111111-1111-1111-1111-111111111111/rg
        2. vault/kv1   after 1
        3. key/kv1/main   after 2
    "#]],
    );
}

#[test]
fn tags_of_others_stay_and_a_tag_that_is_there_is_no_change() {
    is(
        &wanted("tag=team:pay"),
        &seen(1, "A made=1 tag=owner:them", "@A"),
        &expect![[r#"
        1. marks/kv1/main
    "#]],
    );
    is(&wanted("tag=team:pay"), &seen(1, "A made=1 tag=owner:them tag=team:pay", "@A"), &expect![[r""]]);
}

#[test]
fn a_date_that_brings_a_version_back_into_use_is_a_re_opening() {
    is(
        &wanted("ends=999999"),
        &seen(1, "A made=1 later", "@A"),
        &expect![[r#"
        1. marks/kv1/main
    "#]],
    );
    is(
        &wanted("ends=999999"),
        &seen(1, "A made=1 expired", "@A"),
        &expect![[r#"
        1. marks/kv1/main
           asks for reopening key/kv1/main: version aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa is out of date, and is in date again from then on
        note: account st1: it is bound to key kv1/main, of which version aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa has expired
    "#]],
    );
}

#[test]
fn a_rotation_policy_is_set_where_it_is_another_one_and_left_where_nobody_may_see_it() {
    is(&following("every=P90D"), &seen(1, "A made=1 every=P90D", ""), &expect![[r""]]);
    is(
        &following("every=P90D"),
        &seen(1, "A made=1 every=P1Y", ""),
        &expect![[r#"
        1. rotationPolicy/kv1/main
    "#]],
    );
    is(
        &following("every=P90D"),
        &seen(1, "A made=1 policy-hidden", ""),
        &expect![[r#"
        blind: key kv1/main
          hides: Key Vault rotates it every P90D
    "#]],
    );
}

#[test]
fn a_version_that_is_too_old_is_followed_by_a_new_one_and_the_pinned_accounts_move_to_it() {
    is(
        &wanted("age=P90D"),
        &seen(90, "A made=86400", "@A"),
        &expect![[r#"
        note: key kv1/main: its newest version is of 1970-01-02T00:00:00Z: the next is due on 1970-04-02T00:00:00Z
    "#]],
    );
    is(
        &wanted("age=P90D"),
        &seen(91, "A made=86400", "@A"),
        &expect![[r#"
        1. rotation/kv1/main
        2. encryption/st1   after 1
    "#]],
    );
    is(
        &following("age=P90D"),
        &seen(91, "A made=86400", ""),
        &expect![[r#"
        1. rotation/kv1/main
    "#]],
    );
}

#[test]
fn a_rotation_is_a_threshold_in_time_so_it_happens_once() {
    is(
        &following("since=5000"),
        &seen(1, "A made=4999", ""),
        &expect![[r#"
        1. rotation/kv1/main
    "#]],
    );
    is(&following("since=5000"), &seen(1, "A made=5000", ""), &expect![[r""]]);
    // By its own clock, Azure could not make a version of a time to come.
    is(
        &following("since=999999999"),
        &seen(1, "A made=86399", ""),
        &expect![[r#"
            note: key kv1/main: it is not rotated before 2001-09-09T01:46:39Z, which is yet to come by Azure's clock
        "#]],
    );
}

#[test]
fn a_key_whose_newest_version_somebody_disabled_is_not_rotated() {
    is(
        &wanted("age=P90D"),
        &seen(200, "B disabled made=86400 A made=1", "@A"),
        &expect![[r#"
        note: key kv1/main: its newest version bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb is disabled: it is not rotated before that is enabled
    "#]],
    );
}

#[test]
fn stale_version_after_rotation() {
    is(
        &wanted(""),
        &seen(9, "B made=86400 A made=1", "@A"),
        &expect![[r#"
        1. encryption/st1
    "#]],
    );
}

#[test]
fn a_version_that_somebody_disabled_is_enabled_only_when_the_operator_says_so() {
    is(
        &wanted("enabled"),
        &seen(1, "A disabled made=1", "@A"),
        &expect![[r#"
            1. enabled/kv1/main/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
               asks for reopening key/kv1/main: version aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa can be used again, after somebody disabled it
            note: account st1: it is bound to key kv1/main, of which it has no enabled version
        "#]],
    );
    // What is enabled becomes the newest, so the account moves to it.
    is(
        &wanted("enabled"),
        &seen(1, "B disabled made=9 A made=1", "@A"),
        &expect![[r#"
        1. enabled/kv1/main/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
           asks for reopening key/kv1/main: version bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb can be used again, after somebody disabled it
        2. encryption/st1   after 1
    "#]],
    );
    is(
        &wanted("as-used"),
        &seen(1, "B made=9 A disabled made=1", "@A"),
        &expect![[r#"
        1. enabled/kv1/main/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
           asks for reopening key/kv1/main: version aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa can be used again, after somebody disabled it
        2. encryption/st1   after 1
    "#]],
    );
}

#[test]
fn a_key_is_disabled_with_all_its_versions_when_the_operator_says_so_for_everybody_under_it() {
    let there = |users: &str| format!("{}; users kv1/main st9@B moved=1 {users}", seen(1, "B made=9 A made=1", "@B"));
    is(
        &wanted("disabled"),
        &there(""),
        &expect![[r#"
        1. disabled/kv1/main/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
           asks for couldBecomeUnreadable key/kv1/main: disks, databases and others that are no storage accounts may use it too, and were not seen
        2. disabled/kv1/main/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
           asks for couldBecomeUnreadable account/st1: account st1 is under version bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb: its data can no longer be read or written
           asks for couldBecomeUnreadable account/st9: account st9 is under version bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb: its data can no longer be read or written
           asks for couldBecomeUnreadable key/kv1/main: disks, databases and others that are no storage accounts may use it too, and were not seen
        note: account st1: it is under key kv1/main, which the spec says is disabled
    "#]],
    );
    is(
        &wanted("disabled"),
        &there("unseen"),
        &expect![[r#"
        blind: subscription 2
          hides: key kv1/main version aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa is disabled
          hides: key kv1/main version bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb is disabled
        note: account st1: it is under key kv1/main, which the spec says is disabled
    "#]],
    );
    is(
        &wanted("disabled"),
        &format!("{}; users kv1/main", seen(1, "B disabled made=9 A disabled made=1", "@B")),
        &expect![[r#"
            note: account st1: it is under key kv1/main, which the spec says is disabled
        "#]],
    );
}

#[test]
fn an_account_leaves_the_key_before_it_is_disabled_and_none_is_bound_to_it() {
    let two = "vault kv1 protected; key kv1/main; key kv1/old disabled; account st1 system uses kv1/main";
    let there = "vault kv1 protected st1=get+wrapKey+unwrapKey; key kv1/main B made=1; key kv1/old A made=1; \
                 account st1 system bound kv1/old@A; users kv1/old moved=1";
    is(
        two,
        there,
        &expect![[r#"
        1. encryption/st1
        2. disabled/kv1/old/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa   after 1
           asks for couldBecomeUnreadable key/kv1/old: disks, databases and others that are no storage accounts may use it too, and were not seen
    "#]],
    );
    // One that cannot be seen may have to leave first.
    let hidden = "vault kv1 protected st1=get+wrapKey+unwrapKey; key kv1/main B made=1; key kv1/old A made=1; \
                  account st1 hidden; users kv1/old st1@A moved=1";
    is(
        two,
        hidden,
        &expect![[r#"
        blind: account st1
          hides: key kv1/old version aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa is disabled
          hides: the identity of st1 may get, wrapKey, unwrapKey with kv1/main
          hides: account st1 is encrypted with the newest version of kv1/main
    "#]],
    );
    let fresh =
        "vault kv1 protected st1=get+wrapKey+unwrapKey; key kv1/main A made=1; account st1 system; users kv1/main";
    is(
        &wanted("disabled"),
        fresh,
        &expect![[r#"
        1. disabled/kv1/main/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
           asks for couldBecomeUnreadable key/kv1/main: disks, databases and others that are no storage accounts may use it too, and were not seen
        CMK262 account st1: it is to be bound to key kv1/main, which the spec says is disabled
    "#]],
    );
}

#[test]
fn one_version_is_disabled_once_the_account_is_off_it() {
    let there = |key: &str, account: &str| format!("{}; users kv1/main moved=1", seen(1, key, account));
    is(
        &wanted("shut=A"),
        &there("B made=9 A made=1", "@A"),
        &expect![[r#"
            1. encryption/st1
            2. disabled/kv1/main/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa   after 1
               asks for couldBecomeUnreadable key/kv1/main: disks, databases and others that are no storage accounts may use it too, and were not seen
        "#]],
    );
    is(
        &wanted("shut=A"),
        &there("B made=9 A made=1", "@B"),
        &expect![[r#"
        1. disabled/kv1/main/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
           asks for couldBecomeUnreadable key/kv1/main: disks, databases and others that are no storage accounts may use it too, and were not seen
    "#]],
    );
    is(
        &wanted("shut=A"),
        &there("A made=1", "@A"),
        &expect![[r#"
        1. disabled/kv1/main/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
           asks for couldBecomeUnreadable account/st1: account st1 is under version aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: its data can no longer be read or written
           asks for couldBecomeUnreadable key/kv1/main: disks, databases and others that are no storage accounts may use it too, and were not seen
        note: account st1: it is under version aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa of key kv1/main, which the spec says is disabled
    "#]],
    );
    is(
        &wanted("shut=A"),
        &there("A disabled made=1", "@A"),
        &expect![[r#"
        note: account st1: it is under version aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa of key kv1/main, which the spec says is disabled
    "#]],
    );
    is(
        &wanted("shut=C"),
        &there("A made=1", "@A"),
        &expect![[r#"
        CMK261 key kv1/main: it has no version cccccccccccccccccccccccccccccccc
    "#]],
    );
}

#[test]
fn old_version_disabled_too_soon() {
    let there = |day: i64, account: &str, users: &str| {
        format!("{}; users kv1/main {users}", seen(day, "B made=86400 A made=1", account))
    };
    // Nobody is on the new version yet: the account moves, and the old one stays.
    is(
        &wanted("retire=P7D"),
        &there(20, "@A", "moved=2"),
        &expect![[r#"
        1. encryption/st1
    "#]],
    );
    // Everybody has moved, and not long enough ago.
    is(
        &wanted("retire=P7D"),
        &there(20, "@B", "moved=1296000"),
        &expect![[r#"
        note: key kv1/main: version aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa stays enabled: everybody is off it since 1970-01-16T00:00:00Z: it waits until 1970-01-23T00:00:00Z
    "#]],
    );
    is(
        &wanted("retire=P1D"),
        &there(16, "@B", "moved=1296001"),
        &expect![[r#"
        note: key kv1/main: version aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa stays enabled: everybody is off it since 1970-01-16T00:00:01Z: it waits until 1970-01-17T00:00:01Z
    "#]],
    );
    // The waiting time is over.
    is(
        &wanted("retire=P7D"),
        &there(22, "@B", "moved=1296000"),
        &expect![[r#"
        1. disabled/kv1/main/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    "#]],
    );
    // Somebody whom the spec does not name is still under it.
    is(
        &wanted("retire=P7D"),
        &there(22, "@B", "moved=1296000 st9/hr@A"),
        &expect![[r#"
        note: key kv1/main: version aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa stays enabled: scope hr of account st9 is still under it
    "#]],
    );
    // Not everybody could be seen.
    is(
        &wanted("retire=P7D"),
        &there(22, "@B", "moved=1296000 unseen"),
        &expect![[r#"
        blind: key kv1/main
          hides: key kv1/main version aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa is retired
    "#]],
    );
    // Nobody says when he moved.
    is(
        &wanted("retire=P7D"),
        &there(22, "@B", ""),
        &expect![[r#"
        blind: key kv1/main
          hides: key kv1/main version aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa is retired
    "#]],
    );
}

#[test]
fn nothing_is_retired_in_the_plan_that_makes_a_new_version() {
    let there = format!("{}; users kv1/main moved=90000", seen(200, "B made=86400 A made=1", "@B"));
    is(
        &wanted("age=P90D retire=P7D"),
        &there,
        &expect![[r#"
        1. rotation/kv1/main
        2. encryption/st1   after 1
    "#]],
    );
}

#[test]
fn an_account_that_is_made_with_its_key_is_made_after_the_version_that_it_is_pinned_to() {
    use crate::plan::tests::world::{desired, observed};
    let wanted = "group; vault kv1 protected; key kv1/main age=P90D; identity id1; account st1 create has id1 uses kv1/main as id1";
    let vault = "vault kv1 protected id1=get+wrapKey+unwrapKey";
    let seen = format!("now {}; group; {vault}; key kv1/main A made=1; identity id1", 100 * DAY);
    check(
        wanted,
        &seen,
        &expect![[r#"
            1. rotation/kv1/main
            2. account/st1   after 1
        "#]],
    );
    // And nowhere does it say that it would be the version that is there.
    let made = crate::plan::plan(&desired(wanted), &observed(wanted, &seen));
    let shown = made.steps[1].because.iter().find(|change| change.path == "encryption.version").unwrap();
    assert_eq!(shown.after, "the version that Key Vault makes");
    assert_eq!(made.review.versions[0].to.version, None);
    assert!(
        matches!(&made.review.readability[0].after, crate::plan::review::Reads::ByKey(key) if key == "kv1/main at its newest version")
    );
}
