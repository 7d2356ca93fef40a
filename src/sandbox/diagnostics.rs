//! Diagnostic settings of vaults: which logs go where. `Microsoft.Insights`, below the vault.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::arm::{self, Place};
use super::vault::Vault;
use super::wire::{Answer, Ask, Reply};
use super::{World, vaults};

const SETTINGS_MAX: usize = 5;

/// The places that a setting may send to, as Resource Manager names them.
const SINKS: [&str; 4] = ["workspaceId", "storageAccountId", "eventHubAuthorizationRuleId", "marketplacePartnerId"];

/// The properties that an answer always has, set or not.
const SHOWN: [&str; 6] = [
    "storageAccountId",
    "serviceBusRuleId",
    "workspaceId",
    "eventHubAuthorizationRuleId",
    "eventHubName",
    "logAnalyticsDestinationType",
];

/// A diagnostic setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Setting {
    pub name: String,
    pub properties: Map<String, Value>,
}

impl Setting {
    fn body(&self, vault: &Vault) -> Value {
        let mut properties = json!({ "logs": [], "metrics": [] });
        for name in SHOWN {
            properties[name] = Value::Null;
        }
        for (name, value) in &self.properties {
            properties[name] = value.clone();
        }
        // Ids come back in lower case, but for the last part.
        let id = format!("{}/providers/microsoft.insights/diagnosticSettings/", vault.id().to_lowercase());
        json!({
            "id": format!("{id}{}", self.name), "type": "Microsoft.Insights/diagnosticSettings", "name": self.name,
            "location": null, "kind": null, "tags": null, "properties": properties, "identity": null,
        })
    }

    fn sinks(&self) -> Vec<String> {
        let set = SINKS.iter().filter_map(|name| self.properties.get(*name)?.as_str());
        set.filter(|id| !id.is_empty()).map(str::to_ascii_lowercase).collect()
    }

    /// The categories of logs that it sends, with the groups that hold them resolved.
    fn categories(&self) -> Vec<String> {
        let logs = self.properties.get("logs").and_then(Value::as_array).into_iter().flatten();
        let on = logs.filter(|log| log["enabled"] == true);
        let all = on.flat_map(|log| match (log["category"].as_str(), log["categoryGroup"].as_str()) {
            (Some(category), _) => vec![category.to_owned()],
            (None, Some("audit")) => vec!["AuditEvent".to_owned()],
            (None, Some("allLogs")) => vec!["AuditEvent".to_owned(), "AzurePolicyEvaluationDetails".to_owned()],
            _ => vec![],
        });
        all.collect()
    }
}

/// Answers `…/vaults/{vault}/providers/Microsoft.Insights/diagnosticSettings…`; `rest` is what follows, in lower case.
pub(super) fn answer(world: &mut World, ask: &Ask, place: &Place, vault: &str, rest: &[&str]) -> Reply {
    let found = vaults::find_mut(world, place, vault);
    let vault = found.ok_or_else(|| arm::not_found("Microsoft.KeyVault/vaults", vault, &place.group))?;
    match (ask.method.as_str(), rest) {
        ("GET", []) => {
            let all: Vec<Value> = vault.diagnostics.values().map(|setting| setting.body(vault)).collect();
            Ok(Answer::json(200, json!({ "value": all })))
        }
        ("GET", [name]) => {
            let found = vault.diagnostics.get(*name);
            found.map(|setting| Answer::json(200, setting.body(vault))).ok_or_else(|| no_setting(name))
        }
        ("PUT", [name]) => put(ask, vault, name),
        ("DELETE", [name]) => {
            let gone = vault.diagnostics.remove(*name);
            Ok(Answer::empty(if gone.is_some() { 200 } else { 204 }))
        }
        (_, [] | [_]) => Err(arm::no_method(ask)),
        _ => Err(arm::no_route(ask)),
    }
}

/// Replaces a setting as a whole.
fn put(ask: &Ask, vault: &mut Vault, key: &str) -> Reply {
    let sent = ask.object()?;
    let properties = sent["properties"].as_object().cloned().unwrap_or_default();
    let name = ask.path.last().cloned().unwrap_or_default();
    let setting = Setting { name, properties };
    let logs = setting.categories();
    if setting.sinks().is_empty() {
        let text = "At least one data sink needs to be specified.";
        return Err(Answer::error(400, "BadRequest", text));
    }
    for other in vault.diagnostics.values().filter(|other| !other.name.eq_ignore_ascii_case(key)) {
        let theirs = (other.sinks(), other.categories());
        let sink = setting.sinks().into_iter().find(|sink| theirs.0.contains(sink));
        let category = logs.iter().find(|category| theirs.1.contains(category));
        if let Some((sink, category)) = sink.zip(category) {
            let text = format!(
                "Data sink '{sink}' is already used in diagnostic setting '{}' for category '{category}'. Data sinks can't be reused in different settings on the same category for the same resource.",
                other.name
            );
            return Err(Answer::error(409, "Conflict", &text));
        }
    }
    if !vault.diagnostics.contains_key(key) && vault.diagnostics.len() >= SETTINGS_MAX {
        let text = format!("The limit of {SETTINGS_MAX} diagnostic settings was reached.");
        return Err(Answer::error(409, "Conflict", &text));
    }
    let body = setting.body(vault);
    vault.diagnostics.insert(key.to_owned(), setting);
    Ok(Answer::json(200, body))
}

fn no_setting(name: &str) -> Answer {
    let text = format!("The diagnostic setting '{name}' doesn't exist.");
    Answer::error(404, "ResourceNotFound", &text)
}
