//! Small worlds, every one of them: the planner by itself, without a request. L5, L6, L7 and what no plan may hold.

use super::worlds::desired;
use cmk::model::{
    AccessPolicy, AccountId, AccountName, Binding, Desired, GrantScope, GroupId, GroupName, HiddenReason, Identities,
    IdentityId, IdentityName, KeyCreate, KeyName, KeyPermission, KeyRef, KeyType, KeyUser, KeyUsers, KeyVersion,
    Location, NameState, Observed, PermissionModel, RoleAssignment, Seen, SeenAccount, SeenDeletedVault,
    SeenEncryption, SeenGroup, SeenIdentity, SeenKey, SeenRotation, SeenSubscription, SeenUserIdentity, SeenVault,
    SubscriptionId, Thumbprint, Timestamp, VaultId, VaultName, Version, Who,
};
use cmk::plan::{Action, Consent, GrantBy, Plan, RiskClass, Step, closing, judge, plan};
use cmk::sandbox::SUBSCRIPTIONS;
use std::collections::{BTreeMap, BTreeSet};

const TENANT: &str = "7e57ab1e-0000-4000-8000-00000000d1e5";
const HOST: &str = "kv1.vault.sandbox.test";
const OLD: &str = "0000000000000000000000000000000a";
/// When accounts were bound in the beginning, and when by a plan.
const LONG_AGO: &str = "2025-12-01T00:00:00.0000000Z";
const JUST_NOW: &str = "2026-01-01T00:00:00.0000000Z";
const NEWER: &str = "0000000000000000000000000000000c";
const NEW: &str = "0000000000000000000000000000000b";

/// A dozen specs over the same names.
const SPECS: [&str; 25] = [
    "vaults: { kv1: { create: {}, purgeProtection: true, keys: { main: { create: {} } } } }\naccounts: { st1: { create: {}, identity: systemAssigned, encryption: { key: kv1/main } } }",
    "vaults: { kv1: { create: {}, purgeProtection: true, keys: { main: { create: {} } } } }\naccounts: { st1: { create: {}, identity: systemAssigned, encryption: { key: kv1/main, version: auto } } }",
    "vaults: { kv1: { keys: { main: {} } } }\naccounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } } }",
    "vaults: { kv1: { purgeProtection: true, keys: { main: {} } } }\naccounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main, version: 0000000000000000000000000000000a } } }",
    "vaults: { kv1: { purgeProtection: true, keys: { main: {} } } }\naccounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main, version: auto, permissions: [get, wrapKey, unwrapKey, recover] } } }",
    "vaults: { kv1: { create: {}, keys: { main: { create: {} } } } }",
    "accounts: { st1: { identity: systemAssigned } }",
    "accounts: { st1: { create: {} } }",
    "vaults: { kv1: { create: {}, purgeProtection: true, keys: { main: { create: {} } } } }\naccounts: { st1: { create: {}, identity: systemAssigned, encryption: { key: kv1/main } }, st2: { create: {}, identity: systemAssigned, encryption: { key: kv1/main, version: auto } } }",
    "vaults: { kv1: { keys: { main: {} } } }\naccounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } }, st2: { identity: systemAssigned, encryption: { key: kv1/main } } }",
    "vaults: { kv1: { purgeProtection: true, keys: { main: {} } } }\naccounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } }, st2: { create: {} } }",
    "vaults: { kv1: { create: {}, purgeProtection: true, keys: { main: { create: {} }, other: { create: {} } } } }\naccounts: { st1: { create: {}, identity: systemAssigned, encryption: { key: kv1/other } } }",
    "vaults: { kv1: { keys: { main: {} } } }\naccounts: { st1: { access: revoked, identity: systemAssigned, encryption: { key: kv1/main } } }",
    "vaults: { kv1: { keys: { main: {} } } }\naccounts: { st1: { encryption: { source: microsoft } } }",
    "vaults: { kv1: { create: {}, purgeProtection: true, keys: { main: { create: {} } } } }\nidentities: { id1: { create: {} } }\naccounts: { st1: { create: {}, identities: [id1], encryption: { key: kv1/main } } }",
    "vaults: { kv1: { keys: { main: {} } } }\nidentities: { id1: {} }\naccounts: { st1: { identities: [id1], encryption: { key: kv1/main } }, st2: { identity: systemAssigned, encryption: { key: kv1/main } } }",
    "vaults: { kv1: { keys: { main: {} } } }\nidentities: { id1: {} }\naccounts: { st1: { identity: systemAssigned, identities: [id1], encryption: { key: kv1/main, version: auto, identity: id1 } } }",
    "vaults: { kv1: { keys: { main: { maxAge: P1D } } } }\naccounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } }, st2: { identity: systemAssigned, encryption: { key: kv1/main, version: auto } } }",
    "vaults: { kv1: { keys: { main: { enabled: true, tags: { team: pay }, rotation: { every: P90D } } } } }\naccounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } } }",
    "vaults: { kv1: { keys: { main: { enabled: false } } } }\naccounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } } }",
    "vaults: { kv1: { keys: { main: { versions: { 0000000000000000000000000000000a: { enabled: false } } } } } }\naccounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } } }",
    "vaults: { kv1: { keys: { main: { maxAge: P2D, retireOldVersions: P1D } } } }\naccounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } } }",
    "vaults: { kv1: { keys: { main: {} } } }\nidentities: { id1: {} }\naccounts: { st1: { identities: [id1], removeIdentities: [systemAssigned], encryption: { key: kv1/main } } }",
    "vaults: { kv1: { keys: { main: {} } } }\nidentities: { id1: {} }\naccounts: { st1: { identity: systemAssigned, removeIdentities: [id1], encryption: { key: kv1/main, version: auto } } }",
    "vaults: { kv1: { keys: { main: {} } } }\nidentities: { id1: {} }\naccounts: { st1: { removeIdentities: [id1, systemAssigned], encryption: { source: microsoft } } }",
];

