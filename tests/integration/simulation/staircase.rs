//! The staircase of a rotation, over months: a new version, everybody on it, the old one disabled. With a crash at every
//! request of every stair, and with somebody who rotates too.

use super::worlds::{desired, pace, world};
use cmk::prove::{Crash, Ended, How, Meddling, Stage, in_virtual_time};
use serde_json::Value;
use std::fmt::Write as _;
use std::time::Duration;

const DAY_SECONDS: u64 = 86_400;

/// The days on which cmk is run, from the beginning on.
const RUNS: [u64; 11] = [1, 50, 89, 91, 92, 93, 98, 99, 100, 101, 150];

/// One account is pinned and one follows; a third is of others, who move it when they have seen to it.
const SPEC: &str = "
vaults: { kv1: { keys: { main: { maxAge: P90D, retireOldVersions: P7D } } } }
accounts:
  st1: { identity: systemAssigned, encryption: { key: kv1/main } }
  st2: { identity: systemAssigned, encryption: { key: kv1/main, version: auto } }
";

const WORLD: &str = "
group
vault kv1
key kv1/main
account st1 identity
grant st1 kv1
bound st1 kv1/main
account st2 identity
grant st2 kv1
bound st2 kv1/main auto
account st9 identity
grant st9 kv1
bound st9 kv1/main
";

/// What somebody else does before the run of a day.
#[derive(Clone, Copy)]
enum Others {
    Nothing,
    /// They follow two days after our new version.
    Follow,
    /// They rotate by themselves on this day, and follow.
    Rotate(u64),
}

/// What came of it: which days wrote something, with how many requests, and the versions in the end.
struct Came {
    stairs: Vec<(usize, u64)>,
    versions: Vec<Value>,
    told: String,
    breaches: String,
}

/// Runs on every one of the days; on one of them, a crash comes first.
async fn months(others: Others, crash: Option<(usize, Crash)>) -> Came {
    let wanted = desired(SPEC);
    let (world, start) = world(WORLD, pace());
    let stage = Stage::new(&wanted, world, start, Meddling::none());
    let mut came = Came { stairs: vec![], versions: vec![], told: String::new(), breaches: String::new() };
    let mut today = 0;
    for (at, day) in RUNS.into_iter().enumerate() {
        tokio::time::sleep(Duration::from_secs((day - today) * DAY_SECONDS)).await;
        today = day;
        meddle(&stage, others, day);
        if let Some((_, crash)) = crash.filter(|(of, _)| *of == at) {
            stage.run(&wanted, &How { crash: Some(crash), ..How::default() }).await;
        }
        let run = stage.run(&wanted, &How::default()).await;
        let Ended::Applied(plan, outcome) = &run.ended else { unreachable!("nothing goes wrong: {}", run.ended) };
        assert!(run.ended.is_good(), "day {day}: {} {outcome:?}", run.ended);
        if run.effects > 0 {
            came.stairs.push((at, run.requests));
        }
        let notes: Vec<String> = plan.notes.iter().map(|note| format!("{}: {}", note.resource, note.text)).collect();
        writeln!(came.told, "day {day}: {}", notes.join("; ")).expect("a text takes it");
    }
    let key = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv1/keys/main";
    let listed = stage.by_hand(|hand| hand.arm("GET", &format!("{key}/versions"), &Value::Null).1);
    came.versions = listed["value"].as_array().cloned().unwrap_or_default();
    came.versions.sort_by_key(|version| version["properties"]["attributes"]["created"].as_i64());
    came.breaches =
        stage.witness(|witness| if witness.breaches().is_empty() { String::new() } else { witness.log().join("\n") });
    came
}

fn meddle(stage: &Stage, others: Others, day: u64) {
    let follows = match others {
        Others::Nothing => false,
        Others::Follow | Others::Rotate(_) => day == 93,
    };
    stage.by_hand(|hand| {
        if matches!(others, Others::Rotate(on) if on == day) {
            assert_eq!(hand.rotate("kv1", "main"), 200);
        }
        if follows {
            let account = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st9";
            // Without a version: from now on they follow the newest.
            assert_eq!(hand.bind(account, Some(("kv1", "main", ""))), 200);
        }
    });
}

fn enabled(came: &Came) -> Vec<bool> {
    came.versions.iter().map(|version| version["properties"]["attributes"]["enabled"] == true).collect()
}

fn days(came: &Came) -> Vec<u64> {
    came.stairs.iter().map(|(at, _)| RUNS[*at]).collect()
}

#[test]
fn the_whole_staircase_over_months_with_a_crash_at_every_stair() {
    in_virtual_time(async {
        let calm = months(Others::Follow, None).await;
        assert_eq!(calm.breaches, "");
        // A version on day 91; the account of others follows on day 93, and a week later the old version goes.
        assert_eq!((days(&calm), enabled(&calm)), (vec![91, 100], vec![false, true]), "{}", calm.told);
        assert!(calm.told.contains("account st9 is still under it"), "{}", calm.told);
        assert!(calm.told.contains("it waits until"), "{}", calm.told);
        for (at, requests) in calm.stairs {
            for number in 1..=requests {
                for crash in [Crash::Before(number), Crash::After(number)] {
                    let came = months(Others::Follow, Some((at, crash))).await;
                    assert_eq!(came.breaches, "", "{crash:?}");
                    assert_eq!(enabled(&came), [false, true], "{crash:?} on day {}: {}", RUNS[at], came.told);
                }
            }
        }
    })
    .unwrap();
}

#[test]
fn an_old_version_stays_as_long_as_somebody_of_others_needs_it() {
    in_virtual_time(async {
        let came = months(Others::Nothing, None).await;
        assert_eq!(came.breaches, "");
        assert_eq!((days(&came), enabled(&came)), (vec![91], vec![true, true]), "{}", came.told);
    })
    .unwrap();
}

#[test]
fn a_bystander_who_rotates_too_is_taken_into_account() {
    in_virtual_time(async {
        // On day 50, so that nothing is due on day 91: the pinned account moves on day 50, and what is due is due on day 140.
        let early = months(Others::Rotate(50), None).await;
        assert_eq!(early.breaches, "");
        assert_eq!(days(&early), [50, 100, 150], "{}", early.told);
        assert_eq!(enabled(&early), [false, true, true], "{}", early.told);
        // On day 91, in the hour in which ours was due: theirs is new enough, and no second one is made.
        let same_day = months(Others::Rotate(91), None).await;
        assert_eq!(same_day.breaches, "");
        assert_eq!((days(&same_day), enabled(&same_day)), (vec![91, 100], vec![false, true]), "{}", same_day.told);
    })
    .unwrap();
}
