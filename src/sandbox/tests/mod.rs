//! Tests of the sandbox, one file an area, and the stage that they play on.

mod access;
mod accounts;
mod bindings;
mod breadth;
mod clock;
#[path = "../../../tests/contracts/mod.rs"]
#[expect(dead_code, reason = "the integration tests use all of it")]
pub(super) mod contracts;
mod front;
mod graph;
mod held;
mod keys;
mod locks;
mod migration;
mod noise;
mod roles;
mod scopes;
mod shelf;
mod signing_in;
mod truths;
mod vault_door;
mod vaults;

use http::HeaderMap;
use serde_json::{Value, json};

use super::tokens::{Caller, Token};
use super::{
    ARM_HOST, CALLER_OBJECT_ID, CLIENT_ID, Domain, Millis, Pace, SUBSCRIPTIONS, TENANT, VAULT_SUFFIX, Watch, World,
};

const ARM_VERSION: &str = "2025-06-01";
const VAULT_VERSION: &str = "2024-11-01";
const IDENTITY_VERSION: &str = "2023-01-31";
/// 2027-01-15, a Friday, at eight in the morning.
const START: Millis = Millis(1_800_000_000_000);

/// A world, a time, and a caller who is signed in.
struct Stage {
    world: World,
    now: Millis,
    caller: Caller,
}

/// An answer, read.
#[derive(Debug)]
struct Heard {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Heard {
    fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    fn ok(self) -> Value {
        assert!(self.status < 300, "{self:?}");
        self.body
    }

    #[track_caller]
    fn is(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code()), (status, code), "{self:?}");
    }
}

fn heard(response: http::Response<Vec<u8>>) -> Heard {
    let (parts, body) = response.into_parts();
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
    Heard { status: parts.status.as_u16(), headers: parts.headers, body }
}

fn request(method: &str, url: &str, token: Option<&str>, body: &Value) -> http::Request<Vec<u8>> {
    let mut request = http::Request::builder().method(method).uri(url);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(if body.is_null() { Vec::new() } else { body.to_string().into_bytes() }).unwrap()
}

/// The caller of the default world.
fn owner() -> Caller {
    Caller { object: CALLER_OBJECT_ID.to_owned(), application: CLIENT_ID.to_owned() }
}

/// A genuine token of a caller for a host.
fn token(caller: &Caller, host: &str, from: Millis, until: Millis) -> String {
    let audience = &format!("https://{host}");
    let issuer = Domain::Sandbox.issuer(TENANT);
    Token { caller, audience, issuer, tenant: TENANT, proof: "1", from, until }.signed()
}

impl Stage {
    /// An empty world with the group `rg`.
    fn new(pace: Pace) -> Self {
        let mut stage = Self { world: World::new(pace), now: START, caller: owner() };
        stage.arm("PUT", &group("rg"), &json!({"location": "westeurope"})).ok();
        stage
    }

    fn wait(&mut self, milliseconds: i64) {
        self.now = self.now.plus(milliseconds);
    }

    fn at(&mut self, method: &str, audience: &str, url: &str, body: &Value) -> Heard {
        let token = token(&self.caller, audience, self.now, self.now.plus(60_000));
        heard(self.world.handle(self.now, &request(method, url, Some(&token), body)))
    }

    /// A request to Resource Manager; the path may bring a version of the API along.
    fn arm(&mut self, method: &str, path: &str, body: &Value) -> Heard {
        let version = match path {
            path if path.contains("Microsoft.KeyVault") => VAULT_VERSION,
            path if path.contains("Microsoft.ManagedIdentity") => IDENTITY_VERSION,
            _ => ARM_VERSION,
        };
        let query = if path.contains("api-version=") { String::new() } else { format!("?api-version={version}") };
        self.at(method, ARM_HOST, &format!("https://{ARM_HOST}{path}{query}"), body)
    }

    fn get(&mut self, path: &str) -> Heard {
        self.arm("GET", path, &Value::Null)
    }

