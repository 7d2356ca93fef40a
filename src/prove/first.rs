//! The first plan of a spec, from a world in which nothing is there but what the spec expects to find: for whoever has
//! something to hold against it and no Azure to ask.

use super::clock::in_virtual_time;
use super::meddle::Meddling;
use super::proof::pace;
use super::stage::Stage;
use super::stand_in::with_stand_ins;
use super::start;
use crate::model::{Desired, KeyRef, Observed, Seen};
use crate::plan::Plan;
use crate::sandbox::Watch;

/// A first plan.
#[derive(Debug, Clone)]
pub struct First {
    /// The plan.
    pub plan: Plan,
    /// What it was made from, without what the simulator invented of keys: those count as absent.
    pub observed: Observed,
    /// The keys that the spec expects to find. Their types and sizes in Azure nobody knows here.
    pub invented: Vec<KeyRef>,
}

/// Plans a spec where nothing is there. Fails when the simulator cannot be set up, which says nothing about the spec.
pub fn first(desired: &Desired) -> Result<First, String> {
    let desired = &with_stand_ins(desired);
    let planned = in_virtual_time(async {
        let (world, now) = start::empty(desired, pace(), &Watch::default())?;
        let stage = Stage::new(desired, world, now, Meddling::none());
        stage.look(desired).await.map_err(|failure| failure.to_string())
    });
    let (mut observed, plan) =
        planned.map_err(|error| format!("the system gives no threads to work with: {error}"))??;
    let mut invented = vec![];
    for (key, seen) in observed.keys.iter_mut().filter(|(_, seen)| seen.known().is_some()) {
        *seen = Seen::Absent;
        invented.push(key.clone());
    }
    Ok(First { plan, observed, invented })
}
