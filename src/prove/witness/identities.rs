//! Identities of accounts: what is given was shown, and what goes is only what the spec takes: S4 and S7.

use super::honest::{Finding, Scene};
use crate::model::Identities;
use serde_json::Value;

impl Scene<'_> {
    pub(super) fn identity(&self, name: &str) -> Vec<Finding> {
        let mut findings = self.users_shown(name);
        if self.before.principal(name) != self.after.principal(name) {
            findings.extend(self.shown(&format!("account {name}"), &["identity.type"]));
        }
        let goes = self.removes(name);
        let may_go =
            |held: &str| goes.is_some_and(|goes| goes.user.iter().any(|id| id.to_string().eq_ignore_ascii_case(held)));
        let now = self.after.users(name);
        let gone: Vec<&str> = self.before.users(name).difference(&now).copied().collect();
        let own_kept = self.before.principal(name).is_none_or(|principal| match self.after.principal(name) {
            Some(now) => now == principal,
            None => goes.is_some_and(|goes| goes.system),
        });
        let (taken, lost): (Vec<&str>, Vec<&str>) = gone.into_iter().partition(|held| may_go(held));
        let names = taken.iter().map(|id| id.rsplit('/').next().unwrap_or_default());
        let fields: Vec<String> = names.map(|id| format!("identity.userAssignedIdentities[{id}]")).collect();
        findings.extend(self.shown(&format!("account {name}"), &fields.iter().map(String::as_str).collect::<Vec<_>>()));
        // Azure offers no precondition: what changed after the look, one request ago, cannot be known.
        let place = format!("{}{}", self.sent.host, self.sent.path).to_ascii_lowercase();
        let kept = own_kept && lost.is_empty() || self.notes.changed_since.contains(&place);
        findings.push(("S4", kept, format!("an identity of account {name} is gone")));
        findings
    }

    /// The identities that the spec takes from an account.
    pub(super) fn removes(&self, account: &str) -> Option<&Identities> {
        self.desired.accounts.values().find(|one| one.id.name.as_str() == account).map(|one| &one.removes)
    }

    /// Each user-assigned identity that an account got was shown.
    pub(super) fn users_shown(&self, name: &str) -> Vec<Finding> {
        let (had, has) = (self.before.users(name), self.after.users(name));
        let new = has.difference(&had).map(|id| id.rsplit('/').next().unwrap_or_default());
        let fields: Vec<String> = new.map(|id| format!("identity.userAssignedIdentities[{id}]")).collect();
        self.shown(&format!("account {name}"), &fields.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// The path of the thing whose managed identity a principal is.
pub(super) fn resource(principal: Option<&Value>) -> Option<&str> {
    principal?["kind"]["managedIdentity"]["resource"].as_str()
}

/// The name of that thing.
pub(super) fn owner(principal: Option<&Value>) -> Option<&str> {
    resource(principal)?.rsplit('/').next()
}
