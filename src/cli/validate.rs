//! `cmk validate`: every problem of every spec, without any cloud.

use super::arguments::Format;
use super::context::Context;
use super::exit::{Exit, Trouble};
use super::source;
use crate::diag::{self, Diagnostics, Source};
use crate::report::{json, text::count};
use crate::spec;

/// Checks the specs and reports on all of them, whatever is wrong with the first.
pub(super) fn run(context: &mut Context, specs: &[String], format: Format) -> Result<Exit, Trouble> {
    let mut checked: Vec<(Source, Diagnostics)> = Vec::new();
    let mut is_good = true;
    for path in specs {
        match source::read(path) {
            Ok(source) => {
                let (_, diagnostics) = spec::load(&source);
                is_good &= !diagnostics.has_errors();
                checked.push((source, diagnostics));
            }
            Err(trouble) => {
                is_good = false;
                let stderr = &context.output.stderr;
                stderr.tell(&trouble.render(stderr.styled));
            }
        }
    }
    match format {
        Format::Human => checked.iter().for_each(|(source, diagnostics)| tell(context, source, diagnostics)),
        Format::Json => context.output.document(&json::diagnostics(&checked))?,
    }
    Ok(if is_good { Exit::Good } else { Exit::Error })
}

fn tell(context: &Context, source: &Source, diagnostics: &Diagnostics) {
    let stderr = &context.output.stderr;
    if !diagnostics.is_empty() {
        stderr.tell(&format!("{}\n", diag::render(source, diagnostics, stderr.styled)));
    }
    if diagnostics.has_errors() {
        stderr.tell(&format!("{}: {}\n", source.name, errors(diagnostics)));
    } else {
        stderr.remark(&format!("{}: no errors\n", source.name));
    }
}

/// How many of the diagnostics are errors, in words.
pub(super) fn errors(diagnostics: &Diagnostics) -> String {
    count(diagnostics.iter().filter(|one| one.severity == diag::Severity::Error).count(), "error")
}
