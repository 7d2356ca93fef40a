//! The requests that carry actions out, and what their answers teach. Sends each write once and decides nothing.

use super::knowledge::Knowledge;
use super::request;
use crate::azure::{Answer, Azure, Call, Failure, Kind, accounts, groups, keys, lro, vaults};
use crate::model::{AccessPolicy, Seen, VaultId};
use crate::plan::{Action, Step};
use std::time::Duration;

/// Sends what a batch of steps does and takes in the answer. A batch of more than one step is of grants of one vault.
pub(super) async fn perform(
    azure: &Azure,
    known: &Knowledge<'_>,
    steps: &[&Step],
    budget: Duration,
    on_wait: &mut (dyn FnMut(Duration) + Send),
) -> Result<(), Failure> {
    let call = {
        let observed = known.observed();
        request::call(azure.cloud(), &observed, steps, &mut |missing| Err(unknown(&missing)))?
    };
    let answer = azure.call(&call).await?;
    let Some(step) = steps.first() else { return Ok(()) };
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
        | Action::SetEncryption { account: id, .. } => {
            let seen = answer.read(call, accounts::read)?;
            known.observed().accounts.insert(id.name.clone(), Seen::Known(seen));
        }
        Action::Grant { vault, .. } => {
            let added = answer.read(call, vaults::read_added)?;
            learn_entries(known, vault, added);
        }
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
