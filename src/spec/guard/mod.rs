//! Text -> `Guard`: what a pipeline may touch at all. Every problem at once, each with its place, as of a spec.

mod types;

pub(super) use types::GuardDocument;

use super::complaints::missing_field;
use super::fields::Language;
use super::parse;
use super::shown::shown;
use super::yaml::{self, Kind as Form, Node};
use crate::diag::{Diagnostic, Diagnostics, Source};
use crate::model::ids::is_guid;
use crate::model::key::KEY_SIZES_BITS;
use crate::model::{Guard, Pattern};
use std::collections::BTreeSet;
use types::{GuardKeys, GuardPerRun, KeyTypeWord};

/// Reads a guard. It comes back only when there is no error at all: half a guard would be none.
pub fn load_guard(source: &Source) -> (Option<Guard>, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let guard = parse::tree(Language::Guard, source, &mut diagnostics).map(|mut tree| {
        let document: GuardDocument = parse::part(Language::Guard, &mut tree, &[], yaml::flow, &mut diagnostics);
        let mut reader = Reader { tree: &tree, diagnostics: &mut diagnostics };
        let guard = reader.guard(&document);
        if !reader.diagnostics.has_errors() {
            reader.something(&guard);
        }
        guard
    });
    parse::limit(&mut diagnostics);
    (guard.filter(|_| !diagnostics.has_errors()), diagnostics)
}

struct Reader<'a> {
    tree: &'a Node,
    diagnostics: &'a mut Diagnostics,
}

/// What a pattern may be of: its list, a test, and the rule in words.
type Kind = (&'static str, fn(&str) -> bool, &'static str);

const TENANTS: Kind = ("tenants", is_id, "a tenant's id, a GUID, or `\"*\"` for any");
const SUBSCRIPTIONS: Kind = ("subscriptions", is_id, "a subscription's id, a GUID, or `\"*\"` for any");
const GROUPS: Kind = ("resourceGroups", is_group, "letters, digits, `.`, `_`, `-`, parentheses and `*`");
const VAULTS: Kind = ("vaults", is_vault, "letters, digits, hyphens and `*`");
const ACCOUNTS: Kind = ("accounts", is_account, "lower-case letters, digits and `*`");

fn is_id(text: &str) -> bool {
    text == "*" || is_guid(text)
}

fn is_group(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '(' | ')' | '*'))
}

fn is_vault(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'*'))
}

fn is_account(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'*')
}

impl Reader<'_> {
    fn guard(&mut self, document: &GuardDocument) -> Guard {
        let GuardDocument {
            version: _,
            tenants,
            subscriptions,
            resource_groups,
            vaults,
            accounts,
            keys,
            permissions,
            per_run,
        } = document;
        let GuardKeys { types, sizes } = keys.clone().unwrap_or_default();
        let GuardPerRun { accounts: accounts_max, risk } = per_run.clone().unwrap_or_default();
        Guard {
            tenants: self.patterns(TENANTS, tenants),
            subscriptions: self.patterns(SUBSCRIPTIONS, subscriptions),
            resource_groups: self.patterns(GROUPS, resource_groups),
            vaults: self.patterns(VAULTS, vaults),
            accounts: self.patterns(ACCOUNTS, accounts),
            key_types: types.map(|types| types.into_iter().map(key_type).collect()),
            key_sizes_bits: sizes.map(|sizes| self.sizes(&sizes)),
            permissions: permissions.as_ref().map(|words| words.iter().map(|word| word.permission()).collect()),
            accounts_max: accounts_max.map(u64::from),
            risk_max: risk.map(|risk| risk.as_str().to_owned()),
        }
    }

    /// The places of the items of a list that were read; those that were complained about were not.
    fn sound(&self, list: &[&str]) -> Vec<String> {
        let items = match self.tree.at(list).map(|node| &node.kind) {
            Some(Form::Sequence(items)) => items.as_slice(),
            _ => &[],
        };
        let sound = items.iter().enumerate().filter(|(_, item)| item.kind != Form::Broken);
        sound.map(|(at, _)| at.to_string()).collect()
    }

    fn patterns(&mut self, (field, is_right, rule): Kind, written: &[String]) -> Vec<Pattern> {
        if self.tree.at(&[field]).is_none() {
            let start = self.tree.span.start;
            self.diagnostics.push(missing_field(Language::Guard, &[], field, start..start));
        }
        let items = self.sound(&[field]).into_iter().zip(written);
        for (at, text) in items.filter(|(_, text)| text.is_empty() || !is_right(text)) {
            let span = self.tree.value_span(&[field, &at]);
            let message = format!("`{}` fits nothing under `{field}`", shown(text));
            self.diagnostics.push(
                Diagnostic::error("CMK050", span, message).label(format!("not {rule}")).help(format!("write {rule}")),
            );
        }
        written.iter().map(|text| Pattern::new(text)).collect()
    }

    fn sizes(&mut self, written: &[i64]) -> BTreeSet<u32> {
        let mut sizes = BTreeSet::new();
        for (at, size) in self.sound(&["keys", "sizes"]).into_iter().zip(written) {
            match u32::try_from(*size).ok().filter(|size| KEY_SIZES_BITS.contains(size)) {
                Some(size) => {
                    sizes.insert(size);
                }
                None => self.diagnostics.push(
                    Diagnostic::error(
                        "CMK021",
                        self.tree.value_span(&["keys", "sizes", &at]),
                        format!("storage cannot use a key of {size} bits"),
                    )
                    .label("storage accepts RSA keys of 2048, 3072 or 4096 bits")
                    .help("write sizes out of 2048, 3072 and 4096"),
                ),
            }
        }
        sizes
    }

    /// Warns of a guard that guards nothing.
    fn something(&mut self, guard: &Guard) {
        let Guard {
            tenants,
            subscriptions,
            resource_groups,
            vaults,
            accounts,
            key_types,
            key_sizes_bits,
            permissions,
            accounts_max,
            risk_max,
        } = guard;
        let any = Pattern::new("*");
        let anywhere =
            [tenants, subscriptions, resource_groups, vaults, accounts].iter().all(|patterns| patterns.contains(&any));
        let unlimited = key_types.is_none() && key_sizes_bits.is_none() && permissions.is_none();
        if anywhere && unlimited && accounts_max.is_none() && risk_max.is_none() {
            let span = self.tree.key_span(&["version"]);
            self.diagnostics.push(
                Diagnostic::warning("CMK051", span, "the guard allows everything")
                    .label("it will never refuse anything")
                    .help("name the places that this pipeline is for, or do without a guard"),
            );
        }
    }
}

fn key_type(word: KeyTypeWord) -> String {
    match word {
        KeyTypeWord::Rsa => "RSA".to_owned(),
        KeyTypeWord::RsaHsm => "RSA-HSM".to_owned(),
    }
}
