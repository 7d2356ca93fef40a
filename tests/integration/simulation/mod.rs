//! The simulation: the planner and the executor under every fault, in virtual time.

mod stories;
mod worlds;
