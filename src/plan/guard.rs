//! Guards: what a plan must not touch, whatever the spec says. Pure, and blind to the spec's text.
//!
//! Looks at what the steps touch, since nothing else is ever written. What could not be
//! seen is not taken for allowed.

use super::risk::RiskClass;
use super::touched::Touched;
use super::types::{Plan, Refusal};
use crate::model::{
    AccountName, Guard, KeyCreate, KeyPermission, KeyRef, Observed, Pattern, Seen, SubscriptionId, VaultId,
};
use std::collections::BTreeSet;

/// Where a plan goes beyond a guard. `name` is the guard file's, for people.
pub fn breaches(plan: &Plan, observed: &Observed, guard: &Guard, name: &str) -> Vec<Refusal> {
    let mut court = Court { observed, guard, name, refusals: BTreeSet::new() };
    let mut accounts: BTreeSet<&AccountName> = BTreeSet::new();
    for step in &plan.steps {
        let touched = Touched::by(&step.action);
        accounts.extend(touched.account.map(|id| &id.name));
        court.places(&touched);
        court.tenants(&touched);
        court.key(&touched);
        court.permissions(&touched);
    }
    court.amount(&accounts);
    court.risks(plan);
    court.refusals.into_iter().collect()
}

/// The subscriptions that a plan touches: what a guard has to know the tenants of.
pub fn subscriptions(plan: &Plan) -> BTreeSet<SubscriptionId> {
    let touched = plan.steps.iter().map(|step| Touched::by(&step.action));
    touched.flat_map(|touched| touched.groups().map(|group| group.subscription.clone()).collect::<Vec<_>>()).collect()
}

struct Court<'a> {
    observed: &'a Observed,
    guard: &'a Guard,
    name: &'a str,
    /// Each once, in order.
    refusals: BTreeSet<Refusal>,
}

fn fits(patterns: &[Pattern], name: &str) -> bool {
    patterns.iter().any(|pattern| pattern.fits(name))
}

/// The allowed words for a sentence.
fn allowed<T: ToString>(words: impl IntoIterator<Item = T>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| word.to_string()).collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

