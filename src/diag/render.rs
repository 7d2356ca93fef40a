//! Diagnostics as text, in the manner of rustc.

use super::{Diagnostic, Diagnostics, Severity, Source};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::borrow::Cow;
use std::ops::Range;

/// How wide an excerpt may be, in columns; longer lines are cut around the place.
const WIDTH_COLUMNS: usize = 120;

/// The longest excerpt from which what is shown is cut, in bytes.
///
/// The renderer looks at each character of it, so that a megabyte between two places, or
/// behind one, would cost seconds for each problem.
const EXCERPT_BYTES_MAX: usize = 8000;

/// Fills a string with all problems of one text, each with its excerpt, a blank line between them.
///
/// Ends with a newline unless there is nothing to say.
pub fn render(source: &Source, diagnostics: &Diagnostics, styled: bool) -> String {
    let renderer = if styled { Renderer::styled() } else { Renderer::plain() }.term_width(WIDTH_COLUMNS);
    let mut text = String::new();
    for diagnostic in diagnostics {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&one(source, diagnostic, &renderer));
        text.push('\n');
    }
    text
}

fn one(source: &Source, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let Diagnostic { code, severity, message, span, label, related, help, is_secret } = diagnostic;
    let text = if *is_secret { Cow::Owned(masked(&source.text, span)) } else { Cow::Borrowed(source.text.as_str()) };
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut marks = vec![(AnnotationKind::Primary, span, label.as_str())];
    marks.extend(related.iter().map(|(span, label)| (AnnotationKind::Context, span, label.as_str())));
    let excerpts = excerpts(&text, &marks);
    let name = visible(&source.name).replace(char::is_control, "?");
    let mut group = Group::with_title(level.primary_title(message.as_str()).id(*code));
    for (excerpt, marks) in &excerpts {
        let snippet = Snippet::source(excerpt.text.as_str()).path(name.as_str()).line_start(excerpt.line);
        let annotations = marks.iter().map(|(kind, span, label)| kind.span(excerpt.place(span)).label(*label));
        group = group.element(snippet.annotations(annotations));
    }
    let mut report = vec![group];
    if let Some(help) = help {
        report.push(Group::with_title(Level::HELP.secondary_title(help.as_str())));
    }
    let text = renderer.render(&report);
    // The renderer pads labels and empty gutters with spaces.
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// The text with stars in a place, each byte where it was.
fn masked(text: &str, place: &Range<usize>) -> String {
    let star = |(at, c): (usize, char)| match c {
        '\n' | '\r' => c.to_string(),
        _ if place.contains(&at) => "*".repeat(c.len_utf8()),
        _ => c.to_string(),
    };
    text.char_indices().map(star).collect()
}

/// A place, how it is marked and what is to be read there.
type Mark<'d> = (AnnotationKind, &'d Range<usize>, &'d str);

/// One excerpt with all marks; when they are far apart, one for each.
fn excerpts<'d>(text: &str, marks: &[Mark<'d>]) -> Vec<(Excerpt, Vec<Mark<'d>>)> {
    let starts = || marks.iter().map(|(_, span, _)| span.start);
    let (first, last) = (starts().min().unwrap_or(0), starts().max().unwrap_or(0));
    if last - first <= EXCERPT_BYTES_MAX {
        return vec![(Excerpt::new(text, first, last), marks.to_vec())];
    }
    marks.iter().map(|mark| (Excerpt::new(text, mark.1.start, mark.1.start), vec![*mark])).collect()
}

/// Some lines of a text.
struct Excerpt {
    text: String,
    /// The number of the first line, from 1.
    line: usize,
    /// Where the excerpt begins in the text, in bytes.
    start: usize,
}

impl Excerpt {
    /// The lines from the one with the first place to the one with the last, if that is not too much.
    fn new(text: &str, first: usize, last: usize) -> Self {
        let (first, last) = (boundary(text, first), boundary(text, last));
        let line_start = text[..first].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[last..].find('\n').map_or(text.len(), |at| last + at);
        let bom = if text[line_start..].starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let start = (line_start + bom).min(line_end);
        let end = boundary(text, line_end.min(last + EXCERPT_BYTES_MAX));
        Self { text: visible(&text[start..end.max(start)]), line: text[..line_start].matches('\n').count() + 1, start }
    }

    /// A place of the whole text as a place in the excerpt, no further than the end of its line.
    fn place(&self, span: &Range<usize>) -> Range<usize> {
        let start = boundary(&self.text, span.start.saturating_sub(self.start));
        let end = boundary(&self.text, span.end.saturating_sub(self.start)).max(start);
        let line = self.text[start..end].find('\n').map_or(end, |at| start + at);
        start..start + self.text[start..line].trim_end().len()
    }
}

