//! Facts: checkable statements about the estate, the one notion that planning and applying share.
//!
//! A fact says what is missing, what must come first, whether it is still right to
//! act and whether acting worked. Facts name things by the spec's ids, never by
//! values that the cloud chooses, so nothing is "known after apply".

mod words;

use crate::model::account::{Binding, SeenAccount, VersionRule};
use crate::model::audit::{SeenSetting, Sink, unserved};
use crate::model::estate::Observed;
use crate::model::grant::KeyPermission;
use crate::model::identity::Who;
use crate::model::ids::{AccountName, GroupId, IdentityId, KeyRef, VaultName, Version};
use crate::model::key::{KEY_SIZES_BITS, KeyType, KeyVersion, SeenKey, Timestamp};
use crate::model::life::{Marks, Period, Rotation};
use crate::model::own::Thumbprint;
use crate::model::seen::Seen;
use crate::model::stairs;
use crate::model::usage::SeenScope;
use crate::model::vault::{MayUse, PermissionModel, SeenVault};
use std::collections::BTreeSet;

/// One checkable statement about the estate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fact {
    /// The resource group is there.
    GroupLive(GroupId),
    /// The vault is there and its name resolves.
    VaultLive(VaultName),
    /// Soft delete and purge protection are on: Storage binds to no other vault.
    PurgeProtected(VaultName),
    /// The vault's audit log goes to these places.
    Audited(VaultName, BTreeSet<Sink>),
    /// The key is there, usable or not.
    KeyLive(KeyRef),
    /// The key's current version is of this material.
    KeyHolds(KeyRef, Thumbprint),
    /// Storage can wrap with this version of the key now: enabled, in date, RSA of a size it takes.
    KeyUsable(KeyRef, VersionRule),
    /// This version still unwraps: it is enabled. Key Vault does not hold unwrapping against a version's dates.
    KeyEnabled(KeyRef, Version),
    /// This version can be used for nothing.
    VersionDisabled(KeyRef, Version),
    /// The current version bears these dates and tags.
    KeyMarked(KeyRef, Marks),
    /// Key Vault rotates the key by itself, as is wanted.
    RotatesBy(KeyRef, Rotation),
    /// The newest enabled version is of this moment or later.
    RotatedSince(KeyRef, Timestamp),
    /// Nobody uses this version any more, and has not for this long.
    Retirable(KeyRef, Version, Period),
    /// The account is not under this version of a key.
    NotUnder(AccountName, KeyRef, Version),
    /// The account is pinned to a version of this moment or later.
    PinnedSince(AccountName, KeyRef, Timestamp),
    /// The account is there and is not being changed.
    AccountLive(AccountName),
    /// The user-assigned identity is there.
    IdentityLive(IdentityId),
    /// The account has this identity.
    Attached(AccountName, Who),
    /// The account does not have this identity.
    Detached(AccountName, Who),
    /// The account reaches no key as this identity.
    NotReachedAs(AccountName, Who),
    /// No encryption scope of the account is under a key of one's own.
    NoScopeUnderKey(AccountName),
    /// The identity holds these permissions on the key.
    CanUnwrap(Who, KeyRef, BTreeSet<KeyPermission>),
    /// The identity holds nothing that storage needs on the vault's keys.
    NoAccess(Who, VaultName),
    /// A key that Microsoft manages protects the account.
    MicrosoftManaged(AccountName),
    /// The account is bound to this key, at this version, as whomever it reaches it.
    BoundTo(AccountName, KeyRef, VersionRule),
    /// The account is bound to this key, at this version, through this identity.
    EncryptedWith(AccountName, KeyRef, VersionRule, Who),
}

/// What a look says about a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// It holds.
    Yes,
    /// It does not hold, and why.
    No(String),
    /// It does not hold yet and will by itself: what is under way.
    Pending(String),
    /// It cannot be said, and why.
    Unknown(String),
}

impl Check {
    /// Whether the fact holds.
    pub fn is_yes(&self) -> bool {
        matches!(self, Self::Yes)
    }

    /// The first of two answers that is not yes.
    fn and(self, next: impl FnOnce() -> Self) -> Self {
        if self.is_yes() { next() } else { self }
    }
}

