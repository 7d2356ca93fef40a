//! Grants and encryption: what lies between an account, its identity and its key.

use super::approval::VERSION_MADE;
use super::draft::{Draft, changed, made};
use super::key_state;
use super::types::{Action, Binds, Change, Former, GrantBy};
use crate::model::fact::pinned_version;
use crate::model::{
    Access, Account, Binding, Check, Desired, Encryption, Fact, GrantScope, HiddenReason, KeyName, KeyPermission,
    KeyRef, Location, Observed, PermissionModel, RoleAssignment, Seen, SeenAccount, SeenVault, Vault, VaultName,
    VersionRule, Who,
};
use std::collections::BTreeSet;

pub(super) fn plan(desired: &Desired, observed: &Observed, draft: &mut Draft) {
    for account in desired.accounts.values() {
        if account.leaves_key {
            leave(desired, observed, account, draft);
        }
        let Some(encryption) = &account.encryption else { continue };
        let Some(vault) = desired.vaults.get(&encryption.key.vault) else { continue };
        let pair = Pair { desired, observed, account, encryption, who: &encryption.who, vault };
        match account.access {
            Access::Granted => pair.plan(draft),
            Access::Revoked => pair.revoke(draft),
        }
    }
}

/// Takes an account back to a key that Microsoft manages. One that is not there yet begins with such a key.
fn leave(desired: &Desired, observed: &Observed, account: &Account, draft: &mut Draft) {
    let Some(Seen::Known(seen)) = observed.accounts.get(&account.id.name) else { return };
    let Some(binding) = &seen.encryption.binding else { return };
    let resource = format!("account {}", account.id.name);
    let former = former(desired, observed, binding);
    // Of an identity that the spec does not name, nobody looked at what it may do.
    let who = seen.reaches_as().filter(|who| is_looked_at(who, observed));
    if let Some((former, who)) = former.as_ref().zip(who.as_ref()) {
        let enabled = Fact::KeyEnabled(former.key.clone(), former.version.clone()).check(observed);
        let unwrap = BTreeSet::from([KeyPermission::UnwrapKey]);
        let may = Fact::CanUnwrap(who.clone(), former.key.clone(), unwrap).check(observed);
        if let (Check::No(why), _) | (_, Check::No(why)) = (enabled, may) {
            return refuse_former(&resource, former, &why, observed, draft);
        }
    }
    let bound = format!("{}/{}", binding.vault_host, binding.key);
    let because = vec![
        changed(&resource, "encryption.keySource", Some("Microsoft.Keyvault".to_owned()), "Microsoft.Storage"),
        changed(&resource, "encryption.key", Some(bound), "(none)"),
    ];
    draft.propose(Action::LeaveKey { account: account.id.clone(), who, former }, because);
}

fn is_looked_at(who: &Who, observed: &Observed) -> bool {
    match who {
        Who::System(_) => true,
        Who::User(id) => observed.identities.contains_key(id),
    }
}

/// The key that an account is made with: one that it reaches as a user-assigned identity, which may be let at the key
/// before there is an account. Where a policy denies accounts without a customer's key, there is no other way.
pub(super) fn at_birth(desired: &Desired, account: &Account) -> Option<Binds> {
    let Encryption { key, version, who, permissions, scope: _ } = account.encryption.as_ref()?;
    match (who, account.access) {
        (Who::User(_), Access::Granted) => {}
        (Who::System(_), _) | (Who::User(_), Access::Revoked) => return None,
    }
    let vault = desired.vaults.get(&key.vault)?.id.clone();
    let permissions = permissions.clone();
    Some(Binds { vault, key: key.clone(), version: version.clone(), who: who.clone(), permissions })
}

/// What is said of the key that an account is made with.
pub(super) fn made_with(resource: &str, observed: &Observed, binds: &Binds) -> Vec<Change> {
    vec![
        made(resource, "encryption.keySource", "Microsoft.Keyvault"),
        made(resource, "encryption.key", binds.key.to_string()),
        made(resource, "encryption.version", version_in_words(observed, &binds.key, &binds.version)),
        made(resource, "encryption.identity", binds.who.name()),
    ]
}

fn refuse_former(resource: &str, former: &Former, why: &str, observed: &Observed, draft: &mut Draft) {
    let detail = format!("it is bound to {} now, and that key cannot unwrap: {why}", former.key);
    draft.refuse("CMK211", resource, detail, key_state::recover(observed, former));
}

