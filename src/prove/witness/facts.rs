//! What a spec asks for, held against a census: by none of the product's own notions of a fact.

use super::sight::Sight;
use crate::model::{Access, Account, Desired, Encryption, IdentityId, VersionRule, Who};
use crate::sandbox::Census;
use std::collections::BTreeMap;

/// What storage cannot do without.
pub(super) const NEEDED: [&str; 3] = ["get", "wrapkey", "unwrapkey"];

/// Every statement of the spec, in words, and whether it holds.
pub(super) fn facts(desired: &Desired, sight: Sight<'_>) -> BTreeMap<String, bool> {
    facts_since(desired, sight, None)
}

/// The same, but only the statements whose things have been touched since an earlier census, if there is one.
pub(super) fn facts_since(desired: &Desired, sight: Sight<'_>, earlier: Option<&Census>) -> BTreeMap<String, bool> {
    let mut facts = BTreeMap::new();
    for id in desired.groups.keys() {
        let here = sight.group(id.subscription.as_str(), id.name.as_str()).is_some();
        facts.insert(format!("resource group {} is there", id.name), here);
    }
    let untouched = |name: &str| {
        earlier.is_some_and(|earlier| sight.census.is_untouched(earlier, "vaults", &name.to_ascii_lowercase()))
    };
    for (name, vault) in desired.vaults.iter().filter(|(name, _)| !untouched(name.as_str())) {
        let seen = sight.vault(name.as_str());
        facts.insert(format!("vault {name} is there"), seen.is_some());
        if vault.purge_protection == Some(true) {
            let on = seen.is_some_and(|vault| vault["purge_protection"] == true);
            facts.insert(format!("vault {name} is protected"), on);
        }
        if !vault.audit.is_empty() {
            facts.insert(format!("vault {name} is audited"), super::audit::is_sent(vault, sight));
        }
        for key in vault.keys.keys() {
            let here = sight.key(name.as_str(), key.as_str()).is_some();
            facts.insert(format!("key {name}/{key} is there"), here);
        }
        facts.extend(super::keys::facts(desired, name.as_str(), sight));
    }
    // One that accounts only lose may be gone itself.
    let lost = |id: &IdentityId| desired.accounts.values().any(|one| one.removes.user.contains(id));
    let kept = |id: &IdentityId| desired.accounts.values().any(|one| one.identity.user.contains(id));
    for identity in desired.identities.keys().filter(|id| kept(id) || !lost(id)) {
        facts.insert(format!("identity {} is there", identity.name), sight.user(&identity.to_string()).is_some());
    }
    let closed = super::keys::closed(desired, sight);
    for account in desired.accounts.values() {
        let vault = account.encryption.as_ref().map(|wanted| wanted.key.vault.as_str());
        if earlier.is_some_and(|earlier| sight.is_untouched(earlier, account.id.name.as_str(), vault)) {
            continue;
        }
        if closed.contains(account.id.name.as_str()) {
            continue;
        }
        of_account(account, sight, &mut facts);
    }
    facts
}

fn of_account(account: &Account, sight: Sight<'_>, facts: &mut BTreeMap<String, bool>) {
    let name = account.id.name.as_str();
    facts.insert(format!("account {name} is there"), sight.account(name).is_some());
    if account.identity.system {
        facts.insert(format!("account {name} has its identity"), sight.principal(name).is_some());
    }
    let has = |user: &IdentityId| sight.users(name).iter().any(|held| held.eq_ignore_ascii_case(&user.to_string()));
    for user in &account.identity.user {
        facts.insert(format!("account {name} has the identity {}", user.name), has(user));
    }
    if account.removes.system {
        facts.insert(format!("account {name} has lost its identity"), sight.principal(name).is_none());
    }
    for user in &account.removes.user {
        facts.insert(format!("account {name} has lost the identity {}", user.name), !has(user));
    }
    if account.leaves_key {
        facts.insert(format!("account {name} is under Microsoft's key"), sight.binding(name).is_none());
    }
    let Some(Encryption { key, version, who, permissions, scope: _ }) = &account.encryption else { return };
    let vault = key.vault.as_str().to_ascii_lowercase();
    if account.access == Access::Revoked {
        let may = sight.of(who).is_some_and(|who| NEEDED.iter().any(|one| sight.may(&vault, who, one)));
        facts.insert(format!("account {name} has no access to {vault}"), !may);
    }
    for permission in permissions.iter().filter(|_| account.access == Access::Granted) {
        let may = sight.of(who).is_some_and(|principal| sight.may(&vault, principal, permission.as_str()));
        facts.insert(format!("account {name} may {permission} in {vault}"), may);
    }
    let bound = sight.binding(name).is_some_and(|binding| {
        let wanted = match version {
            VersionRule::Latest => sight.newest_enabled(&vault, key.name.as_str()),
            VersionRule::Auto => Some(""),
            VersionRule::Exact(version) => Some(version.as_str()),
        };
        let user = match who {
            Who::System(_) => String::new(),
            Who::User(identity) => identity.to_string().to_ascii_lowercase(),
        };
        binding.user == user
            && binding.vault == vault
            && binding.key.eq_ignore_ascii_case(key.name.as_str())
            && wanted.is_some_and(|wanted| binding.version.eq_ignore_ascii_case(wanted))
    });
    facts.insert(format!("account {name} is under its key"), bound);
}

/// Whether an account is bound to a key that one thing gone wrong would put out of its reach, or that is so already.
pub(super) fn at_risk(account: &str, sight: Sight<'_>) -> bool {
    let Some(binding) = sight.binding(account) else { return false };
    let Some(vault) = sight.vault(&binding.vault) else { return true };
    let reaches = sight.reaches_as(account).is_some_and(|principal| {
        NEEDED.iter().all(|permission| sight.has_arrived(&binding.vault, principal, permission))
    });
    !(vault["purge_protection"] == true && reaches && sight.is_enabled(&binding.vault, &binding.key, binding.current))
}
