//! The plan's fingerprint: the same steps for the same reasons give the same digest, whenever and wherever it is made.

use super::risk::Risk;
use super::types::{Change, Step};
use crate::model::{Observed, Timestamp};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// SHA-256 over the steps, in hexadecimal digits.
///
/// Each text goes in with its length before it, so that no two plans run together to the same bytes.
pub(super) fn digest(steps: &[Step]) -> String {
    let mut hash = Sha256::new();
    for step in steps {
        let Step { id, action, because, needs: _, gives: _, after, risks } = step;
        for text in [id.0.as_str(), action.name(), &action.resource()] {
            feed(&mut hash, text);
        }
        feed(&mut hash, &format!("{} risks, {} changes, after {} steps", risks.len(), because.len(), after.len()));
        for Risk { class, object, why, consent } in risks {
            for text in [class.as_str(), object, why, consent.as_str()] {
                feed(&mut hash, text);
            }
        }
        for Change { resource, path, before, after } in because {
            for text in [resource.as_str(), path, before.as_deref().unwrap_or("\u{0}"), after] {
                feed(&mut hash, text);
            }
        }
        for id in after {
            feed(&mut hash, &id.0);
        }
    }
    hexadecimal(&hash.finalize())
}

/// SHA-256 of a text, in hexadecimal digits: what binds a receipt to the spec that it is of.
pub fn text_digest(text: &str) -> String {
    hexadecimal(&Sha256::digest(text.as_bytes()))
}

/// SHA-256 over what was observed, but for the moment: two looks at the same estate give the same.
///
/// Only to be compared within one version of `cmk`, since another may look at more.
pub(super) fn fingerprint(observed: &Observed) -> String {
    let mut hash = Hashing(Sha256::new());
    // Writing to a hash cannot fail.
    let _ = write!(hash, "{:?}", Observed { at: Timestamp::default(), ..observed.clone() });
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

fn feed(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_be_bytes());
    hash.update(text.as_bytes());
}
