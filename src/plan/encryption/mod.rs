//! Encryption: what lies between an account, its identity and its key, and the order in which that changes.

mod grants;
mod renewal;
mod revocation;

pub use revocation::revoking;

use super::action::{Action, Binds, Former};
use super::approval::VERSION_MADE;
use super::draft::{Draft, changed, made};
use super::key_state;
use super::types::Change;
use crate::model::fact::pinned_version;
use crate::model::{
    Access, Account, Binding, Check, Desired, Encryption, Fact, GrantScope, Identities, KeyName, KeyPermission, KeyRef,
    Location, Observed, PermissionModel, Seen, SeenAccount, SeenVault, Timestamp, Vault, VaultName, VersionRule, Who,
};
use std::collections::BTreeSet;

pub(super) fn plan(desired: &Desired, observed: &Observed, draft: &mut Draft) {
    for account in desired.accounts.values() {
        tell_unseen_scopes(account, observed, draft);
        let seen = observed.accounts.get(&account.id.name).and_then(Seen::known);
        if seen.and_then(|seen| seen.encryption.binding.as_ref()).is_some_and(|one| draft.recovered.has_bound(one)) {
            continue;
        }
        if account.leaves_key {
            leave(desired, observed, account, draft);
        }
        let Some(encryption) = &account.encryption else { continue };
        let Some(vault) = desired.vaults.get(&encryption.key.vault) else { continue };
        if draft.recovered.has_key(&encryption.key) {
            continue;
        }
        let pair = Pair { desired, observed, account, encryption, who: &encryption.who, vault };
        match account.access {
            Access::Granted => pair.plan(draft),
            Access::Revoked => pair.revoke(draft),
        }
    }
}

