//! Where an entry lives: its subscription, resource group and region, its own or by default.

use super::{Name, Resolver};
use crate::diag::Diagnostic;
use crate::model::{GroupId, GroupName, Location, SubscriptionId};
use crate::spec::shown::shown;
use std::ops::Range;

/// What an entry says about its own place; what it leaves out comes from the defaults.
pub(super) struct Own<'e> {
    /// The path of the entry: `["accounts", "st1"]`.
    pub path: [&'e str; 2],
    pub subscription: Option<&'e str>,
    pub resource_group: Option<&'e str>,
    pub location: Option<&'e str>,
    /// Whether it is to be made, and so needs a region.
    pub create: bool,
}

/// An entry that lacks something which no default gives either.
pub(super) struct Lacking {
    field: &'static str,
    entry: String,
    span: Range<usize>,
}

/// The fields that `defaults` can give, with what each is for.
const FIELDS: [(&str, &str, &str); 3] = [
    ("subscription", "CMK028", "it is a GUID, as `az account show --query id` prints it"),
    ("resourceGroup", "CMK029", "every vault and every account is in one"),
    ("location", "CMK030", "what is to be made needs a region, such as `westeurope`"),
];

impl<'s> Resolver<'s> {
    /// Checks the defaults once, used or not.
    pub(super) fn defaults(&mut self) {
        let defaults = self.spec.document.defaults.clone();
        let place = |field: &'static str| self.spec.value_span(&["defaults", field]);
        let (subscription, group, location) = (place("subscription"), place("resourceGroup"), place("location"));
        defaults.subscription.and_then(|id| self.name(Name::Subscription, &id, subscription, SubscriptionId::parse));
        defaults.resource_group.and_then(|name| self.name(Name::Group, &name, group, GroupName::parse));
        defaults.location.and_then(|name| self.name(Name::Region, &name, location, Location::parse));
    }

    pub(super) fn subscription(&mut self, own: &Own<'s>) -> Option<SubscriptionId> {
        let default = self.spec.document.defaults.subscription.clone();
        self.field(own, "subscription", own.subscription, default.as_deref(), true, |resolver, text, span| {
            resolver.name(Name::Subscription, text, span, SubscriptionId::parse)
        })
    }

    pub(super) fn group(&mut self, own: &Own<'s>) -> Option<GroupId> {
        let default = self.spec.document.defaults.resource_group.clone();
        let subscription = self.subscription(own);
        let name =
            self.field(own, "resourceGroup", own.resource_group, default.as_deref(), true, |resolver, text, span| {
                resolver.name(Name::Group, text, span, GroupName::parse)
            });
        Some(GroupId { subscription: subscription?, name: name? })
    }

    /// The region: what the entry says itself; the default only for what is to be made,
    /// because where a thing stands that exists already is for Azure to say.
    pub(super) fn location(&mut self, own: &Own<'s>) -> Option<Location> {
        let default = self.spec.document.defaults.location.clone().filter(|_| own.create);
        let location =
            self.field(own, "location", own.location, default.as_deref(), own.create, |resolver, text, span| {
                resolver.name(Name::Region, text, span, Location::parse)
            })?;
        self.locations.insert(own.path, location.clone());
        Some(location)
    }

    fn field<T>(
        &mut self,
        own: &Own<'s>,
        field: &'static str,
        written: Option<&str>,
        default: Option<&str>,
        needed: bool,
        parse: impl Fn(&mut Self, &str, Range<usize>) -> Option<T>,
    ) -> Option<T> {
        let [kind, name] = own.path;
        if let Some(text) = written {
            let span = self.spec.value_span(&[kind, name, field]);
            return parse(self, text, span);
        }
        if let Some(text) = default.filter(|_| !self.spec.has(&[kind, name, field])) {
            let span = self.spec.value_span(&["defaults", field]);
            return parse(self, text, span);
        }
        let written_somehow = self.spec.has(&[kind, name, field])
            || self.spec.has(&["defaults", field])
            || self.spec.is_broken(&["defaults"]);
        if needed && !written_somehow {
            let span = self.spec.key_span(&[kind, name]);
            self.lacking.push(Lacking { field, entry: name.to_owned(), span });
        }
        None
    }

    /// Says what is lacking: once for each field, since one default is mostly the way out for all.
    pub(super) fn say_lacking(&mut self) {
        let lacking = std::mem::take(&mut self.lacking);
        for (field, code, why) in FIELDS {
            let mut entries: Vec<&Lacking> = lacking.iter().filter(|entry| entry.field == field).collect();
            entries.sort_by_key(|entry| entry.span.start);
            let Some((first, rest)) = entries.split_first() else { continue };
            let message = match rest {
                [] => format!("`{}` has no `{field}`", shown(&first.entry)),
                [_] => format!("`{}` and one more entry have no `{field}`", shown(&first.entry)),
                _ => format!("`{}` and {} more entries have no `{field}`", shown(&first.entry), rest.len()),
            };
            let mut diagnostic = Diagnostic::error(code, first.span.clone(), message)
                .label(format!("no `{field}`, neither here nor in `defaults`"))
                .help(format!("add `{field}:` to `defaults` or to the entry; {why}"));
            for entry in rest.iter().take(3) {
                diagnostic = diagnostic.related(entry.span.clone(), "nor here");
            }
            self.say(diagnostic);
        }
    }
}
