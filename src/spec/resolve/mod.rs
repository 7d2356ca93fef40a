//! `Spec` -> `Desired`: references resolved, defaults filled in, and every rule that is known without a cloud.

mod accept;
mod accounts;
mod audit;
mod groups;
mod identities;
mod key_reference;
mod life;
mod own_key;
mod pairs;
mod scope;
mod vaults;

#[cfg(test)]
mod tests;

use super::parse::Spec;
use super::shown::shown;
use crate::diag::{Diagnostic, Diagnostics};
use crate::model::{BadName, Desired, Location, Policy, Timestamp};
use scope::Lacking;
use std::collections::BTreeMap;
use std::ops::Range;

/// Resolves a spec. What is desired comes back only when resolving found no error.
///
/// A spec that `parse` complained about resolves as far as it was read, so that both
/// sets of problems can be shown together.
pub fn resolve(spec: &Spec) -> (Option<Desired>, Diagnostics) {
    let mut resolver = Resolver {
        spec,
        diagnostics: Diagnostics::new(),
        desired: Desired { policy: Policy { same_region: spec.document.policy.same_region }, ..Desired::default() },
        lacking: Vec::new(),
        locations: BTreeMap::new(),
        uses: Vec::new(),
        by_id: BTreeMap::new(),
    };
    resolver.defaults();
    resolver.groups();
    resolver.vaults();
    resolver.identities();
    resolver.accounts();
    resolver.share_permissions();
    resolver.pairs();
    resolver.accept();
    resolver.say_lacking();
    resolver.something();
    let Resolver { diagnostics, desired, .. } = resolver;
    (Some(desired).filter(|_| !diagnostics.has_errors()), diagnostics)
}

/// The kinds of names that are checked.
#[derive(Clone, Copy)]
enum Name {
    Subscription,
    Group,
    Region,
    Vault,
    Key,
    Account,
    Identity,
}

impl Name {
    fn noun(self) -> &'static str {
        match self {
            Self::Subscription => "subscription id",
            Self::Group => "resource group name",
            Self::Region => "region",
            Self::Vault => "vault name",
            Self::Key => "key name",
            Self::Account => "account name",
            Self::Identity => "identity name",
        }
    }

    /// The whole rule, for when no repair can be offered.
    fn rule(self) -> &'static str {
        match self {
            Self::Subscription => {
                "write the subscription's id, as `az account show --query id` prints it, not its name"
            }
            Self::Group => "group names are 1 to 90 letters, digits, `.`, `_`, `-` and parentheses, and end in no dot",
            Self::Region => "write the short form, as `az account list-locations --query [].name` prints it",
            Self::Vault => {
                "vault names are 3 to 24 letters, digits and single hyphens, begin with a letter and end in no hyphen"
            }
            Self::Key => "key names are 1 to 127 letters, digits and hyphens",
            Self::Account => "account names are 3 to 24 lower-case letters and digits",
            Self::Identity => "identity names are 3 to 128 letters, digits, hyphens and underscores",
        }
    }
}

struct Resolver<'s> {
    spec: &'s Spec,
    diagnostics: Diagnostics,
    desired: Desired,
    /// Entries that lack a subscription, a resource group or a region; said together at the end.
    lacking: Vec<Lacking>,
    /// The regions that are known, by kind and name of the entry.
    locations: BTreeMap<[&'s str; 2], Location>,
    /// Which account uses a key of which vault, by the names of their entries.
    uses: Vec<(&'s str, &'s str)>,
    /// The vaults without an entry that accounts name by their ids.
    by_id: key_reference::ById,
}

impl Resolver<'_> {
    fn say(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// A name that was checked, or a complaint about it.
    fn name<T>(
        &mut self,
        what: Name,
        written: &str,
        span: Range<usize>,
        parse: impl Fn(&str) -> Result<T, BadName>,
    ) -> Option<T> {
        match parse(written) {
            Ok(name) => Some(name),
            Err(reason) => {
                let help = repaired(written, &parse).unwrap_or_else(|| what.rule().to_owned());
                self.say(
                    Diagnostic::error("CMK020", span, format!("`{}` is no {}", shown(written), what.noun()))
                        .label(reason.to_string())
                        .help(help),
                );
                None
            }
        }
    }

    /// Says that two entries have names that Azure takes for the same.
    fn twice(&mut self, what: &str, first: &str, first_at: Range<usize>, again: &str, again_at: Range<usize>) {
        let ((first, first_at), (again, again_at)) = if first_at.start <= again_at.start {
            ((first, first_at), (again, again_at))
        } else {
            ((again, again_at), (first, first_at))
        };
        self.say(
            Diagnostic::error(
                "CMK027",
                again_at,
                format!("`{}` and `{}` are the same {what}", shown(again), shown(first)),
            )
            .label("Azure does not look at the case of letters")
            .related(first_at, "first declared here")
            .help("keep one of the two, or put what belongs together under one"),
        );
    }

    /// Warns of a spec that is right and orders nothing.
    fn something(&mut self) {
        let document = &self.spec.document;
        let nothing = document.resource_groups.is_empty()
            && document.vaults.is_empty()
            && document.identities.is_empty()
            && document.accounts.is_empty();
        if nothing && self.spec.is_sound() {
            let span = self.spec.key_span(&["version"]);
            self.say(
                Diagnostic::warning("CMK040", span, "the spec names no resource group, no vault and no account")
                    .label("there will be nothing to do")
                    .help("name what should be true under `vaults` and `accounts`"),
            );
        }
    }
}

/// A day, as year, month and day in plain digits.
fn day(written: &str) -> Option<jiff::civil::Date> {
    let is_plain = written.len() == 10 && written.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    written.parse().ok().filter(|_| is_plain)
}

/// The first moment of a day, in UTC.
fn beginning(day: jiff::civil::Date) -> Option<Timestamp> {
    let moment = jiff::tz::Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()?;
    Some(Timestamp(moment.as_second()))
}

/// The same name in lower case or without foreign characters, when that makes it right.
fn repaired<T>(written: &str, parse: &impl Fn(&str) -> Result<T, BadName>) -> Option<String> {
    // Leaving out letters of another alphabet would make another name of it.
    if !written.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
        return None;
    }
    let lower = written.to_lowercase();
    let parts: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).collect();
    let (dashed, strict) = (parts.join("-"), parts.concat());
    [lower, dashed, strict]
        .into_iter()
        .find(|candidate| candidate != written && parse(candidate).is_ok())
        .map(|candidate| format!("`{candidate}` would be one"))
}
