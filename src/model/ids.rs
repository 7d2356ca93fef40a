//! Names and ids of Azure things: checked when made, compared as Azure compares them.
//!
//! Each type holds a private string, so a value that exists is a name that Azure
//! would accept. Names that Azure compares without case keep the writer's
//! spelling for people and compare by the lower-case form.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// Why a text is not a name of its kind, as the end of a sentence: "must be 3 to 24 characters".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadName(pub String);

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadName {}

/// A text that Azure compares without regard to case, in the spelling it was given.
#[derive(Debug, Clone)]
struct Caseless(String);

impl Caseless {
    fn folded(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.bytes().map(|byte| byte.to_ascii_lowercase())
    }
}

impl PartialEq for Caseless {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Caseless {}

impl Ord for Caseless {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(other.folded())
    }
}

impl PartialOrd for Caseless {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Caseless {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded().for_each(|byte| byte.hash(state));
    }
}

/// An Azure subscription: a GUID, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(String);

/// A resource group's name: 1 to 90 characters, unique in its subscription.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupName(Caseless);

/// A key vault's name: 3 to 24 letters, digits and single hyphens, unique in the whole cloud.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VaultName(Caseless);

/// A key's name: 1 to 127 letters, digits and hyphens, unique in its vault.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(Caseless);

/// A storage account's name: 3 to 24 lower-case letters and digits, unique in the whole cloud.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountName(String);

/// A user-assigned identity's name: 3 to 128 letters, digits, hyphens and underscores, unique in its group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentityName(Caseless);

/// A version of a key: 32 hexadecimal digits, chosen by Key Vault.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(String);

/// A region, in ARM's short form: `westeurope`. "West Europe" is read as the same place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location(String);

fn bad<T>(reason: &str) -> Result<T, BadName> {
    Err(BadName(reason.to_owned()))
}

/// Whether a text has the form of a GUID, 8-4-4-4-12 hexadecimal digits.
pub fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

impl SubscriptionId {
    /// Takes a GUID in any case.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        if is_guid(text) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            bad("must be a GUID, 8-4-4-4-12 hexadecimal digits")
        }
    }

    /// The GUID, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl GroupName {
    /// Takes what ARM takes: 1 to 90 letters, digits, `.`, `_`, `-` and parentheses, not ending in a dot.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        if text.is_empty() || text.chars().count() > 90 {
            return bad("must be 1 to 90 characters");
        }
        if !text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '(' | ')')) {
            return bad("may hold only letters, digits, dots, underscores, hyphens and parentheses");
        }
        if text.ends_with('.') {
            return bad("must not end with a dot");
        }
        Ok(Self(Caseless(text.to_owned())))
    }

    /// The name, as it was written.
    pub fn as_str(&self) -> &str {
        &self.0.0
    }
}

impl VaultName {
    /// Takes what Key Vault takes; the name becomes a DNS label.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        if !(3..=24).contains(&text.len()) {
            return bad("must be 3 to 24 characters");
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return bad("may hold only letters, digits and hyphens");
        }
        if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return bad("must begin with a letter");
        }
        if text.ends_with('-') || text.contains("--") {
            return bad("must end with a letter or digit and hold no two hyphens in a row");
        }
        Ok(Self(Caseless(text.to_owned())))
    }

    /// The name, as it was written.
    pub fn as_str(&self) -> &str {
        &self.0.0
    }
}

impl KeyName {
    /// Takes what Key Vault takes.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        if text.is_empty() || text.len() > 127 {
            return bad("must be 1 to 127 characters");
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return bad("may hold only letters, digits and hyphens");
        }
        Ok(Self(Caseless(text.to_owned())))
    }

    /// The name, as it was written.
    pub fn as_str(&self) -> &str {
        &self.0.0
    }
}

impl IdentityName {
    /// Takes what Managed Identity takes.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        if !(3..=128).contains(&text.len()) {
            return bad("must be 3 to 128 characters");
        }
        if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return bad("must begin with a letter or a digit");
        }
        if !text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
            return bad("may hold only letters, digits, hyphens and underscores");
        }
        Ok(Self(Caseless(text.to_owned())))
    }

    /// The name, as it was written.
    pub fn as_str(&self) -> &str {
        &self.0.0
    }
}

