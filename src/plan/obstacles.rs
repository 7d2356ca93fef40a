//! What stands in the way of a step though the step itself is right: locks, a provider that is not registered, a
//! deleted key that holds the name, a tier that has no hardware keys.

use super::action::Action;
use super::draft::Draft;
use super::types::Plan;
use crate::model::{
    HiddenReason, KeyCreate, KeyRef, KeyType, Observed, Seen, SeenLock, SeenVault, SubscriptionId, VaultSku,
};
use std::collections::BTreeSet;

/// The subscriptions that a plan's steps write to: those whose locks have to be seen before anything is sent.
pub fn subscriptions(plan: &Plan) -> BTreeSet<SubscriptionId> {
    plan.steps.iter().map(|step| subscription(&step.action).clone()).collect()
}

fn subscription(action: &Action) -> &SubscriptionId {
    match action {
        Action::CreateGroup { id, .. } => &id.subscription,
        Action::CreateVault { id, .. } | Action::RecoverVault { id, .. } | Action::ProtectVault { id } => {
            &id.group.subscription
        }
        Action::SetAudit { vault, .. }
        | Action::CreateKey { vault, .. }
        | Action::ImportKey { vault, .. }
        | Action::RecoverKey { vault, .. }
        | Action::MarkKey { vault, .. }
        | Action::SetRotation { vault, .. }
        | Action::RotateKey { vault, .. }
        | Action::EnableVersion { vault, .. }
        | Action::DisableVersion { vault, .. }
        | Action::Grant { vault, .. }
        | Action::RevokeAccess { vault, .. } => &vault.group.subscription,
        Action::CreateIdentity { id, .. } => &id.group.subscription,
        Action::CreateAccount { id, .. } | Action::AttachIdentity { id, .. } | Action::DetachIdentity { id, .. } => {
            &id.group.subscription
        }
        Action::SetEncryption { account, .. }
        | Action::SwitchIdentity { account, .. }
        | Action::LeaveKey { account, .. } => &account.group.subscription,
    }
}

/// Refuses every write below a lock that allows reading only.
///
/// `ReadOnly` holds for its scope and all below it, and forbids PUT, PATCH, DELETE and POST through Resource Manager,
/// whoever asks. `CanNotDelete` forbids deleting, which no step does, so it is not even told: an entry leaves a vault's
/// access policies by a PUT.
pub(super) fn refuse_locked(observed: &Observed, draft: &mut Draft) {
    let written: BTreeSet<SubscriptionId> =
        draft.proposals.iter().map(|(action, _)| subscription(action).clone()).collect();
    for id in written {
        match observed.locks.get(&id) {
            Some(Seen::Known(locks)) => {
                let forbidding: BTreeSet<&SeenLock> =
                    locks.iter().filter(|lock| lock.level.eq_ignore_ascii_case("ReadOnly")).collect();
                for lock in forbidding {
                    refuse_below(lock, draft);
                }
            }
            Some(Seen::Hidden(reason)) => {
                let text = format!(
                    "whether a lock forbids these steps could not be seen{}. Azure refuses what a lock forbids, \
                     and changes nothing",
                    wanting(reason)
                );
                draft.note(&format!("subscription {id}"), text);
            }
            Some(Seen::Absent) | None => {}
        }
    }
}

/// How many things a refusal names before it only counts.
const NAMED_MAX: usize = 5;

fn refuse_below(lock: &SeenLock, draft: &mut Draft) {
    let SeenLock { scope, name, level, notes } = lock;
    let below: BTreeSet<&str> = draft
        .proposals
        .iter()
        .filter(|(action, _)| is_at_or_below(&action.resource(), scope))
        .flat_map(|(_, because)| because.iter().map(|change| change.resource.as_str()))
        .collect();
    if below.is_empty() {
        return;
    }
    let mut named = below.iter().copied().take(NAMED_MAX).collect::<Vec<&str>>().join(", ");
    if below.len() > NAMED_MAX {
        named = format!("{named} and {} more", below.len() - NAMED_MAX);
    }
    let says = notes.as_ref().map(|notes| format!("; it says: {notes}")).unwrap_or_default();
    let detail = format!("it is {level} and forbids to change {named}{says}");
    draft.refuse("CMK215", &format!("lock {name} on {}", in_words(scope)), detail, removal(scope, name));
}

