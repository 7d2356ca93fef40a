//! Keys whose material comes from outside: where it is, and how it is known again.

use super::ids::BadName;
use azure_core::base64::{decode_url_safe, encode_url_safe};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// The material that a key is to be made of. Only applying reads it; all else goes by its thumbprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyImport {
    /// Where it is.
    pub source: MaterialSource,
    /// The environment variable that holds the passphrase of an encrypted file.
    pub passphrase: Option<String>,
    /// Which key it is.
    pub thumbprint: Thumbprint,
}

/// Where key material is to be found when a plan is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MaterialSource {
    /// A file below the folder of keys, with slashes between the parts of its path.
    File(String),
    /// An environment variable.
    Variable(String),
}

impl fmt::Display for MaterialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {path}"),
            Self::Variable(name) => write!(f, "environment variable {name}"),
        }
    }
}

/// The thumbprint of an RSA key's public half, as RFC 7638 has it: SHA-256 in base64url, 43 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thumbprint(String);

/// A thumbprint is of 32 bytes.
const BYTES: usize = 32;
const CHARACTERS: usize = 43;

impl Thumbprint {
    /// Takes 43 characters of base64url.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let plain = text.len() == CHARACTERS
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        let bytes = decode_url_safe(text).ok().filter(|bytes| plain && bytes.len() == BYTES);
        // The last character holds four bits: of the ways to write it, one is right.
        match bytes.map(encode_url_safe).filter(|again| again == text) {
            Some(text) => Ok(Self(text)),
            None => Err(BadName("must be 43 characters of base64url".to_owned())),
        }
    }

    /// The thumbprint of the key with this modulus and exponent, in bytes, the highest first.
    pub fn of_rsa(modulus: &[u8], exponent: &[u8]) -> Self {
        let [n, e] = [modulus, exponent].map(|number| {
            let zeros = number.iter().take_while(|byte| **byte == 0).count();
            encode_url_safe(&number[zeros..])
        });
        Self(encode_url_safe(Sha256::digest(format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#))))
    }

    /// The 43 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7638, section 3.1.
    const MODULUS: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    const THUMBPRINT: &str = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";

    #[test]
    fn a_thumbprint_is_as_the_rfc_has_it_and_zeros_in_front_do_not_matter() {
        let modulus = decode_url_safe(MODULUS).unwrap();
        assert_eq!(Thumbprint::of_rsa(&modulus, &[1, 0, 1]).as_str(), THUMBPRINT);
        let padded: Vec<u8> = std::iter::once(0).chain(modulus).collect();
        assert_eq!(Thumbprint::of_rsa(&padded, &[0, 1, 0, 1]).as_str(), THUMBPRINT);
    }

    #[test]
    fn a_thumbprint_is_written_in_one_way() {
        assert_eq!(Thumbprint::parse(THUMBPRINT).unwrap().as_str(), THUMBPRINT);
        let other_bits = THUMBPRINT.replace("9Xs", "9Xt");
        for wrong in
            ["", "abc", &THUMBPRINT[1..], &format!("{THUMBPRINT}="), &other_bits, &THUMBPRINT.replace('-', "+")]
        {
            assert!(Thumbprint::parse(wrong).is_err(), "{wrong}");
        }
    }
}
