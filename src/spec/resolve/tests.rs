//! What specs resolve to, and what the text cannot spoil.

use crate::diag::{Source, render};
use crate::model::{Desired, GroupName, VersionRule};
use crate::spec::load;

const HEAD: &str = "version: 1
defaults: { subscription: 11111111-1111-1111-1111-111111111111, resourceGroup: rg, location: westeurope }
";

const VAULT: &str = "vaults: { kv1: { create: {}, purgeProtection: true, keys: { k: { create: {} } } } }\n";

fn desired(text: &str) -> Desired {
    let source = Source { name: "x.yaml".to_owned(), text: text.to_owned() };
    let (desired, diagnostics) = load(&source);
    assert!(diagnostics.is_empty(), "{}", render(&source, &diagnostics, false));
    desired.unwrap()
}

fn codes(text: &str) -> Vec<&'static str> {
    let source = Source { name: "x.yaml".to_owned(), text: text.to_owned() };
    load(&source).1.iter().map(|diagnostic| diagnostic.code).collect()
}

#[test]
fn what_is_left_out_gets_its_default() {
    let desired = desired(&format!(
        "{HEAD}{VAULT}accounts: {{ st1: {{ create: {{}}, identity: systemAssigned, encryption: {{ key: kv1/k }} }} }}"
    ));
    let vault = desired.vaults.values().next().unwrap();
    let create = vault.create.as_ref().unwrap();
    assert_eq!((create.sku.as_str(), create.soft_delete_retention_days), ("standard", 90));
    let key = vault.keys.values().next().unwrap().create.as_ref().unwrap();
    assert_eq!((key.kind.as_str(), key.size_bits), ("RSA", 3072));
    let account = desired.accounts.values().next().unwrap();
    let create = account.create.as_ref().unwrap();
    assert_eq!((create.sku.as_str(), create.kind.as_str()), ("Standard_LRS", "StorageV2"));
    let encryption = account.encryption.as_ref().unwrap();
    assert_eq!((encryption.version.clone(), encryption.permissions.len()), (VersionRule::Latest, 3));
    assert!(desired.policy.same_region);
}

#[test]
fn an_entry_overrides_the_defaults() {
    let desired = desired(&format!(
        "{HEAD}accounts: {{ st1: {{ create: {{}}, location: North Europe, resourceGroup: rg-own,
          subscription: 22222222-2222-2222-2222-222222222222 }} }}"
    ));
    let account = desired.accounts.values().next().unwrap();
    assert_eq!(account.location.as_ref().unwrap().as_str(), "northeurope");
    assert_eq!(
        account.id.group.to_string(),
        "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg-own"
    );
}

#[test]
fn the_default_region_is_only_for_what_is_to_be_made() {
    let desired = desired(&format!("{HEAD}accounts: {{ st1: {{}}, st2: {{ create: {{}} }} }}"));
    let regions: Vec<bool> = desired.accounts.values().map(|account| account.location.is_some()).collect();
    assert_eq!(regions, [false, true]);
}

#[test]
fn a_group_in_which_something_is_made_must_be_there_without_an_entry_too() {
    let one = desired(&format!("{HEAD}accounts: {{ st1: {{ create: {{}} }} }}"));
    let group = one.groups.iter().next().unwrap();
    assert_eq!((group.0.name.clone(), group.1.create), (GroupName::parse("rg").unwrap(), false));
    assert!(desired(&format!("{HEAD}accounts: {{ st1: {{}} }}")).groups.is_empty());
}

#[test]
fn a_group_is_found_in_any_case() {
    let desired = desired(&format!(
        "{HEAD}resourceGroups: {{ RG: {{ create: {{}} }} }}\naccounts: {{ st1: {{ create: {{}} }} }}"
    ));
    assert_eq!(desired.groups.len(), 1);
    assert!(desired.groups.values().all(|group| group.create));
}

#[test]
fn a_key_is_found_in_any_case_and_named_as_it_is_declared() {
    let desired = desired(&format!(
        "{HEAD}{VAULT}accounts: {{ st1: {{ identity: systemAssigned, encryption: {{ key: KV1/K }} }} }}"
    ));
    let account = desired.accounts.values().next().unwrap();
    assert_eq!(account.encryption.as_ref().unwrap().key.to_string(), "kv1/k");
}

