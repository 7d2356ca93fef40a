//! The diagnostic settings of vaults in a world like the one that was seen.

use super::Build;
use crate::model::Seen;
use crate::model::audit::{Log, SeenSetting, Sink};
use serde_json::{Value, json};

impl Build<'_> {
    /// Sends logs where they were seen to be sent. A place that the sandbox does not know is told as a limit.
    pub(super) fn audits(&mut self) {
        for (vault, seen) in &self.observed.audits {
            let Some(vault) = self.observed.vaults.get(vault).and_then(Seen::known) else { continue };
            for setting in seen.known().into_iter().flatten() {
                let path = format!("{}/providers/Microsoft.Insights/diagnosticSettings/{}", vault.id, setting.name);
                let status = self.hand.arm("PUT", &path, &json!({ "properties": properties(setting) })).0;
                if !(200..300).contains(&status) {
                    let limit =
                        format!("diagnostic setting {} of vault {} could not be made", setting.name, vault.id.name);
                    self.limits.insert(limit);
                }
            }
        }
    }
}

fn properties(setting: &SeenSetting) -> Value {
    let SeenSetting { name: _, logs, metrics, sinks, partner, tables } = setting;
    let log = |log: &Log| match log {
        Log::Category(name) => json!({ "category": name, "enabled": true }),
        Log::Group(name) => json!({ "categoryGroup": name, "enabled": true }),
    };
    let mut properties = json!({
        "logs": logs.iter().map(log).collect::<Vec<_>>(),
        "metrics": metrics.iter().map(|name| json!({ "category": name, "enabled": true })).collect::<Vec<_>>(),
        "marketplacePartnerId": partner,
        "logAnalyticsDestinationType": tables,
    });
    for sink in sinks {
        match sink {
            Sink::LogAnalytics(id) => properties["workspaceId"] = json!(id),
            Sink::StorageAccount(id) => properties["storageAccountId"] = json!(id),
            Sink::EventHub { rule, hub } => {
                properties["eventHubAuthorizationRuleId"] = json!(rule);
                properties["eventHubName"] = json!(hub);
            }
        }
    }
    properties
}
