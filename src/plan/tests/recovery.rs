//! What was deleted: brought back where the spec says so, and then nothing that hangs on it in the same plan.

use super::world::{desired, observed};
use super::{check, rejected, text};
use crate::plan::{Action, Change, Plan, judge, plan};
use expect_test::expect;

/// A vault that comes back where it was deleted, with a key and an account on it.
const VAULT: &str =
    "group; vault kv1 create recover protected; key kv1/main create; account st1 create system uses kv1/main";

/// A key that does, in a vault that is there.
const KEY: &str = "vault kv1 protected; key kv1/main create recover; account st1 system uses kv1/main";

#[test]
fn a_deleted_vault_comes_back_when_the_spec_says_so_and_the_operator_agrees() {
    check(
        VAULT,
        "group; vault kv1 deleted dated; account st1 system bound kv1/main@A",
        &expect![[r#"
        1. recovery/kv1
           asks for reopening vault/kv1: it comes back with its keys and access policies, after somebody deleted it; bound to it: st1
        note: vault kv1: what it holds shows once it is back: this plan ends there, and the same command goes on from what is seen then
    "#]],
    );
}

#[test]
fn what_hangs_on_what_comes_back_is_left_to_the_next_plan() {
    check(
        VAULT,
        "vault kv1 deleted dated",
        &expect![[r#"
        1. group/11111111-1111-1111-1111-111111111111/rg
        2. recovery/kv1   after 1
           asks for reopening vault/kv1: it comes back with its keys and access policies, after somebody deleted it
        3. account/st1   after 1
        note: vault kv1: what it holds shows once it is back: this plan ends there, and the same command goes on from what is seen then
    "#]],
    );
    let shared = "group; vault kv1 create recover protected; key kv1/main create; identity id1 create; account st1 create has id1 uses kv1/main as id1";
    check(
        shared,
        "group; vault kv1 deleted",
        &expect![[r#"
        1. recovery/kv1
           asks for reopening vault/kv1: it comes back with its keys and access policies, after somebody deleted it
        2. userIdentity/id1
        note: vault kv1: what it holds shows once it is back: this plan ends there, and the same command goes on from what is seen then
        note: account st1: it is made with its key, once kv1/main is back
    "#]],
    );
}

#[test]
fn an_account_that_leaves_what_comes_back_stays_for_now() {
    let moves = "group; vault kv1 create recover protected; vault kv2 protected; key kv2/main; account st1 system uses kv2/main";
    let seen = "group; vault kv1 deleted; vault kv2 protected st1=get+wrapKey+unwrapKey; key kv2/main A; account st1 system bound kv1/old@A";
    check(
        moves,
        seen,
        &expect![[r#"
        1. recovery/kv1
           asks for reopening vault/kv1: it comes back with its keys and access policies, after somebody deleted it; bound to it: st1
        note: vault kv1: what it holds shows once it is back: this plan ends there, and the same command goes on from what is seen then
    "#]],
    );
    let leaves = "group; vault kv1 create recover protected; account st1 microsoft";
    check(
        leaves,
        "group; vault kv1 deleted; account st1 system bound kv1/old@A",
        &expect![[r#"
        1. recovery/kv1
           asks for reopening vault/kv1: it comes back with its keys and access policies, after somebody deleted it; bound to it: st1
        note: vault kv1: what it holds shows once it is back: this plan ends there, and the same command goes on from what is seen then
    "#]],
    );
}

#[test]
fn an_account_on_another_vault_goes_on_as_planned() {
    let wanted = "group; vault kv1 create recover protected; vault kv2 protected; key kv2/main; account st1 system uses kv2/main";
    check(
        wanted,
        "group; vault kv1 deleted; vault kv2 protected; key kv2/main A; account st1 system",
        &expect![[r#"
            1. recovery/kv1
               asks for reopening vault/kv1: it comes back with its keys and access policies, after somebody deleted it
            2. grant/st1/kv2
            3. encryption/st1   after 2
            note: vault kv1: what it holds shows once it is back: this plan ends there, and the same command goes on from what is seen then
        "#]],
    );
}

#[test]
fn a_deleted_vault_comes_back_only_where_it_was_and_while_there_is_time() {
    for (deleted, expected) in [
        (
            "elsewhere",
            expect![[r#"
            CMK275 vault kv1: the deleted vault was in resource group rg2 of subscription 11111111-1111-1111-1111-111111111111, and comes back nowhere else; the spec says rg of 11111111-1111-1111-1111-111111111111
        "#]],
        ),
        (
            "eastus",
            expect![[r#"
            CMK275 vault kv1: the deleted vault was in eastus, and comes back nowhere else; the spec says westeurope
        "#]],
        ),
        (
            "over",
            expect![[r#"
            CMK275 vault kv1: the deleted vault was to be purged on 1970-01-01T00:00:00Z, and may be gone at any moment
        "#]],
        ),
    ] {
        check("group; vault kv1 create recover protected", &format!("group; vault kv1 deleted {deleted}"), &expected);
    }
}

#[test]
fn a_vault_whose_name_is_free_is_made_although_it_might_come_back() {
    check(
        "group; vault kv1 create recover protected",
        "group",
        &expect![[r#"
        1. vault/kv1
    "#]],
    );
}

#[test]
fn a_deleted_key_comes_back_when_the_spec_says_so_and_the_operator_agrees() {
    let seen = "vault kv1 protected st1=get+wrapKey+unwrapKey; key kv1/main deleted; account st1 system";
    check(
        KEY,
        seen,
        &expect![[r#"
        1. recovery/kv1/main
           asks for reopening key/kv1/main: it comes back with all its versions, after somebody deleted it
        note: key kv1/main: what it holds shows once it is back: this plan ends there, and the same command goes on from what is seen then
    "#]],
    );
    check(
        KEY,
        &format!("{seen} bound kv1/main@A"),
        &expect![[r#"
        1. recovery/kv1/main
           asks for reopening key/kv1/main: it comes back with all its versions, after somebody deleted it; bound to it: st1
        note: key kv1/main: what it holds shows once it is back: this plan ends there, and the same command goes on from what is seen then
    "#]],
    );
}

#[test]
fn a_deleted_key_comes_back_only_by_itself_and_while_there_is_time() {
    for (deleted, expected) in [
        (
            "certificate",
            expect![[r#"
        CMK275 key kv1/main: the deleted key belongs to a certificate, and comes back with that alone
    "#]],
        ),
        (
            "over",
            expect![[r#"
        CMK275 key kv1/main: the deleted key was to be purged on 1970-01-01T00:00:00Z, and may be gone at any moment
    "#]],
        ),
    ] {
        check(
            "vault kv1 protected; key kv1/main create recover",
            &format!("vault kv1 protected; key kv1/main deleted {deleted}"),
            &expected,
        );
    }
}

#[test]
fn what_an_account_is_bound_to_that_is_to_be_out_of_reach_does_not_come_back() {
    let bound = "account st1 system bound kv1/main@A";
    check(
        &format!("{VAULT} revoked"),
        &format!("group; vault kv1 deleted; {bound}"),
        &expect![[r#"
        CMK241 account st1: its access to key kv1/main is to be revoked, but it is bound to kv1.vault.test/main
        CMK275 vault kv1: bound to it, and to be out of reach: st1. It could read again, for a while at least
    "#]],
    );
    check(
        &format!("{KEY} revoked"),
        &format!("vault kv1 protected; key kv1/main deleted; {bound}"),
        &expect![[r#"
        CMK275 key kv1/main: bound to it, and to be out of reach: st1. It could read again, for a while at least
    "#]],
    );
}

#[test]
fn a_key_that_nobody_is_to_use_does_not_come_back() {
    check(
        "vault kv1 protected; key kv1/main create recover disabled",
        "vault kv1 protected; key kv1/main deleted",
        &expect![[r#"
            note: key kv1/main: it does not exist, and is not made as long as `enabled` is `false`
        "#]],
    );
}

/// The plan of a vault and the plan of a key that come back, each with what it was made from.
fn both() -> [(Plan, crate::model::Observed); 2] {
    let cases =
        [(VAULT, "group; vault kv1 deleted"), (KEY, "vault kv1 protected; key kv1/main deleted; account st1 system")];
    cases.map(|(wanted, seen)| {
        let observed = observed(wanted, seen);
        let plan = plan(&desired(wanted), &observed);
        assert!(text(&plan).contains("recovery/kv1"), "there is something to judge");
        assert_eq!(judge(&plan, &observed), vec![], "the planner's own plan is accepted");
        (plan, observed)
    })
}

#[test]
fn the_judge_lets_nothing_come_back_that_was_not_seen_to_be_deleted() {
    for (plan, mut observed) in both() {
        observed.vault_names.clear();
        observed.deleted_keys.clear();
        rejected(&plan, &observed, "of this name was seen");
    }
}

#[test]
fn the_judge_lets_nothing_come_back_in_place_of_what_is_there() {
    let [(of_vault, _), (of_key, _)] = both();
    let live = observed(VAULT, "group; vault kv1 protected; key kv1/main A");
    rejected(&of_vault, &live, "the vault exists");
    rejected(&of_key, &live, "the key exists");
}

#[test]
fn the_judge_wants_to_hear_that_something_is_opened_again() {
    for (mut plan, observed) in both() {
        for step in &mut plan.steps {
            step.risks.clear();
        }
        rejected(&plan, &observed, "it does not say that it is reopening");
    }
}

#[test]
fn the_judge_wants_the_operator_to_be_asked() {
    for (mut plan, observed) in both() {
        for risk in plan.steps.iter_mut().flat_map(|step| &mut step.risks) {
            risk.consent = crate::plan::Consent::Plan;
        }
        rejected(&plan, &observed, "it asks nobody who may decide about reopening");
    }
}

#[test]
fn the_judge_wants_the_return_to_be_shown() {
    for (mut plan, observed) in both() {
        for step in &mut plan.steps {
            step.because.iter_mut().for_each(|change: &mut Change| change.before = None);
        }
        rejected(&plan, &observed, "the plan does not show that");
    }
}

#[test]
fn the_judge_lets_nothing_hang_on_a_vault_whose_inside_nobody_has_seen() {
    let [(mut plan, observed), _] = both();
    let made = "group; vault kv1 create protected; key kv1/main create";
    let seen = super::world::observed(made, "group");
    let key = super::plan(&desired(made), &seen)
        .steps
        .into_iter()
        .find(|step| matches!(step.action, Action::CreateKey { .. }));
    let mut key = key.unwrap();
    key.after = vec![crate::plan::StepId("recovery/kv1".to_owned())];
    plan.steps.push(key);
    rejected(&plan, &observed, "its vault is neither there nor made before it");
}
