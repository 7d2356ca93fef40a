//! Wrapping and unwrapping at the vault's own door.
//!
//! What is done to the value is a stand-in: it is scrambled and sealed with hashes that depend on the key
//! version, so that only the version that wrapped it unwraps it, and it is no cryptography. Who may do it, with
//! which version and when is Key Vault's.

use azure_core::base64::{decode_url_safe, encode_url_safe};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::key_vault::{Door, bad_parameter, pick};
use super::keys::Version;
use super::wire::{Answer, Reply};

const ALGORITHMS: [&str; 3] = ["RSA-OAEP", "RSA-OAEP-256", "RSA1_5"];
const SEAL_BYTES: usize = 16;

/// The two things that can be done here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Wrap,
    Unwrap,
}

impl Turn {
    const fn name(self) -> &'static str {
        match self {
            Self::Wrap => "wrapKey",
            Self::Unwrap => "unwrapKey",
        }
    }
}

impl Door<'_> {
    pub(super) fn turn(&mut self, name: &str, version: &str, turn: Turn) -> Reply {
        let sent = self.ask.object()?;
        let now = self.now;
        let vault = &*self.vault(turn.name())?;
        let (key, version) = pick(vault, name, Some(version), now)?;
        check(version, turn, now.seconds())?;
        let algorithm = sent["alg"].as_str().unwrap_or_default();
        if !ALGORITHMS.contains(&algorithm) {
            return Err(bad_parameter(&format!("Property  has invalid value\r\nalg: {algorithm}")));
        }
        let value = sent["value"].as_str().and_then(|value| decode_url_safe(value).ok());
        let value = value.ok_or_else(|| bad_parameter("Property has invalid value: value"))?;
        let turned = match turn {
            Turn::Wrap => wrapped(version, &value),
            Turn::Unwrap => unwrapped(version, &value).ok_or_else(|| bad_parameter("Unable to decrypt the value."))?,
        };
        let kid = format!("{}/keys/{}/{}", vault.uri(), key.name, version.id);
        Ok(Answer::json(200, json!({"kid": kid, "value": encode_url_safe(turned)})))
    }
}

/// A disabled version does nothing. An expired one, or one that is not good yet, wraps no more but unwraps.
fn check(version: &Version, turn: Turn, now_seconds: i64) -> Result<(), Answer> {
    let name = turn.name();
    let refused = |inner: &str, text: &str| Err(Answer::inner_error(403, "Forbidden", text, inner));
    if !version.enabled {
        return refused("KeyDisabled", &format!("Operation {name} is not allowed on a disabled key."));
    }
    if !version.ops.iter().any(|op| op.eq_ignore_ascii_case(name)) {
        let text = format!("Operation {name} is not permitted on this key.");
        return refused("KeyOperationForbidden", &text);
    }
    if turn == Turn::Unwrap {
        return Ok(());
    }
    if version.not_before.is_some_and(|begin| now_seconds < begin) {
        return refused("KeyNotYetValid", &format!("Operation {name} is not allowed on a key that is not yet valid."));
    }
    if version.expires.is_some_and(|end| end <= now_seconds) {
        return refused("KeyExpired", &format!("Operation {name} is not allowed on an expired key."));
    }
    Ok(())
}

fn wrapped(version: &Version, value: &[u8]) -> Vec<u8> {
    let mut whole = seal(version, value);
    whole.extend(scrambled(version, value));
    whole
}

fn unwrapped(version: &Version, whole: &[u8]) -> Option<Vec<u8>> {
    let (sealed, value) = whole.split_at_checked(SEAL_BYTES)?;
    let value = scrambled(version, value);
    (seal(version, &value) == sealed).then_some(value)
}

/// Done twice, it is undone.
fn scrambled(version: &Version, value: &[u8]) -> Vec<u8> {
    let blocks = value.chunks(32).enumerate().flat_map(|(index, block)| {
        let mask = Sha256::digest(format!("sandbox wrap {} {index}", version.id));
        block.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect::<Vec<u8>>()
    });
    blocks.collect()
}

fn seal(version: &Version, value: &[u8]) -> Vec<u8> {
    let mut hash = Sha256::new_with_prefix(format!("sandbox wrap seal {}", version.id));
    hash.update(value);
    hash.finalize()[..SEAL_BYTES].to_vec()
}
