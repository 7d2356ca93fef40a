//! `cmk sandbox`: serves the Azure to practise on, looks at it, moves its clock, forgets it.

mod advance;
pub(super) mod arguments;
mod control;
mod env;
mod serve;
mod show;

use super::context::Context;
use super::exit::{Exit, Trouble};
use crate::sandbox::Sandbox;
use arguments::{SandboxCommand, Where};
use std::path::PathBuf;

/// Does what was asked for with the sandbox itself.
pub(super) fn run(context: &mut Context, command: SandboxCommand) -> Result<Exit, Trouble> {
    match command {
        SandboxCommand::Serve(arguments) => serve::run(context, &arguments),
        SandboxCommand::Env(place) => env::run(context, &place),
        SandboxCommand::Show { place, format } => show::run(context, &place, format),
        SandboxCommand::Advance { duration, place } => advance::run(context, &duration, &place),
        SandboxCommand::Reset => reset(context),
    }
}

/// Forgets the sandbox's state. To forget what is not there is done already.
fn reset(context: &mut Context) -> Result<Exit, Trouble> {
    let file = context.sandbox_file();
    let was_there = Sandbox::reset(&file).map_err(told)?;
    let what = if was_there { "Forgot the sandbox in" } else { "There is no sandbox in" };
    context.output.stderr.remark(&format!("{what} {}\n", file.display()));
    Ok(Exit::Good)
}

/// The file with the state that is meant.
fn state(context: &Context, place: &Where) -> PathBuf {
    place.state.clone().unwrap_or_else(|| context.sandbox_file())
}

/// The folder that a server of that state has.
fn folder(context: &Context, place: &Where) -> PathBuf {
    place.tls_dir.clone().unwrap_or_else(|| {
        let mut beside = state(context, place).into_os_string();
        beside.push(".tls");
        PathBuf::from(beside)
    })
}

/// What the sandbox says is the matter.
fn told(error: impl std::error::Error) -> Trouble {
    Trouble::new(error.to_string())
}
