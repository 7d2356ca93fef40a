//! What has to come to pass in a run of the suite: what never did was not proved.

use super::stories::{End, all};
use super::worlds::desired;
use cmk::diag::codes;
use cmk::prove::{Mishap, acts};
use std::collections::{BTreeMap, BTreeSet};

const ACTIONS: [&str; 18] = [
    "createGroup",
    "createVault",
    "recoverVault",
    "protectVault",
    "createKey",
    "importKey",
    "recoverKey",
    "markKey",
    "setRotation",
    "rotateKey",
    "disableVersion",
    "createAccount",
    "createIdentity",
    "attachIdentity",
    "detachIdentity",
    "switchIdentity",
    "grant",
    "setEncryption",
];

/// What takes more scenes than an ordinary test run has time for.
const RARE: [&str; 2] = ["action disableVersion", "meddling puts a scope under a key"];

const OUTCOMES: [&str; 5] = ["already", "done", "blocked", "failed", "skipped"];

const GUARD: &str = "a guard file is held against a plan by the program, not by what is played here: its own tests do";
const SAVED: &str = "a saved plan is read by the program, not by what is played here: its own tests do";

/// The refusals that no story ends with, and why none can.
const UNREACHED: [(&str, &str); 18] = [
    (
        "CMK208",
        "no request makes such a vault, since each subscription has one directory: a test of the program shows it",
    ),
    ("CMK210", "the sandbox deletes at once, and nothing that it makes fails: the planner's own tests show it"),
    ("CMK214", "every need that fails is refused in its own words first: this one is for a planner that forgot one"),
    ("CMK230", GUARD),
    ("CMK231", GUARD),
    ("CMK232", GUARD),
    ("CMK233", GUARD),
    ("CMK234", GUARD),
    ("CMK235", GUARD),
    ("CMK236", GUARD),
    ("CMK237", GUARD),
    ("CMK238", GUARD),
    ("CMK250", SAVED),
    ("CMK251", SAVED),
    ("CMK252", SAVED),
    ("CMK271", "in the simulator stand-ins are always at hand: the program's own tests show it"),
    ("CMK277", "somebody has to change our own setting by hand in one certain way: the planner's own tests show it"),
    ("CMK290", "the judge rejects no plan of this planner: sabotage shows that it would"),
];

/// Fails unless scenes by chance met every action, outcome, mishap and meddling; of few scenes, some may miss.
pub(super) fn assert_by_chance(met: &BTreeMap<String, u64>, scenes: u64) {
    let spec = "
vaults: { kv1: { create: {}, purgeProtection: true, keys: { main: { create: {} } } } }
accounts: { st1: { create: {}, identity: systemAssigned, encryption: { key: kv1/main } } }
";
    let meddlings: BTreeSet<&str> = acts(&desired(spec)).iter().map(cmk::prove::Act::name).collect();
    let wanted = (ACTIONS.iter().map(|name| format!("action {name}")))
        .chain(Mishap::ALL.iter().map(|mishap| format!("mishap {}", mishap.name())))
        .chain(OUTCOMES.iter().map(|name| format!("outcome {name}")))
        .chain(meddlings.iter().map(|name| format!("meddling {name}")))
        .chain(["import an account under a key".to_owned()]);
    let is_due = |what: &String| scenes >= 2_000 || !RARE.contains(&what.as_str());
    let missing: Vec<String> = wanted.filter(|what| is_due(what) && !met.contains_key(what)).collect();
    assert!(missing.is_empty(), "never came to pass: {missing:?}; did: {met:#?}");
}

/// Every refusal is met by a story, or there is a reason why none can.
#[test]
fn every_refusal_ends_a_story_or_is_said_to_be_out_of_reach() {
    let told: BTreeSet<&str> = all()
        .filter_map(|story| match story.end {
            End::Refuses(code) => Some(code),
            End::Converges | End::Asks(_) | End::Opens | End::Returns => None,
        })
        .collect();
    let unreached: BTreeSet<&str> = UNREACHED.iter().map(|(code, _)| *code).collect();
    let known: BTreeSet<&str> = codes::all().map(|code| code.id).filter(|id| id.starts_with("CMK2")).collect();
    assert_eq!(told.union(&unreached).copied().collect::<BTreeSet<_>>(), known);
    assert!(told.is_disjoint(&unreached));
}
