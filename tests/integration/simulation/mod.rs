//! The simulation: the planner and the executor under every fault, in virtual time.

mod proofs;
mod random;
mod sabotage;
mod scenes;
mod small_worlds;
mod stories;
mod worlds;
