//! Values -> text. Pure: nothing here writes, reads a clock or knows a terminal.

mod document;
pub mod evidence;
pub mod human;
pub mod json;
pub mod markdown;
pub mod outcome;
pub mod progress;
pub mod requests;
mod sheet;
pub mod status;
mod status_page;
pub mod story;
pub mod text;
pub mod users;
pub mod verdict;
pub mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

/// The program and its version, as documents name it.
pub const TOOL: &str = concat!("cmk ", env!("CARGO_PKG_VERSION"));

/// Where a plan was made: which cloud, and whether it was one to practise on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scene {
    /// The cloud's name: `public`, `sandbox`.
    pub cloud: String,
    /// The file that holds the sandbox's state, when the cloud is the sandbox.
    pub sandbox_file: Option<String>,
}

/// The requests that left the program, for people and for documents.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Requests by service and method: `arm`, `GET`.
    pub requests: BTreeMap<String, BTreeMap<String, u64>>,
    /// Requests that could change the world, whatever their method.
    pub writes_sent: u64,
    /// Those of them that Azure accepted.
    pub writes_succeeded: u64,
    /// Requests that repeated an earlier one.
    pub retries: u64,
    /// Every wait for an effect: until what, and for how long.
    pub waits: Vec<(String, Duration)>,
}
