//! A small language for worlds: what is there already when a story begins, one thing a line.
//!
//! | line | is |
//! |---|---|
//! | `group` | the resource group `rg` |
//! | `vault kv1`, `vault kv1 unprotected premium north` | a vault, with another team's access policies |
//! | `elsewhere kv1`, `elsewhere st1` | a vault, or an account, of this name in another subscription |
//! | `deleted kv1` | a vault that was deleted and holds its name |
//! | `delete kv1`, `delete kv1/main` | a vault, or a key, that is deleted with all that it holds |
//! | `key kv1/main`, `key kv1/main EC` | a key |
//! | `account st1`, `account st1 identity` | an account |
//! | `infrastructure st1` | an account with infrastructure encryption and an identity |
//! | `users st1` | a user-assigned identity of others on it |
//! | `identity id1`, `has st1 id1` | a user-assigned identity; an account that has it |
//! | `let id1 kv1`, `let id1 kv1/main` | an entry, or a role where they decide, for a user-assigned identity |
//! | `as id1 st1 kv1/main` | an account's encryption, reached as a user-assigned identity |
//! | `grant st1 kv1 get wrapKey` | an entry for its identity |
//! | `bound st1 kv1/main`, `bound st1 kv1/main auto` | its encryption, pinned or not |
//! | `through users st1 kv1/main` | its encryption, reached as the user-assigned identity of others |
//! | `scope st1/payroll kv1/main` | an encryption scope of an account under a key of its own |
//! | `own kv1/main`, `officer` | the stand-in for a key of one's own; a role of the caller's for all keys |
//! | `scoped st1 payroll kv1/main` | an encryption scope of it under a key |
//! | `rotate kv1/main`, `disable kv1/main` | a new version; the newest one disabled |
//! | `roles kv1`, `role st1 kv1/main`, `unrole st1 kv1` | role assignments decide; one is there, and gone |
//! | `tag kv1/main owner them`, `policy kv1/main P1Y` | a tag of its newest version; how Key Vault rotates it |
//! | `expires kv1/main 20` | its newest version ends in so many days |
//! | `crowd kv1 1022` | entries of so many others in a vault's access policies |
//! | `audited kv1 theirs ws` | a diagnostic setting that sends all logs of a vault to a workspace |
//! | `lock no`, `unregistered Microsoft.KeyVault` | a read-only lock on the group; a provider that is not registered |
//! | `revoke st1 kv1`, `detach st1` | an emergency |
//! | `wait 120`, `days 100` | seconds; days |

use crate::contracts;
use cmk::diag::Source;
use cmk::model::Desired;
use cmk::prove::{BEGINNING, Hand};
use cmk::sandbox::{Millis, Pace, SUBSCRIPTIONS, VAULT_SUFFIX, Watch, World};
use serde_json::{Value, json};

/// The group of every story.
pub(crate) fn group() -> String {
    format!("/subscriptions/{}/resourceGroups/rg", SUBSCRIPTIONS[0])
}

fn vault(name: &str) -> String {
    format!("{}/providers/Microsoft.KeyVault/vaults/{name}", group())
}

fn account(name: &str) -> String {
    format!("{}/providers/Microsoft.Storage/storageAccounts/{name}", group())
}

/// Waits that are long enough to be met and short enough for thousands of stories, with tokens that outlast them:
/// how the product renews tokens hangs on the machine's clock.
pub(crate) fn pace() -> Pace {
    Pace {
        account_creation: 5_000,
        vault_dns: 4_000,
        grant_propagation: 9_000,
        token_lifetime: 86_400_000,
        ..Pace::azure()
    }
}

/// The world of a text, and the moment at which it is so.
pub(crate) fn world(text: &str, pace: Pace) -> (World, Millis) {
    world_since(BEGINNING, text, pace)
}

/// The same, from another moment on: the program itself knows only the machine's clock.
pub(crate) fn world_since(beginning: Millis, text: &str, pace: Pace) -> (World, Millis) {
    let mut world = World::new(pace);
    world.set_watch(Watch::new(contracts::hold));
    let mut hand = Hand { world: &mut world, now: beginning };
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let status = thing(&mut hand, &words);
        assert!((200..300).contains(&status), "{line}: {status}");
    }
    hand.wait(600);
    let now = hand.now;
    (world, now)
}