/// Scopes are looked at where they are to be read as somebody else than now.
fn tell_unseen_scopes(account: &Account, observed: &Observed, draft: &mut Draft) {
    let name = &account.id.name;
    let Some(Seen::Hidden(reason)) = observed.scopes.get(name) else { return };
    if account.encryption.is_some() || account.leaves_key {
        let spot = Fact::NoScopeUnderKey(name.clone()).subject();
        draft.hidden_with(&spot, reason, "whether what is in them can be read as another identity".to_owned());
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
    if let Some((former, who)) = former.as_ref().zip(who.as_ref())
        && refuses_unwrapping(&resource, former, Some(who), observed, draft)
    {
        return;
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
pub(super) fn at_birth(desired: &Desired, account: &Account, draft: &Draft) -> Option<Binds> {
    let encryption = account.encryption.as_ref()?;
    let Encryption { key, version, who, permissions, scope: _ } = encryption;
    match (who, account.access) {
        (Who::User(_), Access::Granted) => {}
        (Who::System(_), _) | (Who::User(_), Access::Revoked) => return None,
    }
    let vault = desired.vaults.get(&key.vault)?.id.clone();
    let permissions = permissions.clone();
    let since = renewal::since(encryption, draft);
    Some(Binds { vault, key: key.clone(), version: version.clone(), since, who: who.clone(), permissions })
}

/// What is said of the key that an account is made with.
pub(super) fn made_with(resource: &str, observed: &Observed, binds: &Binds) -> Vec<Change> {
    vec![
        made(resource, "encryption.keySource", "Microsoft.Keyvault"),
        made(resource, "encryption.key", binds.key.to_string()),
        made(resource, "encryption.version", version_in_words(observed, &binds.key, &binds.version, binds.since)),
        made(resource, "encryption.identity", binds.who.name()),
    ]
}

/// Refuses to move an account off a key that does not unwrap any more, or not for whom the account reaches it as.
fn refuses_unwrapping(
    resource: &str,
    former: &Former,
    who: Option<&Who>,
    observed: &Observed,
    draft: &mut Draft,
) -> bool {
    let enabled = Fact::KeyEnabled(former.key.clone(), former.version.clone()).check(observed);
    let enabled = if draft.opens(&former.key, &former.version) { Check::Yes } else { enabled };
    let unwrap = BTreeSet::from([KeyPermission::UnwrapKey]);
    let may = who.map(|who| Fact::CanUnwrap(who.clone(), former.key.clone(), unwrap).check(observed));
    let ((Check::No(why), _) | (_, Some(Check::No(why)))) = (enabled, may) else { return false };
    let detail = format!("it is bound to {} now, and that key cannot unwrap: {why}", former.key);
    draft.refuse("CMK211", resource, detail, key_state::recover(observed, former));
    true
}

/// The key that an account is bound to now, when its vault is of the spec.
fn former(desired: &Desired, observed: &Observed, binding: &Binding) -> Option<Former> {
    let version = binding.in_use().cloned()?;
    let is_its = |name: &&VaultName| {
        let seen = observed.vaults.get(*name).and_then(Seen::known);
        seen.is_some_and(|vault| vault.host.eq_ignore_ascii_case(&binding.vault_host))
    };
    let vault = desired.vaults.keys().find(is_its)?;
    let name = KeyName::parse(&binding.key).ok()?;
    Some(Former { key: KeyRef { vault: vault.clone(), name }, version, left: true })
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
    fn plan(&self, draft: &mut Draft) {
        if self.is_closed(draft) {
            return;
        }
        let mut refused = self.refuses_model(draft);
        refused |= self.refuses_scope(draft);
        refused |= self.refuses_region(draft);
        refused |= self.refuses_tenant(draft);
        refused |= self.refuses_former(draft);
        refused |= self.refuses_unknown_identity(draft);
        let since = renewal::since(self.encryption, draft);
        let bound = self.bound_since(since);
        // What is made or enabled in this plan is usable then.
        if !bound.is_yes() && since.is_none() && !self.is_renewed(draft) {
            refused |= self.refuses_key(draft)
                || key_state::refuses_expiring(self.observed, self.account, self.encryption, self.binding(), draft);
        } else if bound.is_yes()
            && let Check::No(why) = self.usable().check(self.observed)
        {
            draft.note(&self.resource(), format!("it is bound to key {}, of which {why}", self.encryption.key));
        }
        if refused {
            return;
        }
        self.grant(draft);
        match bound {
            Check::Yes | Check::Pending(_) => {}
            Check::No(_) | Check::Unknown(_) if self.is_made_with_key(draft) => {}
            Check::No(_) | Check::Unknown(_) => match self.switches_from() {
                None => self.bind(None, since, draft),
                Some(from) => self.switch(&from, since, draft),
            },
        }
    }

    /// Whether the account is made in this plan, and with its key.
    fn is_made_with_key(&self, draft: &Draft) -> bool {
        let absent = self.observed.accounts.get(&self.account.id.name).is_some_and(Seen::is_absent);
        absent && at_birth(self.desired, self.account, draft).is_some()
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
    fn switch(&self, from: &Who, since: Option<Timestamp>, draft: &mut Draft) {
        let Encryption { key, version, who: _, permissions: _, scope: _ } = self.encryption;
        let as_before = Fact::BoundTo(self.account.id.name.clone(), key.clone(), version.clone());
        if since.is_some() || !as_before.check(self.observed).is_yes() {
            let before = Pair { who: from, ..*self };
            before.grant(draft);
            before.bind(Some(self.who.clone()), since, draft);
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
        let from = self.seen_account().and_then(SeenAccount::reaches_as);
        let from = from.filter(|who| is_looked_at(who, self.observed));
        refuses_unwrapping(&self.resource(), &former, from.as_ref(), self.observed, draft)
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

    /// Whether the account is off its former version once it is bound.
    fn left(&self, former: Former, since: Option<Timestamp>) -> Former {
        let seen = self.observed.keys.get(&self.encryption.key).and_then(Seen::known);
        let target = seen.filter(|_| since.is_none()).and_then(|seen| match &self.encryption.version {
            VersionRule::Auto => seen.current().map(|version| &version.id),
            rule @ (VersionRule::Latest | VersionRule::Exact(_)) => pinned_version(seen, rule),
        });
        let left = former.key != self.encryption.key || target != Some(&former.version);
        Former { left, ..former }
    }

    /// Binds the account to the key; `then` is as whom it is to reach it afterwards, when that changes.
    fn bind(&self, then: Option<Who>, since: Option<Timestamp>, draft: &mut Draft) {
        let Encryption { key, version, who: _, permissions: _, scope: _ } = self.encryption;
        let action = Action::SetEncryption {
            account: self.account.id.clone(),
            vault: self.vault.id.clone(),
            key: key.clone(),
            version: version.clone(),
            who: self.who.clone(),
            then,
            since,
            attach: Identities::default(),
            permissions: self.encryption.permissions.clone(),
            former: self.former().map(|former| self.left(former, since)),
        };
        draft.propose(action, self.binding_changes(since));
    }

    fn binding_changes(&self, since: Option<Timestamp>) -> Vec<Change> {
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
        let after = version_in_words(self.observed, &self.encryption.key, &self.encryption.version, since);
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

/// The version that data comes under; `since` where this plan brings it about.
fn version_in_words(observed: &Observed, key: &KeyRef, rule: &VersionRule, since: Option<Timestamp>) -> String {
    if since.is_some() {
        return renewal::renewed_in_words(observed, key);
    }
    let seen = observed.keys.get(key).and_then(Seen::known);
    match (rule, seen.and_then(|key| pinned_version(key, rule))) {
        (VersionRule::Auto, _) => "none: Azure follows the newest".to_owned(),
        (VersionRule::Exact(version), _) | (VersionRule::Latest, Some(version)) => version.to_string(),
        (VersionRule::Latest, None) => VERSION_MADE.to_owned(),
    }
}
