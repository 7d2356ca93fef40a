//! User-assigned identities: there, made, or refused.

use super::action::Action;
use super::draft::{Draft, made};
use crate::model::{Desired, IdentityId, Observed, Seen};

pub(super) fn plan(desired: &Desired, observed: &Observed, draft: &mut Draft) {
    for (id, identity) in &desired.identities {
        let resource = format!("identity {}", id.name);
        match observed.identities.get(id) {
            Some(Seen::Known(_)) | None => {}
            Some(Seen::Hidden(reason)) => draft.hidden(&resource, reason),
            Some(Seen::Absent) => match identity.location.as_ref().filter(|_| identity.create) {
                Some(location) => {
                    let because = vec![made(&resource, "location", location.as_str())];
                    draft.propose(Action::CreateIdentity { id: id.clone(), location: location.clone() }, because);
                }
                // Of one that is only taken away, it is well that it is gone.
                None if is_only_removed(id, desired) => {}
                None => draft.refuse(
                    "CMK201",
                    &resource,
                    format!("it does not exist in resource group {}", id.group.name),
                    "add `create: {}` to have it made, or correct its name, resource group or subscription",
                ),
            },
        }
    }
}

fn is_only_removed(id: &IdentityId, desired: &Desired) -> bool {
    let mut accounts = desired.accounts.values();
    let removed = accounts.any(|account| account.removes.user.contains(id));
    removed && !desired.accounts.values().any(|account| account.identity.user.contains(id))
}
