//! The planner's tests: a wanted and a seen state in a few words, the plan as text.

use super::{Plan, plan};
use crate::model::*;
use expect_test::{Expect, expect};
use std::collections::BTreeSet;

/// Plans a wanted state against a seen one and holds the plan's text against what is expected.
///
/// Wanted, separated by `;`: `group`, `vault kv1 [create] [protected|unprotected|eastus]`, `key kv1/main [create]`,
/// `account st1 [create] [system] [uses kv1/main [auto|pinned A]] [recover] [eastus]`, `regions may differ`.
///
/// Seen: `group`, `vault kv1 [protected] [rbac] [registering] [hidden] [taken] [deleted] [st1=get+wrapKey] [tenant2]`,
/// `key kv1/main A [disabled|expired|small|hidden] [B …]`, `account st1 [system] [bound kv1/main[@A]] [creating]
/// [hidden] [taken] [uai]`. What is not named is absent. `A` stands for version `aaaa…`.
#[track_caller]
fn check(wanted: &str, seen: &str, expected: &Expect) {
    let made = plan(&desired(wanted), &observed(wanted, seen));
    expected.assert_eq(&text(&made));
}

fn text(plan: &Plan) -> String {
    let mut lines: Vec<String> = vec![];
    for (at, step) in plan.steps.iter().enumerate() {
        let place =
            |id: &super::StepId| plan.steps.iter().position(|step| step.id == *id).map_or(0, |at| at + 1).to_string();
        let after: Vec<String> = step.after.iter().map(place).collect();
        let after = if after.is_empty() { String::new() } else { format!("   after {}", after.join(" ")) };
        lines.push(format!("{}. {}{after}", at + 1, step.id));
    }
    lines.extend(
        plan.refusals.iter().map(|refusal| format!("{} {}: {}", refusal.code, refusal.resource, refusal.detail)),
    );
    lines.extend(plan.waits.iter().map(|wait| format!("wait: {}: {}", wait.fact, wait.why)));
    for spot in &plan.blind_spots {
        lines.push(format!("blind: {}", spot.resource));
        lines.extend(spot.hides.iter().map(|hidden| format!("  hides: {hidden}")));
    }
    lines.extend(plan.notes.iter().map(|note| format!("note: {}: {}", note.resource, note.text)));
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

const SUBSCRIPTION: &str = "11111111-1111-1111-1111-111111111111";
const TENANT: &str = "00000000-0000-0000-0000-00000000000a";

fn group() -> GroupId {
    GroupId { subscription: SubscriptionId::parse(SUBSCRIPTION).unwrap(), name: GroupName::parse("rg").unwrap() }
}

fn key_ref(text: &str) -> KeyRef {
    let (vault, name) = text.split_once('/').unwrap();
    KeyRef { vault: VaultName::parse(vault).unwrap(), name: KeyName::parse(name).unwrap() }
}

fn version(letter: &str) -> Version {
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

fn desired(text: &str) -> Desired {
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
                let (location, permission_model) = (Some(region(&words)), PermissionModel::AccessPolicies);
                let keys = std::collections::BTreeMap::new();
                let vault = Vault { id: id.clone(), location, create, purge_protection, permission_model, keys };
                desired.vaults.insert(id.name, vault);
            }
            "key" => {
                let key = key_ref(words[1]);
                let create = create.then_some(KeyCreate { kind: KeyType::Rsa, size_bits: 2048 });
                desired.vaults.get_mut(&key.vault).unwrap().keys.insert(key.name, Key { create });
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

fn desired_account(words: &[&str], create: bool) -> Account {
    let mut permissions = KeyPermission::needed();
    permissions.extend(words.contains(&"recover").then_some(KeyPermission::Recover));
    let rule = match after(words, "pinned") {
        Some(letter) => VersionRule::Exact(version(letter)),
        None if words.contains(&"auto") => VersionRule::Auto,
        None => VersionRule::Latest,
    };
    Account {
        id: AccountId { group: group(), name: AccountName::parse(words[1]).unwrap() },
        location: Some(region(words)),
        create: create.then(|| AccountCreate { sku: "Standard_LRS".into(), kind: "StorageV2".into() }),
        identity: words.contains(&"system").then_some(IdentityKind::SystemAssigned),
        encryption: after(words, "uses").map(|key| Encryption { key: key_ref(key), version: rule, permissions }),
    }
}

fn hidden<T>() -> Seen<T> {
    Seen::Hidden(HiddenReason { what: "403 AuthorizationFailed".into(), permission: None })
}

/// What was seen: all that is wanted is absent, until the text says otherwise.
fn observed(wanted: &str, text: &str) -> Observed {
    let wanted = desired(wanted);
    let mut observed = Observed { at: Timestamp(1_000), ..Observed::default() };
    let subscription = SeenSubscription { tenant: TENANT.into() };
    observed.subscriptions.insert(group().subscription, Seen::Known(subscription));
    observed.groups.extend(wanted.groups.keys().map(|id| (id.clone(), Seen::Absent)));
    observed.vaults.extend(wanted.vaults.keys().map(|name| (name.clone(), Seen::Absent)));
    observed.keys.extend(wanted.keys().map(|(key, _)| (key, Seen::Absent)));
    observed.accounts.extend(wanted.accounts.keys().map(|name| (name.clone(), Seen::Absent)));
    for words in entries(text) {
        match words[0] {
            "group" => {
                let seen = SeenGroup { location: region(&words), provisioning_state: "Succeeded".into() };
                observed.groups.insert(group(), Seen::Known(seen));
            }
            "vault" => see_vault(&words, &mut observed),
            "key" => {
                let seen = if words.contains(&"hidden") { hidden() } else { Seen::Known(seen_key(&words)) };
                observed.keys.insert(key_ref(words[1]), seen);
            }
            "account" => see_account(&words, &mut observed),
            other => panic!("{other}"),
        }
    }
    observed
}

fn see_vault(words: &[&str], observed: &mut Observed) {
    let name = VaultName::parse(words[1]).unwrap();
    if words.contains(&"hidden") {
        observed.keys.iter_mut().filter(|(key, _)| key.vault == name).for_each(|(_, seen)| *seen = hidden());
        observed.vaults.insert(name, hidden());
    } else if words.contains(&"taken") {
        observed.vault_names.insert(name, Seen::Known(NameState::Taken("already in use".into())));
    } else if words.contains(&"deleted") {
        observed.vault_names.insert(name, Seen::Known(NameState::SoftDeleted { scheduled_purge: None }));
    } else {
        observed.vaults.insert(name.clone(), Seen::Known(seen_vault(name, words)));
    }
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
        sku: "standard".into(),
        soft_delete: true,
        soft_delete_retention_days: Some(90),
        purge_protection: words.contains(&"protected"),
        permission_model: if words.contains(&"rbac") { PermissionModel::Rbac } else { PermissionModel::AccessPolicies },
        access_policies: grants.map(entry).collect(),
        host: format!("{name}.vault.test"),
        provisioning_state: if words.contains(&"registering") { "RegisteringDns".into() } else { "Succeeded".into() },
        id: VaultId { group: group(), name },
    }
}

/// Versions as `A`, `B`: the first is the newest; a word after one says what ails it.
fn seen_key(words: &[&str]) -> SeenKey {
    let mut versions: Vec<KeyVersion> = vec![];
    for word in &words[2..] {
        match (*word, versions.last_mut()) {
            ("disabled", Some(version)) => version.enabled = false,
            ("expired", Some(version)) => version.expires = Some(Timestamp(1_000)),
            ("early", Some(version)) => version.not_before = Some(Timestamp(1_001)),
            ("small", _) => {}
            (letter, _) => versions.push(KeyVersion {
                id: version(letter),
                enabled: true,
                created: None,
                not_before: None,
                expires: None,
            }),
        }
    }
    let size_bits = Some(if words.contains(&"small") { 1024 } else { 2048 });
    SeenKey { kind: KeyType::Rsa, size_bits, versions, all_versions: true }
}

fn see_account(words: &[&str], observed: &mut Observed) {
    let name = AccountName::parse(words[1]).unwrap();
    if words.contains(&"hidden") {
        observed.accounts.insert(name, hidden());
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
            user_assigned_identity: words.contains(&"uai").then(|| "/subscriptions/s/id1".to_owned()),
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
            user_assigned: vec![],
        },
        encryption: SeenEncryption { binding, infrastructure: None },
        provisioning_state: if words.contains(&"creating") { "Creating".into() } else { "Succeeded".into() },
        id: AccountId { group: group(), name },
    }
}

const ALL: &str = "group; vault kv1 create protected; key kv1/main create; account st1 create system uses kv1/main";
const LIVE: &str = "vault kv1 protected; key kv1/main; account st1 system uses kv1/main";
const GRANTED: &str = "vault kv1 protected st1=get+wrapKey+unwrapKey";

#[test]
fn from_nothing_the_containers_come_first_and_the_binding_last() {
    check(
        ALL,
        "",
        &expect![[r#"
            1. group/11111111-1111-1111-1111-111111111111/rg
            2. vault/kv1   after 1
            3. key/kv1/main   after 2
            4. account/st1   after 1
            5. grant/st1/kv1   after 2 4
            6. encryption/st1   after 2 3 4 5
        "#]],
    );
}

#[test]
fn what_holds_needs_no_step() {
    check(ALL, &format!("group; {GRANTED}; key kv1/main A; account st1 system bound kv1/main@A"), &expect![""]);
}

#[test]
fn an_account_without_identity_gets_one_before_the_grant() {
    check(
        LIVE,
        "vault kv1 protected; key kv1/main A; account st1",
        &expect![[r#"
            1. identity/st1
            2. grant/st1/kv1   after 1
            3. encryption/st1   after 1 2
        "#]],
    );
}

#[test]
fn a_vault_without_purge_protection_is_protected_before_the_binding() {
    check(
        LIVE,
        "vault kv1 st1=get+wrapKey+unwrapKey; key kv1/main A; account st1 system",
        &expect![[r#"
            1. protection/kv1
            2. encryption/st1   after 1
        "#]],
    );
}

#[test]
fn a_vault_without_purge_protection_is_refused_when_the_spec_does_not_turn_it_on() {
    check(
        "vault kv1; key kv1/main; account st1 system uses kv1/main",
        "vault kv1 st1=get+wrapKey+unwrapKey; key kv1/main A; account st1 system",
        &expect![[r#"
            CMK205 vault kv1: accounts of this spec use its keys, but purge protection is off: Storage refuses such a vault
        "#]],
    );
}

#[test]
fn what_is_absent_and_not_to_be_made_is_refused_once_each_without_echo() {
    check(
        LIVE,
        "",
        &expect![[r#"
            CMK201 account st1: it does not exist in resource group rg
            CMK201 key kv1/main: it does not exist
            CMK201 vault kv1: it does not exist in resource group rg
        "#]],
    );
}

#[test]
fn a_taken_name_is_refused_before_anything_is_made() {
    check(
        ALL,
        "vault kv1 taken; account st1 taken",
        &expect![[r#"
            1. group/11111111-1111-1111-1111-111111111111/rg
            CMK202 account st1: its name is taken, perhaps in another tenant: already taken
            CMK202 vault kv1: its name is taken, perhaps in another tenant: already in use
        "#]],
    );
}

#[test]
fn a_deleted_vault_that_holds_the_name_is_refused() {
    check(
        "vault kv1 create protected",
        "vault kv1 deleted",
        &expect![[r#"
            CMK203 vault kv1: a deleted vault holds its name
        "#]],
    );
}

#[test]
fn another_region_is_refused_unless_the_spec_allows_it() {
    let seen = "vault kv1 protected eastus st1=get+wrapKey+unwrapKey; key kv1/main A; account st1 system";
    check(
        LIVE,
        seen,
        &expect![[r#"
            CMK204 account st1: it is in westeurope, and its vault kv1 is in eastus
        "#]],
    );
    check(
        &format!("{LIVE}; regions may differ"),
        seen,
        &expect![[r#"
            1. encryption/st1
        "#]],
    );
}

#[test]
fn a_vault_that_takes_roles_is_refused() {
    check(
        LIVE,
        "vault kv1 protected rbac; key kv1/main A; account st1 system",
        &expect![[r#"
            CMK206 vault kv1: access to its keys is decided by role assignments, which this version of cmk does not manage
        "#]],
    );
}

#[test]
fn a_key_that_storage_cannot_use_is_refused() {
    for ailing in ["A disabled", "A expired", "A early", "A small"] {
        let seen = format!("{GRANTED}; key kv1/main {ailing}; account st1 system");
        let made = plan(&desired(LIVE), &observed(LIVE, &seen));
        assert_eq!(made.refusals.iter().map(|refusal| refusal.code).collect::<Vec<_>>(), ["CMK207"], "{ailing}");
        assert!(made.steps.is_empty(), "{ailing}");
    }
}

#[test]
fn the_newest_enabled_version_is_the_latest() {
    check(LIVE, &format!("{GRANTED}; key kv1/main B disabled A; account st1 system bound kv1/main@A"), &expect![""]);
    check(
        LIVE,
        &format!("{GRANTED}; key kv1/main B A; account st1 system bound kv1/main@A"),
        &expect![[r#"
            1. encryption/st1
        "#]],
    );
}

#[test]
fn an_account_that_follows_the_key_is_not_pinned_by_accident_nor_the_other_way_round() {
    let auto = "vault kv1 protected; key kv1/main; account st1 system uses kv1/main auto";
    let seen = format!("{GRANTED}; key kv1/main B A; account st1 system bound kv1/main");
    check(auto, &seen, &expect![""]);
    check(
        LIVE,
        &seen,
        &expect![[r#"
            1. encryption/st1
        "#]],
    );
    check(
        auto,
        &format!("{GRANTED}; key kv1/main B A; account st1 system bound kv1/main@B"),
        &expect![[r#"
            1. encryption/st1
        "#]],
    );
}

#[test]
fn a_bound_account_whose_access_was_taken_away_is_not_let_in_again() {
    check(
        LIVE,
        "vault kv1 protected; key kv1/main A; account st1 system bound kv1/main@A",
        &expect![[r#"
            CMK209 account st1: it is bound to a key of vault kv1, but its access was taken away
        "#]],
    );
}

#[test]
fn a_bound_account_whose_identity_was_removed_is_not_given_a_new_one() {
    check(
        LIVE,
        "vault kv1 protected; key kv1/main A; account st1 bound kv1/main@A",
        &expect![[r#"
            CMK209 account st1: it is bound to a key, but the identity with which it reached it was removed
        "#]],
    );
}

#[test]
fn a_permission_that_storage_can_do_without_is_added_to_a_bound_account() {
    check(
        "vault kv1 protected; key kv1/main; account st1 system uses kv1/main recover",
        &format!("{GRANTED}; key kv1/main A; account st1 system bound kv1/main@A"),
        &expect![[r#"
            1. grant/st1/kv1
        "#]],
    );
}

#[test]
fn moving_off_a_key_that_no_longer_unwraps_is_refused() {
    check(
        "vault kv1 protected; key kv1/main; key kv1/old; account st1 system uses kv1/main",
        &format!("{GRANTED}; key kv1/main A; key kv1/old A disabled; account st1 system bound kv1/old@A"),
        &expect![[r#"
            CMK211 account st1: it is bound to kv1/old now, and that key cannot unwrap: version aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa is disabled
        "#]],
    );
}

#[test]
fn an_expired_former_key_still_unwraps() {
    check(
        "vault kv1 protected; key kv1/main; key kv1/old; account st1 system uses kv1/main",
        &format!("{GRANTED}; key kv1/main A; key kv1/old A expired; account st1 system bound kv1/old@A"),
        &expect![[r#"
            1. encryption/st1
        "#]],
    );
}

#[test]
fn a_binding_through_a_user_assigned_identity_is_left_alone() {
    check(
        LIVE,
        &format!("{GRANTED}; key kv1/main A; account st1 system bound kv1/main@A uai"),
        &expect![[r#"
            CMK213 account st1: it reaches its key as the user-assigned identity /subscriptions/s/id1
        "#]],
    );
}

#[test]
fn a_vault_of_another_tenant_is_refused() {
    check(
        LIVE,
        "vault kv1 protected tenant2; key kv1/main A; account st1 system",
        &expect![[r#"
            CMK208 account st1: its identity is of tenant 00000000-0000-0000-0000-00000000000a, and vault kv1 trusts tenant another
        "#]],
    );
}

#[test]
fn nothing_is_made_whose_own_look_was_hidden() {
    check(
        ALL,
        "group; vault kv1 hidden; account st1 system",
        &expect![[r#"
            blind: key kv1/main
            blind: vault kv1
              hides: the identity of st1 may get, wrapKey, unwrapKey with the keys of kv1
              hides: account st1 is encrypted with the newest version of kv1/main
        "#]],
    );
}

#[test]
fn a_hidden_vault_does_not_stop_the_account_of_another() {
    check(
        "vault kv1 protected; key kv1/main; account st1 system uses kv1/main; \
         vault kv2 protected; key kv2/main; account st2 system uses kv2/main",
        "vault kv1 hidden; account st1 system; vault kv2 protected; key kv2/main A; account st2 system",
        &expect![[r#"
            1. grant/st2/kv2
            2. encryption/st2   after 1
            blind: key kv1/main
            blind: vault kv1
              hides: the identity of st1 may get, wrapKey, unwrapKey with the keys of kv1
              hides: account st1 is encrypted with the newest version of kv1/main
        "#]],
    );
}

#[test]
fn what_is_under_way_is_waited_for_and_not_sent_again() {
    check(
        ALL,
        "group; vault kv1 protected registering; key kv1/main A; account st1 system creating",
        &expect![[r#"
            1. grant/st1/kv1
            2. encryption/st1   after 1
            wait: vault kv1 is ready: its provisioning state is RegisteringDns
            wait: account st1 is ready: its provisioning state is Creating
        "#]],
    );
}

#[test]
fn the_order_of_entries_does_not_matter() {
    let shuffled = "account st1 create system uses kv1/main; group; vault kv1 create protected; key kv1/main create";
    assert_eq!(plan(&desired(ALL), &observed(ALL, "")), plan(&desired(shuffled), &observed(shuffled, "")));
}

#[test]
fn an_unrelated_account_changes_nothing_else() {
    let more = format!("{ALL}; account st2 create system uses kv1/main");
    let alone = plan(&desired(ALL), &observed(ALL, ""));
    let together = plan(&desired(&more), &observed(&more, ""));
    for step in &alone.steps {
        assert!(together.steps.contains(step), "{}", step.id);
    }
    assert_eq!(together.steps.len(), alone.steps.len() + 3);
}

#[test]
fn another_team_s_entry_grants_our_account_nothing() {
    check(
        LIVE,
        "vault kv1 protected other=get+wrapKey+unwrapKey; key kv1/main A; account st1 system",
        &expect![[r#"
            1. grant/st1/kv1
            2. encryption/st1   after 1
        "#]],
    );
}

#[test]
fn the_digest_tells_plans_apart_and_knows_no_clock() {
    let at = |seconds: i64| {
        let mut seen = observed(ALL, "");
        seen.at = Timestamp(seconds);
        plan(&desired(ALL), &seen).digest
    };
    assert_eq!(at(1_000), at(2_000));
    let other = "group; vault kv1 create; key kv1/main create; account st1 create system";
    assert_ne!(at(1_000), plan(&desired(other), &observed(other, "")).digest);
}
