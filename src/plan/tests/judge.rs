//! The judge: bad plans are rejected, whoever made them, and every plan of the planner is accepted.

use super::world::{desired, observed};
use super::{ALL, GRANTED, LIVE};
use crate::model::{Observed, Seen};
use crate::plan::{Action, Breach, Consent, Plan, StepId, judge, plan};

const CONVERGED_BUT_FOR_THE_BINDING: &str =
    "vault kv1 protected st1=get+wrapKey+unwrapKey; key kv1/main A; account st1 system";

/// A plan and what it was made from.
fn case(wanted: &str, seen: &str) -> (Plan, Observed) {
    let observed = observed(wanted, seen);
    let plan = plan(&desired(wanted), &observed);
    assert_eq!(judge(&plan, &observed), Vec::<Breach>::new(), "the planner's own plan is accepted");
    (plan, observed)
}

fn whole() -> (Plan, Observed) {
    case(ALL, "")
}

/// Insists that the judge rejects the plan, for this step and in these words.
#[track_caller]
fn rejected(plan: &Plan, observed: &Observed, step: &str, words: &str) {
    let breaches = judge(plan, observed);
    let found = breaches.iter().any(|breach| breach.step.0 == step && breach.what.contains(words));
    assert!(found, "{step}: {words}: {breaches:#?}");
}

/// Cuts the link between two steps.
fn unlink(plan: &mut Plan, step: &str, before: &str) {
    for one in plan.steps.iter_mut().filter(|one| one.id.0 == step) {
        one.after.retain(|id| id.0 != before);
    }
}

fn without(mut plan: Plan, step: &str) -> Plan {
    plan.steps.retain(|one| one.id.0 != step);
    for one in &mut plan.steps {
        one.after.retain(|id| id.0 != step);
    }
    plan
}

#[test]
fn a_binding_that_does_not_wait_for_the_grant_is_rejected() {
    let (mut plan, observed) = whole();
    unlink(&mut plan, "encryption/st1", "grant/st1/kv1");
    rejected(&plan, &observed, "encryption/st1", "could not unwrap");
}

#[test]
fn a_binding_that_does_not_wait_for_the_key_is_rejected() {
    let (mut plan, observed) = whole();
    unlink(&mut plan, "encryption/st1", "key/kv1/main");
    rejected(&plan, &observed, "encryption/st1", "would not be usable");
}

#[test]
fn a_binding_without_a_grant_is_rejected() {
    let (plan, observed) = whole();
    rejected(&without(plan, "grant/st1/kv1"), &observed, "encryption/st1", "could not unwrap");
}

#[test]
fn a_binding_without_a_key_is_rejected() {
    let (plan, observed) = whole();
    rejected(&without(plan, "key/kv1/main"), &observed, "encryption/st1", "would not be usable");
}

#[test]
fn a_binding_without_an_account_is_rejected() {
    let (plan, observed) = whole();
    let plan = without(plan, "account/st1");
    rejected(&plan, &observed, "encryption/st1", "neither there nor made");
    rejected(&plan, &observed, "grant/st1/kv1", "no identity");
}

#[test]
fn things_without_their_containers_are_rejected() {
    let (plan, observed) = whole();
    let no_group = without(plan.clone(), "group/11111111-1111-1111-1111-111111111111/rg");
    rejected(&no_group, &observed, "vault/kv1", "resource group is neither");
    rejected(&no_group, &observed, "account/st1", "resource group is neither");
    let no_vault = without(plan, "vault/kv1");
    rejected(&no_vault, &observed, "key/kv1/main", "vault is neither");
    rejected(&no_vault, &observed, "encryption/st1", "vault is neither");
}

#[test]
fn an_unprotected_vault_is_no_place_for_an_account_s_key() {
    let (mut plan, observed) = whole();
    for step in &mut plan.steps {
        if let Action::CreateVault { purge_protection, .. } = &mut step.action {
            *purge_protection = false;
        }
    }
    rejected(&plan, &observed, "encryption/st1", "no purge protection");
}

#[test]
fn a_binding_that_does_not_wait_for_protection_is_rejected() {
    let (mut plan, observed) = case(LIVE, "vault kv1 st1=get+wrapKey+unwrapKey; key kv1/main A; account st1 system");
    unlink(&mut plan, "encryption/st1", "protection/kv1");
    rejected(&plan, &observed, "encryption/st1", "no purge protection");
}

