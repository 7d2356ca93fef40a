//! The real program as tests start it: with a bare environment, and with every exchange of its sandbox held against
//! Azure's contracts.

use crate::contracts::problems_of_record;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A command that starts the program. What it said to a sandbox is looked at when this is dropped, so whoever starts
/// the program without waiting for it keeps this until it has ended, however that came.
pub(crate) struct Program {
    command: Command,
    folder: tempfile::TempDir,
}

/// The program with no credential of the machine's, and nobody at a terminal.
pub(crate) fn cmk() -> Program {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmk"));
    command.env_clear().env("CMK_SANDBOX_RECORD", folder.path().join("exchanges.jsonl")).stdin(Stdio::null());
    Program { command, folder }
}

impl Program {
    /// Where the exchanges are written. Where the program had no sandbox inside it, there is no such file.
    pub(crate) fn record(&self) -> PathBuf {
        self.folder.path().join("exchanges.jsonl")
    }
}

impl Deref for Program {
    type Target = Command;

    fn deref(&self) -> &Command {
        &self.command
    }
}

impl DerefMut for Program {
    fn deref_mut(&mut self) -> &mut Command {
        &mut self.command
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // A test that has failed already has said why.
        if !std::thread::panicking() {
            let record = std::fs::read_to_string(self.record()).unwrap_or_default();
            let problems = problems_of_record(&record);
            assert!(problems.is_empty(), "against Azure's contracts: {}", problems.join("\n"));
        }
    }
}
