//! Rules that lie between an account and the vault of its key: references, purge protection, regions.

use super::Resolver;
use crate::diag::Diagnostic;
use crate::model::{KeyName, KeyRef, VaultName};
use crate::spec::shown::{nearest, shown};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

impl<'s> Resolver<'s> {
    /// Checks each account against the vault of its key.
    pub(super) fn pairs(&mut self) {
        let uses = std::mem::take(&mut self.uses);
        let mut first_users: BTreeMap<&str, &str> = BTreeMap::new();
        for (account, vault) in uses {
            first_users.entry(vault).or_insert(account);
            if self.spec.document.policy.same_region {
                self.same_region(account, vault);
            }
        }
        for (vault, user) in first_users {
            self.purge_protection(vault, user);
        }
    }

    /// The declared vault under a name, as its entry spells it, and the key in it if their names are right.
    pub(super) fn lookup(&mut self, span: Range<usize>, vault: &str, key: &str) -> Option<(&'s str, Option<KeyRef>)> {
        let spec = self.spec;
        let vaults = &spec.document.vaults;
        let Some((declared, entry)) = vaults.iter().find(|(name, _)| name.eq_ignore_ascii_case(vault)) else {
            self.no_vault(span, vault, key);
            return None;
        };
        let keys_at = ["vaults", declared.as_str(), "keys"];
        // Of what could not be read it cannot be said that the key is not in it.
        if spec.is_broken(&keys_at[..2]) || spec.is_broken(&keys_at) {
            return None;
        }
        let found = entry.keys.keys().find(|name| name.eq_ignore_ascii_case(key));
        if found.is_none() && !spec.has(&[keys_at[0], keys_at[1], keys_at[2], key]) {
            self.no_key(span, declared, key);
            return None;
        }
        let names = (VaultName::parse(declared).ok(), KeyName::parse(found.map_or(key, String::as_str)).ok());
        let key = if let (Some(vault), Some(name)) = names { Some(KeyRef { vault, name }) } else { None };
        Some((declared.as_str(), key))
    }

    fn no_vault(&mut self, span: Range<usize>, vault: &str, key: &str) {
        let help = match nearest(vault, self.spec.document.vaults.keys().map(String::as_str)) {
            Some(meant) => format!("did you mean `{}/{}`?", shown(meant), shown(key)),
            None => {
                format!(
                    "add `{}` under `vaults`; without `create` it is only looked at, and must be there",
                    shown(vault)
                )
            }
        };
        self.say(
            Diagnostic::error("CMK025", span, format!("no vault `{}` is declared", shown(vault)))
                .label("not under `vaults`")
                .help(help),
        );
    }

    fn no_key(&mut self, span: Range<usize>, vault: &str, key: &str) {
        let declared = self.spec.document.vaults.get(vault).into_iter().flat_map(|vault| vault.keys.keys());
        let help = match nearest(key, declared.map(String::as_str)) {
            Some(meant) => format!("did you mean `{}/{}`?", shown(vault), shown(meant)),
            None => format!("add `{}` under `keys` of the vault, with `create: {{}}` if it is to be made", shown(key)),
        };
        self.say(
            Diagnostic::error("CMK026", span, format!("no key `{}` is declared in `{}`", shown(key), shown(vault)))
                .label("not under the vault's `keys`")
                .related(self.spec.key_span(&["vaults", vault]), "the vault")
                .help(help),
        );
    }

    fn purge_protection(&mut self, name: &str, user: &str) {
        let place = ["vaults", name, "purgeProtection"];
        let made = self.spec.has(&["vaults", name, "create"]);
        let written = self.spec.document.vaults.get(name).and_then(|vault| vault.purge_protection);
        let span = if written == Some(false) {
            self.spec.value_span(&place)
        } else if made && !self.spec.has(&place) {
            self.spec.key_span(&place[..2])
        } else {
            // It is written; or the vault is there and may have it already, and the plan will look.
            return;
        };
        let label = if written.is_none() { "would be made without it" } else { "must be `true`" };
        let key = self.spec.value_span(&["accounts", user, "encryption", "key"]);
        self.say(
            Diagnostic::error("CMK033", span, format!("`{name}` holds a key for storage and has no purge protection"))
                .label(label)
                .related(key, format!("{user} uses its key"))
                .help("write `purgeProtection: true`; storage binds to no other vault, and it can never be turned off again"),
        );
    }

    fn same_region(&mut self, name: &str, vault: &str) {
        let path = ["accounts", name];
        let (here, there) = (self.locations.get(&path).cloned(), self.locations.get(&["vaults", vault]).cloned());
        let (Some(here), Some(there)) = (here, there) else { return };
        if here == there {
            return;
        }
        let mut places: BTreeSet<(usize, usize)> = BTreeSet::new();
        let key = self.spec.value_span(&[path[0], path[1], "encryption", "key"]);
        let mut diagnostic = Diagnostic::error(
            "CMK037",
            key.clone(),
            format!("account `{name}` is in {here}, the vault of its key in {there}"),
        )
        .label("a key in another region")
        .help(
            "put both in one region, or write `policy: { sameRegion: false }`: Microsoft's guide asks for the same region, Azure has since allowed others",
        );
        places.insert((key.start, key.end));
        for (kind, entry, region) in [("accounts", name, here), ("vaults", vault, there)] {
            let own = [kind, entry, "location"];
            let span = if self.spec.has(&own) {
                self.spec.value_span(&own)
            } else {
                self.spec.value_span(&["defaults", "location"])
            };
            if places.insert((span.start, span.end)) {
                diagnostic = diagnostic.related(span, format!("{region} for `{entry}`"));
            }
        }
        self.say(diagnostic);
    }
}
