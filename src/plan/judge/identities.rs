//! The judge's own rules of identities: what an account has, and whose access is taken away.

use super::super::action::Action;
use super::super::types::Plan;
use super::{Bench, is_host, may_unwrap, unless};
use crate::model::{AccountId, Identities, KeyRef, PermissionModel, Seen, VaultId, Who};

/// An identity that another step of the plan gives to the account, or has it reach a key as, is not taken from it.
pub(super) fn at_odds(plan: &Plan, id: &AccountId, gone: &Identities) -> Option<String> {
    let is_gone = |who: &Who| gone.of(id).any(|one| one == *who);
    let any_gone = |given: &Identities| given.of(id).any(|one| is_gone(&one));
    let clashes = plan.steps.iter().any(|step| match &step.action {
        Action::AttachIdentity { id: of, identity } => of == id && any_gone(identity),
        Action::SetEncryption { account, who, then, attach, .. } => {
            let reaches = then.as_ref().unwrap_or(who);
            account == id && (is_gone(reaches) || any_gone(attach))
        }
        Action::SwitchIdentity { account, who, .. } => account == id && is_gone(who),
        _ => false,
    });
    unless(!clashes, "another step of the same plan gives the account what it takes, or needs it")
}

impl Bench<'_> {
    pub(super) fn attached(&self, id: &AccountId, identity: &Identities) -> Vec<String> {
        let mut harms: Vec<String> =
            unless(self.account(id).is_some(), "its account was not seen").into_iter().collect();
        harms.extend(identity.user.iter().filter_map(|user| self.identity_stands(user)));
        harms
    }

    /// What an account loses must be of no use to it by then: neither its own key nor one of a scope hangs on it.
    pub(super) fn detached(&self, id: &AccountId, gone: &Identities, keeps: &Identities) -> Vec<String> {
        let Some(seen) = self.account(id) else { return vec!["its account was not seen".to_owned()] };
        let scopes = self.observed.scopes.get(&id.name).and_then(Seen::known);
        let idle = scopes.is_some_and(|all| all.iter().all(|scope| scope.key.is_none()));
        let hangs = seen.encryption.binding.as_ref().is_some_and(|binding| match &binding.user_assigned_identity {
            None => gone.system,
            Some(by) => gone.user.iter().any(|one| by.eq_ignore_ascii_case(&one.to_string())),
        });
        let freed = self.before.any(|action| match action {
            Action::SwitchIdentity { account, .. } | Action::LeaveKey { account, .. } => account == id,
            _ => false,
        });
        let kept = keeps.of(id).all(|who| self.will_have_identity(id, &who));
        [
            unless(kept, "the account does not have yet what it is to keep"),
            unless(!gone.is_empty(), "it takes nothing away"),
            unless(idle, "an encryption scope of the account may be read as the identity"),
            unless(!hangs || freed, "the account reaches its key as the identity, and no step before it changes that"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Whether an encryption scope of an account would be read as an identity of which nobody saw that it may use the
    /// scope's key, and is read as another one now. The key that the step itself is about is seen to by other rules.
    pub(super) fn scopes_shut(&self, id: &AccountId, reader: &Who, about: Option<(&VaultId, &KeyRef)>) -> bool {
        let Some(seen) = self.account(id) else { return false };
        let named = seen.encryption.binding.as_ref().and_then(|binding| binding.user_assigned_identity.as_deref());
        let stays = match reader {
            Who::System(_) => named.is_none(),
            Who::User(user) => named.is_some_and(|named| named.eq_ignore_ascii_case(&user.to_string())),
        };
        let principal = match reader {
            Who::System(_) => seen.identity.system_principal.as_deref(),
            Who::User(user) => {
                self.observed.identities.get(user).and_then(Seen::known).map(|seen| seen.principal.as_str())
            }
        };
        let is_open = |(host, key): &(String, String)| {
            let vault = self.observed.vaults.values().filter_map(Seen::known).find(|vault| is_host(vault, host));
            vault.is_some_and(|vault| {
                let is_its = about.is_some_and(|(on, about)| {
                    let any_key = vault.permission_model == PermissionModel::AccessPolicies;
                    on.name == vault.id.name && (any_key || about.name.as_str().eq_ignore_ascii_case(key))
                });
                is_its || principal.is_some_and(|principal| may_unwrap(principal, vault, key))
            })
        };
        let scopes = self.observed.scopes.get(&id.name).and_then(Seen::known).into_iter().flatten();
        !stays && !scopes.filter_map(|scope| scope.key.as_ref()).all(is_open)
    }

    /// Identities that an account gets in the request that binds it. Whatever goes wrong with a key that it is under already
    /// must not depend on what it is given besides.
    pub(super) fn comes_with_key(&self, id: &AccountId, identity: &Identities) -> Vec<String> {
        if identity.is_empty() {
            return vec![];
        }
        let is_bound = self.account(id).is_some_and(|seen| seen.encryption.binding.is_some());
        let mut harms = self.attached(id, identity);
        harms.extend(unless(!is_bound, "it would give an identity to an account and move it to another key at once"));
        harms.extend(unless(!identity.system, "nobody could have let the account's new identity at the key before"));
        harms
    }

    pub(super) fn will_have_identity(&self, id: &AccountId, who: &Who) -> bool {
        let holds = |identities: &Identities| match who {
            Who::System(_) => identities.system,
            Who::User(user) => identities.user.contains(user),
        };
        let has = self.account(id).is_some_and(|seen| match who {
            Who::System(_) => seen.identity.system_principal.is_some(),
            Who::User(user) => {
                let user = user.to_string();
                seen.identity.user_assigned.iter().any(|held| held.eq_ignore_ascii_case(&user))
            }
        });
        has || self.before.any(|action| match action {
            Action::CreateAccount { id: made, identity, .. } => made == id && holds(identity),
            Action::AttachIdentity { id: given, identity } => given == id && holds(identity),
            Action::SetEncryption { account: given, attach, .. } => given == id && holds(attach),
            _ => false,
        })
    }

    /// Access that this very plan gives, or that a binding before it hangs on, is not taken in the same breath.
    pub(super) fn revoked(&self, account: &AccountId, who: &Who, vault: &VaultId) -> Vec<String> {
        let mine = |action: &Action| match action {
            Action::Grant { who: to, vault: on, .. } | Action::SetEncryption { who: to, vault: on, .. } => {
                to == who && on == vault
            }
            _ => false,
        };
        [
            unless(self.account(account).is_some(), "its account was not seen"),
            unless(self.vault(&vault.name).is_some(), "its vault was not seen"),
            unless(!self.before.any(mine), "it takes away what the same plan gives"),
            unless(
                self.is_alone(account, who) && self.nobody_else_found(account, who, vault),
                "others that are not shut out reach their keys as the same identity, or may",
            ),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Whether nobody else that stays open was seen to reach a key as this identity. Its own an account shares with nobody.
    fn is_alone(&self, account: &AccountId, who: &Who) -> bool {
        let Who::User(identity) = who else { return true };
        let id = identity.to_string();
        let others =
            self.observed.accounts.values().filter_map(Seen::known).filter(|seen| seen.id.name != account.name);
        let mut by_it = others.filter(|seen| {
            let binding = seen.encryption.binding.as_ref();
            binding.and_then(|one| one.user_assigned_identity.as_ref()).is_some_and(|one| one.eq_ignore_ascii_case(&id))
        });
        by_it.all(|seen| self.shut.contains(&seen.id.name))
    }

    /// Whether nobody else that stays open was found, over whole subscriptions, to reach a key of the vault as this identity.
    fn nobody_else_found(&self, account: &AccountId, who: &Who, vault: &VaultId) -> bool {
        let Some(found) = self.observed.vault_users.get(&vault.name) else { return true };
        let all_seen = matches!(who, Who::System(_)) || found.unseen.is_empty();
        let others = found.users.iter();
        all_seen
            && others
                .filter(|user| user.who.as_ref() == Some(who) && user.account != *account)
                .all(|user| self.shut.contains(&user.account.name))
    }
}
