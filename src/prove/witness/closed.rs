//! What somebody closed on purpose, and who knows of it: S14.

use super::facts::NEEDED;
use super::sight::Sight;
use crate::model::Desired;
use std::collections::BTreeSet;

/// Something that was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Closed {
    /// A principal's access to the vault of the key that its account is bound to.
    Access { vault: String, principal: String },
    /// The identity of an account that was bound to a key through it: the id of a user-assigned one, or nothing for its own.
    Identity { account: String, user: String },
}

/// All that was closed, each with the runs that have seen it since.
#[derive(Debug, Default)]
pub(super) struct Doors {
    closed: Vec<(Closed, BTreeSet<usize>)>,
}

impl Doors {
    /// Takes in what a bystander did.
    pub(super) fn meddled(&mut self, desired: &Desired, before: Sight<'_>, after: Sight<'_>) {
        for name in desired.accounts.keys() {
            let name = name.as_str();
            let (Some(binding), Some(principal)) = (before.binding(name), before.reaches_as(name)) else { continue };
            let lost = |permission: &&str| {
                before.may(&binding.vault, principal, permission) && !after.may(&binding.vault, principal, permission)
            };
            if NEEDED.iter().any(lost) {
                let principal = principal.to_ascii_lowercase();
                self.closed.push((Closed::Access { vault: binding.vault.clone(), principal }, BTreeSet::new()));
            }
            if has(before, name, &binding.user) && !has(after, name, &binding.user) {
                let closed = Closed::Identity { account: name.to_owned(), user: binding.user.clone() };
                self.closed.push((closed, BTreeSet::new()));
            }
        }
    }

    /// A run was shown a thing: from now on it knows.
    pub(super) fn shown(&mut self, run: usize, place: &str) {
        for (closed, known) in &mut self.closed {
            let about = match closed {
                Closed::Access { vault, .. } => place.ends_with(&format!("/vaults/{vault}")),
                Closed::Identity { account, user: _ } => place.ends_with(&format!("/storageaccounts/{account}")),
            };
            if about {
                known.insert(run);
            }
        }
    }

    /// What a run opened although it knew; a finding for each door that it came by.
    pub(super) fn opened(&self, run: usize, before: Sight<'_>, after: Sight<'_>) -> Vec<(bool, String)> {
        let known = self.closed.iter().filter(|(_, known)| known.contains(&run));
        known
            .map(|(closed, _)| match closed {
                Closed::Access { vault, principal } => {
                    let opened = NEEDED.iter().any(|permission| {
                        !before.may(vault, principal, permission) && after.may(vault, principal, permission)
                    });
                    (!opened, format!("{principal} was let into vault {vault} again, after somebody shut it out"))
                }
                Closed::Identity { account, user } => {
                    let opened = !has(before, account, user) && has(after, account, user);
                    (!opened, format!("account {account} was given an identity again, after somebody took it away"))
                }
            })
            .collect()
    }
}

/// Whether an account has an identity: its own where none is named.
fn has(sight: Sight<'_>, account: &str, user: &str) -> bool {
    match user {
        "" => sight.principal(account).is_some(),
        user => sight.users(account).iter().any(|held| held.eq_ignore_ascii_case(user)),
    }
}