impl Fact {
    /// Says whether the fact holds in what was observed. Pure: a date is held against Azure's own clock.
    pub fn check(&self, observed: &Observed) -> Check {
        match self {
            Self::GroupLive(group) => on(observed.groups.get(group), |seen| {
                if seen.provisioning_state.eq_ignore_ascii_case("Deleting") {
                    no("it is being deleted")
                } else {
                    Check::Yes
                }
            }),
            Self::VaultLive(vault) => on(observed.vaults.get(vault), vault_live),
            Self::PurgeProtected(vault) => on(observed.vaults.get(vault), purge_protected),
            Self::Audited(vault, wanted) => on(observed.audits.get(vault), |settings| audited(wanted, settings)),
            Self::KeyLive(key) => on(observed.keys.get(key), |_| Check::Yes),
            Self::KeyHolds(key, thumbprint) => on(observed.keys.get(key), |seen| key_holds(seen, thumbprint)),
            Self::KeyUsable(key, rule) => on(observed.keys.get(key), |seen| key_usable(seen, rule, observed.at)),
            Self::KeyEnabled(key, version) => on(observed.keys.get(key), |seen| key_enabled(seen, version)),
            Self::VersionDisabled(key, version) => on(observed.keys.get(key), |seen| version_disabled(seen, version)),
            Self::KeyMarked(key, marks) => on(observed.keys.get(key), |seen| key_marked(seen, marks)),
            Self::RotatesBy(key, wanted) => on(observed.keys.get(key), |seen| rotates_by(seen, wanted)),
            Self::RotatedSince(key, since) => on(observed.keys.get(key), |seen| stairs::rotated_since(seen, *since)),
            Self::Retirable(key, version, wait) => stairs::retirable(key, version, *wait, observed),
            Self::NotUnder(account, key, version) => on(observed.accounts.get(account), |seen| {
                on(observed.vaults.get(&key.vault), |vault| not_under(seen, vault, key, version))
            }),
            Self::PinnedSince(account, key, since) => on(observed.accounts.get(account), |seen| {
                on(observed.vaults.get(&key.vault), |vault| stairs::pinned_since(seen, vault, key, *since, observed))
            }),
            Self::AccountLive(account) => on(observed.accounts.get(account), account_live),
            Self::IdentityLive(identity) => on(observed.identities.get(identity), |_| Check::Yes),
            Self::Attached(account, who) => on(observed.accounts.get(account), |seen| attached(seen, who)),
            Self::Detached(account, who) => on(observed.accounts.get(account), |seen| detached(seen, who)),
            Self::NotReachedAs(account, who) => on(observed.accounts.get(account), |seen| not_reached_as(seen, who)),
            Self::NoScopeUnderKey(account) => on(observed.scopes.get(account), |scopes| no_scope_under_key(scopes)),
            Self::CanUnwrap(who, key, permissions) => as_principal(who, observed, |principal| {
                let Some(principal) = principal else { return no("the account has no system-assigned identity") };
                on(observed.vaults.get(&key.vault), |vault| can_unwrap(principal, vault, key, permissions))
            }),
            Self::NoAccess(who, vault) => as_principal(who, observed, |principal| {
                on(observed.vaults.get(vault), |vault| principal.map_or(Check::Yes, |one| no_access(one, vault)))
            }),
            Self::MicrosoftManaged(account) => on(observed.accounts.get(account), microsoft_managed),
            Self::BoundTo(account, key, rule) => on(observed.accounts.get(account), |seen_account| {
                on(observed.vaults.get(&key.vault), |seen_vault| {
                    bound_to(seen_account, seen_vault, (key, rule), observed)
                })
            }),
            Self::EncryptedWith(account, key, rule, who) => on(observed.accounts.get(account), |seen_account| {
                on(observed.vaults.get(&key.vault), |seen_vault| {
                    encrypted_with(seen_account, seen_vault, (key, rule), who, observed)
                })
            }),
        }
    }
}

pub(super) fn no(reason: impl Into<String>) -> Check {
    Check::No(reason.into())
}

