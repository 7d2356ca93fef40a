//! Keys and their versions: what both doors, Resource Manager and the vault's own, act upon.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Millis;
use super::rotation::Policy;
use super::vault::Vault;
use super::world::Ids;

/// A key: a name and the versions under it, the newest last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Key {
    pub name: String,
    /// Never empty.
    pub versions: Vec<Version>,
    /// A recovered key is not to be seen before this.
    pub visible: Millis,
    #[serde(default)]
    pub rotation: Option<Policy>,
}

/// A version of a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Version {
    /// 32 hexadecimal digits, in no order.
    pub id: String,
    pub kty: String,
    /// In bits; 0 for a kind without a size.
    pub size: u32,
    pub curve: Option<String>,
    pub ops: Vec<String>,
    pub enabled: bool,
    /// In seconds since 1970.
    pub not_before: Option<i64>,
    /// In seconds since 1970.
    pub expires: Option<i64>,
    pub created: Millis,
    pub updated: Millis,
    pub tags: Value,
    /// Something of the right shape to stand for the modulus. It is no key.
    pub modulus: String,
    /// The public parts of a key that is not made of the modulus above: an imported one, or a point on a curve.
    #[serde(default)]
    pub public: Map<String, Value>,
}

/// A key after its deletion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct DeletedKey {
    pub key: Key,
    pub deleted: Millis,
    /// The deleted key is not to be seen before this.
    pub visible: Millis,
    pub purge: Millis,
}

impl Key {
    /// The newest version. A key is made with one and only ever gains more.
    pub(super) fn newest(&self) -> Option<&Version> {
        self.versions.last()
    }

    pub(super) fn version(&self, id: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.id.eq_ignore_ascii_case(id))
    }
}

impl Version {
    fn may(&self, operation: &str) -> bool {
        self.enabled && self.ops.iter().any(|one| one.eq_ignore_ascii_case(operation))
    }

    /// Whether the version unwraps: dates do not matter for that.
    pub(super) fn unwraps(&self) -> bool {
        self.may("unwrapKey")
    }

    /// Whether the version wraps now: dates do matter for that.
    pub(super) fn wraps(&self, now: Millis) -> bool {
        let begun = self.not_before.is_none_or(|begin| begin <= now.seconds());
        let over = self.expires.is_some_and(|end| end <= now.seconds());
        self.may("wrapKey") && begun && !over
    }

    /// A version like this one, made later, without an end.
    pub(super) fn renewed(&self, seed: &[u8; 32], id: String, now: Millis) -> Self {
        let public = self.curve.as_deref().map_or_else(Map::new, |curve| point(seed, curve));
        let modulus = modulus(seed, self.size);
        let fresh = Self { id, enabled: true, not_before: None, expires: None, modulus, public, ..self.clone() };
        Self { created: now, updated: now, ..fresh }
    }

    /// The attributes that both doors show.
    pub(super) fn attributes(&self, vault: &Vault) -> Value {
        let mut attributes = json!({
            "enabled": self.enabled, "created": self.created.seconds(), "updated": self.updated.seconds(),
            "recoveryLevel": vault.recovery_level(), "exportable": false,
        });
        if let Some(begin) = self.not_before {
            attributes["nbf"] = json!(begin);
        }
        if let Some(end) = self.expires {
            attributes["exp"] = json!(end);
        }
        attributes
    }
}

/// What a new version should be, whichever door it was asked through.
pub(super) struct Recipe {
    pub kty: String,
    pub size: u32,
    pub curve: Option<String>,
    pub ops: Vec<String>,
    pub enabled: bool,
    pub not_before: Option<i64>,
    pub expires: Option<i64>,
    pub tags: Value,
}