fn thing(hand: &mut Hand<'_>, words: &[&str]) -> u16 {
    let has = |word: &str| words.contains(&word);
    let key = |text: &str| text.split_once('/').map(|(vault, key)| (vault.to_owned(), key.to_owned())).unwrap();
    match words {
        ["group"] => hand.group(&group(), "westeurope"),
        ["vault", name, ..] => {
            let sku = if has("premium") { "premium" } else { "standard" };
            let location = if has("north") { "northeurope" } else { "westeurope" };
            let status = hand.make_vault(&vault(name), location, sku, !has("unprotected"));
            // For as long as a grant may take to arrive.
            arrive(hand);
            status
        }
        ["elsewhere", name] => elsewhere(hand, name),
        ["through", "users", name, to] => through_users(hand, name, to),
        ["role", name, on] => {
            let principal = hand.principal(&account(name)).expect("an identity to assign to");
            let scope = match on.split_once('/') {
                Some((of, key)) => format!("{}/keys/{key}", vault(of)),
                None if *on == "group" => group(),
                None => vault(on),
            };
            let status = hand.assign(&scope, &principal);
            arrive(hand);
            status
        }
        ["unrole", name, of] => {
            let principal = hand.principal(&account(name)).expect("an identity to take a role from");
            hand.unassign(&vault(of), &principal)
        }
        ["roles", name] => {
            hand.arm("PATCH", &vault(name), &json!({ "properties": { "enableRbacAuthorization": true } })).0
        }
        ["deleted", name] => {
            hand.make_vault(&vault(name), "westeurope", "standard", true);
            arrive(hand);
            hand.arm("DELETE", &vault(name), &Value::Null).0
        }
        ["key", name, ..] => {
            let (of, name) = key(name);
            hand.make_key(&vault(&of), &name, if has("EC") { "EC" } else { "RSA" }, 2048)
        }
        ["account", name, ..] => {
            let status = hand.make_account(&account(name), "westeurope", "Standard_LRS", "StorageV2", has("identity"));
            arrive(hand);
            status
        }
        ["infrastructure", name] => {
            let body = json!({
                "location": "westeurope", "sku": { "name": "Standard_LRS" }, "kind": "StorageV2",
                "identity": { "type": "SystemAssigned" },
                "properties": { "encryption": { "requireInfrastructureEncryption": true, "keySource": "Microsoft.Storage" } },
            });
            let status = hand.arm("PUT", &account(name), &body).0;
            arrive(hand);
            status
        }
        ["users", name] => users(hand, name, "id-theirs"),
        ["identity", name] => hand.arm("PUT", &identity(name), &json!({ "location": "westeurope" })).0,
        ["has", name, user] => users(hand, name, user),
        ["let", user, on] => let_at(hand, user, on),
        ["as", user, name, to] => bind_as(hand, user, name, to),
        ["scope", scope, to] => {
            let ((of, scope), (vault, key)) = (key(scope), key(to));
            hand.scope(&account(&of), &scope, &vault, &key)
        }
        ["grant", name, of, permissions @ ..] => {
            let principal = hand.principal(&account(name)).expect("an identity to grant to");
            let all = ["get", "wrapKey", "unwrapKey"];
            let status = hand.grant(
                &vault(of),
                "add",
                &principal,
                "keys",
                if permissions.is_empty() { &all } else { permissions },
            );
            arrive(hand);
            status
        }
        ["bound", name, to, ..] => {
            let (of, name_of_key) = key(to);
            let version = if has("auto") { String::new() } else { newest(hand, &of, &name_of_key) };
            hand.bind(&account(name), Some((&of, &name_of_key, &version)))
        }
        ["revoke", name, of] => {
            let principal = hand.principal(&account(name)).expect("an identity to revoke from");
            hand.grant(&vault(of), "remove", &principal, "keys", &["get", "wrapKey", "unwrapKey", "recover"])
        }
        ["detach", name] => hand.arm("PATCH", &account(name), &json!({ "identity": { "type": "None" } })).0,
        ["days", days] => {
            hand.wait(86_400 * days.parse::<i64>().expect("days"));
            200
        }
        ["wait", seconds] => {
            hand.wait(seconds.parse().expect("seconds"));
            200
        }
        _ => obstacle(hand, words),
    }
}