/// Judges a thing that was seen; what is absent or hidden answers for itself.
pub(super) fn on<T>(seen: Option<&Seen<T>>, judge: impl FnOnce(&T) -> Check) -> Check {
    match seen {
        Some(Seen::Known(thing)) => judge(thing),
        Some(Seen::Absent) => no("it is not there"),
        Some(Seen::Hidden(reason)) => Check::Unknown(reason.to_string()),
        None => Check::Unknown("nobody looked".to_owned()),
    }
}

fn vault_live(vault: &SeenVault) -> Check {
    if vault.is_ready() { Check::Yes } else { under_way(&vault.provisioning_state) }
}

fn account_live(account: &SeenAccount) -> Check {
    if account.is_ready() { Check::Yes } else { under_way(&account.provisioning_state) }
}

fn under_way(state: &str) -> Check {
    match state.to_ascii_lowercase().as_str() {
        "failed" | "canceled" | "deleting" => no(format!("its provisioning state is {state}")),
        _ => Check::Pending(format!("its provisioning state is {state}")),
    }
}

fn audited(wanted: &BTreeSet<Sink>, settings: &[SeenSetting]) -> Check {
    match unserved(wanted, settings).first() {
        None => Check::Yes,
        Some(sink) => no(format!("no diagnostic setting sends it to {sink}")),
    }
}

fn purge_protected(vault: &SeenVault) -> Check {
    match (vault.soft_delete, vault.purge_protection) {
        (true, true) => Check::Yes,
        (false, _) => no("soft delete is off"),
        (true, false) => no("purge protection is off"),
    }
}

fn attached(account: &SeenAccount, who: &Who) -> Check {
    match who {
        _ if account.identity.has(who) => Check::Yes,
        Who::System(_) => no("it has no system-assigned identity"),
        Who::User(identity) => no(format!("it does not have the user-assigned identity {}", identity.name)),
    }
}

fn detached(account: &SeenAccount, who: &Who) -> Check {
    if account.identity.has(who) { no(format!("it still has {who}")) } else { Check::Yes }
}

fn not_reached_as(account: &SeenAccount, who: &Who) -> Check {
    let by = account.encryption.binding.as_ref().is_some_and(|binding| binding.is_by(who));
    if by { no(format!("it reaches its key as {who}")) } else { Check::Yes }
}

/// Azure names no identity at a scope, so any identity of the account may be the one that a scope is read with.
fn no_scope_under_key(scopes: &[SeenScope]) -> Check {
    match scopes.iter().find(|scope| scope.key.is_some()) {
        None => Check::Yes,
        Some(scope) => {
            no(format!("its encryption scope {} is under a key, as an identity that Azure does not name", scope.name))
        }
    }
}

/// Judges a principal: of an account that was seen and has none, nothing.
fn as_principal(who: &Who, observed: &Observed, judge: impl FnOnce(Option<&str>) -> Check) -> Check {
    match who {
        Who::System(id) => {
            on(observed.accounts.get(&id.name), |account| judge(account.identity.system_principal.as_deref()))
        }
        Who::User(id) => on(observed.identities.get(id), |identity| judge(Some(&identity.principal))),
    }
}

fn can_unwrap(principal: &str, vault: &SeenVault, key: &KeyRef, permissions: &BTreeSet<KeyPermission>) -> Check {
    match vault.lets(principal, Some(key.name.as_str()), permissions) {
        MayUse::Yes => Check::Yes,
        MayUse::No(why) => no(why),
        MayUse::Unknown(why) => Check::Unknown(why),
    }
}

/// Whether nothing is left of what a principal may do with the vault's keys.
fn no_access(principal: &str, vault: &SeenVault) -> Check {
    match (vault.permission_model, &vault.role_assignments) {
        (PermissionModel::AccessPolicies, _) => {
            let held = |one: &KeyPermission| vault.access_policies.iter().any(|entry| entry.allows(principal, *one));
            let held: Vec<&str> =
                KeyPermission::needed().iter().filter(|one| held(one)).map(|one| one.as_str()).collect();
            if held.is_empty() { Check::Yes } else { no(format!("it still holds: {}", held.join(", "))) }
        }
        (PermissionModel::Rbac, Some(Seen::Known(all))) => {
            let of_its = all.iter().filter(|one| one.principal.eq_ignore_ascii_case(principal)).count();
            if of_its == 0 { Check::Yes } else { no("it still holds a role that reaches the vault") }
        }
        (PermissionModel::Rbac, Some(Seen::Hidden(reason))) => Check::Unknown(reason.to_string()),
        (PermissionModel::Rbac, Some(Seen::Absent) | None) => {
            Check::Unknown("its role assignments were not looked at".to_owned())
        }
    }
}

