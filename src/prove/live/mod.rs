//! A world like the one that was seen: where a proof from live Azure begins.
//!
//! Built by ordinary requests as far as those go. What only Azure chooses (principals, versions and their dates) is
//! written over afterwards. What was not seen, or cannot be built, is said as a limit.

mod audits;
mod chosen;

use super::hand::Hand;
use super::start::{arrival_seconds, bare, let_importer_in};
use crate::model::{
    AccountName, Desired, HiddenReason, KeyRef, Location, NameState, Observed, PermissionModel, Seen, SeenAccount,
    SeenDeletedVault, SeenKey, SeenVault, VaultName,
};
use crate::sandbox::{CALLER_OBJECT_ID, Millis, Pace, SUBSCRIPTIONS, TENANT, World};
use chosen::{label, overwritten};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A world like the one that was seen.
#[derive(Debug, Clone)]
pub struct Live {
    /// The world.
    pub world: World,
    /// When it was seen.
    pub now: Millis,
    /// What of it is not as it is in Azure, or not known to be.
    pub limits: Vec<String>,
}

/// Builds a world like the one that was seen. Fails when the sandbox cannot hold something of it.
pub fn like(desired: &Desired, observed: &Observed, pace: Pace) -> Result<Live, String> {
    let now = Millis(observed.at.0.saturating_mul(1000));
    let mut world = bare(desired, pace);
    let mut build = Build {
        observed,
        hand: Hand { world: &mut world, now: now.plus(-DAY) },
        limits: BTreeSet::new(),
        ids: BTreeMap::new(),
        borrowed: BTreeMap::new(),
        imports: desired.keys().filter(|(_, wanted)| wanted.import.is_some()).map(|(key, _)| key.vault).collect(),
    };
    build.limits.insert("what your identity may do is not known: in the simulator it is an owner".to_owned());
    build.groups()?;
    build.vaults()?;
    build.keys()?;
    build.accounts()?;
    build.identities()?;
    build.hand.wait(arrival_seconds(pace));
    build.attach()?;
    build.policies()?;
    build.audits();
    let_importer_in(desired, &mut build.hand)?;
    if desired.keys().any(|(_, wanted)| wanted.import.is_some()) {
        build.limits.insert(STAND_INS.to_owned());
    }
    let Build { limits, ids, borrowed, .. } = build;
    let world = overwritten(&world, (desired, observed), &ids, &borrowed)?;
    Ok(Live { world, now, limits: limits.into_iter().collect() })
}

/// What is told of keys that a spec brings.
const STAND_INS: &str = "keys of your own are not read: in the simulator others of the same size stand for them, and whoever runs cmk may import them";

/// Long enough before the moment of the look for everything to have come to rest.
const DAY: i64 = 86_400_000;

struct Build<'a> {
    observed: &'a Observed,
    hand: Hand<'a>,
    limits: BTreeSet<String>,
    /// The ids that the sandbox drew, and those that Azure did.
    ids: BTreeMap<String, String>,
    /// Vaults outside the spec whose keys accounts are bound to, with what is assumed of each: key, versions, principals.
    borrowed: BTreeMap<String, Borrowed>,
    /// The vaults that keys of one's own come into.
    imports: BTreeSet<VaultName>,
}

#[derive(Default)]
struct Borrowed {
    path: String,
    key: String,
    principals: BTreeSet<String>,
}

fn made(status: u16, what: &str) -> Result<(), String> {
    if (200..300).contains(&status) { Ok(()) } else { Err(format!("the sandbox cannot hold {what}: {status}")) }
}