    /// A request to the vault `kv1` itself.
    fn vault(&mut self, method: &str, path: &str, body: &Value) -> Heard {
        let mark = if path.contains('?') { '&' } else { '?' };
        self.at(method, VAULT_SUFFIX, &format!("https://kv1.{VAULT_SUFFIX}{path}{mark}api-version=7.5"), body)
    }

    /// Creates the vault `kv1`, protected, which lets the caller do everything with keys, and waits for that.
    fn has_vault(&mut self) {
        let body = vault_body(&json!([entry(CALLER_OBJECT_ID, &["all", "purge"])]));
        self.arm("PUT", &vault("kv1"), &body).ok();
        self.wait(5_000);
    }

    fn has_key(&mut self, name: &str) {
        self.arm("PUT", &format!("{}/keys/{name}", vault("kv1")), &key_body()).ok();
    }

    /// Creates an account with an identity of its own, waits for it, and gives its principal.
    fn has_account(&mut self, name: &str) -> String {
        self.arm("PUT", &account(name), &account_body()).ok();
        self.wait(5_000);
        let body = self.get(&account(name)).ok();
        body["identity"]["principalId"].as_str().unwrap().to_owned()
    }

    /// Grants what storage needs, without waiting.
    fn grants(&mut self, principal: &str) -> Heard {
        let entries = json!([entry(principal, &["get", "wrapKey", "unwrapKey"])]);
        let body = json!({"properties": {"accessPolicies": entries}});
        self.arm("PUT", &format!("{}/accessPolicies/add", vault("kv1")), &body)
    }

    /// A vault, a key `main` and an account `st1` that is encrypted with it.
    fn has_bound_account(&mut self) -> String {
        self.has_vault();
        self.has_key("main");
        let principal = self.has_account("st1");
        self.grants(&principal).ok();
        self.wait(5_000);
        self.bind("main", None).ok();
        principal
    }

    fn bind(&mut self, key: &str, version: Option<&str>) -> Heard {
        self.arm("PATCH", &account("st1"), &binding(key, version))
    }

    fn readable(&self) -> bool {
        self.world.truth(self.now, "st1").readable
    }
}

fn group(name: &str) -> String {
    format!("/subscriptions/{}/resourceGroups/{name}", SUBSCRIPTIONS[0])
}

fn vault(name: &str) -> String {
    format!("{}/providers/Microsoft.KeyVault/vaults/{name}", group("rg"))
}

fn account(name: &str) -> String {
    format!("{}/providers/Microsoft.Storage/storageAccounts/{name}", group("rg"))
}

fn identity(name: &str) -> String {
    format!("{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}", group("rg"))
}

fn entry(principal: &str, keys: &[&str]) -> Value {
    json!({"tenantId": TENANT, "objectId": principal, "permissions": {"keys": keys}})
}

fn vault_body(policies: &Value) -> Value {
    let mut body = json!({"location": "westeurope", "properties": {
        "tenantId": TENANT, "sku": {"family": "A", "name": "standard"}, "accessPolicies": policies,
        "enableSoftDelete": true, "enablePurgeProtection": true,
    }});
    if policies.is_null() {
        leave_out(&mut body, "/properties", "accessPolicies");
    }
    body
}

/// Takes a field out of the object at a pointer. Not the same as sending null, which the contracts know nothing of.
fn leave_out(body: &mut Value, pointer: &str, field: &str) {
    body.pointer_mut(pointer).and_then(Value::as_object_mut).unwrap().remove(field);
}

fn key_body() -> Value {
    json!({"properties": {"kty": "RSA", "keySize": 2048, "attributes": {"enabled": true}}})
}

fn account_body() -> Value {
    json!({
        "location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2",
        "identity": {"type": "SystemAssigned"},
    })
}

fn binding(key: &str, version: Option<&str>) -> Value {
    let mut key = json!({"keyvaulturi": format!("https://kv1.{VAULT_SUFFIX}/"), "keyname": key});
    if let Some(version) = version {
        key["keyversion"] = json!(version);
    }
    json!({"properties": {"encryption": {"keySource": "Microsoft.Keyvault", "keyvaultproperties": key}}})
}
