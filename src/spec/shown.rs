//! What somebody wrote, made fit to be quoted in a sentence; and what they may have meant.

use crate::model::text::is_unsafe;

/// The longest quotation, in characters.
const SHOWN_CHARS_MAX: usize = 60;

/// A text as it can be quoted: one line, not too long, nothing that a terminal would obey.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == SHOWN_CHARS_MAX {
            out.push('…');
            break;
        }
        if is_unsafe(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// The word that somebody meant, if one is near enough.
pub(crate) fn nearest<'w>(written: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let plain = |word: &str| word.replace(['_', '-', ' '], "").to_ascii_lowercase();
    let wanted = plain(written);
    // A long text is nobody's slip of the pen, and costs time to compare.
    if written.len() > 2 * SHOWN_CHARS_MAX {
        return None;
    }
    words
        .into_iter()
        .map(|word| (strsim::osa_distance(&wanted, &plain(word)), word))
        .filter(|(distance, word)| *distance <= word.chars().count().max(4) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// Words for a sentence: "`a`, `b` or `c`".
pub(crate) fn listed<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_is_short_and_harmless() {
        assert_eq!(shown("\u{1b}[31m"), "\\u{1b}[31m");
        assert_eq!(shown("a\u{61c}b\u{ad}"), "a\\u{61c}b\\u{ad}");
        assert_eq!(shown(&"x".repeat(100)).chars().count(), 61);
    }

    #[test]
    fn a_slip_and_a_foreign_spelling_are_understood() {
        let words = ["purgeProtection", "keys", "location"];
        assert_eq!(nearest("purgeProtecton", words), Some("purgeProtection"));
        assert_eq!(nearest("purge_protection", words), Some("purgeProtection"));
        assert_eq!(nearest("key", words), Some("keys"));
        assert_eq!(nearest("tags", words), None);
        assert_eq!(nearest("quite different", words), None);
    }

    #[test]
    fn words_are_listed_as_in_a_sentence() {
        assert_eq!(listed(["a", "b", "c"]), "`a`, `b` or `c`");
        assert_eq!(listed(["a"]), "`a`");
        assert_eq!(listed([]), "");
    }
}
