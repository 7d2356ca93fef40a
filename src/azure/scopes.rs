//! Encryption scopes of accounts: read only.

use super::call::Call;
use super::failure::clean;
use super::paths::read_as;
use super::vaults::host_of;
use crate::model::{AccountId, SeenScope, Timestamp, Version};
use serde::Deserialize;
use serde_json::Value;

/// The version at which accounts are read; a scope has looked the same since 2021-01-01.
const API_VERSION: &str = "2025-06-01";

/// The permission that shows scopes.
pub const READ: &str = "Microsoft.Storage/storageAccounts/encryptionScopes/read";

/// Looks at every scope of an account.
pub fn list(account: &AccountId) -> Call {
    Call { thing: None, ..Call::get(format!("{account}/encryptionScopes"), API_VERSION) }
}

/// Reads a scope.
pub fn read(body: &Value) -> Result<SeenScope, String> {
    #[derive(Deserialize)]
    struct Wire {
        name: String,
        properties: Properties,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Properties {
        state: Option<String>,
        key_vault_properties: Option<KeyVault>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct KeyVault {
        key_uri: Option<String>,
        current_versioned_key_identifier: Option<String>,
        last_key_rotation_timestamp: Option<String>,
    }
    let Wire { name, properties } = read_as(body, "the encryption scope")?;
    let is_enabled = properties.state.is_none_or(|state| state.eq_ignore_ascii_case("Enabled"));
    let mut scope = SeenScope { name: clean(&name), is_enabled, key: None, version: None, current: None, moved: None };
    let Some(key_vault) = properties.key_vault_properties else { return Ok(scope) };
    if let Some(uri) = key_vault.key_uri.filter(|uri| !uri.is_empty()) {
        let (host, key, version) = key_of(&uri)?;
        (scope.key, scope.version) = (Some((host, key)), version);
    }
    scope.moved = key_vault.last_key_rotation_timestamp.as_deref().and_then(Timestamp::parse);
    let current = key_vault.current_versioned_key_identifier.filter(|uri| !uri.is_empty());
    scope.current = current.and_then(|uri| key_of(&uri).ok()?.2);
    Ok(scope)
}

/// The vault's host, the key's name and the version in `https://kv1.vault.azure.net/keys/main/…`.
fn key_of(uri: &str) -> Result<(String, String, Option<Version>), String> {
    let wrong = || format!("`{uri}` is not the address of a key");
    let host = host_of(uri)?;
    let path = uri.split_once("/keys/").ok_or_else(wrong)?.1;
    let mut parts = path.trim_end_matches('/').split('/');
    let key = parts.next().filter(|key| !key.is_empty()).ok_or_else(wrong)?;
    let version = parts.next().map(Version::parse).transpose().map_err(|_| wrong())?;
    Ok((host, key.to_owned(), version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_scope_is_read_with_a_key_of_its_own_and_without() {
        let version = "a".repeat(32);
        let body = json!({ "name": "one", "properties": { "source": "Microsoft.Keyvault", "state": "Disabled",
            "keyVaultProperties": { "keyUri": format!("https://Kv1.vault.azure.net/keys/main/{version}") } } });
        let scope = read(&body).unwrap();
        assert_eq!(scope.key, Some(("kv1.vault.azure.net".to_owned(), "main".to_owned())));
        assert_eq!((scope.version.map(|v| v.to_string()), scope.is_enabled), (Some(version), false));
        let own = json!({ "name": "two", "properties": { "source": "Microsoft.Storage", "keyVaultProperties": {} } });
        assert_eq!(read(&own).unwrap().key, None);
        assert!(
            read(&json!({ "name": "x", "properties": { "keyVaultProperties": { "keyUri": "https://kv1" } } })).is_err()
        );
    }
}
