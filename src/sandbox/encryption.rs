//! How an account is encrypted, and the toll for changing it.
//!
//! The account's data key is wrapped by a key version. To move to another key, Azure unwraps with the old one
//! and wraps with the new one, as the account's own identity, so both have to be usable at that moment.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::account::{self, Account};
use super::keys::Version;
use super::vault::Vault;
use super::wire::Answer;
use super::world::State;
use super::{Millis, Pace, access};

/// The encryption of an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Encryption {
    pub services: Map<String, Value>,
    /// The customer's key; `None` is a key of Microsoft's.
    pub binding: Option<Binding>,
    /// `encryption.identity` as it was sent.
    pub identity: Value,
    /// Said at creation or never.
    pub infrastructure: Option<bool>,
}

/// A customer's key as the account names it, and the version that it found there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Binding {
    /// As it was sent, with or without a slash at the end.
    pub vault_uri: String,
    pub key: String,
    /// As it was sent: absent and empty both mean the newest, and both are shown as they came.
    pub version: Option<String>,
    /// The version that wraps the data key.
    pub current: String,
    pub expires: Option<i64>,
    pub rotated: Millis,
}

impl Binding {
    /// The host of the vault.
    pub(super) fn host(&self) -> String {
        let rest = self.vault_uri.split_once("://").map_or(self.vault_uri.as_str(), |(_, rest)| rest);
        rest.split(['/', ':']).next().unwrap_or_default().to_ascii_lowercase()
    }

    fn pinned(&self) -> Option<&str> {
        self.version.as_deref().filter(|version| !version.is_empty())
    }

    pub(super) fn same_key(&self, other: &Self) -> bool {
        self.host() == other.host() && self.key.eq_ignore_ascii_case(&other.key) && self.pinned() == other.pinned()
    }

    fn body(&self) -> Value {
        let Self { vault_uri, key, version, current, expires, rotated } = self;
        // A key without an end is shown with an end in 1970.
        let end = Millis(expires.unwrap_or_default().saturating_mul(1000));
        let mut body = json!({
            "currentVersionedKeyIdentifier": format!("https://{}/keys/{key}/{current}", self.host()),
            "lastKeyRotationTimestamp": rotated.ticks(), "currentVersionedKeyExpirationTimestamp": end.ticks(),
            "keyvaulturi": vault_uri, "keyname": key,
        });
        if let Some(version) = version {
            body["keyversion"] = json!(version);
        }
        body
    }
}

impl Encryption {
    pub(super) fn new(now: Millis) -> Self {
        let service = json!({"keyType": "Account", "enabled": true, "lastEnabledTime": now.ticks()});
        let services = ["blob", "file"].map(|name| (name.to_owned(), service.clone()));
        Self { services: services.into_iter().collect(), binding: None, identity: Value::Null, infrastructure: None }
    }

    pub(super) fn body(&self) -> Value {
        let Self { services, binding, identity, infrastructure } = self;
        let source = if binding.is_some() { "Microsoft.Keyvault" } else { "Microsoft.Storage" };
        let mut body = json!({"services": services, "keySource": source});
        if let Some(binding) = binding {
            body["keyvaultproperties"] = binding.body();
        }
        if !identity.is_null() {
            body["identity"] = identity.clone();
        }
        if let Some(infrastructure) = infrastructure {
            body["requireInfrastructureEncryption"] = json!(infrastructure);
        }
        body
    }
}

/// The principal with which an account goes to the vault: the user-assigned identity that its encryption names,
/// else its own. `None` when that identity is gone, which nothing prevents.
pub(super) fn principal<'a>(account: &'a Account, state: &State) -> Option<&'a str> {
    let identity = account.identity.as_ref()?;
    match account.encryption.identity["userAssignedIdentity"].as_str() {
        None | Some("") => identity.system.as_deref(),
        Some(id) => identity.user(id, state),
    }
}

/// The encryption of a new account.
pub(super) fn create(account: &mut Account, sent: &Value, state: &State, now: Millis) -> Result<(), Answer> {
    account.encryption.infrastructure = sent["requireInfrastructureEncryption"].as_bool();
    let user = sent["identity"]["userAssignedIdentity"].as_str().unwrap_or_default();
    if is_key_vault(sent)? == Some(true) && user.is_empty() {
        // The account's own principal is younger than any grant could be.
        return Err(no_identity());
    }
    change(account, sent, state, now)
}

/// The encryption after a request on an account that exists. Leaving it out leaves it alone.
pub(super) fn update(account: &mut Account, sent: &Value, state: &State, now: Millis) -> Result<(), Answer> {
    if sent.is_null() {
        return Ok(());
    }
    let wanted = &sent["requireInfrastructureEncryption"];
    let differs = match account.encryption.infrastructure {
        Some(true) => *wanted != json!(true) && is_key_vault(sent)? == Some(true),
        Some(false) | None => !wanted.is_null(),
    };
    if differs {
        let text = "The property 'requireInfrastructureEncryption' was specified in the input, but it cannot be updated as it is read-only.";
        return Err(Answer::error(400, "PropertyIsReadOnly", text));
    }
    change(account, sent, state, now)
}

