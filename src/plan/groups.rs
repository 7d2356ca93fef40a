//! Resource groups: there, made, or refused.

use super::action::Action;
use super::draft::{Draft, made};
use crate::model::{Desired, Observed, Seen};

pub(super) fn plan(desired: &Desired, observed: &Observed, draft: &mut Draft) {
    for (id, group) in &desired.groups {
        let resource = format!("resource group {}", id.name);
        match observed.groups.get(id) {
            Some(Seen::Known(seen)) => {
                if seen.provisioning_state.eq_ignore_ascii_case("Deleting") {
                    draft.refuse("CMK210", &resource, "it is being deleted", "wait until it is gone, then plan again");
                } else if let Some(location) =
                    group.location.as_ref().filter(|wanted| group.create && **wanted != seen.location)
                {
                    draft.note(
                        &resource,
                        format!("it is in {}, not in {location} as `create` would have it", seen.location),
                    );
                }
            }
            Some(Seen::Absent) => match &group.location {
                Some(location) if group.create => draft.propose(
                    Action::CreateGroup { id: id.clone(), location: location.clone() },
                    vec![made(&resource, "location", location.as_str())],
                ),
                _ => draft.refuse(
                    "CMK201",
                    &resource,
                    format!("it does not exist in subscription {}", id.subscription),
                    "add `create: {}` and a location to have it made, or correct the name",
                ),
            },
            Some(Seen::Hidden(reason)) => draft.hidden(&resource, reason),
            None => {}
        }
    }
}