#[test]
fn making_what_exists_is_rejected() {
    let (plan, _) = whole();
    let live = observed(ALL, &format!("group; {GRANTED}; key kv1/main A; account st1 system"));
    for step in ["group/11111111-1111-1111-1111-111111111111/rg", "vault/kv1", "key/kv1/main", "account/st1"] {
        rejected(&plan, &live, step, "exists: making it again");
    }
}

#[test]
fn making_what_could_not_be_seen_is_rejected() {
    let (plan, _) = whole();
    let hidden = observed(ALL, "vault kv1 hidden; account st1 hidden");
    for step in ["vault/kv1", "key/kv1/main", "account/st1"] {
        rejected(&plan, &hidden, step, "could not be seen");
    }
}

#[test]
fn making_what_nobody_looked_at_is_rejected() {
    let (plan, _) = whole();
    rejected(&plan, &Observed::default(), "vault/kv1", "nobody looked");
}

#[test]
fn a_vault_of_another_tenant_than_its_subscription_s_is_rejected() {
    let (mut plan, observed) = whole();
    for step in &mut plan.steps {
        if let Action::CreateVault { tenant, .. } = &mut step.action {
            *tenant = "another".to_owned();
        }
    }
    rejected(&plan, &observed, "vault/kv1", "another tenant");
}

#[test]
fn a_one_way_door_that_is_not_shown_is_rejected() {
    let (mut plan, observed) = whole();
    for step in plan.steps.iter_mut().filter(|step| step.id.0 == "vault/kv1") {
        step.because.retain(|change| change.path == "location");
    }
    rejected(&plan, &observed, "vault/kv1", "cannot be undone");
}

#[test]
fn a_step_that_shows_nothing_is_rejected() {
    let (mut plan, observed) = whole();
    plan.steps[2].because.clear();
    rejected(&plan, &observed, "key/kv1/main", "shows no change");
}

#[test]
fn binding_to_a_disabled_or_expired_key_is_rejected() {
    let (plan, _) = case(LIVE, CONVERGED_BUT_FOR_THE_BINDING);
    for ailing in ["A disabled", "A expired", "A early"] {
        let seen = format!("{GRANTED}; key kv1/main {ailing}; account st1 system");
        rejected(&plan, &observed(LIVE, &seen), "encryption/st1", "would not be usable");
    }
}

#[test]
fn binding_to_a_version_that_is_not_there_is_rejected() {
    let wanted = LIVE.replace("uses kv1/main", "uses kv1/main pinned A");
    let (plan, _) = case(&wanted, CONVERGED_BUT_FOR_THE_BINDING);
    let seen = CONVERGED_BUT_FOR_THE_BINDING.replace("main A", "main B");
    rejected(&plan, &observed(&wanted, &seen), "encryption/st1", "would not be usable");
}

#[test]
fn binding_an_account_that_lost_its_identity_is_rejected() {
    let (plan, _) = case(LIVE, CONVERGED_BUT_FOR_THE_BINDING);
    let seen = CONVERGED_BUT_FOR_THE_BINDING.replace(" system", "");
    rejected(&plan, &observed(LIVE, &seen), "encryption/st1", "no identity");
}

#[test]
fn giving_back_what_was_taken_away_without_saying_so_is_rejected() {
    let (plan, _) = case(LIVE, "vault kv1 protected; key kv1/main A; account st1 system");
    let revoked = observed(LIVE, "vault kv1 protected; key kv1/main A; account st1 system bound kv1/main@A");
    rejected(&plan, &revoked, "grant/st1/kv1", "does not say that it is reopening for account/st1");
}

#[test]
fn a_new_identity_for_an_account_that_lost_its_own_without_saying_so_is_rejected() {
    let (plan, _) = case(LIVE, "vault kv1 protected; key kv1/main A; account st1");
    let lost = observed(LIVE, "vault kv1 protected; key kv1/main A; account st1 bound kv1/main@A");
    rejected(&plan, &lost, "identity/st1", "does not say that it is reopening for account/st1");
}

#[test]
fn a_risk_that_is_left_out_is_rejected() {
    let (mut plan, observed) = whole();
    plan.steps.iter_mut().for_each(|step| step.risks.clear());
    rejected(&plan, &observed, "vault/kv1", "does not say that it is irreversible for vault/kv1");
    rejected(&plan, &observed, "grant/st1/kv1", "does not say that it is accessChange for account/st1");
}

