//! Whether audit logs go where the spec says, by a setting of one's own, and nobody else's was touched: S3, S7.

use super::diff::Change;
use super::honest::{Finding, Scene};
use super::sight::Sight;
use crate::model::Vault;
use crate::model::audit::Sink;
use serde_json::Value;

impl Scene<'_> {
    /// Only the setting of our own is made or changed, and only where the spec speaks of the audit log.
    pub(super) fn diagnostics(&self, vault: &str, change: &Change<'_>) -> Vec<Finding> {
        let asked = self.desired.vaults.values().find(|wanted| wanted.id.name.as_str().eq_ignore_ascii_case(vault));
        let asked = asked.is_some_and(|wanted| !wanted.audit.is_empty());
        let ours = match (change.path.get(3), change.before) {
            (Some(name), _) => *name == "cmk-audit",
            (None, before) => before.is_none_or(Value::is_null),
        };
        let resource = format!("vault {vault}");
        let fields = ["audit.logAnalytics", "audit.storageAccount", "audit.eventHub"];
        let shown = fields.iter().any(|field| self.notes.shows(&resource, field));
        vec![
            ("S3", ours, format!("a diagnostic setting of others at {vault} was changed")),
            ("S7", asked, format!("the audit log of {vault} is sent where no spec asks for it")),
            ("S7", shown, format!("the audit log of {vault} is sent, and that was not shown")),
        ]
    }
}

/// Whether the audit log goes to every place that the spec names.
pub(super) fn is_sent(wanted: &Vault, sight: Sight<'_>) -> bool {
    let settings = sight.vault(wanted.id.name.as_str()).and_then(|vault| vault["diagnostics"].as_object());
    let settings: Vec<&Value> = settings.into_iter().flat_map(|all| all.values()).collect();
    wanted.audit.iter().all(|sink| {
        let (name, id) = match sink {
            Sink::LogAnalytics(id) => ("workspaceId", id),
            Sink::StorageAccount(id) => ("storageAccountId", id),
            Sink::EventHub { rule, hub: _ } => ("eventHubAuthorizationRuleId", rule),
        };
        settings.iter().any(|one| {
            let here = one["properties"][name].as_str().is_some_and(|held| held.eq_ignore_ascii_case(id));
            let logs = one["properties"]["logs"].as_array().into_iter().flatten();
            let is_audit = |log: &Value| {
                let named = [&log["category"], &log["categoryGroup"]].into_iter().filter_map(Value::as_str);
                log["enabled"] == true && named.into_iter().any(|one| ["AuditEvent", "audit", "allLogs"].contains(&one))
            };
            here && logs.into_iter().any(is_audit)
        })
    })
}
