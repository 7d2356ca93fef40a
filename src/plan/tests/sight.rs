//! Who else uses the vaults that a plan touches: what is told of them, and that no step rests on it.

use super::super::plan;
use super::world::{desired, observed};
use crate::plan::Plan;

const WANTED: &str = "vault kv1 protected; key kv1/main; account st1 system uses kv1/main";
const SEEN: &str =
    "vault kv1 protected st1=get+wrapKey+unwrapKey; key kv1/main B A; account st1 system bound kv1/main@A";

fn planned(sweep: &str) -> Plan {
    plan(&desired(WANTED), &observed(WANTED, &format!("{SEEN}{sweep}")))
}

/// `kv1/main: st1, st9/hr (not in the spec)`.
fn under(plan: &Plan) -> Vec<String> {
    let told = |key: &str, users: &std::collections::BTreeSet<crate::plan::review::Sharer>| {
        let users = users.iter().map(|one| {
            let scope = one.scope.as_ref().map_or(String::new(), |scope| format!("/{scope}"));
            format!("{}{scope}{}", one.account.name, if one.is_in_spec { "" } else { " (not in the spec)" })
        });
        format!("{key}: {}", users.collect::<Vec<_>>().join(", "))
    };
    plan.review.radius.under.iter().flatten().map(|(key, users)| told(key, users)).collect()
}

#[test]
fn accounts_and_scopes_are_told_by_key_whether_the_spec_names_them_or_not() {
    let sweep = "; sweep kv1/MAIN st1 st1/hr st9/pay st9; sweep kv1/other st8; sweep kv2/main st7/away";
    let made = planned(sweep);
    assert_eq!(
        under(&made),
        ["kv1/main: st1, st1/hr, st9 (not in the spec), st9/pay (not in the spec)", "kv1/other: st8 (not in the spec)"]
    );
    let radius = &made.review.radius;
    let outside: Vec<&str> = radius.outsiders.iter().map(|id| id.name.as_str()).collect();
    assert_eq!(outside, ["st8", "st9"], "of a vault that is not touched nobody is told");
    assert_eq!(radius.unseen, ["other subscriptions and other services, which may use the same keys"]);
}

#[test]
fn what_could_not_be_read_is_told_with_its_permission() {
    let made = planned("; sweep kv1/main st1 unseen");
    assert_eq!(
        made.review.radius.unseen,
        [
            "the encryption scopes of account st9: 403 AuthorizationFailed (a/read would show them)",
            "other subscriptions and other services, which may use the same keys"
        ]
    );
}

#[test]
fn a_plan_is_the_same_however_far_somebody_looked() {
    let (narrow, wide) = (planned(""), planned("; sweep kv1/main st1/hr st9/pay st9 unseen"));
    assert!(!narrow.is_empty() && narrow.review.radius.under.is_none());
    let same = |plan: Plan| Plan { review: crate::plan::Review::default(), ..plan };
    assert_eq!(same(narrow), same(wide), "its digest and its fingerprint too");
}
