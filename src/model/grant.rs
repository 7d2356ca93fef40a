//! Grants: who may do what with the keys of a vault.

use std::collections::BTreeSet;
use std::fmt;

/// A permission on keys in an access policy, as far as `cmk` grants any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyPermission {
    /// Read a key's public part and attributes.
    Get,
    /// Wrap a data key.
    WrapKey,
    /// Unwrap a data key.
    UnwrapKey,
    /// Recover a deleted key.
    Recover,
}

impl KeyPermission {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 4] = [Self::Get, Self::WrapKey, Self::UnwrapKey, Self::Recover];

    /// Azure's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::WrapKey => "wrapKey",
            Self::UnwrapKey => "unwrapKey",
            Self::Recover => "recover",
        }
    }

    /// Those that storage encryption cannot do without.
    pub fn needed() -> BTreeSet<Self> {
        BTreeSet::from([Self::Get, Self::WrapKey, Self::UnwrapKey])
    }
}

impl fmt::Display for KeyPermission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One entry of a vault's access policies, whoever it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessPolicy {
    /// The principal, in lower case.
    pub object_id: String,
    /// The application on whose behalf alone the entry counts; such an entry grants a plain identity nothing.
    pub application_id: Option<String>,
    /// Permissions on keys in Azure's spelling, known to `cmk` or not.
    pub keys: BTreeSet<String>,
}

impl AccessPolicy {
    /// Whether this entry lets a principal do one thing with keys. `all` is Azure's shorthand for everything.
    pub fn allows(&self, object_id: &str, permission: KeyPermission) -> bool {
        self.application_id.is_none()
            && self.object_id.eq_ignore_ascii_case(object_id)
            && self
                .keys
                .iter()
                .any(|held| held.eq_ignore_ascii_case(permission.as_str()) || held.eq_ignore_ascii_case("all"))
    }
}