impl Recipe {
    /// Reads the parts of a recipe, or says what is wrong with them.
    pub(super) fn read(kty: &Value, size: &Value, curve: &Value, ops: &Value, rest: &Value) -> Result<Self, String> {
        let kty = kty.as_str().unwrap_or_default();
        let (size, curve) = match kty {
            "RSA" | "RSA-HSM" => {
                let bits = if size.is_null() { Some(2048) } else { size.as_u64() };
                let bits =
                    bits.and_then(|bits| u32::try_from(bits).ok()).filter(|bits| [2048, 3072, 4096].contains(bits));
                (bits.ok_or_else(|| format!("Invalid RSA key size: {size}"))?, None)
            }
            "EC" | "EC-HSM" => {
                let curve = curve.as_str().unwrap_or("P-256");
                coordinate_bytes(curve).ok_or_else(|| format!("Invalid EC curve: {curve}"))?;
                (0, Some(curve.to_owned()))
            }
            _ => return Err(format!("Property has invalid value: kty '{kty}'")),
        };
        let usual: &[&str] = if curve.is_some() {
            &["sign", "verify"]
        } else {
            &["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"]
        };
        let sent = ops.as_array().map(|ops| ops.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        let attributes = &rest["attributes"];
        Ok(Self {
            kty: kty.to_owned(),
            size,
            curve,
            ops: sent.unwrap_or_else(|| usual.iter().map(|op| (*op).to_owned()).collect()),
            enabled: attributes["enabled"].as_bool().unwrap_or(true),
            not_before: attributes["nbf"].as_i64(),
            expires: attributes["exp"].as_i64(),
            tags: if rest["tags"].is_object() { rest["tags"].clone() } else { Value::Null },
        })
    }

    /// The version after this recipe.
    pub(super) fn made(self, ids: &mut Ids, now: Millis) -> Version {
        let Self { kty, size, curve, ops, enabled, not_before, expires, tags } = self;
        let seed = ids.bytes();
        let modulus = modulus(&seed, size);
        let public = curve.as_deref().map_or_else(Map::new, |curve| point(&seed, curve));
        let id = ids.version();
        Version {
            id,
            kty,
            size,
            curve,
            ops,
            enabled,
            not_before,
            expires,
            created: now,
            updated: now,
            tags,
            modulus,
            public,
        }
    }
}

/// How long a coordinate is on a curve that Key Vault knows.
fn coordinate_bytes(curve: &str) -> Option<usize> {
    match curve {
        "P-256" | "P-256K" => Some(32),
        "P-384" => Some(48),
        "P-521" => Some(66),
        _ => None,
    }
}

/// Two coordinates of the right length; the point is on no curve.
fn point(seed: &[u8; 32], curve: &str) -> Map<String, Value> {
    let coordinate = |name: &str| {
        let blocks = (0..3_u8).flat_map(|block| Sha256::digest([seed.as_slice(), name.as_bytes(), &[block]].concat()));
        let bytes: Vec<u8> = blocks.take(coordinate_bytes(curve).unwrap_or_default()).collect();
        (name.to_owned(), json!(azure_core::base64::encode_url_safe(bytes)))
    };
    ["x", "y"].map(coordinate).into_iter().collect()
}

/// As many bytes as a modulus of `bits` has, with the two bits set that every modulus has set.
fn modulus(seed: &[u8; 32], bits: u32) -> String {
    let blocks = (0..bits / 256).map(|block| Sha256::digest([seed.as_slice(), &block.to_be_bytes()].concat()));
    let mut bytes: Vec<u8> = blocks.flatten().collect();
    if let Some(first) = bytes.first_mut() {
        *first |= 0x80;
    }
    if let Some(last) = bytes.last_mut() {
        *last |= 1;
    }
    azure_core::base64::encode_url_safe(bytes)
}

/// Why a name cannot be used for a new key, as the pair of inner code and text.
pub(super) fn reserved(vault: &Vault, name: &str, now: Millis) -> Option<(&'static str, String)> {
    let deleted = vault.deleted_keys.get(&name.to_ascii_lowercase())?;
    if now < deleted.visible {
        return Some(("ObjectIsBeingDeleted", format!("Key {name} is currently being deleted.")));
    }
    let text = format!(
        "Key {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the key can only be recovered or purged."
    );
    Some(("ObjectIsDeletedButRecoverable", text))
}

/// 1 to 127 letters, digits and hyphens.
pub(super) fn valid_name(name: &str) -> bool {
    (1..=127).contains(&name.len()) && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
}

/// Adds a version to a key, which it makes if need be, and gives the key.
pub(super) fn add_version<'a>(vault: &'a mut Vault, name: &str, version: Version, now: Millis) -> &'a Key {
    let key = vault.keys.entry(name.to_ascii_lowercase());
    let key = key.or_insert_with(|| Key { name: name.to_owned(), versions: Vec::new(), visible: now, rotation: None });
    key.versions.push(version);
    key
}
