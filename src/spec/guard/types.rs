//! The guard as it is written: the types that reading, the JSON schema and the reference share.
//!
//! The lists of places are required. Whoever reads a guard checks that, and not serde, which
//! stops reading at the first that is missing.

use crate::spec::types::PermissionWord;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What `cmk` may touch at all, whatever a spec says. In names, `*` stands for any characters.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(extend("required" = ["version", "tenants", "subscriptions", "resourceGroups", "vaults", "accounts"]))]
pub(crate) struct GuardDocument {
    /// The version of the guard language: the number 1.
    #[schemars(range(min = 1, max = 1))]
    pub(crate) version: u32,
    /// The tenants, by id; `*` alone for any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tenants: Vec<String>,
    /// The subscriptions, by id; `*` alone for any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) subscriptions: Vec<String>,
    /// The resource groups, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) resource_groups: Vec<String>,
    /// The key vaults, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) vaults: Vec<String>,
    /// The storage accounts, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) accounts: Vec<String>,
    /// The keys that may be made, or bound to. Left out: any that storage can use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) keys: Option<GuardKeys>,
    /// The permissions on keys that may be granted. Left out: any that a spec can name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) permissions: Option<Vec<PermissionWord>>,
    /// The limits of one run. Left out: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) per_run: Option<GuardPerRun>,
}

/// The keys that may be made, or bound to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct GuardKeys {
    /// Their types.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) types: Option<Vec<KeyTypeWord>>,
    /// Their sizes in bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("items" = { "type": "integer", "enum": crate::model::key::KEY_SIZES_BITS }))]
    pub(crate) sizes: Option<Vec<i64>>,
}

/// The limits of one run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct GuardPerRun {
    /// How many storage accounts it may touch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) accounts: Option<u32>,
    /// The gravest risk that it may bear, even with an acknowledgement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) risk: Option<RiskWord>,
}

/// A type of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum KeyTypeWord {
    /// Kept in software.
    #[serde(rename = "RSA")]
    Rsa,
    /// Kept in a hardware security module.
    #[serde(rename = "RSA-HSM")]
    RsaHsm,
}

/// A kind of risk, the least grave first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum RiskWord {
    /// Nothing of note.
    None,
    /// CMK401: who may use a key, or whose key data depends on.
    AccessChange,
    /// CMK402: it cannot be undone.
    Irreversible,
    /// CMK403: something that guards data or keys is given up.
    ProtectionLowered,
    /// CMK404: somebody else holds the key that data depends on.
    CustodyChange,
    /// CMK405: what somebody closed comes back.
    Reopening,
    /// CMK406: data that can be read could not be afterwards.
    CouldBecomeUnreadable,
}

impl RiskWord {
    /// The word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::AccessChange => "accessChange",
            Self::Irreversible => "irreversible",
            Self::ProtectionLowered => "protectionLowered",
            Self::CustodyChange => "custodyChange",
            Self::Reopening => "reopening",
            Self::CouldBecomeUnreadable => "couldBecomeUnreadable",
        }
    }
}
