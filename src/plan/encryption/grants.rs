//! Grants: what an account's identity may do with the key, by access policy or by role, and what it holds already.

use super::Pair;
use crate::model::{GrantScope, PermissionModel, RoleAssignment, Seen};
use crate::plan::action::{Action, GrantBy};
use crate::plan::draft::{Draft, changed};
use crate::plan::types::Change;

impl Pair<'_> {
    /// The assignments of the account's own identity that reach the vault.
    pub(super) fn assignments(&self) -> Vec<&RoleAssignment> {
        let principal = self.who.principal(self.observed);
        let all = self.seen_vault().and_then(|vault| vault.role_assignments.as_ref()).and_then(Seen::known);
        let Some((principal, all)) = principal.zip(all) else { return vec![] };
        all.iter().filter(|one| one.principal.eq_ignore_ascii_case(principal)).collect()
    }

    /// The scopes at which the account's own identity holds a role, in words.
    pub(super) fn roles(&self) -> Option<String> {
        let scopes: Vec<&str> = self.assignments().iter().map(|one| one.scope.as_str()).collect();
        (!scopes.is_empty()).then(|| format!("roles at {}", scopes.join(", ")))
    }

    pub(super) fn grant(&self, draft: &mut Draft) {
        let permissions = self.encryption.permissions.clone();
        let may = self.allowed(permissions.clone()).check(self.observed);
        if may.is_yes() || self.hides_roles(draft) {
            return;
        }
        let (who, vault, key) = (self.who.clone(), self.vault.id.clone(), self.encryption.key.clone());
        let (by, because) = match self.model() {
            PermissionModel::AccessPolicies => (GrantBy::AccessPolicy, self.policy_change()),
            PermissionModel::Rbac => (GrantBy::Role(self.scope()), self.role_change()),
        };
        if draft.is_first_grant(&who, &key) {
            draft.propose(Action::Grant { who, vault, key, permissions, by }, vec![because]);
        }
    }

    /// No wider than needed, unless the spec says so.
    fn scope(&self) -> GrantScope {
        self.encryption.scope.unwrap_or(GrantScope::Key)
    }

    /// Whether the vault's role assignments may not be seen. Nothing is granted that may be there.
    fn hides_roles(&self, draft: &mut Draft) -> bool {
        let roles = self.seen_vault().and_then(|vault| vault.role_assignments.as_ref());
        let Some(Seen::Hidden(reason)) = roles else { return false };
        draft.hidden(&format!("vault {}", self.vault.id.name), reason);
        true
    }

    fn policy_change(&self) -> Change {
        let after: Vec<&str> = self.encryption.permissions.iter().map(|permission| permission.as_str()).collect();
        let path = format!("accessPolicies[{}].keys", self.who.name());
        changed(&format!("vault {}", self.vault.id.name), &path, self.held(), after.join(", "))
    }

    fn role_change(&self) -> Change {
        let resource = match self.scope() {
            GrantScope::Vault => format!("vault {}", self.vault.id.name),
            GrantScope::Key => format!("key {}", self.encryption.key),
        };
        let path = format!("roleAssignments[{}]", self.who.name());
        changed(&resource, &path, None, "Key Vault Crypto Service Encryption User")
    }

    /// What the account's identity holds on the vault's keys now, in Azure's words.
    pub(super) fn held(&self) -> Option<String> {
        let principal = self.who.principal(self.observed)?;
        let entries = self.seen_vault()?.access_policies.iter();
        let mine =
            entries.filter(|entry| entry.application_id.is_none() && entry.object_id.eq_ignore_ascii_case(principal));
        let keys: Vec<&str> = mine.flat_map(|entry| entry.keys.iter().map(String::as_str)).collect();
        (!keys.is_empty()).then(|| keys.join(", "))
    }
}
