//! Reads a census: the one file of the witness that knows what the sandbox calls things.

use super::facts::NEEDED;
use crate::model::Who;
use crate::sandbox::{Census, Millis, VAULT_SUFFIX};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Permissions by principal and kind: `("0b1e…", "keys")`, in lower case.
pub(super) type Access = BTreeMap<(String, String), BTreeSet<String>>;

/// A census at a moment.
#[derive(Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) census: &'a Census,
    pub(super) now: Millis,
}

/// A binding as the account holds it.
pub(super) struct Binding<'a> {
    pub(super) vault: String,
    pub(super) key: String,
    /// Empty when none is pinned.
    pub(super) version: &'a str,
    pub(super) current: &'a str,
    /// The ARM id of the user-assigned identity as which the key is reached, in lower case; empty for the account's own.
    pub(super) user: String,
}

impl<'a> Sight<'a> {
    fn thing(self, kind: &str, name: &str) -> Option<&'a Value> {
        self.census.thing(kind, name).map(|thing| &**thing)
    }

    /// Whether nothing that an account's own affairs hang on was touched since an earlier census: itself, the vault
    /// that it is bound to, and this other vault, if any, and no role assignment anywhere.
    pub(super) fn is_untouched(self, earlier: &Census, account: &str, other: Option<&str>) -> bool {
        let bound = self.binding(account).map(|binding| binding.vault);
        let same_vault = |vault: &str| self.census.is_untouched(earlier, "vaults", &vault.to_ascii_lowercase());
        self.census.are_untouched(earlier, "assignments")
            && self.census.is_untouched(earlier, "accounts", account)
            && bound.as_deref().is_none_or(same_vault)
            && other.is_none_or(same_vault)
    }

    pub(super) fn account(self, name: &str) -> Option<&'a Value> {
        self.thing("accounts", name)
    }

    pub(super) fn vault(self, name: &str) -> Option<&'a Value> {
        self.thing("vaults", &name.to_ascii_lowercase())
    }

    pub(super) fn group(self, subscription: &str, name: &str) -> Option<&'a Value> {
        self.thing("groups", &format!("{subscription}/{name}").to_ascii_lowercase())
    }

    pub(super) fn key(self, vault: &str, key: &str) -> Option<&'a Value> {
        self.vault(vault)?["keys"].get(key.to_ascii_lowercase())
    }

    /// The principal of an account's own identity.
    pub(super) fn principal(self, account: &str) -> Option<&'a str> {
        self.account(account)?["identity"]["system"].as_str()
    }

    /// The principal of a user-assigned identity, by its ARM id.
    pub(super) fn user(self, id: &str) -> Option<&'a str> {
        self.thing("identities", &id.to_ascii_lowercase())?["principal"].as_str()
    }

    /// The principal of an identity of the spec.
    pub(super) fn of(self, who: &Who) -> Option<&'a str> {
        match who {
            Who::System(account) => self.principal(account.name.as_str()),
            Who::User(identity) => self.user(&identity.to_string()),
        }
    }

    /// The principal as which an account reaches the key that it is bound to.
    pub(super) fn reaches_as(self, account: &str) -> Option<&'a str> {
        let binding = self.binding(account)?;
        if binding.user.is_empty() { self.principal(account) } else { self.user(&binding.user) }
    }

    pub(super) fn users(self, account: &str) -> BTreeSet<&'a str> {
        let users = self.account(account).and_then(|account| account["identity"]["users"].as_object());
        users.into_iter().flat_map(|users| users.keys().map(String::as_str)).collect()
    }

    pub(super) fn binding(self, account: &str) -> Option<Binding<'a>> {
        let binding = self.account(account)?["encryption"].get("binding").filter(|binding| !binding.is_null())?;
        let uri = binding["vault_uri"].as_str()?;
        let host = uri.split("://").last()?.split('/').next()?.to_ascii_lowercase();
        Some(Binding {
            vault: host.strip_suffix(VAULT_SUFFIX)?.trim_end_matches('.').to_owned(),
            key: binding["key"].as_str()?.to_ascii_lowercase(),
            version: binding["version"].as_str().unwrap_or_default(),
            current: binding["current"].as_str().unwrap_or_default(),
            user: self.account(account)?["encryption"]["identity"]["userAssignedIdentity"]
                .as_str()
                .unwrap_or_default()
                .to_ascii_lowercase(),
        })
    }

    /// The newest version that is enabled.
    pub(super) fn newest_enabled(self, vault: &str, key: &str) -> Option<&'a str> {
        let versions = self.key(vault, key)?["versions"].as_array()?;
        versions.iter().rev().find(|version| version["enabled"] == true)?["id"].as_str()
    }

    pub(super) fn is_enabled(self, vault: &str, key: &str, id: &str) -> bool {
        let versions = self.key(vault, key).and_then(|key| key["versions"].as_array());
        versions.is_some_and(|all| all.iter().any(|version| version["id"] == id && version["enabled"] == true))
    }

    /// Who may do what in a vault, by the entries that stand there.
    pub(super) fn access(self, vault: &str) -> Access {
        self.vault(vault).map(|vault| access(&vault["policies"])).unwrap_or_default()
    }

    pub(super) fn may(self, vault: &str, principal: &str, permission: &str) -> bool {
        if self.takes_roles(vault) {
            return NEEDED.contains(&permission.to_ascii_lowercase().as_str())
                && self.roles(vault, principal).next().is_some();
        }
        let held = self.access(vault).remove(&(principal.to_ascii_lowercase(), "keys".to_owned())).unwrap_or_default();
        held.contains("all") || held.contains(&permission.to_ascii_lowercase())
    }

    fn takes_roles(self, vault: &str) -> bool {
        self.vault(vault).is_some_and(|vault| vault["rbac"] == true)
    }

    /// The assignments by which a principal may unwrap with keys of a vault, or with one of them.
    fn roles(self, vault: &str, principal: &str) -> impl Iterator<Item = &'a Value> {
        let place = self.vault(vault).map(place).unwrap_or_default();
        let principal = principal.to_ascii_lowercase();
        let all = self.census.things().get("assignments");
        let all = all.into_iter().flat_map(|all| all.values().map(|one| &**one));
        all.filter(move |one| {
            let text = |name: &str| one[name].as_str().unwrap_or_default().to_ascii_lowercase();
            let scope = text("scope");
            UNWRAPPING.contains(&text("role").as_str())
                && text("principal") == principal
                && (place.starts_with(&scope) || scope.starts_with(&place))
        })
    }

    /// Whether a permission has arrived at the vault.
    pub(super) fn has_arrived(self, vault: &str, principal: &str, permission: &str) -> bool {
        if self.takes_roles(vault) {
            let arrived = |one: &Value| one["arrives"].as_i64().is_some_and(|arrives| arrives <= self.now.0);
            return self.roles(vault, principal).any(arrived);
        }
        let grant = format!("{principal}|{permission}").to_ascii_lowercase();
        let arrives = self.vault(vault).and_then(|vault| vault["arrivals"].get(grant)).and_then(Value::as_i64);
        arrives.is_some_and(|arrives| arrives <= self.now.0)
    }
}

