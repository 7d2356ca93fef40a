//! The words of `cmk sandbox`.

use super::super::arguments::Format;
use clap::{Args, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// What can be done with the sandbox itself.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SandboxCommand {
    /// Serve the sandbox to any client of Azure on this machine, until Ctrl-C or SIGTERM
    Serve(ServeArguments),
    /// Print the exports that lead a shell's programs to a running sandbox: eval "$(cmk sandbox env)"
    Env(Where),
    /// Print what there is, and for every account whether it can read its data
    Show {
        #[command(flatten)]
        place: Where,
        /// The form of the document
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Move the clock of resources on, not that of tokens
    Advance {
        /// How far: P1D, PT90M
        #[arg(value_name = "DURATION")]
        duration: String,
        #[command(flatten)]
        place: Where,
    },
    /// Forget the sandbox's whole state
    Reset,
}

/// Which sandbox is meant.
#[derive(Debug, Args)]
pub(in crate::cli) struct Where {
    /// The file with the sandbox's state [default: that of --sandbox, or .cmk-sandbox.json]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) state: Option<PathBuf>,
    /// The folder of a running server [default: the state file's path with .tls added]
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) tls_dir: Option<PathBuf>,
}

/// How to serve the sandbox.
#[derive(Debug, Args)]
pub(in crate::cli) struct ServeArguments {
    #[command(flatten)]
    pub(in crate::cli) place: Where,
    /// Where HTTPS listens, on loopback only; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(in crate::cli) listen: SocketAddr,
    /// Where the proxy listens, on loopback only; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(in crate::cli) proxy: SocketAddr,
    /// Whose names to hand out: the public cloud's, for clients that know no other, or the sandbox's own
    #[arg(long, value_enum, default_value_t = Domain::Public)]
    pub(in crate::cli) domain: Domain,
    /// What a new sandbox begins with: a YAML file, described in docs/sandbox.md
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) seed: Option<PathBuf>,
    /// Write every exchange to FILE, a line of JSON each, without tokens and secrets
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) record: Option<PathBuf>,
    /// The form of the line that says that all is ready
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(in crate::cli) format: Format,
}

/// Whose names the sandbox hands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Domain {
    // Those of the public cloud.
    Public,
    // Its own, below sandbox.test.
    Sandbox,
}
