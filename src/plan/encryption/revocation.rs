//! Taking an account's own access away, and every reason not to.

use super::Pair;
use crate::model::{
    Access, Account, AccountName, Check, Desired, Encryption, Fact, HiddenReason, Observed, PermissionModel, Seen,
    VaultName, Who,
};
use crate::plan::action::Action;
use crate::plan::draft::{Draft, changed};
use std::collections::{BTreeMap, BTreeSet};

/// The vaults in which access is to be taken away, each with its host: who else uses them has to be known first.
pub fn revoking(desired: &Desired, observed: &Observed) -> BTreeMap<VaultName, String> {
    let shut = desired.accounts.values().filter(|account| account.access == Access::Revoked);
    let open = shut.filter_map(|account| {
        let Encryption { key, who, .. } = account.encryption.as_ref()?;
        let gone = Fact::NoAccess(who.clone(), key.vault.clone()).check(observed);
        let seen = observed.vaults.get(&key.vault).and_then(Seen::known)?;
        (!gone.is_yes()).then(|| (key.vault.clone(), seen.host.clone()))
    });
    open.collect()
}

impl Pair<'_> {
    /// Takes the account's own access away. That is for an account that is bound to the key: of another it would
    /// close nothing and look as if it had.
    pub(super) fn revoke(&self, draft: &mut Draft) {
        if self.refuses_model(draft) {
            return;
        }
        let gone = Fact::NoAccess(self.who.clone(), self.vault.id.name.clone());
        if let Some((resource, reason)) = self.hidden_user() {
            return draft.hidden_with(&resource, reason, gone.to_string());
        }
        let hidden = matches!(self.observed.vaults.get(&self.vault.id.name), Some(Seen::Hidden(_)));
        let (account, vault) = (self.account.id.clone(), self.vault.id.clone());
        let action = Action::RevokeAccess { account, who: self.who.clone(), vault };
        if hidden {
            // What cannot be judged is dropped, and told as what the blind spot hides.
            return draft.propose(action, vec![]);
        }
        let bound = self.binding().zip(self.seen_vault()).is_some_and(|(b, v)| b.is_to(&self.encryption.key, v));
        if !bound {
            let held = self.binding().map_or("Microsoft manages its key".to_owned(), |binding| {
                format!("it is bound to {}/{}", binding.vault_host, binding.key)
            });
            return draft.refuse(
                "CMK241",
                &self.resource(),
                format!("its access to key {} is to be revoked, but {held}", self.encryption.key),
                "name the key that it is bound to, or remove `access: revoked` until it is bound to this one",
            );
        }
        if !self.binding().is_some_and(|binding| binding.is_by(self.who)) {
            return draft.refuse(
                "CMK241",
                &self.resource(),
                format!("its access is to be revoked, but it does not reach its key as {}", self.who),
                "name the identity as which it reaches its key now",
            );
        }
        if self.refuses_shared(draft) {
            return;
        }
        match gone.check(self.observed) {
            Check::Yes => return,
            // Nobody's identity but the account's own is taken its access as long as it could not be seen whom it serves.
            _ if self.hides_sharers(&gone, draft) => return,
            // What cannot be judged is not taken away: a role may come from above, and be somebody else's affair.
            Check::Unknown(why) => return draft.hides(&gone.subject(), &why, gone.to_string()),
            Check::No(_) | Check::Pending(_) => {}
        }
        if self.refuses_inherited(draft) {
            return;
        }
        let (path, held) = match self.model() {
            PermissionModel::AccessPolicies => (format!("accessPolicies[{}].keys", self.who.name()), self.held()),
            PermissionModel::Rbac => (format!("roleAssignments[{}]", self.who.name()), self.roles()),
        };
        draft.propose(action, vec![changed(&format!("vault {}", self.vault.id.name), &path, held, "(none)")]);
        draft.note(
            &self.resource(),
            "a grant to a group that its identity belongs to would keep it readable: groups are not read",
        );
    }

    /// An account of the spec that is to reach its key as this identity and could not be seen: as whom it does so now, and
    /// whose data is concerned, cannot be judged.
    fn hidden_user(&self) -> Option<(String, &HiddenReason)> {
        let mut users =
            self.desired.accounts.iter().filter(|(_, account)| {
                account.encryption.as_ref().is_some_and(|encryption| encryption.who == *self.who)
            });
        users.find_map(|(name, _)| match self.observed.accounts.get(name) {
            Some(Seen::Hidden(reason)) => Some((format!("account {name}"), reason)),
            Some(Seen::Known(_) | Seen::Absent) | None => None,
        })
    }

    /// Names what could not be seen and may hold others that reach their keys as a user-assigned identity.
    fn hides_sharers(&self, gone: &Fact, draft: &mut Draft) -> bool {
        let found = self.observed.vault_users.get(&self.vault.id.name).filter(|_| matches!(self.who, Who::User(_)));
        let unseen = found.map_or(&[][..], |found| found.unseen.as_slice());
        for one in unseen {
            draft.hides(&one.what, &format!("{}; {} would show it", one.why, one.permission), gone.to_string());
        }
        !unseen.is_empty()
    }

    /// An identity that serves other accounts is not shut out for the sake of one.
    fn refuses_shared(&self, draft: &mut Draft) -> bool {
        let Who::User(identity) = self.who else { return false };
        let asks = |account: &&Account| {
            let encryption = account.encryption.as_ref();
            account.access == Access::Granted && encryption.is_some_and(|one| one.who == *self.who)
        };
        let others = self.desired.accounts.values().filter(asks).map(|account| account.id.name.to_string());
        let seen = self.observed.accounts.values().filter_map(Seen::known);
        // Of an account that is seen to use it, whatever the spec says of it, unless it is to be shut out as well.
        let is_open =
            |name: &AccountName| self.desired.accounts.get(name).is_none_or(|one| one.access == Access::Granted);
        let used = seen.filter(|seen| {
            let by = seen.encryption.binding.as_ref().is_some_and(|binding| binding.is_by(self.who));
            by && is_open(&seen.id.name)
        });
        // And of those that the spec does not name: their accounts, and encryption scopes of anybody's.
        let found = self.observed.vault_users.get(&self.vault.id.name);
        let found = found.into_iter().flat_map(|found| &found.users).filter(|user| {
            let is_other = user.account.name != self.account.id.name && is_open(&user.account.name);
            is_other && user.who.as_ref() == Some(self.who)
        });
        let found =
            found.filter(|user| user.scope.is_some() || !self.observed.accounts.contains_key(&user.account.name));
        let others: BTreeSet<String> = others
            .chain(used.map(|seen| seen.id.name.to_string()))
            .chain(found.map(|user| match &user.scope {
                None => format!("{} (not in the spec)", user.account.name),
                Some(_) => user.to_string(),
            }))
            .collect();
        if others.is_empty() {
            return false;
        }
        let names: Vec<String> = others.into_iter().collect();
        draft.refuse(
            "CMK260",
            &self.resource(),
            format!("it reaches its key as identity {}, and so does {}", identity.name, names.join(", ")),
            "give the account an identity of its own and apply that first, or revoke the access of all of them",
        );
        true
    }

    /// A role that is held above the vault serves more than this vault: to take it away is not for this spec.
    fn refuses_inherited(&self, draft: &mut Draft) -> bool {
        let path = self.vault.id.to_string();
        let Some(above) = self.assignments().into_iter().find(|one| one.is_inherited_by(&path)) else { return false };
        draft.refuse(
            "CMK242",
            &self.resource(),
            format!("its identity also holds a role at {}, which would keep its data readable", above.scope),
            format!("take that role away by hand, if it is meant: az role assignment delete --ids {}", above.id),
        );
        true
    }
}
