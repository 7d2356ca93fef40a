//! The planner's tests: a wanted and a seen state in a few words, the plan as text.

mod audit;
mod identities;
mod judge;
mod judge_life;
mod key_life;
mod obstacles;
mod own_key;
mod recovery;
mod removal;
mod sight;
pub(crate) mod world;
mod world_life;

use super::{Plan, plan};
use crate::model::{Observed, Timestamp};
use expect_test::{Expect, expect};
use world::{desired, observed};

/// Insists that the judge rejects the plan in these words.
#[track_caller]
fn rejected(plan: &Plan, observed: &Observed, words: &str) {
    let breaches = super::judge(plan, observed);
    assert!(breaches.iter().any(|breach| breach.what.contains(words)), "{words}: {breaches:#?}");
}

/// Plans a wanted state against a seen one and holds the plan's text against what is expected.
///
/// Wanted, separated by `;`: `group`, `vault kv1 [create] [recover] [protected|unprotected|eastus]`, `key kv1/main [create] [own] [recover]`,
/// `identity id1 [create]`, `account st1 [create] [system] [has id1] [uses kv1/main [as id1] [auto|pinned A]] [recover] [revoked]
/// [microsoft] [eastus]`, `regions may differ`.
///
/// Seen: `group`, `vault kv1 [protected] [rbac] [registering] [hidden] [taken] [deleted [elsewhere] [over|dated]] [st1=get+wrapKey] [tenant2]`,
/// `key kv1/main A [own|other] [disabled|expired|expires|later|small|hidden] [B …]`, `key kv1/main deleted [certificate] [over]|unlisted`,
/// `users kv1/main [st9@A] [moved=900] [unseen]`, `sweep kv1/main st9 st9/hr [unseen]`, `now 2000`; a key's life is in the words of `world_life`, and `made=900` says
/// when the version before it was made;
/// `lock name ReadOnly subscription|group|kv1|st1`, `lock hidden`, `identity id1 [hidden]`, `account st1 [system] [has id1]
/// [bound kv1/main[@A] [as id1]] [creating] [hidden] [taken] [uai]`. What is not named is absent. `A` stands for version `aaaa…`.
#[track_caller]
fn check(wanted: &str, seen: &str, expected: &Expect) {
    let observed = observed(wanted, seen);
    let made = plan(&desired(wanted), &observed);
    assert_eq!(super::judge(&made, &observed), vec![], "the judge accepts what the planner makes");
    expected.assert_eq(&text(&made));
}

