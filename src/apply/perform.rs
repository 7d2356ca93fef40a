//! The requests that carry actions out, and what their answers teach. Sends each write once and decides nothing.

use super::knowledge::Knowledge;
use super::request;
use crate::azure::{
    Answer, Azure, Call, Failure, Kind, accounts, diagnostics, groups, identities, key_import, key_life, keys, lro,
    roles, vaults,
};
use crate::material::{self, Material, Materials};
use crate::model::{AccessPolicy, KeyRef, Seen, SeenVault, VaultId};
use crate::observe;
use crate::plan::{Action, GrantBy, Step};
use std::time::Duration;

/// Sends what a batch of steps does and takes in the answer. A batch of more than one step is of grants of one vault.
pub(super) async fn perform(
    azure: &Azure,
    known: &Knowledge<'_>,
    materials: &Materials,
    steps: &[&Step],
    budget: Duration,
    on_wait: &mut (dyn FnMut(Duration) + Send),
) -> Result<(), Failure> {
    let Some(step) = steps.first() else { return Ok(()) };
    let calls = {
        let observed = known.observed();
        request::calls(azure.cloud(), &observed, steps, &mut |missing| Err(unknown(&missing)))?
    };
    if let Action::RevokeAccess { vault, .. } = &step.action {
        return revoke(azure, known, vault, &calls).await;
    }
    let Some(call) = calls.first() else { return Ok(()) };
    if let Action::ImportKey { key, thumbprint, .. } = &step.action {
        return import(azure, known, call, (key, materials.get(key, thumbprint))).await;
    }
    let answer = azure.call(call).await?;
    match &step.action {
        Action::CreateAccount { id, .. } => {
            // A 202 with nothing but a Location: the operation is followed to its end.
            let answer = lro::finish(azure, answer, &accounts::get(id), budget, on_wait).await?;
            let seen = answer.read(call, accounts::read)?;
            known.observed().accounts.insert(id.name.clone(), Seen::Known(seen));
        }
        _ => learn(known, &step.action, call, &answer)?,
    }
    Ok(())
}

/// Sends key material, which is in the request for no longer than that.
async fn import(
    azure: &Azure,
    known: &Knowledge<'_>,
    call: &Call,
    (key, material): (&KeyRef, Option<&Material>),
) -> Result<(), Failure> {
    let Some(material) = material else { return Err(unknown(&format!("the material of key {key}"))) };
    let mut sent = call.clone();
    key_import::fill(&mut sent, material.jwk());
    let answer = azure.call(&sent).await;
    material::wipe(key_import::take(&mut sent));
    let seen = answer?.read(call, keys::read_vault)?;
    known.answered_import(key, seen);
    Ok(())
}

/// Takes away what an account's own identity may do with the vault's keys, and looks at what is left: no answer says it.
async fn revoke(azure: &Azure, known: &Knowledge<'_>, vault: &VaultId, calls: &[Call]) -> Result<(), Failure> {
    for call in calls {
        azure.call(call).await?;
    }
    let seen = observe::vault(azure, vault).await?;
    known.observed().vaults.insert(vault.name.clone(), seen);
    Ok(())
}

/// Takes in an answer that holds the whole thing: it counts as a look.
fn learn(known: &Knowledge<'_>, action: &Action, call: &Call, answer: &Answer) -> Result<(), Failure> {
    match action {
        Action::CreateGroup { id, .. } => {
            let seen = answer.read(call, groups::read)?;
            known.observed().groups.insert(id.clone(), Seen::Known(seen));
        }
        Action::CreateVault { id, .. } | Action::RecoverVault { id, .. } | Action::ProtectVault { id } => {
            let seen = answer.read(call, vaults::read)?;
            known.observed().vaults.insert(id.name.clone(), Seen::Known(seen));
        }
        Action::CreateKey { key, .. } => {
            let seen = answer.read(call, keys::read_arm)?;
            known.observed().keys.insert(key.clone(), Seen::Known(seen));
        }
        Action::MarkKey { key, .. }
        | Action::RotateKey { key, .. }
        | Action::EnableVersion { key, .. }
        | Action::DisableVersion { key, .. } => known.answered_version(key, answer.read(call, keys::read_vault)?),
        Action::SetRotation { key, .. } => known.answered_policy(key, answer.read(call, key_life::read_policy)?),
        Action::CreateIdentity { id, .. } => {
            let seen = answer.read(call, identities::read)?;
            known.observed().identities.insert(id.clone(), Seen::Known(seen));
        }
        Action::CreateAccount { .. }
        | Action::AttachIdentity { .. }
        | Action::DetachIdentity { .. }
        | Action::LeaveKey { .. }
        | Action::SwitchIdentity { .. }
        | Action::SetEncryption { .. } => {
            known.answered(answer.read(call, accounts::read)?);
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
        Action::SetAudit { vault, .. } => {
            let seen = answer.read(call, diagnostics::read)?;
            if let Some(Seen::Known(all)) = known.observed().audits.get_mut(&vault.name) {
                all.retain(|one| !one.is_ours());
                all.push(seen);
            }
        }
        // The answer shows the key before the vault itself does: only a look shows that it is back.
        Action::ImportKey { .. } | Action::RecoverKey { .. } | Action::RevokeAccess { .. } => {}
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
