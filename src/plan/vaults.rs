//! Vaults and their keys: there, made, protected, or refused.

use super::action::Action;
use super::draft::{Draft, changed, made};
use super::life;
use super::obstacles;
use super::own_key;
use super::recovery;
use super::types::Change;
use crate::model::{
    Check, Desired, Enabled, Fact, Key, KeyCreate, KeyRef, NameState, Observed, PermissionModel, Seen, SeenKey,
    SeenVault, Vault, VaultCreate,
};

pub(super) fn plan(desired: &Desired, observed: &Observed, draft: &mut Draft) {
    for (name, vault) in &desired.vaults {
        let resource = format!("vault {name}");
        match observed.vaults.get(name) {
            Some(Seen::Known(seen)) => existing(desired, observed, vault, seen, draft),
            Some(Seen::Absent) => absent(desired, observed, vault, draft),
            Some(Seen::Hidden(reason)) => draft.hidden(&resource, reason),
            None => {}
        }
        for (key_name, key) in &vault.keys {
            let key_ref = KeyRef { vault: name.clone(), name: key_name.clone() };
            plan_key((desired, observed), vault, &key_ref, key, draft);
        }
    }
}

/// Whether an account of the spec is to be protected by a key of this vault.
fn is_used(desired: &Desired, vault: &Vault) -> bool {
    desired.accounts.values().filter_map(|account| account.encryption.as_ref()).any(|e| e.key.vault == vault.id.name)
}

fn existing(desired: &Desired, observed: &Observed, vault: &Vault, seen: &SeenVault, draft: &mut Draft) {
    let resource = format!("vault {}", vault.id.name);
    let live = Fact::VaultLive(vault.id.name.clone());
    if let Check::No(why) = live.check(observed) {
        draft.refuse("CMK210", &resource, why, "see to the vault in the portal, then plan again");
        return;
    }
    draft.wait_for(live, observed);
    let used = is_used(desired, vault);
    protection(observed, vault, seen, used, draft);
    differences(vault, seen, &resource, draft);
}

fn protection(observed: &Observed, vault: &Vault, seen: &SeenVault, used: bool, draft: &mut Draft) {
    let resource = format!("vault {}", vault.id.name);
    let protected = Fact::PurgeProtected(vault.id.name.clone()).check(observed).is_yes();
    match vault.purge_protection {
        Some(true) if !protected => {
            let mut because: Vec<Change> = vec![];
            if !seen.soft_delete {
                because.push(changed(&resource, "softDelete", Some("false".to_owned()), "true"));
            }
            if !seen.purge_protection {
                because.push(changed(&resource, "purgeProtection", Some("false".to_owned()), "true"));
            }
            draft.propose(Action::ProtectVault { id: vault.id.clone() }, because);
        }
        None | Some(false) if used && !protected => draft.refuse(
            "CMK205",
            &resource,
            format!("accounts of this spec use its keys, but {}: Storage refuses such a vault", lacking(seen)),
            "write `purgeProtection: true` on the vault; it cannot be turned off again",
        ),
        Some(false) if seen.purge_protection => {
            draft.note(&resource, "purge protection is on and cannot be turned off");
        }
        None | Some(_) => {}
    }
}

/// Which of the two that Storage asks for is off.
fn lacking(seen: &SeenVault) -> &'static str {
    match (seen.soft_delete, seen.purge_protection) {
        (false, false) => "soft delete and purge protection are off",
        (false, true) => "soft delete is off",
        (true, _) => "purge protection is off",
    }
}

fn differences(vault: &Vault, seen: &SeenVault, resource: &str, draft: &mut Draft) {
    let Some(VaultCreate { sku, soft_delete_retention_days }) = &vault.create else { return };
    if !seen.sku.eq_ignore_ascii_case(sku.as_str()) {
        draft.note(resource, format!("its SKU is {}, not {} as `create` would have it", seen.sku, sku.as_str()));
    }
    if let Some(days) = seen.soft_delete_retention_days.filter(|days| days != soft_delete_retention_days) {
        let wanted = soft_delete_retention_days;
        draft.note(resource, format!("deleted keys are kept {days} days, not {wanted} as `create` would have it"));
    }
    if let Some(wanted) = vault.location.as_ref().filter(|wanted| **wanted != seen.location) {
        draft.note(resource, format!("it is in {}, not in {wanted} as `create` would have it", seen.location));
    }
}

fn absent(desired: &Desired, observed: &Observed, vault: &Vault, draft: &mut Draft) {
    let resource = format!("vault {}", vault.id.name);
    let Some((create, location)) = vault.create.as_ref().zip(vault.location.as_ref()) else {
        return draft.refuse(
            "CMK201",
            &resource,
            format!("it does not exist in resource group {}", vault.id.group.name),
            "add `create: {}` to have it made, or correct its name, resource group or subscription",
        );
    };
    if recovery::vault((desired, observed), vault, location, create.sku, draft)
        || is_held(observed, vault, &resource, draft)
    {
        return;
    }
    let Some(tenant) = tenant(observed, vault, draft) else { return };
    let purge_protection = vault.purge_protection == Some(true);
    let model = vault.permission_model.unwrap_or(PermissionModel::AccessPolicies);
    let because = vault_made(&resource, create, location.as_str(), (model, purge_protection));
    let (id, location, create) = (vault.id.clone(), location.clone(), create.clone());
    draft.propose(Action::CreateVault { id, location, tenant, create, model, purge_protection }, because);
}

