//! Text -> `Spec`: what is written, entry by entry, with the place of everything.

use super::complaints::complain;
use super::fields::Language;
use super::shown::shown;
use super::types::{AccountEntry, Document, GroupEntry, IdentityEntry, VaultEntry};
use super::yaml::{self, Entry, Kind, Node};
use crate::diag::{Diagnostic, Diagnostics, Source};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::ops::Range;

/// The largest spec that is read, in bytes: some ten thousand entries.
pub const READ_LIMIT_BYTES: usize = 1 << 20;

/// How many problems are listed.
const PROBLEMS_MAX: usize = 200;

/// The version of the language that is read here.
const VERSION: &str = "1";

/// The top-level mappings whose entries are read one by one.
const ENTRIES: [&str; 4] = ["resourceGroups", "vaults", "identities", "accounts"];

/// The file as it is written; every value knows its place in the text.
#[derive(Debug, Clone)]
pub struct Spec {
    /// What is written. Where it was wrong the default stands instead.
    pub document: Document,
    /// The tree of the text, for the places.
    tree: Node,
    /// Whether reading it gave no error.
    sound: bool,
}

impl Spec {
    /// Whether reading it gave no error at all, so that what is absent was left out on purpose.
    pub fn is_sound(&self) -> bool {
        self.sound
    }

    /// The place of a key: `["accounts", "st1", "identity"]`; of the nearest key above when it is absent.
    pub fn key_span(&self, path: &[&str]) -> Range<usize> {
        self.tree.key_span(path)
    }

    /// The place of a value; of the nearest key above when it is absent.
    pub fn value_span(&self, path: &[&str]) -> Range<usize> {
        self.tree.value_span(path)
    }

    /// Whether something is written under a path, be it right or wrong.
    pub fn has(&self, path: &[&str]) -> bool {
        self.tree.at(path).is_some()
    }

    /// Whether what is written under a path was complained about already, so that nothing follows from it.
    pub fn is_broken(&self, path: &[&str]) -> bool {
        self.tree.at(path).is_some_and(|node| node.kind == Kind::Broken)
    }
}

/// Reads a spec. It comes back also when there are errors, as far as it could be read,
/// so that `resolve` can add its own; it must not be acted on then.
pub fn parse(source: &Source) -> (Option<Spec>, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let spec = whole(source, &mut diagnostics);
    limit(&mut diagnostics);
    (spec, diagnostics)
}

pub(super) fn whole(source: &Source, diagnostics: &mut Diagnostics) -> Option<Spec> {
    let mut tree = tree(Language::Spec, source, diagnostics)?;
    let mut document: Document = part(Language::Spec, &mut tree, &[], yaml::skeleton(&ENTRIES), diagnostics);
    document.resource_groups = entries::<GroupEntry>(&mut tree, "resourceGroups", diagnostics);
    document.vaults = entries::<VaultEntry>(&mut tree, "vaults", diagnostics);
    document.identities = entries::<IdentityEntry>(&mut tree, "identities", diagnostics);
    document.accounts = entries::<AccountEntry>(&mut tree, "accounts", diagnostics);
    Some(Spec { document, tree, sound: !diagnostics.has_errors() })
}

/// Reads a text as a mapping in a version of its language that is known.
pub(super) fn tree(language: Language, source: &Source, diagnostics: &mut Diagnostics) -> Option<Node> {
    if source.text.len() > READ_LIMIT_BYTES {
        diagnostics.push(
            Diagnostic::error("CMK011", 0..0, format!("the file is larger than {} KiB", READ_LIMIT_BYTES / 1024))
                .help("split it: each file is planned and applied by itself"),
        );
        return None;
    }
    let mut tree = yaml::scan(language, source, diagnostics)?;
    if !matches!(tree.kind, Kind::Mapping(_)) {
        let message = format!("{} is a mapping, with `version: 1` at its top", language.noun());
        diagnostics.push(
            Diagnostic::error("CMK014", tree.span.clone(), message)
                .label("not a key with a colon")
                .help(format!("`{}` is an example to start from", language.example())),
        );
        return None;
    }
    version(language, &mut tree, diagnostics)?;
    Some(tree)
}

