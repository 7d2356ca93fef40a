//! The proof of one spec: from every start, under every mishap, with a crash after every effect, and by chance.

use super::chance::Chance;
use super::clock::in_virtual_time;
use super::hand::Hand;
use super::line::Crash;
use super::meddle::Meddling;
use super::mishap::{Mishap, Script};
use super::stage::{How, Stage};
use super::start::{self, Drift};
use super::verdict::{Start, Verdict};
use crate::model::Desired;
use crate::sandbox::{Millis, Pace, Watch, World};

/// Proves a spec: plays it from every start with everything that can go wrong, and `seeds` scenes by chance.
///
/// Fails when the simulator cannot be set up, which says nothing about the spec.
pub fn prove(desired: &Desired, seeds: u64) -> Result<Verdict, String> {
    prove_watched(desired, seeds, &Watch::default())
}

/// The same, where somebody reads every exchange along.
pub fn prove_watched(desired: &Desired, seeds: u64, watch: &Watch) -> Result<Verdict, String> {
    let proof = async {
        let mut proof = Proof { desired, watch, verdict: Verdict::default() };
        let starts = proof.starts().await?;
        for (from, world, now) in &starts {
            proof.crashes(from, world, *now).await;
            proof.mishaps(from, world, *now).await;
        }
        for seed in 0..seeds {
            proof.by_chance(&starts, seed).await;
        }
        Ok(proof.verdict)
    };
    in_virtual_time(proof).map_err(|error| format!("the system gives no threads to work with: {error}"))?
}

/// A name, a world and its moment.
type Scenery = (String, World, Millis);

struct Proof<'a> {
    desired: &'a Desired,
    watch: &'a Watch,
    verdict: Verdict,
}

/// Azure's own pace. Tokens outlast a proof: they are renewed by the machine's clock, which does not jump.
fn pace() -> Pace {
    Pace { token_lifetime: 86_400_000, throttling: true, ..Pace::azure() }
}

impl Proof<'_> {
    /// The starts; each is played calmly once.
    async fn starts(&mut self) -> Result<Vec<Scenery>, String> {
        let (world, now) = start::empty(self.desired, pace(), self.watch)?;
        let (later, converged) = self.calm("nothing is there", world.clone(), now).await;
        let mut all = vec![("nothing is there".to_owned(), world, now)];
        let as_desired = "everything is as desired".to_owned();
        self.calm(&as_desired, converged.clone(), later).await;
        all.push((as_desired, converged.clone(), later));
        for drift in Drift::ALL {
            let mut world = converged.clone();
            let mut hand = Hand { world: &mut world, now: later };
            drift.happen(self.desired, &mut hand);
            hand.wait(1);
            let now = hand.now;
            self.calm(drift.in_words(), world.clone(), now).await;
            all.push((drift.in_words().to_owned(), world, now));
        }
        Ok(all)
    }

    /// One calm run and what follows; gives the world in the end.
    async fn calm(&mut self, from: &str, world: World, now: Millis) -> (Millis, World) {
        let stage = Stage::new(self.desired, world, now, Meddling::none());
        let first = stage.run(self.desired, &How::default()).await;
        let converges = stage.converges(self.desired).await;
        self.verdict.starts.push(Start {
            from: from.to_owned(),
            converges,
            requests: first.requests,
            effects: first.effects,
            took: first.took,
        });
        self.verdict.waited(&first.waits);
        stage.witness(|witness| self.verdict.take(|| format!("{from}: calm"), witness));
        stage.now()
    }

    /// A crash before and after every effect.
    ///
    /// A run keeps nothing but what it did to the world. So the runs that were cut off
    /// between two effects, wherever it was, all leave the same: the world after the first.
    async fn crashes(&mut self, from: &str, world: &World, now: Millis) {
        let stage = Stage::new(self.desired, world.clone(), now, Meddling::none());
        stage.run(self.desired, &How::default()).await;
        let past = stage.past();
        let step = past.len().div_ceil(CRASHES_MAX).max(1);
        for (at, (now, world)) in past.into_iter().enumerate().step_by(step) {
            let stage = Stage::new(self.desired, world, now, Meddling::none());
            stage.converges(self.desired).await;
            self.verdict.met("crash after an effect");
            stage.witness(|witness| self.verdict.take(|| format!("{from}: a crash after effect {at}"), witness));
        }
    }

    /// Every mishap at every request, where the runs are short; where they are long, a mishap at every request.
    async fn mishaps(&mut self, from: &str, world: &World, now: Millis) {
        let calm = self.verdict.starts.iter().find(|start| start.from == from).map_or(0, |start| start.requests);
        let kinds = u64::try_from(Mishap::ALL.len()).unwrap_or(1);
        let every = calm.clamp(SHARES_MIN, SHARES_MAX);
        let (every, rounds) = if calm <= SHORT_MAX { (every, kinds) } else { (SHARES_MIN, 1) };
        for round in 0..rounds {
            for share in 0..every {
                let script = Script::in_turn(every, share, round, calm <= SHORT_MAX, 2 * calm);
                let stage = Stage::new(self.desired, world.clone(), now, Meddling::none());
                let run = stage.run(self.desired, &How { script, ..How::default() }).await;
                self.verdict.waited(&run.waits);
                stage.converges(self.desired).await;
                let title = || format!("{from}: mishaps of round {round} at every {every}th request from {share}");
                stage.witness(|witness| self.verdict.take(title, witness));
            }
        }
    }

    /// A scene by chance: several mishaps, a crash, and somebody who meddles without harm.
    async fn by_chance(&mut self, starts: &[Scenery], seed: u64) {
        let mut chance = Chance::new(seed);
        let Some((from, world, now)) = chance.pick(starts) else { return };
        let calm = self.verdict.starts.iter().find(|start| start.from == *from).map_or(0, |start| start.requests);
        let meddling = Meddling::by_chance(&mut chance, self.desired, 1, calm, true);
        let script = Script::by_chance(&mut chance, calm);
        let at = 1 + chance.below(calm.max(1));
        let crash = [None, Some(Crash::Before(at)), Some(Crash::After(at))];
        let crash = chance.pick(&crash).copied().flatten();
        let stage = Stage::new(self.desired, world.clone(), *now, meddling);
        stage.run(self.desired, &How { script, crash, ..How::default() }).await;
        stage.converges(self.desired).await;
        stage.witness(|witness| self.verdict.take(|| format!("{from}: seed {seed}"), witness));
    }
}

/// Into how many shares the requests of a run are cut: more mishaps at once than a client would try through prove
/// only that it gives up.
const SHARES_MIN: u64 = 6;
const SHARES_MAX: u64 = 12;
/// The requests of a run that counts as short.
const SHORT_MAX: u64 = 40;
/// How many crashes are played from one start at most; of more effects, a share.
const CRASHES_MAX: usize = 24;

impl Verdict {
    fn met(&mut self, what: &str) {
        *self.met.entry(what.to_owned()).or_default() += 1;
    }
}
