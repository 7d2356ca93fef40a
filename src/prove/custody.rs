//! The guard of a proof: the operator allows exactly what the spec names, and nothing else may ever be written.

use crate::model::audit::Sink;
use crate::model::{AccountName, Desired, Guard, Observed, Pattern, VaultName};
use crate::plan::{Plan, guard};
use std::collections::BTreeSet;

/// A guard that allows what a spec names. Tenants are left open, since to know them takes looks of its own.
pub(super) fn guard_of(desired: &Desired) -> Guard {
    let groups: BTreeSet<_> = desired
        .groups
        .keys()
        .chain(desired.vaults.values().map(|vault| &vault.id.group))
        .chain(desired.accounts.values().map(|account| &account.id.group))
        .collect();
    let sinks = desired.vaults.values().flat_map(|vault| &vault.audit).filter_map(Sink::subscription);
    let subscriptions = groups.iter().map(|id| id.subscription.as_str()).chain(sinks);
    let named = |names: Vec<&str>| names.into_iter().map(Pattern::new).collect();
    Guard {
        tenants: vec![Pattern::new("*")],
        subscriptions: named(subscriptions.collect()),
        resource_groups: named(groups.iter().map(|id| id.name.as_str()).collect()),
        vaults: named(desired.vaults.keys().map(VaultName::as_str).collect()),
        accounts: named(desired.accounts.keys().map(AccountName::as_str).collect()),
        ..Guard::default()
    }
}

/// The plan, refused where it goes beyond the guard.
pub(super) fn guarded(mut plan: Plan, observed: &Observed, guard: &Guard) -> Plan {
    plan.refusals.extend(guard::breaches(&plan, observed, guard, "the proof's"));
    plan
}
