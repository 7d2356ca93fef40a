//! The tests' small language: a wanted and a seen state in a few words.

use super::world_life;
use crate::model::audit::{Log, SeenSetting, Sink};
use crate::model::*;
use std::collections::{BTreeMap, BTreeSet};

const SUBSCRIPTION: &str = "11111111-1111-1111-1111-111111111111";
const TENANT: &str = "00000000-0000-0000-0000-00000000000a";

pub(super) fn group() -> GroupId {
    GroupId { subscription: SubscriptionId::parse(SUBSCRIPTION).unwrap(), name: GroupName::parse("rg").unwrap() }
}

pub(super) fn key_ref(text: &str) -> KeyRef {
    let (vault, name) = text.split_once('/').unwrap();
    KeyRef { vault: VaultName::parse(vault).unwrap(), name: KeyName::parse(name).unwrap() }
}

pub(super) fn version(letter: &str) -> Version {
    Version::parse(&letter.to_lowercase().repeat(32)).unwrap()
}

fn region(words: &[&str]) -> Location {
    Location::parse(if words.contains(&"eastus") { "eastus" } else { "westeurope" }).unwrap()
}

/// The word after another one.
fn after<'a>(words: &[&'a str], word: &str) -> Option<&'a str> {
    words.iter().position(|w| *w == word).and_then(|at| words.get(at + 1)).copied()
}

fn entries(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.split(';').map(|entry| entry.split_whitespace().collect::<Vec<_>>()).filter(|words| !words.is_empty())
}

pub(crate) fn desired(text: &str) -> Desired {
    let mut desired = Desired::default();
    for words in entries(text) {
        let create = words.contains(&"create");
        match words[0] {
            "group" => {
                desired.groups.insert(group(), Group { location: Some(region(&words)), create: true });
            }
            "vault" => {
                let id = VaultId { group: group(), name: VaultName::parse(words[1]).unwrap() };
                let purge_protection = if words.contains(&"protected") {
                    Some(true)
                } else {
                    words.contains(&"unprotected").then_some(false)
                };
                let create = create.then_some(VaultCreate { sku: VaultSku::Standard, soft_delete_retention_days: 90 });
                let permission_model = match (words.contains(&"rbac"), words.contains(&"policies")) {
                    (true, _) => Some(PermissionModel::Rbac),
                    (_, true) => Some(PermissionModel::AccessPolicies),
                    _ => None,
                };
                let location = Some(region(&words));
                let keys = std::collections::BTreeMap::new();
                let recover = words.contains(&"recover");
                let vault = Vault {
                    id: id.clone(),
                    location,
                    create,
                    recover,
                    purge_protection,
                    audit: sinks(&words),
                    permission_model,
                    keys,
                };
                desired.vaults.insert(id.name, vault);
            }
            "key" => {
                let key = key_ref(words[1]);
                let create = create.then_some(KeyCreate {
                    kind: if words.contains(&"hsm") { KeyType::RsaHsm } else { KeyType::Rsa },
                    size_bits: 2048,
                });
                desired.vaults.get_mut(&key.vault).unwrap().keys.insert(
                    key.name,
                    Key {
                        create,
                        import: own(&words),
                        recover: words.contains(&"recover"),
                        life: world_life::life(&words),
                    },
                );
            }
            "identity" => {
                let id = identity(words[1]);
                desired.identities.insert(id.clone(), Identity { id, location: Some(region(&words)), create });
            }
            "account" => {
                let account = desired_account(&words, create);
                desired.accounts.insert(account.id.name.clone(), account);
            }
            "regions" => desired.policy.same_region = false,
            other => panic!("{other}"),
        }
    }
    desired
}

/// The key that is brought from outside: `own`.
fn own(words: &[&str]) -> Option<KeyImport> {
    words.contains(&"own").then(|| KeyImport {
        source: MaterialSource::File("main.pem".to_owned()),
        passphrase: None,
        thumbprint: thumbprint("own"),
    })
}

