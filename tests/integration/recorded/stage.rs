//! A world to replay recordings in, and the names of the recordings made those of the world.

#![expect(clippy::panic, reason = "in a test a panic is the answer")]

use cmk::sandbox::{
    ARM_HOST, CALLER_OBJECT_ID, CLIENT_ID, CLIENT_SECRET, LOGIN_HOST, Millis, Pace, SUBSCRIPTIONS, TENANT,
    VAULT_SUFFIX, Watch, World,
};
use http::HeaderMap;
use serde_json::{Value, json};

use super::Recording;
use crate::contracts;

/// What it takes until anything of Azure's has happened.
const LONG: i64 = 600_000;

/// A world, a clock and someone who is signed in.
#[derive(Clone)]
pub(crate) struct Stage {
    world: World,
    now: Millis,
}

/// A recording's text in the names of the sandbox: hosts, subscription and tenant.
pub(super) fn localized(text: &str) -> String {
    let nil = "00000000-0000-0000-0000-000000000000";
    text.replace("management.azure.com", ARM_HOST)
        .replace("vault.azure.net", VAULT_SUFFIX)
        .replace("login.microsoftonline.com", LOGIN_HOST)
        .replace(&format!("/subscriptions/{nil}"), &format!("/subscriptions/{}", SUBSCRIPTIONS[0]))
}

