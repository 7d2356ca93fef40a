//! The command line: what can be asked for, and in which words.

#[cfg(feature = "sandbox")]
use super::sandbox::arguments::SandboxCommand;
use super::surfaces::Surfaces;
use super::verbs::{self, Applying};
use super::who_uses::KeyArgument;
use crate::apply::Sight;
use crate::model::SubscriptionId;
use crate::status::Alarm;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// A declarative reconciler for customer-managed keys on Azure Storage.
#[derive(Debug, Parser)]
#[command(name = "cmk", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// What holds for every command.
    #[command(flatten)]
    pub(super) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done, or nothing to do
  1  error: bad usage, bad spec, failed, blocked or interrupted
  2  steps are waiting (only plan with --detailed-exitcode)
  3  refused: nothing was sent
  4  not what was approved: nothing was sent";

/// The options that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "For every command")]
pub(super) struct Global {
    /// Practise on an Azure of this machine's own, with its state in FILE
    #[cfg(feature = "sandbox")]
    #[arg(long, global = true, value_name = "FILE", num_args = 0..=1, require_equals = true,
          default_missing_value = SANDBOX_FILE)]
    pub(super) sandbox: Option<PathBuf>,
    /// How many steps and looks may be under way at once
    #[arg(long, global = true, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(super) concurrency: u16,
    /// Log cmk's own events to stderr: `info`, `debug`, `cmk::azure=trace`
    #[arg(long, global = true, value_name = "FILTER")]
    pub(super) log: Option<String>,
    /// The form of the log
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub(super) log_format: LogFormat,
    /// Whether to use colour; nothing ever depends on it
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(super) color: Color,
    /// No progress and no remarks: only the document and errors
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
}

/// What may be touched at all. `CMK_GUARD` names such a file too; where both do, both hold.
#[derive(Debug, Args)]
pub(super) struct GuardFile {
    /// Refuse a plan that goes beyond the guard in FILE; one that `CMK_GUARD` names holds as well
    #[arg(long, value_name = "FILE")]
    pub(super) guard: Option<PathBuf>,
}

/// How far is looked for others who use the vaults that a plan touches.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Beside {
    /// Show who uses the keys of the vaults that the plan touches, encryption scopes included: a request more for each
    /// account of the subscriptions. The steps and the digest stay the same
    #[arg(long)]
    encryption_scopes: bool,
}

impl Beside {
    /// The sight that is wished for.
    pub(super) fn sight(self) -> Sight {
        if self.encryption_scopes { Sight::EncryptionScopes } else { Sight::Accounts }
    }
}