/// Names come from whoever made the lock. Only a plain one is put into a command that a person may paste.
fn removal(scope: &str, name: &str) -> String {
    let id = format!("{scope}/providers/Microsoft.Authorization/locks/{name}");
    let is_plain = id.chars().all(|c| c.is_ascii_alphanumeric() || "/-_.() ".contains(c));
    let how = if is_plain { format!("with `az lock delete --ids '{id}'`") } else { "in the portal".to_owned() };
    format!("ask whoever set the lock; if the change is meant to be, remove it {how}, apply, and set it again")
}

/// Whether an ARM path is a scope or lies below it. Case does not count, half a segment does not match.
fn is_at_or_below(path: &str, scope: &str) -> bool {
    let (path, scope) = (path.to_ascii_lowercase(), scope.to_ascii_lowercase());
    path.strip_prefix(scope.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A scope as a person names it: `resource group rg`, `storageAccounts stbilling`.
fn in_words(scope: &str) -> String {
    let parts: Vec<&str> = scope.trim_matches('/').split('/').collect();
    match parts[..] {
        [_, subscription] => format!("subscription {subscription}"),
        [_, _, _, group] => format!("resource group {group}"),
        [.., kind, name] if kind.eq_ignore_ascii_case("vaults") => format!("vault {name}"),
        [.., kind, name] if kind.eq_ignore_ascii_case("storageAccounts") => format!("account {name}"),
        _ => scope.to_owned(),
    }
}

/// Why something could not be seen, with the permission that would show it.
pub(super) fn wanting(reason: &HiddenReason) -> String {
    let permission = reason.permission.as_ref().map(|permission| format!(", for want of {permission}"));
    format!("{}: {reason}", permission.unwrap_or_default())
}

/// A provider has to be registered once in each subscription; until then it makes nothing there.
pub(super) fn refuse_unregistered(subscription: &SubscriptionId, provider: &str, draft: &mut Draft) {
    draft.refuse(
        "CMK216",
        &format!("subscription {subscription}"),
        format!("it has not registered the resource provider {provider}"),
        format!(
            "run `az provider register --namespace {provider} --subscription {subscription} --wait`, then plan again"
        ),
    );
}

/// Refuses a key that the vault, which is there, cannot make.
pub(super) fn refuses_key(observed: &Observed, key: &KeyRef, create: &KeyCreate, draft: &mut Draft) -> bool {
    let resource = format!("key {key}");
    let vault = observed.vaults.get(&key.vault).and_then(Seen::known);
    let by_tier = vault.is_some_and(|vault| lacks_hardware(vault, create));
    if by_tier {
        draft.refuse(
            "CMK218",
            &resource,
            format!("it is to be of type {}, and vault {} is of the standard tier", create.kind, key.vault),
            format!(
                "write `type: RSA`, or have the vault's owner raise it with `az keyvault update --name {} --set \
                 properties.sku.name={}`",
                key.vault,
                VaultSku::Premium.as_str()
            ),
        );
    }
    refuses_held_name(observed, key, &resource, draft) || by_tier
}

/// Hardware keys are kept by premium vaults only.
fn lacks_hardware(vault: &SeenVault, create: &KeyCreate) -> bool {
    create.kind == KeyType::RsaHsm && vault.sku.eq_ignore_ascii_case(VaultSku::Standard.as_str())
}

/// A deleted key holds its name until it is purged. That it may not be seen is only told: Azure refuses by itself.
fn refuses_held_name(observed: &Observed, key: &KeyRef, resource: &str, draft: &mut Draft) -> bool {
    match observed.deleted_keys.get(key) {
        Some(Seen::Known(deleted)) => {
            let until = deleted.scheduled_purge.map(|date| format!(" until {date}")).unwrap_or_default();
            draft.refuse(
                "CMK212",
                resource,
                format!("a deleted key holds its name{until}"),
                format!("to have it back, write `recover: true` on the key, plan again, and accept CMK405:key/{key}; or choose another name for the key"),
            );
            true
        }
        Some(Seen::Hidden(reason)) => {
            draft.note(resource, format!("whether a deleted key holds its name could not be seen{}", wanting(reason)));
            false
        }
        Some(Seen::Absent) | None => false,
    }
}