#[test]
fn a_risk_that_asks_nobody_is_rejected() {
    let wanted =
        "vault kv1 protected; key kv1/main; vault kv2 protected; key kv2/old; account st1 system uses kv1/main";
    let seen = format!(
        "{GRANTED}; key kv1/main A; vault kv2 protected st1=get+wrapKey+unwrapKey; key kv2/old A; account st1 system bound kv2/old@A"
    );
    let (mut plan, observed) = case(wanted, &seen);
    for risk in plan.steps.iter_mut().flat_map(|step| &mut step.risks) {
        risk.consent = Consent::Spec;
    }
    rejected(&plan, &observed, "encryption/st1", "asks nobody who may decide about custodyChange of account/st1");
}

#[test]
fn an_access_policy_on_a_vault_that_takes_roles_is_rejected() {
    let (plan, _) = case(LIVE, "vault kv1 protected; key kv1/main A; account st1 system");
    let roles = observed(LIVE, "vault kv1 protected rbac; key kv1/main A; account st1 system");
    rejected(&plan, &roles, "grant/st1/kv1", "no grants of this kind");
}

#[test]
fn moving_off_a_disabled_key_is_rejected() {
    let wanted = "vault kv1 protected; key kv1/main; key kv1/old; account st1 system uses kv1/main";
    let (plan, _) =
        case(wanted, &format!("{GRANTED}; key kv1/main A; key kv1/old A; account st1 system bound kv1/old@A"));
    let seen = format!("{GRANTED}; key kv1/main A; key kv1/old A disabled; account st1 system bound kv1/old@A");
    rejected(&plan, &observed(wanted, &seen), "encryption/st1", "cannot move it");
}

#[test]
fn a_grant_of_too_little_does_not_carry_a_binding() {
    let (mut plan, observed) = whole();
    for step in &mut plan.steps {
        if let Action::Grant { permissions, .. } = &mut step.action {
            permissions.retain(|permission| permission.as_str() == "get");
        }
    }
    rejected(&plan, &observed, "encryption/st1", "could not unwrap");
}

#[test]
fn a_grant_to_another_account_does_not_carry_a_binding() {
    let (mut plan, observed) = whole();
    for step in &mut plan.steps {
        if let Action::Grant { who: crate::model::Who::System(account), .. } = &mut step.action {
            account.name = crate::model::AccountName::parse("st2").unwrap();
        }
    }
    rejected(&plan, &observed, "encryption/st1", "could not unwrap");
    rejected(&plan, &observed, "grant/st1/kv1", "no identity");
}

#[test]
fn links_that_lead_nowhere_or_forward_and_names_used_twice_are_rejected() {
    let (plan, observed) = whole();
    let mut nowhere = plan.clone();
    nowhere.steps[1].after.push(StepId("step/nowhere".to_owned()));
    rejected(&nowhere, &observed, "vault/kv1", "does not stand before it");
    let mut forward = plan.clone();
    forward.steps.swap(0, 1);
    rejected(&forward, &observed, "vault/kv1", "does not stand before it");
    let mut twice = plan;
    twice.steps.push(twice.steps[0].clone());
    rejected(&twice, &observed, "group/11111111-1111-1111-1111-111111111111/rg", "two steps have its name");
}

#[test]
fn the_judge_sees_what_was_seen_and_not_what_is_said_of_it() {
    let (mut plan, mut observed) = whole();
    for step in &mut plan.steps {
        step.needs.clear();
        step.gives.clear();
    }
    assert_eq!(judge(&plan, &observed), vec![], "needs and gives are not read");
    observed.keys.values_mut().for_each(|seen| *seen = Seen::Absent);
    assert_eq!(judge(&plan, &observed), vec![]);
}

#[test]
fn a_revocation_that_does_not_say_what_it_closes_is_rejected() {
    let wanted = format!("{LIVE} revoked");
    let seen = format!("{GRANTED}; key kv1/main A; account st1 system bound kv1/main@A");
    let (mut plan, observed) = case(&wanted, &seen);
    plan.steps.iter_mut().for_each(|step| step.risks.clear());
    rejected(&plan, &observed, "revocation/st1/kv1", "does not say that it is couldBecomeUnreadable for account/st1");
}

