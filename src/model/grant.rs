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

/// How far a grant by role reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum GrantScope {
    /// Every key of the vault.
    #[default]
    Vault,
    /// One key.
    Key,
}

/// The role that `cmk` assigns: reads the public part of keys, wraps and unwraps, and nothing else.
pub const ENCRYPTION_USER: &str = "e147488a-f6f5-4113-8e2d-b22465e65bf6";

/// The built-in roles that hold what storage needs, by id and name.
const ROLES_THAT_UNWRAP: [(&str, &str); 4] = [
    (ENCRYPTION_USER, "Key Vault Crypto Service Encryption User"),
    ("12338af0-0e69-4776-bea7-57ae8d297424", "Key Vault Crypto User"),
    ("14b46e9e-c2b7-41b4-b07b-48a6ebf60603", "Key Vault Crypto Officer"),
    ("00482a5a-887f-4fb3-b363-3b7fe8e74483", "Key Vault Administrator"),
];

/// A role assignment that has to do with a vault: at it, above it or at something inside it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoleAssignment {
    /// Its ARM path.
    pub id: String,
    /// The ARM path that it is for.
    pub scope: String,
    /// The id of the role, a GUID in lower case.
    pub role: String,
    /// The principal, a GUID in lower case.
    pub principal: String,
    /// Whether a condition limits it. What such a one allows is not worked out here.
    pub is_conditional: bool,
}

impl RoleAssignment {
    /// Whether it lets this principal wrap and unwrap with what is at an ARM path.
    pub fn lets_unwrap(&self, principal: &str, path: &str) -> bool {
        !self.is_conditional
            && self.principal.eq_ignore_ascii_case(principal)
            && self.unwrapping_role().is_some()
            && is_at_or_above(&self.scope, path)
    }

    /// The name of its role, if that is a built-in one with which keys are used.
    pub fn unwrapping_role(&self) -> Option<&'static str> {
        ROLES_THAT_UNWRAP.iter().find(|(id, _)| *id == self.role).map(|(_, name)| *name)
    }

    /// Whether it is for something above an ARM path, and so came down to it from there.
    pub fn is_inherited_by(&self, path: &str) -> bool {
        is_at_or_above(&self.scope, path) && !self.scope.trim_end_matches('/').eq_ignore_ascii_case(path)
    }
}

/// Whether one ARM path is another or lies above it. ARM compares paths without case.
fn is_at_or_above(above: &str, path: &str) -> bool {
    let (above, path) = (above.trim_end_matches('/').to_ascii_lowercase(), path.to_ascii_lowercase());
    path.strip_prefix(&above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
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