/// The thumbprint of a key that is known by a word.
pub(crate) fn thumbprint(word: &str) -> Thumbprint {
    Thumbprint::of_rsa(word.as_bytes(), &[1, 0, 1])
}

pub(super) fn identity(name: &str) -> IdentityId {
    IdentityId { group: group(), name: IdentityName::parse(name).unwrap() }
}

/// The identities named as `has id1 has id2`.
fn named(words: &[&str]) -> BTreeSet<IdentityId> {
    words.windows(2).filter(|pair| pair[0] == "has").map(|pair| identity(pair[1])).collect()
}

/// The identities named as `loses id1 loses own`.
fn lost(words: &[&str]) -> Identities {
    let mut lost = Identities::default();
    for pair in words.windows(2).filter(|pair| pair[0] == "loses") {
        match pair[1] {
            "own" => lost.system = true,
            name => drop(lost.user.insert(identity(name))),
        }
    }
    lost
}

fn desired_account(words: &[&str], create: bool) -> Account {
    let mut permissions = KeyPermission::needed();
    permissions.extend(words.contains(&"recover").then_some(KeyPermission::Recover));
    let rule = match after(words, "pinned") {
        Some(letter) => VersionRule::Exact(version(letter)),
        None if words.contains(&"auto") => VersionRule::Auto,
        None => VersionRule::Latest,
    };
    let scope = match (words.contains(&"vault-wide"), words.contains(&"key-only")) {
        (true, _) => Some(GrantScope::Vault),
        (_, true) => Some(GrantScope::Key),
        _ => None,
    };
    let id = AccountId { group: group(), name: AccountName::parse(words[1]).unwrap() };
    let who = after(words, "as").map_or_else(|| Who::System(id.clone()), |name| Who::User(identity(name)));
    Account {
        id,
        location: Some(region(words)),
        create: create.then(|| AccountCreate { sku: "Standard_LRS".into(), kind: "StorageV2".into() }),
        identity: Identities { system: words.contains(&"system"), user: named(words) },
        removes: lost(words),
        encryption: after(words, "uses").map(|key| Encryption {
            key: key_ref(key),
            version: rule,
            who,
            permissions,
            scope,
        }),
        access: if words.contains(&"revoked") { Access::Revoked } else { Access::Granted },
        leaves_key: words.contains(&"microsoft"),
    }
}

pub(super) fn hidden<T>() -> Seen<T> {
    Seen::Hidden(HiddenReason { what: "403 AuthorizationFailed".into(), permission: Some("a/read".into()) })
}

/// What was seen: all that is wanted is absent, until the text says otherwise.
pub(crate) fn observed(wanted: &str, text: &str) -> Observed {
    let wanted = desired(wanted);
    let mut observed = Observed { at: Timestamp(1_000), ..Observed::default() };
    let subscription = SeenSubscription { tenant: TENANT.into() };
    observed.subscriptions.insert(group().subscription, Seen::Known(subscription));
    observed.groups.extend(wanted.groups.keys().map(|id| (id.clone(), Seen::Absent)));
    observed.vaults.extend(wanted.vaults.keys().map(|name| (name.clone(), Seen::Absent)));
    observed.keys.extend(wanted.keys().map(|(key, _)| (key, Seen::Absent)));
    observed.identities.extend(wanted.identities.keys().map(|id| (id.clone(), Seen::Absent)));
    observed.accounts.extend(wanted.accounts.keys().map(|name| (name.clone(), Seen::Absent)));
    for words in entries(text) {
        match words[0] {
            "group" => {
                let seen = SeenGroup { location: region(&words), provisioning_state: "Succeeded".into() };
                observed.groups.insert(group(), Seen::Known(seen));
            }
            "vault" => see_vault(&words, &mut observed),
            "key" => {
                see_key(&words, &mut observed);
            }
            "identity" => {
                let seen = SeenUserIdentity {
                    principal: format!("principal-of-{}", words[1]),
                    client: Some(format!("client-of-{}", words[1])),
                    tenant: Some(TENANT.into()),
                };
                let seen = if words.contains(&"hidden") { hidden() } else { Seen::Known(seen) };
                observed.identities.insert(identity(words[1]), seen);
            }
            "account" => see_account(&words, &mut observed),
            "lock" => see_lock(&words, &mut observed),
            "setting" => see_setting(&words, &mut observed),
            "users" => world_life::see_users(&words, &mut observed),
            "sweep" => world_life::see_all_users(&words, &mut observed),
            "sharers" => world_life::see_sharers(&words, &mut observed),
            "scopes" => world_life::see_scopes(&words, &mut observed),
            "now" => observed.at = world_life::moment(words[1]),
            other => panic!("{other}"),
        }
    }
    observed
}

