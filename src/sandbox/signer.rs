//! The key that signs tokens: made when a process first needs one, and kept nowhere.
//!
//! It is of the process and not of a world, so that no state file holds a secret and a snapshot of a world
//! believes the tokens of the original. A signature holds a random number: two tokens that say the same differ
//! in their last part, and nothing else may depend on that part.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::LazyLock;

use azure_core::base64::encode_url_safe;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const RANDOM: &str = "the system gives random numbers";

static PAIR: LazyLock<EcdsaKeyPair> = LazyLock::new(|| {
    let random = SystemRandom::new();
    let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect(RANDOM);
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random)
        .expect("a key pair that was just made is one")
});

/// A signature over a text: the two numbers of ES256, one after the other.
pub(super) fn sign(text: &str) -> Vec<u8> {
    PAIR.sign(&SystemRandom::new(), text.as_bytes()).expect(RANDOM).as_ref().to_vec()
}

thread_local! {
    /// What was found to be signed lately. A client sends the same token with every request, and the arithmetic of a
    /// curve takes longer than all the rest of an answer.
    static VERIFIED: RefCell<VecDeque<(String, Vec<u8>)>> = const { RefCell::new(VecDeque::new()) };
}

/// How many of those are kept: one for each service of a few runs.
const VERIFIED_MAX: usize = 8;

/// Whether a signature is this process's own, over this text.
pub(super) fn verifies(text: &str, signature: &[u8]) -> bool {
    let known = |(one, its): &(String, Vec<u8>)| one == text && its == signature;
    if VERIFIED.with_borrow(|verified| verified.iter().any(known)) {
        return true;
    }
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, PAIR.public_key().as_ref());
    let is_ours = public.verify(text.as_bytes(), signature).is_ok();
    if is_ours {
        VERIFIED.with_borrow_mut(|verified| {
            verified.truncate(VERIFIED_MAX - 1);
            verified.push_front((text.to_owned(), signature.to_vec()));
        });
    }
    is_ours
}

/// What the key is called in the head of a token.
pub(super) fn key_id() -> String {
    encode_url_safe(&Sha256::digest(PAIR.public_key().as_ref())[..20])
}

/// The public half, as the keys document shows it.
pub(super) fn public_key() -> Value {
    // An uncompressed point: a byte that says so, and then the two coordinates.
    let point = PAIR.public_key().as_ref();
    let (x, y) = point.get(1..).unwrap_or_default().split_at(32);
    json!({
        "kty": "EC", "use": "sig", "alg": "ES256", "crv": "P-256", "kid": key_id(),
        "x": encode_url_safe(x), "y": encode_url_safe(y),
    })
}
