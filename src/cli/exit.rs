//! How the program ends: exit codes, and troubles told in one manner.

use crate::report::text::{Paint, wrap};
use std::process::ExitCode;

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// Done, or nothing to do.
    Good,
    /// Bad usage, a bad spec, failed, blocked or interrupted.
    Error,
    /// Steps are waiting; only where it was asked for.
    StepsWaiting,
    /// Refused: nothing was sent.
    Refused,
    /// Not what was approved: nothing was sent.
    NotApproved,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Good => 0,
            Exit::Error => 1,
            Exit::StepsWaiting => 2,
            Exit::Refused => 3,
            Exit::NotApproved => 4,
        })
    }
}

/// Why a command could not go on. It ends with [`Exit::Error`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// The code whose long story `cmk explain` tells, if there is one.
    pub(super) code: Option<String>,
    /// What is the matter, where, and why it matters.
    pub(super) what: String,
    /// What to do.
    pub(super) help: Option<String>,
}

impl Trouble {
    /// A trouble without a code.
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { code: None, what: what.into(), help: None }
    }

    /// Adds what to do.
    #[must_use]
    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// The trouble as it is shown.
    pub(super) fn render(&self, styled: bool) -> String {
        let code = self.code.as_ref().map(|code| format!("[{code}]")).unwrap_or_default();
        let text = wrap("", "  ", &format!("error{code}: {}", self.what));
        let mut out = match text.strip_prefix("error") {
            Some(rest) => format!("{}{rest}", Paint { styled }.bad("error")),
            None => text,
        };
        if let Some(help) = &self.help {
            out.push_str(&wrap("help: ", "      ", help));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_says_what_and_what_to_do() {
        let trouble = Trouble::new("cannot read `a\u{1b}b`").help("check the path");
        assert_eq!(trouble.render(false), "error: cannot read `a\\u{1b}b`\nhelp: check the path\n");
    }
}
