//! The tree of a YAML document, in which every key and every value knows its place.

use std::collections::BTreeMap;
use std::ops::Range;

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// Where it stands, in bytes of the text.
    pub span: Range<usize>,
    /// What it is.
    pub kind: Kind,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text, a number, a word.
    Scalar {
        /// The text without its quotes.
        text: String,
        /// Whether it was written without quotes, so that `1` is a number and `true` a truth value.
        plain: bool,
    },
    /// Keys and their values.
    Mapping(BTreeMap<String, Entry>),
    /// A list.
    Sequence(Vec<Node>),
    /// Something that was complained about already. It is there, so it is not missing, and nothing is read from it.
    Broken,
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Where the key stands.
    pub key_span: Range<usize>,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The entry of a mapping under a key.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.kind {
            Kind::Mapping(entries) => entries.get(key),
            Kind::Scalar { .. } | Kind::Sequence(_) | Kind::Broken => None,
        }
    }

    /// The value under a path of keys; in a list a key is a position from 0.
    pub(crate) fn at(&self, path: &[impl AsRef<str>]) -> Option<&Node> {
        path.iter().try_fold(self, |node, step| match &node.kind {
            Kind::Mapping(entries) => entries.get(step.as_ref()).map(|entry| &entry.value),
            Kind::Sequence(items) => items.get(step.as_ref().parse::<usize>().ok()?),
            Kind::Scalar { .. } | Kind::Broken => None,
        })
    }

    /// The value under a path, to be changed.
    pub(crate) fn at_mut(&mut self, path: &[impl AsRef<str>]) -> Option<&mut Node> {
        path.iter().try_fold(self, |node, step| match &mut node.kind {
            Kind::Mapping(entries) => entries.get_mut(step.as_ref()).map(|entry| &mut entry.value),
            Kind::Sequence(items) => items.get_mut(step.as_ref().parse::<usize>().ok()?),
            Kind::Scalar { .. } | Kind::Broken => None,
        })
    }

    /// The place of the key that a path ends in; of the value where there is no key.
    pub(crate) fn key_span(&self, path: &[impl AsRef<str>]) -> Range<usize> {
        let Some((last, parents)) = path.split_last() else { return self.span.clone() };
        match self.at(parents) {
            Some(parent) => match (parent.entry(last.as_ref()), &parent.kind) {
                (Some(entry), _) => entry.key_span.clone(),
                (None, Kind::Sequence(_)) => self.value_span(path),
                (None, Kind::Mapping(_) | Kind::Scalar { .. } | Kind::Broken) => self.key_span(parents),
            },
            None => self.key_span(parents),
        }
    }

    /// The place of the value under a path; of its nearest parent's key where it is absent.
    pub(crate) fn value_span(&self, path: &[impl AsRef<str>]) -> Range<usize> {
        match (self.at(path), path.split_last()) {
            (Some(node), _) => node.span.clone(),
            (None, Some((_, parents))) => self.key_span(parents),
            (None, None) => self.span.clone(),
        }
    }
}
