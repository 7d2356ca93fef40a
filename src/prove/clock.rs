//! Time that passes as fast as it can be computed.
//!
//! Tokio's own paused clock, not one of ours: every wait of the product is on tokio's
//! clock already, so what is proved is the very code that ships, and no clock has to
//! be handed through it. When every task waits, the clock jumps to the next deadline.

use crate::sandbox::{Clock, Millis};
use std::io;
use std::sync::Arc;

/// 2026-01-01, when every proof begins.
pub const BEGINNING: Millis = Millis(1_767_225_600_000);

/// Runs a task in virtual time, on this thread alone.
pub fn in_virtual_time<F: Future>(task: F) -> io::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    Ok(runtime.block_on(task))
}

/// A clock that begins at a moment and goes with tokio's.
pub(super) fn from(start: Millis) -> Clock {
    let began = tokio::time::Instant::now();
    Arc::new(move || start.plus(i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX)))
}
