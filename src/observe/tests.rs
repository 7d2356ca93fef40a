//! Observing against a scripted Azure: what each answer means for sight, and how few requests it takes.

use super::observe;
use crate::azure::fake::{Fake, Reply};
use crate::azure::{Failure, Kind};
use crate::model::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

const SUBSCRIPTION: &str = "abcdef00-0000-0000-0000-000000000000";
const ONE: &str = "11111111111111111111111111111111";
const TWO: &str = "22222222222222222222222222222222";

const GROUP: &str = "GET /resourceGroups/rg?";
const VAULT: &str = "GET /vaults/kv1?";
const KEY: &str = "GET /vaults/kv1/keys/main?";
const VERSIONS: &str = "GET /vaults/kv1/keys/main/versions?";
const DATA_KEY: &str = "GET https://kv1.vault.azure.net/keys/main?";
const DELETED_KEY: &str = "GET https://kv1.vault.azure.net/deletedkeys/main?";
const LOCKS: &str = "GET /subscriptions/abcdef00-0000-0000-0000-000000000000/providers/Microsoft.Authorization/locks?";
const ACCOUNT: &str = "GET /storageAccounts/st1?";
const SUBSCRIPTION_GET: &str = "GET /subscriptions/abcdef00-0000-0000-0000-000000000000?";
const VAULT_NAME: &str = "POST /Microsoft.KeyVault/checkNameAvailability";
const DELETED: &str = "GET /locations/westeurope/deletedVaults/kv1?";
const ACCOUNT_NAME: &str = "POST /Microsoft.Storage/checkNameAvailability";

/// One group, one vault, one key, one account that is to be bound to it.
fn quickstart(version: VersionRule) -> Desired {
    let subscription = SubscriptionId::parse(SUBSCRIPTION).unwrap();
    let group = GroupId { subscription, name: GroupName::parse("rg").unwrap() };
    let location = Some(Location::parse("westeurope").unwrap());
    let vault = VaultName::parse("kv1").unwrap();
    let key = KeyName::parse("main").unwrap();
    let account = AccountName::parse("st1").unwrap();
    let create = Some(KeyCreate { kind: KeyType::Rsa, size_bits: 3072 });
    let mut desired = Desired::default();
    desired.groups.insert(group.clone(), Group { location: location.clone(), create: true });
    desired.vaults.insert(
        vault.clone(),
        Vault {
            id: VaultId { group: group.clone(), name: vault.clone() },
            location: location.clone(),
            create: Some(VaultCreate { sku: VaultSku::Standard, soft_delete_retention_days: 90 }),
            recover: false,
            audit: BTreeSet::new(),
            purge_protection: Some(true),
            permission_model: Some(PermissionModel::AccessPolicies),
            keys: [(key.clone(), Key { create, import: None, recover: false, life: KeyLife::default() })].into(),
        },
    );
    let id = AccountId { group, name: account.clone() };
    desired.accounts.insert(
        account,
        Account {
            id: id.clone(),
            location,
            create: Some(AccountCreate { sku: "Standard_LRS".to_owned(), kind: "StorageV2".to_owned() }),
            identity: Identities { system: true, ..Identities::default() },
            removes: Identities::default(),
            encryption: Some(Encryption {
                who: Who::System(id),
                key: KeyRef { vault, name: key },
                version,
                permissions: KeyPermission::needed(),
                scope: None,
            }),
            access: Access::Granted,
            leaves_key: false,
        },
    );
    desired
}

fn group() -> Reply {
    let id = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg");
    let properties = json!({ "provisioningState": "Succeeded" });
    Reply::json(200, &json!({ "id": id, "location": "westeurope", "properties": properties }))
}

fn vault() -> Reply {
    let id = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv1");
    let properties = json!({ "tenantId": "t", "sku": { "name": "standard" }, "enableSoftDelete": true,
        "vaultUri": "https://kv1.vault.azure.net/", "provisioningState": "Succeeded" });
    Reply::json(200, &json!({ "id": id, "location": "westeurope", "properties": properties }))
}

