//! The one place where actions become requests: what is sent, and what a preview shows, come from the same code.

use crate::azure::{Call, Cloud, Failure, accounts, groups, keys, vaults};
use crate::model::fact::pinned_version;
use crate::model::{
    AccountId, KeyPermission, KeyRef, Observed, Seen, SeenAccount, SeenEncryption, SeenIdentity, SeenVault, VaultId,
    Version, VersionRule,
};
use crate::plan::{Action, Plan, Step, StepId};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What stands in a request for a value that was not seen, by its description: "principal id of account st1".
///
/// A run that sends has nothing to put there and fails; a preview puts the description.
pub(super) type Fill<'a> = &'a mut dyn FnMut(String) -> Result<String, Failure>;

/// The request for a batch of steps, made from what is known at this moment. A batch of more than one step is of grants
/// of one vault.
pub(super) fn call(cloud: &Cloud, observed: &Observed, steps: &[&Step], fill: Fill<'_>) -> Result<Call, Failure> {
    let Some(step) = steps.first() else {
        return Err(Failure::new(crate::azure::Kind::Unsupported, "an empty batch of steps".to_owned()));
    };
    Ok(match &step.action {
        Action::CreateGroup { id, location } => groups::create(id, location),
        Action::CreateVault { id, location, tenant, create, purge_protection } => {
            vaults::create(id, location, tenant, create, *purge_protection)
        }
        Action::ProtectVault { id } => vaults::protect(id),
        Action::CreateKey { vault, key, create } => keys::arm_create(vault, &key.name, create),
        Action::CreateAccount { id, location, create, identity } => accounts::create(id, location, create, *identity),
        Action::AttachIdentity { id } => {
            let identity = match account(observed, id) {
                Some(seen) => seen.identity.clone(),
                None => not_there(fill, id).map(|()| SeenIdentity::default())?,
            };
            accounts::attach_system(id, &identity)
        }
        Action::Grant { vault, .. } => grant(observed, vault, steps, fill)?,
        Action::SetEncryption { account: id, vault: on, key, version, .. } => {
            let encryption = match account(observed, id) {
                Some(seen) => seen.encryption.clone(),
                None => not_there(fill, id).map(|()| SeenEncryption { binding: None, infrastructure: None })?,
            };
            let host = vault(observed, on).map_or_else(|| cloud.vault_host(&on.name), |vault| vault.host.clone());
            let version = pinned(observed, key, version, fill)?;
            accounts::set_encryption(id, &host, &key.name, &version, &encryption)
        }
    })
}

/// One call for all new entries of a vault.
fn grant(observed: &Observed, on: &VaultId, steps: &[&Step], fill: Fill<'_>) -> Result<Call, Failure> {
    let tenant = match vault(observed, on) {
        Some(seen) => seen.tenant.clone(),
        None => fill(format!("tenant id of vault {}", on.name))?,
    };
    let mut entries: Vec<(String, BTreeSet<KeyPermission>)> = vec![];
    for step in steps {
        if let Action::Grant { account: id, permissions, .. } = &step.action {
            let principal = account(observed, id).and_then(|seen| seen.identity.system_principal.clone());
            let principal = match principal {
                Some(principal) => principal,
                None => fill(format!("principal id of account {}", id.name))?,
            };
            entries.push((principal, permissions.clone()));
        }
    }
    let entries: Vec<_> = entries.iter().map(|(principal, permissions)| (principal.as_str(), permissions)).collect();
    Ok(vaults::add_access(on, &tenant, &entries))
}

/// The version to pin; an empty text lets Azure follow the newest.
fn pinned(observed: &Observed, key: &KeyRef, rule: &VersionRule, fill: Fill<'_>) -> Result<String, Failure> {
    let seen = observed.keys.get(key).and_then(Seen::known);
    match (rule, seen.and_then(|seen| pinned_version(seen, rule))) {
        (VersionRule::Auto, _) => Ok(String::new()),
        (VersionRule::Exact(version), _) => Ok(version.to_string()),
        (VersionRule::Latest, Some(version)) => Ok(Version::to_string(version)),
        (VersionRule::Latest, None) => fill(format!("newest version of key {key}")),
    }
}

fn account<'a>(observed: &'a Observed, id: &AccountId) -> Option<&'a SeenAccount> {
    observed.accounts.get(&id.name).and_then(Seen::known)
}

fn vault<'a>(observed: &'a Observed, id: &VaultId) -> Option<&'a SeenVault> {
    observed.vaults.get(&id.name).and_then(Seen::known)
}

/// An account that the plan makes has nothing yet that a request would have to keep. A run that sends must have seen it.
fn not_there(fill: Fill<'_>, id: &AccountId) -> Result<(), Failure> {
    fill(format!("account {}", id.name)).map(drop)
}

/// A request that a step will send, as far as it is known before the plan is applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// The step.
    pub step: StepId,
    /// The HTTP method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The JSON body. In braces: what only Azure knows by then.
    pub body: Option<Value>,
}

/// The writes that the steps of a plan will send, a request a step. Grants of one vault that may begin together go in one.
pub fn previews(plan: &Plan, observed: &Observed, cloud: &Cloud) -> Result<Vec<Preview>, Failure> {
    let tenants: BTreeMap<String, &String> = plan
        .steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::CreateVault { id, tenant, .. } => Some((format!("tenant id of vault {}", id.name), tenant)),
            _ => None,
        })
        .collect();
    let mut fill = |missing: String| {
        Ok(tenants.get(&missing).map_or_else(|| format!("{{{missing}}}"), |tenant| (*tenant).clone()))
    };
    plan.steps
        .iter()
        .map(|step| {
            let call = call(cloud, observed, &[step], &mut fill)?;
            let url = call.url(cloud)?;
            Ok(Preview { step: step.id.clone(), method: call.method.to_string(), url: url.into(), body: call.body })
        })
        .collect()
}
