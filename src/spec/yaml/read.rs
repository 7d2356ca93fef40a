//! Tree -> typed values, with every mistake and not only the first.
//!
//! `serde_yaml` stops at its first error. So what it complained about is marked as broken
//! in the tree, and the same part is read again without it, until nothing is left to say.

use super::tree::{Kind, Node};
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use std::fmt::Write as _;

/// How many mistakes one part may hold before reading gives up on it: each costs one more look.
const MISTAKES_MAX: usize = 50;

/// Something that does not fit the types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Where, from the part that was read.
    pub path: Vec<String>,
    /// What.
    pub complaint: Complaint,
}

/// What does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Complaint {
    /// The path ends in a field that does not exist; those that do.
    UnknownField(Vec<String>),
    /// The path ends in a word that does not exist; those that do.
    UnknownWord(Vec<String>),
    /// The path ends in a mapping that lacks a field.
    MissingField(String),
    /// The path ends in a value of a wrong type; the type that was expected, in serde's words.
    WrongType(String),
    /// There were too many to go on.
    TooMany,
}

/// Reads a part of the tree. What is wrong comes back as mistakes and is marked as broken.
pub(crate) fn read<T: DeserializeOwned + Default>(
    part: &mut Node,
    write: impl Fn(&Node) -> String,
) -> (T, Vec<Mistake>) {
    let mut mistakes = Vec::new();
    while mistakes.len() < MISTAKES_MAX {
        let (path, message) = match attempt::<T>(&write(part)) {
            Ok(value) => return (value, mistakes),
            Err(failed) => failed,
        };
        let found = explain(part, real(part, path), &message);
        let hopeless = found.iter().any(|mistake| mistake.path.is_empty());
        let mut progress = false;
        for mistake in found {
            // It is there, and something was said about it already.
            let said = matches!(&mistake.complaint, Complaint::MissingField(field)
                if part.at(&mistake.path).is_some_and(|node| node.entry(field).is_some()));
            if let Some(culprit) = part.at_mut(&mistake.path).filter(|node| node.kind != Kind::Broken) {
                culprit.kind = Kind::Broken;
                progress = true;
            }
            if !said {
                mistakes.push(mistake);
            }
        }
        if hopeless || !progress {
            return (T::default(), mistakes);
        }
    }
    mistakes.push(Mistake { path: Vec::new(), complaint: Complaint::TooMany });
    (T::default(), mistakes)
}

fn attempt<T: DeserializeOwned>(text: &str) -> Result<T, (Vec<String>, String)> {
    serde_path_to_error::deserialize(serde_yaml::Deserializer::from_str(text)).map_err(|error| {
        let path = error
            .path()
            .iter()
            .filter_map(|segment| match segment {
                Segment::Seq { index } => Some(index.to_string()),
                Segment::Map { key } => Some(key.clone()),
                Segment::Enum { .. } | Segment::Unknown => None,
            })
            .collect();
        (path, error.inner().to_string())
    })
}

/// The path in the tree: positions in a list count the broken items too, which were not written.
fn real(part: &Node, path: Vec<String>) -> Vec<String> {
    let mut node = Some(part);
    let mut out = Vec::new();
    for step in path {
        let step = match node.map(|node| &node.kind) {
            Some(Kind::Sequence(items)) => {
                let sound = items.iter().enumerate().filter(|(_, item)| item.kind != Kind::Broken);
                let position = step.parse().ok().and_then(|at: usize| sound.map(|(at, _)| at).nth(at));
                position.map_or(step, |at| at.to_string())
            }
            _ => step,
        };
        node = node.and_then(|node| node.at(&[&step]));
        out.push(step);
    }
    out
}

