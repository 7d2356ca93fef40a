//! Somebody else: does what people and other programs do in Azure, by ordinary requests.
//!
//! Builds the worlds that proofs start from, and meddles while a proof runs. Sends
//! no request through the product's client, so that nobody's mistakes are shared.

use crate::material::Material;
use crate::model::Identities;
use crate::sandbox::{
    ARM_HOST, CALLER_OBJECT_ID, CLIENT_ID, CLIENT_SECRET, LOGIN_HOST, Millis, TENANT, VAULT_SUFFIX, World,
};
use serde_json::{Value, json};

/// A person at work on a world at one moment.
pub struct Hand<'a> {
    /// The world.
    pub world: &'a mut World,
    /// The moment.
    pub now: Millis,
}

impl std::fmt::Debug for Hand<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hand").field("now", &self.now).finish_non_exhaustive()
    }
}

/// The API versions that people use; not those of the product.
const GROUPS: &str = "2021-04-01";
const STORAGE: &str = "2023-05-01";
const VAULTS: &str = "2024-11-01";
const ROLES: &str = "2022-04-01";
const SETTINGS: &str = "2021-05-01-preview";
const LOCKS: &str = "2016-09-01";
const IDENTITIES: &str = "2023-01-31";

impl Hand<'_> {
    /// Lets time pass.
    pub fn wait(&mut self, seconds: i64) {
        self.now = self.now.plus(seconds * 1000);
    }

    fn send(&mut self, method: &str, url: &str, audience: &str, body: &Value) -> (u16, Value) {
        let Some(token) = self.token(audience) else { return (0, Value::Null) };
        let request = http::Request::builder()
            .method(method)
            .uri(url)
            .header("authorization", format!("Bearer {token}"))
            .body(if body.is_null() { vec![] } else { body.to_string().into_bytes() });
        let Ok(request) = request else { return (0, Value::Null) };
        self.answer(&request)
    }

    fn answer(&mut self, request: &http::Request<Vec<u8>>) -> (u16, Value) {
        match self.world.exchange(self.now, request) {
            Ok(response) => {
                (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or(Value::Null))
            }
            Err(_) => (0, Value::Null),
        }
    }

    fn token(&mut self, audience: &str) -> Option<String> {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", CLIENT_ID)
            .append_pair("client_secret", CLIENT_SECRET)
            .append_pair("scope", &format!("https://{audience}/.default"))
            .finish();
        let url = format!("https://{LOGIN_HOST}/{TENANT}/oauth2/v2.0/token");
        let request = http::Request::builder().method("POST").uri(url).body(form.into_bytes()).ok()?;
        let (_, body) = self.answer(&request);
        body["access_token"].as_str().map(str::to_owned)
    }

    /// Asks Resource Manager; gives the status and the body.
    pub fn arm(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let lower = path.to_ascii_lowercase();
        let version = match () {
            () if lower.contains("/locks/") => LOCKS,
            () if lower.ends_with("/unregister") => GROUPS,
            () if lower.contains("microsoft.authorization") => ROLES,
            () if lower.contains("microsoft.insights") => SETTINGS,
            () if lower.contains("microsoft.keyvault") => VAULTS,
            () if lower.contains("microsoft.storage") => STORAGE,
            () if lower.contains("microsoft.managedidentity") => IDENTITIES,
            () => GROUPS,
        };
        self.send(method, &format!("https://{ARM_HOST}{path}?api-version={version}"), ARM_HOST, body)
    }

    /// Asks a vault itself.
    pub fn vault(&mut self, vault: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let vault = vault.to_ascii_lowercase();
        self.send(method, &format!("https://{vault}.{VAULT_SUFFIX}{path}?api-version=7.4"), VAULT_SUFFIX, body)
    }

    /// Puts an encryption scope of an account under a key, whose newest version it follows.
    pub fn scope(&mut self, account_path: &str, scope: &str, vault: &str, key: &str) -> u16 {
        let uri = format!("https://{vault}.{VAULT_SUFFIX}/keys/{key}");
        let properties = json!({ "source": "Microsoft.KeyVault", "keyVaultProperties": { "keyUri": uri } });
        self.arm("PUT", &format!("{account_path}/encryptionScopes/{scope}"), &json!({ "properties": properties })).0
    }

    /// Gives an account identities beside those that it has.
    pub fn attach(&mut self, account_path: &str, new: &Identities) -> u16 {
        let seen = self.arm("GET", account_path, &Value::Null).1;
        let has = |kind: &str| seen["identity"]["type"].as_str().is_some_and(|held| held.contains(kind));
        let kind = match (new.system || has("SystemAssigned"), !new.user.is_empty() || has("UserAssigned")) {
            (true, true) => "SystemAssigned,UserAssigned",
            (true, false) => "SystemAssigned",
            (false, true) => "UserAssigned",
            (false, false) => return 0,
        };
        let mut body = json!({ "identity": { "type": kind } });
        for id in &new.user {
            body["identity"]["userAssignedIdentities"][id.to_string()] = json!({});
        }
        self.arm("PATCH", account_path, &body).0
    }

    /// Gives a principal the role that storage needs, at a scope, under a name of this person's own.
    pub fn assign(&mut self, scope: &str, principal: &str) -> u16 {
        self.assign_role(scope, principal, "e147488a-f6f5-4113-8e2d-b22465e65bf6")
    }

    fn assign_role(&mut self, scope: &str, principal: &str, role: &str) -> u16 {
        let subscription: String = scope.split('/').take(3).collect::<Vec<_>>().join("/");
        let name = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, format!("{scope}{principal}").as_bytes());
        let body = json!({ "properties": {
            "roleDefinitionId": format!("{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"),
            "principalId": principal, "principalType": "ServicePrincipal",
        }});
        self.arm("PUT", &format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"), &body).0
    }

    /// Lets the caller do everything with the keys of all vaults below a scope that go by roles.
    pub fn let_in(&mut self, scope: &str) -> u16 {
        let officer = "14b46e9e-c2b7-41b4-b07b-48a6ebf60603";
        self.assign_role(scope, CALLER_OBJECT_ID, officer)
    }

    /// Brings the stand-in for a key of one's own into a vault.
    pub fn import(&mut self, vault: &str, key: &str, bits: u32) -> u16 {
        let material = Material::stand_in(&format!("{vault}/{key}").to_ascii_lowercase(), bits);
        self.vault(vault, "PUT", &format!("/keys/{key}"), &json!({ "key": material.jwk() })).0
    }

    /// Takes every role away that a principal holds at, above or below a scope.
    pub fn unassign(&mut self, scope: &str, principal: &str) -> u16 {
        let list =
            self.arm("GET", &format!("{scope}/providers/Microsoft.Authorization/roleAssignments"), &Value::Null).1;
        let all = list["value"].as_array().cloned().unwrap_or_default();
        let mine = all.iter().filter(|one| one["properties"]["principalId"] == principal);
        let ids: Vec<String> = mine.filter_map(|one| one["id"].as_str().map(ToOwned::to_owned)).collect();
        ids.iter().map(|id| self.arm("DELETE", id, &Value::Null).0).max().unwrap_or(404)
    }

    /// Makes a resource group.
    pub fn group(&mut self, path: &str, location: &str) -> u16 {
        self.arm("PUT", path, &json!({ "location": location, "tags": { "owner": "platform" } })).0
    }

    /// Makes a vault in which the caller may do everything with keys and another team has entries of its own.
    pub fn make_vault(&mut self, path: &str, location: &str, sku: &str, protected: bool) -> u16 {
        let theirs = json!({
            "tenantId": TENANT, "objectId": OTHERS,
            "permissions": { "keys": ["get", "list"], "secrets": ["get", "set"], "certificates": ["import"] },
        });
        let mine = json!({ "tenantId": TENANT, "objectId": CALLER_OBJECT_ID, "permissions": { "keys": ["all"] } });
        let mut properties = json!({
            "tenantId": TENANT, "sku": { "family": "A", "name": sku }, "accessPolicies": [theirs, mine],
            "enableRbacAuthorization": false, "enableSoftDelete": true, "enabledForDiskEncryption": true,
        });
        if protected {
            properties["enablePurgeProtection"] = json!(true);
        }
        let body = json!({ "location": location, "tags": { "cost": "4711" }, "properties": properties });
        self.arm("PUT", path, &body).0
    }

    /// Makes a key of a vault.
    pub fn make_key(&mut self, vault_path: &str, key: &str, kty: &str, bits: u32) -> u16 {
        let mut properties = json!({ "kty": kty });
        if kty.starts_with("RSA") {
            properties["keySize"] = json!(bits);
        }
        self.arm("PUT", &format!("{vault_path}/keys/{key}"), &json!({ "properties": properties })).0
    }

    /// Makes an account without a key of its own.
    pub fn make_account(&mut self, path: &str, location: &str, sku: &str, kind: &str, identity: bool) -> u16 {
        let mut body = json!({
            "location": location, "sku": { "name": sku }, "kind": kind, "tags": { "team": "billing" }, "properties": {},
        });
        if identity {
            body["identity"] = json!({ "type": "SystemAssigned" });
        }
        self.arm("PUT", path, &body).0
    }

    /// Changes the entry of a principal in a vault; `how` is `add`, `replace` or `remove`.
    pub fn grant(&mut self, vault_path: &str, how: &str, principal: &str, kind: &str, permissions: &[&str]) -> u16 {
        let entry = json!({ "tenantId": TENANT, "objectId": principal, "permissions": { kind: permissions } });
        let body = json!({ "properties": { "accessPolicies": [entry] } });
        self.arm("PUT", &format!("{vault_path}/accessPolicies/{how}"), &body).0
    }

    /// The principal of an account's own identity.
    pub fn principal(&mut self, account_path: &str) -> Option<String> {
        let (_, body) = self.arm("GET", account_path, &Value::Null);
        body["identity"]["principalId"].as_str().map(str::to_owned)
    }

    /// Points an account at a key, or back at Microsoft's when there is none.
    pub fn bind(&mut self, account_path: &str, key: Option<(&str, &str, &str)>) -> u16 {
        let encryption = match key {
            None => json!({ "keySource": "Microsoft.Storage" }),
            Some((vault, key, version)) => json!({
                "keySource": "Microsoft.Keyvault",
                "keyvaultproperties": {
                    "keyvaulturi": format!("https://{}.{VAULT_SUFFIX}", vault.to_ascii_lowercase()),
                    "keyname": key, "keyversion": version,
                },
            }),
        };
        self.arm("PATCH", account_path, &json!({ "properties": { "encryption": encryption } })).0
    }

    /// Adds a version to a key, in the vault itself.
    pub fn rotate(&mut self, vault: &str, key: &str) -> u16 {
        self.vault(vault, "POST", &format!("/keys/{key}/create"), &json!({ "kty": "RSA", "key_size": 3072 })).0
    }

    /// Enables or disables a key's newest version.
    pub fn enable(&mut self, vault: &str, key: &str, enabled: bool) -> u16 {
        self.vault(vault, "PATCH", &format!("/keys/{key}"), &json!({ "attributes": { "enabled": enabled } })).0
    }
}

/// The principal of another team, which no spec names.
pub const OTHERS: &str = "aaaaaaaa-0000-0000-0000-000000000001";