fn arm_key(version: &str, enabled: bool, created: i64) -> Value {
    let uri = format!("https://kv1.vault.azure.net/keys/main/{version}");
    let attributes = json!({ "enabled": enabled, "created": created });
    let properties = json!({ "kty": "RSA", "keySize": 3072, "attributes": attributes, "keyUriWithVersion": uri });
    let vault = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv1");
    json!({ "id": format!("{vault}/keys/main"), "properties": properties })
}

fn listed(version: &str, enabled: bool, created: i64) -> Value {
    let mut item = arm_key(version, enabled, created);
    item["id"] = json!(format!("{}/versions/{version}", item["id"].as_str().unwrap()));
    item
}

fn key(version: &str, enabled: bool) -> Reply {
    Reply::json(200, &arm_key(version, enabled, 2))
}

fn both_versions() -> Reply {
    Reply::json(200, &json!({ "value": [listed(ONE, true, 1), listed(TWO, false, 2)] }))
}

fn account(bound_to: Option<(&str, &str)>) -> Reply {
    let id = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st1");
    let encryption = bound_to.map_or(json!({ "keySource": "Microsoft.Storage" }), |(name, version)| {
        json!({ "keySource": "Microsoft.Keyvault", "keyvaultproperties":
            { "keyname": name, "keyversion": version, "keyvaulturi": "https://kv1.vault.azure.net" } })
    });
    let properties = json!({ "provisioningState": "Succeeded", "encryption": encryption });
    let sku = json!({ "name": "Standard_LRS" });
    Reply::json(
        200,
        &json!({ "id": id, "location": "westeurope", "kind": "StorageV2", "sku": sku, "properties": properties }),
    )
}

fn free() -> Reply {
    Reply::json(200, &json!({ "nameAvailable": true }))
}

fn taken() -> Reply {
    Reply::json(200, &json!({ "nameAvailable": false, "reason": "AlreadyExists", "message": "in use" }))
}

fn absent() -> Reply {
    Reply::error(404, "ResourceNotFound")
}

fn denied() -> Reply {
    Reply::error(403, "AuthorizationFailed")
}

async fn run(version: VersionRule, script: Vec<(&str, Reply)>) -> (Result<Observed, Failure>, Arc<Fake>) {
    let fake = Fake::new(script);
    let observed = observe(&quickstart(version), &fake.azure()).await;
    (observed, fake)
}

async fn seen(script: Vec<(&str, Reply)>) -> Observed {
    run(VersionRule::Latest, script).await.0.unwrap()
}

fn main_key(observed: &Observed) -> &Seen<SeenKey> {
    observed.keys.iter().find(|(key, _)| key.name.as_str() == "main").unwrap().1
}

fn versions(seen: &Seen<SeenKey>) -> (Vec<&str>, bool) {
    let key = seen.known().unwrap();
    (key.versions.iter().map(|version| version.id.as_str()).collect(), key.all_versions)
}

fn empty_azure() -> Vec<(&'static str, Reply)> {
    let tenant = Reply::json(200, &json!({ "id": format!("/subscriptions/{SUBSCRIPTION}"), "tenantId": "T" }))
        .with("date", "Wed, 21 Oct 2015 07:28:00 GMT");
    vec![
        (GROUP, Reply::error(404, "ResourceGroupNotFound")),
        (VAULT, Reply::error(404, "ResourceGroupNotFound")),
        (ACCOUNT, Reply::error(404, "ResourceGroupNotFound")),
        (SUBSCRIPTION_GET, tenant),
        (VAULT_NAME, free()),
        (ACCOUNT_NAME, free()),
    ]
}

