//! The command line: what can be asked for, and in which words.

#[cfg(feature = "sandbox")]
use super::sandbox::arguments::SandboxCommand;
use super::surfaces::Surfaces;
use crate::plan::Acknowledgement;
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
  3  refused: nothing was sent";

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
    },
    /// Make what the spec says true, and prove it by a second look
    Apply {
        /// The spec file; `-` is stdin
        #[arg(value_name = "SPEC")]
        spec: String,
        /// Do not ask first
        #[arg(long, short)]
        yes: bool,
        /// The form of the plan and the report
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
        /// Stop in order when this time is over, and exit with 1: `90s`, `30m`, `1h`
        #[arg(long, value_name = "TIME", value_parser = time)]
        timeout: Option<Duration>,
        /// Write what was done, and what Azure reports of it afterwards, to FILE
        #[arg(long, value_name = "FILE")]
        receipt: Option<PathBuf>,
        /// Say yes to one risk by its code and object, as the plan prints them: `CMK404:account/stbilling`
        #[arg(long, value_name = "CODE:OBJECT", value_parser = Acknowledgement::parse)]
        accept: Vec<Acknowledgement>,
    },
    /// Look at Azure and say what of the spec can be shown to hold; sends no write
    Verify {
        /// The spec file; `-` is stdin
        #[arg(value_name = "SPEC")]
        spec: String,
        /// The form of the evidence
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Prove offline that a spec converges, whatever goes wrong on the way
    #[cfg(feature = "sandbox")]
    Prove {
        /// The spec file; `-` is stdin
        #[arg(value_name = "SPEC")]
        spec: String,
        /// How many scenes to play by chance, after all those in order
        #[arg(long, value_name = "N", default_value_t = 20)]
        seeds: u64,
        /// The form of the verdict
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Tell the long story of a code such as CMK021
    Explain {
        /// The code
        #[arg(value_name = "CODE")]
        code: String,
    },
    /// Print the JSON schema of specs
    Schema,
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

/// Reads a time such as `90s`, `30m` or `1h 30m`.
fn time(text: &str) -> Result<Duration, String> {
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