/// Whether `keySource` names Key Vault; `None` when it is left out.
fn is_key_vault(sent: &Value) -> Result<Option<bool>, Answer> {
    match &sent["keySource"] {
        Value::Null => Ok(None),
        Value::String(source) if source.eq_ignore_ascii_case("Microsoft.Keyvault") => Ok(Some(true)),
        Value::String(source) if source.eq_ignore_ascii_case("Microsoft.Storage") => Ok(Some(false)),
        _ => Err(account::invalid("encryption.keySource")),
    }
}

fn change(account: &mut Account, sent: &Value, state: &State, now: Millis) -> Result<(), Answer> {
    for (name, service) in sent["services"].as_object().into_iter().flatten() {
        let fresh = json!({"keyType": "Account", "enabled": true, "lastEnabledTime": now.ticks()});
        let present = account.encryption.services.entry(name.clone()).or_insert(fresh);
        if let Some(kind) = service["keyType"].as_str() {
            present["keyType"] = json!(kind);
        }
    }
    match is_key_vault(sent)? {
        Some(true) => bind(account, sent, state, now),
        Some(false) => unbind(account, state, now),
        None if sent["keyvaultproperties"].is_null() => Ok(()),
        None => Err(account::invalid("encryption.keySource")),
    }
}

/// Back to a key of Microsoft's. The data key has to be unwrapped for that as well.
fn unbind(account: &mut Account, state: &State, now: Millis) -> Result<(), Answer> {
    if let Some(binding) = &account.encryption.binding {
        check_unwraps(account, binding, state, now)?;
    }
    account.encryption.binding = None;
    account.encryption.identity = Value::Null;
    Ok(())
}

fn bind(account: &mut Account, sent: &Value, state: &State, now: Millis) -> Result<(), Answer> {
    let mut wanted = wanted(&sent["keyvaultproperties"])?;
    let mut after = account.clone();
    check_federated(&sent["identity"])?;
    if sent["identity"].is_object() {
        after.encryption.identity = sent["identity"].clone();
    }
    let before = account.encryption.binding.clone();
    let same_key = before.as_ref().is_some_and(|before| before.same_key(&wanted));
    if before.is_some() && !same_key && user(&after) != user(account) {
        return Err(both_at_once());
    }
    if let Some(before) = before.as_ref().filter(|_| same_key) {
        wanted.current.clone_from(&before.current);
        wanted.expires = before.expires;
        wanted.rotated = before.rotated;
    }
    // The same again is not looked at again, so it is accepted even when the identity has gone.
    if !same_key || user(&after) != user(account) {
        let principal = principal(&after, state).ok_or_else(no_identity)?;
        let version = check_wraps(principal, &wanted, state, now)?;
        if !same_key {
            wanted.current.clone_from(&version.id);
            wanted.expires = version.expires;
            wanted.rotated = now;
        }
    }
    if let Some(before) = before.filter(|_| !same_key) {
        check_unwraps(account, &before, state, now)?;
    }
    after.encryption.binding = Some(wanted);
    *account = after;
    Ok(())
}

/// The key, or the identity as which it is reached: the one or the other. The text is not recorded anywhere.
fn both_at_once() -> Answer {
    let text = "The encryption identity and the key vault properties cannot be updated in the same operation.";
    Answer::error(400, "InvalidRequestPropertyValue", text)
}

/// A key in another tenant is reached with a user-assigned identity and an application, never with one of them alone.
fn check_federated(identity: &Value) -> Result<(), Answer> {
    let said = |name: &str| identity[name].as_str().is_some_and(|text| !text.is_empty() && text != "None");
    if said("federatedIdentityClientId") && !said("userAssignedIdentity") {
        return Err(account::invalid("encryption.identity.federatedIdentityClientId"));
    }
    Ok(())
}

fn user(account: &Account) -> &str {
    account.encryption.identity["userAssignedIdentity"].as_str().unwrap_or_default()
}

