//! `cmk prove`: a spec under every fault, in a simulator inside this process. No credential, no network, no file.

use super::arguments::Format;
use super::context::Context;
use super::exit::{Exit, Trouble};
use super::session;
use crate::prove;
use crate::report::text::clean;

/// Proves a spec and tells the verdict.
pub(super) fn run(context: &mut Context, spec: &str, seeds: u64, format: Format) -> Result<Exit, Trouble> {
    let (_, desired) = session::desired(context, spec)?;
    let verdict = prove::prove(&desired, seeds).map_err(|why| {
        Trouble::new(format!("the simulator cannot be set up for this spec: {why}"))
            .help("this says nothing about the spec; `cmk plan --sandbox` shows more")
    })?;
    let text = match format {
        Format::Human => prove::as_text(&clean(spec), &verdict),
        Format::Json => prove::as_json(spec, &verdict),
    };
    context.output.document(&text)?;
    Ok(if verdict.is_good() { Exit::Good } else { Exit::Error })
}
