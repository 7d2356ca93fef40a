//! What a vault is: its settings, who it lets in, and how it is shown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::diagnostics::Setting;
use super::keys::{DeletedKey, Key};
use super::policies::{Arrivals, Policy};
use super::{CALLER_OBJECT_ID, Domain, Millis};

/// A vault, live or deleted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Vault {
    /// Whose names its address is made of: the world's.
    pub domain: Domain,
    /// The directory that it believes: the world's.
    pub tenant: String,
    pub subscription: String,
    pub group: String,
    pub name: String,
    pub location: String,
    pub tags: Value,
    pub sku: Value,
    pub policies: Vec<Policy>,
    pub arrivals: Arrivals,
    pub purge_protection: bool,
    /// `None` was never said, and means access policies.
    pub rbac: Option<bool>,
    /// As it was set; a vault that was never told keeps deleted things for 90 days without saying so.
    pub retention_days: Option<i64>,
    /// The settings without consequences here, and the firewall.
    pub settings: Map<String, Value>,
    pub created: Millis,
    pub modified: Millis,
    /// When the vault's name is in the DNS.
    pub registered: Millis,
    /// By name in lower case.
    pub keys: BTreeMap<String, Key>,
    pub deleted_keys: BTreeMap<String, DeletedKey>,
    /// By name in lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub diagnostics: BTreeMap<String, Setting>,
}

impl Vault {
    pub(super) fn id(&self) -> String {
        let Self { subscription, group, name, .. } = self;
        format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.KeyVault/vaults/{name}")
    }

    /// `https://{name}.{suffix}` without a slash at the end.
    pub(super) fn uri(&self) -> String {
        format!("https://{}.{}", self.name.to_ascii_lowercase(), self.domain.vault_suffix())
    }

    pub(super) fn resolves(&self, now: Millis) -> bool {
        now >= self.registered
    }

    pub(super) const fn touched(&mut self, now: Millis) {
        self.modified = now;
    }

    pub(super) fn retention(&self) -> i64 {
        self.retention_days.unwrap_or(90)
    }

    pub(super) fn uses_rbac(&self) -> bool {
        self.rbac == Some(true)
    }

    /// Whether the access policies let a principal do something with keys, as far as the grant has arrived.
    /// They say nothing while the vault is on roles: that is for [`super::access`] to find out.
    pub(super) fn policies_let(&self, principal: &str, permission: &str, now: Millis) -> bool {
        let grant = format!("{principal}|{permission}").to_ascii_lowercase();
        self.arrivals.get(&grant).is_some_and(|arrives| *arrives <= now)
    }

    fn closed_to_the_public(&self) -> bool {
        let disabled = self.settings.get("publicNetworkAccess").and_then(Value::as_str);
        let action = self.settings.get("networkAcls").and_then(|acls| acls["defaultAction"].as_str());
        disabled.is_some_and(|access| access.eq_ignore_ascii_case("disabled"))
            || action.is_some_and(|action| action.eq_ignore_ascii_case("deny"))
    }

    /// Whether the firewall lets a caller from anywhere in.
    pub(super) fn open_to_callers(&self) -> bool {
        !self.closed_to_the_public()
    }

    /// Whether the firewall lets Azure Storage in: it is a trusted service, unless the bypass is taken away.
    pub(super) fn open_to_storage(&self) -> bool {
        let bypass = self.settings.get("networkAcls").and_then(|acls| acls["bypass"].as_str());
        !self.closed_to_the_public() || bypass.is_none_or(|bypass| bypass.eq_ignore_ascii_case("azureservices"))
    }

    /// What deleted keys are promised: the wording depends on the retention and on purge protection.
    pub(super) fn recovery_level(&self) -> String {
        let customized = if self.retention() < 90 { "Customized" } else { "" };
        let purgeable = if self.purge_protection { "" } else { "+Purgeable" };
        format!("{customized}Recoverable{purgeable}")
    }

    /// The resource as a GET shows it.
    pub(super) fn body(&self, now: Millis) -> Value {
        let registered = self.resolves(now);
        let mut properties = self.settings.clone();
        let mut set = |name: &str, value: Value| properties.insert(name.to_owned(), value);
        set("sku", self.sku.clone());
        set("tenantId", json!(self.tenant));
        set("accessPolicies", self.policies.iter().map(Policy::body).collect());
        set("enableSoftDelete", json!(true));
        set("vaultUri", json!(format!("{}/", self.uri())));
        set("provisioningState", json!(if registered { "Succeeded" } else { "RegisteringDns" }));
        // These are absent, not false, until someone sets them.
        if let Some(rbac) = self.rbac {
            set("enableRbacAuthorization", json!(rbac));
        }
        if let Some(days) = self.retention_days {
            set("softDeleteRetentionInDays", json!(days));
        }
        if self.purge_protection {
            set("enablePurgeProtection", json!(true));
        }
        json!({
            "id": self.id(), "name": self.name, "type": "Microsoft.KeyVault/vaults", "location": self.location,
            "tags": self.tags, "systemData": self.system_data(), "properties": properties,
        })
    }

    fn system_data(&self) -> Value {
        json!({
            "createdBy": CALLER_OBJECT_ID, "createdByType": "Application", "createdAt": self.created.thousandths(),
            "lastModifiedBy": CALLER_OBJECT_ID, "lastModifiedByType": "Application",
            "lastModifiedAt": self.modified.thousandths(),
        })
    }
}
