//! Text for a terminal: harmless characters, lines that fit, and style that nothing depends on.

use anstyle::{AnsiColor, Style};
use std::fmt::Write;

/// The columns that a report keeps to, where words allow it.
pub const COLUMNS: usize = 80;

/// Makes a text that others chose harmless on a terminal.
///
/// Control characters could move the cursor or colour a lie; characters that turn
/// the direction of writing or are invisible could make one name look like
/// another. They are shown as `\u{…}`. A line break is a character like any other
/// here: split into lines first where lines are meant.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\t' {
            out.push(' ');
        } else if is_unsafe(c) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether a character could steer a terminal or hide in a name.
pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0x00AD | 0x061C | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFEFF | 0xFFF9..=0xFFFB
            | 0xE0000..=0xE007F)
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
