//! The requests that carry actions out, and what their answers teach. Sends each write once and decides nothing.

use super::knowledge::Knowledge;
use crate::azure::{Answer, Azure, Call, Failure, Kind, accounts, groups, keys, lro, vaults};
use crate::model::{AccessPolicy, AccountId, KeyPermission, Seen, VaultId};
use crate::observe;
use crate::plan::{Action, Step};
use std::collections::BTreeSet;
use std::time::Duration;

/// Sends what a batch of steps does and takes in the answer. A batch of more than one step is of grants of one vault.
pub(super) async fn perform(
    azure: &Azure,
    known: &Knowledge<'_>,
    steps: &[&Step],
    budget: Duration,
    on_wait: &mut (dyn FnMut(Duration) + Send),
) -> Result<(), Failure> {
    let call = call(azure, known, steps)?;
    let answer = azure.call(&call).await?;
    let Some(step) = steps.first() else { return Ok(()) };
    match &step.action {
        Action::CreateAccount { id, .. } => {
            // A 202 with nothing but a Location: the operation is followed to its end.
            let answer = lro::finish(azure, answer, &accounts::get(id), budget, on_wait).await?;
            let seen = answer.read(&call, accounts::read)?;
            known.observed().accounts.insert(id.name.clone(), Seen::Known(seen));
        }
        Action::RevokeAccess { vault, .. } => {
            // The answer does not say what is left.
            let seen = observe::vault(azure, vault).await?;
            known.observed().vaults.insert(vault.name.clone(), seen);
        }
        _ => learn(known, &step.action, &call, &answer)?,
    }
    Ok(())
}

/// The request for a batch of steps, made from what is known at this moment.
fn call(azure: &Azure, known: &Knowledge<'_>, steps: &[&Step]) -> Result<Call, Failure> {
    let Some(step) = steps.first() else { return Err(unknown("an empty batch of steps")) };
    Ok(match &step.action {
        Action::CreateGroup { id, location } => groups::create(id, location),
        Action::CreateVault { id, location, tenant, create, purge_protection } => {
            vaults::create(id, location, tenant, create, *purge_protection)
        }
        Action::ProtectVault { id } => vaults::protect(id),
        Action::CreateKey { vault, key, create } => keys::arm_create(vault, &key.name, create),
        Action::CreateAccount { id, location, create, identity } => accounts::create(id, location, create, *identity),
        Action::AttachIdentity { id } => {
            let account = known.account(id).ok_or_else(|| unknown(&format!("account {}", id.name)))?;
            accounts::attach_system(id, &account.identity)
        }
        Action::Grant { vault, .. } => grant(known, vault, steps)?,
        Action::RevokeAccess { account, vault } => revoke(known, account, vault)?,
        Action::LeaveKey { account, .. } => {
            let seen = known.account(account).ok_or_else(|| unknown(&format!("account {}", account.name)))?;
            accounts::leave_key(account, &seen.encryption)
        }
        Action::SetEncryption { account, vault, key, version, .. } => {
            let seen = known.account(account).ok_or_else(|| unknown(&format!("account {}", account.name)))?;
            let host = known.vault(vault).map_or_else(|| azure.cloud().vault_host(&vault.name), |vault| vault.host);
            let observed = known.observed();
            let versions = observed.keys.get(key).and_then(Seen::known);
            let pinned = versions.and_then(|seen| crate::model::fact::pinned_version(seen, version));
            accounts::set_encryption(account, &host, &key.name, pinned, &seen.encryption)
        }
    })
}

/// One call for all new entries of a vault.
fn grant(known: &Knowledge<'_>, vault: &VaultId, steps: &[&Step]) -> Result<Call, Failure> {
    let tenant = known.vault(vault).ok_or_else(|| unknown(&format!("vault {}", vault.name)))?.tenant;
    let mut entries: Vec<(String, BTreeSet<KeyPermission>)> = vec![];
    for step in steps {
        if let Action::Grant { account, permissions, .. } = &step.action {
            let principal = known.account(account).and_then(|seen| seen.identity.system_principal);
            let principal = principal.ok_or_else(|| unknown(&format!("the identity of account {}", account.name)))?;
            entries.push((principal, permissions.clone()));
        }
    }
    let entries: Vec<_> = entries.iter().map(|(principal, permissions)| (principal.as_str(), permissions)).collect();
    Ok(vaults::add_access(vault, &tenant, &entries))
}

/// The call that takes out what an account's own identity may do with the vault's keys, and nothing of anybody else's.
fn revoke(known: &Knowledge<'_>, account: &AccountId, vault: &VaultId) -> Result<Call, Failure> {
    let seen = known.vault(vault).ok_or_else(|| unknown(&format!("vault {}", vault.name)))?;
    let principal = known.account(account).and_then(|seen| seen.identity.system_principal);
    let principal = principal.ok_or_else(|| unknown(&format!("the identity of account {}", account.name)))?;
    let entries = seen.access_policies.iter().filter(|entry| entry.application_id.is_none());
    let mine = entries.filter(|entry| entry.object_id.eq_ignore_ascii_case(&principal));
    let held: BTreeSet<&str> = mine.flat_map(|entry| entry.keys.iter().map(String::as_str)).collect();
    Ok(vaults::remove_access(vault, &seen.tenant, &principal, &held))
}

/// Takes in an answer that holds the whole thing: it counts as a look.
fn learn(known: &Knowledge<'_>, action: &Action, call: &Call, answer: &Answer) -> Result<(), Failure> {
    match action {
        Action::CreateGroup { id, .. } => {
            let seen = answer.read(call, groups::read)?;
            known.observed().groups.insert(id.clone(), Seen::Known(seen));
        }
        Action::CreateVault { id, .. } | Action::ProtectVault { id } => {
            let seen = answer.read(call, vaults::read)?;
            known.observed().vaults.insert(id.name.clone(), Seen::Known(seen));
        }
        Action::CreateKey { key, .. } => {
            let seen = answer.read(call, keys::read_arm)?;
            known.observed().keys.insert(key.clone(), Seen::Known(seen));
        }
        Action::CreateAccount { id, .. }
        | Action::AttachIdentity { id }
        | Action::LeaveKey { account: id, .. }
        | Action::SetEncryption { account: id, .. } => {
            let seen = answer.read(call, accounts::read)?;
            known.observed().accounts.insert(id.name.clone(), Seen::Known(seen));
        }
        Action::Grant { vault, .. } => {
            let added = answer.read(call, vaults::read_added)?;
            learn_entries(known, vault, added);
        }
        Action::RevokeAccess { .. } => {}
    }
    Ok(())
}

/// The answer of `accessPolicies/add` names only the principals that were sent: theirs are replaced, all others stay.
fn learn_entries(known: &Knowledge<'_>, vault: &VaultId, added: Vec<AccessPolicy>) {
    let mut observed = known.observed();
    if let Some(Seen::Known(seen)) = observed.vaults.get_mut(&vault.name) {
        let same = |a: &AccessPolicy, b: &AccessPolicy| {
            a.object_id.eq_ignore_ascii_case(&b.object_id) && a.application_id == b.application_id
        };
        seen.access_policies.retain(|held| !added.iter().any(|entry| same(entry, held)));
        seen.access_policies.extend(added);
    }
}

/// The executor checks what a step needs before it sends, so this is not reached; it is an error all the same.
fn unknown(what: &str) -> Failure {
    Failure::new(Kind::Unsupported, format!("{what} is not known well enough to send anything"))
}
