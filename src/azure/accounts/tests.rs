//! The bodies that are sent, and what is read of answers.

use super::answer::MICROSOFT_MANAGED;
use super::*;
use crate::model::{GroupName, IdentityId, IdentityName, Version};

const SUBSCRIPTION: &str = "abcdef00-0000-0000-0000-000000000000";
const VERSION: &str = "0123456789abcdef0123456789abcdef";

fn id() -> AccountId {
    let subscription = SubscriptionId::parse(SUBSCRIPTION).unwrap();
    let group = GroupId { subscription, name: GroupName::parse("rg").unwrap() };
    AccountId { group, name: AccountName::parse("st1").unwrap() }
}

fn account(identity: &Value, encryption: &Value) -> Value {
    json!({
        "id": format!("/subscriptions/{SUBSCRIPTION}/resourcegroups/rg/providers/Microsoft.Storage/storageAccounts/st1"),
        "location": "westeurope", "kind": "StorageV2", "sku": { "name": "Standard_LRS", "tier": "Standard" },
        "identity": identity, "properties": { "provisioningState": "Succeeded", "encryption": encryption },
    })
}

fn bound(version: &Value) -> Value {
    json!({ "keySource": "Microsoft.Keyvault", "identity": { "userAssignedIdentity": "" }, "keyvaultproperties": {
        "keyname": "main", "keyversion": version, "keyvaulturi": "https://Kv.vault.azure.net/",
        "currentVersionedKeyIdentifier": format!("https://kv.vault.azure.net/keys/main/{VERSION}"),
        "currentVersionedKeyExpirationTimestamp": "1970-01-01T00:00:00.0000000Z",
    } })
}

#[test]
fn a_system_identity_is_added_to_those_that_are_there() {
    let kind = |user_assigned: &[&str]| {
        let user_assigned = user_assigned.iter().map(|id| (*id).to_owned()).collect();
        let new = Identities { system: true, ..Identities::default() };
        let call = attach(&id(), &new, &SeenIdentity { user_assigned, ..SeenIdentity::default() });
        assert_eq!(call.method, Method::Patch);
        call.body.unwrap()
    };
    assert_eq!(kind(&[]), json!({ "identity": { "type": "SystemAssigned" } }));
    assert_eq!(kind(&["/uami"]), json!({ "identity": { "type": "SystemAssigned,UserAssigned" } }));
}

#[test]
fn an_identity_is_taken_away_and_all_others_stay() {
    let named = |name: &str| {
        let group = id().group;
        IdentityId { group, name: IdentityName::parse(name).unwrap() }
    };
    let [a, b] = ["id-a", "id-b"].map(named);
    let body = |system: bool, users: &[&IdentityId], gone: Identities, reads_as: Option<&IdentityId>| {
        let user_assigned = users.iter().map(ToString::to_string).collect();
        let system_principal = system.then(|| "p".to_owned());
        let seen = SeenIdentity { system_principal, user_assigned, ..SeenIdentity::default() };
        let mut encryption = bound(&json!(""));
        encryption["identity"]["userAssignedIdentity"] = json!(reads_as.map(ToString::to_string));
        let encryption = read(&account(&Value::Null, &encryption)).unwrap().encryption;
        let call = detach(&id(), &gone, &seen, &encryption);
        assert_eq!((call.method, call.effect), (Method::Patch, Effect::Write));
        call.body.unwrap()["identity"].clone()
    };
    let own = Identities { system: true, ..Identities::default() };
    let user = |one: &IdentityId| Identities { user: [one.clone()].into(), ..Identities::default() };
    // The one that stays and that the key is reached as is named, and no other.
    let map = json!({ b.to_string(): {} });
    let expected = json!({ "type": "UserAssigned", "userAssignedIdentities": map });
    assert_eq!(body(true, &[&a, &b], own.clone(), Some(&b)), expected);
    let map = json!({ a.to_string(): null, b.to_string(): {} });
    let expected = json!({ "type": "SystemAssigned,UserAssigned", "userAssignedIdentities": map });
    assert_eq!(body(true, &[&a, &b], user(&a), None), expected);
    assert_eq!(body(true, &[&a], user(&a), None), json!({ "type": "SystemAssigned" }));
    assert_eq!(body(false, &[&a], user(&a), None), json!({ "type": "None" }));
    assert_eq!(body(true, &[], own, None), json!({ "type": "None" }));
}