/// Places as `ws=one`, `sa=one`, `hub=one`.
fn sinks(words: &[&str]) -> BTreeSet<Sink> {
    let sink = |word: &&str| match word.split_once('=')? {
        ("ws", name) => Some(Sink::LogAnalytics(name.to_owned())),
        ("sa", name) => Some(Sink::StorageAccount(name.to_owned())),
        ("hub", name) => Some(Sink::EventHub { rule: "rule".to_owned(), hub: Some(name.to_owned()) }),
        _ => None,
    };
    words.iter().filter_map(sink).collect()
}

/// A diagnostic setting: `setting kv1 theirs ws=one audit`; `setting kv1 hidden`.
fn see_setting(words: &[&str], observed: &mut Observed) {
    let vault = VaultName::parse(words[1]).unwrap();
    if words[2] == "hidden" {
        observed.audits.insert(vault, hidden());
        return;
    }
    let log = if words.contains(&"audit") { "AuditEvent" } else { "AzurePolicyEvaluationDetails" };
    let logs = [Log::Category(log.to_owned())].into();
    let (metrics, sinks) = (BTreeSet::new(), sinks(words));
    let one = SeenSetting { name: words[2].to_owned(), logs, metrics, sinks, partner: None, tables: None };
    match observed.audits.entry(vault).or_insert(Seen::Known(vec![])) {
        Seen::Known(all) => all.push(one),
        Seen::Absent | Seen::Hidden(_) => panic!("settings are hidden"),
    }
}

fn see_lock(words: &[&str], observed: &mut Observed) {
    let subscription = group().subscription;
    if words.contains(&"hidden") {
        observed.locks.insert(subscription, hidden());
        return;
    }
    let scope = match words[3] {
        "subscription" => format!("/subscriptions/{SUBSCRIPTION}"),
        "group" => group().to_string().to_uppercase(),
        name if name.starts_with("kv") => format!("{}/providers/Microsoft.KeyVault/vaults/{name}", group()),
        name => format!("{}/providers/Microsoft.Storage/storageAccounts/{name}", group()),
    };
    let lock = SeenLock { scope, name: words[1].into(), level: words[2].into(), notes: None };
    match observed.locks.entry(subscription).or_insert(Seen::Known(vec![])) {
        Seen::Known(locks) => locks.push(lock),
        Seen::Absent | Seen::Hidden(_) => panic!("locks are hidden"),
    }
}

fn see_vault(words: &[&str], observed: &mut Observed) {
    let name = VaultName::parse(words[1]).unwrap();
    if words.contains(&"hidden") {
        observed.keys.iter_mut().filter(|(key, _)| key.vault == name).for_each(|(_, seen)| *seen = hidden());
        observed.vaults.insert(name, hidden());
    } else if words.contains(&"taken") {
        observed.vault_names.insert(name, Seen::Known(NameState::Taken("already in use".into())));
    } else if words.contains(&"unregistered") {
        let state = NameState::Unregistered { provider: "Microsoft.KeyVault" };
        observed.vault_names.insert(name, Seen::Known(state));
    } else if words.contains(&"deleted") {
        observed.vault_names.insert(name.clone(), Seen::Known(NameState::SoftDeleted(seen_deleted(name, words))));
    } else {
        observed.audits.entry(name.clone()).or_insert(Seen::Known(vec![]));
        observed.vaults.insert(name.clone(), Seen::Known(seen_vault(name, words)));
    }
}

