//! Diagnostic settings of a vault: listed, and one of them made or replaced. None is deleted.

use super::call::{Call, Effect, Method};
use super::failure::clean;
use super::paths::{has_id, read_as};
use crate::model::VaultId;
use crate::model::audit::{Log, OUR_SETTING, SeenSetting, Sink};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The current version, a preview for years; the one that Azure's own tools use.
const API_VERSION: &str = "2021-05-01-preview";

/// The permission that shows diagnostic settings.
pub const READ: &str = "Microsoft.Insights/diagnosticSettings/read";

/// Lists a vault's diagnostic settings: at most five.
pub fn list(vault: &VaultId) -> Call {
    Call::get(format!("{vault}/providers/Microsoft.Insights/diagnosticSettings"), API_VERSION)
}

/// Has our own setting send the audit log to these places. A PUT replaces it, so what it sends otherwise is sent again.
///
/// By the category and not by its group: a setting names categories or groups, and one that sends a group of logs with
/// the audit log among them is left as it is.
pub fn send(vault: &VaultId, sinks: &BTreeSet<Sink>, seen: Option<&SeenSetting>) -> Call {
    let mut logs: BTreeSet<Log> = seen.map(|seen| seen.logs.clone()).unwrap_or_default();
    if !seen.is_some_and(SeenSetting::audits) {
        logs.insert(Log::Category("AuditEvent".to_owned()));
    }
    let logs: Vec<Value> = logs
        .iter()
        .map(|log| match log {
            Log::Category(name) => json!({ "category": name, "enabled": true }),
            Log::Group(name) => json!({ "categoryGroup": name, "enabled": true }),
        })
        .collect();
    let metrics: Vec<Value> = seen
        .iter()
        .flat_map(|seen| &seen.metrics)
        .map(|category| json!({ "category": category, "enabled": true }))
        .collect();
    let mut properties = json!({ "logs": logs, "metrics": metrics });
    for sink in sinks {
        match sink {
            Sink::LogAnalytics(id) => properties["workspaceId"] = json!(id),
            Sink::StorageAccount(id) => properties["storageAccountId"] = json!(id),
            Sink::EventHub { rule, hub } => {
                properties["eventHubAuthorizationRuleId"] = json!(rule);
                if let Some(hub) = hub {
                    properties["eventHubName"] = json!(hub);
                }
            }
        }
    }
    if let Some(partner) = seen.and_then(|seen| seen.partner.as_ref()) {
        properties["marketplacePartnerId"] = json!(partner);
    }
    if let Some(tables) = seen.and_then(|seen| seen.tables.as_ref()) {
        properties["logAnalyticsDestinationType"] = json!(tables);
    }
    let path = format!("{vault}/providers/Microsoft.Insights/diagnosticSettings/{OUR_SETTING}");
    Call::send(Method::Put, Effect::Write, path, API_VERSION, json!({ "properties": properties }))
}

/// Reads one diagnostic setting.
pub fn read(body: &Value) -> Result<SeenSetting, String> {
    #[derive(Deserialize)]
    struct Wire {
        name: String,
        properties: Properties,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Properties {
        workspace_id: Option<String>,
        storage_account_id: Option<String>,
        event_hub_authorization_rule_id: Option<String>,
        event_hub_name: Option<String>,
        marketplace_partner_id: Option<String>,
        log_analytics_destination_type: Option<String>,
        logs: Option<Vec<Switch>>,
        metrics: Option<Vec<Switch>>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Switch {
        category: Option<String>,
        category_group: Option<String>,
        enabled: bool,
    }
    has_id(body, "the diagnostic setting")?;
    let Wire { name, properties } = read_as(body, "the diagnostic setting")?;
    // What is not set is null or empty.
    let set = |text: Option<String>| text.map(|text| clean(&text)).filter(|text| !text.is_empty());
    let id = |text: Option<String>| set(text).map(|text| text.to_ascii_lowercase());
    let hub = set(properties.event_hub_name);
    let sinks = [
        id(properties.workspace_id).map(Sink::LogAnalytics),
        id(properties.storage_account_id).map(Sink::StorageAccount),
        id(properties.event_hub_authorization_rule_id).map(|rule| Sink::EventHub { rule, hub }),
    ];
    let on = |switches: Option<Vec<Switch>>| switches.into_iter().flatten().filter(|one| one.enabled);
    let log = |one: Switch| match (set(one.category), set(one.category_group)) {
        (Some(category), _) => Some(Log::Category(category)),
        (None, Some(group)) => Some(Log::Group(group)),
        (None, None) => None,
    };
    Ok(SeenSetting {
        name: clean(&name),
        logs: on(properties.logs).filter_map(log).collect(),
        metrics: on(properties.metrics).filter_map(|one| set(one.category)).collect(),
        sinks: sinks.into_iter().flatten().collect(),
        partner: set(properties.marketplace_partner_id),
        tables: set(properties.log_analytics_destination_type),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{GroupId, GroupName, SubscriptionId, VaultName};

    fn vault() -> VaultId {
        let subscription = SubscriptionId::parse("abcdef00-0000-0000-0000-000000000000").unwrap();
        let group = GroupId { subscription, name: GroupName::parse("rg").unwrap() };
        VaultId { group, name: VaultName::parse("kv1").unwrap() }
    }

    #[test]
    fn what_our_setting_sends_otherwise_is_sent_again() {
        let body = json!({
            "id": "x", "name": "cmk-audit", "properties": {
                "workspaceId": "/W", "storageAccountId": null, "eventHubName": "", "marketplacePartnerId": "/P",
                "logAnalyticsDestinationType": "Dedicated",
                "logs": [
                    { "category": "AzurePolicyEvaluationDetails", "enabled": true, "retentionPolicy": null },
                    { "category": "AuditEvent", "categoryGroup": null, "enabled": false },
                ],
                "metrics": [{ "category": "AllMetrics", "enabled": true }],
            },
        });
        let seen = read(&body).unwrap();
        assert!(seen.is_ours() && !seen.audits());
        let sinks = [Sink::LogAnalytics("/w".to_owned()), Sink::StorageAccount("/s".to_owned())].into();
        let sent = send(&vault(), &sinks, Some(&seen));
        assert_eq!(
            sent.body.unwrap()["properties"],
            json!({
                "logs": [
                    { "category": "AuditEvent", "enabled": true },
                    { "category": "AzurePolicyEvaluationDetails", "enabled": true },
                ],
                "metrics": [{ "category": "AllMetrics", "enabled": true }],
                "workspaceId": "/w", "storageAccountId": "/s", "marketplacePartnerId": "/P",
                "logAnalyticsDestinationType": "Dedicated",
            })
        );
    }

    #[test]
    fn a_group_with_the_audit_log_in_it_is_enough() {
        let group = |name: &str| json!({ "id": "x", "name": "theirs", "properties": { "logs": [{ "categoryGroup": name, "enabled": true }] } });
        let audits = ["audit", "allLogs", "other"].map(|name| read(&group(name)).unwrap().audits());
        assert_eq!(audits, [true, true, false]);
    }
}
