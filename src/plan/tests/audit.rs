//! Audit logs: sent by one setting of our own, beside those of others, and taken from nowhere unasked.

use super::world::{desired, observed};
use super::{check, rejected};
use crate::plan::{Action, Plan, judge, plan};
use expect_test::expect;

#[test]
fn an_audit_log_that_goes_nowhere_is_sent_by_a_setting_of_our_own() {
    check(
        "vault kv1 ws=one hub=siem",
        "vault kv1",
        &expect![[r#"
        1. audit/kv1
    "#]],
    );
    check(
        "group; vault kv1 create protected ws=one",
        "group",
        &expect![[r#"
        1. vault/kv1
        2. audit/kv1   after 1
    "#]],
    );
}

#[test]
fn a_setting_of_another_team_that_sends_it_there_is_enough() {
    check("vault kv1 ws=one", "vault kv1; setting kv1 theirs ws=one audit", &expect![[""]]);
    check(
        "vault kv1 ws=one sa=two",
        "vault kv1; setting kv1 theirs ws=one audit",
        &expect![[r#"
        1. audit/kv1
    "#]],
    );
    check(
        "vault kv1 ws=one",
        "vault kv1; setting kv1 theirs ws=one",
        &expect![[r#"
        1. audit/kv1
    "#]],
    );
}

#[test]
fn what_our_setting_sends_beyond_the_spec_stays() {
    check("vault kv1 ws=one", "vault kv1; setting kv1 cmk-audit ws=one sa=two audit", &expect![[""]]);
    check(
        "vault kv1 ws=one hub=siem",
        "vault kv1; setting kv1 cmk-audit ws=one sa=two audit",
        &expect![[r#"
        1. audit/kv1
    "#]],
    );
}

#[test]
fn another_place_of_the_same_kind_takes_the_audit_log_from_the_former_one_and_asks_first() {
    check(
        "vault kv1 ws=one",
        "vault kv1; setting kv1 cmk-audit ws=old audit",
        &expect![[r#"
        1. audit/kv1
           asks for protectionLowered vault/kv1: its audit log no longer goes to old by the setting cmk-audit
    "#]],
    );
}

#[test]
fn a_sixth_setting_is_refused_and_so_is_a_second_one_for_a_place() {
    let five = ["1", "2", "3", "4", "5"].map(|n| ["; setting kv1 theirs", n, " sa=s", n, " audit"].concat()).concat();
    check(
        "vault kv1 ws=one",
        &format!("vault kv1{five}"),
        &expect![[r#"
        CMK276 vault kv1: it has 5 diagnostic settings, and Azure allows no more: theirs1, theirs2, theirs3, theirs4, theirs5
    "#]],
    );
    let mixed = "vault kv1; setting kv1 theirs sa=two audit; setting kv1 cmk-audit sa=two";
    check(
        "vault kv1 ws=one",
        mixed,
        &expect![[r#"
        CMK277 vault kv1: its setting cmk-audit sends other logs to two, and theirs sends the audit log there: Azure takes it from one setting only
    "#]],
    );
}

#[test]
fn settings_that_may_not_be_seen_are_left_as_they_are() {
    check(
        "vault kv1 ws=one",
        "vault kv1; setting kv1 hidden",
        &expect![[r#"
        blind: vault kv1
          hides: the audit log of vault kv1 goes to one
    "#]],
    );
}

#[test]
fn a_vault_that_comes_back_is_looked_at_before_its_audit_log_is_sent() {
    check(
        "group; vault kv1 create recover protected ws=one",
        "group; vault kv1 deleted",
        &expect![[r#"
        1. recovery/kv1
           asks for reopening vault/kv1: it comes back with its keys and access policies, after somebody deleted it
        note: vault kv1: what it holds shows once it is back: this plan ends there, and the same command goes on from what is seen then
    "#]],
    );
}

fn replaced() -> (Plan, crate::model::Observed) {
    let (wanted, seen) = ("vault kv1 ws=one", "vault kv1; setting kv1 cmk-audit ws=old sa=two audit");
    let observed = observed(wanted, seen);
    let plan = plan(&desired(wanted), &observed);
    assert_eq!((plan.steps.len(), judge(&plan, &observed)), (1, vec![]));
    (plan, observed)
}

#[test]
fn the_judge_wants_to_hear_that_an_audit_log_no_longer_goes_somewhere() {
    let (mut plan, observed) = replaced();
    plan.steps[0].risks.clear();
    rejected(&plan, &observed, "it does not say that it is protectionLowered for vault/kv1");
}

#[test]
fn the_judge_lets_an_audit_log_go_only_where_somebody_asked_for_it() {
    let (mut plan, mut observed) = replaced();
    observed.audits.clear();
    rejected(&plan, &observed, "its diagnostic settings were not seen");
    let (_, observed) = replaced();
    for step in &mut plan.steps {
        if let Action::SetAudit { wanted, .. } = &mut step.action {
            wanted.clear();
        }
    }
    rejected(&plan, &observed, "where nobody asked for it");
}

#[test]
fn whoever_reads_a_new_place_is_said_to_learn_of_it_and_the_judge_wants_to_hear_that() {
    let (wanted, seen) = ("vault kv1 ws=one", "vault kv1");
    let observed = observed(wanted, seen);
    let mut made = plan(&desired(wanted), &observed);
    let risks: Vec<String> =
        made.steps[0].risks.iter().map(|one| format!("{} {}: {}", one.class, one.object, one.why)).collect();
    assert_eq!(risks, ["accessChange vault/kv1: whoever reads one learns who does what with its keys"]);
    made.steps[0].risks.clear();
    rejected(&made, &observed, "it does not say that it is accessChange for vault/kv1");
}

#[test]
fn a_guard_bounds_the_subscriptions_that_an_audit_log_may_go_to() {
    let place = "/subscriptions/22222222-2222-2222-2222-222222222222/resourcegroups/rg/providers/x/workspaces/one";
    let wanted = format!("vault kv1 ws={place}");
    let observed = observed(&wanted, "vault kv1");
    let made = plan(&desired(&wanted), &observed);
    let breaches = |subscriptions: &[&str]| {
        let any = || vec![crate::model::Pattern::new("*")];
        let guard = crate::model::Guard {
            tenants: any(),
            subscriptions: subscriptions.iter().map(|one| crate::model::Pattern::new(one)).collect(),
            resource_groups: any(),
            vaults: any(),
            accounts: any(),
            ..crate::model::Guard::default()
        };
        let all = super::super::guard::breaches(&made, &observed, &guard, "guard.yaml");
        all.iter().map(|one| format!("{} {}", one.code, one.resource)).collect::<Vec<_>>()
    };
    let [ours, theirs] = ["11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"];
    assert_eq!(breaches(&[ours]), [format!("CMK231 subscription {theirs}")]);
    assert_eq!(breaches(&[ours, theirs]), Vec::<String>::new());
}
