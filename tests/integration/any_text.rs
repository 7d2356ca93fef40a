//! Whatever the text: no panic, no endless work, and every complaint has a place in it.

use cmk::diag::{self, Source, codes};
use cmk::spec;
use proptest::prelude::*;

const QUICKSTART: &str = include_str!("../../specs/quickstart.yaml");

/// Loads a text and checks what must hold for all texts.
fn check(text: &str) -> usize {
    let source = Source { name: "any.yaml".to_owned(), text: text.to_owned() };
    let (desired, diagnostics) = spec::load(&source);
    assert_eq!(desired.is_none(), diagnostics.has_errors());
    for diagnostic in &diagnostics {
        assert!(diagnostic.span.start <= diagnostic.span.end && diagnostic.span.end <= text.len(), "{diagnostic:?}");
        assert!(text.is_char_boundary(diagnostic.span.start) && text.is_char_boundary(diagnostic.span.end));
        assert!(codes::find(diagnostic.code).is_some());
        assert!(!diagnostic.message.chars().any(char::is_control), "{:?}", diagnostic.message);
        let (line, column) = diag::place(&source, diagnostic.span.start);
        assert!(line >= 1 && column >= 1);
    }
    let rendered = diag::render(&source, &diagnostics, false);
    assert_eq!(rendered.is_empty(), diagnostics.is_empty());
    diagnostics.len()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_is_read_without_panic(text in "\\PC{0,200}") {
        check(&text);
    }

    #[test]
    fn yaml_like_text_is_read_without_panic(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "version: 1", "vaults:", "accounts:", "resourceGroups:", "defaults:", "  ", "    ", "\n", "\n", "\r\n", "\t",
                "a:", "b: ", "create: {}", "{", "}", "[", "]", ", ", ": ", "? ", "- ", "~", "null", "&a ", "*a", "<<: *a",
                "!!str ", "!t ", "'", "\"", "|", ">", "---", "...", "#", "%YAML 1.2", "é", "\u{feff}", "\u{1b}", "1e3", "\\x07",
                "encryption: { key: a/b }", "permissions: [get, x]", "keys: { k: { create: { size: 1 } } }",
            ]),
            0..40,
        ),
    ) {
        check(&words.concat());
    }

    #[test]
    fn a_damaged_quickstart_is_read_without_panic(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, "\\PC{0,3}|[\\n\\t {}\\[\\]:,&*!?~-]{0,3}"), 1..4),
    ) {
        let mut text: Vec<char> = QUICKSTART.chars().collect();
        for (at, length, put) in cuts {
            let start = at.index(text.len() + 1);
            let end = (start + length).min(text.len());
            text.splice(start..end, put.chars());
        }
        check(&text.into_iter().collect::<String>());
    }
}

/// A text of many pieces, each with its number in place of `#`.
fn numbered(count: usize, piece: &str) -> String {
    (0..count).fold(String::new(), |text, n| text + &piece.replace('#', &n.to_string()))
}

/// Each of these is as large as a spec may be. No time is measured: work that grows with the
/// square of the size would take minutes here, and be noticed.
#[test]
fn texts_made_to_cost_time_cost_little() {
    let filled = |piece: &str| piece.repeat((spec::READ_LIMIT_BYTES - 64) / piece.len());
    let vault = |pieces: &str| format!("version: 1\nvaults: {{ kv: {{ {pieces} }} }}\n");
    let texts = [
        filled("["),
        filled("{a: "),
        filled("- "),
        filled("? "),
        filled("\n"),
        filled("\u{1}\n"),
        filled("a: &a *a\n"),
        filled("\"\\x41"),
        filled("# comment\n"),
        format!("version: 1\naccounts: [{}]", filled("*a, ")),
        format!("version: 1\naccounts:\n{}", numbered(30_000, "  st#: { bad: 1 }\n")),
        vault(&numbered(60_000, "f#: 1, ")),
        vault(&filled("location: x, ")),
        format!("version: 1\nvaults: {{}}\n{}{}", "#\n".repeat(100_000), "vaults: {}\n".repeat(300)),
        format!("version: 1\nvaults: {{}} #{}\n{}", "y".repeat(200_000), "vaults: {}\n".repeat(300)),
        vault(&filled("? a : b, ")),
        vault(&format!("location: {}", "x".repeat(1_000_000))),
        format!("version: 1\n{}: 1", "k".repeat(1_000_000)),
        "x".repeat(spec::READ_LIMIT_BYTES + 1),
    ];
    for text in texts {
        assert!(check(&text) >= 1, "{text:.60}");
    }
}
