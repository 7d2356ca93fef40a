//! `cmk schema`: the JSON schemas of specs and of guards.

use super::context::Context;
use super::exit::{Exit, Trouble};
use crate::spec;

/// Prints the schema, byte for byte the file that is kept in the documentation.
pub(super) fn run(context: &mut Context, of_guards: bool) -> Result<Exit, Trouble> {
    let schema = if of_guards { spec::guard_schema() } else { spec::schema() };
    context.output.document(&format!("{schema:#}\n"))?;
    Ok(Exit::Good)
}
