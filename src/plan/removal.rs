//! Taking identities from accounts: only those that the spec names, and none that a key is reached as.

use super::accounts::identities_changed;
use super::action::Action;
use super::draft::Draft;
use crate::model::{Account, Desired, Fact, HiddenReason, Identities, Observed, Seen, SeenAccount, SeenScope, Who};

pub(super) fn plan(desired: &Desired, observed: &Observed, draft: &mut Draft) {
    for (name, account) in &desired.accounts {
        if let Some(Seen::Known(seen)) = observed.accounts.get(name) {
            let gone = seen.identity.still_has(&account.removes);
            if !gone.is_empty() {
                Removal { account, seen, gone, resource: format!("account {name}") }.plan(observed, draft);
            }
        }
    }
}

/// Identities that an account has and is to have no more.
struct Removal<'a> {
    account: &'a Account,
    seen: &'a SeenAccount,
    gone: Identities,
    resource: String,
}

impl Removal<'_> {
    fn plan(self, observed: &Observed, draft: &mut Draft) {
        let binding = self.seen.encryption.binding.as_ref();
        if binding.is_some_and(|binding| draft.recovered.has_bound(binding)) {
            return draft.note(&self.resource, "it loses an identity once its key is back");
        }
        let in_use = self.who().find(|who| binding.is_some_and(|binding| binding.is_by(who)));
        // Where the spec moves the account, the move is planned by others, and whatever keeps it from moving is said there.
        let moves = self.account.leaves_key || self.account.encryption.is_some();
        if let Some(who) = in_use.filter(|_| !moves) {
            return draft.refuse(
                "CMK263",
                &self.resource,
                format!("it reaches its key as {who}, which the spec takes from it"),
                "name the key and another identity under `encryption`, or write `source: microsoft`, or keep the identity",
            );
        }
        match observed.scopes.get(&self.account.id.name) {
            Some(Seen::Known(scopes)) => {
                if let Some(scope) = scopes.iter().find(|scope| scope.key.is_some()) {
                    return self.refuse_scope(scope, draft);
                }
            }
            Some(Seen::Hidden(reason)) => return self.hide(reason, draft),
            // Nobody looked, so it cannot be judged: what the step needs says so.
            Some(Seen::Absent) | None => {}
        }
        let full = self.seen.identity.with(&self.account.identity);
        let left = full.without(&self.gone);
        let was_and_is = (Some("attached"), "removed");
        let because = identities_changed(&self.resource, (&full, &left), &self.gone, was_and_is);
        let (id, keeps) = (self.account.id.clone(), self.account.identity.clone());
        draft.propose(Action::DetachIdentity { id, identity: self.gone, keeps }, because);
    }

    fn who(&self) -> impl Iterator<Item = Who> + '_ {
        self.gone.of(&self.account.id)
    }

    fn refuse_scope(&self, scope: &SeenScope, draft: &mut Draft) {
        draft.refuse(
            "CMK263",
            &self.resource,
            format!(
                "its encryption scope {} is under a key, and Azure does not say as which of its identities",
                scope.name
            ),
            "have Microsoft manage the key of the scope first, or keep the identity",
        );
    }

    fn hide(&self, reason: &HiddenReason, draft: &mut Draft) {
        let name = &self.account.id.name;
        let spot = Fact::NoScopeUnderKey(name.clone()).subject();
        for who in self.who() {
            draft.hidden_with(&spot, reason, Fact::Detached(name.clone(), who).to_string());
        }
    }
}
