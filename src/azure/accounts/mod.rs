//! Storage accounts in ARM: looked at, made, and changed in narrow ways; never replaced and never deleted.

mod answer;

pub use answer::read;

use super::call::{Call, Effect, Method};
use crate::model::{
    AccountCreate, AccountId, AccountName, GroupId, Identities, KeyName, Location, SeenEncryption, SeenIdentity,
    SubscriptionId, Who,
};
use serde_json::{Value, json};

/// In recorded traffic; the shapes of encryption and identity have been the same since 2023-05-01.
const API_VERSION: &str = "2025-06-01";

/// The permission that shows an account.
pub const READ: &str = "Microsoft.Storage/storageAccounts/read";
/// The permission that shows whether a name is free.
pub const READ_NAME: &str = "Microsoft.Storage/checkNameAvailability/read";

/// Looks at an account.
pub fn get(id: &AccountId) -> Call {
    Call::get(id.to_string(), API_VERSION)
}

/// Looks at every account of a subscription.
pub fn list(subscription: &SubscriptionId) -> Call {
    let path = format!("/subscriptions/{subscription}/providers/Microsoft.Storage/storageAccounts");
    Call { thing: None, ..Call::get(path, API_VERSION) }
}

/// A key as an account is to be bound to it.
#[derive(Debug, Clone, Copy)]
pub struct Bound<'a> {
    /// The vault's host.
    pub host: &'a str,
    /// The key's name.
    pub key: &'a KeyName,
    /// The version; an empty text lets Azure follow the newest.
    pub version: &'a str,
    /// As whom the account reaches it.
    pub who: &'a Who,
}

/// Looks at every account of a resource group.
pub fn list_group(group: &GroupId) -> Call {
    Call { thing: None, ..Call::get(format!("{group}/providers/Microsoft.Storage/storageAccounts"), API_VERSION) }
}

/// Makes an account that does not exist: no public blobs, no plain HTTP, no old TLS; with its key where it is given one.
pub fn create(
    id: &AccountId,
    location: &Location,
    create: &AccountCreate,
    identity: &Identities,
    bound: Option<Bound<'_>>,
) -> Call {
    let AccountCreate { sku, kind } = create;
    let mut body = json!({
        "location": location.as_str(),
        "sku": { "name": sku },
        "kind": kind,
        "properties": {
            "minimumTlsVersion": "TLS1_2",
            "supportsHttpsTrafficOnly": true,
            "allowBlobPublicAccess": false,
        },
    });
    if !identity.is_empty() {
        body["identity"] = identities(identity, identity.kind());
    }
    if let Some(bound) = bound {
        let nothing = SeenEncryption { binding: None, infrastructure: None };
        body["properties"]["encryption"] = encryption_body(bound, &nothing);
    }
    Call::send(Method::Put, Effect::Write, id.to_string(), API_VERSION, body)
}

/// Gives an account identities beside those it has.
///
/// The type is a union: `SystemAssigned` alone drops the user-assigned identities, and `UserAssigned` alone the
/// system-assigned one, whose principal would be another when it is added again. A PATCH adds what its map names and
/// keeps the rest, so only what is new is named.
pub fn attach(id: &AccountId, new: &Identities, current: &SeenIdentity) -> Call {
    let body = json!({ "identity": attached(new, current) });
    Call::send(Method::Patch, Effect::Write, id.to_string(), API_VERSION, body)
}

fn attached(new: &Identities, current: &SeenIdentity) -> Value {
    identities(new, current.with(new).kind())
}

/// Takes identities from an account and leaves the others.
///
/// What is named with `null` goes, and what is not named stays, as long as the type speaks of its kind; where no
/// user-assigned identity is left, the type alone says so. One that stays is named, since a type of user-assigned
/// identities without any is refused.
pub fn detach(id: &AccountId, gone: &Identities, current: &SeenIdentity, encryption: &SeenEncryption) -> Call {
    let left = current.without(gone);
    let mut body = json!({ "identity": { "type": left.kind() } });
    if !left.user_assigned.is_empty() {
        for held in &gone.user {
            body["identity"]["userAssignedIdentities"][held.to_string()] = Value::Null;
        }
        let reads = encryption.binding.as_ref().and_then(|binding| binding.user_assigned_identity.as_ref());
        let is_read = |held: &&String| reads.is_some_and(|reads| reads.eq_ignore_ascii_case(held));
        let stays = left.user_assigned.iter().find(is_read).or(left.user_assigned.first());
        if let Some(held) = stays {
            body["identity"]["userAssignedIdentities"][held] = json!({});
        }
    }
    Call::send(Method::Patch, Effect::Write, id.to_string(), API_VERSION, body)
}

