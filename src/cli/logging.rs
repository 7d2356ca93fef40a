//! The log: cmk's own events on stderr, when asked for.

use super::arguments::{Global, LogFormat};
use super::exit::Trouble;
use std::io;
use tracing_subscriber::filter::{FilterExt, Targets, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{fmt, registry};

/// Starts the log that the arguments ask for.
///
/// Only events of this crate are let through, whatever the filter says: what libraries
/// log at their lowest levels may hold headers, and a header may hold a token.
pub(super) fn start(global: &Global, styled: bool) -> Result<(), Trouble> {
    let Some(text) = &global.log else { return Ok(()) };
    let filter: Targets = text.parse().map_err(|error| {
        Trouble::new(format!("`{text}` is not a log filter: {error}")).help("write for example `--log debug`")
    })?;
    let own = filter_fn(|metadata| metadata.target().split("::").next() == Some("cmk"));
    let form = fmt::layer().with_writer(io::stderr).with_ansi(styled);
    let layer = match global.log_format {
        LogFormat::Text => form.boxed(),
        LogFormat::Json => form.json().with_ansi(false).boxed(),
    };
    registry().with(layer.with_filter(own.and(filter))).try_init().map_err(|error| Trouble::new(error.to_string()))
}
