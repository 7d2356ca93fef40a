//! Error answers of Azure, read: the four shapes of body, and which kind of failure each is. Sends nothing.

use super::failure::{Failure, Kind, Policy, Said, clean};
use serde_json::Value;

/// Reads an answer that is not 2xx. `body` may be anything: JSON in one of several shapes, HTML, nothing.
///
/// Not left to `azure_core`: it borrows code and message from the body and loses
/// both when the message holds an escape, as Azure's messages do.
pub fn read(status: u16, body: &[u8]) -> Failure {
    let parts = parts(body);
    let kind = kind(status, parts.code.as_deref(), parts.inner_code.as_deref());
    Failure { kind, said: Box::new(Said { status: Some(status), ..parts }) }
}

/// Reads the error object of a long-running operation that failed.
pub fn of_operation(error: &Value) -> Said {
    from_error(error)
}

fn parts(body: &[u8]) -> Said {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(fields)) => {
            let whole = Value::Object(fields);
            match whole.get("error") {
                Some(error @ Value::Object(_)) => from_error(error),
                // Entra: `{"error": "invalid_client", "error_description": …}`.
                Some(Value::String(code)) => Said {
                    code: Some(clean(code)),
                    message: text_of(&whole, &["error_description"]).unwrap_or_default(),
                    ..Said::default()
                },
                _ => from_error(&whole),
            }
        }
        Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) | Err(_) => {
            Said { message: plain(text), ..Said::default() }
        }
    }
}

fn from_error(error: &Value) -> Said {
    let inner = error.get("innererror").or_else(|| error.get("innerError"));
    let mut message = text_of(error, &["message", "Message"]).unwrap_or_default();
    let details = error.get("details").and_then(Value::as_array).into_iter().flatten();
    for detail in details.filter_map(|detail| text_of(detail, &["message"])) {
        if !message.contains(&detail) {
            message = if message.is_empty() { detail } else { format!("{message} {detail}") };
        }
    }
    Said {
        code: text_of(error, &["code", "Code"]),
        inner_code: inner.and_then(|inner| text_of(inner, &["code"])),
        policies: policies(error),
        message,
        ..Said::default()
    }
}

/// The Azure Policies that an error names: as additional information, in older answers as JSON inside the message.
fn policies(error: &Value) -> Vec<Policy> {
    let all = |name: &str| error.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let nested = all("details").into_iter().flat_map(|detail| policies(&detail));
    let told = all("additionalInfo").into_iter().filter_map(|one| {
        let info = one.get("info").filter(|_| one.get("type").is_some_and(|kind| kind == "PolicyViolation"))?;
        Some(Policy {
            assignment: text_of(info, &["policyAssignmentDisplayName", "policyAssignmentName"]),
            definition: text_of(info, &["policyDefinitionDisplayName", "policyDefinitionName"]),
        })
    });
    let told: Vec<Policy> = told.chain(nested).collect();
    if told.is_empty() { in_message(error).unwrap_or_default() } else { told }
}

fn in_message(error: &Value) -> Option<Vec<Policy>> {
    let message = error.get("message")?.as_str()?;
    let (_, from) = message.split_once("Policy identifiers: '")?;
    let (identifiers, _) = from.rsplit_once('\'')?;
    let identifiers: Vec<Value> = serde_json::from_str(identifiers).ok()?;
    let name = |one: &Value, which: &str| text_of(one.get(which)?, &["name"]);
    let policy =
        |one: &Value| Policy { assignment: name(one, "policyAssignment"), definition: name(one, "policyDefinition") };
    Some(identifiers.iter().map(policy).collect())
}

fn text_of(value: &Value, names: &[&str]) -> Option<String> {
    let text = names.iter().find_map(|name| value.get(name)).and_then(Value::as_str)?;
    Some(clean(text)).filter(|text| !text.is_empty())
}

/// The title of a page, as gateways and proxies send, or the text as it is.
fn plain(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title>").zip(lower.find("</title>")).and_then(|(from, to)| text.get(from + 7..to));
    match title {
        Some(title) => clean(title),
        None if lower.contains("<html") => "a page of HTML, not an answer of Azure's".to_owned(),
        None => clean(text),
    }
}

