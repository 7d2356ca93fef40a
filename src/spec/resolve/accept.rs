//! What a spec says yes to by itself: only what cannot be undone, only of things that it makes, only for a time.

use super::{Resolver, beginning, day};
use crate::diag::Diagnostic;
use crate::model::{SpecAccept, Timestamp};
use crate::spec::shown::{nearest, shown};
use crate::spec::types::AcceptEntry;

/// The one risk that a spec can acknowledge: irreversible.
const CODE: &str = "CMK402";

impl Resolver<'_> {
    pub(super) fn accept(&mut self) {
        let spec = self.spec;
        // Broken items were not read, so what was read stands at the places of the sound ones.
        let places = (0..).map(|at: usize| at.to_string()).take_while(|at| spec.has(&["accept", at]));
        let sound = places.filter(|at| !spec.is_broken(&["accept", at]));
        for (at, entry) in sound.zip(&spec.document.accept) {
            let AcceptEntry { code, object, until } = entry;
            let is_code = self.accept_code(&at, code);
            // Of a risk that a spec cannot say yes to, it does not matter on what.
            let object = if is_code { self.accept_object(&at, object) } else { None };
            let ends = self.accept_end(&at, until);
            if let (Some(object), Some(ends)) = (object, ends) {
                self.desired.accepts.push(SpecAccept { object, ends, until: until.clone() });
            }
        }
        self.desired.accepts.sort();
        self.desired.accepts.dedup();
    }

    fn is_unread(&self, at: &str, field: &str) -> bool {
        let path = ["accept", at, field];
        self.spec.is_broken(&path) || !self.spec.has(&path)
    }

    fn accept_code(&mut self, at: &str, written: &str) -> bool {
        let is_right = written.eq_ignore_ascii_case(CODE);
        if !is_right && !self.is_unread(at, "code") {
            let span = self.spec.value_span(&["accept", at, "code"]);
            self.say(
                Diagnostic::error("CMK041", span, format!("a spec cannot say yes to `{}`", shown(written)))
                    .label("only `CMK402`, what cannot be undone, of a thing that this spec makes")
                    .help("take the entry out, and say yes with `--accept CODE:OBJECT` or by approving the plan"),
            );
        }
        is_right
    }

    fn accept_object(&mut self, at: &str, written: &str) -> Option<String> {
        if self.is_unread(at, "object") {
            return None;
        }
        let document = &self.spec.document;
        let vaults = document.vaults.iter().map(|(name, entry)| ("vault", name, entry.create.is_some()));
        let accounts = document.accounts.iter().map(|(name, entry)| ("account", name, entry.create.is_some()));
        let all: Vec<(String, bool)> =
            vaults.chain(accounts).map(|(kind, name, is_made)| (format!("{kind}/{name}"), is_made)).collect();
        let found = all.iter().find(|(object, _)| object.eq_ignore_ascii_case(written));
        let (label, help) = match found {
            Some((object, true)) => return Some(object.to_ascii_lowercase()),
            Some((_, false)) => (
                "its entry has no `create`, so it exists already",
                "others may rely on it: say yes with `--accept CMK402:OBJECT`, or by approving the plan".to_owned(),
            ),
            None => (
                "no entry of this file",
                match nearest(written, all.iter().map(|(object, _)| object.as_str())) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => "name a kind and an entry with `create`, as in `object: vault/kv-prod`".to_owned(),
                },
            ),
        };
        let span = self.spec.value_span(&["accept", at, "object"]);
        self.say(
            Diagnostic::error("CMK042", span, format!("this spec does not make `{}`", shown(written)))
                .label(label)
                .help(help),
        );
        None
    }

    /// The first moment after the last day.
    fn accept_end(&mut self, at: &str, written: &str) -> Option<Timestamp> {
        if self.is_unread(at, "until") {
            return None;
        }
        let ends = day(written).and_then(|day| day.tomorrow().ok()).and_then(beginning);
        if ends.is_none() {
            let span = self.spec.value_span(&["accept", at, "until"]);
            self.say(
                Diagnostic::error("CMK043", span, format!("`{}` is no day", shown(written)))
                    .label("year, month and day")
                    .help("write the last day on which it counts, as in `until: 2026-12-31`"),
            );
        }
        ends
    }
}
