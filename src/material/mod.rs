//! Key material of one's own: read, known by its thumbprint, and wiped after use.
//!
//! Pure: files and the environment are read in `cli`. Nothing here ends up in a message: what is wrong is said in words
//! that hold nothing of what was read. Of a `Material`, `Debug` shows the thumbprint alone.

mod jwk;
mod pem;
mod product;
#[cfg(test)]
mod tests;

use crate::model::key::KEY_SIZES_BITS;
use crate::model::{KeyRef, Thumbprint};
use azure_core::base64::encode_url_safe;
use serde_json::{Map, Value};
#[cfg(feature = "sandbox")]
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use zeroize::{Zeroize as _, Zeroizing};

/// More than any key file in bytes: one of 4096 bits has some 3300 in PEM.
pub const READ_LIMIT_BYTES: usize = 64 << 10;

/// The members of a private RSA key in a JSON web key, in the order of PKCS#1.
const MEMBERS: [&str; 8] = ["n", "e", "d", "p", "q", "dp", "dq", "qi"];

/// An RSA key pair.
pub struct Material {
    /// The numbers by [`MEMBERS`], the highest byte first and without zeros in front.
    numbers: [Zeroizing<Vec<u8>>; MEMBERS.len()],
}

/// Why something is no material for a key. Says nothing of what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Bad {
    /// No form that is known.
    #[error("it is neither a private key in PEM (PKCS#8 or PKCS#1) nor a JSON web key")]
    Form,
    /// Another kind of key.
    #[error("it is no RSA key")]
    NotRsa,
    /// A public half alone.
    #[error("it is a public key; the private half is needed")]
    Public,
    /// No passphrase for an encrypted one.
    #[error("it is encrypted, and no passphrase is given")]
    Encrypted,
    /// A passphrase that does not open it, or another encryption.
    #[error(
        "its passphrase does not open it, or it is encrypted in a way that is not known (known: PBES2 with PBKDF2 or scrypt, and AES)"
    )]
    Locked,
    /// A size that Storage does not take.
    #[error("it has {0} bits; storage takes RSA keys of 2048, 3072 and 4096")]
    Size(u32),
    /// Numbers that do not belong together.
    #[error("its numbers do not belong together: the modulus is not the product of the primes, or a number is missing")]
    Broken,
}

impl Material {
    /// Reads PEM or a JSON web key.
    pub fn read(text: &[u8], passphrase: Option<&[u8]>) -> Result<Self, Bad> {
        let text = std::str::from_utf8(text).map_err(|_| Bad::Form)?.trim();
        let numbers = if text.starts_with('{') { jwk::read(text)? } else { pem::read(text, passphrase)? };
        Self::of(numbers)
    }

    fn of(mut numbers: [Zeroizing<Vec<u8>>; MEMBERS.len()]) -> Result<Self, Bad> {
        for number in &mut numbers {
            let zeros = number.iter().take_while(|byte| **byte == 0).count();
            number.drain(..zeros);
        }
        let bits = bits(&numbers[0]);
        if !KEY_SIZES_BITS.contains(&bits) {
            return Err(Bad::Size(bits));
        }
        let [modulus, public, private, one_prime, other_prime, ..] = &numbers;
        let is_complete = numbers.iter().all(|number| !number.is_empty());
        let is_odd = public.last().is_some_and(|last| last % 2 == 1);
        let fits = private.len() <= modulus.len() && one_prime.len() + other_prime.len() <= modulus.len() + 1;
        let belongs = fits && product::of(one_prime, other_prime).as_slice() == modulus.as_slice();
        if is_complete && is_odd && belongs { Ok(Self { numbers }) } else { Err(Bad::Broken) }
    }

    /// Numbers of the right length that stand for a key where nothing is ever wrapped: they are no key.
    ///
    /// The same name and size give the same numbers.
    #[cfg(feature = "sandbox")]
    pub fn stand_in(name: &str, bits: u32) -> Self {
        let bytes = usize::try_from(bits / 8).unwrap_or_default();
        let number = |member: &str, length: usize| {
            let blocks = (0..length.div_ceil(32)).flat_map(|at| Sha256::digest(format!("{name} {member} {at}")));
            let mut number: Vec<u8> = blocks.take(length).collect();
            number.first_mut().into_iter().for_each(|first| *first |= 0x80);
            number.last_mut().into_iter().for_each(|last| *last |= 1);
            Zeroizing::new(number)
        };
        let numbers = MEMBERS.map(|member| match member {
            "e" => Zeroizing::new(vec![1, 0, 1]),
            "n" | "d" => number(member, bytes),
            _ => number(member, bytes / 2),
        });
        Self { numbers }
    }

    /// Which key it is.
    pub fn thumbprint(&self) -> Thumbprint {
        let [n, e, ..] = &self.numbers;
        Thumbprint::of_rsa(n, e)
    }

    /// The size of its modulus in bits.
    pub fn bits(&self) -> u32 {
        bits(&self.numbers[0])
    }

    /// The JSON web key with all its private members, to be wiped after use: see [`wipe`].
    pub(crate) fn jwk(&self) -> Value {
        let members = MEMBERS.iter().zip(&self.numbers);
        let mut jwk: Map<String, Value> =
            members.map(|(name, number)| ((*name).to_owned(), encode_url_safe(number.as_slice()).into())).collect();
        jwk.insert("kty".to_owned(), "RSA".into());
        jwk.into()
    }
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Material({})", self.thumbprint())
    }
}

fn bits(modulus: &[u8]) -> u32 {
    let bytes = u32::try_from(modulus.len()).unwrap_or(u32::MAX / 8);
    (bytes * 8).saturating_sub(modulus.first().map_or(0, |first| first.leading_zeros()))
}

/// Overwrites the texts of a JSON web key. Copies that the network's layers made of it are out of reach.
pub(crate) fn wipe(jwk: Option<Value>) {
    let Some(Value::Object(members)) = jwk else { return };
    for (_, member) in members {
        if let Value::String(mut text) = member {
            text.zeroize();
        }
    }
}

/// The material of keys that are to be imported, at hand before the first step is taken.
#[derive(Debug, Clone, Default)]
pub struct Materials(BTreeMap<KeyRef, Arc<Material>>);

impl Materials {
    /// Puts a key's material at hand.
    pub fn add(&mut self, key: KeyRef, material: Material) {
        self.0.insert(key, Arc::new(material));
    }

    /// The material of a key, if it is the one that is meant.
    pub fn get(&self, key: &KeyRef, meant: &Thumbprint) -> Option<&Material> {
        self.0.get(key).map(Arc::as_ref).filter(|material| material.thumbprint() == *meant)
    }
}
