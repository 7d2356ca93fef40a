//! Fingerprints: the same things give the same digest, whenever and wherever it is made.

use crate::model::{Observed, Timestamp};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// SHA-256 over texts and counts.
///
/// Each text goes in with its length before it, and each list with its count, so that no two things run together to
/// the same bytes.
#[derive(Default)]
pub(super) struct Digest(Sha256);

impl Digest {
    /// Takes in texts.
    pub(super) fn texts<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) {
        for text in texts {
            self.count(text.len());
            self.0.update(text.as_bytes());
        }
    }

    /// Takes in how many follow.
    pub(super) fn count(&mut self, count: usize) {
        self.0.update((count as u64).to_be_bytes());
    }

    /// The digest, in hexadecimal digits.
    pub(super) fn end(self) -> String {
        hexadecimal(&self.0.finalize())
    }
}

/// SHA-256 of a text, in hexadecimal digits: what binds a receipt to the spec that it is of.
pub fn text_digest(text: &str) -> String {
    hexadecimal(&Sha256::digest(text.as_bytes()))
}

/// SHA-256 over what was observed, but for the moment, the locks and who else is beside: two looks at the same estate give the same.
///
/// Only to be compared within one version of `cmk`, since another may look at more.
pub(super) fn fingerprint(observed: &Observed) -> String {
    // A lock stops a plan or does not; no step is another one because of it, or of an account beside it. Nor does how far
    // somebody wished to see make another estate of it.
    let (locks, outsiders) = (std::collections::BTreeMap::new(), std::collections::BTreeMap::new());
    let mut hash = Hashing(Sha256::new());
    // Writing to a hash cannot fail.
    let seen = Observed { at: Timestamp::default(), locks, outsiders, sweep: None, ..observed.clone() };
    let _ = write!(hash, "{seen:?}");
    hexadecimal(&hash.0.finalize())
}

/// A text that is hashed as it is written, and never stands anywhere as a whole.
struct Hashing(Sha256);

impl std::fmt::Write for Hashing {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
