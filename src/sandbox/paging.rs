//! Pages of Resource Manager's lists: rows in the order of their ids, and a link that says after which to go on.

use super::wire::{Answer, Ask};

/// The rows of the page that is asked for, and the link of the next page if there is one.
pub(super) fn page<T>(ask: &Ask, mut rows: Vec<(String, T)>, size: usize) -> Result<(Vec<T>, Option<String>), Answer> {
    let after = match ask.query.get("$skiptoken") {
        None => String::new(),
        Some(token) => read(token).ok_or_else(|| {
            let text = "The provided continuation token is not valid.";
            Answer::error(400, "InvalidContinuationToken", text)
        })?,
    };
    rows.sort_by(|one, other| one.0.cmp(&other.0));
    let mut rest = rows.into_iter().filter(|(id, _)| *id > after).peekable();
    let page: Vec<(String, T)> = rest.by_ref().take(size).collect();
    let next = page.last().filter(|_| rest.peek().is_some()).map(|(last, _)| link(ask, last));
    Ok((page.into_iter().map(|(_, row)| row).collect(), next))
}

fn read(token: &str) -> Option<String> {
    String::from_utf8(azure_core::base64::decode_url_safe(token).ok()?).ok()
}

/// The same request once more, after a row.
fn link(ask: &Ask, last: &str) -> String {
    let kept = ask.query.iter().filter(|(name, _)| *name != "$skiptoken" && *name != "api-version");
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("api-version", ask.api_version());
    query.extend_pairs(kept);
    query.append_pair("$skiptoken", &azure_core::base64::encode_url_safe(last));
    format!("https://{}/{}?{}", ask.host, ask.path.join("/"), query.finish())
}
