//! Scenes by chance, as many as wanted: `CMK_SEEDS=20000 cargo test --release simulation`.

use super::scenes::{Scene, scene};
use cmk::prove::{How, Mishap};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How many seeds are tried: `CMK_SEEDS`, else what an ordinary test run has time for.
fn seeds() -> u64 {
    super::asked("CMK_SEEDS").unwrap_or(200)
}

/// The first seed: to go on where a run ended, or to look at one.
fn first_seed() -> u64 {
    super::asked("CMK_SEED").unwrap_or(0)
}

#[test]
fn whatever_goes_wrong_nothing_is_broken_and_in_the_end_all_is_as_desired() {
    let mut met: BTreeMap<String, u64> = BTreeMap::new();
    let mut failures = String::new();
    let mut failed = 0;
    for seed in first_seed()..first_seed() + seeds() {
        let scene = scene(seed);
        let seen = scene.play(&How::default());
        for (what, times) in &seen.met {
            *met.entry(what.clone()).or_default() += times;
        }
        if !seen.breaches.is_empty() {
            failed += 1;
            if failed <= 5 {
                tell(&scene, &mut failures);
            }
        }
    }
    assert!(failed == 0, "{failed} of {} seeds failed\n{failures}", seeds());
    if seeds() >= 200 {
        assert_covered(&met);
    }
}

/// Shrinks a scene that failed, saves it and says where.
fn tell(scene: &Scene, failures: &mut String) {
    let less = scene.shrunk(&How::default());
    let seen = less.play(&How::default());
    let folder = less.save(&seen);
    let first = seen.breaches.first().or(None);
    let what = first.map_or_else(String::new, |breach| format!("{} {} ({})", breach.invariant, breach.what, breach.by));
    let _ = writeln!(failures, "seed {}: {what}\n    {}", scene.seed, folder.display());
}

/// What never came to pass was not proved.
fn assert_covered(met: &BTreeMap<String, u64>) {
    let actions = [
        "createGroup",
        "createVault",
        "protectVault",
        "createKey",
        "createAccount",
        "attachIdentity",
        "grant",
        "setEncryption",
    ];
    let outcomes = ["already", "done", "blocked", "failed", "skipped"];
    let wanted = actions
        .iter()
        .map(|name| format!("action {name}"))
        .chain(Mishap::ALL.iter().map(|mishap| format!("mishap {}", mishap.name())))
        .chain(outcomes.iter().map(|name| format!("outcome {name}")));
    let missing: Vec<String> = wanted.filter(|what| !met.contains_key(what)).collect();
    assert!(missing.is_empty(), "never came to pass: {missing:?}; did: {met:#?}");
}

#[test]
fn the_same_seed_gives_the_same_log_byte_for_byte() {
    for seed in 0..12 {
        let one = scene(seed).play(&How::default()).log;
        let other = scene(seed).play(&How::default()).log;
        assert_eq!(one, other, "seed {seed}");
    }
}