/// The roles by which one may wrap and unwrap.
const UNWRAPPING: [&str; 4] = [
    "e147488a-f6f5-4113-8e2d-b22465e65bf6",
    "12338af0-0e69-4776-bea7-57ae8d297424",
    "14b46e9e-c2b7-41b4-b07b-48a6ebf60603",
    "00482a5a-887f-4fb3-b363-3b7fe8e74483",
];

/// Where a vault is, in lower case.
fn place(vault: &Value) -> String {
    let text = |name: &str| vault[name].as_str().unwrap_or_default().to_ascii_lowercase();
    let (subscription, group, name) = (text("subscription"), text("group"), text("name"));
    format!("/subscriptions/{subscription}/resourcegroups/{group}/providers/microsoft.keyvault/vaults/{name}")
}

/// The entries of a list of access policies. Those on behalf of an application count as others of their own.
pub(super) fn access(policies: &Value) -> Access {
    let mut all = Access::new();
    for policy in policies.as_array().into_iter().flatten() {
        let application = policy["application"].as_str().map(|id| format!(" through {id}")).unwrap_or_default();
        let principal = format!("{}{application}", policy["object"].as_str().unwrap_or_default()).to_ascii_lowercase();
        for (kind, list) in policy["permissions"].as_object().into_iter().flatten() {
            let list = list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_ascii_lowercase);
            all.entry((principal.clone(), kind.clone())).or_default().extend(list);
        }
    }
    all.retain(|_, permissions| !permissions.is_empty());
    all
}
