//! Reports of plans made by hand, as a reader sees them.

mod hostile;
mod length;
mod plans;

use super::verdict::{ApplyVerdict, PlanVerdict, Proof};
use super::{Scene, Traffic, human, json, outcome};
use crate::apply::{Outcome, StepOutcome};
use crate::model::{
    AccountId, AccountName, Fact, GroupId, GroupName, Identities, KeyName, KeyPermission, KeyRef, Location,
    PermissionModel, SubscriptionId, VaultCreate, VaultId, VaultName, VaultSku, VersionRule, Who,
};
use crate::plan::{Action, BlindSpot, Change, Consent, Note, Plan, Refusal, Risk, RiskClass, Step, StepId, Wait};
use expect_test::{Expect, expect};
use std::collections::BTreeMap;
use std::time::Duration;

fn group() -> GroupId {
    GroupId {
        subscription: SubscriptionId::parse("11111111-1111-1111-1111-111111111111").unwrap(),
        name: GroupName::parse("rg1").unwrap(),
    }
}

fn vault() -> VaultId {
    VaultId { group: group(), name: VaultName::parse("kv1").unwrap() }
}

fn account() -> AccountId {
    AccountId { group: group(), name: AccountName::parse("st1").unwrap() }
}

fn step(
    id: &str,
    action: Action,
    risk: (RiskClass, &str),
    after: &[&str],
    because: &[(&str, &str, Option<&str>, &str)],
) -> Step {
    let because = because
        .iter()
        .map(|(resource, path, before, after)| Change {
            resource: (*resource).to_owned(),
            path: (*path).to_owned(),
            before: before.map(ToOwned::to_owned),
            after: (*after).to_owned(),
        })
        .collect();
    let after = after.iter().map(|id| StepId((*id).to_owned())).collect();
    let risks = vec![Risk {
        class: risk.0,
        object: risk.1.to_owned(),
        why: "what would happen, in words".to_owned(),
        consent: Consent::Operator,
    }];
    Step { id: StepId(id.to_owned()), action, because, needs: vec![], gives: vec![], after, risks }
}

fn create_vault() -> Step {
    let action = Action::CreateVault {
        id: vault(),
        location: Location::parse("westeurope").unwrap(),
        tenant: "t".to_owned(),
        create: VaultCreate { sku: VaultSku::Standard, soft_delete_retention_days: 90 },
        model: PermissionModel::AccessPolicies,
        purge_protection: true,
    };
    step(
        "vault/kv1",
        action,
        (RiskClass::Irreversible, "vault/kv1"),
        &[],
        &[("vault kv1", "purgeProtection", None, "true")],
    )
}

fn set_encryption() -> Step {
    let action = Action::SetEncryption {
        account: account(),
        vault: vault(),
        key: KeyRef { vault: vault().name, name: KeyName::parse("main").unwrap() },
        version: VersionRule::Latest,
        who: Who::System(account()),
        then: None,
        since: None,
        attach: Identities::default(),
        permissions: KeyPermission::needed(),
        former: None,
    };
    let because = [("account st1", "encryption.keySource", Some("Microsoft.Storage"), "Microsoft.Keyvault")];
    step("encryption/st1", action, (RiskClass::CustodyChange, "account/st1"), &["vault/kv1"], &because)
}

fn two_steps() -> Plan {
    Plan {
        steps: vec![create_vault(), set_encryption()],
        tenant: Some("22222222-2222-2222-2222-222222222222".to_owned()),
        digest: "d19e57".to_owned(),
        ..Plan::default()
    }
}

/// What a look at one account with its vault sends.
fn traffic_of_a_look() -> Traffic {
    let methods = BTreeMap::from([("GET".to_owned(), 4)]);
    Traffic { requests: BTreeMap::from([("arm".to_owned(), methods)]), ..Traffic::default() }
}

fn scene() -> Scene {
    Scene { cloud: "public".to_owned(), sandbox_file: None }
}

fn check(plan: &Plan, expected: &Expect) {
    let text = human::plan(plan, &scene(), false);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    expected.assert_eq(&text);
}

