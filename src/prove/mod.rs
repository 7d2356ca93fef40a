//! The user's own spec under every fault, in the sandbox: the machine that proves the planner and the executor.
//!
//! Runs the product's real code in virtual time against the sandbox, makes things go
//! wrong on the way, cuts runs off, lets others meddle, and has a witness hold every
//! effect against what must never happen. Changes nothing outside this process, reads
//! no clock and rolls no dice but those of a seed.
//!
//! Reading order: [`witness`] says what must hold; `stage`, `line` and `mishap` make things go wrong.

mod chance;
mod clock;
mod custody;
mod first;
mod ground;
mod hand;
mod line;
mod live;
mod meddle;
mod mishap;
mod proof;
mod run;
mod side_by_side;
mod stage;
mod stand_in;
mod start;
mod told;
mod verdict;
pub mod witness;

pub use chance::Chance;
pub use clock::{BEGINNING, in_virtual_time};
pub use first::{First, first};
pub use ground::Past;
pub use hand::{Hand, OTHERS};
pub use line::Crash;
pub use live::{Live, like};
pub use meddle::{Act, Meddling, acts};
pub use mishap::{Mishap, Script};
pub use proof::{Extent, pace, prove, prove_watched};
pub use run::{AGREEABLE, Alter, Ended, How, Run, Wrap};
pub use stage::Stage;
pub use stand_in::with_stand_ins;
pub use start::Drift;
pub use told::{as_json, as_text};
pub use verdict::{Failed, Guarded, Start, Tried, Verdict};
pub use witness::Breach;