#[test]
fn a_key_without_a_version_is_sent_with_an_empty_one() {
    let key = KeyName::parse("main").unwrap();
    let sent = |version, current| {
        let bound = Bound { host: "kv.vault.azure.net", key: &key, version, who: &Who::System(id()) };
        let call = set_encryption(&id(), bound, current);
        assert_eq!((call.method, call.effect), (Method::Patch, Effect::Write));
        call.body.unwrap()["properties"]["encryption"].clone()
    };
    let encryption = sent("", &MICROSOFT_MANAGED);
    assert_eq!(
        encryption["keyvaultproperties"],
        json!({ "keyname": "main", "keyversion": "", "keyvaulturi": "https://kv.vault.azure.net/" })
    );
    assert_eq!(encryption.get("requireInfrastructureEncryption"), None);
    assert_eq!(encryption.get("identity"), None);
    let doubly = SeenEncryption { infrastructure: Some(true), ..MICROSOFT_MANAGED };
    let encryption = sent(VERSION, &doubly);
    assert_eq!(encryption["keyvaultproperties"]["keyversion"], json!(VERSION));
    assert_eq!(encryption["requireInfrastructureEncryption"], json!(true));
}

#[test]
fn a_binding_through_another_identity_is_moved_to_the_system_one() {
    let mut body = account(&Value::Null, &bound(&json!("")));
    body["properties"]["encryption"]["identity"] = json!({ "userAssignedIdentity": "/uami" });
    let seen = read(&body).unwrap().encryption;
    let (key, who) = (KeyName::parse("main").unwrap(), Who::System(id()));
    let bound = Bound { host: "kv.vault.azure.net", key: &key, version: "", who: &who };
    let call = set_encryption(&id(), bound, &seen);
    assert_eq!(call.body.unwrap()["properties"]["encryption"]["identity"], json!({ "userAssignedIdentity": "" }));
}

#[test]
fn an_empty_version_and_none_are_the_same() {
    for version in [json!(""), json!(null)] {
        let binding = read(&account(&Value::Null, &bound(&version))).unwrap().encryption.binding.unwrap();
        assert_eq!((binding.version, binding.user_assigned_identity), (None, None));
        assert_eq!(binding.current, Some(Version::parse(VERSION).unwrap()));
        assert_eq!(binding.vault_host, "kv.vault.azure.net");
    }
    let binding = read(&account(&Value::Null, &bound(&json!(VERSION)))).unwrap().encryption.binding.unwrap();
    assert_eq!(binding.version, Some(Version::parse(VERSION).unwrap()));
}

#[test]
fn identities_are_read_with_and_without_a_system_one() {
    let both = json!({ "type": "SystemAssigned,UserAssigned", "principalId": "P", "tenantId": "T",
        "userAssignedIdentities": { "/a": { "principalId": "x" }, "/b": {} } });
    let seen = read(&account(&both, &Value::Null)).unwrap();
    assert_eq!(seen.id, id());
    assert_eq!(seen.identity.system_principal.as_deref(), Some("p"));
    assert_eq!(seen.identity.user_assigned, ["/a", "/b"]);
    let none = read(&account(&json!({ "type": "None" }), &json!({ "keySource": "Microsoft.Storage" }))).unwrap();
    assert_eq!((none.identity, none.encryption), (SeenIdentity::default(), MICROSOFT_MANAGED));
}

#[test]
fn a_new_account_is_closed_by_default() {
    let create_as = AccountCreate { sku: "Standard_LRS".to_owned(), kind: "StorageV2".to_owned() };
    let location = Location::parse("westeurope").unwrap();
    let body =
        create(&id(), &location, &create_as, &Identities { system: true, ..Identities::default() }, None).body.unwrap();
    assert_eq!(body["identity"], json!({ "type": "SystemAssigned" }));
    assert_eq!(
        body["properties"],
        json!({ "minimumTlsVersion": "TLS1_2", "supportsHttpsTrafficOnly": true, "allowBlobPublicAccess": false })
    );
    assert_eq!(create(&id(), &location, &create_as, &Identities::default(), None).body.unwrap().get("identity"), None);
}

#[test]
fn a_key_source_that_is_not_known_is_not_taken_for_no_key() {
    let encryption = json!({ "keySource": "Microsoft.Unheard", "keyvaultproperties": null });
    assert!(read(&account(&Value::Null, &encryption)).unwrap_err().contains("Microsoft.Unheard"));
    let mut encryption = bound(&json!(""));
    encryption["keyvaultproperties"]["keyname"] = json!("../secrets");
    assert!(read(&account(&Value::Null, &encryption)).is_err());
}