/// Checks the version of the language before all else, since everything depends on it.
/// What is missing or written as text is complained about and taken for the number.
fn version(language: Language, tree: &mut Node, diagnostics: &mut Diagnostics) -> Option<()> {
    let help = "write `version: 1` at the top";
    let span = tree.value_span(&["version"]);
    let right = Node { span: span.clone(), kind: Kind::Scalar { text: VERSION.to_owned(), plain: true } };
    let Some(written) = tree.at_mut(&["version"]) else {
        let start = tree.span.start;
        let message = format!("{} does not say its `version`", language.noun());
        diagnostics.push(Diagnostic::error("CMK016", start..start, message).help(help));
        if let Kind::Mapping(entries) = &mut tree.kind {
            entries.insert("version".to_owned(), Entry { key_span: start..start, value: right });
        }
        return Some(());
    };
    match &written.kind {
        Kind::Scalar { text, plain: true } if text == VERSION => return Some(()),
        Kind::Scalar { text, plain: true } if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => {
            diagnostics.push(
                Diagnostic::error(
                    "CMK017",
                    span,
                    format!("version {} of the language of {} is not known", shown(text), language.noun()),
                )
                .label("this cmk reads version 1")
                .help("install a newer cmk, or write the file in version 1 of the language"),
            );
            return None;
        }
        Kind::Broken => {}
        Kind::Scalar { .. } | Kind::Mapping(_) | Kind::Sequence(_) => diagnostics.push(
            Diagnostic::error("CMK014", span, "`version` takes the number 1").label("not the number 1").help(help),
        ),
    }
    *written = right;
    Some(())
}

fn entries<T: DeserializeOwned + Default>(
    tree: &mut Node,
    field: &str,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<String, T> {
    let names: Vec<String> = match tree.at(&[field]).map(|node| &node.kind) {
        Some(Kind::Mapping(entries)) => entries.keys().cloned().collect(),
        _ => Vec::new(),
    };
    names
        .into_iter()
        .map(|name| {
            let entry = part(Language::Spec, tree, &[field, &name], yaml::flow, diagnostics);
            (name, entry)
        })
        .collect()
}

/// Reads one part of the tree, and says what is wrong with it.
pub(super) fn part<T: DeserializeOwned + Default>(
    language: Language,
    tree: &mut Node,
    path: &[&str],
    write: impl Fn(&Node) -> String,
    diagnostics: &mut Diagnostics,
) -> T {
    let Some(node) = tree.at_mut(path).filter(|node| node.kind != Kind::Broken) else { return T::default() };
    // The mistakes are put into words with the values as they were before they were marked.
    let before = node.clone();
    let (value, mistakes) = yaml::read(node, write);
    if !mistakes.is_empty() {
        let above: Vec<String> = path.iter().map(|step| (*step).to_owned()).collect();
        let own_key = tree.key_span(path);
        for mistake in mistakes {
            diagnostics.push(complain(language, &before, &above, &own_key, &mistake));
        }
    }
    value
}

/// Cuts a list of problems that nobody would read to its end, and says so.
pub(super) fn limit(diagnostics: &mut Diagnostics) {
    if diagnostics.len() <= PROBLEMS_MAX {
        return;
    }
    let hidden = diagnostics.len() - PROBLEMS_MAX;
    diagnostics.truncate(PROBLEMS_MAX);
    let last = diagnostics.iter().last().map_or(0..0, |last| last.span.clone());
    diagnostics.push(
        Diagnostic::error("CMK018", last, format!("{hidden} more problems are not listed"))
            .help("solve those above and look again"),
    );
}