impl Build<'_> {
    fn hidden(&mut self, what: &str, reason: &HiddenReason) {
        self.limits.insert(format!("{what} could not be seen ({reason}): it is taken as absent"));
    }

    fn groups(&mut self) -> Result<(), String> {
        for (id, seen) in &self.observed.groups {
            match seen {
                Seen::Known(group) => made(self.hand.group(&id.to_string(), group.location.as_str()), &id.to_string())?,
                Seen::Absent => {}
                Seen::Hidden(reason) => self.hidden(&format!("resource group {}", id.name), reason),
            }
        }
        Ok(())
    }

    /// A thing that was seen has a group, whether or not that was looked at.
    fn group_of(&mut self, id: &str, location: &str) -> Result<(), String> {
        let subscription = id.split('/').nth(2).unwrap_or_default().to_owned();
        self.hand.world.add_subscription(&subscription);
        match self.hand.arm("GET", id, &Value::Null).0 {
            200 => Ok(()),
            _ => made(self.hand.group(id, location), id),
        }
    }

    fn vaults(&mut self) -> Result<(), String> {
        for (name, seen) in &self.observed.vaults {
            match seen {
                Seen::Known(vault) => self.vault(vault)?,
                Seen::Absent => self.held_vault(name)?,
                Seen::Hidden(reason) => self.hidden(&format!("vault {name}"), reason),
            }
        }
        Ok(())
    }

    fn vault(&mut self, vault: &SeenVault) -> Result<(), String> {
        self.group_of(&vault.id.group.to_string(), vault.location.as_str())?;
        let mut properties = json!({
            "tenantId": TENANT, "sku": { "family": "A", "name": vault.sku.to_ascii_lowercase() }, "accessPolicies": [],
            "enableSoftDelete": true, "enableRbacAuthorization": false,
        });
        if let Some(days) = vault.soft_delete_retention_days {
            properties["softDeleteRetentionInDays"] = json!(days);
        }
        if vault.purge_protection {
            properties["enablePurgeProtection"] = json!(true);
        }
        if !vault.soft_delete {
            self.limits.insert(format!("vault {} has no soft delete: in the simulator every vault has", vault.id.name));
        }
        if !vault.is_ready() {
            self.limits
                .insert(format!("vault {} was {}: it is taken as ready", vault.id.name, vault.provisioning_state));
        }
        self.put(&vault.id.to_string(), vault.location.as_str(), &properties)
    }

    fn put(&mut self, path: &str, location: &str, properties: &Value) -> Result<(), String> {
        made(self.hand.arm("PUT", path, &json!({ "location": location, "properties": properties })).0, path)
    }

    /// The name of a vault that is not there may be held, by a deleted vault or by a stranger's.
    fn held_vault(&mut self, name: &VaultName) -> Result<(), String> {
        let state = match self.observed.vault_names.get(name) {
            Some(Seen::Known(state)) => state,
            Some(Seen::Hidden(reason)) => {
                self.limits.insert(format!(
                    "whether the name {name} is free could not be seen ({reason}): it is taken as free"
                ));
                return Ok(());
            }
            Some(Seen::Absent) | None => return Ok(()),
        };
        match state {
            NameState::Free => return Ok(()),
            NameState::Taken(_) => {}
            NameState::SoftDeleted(deleted) => return self.deleted_vault(name, deleted),
            NameState::Unregistered { provider } => {
                self.limits.insert(format!("{provider} is not registered there: it is taken as registered"));
                return Ok(());
            }
        }
        let path = format!("{}/providers/Microsoft.KeyVault/vaults/{name}", self.elsewhere()?);
        made(self.hand.make_vault(&path, "westeurope", "standard", true), &path)
    }

    /// A deleted vault, where it was if that is known. What it holds nobody can see.
    fn deleted_vault(&mut self, name: &VaultName, deleted: &SeenDeletedVault) -> Result<(), String> {
        let location = deleted.location.as_ref().map_or("westeurope", Location::as_str);
        let path = match &deleted.was {
            Some(was) => {
                self.group_of(&was.group.to_string(), location)?;
                was.to_string()
            }
            None => format!("{}/providers/Microsoft.KeyVault/vaults/{name}", self.elsewhere()?),
        };
        made(self.hand.make_vault(&path, location, "standard", true), &path)?;
        self.hand.wait(arrival_seconds(self.hand.world.pace()));
        self.limits.insert(format!("what the deleted vault {name} holds cannot be seen: it is taken as empty"));
        made(self.hand.arm("DELETE", &path, &Value::Null).0, &path)
    }

    /// A group of nobody in the spec.
    fn elsewhere(&mut self) -> Result<String, String> {
        let group = format!("/subscriptions/{}/resourceGroups/rg-elsewhere", SUBSCRIPTIONS[1]);
        self.group_of(&group, "westeurope")?;
        Ok(group)
    }

    fn keys(&mut self) -> Result<(), String> {
        self.hand.wait(arrival_seconds(self.hand.world.pace()));
        for (key, seen) in &self.observed.keys {
            match seen {
                Seen::Known(seen) => self.key(key, seen)?,
                Seen::Absent if self.observed.deleted_keys.get(key).and_then(Seen::known).is_some() => {
                    self.limits.insert(format!("key {key} was deleted: it is taken as gone for good"));
                }
                Seen::Absent => {}
                Seen::Hidden(reason) => self.hidden(&format!("key {key}"), reason),
            }
        }
        Ok(())
    }

    fn key(&mut self, key: &KeyRef, seen: &SeenKey) -> Result<(), String> {
        let Some(vault) = self.observed.vaults.get(&key.vault).and_then(Seen::known) else { return Ok(()) };
        if !seen.all_versions {
            self.limits.insert(format!("of key {key} only the current version was looked at"));
        }
        let bits = seen.size_bits.unwrap_or(2048);
        made(
            self.hand.make_key(&vault.id.to_string(), key.name.as_str(), seen.kind.as_str(), bits),
            &format!("key {key}"),
        )
    }

    fn accounts(&mut self) -> Result<(), String> {
        for (name, seen) in &self.observed.accounts {
            match seen {
                Seen::Known(account) => self.account(account)?,
                Seen::Absent => self.held_account(name)?,
                Seen::Hidden(reason) => self.hidden(&format!("account {name}"), reason),
            }
        }
        for (name, seen) in &self.observed.scopes {
            if let Seen::Hidden(reason) = seen {
                self.hidden(&format!("the encryption scopes of account {name}"), reason);
            }
        }
        Ok(())
    }

    fn account(&mut self, account: &SeenAccount) -> Result<(), String> {
        let (path, location) = (account.id.to_string(), account.location.as_str());
        self.group_of(&account.id.group.to_string(), location)?;
        let mut body = json!({
            "location": location, "sku": { "name": account.sku }, "kind": account.kind, "properties": {},
        });
        if let Some(infrastructure) = account.encryption.infrastructure {
            body["properties"]["encryption"] =
                json!({ "keySource": "Microsoft.Storage", "requireInfrastructureEncryption": infrastructure });
        }
        if account.identity.system_principal.is_some() {
            body["identity"] = json!({ "type": "SystemAssigned" });
        }
        if !account.is_ready() {
            self.limits.insert(format!(
                "account {} was {}: it is taken as ready",
                account.id.name, account.provisioning_state
            ));
        }
        made(self.hand.arm("PUT", &path, &body).0, &path)
    }

    /// The user-assigned identities of the spec, and whose the drawn ids are.
    fn identities(&mut self) -> Result<(), String> {
        for (id, seen) in &self.observed.identities {
            let path = id.to_string();
            match seen {
                Seen::Known(seen) => {
                    self.group_of(&id.group.to_string(), "westeurope")?;
                    let (status, body) = self.hand.arm("PUT", &path, &json!({ "location": "westeurope" }));
                    made(status, &path)?;
                    let drawn = |name: &str| body["properties"][name].as_str().map(str::to_owned);
                    self.ids.extend(drawn("principalId").map(|drawn| (drawn, seen.principal.clone())));
                    self.ids.extend(drawn("clientId").zip(seen.client.clone()));
                }
                Seen::Absent => {}
                Seen::Hidden(reason) => self.hidden(&format!("identity {}", id.name), reason),
            }
        }
        Ok(())
    }

    fn held_account(&mut self, name: &AccountName) -> Result<(), String> {
        if !matches!(self.observed.account_names.get(name), Some(Seen::Known(NameState::Taken(_)))) {
            return Ok(());
        }
        let path = format!("{}/providers/Microsoft.Storage/storageAccounts/{name}", self.elsewhere()?);
        made(self.hand.make_account(&path, "westeurope", "Standard_LRS", "StorageV2", false), &path)
    }

    /// Gives the accounts their identities of others, and notes whose the drawn ids are.
    fn attach(&mut self) -> Result<(), String> {
        for account in self.observed.accounts.values().filter_map(Seen::known) {
            let path = account.id.to_string();
            let is_seen =
                |id: &&String| !self.observed.identities.keys().any(|seen| id.eq_ignore_ascii_case(&seen.to_string()));
            let others: Vec<&String> = account.identity.user_assigned.iter().filter(is_seen).collect();
            for identity in &others {
                let group = identity.split("/providers/").next().unwrap_or_default().to_owned();
                self.group_of(&group, account.location.as_str())?;
                made(self.hand.arm("PUT", identity, &json!({ "location": account.location.as_str() })).0, identity)?;
            }
            if !account.identity.user_assigned.is_empty() {
                let own = account.identity.system_principal.is_some();
                let kind = if own { "SystemAssigned,UserAssigned" } else { "UserAssigned" };
                let all = account.identity.user_assigned.iter().map(|id| (id.clone(), json!({})));
                let users: serde_json::Map<String, Value> = all.collect();
                let body = json!({ "identity": { "type": kind, "userAssignedIdentities": users } });
                made(self.hand.arm("PATCH", &path, &body).0, &path)?;
                if !others.is_empty() {
                    let name = &account.id.name;
                    self.limits.insert(format!("what the other identities of account {name} may do was not seen"));
                }
            }
            if let (Some(drawn), Some(seen)) = (self.hand.principal(&path), &account.identity.system_principal) {
                self.ids.insert(drawn, seen.to_ascii_lowercase());
            }
            self.borrow_vault(account)?;
        }
        Ok(())
    }

    /// An account may be under a key of a vault that the spec does not name, so that nobody looked at it. It is made,
    /// and taken as good: else no account could leave it.
    fn borrow_vault(&mut self, account: &SeenAccount) -> Result<(), String> {
        let Some(binding) = &account.encryption.binding else { return Ok(()) };
        let label = label(binding);
        let is_seen = self.observed.vaults.iter().any(|(name, _)| name.as_str().eq_ignore_ascii_case(&label));
        if is_seen {
            return Ok(());
        }
        self.limits.insert(format!(
            "vault {label}, whose key account {} is under, is not in the spec and was not looked at: it is taken as good",
            account.id.name
        ));
        let path = format!("{}/providers/Microsoft.KeyVault/vaults/{label}", self.elsewhere()?);
        if !self.borrowed.contains_key(&label) {
            made(self.hand.make_vault(&path, account.location.as_str(), "standard", true), &path)?;
            self.hand.wait(arrival_seconds(self.hand.world.pace()));
        }
        made(self.hand.make_key(&path, &binding.key, "RSA", 3072), &binding.key)?;
        let borrowed = self.borrowed.entry(label).or_default();
        borrowed.path = path;
        binding.key.clone_into(&mut borrowed.key);
        borrowed.principals.extend(self.hand.principal(&account.id.to_string()));
        Ok(())
    }

    /// The access policies as they were seen, once the ids in them can have arrived.
    fn policies(&mut self) -> Result<(), String> {
        for vault in self.observed.vaults.values().filter_map(Seen::known) {
            let mut entries: Vec<Value> = vault
                .access_policies
                .iter()
                .map(|policy| {
                    let object = self.drawn(&policy.object_id);
                    let mut entry =
                        json!({ "tenantId": TENANT, "objectId": object, "permissions": { "keys": policy.keys } });
                    if let Some(application) = &policy.application_id {
                        entry["applicationId"] = json!(application);
                    }
                    entry
                })
                .collect();
            if !entries.is_empty() {
                self.limits.insert("access to secrets and certificates was not looked at".to_owned());
            }
            let is_let_in = vault.access_policies.iter().any(|one| one.object_id == CALLER_OBJECT_ID);
            if self.imports.contains(&vault.id.name) && !is_let_in {
                let keys = json!({ "keys": ["get", "import"] });
                entries.push(json!({ "tenantId": TENANT, "objectId": CALLER_OBJECT_ID, "permissions": keys }));
            }
            let by_roles = vault.permission_model == PermissionModel::Rbac;
            self.roles(vault);
            let body = json!({ "properties": { "accessPolicies": entries, "enableRbacAuthorization": by_roles } });
            made(
                self.hand.arm("PATCH", &vault.id.to_string(), &body).0,
                &format!("the policies of {}", vault.id.name),
            )?;
        }
        self.borrowed_policies()
    }

    fn borrowed_policies(&mut self) -> Result<(), String> {
        for borrowed in self.borrowed.values() {
            for principal in &borrowed.principals {
                let needed = ["get", "wrapKey", "unwrapKey"];
                made(self.hand.grant(&borrowed.path, "add", principal, "keys", &needed), &borrowed.path)?;
            }
        }
        Ok(())
    }

    /// The id that was drawn for one that was seen.
    fn drawn<'s>(&'s self, seen: &'s str) -> &'s str {
        let drawn = self.ids.iter().find(|(_, one)| one.eq_ignore_ascii_case(seen));
        drawn.map_or(seen, |(drawn, _)| drawn)
    }

    /// The role assignments that have to do with a vault, where they decide about access.
    fn roles(&mut self, vault: &SeenVault) {
        let all = match &vault.role_assignments {
            Some(Seen::Known(all)) => all,
            Some(Seen::Hidden(reason)) => {
                self.hidden(&format!("the role assignments of vault {}", vault.id.name), reason);
                return;
            }
            Some(Seen::Absent) | None => return,
        };
        for one in all {
            let principal = self.drawn(&one.principal).to_owned();
            let subscription = vault.id.group.subscription.as_str();
            let role =
                format!("/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{}", one.role);
            let body = json!({ "properties": {
                "roleDefinitionId": role, "principalId": principal, "principalType": "ServicePrincipal",
            } });
            let status = if one.is_conditional { 0 } else { self.hand.arm("PUT", &one.id, &body).0 };
            // 409: the simulator's own owner, or one that came down to several vaults.
            if !(200..300).contains(&status) && status != 409 {
                let (role, scope) = (&one.role, &one.scope);
                self.limits.insert(format!(
                    "role {role} of {} at {scope} is of a kind that the simulator does not know: it is left out",
                    one.principal
                ));
            }
        }
    }
}
