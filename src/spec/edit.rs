//! What a verb asks for beside the spec: what is desired, for one run, and the lines that would make it last.
//!
//! A verb is no pipeline of its own. It edits what is desired and leaves out what it does not concern; all else is as with
//! `apply`.

use crate::model::{
    Access, Account, AccountName, Desired, Enabled, GroupId, IdentityId, Key, KeyLife, KeyRef, Timestamp, Version, Who,
};
use std::collections::BTreeSet;

/// What one run asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// The key's newest version is to be of this moment or later.
    Rotate(KeyRef, Timestamp),
    /// The key, or one version of it, is to be usable for nothing.
    Disable(KeyRef, Option<Version>),
    /// The account is to have no access to its key.
    Revoke(AccountName),
    /// The account is to have its access again, and the version that it is under is to be usable.
    RestoreAccount(AccountName),
    /// The versions of the key that accounts are under are to be usable again, and the key and its vault to come back if they
    /// were deleted.
    RestoreKey(KeyRef),
}

impl Edit {
    /// What is desired in this run: what the verb is about, as the verb says. Fails, in words, where the spec does not have it.
    pub fn of(&self, desired: &Desired) -> Result<Desired, String> {
        match self {
            Self::Rotate(key, _) if desired.key(key).is_some_and(|wanted| wanted.import.is_some()) => {
                Err(format!("{key} is a key of your own, and a new version would be one of Key Vault's"))
            }
            Self::Rotate(key, since) => with_life(desired, key, |life| life.rotated_since = Some(*since)),
            Self::Disable(key, None) => with_life(desired, key, |life| {
                life.versions.retain(|_, enabled| !*enabled);
                life.enabled = Some(Enabled::No);
            }),
            Self::Disable(key, Some(version)) => with_life(desired, key, |life| {
                life.versions.insert(version.clone(), false);
            }),
            Self::RestoreKey(key) => {
                let opened = with_life(desired, key, |life| {
                    life.versions.retain(|_, enabled| *enabled);
                    life.enabled = Some(Enabled::AsUsed);
                });
                opened.map(|opened| recovered(opened, key))
            }
            Self::Revoke(name) => with_account(desired, name, |account| account.access = Access::Revoked),
            Self::RestoreAccount(name) => {
                let restored = with_account(desired, name, |account| account.access = Access::Granted)?;
                let key = restored.accounts[name].encryption.as_ref().map(|encryption| encryption.key.clone());
                match key {
                    Some(key) => Self::RestoreKey(key).of(&restored),
                    None => Ok(restored),
                }
            }
        }
    }

    /// What to write into the spec, and where, so that the next apply goes by it too.
    pub fn lasting(&self) -> String {
        match self {
            Self::Rotate(key, _) => {
                format!(
                    "nothing: the next apply leaves the new version of {key} as it is. For a rule, write `maxAge: P90D` in the key's entry"
                )
            }
            Self::Disable(key, None) => {
                format!("vaults: {{ {}: {{ keys: {{ {}: {{ enabled: false }} }} }} }}", key.vault, key.name)
            }
            Self::Disable(key, Some(version)) => format!(
                "vaults: {{ {}: {{ keys: {{ {}: {{ versions: {{ {version}: {{ enabled: false }} }} }} }} }} }}",
                key.vault, key.name
            ),
            Self::Revoke(name) => format!("accounts: {{ {name}: {{ access: revoked }} }}"),
            Self::RestoreAccount(name) => {
                format!(
                    "remove `access: revoked` from account {name}, and `enabled: false` from its key, if they are there"
                )
            }
            Self::RestoreKey(key) => format!("remove `enabled: false` from key {key} and its versions, if it is there"),
        }
    }
}

/// The key, its vault and the accounts under it, with another wish for the key.
fn with_life(desired: &Desired, key: &KeyRef, edit: impl FnOnce(&mut KeyLife)) -> Result<Desired, String> {
    if desired.key(key).is_none() {
        return Err(format!("the spec has no key {key}"));
    }
    let under = |account: &Account| account.encryption.as_ref().is_some_and(|wanted| wanted.key == *key);
    let mut narrow = narrowed(desired, under, Some(key));
    let vault = narrow.vaults.get_mut(&key.vault);
    if let Some(Key { life, .. }) = vault.and_then(|vault| vault.keys.get_mut(&key.name)) {
        edit(life);
    }
    Ok(narrow)
}

