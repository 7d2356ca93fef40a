//! Mistakes of typed reading, put into words: a code, a place and a way out for each.

use super::fields;
use super::shown::{listed, nearest, shown};
use super::yaml::{Complaint, Kind, Mistake, Node};
use crate::diag::Diagnostic;
use std::ops::Range;

/// Puts a mistake into words. `part` is what was read, before anything was marked in it,
/// `above` the path to it, and `own_key` the place of the key that it stands under.
pub(super) fn complain(part: &Node, above: &[String], own_key: &Range<usize>, mistake: &Mistake) -> Diagnostic {
    let Mistake { path, complaint } = mistake;
    let full: Vec<String> = above.iter().chain(path).cloned().collect();
    let key_span = if path.is_empty() { own_key.clone() } else { part.key_span(path) };
    match complaint {
        Complaint::UnknownField(known) => unknown_field(&full, known, key_span),
        Complaint::UnknownWord(known) => unknown_word(part.at(path), &full, known, part.value_span(path)),
        Complaint::MissingField(field) => missing_field(&full, field, key_span),
        Complaint::WrongType(expected) => wrong_type(part.at(path), &full, expected, part.value_span(path)),
        Complaint::TooMany => Diagnostic::error("CMK018", key_span, format!("too many problems in {}", named(&full)))
            .label("the rest of it was not read")
            .help("solve the problems listed and look again"),
    }
}

/// A place in the language for a sentence: "`accounts.st1`".
fn named(path: &[String]) -> String {
    if path.is_empty() { "the spec".to_owned() } else { format!("`{}`", shown(&path.join("."))) }
}

fn unknown_field(path: &[String], known: &[String], span: Range<usize>) -> Diagnostic {
    let (field, parents) = path.split_last().map_or(("", path), |(last, parents)| (last.as_str(), parents));
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let message = format!("{} has no field `{}`", named(parents), shown(field));
    let help = if let Some(meant) = nearest(field, known.iter().copied()) {
        format!("did you mean `{meant}`?")
    } else if let Some(help) = fields::foreign(field).or_else(|| fields::misplaced(field)) {
        help.to_owned()
    } else if known.is_empty() {
        "nothing can be said here; write `{}`".to_owned()
    } else {
        format!("its fields are {}", known.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "))
    };
    Diagnostic::error("CMK013", span, message).label("unknown field").help(help)
}

fn unknown_word(node: Option<&Node>, path: &[String], known: &[String], span: Range<usize>) -> Diagnostic {
    let written = match node.map(|node| &node.kind) {
        Some(Kind::Scalar { text, .. }) => text.as_str(),
        _ => "",
    };
    word(&field_of(path), written, known.iter().map(String::as_str), span)
}

/// The complaint about a word that is none of those that a field takes.
pub(super) fn word<'w>(
    field: &str,
    written: &str,
    known: impl Iterator<Item = &'w str> + Clone,
    span: Range<usize>,
) -> Diagnostic {
    let help = match (fields::foreign_word(written), nearest(written, known.clone())) {
        (Some(help), _) => help.to_owned(),
        (None, Some(meant)) => format!("did you mean `{meant}`?"),
        (None, None) => format!("write {}", listed(known)),
    };
    Diagnostic::error("CMK015", span, format!("`{field}` cannot be `{}`", shown(written)))
        .label("unknown word")
        .help(help)
}

/// A field that is not there and has to be.
pub(super) fn missing_field(path: &[String], field: &str, span: Range<usize>) -> Diagnostic {
    let message = format!("{} lacks its `{field}`", named(path));
    let help = fields::takes(field).map(|(takes, example)| format!("it takes {takes}: write `{example}`"));
    let diagnostic = Diagnostic::error("CMK016", span, message).label(format!("`{field}` is missing below"));
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// The name of the field that a path ends in; an item of a list goes by the list's name.
fn field_of(path: &[String]) -> String {
    let field = path.iter().rev().find(|step| !step.bytes().all(|b| b.is_ascii_digit()));
    shown(field.or(path.last()).map_or("", String::as_str))
}

fn wrong_type(node: Option<&Node>, path: &[String], expected: &str, span: Range<usize>) -> Diagnostic {
    let takes = match expected {
        "a boolean" => "`true` or `false`",
        "a string" => "text",
        "a sequence" => "a list",
        _ if expected.starts_with("struct ") || expected == "a map" => "a mapping",
        _ if expected.starts_with(['i', 'u']) || expected.contains("integer") => "a whole number",
        _ => "one word",
    };
    let found = match node.map(|node| &node.kind) {
        Some(Kind::Scalar { text, plain: true }) => format!("`{}`", shown(text)),
        Some(Kind::Scalar { text, plain: false }) => format!("the text \"{}\"", shown(text)),
        Some(Kind::Mapping(_)) => "a mapping".to_owned(),
        Some(Kind::Sequence(_)) => "a list".to_owned(),
        Some(Kind::Broken) | None => "this".to_owned(),
    };
    let field = field_of(path);
    let help = match fields::takes(&field) {
        Some((takes, example)) => format!("it takes {takes}, as in `{example}`"),
        None => "write its fields below it, indented, or `{}` if there is nothing to say about it".to_owned(),
    };
    let message = format!("{} takes {takes}, not {found}", named(path));
    Diagnostic::error("CMK014", span, message).label(format!("not {takes}")).help(help)
}
