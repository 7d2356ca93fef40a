//! The spec as it is written: the types that reading, the JSON schema and the reference share.
//!
//! The comments on the fields are the descriptions that editors show. No flattened,
//! untagged or internally tagged types: with them serde loses the places.

use crate::model::KeyPermission;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The types of keys that storage encryption can use.
pub const KEY_TYPES: [&str; 2] = ["RSA", "RSA-HSM"];

/// The SKUs of storage accounts, in ARM's spelling.
pub const ACCOUNT_SKUS: [&str; 14] = [
    "Standard_LRS",
    "Standard_GRS",
    "Standard_RAGRS",
    "Standard_ZRS",
    "Standard_GZRS",
    "Standard_RAGZRS",
    "Premium_LRS",
    "Premium_ZRS",
    "StandardV2_LRS",
    "StandardV2_GRS",
    "StandardV2_ZRS",
    "StandardV2_GZRS",
    "PremiumV2_LRS",
    "PremiumV2_ZRS",
];

/// The kinds of storage accounts, in ARM's spelling.
pub const ACCOUNT_KINDS: [&str; 5] = ["StorageV2", "Storage", "BlobStorage", "BlockBlobStorage", "FileStorage"];

/// What should be true of customer-managed keys on Azure Storage: vaults, keys, accounts and which key protects which.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Document {
    /// The version of the spec language: the number 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// Values for all entries that do not give their own.
    #[serde(default, skip_serializing_if = "is_default")]
    pub defaults: Defaults,
    /// Rules that are checked unless they are lifted here.
    #[serde(default, skip_serializing_if = "is_default")]
    pub policy: PolicyRules,
    /// Acknowledgements of what cannot be undone, each with an end. They count only for things that the same plan makes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<AcceptEntry>,
    /// Resource groups, by name. A group that is only used needs no entry; it must then be there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resource_groups: BTreeMap<String, GroupEntry>,
    /// Key vaults, by their globally unique names: 3 to 24 letters, digits and single hyphens.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = { "pattern": "^[A-Za-z][0-9A-Za-z-]{1,22}[0-9A-Za-z]$" }))]
    pub vaults: BTreeMap<String, VaultEntry>,
    /// User-assigned managed identities, by name: 3 to 128 letters, digits, hyphens and underscores.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = { "pattern": "^[0-9A-Za-z][0-9A-Za-z_-]{2,127}$" }))]
    pub identities: BTreeMap<String, IdentityEntry>,
    /// Storage accounts, by their globally unique names: 3 to 24 lower-case letters and digits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = { "pattern": "^[0-9a-z]{3,24}$" }))]
    pub accounts: BTreeMap<String, AccountEntry>,
}

/// Values for all entries that do not give their own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Defaults {
    /// The subscription's id, a GUID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
    /// The resource group's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_group: Option<String>,
    /// The region in which to make what is not there: `westeurope`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

/// Rules that are checked unless they are lifted here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PolicyRules {
    /// Whether an account and its vault must be in the same region.
    #[serde(default = "yes")]
    pub same_region: bool,
}

impl Default for PolicyRules {
    fn default() -> Self {
        Self { same_region: true }
    }
}

/// An acknowledgement: somebody says yes to one risk of one thing that this spec makes, until a day.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AcceptEntry {
    /// The code of the risk. All others than this one take the operator's `--accept`, or an approved plan.
    #[schemars(extend("enum" = ["CMK402"]))]
    pub code: String,
    /// The thing, which has `create` in this file: `vault/kv-prod`.
    #[schemars(regex(pattern = r"^[a-z]+/.+$"))]
    pub object: String,
    /// The last day on which it counts, in UTC: `2026-12-31`.
    #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub until: String,
}

/// A resource group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GroupEntry {
    /// Make the group if it is not there: `create: {}`. Without it the group must be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create: Option<GroupCreation>,
    /// The subscription's id, a GUID, instead of the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
    /// The region in which to make the group, instead of the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

/// How to make a resource group: nothing can be said about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupCreation {}

/// A key vault.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct VaultEntry {
    /// Make the vault if it is not there. Without it the vault must be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create: Option<VaultCreation>,
    /// Bring the vault back when a deleted one holds the name, instead of refusing. Only with `create`, and only when the operator accepts it too.
    #[serde(default, skip_serializing_if = "is_default")]
    pub recover: bool,
    /// The subscription's id, a GUID, instead of the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
    /// The resource group's name, instead of the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_group: Option<String>,
    /// The vault's region, instead of the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Whether nobody may purge deleted keys before their time. Storage demands it, and it can never be turned off again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purge_protection: Option<bool>,
    /// Where the vault's audit log goes, beside anywhere that it goes already: at least one place. Left out: as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit: Option<AuditEntry>,
    /// Who decides about access to the keys: the vault's own access policies, or Azure role assignments.
    #[serde(default, skip_serializing_if = "is_default")]
    pub permission_model: Option<PermissionModelWord>,
    /// The keys in the vault, by name: 1 to 127 letters, digits and hyphens.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = { "pattern": "^[0-9A-Za-z-]{1,127}$" }))]
    pub keys: BTreeMap<String, KeyEntry>,
}

