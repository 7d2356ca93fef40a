//! What a record must not hold: whatever would open something if it were sent again.

use serde_json::Value;

/// Stands for what was taken out. It is Base64, so what has to be still is.
const GONE: &str = "REDACTED";

/// Fields of forms, queries and bodies, in lower case and without underscores.
const SECRETS: [&str; 15] = [
    "accesstoken",
    "accountsastoken",
    "assertion",
    "clientassertion",
    "clientsecret",
    "idtoken",
    "password",
    "refreshtoken",
    "requestconfirmation",
    "secret",
    "secrettext",
    "servicesastoken",
    "sig",
    "token",
    "usernamepassword",
];

/// The private members of a JSON web key.
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "k", "key_hsm"];

/// Whether a header opens something.
pub(super) fn is_secret_header(name: &str) -> bool {
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-ms-authorization-auxiliary"].contains(&name)
}

/// Whether what stands under a name is secret.
pub(super) fn is_secret(name: &str) -> bool {
    SECRETS.contains(&name.to_ascii_lowercase().replace('_', "").as_str())
}

/// A value under a name, without secrets.
pub(super) fn named(name: &str, value: Value) -> Value {
    if is_secret(name) && value.is_string() { Value::from(GONE) } else { self::value(value) }
}

/// A value without secrets, however deep they are.
pub(super) fn value(value: Value) -> Value {
    match value {
        Value::String(text) if holds_token(&text) => Value::from(GONE),
        Value::Array(values) => values.into_iter().map(self::value).collect(),
        Value::Object(members) => {
            let is_key = members.contains_key("kty");
            let open = members.into_iter().map(|(name, value)| {
                let gone = is_key && PRIVATE.contains(&name.as_str());
                let value = if gone { Value::from(GONE) } else { named(&name, value) };
                (name, value)
            });
            Value::Object(open.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// A body, whose path tells of secrets that its names do not: an account's keys, and what was unwrapped.
pub(super) fn body(path: &str, body: Value) -> Value {
    let path = path.trim_end_matches('/').to_ascii_lowercase();
    let gives_secrets = ["/listkeys", "/regeneratekey", "/unwrapkey", "/decrypt", "/wrapkey", "/encrypt"];
    let body = value(body);
    if gives_secrets.iter().any(|end| path.ends_with(end)) { without_values(body) } else { body }
}

fn without_values(value: Value) -> Value {
    match value {
        Value::Array(values) => values.into_iter().map(without_values).collect(),
        Value::Object(members) => {
            let open = members.into_iter().map(|(name, value)| {
                let value =
                    if name == "value" && value.is_string() { Value::from(GONE) } else { without_values(value) };
                (name, value)
            });
            Value::Object(open.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// A JSON web token anywhere in a text: two parts that begin with `{"` in Base64, and a dot between them.
fn holds_token(text: &str) -> bool {
    text.split_once("eyJ").is_some_and(|(_, rest)| rest.contains(".eyJ"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_taken_out_by_name_and_tokens_by_their_looks() {
        let form = json!({"client_id": "c", "client_secret": "s", "nested": [{"access_token": "t"}]});
        let open = json!({"client_id": "c", "client_secret": GONE, "nested": [{"access_token": GONE}]});
        assert_eq!(value(form), open);
        assert_eq!(value(json!({"x": "Bearer eyJhbGciOi.eyJhdWQiOi.c2ln"})), json!({"x": GONE}));
        assert_eq!(value(json!({"error": {"code": "Conflict"}})), json!({"error": {"code": "Conflict"}}));
    }

    #[test]
    fn a_key_keeps_its_public_half_only() {
        let key = json!({"key": {"kty": "RSA", "n": "bW9k", "e": "AQAB", "d": "c2VjcmV0", "p": "cA"}});
        assert_eq!(value(key), json!({"key": {"kty": "RSA", "n": "bW9k", "e": "AQAB", "d": GONE, "p": GONE}}));
    }

    #[test]
    fn keys_of_accounts_and_unwrapped_keys_are_known_by_their_path() {
        let keys = json!({"keys": [{"keyName": "key1", "value": "c2VjcmV0"}]});
        assert_eq!(body("/x/listKeys", keys.clone()), json!({"keys": [{"keyName": "key1", "value": GONE}]}));
        assert_eq!(body("/x", keys.clone()), keys);
    }
}
