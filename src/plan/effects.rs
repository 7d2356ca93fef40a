//! The table of effects: what each action needs before it, and what holds after it.
//!
//! This table is the heart of the order: nobody writes edges by hand. A step goes
//! after the steps that give what it needs.
//!
//! | action | needs | gives |
//! |---|---|---|
//! | create a resource group | – | `GroupLive` |
//! | create a vault | `GroupLive` | `VaultLive`, `PurgeProtected` when made so |
//! | recover a vault | `GroupLive` | `VaultLive`; what it holds is seen afterwards, so nothing hangs on it in the same plan |
//! | protect a vault | `VaultLive` | `PurgeProtected` |
//! | send the audit log | `VaultLive` | `Audited` |
//! | create a key | `VaultLive` | `KeyLive`, `KeyUsable` for its newest version, with a policy `RotatesBy` |
//! | import a key | `VaultLive` | `KeyLive`, `KeyHolds`, `KeyUsable` for its newest version |
//! | recover a key | `VaultLive` | `KeyLive` |
//! | date and tag a key | `VaultLive`, `KeyLive` | `KeyMarked` |
//! | have a key rotate by itself | `VaultLive`, `KeyLive` | `RotatesBy` |
//! | make a new version | `VaultLive`, `KeyLive` | `RotatedSince`, `KeyUsable` for its newest version |
//! | enable a version | `VaultLive`, `KeyLive` | `KeyEnabled`, `KeyUsable` |
//! | disable a version | `VaultLive`, `KeyLive`; of a retired one `Retirable`; for accounts that leave it first `NotUnder` | `VersionDisabled` |
//! | create an identity | `GroupLive` | `IdentityLive` |
//! | create an account | `GroupLive`, `IdentityLive`; with a key all that binding needs | `AccountLive`, `Attached`, with a key `EncryptedWith` |
//! | attach identities | `AccountLive`, `IdentityLive` | `Attached` |
//! | take identities away | `AccountLive`, `Attached` of those that it is to have, `NotReachedAs` each, `NoScopeUnderKey` | `Detached` |
//! | grant | `VaultLive`, the identity: `IdentityLive`, or of an account `Attached`; at one key `KeyLive` | `CanUnwrap` |
//! | revoke access | `VaultLive`, `Attached` | `NoAccess` |
//! | leave the key | `AccountLive`; of the former key `KeyEnabled`, `CanUnwrap` | `MicrosoftManaged`, `NotUnder` the former key, `NotReachedAs` the identity that it reached it as |
//! | set encryption | `AccountLive`, `Attached`, or `IdentityLive` of what it attaches by itself, `VaultLive`, `PurgeProtected`, `KeyUsable`, `CanUnwrap`, to a version that is made first `RotatedSince`; of the former key `KeyUsable`, `CanUnwrap` | `EncryptedWith`, or `BoundTo` where the identity changes after it; to a version that is made first `PinnedSince`; from another key or version `NotUnder` that one; `Attached` of what it attaches |
//! | switch the identity | `AccountLive`, `BoundTo`, `Attached`, `VaultLive`, `PurgeProtected`, `KeyUsable`, `CanUnwrap` | `EncryptedWith`, `NotReachedAs` the former identity |
//!
//! The former key counts because Azure unwraps the account's data key with it to
//! wrap it anew: moving off a key that no longer unwraps fails.

use super::action::{Action, Binds, Former, GrantBy};
use crate::model::{AccountId, AccountName, Fact, GrantScope, Identities, KeyPermission, KeyRef, VersionRule, Who};
use std::collections::BTreeSet;

