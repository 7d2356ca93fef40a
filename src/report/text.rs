//! Text for a terminal: harmless characters, lines that fit, and style that nothing depends on.

use crate::model::text::is_unsafe;
use anstyle::{AnsiColor, Style};
use std::borrow::Cow;
use std::fmt::Write;

/// The columns that a report keeps to, where words allow it.
pub const COLUMNS: usize = 80;

/// Makes a text that others chose harmless on a terminal and in the log of a CI run.
///
/// Control characters could move the cursor or colour a lie; characters that turn
/// the direction of writing or are invisible could make one name look like
/// another. They are shown as `\u{…}`, and so is what would begin a command to a
/// CI system. A line break is a character like any other here: split into lines
/// first where lines are meant.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if c == '\t' {
            out.push(' ');
        } else if is_unsafe(c) || commands(before, &text[at..]) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
        before = c;
    }
    out
}

/// Whether a command to a CI system would begin here: `::error` at the start of a line (GitHub), `##vso[` and `##[`
/// anywhere (Azure Pipelines, and GitHub's older form).
///
/// Any word may come to stand at the start of a line, so no word begins with `::`.
fn commands(before: char, rest: &str) -> bool {
    match rest.as_bytes() {
        [b':', b':', ..] => before.is_whitespace(),
        [b'#', b'#', ..] => {
            let word = rest.trim_start_matches('#').as_bytes();
            word.first() == Some(&b'[') || word.get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"vso["))
        }
        _ => false,
    }
}

/// Takes the power of a command to a CI system from a text of many lines, whoever wrote it, and leaves the rest as it is.
pub fn inert(text: &str) -> Cow<'_, str> {
    if !text.contains("::") && !text.contains("##") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let mut is_start = true;
        for (at, c) in line.char_indices() {
            // Elsewhere in a line `::` is a path in a program, and no command.
            let begins = commands(if is_start { ' ' } else { 'x' }, &line[at..]);
            is_start &= c.is_whitespace();
            if begins {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            } else {
                out.push(c);
            }
        }
    }
    Cow::Owned(out)
}

/// Breaks a cleaned text between words: the first line after `first`, the others after `rest`.
///
/// A word that is longer than a line stays whole: it may be an id that someone copies.
pub fn wrap(first: &str, rest: &str, text: &str) -> String {
    let mut out = String::new();
    for (at, paragraph) in text.lines().enumerate() {
        let indent = if at == 0 { first } else { rest };
        wrap_line(&mut out, indent, rest, &clean(paragraph));
    }
    out
}

/// The same for a text whose line breaks are not to be believed: they are shown like any other control character.
pub fn flow(first: &str, rest: &str, text: &str) -> String {
    let mut out = String::with_capacity(first.len() + text.len() + 8);
    wrap_line(&mut out, first, rest, &clean(text));
    out
}

fn wrap_line(out: &mut String, first: &str, rest: &str, line: &str) {
    out.push_str(first);
    let mut column = first.chars().count();
    let mut is_start = true;
    for word in line.split(' ').filter(|word| !word.is_empty()) {
        let width = word.chars().count();
        if !is_start && column + 1 + width > COLUMNS {
            out.push('\n');
            out.push_str(rest);
            column = rest.chars().count();
        } else if !is_start {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
        is_start = false;
    }
    out.push('\n');
}

/// Style on top of text that says everything without it.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    /// Whether style is put on at all.
    pub styled: bool,
}

impl Paint {
    /// What comes first to the eye: a verdict.
    pub fn strong(self, text: &str) -> String {
        self.put(Style::new().bold(), text)
    }

    /// What went well.
    pub fn good(self, text: &str) -> String {
        self.put(AnsiColor::Green.on_default(), text)
    }

    /// What needs thought.
    pub fn caution(self, text: &str) -> String {
        self.put(AnsiColor::Yellow.on_default(), text)
    }

    /// What was refused or failed.
    pub fn bad(self, text: &str) -> String {
        self.put(AnsiColor::Red.on_default().bold(), text)
    }

    /// Puts style on each line, so that no style runs over a line's end.
    fn put(self, style: Style, text: &str) -> String {
        if !self.styled {
            return text.to_owned();
        }
        let mut out = String::new();
        for line in text.split_inclusive('\n') {
            let body = line.trim_end_matches('\n');
            let (indent, words) = body.split_at(body.len() - body.trim_start().len());
            // Writing to a string cannot fail.
            let _ = write!(out, "{indent}{style}{words}{style:#}{}", &line[body.len()..]);
        }
        out
    }
}

/// A number with its noun: "1 step", "6 steps".
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_others_chose_can_steer_a_terminal() {
        assert_eq!(clean("a\u{1b}[31mb\u{202e}c\u{9b}d\u{200b}e\r\nf"), {
            "a\\u{1b}[31mb\\u{202e}c\\u{9b}d\\u{200b}e\\u{d}\\u{a}f"
        });
        assert_eq!(clean("Größe → 3 µm 日本"), "Größe → 3 µm 日本");
    }

    #[test]
    fn nothing_that_others_chose_is_a_command_to_a_ci_system() {
        let evil = "::error::x a ::set-env b ##vso[task.setvariable]y ##[group]z ###VSO[a] C# ## [x] std::fmt a::b";
        assert_eq!(clean(evil), {
            "\\u{3a}:error::x a \\u{3a}:set-env b \\u{23}#vso[task.setvariable]y \\u{23}#[group]z \\u{23}\\u{23}#VSO[a] C# ## [x] std::fmt a::b"
        });
        assert_eq!(inert("ok\n  ::error::x\na ::b ##[x]\n"), "ok\n  \\u{3a}:error::x\na ::b \\u{23}#[x]\n");
        assert!(matches!(inert("nothing # of: note"), Cow::Borrowed(_)));
    }

    #[test]
    fn lines_break_between_words_and_ids_stay_whole() {
        let id = "x".repeat(100);
        let text = wrap("  1. ", "     ", &format!("{} {id} end", "word ".repeat(18).trim_end()));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(lines[0].starts_with("  1. word") && lines[0].len() <= COLUMNS);
        assert_eq!(lines[2].trim_start(), id);
        assert_eq!(lines[3], "     end");
    }

    #[test]
    fn style_adds_nothing_but_style() {
        let plain = Paint { styled: false }.bad("  one\n  two\n");
        let styled = Paint { styled: true }.bad("  one\n  two\n");
        assert_eq!(plain, "  one\n  two\n");
        assert_ne!(styled, plain);
        assert!(styled.ends_with("\u{1b}[0m\n"));
    }
}
