//! What came back: held against limits and against what was asked before anything is read of it. Sends nothing.

use super::asked;
use super::call::{Answer, Call};
use super::cloud::Cloud;
use super::failure::{Failure, Kind, clean};
use super::retry::{header, retry_after};
use super::said;
use azure_core::http::RawResponse;
use azure_core::http::headers::Headers;
use serde_json::Value;
use url::Url;

/// The largest body that is taken, unpacked. The largest that Azure gives, a full page of accounts, has some hundred
/// kilobytes.
pub(super) const BODY_BYTES_MAX: usize = 8 << 20;

/// Reads an answer to a call that went to `url`. Every failure bears Azure's id for the request.
pub(super) fn answer(call: &Call, cloud: &Cloud, url: &Url, response: &RawResponse) -> Result<Answer, Failure> {
    let request_id = request_id(response.headers());
    read(call, cloud, url, response).map_err(|failure| failure.under(request_id.as_deref()))
}

/// Azure's id for a request: one header or another, depending on the service.
pub(super) fn request_id(headers: &Headers) -> Option<String> {
    ["x-ms-request-id", "x-ms-correlation-request-id"].into_iter().find_map(|name| header(headers, name)).map(clean)
}

/// A body that is larger than is taken, from whatever call.
pub(super) fn too_large() -> Failure {
    Failure::new(Kind::Unintelligible, format!("the answer is larger than {} MiB", BODY_BYTES_MAX >> 20))
}

fn read(call: &Call, cloud: &Cloud, url: &Url, response: &RawResponse) -> Result<Answer, Failure> {
    let status = u16::from(response.status());
    let headers = response.headers();
    let bytes: &[u8] = response.body();
    if bytes.len() > BODY_BYTES_MAX {
        return Err(too_large().of(call));
    }
    if (300..400).contains(&status) {
        return Err(redirected(status, headers).of(call));
    }
    if !(200..300).contains(&status) {
        return Err(said::read(status, bytes).of(call));
    }
    let body = body(call, headers, bytes)?;
    asked::check(call, cloud, &body)?;
    let link = |name| header(headers, name).and_then(|text| url.join(text).ok());
    Ok(Answer {
        status,
        body,
        retry_after: retry_after(headers),
        location: link("location"),
        operation: link("azure-asyncoperation"),
        request_id: request_id(headers),
        size_bytes: bytes.len(),
    })
}

/// Azure redirects none of our requests, so something else answered; and a token is not for wherever that points.
fn redirected(status: u16, headers: &Headers) -> Failure {
    let to = header(headers, "location").map_or_else(String::new, |location| format!(" to {location}"));
    let mut failure = Failure::new(Kind::Unintelligible, format!("a redirect{to}, which is not followed"));
    failure.said.status = Some(status);
    failure
}

fn body(call: &Call, headers: &Headers, bytes: &[u8]) -> Result<Value, Failure> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    let kind = header(headers, "content-type").unwrap_or("application/json");
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !(essence.ends_with("/json") || essence.ends_with("+json")) {
        return Err(Failure::unintelligible(call, format!("the body is not JSON: it is said to be {kind}")));
    }
    serde_json::from_slice(bytes)
        .map_err(|error| Failure::unintelligible(call, format!("the body is not JSON: {error}")))
}
