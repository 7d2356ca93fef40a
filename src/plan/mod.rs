//! (Desired, Observed) -> Plan. Pure and total.

mod types;

pub use types::{Action, BlindSpot, Change, Note, Plan, Refusal, Risk, Step, StepId, Wait};