/// The tenant that a vault of this subscription trusts; nothing, and told, where it cannot be seen.
pub(super) fn tenant(observed: &Observed, vault: &Vault, draft: &mut Draft) -> Option<String> {
    let id = &vault.id.group.subscription;
    let resource = format!("subscription {id}");
    match observed.subscriptions.get(id) {
        Some(Seen::Known(subscription)) => return Some(subscription.tenant.clone()),
        Some(Seen::Hidden(reason)) => draft.hidden(&resource, reason),
        Some(Seen::Absent) | None => draft.refuse(
            "CMK201",
            &resource,
            "it does not exist, or this identity cannot see it",
            "correct the subscription's id, or sign in to its tenant",
        ),
    }
    None
}

fn vault_made(
    resource: &str,
    create: &VaultCreate,
    location: &str,
    (model, purge_protection): (PermissionModel, bool),
) -> Vec<Change> {
    let VaultCreate { sku, soft_delete_retention_days } = create;
    let mut because = vec![
        made(resource, "location", location),
        made(resource, "sku", sku.as_str()),
        made(resource, "permissionModel", model.as_str()),
        made(resource, "softDelete", "true"),
        made(resource, "softDeleteRetentionDays", soft_delete_retention_days.to_string()),
    ];
    because.extend(purge_protection.then(|| made(resource, "purgeProtection", "true")));
    because
}

/// Refuses to make a vault whose name somebody holds. That the name could not be checked is only told:
/// Azure refuses a taken name by itself and changes nothing.
fn is_held(observed: &Observed, vault: &Vault, resource: &str, draft: &mut Draft) -> bool {
    match observed.vault_names.get(&vault.id.name) {
        Some(Seen::Known(NameState::Taken(said))) => {
            let detail = format!("its name is taken, perhaps in another tenant: {said}");
            draft.refuse("CMK202", resource, detail, "choose another name: vault names are unique in all of Azure");
            true
        }
        Some(Seen::Known(NameState::SoftDeleted(deleted))) => {
            recovery::refuse_deleted_vault(deleted, vault, draft);
            true
        }
        Some(Seen::Known(NameState::Unregistered { provider })) => {
            obstacles::refuse_unregistered(&vault.id.group.subscription, provider, draft);
            true
        }
        Some(Seen::Hidden(reason)) => {
            draft
                .note(resource, format!("whether its name is free could not be checked{}", obstacles::wanting(reason)));
            false
        }
        Some(Seen::Known(NameState::Free) | Seen::Absent) | None => false,
    }
}

fn plan_key((desired, observed): (&Desired, &Observed), vault: &Vault, key_ref: &KeyRef, key: &Key, draft: &mut Draft) {
    let resource = format!("key {key_ref}");
    match (observed.keys.get(key_ref), &key.create) {
        (Some(Seen::Absent), _) if draft.recovered.has_vault(&key_ref.vault) => {}
        (Some(Seen::Known(seen)), create) => {
            key_differences(seen, create.as_ref(), &resource, draft);
            key.import.iter().for_each(|own| own_key::compare(observed, key_ref, own, draft));
        }
        (Some(Seen::Absent), Some(_)) if key.life.enabled == Some(Enabled::No) => {
            draft.note(&resource, "it does not exist, and is not made as long as `enabled` is `false`");
        }
        (Some(Seen::Absent), Some(create)) => {
            if recovery::key((desired, observed), vault, key_ref, key, draft) {
                return;
            }
            if obstacles::refuses_key(observed, key_ref, create, draft) {
                return;
            }
            if let Some(own) = &key.import {
                return own_key::import(observed, vault, key_ref, (key, create, own), draft);
            }
            let KeyCreate { kind, size_bits } = create;
            let mut because =
                vec![made(&resource, "type", kind.as_str()), made(&resource, "size", size_bits.to_string())];
            because.extend(life::made_with(&resource, &key.life));
            let (vault, key_ref, create) = (vault.id.clone(), key_ref.clone(), create.clone());
            let (marks, rotation) = (key.life.marks.clone(), key.life.rotation);
            draft.propose(Action::CreateKey { vault, key: key_ref, create, marks, rotation }, because);
        }
        (Some(Seen::Absent), None) => draft.refuse(
            "CMK201",
            &resource,
            "it does not exist",
            "add `create: {}` to have it made, or correct its name",
        ),
        (Some(Seen::Hidden(reason)), _) => draft.hidden(&resource, reason),
        (None, _) => {}
    }
}

fn key_differences(seen: &SeenKey, create: Option<&KeyCreate>, resource: &str, draft: &mut Draft) {
    let Some(KeyCreate { kind, size_bits }) = create else { return };
    if seen.kind != *kind {
        draft.note(resource, format!("its type is {}, not {kind} as `create` would have it", seen.kind));
    }
    if let Some(bits) = seen.size_bits.filter(|bits| bits != size_bits) {
        draft.note(resource, format!("it has {bits} bits, not {size_bits} as `create` would have it"));
    }
}
