//! Whether what was written is what the plan had shown, and touches nobody else: S2 to S5, S7, S11, S12.

use super::diff::Change;
use super::identities::{owner, resource};
use super::keys;
use super::notes::{Notes, Sent};
use super::sight::{Sight, access};
use crate::model::{Access, Account, Desired, IdentityId, Who};
use crate::sandbox::{ARM_HOST, VAULT_SUFFIX};
use serde_json::Value;
use std::collections::BTreeMap;

/// A verdict on one change: the invariant, whether it holds, and what was done.
pub(super) type Finding = (&'static str, bool, String);

/// What one effect is held against.
pub(super) struct Scene<'a> {
    pub(super) desired: &'a Desired,
    pub(super) notes: &'a Notes,
    pub(super) sent: &'a Sent,
    pub(super) before: Sight<'a>,
    pub(super) after: Sight<'a>,
    /// Every principal that an account of the spec has had, and whose it was.
    pub(super) principals: &'a BTreeMap<String, String>,
}

impl Scene<'_> {
    /// Judges one change of the world.
    pub(super) fn judge(&self, change: &Change<'_>) -> Vec<Finding> {
        let place = change.path.join("/");
        let may_go = match change.path.as_slice() {
            ["vaults", _, "arrivals", _] | ["accounts", _, "identity", ..] | ["assignments", _] => true,
            ["accounts", name, "encryption", "binding"] => self.leaves_key(name),
            path @ (["deleted_vaults", _] | ["vaults", _, "deleted_keys", _]) => self.is_back(path),
            ["principals", _] => {
                owner(change.before).is_some_and(|name| self.removes(name).is_some_and(|goes| goes.system))
            }
            _ => false,
        };
        if change.after.is_none() && !may_go {
            return vec![("S2", false, format!("{place} is gone"))];
        }
        let new = change.before.is_none_or(Value::is_null);
        match change.path.as_slice() {
            ["groups", _] if new => self.group(change),
            ["accounts", name] if new => self.account(name, change),
            ["identities", _] if new => {
                let mut findings = self.shown(&format!("identity {}", text(change.after, "name")), &["location"]);
                findings.push(self.looked(&format!("{}{}", self.sent.host, self.sent.path)));
                findings
            }
            ["accounts", name, "identity", ..] => self.identity(name),
            ["accounts", name, "encryption", "identity"] => {
                let user = |sight: Sight<'_>| sight.binding(name).map(|binding| binding.user).unwrap_or_default();
                // An account that left its key reaches nothing, as whomever.
                let same = user(self.before) == user(self.after) || self.after.binding(name).is_none();
                if same { vec![] } else { self.shown(&format!("account {name}"), &["encryption.identity"]) }
            }
            ["accounts", name, "encryption", "identity", ..] => {
                self.shown(&format!("account {name}"), &["encryption.identity"])
            }
            ["accounts", name, "encryption", "binding"] if change.after.is_none_or(Value::is_null) => {
                let mut findings = self.shown(&format!("account {name}"), &["encryption.keySource", "encryption.key"]);
                findings.push((
                    "S7",
                    self.leaves_key(name),
                    format!("account {name} left its key, which no spec asks for"),
                ));
                findings
            }
            ["accounts", name, "encryption", "binding"] if new => {
                let fields = ["encryption.keySource", "encryption.key", "encryption.version"];
                self.shown(&format!("account {name}"), &fields)
            }
            ["accounts", name, "encryption", "binding", "vault_uri" | "key"] => {
                // The address of a vault is written with and without a slash at its end.
                let same = |a: Sight<'_>| a.binding(name).map(|binding| (binding.vault, binding.key));
                let moved = same(self.before) != same(self.after);
                if moved { self.shown(&format!("account {name}"), &["encryption.key"]) } else { vec![] }
            }
            ["accounts", name, "encryption", "binding", "version" | "current" | "expires" | "rotated"] => {
                self.shown(&format!("account {name}"), &["encryption.version"])
            }
            ["vaults", name] if new => self.vault_back(name, change).unwrap_or_else(|| self.vault(name, change)),
            ["vaults", name, "policies"] => self.policies(name, change),
            ["assignments", _] => self.assignment(change),
            // The directory's view of an identity that was attached, made or taken away.
            ["principals", _] if new || change.after.is_none() => {
                let one = change.after.or(change.before);
                let name = owner(one).unwrap_or_default();
                if resource(one).is_some_and(|path| path.to_ascii_lowercase().contains("/userassignedidentities/")) {
                    return self.shown(&format!("identity {name}"), &["location"]);
                }
                self.shown(&format!("account {name}"), &["identity.type"])
            }
            // Consequences of what is judged by itself.
            // A role that is assigned once more is the same one: only its time is new.
            ["deleted_vaults", _] | ["vaults", _, "deleted_keys", _] if change.after.is_none() => vec![],
            ["vaults", _, "arrivals", ..] | ["vaults", _, "modified"] | ["assignments", _, "updated"] => vec![],
            ["vaults", name, "purge_protection"] => {
                let shown = self.notes.shows(&format!("vault {name}"), "purgeProtection");
                vec![("S5", shown, format!("{place} was turned on and not shown"))]
            }
            ["vaults", vault, "diagnostics", ..] => self.diagnostics(vault, change),
            ["vaults", vault, "keys", key] if new => {
                self.key_back(vault, key, change).unwrap_or_else(|| self.key(vault, key, change))
            }
            ["vaults", vault, "keys", key, "versions"] => self.versions(vault, key, change),
            ["vaults", vault, "keys", key, "rotation", ..] => self.policy(vault, key, change),
            _ => vec![(
                "S7",
                false,
                format!("{place} was written and not shown: {:?} to {:?}", change.before, change.after),
            )],
        }
    }

    pub(super) fn shown(&self, resource: &str, fields: &[&str]) -> Vec<Finding> {
        let one = |field: &&str| {
            let shown = self.notes.shows(resource, field);
            ("S7", shown, format!("{resource}: {field} was written and not shown"))
        };
        fields.iter().map(one).collect()
    }

    /// Only what this run was told to be absent, by Azure and not by a proxy, is made.
    pub(super) fn looked(&self, place: &str) -> Finding {
        let told = self.notes.told.get(&place.to_ascii_lowercase());
        ("S11", told == Some(&(404, true)), format!("{place} was made after its look gave {told:?}"))
    }

    fn group(&self, change: &Change<'_>) -> Vec<Finding> {
        let name = text(change.after, "name");
        let mut findings = self.shown(&format!("resource group {name}"), &["location"]);
        findings.push(self.looked(&format!("{}{}", self.sent.host, self.sent.path)));
        findings
    }

    fn account(&self, name: &str, change: &Change<'_>) -> Vec<Finding> {
        let resource = format!("account {name}");
        let mut findings = self.shown(&resource, &["location", "sku", "kind", "minimumTlsVersion"]);
        if self.after.principal(name).is_some() {
            findings.extend(self.shown(&resource, &["identity.type"]));
        }
        findings.push(self.looked(&format!("{}{}", self.sent.host, self.sent.path)));
        if self.after.binding(name).is_some() {
            let fields = ["encryption.keySource", "encryption.key", "encryption.version", "encryption.identity"];
            findings.extend(self.shown(&resource, &fields));
        }
        findings.extend(self.users_shown(name));
        let tags = |after: &Value| after["tags"].as_object().is_none_or(serde_json::Map::is_empty);
        let bare = change.after.is_some_and(tags);
        findings.push(("S7", bare, format!("{resource} was made with more than was shown")));
        findings
    }

    fn vault(&self, name: &str, change: &Change<'_>) -> Vec<Finding> {
        let resource = format!("vault {name}");
        let mut findings =
            self.shown(&resource, &["location", "sku", "permissionModel", "softDelete", "softDeleteRetentionDays"]);
        let protected = change.after.is_some_and(|vault| vault["purge_protection"] == true);
        let shown = !protected || self.notes.shows(&resource, "purgeProtection");
        findings.push(("S5", shown, format!("{resource} was made with a protection that was not shown")));
        let empty = change.after.is_some_and(|vault| access(&vault["policies"]).is_empty());
        findings.push(("S3", empty, format!("{resource} was made with access for somebody")));
        findings.push(self.looked(&format!("{}{}", self.sent.host, self.sent.path)));
        findings
    }

    fn key(&self, vault: &str, key: &str, change: &Change<'_>) -> Vec<Finding> {
        let mut findings = self.shown(&format!("key {vault}/{key}"), &["type", "size"]);
        let policy = change.after.is_some_and(|key| !key["rotation"].is_null());
        if policy {
            findings.extend(self.shown(&format!("key {vault}/{key}"), &["rotation.every"]));
        }
        let versions = change.after.and_then(|key| key["versions"].as_array()).map_or(0, Vec::len);
        findings.push(("S12", versions == 1, format!("key {vault}/{key} was made with {versions} versions")));
        let by_arm = self.sent.host == ARM_HOST;
        let own = keys::own(self.desired, vault, key);
        if let Some(thumbprint) = own {
            let is_it = change.after.is_some_and(|key| keys::thumbprint(key) == thumbprint);
            findings.push(("S7", is_it, format!("key {vault}/{key} is another one than the spec brings")));
            findings.extend(self.shown(&format!("key {vault}/{key}"), &["import.thumbprint"]));
            // Resource Manager said that it is not there, or the vault did.
            let place = format!("/vaults/{vault}/keys/{key}").to_ascii_lowercase();
            let absent = self.notes.told.iter().any(|(of, told)| of.ends_with(&place) && *told == (404, true));
            let there = self.looked(&format!("{}{}", self.sent.host, self.sent.path));
            findings.push((there.0, there.1 || absent, there.2));
            return findings;
        }
        findings.push(("S11", by_arm, format!("key {vault}/{key} was made by a call that adds versions")));
        // Where Resource Manager shows nothing, the vault itself may say that the key is not there.
        let by_vault = format!("{vault}.{VAULT_SUFFIX}/keys/{key}").to_ascii_lowercase();
        let absent_there = self.notes.told.get(&by_vault) == Some(&(404, true));
        let (invariant, absent, what) = self.looked(&format!("{}{}", self.sent.host, self.sent.path));
        findings.push((invariant, absent || absent_there, what));
        findings
    }

    /// Others' entries stay as they are; ours gain no more than the spec grants, and lose nothing.
    fn policies(&self, vault: &str, change: &Change<'_>) -> Vec<Finding> {
        let before = change.before.map(access).unwrap_or_default();
        let after = change.after.map(access).unwrap_or_default();
        let mut findings = vec![];
        let nothing = std::collections::BTreeSet::new();
        let principals: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
        for entry in principals {
            let (principal, kind) = entry;
            let (had, has) = (before.get(entry).unwrap_or(&nothing), after.get(entry).unwrap_or(&nothing));
            if had == has {
                continue;
            }
            let revoked = kind == "keys" && has.is_empty() && self.revoked(vault, principal);
            let kept = had.is_subset(has) || revoked;
            findings.push(("S3", kept, format!("{principal} lost {kind} access to vault {vault}: {had:?} to {has:?}")));
            let added: Vec<&String> = has.difference(had).collect();
            let (granted, account) = self.granted(vault, principal, kind, &added);
            let granted = granted || added.is_empty();
            findings.push((
                "S3",
                granted,
                format!("{principal} gained {added:?} on {kind} of {vault}, which no spec grants"),
            ));
            if let Some(account) = account {
                let field = format!("accessPolicies[{account}].keys");
                findings.extend(self.shown(&format!("vault {vault}"), &[field.as_str()]));
            }
        }
        findings
    }

    /// The identity of the spec that has a principal.
    fn user_of(&self, principal: &str) -> Option<&IdentityId> {
        let has = |id: &&IdentityId| {
            self.after.user(&id.to_string()).is_some_and(|held| held.eq_ignore_ascii_case(principal))
        };
        self.desired.identities.keys().find(has)
    }

    fn leaves_key(&self, account: &str) -> bool {
        self.desired.accounts.values().any(|wanted| wanted.id.name.as_str() == account && wanted.leaves_key)
    }

    /// A role assignment is made for an account of the spec, at its key or that key's vault and with the least role, or
    /// taken from one whose access is revoked.
    fn assignment(&self, change: &Change<'_>) -> Vec<Finding> {
        let one = change.after.or(change.before);
        let (principal, scope) = (text(one, "principal"), text(one, "scope").to_ascii_lowercase());
        let within = scope.split("/vaults/").nth(1).unwrap_or_default();
        let vault = within.split('/').next().unwrap_or_default();
        if change.after.is_none() {
            let fine = self.revoked(vault, principal);
            return vec![("S3", fine, format!("{principal} lost its role at {scope}, which no spec takes away"))];
        }
        let (mut granted, account) = self.granted(vault, principal, "keys", &[]);
        granted &= change.before.is_none() && text(one, "role") == "e147488a-f6f5-4113-8e2d-b22465e65bf6";
        let mut findings = vec![("S3", granted, format!("{principal} gained a role at {scope}, which no spec grants"))];
        if let Some(account) = account {
            let field = format!("roleAssignments[{account}]");
            let key = within.split("/keys/").nth(1).map(|key| format!("key {vault}/{key}"));
            findings.extend(self.shown(&key.unwrap_or_else(|| format!("vault {vault}")), &[field.as_str()]));
        }
        findings
    }

    /// Whether the spec takes all access to this vault away from the account that has this principal.
    fn revoked(&self, vault: &str, principal: &str) -> bool {
        self.desired.accounts.values().filter(|account| account.access == Access::Revoked).any(|account| {
            let holds = |held: &str| held.eq_ignore_ascii_case(principal);
            let here =
                account.encryption.as_ref().is_some_and(|wanted| wanted.key.vault.as_str().eq_ignore_ascii_case(vault));
            let who = account.encryption.as_ref().and_then(|wanted| self.before.of(&wanted.who));
            here && who.is_some_and(holds)
        })
    }

    /// Whether the spec grants this to whoever has this principal, and which account that is.
    fn granted(&self, vault: &str, principal: &str, kind: &str, added: &[&String]) -> (bool, Option<String>) {
        if let Some(identity) = self.user_of(principal) {
            let id = identity.to_string().to_ascii_lowercase();
            let asks = |account: &&Account| {
                let Some(wanted) = &account.encryption else { return false };
                // To move an account to another key, the identity that reads now is let at it first.
                let reads = self.before.binding(account.id.name.as_str()).is_some_and(|binding| binding.user == id);
                let by = wanted.who == Who::User(identity.clone()) || reads;
                let all =
                    added.iter().all(|one| wanted.permissions.iter().any(|may| may.as_str().eq_ignore_ascii_case(one)));
                by && all && account.access == Access::Granted && wanted.key.vault.as_str().eq_ignore_ascii_case(vault)
            };
            let fine = kind == "keys" && self.desired.accounts.values().any(|account| asks(&account));
            return (fine, Some(identity.name.to_string()));
        }
        let holder = self.desired.accounts.values().find(|account| {
            let name = account.id.name.as_str();
            let holds = self.after.principal(name).is_some_and(|held| held.eq_ignore_ascii_case(principal));
            // An identity that was removed since this run looked: what is granted to it, nobody has.
            holds || (self.principals.get(principal).is_some_and(|owner| owner == name) && self.is_outdated(name))
        });
        let Some((account, encryption)) = holder.and_then(|account| Some((account, account.encryption.as_ref()?)))
        else {
            return (false, None);
        };
        let here = encryption.key.vault.as_str().eq_ignore_ascii_case(vault);
        let allowed = |permission: &&String| {
            encryption.permissions.iter().any(|one| one.as_str().eq_ignore_ascii_case(permission))
        };
        let fine = here && kind == "keys" && added.iter().all(allowed);
        (fine, Some(account.id.name.as_str().to_owned()))
    }
}

impl Scene<'_> {
    /// Whether somebody else may have changed an account since this run looked at it.
    fn is_outdated(&self, account: &str) -> bool {
        self.notes.changed_since.iter().any(|place| place.ends_with(&format!("/storageaccounts/{account}")))
    }
}

fn text<'a>(value: Option<&'a Value>, name: &str) -> &'a str {
    value.and_then(|value| value[name].as_str()).unwrap_or_default()
}