/// A deleted vault: of the group, unless it is `elsewhere`, and to be purged at a moment that is past when it is `over`.
fn seen_deleted(name: VaultName, words: &[&str]) -> SeenDeletedVault {
    let there = if words.contains(&"elsewhere") { "rg2" } else { "RG" };
    let group = GroupId { name: GroupName::parse(there).unwrap(), ..group() };
    let dated = words.contains(&"over").then_some("1970-01-01T00:00:00Z");
    let dated = dated.or(words.contains(&"dated").then_some("1970-01-02T00:00:00Z"));
    let scheduled_purge = dated.map(str::to_owned);
    SeenDeletedVault { scheduled_purge, was: Some(VaultId { group, name }), location: Some(region(words)) }
}

fn seen_vault(name: VaultName, words: &[&str]) -> SeenVault {
    let grants = words.iter().filter_map(|word| word.split_once('='));
    let entry = |(account, permissions): (&str, &str)| AccessPolicy {
        object_id: format!("principal-of-{account}"),
        application_id: None,
        keys: permissions.split('+').map(str::to_owned).collect::<BTreeSet<_>>(),
    };
    SeenVault {
        location: region(words),
        tenant: if words.contains(&"tenant2") { "another".into() } else { TENANT.into() },
        sku: if words.contains(&"premium") { "Premium".into() } else { "standard".into() },
        soft_delete: !words.contains(&"hard"),
        soft_delete_retention_days: Some(90),
        purge_protection: words.contains(&"protected"),
        permission_model: if words.contains(&"rbac") { PermissionModel::Rbac } else { PermissionModel::AccessPolicies },
        access_policies: grants.filter(|(_, what)| !what.starts_with("role")).map(entry).collect(),
        role_assignments: words.contains(&"rbac").then(|| seen_roles(&name, words)),
        host: format!("{name}.vault.test"),
        provisioning_state: if words.contains(&"registering") { "RegisteringDns".into() } else { "Succeeded".into() },
        id: VaultId { group: group(), name },
    }
}

fn see_key(words: &[&str], observed: &mut Observed) {
    let key = key_ref(words[1]);
    if words.contains(&"deleted") {
        let scheduled_purge = Some(Timestamp(if words.contains(&"over") { 0 } else { 86_400 }));
        let seen = SeenDeletedKey { scheduled_purge, of_certificate: words.contains(&"certificate") };
        observed.deleted_keys.insert(key, Seen::Known(seen));
    } else if words.contains(&"unlisted") {
        observed.deleted_keys.insert(key, hidden());
    } else {
        let seen = if words.contains(&"hidden") { hidden() } else { Seen::Known(seen_key(words)) };
        observed.keys.insert(key, seen);
    }
}

/// Roles as `st1=role`, `st1=role@main` for one at a key, `st1=role@rg` for one at the group.
fn seen_roles(name: &VaultName, words: &[&str]) -> Seen<Vec<RoleAssignment>> {
    if words.contains(&"roles-hidden") {
        return hidden();
    }
    let id = VaultId { group: group(), name: name.clone() };
    let held = words.iter().filter_map(|word| word.split_once('=')).filter(|(_, what)| what.starts_with("role"));
    let all = held.map(|(account, what)| {
        let scope = match what.split_once('@') {
            Some((_, "rg")) => group().to_string(),
            Some((_, key)) => format!("{id}/keys/{key}"),
            None => id.to_string(),
        };
        let (role, principal) = (ENCRYPTION_USER.to_owned(), format!("principal-of-{account}"));
        RoleAssignment { id: format!("{scope}/roleAssignments/1"), scope, role, principal, is_conditional: false }
    });
    Seen::Known(all.collect())
}

