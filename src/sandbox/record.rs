//! The record of a sandbox: every exchange as a line of JSON, without what opens anything.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{Millis, redact};

/// A file that exchanges are added to.
pub(super) struct Record(File);

impl Record {
    /// Opens the file, for its owner's eyes only, and writes at its end.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if path.symlink_metadata().is_ok_and(|found| found.file_type().is_symlink()) {
            return Err(io::Error::other("it is a symbolic link"));
        }
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        Ok(Self(file))
    }

    /// Adds an exchange; no answer is a connection that was cut.
    pub(super) fn write(
        &self,
        now: Millis,
        request: &http::Request<Vec<u8>>,
        answer: Option<&http::Response<Vec<u8>>>,
    ) {
        let line = format!("{}\n", line(now, request, answer));
        if let Err(error) = (&self.0).write_all(line.as_bytes()) {
            tracing::warn!(%error, "an exchange could not be recorded");
        }
    }
}

fn line(now: Millis, request: &http::Request<Vec<u8>>, answer: Option<&http::Response<Vec<u8>>>) -> Value {
    let uri = request.uri();
    let named = request.headers().get("host").and_then(|host| host.to_str().ok());
    let host = uri.host().or(named).unwrap_or_default().split(':').next().unwrap_or_default().to_ascii_lowercase();
    let query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let query: Map<String, Value> =
        query.map(|(name, value)| (name.to_string(), redact::named(&name, json!(value)))).collect();
    let path = uri.path();
    json!({
        "at": now.0,
        "method": request.method().as_str(),
        "host": host,
        "path": path,
        "query": query,
        "requestHeaders": headers(request.headers()),
        "requestBody": body(path, request.headers(), request.body()),
        "status": answer.map(|answer| answer.status().as_u16()),
        "responseHeaders": answer.map(|answer| headers(answer.headers())),
        "responseBody": answer.map(|answer| body(path, answer.headers(), answer.body())),
    })
}

fn headers(headers: &http::HeaderMap) -> Map<String, Value> {
    let open = headers.iter().filter(|(name, _)| !redact::is_secret_header(name.as_str()));
    open.map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), redact::value(json!(value)))
    })
    .collect()
}

/// JSON as JSON, a form as an object, other text as text, and of anything else its length.
fn body(path: &str, headers: &http::HeaderMap, body: &[u8]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    if let Ok(value) = serde_json::from_slice(body) {
        return redact::body(path, value);
    }
    let kind = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    // A form that is not declared as one may hold a password all the same.
    let mut pairs = url::form_urlencoded::parse(body);
    if kind.starts_with("application/x-www-form-urlencoded") || pairs.any(|(name, _)| redact::is_secret(&name)) {
        let pairs = url::form_urlencoded::parse(body);
        let open = pairs.map(|(name, value)| (name.to_string(), redact::named(&name, json!(value))));
        return Value::Object(open.collect());
    }
    match std::str::from_utf8(body) {
        Ok(text) => redact::value(json!(text)),
        Err(_) => json!({"bytes": body.len()}),
    }
}
