//! Vaults whose access policies are nearly full, and vaults in which there is no room for what is to be granted.

use super::action::{Action, GrantBy};
use super::draft::Draft;
use crate::model::{Observed, PermissionModel, Seen, VaultName};
use std::collections::{BTreeMap, BTreeSet};

/// How many entries Azure lets a vault's access policies have.
const ENTRIES_MAX: usize = 1024;

/// From how many entries on it is time to think of roles.
const ENTRIES_MANY: usize = 950;

const WAY_OUT: &str =
    "let accounts share a user-assigned identity, which takes one entry, or move the vault to role assignments";

/// Refuses what would not fit, before anything is sent, and warns while there is still room. To be asked when it is known what
/// is granted.
pub(super) fn look(observed: &Observed, draft: &mut Draft) {
    for (vault, granted) in granted(observed, draft) {
        let held = held(&vault, observed);
        let more = granted.iter().filter(|principal| !held.contains(*principal)).count();
        if more == 0 {
            continue;
        }
        let (will, resource) = (held.len() + more, format!("vault {vault}"));
        if will > ENTRIES_MAX {
            let detail = format!(
                "its access policies would have {will} entries, {more} of them new, and Azure allows {ENTRIES_MAX}"
            );
            draft.refuse("CMK244", &resource, detail, WAY_OUT);
        } else if will >= ENTRIES_MANY {
            let text =
                format!("its access policies will have {will} entries, of {ENTRIES_MAX} that Azure allows: {WAY_OUT}");
            draft.note(&resource, text);
        }
    }
}

/// The principals that have an entry in the access policies of a vault that goes by them.
fn held(vault: &VaultName, observed: &Observed) -> BTreeSet<String> {
    let seen = observed.vaults.get(vault).and_then(Seen::known);
    let seen = seen.filter(|seen| seen.permission_model == PermissionModel::AccessPolicies);
    let entries = seen.into_iter().flat_map(|seen| &seen.access_policies);
    // An entry is for a principal, and for an application that acts for it.
    let name = |object: &str, application: Option<&String>| match application {
        Some(application) => format!("{object}/{application}").to_ascii_lowercase(),
        None => object.to_ascii_lowercase(),
    };
    entries.map(|entry| name(&entry.object_id, entry.application_id.as_ref())).collect()
}

/// By vault, whom the plan lets in by access policies: the principal, or a name for one that Azure will choose.
fn granted(observed: &Observed, draft: &Draft) -> BTreeMap<VaultName, BTreeSet<String>> {
    let mut granted: BTreeMap<VaultName, BTreeSet<String>> = BTreeMap::new();
    for (action, _) in &draft.proposals {
        if let Action::Grant { who, vault, by: GrantBy::AccessPolicy, .. } = action {
            let principal = who.principal(observed).map_or_else(|| who.to_string(), str::to_ascii_lowercase);
            granted.entry(vault.name.clone()).or_default().insert(principal);
        }
    }
    granted
}