/// Where a vault's audit log goes: who did what with its keys, and when.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AuditEntry {
    /// A Log Analytics workspace, by its ARM id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_analytics: Option<String>,
    /// A storage account, by its ARM id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_account: Option<String>,
    /// An event hub.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_hub: Option<EventHubEntry>,
}

/// An event hub that takes a vault's audit log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EventHubEntry {
    /// The authorization rule of its namespace to write with, by its ARM id.
    pub rule: String,
    /// The hub's name.
    pub name: String,
}

/// How to make a key vault. The values act at creation only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct VaultCreation {
    /// The tier. Keys in hardware need premium.
    #[serde(default)]
    pub sku: VaultSkuWord,
    /// How many days deleted keys can be recovered, 7 to 90. It can never be changed.
    #[serde(default = "ninety")]
    #[schemars(range(min = 7, max = 90))]
    pub soft_delete_retention_days: i64,
}

/// A key in a vault.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KeyEntry {
    /// Make the key if it is not there. Without it the key must be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create: Option<KeyCreation>,
    /// Make it of key material of your own, which is read when the spec is applied. Left out: Key Vault makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import: Option<ImportEntry>,
    /// Bring the key back when a deleted one holds the name, instead of refusing. Only with `create`, and only when the operator accepts it too.
    #[serde(default, skip_serializing_if = "is_default")]
    pub recover: bool,
    /// Whether the key can be used. `false` disables every version of it and puts all data under it out of reach. Left out: as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Single versions, by their 32 hexadecimal digits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = { "pattern": "^[0-9a-fA-F]{32}$" }))]
    pub versions: BTreeMap<String, VersionWish>,
    /// The day, or the moment, before which the current version may not be used: `2026-01-31`. Left out: as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// The day, or the moment, from which on the current version may not be used: `2027-01-31`. Left out: as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Tags of the current version, beside any others that it has: at most 15.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// How Key Vault rotates the key by itself. Left out: as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation: Option<RotationEntry>,
    /// How old the newest version may become, as an ISO 8601 duration in days: `P90D`. Then the next apply makes another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<String>,
    /// Disable old versions that nobody has used for this long, and for at least a day: `P7D`. Left out: they stay enabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retire_old_versions: Option<String>,
}

/// Key material of your own: an RSA key in PEM or JWK. One of `file` and `env` says where it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(extend("oneOf" = [{ "required": ["file"] }, { "required": ["env"] }]))]
pub struct ImportEntry {
    /// The file that holds it, in the folder that `--key-dir` names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The environment variable that holds it.
    #[schemars(regex(pattern = r"^[A-Za-z_][0-9A-Za-z_]*$"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// Which key it is: the thumbprint of RFC 7638 with SHA-256, as `cmk thumbprint FILE` prints it.
    #[schemars(regex(pattern = r"^[0-9A-Za-z_-]{43}$"))]
    pub thumbprint: String,
    /// Where the passphrase of an encrypted file is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<PassphraseEntry>,
}

/// Where a passphrase is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PassphraseEntry {
    /// The environment variable that holds it.
    #[schemars(regex(pattern = r"^[A-Za-z_][0-9A-Za-z_]*$"))]
    pub env: String,
}

/// What should be true of one version of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct VersionWish {
    /// Whether it can be used.
    pub enabled: bool,
}

/// How Key Vault rotates a key by itself. Each time is an ISO 8601 duration in days: `P90D`, `P1Y6M`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RotationEntry {
    /// How long after a version was made the next one is: at least 7 days.
    pub every: String,
    /// How long before a version ends its owners are told. Left out: as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify_before: Option<String>,
    /// How long each new version is good for: at least 28 days. Left out: as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expire_after: Option<String>,
}

/// How to make a key. The values act at creation only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KeyCreation {
    /// The type: RSA in software, or RSA-HSM in hardware (of a premium vault).
    #[serde(rename = "type", default = "rsa")]
    #[schemars(extend("enum" = KEY_TYPES))]
    pub kind: String,
    /// The size in bits.
    #[serde(default = "size")]
    #[schemars(extend("enum" = crate::model::key::KEY_SIZES_BITS))]
    pub size: i64,
}

/// A user-assigned managed identity.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct IdentityEntry {
    /// Make the identity if it is not there: `create: {}`. Without it the identity must be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create: Option<IdentityCreation>,
    /// The subscription's id, a GUID, instead of the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
    /// The resource group's name, instead of the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_group: Option<String>,
    /// The region in which to make it, instead of the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

/// How to make a user-assigned identity: nothing can be said about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityCreation {}

