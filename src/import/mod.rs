//! What was found -> a spec of it: how somebody who has accounts under customer-managed keys begins.
//!
//! The spec says what is, asks for nothing to be made, and its plan is empty; what it could not say so is left out and told.
//! `import` is pure; `search` looks at Azure, and sends no write.

mod search;

pub use search::{Unwritten, Written, search};

use crate::model::{AccountId, Binding, Found, FoundAccount, GroupId, SeenVault};
use crate::spec::types::{
    AccountEntry, Defaults, Document, EncryptionEntry, IdentityEntry, IdentityWord, PermissionWord, PolicyRules,
    SourceWord, VaultEntry,
};
use std::collections::BTreeMap;

/// A spec, and the accounts that are not in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Import {
    /// The spec.
    pub document: Document,
    /// The accounts that it leaves out, with the reason.
    pub left_out: Vec<(AccountId, String)>,
}

/// Writes a spec of the accounts that are bound to keys of their own, but for those that are to be left out for a reason.
pub fn import(found: &Found, except: &BTreeMap<AccountId, String>) -> Import {
    let mut import = Import { document: Document { version: 1, ..Document::default() }, left_out: vec![] };
    for one in &found.bound {
        let reason = except.get(&one.account.id).cloned().map_or_else(|| import.add(one, found), Err);
        if let Err(reason) = reason {
            import.left_out.push((one.account.id.clone(), reason));
        }
    }
    import.document.share_defaults();
    import
}

impl Import {
    /// Adds an account with its vault, key and identity, or says why that cannot be.
    fn add(&mut self, one: &FoundAccount, found: &Found) -> Result<(), String> {
        let FoundAccount { account, identity } = one;
        let Some(binding) = &account.encryption.binding else { return Ok(()) };
        let vault = vault_of(binding, found)?;
        if account.identity.system_principal.is_none() && identity.is_none() {
            return Err("it has lost the identity as which it reached its key".to_owned());
        }
        let identities = &mut self.document.identities;
        if let Some(id) = identity {
            let entry = IdentityEntry { create: None, location: None, ..place(&id.group) };
            let held = identities.entry(id.name.to_string()).or_insert_with(|| entry.clone());
            if *held != entry {
                return Err(format!("the spec has another identity by the name {}", id.name));
            }
        }
        let key = format!("{}/{}", vault.id.name, binding.key);
        let name = vault.id.name.to_string();
        let entry = self.document.vaults.entry(name).or_insert_with(|| vault_entry(vault));
        entry.keys.entry(binding.key.clone()).or_default();
        // Azure allows what Microsoft's guide advises against, and so it may be there.
        self.document.policy.same_region &= account.location == vault.location;
        let by = identity.as_ref().map(|id| id.name.to_string());
        let encryption = EncryptionEntry {
            source: SourceWord::KeyVault,
            key: Some(key),
            version: binding.version.as_ref().map_or_else(|| "auto".to_owned(), ToString::to_string),
            identity: by.clone(),
            permissions: vec![PermissionWord::Get, PermissionWord::WrapKey, PermissionWord::UnwrapKey],
            scope: None,
        };
        let entry = AccountEntry {
            subscription: Some(account.id.group.subscription.to_string()),
            resource_group: Some(account.id.group.name.to_string()),
            identity: by.is_none().then_some(IdentityWord::SystemAssigned),
            identities: by.into_iter().collect(),
            encryption: Some(encryption),
            ..AccountEntry::default()
        };
        self.document.accounts.insert(account.id.name.to_string(), entry);
        Ok(())
    }
}

/// The vault whose key an account is bound to.
fn vault_of<'f>(binding: &Binding, found: &'f Found) -> Result<&'f SeenVault, String> {
    let is_it = |vault: &&SeenVault| vault.host.eq_ignore_ascii_case(&binding.vault_host);
    let seen = found.vaults.iter().find(is_it);
    seen.ok_or_else(|| format!("the vault {} was not seen in the subscriptions that were searched", binding.vault_host))
}

fn place(group: &GroupId) -> IdentityEntry {
    IdentityEntry {
        subscription: Some(group.subscription.to_string()),
        resource_group: Some(group.name.to_string()),
        ..IdentityEntry::default()
    }
}

fn vault_entry(vault: &SeenVault) -> VaultEntry {
    VaultEntry {
        subscription: Some(vault.id.group.subscription.to_string()),
        resource_group: Some(vault.id.group.name.to_string()),
        purge_protection: vault.purge_protection.then_some(true),
        ..VaultEntry::default()
    }
}

impl Document {
    /// Says once, in `defaults`, what all entries have in common.
    fn share_defaults(&mut self) {
        let Self {
            defaults: Defaults { subscription, resource_group, .. }, vaults, identities, accounts, policy, ..
        } = self;
        let PolicyRules { same_region: _ } = policy;
        let mut places: Vec<(&mut Option<String>, &mut Option<String>)> = vec![];
        places.extend(vaults.values_mut().map(|entry| (&mut entry.subscription, &mut entry.resource_group)));
        places.extend(identities.values_mut().map(|entry| (&mut entry.subscription, &mut entry.resource_group)));
        places.extend(accounts.values_mut().map(|entry| (&mut entry.subscription, &mut entry.resource_group)));
        let (subscriptions, groups): (Vec<_>, Vec<_>) = places.into_iter().unzip();
        share(subscriptions, subscription);
        share(groups, resource_group);
    }
}

fn share(entries: Vec<&mut Option<String>>, default: &mut Option<String>) {
    let Some(first) = entries.first().and_then(|entry| (*entry).clone()) else { return };
    if entries.iter().all(|entry| entry.as_deref() == Some(first.as_str())) {
        for entry in entries {
            *entry = None;
        }
        *default = Some(first);
    }
}
