//! The directory and the subscriptions as Resource Manager lists them, and the regions that they may use.

use serde_json::{Value, json};

use super::wire::{Answer, Ask};
use super::world::State;
use super::{SUBSCRIPTIONS, TENANT, regions};

/// Answers `/tenants`. Older versions know a tenant by its id alone.
pub(super) fn tenants(ask: &Ask) -> Answer {
    let mut tenant = json!({"id": format!("/tenants/{TENANT}"), "tenantId": TENANT});
    if ask.api_version() >= "2019-11-01" {
        tenant["displayName"] = json!("Sandbox");
        tenant["tenantCategory"] = json!("Home");
        tenant["defaultDomain"] = json!("sandbox.test");
        tenant["domains"] = json!(["sandbox.test"]);
        tenant["tenantType"] = json!("AAD");
    }
    Answer::json(200, json!({"value": [tenant]}))
}

/// Answers `/subscriptions`.
pub(super) fn list(state: &State, ask: &Ask) -> Answer {
    let others = state.subscriptions.iter().map(String::as_str);
    let all: Vec<Value> = SUBSCRIPTIONS.into_iter().chain(others).map(|one| body(one, ask)).collect();
    Answer::json(200, json!({"value": all, "count": {"type": "Total", "value": all.len()}}))
}

/// A subscription. Older versions do not say whose it is.
pub(super) fn body(subscription: &str, ask: &Ask) -> Value {
    let name = match SUBSCRIPTIONS.iter().position(|one| *one == subscription) {
        Some(0) => "Practice one",
        Some(_) => "Practice two",
        None => "Practice",
    };
    let mut body = json!({
        "id": format!("/subscriptions/{subscription}"), "subscriptionId": subscription,
        "displayName": name, "state": "Enabled",
        "authorizationSource": "RoleBased",
        "subscriptionPolicies": {"locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off"},
    });
    if ask.api_version() >= "2019-06-01" {
        body["tenantId"] = json!(TENANT);
        body["managedByTenants"] = json!([]);
    }
    body
}

/// Answers `/subscriptions/{s}/locations`.
pub(super) fn locations(subscription: &str) -> Answer {
    let all = regions::all().iter().map(|name| {
        let shown = regions::shown(name);
        json!({
            "id": format!("/subscriptions/{subscription}/locations/{name}"), "name": name, "type": "Region",
            "displayName": shown, "regionalDisplayName": shown,
            "metadata": {"regionType": "Physical", "regionCategory": "Recommended"},
        })
    });
    Answer::json(200, json!({"value": all.collect::<Vec<Value>>()}))
}
