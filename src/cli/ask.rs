//! The question before apply.

use super::exit::Trouble;
use super::output::Stderr;
use crate::report::text::count;
use std::io::{self, BufRead};

/// What to do about asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// There is a person to ask.
    Person,
    /// Nobody is there, or the answer was given beforehand.
    Nobody,
    /// Somebody may be there who cannot read the question or cannot answer it.
    Unclear,
}

impl Ask {
    /// Decides from `--yes` and from whether stdin and stderr are terminals.
    pub(super) fn of(yes: bool, stdin: bool, stderr: bool) -> Self {
        match (yes, stdin, stderr) {
            (true, _, _) | (false, false, false) => Self::Nobody,
            (false, true, true) => Self::Person,
            (false, true, false) | (false, false, true) => Self::Unclear,
        }
    }
}

/// The trouble of a half terminal.
pub(super) fn unclear() -> Trouble {
    Trouble::new("cannot ask before applying: of stdin and stderr only one is a terminal. Nothing was sent")
        .help("pass `--yes` to apply without being asked")
}

/// Asks whether to take the steps. Blocks until a line is read; no line is no yes.
pub(super) fn ask(steps: usize, stderr: &Stderr) -> bool {
    let these = if steps == 1 { "this" } else { "these" };
    stderr.tell(&format!("\nApply {these} {}? Only 'yes' is accepted: ", count(steps, "step")));
    let mut answer = String::new();
    match io::stdin().lock().read_line(&mut answer) {
        Ok(_) => answer.trim() == "yes",
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_person_who_can_read_and_answer_is_asked() {
        assert_eq!(Ask::of(false, true, true), Ask::Person);
        assert_eq!(Ask::of(false, false, false), Ask::Nobody);
        assert_eq!(Ask::of(true, true, true), Ask::Nobody);
        assert_eq!(Ask::of(false, false, true), Ask::Unclear);
    }
}
