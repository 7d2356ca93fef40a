//! The simulation: the planner and the executor under every fault, in virtual time.

mod covered;
mod live;
mod looks;
mod proofs;
mod random;
mod sabotage;
mod scenes;
mod small_worlds;
mod staircase;
mod stories;
mod stories_of_audits;
mod stories_of_identities;
mod stories_of_keys;
mod stories_of_own_keys;
mod stories_of_recovery;
pub(crate) mod worlds;

/// A number that whoever runs the tests has asked for: `CMK_SEEDS` scenes by chance, and everything that is otherwise
/// tried in part as a whole; `CMK_SEED` is the first of them.
#[expect(clippy::disallowed_methods, reason = "it is read by tests alone, and by nothing of the product")]
fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Whether everything is to be tried that can be, however long it takes.
fn thorough() -> bool {
    asked("CMK_SEEDS").is_some()
}
