//! The list of codes: each kind of problem with a summary and the long story that `explain` tells.
//!
//! A code is never given a second meaning: people search for it, and pipelines match on it.

mod calls;
mod more_rules;
mod refusals;
mod risks;
mod rules;
mod text;

/// A kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// `CMK` and three digits.
    pub id: &'static str,
    /// What it is, in a few words without names.
    pub summary: &'static str,
    /// What it means, why it is so, and what to do, in sentences.
    pub story: &'static str,
}

/// The code with this id, in any case: `CMK021`, `cmk021`.
pub fn find(id: &str) -> Option<&'static Code> {
    all().find(|code| code.id.eq_ignore_ascii_case(id.trim()))
}

/// All codes, by id.
pub fn all() -> impl Iterator<Item = &'static Code> {
    text::CODES
        .iter()
        .chain(rules::CODES)
        .chain(more_rules::CODES)
        .chain(refusals::CODES)
        .chain(calls::CODES)
        .chain(risks::CODES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn ids_are_unique_and_sorted() {
        let ids: Vec<&str> = all().map(|code| code.id).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
    }

    #[test]
    fn every_story_is_a_story() {
        for Code { id, summary, story } in all() {
            let digits = id.strip_prefix("CMK").unwrap();
            assert!(digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit()), "{id}");
            assert!(!summary.is_empty() && !summary.ends_with('.') && summary.len() < 80, "{id}: {summary}");
            let sentences = story.matches(". ").count() + story.matches(".\n").count() + 1;
            assert!(sentences >= 3, "{id} has only {sentences} sentences");
            assert!(story.ends_with('.') && story.contains("\nWhat to do: "), "{id} lacks the way out");
        }
    }

    #[test]
    fn a_code_is_found_in_any_case() {
        assert_eq!(find("cmk004").map(|code| code.id), Some("CMK004"));
        assert_eq!(find("CMK999"), None);
    }

    #[test]
    fn every_code_in_the_sources_is_listed() {
        let listed: BTreeSet<&str> = all().map(|code| code.id).collect();
        let mut used = BTreeSet::new();
        collect(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut used);
        used.remove("CMK999");
        let missing: Vec<&String> = used.iter().filter(|id| !listed.contains(id.as_str())).collect();
        assert!(missing.is_empty(), "codes without a story: {missing:?}");
    }

    fn collect(dir: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.extend(ids(&text));
            }
        }
    }

    fn ids(text: &str) -> impl Iterator<Item = String> + '_ {
        text.match_indices("CMK").filter_map(|(at, _)| {
            let digits: String = text[at + 3..].chars().take_while(char::is_ascii_digit).collect();
            (digits.len() == 3).then(|| format!("CMK{digits}"))
        })
    }
}
