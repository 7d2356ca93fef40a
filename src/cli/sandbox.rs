//! `cmk sandbox`: looks after the Azure to practise on.

use super::arguments::SandboxCommand;
use super::context::Context;
use super::exit::{Exit, Trouble};
use crate::sandbox::Sandbox;

/// Forgets the sandbox's state. To forget what is not there is done already.
pub(super) fn run(context: &mut Context, command: &SandboxCommand) -> Result<Exit, Trouble> {
    match command {
        SandboxCommand::Reset => {
            let file = context.sandbox_file();
            let was_there = Sandbox::reset(&file).map_err(|error| Trouble::new(error.to_string()))?;
            let what = if was_there { "Forgot the sandbox in" } else { "There is no sandbox in" };
            context.output.stderr.remark(&format!("{what} {}\n", file.display()));
            Ok(Exit::Good)
        }
    }
}