impl Court<'_> {
    fn refuse(&mut self, code: &'static str, resource: String, detail: String) {
        let help = format!("leave it out of this run, or have the owner of the guard {} allow it", self.name);
        self.refusals.insert(Refusal { code, resource, detail, help });
    }

    fn places(&mut self, touched: &Touched<'_>) {
        let guard = self.guard;
        for group in touched.groups() {
            let subscription = group.subscription.as_str();
            if !fits(&guard.subscriptions, subscription) {
                let detail = format!("the guard allows {}", allowed(&guard.subscriptions));
                self.refuse("CMK231", format!("subscription {subscription}"), detail);
            }
            if !fits(&guard.resource_groups, group.name.as_str()) {
                let detail = format!("the guard allows {}", allowed(&guard.resource_groups));
                self.refuse("CMK232", format!("resource group {}", group.name), detail);
            }
        }
        for sink in touched.sinks.into_iter().flatten() {
            let subscription = sink.subscription().unwrap_or_default();
            if !fits(&guard.subscriptions, subscription) {
                let detail =
                    format!("an audit log would go there, and the guard allows {}", allowed(&guard.subscriptions));
                self.refuse("CMK231", format!("subscription {subscription}"), detail);
            }
        }
        let vaults = touched.vault.map(|id| &id.name).into_iter().chain(touched.key.map(|key| &key.vault));
        for vault in vaults.filter(|vault| !fits(&guard.vaults, vault.as_str())) {
            self.refuse("CMK233", format!("vault {vault}"), format!("the guard allows {}", allowed(&guard.vaults)));
        }
        if let Some(account) = touched.account.filter(|id| !fits(&guard.accounts, id.name.as_str())) {
            let detail = format!("the guard allows {}", allowed(&guard.accounts));
            self.refuse("CMK234", format!("account {}", account.name), detail);
        }
    }

    /// The tenants of a step: of the subscriptions, of the vault, and of the account's identity.
    fn tenants(&mut self, touched: &Touched<'_>) {
        if self.guard.tenants.iter().any(|pattern| pattern.fits("")) {
            return;
        }
        let observed = self.observed;
        for group in touched.groups() {
            let id = &group.subscription;
            let seen = observed.subscriptions.get(id).and_then(Seen::known);
            self.tenant(format!("subscription {id}"), seen.map(|seen| seen.tenant.as_str()));
        }
        if let Some(VaultId { name, .. }) = touched.vault {
            let seen = observed.vaults.get(name).and_then(Seen::known).map(|vault| vault.tenant.as_str());
            // A vault that is made is seen by nobody; the step that makes it says its tenant.
            let is_absent = observed.vaults.get(name).is_some_and(Seen::is_absent);
            if let Some(tenant) = touched.tenant.or(seen) {
                self.tenant(format!("vault {name}"), Some(tenant));
            } else if !is_absent {
                self.tenant(format!("vault {name}"), None);
            }
        }
        let account = touched.account.and_then(|id| observed.accounts.get(&id.name)).and_then(Seen::known);
        if let Some((id, tenant)) = touched.account.zip(account.and_then(|seen| seen.identity.tenant.as_deref())) {
            self.tenant(format!("the identity of account {}", id.name), Some(tenant));
        }
    }

    fn tenant(&mut self, resource: String, tenant: Option<&str>) {
        let allows = allowed(&self.guard.tenants);
        match tenant {
            Some(tenant) if fits(&self.guard.tenants, tenant) => {}
            Some(tenant) => {
                self.refuse("CMK230", resource, format!("it is of tenant {tenant}, and the guard allows {allows}"));
            }
            None => {
                self.refuse("CMK230", resource, format!("its tenant could not be seen, and the guard allows {allows}"));
            }
        }
    }

    fn key(&mut self, touched: &Touched<'_>) {
        let Some(key) = touched.key else { return };
        let made = touched.key_made.map(|KeyCreate { kind, size_bits }| (kind, Some(*size_bits)));
        let seen = self.observed.keys.get(key);
        let known = seen.and_then(Seen::known).map(|seen| (&seen.kind, seen.size_bits));
        // The step that makes an absent key is held against the guard itself.
        let is_absent = seen.is_some_and(Seen::is_absent);
        match made.or(known) {
            Some((kind, bits)) => self.kind(key, kind.as_str(), bits),
            None if is_absent => {}
            None if self.guard.key_types.is_none() && self.guard.key_sizes_bits.is_none() => {}
            None => self.refuse("CMK235", format!("key {key}"), "its type and size could not be seen".to_owned()),
        }
    }

    fn kind(&mut self, key: &KeyRef, kind: &str, bits: Option<u32>) {
        let guard = self.guard;
        if let Some(types) = guard.key_types.as_ref().filter(|types| !types.contains(kind)) {
            let detail = format!("it is of type {kind}, and the guard allows {}", allowed(types));
            self.refuse("CMK235", format!("key {key}"), detail);
        }
        let is_right = |sizes: &&BTreeSet<u32>| bits.is_some_and(|bits| sizes.contains(&bits));
        if let Some(sizes) = guard.key_sizes_bits.as_ref().filter(|sizes| !is_right(sizes)) {
            let bits = bits.map_or("a size that could not be seen".to_owned(), |bits| format!("{bits} bits"));
            let detail = format!("it has {bits}, and the guard allows {} bits", allowed(sizes));
            self.refuse("CMK235", format!("key {key}"), detail);
        }
    }

    fn permissions(&mut self, touched: &Touched<'_>) {
        let (Some(granted), Some(may)) = (touched.granted, &self.guard.permissions) else { return };
        let more: Vec<&KeyPermission> = granted.difference(may).collect();
        if !more.is_empty() {
            let who = touched.account.map_or_else(String::new, |id| format!("account {}", id.name));
            let detail = format!("it would be granted {}, and the guard allows {}", allowed(more), allowed(may));
            self.refuse("CMK236", who, detail);
        }
    }

    fn amount(&mut self, accounts: &BTreeSet<&AccountName>) {
        let Some(most) = self.guard.accounts_max else { return };
        if u64::try_from(accounts.len()).unwrap_or(u64::MAX) > most {
            let detail = format!("it touches {} accounts, and the guard allows {most} in one run", accounts.len());
            self.refuse("CMK237", "the plan".to_owned(), detail);
        }
    }

    /// A word that is not known allows nothing that has a code.
    fn risks(&mut self, plan: &Plan) {
        let Some(word) = &self.guard.risk_max else { return };
        let most = RiskClass::by_name(word).unwrap_or_default();
        for step in &plan.steps {
            for risk in step.risks.iter().filter(|risk| risk.class > most) {
                let detail = format!("{} is {}, and the guard allows {word} at most", risk.object, risk.class);
                self.refuse("CMK238", format!("step {}", step.id), detail);
            }
        }
    }
}