/// Makes mistakes of serde's words, which are the same for every format. There is more
/// than one only when a mapping has several unknown fields.
fn explain(part: &Node, mut path: Vec<String>, message: &str) -> Vec<Mistake> {
    let words = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let rest = |mark: &str| message.split_once(mark).map(|(_, rest)| rest);
    if let Some(list) = rest("unknown field `") {
        // The list of known fields comes last, behind a field whose name may hold anything.
        let known = words(list.rsplit_once("`, expected ").map_or("", |(_, known)| known));
        // The path may end in the mapping or in the field itself.
        let own = path.split_last().filter(|(last, parents)| {
            list.strip_prefix(last.as_str()).is_some_and(|rest| rest.starts_with('`')) && part.at(parents).is_some()
        });
        let found = match own.map(|(_, parents)| unknown_fields(part, parents, &known)) {
            Some(found) if !found.is_empty() => found,
            _ => unknown_fields(part, &path, &known),
        };
        if !found.is_empty() {
            return found;
        }
    }
    while !path.is_empty() && part.at(&path).is_none() {
        path.pop();
    }
    let complaint = if let Some(list) = rest("unknown variant `") {
        Complaint::UnknownWord(words(list.rsplit_once("`, expected ").map_or("", |(_, known)| known)))
    } else if let Some(field) = rest("missing field `") {
        Complaint::MissingField(field.split('`').next().unwrap_or_default().to_owned())
    } else {
        let expected = message.rsplit_once(", expected ").map_or("", |(_, rest)| rest);
        Complaint::WrongType(expected.split(" at line ").next().unwrap_or_default().to_owned())
    };
    vec![Mistake { path, complaint }]
}

/// All fields of a mapping that are not known.
fn unknown_fields(part: &Node, mapping: &[String], known: &[String]) -> Vec<Mistake> {
    let Some(Kind::Mapping(entries)) = part.at(mapping).map(|node| &node.kind) else { return Vec::new() };
    entries
        .iter()
        .filter(|(key, entry)| entry.value.kind != Kind::Broken && !known.contains(key))
        .take(MISTAKES_MAX)
        .map(|(key, _)| Mistake {
            path: mapping.iter().chain([key]).cloned().collect(),
            complaint: Complaint::UnknownField(known.to_vec()),
        })
        .collect()
}

/// A part of the tree as YAML on one line, with quotes where a value was text.
///
/// Not a slice of the source: broken parts are left out, and neither aliases nor
/// indentation can surprise.
pub(crate) fn flow(node: &Node) -> String {
    let mut out = String::new();
    write_node(&mut out, node);
    out
}

/// The top of the tree with nothing inside the mappings under these keys.
pub(crate) fn skeleton<'k>(hollow: &'k [&'k str]) -> impl Fn(&Node) -> String + 'k {
    move |node| {
        let Kind::Mapping(entries) = &node.kind else { return flow(node) };
        let mut out = String::from("{");
        for (key, entry) in entries.iter().filter(|(_, entry)| entry.value.kind != Kind::Broken) {
            write_text(&mut out, key);
            out.push_str(": ");
            if hollow.contains(&key.as_str()) && matches!(entry.value.kind, Kind::Mapping(_)) {
                out.push_str("{}");
            } else {
                write_node(&mut out, &entry.value);
            }
            out.push_str(", ");
        }
        out.push('}');
        out
    }
}

fn write_node(out: &mut String, node: &Node) {
    match &node.kind {
        Kind::Scalar { text, plain } if *plain && needs_no_quotes(text) => out.push_str(text),
        Kind::Scalar { text, .. } => write_text(out, text),
        Kind::Mapping(entries) => {
            out.push('{');
            for (key, entry) in entries.iter().filter(|(_, entry)| entry.value.kind != Kind::Broken) {
                write_text(out, key);
                out.push_str(": ");
                write_node(out, &entry.value);
                out.push_str(", ");
            }
            out.push('}');
        }
        Kind::Sequence(items) => {
            out.push('[');
            for item in items.iter().filter(|item| item.kind != Kind::Broken) {
                write_node(out, item);
                out.push_str(", ");
            }
            out.push(']');
        }
        Kind::Broken => out.push_str("{}"),
    }
}

/// Whether a plain text means the same inside braces: numbers, truth values and simple words do.
fn needs_no_quotes(text: &str) -> bool {
    let rest = text.strip_prefix(['-', '+', '.']).unwrap_or(text);
    rest.starts_with(|c: char| c.is_ascii_alphanumeric())
        && rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'+' | b'-'))
}

/// A text in double quotes, with everything escaped that is not plain ASCII.
fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            other => {
                // The shortest escape: YAML ends a key after 1024 characters. Writing into a string cannot fail.
                let _ = match u32::from(other) {
                    code @ ..0x100 => write!(out, "\\x{code:02X}"),
                    code @ 0x100..0x1_0000 => write!(out, "\\u{code:04X}"),
                    code => write!(out, "\\U{code:08X}"),
                };
            }
        }
    }
    out.push('"');
}