fn hidden<T>() -> Seen<T> {
    Seen::Hidden(HiddenReason { what: "403 AuthorizationFailed".to_owned(), permission: None })
}

fn group() -> GroupId {
    GroupId { subscription: SubscriptionId::parse(SUBSCRIPTIONS[0]).unwrap(), name: GroupName::parse("rg").unwrap() }
}

fn place() -> Location {
    Location::parse("westeurope").unwrap()
}

fn version(id: &str, enabled: bool, created: i64) -> KeyVersion {
    let id = Version::parse(id).unwrap();
    KeyVersion { id, enabled, created: Some(Timestamp(created)), not_before: None, expires: None, thumbprint: None }
}

/// The states of the vault. Others' entries are in it; accounts add theirs.
fn vaults() -> Vec<(Seen<SeenVault>, Option<NameState>)> {
    let vault = |protected: bool, state: &str, model: PermissionModel| {
        Seen::Known(SeenVault {
            id: VaultId { group: group(), name: VaultName::parse("kv1").unwrap() },
            location: place(),
            tenant: TENANT.to_owned(),
            sku: "standard".to_owned(),
            soft_delete: true,
            soft_delete_retention_days: Some(90),
            purge_protection: protected,
            permission_model: model,
            access_policies: vec![],
            role_assignments: (model == PermissionModel::Rbac).then(|| Seen::Known(vec![])),
            host: HOST.to_owned(),
            provisioning_state: state.to_owned(),
        })
    };
    let policies = PermissionModel::AccessPolicies;
    vec![
        (Seen::Absent, Some(NameState::Free)),
        (Seen::Absent, Some(NameState::Taken("taken".to_owned()))),
        (Seen::Absent, Some(NameState::SoftDeleted(SeenDeletedVault::default()))),
        (hidden(), None),
        (vault(true, "Succeeded", policies), None),
        (vault(false, "Succeeded", policies), None),
        (vault(true, "RegisteringDns", policies), None),
        (vault(true, "Failed", policies), None),
        (vault(true, "Succeeded", PermissionModel::Rbac), None),
    ]
}