#[test]
fn a_plan_begins_with_its_verdict_and_tells_each_step() {
    check(
        &two_steps(),
        &expect![[r#"
            2 steps to take. Highest risk: custody change (CMK404). Nothing is sent without
            these acknowledgements:
              --accept CMK404:account/st1
              --accept CMK402:vault/kv1
              CMK404 custody change: account/st1, step 2: what would happen, in words (needs
                the operator)
              CMK402 irreversible: vault/kv1, step 1: what would happen, in words (needs the
                operator)

            One-way door: vault/kv1: what would happen, in words (step 1)

            Steps. A run that is cut off is simply run again:
              1. create vault kv1 in westeurope, with purge protection
                 Risk CMK402. Why: it does not exist. Waits until it is ready, usually 1
                 min, at most 15 min. A crash leaves an unused vault. With purgeProtection:
                 true.
              2. encrypt account st1 with kv1/main (newest, pinned)
                 Risk CMK404. Why: it is not bound to the key that the spec names. After 1.
                 A crash leaves nothing half done.
                 encryption.keySource: Microsoft.Storage → Microsoft.Keyvault

            Undo, by hand: step 1: none: purge protection stays on for good; step 2: bind it
              to what it was under before; no data is lost

            Cloud: public, tenant 22222222-2222-2222-2222-222222222222, cmk 0.1.0
            Digest: d19e57
        "#]],
    );
}

#[test]
fn a_plan_without_steps_says_so_even_when_there_are_waits_and_notes() {
    let wait = Wait { fact: Fact::VaultLive(vault().name), why: "its provisioning state is RegisteringDns".to_owned() };
    let note = Note { resource: "account st1".to_owned(), text: "the SKU is Standard_GRS".to_owned() };
    let plan = Plan { waits: vec![wait], notes: vec![note], ..Plan::default() };
    assert_eq!(PlanVerdict::of(&plan), PlanVerdict::NothingToDo);
    check(
        &plan,
        &expect![[r#"
            Nothing to do. Something is still under way in Azure.

            Under way in Azure: waiting until vault kv1 is ready: its provisioning state is
              RegisteringDns

            Told, and left as it is: account st1: the SKU is Standard_GRS

            Cloud: public, cmk 0.1.0
        "#]],
    );
}

#[test]
fn a_refusal_names_its_code_and_the_way_out_and_wins_over_steps() {
    let refusal = Refusal {
        code: "CMK999",
        resource: "vault kv1".to_owned(),
        detail: "a deleted vault holds this name until 2026-12-01.".to_owned(),
        help: "recover the vault, or choose another name".to_owned(),
    };
    let plan = Plan { refusals: vec![refusal], ..two_steps() };
    assert_eq!(PlanVerdict::of(&plan), PlanVerdict::Refused);
    let text = human::plan(&plan, &scene(), false);
    let until_steps = text.split("\n  1.").next().unwrap_or_default();
    expect![[r#"
        Refused, for 1 reason (CMK999): nothing is sent. 2 steps would be left. Highest
        risk: custody change (CMK404). Even then, nothing is sent without:
          --accept CMK404:account/st1
          --accept CMK402:vault/kv1

        refused[CMK999]: vault kv1
          vault kv1: a deleted vault holds this name until 2026-12-01.
        help: recover the vault, or choose another name

          CMK404 custody change: account/st1, step 2: what would happen, in words (needs
            the operator)
          CMK402 irreversible: vault/kv1, step 1: what would happen, in words (needs the
            operator)

        One-way door: vault/kv1: what would happen, in words (step 1)

        Steps. A run that is cut off is simply run again:"#]]
    .assert_eq(until_steps);
}

#[test]
fn a_blind_spot_says_what_it_hides_and_what_would_show_it() {
    let spot = BlindSpot {
        resource: "vault kv1".to_owned(),
        why: "403 AuthorizationFailed\u{1b}[1m".to_owned(),
        permission: Some("Microsoft.KeyVault/vaults/read".to_owned()),
        hides: vec!["whether account st1 is encrypted with kv1/main".to_owned()],
    };
    let plan = Plan { blind_spots: vec![spot], ..Plan::default() };
    assert_eq!(PlanVerdict::of(&plan), PlanVerdict::Unjudged);
    check(
        &plan,
        &expect![[r#"
            No steps, but not everything could be seen.

            Not seen: vault kv1: 403 AuthorizationFailed\u{1b}[1m
              hides: whether account st1 is encrypted with kv1/main
              help: the permission Microsoft.KeyVault/vaults/read would show it

            Cloud: public, cmk 0.1.0
        "#]],
    );
}

fn traffic() -> Traffic {
    let methods = |list: &[(&str, u64)]| list.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
    Traffic {
        requests: BTreeMap::from([
            ("arm".to_owned(), methods(&[("GET", 4), ("PUT", 2)])),
            ("login".to_owned(), methods(&[("POST", 1)])),
        ]),
        writes_sent: 2,
        writes_succeeded: 2,
        retries: 0,
        waits: vec![("the grant is honoured".to_owned(), Duration::from_millis(1200))],
    }
}

fn ended(first: StepOutcome, second: StepOutcome) -> Outcome {
    let steps = two_steps().steps.into_iter().map(|step| step.id).zip([first, second]).collect();
    Outcome { steps, ..Outcome::default() }
}

#[test]
fn work_is_done_when_a_second_look_finds_nothing_left() {
    let proof = Proof::Looked(Box::default());
    let outcome = ended(StepOutcome::Already, StepOutcome::Done);
    assert_eq!(ApplyVerdict::of(&outcome, &proof), ApplyVerdict::Done);
    let scene = Scene { cloud: "sandbox".to_owned(), sandbox_file: Some(".cmk-sandbox.json".to_owned()) };
    expect![[r#"
          1. already: create vault kv1 in westeurope, with purge protection
          2. done: encrypt account st1 with kv1/main (newest, pinned)

        Done: 2 steps, proved by a second look: nothing left to do.
        Requests: 7 (arm 6, login 1). Writes: 2 sent, 2 succeeded. Retries: 0.
        Waited: 1.2 s until the grant is honoured.
        This is the sandbox: no Azure was touched. Its state is in .cmk-sandbox.json
    "#]]
    .assert_eq(&outcome::outcome(&two_steps(), &outcome, &proof, &traffic(), &scene, false));
}

#[test]
fn a_failure_tells_its_story_and_what_is_left() {
    let proof = Proof::Looked(Box::new(Plan { steps: vec![set_encryption()], ..Plan::default() }));
    let failed = StepOutcome::Failed("Azure said no.\nhelp: ask for it".to_owned());
    let outcome = ended(StepOutcome::Done, failed);
    assert_eq!(ApplyVerdict::of(&outcome, &proof), ApplyVerdict::Incomplete);
    expect![[r#"
          1. done: create vault kv1 in westeurope, with purge protection
          2. failed: encrypt account st1 with kv1/main (newest, pinned)
               Azure said no.
               help: ask for it

        Not done: 1 of 2 steps ended well. A second look finds left: encryption/st1. Run
        the same command again to go on.
        Requests: 0. Writes: 0 sent, 0 succeeded. Retries: 0.
    "#]]
    .assert_eq(&outcome::outcome(&two_steps(), &outcome, &proof, &Traffic::default(), &scene(), false));
}

#[test]
fn the_document_after_apply_holds_outcomes_proof_and_counts() {
    let outcome = ended(StepOutcome::Done, StepOutcome::Unconfirmed("not seen\u{202e} in time".to_owned()));
    let proof = Proof::NotLooked("the network is down".to_owned());
    let text = json::applied(&two_steps(), &outcome, &proof, &traffic(), &scene());
    assert!(text.contains(r"not seen\u202e in time"));
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let show = |value: &serde_json::Value| value.to_string();
    expect![[r#"{"blindSpots":0,"highestRisk":"custodyChange","highestRiskCode":"CMK404","notes":0,"refusals":0,"steps":2,"verdict":"incomplete","waits":0}"#]]
        .assert_eq(&show(&document["summary"]));
    expect![[r#"{"requests":{"arm":{"GET":4,"PUT":2},"login":{"POST":1}},"retries":0,"waits":[{"for":"the grant is honoured","ms":1200}],"writes":{"sent":2,"succeeded":2}}"#]]
        .assert_eq(&show(&document["stats"]));
    expect![[r#"{"action":"createVault","after":[],"because":[{"after":"true","before":null,"path":"purgeProtection","resource":"vault kv1"}],"id":"vault/kv1","leavesBehind":"an unused vault","outcome":"done","resource":"/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg1/providers/Microsoft.KeyVault/vaults/kv1","risk":"irreversible","risks":[{"class":"irreversible","code":"CMK402","consent":"operator","object":"vault/kv1","why":"what would happen, in words"}],"title":"create vault kv1 in westeurope, with purge protection","undo":null,"waits":"until it is ready, usually 1 min, at most 15 min","why":"it does not exist"}"#]]
        .assert_eq(&show(&document["steps"][0]));
    expect![[r#"{"detail":"the network is down","left":[],"result":"notLooked"}"#]]
        .assert_eq(&show(&document["proof"]));
}

#[test]
fn the_document_of_a_plan_has_its_fields_in_a_stable_order() {
    let text = json::plan(&Plan::default(), &Traffic::default(), &scene());
    let fields: Vec<&str> =
        text.lines().filter(|line| line.starts_with("  \"")).filter_map(|line| line.split('"').nth(1)).collect();
    expect!["formatVersion toolVersion cloud tenant digest fingerprint summary asks review steps refusals waits blindSpots notes stats"]
        .assert_eq(&fields.join(" "));
}
