//! The requests that carry actions out, and what their answers teach. Sends each write once and decides nothing.

use super::knowledge::Knowledge;
use crate::azure::{Answer, Azure, Call, Failure, Kind, accounts, groups, keys, lro, roles, vaults};
use crate::model::{AccessPolicy, AccountId, GrantScope, KeyPermission, PermissionModel, Seen, SeenVault, VaultId};
use crate::observe;
use crate::plan::{Action, GrantBy, Step};
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
    let Some(step) = steps.first() else { return Ok(()) };
    if let Action::RevokeAccess { account, vault } = &step.action {
        return revoke(azure, known, account, vault).await;
    }
    let call = call(azure, known, steps)?;
    let answer = azure.call(&call).await?;
    match &step.action {
        Action::CreateAccount { id, .. } => {
            // A 202 with nothing but a Location: the operation is followed to its end.
            let answer = lro::finish(azure, answer, &accounts::get(id), budget, on_wait).await?;
            let seen = answer.read(&call, accounts::read)?;
            known.observed().accounts.insert(id.name.clone(), Seen::Known(seen));
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
        Action::CreateVault { id, location, tenant, create, model, purge_protection } => {
            vaults::create(id, location, tenant, create, (*model, *purge_protection))
        }
        Action::ProtectVault { id } => vaults::protect(id),
        Action::CreateKey { vault, key, create } => keys::arm_create(vault, &key.name, create),
        Action::CreateAccount { id, location, create, identity } => accounts::create(id, location, create, *identity),
        Action::AttachIdentity { id } => {
            let account = known.account(id).ok_or_else(|| unknown(&format!("account {}", id.name)))?;
            accounts::attach_system(id, &account.identity)
        }
        Action::Grant { vault, by: GrantBy::AccessPolicy, .. } => grant(known, vault, steps)?,
        Action::Grant { account, vault, key, by: GrantBy::Role(scope), .. } => {
            let scope = match scope {
                GrantScope::Vault => vault.to_string(),
                GrantScope::Key => format!("{vault}/keys/{}", key.name),
            };
            let principal = principal(known, account)?;
            roles::assign(&scope, vault.group.subscription.as_str(), &principal)
        }
        Action::RevokeAccess { account, vault } => leave_policy(known, account, vault)?,
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

fn principal(known: &Knowledge<'_>, account: &AccountId) -> Result<String, Failure> {
    let principal = known.account(account).and_then(|seen| seen.identity.system_principal);
    principal.ok_or_else(|| unknown(&format!("the identity of account {}", account.name)))
}

/// One call for all new entries of a vault.
fn grant(known: &Knowledge<'_>, vault: &VaultId, steps: &[&Step]) -> Result<Call, Failure> {
    let tenant = known.vault(vault).ok_or_else(|| unknown(&format!("vault {}", vault.name)))?.tenant;
    let mut entries: Vec<(String, BTreeSet<KeyPermission>)> = vec![];
    for step in steps {
        if let Action::Grant { account, permissions, .. } = &step.action {
            entries.push((principal(known, account)?, permissions.clone()));
        }
    }
    let entries: Vec<_> = entries.iter().map(|(principal, permissions)| (principal.as_str(), permissions)).collect();
    Ok(vaults::add_access(vault, &tenant, &entries))
}

/// Takes away what an account's own identity may do with the vault's keys, and looks at what is left: no answer says it.
async fn revoke(azure: &Azure, known: &Knowledge<'_>, account: &AccountId, vault: &VaultId) -> Result<(), Failure> {
    let seen = known.vault(vault).ok_or_else(|| unknown(&format!("vault {}", vault.name)))?;
    let calls = match seen.permission_model {
        PermissionModel::AccessPolicies => vec![leave_policy(known, account, vault)?],
        PermissionModel::Rbac => {
            let principal = principal(known, account)?;
            let all = seen.role_assignments.as_ref().and_then(Seen::known).into_iter().flatten();
            let mine = all.filter(|one| one.principal.eq_ignore_ascii_case(&principal));
            mine.map(|one| roles::unassign(&one.id)).collect()
        }
    };
    for call in &calls {
        azure.call(call).await?;
    }
    let seen = observe::vault(azure, vault).await?;
    known.observed().vaults.insert(vault.name.clone(), seen);
    Ok(())
}

/// The call that takes out what an account's own identity may do with the vault's keys, and nothing of anybody else's.
fn leave_policy(known: &Knowledge<'_>, account: &AccountId, vault: &VaultId) -> Result<Call, Failure> {
    let seen = known.vault(vault).ok_or_else(|| unknown(&format!("vault {}", vault.name)))?;
    let principal = principal(known, account)?;
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
        Action::Grant { vault, by: GrantBy::Role(_), .. } => {
            let assigned = answer.read(call, roles::read)?;
            let mut observed = known.observed();
            if let Some(Seen::Known(SeenVault { role_assignments: Some(Seen::Known(all)), .. })) =
                observed.vaults.get_mut(&vault.name)
            {
                all.retain(|held| !held.id.eq_ignore_ascii_case(&assigned.id));
                all.push(assigned);
            }
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
