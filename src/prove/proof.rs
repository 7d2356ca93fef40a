//! The proof of one spec: from every start, under every mishap, with a crash after every effect, and by chance.

use super::chance::Chance;
use super::clock::in_virtual_time;
use super::ground::Past;
use super::hand::Hand;
use super::line::Crash;
use super::live::Live;
use super::meddle::Meddling;
use super::mishap::{Mishap, Script};
use super::run::How;
use super::side_by_side::side_by_side;
use super::stage::Stage;
use super::stand_in::with_stand_ins;
use super::start::{self, Drift};
use super::verdict::{Start, Tried, Verdict};
use crate::model::Desired;
use crate::sandbox::{Millis, Pace, Watch, World};
use std::collections::BTreeMap;

/// How much is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// How many scenes by chance.
    pub seeds: u64,
    /// Whether every crash and every mishap at every request is tried, however long the spec.
    pub is_exhaustive: bool,
}

/// Proves a spec: plays it from every start with everything that can go wrong, and scenes by chance. The first start is
/// a world like the one that was seen, if there is one, else one in which nothing is there.
///
/// Fails when the simulator cannot be set up, which says nothing about the spec.
pub fn prove(desired: &Desired, extent: Extent, live: Option<Live>) -> Result<Verdict, String> {
    prove_watched(desired, extent, live, &Watch::default())
}

/// The same, where somebody reads every exchange along.
pub fn prove_watched(desired: &Desired, extent: Extent, live: Option<Live>, watch: &Watch) -> Result<Verdict, String> {
    let desired = &with_stand_ins(desired);
    let no_time = |error| format!("the system gives no threads to work with: {error}");
    let (mut verdict, starts) = in_virtual_time(starts(desired, live, watch)).map_err(no_time)??;
    let calm: BTreeMap<String, u64> = verdict.starts.iter().map(|start| (start.from.clone(), start.requests)).collect();
    let starts: Vec<Scenery> = starts
        .into_iter()
        .map(|(from, world, now, past)| Scenery {
            requests: calm.get(&from).copied().unwrap_or(0),
            from,
            world,
            now,
            past,
        })
        .collect();
    let mut scenes = vec![];
    for from in &starts {
        let crashes = crashes(from, extent.is_exhaustive);
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        verdict.crashes.add(Tried { tried: count(crashes.len()), of: count(from.past.len()) });
        scenes.extend(crashes);
        let (mishaps, tried) = mishaps(from, extent.is_exhaustive);
        verdict.mishaps.add(tried);
        scenes.extend(mishaps);
    }
    scenes.extend((0..extent.seeds).map(|seed| Scene::ByChance { starts: &starts, seed }));
    let played = side_by_side(&scenes, |scene| in_virtual_time(scene.play(desired)));
    for of_scene in played {
        verdict.absorb(of_scene.map_err(no_time)?);
    }
    Ok(verdict)
}

/// A world that the proof starts from.
struct Scenery {
    from: String,
    world: World,
    now: Millis,
    /// What a calm run makes of it, effect by effect.
    past: Vec<Past>,
    /// How many requests a calm run sends.
    requests: u64,
}