/// Codes of 409 that say that something else is under way and will end by itself.
const BUSY: [&str; 8] = [
    "StorageAccountOperationInProgress",
    "StorageAccountIsNotProvisioned",
    "AnotherOperationInProgress",
    "OperationInProgress",
    "ObjectIsBeingDeleted",
    "ObjectIsBeingRecovered",
    "ResourceGroupBeingDeleted",
    "VaultBeingProvisioned",
];

/// Codes that mean a missing permission whatever the status: ARM's `vaults/keys` answers 400 with the first.
const DENIED: [&str; 5] =
    ["ForbiddenByRbac", "ForbiddenByPolicy", "AuthorizationFailed", "LinkedAuthorizationFailed", "AccessDenied"];

fn kind(status: u16, code: Option<&str>, inner: Option<&str>) -> Kind {
    let among = |list: &[&str]| {
        [code, inner].into_iter().flatten().any(|said| list.iter().any(|one| one.eq_ignore_ascii_case(said)))
    };
    match status {
        _ if among(&DENIED) => Kind::Denied,
        // A 403 that no role helps against.
        403 if among(&["RequestDisallowedByPolicy"]) => Kind::Rejected,
        401 => Kind::Credential,
        403 => Kind::Denied,
        404 => Kind::NotFound,
        409 if among(&BUSY) => Kind::Busy,
        409 | 412 => Kind::Conflict,
        429 => Kind::Throttled,
        408 | 500..=599 => Kind::Server,
        300..=399 => Kind::Unintelligible,
        _ => Kind::Rejected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(status: u16, body: &str) -> Failure {
        read(status, body.as_bytes())
    }

    #[test]
    fn a_message_with_escapes_keeps_its_code() {
        let body = r#"{"error":{"code":"StorageAccountOperationInProgress","message":"Busy \"sa1\".\r\nTry \u0027later\u0027."}}"#;
        let failure = read_text(409, body);
        assert_eq!(failure.kind, Kind::Busy);
        assert_eq!(failure.summary(), "409 StorageAccountOperationInProgress: Busy \"sa1\". Try 'later'.");
    }

    #[test]
    fn a_missing_role_is_denied_even_when_arm_answers_400() {
        let body = r#"{"error":{"code":"BadRequest","message":"no","innererror":{"code":"ForbiddenByRbac"}}}"#;
        assert_eq!(read_text(400, body).kind, Kind::Denied);
        assert!(read_text(400, body).is("forbiddenbyrbac"));
    }

    #[test]
    fn bodies_without_an_envelope_are_read() {
        assert_eq!(read_text(400, r#"{"code":"X","message":"m"}"#).summary(), "400 X: m");
        assert_eq!(read_text(500, r#"{"Message":"An error has occurred."}"#).summary(), "500: An error has occurred.");
        assert_eq!(read_text(503, "").summary(), "503");
        assert_eq!(read_text(404, "null").kind, Kind::NotFound);
    }

    #[test]
    fn a_page_of_html_becomes_its_title() {
        let failure = read_text(502, "<html><head><title>502 Bad\nGateway</title></head><body>…</body></html>");
        assert_eq!(failure.summary(), "502: 502 Bad Gateway");
    }

    #[test]
    fn entras_errors_are_one_line() {
        let body =
            r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret.\r\nTrace ID: 1"}"#;
        assert_eq!(
            read_text(401, body).summary(),
            "401 invalid_client: AADSTS7000215: Invalid client secret. Trace ID: 1"
        );
    }

    #[test]
    fn nothing_from_outside_can_steer_a_terminal() {
        let body = "{\"error\":{\"code\":\"A\\u001b[31m\",\"message\":\"b\\u0007\\u202ec\\u009b1m\"}}";
        let shown = read_text(400, body).to_string();
        assert!(!shown.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')), "{shown:?}");
    }

    #[test]
    fn details_are_told_once() {
        let body = r#"{"error":{"code":"M","message":"not registered","details":[{"message":"not registered"},{"message":"use X"}]}}"#;
        assert_eq!(read_text(409, body).summary(), "409 M: not registered use X");
    }
}