/// Where the sandbox keeps its state unless a file is named.
#[cfg(feature = "sandbox")]
pub(super) const SANDBOX_FILE: &str = ".cmk-sandbox.json";

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check specs without any cloud and report every problem
    Validate {
        /// Spec files; `-` is stdin
        #[arg(value_name = "SPEC", required = true)]
        specs: Vec<String>,
        /// The form of the report
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Look at Azure and show what apply would do; sends no write
    Plan {
        /// The spec file; `-` is stdin
        #[arg(value_name = "SPEC")]
        spec: String,
        #[command(flatten)]
        surfaces: Surfaces,
        /// Exit with 2 when steps are waiting
        #[arg(long)]
        detailed_exitcode: bool,
        /// Write the plan, with its digest and what it is bound to, to FILE for somebody to approve
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
        /// What may be touched at all
        #[command(flatten)]
        guard: GuardFile,
        /// How far is looked for others
        #[command(flatten)]
        beside: Beside,
    },
    /// Make what the spec says true, and prove it by a second look
    Apply {
        /// The spec file, or a plan that `plan --save` wrote; `-` is stdin
        #[arg(value_name = "SPEC")]
        spec: String,
        #[command(flatten)]
        applying: Applying,
    },
    /// Make a new version of a key of the spec, and move the accounts to it that are pinned to the newest
    Rotate(verbs::Rotation),
    /// Take a key of the spec, or a version of it, out of use: data under it is out of reach
    Disable(verbs::OfKey),
    /// Take the access of an account of the spec to its key away: its data is out of reach
    Revoke(verbs::Revocation),
    /// Give back what was revoked or disabled
    Restore(verbs::Restoration),
    /// Look at Azure and say what of the spec can be shown to hold; sends no write
    Verify {
        /// The spec file; `-` is stdin
        #[arg(value_name = "SPEC")]
        spec: String,
        /// The form of the evidence
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Look at Azure and say how each account of a spec stands; sends no write
    Status {
        /// The spec file; `-` is stdin
        #[arg(value_name = "SPEC")]
        spec: String,
        /// The form of the status
        #[arg(long, value_enum, default_value_t = StatusFormat::Human)]
        format: StatusFormat,
        /// Exit with 1 on any of these: `expiring<30d`, `drift`, `unreadable`, `unknown`
        #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = Alarm::parse)]
        fail_on: Vec<Alarm>,
    },
    /// Look through subscriptions for the accounts and encryption scopes that use a key; sends no write
    WhoUses {
        /// The key, and perhaps a version of it: `kv-prod/main`, `kv-prod/main/0123…`
        #[arg(value_name = "VAULT/KEY[/VERSION]")]
        key: KeyArgument,
        /// A subscription to look through; may be given more than once
        #[arg(long, value_name = "ID", required = true, value_parser = subscription)]
        subscription: Vec<SubscriptionId>,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Write a spec of the accounts that are under keys of your own already; sends no write
    Import(super::import::Wishes),
    /// Prove offline that a spec converges, whatever goes wrong on the way
    #[cfg(feature = "sandbox")]
    Prove(super::prove::Wishes),
    /// Print the thumbprint of a key of your own, for the spec; needs no cloud
    Thumbprint(super::own_key::Wishes),
    /// Tell the long story of a code such as CMK021
    Explain {
        /// The code
        #[arg(value_name = "CODE")]
        code: String,
    },
    /// Print the JSON schema of specs
    Schema {
        /// Print that of guards instead
        #[arg(long)]
        guard: bool,
    },
    /// Print a completion script
    Completions {
        /// The shell to complete for
        #[arg(value_enum, value_name = "SHELL")]
        shell: clap_complete::Shell,
    },
    /// Look after the sandbox
    #[cfg(feature = "sandbox")]
    #[command(subcommand)]
    Sandbox(SandboxCommand),
}

/// Reads a subscription's id.
fn subscription(text: &str) -> Result<SubscriptionId, String> {
    SubscriptionId::parse(text).map_err(|error| error.to_string())
}

/// Reads a plan's digest.
pub(super) fn digest(text: &str) -> Result<String, String> {
    let is_digest = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_digest { Ok(text.to_ascii_lowercase()) } else { Err("a plan's digest has 64 hexadecimal digits".to_owned()) }
}

/// Reads a time such as `90s`, `30m` or `1h 30m`.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let read: jiff::SignedDuration = text.parse().map_err(|_| "a time such as `90s`, `30m` or `1h 30m`".to_owned())?;
    Duration::try_from(read).ok().filter(|time| !time.is_zero()).ok_or_else(|| "a time above zero".to_owned())
}

/// The form of a document. Its values explain themselves, so their comments stay out of the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    // For a person.
    Human,
    // For a program.
    Json,
}

/// The form of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum StatusFormat {
    // For a person.
    Human,
    // For a program.
    Json,
    // For a page or a comment.
    Markdown,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    // A line an event.
    Text,
    // A JSON object an event.
    Json,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    // On a terminal, unless the environment says otherwise.
    Auto,
    // Always.
    Always,
    // Never.
    Never,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[cfg(feature = "sandbox")]
    #[test]
    fn the_sandbox_takes_a_file_only_after_an_equals_sign() {
        let file = |words: &[&str]| Arguments::try_parse_from(words).map(|arguments| arguments.global.sandbox);
        let one = file(&["cmk", "plan", "--sandbox", "s.yaml"]).unwrap();
        assert_eq!(one, Some(PathBuf::from(SANDBOX_FILE)));
        let other = file(&["cmk", "--sandbox=f", "plan", "s.yaml"]).unwrap();
        assert_eq!(other, Some(PathBuf::from("f")));
        assert!(file(&["cmk", "plan", "s.yaml"]).unwrap().is_none());
    }

    #[test]
    fn a_time_is_read_as_people_write_it() {
        assert_eq!(time("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(time("1h 30m"), Ok(Duration::from_secs(5400)));
        for wrong in ["", "0s", "-5m", "soon", "5"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn concurrency_has_bounds() {
        for wrong in ["0", "65", "-1", "x"] {
            assert!(Arguments::try_parse_from(["cmk", "schema", "--concurrency", wrong]).is_err(), "{wrong}");
        }
    }
}
