//! Key vaults: what can be asked for, and what a look at one shows.

use super::grant::{AccessPolicy, KeyPermission, RoleAssignment};
use super::ids::{Location, VaultId};
use super::seen::Seen;
use std::collections::BTreeSet;

/// A vault's tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VaultSku {
    /// Software-protected keys.
    Standard,
    /// Keys in hardware security modules as well.
    Premium,
}

impl PermissionModel {
    /// The name used in specs and documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessPolicies => "accessPolicies",
            Self::Rbac => "rbac",
        }
    }
}

impl VaultSku {
    /// ARM's name of the tier.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Premium => "premium",
        }
    }
}

/// Who decides about access to a vault's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PermissionModel {
    /// The vault's own access policies.
    AccessPolicies,
    /// Azure role assignments.
    Rbac,
}

/// How to make a vault that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultCreate {
    /// The tier.
    pub sku: VaultSku,
    /// How long deleted things can be recovered, 7 to 90 days; fixed at creation.
    pub soft_delete_retention_days: u8,
}

/// A vault as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenVault {
    /// Where it is.
    pub id: VaultId,
    /// Its region.
    pub location: Location,
    /// The tenant that its access policies speak of.
    pub tenant: String,
    /// Its tier as ARM spells it.
    pub sku: String,
    /// Whether deleted things can be recovered. Azure no longer lets this be off, but old vaults exist.
    pub soft_delete: bool,
    /// The retention in days, when Azure states it.
    pub soft_delete_retention_days: Option<u8>,
    /// Whether nobody can purge what was deleted.
    pub purge_protection: bool,
    /// Who decides about access.
    pub permission_model: PermissionModel,
    /// The access policies, everyone's, in Azure's order.
    pub access_policies: Vec<AccessPolicy>,
    /// The role assignments at it, above it and inside it. Looked at only where they decide about access.
    pub role_assignments: Option<Seen<Vec<RoleAssignment>>>,
    /// The host of its data plane: `kv-prod.vault.azure.net`.
    pub host: String,
    /// ARM's provisioning state: `Succeeded`, `RegisteringDns`, …
    pub provisioning_state: String,
}

/// Whether a principal may use the keys of a vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MayUse {
    /// It may.
    Yes,
    /// It may not: what it lacks.
    No(String),
    /// What decides about it could not be seen: why.
    Unknown(String),
}

impl SeenVault {
    /// Whether a principal may do all this with one of the vault's keys, or with every key where none is named.
    ///
    /// Where role assignments decide, a role holds all that storage needs or does not count.
    pub fn lets(&self, principal: &str, key: Option<&str>, permissions: &BTreeSet<KeyPermission>) -> MayUse {
        match self.permission_model {
            PermissionModel::AccessPolicies => self.policies_let(principal, permissions),
            PermissionModel::Rbac => self.roles_let(principal, key),
        }
    }

    fn policies_let(&self, principal: &str, permissions: &BTreeSet<KeyPermission>) -> MayUse {
        let held = |one: &KeyPermission| self.access_policies.iter().any(|entry| entry.allows(principal, *one));
        let missing: Vec<&str> = permissions.iter().filter(|one| !held(one)).map(|one| one.as_str()).collect();
        if missing.is_empty() { MayUse::Yes } else { MayUse::No(format!("missing: {}", missing.join(", "))) }
    }

    fn roles_let(&self, principal: &str, key: Option<&str>) -> MayUse {
        let path = key.map_or_else(|| self.id.to_string(), |key| format!("{}/keys/{key}", self.id));
        match &self.role_assignments {
            Some(Seen::Known(all)) if all.iter().any(|one| one.lets_unwrap(principal, &path)) => MayUse::Yes,
            Some(Seen::Known(_)) => MayUse::No("no role that lets it wrap and unwrap".to_owned()),
            Some(Seen::Hidden(reason)) => MayUse::Unknown(reason.to_string()),
            Some(Seen::Absent) | None => MayUse::Unknown("its role assignments were not looked at".to_owned()),
        }
    }

    /// Whether the vault can be used, rather than being still under way.
    pub fn is_ready(&self) -> bool {
        self.provisioning_state.eq_ignore_ascii_case("Succeeded")
    }
}
