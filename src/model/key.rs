//! Keys: what can be asked for, and what a look at one shows.

use super::ids::Version;
use super::life::SeenRotation;
use super::own::Thumbprint;
use super::seen::Seen;
use std::collections::BTreeMap;
use std::fmt;

/// A moment in Azure's time, in whole seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Reads a moment with its time zone, in RFC 3339. Parts of seconds are cut off: Azure writes seven digits of them.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|at| Self(at.as_second()))
    }
}

impl fmt::Display for Timestamp {
    /// `2026-03-01T07:28:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(at) => write!(f, "{at}"),
            Err(_) => write!(f, "{} s after 1970", self.0),
        }
    }
}

/// The type of a key, as Key Vault names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyType {
    /// A software-protected RSA key.
    Rsa,
    /// An RSA key in a hardware security module, of a premium vault.
    RsaHsm,
    /// Any other type, which storage encryption cannot use.
    Other(String),
}

impl KeyType {
    /// Reads Key Vault's `kty`.
    pub fn parse(kty: &str) -> Self {
        match kty {
            "RSA" => Self::Rsa,
            "RSA-HSM" => Self::RsaHsm,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Key Vault's `kty`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Rsa => "RSA",
            Self::RsaHsm => "RSA-HSM",
            Self::Other(kty) => kty,
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The sizes of RSA keys that storage encryption accepts, in bits.
pub const KEY_SIZES_BITS: [u32; 3] = [2048, 3072, 4096];

/// How to make a key that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCreate {
    /// The type of key.
    pub kind: KeyType,
    /// The modulus' size in bits.
    pub size_bits: u32,
}

/// A key as it was seen: its type and the versions that were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenKey {
    /// The type of key.
    pub kind: KeyType,
    /// The modulus' size in bits; absent for types that have none.
    pub size_bits: Option<u32>,
    /// The versions that were read, newest first by creation. Never empty.
    pub versions: Vec<KeyVersion>,
    /// Whether `versions` is the whole list, or only the current version.
    pub all_versions: bool,
    /// The tags of its current version.
    pub tags: BTreeMap<String, String>,
    /// How Key Vault rotates it by itself; nothing when nobody looked.
    pub rotation: Option<Seen<SeenRotation>>,
}

/// One version of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyVersion {
    /// Its id.
    pub id: Version,
    /// Whether Key Vault lets it be used.
    pub enabled: bool,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// The moment before which it may not be used.
    pub not_before: Option<Timestamp>,
    /// The moment after which it may not be used.
    pub expires: Option<Timestamp>,
    /// The thumbprint of its public half; only the vault itself shows it, and only of the current version.
    pub thumbprint: Option<Thumbprint>,
}

/// Whether a moment lies between two dates, each of which may be open.
pub fn in_date(not_before: Option<Timestamp>, expires: Option<Timestamp>, at: Timestamp) -> bool {
    not_before.is_none_or(|start| start <= at) && expires.is_none_or(|end| at < end)
}

impl SeenKey {
    /// The newest version that is enabled: what `version: latest` means.
    pub fn newest_enabled(&self) -> Option<&KeyVersion> {
        self.versions.iter().find(|version| version.enabled)
    }

    /// The newest version, enabled or not: what a versionless reference means.
    pub fn current(&self) -> Option<&KeyVersion> {
        self.versions.first()
    }

    /// Takes in one of its versions as it is now known to be. One that was not known is taken for the newest.
    pub fn take_in(&mut self, now: KeyVersion) {
        match self.versions.iter_mut().find(|version| version.id == now.id) {
            Some(version) => *version = now,
            None => self.versions.insert(0, now),
        }
    }

    /// One version by its id.
    pub fn version(&self, id: &Version) -> Option<&KeyVersion> {
        self.versions.iter().find(|version| version.id == *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_seven_digits_behind_the_second() {
        assert_eq!(Timestamp::parse("2024-06-20T04:47:12.8177092Z"), Some(Timestamp(1_718_858_832)));
        assert_eq!(Timestamp::parse("soon"), None);
    }
}