fn keys() -> Vec<Seen<SeenKey>> {
    let key = |kind: KeyType, versions: Vec<KeyVersion>| {
        Seen::Known(SeenKey {
            kind,
            size_bits: Some(3072),
            versions,
            all_versions: true,
            tags: BTreeMap::new(),
            rotation: Some(Seen::Known(SeenRotation::default())),
        })
    };
    vec![
        Seen::Absent,
        hidden(),
        key(KeyType::Rsa, vec![version(OLD, true, 1)]),
        key(KeyType::Rsa, vec![version(NEW, true, 2), version(OLD, true, 1)]),
        key(KeyType::Rsa, vec![version(NEW, false, 2), version(OLD, true, 1)]),
        key(KeyType::Rsa, vec![version(OLD, false, 1)]),
        key(KeyType::Other("EC".to_owned()), vec![version(OLD, true, 1)]),
    ]
}

fn id1() -> IdentityId {
    IdentityId { group: group(), name: IdentityName::parse("id1").unwrap() }
}

/// An account, and what its identity holds in the vault.
type State = (Seen<SeenAccount>, Vec<&'static str>);

fn accounts(name: &str) -> Vec<State> {
    let mut all: Vec<State> = vec![(Seen::Absent, vec![]), (hidden(), vec![])];
    let bound = |key: &str, pinned: Option<&str>, host: &str| Binding {
        vault_host: host.to_owned(),
        key: key.to_owned(),
        version: pinned.map(|id| Version::parse(id).unwrap()),
        current: Some(Version::parse(OLD).unwrap()),
        user_assigned_identity: None,
        rotated: Some(LONG_AGO.to_owned()),
    };
    let bindings = [
        None,
        Some(bound("main", Some(OLD), HOST)),
        Some(bound("main", None, HOST)),
        Some(bound("other", Some(OLD), HOST)),
        Some(bound("main", Some(OLD), "elsewhere.vault.sandbox.test")),
        Some(Binding { user_assigned_identity: Some(id1().to_string()), ..bound("main", Some(OLD), HOST) }),
    ];
    for (own, user) in [(false, false), (true, false), (false, true), (true, true)] {
        for binding in &bindings {
            for held in [vec![], vec!["get", "wrapKey"], vec!["get", "wrapKey", "unwrapKey"], vec!["all"]] {
                let by_user = binding.as_ref().is_some_and(|binding| binding.user_assigned_identity.is_some());
                if !own && !held.is_empty() || by_user && !user {
                    continue;
                }
                let identity = SeenIdentity {
                    system_principal: own.then(|| format!("principal-of-{name}")),
                    tenant: own.then(|| TENANT.to_owned()),
                    user_assigned: if user { vec!["/somebody/elses".to_owned(), id1().to_string()] } else { vec![] },
                };
                all.push((Seen::Known(account(name, identity, binding.clone())), held));
            }
        }
    }
    all
}

fn of_id1() -> SeenUserIdentity {
    SeenUserIdentity { principal: "principal-of-id1".to_owned(), client: None, tenant: Some(TENANT.to_owned()) }
}

fn account(name: &str, identity: SeenIdentity, binding: Option<Binding>) -> SeenAccount {
    SeenAccount {
        id: AccountId { group: group(), name: AccountName::parse(name).unwrap() },
        location: place(),
        sku: "Standard_LRS".to_owned(),
        kind: "StorageV2".to_owned(),
        identity,
        encryption: SeenEncryption { binding, infrastructure: None },
        provisioning_state: "Succeeded".to_owned(),
    }
}

fn observed(vault: &(Seen<SeenVault>, Option<NameState>), key: &Seen<SeenKey>, states: &[(&str, &State)]) -> Observed {
    let name = VaultName::parse("kv1").unwrap();
    let mut seen = vault.0.clone();
    let mut accounts = BTreeMap::new();
    let mut account_names = BTreeMap::new();
    for (account, (state, held)) in states {
        let id = AccountName::parse(account).unwrap();
        if let (Seen::Known(vault), false) = (&mut seen, held.is_empty()) {
            let keys = held.iter().map(|permission| (*permission).to_owned()).collect();
            let object_id = format!("principal-of-{account}");
            vault.access_policies.push(AccessPolicy { object_id, application_id: None, keys });
        }
        account_names.insert(id.clone(), Seen::Known(NameState::Free));
        accounts.insert(id, state.clone());
    }
    // Without the vault there is no key, and nobody to ask.
    let key = if vault.0.is_absent() { Seen::Absent } else { key.clone() };
    let key_ref = |key: &str| KeyRef { vault: name.clone(), name: KeyName::parse(key).unwrap() };
    let subscription = SubscriptionId::parse(SUBSCRIPTIONS[0]).unwrap();
    let live = SeenGroup { location: place(), provisioning_state: "Succeeded".to_owned() };
    Observed {
        at: Timestamp(1_767_225_600),
        subscriptions: BTreeMap::from([(subscription, Seen::Known(SeenSubscription { tenant: TENANT.to_owned() }))]),
        groups: BTreeMap::from([(group(), Seen::Known(live))]),
        vaults: BTreeMap::from([(name.clone(), seen)]),
        vault_names: vault.1.iter().map(|state| (name.clone(), Seen::Known(state.clone()))).collect(),
        keys: BTreeMap::from([(key_ref("main"), key.clone()), (key_ref("other"), key)]),
        identities: BTreeMap::from([(id1(), Seen::Known(of_id1()))]),
        accounts,
        account_names,
        ..Observed::default()
    }
}

/// What is there after an action, told by none of the product's code.
fn after(action: &Action, desired: &Desired, observed: &mut Observed) {
    match action {
        Action::CreateGroup { .. } => {}
        Action::CreateVault { id, model, purge_protection, .. } => {
            let Seen::Known(mut vault) = vaults()[4].0.clone() else { return };
            vault.permission_model = *model;
            vault.role_assignments = (*model == PermissionModel::Rbac).then(|| Seen::Known(vec![]));
            vault.purge_protection = *purge_protection;
            observed.vaults.insert(id.name.clone(), Seen::Known(vault));
        }
        Action::RecoverVault { .. } | Action::RecoverKey { .. } | Action::SetAudit { .. } => {
            unreachable!("no spec here says so")
        }
        Action::ProtectVault { id } => {
            if let Some(Seen::Known(vault)) = observed.vaults.get_mut(&id.name) {
                vault.purge_protection = true;
            }
        }
        Action::CreateKey { key, create, .. } => key_made(key, create, None, observed),
        Action::ImportKey { key, create, thumbprint, .. } => key_made(key, create, Some(thumbprint), observed),
        Action::MarkKey { .. }
        | Action::SetRotation { .. }
        | Action::RotateKey { .. }
        | Action::EnableVersion { .. }
        | Action::DisableVersion { .. } => after_in_key(action, observed),
        Action::CreateIdentity { id, .. } => {
            let principal = format!("principal-of-{}", id.name);
            let seen = SeenUserIdentity { principal, client: None, tenant: Some(TENANT.to_owned()) };
            observed.identities.insert(id.clone(), Seen::Known(seen));
        }
        Action::CreateAccount { id, identity, key, .. } => {
            let principal = identity.system.then(|| format!("principal-of-{}", id.name));
            let tenant = identity.system.then(|| TENANT.to_owned());
            let user_assigned = identity.user.iter().map(ToString::to_string).collect();
            let identity = SeenIdentity { system_principal: principal, tenant, user_assigned };
            let binding = key.as_ref().map(|binds| bound(&id.name, &binds.key, &binds.who, desired, observed));
            observed.accounts.insert(id.name.clone(), Seen::Known(account(id.name.as_str(), identity, binding)));
        }
        Action::AttachIdentity { id, identity } => {
            if let Some(Seen::Known(account)) = observed.accounts.get_mut(&id.name) {
                if identity.system {
                    account.identity.system_principal = Some(format!("principal-of-{}", id.name));
                    account.identity.tenant = Some(TENANT.to_owned());
                }
                account.identity.user_assigned.extend(identity.user.iter().map(ToString::to_string));
            }
        }
        Action::DetachIdentity { id, identity, .. } => {
            if let Some(Seen::Known(account)) = observed.accounts.get_mut(&id.name) {
                account.identity = account.identity.without(identity);
            }
        }
        Action::Grant { who, vault, key, by: GrantBy::Role(scope), .. } => {
            if let Some(Seen::Known(seen)) = observed.vaults.get_mut(&vault.name) {
                let scope = match scope {
                    GrantScope::Vault => vault.to_string(),
                    GrantScope::Key => format!("{vault}/keys/{}", key.name),
                };
                let role = "e147488a-f6f5-4113-8e2d-b22465e65bf6".to_owned();
                let principal = format!("principal-of-{}", who.name());
                let one = RoleAssignment { id: format!("{scope}/1"), scope, role, principal, is_conditional: false };
                if let Some(Seen::Known(all)) = &mut seen.role_assignments {
                    all.push(one);
                }
            }
        }
        Action::Grant { who, vault, permissions, .. } => {
            if let Some(Seen::Known(vault)) = observed.vaults.get_mut(&vault.name) {
                let keys: BTreeSet<String> = permissions.iter().map(|one| one.as_str().to_owned()).collect();
                let object_id = format!("principal-of-{}", who.name());
                vault.access_policies.push(AccessPolicy { object_id, application_id: None, keys });
            }
        }
        Action::RevokeAccess { account: _, who, vault } => {
            if let Some(Seen::Known(vault)) = observed.vaults.get_mut(&vault.name) {
                vault.access_policies.retain(|entry| entry.object_id != format!("principal-of-{}", who.name()));
                if let Some(Seen::Known(all)) = &mut vault.role_assignments {
                    all.retain(|one| one.principal != format!("principal-of-{}", who.name()));
                }
            }
        }
        Action::LeaveKey { account, .. } => {
            if let Some(Seen::Known(account)) = observed.accounts.get_mut(&account.name) {
                account.encryption.binding = None;
            }
        }
        Action::SetEncryption { account, key, who, attach, .. } => {
            let binding = bound(&account.name, key, who, desired, observed);
            if let Some(Seen::Known(account)) = observed.accounts.get_mut(&account.name) {
                account.identity.user_assigned.extend(attach.user.iter().map(ToString::to_string));
                account.encryption.binding = Some(binding);
            }
        }
        Action::SwitchIdentity { account, who, .. } => {
            if let Some(Seen::Known(account)) = observed.accounts.get_mut(&account.name)
                && let Some(binding) = &mut account.encryption.binding
            {
                binding.user_assigned_identity = user(who);
            }
        }
    }
}

fn user(who: &Who) -> Option<String> {
    match who {
        Who::System(_) => None,
        Who::User(identity) => Some(identity.to_string()),
    }
}

fn bound(account: &AccountName, key: &KeyRef, who: &Who, desired: &Desired, observed: &Observed) -> Binding {
    let newest = observed.keys.get(key).and_then(Seen::known).and_then(|key| key.newest_enabled());
    let newest = newest.map(|version| version.id.clone());
    let wanted = desired.accounts[account].encryption.as_ref().map(|wanted| &wanted.version);
    let pinned = match wanted {
        Some(cmk::model::VersionRule::Latest) => newest.clone(),
        Some(cmk::model::VersionRule::Exact(version)) => Some(version.clone()),
        Some(cmk::model::VersionRule::Auto) | None => None,
    };
    Binding {
        vault_host: HOST.to_owned(),
        key: key.name.as_str().to_owned(),
        current: pinned.clone().or(newest),
        version: pinned,
        user_assigned_identity: user(who),
        rotated: Some(JUST_NOW.to_owned()),
    }
}

/// The same with a look at who uses the keys of which versions are to be disabled, and at encryption scopes.
fn with_users(desired: &Desired, mut observed: Observed) -> Observed {
    observed.users = closing(desired, &observed)
        .keys()
        .map(|key| {
            let seen = observed.accounts.values().filter_map(Seen::known);
            let under = seen.filter_map(|seen| {
                let binding = seen.encryption.binding.as_ref()?;
                let here = binding.vault_host == HOST && binding.key == key.name.as_str();
                let moved = if binding.rotated.as_deref() == Some(JUST_NOW) { 1_767_225_600 } else { 1_764_547_200 };
                here.then(|| KeyUser {
                    who: seen.reaches_as(),
                    account: seen.id.clone(),
                    scope: None,
                    pinned: binding.version.clone(),
                    current: binding.current.clone(),
                    moved: Some(Timestamp(moved)),
                })
            });
            (key.clone(), KeyUsers { users: under.collect(), unseen: vec![], accounts: 0 })
        })
        .collect();
    let there = observed.accounts.iter().filter(|(_, seen)| seen.known().is_some());
    observed.scopes = there.map(|(name, _)| (name.clone(), Seen::Known(vec![]))).collect();
    observed
}

/// L5 and what no plan may hold, for one spec in one world.
fn check(desired: &Desired, observed: &Observed, title: &str) -> Plan {
    let observed = &with_users(desired, observed.clone());
    let made = plan(desired, observed);
    let breaches = judge(&made, observed);
    assert!(breaches.is_empty(), "L9 {title}: {breaches:?}");
    // A plan that refuses something is not begun.
    for step in made.steps.iter().filter(|_| made.refusals.is_empty()) {
        sound(step, observed, title);
    }
    let mut later = observed.clone();
    for step in &made.steps {
        after(&step.action, desired, &mut later);
    }
    let again = plan(desired, &with_users(desired, later));
    assert!(again.is_empty() || !made.refusals.is_empty(), "L5 {title}\n{:#?}\nthen\n{:#?}", made.steps, again.steps);
    made
}

fn key_made(key: &KeyRef, create: &KeyCreate, thumbprint: Option<&Thumbprint>, observed: &mut Observed) {
    let versions = vec![KeyVersion { thumbprint: thumbprint.cloned(), ..version(NEW, true, 2) }];
    let (kind, size_bits) = (create.kind.clone(), Some(create.size_bits));
    let made = SeenKey { kind, size_bits, versions, all_versions: true, tags: BTreeMap::new(), rotation: None };
    observed.keys.insert(key.clone(), Seen::Known(made));
}

/// What holds of a key after an action of its life.
fn after_in_key(action: &Action, observed: &mut Observed) {
    match action {
        Action::MarkKey { key, version, marks, .. } => change(observed, key, |seen| {
            seen.tags.extend(marks.tags.clone());
            seen.versions.iter_mut().filter(|one| one.id == *version).for_each(|one| {
                one.not_before = marks.not_before.or(one.not_before);
                one.expires = marks.expires.or(one.expires);
            });
        }),
        Action::SetRotation { key, rotation, .. } => change(observed, key, |seen| {
            let every = Some(rotation.every);
            seen.rotation = Some(Seen::Known(SeenRotation { every, ..SeenRotation::default() }));
        }),
        Action::RotateKey { key, .. } => {
            let now = observed.at.0;
            change(observed, key, |seen| seen.versions.insert(0, version(NEWER, true, now)));
        }
        Action::EnableVersion { key, version, .. } => enable(observed, key, version, true),
        Action::DisableVersion { key, version, .. } => enable(observed, key, version, false),
        _ => unreachable!("it is about another kind of thing: {action:?}"),
    }
}

fn change(observed: &mut Observed, key: &KeyRef, change: impl FnOnce(&mut SeenKey)) {
    if let Some(Seen::Known(seen)) = observed.keys.get_mut(key) {
        change(seen);
    }
}

fn enable(observed: &mut Observed, key: &KeyRef, version: &Version, enabled: bool) {
    change(observed, key, |seen| {
        seen.versions.iter_mut().filter(|one| one.id == *version).for_each(|one| one.enabled = enabled);
    });
}

/// Nothing is made that was not seen to be absent (S11), nothing shut is opened unasked (S14).
fn sound(step: &Step, observed: &Observed, title: &str) {
    let action = &step.action;
    let absent = match action {
        Action::CreateVault { id, .. } => observed.vaults[&id.name].is_absent(),
        Action::CreateKey { key, .. } | Action::ImportKey { key, .. } => observed.keys[key].is_absent(),
        Action::CreateAccount { id, .. } => observed.accounts[&id.name].is_absent(),
        Action::CreateIdentity { id, .. } => observed.identities[id].is_absent(),
        Action::CreateGroup { .. }
        | Action::SwitchIdentity { .. }
        | Action::RecoverVault { .. }
        | Action::SetAudit { .. }
        | Action::RecoverKey { .. }
        | Action::ProtectVault { .. }
        | Action::MarkKey { .. }
        | Action::SetRotation { .. }
        | Action::RotateKey { .. }
        | Action::EnableVersion { .. }
        | Action::DisableVersion { .. }
        | Action::AttachIdentity { .. }
        | Action::DetachIdentity { .. }
        | Action::Grant { .. }
        | Action::RevokeAccess { .. }
        | Action::LeaveKey { .. }
        | Action::SetEncryption { .. } => true,
    };
    assert!(absent, "S11 {title}: {action:?}");
    let (Action::Grant { who: Who::System(AccountId { name, .. }), .. }
    | Action::AttachIdentity { id: AccountId { name, .. }, identity: Identities { system: true, .. } }) = action
    else {
        return;
    };
    let Some(Seen::Known(account)) = observed.accounts.get(name) else { return };
    let here = account.encryption.binding.as_ref().filter(|binding| binding.vault_host == HOST);
    // What its own identity may do opens nothing for an account that reads as another.
    let Some(binding) = here.filter(|binding| binding.user_assigned_identity.is_none()) else { return };
    let vault = observed.vaults.values().find_map(Seen::known);
    let held = |permission| {
        account.identity.system_principal.as_ref().zip(vault).is_some_and(|(principal, vault)| {
            vault.access_policies.iter().any(|entry| entry.allows(principal, permission))
        })
    };
    let by_role = account.identity.system_principal.as_ref().zip(vault).is_some_and(|(principal, vault)| {
        let all = vault.role_assignments.as_ref().and_then(Seen::known);
        all.is_some_and(|all| all.iter().any(|one| one.principal == *principal))
    });
    let open = by_role || KeyPermission::needed().into_iter().all(held);
    let asks = step.risks.iter().any(|risk| risk.class == RiskClass::Reopening && risk.consent == Consent::Operator);
    assert!(open || asks, "S14 {title}: {name} is under {} and shut out: {action:?}", binding.key);
}

/// How many worlds are left out between two that are tried in an ordinary run.
fn stride() -> usize {
    if super::thorough() { 1 } else { 37 }
}

#[test]
fn in_every_small_world_a_plan_that_was_carried_out_leaves_nothing_to_plan() {
    let (first, second) = (accounts("st1"), accounts("st2"));
    // Of the second account a few states: what it does to the first is what matters.
    let second: Vec<&State> = second.iter().step_by(7).collect();
    let mut worlds = 0_usize;
    let mut steps = 0_usize;
    for (at, spec) in SPECS.iter().enumerate() {
        let wanted = desired(spec);
        let two = wanted.accounts.len() > 1;
        for (v, vault) in vaults().iter().enumerate() {
            for (k, key) in keys().iter().enumerate() {
                for (a, one) in first.iter().enumerate() {
                    for (b, other) in second.iter().enumerate().take(if two { usize::MAX } else { 1 }) {
                        worlds += 1;
                        if !worlds.is_multiple_of(stride()) {
                            continue;
                        }
                        let seen = observed(vault, key, &[("st1", one), ("st2", other)]);
                        let title = format!("spec {at}, vault {v}, key {k}, st1 {a}, st2 {b}");
                        steps += check(&wanted, &seen, &title).steps.len();
                    }
                }
            }
        }
    }
    assert!(worlds > 20_000 && steps > 1_000, "{worlds} worlds, {steps} steps");
}

#[test]
fn a_vault_that_is_gone_with_the_key_of_an_account_is_not_made_anew() {
    let wanted = desired(SPECS[0]);
    let bound = accounts("st1").into_iter().find(|(seen, _)| {
        seen.known().is_some_and(|account| account.encryption.binding.is_some())
            && seen.known().is_some_and(|account| account.identity.system_principal.is_some())
    });
    let seen = observed(&vaults()[0], &Seen::Absent, &[("st1", &bound.unwrap())]);
    let refused: Vec<&str> = plan(&wanted, &seen).refusals.iter().map(|refusal| refusal.code).collect();
    assert_eq!(refused, ["CMK211"]);
}

#[test]
fn an_account_more_changes_nothing_about_the_others() {
    let (alone, together) = (desired(SPECS[0]), desired(SPECS[8]));
    let (first, second) = (accounts("st1"), accounts("st2"));
    for vault in vaults().iter().filter(|(seen, _)| seen.known().is_some()) {
        for key in &keys() {
            for one in &first {
                for other in second.iter().step_by(9) {
                    let seen = observed(vault, key, &[("st1", one), ("st2", other)]);
                    let of_first = |desired: &Desired| -> Vec<String> {
                        let steps = plan(desired, &seen).steps.into_iter();
                        // An identity that the other one reads as is let at the new key before the other one moves.
                        let mine = steps.filter(|step| !["st2", "id1"].iter().any(|name| step.id.0.contains(name)));
                        mine.map(|step| format!("{} {:?} {:?}", step.id, step.because, step.needs)).collect()
                    };
                    assert_eq!(of_first(&alone), of_first(&together));
                }
            }
        }
    }
}

#[test]
fn the_order_of_entries_in_a_spec_does_not_matter() {
    let one = "
accounts:
  st1: { create: {}, identity: systemAssigned, encryption: { key: kv1/main } }
  st2: { create: {}, identity: systemAssigned, encryption: { version: auto, key: kv1/main } }
vaults: { kv1: { keys: { other: { create: {} }, main: { create: {} } }, create: {}, purgeProtection: true } }";
    let other = "
vaults: { kv1: { create: {}, purgeProtection: true, keys: { main: { create: {} }, other: { create: {} } } } }
accounts:
  st2: { encryption: { key: kv1/main, version: auto }, create: {}, identity: systemAssigned }
  st1: { identity: systemAssigned, encryption: { key: kv1/main }, create: {} }";
    let (one, other) = (desired(one), desired(other));
    for vault in &vaults() {
        for key in &keys() {
            for state in accounts("st1").iter().step_by(3) {
                let seen = observed(vault, key, &[("st1", state), ("st2", state)]);
                assert_eq!(plan(&one, &seen), plan(&other, &seen));
            }
        }
    }
}
