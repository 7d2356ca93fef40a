//! `cmk completions`: scripts that let a shell complete the command line.

use super::arguments::Arguments;
use super::context::Context;
use super::exit::{Exit, Trouble};
use clap::CommandFactory;

/// Prints the script for a shell.
pub(super) fn run(context: &mut Context, shell: clap_complete::Shell) -> Result<Exit, Trouble> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "cmk", &mut script);
    context.output.document(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Good)
}