impl AccountName {
    /// Takes what Azure Storage takes; the name becomes a DNS label.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        if !(3..=24).contains(&text.len()) {
            return bad("must be 3 to 24 characters");
        }
        if !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
            return bad("may hold only lower-case letters and digits");
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Version {
    /// Takes 32 hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        if text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            bad("must be 32 hexadecimal digits")
        }
    }

    /// The digits, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Location {
    /// Takes `westeurope` or "West Europe".
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let short: String = text.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_lowercase()).collect();
        if short.is_empty() || !short.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return bad("must be a region such as `westeurope`");
        }
        Ok(Self(short))
    }

    /// The short form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SubscriptionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for VaultName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for IdentityName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A resource group in its subscription.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId {
    /// The subscription that holds the group.
    pub subscription: SubscriptionId,
    /// The group's name.
    pub name: GroupName,
}

/// A key vault's place in ARM.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VaultId {
    /// The group that holds the vault.
    pub group: GroupId,
    /// The vault's name.
    pub name: VaultName,
}

/// A user-assigned identity: its group and its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentityId {
    /// The group that holds the identity.
    pub group: GroupId,
    /// The identity's name.
    pub name: IdentityName,
}

/// A storage account's place in ARM.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId {
    /// The group that holds the account.
    pub group: GroupId,
    /// The account's name.
    pub name: AccountName,
}

/// A key by the vault that holds it: `kv-prod/storage`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyRef {
    /// The vault's name, unique in the cloud.
    pub vault: VaultName,
    /// The key's name in that vault.
    pub name: KeyName,
}

/// The ARM path: `/subscriptions/…/resourceGroups/…`.
impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/subscriptions/{}/resourceGroups/{}", self.subscription, self.name)
    }
}

/// The ARM path: `…/providers/Microsoft.KeyVault/vaults/…`.
impl fmt::Display for VaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/providers/Microsoft.KeyVault/vaults/{}", self.group, self.name)
    }
}

/// The ARM path: `…/providers/Microsoft.Storage/storageAccounts/…`.
impl fmt::Display for IdentityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{}", self.group, self.name)
    }
}

impl IdentityId {
    /// Reads an ARM id, in whatever case Azure spells it.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let ["", subscriptions, subscription, groups, group, providers, provider, kind, name] = parts.as_slice() else {
            return None;
        };
        let said = [subscriptions, groups, providers, provider, kind].map(|part| part.to_ascii_lowercase());
        let fixed =
            ["subscriptions", "resourcegroups", "providers", "microsoft.managedidentity", "userassignedidentities"];
        if said != fixed {
            return None;
        }
        let subscription = SubscriptionId::parse(subscription).ok()?;
        let group = GroupId { subscription, name: GroupName::parse(group).ok()? };
        Some(Self { group, name: IdentityName::parse(name).ok()? })
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/providers/Microsoft.Storage/storageAccounts/{}", self.group, self.name)
    }
}

/// The short form that specs and plans use: `vault/key`.
impl fmt::Display for KeyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.vault, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vault_names_are_compared_without_case_and_shown_as_written() {
        let one = VaultName::parse("Kv-Prod").unwrap();
        let other = VaultName::parse("kv-prod").unwrap();
        assert_eq!(one, other);
        assert_eq!(one.to_string(), "Kv-Prod");
    }

    #[test]
    fn vault_names_are_dns_labels() {
        for wrong in ["kv", "1kv", "kv-", "kv--1", "kv_1", "a234567890123456789012345", "kvé"] {
            assert!(VaultName::parse(wrong).is_err(), "{wrong}");
        }
        assert!(VaultName::parse("a23456789012345678901234").is_ok());
    }

    #[test]
    fn account_names_are_lower_case() {
        for wrong in ["St1", "st-1", "st", "a234567890123456789012345"] {
            assert!(AccountName::parse(wrong).is_err(), "{wrong}");
        }
        assert!(AccountName::parse("st1").is_ok());
    }

    #[test]
    fn a_region_has_one_form() {
        assert_eq!(Location::parse("West Europe"), Location::parse("westeurope"));
        assert!(Location::parse("").is_err());
    }

    #[test]
    fn a_guid_is_taken_in_any_case() {
        let id = SubscriptionId::parse("ABCDEF00-0000-0000-0000-000000000000").unwrap();
        assert_eq!(id.as_str(), "abcdef00-0000-0000-0000-000000000000");
        assert!(SubscriptionId::parse("abcdef0000000000000000000000000000000").is_err());
    }
}