/// What must hold before an action is taken.
pub fn needs(action: &Action) -> Vec<Fact> {
    match action {
        Action::CreateGroup { .. } => vec![],
        Action::CreateVault { id, .. } | Action::RecoverVault { id, .. } => vec![Fact::GroupLive(id.group.clone())],
        Action::CreateIdentity { id, .. } => vec![Fact::GroupLive(id.group.clone())],
        Action::CreateAccount { id, identity, key, .. } => {
            let mut needs = vec![Fact::GroupLive(id.group.clone())];
            needs.extend(live(identity));
            needs.extend(key.iter().flat_map(binding));
            needs
        }
        Action::ProtectVault { id } | Action::SetAudit { vault: id, .. } => vec![Fact::VaultLive(id.name.clone())],
        Action::CreateKey { vault, .. } | Action::ImportKey { vault, .. } | Action::RecoverKey { vault, .. } => {
            vec![Fact::VaultLive(vault.name.clone())]
        }
        Action::MarkKey { vault, key, .. }
        | Action::SetRotation { vault, key, .. }
        | Action::RotateKey { vault, key, .. }
        | Action::EnableVersion { vault, key, .. } => {
            vec![Fact::VaultLive(vault.name.clone()), Fact::KeyLive(key.clone())]
        }
        Action::DisableVersion { vault, key, version, retired_after, leaving } => {
            let mut needs = vec![Fact::VaultLive(vault.name.clone()), Fact::KeyLive(key.clone())];
            needs.extend(retired_after.map(|wait| Fact::Retirable(key.clone(), version.clone(), wait)));
            needs.extend(leaving.iter().map(|account| Fact::NotUnder(account.clone(), key.clone(), version.clone())));
            needs
        }
        Action::AttachIdentity { id, identity } => {
            let mut needs = vec![Fact::AccountLive(id.name.clone())];
            needs.extend(live(identity));
            needs
        }
        Action::DetachIdentity { id, identity, keeps } => {
            let mut needs = vec![Fact::AccountLive(id.name.clone())];
            needs.extend(attached(id, keeps));
            needs.extend(identity.of(id).map(|who| Fact::NotReachedAs(id.name.clone(), who)));
            needs.push(Fact::NoScopeUnderKey(id.name.clone()));
            needs
        }
        Action::Grant { who, vault, key, by, .. } => {
            let mut needs = vec![Fact::VaultLive(vault.name.clone()), has_principal(who)];
            needs.extend((*by == GrantBy::Role(GrantScope::Key)).then(|| Fact::KeyLive(key.clone())));
            needs
        }
        Action::RevokeAccess { account: _, who, vault } => {
            vec![Fact::VaultLive(vault.name.clone()), has_principal(who)]
        }
        Action::SetEncryption { account, vault, key, version, who, then: _, since, attach, permissions, former } => {
            let comes_with_it = attach.of(account).any(|new| new == *who);
            let mut needs = vec![Fact::AccountLive(account.name.clone())];
            needs.extend((!comes_with_it).then(|| Fact::Attached(account.name.clone(), who.clone())));
            needs.extend(live(attach));
            needs.extend([
                Fact::VaultLive(vault.name.clone()),
                Fact::PurgeProtected(vault.name.clone()),
                Fact::KeyUsable(key.clone(), version.clone()),
                Fact::CanUnwrap(who.clone(), key.clone(), permissions.clone()),
            ]);
            needs.extend(since.map(|since| Fact::RotatedSince(key.clone(), since)));
            needs.extend(former.iter().flat_map(|former| unwraps(who, former)));
            needs
        }
        Action::SwitchIdentity { account, vault, key, version, from: _, who, permissions } => vec![
            Fact::AccountLive(account.name.clone()),
            Fact::Attached(account.name.clone(), who.clone()),
            Fact::VaultLive(vault.name.clone()),
            Fact::PurgeProtected(vault.name.clone()),
            Fact::KeyUsable(key.clone(), version.clone()),
            Fact::CanUnwrap(who.clone(), key.clone(), permissions.clone()),
            Fact::BoundTo(account.name.clone(), key.clone(), version.clone()),
        ],
        Action::LeaveKey { account, who, former } => {
            let mut needs = vec![Fact::AccountLive(account.name.clone())];
            needs.extend(who.iter().zip(former).flat_map(|(who, former)| unwraps(who, former)));
            needs
        }
    }
}

/// What Azure needs to unwrap an account's data key with the key that it is bound to.
fn unwraps(who: &Who, former: &Former) -> [Fact; 2] {
    let unwrap = BTreeSet::from([KeyPermission::UnwrapKey]);
    [
        Fact::KeyEnabled(former.key.clone(), former.version.clone()),
        Fact::CanUnwrap(who.clone(), former.key.clone(), unwrap),
    ]
}

/// That there is somebody to grant something to.
fn has_principal(who: &Who) -> Fact {
    match who {
        Who::System(account) => Fact::Attached(account.name.clone(), who.clone()),
        Who::User(identity) => Fact::IdentityLive(identity.clone()),
    }
}

fn live(identities: &Identities) -> impl Iterator<Item = Fact> + '_ {
    identities.user.iter().map(|identity| Fact::IdentityLive(identity.clone()))
}

/// What an account needs of a key that it is made with. It has no former one.
fn binding(binds: &Binds) -> Vec<Fact> {
    let Binds { vault, key, version, since, who, permissions } = binds;
    let mut needs = vec![
        Fact::VaultLive(vault.name.clone()),
        Fact::PurgeProtected(vault.name.clone()),
        Fact::KeyUsable(key.clone(), version.clone()),
        Fact::CanUnwrap(who.clone(), key.clone(), permissions.clone()),
    ];
    needs.extend(since.map(|since| Fact::RotatedSince(key.clone(), since)));
    needs
}

fn attached<'a>(account: &'a AccountId, identities: &'a Identities) -> impl Iterator<Item = Fact> + 'a {
    identities.of(account).map(|who| Fact::Attached(account.name.clone(), who))
}

fn off(account: &AccountName, former: &Former) -> Fact {
    Fact::NotUnder(account.clone(), former.key.clone(), former.version.clone())
}

