//! Where a vault's audit log is to go: ARM ids of the right kinds.

use super::Resolver;
use crate::diag::Diagnostic;
use crate::model::audit::Sink;
use crate::model::{GroupName, SubscriptionId};
use crate::spec::shown::shown;
use crate::spec::types::{AuditEntry, EventHubEntry};
use std::collections::BTreeSet;

/// The kinds of places, as the end of an ARM id spells them.
const WORKSPACE: &[&str] = &["Microsoft.OperationalInsights", "workspaces"];
const STORAGE: &[&str] = &["Microsoft.Storage", "storageAccounts"];
const RULE: &[&str] = &["Microsoft.EventHub", "namespaces", "authorizationRules"];

impl Resolver<'_> {
    pub(super) fn audit(&mut self, vault: [&str; 2], entry: &AuditEntry) -> BTreeSet<Sink> {
        let AuditEntry { log_analytics, storage_account, event_hub } = entry;
        let path = [vault[0], vault[1], "audit"];
        if log_analytics.is_none() && storage_account.is_none() && event_hub.is_none() && !self.spec.is_broken(&path) {
            self.say(
                Diagnostic::error("CMK082", self.spec.key_span(&path), "an audit log that goes nowhere")
                    .label("names no place")
                    .help("name one of `logAnalytics`, `storageAccount` and `eventHub`, or remove `audit`"),
            );
        }
        let within = |field| [path[0], path[1], path[2], field];
        let mut sinks = BTreeSet::new();
        let workspace = log_analytics.as_ref().and_then(|id| self.arm_id(&within("logAnalytics"), id, WORKSPACE));
        sinks.extend(workspace.map(Sink::LogAnalytics));
        let storage = storage_account.as_ref().and_then(|id| self.arm_id(&within("storageAccount"), id, STORAGE));
        sinks.extend(storage.map(Sink::StorageAccount));
        if let Some(EventHubEntry { rule, name }) = event_hub {
            let [vaults, vault, audit, hub] = within("eventHub");
            let rule = self.arm_id(&[vaults, vault, audit, hub, "rule"], rule, RULE);
            sinks.extend(rule.map(|rule| Sink::EventHub { rule, hub: Some(name.clone()) }));
        }
        sinks
    }

    /// An ARM id of a kind, in lower case, in which ids are compared.
    fn arm_id(&mut self, path: &[&str], written: &str, kind: &[&str]) -> Option<String> {
        if is_of_kind(written, kind) {
            return Some(written.trim_end_matches('/').to_ascii_lowercase());
        }
        let names: String = kind.iter().skip(1).flat_map(|one| ["/", one, "/NAME"]).collect();
        self.say(
            Diagnostic::error(
                "CMK081",
                self.spec.value_span(path),
                format!("`{}` is not the ARM id of one of {}", shown(written), kind.join("/")),
            )
            .label("not such an id")
            .help(format!(
                "write `/subscriptions/GUID/resourceGroups/NAME/providers/{}{names}`, as the portal and `az` show it",
                kind[0]
            )),
        );
        None
    }
}

fn is_of_kind(written: &str, kind: &[&str]) -> bool {
    let Some(rest) = written.strip_prefix('/') else { return false };
    let parts: Vec<&str> = rest.trim_end_matches('/').split('/').collect();
    let [subscriptions, subscription, groups, group, providers, namespace, names @ ..] = &parts[..] else {
        return false;
    };
    let is = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    let plain = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    is(subscriptions, "subscriptions")
        && SubscriptionId::parse(subscription).is_ok()
        && is(groups, "resourceGroups")
        && GroupName::parse(group).is_ok()
        && is(providers, "providers")
        && is(namespace, kind[0])
        && names.len() == 2 * (kind.len() - 1)
        && names.chunks(2).zip(&kind[1..]).all(|(pair, kind)| is(pair[0], kind) && plain(pair[1]))
}
