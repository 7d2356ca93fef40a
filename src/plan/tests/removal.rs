//! Identities that an account is to lose: last, and only where nothing is reached as them.

use super::check;
use expect_test::expect;

const LIVE: &str = "vault kv1 protected rbac; key kv1/main; identity id1";
const SEEN: &str = "identity id1; key kv1/main A";

#[test]
fn an_identity_goes_once_the_key_is_reached_as_another() {
    check(
        &format!("{LIVE}; account st1 has id1 loses own uses kv1/main as id1"),
        &format!("{SEEN}; vault kv1 protected rbac st1=role; account st1 system bound kv1/main@A; scopes st1"),
        &expect![[r#"
            1. identity/st1
            2. grant/id1/kv1/main
            3. reach/st1   after 1 2
            4. removal/st1   after 1 3
               asks for irreversible account/st1: its own identity is gone for good, and so is whatever it was allowed anywhere: a new one is somebody else to Azure
        "#]],
    );
}

#[test]
fn a_user_assigned_identity_goes_and_others_stay() {
    check(
        &format!("{LIVE}; identity id2; account st1 has id2 loses id1 uses kv1/main as id2"),
        &format!(
            "{SEEN}; identity id2; vault kv1 protected rbac id1=role id2=role; account st1 has id1 has id2 has id3 bound kv1/main@A as id1; scopes st1"
        ),
        &expect![[r#"
            1. reach/st1
            2. removal/st1   after 1
        "#]],
    );
}

#[test]
fn an_account_that_leaves_its_key_may_lose_what_reached_it() {
    check(
        &format!("{LIVE}; account st1 loses id1 microsoft"),
        &format!("{SEEN}; vault kv1 protected rbac id1=role; account st1 has id1 bound kv1/main@A as id1; scopes st1"),
        &expect![[r#"
            1. encryption/st1
               asks for protectionLowered account/st1: its data is protected by a key that Microsoft manages from then on, which nobody here can revoke
            2. removal/st1   after 1
        "#]],
    );
}

#[test]
fn an_identity_that_the_account_does_not_have_is_not_taken_from_it() {
    check(
        "identity id1; account st1 loses id1 loses own",
        "identity id1; account st1 has id2; scopes st1",
        &expect![[r#""#]],
    );
}

#[test]
fn an_identity_that_is_gone_itself_may_be_taken_away() {
    check(
        "identity id1; account st1 loses id1",
        "account st1 has id1; scopes st1",
        &expect![[r#"
        1. removal/st1
    "#]],
    );
}

#[test]
fn an_identity_that_reaches_the_key_is_not_taken_away() {
    check(
        "identity id1; account st1 loses id1",
        "identity id1; account st1 has id1 bound kv1/main@A as id1; scopes st1",
        &expect![[r#"
            CMK263 account st1: it reaches its key as the user-assigned identity id1, which the spec takes from it
        "#]],
    );
}

#[test]
fn an_identity_stays_where_a_scope_may_be_read_as_it() {
    check(
        "identity id1; account st1 loses id1",
        "identity id1; account st1 system has id1; scopes st1 hr=kv1/main",
        &expect![[r#"
            CMK263 account st1: its encryption scope hr is under a key, and Azure does not say as which of its identities
        "#]],
    );
}

#[test]
fn an_identity_stays_where_the_scopes_cannot_be_seen() {
    check(
        "identity id1; account st1 loses id1",
        "identity id1; account st1 system has id1; scopes st1 hidden",
        &expect![[r#"
            blind: the encryption scopes of account st1
              hides: account st1 does not have the identity id1
        "#]],
    );
}

#[test]
fn an_identity_stays_where_the_move_from_it_is_refused() {
    check(
        &format!("{LIVE}; account st1 has id1 loses own uses kv1/main as id1"),
        &format!("{SEEN} disabled; vault kv1 protected rbac st1=role; account st1 system bound kv1/main@A; scopes st1"),
        &expect![[r#"
            1. identity/st1
            CMK207 key kv1/main: account st1 cannot be bound to it: it has no enabled version
            CMK211 account st1: it is bound to kv1/main now, and that key cannot unwrap: version aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa is disabled
        "#]],
    );
}