fn not_under(account: &SeenAccount, vault: &SeenVault, key: &KeyRef, version: &Version) -> Check {
    match &account.encryption.binding {
        Some(binding) if binding.is_to(key, vault) && binding.in_use() == Some(version) => {
            no(format!("it is under version {version} of {key}"))
        }
        Some(_) | None => Check::Yes,
    }
}

fn microsoft_managed(account: &SeenAccount) -> Check {
    match &account.encryption.binding {
        None => Check::Yes,
        Some(binding) => no(format!("it is bound to {}/{}", binding.vault_host, binding.key)),
    }
}

fn key_holds(key: &SeenKey, wanted: &Thumbprint) -> Check {
    match key.current().and_then(|current| current.thumbprint.as_ref()) {
        Some(is) if is == wanted => Check::Yes,
        Some(is) => no(format!("it holds another key, with the thumbprint {is}")),
        None => Check::Unknown("the vault itself did not show its public half".to_owned()),
    }
}

fn key_usable(key: &SeenKey, rule: &VersionRule, at: Timestamp) -> Check {
    storage_takes(key).and(|| match version_of(key, rule) {
        Some(version) => version_usable(version, at),
        None if key.all_versions => match rule {
            VersionRule::Exact(id) => no(format!("it has no version {id}")),
            VersionRule::Latest | VersionRule::Auto => no("it has no enabled version"),
        },
        None => Check::Unknown("not all of its versions were read".to_owned()),
    })
}

fn key_enabled(key: &SeenKey, id: &Version) -> Check {
    match key.version(id) {
        Some(version) if version.enabled => Check::Yes,
        Some(_) => no(format!("version {id} is disabled")),
        None if key.all_versions => no(format!("it has no version {id}")),
        None => Check::Unknown("not all of its versions were read".to_owned()),
    }
}

fn version_disabled(key: &SeenKey, id: &Version) -> Check {
    match key.version(id) {
        Some(version) if version.enabled => no(format!("version {id} is enabled")),
        Some(_) => Check::Yes,
        None if key.all_versions => no(format!("it has no version {id}")),
        None => Check::Unknown("not all of its versions were read".to_owned()),
    }
}

fn key_marked(key: &SeenKey, wanted: &Marks) -> Check {
    let Some(current) = key.current() else { return Check::Unknown("none of its versions was read".to_owned()) };
    let Marks { not_before, expires, tags } = wanted;
    let date = |what: &str, wanted: &Option<Timestamp>, is: Option<Timestamp>| match wanted {
        Some(wanted) if is != Some(*wanted) => no(format!("its {what} is not {wanted}")),
        Some(_) | None => Check::Yes,
    };
    let lacking = tags.iter().find(|(name, value)| key.tags.get(*name) != Some(value));
    date("begin", not_before, current.not_before)
        .and(|| date("end", expires, current.expires))
        .and(|| lacking.map_or(Check::Yes, |(name, value)| no(format!("its tag {name} is not {value}"))))
}

fn rotates_by(key: &SeenKey, wanted: &Rotation) -> Check {
    on(
        key.rotation.as_ref(),
        |seen| if seen.does(wanted) { Check::Yes } else { no("its rotation policy is another one") },
    )
}

/// Whether Storage takes keys of this type and size at all.
fn storage_takes(key: &SeenKey) -> Check {
    match (&key.kind, key.size_bits) {
        (KeyType::Other(kind), _) => no(format!("it is of type {kind}; storage takes RSA and RSA-HSM")),
        (KeyType::Rsa | KeyType::RsaHsm, Some(bits)) if !KEY_SIZES_BITS.contains(&bits) => {
            no(format!("it has {bits} bits; storage takes 2048, 3072 and 4096"))
        }
        (KeyType::Rsa | KeyType::RsaHsm, _) => Check::Yes,
    }
}