/// A text in which nothing hides and nothing turns the direction of writing, each byte in its place.
///
/// The renderer replaces control characters of one byte itself.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match (hides(c), c.len_utf8()) {
            // The carriage return of a Windows line.
            (_, 1) if c == '\r' => out.push(' '),
            (true, 2) => out.push('·'),
            (true, 3) => out.push('\u{fffd}'),
            (true, 4) => out.push_str("\u{fffd}?"),
            (_, _) => out.push(c),
        }
    }
    out
}

/// Control characters of two bytes, and characters that are invisible or turn the direction of writing.
fn hides(c: char) -> bool {
    matches!(u32::from(c),
        0x0080..=0x009F | 0x00AD | 0x061C | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFEFF
        | 0xFFF9..=0xFFFB | 0xE0000..=0xE007F)
}

/// The nearest boundary of a character, not behind the end.
fn boundary(text: &str, offset: usize) -> usize {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, diagnostic: Diagnostic, expected: &Expect) {
        let mut all = Diagnostics::new();
        all.push(diagnostic);
        let source = Source { name: "specs/x.yaml".to_owned(), text: text.to_owned() };
        expected.assert_eq(&render(&source, &all, false));
    }

    #[test]
    fn a_problem_is_shown_at_its_place_with_the_way_out() {
        check(
            "a: 1\nkeys:\n  size: 1024\n",
            Diagnostic::error("CMK021", 19..23, "key is too short").label("must be longer").help("write `size: 3072`"),
            &expect![[r"
                error[CMK021]: key is too short
                 --> specs/x.yaml:3:9
                  |
                3 |   size: 1024
                  |         ^^^^ must be longer
                  |
                help: write `size: 3072`
            "]],
        );
    }

    #[test]
    fn two_places_far_apart_are_joined_by_dots() {
        check(
            "a: 1\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\ng: 7\na: 2\n",
            Diagnostic::error("CMK004", 35..36, "`a` is given twice").label("again").related(0..1, "first here"),
            &expect![[r"
                error[CMK004]: `a` is given twice
                 --> specs/x.yaml:8:1
                  |
                1 | a: 1
                  | - first here
                ...
                8 | a: 2
                  | ^ again
            "]],
        );
    }

    #[test]
    fn two_places_very_far_apart_have_an_excerpt_each() {
        check(
            &format!("a: 1\n{}a: 2\n", "#\n".repeat(5000)),
            Diagnostic::error("CMK004", 10005..10006, "`a` is given twice").label("again").related(0..1, "first here"),
            &expect![[r"
                error[CMK004]: `a` is given twice
                    --> specs/x.yaml:5002:1
                     |
                5002 | a: 2
                     | ^ again
                     |
                    ::: specs/x.yaml:1:1
                     |
                   1 | a: 1
                     | - first here
            "]],
        );
    }

    #[test]
    fn an_empty_text_has_a_place_too() {
        check(
            "",
            Diagnostic::error("CMK002", 0..0, "the file is empty"),
            &expect![[r"
                error[CMK002]: the file is empty
                 --> specs/x.yaml:1:1
                  |
                1 |
                  | ^
            "]],
        );
    }

    #[test]
    fn byte_order_mark_windows_lines_and_escape_characters_do_no_harm() {
        check(
            "\u{feff}version: one\r\nname: \u{1b}[31mred\r\n",
            Diagnostic::error("CMK014", 12..15, "wrong"),
            &expect![[r"
                error[CMK014]: wrong
                 --> specs/x.yaml:1:10
                  |
                1 | version: one
                  |          ^^^
            "]],
        );
        check(
            "\u{feff}version: one\r\nname: \u{1b}[31mred\r\n",
            Diagnostic::error("CMK012", 23..24, "wrong"),
            &expect![[r"
                error[CMK012]: wrong
                 --> specs/x.yaml:2:7
                  |
                2 | name: ␛[31mred
                  |       ^
            "]],
        );
    }

    #[test]
    fn a_very_long_line_is_cut() {
        let text = format!("a: {}x{}", " ".repeat(90_000), "y".repeat(900_000));
        check(
            &text,
            Diagnostic::error("CMK001", 90_003..90_004, "no"),
            &expect![[r"
                error[CMK001]: no
                 --> specs/x.yaml:1:90004
                  |
                1 | ...                                                      xyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy...
                  |                                                          ^
            "]],
        );
    }

    #[test]
    fn a_place_that_is_not_in_the_text_is_no_panic() {
        let all = {
            let mut all = Diagnostics::new();
            all.push(Diagnostic::error("CMK001", 900..1000, "no").related(1..2, "in a character"));
            all
        };
        let source = Source { name: "x".to_owned(), text: "ä€\n".to_owned() };
        assert!(render(&source, &all, true).contains("CMK001"));
    }

    #[test]
    fn what_hides_in_a_text_is_shown_and_moves_nothing() {
        let text = "a: \u{feff}\u{202e}\u{9b}\u{ad}\u{e0041}\u{200b}x b\n";
        assert_eq!(visible(text), "a: \u{fffd}\u{fffd}··\u{fffd}?\u{fffd}x b\n");
        assert_eq!(visible(text).len(), text.len());
    }
}