/// Versions as `A`, `B`: the first is the newest; a word after one says what ails it.
fn seen_key(words: &[&str]) -> SeenKey {
    let mut versions: Vec<KeyVersion> = vec![];
    for word in &words[2..] {
        match (*word, versions.last_mut()) {
            ("disabled", Some(version)) => version.enabled = false,
            ("expired", Some(version)) => version.expires = Some(Timestamp(1_000)),
            ("expires", Some(version)) => version.expires = Some(Timestamp(1_000 + 10 * 86_400)),
            ("later", Some(version)) => version.expires = Some(Timestamp(1_000 + 30 * 86_400)),
            ("early", Some(version)) => version.not_before = Some(Timestamp(1_001)),
            ("own" | "other", Some(version)) => version.thumbprint = Some(thumbprint(word)),
            ("small" | "ec" | "few" | "policy-hidden", _) => {}
            (word, last) if word.contains('=') => {
                if let Some((made, version)) = word.strip_prefix("made=").zip(last) {
                    version.created = Some(world_life::moment(made));
                }
            }
            (letter, _) => versions.push(KeyVersion {
                id: version(letter),
                enabled: true,
                created: None,
                not_before: None,
                expires: None,
                thumbprint: None,
            }),
        }
    }
    let size_bits = Some(if words.contains(&"small") { 1024 } else { 2048 });
    let kind = if words.contains(&"ec") { KeyType::Other("EC".into()) } else { KeyType::Rsa };
    let (tags, rotation) = (BTreeMap::new(), None);
    let mut seen = SeenKey { kind, size_bits, versions, all_versions: true, tags, rotation };
    world_life::seen_life(words, &mut seen);
    seen
}

fn see_account(words: &[&str], observed: &mut Observed) {
    let name = AccountName::parse(words[1]).unwrap();
    if words.contains(&"hidden") {
        observed.accounts.insert(name, hidden());
    } else if words.contains(&"unregistered") {
        let state = NameState::Unregistered { provider: "Microsoft.Storage" };
        observed.account_names.insert(name, Seen::Known(state));
    } else if words.contains(&"taken") {
        observed.account_names.insert(name, Seen::Known(NameState::Taken("already taken".into())));
    } else {
        observed.accounts.insert(name.clone(), Seen::Known(seen_account(name, words)));
    }
}

fn seen_account(name: AccountName, words: &[&str]) -> SeenAccount {
    let binding = after(words, "bound").map(|key| {
        let (key, pinned) = key.split_once('@').map_or((key, None), |(key, letter)| (key, Some(version(letter))));
        let key = key_ref(key);
        Binding {
            vault_host: format!("{}.vault.test", key.vault),
            key: key.name.to_string(),
            current: Some(pinned.clone().unwrap_or_else(|| version("A"))),
            version: pinned,
            rotated: None,
            user_assigned_identity: match after(words, "as") {
                Some(name) => Some(identity(name).to_string()),
                None => words.contains(&"uai").then(|| "/subscriptions/s/id1".to_owned()),
            },
        }
    });
    let system = words.contains(&"system");
    SeenAccount {
        location: region(words),
        sku: "Standard_LRS".into(),
        kind: "StorageV2".into(),
        identity: SeenIdentity {
            system_principal: system.then(|| format!("principal-of-{name}")),
            tenant: system.then(|| TENANT.to_owned()),
            user_assigned: named(words).iter().map(ToString::to_string).collect(),
        },
        encryption: SeenEncryption { binding, infrastructure: None },
        provisioning_state: if words.contains(&"creating") { "Creating".into() } else { "Succeeded".into() },
        id: AccountId { group: group(), name },
    }
}
