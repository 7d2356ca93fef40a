//! The two ways out: documents go to stdout, everything else to stderr.

use super::exit::Trouble;
use crate::report::text::inert;
use indicatif::MultiProgress;
use std::io::{self, ErrorKind, Write};

/// Where a command writes to.
#[derive(Debug)]
pub(super) struct Output {
    /// Whether stdout takes style.
    pub(super) stdout_styled: bool,
    /// The way to stderr.
    pub(super) stderr: Stderr,
    /// Whether the reader of stdout went away.
    closed: bool,
}

/// The way to stderr; several may hold it at once.
#[derive(Debug, Clone)]
pub(super) struct Stderr {
    /// Whether stderr takes style.
    pub(super) styled: bool,
    /// Whether remarks are not wanted.
    pub(super) quiet: bool,
    /// The live view, which must step aside for a line.
    live: Option<MultiProgress>,
}

impl Output {
    /// Output whose stderr steps around a live view, if there is one.
    pub(super) fn new(stdout_styled: bool, stderr_styled: bool, quiet: bool, live: Option<MultiProgress>) -> Self {
        Self { stdout_styled, stderr: Stderr { styled: stderr_styled, quiet, live }, closed: false }
    }

    /// Writes a document, or a part of it, to stdout.
    ///
    /// A reader that has gone away (`| head`) is no trouble: it has what it wanted, and
    /// work that is under way must not be left half done because of it. A line of it is
    /// never a command to the CI system that reads it, wherever its words came from.
    pub(super) fn document(&mut self, text: &str) -> Result<(), Trouble> {
        if self.closed {
            return Ok(());
        }
        let text = inert(text);
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            Err(error) => Err(Trouble::new(format!("cannot write to stdout: {error}"))),
        }
    }
}

impl Stderr {
    /// Writes a remark to stderr, unless remarks are not wanted.
    pub(super) fn remark(&self, text: &str) {
        if !self.quiet {
            self.tell(text);
        }
    }

    /// Writes to stderr in any case. When stderr is gone there is nobody to tell. CI systems read it for commands, too.
    pub(super) fn tell(&self, text: &str) {
        let text = inert(text);
        let write = || {
            let mut stderr = io::stderr().lock();
            let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
        };
        match &self.live {
            Some(live) => live.suspend(write),
            None => write(),
        }
    }

    /// The live view, when there is one.
    pub(super) fn live(&self) -> Option<&MultiProgress> {
        self.live.as_ref()
    }
}

/// Writes a line to stderr. When stderr is gone there is nobody to tell.
pub(super) fn write_line(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = writeln!(stderr, "{text}").and_then(|()| stderr.flush());
}
