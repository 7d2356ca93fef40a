//! What exists at one moment, thing by thing, for those who compare a world with an earlier one.
//!
//! A census that is taken since an earlier one shares with it whatever has not changed, so that
//! looking at a large world after each of many requests costs what the request changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::directory::{Directory, Subscription};
use super::truth::{self, Readability};
use super::world::State;
use super::{Millis, World};

/// Things of one kind as JSON, by name. What is in them is the sandbox's own and promises nothing.
pub type Things = BTreeMap<String, Arc<Value>>;

/// Everything that exists at a moment, and who can read what.
#[derive(Clone, Debug, Default)]
pub struct Census {
    state: State,
    things: BTreeMap<&'static str, Arc<Things>>,
    truths: BTreeMap<String, Arc<Readability>>,
}

impl PartialEq for Census {
    fn eq(&self, other: &Self) -> bool {
        self.state == other.state
    }
}

impl World {
    /// Everything that exists at a moment.
    pub fn census(&self, now: Millis) -> Census {
        self.census_since(now, &Census::default())
    }

    /// The same, sharing what has not changed since an earlier moment of the same world.
    pub fn census_since(&self, now: Millis, earlier: &Census) -> Census {
        let now = self.resources(now);
        let state = self.settled(now);
        let things = things(&state, earlier);
        let truths = truths(&state, now, earlier);
        Census { state, things, truths }
    }
}

impl Census {
    /// All things, by kind (`accounts`, `vaults`) and name.
    pub const fn things(&self) -> &BTreeMap<&'static str, Arc<Things>> {
        &self.things
    }

    /// A thing of a kind.
    pub fn thing(&self, kind: &str, name: &str) -> Option<&Arc<Value>> {
        self.things.get(kind)?.get(name)
    }

    /// Whether a thing is untouched since an earlier census.
    pub fn is_untouched(&self, earlier: &Self, kind: &str, name: &str) -> bool {
        match (self.thing(kind, name), earlier.thing(kind, name)) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }

    /// Whether all things of a kind are untouched since an earlier census.
    pub fn are_untouched(&self, earlier: &Self, kind: &str) -> bool {
        matches!((self.things.get(kind), earlier.things.get(kind)), (Some(all), Some(had)) if Arc::ptr_eq(all, had))
    }

    /// Whether every account can read its data, by name.
    pub const fn truths(&self) -> &BTreeMap<String, Arc<Readability>> {
        &self.truths
    }
}

fn things(state: &State, earlier: &Census) -> BTreeMap<&'static str, Arc<Things>> {
    let State {
        groups,
        accounts,
        vaults,
        deleted_vaults,
        identities,
        held_names,
        purges,
        unregistered,
        locks,
        policies,
        principals,
        assignments,
        directory,
    } = state;
    let had = &earlier.state;
    let known = |kind: &str| earlier.things.get(kind);
    let names = |all: &std::collections::BTreeSet<String>| all.iter().map(|name| (name.clone(), ())).collect();
    let (missing, were_missing) = (names(unregistered), names(&had.unregistered));
    BTreeMap::from([
        ("groups", of_kind(groups, &had.groups, known("groups"))),
        ("accounts", of_kind(accounts, &had.accounts, known("accounts"))),
        ("vaults", of_kind(vaults, &had.vaults, known("vaults"))),
        ("deleted_vaults", of_kind(deleted_vaults, &had.deleted_vaults, known("deleted_vaults"))),
        ("identities", of_kind(identities, &had.identities, known("identities"))),
        ("held_names", of_kind(held_names, &had.held_names, known("held_names"))),
        ("purges", of_kind(purges, &had.purges, known("purges"))),
        ("unregistered", of_kind(&missing, &were_missing, known("unregistered"))),
        ("locks", of_kind(locks, &had.locks, known("locks"))),
        ("policies", of_kind(&numbered(policies), &numbered(&had.policies), known("policies"))),
        ("subscriptions", of_kind(&by_id(directory), &by_id(&had.directory), known("subscriptions"))),
        ("principals", of_kind(principals, &had.principals, known("principals"))),
        ("assignments", of_kind(assignments, &had.assignments, known("assignments"))),
    ])
}

/// The subscriptions that there are.
fn by_id(directory: &Directory) -> BTreeMap<String, Subscription> {
    directory.subscriptions.iter().map(|subscription| (subscription.id.clone(), subscription.clone())).collect()
}

/// A list by its places.
fn numbered<T: Clone>(all: &[T]) -> BTreeMap<String, T> {
    all.iter().enumerate().map(|(at, one)| (at.to_string(), one.clone())).collect()
}

fn of_kind<T: Serialize + PartialEq>(
    now: &BTreeMap<String, T>,
    then: &BTreeMap<String, T>,
    known: Option<&Arc<Things>>,
) -> Arc<Things> {
    match known {
        Some(known) if now == then => known.clone(),
        known => {
            let same = |name: &String, thing: &T| {
                let untouched = then.get(name).is_some_and(|earlier| earlier == thing);
                known.filter(|_| untouched).and_then(|known| known.get(name)).cloned()
            };
            let written = |thing: &T| Arc::new(serde_json::to_value(thing).unwrap_or_default());
            let each =
                now.iter().map(|(name, thing)| (name.clone(), same(name, thing).unwrap_or_else(|| written(thing))));
            Arc::new(each.collect())
        }
    }
}

fn truths(state: &State, now: Millis, earlier: &Census) -> BTreeMap<String, Arc<Readability>> {
    let same_identities = state.identities == earlier.state.identities;
    let truth = |name: &String| {
        let known = earlier.truths.get(name).filter(|known| known.readable && same_identities);
        let known = known.filter(|_| stays_readable(state, &earlier.state, name));
        known.cloned().unwrap_or_else(|| Arc::new(truth::readability(state, now, name)))
    };
    state.accounts.keys().map(|name| (name.clone(), truth(name))).collect()
}

/// Whether an account that could read its data still can, because neither it nor its vault has been touched: time
/// alone only lets grants arrive and names resolve. Role assignments are elsewhere, so with them this says no.
fn stays_readable(state: &State, earlier: &State, name: &str) -> bool {
    let Some(account) = state.accounts.get(name) else { return false };
    if earlier.accounts.get(name) != Some(account) {
        return false;
    }
    let Some(binding) = &account.encryption.binding else { return true };
    let host = binding.host();
    match (state.vault_at(&host), earlier.vault_at(&host)) {
        (Some(vault), Some(had)) => !vault.uses_rbac() && std::ptr::eq(vault, had),
        _ => false,
    }
}
