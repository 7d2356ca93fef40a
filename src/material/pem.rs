//! A key pair from PEM: PKCS#8, encrypted or not, and PKCS#1.

use super::{Bad, MEMBERS};
use pkcs1::RsaPrivateKey;
use pkcs1::der::asn1::UintRef;
use pkcs8::der::Decode as _;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef, SecretDocument};
use zeroize::Zeroizing;

/// How much a file may ask for to be opened: what is usual is below a million rounds, and 32 MiB.
const ROUNDS_MAX: u64 = 10_000_000;
const MEMORY_BYTES_MAX: u64 = 256 << 20;

pub(super) fn read(text: &str, passphrase: Option<&[u8]>) -> Result<[Zeroizing<Vec<u8>>; MEMBERS.len()], Bad> {
    let (label, document) = SecretDocument::from_pem(text).map_err(|_| Bad::Form)?;
    match label {
        "RSA PRIVATE KEY" => pkcs1(document.as_bytes()),
        "PRIVATE KEY" => pkcs8(document.as_bytes()),
        "ENCRYPTED PRIVATE KEY" => pkcs8(opened(document.as_bytes(), passphrase.ok_or(Bad::Encrypted)?)?.as_bytes()),
        "PUBLIC KEY" | "RSA PUBLIC KEY" => Err(Bad::Public),
        "EC PRIVATE KEY" => Err(Bad::NotRsa),
        _ => Err(Bad::Form),
    }
}

fn opened(der: &[u8], passphrase: &[u8]) -> Result<SecretDocument, Bad> {
    let locked = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| Bad::Form)?;
    if !is_affordable(&locked.encryption_algorithm) {
        return Err(Bad::Locked);
    }
    locked.decrypt(passphrase).map_err(|_| Bad::Locked)
}

/// Whether a file can be opened with sensible time and memory: it says itself how much that takes.
fn is_affordable(scheme: &EncryptionScheme) -> bool {
    let EncryptionScheme::Pbes2(parameters) = scheme else { return false };
    match &parameters.kdf {
        Kdf::Pbkdf2(kdf) => u64::from(kdf.iteration_count) <= ROUNDS_MAX,
        Kdf::Scrypt(kdf) => {
            let memory = u64::from(kdf.block_size).saturating_mul(kdf.cost_parameter).saturating_mul(128);
            memory <= MEMORY_BYTES_MAX && u64::from(kdf.parallelization) <= 16
        }
        _ => false,
    }
}

fn pkcs8(der: &[u8]) -> Result<[Zeroizing<Vec<u8>>; MEMBERS.len()], Bad> {
    let info = PrivateKeyInfoRef::from_der(der).map_err(|_| Bad::Form)?;
    if info.algorithm.oid != pkcs1::ALGORITHM_OID {
        return Err(Bad::NotRsa);
    }
    pkcs1(info.private_key.as_bytes())
}

fn pkcs1(der: &[u8]) -> Result<[Zeroizing<Vec<u8>>; MEMBERS.len()], Bad> {
    let key = RsaPrivateKey::<UintRef<'_>>::from_der(der).map_err(|_| Bad::Form)?;
    if key.other_prime_infos.is_some() {
        return Err(Bad::Broken);
    }
    let numbers = [
        key.modulus,
        key.public_exponent,
        key.private_exponent,
        key.prime1,
        key.prime2,
        key.exponent1,
        key.exponent2,
        key.coefficient,
    ];
    Ok(numbers.map(|number| Zeroizing::new(number.as_bytes().to_vec())))
}