pub(super) fn recording(whole: &Value) -> Recording {
    let mut whole = whole.clone();
    at_home(&mut whole);
    let (asked, told) = (&whole["request"], &whole["response"]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Recording {
        method: text(&asked["method"]),
        host: text(&asked["host"]),
        path: text(&asked["path"]),
        query: text(&asked["query"]),
        body: asked["body"].clone(),
        status: told["status"].as_u64().and_then(|status| u16::try_from(status).ok()).expect("a status"),
        headers: told["headers"].clone(),
        answer: told["body"].clone(),
        signed_in: told["status"] != 401,
    }
}

/// There is one tenant here.
fn at_home(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == "tenantId" {
                    *value = json!(TENANT);
                } else {
                    at_home(value);
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(at_home),
        _ => {}
    }
}

impl Recording {
    /// Says another word than was recorded, in the question and in the answer.
    pub(super) fn swap(&mut self, recorded: &str, ours: &str) {
        let swapped = |value: &Value| -> Value {
            serde_json::from_str(&value.to_string().replace(recorded, ours)).expect("it was JSON before")
        };
        let (path, query) = (self.path.replace(recorded, ours), self.query.replace(recorded, ours));
        (self.path, self.query) = (path, query);
        self.body = swapped(&self.body);
        self.answer = swapped(&self.answer);
    }

    /// Asks at this address instead, which the sandbox gave.
    pub(super) fn follow(&mut self, link: &str) {
        let url: http::Uri = link.parse().expect("a link is an address");
        url.path().clone_into(&mut self.path);
        url.query().unwrap_or_default().clone_into(&mut self.query);
    }

    pub(super) fn api_version(&self) -> String {
        let version = self.query.split('&').find_map(|pair| pair.strip_prefix("api-version="));
        version.unwrap_or_default().to_owned()
    }

    /// The path of the resource in the path, so many segments of it.
    pub(super) fn parent(&self, segments: usize) -> String {
        let all: Vec<&str> = self.path.split('/').take(segments + 1).collect();
        all.join("/")
    }
}

impl Stage {
    pub(crate) fn new() -> Self {
        let mut world = World::new(Pace::azure());
        // What was recorded may break the contracts, which Azure forgave; what is answered may not.
        world.set_watch(Watch::new(contracts::hold_answer));
        Self { world, now: Millis(1_800_000_000_000) }
    }

    pub(crate) fn wait(&mut self) {
        self.now = self.now.plus(LONG);
    }

    fn token(&mut self, host: &str) -> String {
        let audience = if host.ends_with(VAULT_SUFFIX) { VAULT_SUFFIX } else { host };
        let form = format!(
            "client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}&grant_type=client_credentials&scope=https%3A%2F%2F{audience}%2F.default"
        );
        let url = format!("https://{LOGIN_HOST}/{TENANT}/oauth2/v2.0/token");
        let ask = http::Request::post(url).header("content-type", "application/x-www-form-urlencoded");
        let answer = self.world.handle(self.now, &ask.body(form.into_bytes()).expect("a request"));
        let answer: Value = serde_json::from_slice(answer.body()).expect("a token is JSON");
        answer["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned()
    }

    /// Sends what was recorded and gives status, headers and body of the answer.
    pub(crate) fn send(&mut self, recording: &Recording) -> (u16, HeaderMap, Value) {
        let Recording { method, host, path, query, body, signed_in, .. } = recording;
        let url = format!("https://{host}{path}?{}", query.replace(' ', "%20"));
        let mut ask = http::Request::builder().method(method.as_str()).uri(url);
        if *signed_in {
            let token = self.token(host);
            ask = ask.header("authorization", format!("Bearer {token}"));
        }
        let sent = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = ask.body(sent).expect("a request");
        let (parts, answered) = self.world.handle(self.now, &request).into_parts();
        (parts.status.as_u16(), parts.headers, serde_json::from_slice(&answered).unwrap_or_default())
    }

    fn at(&mut self, method: &str, host: &str, path: &str, version: &str, body: Value) -> (HeaderMap, Value) {
        let (path, query) = (path.to_owned(), format!("api-version={version}"));
        let (method, host) = (method.to_owned(), host.to_owned());
        let ask = Recording {
            method,
            host,
            path,
            query,
            body,
            status: 0,
            headers: Value::Null,
            answer: Value::Null,
            signed_in: true,
        };
        let (status, headers, answer) = self.send(&ask);
        assert!(status < 300, "{} {} -> {status} {answer}", ask.method, ask.path);
        (headers, answer)
    }

    /// A request to Resource Manager that has to succeed.
    pub(crate) fn arm(&mut self, method: &str, path: &str, version: &str, body: Value) -> (HeaderMap, Value) {
        self.at(method, ARM_HOST, path, version, body)
    }

    /// A request to a vault that has to succeed.
    pub(super) fn vault(&mut self, method: &str, host: &str, path: &str, body: Value) -> Value {
        self.at(method, host, path, "7.5", body).1
    }

    /// The group of a path.
    pub(super) fn has_group(&mut self, path: &str, location: &str) {
        let group: Vec<&str> = path.split('/').take(5).collect();
        self.arm("PUT", &group.join("/"), "2021-04-01", json!({"location": location}));
    }

    /// A vault that lets the caller in, and those named.
    pub(crate) fn has_vault(&mut self, path: &str, location: &str, days: i64, protected: bool) {
        let mut properties = json!({
            "tenantId": TENANT, "sku": {"family": "A", "name": "standard"}, "softDeleteRetentionInDays": days,
            "enableSoftDelete": true, "accessPolicies": [{
                "tenantId": TENANT, "objectId": CALLER_OBJECT_ID, "permissions": {"keys": ["all", "purge"]},
            }],
        });
        if protected {
            properties["enablePurgeProtection"] = json!(true);
        }
        self.has_group(path, location);
        self.arm("PUT", path, "2023-07-01", json!({"location": location, "properties": properties}));
        self.wait();
    }

    /// The vault of a host, somewhere.
    pub(super) fn has_vault_at(&mut self, host: &str) {
        let name = host.split('.').next().unwrap_or_default();
        let path =
            format!("/subscriptions/{}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/{name}", SUBSCRIPTIONS[0]);
        self.has_vault(&path, "eastus2", 7, false);
    }

    /// A vault as a recorded body shows it.
    pub(super) fn has_vault_like(&mut self, body: &Value, version: &str) -> String {
        let path = body["id"].as_str().expect("a vault has an id").to_owned();
        let location = body["location"].as_str().expect("a vault has a location").to_owned();
        let mut properties = body["properties"].clone();
        if let Some(properties) = properties.as_object_mut() {
            properties
                .retain(|name, _| !["vaultUri", "provisioningState", "enablePurgeProtection"].contains(&name.as_str()));
        }
        self.has_group(&path, &location);
        let body = json!({"location": location, "tags": body["tags"], "properties": properties});
        self.arm("PUT", &path, version, body);
        self.wait();
        path
    }

    /// Grants what storage needs.
    pub(super) fn grants(&mut self, vault: &str, principal: &Value) {
        let entry = json!({
            "tenantId": TENANT, "objectId": principal, "permissions": {"keys": ["get", "wrapKey", "unwrapKey"]},
        });
        let body = json!({"properties": {"accessPolicies": [entry]}});
        self.arm("PUT", &format!("{vault}/accessPolicies/add"), "2023-07-01", body);
        self.wait();
    }

    /// A key, and the id of its version.
    pub(crate) fn has_key(&mut self, vault: &str, key: &str) -> String {
        let body = json!({"properties": {"kty": "RSA"}});
        let (_, made) = self.arm("PUT", &format!("{vault}/keys/{key}"), "2023-07-01", body);
        let uri = made["properties"]["keyUriWithVersion"].as_str().unwrap_or_default().to_owned();
        uri.rsplit('/').next().unwrap_or_default().to_owned()
    }
}
