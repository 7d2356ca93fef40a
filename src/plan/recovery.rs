//! What was deleted and still holds its name: brought back where the spec says so, refused where that cannot be done.
//!
//! A plan that brings something back ends there. What a deleted vault holds nobody can see, and a deleted key shows one
//! version of many: a key may be disabled, access may have been taken. The next plan is made from what is seen then.

use super::action::Action;
use super::draft::{Draft, changed};
use super::review::bound_to;
use crate::model::{
    Access, AccountName, Desired, Key, KeyRef, Location, NameState, Observed, Seen, SeenDeletedKey, SeenDeletedVault,
    Timestamp, Vault, VaultSku,
};

/// What is told of a thing whose state is not planned from yet.
const SEEN_LATER: &str =
    "what it holds shows once it is back: this plan ends there, and the same command goes on from what is seen then";

/// Brings a deleted vault back, if the spec says so, or refuses to; false when the name is not held by one.
pub(super) fn vault(
    (desired, observed): (&Desired, &Observed),
    vault: &Vault,
    location: &Location,
    sku: VaultSku,
    draft: &mut Draft,
) -> bool {
    let Some(Seen::Known(NameState::SoftDeleted(deleted))) = observed.vault_names.get(&vault.id.name) else {
        return false;
    };
    if !vault.recover {
        return false;
    }
    let resource = format!("vault {}", vault.id.name);
    if let Some((why, help)) = vault_stays(deleted, vault, location, observed.at) {
        draft.refuse("CMK275", &resource, why, help);
        return true;
    }
    let action = |tenant| Action::RecoverVault { id: vault.id.clone(), location: location.clone(), tenant, sku };
    if refuses_shut(&action(String::new()), &resource, desired, observed, draft) {
        return true;
    }
    let Some(tenant) = super::vaults::tenant(observed, vault, draft) else { return true };
    let because = vec![
        changed(&resource, "state", Some(state(deleted.scheduled_purge.as_ref())), "live, with what it held"),
        changed(&resource, "roleAssignments", Some("lost when it was deleted".to_owned()), "none at it or in it"),
    ];
    draft.propose(action(tenant), because);
    draft.note(&resource, SEEN_LATER);
    true
}

/// While its vault or its key is gone, an account that is to be out of reach is. What comes back would let it read, until
/// the next run takes its access away.
fn refuses_shut(action: &Action, resource: &str, desired: &Desired, observed: &Observed, draft: &mut Draft) -> bool {
    let is_shut =
        |name: &AccountName| desired.accounts.get(name).is_some_and(|account| account.access == Access::Revoked);
    let shut: Vec<String> =
        bound_to(action, observed).into_iter().filter(is_shut).map(|name| name.to_string()).collect();
    if shut.is_empty() {
        return false;
    }
    draft.refuse(
        "CMK275",
        resource,
        format!("bound to it, and to be out of reach: {}. It could read again, for a while at least", shut.join(", ")),
        "leave out `recover` for as long as the account is to be out of reach, or write `access: granted` on it",
    );
    true
}

/// How a deleted thing is called.
fn state(purge: Option<&impl ToString>) -> String {
    purge.map_or_else(|| "deleted".to_owned(), |date| format!("deleted, purged on {}", date.to_string()))
}

/// Why a deleted vault cannot be brought back as the spec asks, and the way out.
fn vault_stays(
    deleted: &SeenDeletedVault,
    vault: &Vault,
    location: &Location,
    now: Timestamp,
) -> Option<(String, String)> {
    let SeenDeletedVault { scheduled_purge, was, location: region } = deleted;
    let name = &vault.id.name;
    if let Some(was) = was.as_ref().filter(|was| was.group != vault.id.group) {
        let (is, wanted) = (&was.group, &vault.id.group);
        let why = format!(
            "the deleted vault was in resource group {} of subscription {}, and comes back nowhere else; the spec says {} of {}",
            is.name, is.subscription, wanted.name, wanted.subscription
        );
        let help =
            format!("write `resourceGroup: {}` and its subscription on vault {name}, or choose another name", is.name);
        return Some((why, help));
    }
    if let Some(region) = region.as_ref().filter(|region| *region != location) {
        let why = format!("the deleted vault was in {region}, and comes back nowhere else; the spec says {location}");
        return Some((why, format!("write `location: {region}` on vault {name}, or choose another name")));
    }
    let over = scheduled_purge.as_ref().filter(|date| Timestamp::parse(date).is_some_and(|date| date <= now))?;
    Some((
        format!("the deleted vault was to be purged on {over}, and may be gone at any moment"),
        "plan again in a while, when its name is free, or choose another name".to_owned(),
    ))
}

/// A deleted vault holds the name, and nobody has said that it is to come back.
pub(super) fn refuse_deleted_vault(deleted: &SeenDeletedVault, vault: &Vault, draft: &mut Draft) {
    let until = deleted.scheduled_purge.as_ref().map_or(String::new(), |date| format!(" until {date}"));
    let holder = deleted.was.as_ref().map_or(String::new(), |was| {
        format!(", one of resource group {} of subscription {}", was.group.name, was.group.subscription)
    });
    let name = &vault.id.name;
    draft.refuse(
        "CMK203",
        &format!("vault {name}"),
        format!("a deleted vault holds its name{until}{holder}"),
        format!(
            "to have it back, write `recover: true` on the vault, plan again, and accept CMK405:vault/{name}; or choose another name"
        ),
    );
}

/// Brings a deleted key back, if the spec says so, or refuses to; false when the name is not held by one.
pub(super) fn key(
    (desired, observed): (&Desired, &Observed),
    vault: &Vault,
    key: &KeyRef,
    wanted: &Key,
    draft: &mut Draft,
) -> bool {
    let Some(Seen::Known(deleted)) = observed.deleted_keys.get(key) else { return false };
    if !wanted.recover {
        return false;
    }
    let resource = format!("key {key}");
    let SeenDeletedKey { scheduled_purge, of_certificate } = deleted;
    let over = scheduled_purge.filter(|date| *date <= observed.at);
    let stays = match (of_certificate, over) {
        (true, _) => Some((
            "the deleted key belongs to a certificate, and comes back with that alone".to_owned(),
            "recover the certificate, or choose another name for the key",
        )),
        (false, Some(date)) => Some((
            format!("the deleted key was to be purged on {date}, and may be gone at any moment"),
            "plan again in a while, when its name is free, or choose another name for the key",
        )),
        (false, None) => None,
    };
    if let Some((why, help)) = stays {
        draft.refuse("CMK275", &resource, why, help);
        return true;
    }
    let action = Action::RecoverKey { vault: vault.id.clone(), key: key.clone() };
    if refuses_shut(&action, &resource, desired, observed, draft) {
        return true;
    }
    let because = vec![changed(&resource, "state", Some(state(scheduled_purge.as_ref())), "live, with every version")];
    draft.propose(action, because);
    draft.note(&resource, SEEN_LATER);
    true
}
