//! Same or safer: an approval never admits a plan with more risk or other objects.

use super::super::action::{Action, GrantBy};
use super::super::risk::{Consent, Risk, RiskClass};
use super::super::tests::world::{desired, observed};
use super::super::types::{Change, Plan, Step, StepId};
use super::*;
use crate::model::{
    AccountCreate, AccountId, AccountName, GroupId, GroupName, Identities as Wanted, KeyName, KeyPermission, KeyRef,
    Location, SubscriptionId, VaultId, VaultName, VersionRule, Who,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn group() -> GroupId {
    let subscription = SubscriptionId::parse("11111111-1111-1111-1111-111111111111").unwrap();
    GroupId { subscription, name: GroupName::parse("rg").unwrap() }
}

fn vault(number: u8) -> VaultId {
    VaultId { group: group(), name: VaultName::parse(&format!("kv-{number}")).unwrap() }
}

fn account(number: u8) -> AccountId {
    AccountId { group: group(), name: AccountName::parse(&format!("st{number}00")).unwrap() }
}

fn main_of(number: u8) -> KeyRef {
    KeyRef { vault: vault(number).name, name: KeyName::parse("main").unwrap() }
}

fn action() -> impl Strategy<Value = Action> {
    (0..5_u8, 0..3_u8, 0..3_u8, any::<bool>()).prop_map(|(kind, a, v, more)| match kind {
        0 => Action::ProtectVault { id: vault(v) },
        1 => Action::CreateAccount {
            id: account(a),
            location: Location::parse("westeurope").unwrap(),
            create: AccountCreate { sku: "Standard_LRS".into(), kind: "StorageV2".into() },
            identity: Wanted::default(),
            key: None,
        },
        2 => Action::AttachIdentity { id: account(a), identity: Wanted { system: true, ..Wanted::default() } },
        3 => {
            let mut permissions = KeyPermission::needed();
            permissions.extend(more.then_some(KeyPermission::Recover));
            Action::Grant {
                who: Who::System(account(a)),
                vault: vault(v),
                key: main_of(v),
                permissions,
                by: GrantBy::AccessPolicy,
            }
        }
        _ => Action::SetEncryption {
            account: account(a),
            vault: vault(v),
            key: main_of(v),
            version: if more { VersionRule::Auto } else { VersionRule::Latest },
            who: Who::System(account(a)),
            then: None,
            since: None,
            attach: Wanted::default(),
            permissions: KeyPermission::needed(),
            former: None,
        },
    })
}

fn risk() -> impl Strategy<Value = Risk> {
    (0..6_usize, 0..4_u8, 0..3_usize).prop_map(|(class, number, consent)| Risk {
        class: RiskClass::ALL[class],
        object: format!("account/st{number}00"),
        why: "it is so".to_owned(),
        consent: [Consent::Plan, Consent::Spec, Consent::Operator][consent],
    })
}

/// A step's name follows from its action, as the planner's do.
fn step() -> impl Strategy<Value = Step> {
    (action(), proptest::collection::vec(risk(), 0..3), 0..3_u8).prop_map(|(action, risks, after)| Step {
        id: StepId(format!("{}/{}", action.name(), action.resource().rsplit('/').next().unwrap_or_default())),
        because: vec![Change {
            resource: action.resource(),
            path: "property".to_owned(),
            before: None,
            after: format!("value {after}"),
        }],
        action,
        needs: vec![],
        gives: vec![],
        after: vec![],
        risks,
    })
}

fn plan_of(steps: Vec<Step>, principals: [u8; 3]) -> Plan {
    let mut known = BTreeSet::new();
    let steps: Vec<Step> = steps.into_iter().filter(|step| known.insert(step.id.clone())).collect();
    let mut identities = Identities::new();
    for step in &steps {
        let resource = step.action.resource();
        for (number, principal) in principals.iter().enumerate() {
            let object = format!("account/st{number}00");
            if resource.ends_with(&format!("st{number}00")) {
                identities.insert(object, BTreeMap::from([("principal".to_owned(), format!("p{principal}"))]));
            }
        }
    }
    let bound = Bound { desired: "one spec".to_owned(), identities };
    let digest = digest(&bound, &steps);
    Plan { steps, bound, digest, ..Plan::default() }
}

fn plans() -> impl Strategy<Value = Plan> {
    (proptest::collection::vec(step(), 0..7), [0..2_u8, 0..2, 0..2])
        .prop_map(|(steps, principals)| plan_of(steps, principals))
}

fn saved(plan: &Plan) -> SavedPlan {
    let origin = Origin { cloud: "sandbox", spec_name: "spec.yaml", spec: "version: 1\n" };
    read(&save(plan, &origin)).expect("what was saved can be read")
}

/// Everything at risk in a plan, each with who has to say yes.
fn at_risk(plan: &Plan) -> BTreeMap<(RiskClass, String), Consent> {
    let mut all = BTreeMap::new();
    for risk in plan.steps.iter().flat_map(|step| &step.risks) {
        let held = all.entry((risk.class, risk.object.clone())).or_insert(risk.consent);
        *held = risk.consent.max(*held);
    }
    all
}

fn written(plan: &Plan) -> BTreeSet<String> {
    plan.steps.iter().map(|step| step.action.resource()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn an_approval_never_admits_more_risk_or_other_objects(approved in plans(), fresh in plans()) {
        let admitted = same_or_safer(&saved(&approved), &fresh).is_empty();
        let (before, after) = (at_risk(&approved), at_risk(&fresh));
        let no_more = after.iter().all(|(what, consent)| before.get(what).is_some_and(|held| consent <= held));
        let no_other = written(&fresh).is_subset(&written(&approved));
        let same_things = fresh.bound.identities.iter().all(|(object, facts)| {
            approved.bound.identities.get(object) == Some(facts)
        });
        let no_graver = fresh.gravest() <= approved.gravest();
        prop_assert!(!admitted || (no_more && no_other && same_things && no_graver));
    }

    #[test]
    fn whoever_did_a_part_of_it_leaves_an_approved_rest(plan in plans(), done in any::<[bool; 7]>()) {
        let mut rest = plan.clone();
        let mut at = 0;
        rest.steps.retain(|_| { at += 1; !done[at - 1] });
        prop_assert_eq!(same_or_safer(&saved(&plan), &rest), vec![]);
    }

    #[test]
    fn one_thing_more_is_noticed(plan in plans(), extra in step(), more in risk(), at in any::<prop::sample::Index>()) {
        let approved = saved(&plan);
        if plan.steps.iter().all(|step| step.id != extra.id) {
            let mut other = plan.clone();
            other.steps.push(extra);
            prop_assert!(!same_or_safer(&approved, &other).is_empty());
        }
        if plan.steps.is_empty() {
            return Ok(());
        }
        let at = at.index(plan.steps.len());
        let known = &plan.steps[at].risks;
        if known.iter().all(|risk| (risk.class, &risk.object) != (more.class, &more.object)) {
            let mut other = plan.clone();
            other.steps[at].risks.push(more);
            prop_assert!(!same_or_safer(&approved, &other).is_empty());
        }
        let mut other = plan.clone();
        other.steps[at].because[0].after.push('!');
        prop_assert!(!same_or_safer(&approved, &other).is_empty());
        let mut other = plan.clone();
        for facts in other.bound.identities.values_mut() {
            facts.insert("principal".to_owned(), "of another account of the same name".to_owned());
        }
        prop_assert_eq!(same_or_safer(&approved, &other).is_empty(), plan.bound.identities.is_empty());
    }

    #[test]
    fn a_file_that_was_changed_is_refused(plan in plans(), at in any::<prop::sample::Index>()) {
        let origin = Origin { cloud: "sandbox", spec_name: "spec.yaml", spec: "version: 1\n" };
        let text = save(&plan, &origin);
        let cut = at.index(text.len() - 2);
        prop_assert!(read(&text[..cut]).is_err(), "cut off at {}", cut);
        let other = text.replacen("account/", "account/x", 1);
        prop_assert!(other == text || read(&other).is_err());
    }
}

const LIVE: &str = "vault kv1 protected; key kv1/main; account st1 system uses kv1/main";
const SEEN: &str = "vault kv1 protected; key kv1/main A; account st1 system";

#[track_caller]
fn differences(wanted: &str, then: &str, now: &str) -> Vec<String> {
    let plan = |seen: &str| super::super::plan(&desired(wanted), &observed(wanted, seen));
    let found = same_or_safer(&saved(&plan(then)), &plan(now));
    found.into_iter().map(|Difference { subject, what }| format!("{subject}: {what}")).collect()
}

#[test]
fn a_key_that_an_approved_step_made_may_be_bound_by_its_version() {
    let all = "group; vault kv1 create protected; key kv1/main create; account st1 system uses kv1/main";
    assert_eq!(differences(all, "group; account st1 system", &format!("group; {SEEN}")), [""; 0]);
}

#[test]
fn a_version_that_came_after_the_approval_was_not_approved() {
    let found = differences(LIVE, SEEN, &SEEN.replace("main A", "main B A"));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("step encryption/st1: encryption.version would become bbbb"), "{found:?}");
}

#[test]
fn an_account_that_was_bound_meanwhile_is_not_moved_by_an_old_approval() {
    let two = "vault kv1 protected; key kv1/main; vault kv2 protected; key kv2/main; account st1 system uses kv1/main";
    let then = "vault kv1 protected; key kv1/main A; vault kv2 protected st1=get+wrapKey+unwrapKey; key kv2/main A; account st1 system";
    let now = then.replace("st1 system", "st1 system bound kv2/main@A");
    let found = differences(two, then, &now);
    assert!(found.iter().any(|one| one.contains("CMK404:account/st1, which was not approved")), "{found:?}");
    assert!(found.iter().any(|one| one.contains("is bound to kv2/main version aaaa")), "{found:?}");
}

/// Changes what was observed.
type Meddle = dyn Fn(&mut crate::model::Observed);

#[test]
fn a_thing_of_the_same_name_is_told_by_what_the_cloud_chose_for_it() {
    let plan = |change: &dyn Fn(&mut crate::model::Observed)| {
        let mut seen = observed(LIVE, SEEN);
        change(&mut seen);
        super::super::plan(&desired(LIVE), &seen)
    };
    let approved = plan(&|_| {});
    let others: [(&str, Box<Meddle>); 3] = [
        ("principal", Box::new(|seen| account_of(seen).identity.system_principal = Some("another".into()))),
        (
            "tenant",
            Box::new(|seen| {
                vault_of(seen).tenant = "another".into();
                account_of(seen).identity.tenant = None;
            }),
        ),
        ("id", Box::new(|seen| vault_of(seen).id.group.name = GroupName::parse("rg-other").unwrap())),
    ];
    for (fact, change) in others {
        let fresh = plan(&change);
        assert_ne!(fresh.digest, approved.digest, "{fact}");
        let found = same_or_safer(&saved(&approved), &fresh);
        assert!(found.iter().any(|one| one.what.starts_with(&format!("its {fact} is"))), "{fact}: {found:?}");
    }
    let with = |thumbprint: &str| {
        let thumbprint = Some(crate::model::Thumbprint::of_rsa(thumbprint.as_bytes(), &[3]));
        plan(&move |seen: &mut crate::model::Observed| {
            for key in seen.keys.values_mut() {
                let crate::model::Seen::Known(key) = key else { continue };
                key.versions[0].thumbprint.clone_from(&thumbprint);
            }
        })
    };
    assert_ne!(with("ab").digest, with("cd").digest);
    assert!(!same_or_safer(&saved(&with("ab")), &with("cd")).is_empty());
    // What was not seen could not be approved, so nothing can contradict it; the other way round it can.
    assert_eq!(same_or_safer(&saved(&approved), &with("ab")), vec![]);
    assert!(!same_or_safer(&saved(&with("ab")), &approved).is_empty());
}

fn account_of(seen: &mut crate::model::Observed) -> &mut crate::model::SeenAccount {
    match seen.accounts.values_mut().next() {
        Some(crate::model::Seen::Known(account)) => account,
        other => panic!("{other:?}"),
    }
}

fn vault_of(seen: &mut crate::model::Observed) -> &mut crate::model::SeenVault {
    match seen.vaults.values_mut().next() {
        Some(crate::model::Seen::Known(vault)) => vault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_of_another_kind_or_version_is_told_apart() {
    let origin = Origin { cloud: "sandbox", spec_name: "spec.yaml", spec: "version: 1\n" };
    let text = save(&Plan { digest: digest(&Bound::default(), &[]), ..Plan::default() }, &origin);
    assert!(is_saved(&text) && read(&text).is_ok());
    assert_eq!(read("version: 1\n"), Err(BadPlanFile::Foreign));
    assert_eq!(read("{\"format\": \"terraform\"}"), Err(BadPlanFile::Foreign));
    let older = text.replace("\"formatVersion\": 1", "\"formatVersion\": 0");
    assert_eq!(read(&older), Err(BadPlanFile::OtherVersion(0)));
    for damage in [text.replace("version: 1\\n", "version: 1\\n#"), text.replace("\"steps\"", "\"step\"")] {
        assert!(matches!(read(&damage), Err(BadPlanFile::Damaged(_))), "{damage}");
    }
}

#[test]
fn an_identity_that_somebody_else_has_given_already_is_safer_and_one_more_is_not() {
    let wanted = "identity id1; identity id2; account st1 has id1 has id2";
    let plan = |held: &str| {
        let seen = format!("identity id1; identity id2; account st1 {held}");
        super::super::plan(&desired(wanted), &observed(wanted, &seen))
    };
    let (all, one, other) = (plan(""), plan("has id2"), plan("has id1"));
    assert_eq!(same_or_safer(&saved(&plan("system")), &plan("system has id2")), vec![]);
    assert!(!same_or_safer(&saved(&one), &all).is_empty() && !same_or_safer(&saved(&one), &other).is_empty());
}

#[test]
fn an_identity_that_somebody_else_has_taken_already_is_safer_and_one_more_is_not() {
    let wanted = "identity id1; identity id2; account st1 loses id1 loses id2 loses own";
    let plan = |held: &str| {
        let seen = format!("identity id1; identity id2; account st1 {held}; scopes st1");
        super::super::plan(&desired(wanted), &observed(wanted, &seen))
    };
    let all = plan("system has id1 has id2");
    let fewer = [plan("has id1 has id2"), plan("system has id2"), plan("has id1")];
    for one in &fewer {
        assert_eq!(one.steps.len(), 1);
        assert_eq!(same_or_safer(&saved(&all), one), vec![], "{one:?}");
        assert!(!same_or_safer(&saved(one), &all).is_empty());
    }
    assert!(!same_or_safer(&saved(&fewer[0]), &fewer[1]).is_empty(), "its own was not approved");
}