#[test]
fn what_looks_like_a_number_is_kept_as_it_is_written() {
    for digits in
        ["12345678901234567890123456789012", "1e345678901234567890123456789012", "0x345678901234567890123456789012"]
    {
        let text = format!(
            "{HEAD}{VAULT}accounts: {{ 012345: {{ identity: systemAssigned, resourceGroup: 1e10,
              encryption: {{ key: kv1/k, version: {digits} }} }} }}"
        );
        if digits.contains('x') {
            assert_eq!(codes(&text), ["CMK038"]);
            continue;
        }
        let desired = desired(&text);
        let account = desired.accounts.values().next().unwrap();
        assert_eq!(account.id.to_string().split('/').rev().step_by(4).take(2).collect::<Vec<_>>(), ["012345", "1e10"]);
        let version = &account.encryption.as_ref().unwrap().version;
        assert!(matches!(version, VersionRule::Exact(version) if version.as_str() == digits));
    }
}

#[test]
fn yes_and_no_are_words() {
    let desired = desired(&format!("{HEAD}accounts: {{ yes: {{ resourceGroup: no, location: on }} }}"));
    let account = desired.accounts.values().next().unwrap();
    assert_eq!((account.id.name.as_str(), account.id.group.name.as_str()), ("yes", "no"));
}

#[test]
fn different_regions_are_an_error_until_the_policy_lifts_it() {
    let accounts = "accounts: { st1: { create: {}, location: northeurope, identity: systemAssigned, encryption: { key: kv1/k } } }\n";
    assert_eq!(codes(&format!("{HEAD}{VAULT}{accounts}")), ["CMK037"]);
    assert!(!desired(&format!("{HEAD}policy: {{ sameRegion: false }}\n{VAULT}{accounts}")).policy.same_region);
}

#[test]
fn the_region_of_a_thing_that_exists_is_not_guessed() {
    let accounts = "accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/k } } }\n";
    let vault = VAULT.replace("create: {}, purge", "create: {}, location: northeurope, purge");
    desired(&format!("{HEAD}{vault}{accounts}"));
}

#[test]
fn a_vault_that_exists_may_have_its_purge_protection_already() {
    let text = format!(
        "{HEAD}vaults: {{ kv1: {{ keys: {{ k: {{}} }} }} }}
accounts: {{ st1: {{ identity: systemAssigned, encryption: {{ key: kv1/k }} }} }}"
    );
    assert_eq!(desired(&text).vaults.values().next().unwrap().purge_protection, None);
    assert_eq!(codes(&text.replace("keys:", "purgeProtection: false, keys:")), ["CMK033"]);
}

#[test]
fn one_mistake_is_not_the_cause_of_others() {
    for (line, code) in [
        ("st1: { create: {}, identity: userAssigned, encryption: { key: kv1/k } }", "CMK015"),
        ("st1: { create: {}, identity: systemAssigned, encryption: { key: [kv1, k] } }", "CMK014"),
        ("st1: { create: {}, resourceGroup: [], identity: systemAssigned, encryption: { key: kv1/k } }", "CMK014"),
        ("st1: 7", "CMK014"),
        ("st1:", "CMK006"),
    ] {
        assert_eq!(codes(&format!("{HEAD}{VAULT}accounts:\n  {line}\n")), [code], "{line}");
    }
    let uses = "accounts: { st1: { create: {}, identity: systemAssigned, encryption: { key: kv1/k } } }\n";
    for (vaults, code) in [
        ("vaults: { kv1: 7 }\n", "CMK014"),
        ("vaults: { kv1: { create: {}, purgeProtection: maybe, keys: { k: {} } } }\n", "CMK014"),
        ("vaults: { kv1: { create: {}, purgeProtection: true, keys: { k: 7 } } }\n", "CMK014"),
        ("vaults: { kv1: { create: {}, purgeProtection: true, keys: [k] } }\n", "CMK014"),
    ] {
        assert_eq!(codes(&format!("{HEAD}{vaults}{uses}")), [code], "{vaults}");
    }
}

#[test]
fn missing_defaults_hide_no_other_problem() {
    let text = "version: 1
vaults: { kv1: { create: {}, location: westeurope, keys: { k: {} } } }
accounts: { st1: { create: {}, location: northeurope, encryption: { key: kv1/k } } }";
    assert_eq!(codes(text), ["CMK028", "CMK029", "CMK033", "CMK031", "CMK037"]);
}

