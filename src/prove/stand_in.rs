//! Stand-ins for key material of one's own: a proof needs none of it, and has none.
//!
//! Each key that a spec brings is taken for another one of the same size, whose thumbprint then stands in the spec that is
//! played. What is proved does not hang on which key it is: the product handles the stand-in as it handles yours.

use crate::material::{Material, Materials};
use crate::model::{Desired, KeyRef, SeenKey};
use serde_json::{Value, json};

/// The stand-in for one key.
fn stand_in(key: &KeyRef, bits: u32) -> Material {
    Material::stand_in(&key.to_string().to_ascii_lowercase(), bits)
}

/// What is desired, with the thumbprints of stand-ins.
pub fn with_stand_ins(desired: &Desired) -> Desired {
    let mut played = desired.clone();
    for (vault, wanted) in &mut played.vaults {
        for (name, key) in &mut wanted.keys {
            if let (Some(own), Some(create)) = (&mut key.import, &key.create) {
                let of = KeyRef { vault: vault.clone(), name: name.clone() };
                own.thumbprint = stand_in(&of, create.size_bits).thumbprint();
            }
        }
    }
    played
}

/// The public half of the stand-in for a key, where the key that was seen is the one that the spec brings.
pub(super) fn public(desired: &Desired, key: &KeyRef, seen: &SeenKey) -> Option<Value> {
    let wanted = desired.key(key)?;
    let (own, create) = wanted.import.as_ref().zip(wanted.create.as_ref())?;
    seen.current()?.thumbprint.as_ref().filter(|is| **is == own.thumbprint)?;
    let jwk = stand_in(key, create.size_bits).jwk();
    Some(json!({ "n": jwk["n"], "e": jwk["e"] }))
}

/// The stand-ins for all keys that are brought.
pub(super) fn materials(desired: &Desired) -> Materials {
    let mut materials = Materials::default();
    for (key, wanted) in desired.keys() {
        if let (Some(_), Some(create)) = (&wanted.import, &wanted.create) {
            let material = stand_in(&key, create.size_bits);
            materials.add(key, material);
        }
    }
    materials
}
