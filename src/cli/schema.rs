//! `cmk schema`: the JSON schema of specs.

use super::context::Context;
use super::exit::{Exit, Trouble};
use crate::spec;

/// Prints the schema, byte for byte the file that is kept in the documentation.
pub(super) fn run(context: &mut Context) -> Result<Exit, Trouble> {
    let schema = spec::schema();
    context.output.document(&format!("{schema:#}\n"))?;
    Ok(Exit::Good)
}
