//! What stands in the way of a step, and the way out that is told.

use super::world::{desired, observed};
use super::{ALL, GRANTED, LIVE, check, plan};
use expect_test::expect;

/// The code, thing and help of each refusal.
fn help(wanted: &str, seen: &str) -> Vec<(&'static str, String, String)> {
    let made = plan(&desired(wanted), &observed(wanted, seen));
    made.refusals.into_iter().map(|refusal| (refusal.code, refusal.resource, refusal.help)).collect()
}

#[track_caller]
fn helps(wanted: &str, seen: &str, code: &str, words: &[&str]) {
    let told = help(wanted, seen);
    assert_eq!(told.iter().map(|(code, ..)| *code).collect::<Vec<_>>(), [code], "{told:?}");
    for word in words {
        assert!(told[0].2.contains(word), "`{word}` is missing: {}", told[0].2);
    }
}

#[test]
fn a_lock_that_allows_reading_only_refuses_every_step_below_it() {
    check(
        ALL,
        "group; vault kv1 protected; key kv1/main A; account st1 system; lock no ReadOnly kv1",
        &expect![[r#"
            1. grant/st1/kv1
            2. encryption/st1   after 1
            CMK215 lock no on vault kv1: it is ReadOnly and forbids to change vault kv1
        "#]],
    );
}

#[test]
fn a_lock_is_told_with_the_command_that_removes_it() {
    helps(
        LIVE,
        &format!("{GRANTED}; key kv1/main A; account st1 system; lock no-changes ReadOnly st1"),
        "CMK215",
        &["az lock delete --ids", "/storageAccounts/st1/providers/Microsoft.Authorization/locks/no-changes"],
    );
}

#[test]
fn a_lock_on_the_group_or_the_subscription_holds_for_all_in_it() {
    check(
        ALL,
        "group; lock no ReadOnly group; lock deep CanNotDelete subscription",
        &expect![[r#"
            1. vault/kv1
            2. key/kv1/main   after 1
            3. account/st1
            4. grant/st1/kv1   after 1 3
            5. encryption/st1   after 1 2 3 4
            CMK215 lock no on resource group RG: it is ReadOnly and forbids to change account st1, key kv1/main, vault kv1
        "#]],
    );
    check(
        ALL,
        "lock all readonly subscription",
        &expect![[r#"
            1. group/11111111-1111-1111-1111-111111111111/rg
            2. vault/kv1   after 1
            3. key/kv1/main   after 2
            4. account/st1   after 1
            5. grant/st1/kv1   after 2 4
            6. encryption/st1   after 2 3 4 5
            CMK215 lock all on subscription 11111111-1111-1111-1111-111111111111: it is readonly and forbids to change account st1, key kv1/main, resource group rg, vault kv1
        "#]],
    );
}

#[test]
fn a_lock_elsewhere_or_against_deleting_or_where_nothing_is_to_be_done_changes_nothing() {
    let seen = format!("{GRANTED}; key kv1/main A; account st1 system");
    let free = plan(&desired(LIVE), &observed(LIVE, &seen));
    for lock in ["lock no ReadOnly st10", "lock no CanNotDelete st1", "lock no ReadOnly kv1"] {
        assert_eq!(plan(&desired(LIVE), &observed(LIVE, &format!("{seen}; {lock}"))), free, "{lock}");
    }
    check(LIVE, &format!("{seen} bound kv1/main@A; lock no ReadOnly subscription"), &expect![""]);
}

#[test]
fn locks_that_may_not_be_seen_are_told_and_stop_nothing() {
    check(
        LIVE,
        &format!("{GRANTED}; key kv1/main A; account st1 system; lock hidden"),
        &expect![[r#"
            1. encryption/st1
            note: subscription 11111111-1111-1111-1111-111111111111: whether a lock forbids these steps could not be seen, for want of a/read: 403 AuthorizationFailed. Azure refuses what a lock forbids, and changes nothing
        "#]],
    );
}

#[test]
fn a_provider_that_is_not_registered_is_refused_once_for_the_subscription() {
    let wanted = format!("{ALL}; account st2 create system uses kv1/main");
    check(
        &wanted,
        "group; vault kv1 unregistered; account st1 unregistered; account st2 unregistered",
        &expect![[r#"
        CMK216 subscription 11111111-1111-1111-1111-111111111111: it has not registered the resource provider Microsoft.KeyVault
        CMK216 subscription 11111111-1111-1111-1111-111111111111: it has not registered the resource provider Microsoft.Storage
    "#]],
    );
    helps(
        "account st1 create system",
        "account st1 unregistered",
        "CMK216",
        &["az provider register --namespace Microsoft.Storage --subscription 11111111-1111-1111-1111-111111111111"],
    );
}

#[test]
fn a_deleted_key_that_holds_the_name_is_refused_with_its_date() {
    check(
        ALL,
        &format!("group; {GRANTED}; key kv1/main deleted; account st1 system"),
        &expect![[r#"
        CMK212 key kv1/main: a deleted key holds its name until 1970-01-02T00:00:00Z
    "#]],
    );
    helps(
        "vault kv1; key kv1/main create",
        "vault kv1; key kv1/main deleted",
        "CMK212",
        &["write `recover: true` on the key", "accept CMK405:key/kv1/main"],
    );
}

#[test]
fn that_deleted_keys_may_not_be_seen_is_told_and_stops_nothing() {
    check(
        "vault kv1; key kv1/main create",
        "vault kv1; key kv1/main unlisted",
        &expect![[r#"
            1. key/kv1/main
            note: key kv1/main: whether a deleted key holds its name could not be seen, for want of a/read: 403 AuthorizationFailed
        "#]],
    );
}

#[test]
fn a_hardware_key_is_not_made_in_a_standard_vault() {
    check(
        "vault kv1; key kv1/main create hsm",
        "vault kv1",
        &expect![[r#"
        CMK218 key kv1/main: it is to be of type RSA-HSM, and vault kv1 is of the standard tier
    "#]],
    );
    check(
        "vault kv1; key kv1/main create hsm",
        "vault kv1 premium",
        &expect![[r#"
        1. key/kv1/main
    "#]],
    );
    check(
        "vault kv1; key kv1/main create hsm",
        "vault kv1; key kv1/main A",
        &expect![[r#"
        note: key kv1/main: its type is RSA, not RSA-HSM as `create` would have it
    "#]],
    );
}

#[test]
fn a_key_that_expires_within_thirty_days_is_not_bound_to_for_the_first_time() {
    let seen = format!("{GRANTED}; key kv1/main A expires; account st1 system");
    check(
        LIVE,
        &seen,
        &expect![[r#"
        CMK217 key kv1/main: account st1 is to be bound to version aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, which expires on 1970-01-11T00:16:40Z, in 10 days
    "#]],
    );
    let follows = "vault kv1 protected; key kv1/main; account st1 system uses kv1/main auto";
    helps(follows, &seen, "CMK217", &["az keyvault key rotate --vault-name kv1 --name main"]);
    let pinned = "vault kv1 protected; key kv1/main; account st1 system uses kv1/main pinned A";
    helps(pinned, &seen, "CMK217", &["az keyvault key rotate", "version: latest"]);
    check(
        LIVE,
        &format!("{GRANTED}; key kv1/main A later; account st1 system"),
        &expect![[r#"
        1. encryption/st1
    "#]],
    );
}

#[test]
fn an_account_that_uses_the_expiring_version_already_is_left_alone() {
    let seen = format!("{GRANTED}; key kv1/main A expires; account st1 system bound kv1/main@A");
    check(LIVE, &seen, &expect![""]);
    let follows = "vault kv1 protected; key kv1/main; account st1 system uses kv1/main auto";
    check(
        follows,
        &seen,
        &expect![[r#"
        1. encryption/st1
    "#]],
    );
    let other = seen.replace("bound kv1/main@A", "bound kv1/old@B") + "; key kv1/old B";
    helps("vault kv1 protected; key kv1/main; key kv1/old; account st1 system uses kv1/main", &other, "CMK217", &[]);
}

#[test]
fn each_thing_that_ails_a_key_has_a_way_out_of_its_own() {
    let cases = [
        ("A disabled", "--version aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa --enabled true"),
        ("A expired", "az keyvault key rotate --vault-name kv1 --name main"),
        ("A early", "wait until 1970-01-01T00:16:41Z"),
        ("A small", "name a key of 2048, 3072 or 4096 bits"),
        ("A ec", "name a key of type RSA or RSA-HSM"),
    ];
    for (ailing, way_out) in cases {
        helps(LIVE, &format!("{GRANTED}; key kv1/main {ailing}; account st1 system"), "CMK207", &[way_out]);
    }
}

#[test]
fn soft_delete_that_is_off_is_named_and_turned_on_only_when_asked() {
    let unasked = "vault kv1; key kv1/main; account st1 system uses kv1/main";
    let seen = "vault kv1 hard st1=get+wrapKey+unwrapKey; key kv1/main A; account st1 system";
    check(
        unasked,
        seen,
        &expect![[r#"
        CMK205 vault kv1: accounts of this spec use its keys, but soft delete and purge protection are off: Storage refuses such a vault
    "#]],
    );
    check(
        LIVE,
        seen,
        &expect![[r#"
            1. protection/kv1
               asks for irreversible vault/kv1: purge protection stays on for good
            2. encryption/st1   after 1
        "#]],
    );
}

#[test]
fn the_former_key_is_brought_back_by_the_command_that_fits() {
    let wanted = "vault kv1 protected; key kv1/main; key kv1/old; account st1 system uses kv1/main";
    let bound = format!("{GRANTED}; key kv1/main A; account st1 system bound kv1/old@A");
    let enable = "az keyvault key set-attributes --vault-name kv1 --name old --version aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa \
                  --enabled true";
    helps(wanted, &format!("{bound}; key kv1/old A disabled"), "CMK211", &[enable]);
    let gone = "vault kv1 protected; key kv1/main; account st1 system uses kv1/main";
    let mut seen = observed(wanted, &bound);
    seen.keys.retain(|key, _| key.name.as_str() == "main" || key.name.as_str() == "old");
    let told = plan(&desired(gone), &seen).refusals;
    assert!(told[0].help.contains("az keyvault key recover --vault-name kv1 --name old"), "{told:?}");
    let vault_gone = "vault kv1 create protected; key kv1/main create; account st1 system uses kv1/main";
    helps(vault_gone, "group; account st1 system bound kv1/old@A", "CMK211", &["az keyvault recover --name kv1"]);
}

#[test]
fn an_account_whose_access_to_the_key_that_it_leaves_was_taken_away_does_not_move() {
    check(
        "vault kv1 protected; key kv1/main; vault kv2 protected; key kv2/next; account st1 system uses kv2/next",
        "vault kv1 protected; key kv1/main A; vault kv2 protected; key kv2/next A; account st1 system bound kv1/main@A",
        &expect![[r#"
            CMK211 account st1: it is bound to kv1/main now, and that key cannot unwrap: missing: unwrapKey
        "#]],
    );
}
