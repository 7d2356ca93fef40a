//! Text -> tree, with every complaint about the YAML itself.

use super::tree::{Entry, Kind, Node};
use crate::diag::{Diagnostic, Diagnostics, Source};
use crate::spec::fields::{self, Language};
use crate::spec::shown::shown;
use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span, Tag};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map;
use std::ops::Range;

/// How deep mappings and lists may be nested. The language itself needs six.
const DEPTH_MAX: usize = 32;

/// The longest key, in bytes. Names are shorter, and YAML itself ends a key at 1024 characters.
const KEY_BYTES_MAX: usize = 200;

/// Reads the one document of a text. Nothing comes back when the text ends in disorder or holds no document.
pub(crate) fn scan(language: Language, source: &Source, diagnostics: &mut Diagnostics) -> Option<Node> {
    let bom = if source.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let text = &source.text[bom..];
    if unprintable(text, bom, diagnostics) {
        return None;
    }
    let mut options = Options::default();
    options.emit_anchor_events = false;
    options.emit_unresolved_aliases = true;
    // Above our own limit, which then speaks first for block style.
    options.flow_nesting_limit = DEPTH_MAX * 2;
    options.block_nesting_limit = DEPTH_MAX * 2;
    let mut builder = Builder {
        language,
        text,
        bom,
        diagnostics,
        frames: Vec::new(),
        root: None,
        last: 0,
        documents: 0,
        last_alias: None,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        match event {
            Ok((event, span)) => match builder.take(event, &span) {
                Flow::On => {}
                Flow::Enough => break,
                Flow::Lost => return None,
            },
            Err(error) => {
                builder.syntax(&error);
                return None;
            }
        }
    }
    let root = builder.root.take();
    if root.is_none() {
        diagnostics.push(empty(language, bom));
    }
    root
}

fn empty(language: Language, at: usize) -> Diagnostic {
    Diagnostic::error("CMK002", at..at, "the file says nothing")
        .help(format!("begin with `version: 1`; `{}` is an example to start from", language.example()))
}

/// Complains about characters that YAML does not allow: once for a line, and about no more than ten lines.
fn unprintable(text: &str, bom: usize, diagnostics: &mut Diagnostics) -> bool {
    let bad = |c: char| {
        matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
            || (c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}'))
    };
    let mut start = bom;
    let mut lines = 0;
    for line in text.split_inclusive('\n') {
        if let Some((at, c)) = line.char_indices().find(|(_, c)| bad(*c)) {
            let at = start + at;
            let what = if c == '\u{feff}' { "a byte order mark" } else { "a control character" };
            diagnostics.push(
                Diagnostic::error(
                    "CMK012",
                    at..at + c.len_utf8(),
                    format!("{what} (U+{:04X}) inside the text", u32::from(c)),
                )
                .label("YAML does not allow this character")
                .help("remove it; in quoted text it can be written as an escape"),
            );
            lines += 1;
            if lines == 10 {
                break;
            }
        }
        start += line.len();
    }
    lines > 0
}

/// Whether to go on after an event.
enum Flow {
    On,
    /// What was read so far is the document.
    Enough,
    /// What was read so far is of no use.
    Lost,
}

/// A mapping or a list that is still open.
enum Frame {
    Mapping { start: usize, entries: BTreeMap<String, Entry>, key: Key },
    Sequence { start: usize, items: Vec<Node> },
}

/// The key of an open mapping whose value comes next.
enum Key {
    /// The next node is a key.
    Awaited,
    Text(String, Range<usize>),
    /// A key that was complained about: its value is thrown away.
    Dropped,
}