/// The same, where a deleted key or vault comes back. One that the spec only uses is for others to bring back.
fn recovered(mut desired: Desired, key: &KeyRef) -> Desired {
    if let Some(vault) = desired.vaults.get_mut(&key.vault) {
        vault.recover |= vault.create.is_some();
        if let Some(key) = vault.keys.get_mut(&key.name) {
            key.recover |= key.create.is_some();
        }
    }
    desired
}

/// The account, its key and whoever reaches a key as the same identity, with another wish for the account.
fn with_account(desired: &Desired, name: &AccountName, edit: impl FnOnce(&mut Account)) -> Result<Desired, String> {
    let Some(account) = desired.accounts.get(name) else { return Err(format!("the spec has no account {name}")) };
    let Some(encryption) = &account.encryption else {
        return Err(format!("the spec names no key for account {name}"));
    };
    let shared = matches!(encryption.who, Who::User(_));
    let concerned = |other: &Account| {
        let same = other.encryption.as_ref().is_some_and(|one| one.who == encryption.who);
        other.id.name == *name || (shared && same)
    };
    let mut narrow = narrowed(desired, concerned, None);
    if let Some(account) = narrow.accounts.get_mut(name) {
        edit(account);
    }
    Ok(narrow)
}

/// What is desired of these accounts, of what they need, and of this key: a verb leaves the rest for `apply`.
fn narrowed(desired: &Desired, concerned: impl Fn(&Account) -> bool, key: Option<&KeyRef>) -> Desired {
    let mut narrow = desired.clone();
    narrow.accounts.retain(|_, account| concerned(account));
    let used = narrow.accounts.values().filter_map(|account| account.encryption.as_ref().map(|one| one.key.clone()));
    let keys: BTreeSet<KeyRef> = used.chain(key.cloned()).collect();
    for (name, vault) in &mut narrow.vaults {
        vault.keys.retain(|key, _| keys.contains(&KeyRef { vault: name.clone(), name: key.clone() }));
    }
    narrow.vaults.retain(|_, vault| !vault.keys.is_empty());
    let reached = narrow.accounts.values().filter_map(|account| match &account.encryption.as_ref()?.who {
        Who::User(id) => Some(id.clone()),
        Who::System(_) => None,
    });
    let held = narrow.accounts.values().flat_map(|account| account.identity.user.iter().cloned());
    let identities: BTreeSet<IdentityId> = reached.chain(held).collect();
    narrow.identities.retain(|id, _| identities.contains(id));
    let of_vaults = narrow.vaults.values().map(|vault| &vault.id.group);
    let of_accounts = narrow.accounts.values().map(|account| &account.id.group);
    let of_identities = narrow.identities.keys().map(|id| &id.group);
    let groups: BTreeSet<GroupId> = of_vaults.chain(of_accounts).chain(of_identities).cloned().collect();
    narrow.groups.retain(|id, _| groups.contains(id));
    narrow
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Source;
    use crate::model::{KeyName, VaultName};

    const SPEC: &str = "
version: 1
defaults: { subscription: 11111111-1111-1111-1111-111111111111, resourceGroup: rg, location: westeurope }
resourceGroups: { rg: { create: {} }, unused: { create: {} } }
vaults:
  kv-one: { keys: { main: {}, other: {} } }
  kv-two: { keys: { main: {} } }
identities: { id-a: {}, id-b: {} }
accounts:
  stone: { identity: systemAssigned, encryption: { key: kv-one/main } }
  sttwo: { identities: [id-a], encryption: { key: kv-one/other } }
  stthree: { identities: [id-a], encryption: { key: kv-two/main } }
  stbare: { identities: [id-b] }
";

    fn desired() -> Desired {
        let source = Source { name: "spec.yaml".to_owned(), text: SPEC.to_owned() };
        crate::spec::load(&source).0.expect("it is sound")
    }

    fn key(vault: &str, name: &str) -> KeyRef {
        KeyRef { vault: VaultName::parse(vault).unwrap(), name: KeyName::parse(name).unwrap() }
    }

    fn account(name: &str) -> AccountName {
        AccountName::parse(name).unwrap()
    }

    fn names(desired: &Desired) -> Vec<String> {
        let keys = desired.keys().map(|(key, _)| key.to_string());
        let accounts = desired.accounts.keys().map(ToString::to_string);
        let identities = desired.identities.keys().map(|id| id.name.to_string());
        let groups = desired.groups.keys().map(|id| id.name.to_string());
        keys.chain(accounts).chain(identities).chain(groups).collect()
    }

    #[test]
    fn a_verb_concerns_what_it_names_and_what_hangs_on_it() {
        let rotate = Edit::Rotate(key("kv-one", "main"), Timestamp(9)).of(&desired()).unwrap();
        assert_eq!(names(&rotate), ["kv-one/main", "stone", "rg"]);
        assert_eq!(rotate.key(&key("kv-one", "main")).unwrap().life.rotated_since, Some(Timestamp(9)));
        // Who reaches a key as the same identity has to be seen, lest its access goes too.
        let revoke = Edit::Revoke(account("sttwo")).of(&desired()).unwrap();
        assert_eq!(names(&revoke), ["kv-one/other", "kv-two/main", "stthree", "sttwo", "id-a", "rg"]);
        assert_eq!(revoke.accounts[&account("sttwo")].access, Access::Revoked);
        assert_eq!(revoke.accounts[&account("stthree")].access, Access::Granted);
    }

    #[test]
    fn to_restore_an_account_opens_its_key_as_far_as_accounts_use_it() {
        let restored = Edit::RestoreAccount(account("stone")).of(&desired()).unwrap();
        assert_eq!(restored.accounts[&account("stone")].access, Access::Granted);
        assert_eq!(restored.key(&key("kv-one", "main")).unwrap().life.enabled, Some(Enabled::AsUsed));
    }

    #[test]
    fn to_restore_a_key_brings_it_back_where_the_spec_looks_after_it() {
        let made = SPEC.replace(
            "kv-one: { keys: { main: {}",
            "kv-one: { create: {}, purgeProtection: true, keys: { main: { create: {} }",
        );
        let recovers = |text: &str| {
            let source = Source { name: "spec.yaml".to_owned(), text: text.to_owned() };
            let desired = crate::spec::load(&source).0.expect("it is sound");
            let restored = Edit::RestoreKey(key("kv-one", "main")).of(&desired).unwrap();
            (
                restored.vaults[&key("kv-one", "main").vault].recover,
                restored.key(&key("kv-one", "main")).unwrap().recover,
            )
        };
        assert_eq!(recovers(&made), (true, true));
        assert_eq!(recovers(SPEC), (false, false), "others look after what is only used");
    }

    #[test]
    fn what_the_spec_does_not_have_is_said() {
        let why = |edit: Edit| edit.of(&desired()).unwrap_err();
        assert_eq!(why(Edit::Disable(key("kv-one", "third"), None)), "the spec has no key kv-one/third");
        assert_eq!(why(Edit::Revoke(account("stnone"))), "the spec has no account stnone");
        assert_eq!(why(Edit::Revoke(account("stbare"))), "the spec names no key for account stbare");
    }

    #[test]
    fn a_key_of_one_s_own_is_not_rotated() {
        let own = "{ create: {}, import: { env: KEY, thumbprint: NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs } }";
        let text = SPEC.replace("kv-one: { keys: { main: {}", &format!("kv-one: {{ keys: {{ main: {own}"));
        let source = Source { name: "spec.yaml".to_owned(), text };
        let desired = crate::spec::load(&source).0.expect("it is sound");
        let why = Edit::Rotate(key("kv-one", "main"), Timestamp(9)).of(&desired).unwrap_err();
        assert!(why.contains("a key of your own"), "{why}");
        assert!(Edit::Disable(key("kv-one", "main"), None).of(&desired).is_ok());
    }

    #[test]
    fn the_lines_that_make_it_last_are_lines_of_a_spec() {
        let lines = [
            Edit::Disable(key("kv-one", "main"), None).lasting(),
            Edit::Disable(key("kv-one", "main"), Version::parse(&"a".repeat(32)).ok()).lasting(),
            "accounts: { stone: { access: revoked, identity: systemAssigned, encryption: { key: kv-one/main } } }"
                .to_owned(),
        ];
        for line in lines {
            let rest = if line.starts_with("accounts") { "vaults: { kv-one: { keys: { main: {} } } }" } else { "" };
            let head =
                "version: 1\ndefaults: { subscription: 11111111-1111-1111-1111-111111111111, resourceGroup: rg }";
            let source = Source { name: "spec.yaml".to_owned(), text: format!("{head}\n{line}\n{rest}\n") };
            let (desired, diagnostics) = crate::spec::load(&source);
            assert!(desired.is_some(), "{}", crate::diag::render(&source, &diagnostics, false));
        }
    }
}