/// That the newest version of a key can be used, by whichever rule it is meant.
fn newest_usable(key: &KeyRef) -> [Fact; 2] {
    [VersionRule::Latest, VersionRule::Auto].map(|rule| Fact::KeyUsable(key.clone(), rule))
}

/// What holds after an action was taken.
pub fn gives(action: &Action) -> Vec<Fact> {
    match action {
        Action::CreateGroup { id, .. } => vec![Fact::GroupLive(id.clone())],
        Action::CreateVault { id, purge_protection, .. } => {
            let mut gives = vec![Fact::VaultLive(id.name.clone())];
            gives.extend(purge_protection.then(|| Fact::PurgeProtected(id.name.clone())));
            gives
        }
        Action::RecoverVault { id, .. } => vec![Fact::VaultLive(id.name.clone())],
        Action::ProtectVault { id } => vec![Fact::PurgeProtected(id.name.clone())],
        Action::SetAudit { vault, wanted, .. } => vec![Fact::Audited(vault.name.clone(), wanted.clone())],
        Action::RecoverKey { key, .. } => vec![Fact::KeyLive(key.clone())],
        Action::CreateKey { key, rotation, .. } => {
            let mut gives = vec![Fact::KeyLive(key.clone())];
            gives.extend(newest_usable(key));
            gives.extend(rotation.map(|rotation| Fact::RotatesBy(key.clone(), rotation)));
            gives
        }
        Action::ImportKey { key, thumbprint, .. } => {
            let mut gives = vec![Fact::KeyLive(key.clone()), Fact::KeyHolds(key.clone(), thumbprint.clone())];
            gives.extend(newest_usable(key));
            gives
        }
        Action::MarkKey { key, marks, .. } => vec![Fact::KeyMarked(key.clone(), marks.clone())],
        Action::SetRotation { key, rotation, .. } => vec![Fact::RotatesBy(key.clone(), *rotation)],
        Action::RotateKey { key, since, .. } => {
            let mut gives = vec![Fact::RotatedSince(key.clone(), *since)];
            gives.extend(newest_usable(key));
            gives
        }
        Action::EnableVersion { key, version, in_date, newest, .. } => {
            let mut gives = vec![Fact::KeyEnabled(key.clone(), version.clone())];
            gives.extend(in_date.then(|| Fact::KeyUsable(key.clone(), VersionRule::Exact(version.clone()))));
            if let Some(made) = newest {
                gives.push(Fact::RotatedSince(key.clone(), *made));
                gives.extend(newest_usable(key));
            }
            gives
        }
        Action::DisableVersion { key, version, .. } => vec![Fact::VersionDisabled(key.clone(), version.clone())],
        Action::CreateIdentity { id, .. } => vec![Fact::IdentityLive(id.clone())],
        Action::CreateAccount { id, identity, key, .. } => {
            let mut gives = vec![Fact::AccountLive(id.name.clone())];
            gives.extend(attached(id, identity));
            gives.extend(key.iter().map(|Binds { key, version, who, .. }| {
                Fact::EncryptedWith(id.name.clone(), key.clone(), version.clone(), who.clone())
            }));
            gives
        }
        Action::AttachIdentity { id, identity } => attached(id, identity).collect(),
        Action::DetachIdentity { id, identity, keeps: _ } => {
            identity.of(id).map(|who| Fact::Detached(id.name.clone(), who)).collect()
        }
        Action::Grant { who, key, permissions, .. } => {
            vec![Fact::CanUnwrap(who.clone(), key.clone(), permissions.clone())]
        }
        Action::RevokeAccess { account: _, who, vault } => vec![Fact::NoAccess(who.clone(), vault.name.clone())],
        Action::LeaveKey { account, who, former } => {
            let off = former.iter().map(|former| off(&account.name, former));
            let idle = who.iter().map(|who| Fact::NotReachedAs(account.name.clone(), who.clone()));
            std::iter::once(Fact::MicrosoftManaged(account.name.clone())).chain(off).chain(idle).collect()
        }
        // Once it is reached as another identity, the key is set all the same.
        Action::SetEncryption { account: id, key, version, who, then, since, attach, former, .. } => {
            let account = &id.name;
            let bound = match then {
                Some(_) => Fact::BoundTo(account.clone(), key.clone(), version.clone()),
                None => Fact::EncryptedWith(account.clone(), key.clone(), version.clone(), who.clone()),
            };
            let pinned = since.map(|since| Fact::PinnedSince(account.clone(), key.clone(), since));
            let off = former.iter().filter(|former| former.left).map(|former| off(account, former));
            std::iter::once(bound).chain(pinned).chain(off).chain(attached(id, attach)).collect()
        }
        Action::SwitchIdentity { account: AccountId { name, .. }, key, version, from, who, .. } => vec![
            Fact::EncryptedWith(name.clone(), key.clone(), version.clone(), who.clone()),
            Fact::NotReachedAs(name.clone(), from.clone()),
        ],
    }
}
