//! Key vaults: what can be asked for, and what a look at one shows.

use super::grant::AccessPolicy;
use super::ids::{Location, VaultId};

/// A vault's tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VaultSku {
    /// Software-protected keys.
    Standard,
    /// Keys in hardware security modules as well.
    Premium,
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
    /// The host of its data plane: `kv-prod.vault.azure.net`.
    pub host: String,
    /// ARM's provisioning state: `Succeeded`, `RegisteringDns`, …
    pub provisioning_state: String,
}

impl SeenVault {
    /// Whether the vault can be used, rather than being still under way.
    pub fn is_ready(&self) -> bool {
        self.provisioning_state.eq_ignore_ascii_case("Succeeded")
    }
}