fn text(plan: &Plan) -> String {
    let mut lines: Vec<String> = vec![];
    for (at, step) in plan.steps.iter().enumerate() {
        let place =
            |id: &super::StepId| plan.steps.iter().position(|step| step.id == *id).map_or(0, |at| at + 1).to_string();
        let after: Vec<String> = step.after.iter().map(place).collect();
        let after = if after.is_empty() { String::new() } else { format!("   after {}", after.join(" ")) };
        lines.push(format!("{}. {}{after}", at + 1, step.id));
        let grave = step.risks.iter().filter(|risk| risk.consent == super::Consent::Operator);
        lines.extend(grave.map(|risk| format!("   asks for {} {}: {}", risk.class, risk.object, risk.why)));
    }
    lines.extend(
        plan.refusals.iter().map(|refusal| format!("{} {}: {}", refusal.code, refusal.resource, refusal.detail)),
    );
    lines.extend(plan.waits.iter().map(|wait| format!("wait: {}: {}", wait.fact, wait.why)));
    for spot in &plan.blind_spots {
        lines.push(format!("blind: {}", spot.resource));
        lines.extend(spot.hides.iter().map(|hidden| format!("  hides: {hidden}")));
    }
    lines.extend(plan.notes.iter().map(|note| format!("note: {}: {}", note.resource, note.text)));
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

const ALL: &str = "group; vault kv1 create protected; key kv1/main create; account st1 create system uses kv1/main";
const LIVE: &str = "vault kv1 protected; key kv1/main; account st1 system uses kv1/main";
const GRANTED: &str = "vault kv1 protected st1=get+wrapKey+unwrapKey";

#[test]
fn from_nothing_the_containers_come_first_and_the_binding_last() {
    check(
        ALL,
        "",
        &expect![[r#"
            1. group/11111111-1111-1111-1111-111111111111/rg
            2. vault/kv1   after 1
            3. key/kv1/main   after 2
            4. account/st1   after 1
            5. grant/st1/kv1   after 2 4
            6. encryption/st1   after 2 3 4 5
        "#]],
    );
}

#[test]
fn what_holds_needs_no_step() {
    check(ALL, &format!("group; {GRANTED}; key kv1/main A; account st1 system bound kv1/main@A"), &expect![""]);
}

#[test]
fn an_account_without_identity_gets_one_before_the_grant() {
    check(
        LIVE,
        "vault kv1 protected; key kv1/main A; account st1",
        &expect![[r#"
            1. identity/st1
            2. grant/st1/kv1   after 1
            3. encryption/st1   after 1 2
        "#]],
    );
}

#[test]
fn a_vault_that_is_only_used_gets_a_grant_and_nothing_else() {
    check(
        "vault kv1; key kv1/main; account st1 create system uses kv1/main",
        "group; vault kv1 protected st9=get; key kv1/main A",
        &expect![[r#"
            1. account/st1
            2. grant/st1/kv1   after 1
            3. encryption/st1   after 1 2
        "#]],
    );
}

#[test]
fn a_vault_without_purge_protection_is_protected_before_the_binding() {
    check(
        LIVE,
        "vault kv1 st1=get+wrapKey+unwrapKey; key kv1/main A; account st1 system",
        &expect![[r#"
            1. protection/kv1
               asks for irreversible vault/kv1: purge protection stays on for good
            2. encryption/st1   after 1
        "#]],
    );
}

#[test]
fn a_vault_without_purge_protection_is_refused_when_the_spec_does_not_turn_it_on() {
    check(
        "vault kv1; key kv1/main; account st1 system uses kv1/main",
        "vault kv1 st1=get+wrapKey+unwrapKey; key kv1/main A; account st1 system",
        &expect![[r#"
            CMK205 vault kv1: accounts of this spec use its keys, but purge protection is off: Storage refuses such a vault
        "#]],
    );
}

#[test]
fn what_is_absent_and_not_to_be_made_is_refused_once_each_without_echo() {
    check(
        LIVE,
        "",
        &expect![[r#"
            CMK201 account st1: it does not exist in resource group rg
            CMK201 key kv1/main: it does not exist
            CMK201 vault kv1: it does not exist in resource group rg
        "#]],
    );
}

#[test]
fn a_taken_name_is_refused_before_anything_is_made() {
    check(
        ALL,
        "vault kv1 taken; account st1 taken",
        &expect![[r#"
            1. group/11111111-1111-1111-1111-111111111111/rg
            CMK202 account st1: its name is taken, perhaps in another tenant: already taken
            CMK202 vault kv1: its name is taken, perhaps in another tenant: already in use
        "#]],
    );
}

#[test]
fn a_deleted_vault_that_holds_the_name_is_refused() {
    check(
        "vault kv1 create protected",
        "vault kv1 deleted",
        &expect![[r#"
            CMK203 vault kv1: a deleted vault holds its name, one of resource group RG of subscription 11111111-1111-1111-1111-111111111111
        "#]],
    );
}

#[test]
fn another_region_is_refused_unless_the_spec_allows_it() {
    let seen = "vault kv1 protected eastus st1=get+wrapKey+unwrapKey; key kv1/main A; account st1 system";
    check(
        LIVE,
        seen,
        &expect![[r#"
            CMK204 account st1: it is in westeurope, and its vault kv1 is in eastus
        "#]],
    );
    check(
        &format!("{LIVE}; regions may differ"),
        seen,
        &expect![[r#"
            1. encryption/st1
        "#]],
    );
}

#[test]
fn a_vault_that_takes_roles_is_refused() {
    check(
        LIVE,
        "vault kv1 protected rbac; key kv1/main A; account st1 system",
        &expect![[r#"
            1. grant/st1/kv1
            2. encryption/st1   after 1
        "#]],
    );
}

#[test]
fn a_key_that_storage_cannot_use_is_refused() {
    for ailing in ["A disabled", "A expired", "A early", "A small"] {
        let seen = format!("{GRANTED}; key kv1/main {ailing}; account st1 system");
        let made = plan(&desired(LIVE), &observed(LIVE, &seen));
        assert_eq!(made.refusals.iter().map(|refusal| refusal.code).collect::<Vec<_>>(), ["CMK207"], "{ailing}");
        assert!(made.steps.is_empty(), "{ailing}");
    }
}

#[test]
fn the_newest_enabled_version_is_the_latest() {
    check(LIVE, &format!("{GRANTED}; key kv1/main B disabled A; account st1 system bound kv1/main@A"), &expect![""]);
    check(
        LIVE,
        &format!("{GRANTED}; key kv1/main B A; account st1 system bound kv1/main@A"),
        &expect![[r#"
            1. encryption/st1
        "#]],
    );
}

#[test]
fn an_account_that_follows_the_key_is_not_pinned_by_accident_nor_the_other_way_round() {
    let auto = "vault kv1 protected; key kv1/main; account st1 system uses kv1/main auto";
    let seen = format!("{GRANTED}; key kv1/main B A; account st1 system bound kv1/main");
    check(auto, &seen, &expect![""]);
    check(
        LIVE,
        &seen,
        &expect![[r#"
            1. encryption/st1
        "#]],
    );
    check(
        auto,
        &format!("{GRANTED}; key kv1/main B A; account st1 system bound kv1/main@B"),
        &expect![[r#"
            1. encryption/st1
        "#]],
    );
}

#[test]
fn a_bound_account_whose_access_was_taken_away_is_let_in_again_only_when_asked() {
    check(
        LIVE,
        "vault kv1 protected; key kv1/main A; account st1 system bound kv1/main@A",
        &expect![[r#"
            1. grant/st1/kv1
               asks for reopening account/st1: it is bound to a key of vault kv1, but its identity principal-of-st1 no longer has access: it was taken away, or the identity was removed and made anew
        "#]],
    );
}

#[test]
fn a_bound_account_whose_identity_was_removed_is_given_a_new_one_only_when_asked() {
    check(
        LIVE,
        "vault kv1 protected; key kv1/main A; account st1 bound kv1/main@A",
        &expect![[r#"
            1. identity/st1
               asks for reopening account/st1: it is bound to a key and lost the identity with which it reached it; a new one is the first step to letting it read again
            2. grant/st1/kv1   after 1
               asks for reopening account/st1: it is bound to a key, but the identity that had access was removed
        "#]],
    );
}

#[test]
fn a_permission_that_storage_can_do_without_is_added_to_a_bound_account() {
    check(
        "vault kv1 protected; key kv1/main; account st1 system uses kv1/main recover",
        &format!("{GRANTED}; key kv1/main A; account st1 system bound kv1/main@A"),
        &expect![[r#"
            1. grant/st1/kv1
        "#]],
    );
}

#[test]
fn moving_off_a_key_that_no_longer_unwraps_is_refused() {
    check(
        "vault kv1 protected; key kv1/main; key kv1/old; account st1 system uses kv1/main",
        &format!("{GRANTED}; key kv1/main A; key kv1/old A disabled; account st1 system bound kv1/old@A"),
        &expect![[r#"
            CMK211 account st1: it is bound to kv1/old now, and that key cannot unwrap: version aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa is disabled
        "#]],
    );
}

#[test]
fn an_expired_former_key_still_unwraps() {
    check(
        "vault kv1 protected; key kv1/main; key kv1/old; account st1 system uses kv1/main",
        &format!("{GRANTED}; key kv1/main A; key kv1/old A expired; account st1 system bound kv1/old@A"),
        &expect![[r#"
            1. encryption/st1
        "#]],
    );
}

#[test]
fn a_binding_through_a_user_assigned_identity_is_left_alone() {
    check(
        LIVE,
        &format!("{GRANTED}; key kv1/main A; account st1 system bound kv1/main@A uai"),
        &expect![[r#"
            CMK213 account st1: it reaches another key, or another version, as the identity /subscriptions/s/id1, which the spec does not name
        "#]],
    );
}

#[test]
fn a_vault_of_another_tenant_is_refused() {
    check(
        LIVE,
        "vault kv1 protected tenant2; key kv1/main A; account st1 system",
        &expect![[r#"
            CMK208 account st1: its identity is of tenant 00000000-0000-0000-0000-00000000000a, and vault kv1 trusts tenant another
        "#]],
    );
}

#[test]
fn nothing_is_made_whose_own_look_was_hidden() {
    check(
        ALL,
        "group; vault kv1 hidden; account st1 system",
        &expect![[r#"
            blind: key kv1/main
            blind: vault kv1
              hides: the identity of st1 may get, wrapKey, unwrapKey with kv1/main
              hides: account st1 is encrypted with the newest version of kv1/main
        "#]],
    );
}

#[test]
fn a_hidden_vault_does_not_stop_the_account_of_another() {
    check(
        "vault kv1 protected; key kv1/main; account st1 system uses kv1/main; \
         vault kv2 protected; key kv2/main; account st2 system uses kv2/main",
        "vault kv1 hidden; account st1 system; vault kv2 protected; key kv2/main A; account st2 system",
        &expect![[r#"
            1. grant/st2/kv2
            2. encryption/st2   after 1
            blind: key kv1/main
            blind: vault kv1
              hides: the identity of st1 may get, wrapKey, unwrapKey with kv1/main
              hides: account st1 is encrypted with the newest version of kv1/main
        "#]],
    );
}

#[test]
fn what_is_under_way_is_waited_for_and_not_sent_again() {
    check(
        ALL,
        "group; vault kv1 protected registering; key kv1/main A; account st1 system creating",
        &expect![[r#"
            1. grant/st1/kv1
            2. encryption/st1   after 1
            wait: vault kv1 is ready: its provisioning state is RegisteringDns
            wait: account st1 is ready: its provisioning state is Creating
        "#]],
    );
}

#[test]
fn the_order_of_entries_does_not_matter() {
    let shuffled = "account st1 create system uses kv1/main; group; vault kv1 create protected; key kv1/main create";
    assert_eq!(plan(&desired(ALL), &observed(ALL, "")), plan(&desired(shuffled), &observed(shuffled, "")));
}

#[test]
fn an_unrelated_account_changes_nothing_else() {
    let more = format!("{ALL}; account st2 create system uses kv1/main");
    let alone = plan(&desired(ALL), &observed(ALL, ""));
    let together = plan(&desired(&more), &observed(&more, ""));
    for step in &alone.steps {
        assert!(together.steps.contains(step), "{}", step.id);
    }
    assert_eq!(together.steps.len(), alone.steps.len() + 3);
}

#[test]
fn another_team_s_entry_grants_our_account_nothing() {
    check(
        LIVE,
        "vault kv1 protected other=get+wrapKey+unwrapKey; key kv1/main A; account st1 system",
        &expect![[r#"
            1. grant/st1/kv1
            2. encryption/st1   after 1
        "#]],
    );
}

#[test]
fn the_digest_tells_plans_apart_and_knows_no_clock() {
    let at = |seconds: i64| {
        let mut seen = observed(ALL, "");
        seen.at = Timestamp(seconds);
        plan(&desired(ALL), &seen).digest
    };
    assert_eq!(at(1_000), at(2_000));
    let other = "group; vault kv1 create; key kv1/main create; account st1 create system";
    assert_ne!(at(1_000), plan(&desired(other), &observed(other, "")).digest);
}

#[test]
fn a_spec_s_yes_counts_for_what_the_plan_makes_and_until_its_day_is_over() {
    let yes = |object: &str, ends: i64| crate::model::SpecAccept {
        object: object.to_owned(),
        ends: Timestamp(ends),
        until: "that day".to_owned(),
    };
    let told = |wanted: &str, seen: &str, accept| {
        let mut desired = desired(wanted);
        desired.accepts.push(accept);
        let made = plan(&desired, &observed(wanted, seen));
        let asks: Vec<String> = made.asks().iter().map(|ask| ask.what.to_string()).collect();
        let notes: Vec<String> = made.notes.into_iter().map(|note| note.text).collect();
        (asks, notes)
    };
    let none: Vec<String> = vec![];
    assert_eq!(told(ALL, "", yes("vault/kv1", 2_000)), (none.clone(), none.clone()));
    let (asks, notes) = told(LIVE, "vault kv1; key kv1/main A; account st1 system", yes("vault/kv1", 2_000));
    assert_eq!(asks, ["CMK402:vault/kv1"]);
    assert!(notes.len() == 1 && notes[0].contains("does not make the thing"), "{notes:?}");
    let (_, notes) = told(ALL, "", yes("vault/kv1", 1_000));
    assert!(notes.len() == 1 && notes[0].contains("is over"), "{notes:?}");
    let (_, notes) = told(ALL, "", yes("vault/kv1", 1_000 + 400 * 86_400));
    assert!(notes.len() == 1 && notes[0].contains("more than a year"), "{notes:?}");
}

/// A risk that takes the operator's word, of a thing which the plan makes: none of today's steps has one.
#[test]
fn what_cannot_be_undone_of_a_new_thing_is_said_yes_to_by_the_spec() {
    let mut wanted = desired(ALL);
    let seen = observed(ALL, "");
    let accept = |object: &str| crate::model::SpecAccept {
        object: object.to_owned(),
        ends: Timestamp(2_000),
        until: "that day".to_owned(),
    };
    wanted.accepts = vec![accept("vault/kv1"), accept("account/st1")];
    let mut steps = plan(&desired(ALL), &seen).steps;
    for step in &mut steps {
        step.risks.iter_mut().for_each(|risk| risk.consent = super::Consent::Operator);
    }
    super::accept::by_spec(&mut steps, &wanted, &seen);
    let asked: Vec<String> = Plan { steps, ..Plan::default() }.asks().iter().map(|ask| ask.what.to_string()).collect();
    assert_eq!(asked, ["CMK401:account/st1"], "only what cannot be undone");
}

#[test]
fn a_vault_that_is_nearly_full_is_told_and_one_that_is_full_gets_no_more() {
    let wanted = "vault kv1 protected; key kv1/main; account st1 system uses kv1/main";
    let with = |others: usize, own: &str| {
        let others: Vec<String> = (0..others).map(|n| format!("x{n}=get")).collect();
        format!("vault kv1 protected {own} {}; key kv1/main A; account st1 system", others.join(" "))
    };
    let about = |seen: &str| {
        let made = plan(&desired(wanted), &observed(wanted, seen));
        let refused = made.refusals.iter().map(|one| format!("{}: {}", one.code, one.detail));
        let notes = made.notes.iter().filter(|note| note.text.contains("entries")).map(|note| note.text.clone());
        refused.chain(notes).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(about(&with(948, "")), "");
    assert!(about(&with(949, "")).starts_with("its access policies will have 950 entries, of 1024"));
    assert!(about(&with(1023, "")).starts_with("its access policies will have 1024 entries"));
    assert!(about(&with(1024, "")).starts_with("CMK244: its access policies would have 1025 entries, 1 of them new"));
    // Who has an entry takes no more room.
    assert_eq!(about(&with(1024, "st1=get")), "");
}

const REVOKED: &str = "vault kv1 protected; key kv1/main; account st1 system uses kv1/main revoked";

#[test]
fn a_revocation_takes_the_account_s_own_entry_and_asks_first() {
    check(
        REVOKED,
        &format!("{GRANTED}; key kv1/main A; account st1 system bound kv1/main@A"),
        &expect![[r#"
            1. revocation/st1/kv1
               asks for couldBecomeUnreadable account/st1: its data can no longer be read or written once its access to vault kv1 is gone
            note: account st1: a grant to a group that its identity belongs to would keep it readable: groups are not read
        "#]],
    );
}

#[test]
fn what_is_revoked_stays_so_without_a_step() {
    check(REVOKED, "vault kv1 protected; key kv1/main A; account st1 system bound kv1/main@A", &expect![[""]]);
}

#[test]
fn a_revocation_that_would_close_nothing_is_refused() {
    check(
        REVOKED,
        &format!("{GRANTED}; key kv1/main A; account st1 system"),
        &expect![[r#"
        CMK241 account st1: its access to key kv1/main is to be revoked, but Microsoft manages its key
    "#]],
    );
}

#[test]
fn a_revocation_is_not_planned_on_a_vault_that_cannot_be_seen() {
    check(
        REVOKED,
        "vault kv1 hidden; account st1 system bound kv1/main@A",
        &expect![[r#"
        blind: key kv1/main
        blind: vault kv1
          hides: the identity of st1 has no access to the keys of kv1
    "#]],
    );
}

const LEAVES: &str = "vault kv1 protected; key kv1/main; account st1 system microsoft";

#[test]
fn an_account_leaves_its_key_only_when_the_spec_says_so_and_asks_first() {
    check(
        LEAVES,
        &format!("{GRANTED}; key kv1/main A; account st1 system bound kv1/main@A"),
        &expect![[r#"
        1. encryption/st1
           asks for protectionLowered account/st1: its data is protected by a key that Microsoft manages from then on, which nobody here can revoke
    "#]],
    );
    check("account st1 system", "account st1 system bound kv1/main@A", &expect![[""]]);
}

#[test]
fn an_account_whose_key_cannot_unwrap_cannot_leave_it() {
    check(
        LEAVES,
        &format!("{GRANTED}; key kv1/main A disabled; account st1 system bound kv1/main@A"),
        &expect![[r#"
        CMK211 account st1: it is bound to kv1/main now, and that key cannot unwrap: version aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa is disabled
    "#]],
    );
    check(
        LEAVES,
        "vault kv1 protected; key kv1/main A; account st1 system bound kv1/main@A",
        &expect![[r#"
        CMK211 account st1: it is bound to kv1/main now, and that key cannot unwrap: missing: unwrapKey
    "#]],
    );
}

const BY_ROLES: &str = "vault kv1 protected rbac; key kv1/main A; account st1 system";

#[test]
fn where_roles_decide_the_account_gets_the_least_role_at_its_key() {
    check(
        LIVE,
        BY_ROLES,
        &expect![[r#"
        1. grant/st1/kv1
        2. encryption/st1   after 1
    "#]],
    );
    check(
        &format!("{LIVE} vault-wide"),
        BY_ROLES,
        &expect![[r#"
        1. grant/st1/kv1
        2. encryption/st1   after 1
    "#]],
    );
}

#[test]
fn a_role_at_the_key_the_vault_or_above_is_enough() {
    for held in ["role@main", "role", "role@rg"] {
        let seen = format!("vault kv1 protected rbac st1={held}; key kv1/main A; account st1 system bound kv1/main@A");
        check(LIVE, &seen, &expect![[""]]);
    }
}

#[test]
fn a_role_at_another_key_is_not_enough() {
    check(
        LIVE,
        "vault kv1 protected rbac st1=role@other; key kv1/main A; account st1 system",
        &expect![[r#"
        1. grant/st1/kv1
        2. encryption/st1   after 1
    "#]],
    );
}

#[test]
fn roles_that_cannot_be_seen_are_a_blind_spot_and_nothing_is_granted() {
    check(
        LIVE,
        "vault kv1 protected rbac roles-hidden; key kv1/main A; account st1 system",
        &expect![[r#"
            blind: vault kv1
              hides: account st1 is encrypted with the newest version of kv1/main
        "#]],
    );
}

#[test]
fn a_role_that_was_taken_away_is_given_back_only_when_asked() {
    check(
        LIVE,
        "vault kv1 protected rbac; key kv1/main A; account st1 system bound kv1/main@A",
        &expect![[r#"
        1. grant/st1/kv1
           asks for reopening account/st1: it is bound to a key of vault kv1, but its identity principal-of-st1 no longer has access: it was taken away, or the identity was removed and made anew
    "#]],
    );
}

#[test]
fn a_revocation_takes_the_account_s_own_roles_but_none_from_above() {
    let bound = "key kv1/main A; account st1 system bound kv1/main@A";
    check(
        REVOKED,
        &format!("vault kv1 protected rbac st1=role@main; {bound}"),
        &expect![[r#"
            1. revocation/st1/kv1
               asks for couldBecomeUnreadable account/st1: its data can no longer be read or written once its access to vault kv1 is gone
            note: account st1: a grant to a group that its identity belongs to would keep it readable: groups are not read
        "#]],
    );
    check(
        REVOKED,
        &format!("vault kv1 protected rbac st1=role@rg; {bound}"),
        &expect![[r#"
        CMK242 account st1: its identity also holds a role at /subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg, which would keep its data readable
    "#]],
    );
    check(REVOKED, &format!("vault kv1 protected rbac; {bound}"), &expect![[""]]);
}

#[test]
fn a_vault_is_never_switched_between_access_policies_and_roles() {
    let wanted = "vault kv1 protected policies; key kv1/main; account st1 system uses kv1/main";
    check(
        wanted,
        BY_ROLES,
        &expect![[r#"
        CMK206 vault kv1: access to its keys is decided by rbac, not by accessPolicies
    "#]],
    );
    check(
        &format!("{LIVE} key-only"),
        "vault kv1 protected; key kv1/main A; account st1 system",
        &expect![[r#"
        CMK243 account st1: vault kv1 has access policies, which reach every key of it
    "#]],
    );
}

#[test]
fn a_vault_is_made_with_roles_when_the_spec_says_so() {
    check(
        &ALL.replace("protected", "protected rbac"),
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
