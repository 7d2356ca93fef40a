//! Accounts and their identities: there, made, given an identity, or refused.

use super::action::Action;
use super::draft::{Draft, changed, made};
use super::types::Change;
use super::{encryption, obstacles};
use crate::model::{
    Account, AccountCreate, Check, Desired, Fact, Identities, Location, NameState, Observed, Seen, SeenAccount,
    SeenIdentity,
};

pub(super) fn plan(desired: &Desired, observed: &Observed, draft: &mut Draft) {
    for (name, account) in &desired.accounts {
        let resource = format!("account {name}");
        match observed.accounts.get(name) {
            Some(Seen::Known(seen)) => existing(observed, account, seen, &resource, draft),
            Some(Seen::Absent) => absent(desired, observed, account, &resource, draft),
            Some(Seen::Hidden(reason)) => draft.hidden(&resource, reason),
            None => {}
        }
    }
}

fn existing(observed: &Observed, account: &Account, seen: &SeenAccount, resource: &str, draft: &mut Draft) {
    let live = Fact::AccountLive(account.id.name.clone());
    if let Check::No(why) = live.check(observed) {
        return draft.refuse("CMK210", resource, why, "see to the account in the portal, then plan again");
    }
    draft.wait_for(live, observed);
    differences(account, seen, resource, draft);
    attach(account, seen, resource, draft);
}

/// Gives an account its identity. A new one has another principal id, and no old grant reaches it: where the account
/// lost the one with which it reached its key, this begins to open what was closed, and bears that risk.
fn attach(account: &Account, seen: &SeenAccount, resource: &str, draft: &mut Draft) {
    let identity = seen.identity.lacks(&account.identity);
    if identity.is_empty() {
        return;
    }
    let (before, after) = (&seen.identity, seen.identity.with(&identity));
    let because = identities_changed(resource, (before, &after), &identity, (None, "added"));
    draft.propose(Action::AttachIdentity { id: account.id.clone(), identity }, because);
}

/// What changes when an account gets or loses identities: the type, and what each of these was and is.
pub(super) fn identities_changed(
    resource: &str,
    (before, after): (&SeenIdentity, &SeenIdentity),
    identities: &Identities,
    (was, is): (Option<&str>, &str),
) -> Vec<Change> {
    let (before, after) = (before.kind(), after.kind());
    let kind = (before != after).then(|| changed(resource, "identity.type", Some(before.to_owned()), after));
    let each = identities.user.iter().map(|id| {
        let path = format!("identity.userAssignedIdentities[{}]", id.name);
        changed(resource, &path, was.map(str::to_owned), is)
    });
    kind.into_iter().chain(each).collect()
}

fn differences(account: &Account, seen: &SeenAccount, resource: &str, draft: &mut Draft) {
    let Some(AccountCreate { sku, kind }) = &account.create else { return };
    let pairs = [("SKU", &seen.sku, sku), ("kind", &seen.kind, kind)];
    for (what, is, wanted) in pairs.into_iter().filter(|(_, is, wanted)| !is.eq_ignore_ascii_case(wanted)) {
        draft.note(resource, format!("its {what} is {is}, not {wanted} as `create` would have it"));
    }
    if let Some(wanted) = account.location.as_ref().filter(|wanted| **wanted != seen.location) {
        draft.note(resource, format!("it is in {}, not in {wanted} as `create` would have it", seen.location));
    }
}

fn absent(desired: &Desired, observed: &Observed, account: &Account, resource: &str, draft: &mut Draft) {
    let Some((create, location)) = account.create.as_ref().zip(account.location.as_ref()) else {
        return draft.refuse(
            "CMK201",
            resource,
            format!("it does not exist in resource group {}", account.id.group.name),
            "add `create: {}` to have it made, or correct its name, resource group or subscription",
        );
    };
    match observed.account_names.get(&account.id.name) {
        Some(Seen::Known(NameState::Taken(said))) => {
            let detail = format!("its name is taken, perhaps in another tenant: {said}");
            return draft.refuse(
                "CMK202",
                resource,
                detail,
                "choose another name: account names are unique in all of Azure",
            );
        }
        Some(Seen::Hidden(reason)) => {
            draft
                .note(resource, format!("whether its name is free could not be checked{}", obstacles::wanting(reason)));
        }
        Some(Seen::Known(NameState::Unregistered { provider })) => {
            return obstacles::refuse_unregistered(&account.id.group.subscription, provider, draft);
        }
        Some(Seen::Known(NameState::Free | NameState::SoftDeleted { .. }) | Seen::Absent) | None => {}
    }
    let key = encryption::at_birth(desired, account, draft);
    if let Some(binds) = key.as_ref().filter(|binds| draft.recovered.has_key(&binds.key)) {
        return draft.note(resource, format!("it is made with its key, once {} is back", binds.key));
    }
    let mut because = account_made(resource, create, location, &account.identity);
    because.extend(key.iter().flat_map(|key| encryption::made_with(resource, observed, key)));
    let (id, identity) = (account.id.clone(), account.identity.clone());
    let (location, create) = (location.clone(), create.clone());
    draft.propose(Action::CreateAccount { id, location, create, identity, key }, because);
}

fn account_made(resource: &str, create: &AccountCreate, location: &Location, identity: &Identities) -> Vec<Change> {
    let AccountCreate { sku, kind } = create;
    let mut because = vec![
        made(resource, "location", location.as_str()),
        made(resource, "sku", sku),
        made(resource, "kind", kind),
        made(resource, "minimumTlsVersion", "TLS1_2"),
        made(resource, "supportsHttpsTrafficOnly", "true"),
        made(resource, "allowBlobPublicAccess", "false"),
    ];
    because.extend((!identity.is_empty()).then(|| made(resource, "identity.type", identity.kind())));
    let names = identity.user.iter().map(|id| id.name.as_str());
    because.extend(names.map(|name| made(resource, &format!("identity.userAssignedIdentities[{name}]"), "added")));
    because
}
