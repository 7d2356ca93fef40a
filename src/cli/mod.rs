//! The command line: arguments, context, one short file a command, exit codes. All of the program's IO on its own
//! machine is here: files, environment, terminal, signals.

mod apply;
mod approval;
mod arguments;
mod ask;
mod completions;
mod context;
mod exit;
mod explain;
mod guard;
mod import;
mod interrupt;
mod logging;
mod output;
mod own_key;
mod plan;
mod private;
mod progress;
#[cfg(feature = "sandbox")]
mod prove;
mod receipt;
#[cfg(feature = "sandbox")]
mod sandbox;
mod schema;
mod session;
mod source;
mod status;
mod surfaces;
mod validate;
mod verbs;
mod verify;
mod who_uses;

use arguments::{Arguments, Command};
use clap::Parser;
use context::Context;
use exit::{Exit, Trouble};
use guard::Guards;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::process::ExitCode;

/// The whole program: reads its arguments, does what they say, and gives its exit code.
pub fn run() -> ExitCode {
    panic::set_hook(Box::new(tell_of_bug));
    panic::catch_unwind(AssertUnwindSafe(main)).unwrap_or(Exit::Error).into()
}

fn main() -> Exit {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let mut context = Context::new(&arguments.global);
    match obey(arguments, &mut context) {
        Ok(exit) => exit,
        Err(trouble) => {
            let stderr = &context.output.stderr;
            stderr.tell(&trouble.render(stderr.styled));
            Exit::Error
        }
    }
}

fn obey(arguments: Arguments, context: &mut Context) -> Result<Exit, Trouble> {
    logging::start(&arguments.global, context.output.stderr.styled)?;
    match arguments.command {
        Command::Validate { specs, format } => validate::run(context, &specs, format),
        Command::Plan { spec, surfaces, detailed_exitcode, save, guard, beside } => {
            let (guards, sight) = (Guards::read(context, &guard)?, beside.sight());
            plan::run(context, &spec, &surfaces, &plan::Wishes { is_detailed: detailed_exitcode, save, guards, sight })
        }
        Command::Apply { spec, applying } => {
            let format = applying.format;
            let wishes = applying.wishes(context)?;
            apply::run(context, &spec, format, wishes)
        }
        Command::Rotate(wishes) => verbs::rotate(context, wishes),
        Command::Disable(wishes) => verbs::disable(context, wishes),
        Command::Revoke(wishes) => verbs::revoke(context, wishes),
        Command::Restore(wishes) => verbs::restore(context, wishes),
        #[cfg(feature = "sandbox")]
        Command::Prove(wishes) => prove::run(context, &wishes),
        Command::Verify { spec, format } => verify::run(context, &spec, format),
        Command::Status { spec, format, fail_on } => status::run(context, &spec, format, &fail_on),
        Command::WhoUses { key, subscription, format } => who_uses::run(context, &key, &subscription, format),
        Command::Import(wishes) => import::run(context, &wishes),
        Command::Thumbprint(wishes) => own_key::thumbprint(context, &wishes),
        Command::Explain { code } => explain::run(context, &code),
        Command::Schema { guard } => schema::run(context, guard),
        Command::Completions { shell } => completions::run(context, shell),
        #[cfg(feature = "sandbox")]
        Command::Sandbox(command) => sandbox::run(context, command),
    }
}

/// Help and the version go to stdout and are no error; bad usage is one, with 1 instead of clap's 2,
/// for 2 says that steps are waiting.
fn usage(error: &clap::Error) -> Exit {
    // A reader that went away is no trouble here either.
    let _ = error.print();
    if error.use_stderr() { Exit::Error } else { Exit::Good }
}

/// Says that there is a bug, and where; not what the panic's message is, for it may hold anything.
fn tell_of_bug(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
    let version = env!("CARGO_PKG_VERSION");
    let _ = writeln!(
        io::stderr(),
        "error: this is a bug in cmk {version}{place}. Please report it with the command that you ran.\n\
         help: to go on, run the same command again: what was done already is not done twice"
    );
}
