//! The blob and file services of an account, as far as clients read their settings.

use serde_json::{Map, Value, json};

use super::account::{self, Account};
use super::arm::{self, Place};
use super::wire::{Answer, Ask, Reply};
use super::{Millis, World, accounts};

/// The settings of a service that are kept as they are sent.
const BLOB: [&str; 9] = [
    "cors",
    "defaultServiceVersion",
    "deleteRetentionPolicy",
    "containerDeleteRetentionPolicy",
    "isVersioningEnabled",
    "automaticSnapshotPolicyEnabled",
    "changeFeed",
    "restorePolicy",
    "lastAccessTimeTrackingPolicy",
];
const FILE: [&str; 3] = ["cors", "shareDeleteRetentionPolicy", "protocolSettings"];

/// A service that an account has.
#[derive(Clone, Copy)]
enum Service {
    Blob,
    File,
}

impl Service {
    fn of(kind: &str) -> Option<Self> {
        match kind {
            "blobservices" => Some(Self::Blob),
            "fileservices" => Some(Self::File),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Blob => "blobServices",
            Self::File => "fileServices",
        }
    }

    const fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Blob => &BLOB,
            Self::File => &FILE,
        }
    }

    fn defaults(self) -> Map<String, Value> {
        let off = json!({"enabled": false});
        let week = json!({"enabled": true, "days": 7});
        let cors = ("cors", json!({"corsRules": []}));
        let all = match self {
            Self::Blob => {
                vec![cors, ("deleteRetentionPolicy", json!({"enabled": false, "allowPermanentDelete": false}))]
            }
            Self::File => vec![
                cors,
                ("shareDeleteRetentionPolicy", week),
                ("protocolSettings", json!({"smb": {"multichannel": off}})),
            ],
        };
        all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn body(self, account: &Account) -> Value {
        let mut properties = self.defaults();
        if let Some(set) = account.services.get(self.name()).and_then(Value::as_object) {
            properties.extend(set.clone());
        }
        let tier = account.tier();
        json!({
            "sku": {"name": account.sku, "tier": tier}, "id": format!("{}/{}/default", account.id(), self.name()),
            "name": "default", "type": format!("{}/{}", account::KIND, self.name()), "properties": properties,
        })
    }
}

/// Whether the sandbox has this service of accounts.
pub(super) fn exists(kind: &str) -> bool {
    Service::of(kind).is_some()
}

/// Answers `storageAccounts/{account}/{kind}` and below.
pub(super) fn answer(
    world: &mut World,
    now: Millis,
    ask: &Ask,
    place: &Place,
    account: &str,
    (kind, rest): (&str, &[&str]),
) -> Reply {
    let service = Service::of(kind).ok_or_else(|| arm::no_route(ask))?;
    let found = accounts::find(world, place, account).map_err(|absent| match ask.method.as_str() {
        "GET" => absent,
        _ => accounts::no_parent(place, account, service.name()),
    })?;
    match (ask.method.as_str(), rest) {
        ("GET", []) => Ok(Answer::json(200, json!({"value": [service.body(found)]}))),
        ("GET", ["default"]) => Ok(Answer::json(200, service.body(found))),
        ("PUT", ["default"]) => put(world, now, ask, place, account, service),
        (_, [] | ["default"]) => Err(arm::no_method(ask)),
        _ => Err(arm::no_route(ask)),
    }
}

fn put(world: &mut World, now: Millis, ask: &Ask, place: &Place, account: &str, service: Service) -> Reply {
    let sent = ask.object()?;
    arm::check_members(&sent)?;
    let mut account = accounts::find(world, place, account)?.clone();
    accounts::check_provisioned(&account, now)?;
    let kept = account.services.entry(service.name()).or_insert_with(|| json!({}));
    for name in service.settings() {
        if !sent["properties"][name].is_null() {
            kept[name] = sent["properties"][name].clone();
        }
    }
    let answer = Answer::json(200, service.body(&account));
    world.state.accounts.insert(account.name.clone(), account.into());
    Ok(answer)
}