fn identities(named: &Identities, kind: &str) -> Value {
    let mut body = json!({ "type": kind });
    for id in &named.user {
        body["userAssignedIdentities"][id.to_string()] = json!({});
    }
    body
}

/// Points an account's encryption at a key, or at an identity as which to reach it, and touches nothing else.
///
/// An empty version lets Azure follow the newest: left out, it would keep the pinned
/// version. Azure refuses the change on an account with
/// infrastructure encryption unless that is said again, and refuses the mention on
/// one without.
pub fn set_encryption(id: &AccountId, bound: Bound<'_>, current: &SeenEncryption) -> Call {
    let body = json!({ "properties": { "encryption": encryption_body(bound, current) } });
    Call::send(Method::Patch, Effect::Write, id.to_string(), API_VERSION, body)
}

/// Gives an account identities beside those it has and points its encryption at a key that it reaches as one of them, at
/// once. For an account under Microsoft's key: Azure refuses another key and another identity in one request.
pub fn attach_and_bind(
    id: &AccountId,
    (new, identity): (&Identities, &SeenIdentity),
    bound: Bound<'_>,
    encryption: &SeenEncryption,
) -> Call {
    let body = json!({
        "identity": attached(new, identity),
        "properties": { "encryption": encryption_body(bound, encryption) },
    });
    Call::send(Method::Patch, Effect::Write, id.to_string(), API_VERSION, body)
}

fn encryption_body(bound: Bound<'_>, current: &SeenEncryption) -> Value {
    let Bound { host, key, version, who } = bound;
    let mut encryption = json!({
        // What every account has; Microsoft's own clients send them each time.
        "services": {
            "blob": { "enabled": true, "keyType": "Account" },
            "file": { "enabled": true, "keyType": "Account" },
        },
        "keySource": "Microsoft.Keyvault",
        "keyvaultproperties": {
            "keyvaulturi": format!("https://{host}/"),
            "keyname": key.as_str(),
            "keyversion": version,
        },
    });
    if current.infrastructure == Some(true) {
        encryption["requireInfrastructureEncryption"] = json!(true);
    }
    let by_user = current.binding.as_ref().is_some_and(|binding| binding.user_assigned_identity.is_some());
    match who {
        // Empty means the system-assigned identity; left out, the old one would stay.
        Who::System(_) if by_user => encryption["identity"] = json!({ "userAssignedIdentity": "" }),
        Who::System(_) => {}
        Who::User(identity) => encryption["identity"] = json!({ "userAssignedIdentity": identity.to_string() }),
    }
    encryption
}

/// Hands an account's encryption back to a key that Microsoft manages, and touches nothing else.
pub fn leave_key(id: &AccountId, current: &SeenEncryption) -> Call {
    let mut encryption = json!({
        "services": {
            "blob": { "enabled": true, "keyType": "Account" },
            "file": { "enabled": true, "keyType": "Account" },
        },
        "keySource": "Microsoft.Storage",
    });
    if current.infrastructure == Some(true) {
        encryption["requireInfrastructureEncryption"] = json!(true);
    }
    let body = json!({ "properties": { "encryption": encryption } });
    Call::send(Method::Patch, Effect::Write, id.to_string(), API_VERSION, body)
}

/// Asks whether an account's name is free. A POST that changes nothing.
pub fn check_name(subscription: &SubscriptionId, name: &AccountName) -> Call {
    let body = json!({ "name": name.as_str(), "type": "Microsoft.Storage/storageAccounts" });
    let path = format!("/subscriptions/{subscription}/providers/Microsoft.Storage/checkNameAvailability");
    Call::send(Method::Post, Effect::Read, path, API_VERSION, body)
}

#[cfg(test)]
mod tests;
