//! Names and ids: no accepted name can break out of the path, the host or the document that it is put into.

use cmk::azure::{Call, Cloud, accounts, groups, keys, vaults};
use cmk::model::*;
use proptest::prelude::*;
use std::cmp::Ordering;
use std::collections::hash_map::DefaultHasher;
use std::fmt::{Debug, Display};
use std::hash::{Hash, Hasher};

/// Texts that are nearly names: what names are made of, with now and then what they must not hold.
fn nearly() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a",
        "B",
        "kv",
        "St1",
        "0",
        "9",
        "-",
        "--",
        "_",
        ".",
        "..",
        "(",
        ")",
        "/",
        "\\",
        "?",
        "#",
        "%",
        "%2f",
        "%2e",
        ":",
        "@",
        "&",
        " ",
        "\n",
        "\0",
        "\u{1b}",
        "é",
        "É",
        "ß",
        "İ",
        "日",
        "\u{202e}",
        "\u{200b}",
        "．",
        "／",
        "ⅷ",
        "k",
        "11111111-1111-1111-1111-111111111111",
        "0123456789abcdef0123456789ABCDEF",
    ]);
    prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// What holds for each kind of name: it is shown as it is read, and is safe in a path, in a URL and on a terminal.
fn check_name<T: Debug + Display + Eq + Ord + Hash>(text: &str, parse: impl Fn(&str) -> Option<T>) {
    let Some(name) = parse(text) else { return };
    let shown = name.to_string();
    assert_eq!(parse(&shown).as_ref(), Some(&name), "{shown:?}");
    assert!(!shown.is_empty() && shown.len() <= 400, "{shown:?}");
    let breaks = |c: char| {
        matches!(c, '/' | '\\' | '?' | '#' | '%' | ':' | '@' | '&' | '"' | '\'') || c.is_control() || c.is_whitespace()
    };
    assert!(!shown.contains(breaks), "{shown:?}");
    assert!(shown != "." && shown != "..", "{shown:?}");
    // Written in another case, it is the same name or none.
    for other in [shown.to_ascii_lowercase(), shown.to_ascii_uppercase()] {
        if let Some(other) = parse(&other) {
            assert_eq!((other == name, other.cmp(&name), hash(&other) == hash(&name)), (true, Ordering::Equal, true));
        }
    }
}

/// Equality, order and hash tell one story.
fn check_pair<T: Debug + Eq + Ord + Hash>(one: &str, other: &str, parse: impl Fn(&str) -> Option<T>) {
    let (Some(one), Some(other)) = (parse(one), parse(other)) else { return };
    assert_eq!(one == other, one.cmp(&other) == Ordering::Equal, "{one:?} {other:?}");
    assert_eq!(one.cmp(&other), other.cmp(&one).reverse(), "{one:?} {other:?}");
    if one == other {
        assert_eq!(hash(&one), hash(&other), "{one:?} {other:?}");
    }
}

/// A call's URL is on its host, with as many segments as its path was meant to have, and each name in its place.
fn check_url(call: &Call, host: &str, segments: usize) {
    let url = call.url(&Cloud::public()).expect("a name that was accepted makes a URL");
    assert_eq!((url.scheme(), url.host_str(), url.port()), ("https", Some(host), None));
    assert_eq!((url.username(), url.password(), url.fragment()), ("", None, None));
    assert_eq!(url.path_segments().unwrap().count(), segments, "{url}");
    assert!(url.query().is_some_and(|query| query.starts_with("api-version=")), "{url}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_name_is_shown_as_it_is_read_and_breaks_out_of_nothing(text in prop_oneof![nearly(), "\\PC{0,40}", "[a-zA-Z0-9-]{1,30}"]) {
        check_name(&text, |text| SubscriptionId::parse(text).ok());
        check_name(&text, |text| GroupName::parse(text).ok());
        check_name(&text, |text| VaultName::parse(text).ok());
        check_name(&text, |text| KeyName::parse(text).ok());
        check_name(&text, |text| AccountName::parse(text).ok());
        check_name(&text, |text| Version::parse(text).ok());
        check_name(&text, |text| Location::parse(text).ok());
    }

    #[test]
    fn equality_order_and_hash_of_names_agree(one in "[a-cA-C1-]{1,4}|É|é", other in "[a-cA-C1-]{1,4}|É|é") {
        check_pair(&one, &other, |text| GroupName::parse(text).ok());
        check_pair(&one, &other, |text| VaultName::parse(text).ok());
        check_pair(&one, &other, |text| KeyName::parse(text).ok());
        check_pair(&one, &other, |text| AccountName::parse(text).ok());
        check_pair(&one, &other, |text| Location::parse(text).ok());
    }

    #[test]
    fn whatever_the_names_a_call_goes_to_its_own_place(
        group in nearly(), vault in "[a-zA-Z][a-zA-Z0-9-]{2,23}", key in "[a-zA-Z0-9-]{1,127}", account in "[a-z0-9]{3,24}",
    ) {
        let subscription = SubscriptionId::parse("11111111-1111-1111-1111-111111111111").unwrap();
        let Ok(name) = GroupName::parse(&group) else { return Ok(()) };
        let group = GroupId { subscription, name };
        check_url(&groups::get(&group), "management.azure.com", 4);
        let account = AccountId { group: group.clone(), name: AccountName::parse(&account).unwrap() };
        check_url(&accounts::get(&account), "management.azure.com", 8);
        let (Ok(name), Ok(key)) = (VaultName::parse(&vault), KeyName::parse(&key)) else { return Ok(()) };
        let host = Cloud::public().vault_host(&name);
        prop_assert!(Cloud::public().is_vault_host(&host));
        check_url(&keys::vault_get(&host, &key), &host, 2);
        let vault = VaultId { group, name };
        check_url(&vaults::get(&vault), "management.azure.com", 8);
        check_url(&keys::arm_get(&vault, &key), "management.azure.com", 10);
    }

    #[test]
    fn only_one_label_before_the_suffix_is_a_vault(text in prop_oneof!["[a-z0-9.@:/-]{0,20}", "\\PC{0,12}"]) {
        let cloud = Cloud::public();
        let host = format!("{text}.vault.azure.net");
        if cloud.is_vault_host(&host) {
            let url: url::Url = format!("https://{host}/").parse().expect("a vault's host makes a URL");
            prop_assert!(cloud.is_vault(&url));
            prop_assert_eq!(url.host_str().unwrap().split('.').count(), 4);
        }
        let past = format!("kv.vault.azure.net{text}x");
        prop_assert!(!cloud.is_vault_host(&past));
    }
}
