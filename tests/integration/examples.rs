//! The examples in `specs/` are right.

use cmk::diag::{self, Source};
use cmk::model::Desired;
use cmk::spec;
use std::path::Path;

/// An example from `specs/`, resolved.
fn example(name: &str) -> Desired {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs").join(name);
    let source = Source { name: name.to_owned(), text: std::fs::read_to_string(path).unwrap() };
    let (desired, diagnostics) = spec::load(&source);
    assert!(diagnostics.is_empty(), "{}", diag::render(&source, &diagnostics, false));
    desired.unwrap()
}

#[test]
fn every_example_is_a_good_spec_and_names_its_schema() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# yaml-language-server: $schema=../docs/cmk.schema.json\n"), "{}", path.display());
        example(&path.file_name().unwrap().to_string_lossy());
        count += 1;
    }
    assert!(count >= 4);
}

#[test]
fn the_quickstart_is_one_vault_one_key_and_one_account_in_one_new_group() {
    let desired = example("quickstart.yaml");
    assert_eq!(desired.groups.values().filter(|group| group.create).count(), 1);
    assert_eq!(desired.keys().map(|(key, _)| key.to_string()).collect::<Vec<_>>(), ["kv-quickstart/storage"]);
    let account = desired.accounts.values().next().unwrap();
    assert_eq!(account.encryption.as_ref().unwrap().permissions.len(), 4);
    assert_eq!(account.location.as_ref().unwrap().as_str(), "westeurope");
}

#[test]
fn the_guide_makes_no_account() {
    let start = example("guide-start.yaml");
    let guide = example("guide.yaml");
    let (first, then) = (start.accounts.values().next().unwrap(), guide.accounts.values().next().unwrap());
    assert_eq!(first.id, then.id);
    assert!(first.create.is_some() && first.identity.is_empty() && first.encryption.is_none());
    assert!(then.create.is_none() && then.identity.system && then.encryption.is_some());
}

#[test]
fn vault_and_account_may_be_in_two_subscriptions() {
    let desired = example("two-subscriptions.yaml");
    let vault = desired.vaults.values().next().unwrap();
    let account = desired.accounts.values().next().unwrap();
    assert_ne!(vault.id.group.subscription, account.id.group.subscription);
}
