//! The resource groups of a spec.

use super::scope::Own;
use super::{Name, Resolver};
use crate::model::{Group, GroupId, GroupName};
use std::collections::BTreeMap;

impl Resolver<'_> {
    pub(super) fn groups(&mut self) {
        let spec = self.spec;
        let mut declared: BTreeMap<GroupId, &str> = BTreeMap::new();
        for (name, entry) in &spec.document.resource_groups {
            let path = ["resourceGroups", name.as_str()];
            let parsed = self.name(Name::Group, name, spec.key_span(&path), GroupName::parse);
            if spec.is_broken(&path) {
                continue;
            }
            let own = Own {
                path,
                subscription: entry.subscription.as_deref(),
                resource_group: None,
                location: entry.location.as_deref(),
                create: spec.has(&[path[0], path[1], "create"]),
            };
            let subscription = self.subscription(&own);
            let location = self.location(&own);
            let (Some(subscription), Some(name)) = (subscription, parsed) else { continue };
            let id = GroupId { subscription, name };
            if let Some(first) = declared.get(&id) {
                let first_at = spec.key_span(&["resourceGroups", first]);
                self.twice("resource group", first, first_at, path[1], spec.key_span(&path));
            } else {
                declared.insert(id.clone(), path[1]);
                self.desired.groups.insert(id, Group { location, create: entry.create.is_some() });
            }
        }
    }

    /// A group in which something is to be made must be there, whether or not it has an entry.
    pub(super) fn uses_group(&mut self, id: &GroupId, create: bool) {
        if create {
            self.desired.groups.entry(id.clone()).or_insert(Group { location: None, create: false });
        }
    }
}