fn version_usable(version: &KeyVersion, at: Timestamp) -> Check {
    if !version.enabled {
        no(format!("version {} is disabled", version.id))
    } else if version.not_before.is_some_and(|start| at < start) {
        no(format!("version {} is not valid yet", version.id))
    } else if version.expires.is_some_and(|end| at >= end) {
        no(format!("version {} has expired", version.id))
    } else {
        Check::Yes
    }
}

/// The version that a rule means at this moment.
fn version_of<'a>(key: &'a SeenKey, rule: &VersionRule) -> Option<&'a KeyVersion> {
    match rule {
        VersionRule::Latest => key.newest_enabled(),
        VersionRule::Auto => key.current(),
        VersionRule::Exact(id) => key.version(id),
    }
}

fn encrypted_with(
    account: &SeenAccount,
    vault: &SeenVault,
    (key, rule): (&KeyRef, &VersionRule),
    who: &Who,
    observed: &Observed,
) -> Check {
    bound_to(account, vault, (key, rule), observed).and(|| match &account.encryption.binding {
        Some(binding) if !binding.is_by(who) => {
            let by = binding.user_assigned_identity.as_deref().unwrap_or("its system-assigned identity");
            no(format!("it reaches its key as {by}"))
        }
        Some(_) | None => Check::Yes,
    })
}

fn bound_to(
    account: &SeenAccount,
    vault: &SeenVault,
    (key, rule): (&KeyRef, &VersionRule),
    observed: &Observed,
) -> Check {
    let Some(binding) = &account.encryption.binding else {
        return no("Microsoft manages its key");
    };
    if !binding.is_to(key, vault) {
        return no(format!("it is bound to {}/{}", binding.vault_host, binding.key));
    }
    match rule {
        VersionRule::Auto => pinned(binding, None),
        VersionRule::Exact(version) => pinned(binding, Some(version.as_str())),
        VersionRule::Latest => on(observed.keys.get(key), |seen| match seen.newest_enabled() {
            Some(version) => pinned(binding, Some(version.id.as_str())),
            None => Check::Unknown("the key has no enabled version that could be the latest".to_owned()),
        }),
    }
}

fn pinned(binding: &Binding, wanted: Option<&str>) -> Check {
    let held = binding.version.as_ref().map(Version::as_str);
    match (held, wanted) {
        _ if held == wanted => Check::Yes,
        (None, _) => no("it follows the newest version by itself"),
        (Some(version), _) => no(format!("it is pinned to version {version}")),
    }
}

impl Binding {
    /// Whether the account reaches its key as this identity.
    pub fn is_by(&self, who: &Who) -> bool {
        match (&self.user_assigned_identity, who) {
            (None, Who::System(_)) => true,
            (Some(held), Who::User(id)) => held.eq_ignore_ascii_case(&id.to_string()),
            (None, Who::User(_)) | (Some(_), Who::System(_)) => false,
        }
    }

    /// The version that wraps the account's data key: the one that Azure tells, else the one that is pinned.
    pub fn in_use(&self) -> Option<&Version> {
        self.current.as_ref().or(self.version.as_ref())
    }

    /// Whether this binding is to a key of this vault, whatever the version. Hosts and names are compared without case.
    pub fn is_to(&self, key: &KeyRef, vault: &SeenVault) -> bool {
        self.vault_host.eq_ignore_ascii_case(&vault.host) && self.key.eq_ignore_ascii_case(key.name.as_str())
    }
}

/// The version that a rule means in a key as it was seen; nothing for `Auto`, or when there is none.
pub fn pinned_version<'a>(key: &'a SeenKey, rule: &'a VersionRule) -> Option<&'a Version> {
    match rule {
        VersionRule::Auto => None,
        VersionRule::Latest => key.newest_enabled().map(|version| &version.id),
        VersionRule::Exact(id) => Some(id),
    }
}