#[tokio::test(start_paused = true)]
async fn an_empty_azure_takes_six_requests_besides_signing_in() {
    let (observed, fake) = run(VersionRule::Latest, empty_azure()).await;
    let observed = observed.unwrap();
    assert_eq!(fake.asked().len(), 6);
    assert!(observed.groups.values().all(Seen::is_absent));
    assert!(main_key(&observed).is_absent());
    assert_eq!(observed.at, Timestamp(1_445_412_480));
    assert_eq!(observed.subscriptions.values().next().unwrap().known().unwrap().tenant, "t");
    assert_eq!(observed.vault_names.values().next().unwrap().known(), Some(&NameState::Free));
    assert_eq!(observed.account_names.values().next().unwrap().known(), Some(&NameState::Free));
}

#[tokio::test(start_paused = true)]
async fn a_converged_estate_takes_four() {
    let script =
        vec![(GROUP, group()), (VAULT, vault()), (ACCOUNT, account(Some(("main", TWO)))), (KEY, key(TWO, true))];
    let (observed, fake) = run(VersionRule::Latest, script).await;
    assert_eq!(fake.asked().len(), 4);
    let observed = observed.unwrap();
    assert_eq!(versions(main_key(&observed)), (vec![TWO], false));
    assert!(observed.subscriptions.is_empty() && observed.vault_names.is_empty() && observed.account_names.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_seen_is_hidden_and_says_which_permission_would_show_it() {
    let script = vec![(GROUP, denied()), (VAULT, denied()), (ACCOUNT, denied()), (DATA_KEY, denied())];
    let observed = seen(script).await;
    let Seen::Hidden(reason) = observed.vaults.values().next().unwrap() else { panic!("{observed:?}") };
    assert_eq!(reason.what, "403 AuthorizationFailed: said Azure");
    assert_eq!(reason.permission.as_deref(), Some("Microsoft.KeyVault/vaults/read"));
    assert!(matches!(main_key(&observed), Seen::Hidden(_)));
    // Nothing hidden is asked for as if it were absent.
    assert!(observed.vault_names.is_empty() && observed.subscriptions.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_key_that_arm_hides_is_looked_at_in_the_vault() {
    let kid = format!("https://kv1.vault.azure.net/keys/main/{ONE}");
    let body = json!({ "key": { "kid": kid, "kty": "RSA" }, "attributes": { "enabled": true } });
    let by_rbac = Reply::error(400, "ForbiddenByRbac");
    let script = |data| {
        vec![
            (GROUP, group()),
            (VAULT, vault()),
            (ACCOUNT, absent()),
            (KEY, by_rbac.clone()),
            (DATA_KEY, data),
            (ACCOUNT_NAME, free()),
        ]
    };
    let observed = seen(script(Reply::json(200, &body))).await;
    assert_eq!(versions(main_key(&observed)), (vec![ONE], false));
    let mut nowhere = script(Reply::error(404, "KeyNotFound"));
    nowhere.push((DELETED_KEY, Reply::error(404, "KeyNotFound")));
    let observed = seen(nowhere).await;
    assert!(main_key(&observed).is_absent() && observed.deleted_keys.values().all(Seen::is_absent));
    for unreachable in [Reply::Untrusted, Reply::error(401, "Unauthorized"), Reply::error(403, "Forbidden")] {
        let observed = seen(script(unreachable)).await;
        assert!(matches!(main_key(&observed), Seen::Hidden(_)));
    }
}

#[tokio::test(start_paused = true)]
async fn all_versions_are_read_when_the_current_one_does_not_answer_the_question() {
    let script = |bound: Option<(&'static str, &'static str)>, enabled| {
        let mut script = vec![(GROUP, group()), (VAULT, vault()), (ACCOUNT, account(bound)), (KEY, key(TWO, enabled))];
        script.push((VERSIONS, both_versions()));
        script
    };
    let exact = VersionRule::Exact(Version::parse(ONE).unwrap());
    for (why, rule, bound, enabled) in [
        ("the current one is disabled", VersionRule::Latest, None, false),
        ("another one is wanted", exact, None, true),
        ("the account is pinned to another one", VersionRule::Latest, Some(("main", ONE)), true),
    ] {
        let observed = run(rule, script(bound, enabled)).await.0.unwrap();
        assert_eq!(versions(main_key(&observed)), (vec![TWO, ONE], true), "{why}");
    }
}

/// The same answer about the key that the account is bound to.
fn of_old(reply: Reply) -> Reply {
    match reply {
        Reply::Answer(status, headers, body) => Reply::Answer(status, headers, body.replace("/keys/main", "/keys/old")),
        other => other,
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_an_account_is_bound_to_is_looked_at_though_the_spec_does_not_name_it() {
    let script = vec![
        (GROUP, group()),
        (VAULT, vault()),
        (ACCOUNT, account(Some(("old", "")))),
        (KEY, key(TWO, true)),
        ("GET /vaults/kv1/keys/old?", of_old(key(TWO, true))),
        ("GET /vaults/kv1/keys/old/versions?", of_old(both_versions())),
    ];
    let observed = seen(script).await;
    let names: BTreeSet<&str> = observed.keys.keys().map(|key| key.name.as_str()).collect();
    assert_eq!(names, BTreeSet::from(["main", "old"]));
    let old = observed.keys.iter().find(|(key, _)| key.name.as_str() == "old").unwrap().1;
    assert!(versions(old).1);
}

#[tokio::test(start_paused = true)]
async fn a_vault_name_that_a_deleted_vault_holds_is_told_apart() {
    let script = |deleted| {
        let mut script = empty_azure();
        script.retain(|(line, _)| *line != VAULT_NAME);
        script.extend([(VAULT_NAME, taken()), (DELETED, deleted)]);
        script
    };
    let properties = json!({ "properties": { "scheduledPurgeDate": "2026-12-01T00:00:00Z" } });
    let observed = seen(script(Reply::json(200, &properties))).await;
    let scheduled_purge = Some("2026-12-01T00:00:00Z".to_owned());
    let soft_deleted = NameState::SoftDeleted(SeenDeletedVault { scheduled_purge, ..SeenDeletedVault::default() });
    assert_eq!(observed.vault_names.values().next().unwrap().known(), Some(&soft_deleted));
    for unseen in [Reply::error(404, "DeletedVaultNotFound"), denied()] {
        let observed = seen(script(unseen)).await;
        let state = observed.vault_names.values().next().unwrap().known();
        assert_eq!(state, Some(&NameState::Taken("in use".to_owned())));
    }
}

#[tokio::test(start_paused = true)]
async fn a_deleted_vault_of_another_region_is_looked_for_only_where_one_is_to_come_back() {
    let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg");
    let was = format!("{group}/providers/Microsoft.KeyVault/vaults/KV1");
    let item = json!({ "name": "kv1", "properties": { "vaultId": was, "location": "North Europe" } });
    let mut script = empty_azure();
    script.retain(|(line, _)| *line != VAULT_NAME);
    let list = "GET /providers/Microsoft.KeyVault/deletedVaults?";
    script.extend([
        (VAULT_NAME, taken()),
        (DELETED, Reply::error(404, "DeletedVaultNotFound")),
        (list, Reply::json(200, &json!({ "value": [item] }))),
    ]);
    let mut wanted = quickstart(VersionRule::Latest);
    wanted.vaults.values_mut().for_each(|vault| vault.recover = true);
    let fake = Fake::new(script);
    let observed = observe(&wanted, &fake.azure()).await.unwrap();
    let Some(Seen::Known(NameState::SoftDeleted(deleted))) = observed.vault_names.values().next() else { panic!() };
    assert_eq!(deleted.location.as_ref().map(Location::as_str), Some("northeurope"));
    assert_eq!(deleted.was.as_ref().map(|was| &was.group), wanted.groups.keys().next());
}

#[tokio::test(start_paused = true)]
async fn a_vault_that_is_still_being_made_may_refuse_to_show_its_keys() {
    let Reply::Answer(status, headers, body) = vault() else { panic!() };
    let making = Reply::Answer(status, headers, body.replace("Succeeded", "RegisteringDns"));
    let script = |vault| {
        vec![(GROUP, group()), (VAULT, vault), (ACCOUNT, account(None)), (KEY, Reply::error(400, "BadRequest"))]
    };
    let observed = seen(script(making)).await;
    assert!(matches!(main_key(&observed), Seen::Hidden(_)));
    assert_eq!(run(VersionRule::Latest, script(vault())).await.0.unwrap_err().kind, Kind::Rejected);
}

#[tokio::test(start_paused = true)]
async fn what_says_nothing_about_the_thing_is_a_failure() {
    for (reply, kind) in [
        (Reply::error(404, "SubscriptionNotFound"), Kind::NotFound),
        (Reply::empty(404), Kind::NotFound),
        (Reply::Answer(404, Vec::new(), "<html>proxy</html>".to_owned()), Kind::NotFound),
        (Reply::error(401, "InvalidAuthenticationTokenTenant"), Kind::Credential),
        (Reply::Untrusted, Kind::Tls),
        (Reply::json(200, &json!({})), Kind::Unintelligible),
    ] {
        let script = vec![(GROUP, group()), (VAULT, reply.clone()), (ACCOUNT, absent())];
        let failure = run(VersionRule::Latest, script).await.0.unwrap_err();
        assert_eq!(failure.kind, kind, "{reply:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn observing_sends_no_write_and_can_be_done_on_any_thread() {
    let fake = Fake::new(empty_azure());
    let azure = fake.azure();
    let copy = azure.clone();
    tokio::spawn(async move { observe(&quickstart(VersionRule::Auto), &copy).await }).await.unwrap().unwrap();
    assert_eq!(azure.stats().writes_sent, 0);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_key_is_looked_for_only_where_a_key_would_be_made_in_a_vault_that_is_there() {
    let script = |deleted| {
        vec![
            (GROUP, group()),
            (VAULT, vault()),
            (ACCOUNT, account(None)),
            (KEY, Reply::error(404, "KeyNotFound")),
            (DELETED_KEY, deleted),
        ]
    };
    let held = Reply::json(200, &json!({ "recoveryId": "x", "deletedDate": 1, "scheduledPurgeDate": 7_776_001 }));
    let (observed, fake) = run(VersionRule::Latest, script(held)).await;
    let deleted = observed.unwrap().deleted_keys.into_values().next().unwrap();
    assert_eq!(
        deleted,
        Seen::Known(SeenDeletedKey { scheduled_purge: Some(Timestamp(7_776_001)), of_certificate: false })
    );
    assert_eq!(fake.asked().len(), 5);
    for blind in [Reply::error(403, "Forbidden"), Reply::error(401, "Unauthorized"), Reply::Untrusted] {
        let observed = seen(script(blind)).await;
        assert!(matches!(observed.deleted_keys.values().next(), Some(Seen::Hidden(_))));
    }
}

#[tokio::test(start_paused = true)]
async fn locks_are_read_from_every_page_and_hidden_by_a_403() {
    let lock = |scope: &str, name: &str, level: &str| {
        let id = format!("{scope}/providers/Microsoft.Authorization/locks/{name}");
        json!({ "id": id, "name": name, "properties": { "level": level } })
    };
    let scope = format!("/subscriptions/{SUBSCRIPTION}");
    let more = format!("https://management.azure.com{scope}/providers/Microsoft.Authorization/locks?page=2");
    let first = json!({ "value": [lock(&scope, "a", "ReadOnly")], "nextLink": more });
    let second = json!({ "value": [lock(&format!("{scope}/resourceGroups/rg"), "b", "CanNotDelete")] });
    let subscriptions = BTreeSet::from([SubscriptionId::parse(SUBSCRIPTION).unwrap()]);
    let fake = Fake::new(vec![(LOCKS, Reply::json(200, &first)), ("GET /locks?page=2", Reply::json(200, &second))]);
    let seen = super::locks(&subscriptions, &fake.azure()).await.unwrap().into_values().next().unwrap();
    let names: Vec<String> = seen.known().unwrap().iter().map(|lock| format!("{} {}", lock.name, lock.level)).collect();
    assert_eq!(names, ["a ReadOnly", "b CanNotDelete"]);
    let fake = Fake::new(vec![(LOCKS, denied())]);
    let seen = super::locks(&subscriptions, &fake.azure()).await.unwrap().into_values().next().unwrap();
    assert!(
        matches!(seen, Seen::Hidden(reason) if reason.permission.as_deref() == Some("Microsoft.Authorization/locks/read"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_not_registered_is_told_from_a_subscription_that_is_not_there() {
    let missing = || Reply::error(409, "MissingSubscriptionRegistration");
    let mut script = empty_azure();
    script[1].1 = missing();
    script[4].1 = missing();
    script[5].1 = Reply::error(404, "SubscriptionNotFound");
    let observed = seen(script).await;
    let unregistered = |provider| Seen::Known(NameState::Unregistered { provider });
    assert_eq!(observed.vault_names.values().next(), Some(&unregistered("Microsoft.KeyVault")));
    assert_eq!(observed.account_names.values().next(), Some(&unregistered("Microsoft.Storage")));
    let mut script = empty_azure();
    script[0].1 = Reply::error(404, "SubscriptionNotFound");
    assert_eq!(run(VersionRule::Latest, script).await.0.unwrap_err().kind, Kind::NotFound);
}

/// Four accounts of one group, of which a list shows two, and one of the same name in another group.
#[tokio::test(start_paused = true)]
async fn many_accounts_are_read_by_one_list_and_what_it_leaves_out_one_by_one() {
    let mut wanted = quickstart(VersionRule::Auto);
    let first = wanted.accounts.values().next().unwrap().clone();
    wanted.vaults.clear();
    wanted.accounts.clear();
    for name in ["st1", "st2", "st3", "st4"] {
        let name = AccountName::parse(name).unwrap();
        let id = AccountId { name: name.clone(), ..first.id.clone() };
        wanted.accounts.insert(name, Account { id, encryption: None, create: None, ..first.clone() });
    }
    let shown = |group: &str, name: &str| {
        let id = format!(
            "/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Storage/storageAccounts/{name}"
        );
        json!({ "id": id, "name": name, "location": "westeurope", "kind": "StorageV2", "sku": { "name": "Standard_LRS" },
            "properties": { "provisioningState": "Succeeded" } })
    };
    let list = json!({ "value": [shown("rg", "st1"), shown("RG", "st2"), shown("other", "st3")] });
    let listed = "GET /resourceGroups/rg/providers/Microsoft.Storage/storageAccounts?";
    let (absent, own) = (|| Reply::error(404, "ResourceNotFound"), Reply::json(200, &shown("rg", "st3")));
    let script = vec![
        (GROUP, group()),
        (listed, Reply::json(200, &list)),
        ("GET /storageAccounts/st3?", own),
        ("GET /storageAccounts/st4?", absent()),
    ];
    let fake = Fake::new(script);
    let seen = observe(&wanted, &fake.azure()).await.unwrap().accounts;
    let known: Vec<bool> = seen.values().map(|one| one.known().is_some()).collect();
    assert_eq!(known, [true, true, true, false]);
    assert_eq!(seen.values().nth(2).unwrap().known().unwrap().id.group.name.as_str(), "rg");
    assert!(seen.values().nth(3).unwrap().is_absent());
    assert_eq!(fake.asked().len(), 4, "{:?}", fake.asked());

    let each = |name: &str| Reply::json(200, &shown("rg", name));
    let fake = Fake::new(vec![
        (GROUP, group()),
        (listed, denied()),
        ("GET /storageAccounts/st1?", each("st1")),
        ("GET /storageAccounts/st2?", each("st2")),
        ("GET /storageAccounts/st3?", each("st3")),
        ("GET /storageAccounts/st4?", each("st4")),
    ]);
    let seen = observe(&wanted, &fake.azure()).await.unwrap().accounts;
    assert!(seen.values().all(|one| one.known().is_some()), "a list that may not be seen hides nothing: {seen:?}");
}