/// The key that an account is bound to now, when its vault is of the spec.
fn former(desired: &Desired, observed: &Observed, binding: &Binding) -> Option<Former> {
    let version = binding.current.clone().or_else(|| binding.version.clone())?;
    let is_its = |name: &&VaultName| {
        let seen = observed.vaults.get(*name).and_then(Seen::known);
        seen.is_some_and(|vault| vault.host.eq_ignore_ascii_case(&binding.vault_host))
    };
    let vault = desired.vaults.keys().find(is_its)?;
    let name = KeyName::parse(&binding.key).ok()?;
    Some(Former { key: KeyRef { vault: vault.clone(), name }, version })
}

/// An account and the vault that is to hold its key.
#[derive(Clone, Copy)]
struct Pair<'a> {
    desired: &'a Desired,
    observed: &'a Observed,
    account: &'a Account,
    encryption: &'a Encryption,
    /// As whom the account is to reach the key in the end.
    who: &'a Who,
    vault: &'a Vault,
}

impl Pair<'_> {
    /// Takes the account's own access away. That is for an account that is bound to the key: of another it would
    /// close nothing and look as if it had.
    fn revoke(&self, draft: &mut Draft) {
        if self.refuses_model(draft) {
            return;
        }
        let gone = Fact::NoAccess(self.who.clone(), self.vault.id.name.clone());
        if let Some((resource, reason)) = self.hidden_user() {
            draft.hidden(&resource, reason);
            return draft.hides(&resource, &reason.what, gone.to_string());
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

    fn plan(&self, draft: &mut Draft) {
        let mut refused = self.refuses_model(draft);
        refused |= self.refuses_scope(draft);
        refused |= self.refuses_region(draft);
        refused |= self.refuses_tenant(draft);
        refused |= self.refuses_former(draft);
        refused |= self.refuses_unknown_identity(draft);
        let bound = self.encrypted();
        if !bound.is_yes() {
            refused |= self.refuses_key(draft)
                || key_state::refuses_expiring(self.observed, self.account, self.encryption, self.binding(), draft);
        } else if let Check::No(why) = self.usable().check(self.observed) {
            draft.note(&self.resource(), format!("it is bound to key {}, of which {why}", self.encryption.key));
        }
        if refused {
            return;
        }
        self.grant(draft);
        match bound {
            Check::Yes | Check::Pending(_) => {}
            Check::No(_) | Check::Unknown(_) if self.is_made_with_key() => {}
            Check::No(_) | Check::Unknown(_) => match self.switches_from() {
                None => self.bind(None, draft),
                Some(from) => self.switch(&from, draft),
            },
        }
    }

    /// Whether the account is made in this plan, and with its key.
    fn is_made_with_key(&self) -> bool {
        let absent = self.observed.accounts.get(&self.account.id.name).is_some_and(Seen::is_absent);
        absent && at_birth(self.desired, self.account).is_some()
    }

    /// As whom the account reaches its key now, when that is to be another.
    fn switches_from(&self) -> Option<Who> {
        self.binding().filter(|binding| !binding.is_by(self.who))?;
        self.seen_account()?.reaches_as()
    }

    /// Has the account reach its key as another identity.
    ///
    /// Azure does not change the key and the identity at once. The key comes first, with the identity that reads now:
    /// of that one it is known that it unwraps with the old key, and all that it lacks is access to the new key, whose
    /// vault is of the spec. The other way round, the new identity would need access to the old key, whose vault may
    /// be anybody's. In between, the account reads through the new key as the old identity.
    fn switch(&self, from: &Who, draft: &mut Draft) {
        let Encryption { key, version, who: _, permissions: _, scope: _ } = self.encryption;
        let as_before = Fact::BoundTo(self.account.id.name.clone(), key.clone(), version.clone());
        if !as_before.check(self.observed).is_yes() {
            let before = Pair { who: from, ..*self };
            before.grant(draft);
            before.bind(Some(self.who.clone()), draft);
        }
        let action = Action::SwitchIdentity {
            account: self.account.id.clone(),
            vault: self.vault.id.clone(),
            key: key.clone(),
            version: version.clone(),
            from: from.clone(),
            who: self.who.clone(),
            permissions: self.encryption.permissions.clone(),
        };
        let change = changed(&self.resource(), "encryption.identity", Some(called(from)), called(self.who));
        draft.propose(action, vec![change]);
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
        let is_open = |name| self.desired.accounts.get(name).is_none_or(|one| one.access == Access::Granted);
        let used = seen.filter(|seen| {
            let by = seen.encryption.binding.as_ref().is_some_and(|binding| binding.is_by(self.who));
            by && is_open(&seen.id.name)
        });
        let others: BTreeSet<String> = others.chain(used.map(|seen| seen.id.name.to_string())).collect();
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

    /// To move an account to another key, the identity that reads now has to be let at it, and so has to be known.
    fn refuses_unknown_identity(&self, draft: &mut Draft) -> bool {
        let by_another = self.binding().is_some_and(|binding| !binding.is_by(self.who));
        if !by_another {
            return false;
        }
        let Encryption { key, version, who: _, permissions: _, scope: _ } = self.encryption;
        let from = self.switches_from();
        if let Some(from) = &from {
            let as_before = Fact::BoundTo(self.account.id.name.clone(), key.clone(), version.clone());
            if is_looked_at(from, self.observed) || as_before.check(self.observed).is_yes() {
                return false;
            }
        }
        let held = self.binding().and_then(|binding| binding.user_assigned_identity.clone()).unwrap_or_default();
        draft.refuse(
            "CMK213",
            &self.resource(),
            format!("it reaches another key, or another version, as the identity {held}, which the spec does not name"),
            "add that identity under `identities`, so that it can be let at the new key while the account moves",
        );
        true
    }

    fn resource(&self) -> String {
        format!("account {}", self.account.id.name)
    }

    fn seen_account(&self) -> Option<&SeenAccount> {
        self.observed.accounts.get(&self.account.id.name).and_then(Seen::known)
    }

    fn seen_vault(&self) -> Option<&SeenVault> {
        self.observed.vaults.get(&self.vault.id.name).and_then(Seen::known)
    }

    fn binding(&self) -> Option<&Binding> {
        self.seen_account()?.encryption.binding.as_ref()
    }

    fn encrypted(&self) -> Check {
        let Encryption { key, version, who: _, permissions: _, scope: _ } = self.encryption;
        let name = self.account.id.name.clone();
        Fact::EncryptedWith(name, key.clone(), version.clone(), self.who.clone()).check(self.observed)
    }

    fn usable(&self) -> Fact {
        Fact::KeyUsable(self.encryption.key.clone(), self.encryption.version.clone())
    }

    fn allowed(&self, permissions: BTreeSet<KeyPermission>) -> Fact {
        Fact::CanUnwrap(self.who.clone(), self.encryption.key.clone(), permissions)
    }

    /// Who decides about access to the vault's keys: as it is, or as it is to be made.
    fn model(&self) -> PermissionModel {
        let seen = self.seen_vault().map(|seen| seen.permission_model);
        seen.or(self.vault.permission_model).unwrap_or(PermissionModel::AccessPolicies)
    }

    /// To switch a live vault from the one to the other takes everybody's access away.
    fn refuses_model(&self, draft: &mut Draft) -> bool {
        let (Some(seen), Some(wanted)) = (self.seen_vault(), self.vault.permission_model) else { return false };
        let is = seen.permission_model;
        if is == wanted {
            return false;
        }
        draft.refuse(
            "CMK206",
            &format!("vault {}", self.vault.id.name),
            format!("access to its keys is decided by {}, not by {}", is.as_str(), wanted.as_str()),
            format!("write `permissionModel: {}`, or leave the line out: cmk goes by what the vault does", is.as_str()),
        );
        true
    }

    fn refuses_scope(&self, draft: &mut Draft) -> bool {
        let narrow = self.encryption.scope == Some(GrantScope::Key) && self.model() == PermissionModel::AccessPolicies;
        if narrow {
            draft.refuse(
                "CMK243",
                &self.resource(),
                format!("vault {} has access policies, which reach every key of it", self.vault.id.name),
                "remove `scope: key`, or use a vault with `permissionModel: rbac`",
            );
        }
        narrow
    }

    fn refuses_region(&self, draft: &mut Draft) -> bool {
        let account: Option<&Location> =
            self.seen_account().map(|seen| &seen.location).or(self.account.location.as_ref());
        let vault: Option<&Location> = self.seen_vault().map(|seen| &seen.location).or(self.vault.location.as_ref());
        let Some((account, vault)) = account.zip(vault) else { return false };
        if !self.desired.policy.same_region || account == vault {
            return false;
        }
        draft.refuse(
            "CMK204",
            &self.resource(),
            format!("it is in {account}, and its vault {} is in {vault}", self.vault.id.name),
            "write `policy: {sameRegion: false}` to allow this: Azure does, Microsoft's guide advises against it",
        );
        true
    }

    /// An access policy names principals of the vault's tenant only.
    fn refuses_tenant(&self, draft: &mut Draft) -> bool {
        let account = self.who.tenant(self.observed);
        let Some((account, vault)) = account.zip(self.seen_vault().map(|seen| seen.tenant.as_str())) else {
            return false;
        };
        if account.eq_ignore_ascii_case(vault) {
            return false;
        }
        draft.refuse(
            "CMK208",
            &self.resource(),
            format!("its identity is of tenant {account}, and vault {} trusts tenant {vault}", self.vault.id.name),
            "use a vault of the account's tenant",
        );
        true
    }

    fn refuses_key(&self, draft: &mut Draft) -> bool {
        let key = &self.encryption.key;
        let will_be_made = matches!(self.observed.keys.get(key), Some(Seen::Absent));
        let why = match (self.usable().check(self.observed), &self.encryption.version) {
            (Check::No(_), VersionRule::Exact(version)) if will_be_made => {
                format!("the key does not exist yet, so it has no version {version}")
            }
            (Check::No(why), _) if !will_be_made => why,
            (Check::Yes | Check::No(_) | Check::Pending(_) | Check::Unknown(_), _) => return false,
        };
        draft.refuse(
            "CMK207",
            &format!("key {key}"),
            format!("{} cannot be bound to it: {why}", self.resource()),
            key_state::mend(self.observed, key, &self.encryption.version),
        );
        true
    }

    fn former(&self) -> Option<Former> {
        former(self.desired, self.observed, self.binding()?)
    }

    /// The vault of the spec whose key the account is bound to, if that vault is gone. A host begins with its vault's name.
    fn lost_vault(&self) -> Option<&VaultName> {
        let host = &self.binding()?.vault_host;
        let label = host.split('.').next()?;
        let (name, _) = self.desired.vaults.iter().find(|(name, _)| name.as_str().eq_ignore_ascii_case(label))?;
        self.observed.vaults.get(name).filter(|seen| seen.is_absent()).map(|_| name)
    }

    /// Azure unwraps with the former key to wrap with the new one: without it, the move fails.
    fn refuses_former(&self, draft: &mut Draft) -> bool {
        if self.encrypted().is_yes() {
            return false;
        }
        if let Some(vault) = self.lost_vault() {
            draft.refuse(
                "CMK211",
                &self.resource(),
                format!("it is bound to a key of vault {vault} now, and that vault does not exist"),
                format!(
                    "recover the vault with its keys first, with `az keyvault recover --name {vault}`: \
                     another one of the same name would not hold the old key"
                ),
            );
            return true;
        }
        let Some(former) = self.former() else {
            self.tell_unseen_former(draft);
            return false;
        };
        let enabled = Fact::KeyEnabled(former.key.clone(), former.version.clone()).check(self.observed);
        let Check::No(why) = enabled else { return false };
        refuse_former(&self.resource(), &former, &why, self.observed, draft);
        true
    }

    fn tell_unseen_former(&self, draft: &mut Draft) {
        let Some(binding) = self.binding() else { return };
        draft.note(
            &self.resource(),
            format!(
                "it is bound to {}/{} now, which this spec does not name: Azure needs that key once more for the move",
                binding.vault_host, binding.key
            ),
        );
    }

    /// The assignments of the account's own identity that reach the vault.
    fn assignments(&self) -> Vec<&RoleAssignment> {
        let principal = self.who.principal(self.observed);
        let all = self.seen_vault().and_then(|vault| vault.role_assignments.as_ref()).and_then(Seen::known);
        let Some((principal, all)) = principal.zip(all) else { return vec![] };
        all.iter().filter(|one| one.principal.eq_ignore_ascii_case(principal)).collect()
    }

    /// The scopes at which the account's own identity holds a role, in words.
    fn roles(&self) -> Option<String> {
        let scopes: Vec<&str> = self.assignments().iter().map(|one| one.scope.as_str()).collect();
        (!scopes.is_empty()).then(|| format!("roles at {}", scopes.join(", ")))
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

    fn grant(&self, draft: &mut Draft) {
        let permissions = self.encryption.permissions.clone();
        let may = self.allowed(permissions.clone()).check(self.observed);
        if may.is_yes() || self.hides_roles(draft) {
            return;
        }
        let (who, vault, key) = (self.who.clone(), self.vault.id.clone(), self.encryption.key.clone());
        let (by, because) = match self.model() {
            PermissionModel::AccessPolicies => (GrantBy::AccessPolicy, self.policy_change()),
            PermissionModel::Rbac => (GrantBy::Role(self.scope()), self.role_change()),
        };
        if draft.is_first_grant(&who, &key) {
            draft.propose(Action::Grant { who, vault, key, permissions, by }, vec![because]);
        }
    }

    /// No wider than needed, unless the spec says so.
    fn scope(&self) -> GrantScope {
        self.encryption.scope.unwrap_or(GrantScope::Key)
    }

    /// Whether the vault's role assignments may not be seen. Nothing is granted that may be there.
    fn hides_roles(&self, draft: &mut Draft) -> bool {
        let roles = self.seen_vault().and_then(|vault| vault.role_assignments.as_ref());
        let Some(Seen::Hidden(reason)) = roles else { return false };
        draft.hidden(&format!("vault {}", self.vault.id.name), reason);
        true
    }

    fn policy_change(&self) -> Change {
        let after: Vec<&str> = self.encryption.permissions.iter().map(|permission| permission.as_str()).collect();
        let path = format!("accessPolicies[{}].keys", self.who.name());
        changed(&format!("vault {}", self.vault.id.name), &path, self.held(), after.join(", "))
    }

    fn role_change(&self) -> Change {
        let resource = match self.scope() {
            GrantScope::Vault => format!("vault {}", self.vault.id.name),
            GrantScope::Key => format!("key {}", self.encryption.key),
        };
        let path = format!("roleAssignments[{}]", self.who.name());
        changed(&resource, &path, None, "Key Vault Crypto Service Encryption User")
    }

    /// What the account's identity holds on the vault's keys now, in Azure's words.
    fn held(&self) -> Option<String> {
        let principal = self.who.principal(self.observed)?;
        let entries = self.seen_vault()?.access_policies.iter();
        let mine =
            entries.filter(|entry| entry.application_id.is_none() && entry.object_id.eq_ignore_ascii_case(principal));
        let keys: Vec<&str> = mine.flat_map(|entry| entry.keys.iter().map(String::as_str)).collect();
        (!keys.is_empty()).then(|| keys.join(", "))
    }

    /// Binds the account to the key; `then` is as whom it is to reach it afterwards, when that changes.
    fn bind(&self, then: Option<Who>, draft: &mut Draft) {
        let Encryption { key, version, who: _, permissions: _, scope: _ } = self.encryption;
        let action = Action::SetEncryption {
            account: self.account.id.clone(),
            vault: self.vault.id.clone(),
            key: key.clone(),
            version: version.clone(),
            who: self.who.clone(),
            then,
            permissions: self.encryption.permissions.clone(),
            former: self.former(),
        };
        draft.propose(action, self.binding_changes());
    }

    fn binding_changes(&self) -> Vec<Change> {
        let resource = self.resource();
        let binding = self.binding();
        let mut changes = vec![];
        if binding.is_none() {
            let source = self.seen_account().map(|_| "Microsoft.Storage".to_owned());
            changes.push(changed(&resource, "encryption.keySource", source, "Microsoft.Keyvault"));
        }
        let bound_to_key = binding.zip(self.seen_vault()).is_some_and(|(b, v)| b.is_to(&self.encryption.key, v));
        if !bound_to_key {
            let before = binding.map(|binding| format!("{}/{}", binding.vault_host, binding.key));
            changes.push(changed(&resource, "encryption.key", before, self.encryption.key.to_string()));
        }
        let before = binding.map(|binding| match &binding.version {
            Some(version) => version.to_string(),
            None => "none: Azure follows the newest".to_owned(),
        });
        let after = version_in_words(self.observed, &self.encryption.key, &self.encryption.version);
        changes.push(changed(&resource, "encryption.version", before, after));
        if let (None, Who::User(_)) = (binding, self.who) {
            changes.push(changed(&resource, "encryption.identity", None, called(self.who)));
        }
        changes
    }
}

fn called(who: &Who) -> String {
    match who {
        Who::System(_) => "systemAssigned".to_owned(),
        Who::User(identity) => identity.name.to_string(),
    }
}

fn version_in_words(observed: &Observed, key: &KeyRef, rule: &VersionRule) -> String {
    let seen = observed.keys.get(key).and_then(Seen::known);
    match (rule, seen.and_then(|key| pinned_version(key, rule))) {
        (VersionRule::Auto, _) => "none: Azure follows the newest".to_owned(),
        (VersionRule::Exact(version), _) | (VersionRule::Latest, Some(version)) => version.to_string(),
        (VersionRule::Latest, None) => VERSION_MADE.to_owned(),
    }
}