/// What happens to keys, and what stands in the way.
fn obstacle(hand: &mut Hand<'_>, words: &[&str]) -> u16 {
    let key = |text: &str| text.split_once('/').map(|(vault, key)| (vault.to_owned(), key.to_owned())).unwrap();
    match words {
        ["own", name] => {
            let (of, name) = key(name);
            hand.import(&of, &name, 2048)
        }
        ["officer"] => {
            let status = hand.let_in(&group());
            arrive(hand);
            status
        }
        ["rotate", name] => {
            let (of, name) = key(name);
            hand.wait(5);
            hand.rotate(&of, &name)
        }
        ["disable", name] => {
            let (of, name) = key(name);
            hand.enable(&of, &name, false)
        }
        ["audited", name, by, to] => {
            let log = json!({ "categoryGroup": "allLogs", "enabled": true });
            let body = json!({ "properties": { "logs": [log], "workspaceId": workspace(to) } });
            let path = format!("{}/providers/Microsoft.Insights/diagnosticSettings/{by}", vault(name));
            hand.arm("PUT", &path, &body).0
        }
        ["delete", name] => match name.split_once('/') {
            Some((of, key)) => {
                let status = hand.vault(of, "DELETE", &format!("/keys/{key}"), &Value::Null).0;
                hand.wait(1 + hand.world.pace().deleted_object / 1000);
                status
            }
            None => hand.arm("DELETE", &vault(name), &Value::Null).0,
        },
        ["lock", name] => {
            let path = format!("{}/providers/Microsoft.Authorization/locks/{name}", group());
            hand.arm("PUT", &path, &json!({ "properties": { "level": "ReadOnly" } })).0
        }
        ["crowd", name, number] => {
            let tenant = cmk::sandbox::TENANT;
            let entry = |n: u32| {
                let object = format!("00000000-0000-4000-8000-{n:012}");
                json!({ "tenantId": tenant, "objectId": object, "permissions": { "keys": ["get"] } })
            };
            let entries: Vec<Value> = (0..number.parse().expect("a number")).map(entry).collect();
            let body = json!({ "properties": { "accessPolicies": entries } });
            hand.arm("PUT", &format!("{}/accessPolicies/add", vault(name)), &body).0
        }
        ["unregistered", provider] => {
            let path = format!("/subscriptions/{}/providers/{provider}/unregister", SUBSCRIPTIONS[0]);
            hand.arm("POST", &path, &Value::Null).0
        }
        ["tag", name, tag, value] => {
            let (of, name) = name.split_once('/').unwrap();
            hand.vault(of, "PATCH", &format!("/keys/{name}"), &json!({ "tags": { *tag: value } })).0
        }
        ["policy", name, every] => {
            let (of, name) = name.split_once('/').unwrap();
            let rotate = json!({ "trigger": { "timeAfterCreate": every }, "action": { "type": "Rotate" } });
            let body = json!({ "lifetimeActions": [rotate] });
            hand.vault(of, "PUT", &format!("/keys/{name}/rotationpolicy"), &body).0
        }
        ["expires", name, days] => {
            let (of, name) = name.split_once('/').unwrap();
            let end = hand.now.seconds() + 86_400 * days.parse::<i64>().expect("days");
            hand.vault(of, "PATCH", &format!("/keys/{name}"), &json!({ "attributes": { "exp": end } })).0
        }
        _ => unreachable!("no such line: {words:?}"),
    }
}

/// A Log Analytics workspace of another team.
pub(crate) fn workspace(name: &str) -> String {
    format!(
        "/subscriptions/{}/resourceGroups/rg-soc/providers/Microsoft.OperationalInsights/workspaces/{name}",
        SUBSCRIPTIONS[1]
    )
}

