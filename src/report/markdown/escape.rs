//! Texts that others chose, in Markdown: they cannot break out of their place, link, mention anybody or hide.
//!
//! Nothing is escaped with a backslash or an entity, for what a backslash means depends on the renderer, and a mention
//! is looked for after rendering. A word that is not plain stands in a code span instead, where nothing has a meaning;
//! the two characters that could end a code span or a table's cell are shown as `\u{…}`, like control characters.

use super::super::text::clean;

/// A name, an id or a value: always a code span.
pub(in crate::report) fn code(text: &str) -> String {
    let clean = clean(text);
    let mut out = String::with_capacity(clean.len() + 2);
    out.push('`');
    for c in clean.chars() {
        match c {
            '`' => out.push_str("\\u{60}"),
            '|' => out.push_str("\\u{7c}"),
            c => out.push(c),
        }
    }
    if clean.trim().is_empty() {
        // Without anything in it, it would be no code span.
        out.push_str("\"\"");
    }
    out.push('`');
    out
}

/// A sentence: its plain words as they are, all others in code spans. What stands between backticks is code already.
pub(in crate::report) fn prose(text: &str) -> String {
    let text = clean(text);
    let parts: Vec<&str> = text.split('`').collect();
    let mut out = String::with_capacity(text.len() + 16);
    for (at, part) in parts.iter().enumerate() {
        // A backtick without its fellow is only a backtick.
        let is_code = at % 2 == 1 && at + 1 < parts.len();
        if is_code {
            out.push_str(&code(part));
        } else {
            words(part, &mut out);
        }
    }
    out
}

fn words(text: &str, out: &mut String) {
    for (at, word) in text.split(' ').enumerate() {
        if at > 0 {
            out.push(' ');
        }
        if word.is_empty() {
            continue;
        }
        // Punctuation around a word stays outside of its code span, where it is plain.
        let core = word.trim_start_matches('(').trim_end_matches([',', '.', ';', ':', ')']);
        let begin = word.len() - word.trim_start_matches('(').len();
        if is_plain(word) {
            out.push_str(word);
        } else if core.is_empty() {
            out.push_str(&code(word));
        } else {
            out.push_str(&word[..begin]);
            out.push_str(&code(core));
            out.push_str(&word[begin + core.len()..]);
        }
    }
}

/// Whether a word means nothing but itself, wherever it stands and whoever renders it.
fn is_plain(word: &str) -> bool {
    let body = word.trim_end_matches(':');
    let harmless =
        |c: char| c.is_alphanumeric() || matches!(c, ',' | '.' | ';' | '\'' | '"' | '(' | ')' | '/' | '-' | '→' | '%');
    word.len() - body.len() <= 1
        && body.chars().all(harmless)
        && body.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '(' | '"' | '\'' | '→'))
        && !is_list_number(body)
        && !is_reference(body)
        && !body.to_ascii_lowercase().contains("www.")
}

/// `1.` and `1)` would begin a list.
fn is_list_number(word: &str) -> bool {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < word.len() && matches!(rest, "." | ")")
}

/// What a forge may turn into a link: a commit's hash, and `ABC-12`.
fn is_reference(word: &str) -> bool {
    let is_hash = |run: &str| run.len() >= 7 && run.bytes().any(|byte| byte.is_ascii_digit());
    let ticket = word.split_once('-').is_some_and(|(project, number)| {
        project.len() >= 2
            && project.bytes().all(|byte| byte.is_ascii_uppercase())
            && number.starts_with(|c: char| c.is_ascii_digit())
    });
    ticket || word.split(|c: char| !c.is_ascii_hexdigit()).any(is_hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_stay_plain_and_all_others_are_code() {
        for (text, expected) in [
            (
                "its identity gains access to every key of vault kv-prod.",
                "its identity gains access to every key of vault kv-prod.",
            ),
            ("write `create: {}` on it", "write `create: {}` on it"),
            ("a lone ` here", "a lone  here"),
            ("@octocat see #12, GH-7 and org/repo#3", "`@octocat` see `#12`, `GH-7` and `org/repo#3`"),
            ("a|b `c|d`", "`a\\u{7c}b` `c\\u{7c}d`"),
            ("<img src=x> <!-- -->", "`<img` `src=x>` `<!--` `-->`"),
            (
                "https://evil.example www.evil.example me@evil.example",
                "`https://evil.example` `www.evil.example` `me@evil.example`",
            ),
            ("1. first - second + third", "`1`. first `-` second `+` third"),
            ("::error:: ##vso[x]", "`\\u{3a}:error`:: `\\u{23}#vso[x]`"),
            ("version 0123456789abcdef is used", "version `0123456789abcdef` is used"),
            ("**bold** _x_ ~~y~~ [z](q) :tada: $a$ &lt;", "`**bold**` `_x_` `~~y~~` `[z](q`) `:tada`: `$a$` `&lt`;"),
        ] {
            assert_eq!(prose(text), expected);
        }
        assert_eq!(code(""), "`\"\"`");
        assert_eq!(code("a\nb"), "`a\\u{a}b`");
    }
}
