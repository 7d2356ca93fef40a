//! User-assigned identities: made, attached, let at a key, shared, and changed for another.

use super::check;
use crate::plan::tests::world::{desired, observed};
use crate::plan::{Action, RiskClass};
use expect_test::expect;

const LIVE: &str = "vault kv1 protected rbac; key kv1/main; identity id1";
const SEEN: &str = "identity id1; key kv1/main A";

#[test]
fn an_account_is_made_with_its_key_in_one_request() {
    check(
        "group; vault kv1 create protected; key kv1/main create; identity id1 create; account st1 create has id1 uses kv1/main as id1",
        "",
        &expect![[r#"
            1. group/11111111-1111-1111-1111-111111111111/rg
            2. vault/kv1   after 1
            3. key/kv1/main   after 2
            4. userIdentity/id1   after 1
            5. grant/id1/kv1/main   after 2 4
            6. account/st1   after 1 2 3 4 5
        "#]],
    );
}

#[test]
fn an_existing_identity_is_attached_and_let_at_the_key_before_the_account_is_bound() {
    check(
        &format!("{LIVE}; account st1 has id1 uses kv1/main as id1 auto"),
        &format!("{SEEN}; vault kv1 protected rbac; account st1"),
        &expect![[r#"
            1. grant/id1/kv1/main
            2. encryption/st1   after 1
        "#]],
    );
}

#[test]
fn nothing_is_to_be_done_where_all_is_so() {
    check(
        &format!("{LIVE}; account st1 has id1 uses kv1/main as id1 auto"),
        &format!("{SEEN}; vault kv1 protected rbac id1=role; account st1 has id1 bound kv1/main as id1"),
        &expect![""],
    );
}

#[test]
fn an_identity_that_several_accounts_share_is_granted_once() {
    check(
        &format!("{LIVE}; account st1 has id1 uses kv1/main as id1; account st2 has id1 uses kv1/main as id1"),
        &format!("{SEEN}; vault kv1 protected rbac; account st1; account st2"),
        &expect![[r#"
            1. grant/id1/kv1/main
            2. encryption/st1   after 1
            3. encryption/st2   after 1
        "#]],
    );
}

#[test]
fn one_identity_may_be_let_at_two_keys_of_a_vault() {
    check(
        "vault kv1 protected; key kv1/main; key kv1/other; identity id1; account st1 has id1 uses kv1/main as id1; account st2 has id1 uses kv1/other as id1",
        "identity id1; key kv1/main A; key kv1/other A; vault kv1 protected; account st1; account st2",
        &expect![[r#"
            1. grant/id1/kv1/main
            2. grant/id1/kv1/other
            3. encryption/st1   after 1
            4. encryption/st2   after 2
        "#]],
    );
}

#[test]
fn both_kinds_are_attached_at_once() {
    check(
        &format!("{LIVE}; account st1 system has id1 uses kv1/main"),
        &format!("{SEEN}; vault kv1 protected rbac; account st1 has id2"),
        &expect![[r#"
            1. identity/st1
            2. grant/st1/kv1   after 1
            3. encryption/st1   after 1 2
        "#]],
    );
}

#[test]
fn an_identity_that_is_not_there_is_refused_unless_it_is_to_be_made() {
    check(
        &format!("{LIVE}; account st1 has id1 uses kv1/main as id1"),
        "key kv1/main A; vault kv1 protected rbac; account st1",
        &expect![[r#"
            CMK201 identity id1: it does not exist in resource group rg
        "#]],
    );
}

#[test]
fn an_identity_that_cannot_be_seen_is_neither_made_nor_granted_anything() {
    check(
        "vault kv1 protected rbac; key kv1/main; identity id1 create; account st1 has id1 uses kv1/main as id1",
        "key kv1/main A; identity id1 hidden; vault kv1 protected rbac; account st1",
        &expect![[r#"
            blind: identity id1
              hides: account st1 has the identity id1
              hides: the identity id1 may get, wrapKey, unwrapKey with kv1/main
              hides: account st1 is encrypted with the newest version of kv1/main, as id1
        "#]],
    );
}

#[test]
fn from_system_to_user_the_key_stays_and_the_identity_changes() {
    check(
        &format!("{LIVE}; account st1 has id1 uses kv1/main as id1"),
        &format!("{SEEN}; vault kv1 protected rbac st1=role; account st1 system bound kv1/main@A"),
        &expect![[r#"
            1. identity/st1
            2. grant/id1/kv1/main
            3. reach/st1   after 1 2
        "#]],
    );
}

#[test]
fn from_user_to_system_the_key_stays_and_the_identity_changes() {
    check(
        &format!("{LIVE}; account st1 system uses kv1/main"),
        &format!("{SEEN}; vault kv1 protected rbac id1=role; account st1 has id1 bound kv1/main@A as id1"),
        &expect![[r#"
            1. identity/st1
            2. grant/st1/kv1   after 1
            3. reach/st1   after 1 2
        "#]],
    );
}

#[test]
fn identity_and_key_cannot_change_in_one_operation() {
    check(
        &format!("{LIVE}; key kv1/other; account st1 has id1 uses kv1/other as id1"),
        &format!(
            "{SEEN}; key kv1/other B; vault kv1 protected rbac st1=role@main; account st1 system bound kv1/main@A"
        ),
        &expect![[r#"
            1. identity/st1
            2. grant/id1/kv1/other
            3. grant/st1/kv1
            4. encryption/st1   after 3
            5. reach/st1   after 1 2 4
        "#]],
    );
}

#[test]
fn identity_and_version_cannot_change_in_one_operation() {
    check(
        &format!("{LIVE}; account st1 has id1 uses kv1/main as id1 auto"),
        &format!("{SEEN}; vault kv1 protected rbac st1=role; account st1 system bound kv1/main@A"),
        &expect![[r#"
            1. identity/st1
            2. grant/id1/kv1/main
            3. encryption/st1
            4. reach/st1   after 1 2 3
        "#]],
    );
}

#[test]
fn from_an_identity_that_the_spec_does_not_name_only_the_identity_changes() {
    let seen = |key: &str| {
        format!("{SEEN}; key kv1/other B; vault kv1 protected rbac; account st1 has id9 bound {key} as id9")
    };
    let wanted = format!("{LIVE}; key kv1/other; account st1 has id1 uses kv1/main as id1");
    check(
        &wanted,
        &seen("kv1/main@A"),
        &expect![[r#"
            1. identity/st1
            2. grant/id1/kv1/main
            3. reach/st1   after 1 2
        "#]],
    );
    check(
        &wanted,
        &seen("kv1/other@B"),
        &expect![[r#"
            1. identity/st1
            CMK213 account st1: it reaches another key, or another version, as the identity /subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id9, which the spec does not name
        "#]],
    );
}

#[test]
fn ordering_cycle_of_system_identity_and_grant() {
    // The account has to be there before its identity, the identity before the grant, and the grant before the key.
    check(
        "group; vault kv1 create protected rbac; key kv1/main create; account st1 create system uses kv1/main",
        "",
        &expect![[r#"
            1. group/11111111-1111-1111-1111-111111111111/rg
            2. vault/kv1   after 1
            3. key/kv1/main   after 2
            4. account/st1   after 1
            5. grant/st1/kv1   after 2 3 4
            6. encryption/st1   after 2 3 4 5
        "#]],
    );
}

#[test]
fn access_of_an_identity_that_serves_others_is_not_taken_away() {
    let seen = format!("{SEEN}; vault kv1 protected rbac id1=role; account st1 has id1 bound kv1/main@A as id1");
    check(
        &format!("{LIVE}; account st1 has id1 uses kv1/main as id1 revoked; account st2 has id1 uses kv1/main as id1"),
        &format!("{seen}; account st2 has id1 bound kv1/main@A as id1"),
        &expect![[r#"
            CMK260 account st1: it reaches its key as identity id1, and so does st2
        "#]],
    );
    check(
        &format!("{LIVE}; account st1 has id1 uses kv1/main as id1 revoked"),
        &seen,
        &expect![[r#"
            1. revocation/st1/kv1
               asks for couldBecomeUnreadable account/st1: its data can no longer be read or written once its access to vault kv1 is gone
            note: account st1: a grant to a group that its identity belongs to would keep it readable: groups are not read
        "#]],
    );
}

#[test]
fn an_identity_that_serves_somebody_outside_of_the_spec_is_not_shut_out() {
    let wanted = format!("{LIVE}; account st1 has id1 uses kv1/main as id1 revoked");
    let seen = |sharers: &str| {
        format!(
            "{SEEN}; vault kv1 protected rbac id1=role; account st1 has id1 bound kv1/main@A as id1; sharers kv1 {sharers}"
        )
    };
    check(
        &wanted,
        &seen("st1=id1 st9=id1 st8=own st9/hr=id1"),
        &expect![[r#"
            CMK260 account st1: it reaches its key as identity id1, and so does scope hr of account st9, st9 (not in the spec)
        "#]],
    );
    // Its own scopes go with it.
    check(
        &wanted,
        &seen("st1=id1 st1/hr=id1 st8=own"),
        &expect![[r#"
            1. revocation/st1/kv1
               asks for couldBecomeUnreadable account/st1: its data can no longer be read or written once its access to vault kv1 is gone
               asks for couldBecomeUnreadable account/st1: nor can what is in its encryption scope hr
            note: account st1: a grant to a group that its identity belongs to would keep it readable: groups are not read
        "#]],
    );
    // Nothing is closed as long as it could not be seen whom the identity serves.
    check(
        &wanted,
        &seen("st1=id1 unseen"),
        &expect![[r#"
        blind: subscription 2
          hides: the identity id1 has no access to the keys of kv1
    "#]],
    );
    // The judge says the same of a plan that was made without that sight.
    let blind = crate::plan::plan(&desired(&wanted), &observed(&wanted, &seen("st1=id1")));
    let breaches = |sharers: &str| crate::plan::judge(&blind, &observed(&wanted, &seen(sharers)));
    assert!(breaches("st1=id1").is_empty());
    assert!(breaches("st9=id1").iter().any(|breach| breach.what.contains("reach their keys as the same identity")));
    assert!(breaches("st1=id1 unseen").iter().any(|breach| breach.what.contains(", or may")));
}

#[test]
fn access_of_all_accounts_that_share_an_identity_is_taken_away() {
    let account = |name: &str| format!("account {name} has id1 bound kv1/main@A as id1");
    let wanted = |name: &str| format!("account {name} has id1 uses kv1/main as id1 revoked");
    check(
        &format!("{LIVE}; {}; {}", wanted("st1"), wanted("st2")),
        &format!("{SEEN}; vault kv1 protected rbac id1=role; {}; {}", account("st1"), account("st2")),
        &expect![[r#"
            1. revocation/st1/kv1
               asks for couldBecomeUnreadable account/st1: its data can no longer be read or written once its access to vault kv1 is gone
            2. revocation/st2/kv1
               asks for couldBecomeUnreadable account/st2: its data can no longer be read or written once its access to vault kv1 is gone
            note: account st1: a grant to a group that its identity belongs to would keep it readable: groups are not read
            note: account st2: a grant to a group that its identity belongs to would keep it readable: groups are not read
        "#]],
    );
}

#[test]
fn nothing_is_taken_from_an_identity_while_an_account_that_uses_it_cannot_be_seen() {
    let seen = format!("{SEEN}; vault kv1 protected rbac id1=role");
    let revoked = |name: &str| format!("account {name} has id1 uses kv1/main as id1 revoked");
    let bound = "account st2 has id1 bound kv1/main@A as id1";
    for wanted in [revoked("st1"), format!("{}; {}", revoked("st1"), revoked("st2"))] {
        check(
            &format!("{LIVE}; {wanted}"),
            &format!("{seen}; account st1 hidden; {bound}"),
            &expect![[r#"
                blind: account st1
                  hides: the identity id1 has no access to the keys of kv1
            "#]],
        );
    }
}

#[test]
fn an_identity_that_somebody_shut_out_is_let_in_again_only_when_asked() {
    let wanted = format!("{LIVE}; account st1 has id1 uses kv1/main as id1; account st2 has id1 uses kv1/main as id1");
    let accounts = ["st1", "st2"].map(|name| format!("account {name} has id1 bound kv1/main@A as id1")).join("; ");
    let seen = format!("{SEEN}; vault kv1 protected rbac; {accounts}");
    let made = crate::plan::plan(&desired(&wanted), &observed(&wanted, &seen));
    let risks = made.steps.iter().flat_map(|step| &step.risks).map(|risk| format!("{} {}", risk.class, risk.object));
    let risks: Vec<String> = risks.collect();
    assert_eq!(risks, ["reopening account/st1", "reopening account/st2", "accessChange identity/id1"]);
    assert!(crate::plan::judge(&made, &observed(&wanted, &seen)).is_empty());
}

#[test]
fn an_identity_comes_with_the_key_only_where_both_come_about_at_once() {
    let seen = format!("{SEEN}; vault kv1 protected rbac id1=role");
    let with = |wanted: &str, seen: &str| {
        let made = crate::plan::plan(&desired(wanted), &observed(wanted, seen));
        made.steps.iter().map(|step| step.id.0.clone()).collect::<Vec<_>>()
    };
    let wanted = format!("{LIVE}; account st1 has id1 uses kv1/main as id1");
    assert_eq!(with(&wanted, &format!("{seen}; account st1")), ["encryption/st1"]);
    // Under a key already, it stays readable whatever becomes of the new identity.
    let bound = with(&wanted, &format!("{seen}; account st1 system bound kv1/main@A"));
    assert_eq!(bound.first().map(String::as_str), Some("identity/st1"), "{bound:?}");
    // Its own identity is let at the key between the two.
    let own = format!("{LIVE}; account st1 system uses kv1/main");
    assert_eq!(with(&own, &format!("{seen}; account st1")), ["identity/st1", "grant/st1/kv1", "encryption/st1"]);
}

#[test]
fn the_judge_lets_no_identity_come_with_another_key_and_none_that_is_new() {
    let wanted = format!("{LIVE}; account st1 has id1 uses kv1/main as id1");
    let free = observed(&wanted, &format!("{SEEN}; vault kv1 protected rbac id1=role; account st1"));
    let bound = observed(&wanted, &format!("{SEEN}; vault kv1 protected rbac id1=role; account st1 bound kv1/main@A"));
    let mut made = crate::plan::plan(&desired(&wanted), &free);
    assert!(crate::plan::judge(&made, &free).is_empty());
    let says = |made: &crate::plan::Plan, seen: &crate::model::Observed, words: &str| {
        crate::plan::judge(made, seen).iter().any(|breach| breach.what.contains(words))
    };
    assert!(says(&made, &bound, "to another key at once"));
    if let Some(Action::SetEncryption { attach, .. }) = made.steps.last_mut().map(|step| &mut step.action) {
        attach.system = true;
        assert!(says(&made, &free, "account's new identity"));
    }
    if let Some(Action::SetEncryption { attach, .. }) = made.steps.last_mut().map(|step| &mut step.action) {
        *attach = crate::model::Identities::default();
    }
    assert!(says(&made, &free, "no identity to unwrap with"));
}

#[test]
fn the_judge_lets_nobody_change_key_and_identity_at_once() {
    let wanted = format!("{LIVE}; key kv1/other; account st1 has id1 uses kv1/other as id1");
    let seen = observed(
        &wanted,
        &format!("{SEEN}; key kv1/other B; vault kv1 protected rbac st1=role; account st1 system bound kv1/main@A"),
    );
    let mut made = crate::plan::plan(&desired(&wanted), &seen);
    let at = made.steps.iter().position(|step| step.id.0 == "encryption/st1").unwrap();
    made.steps.remove(at);
    for step in &mut made.steps {
        step.after.retain(|id| id.0 != "encryption/st1");
    }
    let breaches = crate::plan::judge(&made, &seen);
    assert!(breaches.iter().any(|breach| breach.what.contains("at once")), "{breaches:?}");
}

#[test]
fn an_identity_that_somebody_took_from_an_account_comes_back_only_when_asked() {
    let wanted = format!("{LIVE}; account st1 has id1 uses kv1/main as id1");
    let taken = "identity id1; vault kv1 protected rbac id1=role; account st1 bound kv1/main@A as id1";
    check(
        &wanted,
        &format!("key kv1/main A; {taken}"),
        &expect![[r#"
        1. identity/st1
           asks for reopening account/st1: it reaches its key as an identity that somebody took from it, and gets it back
    "#]],
    );
    // It is under a key already, so that it comes back by a step of its own.
    check(
        &wanted,
        &format!("key kv1/main B A; {taken}"),
        &expect![[r#"
        1. identity/st1
           asks for reopening account/st1: it reaches its key as an identity that somebody took from it, and gets it back
        2. encryption/st1   after 1
    "#]],
    );
    let seen = observed(&wanted, &format!("key kv1/main A; {taken}"));
    let mut made = crate::plan::plan(&desired(&wanted), &seen);
    made.steps[0].risks.clear();
    super::rejected(&made, &seen, "it does not say that it is reopening for account/st1");
}

const MOVES: &str = "vault kv1 protected rbac; key kv1/main; identity id1; account st1 has id1 uses kv1/main as id1";

#[test]
fn a_scope_under_another_key_may_become_unreadable_when_the_identity_changes() {
    let seen = "identity id1; key kv1/main A; vault kv1 protected rbac st1=role; account st1 system bound kv1/main@A";
    check(
        MOVES,
        &format!("{seen}; scopes st1 hr=kv1/other"),
        &expect![[r#"
        1. identity/st1
        2. grant/id1/kv1/main
        3. reach/st1   after 1 2
           asks for couldBecomeUnreadable account/st1: its encryption scope hr is under kv1.vault.test/other and is read as the user-assigned identity id1 from then on, of which nobody saw that it may use that key
    "#]],
    );
    check(
        MOVES,
        &format!("{seen}; scopes st1 hr=kv9/main"),
        &expect![[r#"
        1. identity/st1
        2. grant/id1/kv1/main
        3. reach/st1   after 1 2
           asks for couldBecomeUnreadable account/st1: its encryption scope hr is under kv9.vault.test/main and is read as the user-assigned identity id1 from then on, of which nobody saw that it may use that key
    "#]],
    );
    // Of the key that the step is about, and of keys that the identity was seen to be let at, there is nothing to fear.
    check(
        MOVES,
        &format!("{seen}; scopes st1 hr=kv1/main"),
        &expect![[r#"
        1. identity/st1
        2. grant/id1/kv1/main
        3. reach/st1   after 1 2
    "#]],
    );
    let let_in = seen.replace("st1=role", "st1=role id1=role@other");
    check(
        MOVES,
        &format!("{let_in}; scopes st1 hr=kv1/other"),
        &expect![[r#"
        1. identity/st1
        2. grant/id1/kv1/main
        3. reach/st1   after 1 2
    "#]],
    );
    check(
        MOVES,
        &format!("{seen}; scopes st1 hidden"),
        &expect![[r#"
        1. identity/st1
        2. grant/id1/kv1/main
        3. reach/st1   after 1 2
        blind: the encryption scopes of account st1
          hides: whether what is in them can be read as another identity
    "#]],
    );
}

#[test]
fn a_scope_under_a_key_may_become_unreadable_when_the_account_leaves_its_own() {
    check(
        "vault kv1 protected rbac; key kv1/main; identity id1; account st1 microsoft",
        "identity id1; key kv1/main A; vault kv1 protected rbac id1=role; account st1 has id1 bound kv1/main@A as id1; scopes st1 hr=kv1/main",
        &expect![[r#"
            1. encryption/st1
               asks for couldBecomeUnreadable account/st1: its encryption scope hr is under kv1.vault.test/main and is read as the system-assigned identity of account st1 from then on, of which nobody saw that it may use that key
               asks for protectionLowered account/st1: its data is protected by a key that Microsoft manages from then on, which nobody here can revoke
        "#]],
    );
}

#[test]
fn a_plan_that_keeps_silent_of_a_scope_that_may_become_unreadable_is_rejected() {
    let seen = "identity id1; key kv1/main A; vault kv1 protected rbac st1=role; account st1 system bound kv1/main@A; scopes st1 hr=kv1/other";
    let observed = observed(MOVES, seen);
    let mut plan = crate::plan::plan(&desired(MOVES), &observed);
    for step in &mut plan.steps {
        step.risks.retain(|risk| risk.class != RiskClass::Unreadable);
    }
    super::rejected(&plan, &observed, "it does not say that it is couldBecomeUnreadable for account/st1");
}