struct Builder<'s> {
    text: &'s str,
    /// How many bytes of byte order mark stand before `text`.
    bom: usize,
    language: Language,
    diagnostics: &'s mut Diagnostics,
    frames: Vec<Frame>,
    root: Option<Node>,
    /// Where the last scalar ended: the end of a block that has no end mark of its own.
    last: usize,
    documents: usize,
    /// Where the last alias stood in `text`.
    last_alias: Option<usize>,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: &Span) -> Flow {
        let place = self.place(span);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.second_document(place);
                    return Flow::Enough;
                }
            }
            Event::Scalar(text, style, _, tag) => {
                self.tagged(tag.as_ref(), span);
                self.last = place.end;
                self.scalar(text, style, place);
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.last = place.end;
                self.alias(place);
            }
            Event::MappingStart(_, _, tag) => {
                self.tagged(tag.as_ref(), span);
                let frame = Frame::Mapping { start: place.start, entries: BTreeMap::new(), key: Key::Awaited };
                return self.open(frame, place);
            }
            Event::SequenceStart(_, _, tag) => {
                self.tagged(tag.as_ref(), span);
                return self.open(Frame::Sequence { start: place.start, items: Vec::new() }, place);
            }
            Event::MappingEnd | Event::SequenceEnd => self.close(&place),
            _ => {}
        }
        Flow::On
    }

    fn place(&self, span: &Span) -> Range<usize> {
        let start = self.bom + span.start.byte_offset().unwrap_or(0);
        let end = self.bom + span.end.byte_offset().unwrap_or(0);
        start..end.max(start)
    }

    fn complain(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn second_document(&mut self, place: Range<usize>) {
        let marks = self.text[place.start - self.bom..].starts_with("---");
        let place = if marks { place.start..place.start + 3 } else { place };
        self.complain(
            Diagnostic::error("CMK003", place, "a file is one YAML document")
                .label("a second one begins here")
                .help("put each document into a file of its own, or remove the `---`"),
        );
    }

    fn tagged(&mut self, tag: Option<&Cow<'_, Tag>>, span: &Span) {
        let (Some(tag), Some(start)) = (tag, span.tag_start()) else { return };
        let written = tag.original();
        let start = self.bom + start.byte_offset().unwrap_or(0);
        self.complain(
            Diagnostic::error(
                "CMK009",
                start..start + written.len(),
                format!("the tag `{}` has no meaning here", shown(&written)),
            )
            .label("nothing here has a tag")
            .help("remove the tag; put quotes around a value to make it text"),
        );
    }

    fn open(&mut self, frame: Frame, place: Range<usize>) -> Flow {
        if self.frames.len() >= DEPTH_MAX {
            self.too_deep(place);
            return Flow::Lost;
        }
        self.frames.push(frame);
        Flow::On
    }

    fn too_deep(&mut self, place: Range<usize>) {
        self.complain(
            Diagnostic::error("CMK010", place, format!("nested more than {DEPTH_MAX} levels deep"))
                .label("one level too many")
                .help("six levels are enough; look for a bracket or an indentation that is never closed"),
        );
    }

    fn close(&mut self, place: &Range<usize>) {
        if !place.is_empty() {
            self.last = place.end;
        }
        let (start, kind) = match self.frames.pop() {
            Some(Frame::Mapping { start, entries, .. }) => (start, Kind::Mapping(entries)),
            Some(Frame::Sequence { start, items }) => (start, Kind::Sequence(items)),
            None => return,
        };
        self.finish(Node { span: start..self.last.max(start), kind });
    }

    fn scalar(&mut self, text: Cow<'_, str>, style: ScalarStyle, place: Range<usize>) {
        let plain = style == ScalarStyle::Plain;
        let null = plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
        let key_is_next = matches!(self.frames.last(), Some(Frame::Mapping { key: Key::Awaited, .. }));
        if null && !key_is_next {
            self.null(place);
        } else if null {
            self.unusable_key(place, "a name is missing before the colon");
        } else {
            self.finish(Node { span: place, kind: Kind::Scalar { text: text.into_owned(), plain } });
        }
    }

    /// A value that is not there: `create:` and nothing behind it.
    fn null(&mut self, place: Range<usize>) {
        let (span, message, help) = match self.frames.last() {
            None => return,
            Some(Frame::Mapping { key: Key::Text(key, span), .. }) => {
                (span.clone(), format!("`{}` has no value", shown(key)), fields::missing_value(self.language, key))
            }
            Some(Frame::Mapping { .. }) => return self.finish(Node { span: place, kind: Kind::Broken }),
            Some(Frame::Sequence { .. }) => (
                place.clone(),
                "an item of the list has no value".to_owned(),
                "write a value, or remove the `-`".to_owned(),
            ),
        };
        self.complain(Diagnostic::error("CMK006", span, message).label("nothing stands behind it").help(help));
        self.finish(Node { span: place, kind: Kind::Broken });
    }

    fn alias(&mut self, place: Range<usize>) {
        // The value of a merge key: the key was complained about.
        let merged = matches!(self.frames.last(), Some(Frame::Mapping { key: Key::Dropped, .. }));
        // One complaint for a line: an alias bomb has thousands.
        let said = self.last_alias.is_some_and(|last| !self.text[last..place.start - self.bom].contains('\n'));
        self.last_alias = Some(place.start - self.bom);
        if !merged && !said {
            let name = shown(&self.text[place.start - self.bom..place.end - self.bom]);
            self.complain(
                Diagnostic::error("CMK007", place.clone(), format!("the alias `{name}` is not followed"))
                    .label("write out what it stands for")
                    .help("values that many entries share belong into `defaults`"),
            );
        }
        self.finish(Node { span: place, kind: Kind::Broken });
    }

    fn unusable_key(&mut self, place: Range<usize>, message: &str) {
        self.complain(
            Diagnostic::error("CMK005", place, message)
                .label("this is no name")
                .help("write a plain name and a colon, as in `stquickstart:`"),
        );
        if let Some(Frame::Mapping { key, .. }) = self.frames.last_mut() {
            *key = Key::Dropped;
        }
    }

    /// Puts a complete node where it belongs: into the open mapping as key or value, into the open list, or on top.
    fn finish(&mut self, node: Node) {
        match self.frames.last_mut() {
            None => self.root = Some(node),
            Some(Frame::Sequence { items, .. }) => items.push(node),
            Some(Frame::Mapping { key, entries, .. }) => match std::mem::replace(key, Key::Awaited) {
                Key::Awaited => self.key(node),
                Key::Dropped => {}
                Key::Text(name, key_span) => {
                    if let Some(first) =
                        insert(entries, name.clone(), Entry { key_span: key_span.clone(), value: node })
                    {
                        self.duplicate(&name, key_span, first);
                    }
                }
            },
        }
    }

    fn key(&mut self, node: Node) {
        let Node { span, kind } = node;
        let Kind::Scalar { text, plain } = kind else {
            // Of an alias enough was said.
            let message = if kind == Kind::Broken { None } else { Some("a list or a mapping cannot be a name") };
            return match (message, self.frames.last_mut()) {
                (Some(message), _) => self.unusable_key(span, message),
                (None, Some(Frame::Mapping { key, .. })) => *key = Key::Dropped,
                (None, _) => {}
            };
        };
        if text.len() > KEY_BYTES_MAX {
            return self.unusable_key(span, "no name is as long as this");
        }
        let merge = plain && text == "<<";
        if merge {
            self.complain(
                Diagnostic::error("CMK008", span.clone(), "the merge key `<<` is not followed")
                    .label("not part of YAML 1.2")
                    .help("values that many entries share belong into `defaults`; write out the rest"),
            );
        }
        if let Some(Frame::Mapping { key, .. }) = self.frames.last_mut() {
            *key = if merge { Key::Dropped } else { Key::Text(text, span) };
        }
    }

    fn duplicate(&mut self, name: &str, again: Range<usize>, first: Range<usize>) {
        self.complain(
            Diagnostic::error("CMK004", again, format!("`{}` is written twice", shown(name)))
                .label("here again")
                .related(first, "first written here")
                .help("keep one of the two, or put what belongs together under one"),
        );
    }

    fn syntax(&mut self, error: &ScanError) {
        let at = error.marker().byte_offset().unwrap_or(self.text.len()).min(self.text.len());
        let width = self.text[at..].chars().next().filter(|c| *c != '\n' && *c != '\r').map_or(0, char::len_utf8);
        let place = self.bom + at..self.bom + at + width;
        if *error.kind() == ErrorKind::RecursionLimitExceeded {
            return self.too_deep(place);
        }
        let line = &self.text[self.text[..at].rfind('\n').map_or(0, |start| start + 1)..];
        let indent: String = line.chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
        let diagnostic = Diagnostic::error("CMK001", place, format!("this is not YAML: {}", error.info()));
        let help = if indent.contains('\t') {
            "indent with spaces; YAML allows no tabs there"
        } else if error.info().contains("unclosed") || at >= self.text.trim_end().len() {
            "what is opened here is never closed: look for the quote, bracket or brace that is missing"
        } else {
            "look at the indentation, and for a missing colon, quote or bracket here or one line above"
        };
        self.complain(diagnostic.label("reading stopped here").help(help));
    }
}

/// Adds an entry. When the key is there already its place comes back, the first value
/// stays, and of two mappings the entries are joined, so that each of them is still checked.
fn insert(entries: &mut BTreeMap<String, Entry>, key: String, entry: Entry) -> Option<Range<usize>> {
    match entries.entry(key) {
        btree_map::Entry::Vacant(vacant) => {
            vacant.insert(entry);
            None
        }
        btree_map::Entry::Occupied(mut held) => {
            let held = held.get_mut();
            if let (Kind::Mapping(first), Kind::Mapping(again)) = (&mut held.value.kind, entry.value.kind) {
                for (key, entry) in again {
                    insert(first, key, entry);
                }
            }
            Some(held.key_span.clone())
        }
    }
}