/// The key that a request names. Its names are in lower case, unlike those of everything around them.
fn wanted(sent: &Value) -> Result<Binding, Answer> {
    let text = |name: &str| sent[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let (Some(vault_uri), Some(key)) = (text("keyvaulturi"), text("keyname")) else {
        let text = "The encryption keyvault properties are missing from the request.";
        return Err(Answer::error(400, "MissingKeyvaultProperties", text));
    };
    let version = sent["keyversion"].as_str().map(str::to_owned);
    Ok(Binding { vault_uri, key, version, current: String::new(), expires: None, rotated: Millis::default() })
}

/// Whether a principal can bind to a key now; gives the version that it would get.
fn check_wraps<'a>(principal: &str, wanted: &Binding, state: &'a State, now: Millis) -> Result<&'a Version, Answer> {
    let host = wanted.host();
    let vault = state.vault_at(&host).filter(|vault| vault.resolves(now));
    let Some(vault) = vault.filter(|_| wanted.vault_uri.starts_with("https://")) else {
        let text = format!("The keyvault {} cannot be found.", wanted.vault_uri);
        return Err(Answer::error(400, "KeyVaultNotFound", &text));
    };
    if !vault.purge_protection {
        return Err(Answer::error(400, "KeyVaultPolicyError", "Keyvault policy recoverable is not set"));
    }
    if !may_use(state, vault, &wanted.key, principal, now) {
        return Err(not_authenticated());
    }
    let key = state.key_at(&host, &wanted.key).map(|(_, key)| key).filter(|key| key.visible <= now);
    let version = key.and_then(|key| wanted.pinned().map_or_else(|| key.newest(), |version| key.version(version)));
    let Some(version) = version else {
        let text = format!("The key {} cannot be found in the keyvault {}.", wanted.key, wanted.vault_uri);
        return Err(Answer::error(400, "KeyVaultKeyNotFound", &text));
    };
    if !version.kty.starts_with("RSA") || ![2048, 3072, 4096].contains(&version.size) {
        let text = "The key type or size is not supported: only RSA keys of 2048, 3072 or 4096 bits are.";
        return Err(Answer::error(400, "KeyVaultKeyNotSupported", text));
    }
    // One code for a grant that has not arrived, a disabled key and an expired one.
    if version.wraps(now) && version.unwraps() { Ok(version) } else { Err(not_authenticated()) }
}

fn may_use(state: &State, vault: &Vault, key: &str, principal: &str, now: Millis) -> bool {
    let lets = |permission: &&str| access::lets(state, vault, Some(key), principal, permission, now);
    vault.open_to_storage() && ["get", "wrapKey", "unwrapKey"].iter().all(lets)
}

fn check_unwraps(account: &Account, binding: &Binding, state: &State, now: Millis) -> Result<(), Answer> {
    let principal = principal(account, state);
    if principal.is_some_and(|principal| unwraps(principal, binding, state, now)) {
        Ok(())
    } else {
        Err(not_authenticated())
    }
}

/// Whether a principal can unwrap what a binding has wrapped. Dates do not matter for that.
fn unwraps(principal: &str, binding: &Binding, state: &State, now: Millis) -> bool {
    state.key_at(&binding.host(), &binding.key).is_some_and(|(vault, key)| {
        let version = key.version(&binding.current).filter(|_| key.visible <= now);
        vault.resolves(now)
            && vault.open_to_storage()
            && access::lets(state, vault, Some(&binding.key), principal, "unwrapKey", now)
            && version.is_some_and(Version::unwraps)
    })
}

/// Whether an account can bind to a key now, as whoever it goes to vaults as; gives the version.
pub(super) fn check_account_wraps<'a>(
    account: &Account,
    wanted: &Binding,
    state: &'a State,
    now: Millis,
) -> Result<&'a Version, Answer> {
    let principal = principal(account, state).ok_or_else(no_identity)?;
    check_wraps(principal, wanted, state, now)
}

/// What a binding without a version becomes once the account has noticed a newer one, if it has.
pub(super) fn picked_up(
    account: &Account,
    binding: &Binding,
    state: &State,
    now: Millis,
    pace: Pace,
) -> Option<Binding> {
    if binding.pinned().is_some() {
        return None;
    }
    let (vault, key) = state.key_at(&binding.host(), &binding.key)?;
    let newest = key.newest().filter(|newest| newest.id != binding.current)?;
    let due = newest.created.plus(pace.version_pickup);
    let principal = principal(account, state)?;
    let able = may_use(state, vault, &binding.key, principal, now)
        && newest.wraps(now)
        && unwraps(principal, binding, state, now);
    let moved = Binding { current: newest.id.clone(), expires: newest.expires, rotated: due, ..binding.clone() };
    (due <= now && able).then_some(moved)
}

/// Accounts bound without a version take up the newest one by themselves, some time after it was made.
pub(super) fn pick_up_versions(state: &mut State, now: Millis, pace: Pace) {
    let moves = state.accounts.iter().filter_map(|(name, account)| {
        let binding = account.encryption.binding.as_ref()?;
        Some((name.clone(), picked_up(account, binding, state, now, pace)?))
    });
    for (name, moved) in moves.collect::<Vec<_>>() {
        if let Some(account) = state.accounts.get_mut(&name) {
            account.encryption.binding = Some(moved);
        }
    }
}

fn no_identity() -> Answer {
    let text = "Missing pre-requisites to enable EncryptionAtRest/Customer Managed Key for this storage account. For more information, see - https://aka.ms/storagecmkconfiguration";
    Answer::error(400, "MissingMsiHeaders", text)
}

fn not_authenticated() -> Answer {
    let text = "The operation failed because of authentication issue on the keyvault.";
    Answer::error(403, "KeyVaultAuthenticationFailure", text)
}
