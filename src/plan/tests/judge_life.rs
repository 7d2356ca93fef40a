//! The judge on the life of keys: what is closed on somebody, opened unasked, or made twice.

use super::rejected;
use super::world::{desired, observed};
use crate::model::{Observed, Period, Seen, Timestamp, Version, VersionRule};
use crate::plan::{Action, Breach, Plan, judge, plan};

const DAY: i64 = 86_400;

/// A plan and what it was made from. Version `A` is old, `B` is newer where it is there.
fn case(wishes: &str, day: i64, key: &str, under: &str) -> (Plan, Observed) {
    let wanted = format!("vault kv1 protected; key kv1/main {wishes}; account st1 system uses kv1/main");
    let seen = format!(
        "now {}; vault kv1 protected st1=get+wrapKey+unwrapKey; key kv1/main {key}; \
         account st1 system bound kv1/main@{under}; users kv1/main moved=90000",
        day * DAY
    );
    let observed = observed(&wanted, &seen);
    let plan = plan(&desired(&wanted), &observed);
    assert_eq!(judge(&plan, &observed), Vec::<Breach>::new(), "the planner's own plan is accepted");
    assert!(!plan.steps.is_empty(), "there is something to judge");
    (plan, observed)
}

fn retired() -> (Plan, Observed) {
    case("retire=P7D", 30, "B made=86400 A made=1", "B")
}

#[test]
fn a_version_is_not_retired_under_somebody_who_was_seen() {
    let (plan, mut observed) = retired();
    for users in observed.users.values_mut() {
        users.users[0].current = Some(Version::parse(&"a".repeat(32)).unwrap());
    }
    rejected(&plan, &observed, "somebody uses the version");
}

#[test]
fn a_version_is_not_retired_before_the_waiting_time_is_over() {
    let (mut plan, observed) = retired();
    for step in &mut plan.steps {
        if let Action::DisableVersion { retired_after, .. } = &mut step.action {
            *retired_after = Some(Period::days(60));
        }
    }
    rejected(&plan, &observed, "not enough time has passed");
}

#[test]
fn the_newest_version_is_not_retired() {
    let (mut plan, observed) = retired();
    for step in &mut plan.steps {
        if let Action::DisableVersion { version, .. } = &mut step.action {
            *version = Version::parse(&"b".repeat(32)).unwrap();
        }
    }
    rejected(&plan, &observed, "no newer version was seen");
}

#[test]
fn nothing_is_disabled_as_long_as_not_everybody_was_seen_or_nobody_looked() {
    let (plan, mut observed) = case("shut=A", 30, "B made=86400 A made=1", "B");
    let unseen = crate::model::Unseen { what: "s".into(), why: "403".into(), permission: "p".into() };
    for users in observed.users.values_mut() {
        users.unseen.push(unseen.clone());
    }
    rejected(&plan, &observed, "not everybody was seen");
    observed.users.clear();
    rejected(&plan, &observed, "nobody looked");
}

#[test]
fn a_version_is_not_disabled_before_the_account_has_left_it() {
    let (mut plan, observed) = case("shut=A", 30, "B made=86400 A made=1", "A");
    for step in &mut plan.steps {
        step.after.clear();
    }
    rejected(&plan, &observed, "has not left the key before it");
}

#[test]
fn whoever_is_shut_out_is_named() {
    let (mut plan, observed) = case("disabled", 30, "A made=1", "A");
    for step in &mut plan.steps {
        step.risks.retain(|risk| risk.object.starts_with("key/"));
    }
    rejected(&plan, &observed, "account/st1");
}

#[test]
fn a_key_is_not_rotated_that_is_young_enough_nor_one_that_somebody_closed() {
    let (plan, mut observed) = case("age=P9D", 30, "A made=86400", "A");
    let set = |observed: &mut Observed, created: i64, enabled: bool| {
        for seen in observed.keys.values_mut() {
            let Seen::Known(seen) = seen else { continue };
            seen.versions[0].created = Some(Timestamp(created));
            seen.versions[0].enabled = enabled;
        }
    };
    set(&mut observed, 29 * DAY, true);
    rejected(&plan, &observed, "the newest version is new enough");
    set(&mut observed, 1, false);
    rejected(&plan, &observed, "would open the key again");
}

#[test]
fn a_pin_to_a_newer_version_waits_for_the_version() {
    let (mut plan, observed) = case("age=P9D", 30, "A made=86400", "A");
    plan.steps.retain(|step| !matches!(step.action, Action::RotateKey { .. }));
    for step in &mut plan.steps {
        step.after.clear();
    }
    rejected(&plan, &observed, "no step before it makes the newer version");
}

#[test]
fn what_is_open_is_not_opened_and_what_is_opened_is_asked_for() {
    let (mut plan, mut observed) = case("enabled", 30, "A disabled made=1", "A");
    for step in &mut plan.steps {
        step.risks.clear();
    }
    rejected(&plan, &observed, "it does not say that it is reopening");
    for seen in observed.keys.values_mut() {
        let Seen::Known(seen) = seen else { continue };
        seen.versions[0].enabled = true;
    }
    rejected(&plan, &observed, "was not seen to be disabled");
}

#[test]
fn a_version_is_not_disabled_that_another_step_binds_to() {
    let (mut plan, observed) = case("shut=A", 30, "B made=86400 A made=1", "A");
    for step in &mut plan.steps {
        if let Action::SetEncryption { version, .. } = &mut step.action {
            *version = VersionRule::Exact(Version::parse(&"a".repeat(32)).unwrap());
        }
    }
    rejected(&plan, &observed, "another step of the same plan needs the version");
}
