//! The directory and the subscriptions as Resource Manager lists them, and the regions that they may use.

use serde_json::{Value, json};

use super::directory::{Directory, Subscription, SubscriptionState};
use super::regions;
use super::wire::{Answer, Ask, Reply};

/// Answers `/tenants`. Older versions know a tenant by its id alone.
pub(super) fn tenants(directory: &Directory, ask: &Ask) -> Answer {
    let Directory { tenant, name, domain, subscriptions: _ } = directory;
    let mut body = json!({"id": format!("/tenants/{tenant}"), "tenantId": tenant});
    if ask.api_version() >= "2019-11-01" {
        body["displayName"] = json!(name);
        body["tenantCategory"] = json!("Home");
        body["defaultDomain"] = json!(domain);
        body["domains"] = json!([domain]);
        body["tenantType"] = json!("AAD");
    }
    Answer::json(200, json!({"value": [body]}))
}

/// Lets a request into a subscription, if there is one, and if it still takes such requests.
pub(super) fn check(directory: &Directory, id: &str, ask: &Ask) -> Result<(), Answer> {
    let subscription = directory.subscription(id).ok_or_else(|| not_found(id))?;
    match subscription.state {
        SubscriptionState::Disabled if !ask.only_reads() && ask.method != "DELETE" => {
            let text = format!(
                "The subscription '{id}' is disabled and therefore marked as read only. You cannot perform any write actions on this subscription until it is re-enabled."
            );
            Err(Answer::error(409, "ReadOnlyDisabledSubscription", &text).gateway())
        }
        SubscriptionState::Enabled | SubscriptionState::Disabled => Ok(()),
    }
}

fn not_found(id: &str) -> Answer {
    let text = format!("The subscription '{id}' could not be found.");
    Answer::error(404, "SubscriptionNotFound", &text).gateway()
}

/// Answers `/subscriptions`.
pub(super) fn list(directory: &Directory, ask: &Ask) -> Answer {
    let all: Vec<Value> = directory.subscriptions.iter().map(|subscription| body(subscription, ask)).collect();
    Answer::json(200, json!({"value": all, "count": {"type": "Total", "value": all.len()}}))
}

/// Answers `/subscriptions/{s}`.
pub(super) fn show(directory: &Directory, id: &str, ask: &Ask) -> Reply {
    let found = directory.subscription(id).ok_or_else(|| not_found(id))?;
    Ok(Answer::json(200, body(found, ask)))
}

/// A subscription. Older versions do not say whose it is.
fn body(subscription: &Subscription, ask: &Ask) -> Value {
    let Subscription { id, name, state } = subscription;
    let mut body = json!({
        "id": format!("/subscriptions/{id}"), "subscriptionId": id,
        "displayName": name, "state": state.name(),
        "authorizationSource": "RoleBased",
        "subscriptionPolicies": {"locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off"},
    });
    if ask.api_version() >= "2019-06-01" {
        body["tenantId"] = json!(ask.tenant);
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
