//! (Plan, Azure) -> Outcome: the only writer.

mod event;

pub use event::{Event, Outcome, StepOutcome};
