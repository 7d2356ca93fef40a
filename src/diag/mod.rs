//! Diagnostics as values: where in a text something is wrong, what, and the way out.
//!
//! Nothing here reads a file or prints. `render` fills a string, `codes` holds the long stories.

pub mod codes;
mod render;

pub use render::render;

use std::collections::BTreeMap;
use std::collections::btree_map::Values;
use std::ops::Range;

/// A text and the name by which people know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file's name as it was given.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The text cannot be used.
    Error,
    /// The text can be used, and probably does not say what was meant.
    Warning,
}

impl Severity {
    /// The word for people and for JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One problem of a text, with its place and the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of problem, a code that `codes::find` knows.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, with names.
    pub message: String,
    /// Where, in bytes of the source's text.
    pub span: Range<usize>,
    /// What to read at the place itself; may be empty.
    pub label: String,
    /// Other places that belong to it, each with what to read there.
    pub related: Vec<(Range<usize>, String)>,
    /// The way out.
    pub help: Option<String>,
    /// Whether what stands at the place may be a secret, and is not to be shown.
    pub is_secret: bool,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: &'static str, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            span,
            label: String::new(),
            related: Vec::new(),
            help: None,
            is_secret: false,
        }
    }

    /// A warning at a place.
    pub fn warning(code: &'static str, span: Range<usize>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// Adds what to read at the place itself.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds another place that belongs to it.
    #[must_use]
    pub fn related(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    /// Says that what stands at the place may be a secret.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    /// Adds the way out.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The problems of one text, in the order of their places. What is said twice is kept once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnostics(BTreeMap<(usize, &'static str, String), Diagnostic>);

impl Diagnostics {
    /// No problems.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one problem at its place.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let place = (diagnostic.span.start, diagnostic.code, diagnostic.message.clone());
        self.0.entry(place).or_insert(diagnostic);
    }

    /// Adds all problems of another look at the same text.
    pub fn extend(&mut self, other: Self) {
        for (place, diagnostic) in other.0 {
            self.0.entry(place).or_insert(diagnostic);
        }
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// All of them, by place.
    pub fn iter(&self) -> Values<'_, (usize, &'static str, String), Diagnostic> {
        self.0.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keeps the first so many.
    pub fn truncate(&mut self, count: usize) {
        while self.0.len() > count {
            self.0.pop_last();
        }
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = Values<'a, (usize, &'static str, String), Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The line and the column of a byte, both counted from 1, columns in characters.
///
/// A byte order mark takes no column, since no editor shows one. An offset inside a
/// character or behind the end counts as the nearest one before it.
pub fn place(source: &Source, offset: usize) -> (usize, usize) {
    let mut end = offset.min(source.text.len());
    while !source.text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &source.text[..end];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.matches('\n').count() + 1;
    let column = before[line_start..].trim_start_matches('\u{feff}').chars().count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source { name: "x.yaml".to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_place_counts_characters_from_one() {
        let source = source("ä: 1\nöü: 2\n");
        assert_eq!(place(&source, 0), (1, 1));
        assert_eq!(place(&source, 2), (1, 2));
        assert_eq!(place(&source, "ä: 1\nöü".len()), (2, 3));
        assert_eq!(place(&source, 1), (1, 1), "inside a character");
        assert_eq!(place(&source, 999), (3, 1), "behind the end");
    }

    #[test]
    fn a_byte_order_mark_takes_no_column() {
        assert_eq!(place(&source("\u{feff}version: 1"), 3), (1, 1));
    }

    #[test]
    fn problems_are_kept_in_the_order_of_their_places_and_said_once() {
        let mut problems = Diagnostics::new();
        for at in [7, 3, 7, 5] {
            problems.push(Diagnostic::error("CMK001", at..at, "no"));
        }
        assert_eq!(problems.iter().map(|problem| problem.span.start).collect::<Vec<_>>(), [3, 5, 7]);
    }

    #[test]
    fn a_warning_is_no_error() {
        let mut problems = Diagnostics::new();
        problems.push(Diagnostic::warning("CMK001", 0..0, "hm"));
        assert!(!problems.has_errors());
        problems.push(Diagnostic::error("CMK001", 0..0, "no"));
        assert!(problems.has_errors());
    }
}