#[test]
fn a_revocation_after_a_binding_of_the_same_plan_is_rejected() {
    let (bind, observed) = case(LIVE, CONVERGED_BUT_FOR_THE_BINDING);
    let seen = format!("{GRANTED}; key kv1/main A; account st1 system bound kv1/main@A");
    let (revoke, _) = case(&format!("{LIVE} revoked"), &seen);
    let mut both = bind.clone();
    both.steps.extend(revoke.steps);
    both.steps[1].after = vec![both.steps[0].id.clone()];
    rejected(&both, &observed, "revocation/st1/kv1", "takes away what the same plan gives");
}

#[test]
fn leaving_a_key_that_no_longer_unwraps_is_rejected() {
    let wanted = "vault kv1 protected; key kv1/main; account st1 system microsoft";
    let (plan, _) = case(wanted, &format!("{GRANTED}; key kv1/main A; account st1 system bound kv1/main@A"));
    let shut = observed(wanted, "vault kv1 protected; key kv1/main A; account st1 system bound kv1/main@A");
    rejected(&plan, &shut, "encryption/st1", "could not unwrap with the key that it leaves");
    let disabled = format!("{GRANTED}; key kv1/main A disabled; account st1 system bound kv1/main@A");
    rejected(&plan, &observed(wanted, &disabled), "encryption/st1", "cannot move it");
    rejected(&plan, &observed(wanted, CONVERGED_BUT_FOR_THE_BINDING), "encryption/st1", "not bound to any key");
}

#[test]
fn a_role_on_a_vault_that_takes_access_policies_is_rejected() {
    let (plan, _) = case(LIVE, "vault kv1 protected rbac; key kv1/main A; account st1 system");
    let policies = observed(LIVE, "vault kv1 protected; key kv1/main A; account st1 system");
    rejected(&plan, &policies, "grant/st1/kv1", "no grants of this kind");
}

#[test]
fn a_role_at_another_key_does_not_carry_a_binding() {
    let (mut plan, observed) = case(LIVE, "vault kv1 protected rbac; key kv1/main A; account st1 system");
    for step in &mut plan.steps {
        if let Action::Grant { key, .. } = &mut step.action {
            key.name = crate::model::KeyName::parse("other").unwrap();
        }
    }
    rejected(&plan, &observed, "encryption/st1", "could not unwrap");
}

/// A plan that takes the account's own identity away once it reads as another one.
fn removal() -> (Plan, Observed) {
    case(
        "vault kv1 protected rbac; key kv1/main; identity id1; account st1 has id1 loses own uses kv1/main as id1",
        "identity id1; key kv1/main A; vault kv1 protected rbac st1=role; account st1 system bound kv1/main@A; scopes st1",
    )
}

#[test]
fn an_identity_that_goes_before_the_account_reads_as_another_is_rejected() {
    let (mut plan, observed) = removal();
    unlink(&mut plan, "removal/st1", "reach/st1");
    rejected(&plan, &observed, "removal/st1", "no step before it changes that");
}

#[test]
fn an_identity_that_goes_while_a_scope_may_be_read_as_it_is_rejected() {
    let (plan, mut observed) = removal();
    observed.scopes.clear();
    rejected(&plan, &observed, "removal/st1", "may be read as the identity");
}

#[test]
fn an_identity_that_goes_and_is_reached_as_in_the_same_plan_is_rejected() {
    let (mut plan, observed) = removal();
    let identity = super::world::identity("id1");
    for step in &mut plan.steps {
        if let Action::DetachIdentity { identity: gone, .. } = &mut step.action {
            gone.user.insert(identity.clone());
        }
    }
    rejected(&plan, &observed, "removal/st1", "gives the account what it takes, or needs it");
}

#[test]
fn an_identity_that_goes_for_good_unsaid_is_rejected() {
    let (mut plan, observed) = removal();
    for step in plan.steps.iter_mut().filter(|step| step.id.0 == "removal/st1") {
        step.risks.clear();
    }
    rejected(&plan, &observed, "removal/st1", "it does not say that it is irreversible");
}

#[test]
fn an_identity_that_goes_before_the_account_has_the_other_is_rejected() {
    let (mut plan, observed) = removal();
    unlink(&mut plan, "removal/st1", "reach/st1");
    unlink(&mut plan, "removal/st1", "identity/st1");
    rejected(&plan, &observed, "removal/st1", "does not have yet what it is to keep");
}
