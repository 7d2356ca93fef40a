//! Text -> `Desired`: the spec language; and the small language of the guards that bound it.
//!
//! `parse` reads what is written and `resolve` makes of it what should be true. Both
//! report every problem at once, each with its place. Neither reads a file nor asks Azure.

mod complaints;
mod edit;
mod emit;
mod fields;
mod guard;
mod parse;
mod resolve;
mod schema;
mod shown;
pub mod types;
mod yaml;

pub use edit::Edit;
pub use emit::emit;
pub use guard::load_guard;
pub use parse::{READ_LIMIT_BYTES, Spec, parse};
pub use resolve::resolve;
pub use schema::{guard_schema, schema};

use crate::diag::{Diagnostics, Source};
use crate::model::Desired;

/// Reads a spec and resolves it. What is desired comes back only when there is no error at all.
pub fn load(source: &Source) -> (Option<Desired>, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let spec = parse::whole(source, &mut diagnostics);
    let (desired, more) = spec.as_ref().map_or_else(Default::default, resolve);
    diagnostics.extend(more);
    parse::limit(&mut diagnostics);
    (desired.filter(|_| !diagnostics.has_errors()), diagnostics)
}