/// A storage account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AccountEntry {
    /// Make the account if it is not there. Without it the account must be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create: Option<AccountCreation>,
    /// The subscription's id, a GUID, instead of the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
    /// The resource group's name, instead of the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_group: Option<String>,
    /// The account's region, instead of the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Whether the account has an identity of its own. Left out: as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityWord>,
    /// The user-assigned identities that the account has, beside any others it has: names under `identities` of this file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<String>,
    /// The identities that the account loses, once it reaches no key as them: names under `identities` of this file, or `systemAssigned`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove_identities: Vec<String>,
    /// The key that protects the account. Left out: as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption: Option<EncryptionEntry>,
    /// Whether the account may use its key. `revoked` takes its access away and puts its data out of reach.
    #[serde(default, skip_serializing_if = "is_default")]
    pub access: AccessWord,
}

/// Whether an account may use its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AccessWord {
    /// It may.
    #[default]
    Granted,
    /// It may not: reading and writing its data answers 403 until access is given back.
    Revoked,
}

/// Who manages the key that protects an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SourceWord {
    /// You, in a vault: `key` names it.
    #[default]
    KeyVault,
    /// Microsoft. The account leaves the key that it is bound to.
    Microsoft,
}

/// How to make a storage account. The values act at creation only; it gets TLS 1.2, HTTPS only and no public blobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AccountCreation {
    /// The SKU: performance and replication.
    #[serde(default = "standard_lrs")]
    #[schemars(extend("enum" = ACCOUNT_SKUS))]
    pub sku: String,
    /// The kind of account.
    #[serde(default = "storage_v2")]
    #[schemars(extend("enum" = ACCOUNT_KINDS))]
    pub kind: String,
}

/// The three ways to name a key, without what the patterns of names say.
const KEY_REFERENCE: &str = concat!(
    r"^(?:[A-Za-z][0-9A-Za-z-]{1,22}[0-9A-Za-z]/[0-9A-Za-z-]{1,127}",
    r"|https://[0-9A-Za-z.-]+/keys/[0-9A-Za-z-]{1,127}(?:/[0-9A-Fa-f]{32})?",
    r"|/[Ss]ubscriptions/.+/[Vv]aults/[0-9A-Za-z-]{3,24}/[Kk]eys/[0-9A-Za-z-]{1,127}(?:/[Vv]ersions/[0-9A-Fa-f]{32})?)$"
);

/// The key that protects an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(extend("anyOf" = [{ "required": ["key"] }, { "required": ["source"] }]))]
pub struct EncryptionEntry {
    /// Who manages the key. `microsoft` takes the account back to Microsoft's own key, and goes with no other field.
    #[serde(default, skip_serializing_if = "is_default")]
    pub source: SourceWord,
    /// The key: `vault/key` of this file, its URI (`https://NAME.vault.azure.net/keys/KEY`), or its id in Resource Manager.
    #[schemars(regex(pattern = KEY_REFERENCE))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Which version: `latest` pins the newest enabled one, `auto` lets Azure follow, 32 hexadecimal digits name one.
    #[serde(default = "latest")]
    #[schemars(regex(pattern = r"^(latest|auto|[0-9A-Fa-f]{32})$"))]
    pub version: String,
    /// As whom the account reaches the key: one of its `identities`, or `systemAssigned`. Left out: the only one it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// What the account's identity may do with the vault's keys. Where role assignments decide, the role says it.
    #[serde(default = "needed")]
    pub permissions: Vec<PermissionWord>,
    /// How far the grant reaches where role assignments decide. Left out: the key alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<ScopeWord>,
}

/// How far a grant by role reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ScopeWord {
    /// Every key of the vault.
    Vault,
    /// The key alone.
    Key,
}

/// A vault's tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum VaultSkuWord {
    /// Keys in software.
    #[default]
    Standard,
    /// Keys in hardware as well.
    Premium,
}

/// Who decides about access to a vault's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PermissionModelWord {
    /// The vault's own access policies.
    AccessPolicies,
    /// Azure role assignments.
    Rbac,
}

/// An account's own managed identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum IdentityWord {
    /// The identity that lives and dies with the account.
    SystemAssigned,
}

/// A permission on the keys of a vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PermissionWord {
    /// Read the public part and the attributes. Storage needs it.
    Get,
    /// Wrap the account's data key. Storage needs it.
    WrapKey,
    /// Unwrap the account's data key. Storage needs it.
    UnwrapKey,
    /// Recover a deleted key.
    Recover,
}

impl PermissionWord {
    /// The permission.
    pub fn permission(self) -> KeyPermission {
        match self {
            Self::Get => KeyPermission::Get,
            Self::WrapKey => KeyPermission::WrapKey,
            Self::UnwrapKey => KeyPermission::UnwrapKey,
            Self::Recover => KeyPermission::Recover,
        }
    }
}

fn yes() -> bool {
    true
}

fn ninety() -> i64 {
    90
}

fn rsa() -> String {
    "RSA".to_owned()
}

fn size() -> i64 {
    3072
}

fn standard_lrs() -> String {
    "Standard_LRS".to_owned()
}

fn storage_v2() -> String {
    "StorageV2".to_owned()
}

fn latest() -> String {
    "latest".to_owned()
}

fn needed() -> Vec<PermissionWord> {
    vec![PermissionWord::Get, PermissionWord::WrapKey, PermissionWord::UnwrapKey]
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
