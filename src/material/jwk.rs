//! A key pair from a JSON web key.

use super::{Bad, MEMBERS};
use azure_core::base64::decode_url_safe;
use serde::Deserialize;
use zeroize::Zeroizing;

/// The members that matter; a text here is wiped when it is read. Others, such as `kid` and `key_ops`, are passed over.
#[derive(Deserialize)]
struct Wire {
    kty: Option<String>,
    n: Option<Zeroizing<String>>,
    e: Option<Zeroizing<String>>,
    d: Option<Zeroizing<String>>,
    p: Option<Zeroizing<String>>,
    q: Option<Zeroizing<String>>,
    dp: Option<Zeroizing<String>>,
    dq: Option<Zeroizing<String>>,
    qi: Option<Zeroizing<String>>,
}

pub(super) fn read(text: &str) -> Result<[Zeroizing<Vec<u8>>; MEMBERS.len()], Bad> {
    // What the reader would say may hold a part of the text.
    let Wire { kty, n, e, d, p, q, dp, dq, qi } = serde_json::from_str(text).map_err(|_| Bad::Form)?;
    match kty.as_deref() {
        Some("RSA" | "RSA-HSM") => {}
        Some(_) => return Err(Bad::NotRsa),
        None => return Err(Bad::Form),
    }
    if d.is_none() {
        return Err(Bad::Public);
    }
    let mut numbers = [const { None }; MEMBERS.len()];
    for (place, member) in numbers.iter_mut().zip([n, e, d, p, q, dp, dq, qi]) {
        let text = member.ok_or(Bad::Broken)?;
        *place = Some(Zeroizing::new(decode_url_safe(text.trim_end_matches('=')).map_err(|_| Bad::Form)?));
    }
    Ok(numbers.map(Option::unwrap_or_default))
}
