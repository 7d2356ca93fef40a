//! Requests taken apart and answers put together: the only file that knows the `http` crate's types.

use std::collections::BTreeMap;

use http::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::Millis;
use super::tokens::Caller;

/// A request, taken apart.
pub(super) struct Ask {
    /// In capitals.
    pub method: String,
    /// In lower case, without a port.
    pub host: String,
    /// The path's segments as they were written, decoded. A trailing slash leaves no segment.
    pub path: Vec<String>,
    /// The query; names are in lower case, and keep their `$`.
    pub query: BTreeMap<String, String>,
    /// What came after `Bearer`.
    pub bearer: Option<String>,
    /// When the request came, on the clock of tokens.
    pub at: Millis,
    /// The directory of the world that is asked.
    pub tenant: String,
    /// Who carries the token, once the token has been looked at; nobody before that.
    pub caller: Caller,
    pub body: Vec<u8>,
}

impl Ask {
    pub(super) fn read(request: &http::Request<Vec<u8>>) -> Self {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let host = request.uri().host().or_else(|| header("host")).unwrap_or_default();
        let host = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
        let bearer = header("authorization")
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim().to_owned());
        let query = pairs(request.uri().query().unwrap_or_default().as_bytes());
        Self {
            method: request.method().as_str().to_ascii_uppercase(),
            host,
            path: segments(request.uri().path()),
            query: query.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect(),
            bearer,
            at: Millis::default(),
            tenant: String::new(),
            caller: Caller::default(),
            body: request.body().clone(),
        }
    }

    /// The path's segments in lower case: Azure's paths do not distinguish.
    pub(super) fn path_lower(&self) -> Vec<String> {
        self.path.iter().map(|segment| segment.to_ascii_lowercase()).collect()
    }

    pub(super) fn api_version(&self) -> &str {
        self.query.get("api-version").map_or("", String::as_str)
    }

    /// The body as a JSON object; an absent body is an empty object.
    pub(super) fn object(&self) -> Result<Value, Answer> {
        if self.body.is_empty() {
            return Ok(json!({}));
        }
        let unread = |why: String| {
            let text = format!("The request content was invalid and could not be deserialized: '{why}'.");
            Answer::error(400, "InvalidRequestContent", &text).gateway()
        };
        let value: Value = serde_json::from_slice(&self.body).map_err(|error| unread(error.to_string()))?;
        if value.is_object() { Ok(value) } else { Err(unread("an object was expected".into())) }
    }

    /// Whether the request, by its kind, leaves the world as it is.
    pub(super) fn only_reads(&self) -> bool {
        match self.method.as_str() {
            "GET" | "HEAD" | "OPTIONS" => true,
            "POST" => self.path.last().is_some_and(|last| {
                ["checknameavailability", "getbyids", "listkeys", "token", "wrapkey", "unwrapkey"]
                    .contains(&last.to_ascii_lowercase().as_str())
            }),
            _ => false,
        }
    }
}

/// The pairs of a form or a query.
pub(super) fn pairs(text: &[u8]) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(text).into_owned().collect()
}

fn segments(path: &str) -> Vec<String> {
    let whole = path.split('/').filter(|segment| !segment.is_empty());
    whole.map(percent_decoded).collect()
}

/// A form decoder with the three things undone that a path does not share with a form.
fn percent_decoded(segment: &str) -> String {
    let form = segment.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let decoded = url::form_urlencoded::parse(form.as_bytes()).next();
    decoded.map_or_else(String::new, |(name, _)| name.into_owned())
}

/// An answer before it is written out.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Option<Value>,
}

/// What a service gives back: `Err` is an answer as well, of the unwelcome kind.
pub(super) type Reply = Result<Answer, Answer>;

impl Answer {
    pub(super) const fn json(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body: Some(body) }
    }

    pub(super) const fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: None }
    }

    /// Azure's error body.
    pub(super) fn error(status: u16, code: &str, message: &str) -> Self {
        Self::json(status, json!({"error": {"code": code, "message": message}}))
    }

    /// An error with the inner code that the Key Vault data plane adds.
    pub(super) fn inner_error(status: u16, code: &str, message: &str, inner: &str) -> Self {
        Self::json(status, json!({"error": {"code": code, "message": message, "innererror": {"code": inner}}}))
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Marks a refusal by Resource Manager itself, which no resource provider has seen.
    pub(super) fn gateway(self) -> Self {
        self.header("x-ms-failure-cause", "gateway")
    }

    pub(super) fn written(self) -> http::Response<Vec<u8>> {
        let (kind, body) = match &self.body {
            Some(value) => ("application/json; charset=utf-8", value.to_string().into_bytes()),
            None => ("text/plain; charset=utf-8", Vec::new()),
        };
        let mut response = http::Response::new(body);
        *response.status_mut() = http::StatusCode::from_u16(self.status).unwrap_or_default();
        let length = response.body().len().to_string();
        let fixed = [("content-type", kind.to_owned()), ("content-length", length)];
        for (name, value) in fixed.into_iter().chain(self.headers) {
            // A header that cannot be written, say because a tag got into it, is left out.
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}