#[test]
fn byte_order_mark_windows_lines_comments_and_document_marks_change_nothing() {
    let text = include_str!("../../../specs/quickstart.yaml");
    let plain = desired(text);
    assert_eq!(plain, desired(&format!("\u{feff}{}", text.replace('\n', "\r\n"))));
    assert_eq!(plain, desired(&format!("---\n{text}...\n")));
    assert_eq!(plain, desired(&format!("%YAML 1.2\n---\n{text}# end")));
}

#[test]
fn the_order_of_entries_does_not_matter() {
    let text = include_str!("../../../specs/shared-key.yaml");
    let start = text.find("vaults:").unwrap();
    let accounts = text.find("accounts:").unwrap();
    let swapped = format!("{}{}{}", &text[..start], &text[accounts..], &text[start..accounts]);
    assert_eq!(desired(text), desired(&swapped));
}

#[test]
fn of_very_many_problems_the_first_are_listed() {
    let many: String = (0..500).fold(String::new(), |text, n| text + &format!("  st{n}: {{ bad: 1 }}\n"));
    let found = codes(&format!("{HEAD}accounts:\n{many}"));
    assert_eq!((found.len(), found.last()), (201, Some(&"CMK018")));
}

const ELSEWHERE: &str = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg-keys/providers/Microsoft.KeyVault/vaults/kv2";

fn bound(keys: &[&str]) -> String {
    let accounts = keys.iter().enumerate().map(|(at, key)| {
        format!("  st{at}: {{ create: {{}}, identity: systemAssigned, encryption: {{ key: \"{key}\" }} }}\n")
    });
    format!("{HEAD}{VAULT}accounts:\n{}", accounts.collect::<String>())
}

#[test]
fn a_key_by_its_id_is_as_if_its_vault_had_an_entry_without_create() {
    let by_id = desired(&bound(&["kv1/k", &format!("{ELSEWHERE}/keys/one"), &format!("{ELSEWHERE}/keys/two")]));
    let entry =
        "{ subscription: 22222222-2222-2222-2222-222222222222, resourceGroup: rg-keys, keys: { one: {}, two: {} } }";
    let listed = VAULT.replace("vaults: {", &format!("vaults: {{ kv2: {entry},"));
    assert_eq!(by_id, desired(&bound(&["kv1/k", "kv2/one", "kv2/two"]).replace(VAULT, &listed)));
}

#[test]
fn azure_s_spelling_of_an_id_and_of_a_host_does_not_matter() {
    let plain = desired(&bound(&["kv1/k", &format!("{ELSEWHERE}/keys/one")]));
    let id = ELSEWHERE.replace("resourceGroups", "resourcegroups").replace("kv2", "KV2").replace("Vault/", "VAULT/");
    let spelt = desired(&bound(&["https://KV1.Vault.Azure.Net/keys/K", &format!("{id}/Keys/ONE")]));
    assert_eq!(plain, spelt);
}

#[test]
fn a_uri_finds_a_vault_that_another_account_names_by_its_id_in_either_order() {
    let (id, uri) = (format!("{ELSEWHERE}/keys/one"), "https://kv2.vault.azure.net/keys/two");
    for keys in [[id.as_str(), uri], [uri, id.as_str()]] {
        let keys: Vec<String> = desired(&bound(&keys)).keys().map(|(key, _)| key.to_string()).collect();
        assert_eq!(keys, ["kv1/k", "kv2/one", "kv2/two"]);
    }
    assert_eq!(codes(&bound(&[uri])), ["CMK025"]);
}

#[test]
fn a_version_in_a_reference_pins_it_and_may_be_said_twice() {
    let digits = "0123456789abcdef0123456789abcdef";
    for key in [
        format!("https://kv1.vault.azure.net/keys/k/{digits}"),
        format!("{ELSEWHERE}/keys/one/versions/{digits}"),
        format!("https://kv1.vault.azure.net/keys/k/{digits}\", version: \"{}", digits.to_uppercase()),
    ] {
        let desired = desired(&bound(&[&key]));
        let encryption = desired.accounts.values().next().unwrap().encryption.clone().unwrap();
        assert_eq!(encryption.version, VersionRule::Exact(crate::model::Version::parse(digits).unwrap()), "{key}");
    }
}