/// One scene. They share nothing, so that they may be played in any order and side by side.
enum Scene<'a> {
    /// A run was cut off and left this.
    AfterCrash { from: &'a Scenery, effect: usize },
    /// These mishaps from there.
    Mishaps { from: &'a Scenery, script: Script, title: String },
    /// Several mishaps, a crash, and somebody who meddles without harm.
    ByChance { starts: &'a [Scenery], seed: u64 },
}

/// Azure's own pace. Tokens outlast a proof: they are renewed by the machine's clock, which does not jump.
pub fn pace() -> Pace {
    Pace { token_lifetime: 86_400_000, throttling: true, ..Pace::azure() }
}

type Calm = (String, World, Millis, Vec<Past>);

/// The starts; each is played calmly once.
async fn starts(desired: &Desired, live: Option<Live>, watch: &Watch) -> Result<(Verdict, Vec<Calm>), String> {
    let mut verdict = Verdict::default();
    let (from, world, now) = if let Some(Live { world, now, limits }) = live {
        verdict.limits = Some(limits);
        ("what was seen in Azure", world, now)
    } else {
        let (world, now) = start::empty(desired, pace(), watch)?;
        ("nothing is there", world, now)
    };
    let mut all = vec![];
    let (later, converged) = calm(desired, &mut verdict, &mut all, from, world, now).await;
    calm(desired, &mut verdict, &mut all, "everything is as desired", converged.clone(), later).await;
    for drift in Drift::ALL.into_iter().filter(|drift| drift.concerns(desired)) {
        let mut world = converged.clone();
        let mut hand = Hand { world: &mut world, now: later };
        drift.happen(desired, &mut hand);
        hand.wait(1);
        let now = hand.now;
        calm(desired, &mut verdict, &mut all, drift.in_words(), world, now).await;
    }
    Ok((verdict, all))
}

/// One calm run and what follows; gives the world in the end.
async fn calm(
    desired: &Desired,
    verdict: &mut Verdict,
    all: &mut Vec<Calm>,
    from: &str,
    world: World,
    now: Millis,
) -> (Millis, World) {
    let stage = Stage::new(desired, world.clone(), now, Meddling::none());
    let first = stage.run(desired, &How::default()).await;
    let past = stage.past();
    let converges = stage.converges(desired).await;
    stage.imports(desired, converges).await;
    verdict.starts.push(Start {
        from: from.to_owned(),
        converges,
        requests: first.requests,
        effects: first.effects,
        took: first.took,
    });
    verdict.waited(&first.waits);
    verdict.take(|| format!("{from}: calm"), &stage);
    all.push((from.to_owned(), world, now, past));
    stage.now()
}

/// The crashes after effects, and before the first.
///
/// A run keeps nothing but what it did to the world. So the runs that were cut off
/// between two effects, wherever it was, all leave the same: the world after the first.
fn crashes(from: &Scenery, is_exhaustive: bool) -> Vec<Scene<'_>> {
    let chosen = if is_exhaustive { (0..from.past.len()).collect() } else { spread(&from.past) };
    chosen.into_iter().map(|effect| Scene::AfterCrash { from, effect }).collect()
}

/// A share of the effects in which every kind of request has its first and its last, and the rest is spread evenly.
fn spread(past: &[Past]) -> Vec<usize> {
    let mut of_kind: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (at, effect) in past.iter().enumerate() {
        of_kind.entry(&effect.by).and_modify(|(_, last)| *last = at).or_insert((at, at));
    }
    let ends = of_kind.values().flat_map(|(first, last)| [*first, *last]);
    let step = past.len().div_ceil(CRASHES_MAX).max(1);
    let chosen: std::collections::BTreeSet<usize> = ends.chain((0..past.len()).step_by(step)).collect();
    chosen.into_iter().collect()
}

/// Every mishap at every request, where the runs are short; where they are long, a mishap at every request, of each
/// kind in turn.
fn mishaps(from: &Scenery, is_exhaustive: bool) -> (Vec<Scene<'_>>, Tried) {
    let kinds = u64::try_from(Mishap::ALL.len()).unwrap_or(1);
    let whole = is_exhaustive || from.requests <= SHORT_MAX;
    let every = if whole { from.requests.clamp(SHARES_MIN, SHARES_MAX) } else { SHARES_MIN };
    let rounds = if whole { kinds } else { 1 };
    let mut scenes = vec![];
    let mut tried = Tried { tried: 0, of: from.requests * kinds };
    for round in 0..rounds {
        for share in 0..every {
            let script = Script::in_turn(every, share, round, whole, 2 * from.requests);
            let met = script.mishaps.keys().filter(|number| **number <= from.requests).count();
            tried.tried += u64::try_from(met).unwrap_or(0);
            let title = format!("{}: mishaps of round {round} at every {every}th request from {share}", from.from);
            scenes.push(Scene::Mishaps { from, script, title });
        }
    }
    (scenes, tried)
}

impl Scene<'_> {
    /// Plays it; gives what was seen.
    async fn play(&self, desired: &Desired) -> Verdict {
        match self {
            Self::AfterCrash { from, effect } => after_crash(desired, from, *effect).await,
            Self::Mishaps { from, script, title } => with_mishaps(desired, from, script, title).await,
            Self::ByChance { starts, seed } => by_chance(desired, starts, *seed).await,
        }
    }
}

async fn after_crash(desired: &Desired, from: &Scenery, effect: usize) -> Verdict {
    let mut verdict = Verdict::default();
    let Past { at, world, by: _ } = &from.past[effect];
    let stage = Stage::new(desired, world.clone(), *at, Meddling::none());
    stage.converges(desired).await;
    verdict.met("crash after an effect");
    verdict.take(|| format!("{}: a crash after effect {effect}", from.from), &stage);
    verdict
}

async fn with_mishaps(desired: &Desired, from: &Scenery, script: &Script, title: &str) -> Verdict {
    let mut verdict = Verdict::default();
    let stage = Stage::new(desired, from.world.clone(), from.now, Meddling::none());
    let run = stage.run(desired, &How { script: script.clone(), ..How::default() }).await;
    verdict.waited(&run.waits);
    stage.converges(desired).await;
    verdict.take(|| title.to_owned(), &stage);
    verdict
}

async fn by_chance(desired: &Desired, starts: &[Scenery], seed: u64) -> Verdict {
    let mut verdict = Verdict::default();
    let mut chance = Chance::new(seed);
    let Some(Scenery { from, world, now, requests: calm, past: _ }) = chance.pick(starts) else { return verdict };
    let meddling = Meddling::by_chance(&mut chance, desired, 1, *calm, true);
    let script = Script::by_chance(&mut chance, *calm);
    let at = 1 + chance.below((*calm).max(1));
    let crash = [None, Some(Crash::Before(at)), Some(Crash::After(at))];
    let crash = chance.pick(&crash).copied().flatten();
    let stage = Stage::new(desired, world.clone(), *now, meddling);
    stage.run(desired, &How { script, crash, ..How::default() }).await;
    let converges = stage.converges(desired).await;
    stage.imports(desired, converges).await;
    verdict.take(|| format!("{from}: seed {seed}"), &stage);
    verdict
}

/// Into how many shares the requests of a run are cut: more mishaps at once than a client would try through prove
/// only that it gives up.
const SHARES_MIN: u64 = 6;
const SHARES_MAX: u64 = 12;
/// The requests of a run that counts as short.
const SHORT_MAX: u64 = 40;
/// About how many crashes are played from one start; of more effects, a share.
const CRASHES_MAX: usize = 12;

impl Verdict {
    fn met(&mut self, what: &str) {
        *self.met.entry(what.to_owned()).or_default() += 1;
    }
}
