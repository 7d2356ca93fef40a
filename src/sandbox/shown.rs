//! The world as it is shown to a person or a program: what there is, and who can read what.

use serde_json::{Value, json};

use super::keys::Key;
use super::vault::Vault;
use super::{Millis, World};

impl World {
    /// All that is worth seeing, as JSON: `accounts[]{id, readable, why}`, `vaults`, `writes` and more.
    pub fn shown(&self, now: Millis) -> Value {
        let mut settled = self.clone();
        let resources = self.resources(now);
        settled.settle(resources);
        let state = &settled.state;
        let directory = &state.directory;
        let accounts = state.accounts.iter().map(|(name, account)| {
            let truth = settled.truth(now, name);
            json!({"id": account.id(), "readable": truth.readable, "why": truth.why})
        });
        let vaults = state.vaults.values().map(|vault| shown_vault(vault, resources));
        json!({
            "now": resources.whole(),
            "tenant": {"id": directory.tenant, "name": directory.name, "domain": directory.domain},
            "subscriptions": directory.subscriptions.iter().map(|one| {
                json!({"id": one.id, "name": one.name, "state": one.state.name()})
            }).collect::<Value>(),
            "writes": self.counts.writes,
            "effects": self.counts.effects,
            "requests": self.counts.requests,
            "groups": state.groups.values().map(|group| {
                json!({"id": format!("/subscriptions/{}/resourceGroups/{}", group.subscription, group.name)})
            }).collect::<Value>(),
            "vaults": vaults.collect::<Value>(),
            "deletedVaults": state.deleted_vaults.keys().map(|name| json!({"name": name})).collect::<Value>(),
            "accounts": accounts.collect::<Value>(),
        })
    }
}

fn shown_vault(vault: &Vault, now: Millis) -> Value {
    json!({
        "id": vault.id(), "uri": vault.uri(), "registered": vault.resolves(now), "purgeProtection": vault.purge_protection,
        "keys": vault.keys.values().map(shown_key).collect::<Value>(),
        "deletedKeys": vault.deleted_keys.values().map(|deleted| json!({"name": deleted.key.name})).collect::<Value>(),
    })
}

fn shown_key(key: &Key) -> Value {
    let versions = key.versions.iter().map(|version| json!({"id": version.id, "enabled": version.enabled}));
    json!({"name": key.name, "versions": versions.collect::<Value>()})
}
