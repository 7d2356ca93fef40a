//! Keys of one's own: imported once, never replaced, and nobody bound to another one.

use super::super::{Action, RiskClass, judge, plan};
use super::check;
use super::world::{desired, key_ref, observed, thumbprint};
use crate::model::{Seen, SeenDeletedKey};
use expect_test::expect;

const OWN: &str =
    "group; vault kv1 create protected rbac; key kv1/main create own; account st1 create system uses kv1/main";

#[test]
fn a_key_of_one_s_own_is_imported_before_accounts_are_bound_to_it() {
    check(
        OWN,
        "",
        &expect![[r#"
        1. group/11111111-1111-1111-1111-111111111111/rg
        2. vault/kv1   after 1
        3. key/kv1/main   after 2
           asks for custodyChange key/kv1/main: its material comes from outside: whoever has a copy of ahxiD9KU3jzxlD1vqu7F7P3SnLy2i9gxrnRhChiBHv4 can unwrap the keys of the data under it
        4. account/st1   after 1
        5. grant/st1/kv1   after 2 3 4
        6. encryption/st1   after 2 3 4 5
    "#]],
    );
}

#[test]
fn a_key_of_one_s_own_that_is_there_is_not_imported_again() {
    check(
        "vault kv1 protected; key kv1/main create own; account st1 system uses kv1/main",
        "vault kv1 protected st1=get+wrapKey+unwrapKey; key kv1/main A own; account st1 system bound kv1/main@A",
        &expect![[r#""#]],
    );
}

#[test]
fn another_key_of_that_name_is_refused_and_never_overwritten() {
    check(
        "vault kv1 protected; key kv1/main create own; account st1 system uses kv1/main",
        "vault kv1 protected st1=get+wrapKey+unwrapKey; key kv1/main A other; account st1 system",
        &expect![[r#"
            1. encryption/st1
            CMK270 key kv1/main: it holds another key, with the thumbprint 7DIANZ8QiVClfG0g2cnJ7cDQtEQ5mrBi7D-nVJEuXdU, and the spec brings the one with the thumbprint ahxiD9KU3jzxlD1vqu7F7P3SnLy2i9gxrnRhChiBHv4
        "#]],
    );
}

#[test]
fn nobody_is_bound_to_a_key_of_which_it_was_not_seen_that_it_is_the_right_one() {
    check(
        "vault kv1 protected; key kv1/main create own; account st1 system uses kv1/main",
        "vault kv1 protected st1=get+wrapKey+unwrapKey; key kv1/main A; account st1 system",
        &expect![[r#"
            blind: key kv1/main
              hides: key kv1/main is the one with the thumbprint ahxiD9KU3jzxlD1vqu7F7P3SnLy2i9gxrnRhChiBHv4
              hides: account st1 is encrypted with the newest version of kv1/main
        "#]],
    );
}

#[test]
fn into_a_vault_that_is_made_with_access_policies_nobody_may_import() {
    check(
        "group; vault kv1 create protected; key kv1/main create own",
        "group",
        &expect![[r#"
        1. vault/kv1
        CMK272 key kv1/main: vault kv1 is made in this plan, with access policies: nobody may import a key into it yet
    "#]],
    );
}

#[test]
fn the_judge_rejects_an_import_that_replaces_or_hides_something() {
    let seen = observed(OWN, "group; vault kv1 protected rbac");
    let made = plan(&desired(OWN), &seen);
    let at = made.steps.iter().position(|step| matches!(step.action, Action::ImportKey { .. })).unwrap();
    assert_eq!(judge(&made, &seen), vec![]);
    let harms = |plan: &super::super::Plan, seen| {
        judge(plan, seen).into_iter().map(|one| one.what).collect::<Vec<_>>().join("; ")
    };

    let mut there = seen.clone();
    there.keys.insert(
        key_ref("kv1/main"),
        observed(OWN, "vault kv1; key kv1/main A other").keys[&key_ref("kv1/main")].clone(),
    );
    assert!(harms(&made, &there).contains("the key"), "{}", harms(&made, &there));

    let mut deleted = seen.clone();
    deleted
        .deleted_keys
        .insert(key_ref("kv1/main"), Seen::Known(SeenDeletedKey { scheduled_purge: None, of_certificate: false }));
    assert!(harms(&made, &deleted).contains("a deleted key holds its name"));

    let mut other = made.clone();
    if let Action::ImportKey { thumbprint: own, .. } = &mut other.steps[at].action {
        *own = thumbprint("other");
    }
    assert!(harms(&other, &seen).contains("does not show the reader which key is brought"));

    let mut small = made.clone();
    if let Action::ImportKey { create, .. } = &mut small.steps[at].action {
        create.size_bits = 1024;
    }
    assert!(harms(&small, &seen).contains("a size that Storage does not take"));

    let mut silent = made.clone();
    silent.steps[at].risks.retain(|risk| risk.class != RiskClass::CustodyChange);
    assert!(harms(&silent, &seen).contains("custodyChange"));

    let mut rotated = made.clone();
    let (vault, key) = match &made.steps[at].action {
        Action::ImportKey { vault, key, .. } => (vault.clone(), key.clone()),
        _ => unreachable!("it is the import"),
    };
    let mut step = made.steps[at].clone();
    step.id.0 = "rotation/kv1/main".to_owned();
    step.action = Action::RotateKey { vault, key, since: crate::model::Timestamp(1) };
    rotated.steps.push(step);
    assert!(harms(&rotated, &seen).contains("makes the key, or a version of it, too"));
}

#[test]
fn an_approval_is_for_one_key_of_one_s_own() {
    let seen = observed(OWN, "group; vault kv1 protected rbac");
    let wanted = desired(OWN);
    let mut another = wanted.clone();
    let key = key_ref("kv1/main");
    let own = another.vaults.get_mut(&key.vault).unwrap().keys.get_mut(&key.name).unwrap().import.as_mut().unwrap();
    own.thumbprint = thumbprint("another");
    assert_ne!(plan(&wanted, &seen).digest, plan(&another, &seen).digest);
}

#[test]
fn a_guard_bounds_the_type_and_the_size_of_a_key_that_is_imported() {
    let seen = observed(OWN, "group; vault kv1 protected rbac");
    let made = plan(&desired(OWN), &seen);
    let any = || vec![crate::model::Pattern::new("*")];
    let guard = crate::model::Guard {
        tenants: any(),
        subscriptions: any(),
        resource_groups: any(),
        vaults: any(),
        accounts: any(),
        ..crate::model::Guard::default()
    };
    let codes = |guard: &crate::model::Guard| {
        let breaches = super::super::guard::breaches(&made, &seen, guard, "guard.yaml");
        breaches.iter().map(|one| (one.code, one.resource.clone())).collect::<Vec<_>>()
    };
    assert_eq!(codes(&guard), vec![]);
    let hardware = crate::model::Guard { key_types: Some(["RSA-HSM".to_owned()].into()), ..guard.clone() };
    assert!(codes(&hardware).contains(&("CMK235", "key kv1/main".to_owned())));
    let large = crate::model::Guard { key_sizes_bits: Some([4096].into()), ..guard };
    assert!(codes(&large).contains(&("CMK235", "key kv1/main".to_owned())));
}