/// Waits until all that was begun is through.
fn arrive(hand: &mut Hand<'_>) {
    let Pace { account_creation, vault_dns, grant_propagation, .. } = hand.world.pace();
    hand.wait(1 + account_creation.max(vault_dns).max(grant_propagation) / 1000);
}

fn identity(name: &str) -> String {
    format!("{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}", group())
}

fn let_at(hand: &mut Hand<'_>, user: &str, on: &str) -> u16 {
    let (_, body) = hand.arm("GET", &identity(user), &Value::Null);
    let principal = body["properties"]["principalId"].as_str().expect("an identity").to_owned();
    let status = match on.split_once('/') {
        Some((of, key)) => hand.assign(&format!("{}/keys/{key}", vault(of)), &principal),
        None => hand.grant(&vault(on), "add", &principal, "keys", &["get", "wrapKey", "unwrapKey"]),
    };
    arrive(hand);
    status
}

fn users(hand: &mut Hand<'_>, name: &str, user: &str) -> u16 {
    let identity = identity(user);
    hand.arm("PUT", &identity, &json!({ "location": "westeurope" }));
    let own = hand.principal(&account(name)).is_some();
    let kind = if own { "SystemAssigned,UserAssigned" } else { "UserAssigned" };
    let body = json!({ "identity": { "type": kind, "userAssignedIdentities": { identity: {} } } });
    hand.arm("PATCH", &account(name), &body).0
}

/// The name is taken, by a thing that is not where the spec says.
fn elsewhere(hand: &mut Hand<'_>, name: &str) -> u16 {
    let group = format!("/subscriptions/{}/resourceGroups/theirs", SUBSCRIPTIONS[1]);
    hand.group(&group, "westeurope");
    let status = if name.starts_with("kv") {
        hand.make_vault(&vault(name).replace(&self::group(), &group), "westeurope", "standard", true)
    } else {
        let path = account(name).replace(&self::group(), &group);
        hand.make_account(&path, "westeurope", "Standard_LRS", "StorageV2", false)
    };
    arrive(hand);
    status
}

/// Binds an account to a key as the identity of others that it has.
fn through_users(hand: &mut Hand<'_>, name: &str, to: &str) -> u16 {
    let (of, _) = to.split_once('/').unwrap();
    let_at(hand, "id-theirs", of);
    bind_as(hand, "id-theirs", name, to)
}

fn bind_as(hand: &mut Hand<'_>, user: &str, name: &str, to: &str) -> u16 {
    let (of, key) = to.split_once('/').unwrap();
    let version = newest(hand, of, key);
    let encryption = json!({
        "keySource": "Microsoft.Keyvault", "identity": { "userAssignedIdentity": identity(user) },
        "keyvaultproperties": {
            "keyvaulturi": format!("https://{of}.{VAULT_SUFFIX}"), "keyname": key, "keyversion": version,
        },
    });
    hand.arm("PATCH", &account(name), &json!({ "properties": { "encryption": encryption } })).0
}

/// The newest version of a key.
fn newest(hand: &mut Hand<'_>, of: &str, key: &str) -> String {
    let (_, body) = hand.arm("GET", &format!("{}/keys/{key}", vault(of)), &Value::Null);
    let uri = body["properties"]["keyUriWithVersion"].as_str().expect("the key is there").to_owned();
    uri.rsplit('/').next().unwrap_or_default().to_owned()
}

/// The desired state of a story's spec, which leaves out what all have in common. Keys that it
/// brings are stand-ins.
pub(crate) fn desired(spec: &str) -> Desired {
    let source = Source { name: "story.yaml".to_owned(), text: whole(spec) };
    let (desired, diagnostics) = cmk::spec::load(&source);
    let desired = desired.ok_or_else(|| cmk::diag::render(&source, &diagnostics, false)).expect("a spec without fault");
    cmk::prove::with_stand_ins(&desired)
}

/// A story's spec as a file would hold it.
pub(crate) fn whole(spec: &str) -> String {
    let defaults = format!("{{ subscription: {}, resourceGroup: rg, location: westeurope }}", SUBSCRIPTIONS[0]);
    format!("version: 1\ndefaults: {defaults}\n{spec}\n")
}
