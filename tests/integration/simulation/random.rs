//! Scenes by chance, as many as wanted: `CMK_SEEDS=20000 cargo test --profile simulation simulation`.

use super::scenes::{Scene, scene};
use cmk::prove::How;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// How many seeds are tried: `CMK_SEEDS`, else what an ordinary test run has time for.
fn seeds() -> u64 {
    super::asked("CMK_SEEDS").unwrap_or(240)
}

/// The first seed: to go on where a run ended, or to look at one.
fn first_seed() -> u64 {
    super::asked("CMK_SEED").unwrap_or(0)
}

#[test]
#[expect(clippy::print_stdout, reason = "a long run says how much it was: shown with `--show-output`")]
fn whatever_goes_wrong_nothing_is_broken_and_in_the_end_all_is_as_desired() {
    let next = AtomicU64::new(first_seed());
    let end = first_seed() + seeds();
    let mut all = Played::default();
    // A thread for each core, when there are many seeds; else the other tests have the other cores.
    let threads = if super::thorough() { thread::available_parallelism().map_or(1, NonZero::get) } else { 1 };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| play(&next, end))).collect();
        for worker in workers {
            all.absorb(worker.join().expect("a scene ends"));
        }
    });
    let told: Vec<&str> = all.failures.iter().take(5).map(|(_, told)| told.as_str()).collect();
    assert!(all.failures.is_empty(), "{} of {} seeds failed\n{}", all.failures.len(), seeds(), told.join("\n"));
    println!("{} seeds from {} on: nothing was broken", seeds(), first_seed());
    if seeds() >= 200 {
        super::covered::assert_by_chance(&all.met, seeds());
    }
}

/// What came of some seeds.
#[derive(Default)]
struct Played {
    met: BTreeMap<String, u64>,
    failures: BTreeMap<u64, String>,
}

impl Played {
    fn absorb(&mut self, other: Self) {
        for (what, times) in other.met {
            *self.met.entry(what).or_default() += times;
        }
        self.failures.extend(other.failures);
    }
}

/// Plays seeds until there are no more.
fn play(next: &AtomicU64, end: u64) -> Played {
    let mut played = Played::default();
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return played;
        }
        let scene = scene(seed);
        let came = scene.play(&How::default());
        for (what, times) in came.met {
            *played.met.entry(what).or_default() += times;
        }
        if !came.breaches.is_empty() {
            // To make a failure smaller takes long: of many failures, some are.
            let told = if played.failures.len() < 5 { tell(&scene) } else { String::new() };
            played.failures.insert(seed, told);
        }
    }
}

/// Shrinks a scene that failed, saves it and says where.
fn tell(scene: &Scene) -> String {
    let less = scene.shrunk(&How::default());
    let seen = less.play(&How::default());
    let folder = less.save(&seen);
    let first = seen.breaches.first().or(None);
    let what = first.map_or_else(String::new, |breach| format!("{} {} ({})", breach.invariant, breach.what, breach.by));
    format!("seed {}: {what}\n    {}", scene.seed, folder.display())
}

#[test]
fn the_same_seed_gives_the_same_log_byte_for_byte() {
    for seed in 0..12 {
        let one = scene(seed).play(&How::default()).log;
        let other = scene(seed).play(&How::default()).log;
        assert_eq!(one, other, "seed {seed}");
    }
}
