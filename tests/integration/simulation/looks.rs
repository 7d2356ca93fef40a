//! Looks that are not acted upon: one that was long on its way, and one that shows less than the plan was made from.

use super::worlds::{desired, pace, world};
use cmk::model::Desired;
use cmk::prove::{Act, Ended, How, Meddling, Mishap, Script, Stage, in_virtual_time};

const NEW: &str = "
vaults: { kv1: { create: {}, purgeProtection: true, keys: { main: { create: {} } } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } } }
";

#[test]
fn a_vault_is_not_made_upon_a_look_that_was_long_on_its_way() {
    let wanted = desired(NEW);
    let vault = wanted.vaults.values().next().unwrap();
    in_virtual_time(async {
        let (world, start) = world("group\naccount st1 identity", pace());
        let calm = Stage::new(&wanted, world.clone(), start, Meddling::none());
        calm.run(&wanted, &How::default()).await;
        let put = calm.witness(|witness| witness.writes_of(0))[0];
        // The look is the request before it. While its answer is on its way, somebody else makes the vault.
        let made = Act::MakeVault(vault.id.clone(), vault.location.clone().unwrap());
        let meddling = Meddling { acts: vec![(0, put, made)] };
        let stage = Stage::new(&wanted, world, start, meddling);
        let how = How { script: Script::once(put - 1, Mishap::Slow(58)), concurrency: 1, ..How::default() };
        stage.run(&wanted, &how).await;
        stage.converges(&wanted).await;
        stage.witness(|witness| {
            let log = witness.log().join("\n");
            assert!(witness.breaches().is_empty(), "{log}");
            assert!(witness.met_all().contains_key("meddling makes a vault"), "{log}");
            assert!(!log.contains("PUT rg/vaults/kv1 has its effect"), "theirs is not replaced: {log}");
        });
    })
    .unwrap();
}

#[test]
fn an_account_that_shows_fewer_identities_than_the_plan_was_made_from_is_left_alone() {
    let wanted = desired("accounts: { st1: { identity: systemAssigned } }");
    let account = wanted.accounts.values().next().unwrap().id.clone();
    in_virtual_time(async {
        let (world, start) = world("group\naccount st1", pace());
        // Somebody attaches an identity before the first look, which shows it.
        let attached = || Meddling { acts: vec![(0, 2, Act::AttachUser(account.clone()))] };
        let calm = Stage::new(&wanted, world.clone(), start, attached());
        calm.run(&wanted, &How::default()).await;
        let patch = calm.witness(|witness| witness.writes_of(0))[0];
        let stage = Stage::new(&wanted, world, start, attached());
        // The look before the step is older than that.
        let how = How { script: Script::once(patch - 1, Mishap::Stale(6)), ..How::default() };
        let run = stage.run(&wanted, &how).await;
        let Ended::Applied(_, outcome) = &run.ended else { unreachable!("nothing goes wrong with looking") };
        let log = stage.witness(|witness| witness.log().join("\n"));
        assert_eq!(outcome.steps[0].1.as_str(), "blocked", "{log}");
        assert_eq!(run.effects, 0, "{log}");
        stage.converges(&wanted).await;
        stage.witness(|witness| assert!(witness.breaches().is_empty(), "{}", witness.log().join("\n")));
    })
    .unwrap();
}

/// Lets somebody else act so many requests before the first write, and insists that nothing is written then.
fn is_left_alone(spec: &str, things: &str, requests_before: u64, act: impl Fn(&Desired) -> Act) {
    let wanted = desired(spec);
    in_virtual_time(async {
        let (world, start) = world(things, pace());
        let calm = Stage::new(&wanted, world.clone(), start, Meddling::none());
        calm.run(&wanted, &How::default()).await;
        let write = calm.witness(|witness| witness.writes_of(0))[0];
        let meddling = Meddling { acts: vec![(0, write - requests_before, act(&wanted))] };
        let stage = Stage::new(&wanted, world, start, meddling);
        let run = stage.run(&wanted, &How::default()).await;
        let log = stage.witness(|witness| witness.log().join("\n"));
        let Ended::Applied(_, outcome) = &run.ended else { unreachable!("nothing goes wrong with looking: {log}") };
        assert_eq!(outcome.steps[0].1.as_str(), "blocked", "{log}");
        assert_eq!(run.effects, 0, "{log}");
    })
    .unwrap();
}

#[test]
fn an_identity_stays_where_a_scope_came_under_a_key_since_the_plan_was_made() {
    let spec = "vaults: { kv1: { keys: { main: {} } } }\naccounts: { st1: { removeIdentities: [systemAssigned] } }";
    let things = "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1";
    // The last look before the write is at the account, and the one before that at its scopes.
    is_left_alone(spec, things, 2, |wanted| {
        let account = wanted.accounts.values().next().unwrap().id.clone();
        Act::ScopeUnderKey(account, wanted.keys().next().unwrap().0)
    });
}

#[test]
fn a_key_that_somebody_closed_since_the_plan_was_made_gets_no_version() {
    let spec = "vaults: { kv1: { keys: { main: { maxAge: P30D } } } }";
    let things = "group\nvault kv1\nkey kv1/main\nrotate kv1/main\ndays 100";
    // The look before the step shows it; between the two stands the sign-in for the vault.
    is_left_alone(spec, things, 2, |wanted| Act::Disable(wanted.keys().next().unwrap().0));
}

#[test]
fn an_account_that_lost_its_own_identity_since_the_plan_was_made_is_given_none_besides() {
    let spec = "identities: { id1: {} }\naccounts: { st1: { identities: [id1] } }";
    is_left_alone(spec, "group\nidentity id1\naccount st1 identity", 1, |wanted| {
        Act::Detach(wanted.accounts.values().next().unwrap().id.clone())
    });
}
