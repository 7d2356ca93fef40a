//! YAML: the only folder that knows the YAML crates.
//!
//! A text is scanned into a tree in which each value knows its place (`scan`), and the
//! parts of the tree are read into typed values (`read`). Two crates, because `serde_yaml`
//! stops at the first error, lets the last of two equal keys win in maps, takes `~` for
//! a name and knows few places; it does what it does well, which is turning one sound
//! piece of YAML into types.

mod read;
mod scan;
mod tree;

pub(super) use read::{Complaint, Mistake, flow, read, skeleton};
pub(super) use scan::scan;
pub(super) use tree::{Entry, Kind, Node};
