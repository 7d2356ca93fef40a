//! The one place where actions become requests: what is sent, and what a preview shows, come from the same code.

use crate::azure::{
    Call, Cloud, Failure, accounts, diagnostics, groups, identities, key_import, key_life, keys, roles, vaults,
};
use crate::model::fact::pinned_version;
use crate::model::{
    AccountId, GrantScope, KeyPermission, KeyRef, Observed, PermissionModel, Seen, SeenAccount, SeenEncryption,
    SeenIdentity, SeenKey, SeenVault, VaultId, Version, VersionRule, Who,
};
use crate::plan::{Action, Binds, GrantBy, Plan, Step, StepId};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What stands in a request for a value that was not seen, by its description: "principal id of account st1".
///
/// A run that sends has nothing to put there and fails; a preview puts the description.
pub(super) type Fill<'a> = &'a mut dyn FnMut(String) -> Result<String, Failure>;

/// The requests for a batch of steps, made from what is known at this moment: one, but for a revocation, which may need
/// several. A batch of more than one step is of grants of one vault.
pub(super) fn calls(cloud: &Cloud, observed: &Observed, steps: &[&Step], fill: Fill<'_>) -> Result<Vec<Call>, Failure> {
    let Some(step) = steps.first() else { return Ok(vec![]) };
    let call = match &step.action {
        Action::CreateGroup { id, location } => groups::create(id, location),
        Action::CreateVault { id, location, tenant, create, model, purge_protection } => {
            vaults::create(id, location, tenant, create, (*model, *purge_protection))
        }
        Action::RecoverVault { id, location, tenant, sku } => vaults::recover(id, location, tenant, *sku),
        Action::ProtectVault { id } => vaults::protect(id),
        Action::CreateKey { vault, key, create, marks, rotation } => {
            keys::arm_create(vault, &key.name, create, marks, rotation.as_ref())
        }
        Action::SetAudit { vault, sinks, .. } => {
            let seen = observed.audits.get(&vault.name).and_then(Seen::known);
            diagnostics::send(vault, sinks, seen.and_then(|all| all.iter().find(|one| one.is_ours())))
        }
        Action::ImportKey { vault, key, create, thumbprint, marks } => {
            // What is sent is put in when it is sent, and nowhere else.
            let material = json!({ "kty": "RSA", "n": format!("{{key material with the thumbprint {thumbprint}}}") });
            key_import::import(&host(cloud, observed, vault), &key.name, create, marks, &material)
        }
        Action::RecoverKey { vault, key } => key_life::recover(&host(cloud, observed, vault), &key.name),
        Action::MarkKey { vault, key, version, marks } => {
            let tags = seen_key(observed, key).map(|seen| seen.tags.clone()).unwrap_or_default();
            key_life::mark(&host(cloud, observed, vault), &key.name, version, marks, &tags)
        }
        Action::SetRotation { vault, key, rotation } => {
            let seen = seen_key(observed, key).and_then(|seen| seen.rotation.as_ref()?.known().copied());
            key_life::set_policy(&host(cloud, observed, vault), &key.name, rotation, &seen.unwrap_or_default())
        }
        Action::RotateKey { vault, key, since: _ } => key_life::rotate(&host(cloud, observed, vault), &key.name),
        Action::EnableVersion { vault, key, version, in_date: _, newest: _ } => {
            key_life::enable(&host(cloud, observed, vault), &key.name, version, true)
        }
        Action::DisableVersion { vault, key, version, retired_after: _, leaving: _ } => {
            key_life::enable(&host(cloud, observed, vault), &key.name, version, false)
        }
        Action::CreateIdentity { id, location } => identities::create(id, location),
        Action::CreateAccount { id, location, create, identity, key: None } => {
            accounts::create(id, location, create, identity, None)
        }
        Action::CreateAccount { id, location, create, identity, key: Some(binds) } => {
            let Binds { vault: on, key, version, since: _, who, permissions: _ } = binds;
            let (host, version) = (host(cloud, observed, on), pinned(observed, key, version, fill)?);
            let bound = accounts::Bound { host: &host, key: &key.name, version: &version, who };
            accounts::create(id, location, create, identity, Some(bound))
        }
        Action::AttachIdentity { id, identity: new } => accounts::attach(id, new, &identity(observed, id, fill)?),
        Action::DetachIdentity { id, identity: gone, keeps: _ } => {
            accounts::detach(id, gone, &identity(observed, id, fill)?, &encryption(observed, id, fill)?)
        }
        Action::Grant { vault, by: GrantBy::AccessPolicy, .. } => grant(observed, vault, steps, fill)?,
        Action::Grant { who, vault, key, by: GrantBy::Role(scope), .. } => {
            let scope = match scope {
                GrantScope::Vault => vault.to_string(),
                GrantScope::Key => format!("{vault}/keys/{}", key.name),
            };
            assign(&scope, vault, &principal(observed, who, fill)?)
        }
        Action::RevokeAccess { account: _, who, vault } => return revoke(observed, who, vault, fill),
        Action::LeaveKey { account: id, .. } => accounts::leave_key(id, &encryption(observed, id, fill)?),
        Action::SetEncryption { account: id, vault: on, key, version, who, attach, .. } if !attach.is_empty() => {
            let (host, version) = (host(cloud, observed, on), pinned(observed, key, version, fill)?);
            let bound = accounts::Bound { host: &host, key: &key.name, version: &version, who };
            let current = identity(observed, id, fill)?;
            accounts::attach_and_bind(id, (attach, &current), bound, &encryption(observed, id, fill)?)
        }
        // Of the second, the key stays: Azure changes the key or the identity, and never both at once.
        Action::SetEncryption { account: id, vault: on, key, version, who, .. }
        | Action::SwitchIdentity { account: id, vault: on, key, version, who, .. } => {
            let (host, version) = (host(cloud, observed, on), pinned(observed, key, version, fill)?);
            let bound = accounts::Bound { host: &host, key: &key.name, version: &version, who };
            accounts::set_encryption(id, bound, &encryption(observed, id, fill)?)
        }
    };
    Ok(vec![call])
}

fn host(cloud: &Cloud, observed: &Observed, on: &VaultId) -> String {
    vault(observed, on).map_or_else(|| cloud.vault_host(&on.name), |vault| vault.host.clone())
}

fn identity(observed: &Observed, id: &AccountId, fill: Fill<'_>) -> Result<SeenIdentity, Failure> {
    match account(observed, id) {
        Some(seen) => Ok(seen.identity.clone()),
        None => not_there(fill, id).map(|()| SeenIdentity::default()),
    }
}

fn encryption(observed: &Observed, id: &AccountId, fill: Fill<'_>) -> Result<SeenEncryption, Failure> {
    match account(observed, id) {
        Some(seen) => Ok(seen.encryption.clone()),
        None => not_there(fill, id).map(|()| SeenEncryption { binding: None, infrastructure: None }),
    }
}

fn principal(observed: &Observed, who: &Who, fill: Fill<'_>) -> Result<String, Failure> {
    match (who.principal(observed), who) {
        (Some(principal), _) => Ok(principal.to_owned()),
        (None, Who::System(id)) => fill(format!("principal id of account {}", id.name)),
        (None, Who::User(id)) => fill(format!("principal id of identity {}", id.name)),
    }
}

fn tenant(observed: &Observed, on: &VaultId, fill: Fill<'_>) -> Result<String, Failure> {
    match vault(observed, on) {
        Some(seen) => Ok(seen.tenant.clone()),
        None => fill(format!("tenant id of vault {}", on.name)),
    }
}

/// The call that assigns the role. The name of an assignment follows from its principal, so where that is only named,
/// so is the name.
fn assign(scope: &str, vault: &VaultId, principal: &str) -> Call {
    let mut call = roles::assign(scope, vault.group.subscription.as_str(), principal);
    if is_named(principal) {
        let at = call.path.rfind('/').map_or(0, |slash| slash + 1);
        call.path.replace_range(at.., "{name that follows from scope, role and principal id}");
        call.thing = Some(call.path.clone());
    }
    call
}

/// Whether a value is a description that stands for what only Azure knows.
fn is_named(value: &str) -> bool {
    value.starts_with('{')
}

/// One call for all new entries of a vault.
fn grant(observed: &Observed, on: &VaultId, steps: &[&Step], fill: Fill<'_>) -> Result<Call, Failure> {
    let tenant = tenant(observed, on, fill)?;
    let mut entries: Vec<(String, BTreeSet<KeyPermission>)> = vec![];
    for step in steps {
        if let Action::Grant { who, permissions, .. } = &step.action {
            let principal = principal(observed, who, fill)?;
            // One entry reaches every key of the vault, for however many of them it is asked for.
            match entries.iter_mut().find(|(held, _)| *held == principal) {
                Some((_, held)) => held.extend(permissions),
                None => entries.push((principal, permissions.clone())),
            }
        }
    }
    let entries: Vec<_> = entries.iter().map(|(principal, permissions)| (principal.as_str(), permissions)).collect();
    Ok(vaults::add_access(on, &tenant, &entries))
}

/// The calls that take out what an account's own identity may do with the vault's keys, and nothing of anybody else's.
fn revoke(observed: &Observed, who: &Who, on: &VaultId, fill: Fill<'_>) -> Result<Vec<Call>, Failure> {
    let principal = principal(observed, who, fill)?;
    let Some(seen) = vault(observed, on) else {
        return fill(format!("vault {}", on.name)).map(|_| vec![]);
    };
    match seen.permission_model {
        PermissionModel::AccessPolicies => {
            let entries = seen.access_policies.iter().filter(|entry| entry.application_id.is_none());
            let mine = entries.filter(|entry| entry.object_id.eq_ignore_ascii_case(&principal));
            let held: BTreeSet<&str> = mine.flat_map(|entry| entry.keys.iter().map(String::as_str)).collect();
            Ok(vec![vaults::remove_access(on, &seen.tenant, &principal, &held)])
        }
        PermissionModel::Rbac => {
            let all = seen.role_assignments.as_ref().and_then(Seen::known).into_iter().flatten();
            // Never one that came down from above, whatever has happened since the plan: it opens more than this vault.
            let here = all.filter(|one| !one.is_inherited_by(&on.to_string()));
            let mine = here.filter(|one| one.principal.eq_ignore_ascii_case(&principal));
            Ok(mine.map(|one| roles::unassign(&one.id)).collect())
        }
    }
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

fn seen_key<'a>(observed: &'a Observed, key: &KeyRef) -> Option<&'a SeenKey> {
    observed.keys.get(key).and_then(Seen::known)
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

/// The writes that the steps of a plan will send. Grants of one vault that may begin together go in one.
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
    let mut all = vec![];
    for step in &plan.steps {
        for call in calls(cloud, observed, &[step], &mut fill)? {
            all.push(preview(step, call, cloud)?);
        }
    }
    Ok(all)
}

fn preview(step: &Step, call: Call, cloud: &Cloud) -> Result<Preview, Failure> {
    let mut url = call.url(cloud)?;
    if call.path.contains('{') {
        // In a URL, a description would be encoded past reading.
        url.set_path("");
        let rest = format!("{}?{}", call.path.trim_start_matches('/'), call.query);
        url.set_query(None);
        let (step, method) = (step.id.clone(), call.method.to_string());
        return Ok(Preview { step, method, url: format!("{url}{rest}"), body: call.body });
    }
    Ok(Preview { step: step.id.clone(), method: call.method.to_string(), url: url.into(), body: call.body })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::plan;
    use crate::plan::tests::world::{desired, observed};
    use expect_test::{Expect, expect};

    fn check(wanted: &str, seen: &str, expected: &Expect) {
        let observed = observed(wanted, seen);
        let all = previews(&plan(&desired(wanted), &observed), &observed, &Cloud::public()).unwrap();
        let line = |preview: &Preview| {
            let url = preview.url.trim_start_matches(
                "https://management.azure.com/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/",
            );
            let body = preview.body.as_ref().map_or(String::new(), Value::to_string);
            format!("{} {url}\n  {body}\n", preview.method)
        };
        expected.assert_eq(&all.iter().map(line).collect::<Vec<_>>().concat());
    }

    #[test]
    fn what_only_azure_knows_is_named_and_all_else_is_as_it_will_be_sent() {
        let wanted = "group; vault kv1 create protected; key kv1/main create; account st1 create system uses kv1/main";
        check(
            wanted,
            "",
            &expect![[r#"
            PUT rg?api-version=2022-09-01
              {"location":"westeurope"}
            PUT rg/providers/Microsoft.KeyVault/vaults/kv1?api-version=2026-02-01
              {"location":"westeurope","properties":{"accessPolicies":[],"enablePurgeProtection":true,"enableRbacAuthorization":false,"enableSoftDelete":true,"sku":{"family":"A","name":"standard"},"softDeleteRetentionInDays":90,"tenantId":"00000000-0000-0000-0000-00000000000a"}}
            PUT rg/providers/Microsoft.KeyVault/vaults/kv1/keys/main?api-version=2026-02-01
              {"properties":{"attributes":{"enabled":true},"keySize":2048,"kty":"RSA"}}
            PUT rg/providers/Microsoft.Storage/storageAccounts/st1?api-version=2025-06-01
              {"identity":{"type":"SystemAssigned"},"kind":"StorageV2","location":"westeurope","properties":{"allowBlobPublicAccess":false,"minimumTlsVersion":"TLS1_2","supportsHttpsTrafficOnly":true},"sku":{"name":"Standard_LRS"}}
            PUT rg/providers/Microsoft.KeyVault/vaults/kv1/accessPolicies/add?api-version=2026-02-01
              {"properties":{"accessPolicies":[{"objectId":"{principal id of account st1}","permissions":{"keys":["get","wrapKey","unwrapKey"]},"tenantId":"00000000-0000-0000-0000-00000000000a"}]}}
            PATCH rg/providers/Microsoft.Storage/storageAccounts/st1?api-version=2025-06-01
              {"properties":{"encryption":{"keySource":"Microsoft.Keyvault","keyvaultproperties":{"keyname":"main","keyvaulturi":"https://kv1.vault.azure.net/","keyversion":"{newest version of key kv1/main}"},"services":{"blob":{"enabled":true,"keyType":"Account"},"file":{"enabled":true,"keyType":"Account"}}}}}
        "#]],
        );
    }

    #[test]
    fn the_name_of_a_role_assignment_follows_from_a_principal_that_may_not_be_there_yet() {
        let wanted = "vault kv1 protected; key kv1/main; account st1 create system uses kv1/main; group";
        check(
            wanted,
            "group; vault kv1 protected rbac; key kv1/main A",
            &expect![[r#"
            PUT rg/providers/Microsoft.Storage/storageAccounts/st1?api-version=2025-06-01
              {"identity":{"type":"SystemAssigned"},"kind":"StorageV2","location":"westeurope","properties":{"allowBlobPublicAccess":false,"minimumTlsVersion":"TLS1_2","supportsHttpsTrafficOnly":true},"sku":{"name":"Standard_LRS"}}
            PUT rg/providers/Microsoft.KeyVault/vaults/kv1/keys/main/providers/Microsoft.Authorization/roleAssignments/{name that follows from scope, role and principal id}?api-version=2022-04-01
              {"properties":{"principalId":"{principal id of account st1}","principalType":"ServicePrincipal","roleDefinitionId":"/subscriptions/11111111-1111-1111-1111-111111111111/providers/Microsoft.Authorization/roleDefinitions/e147488a-f6f5-4113-8e2d-b22465e65bf6"}}
            PATCH rg/providers/Microsoft.Storage/storageAccounts/st1?api-version=2025-06-01
              {"properties":{"encryption":{"keySource":"Microsoft.Keyvault","keyvaultproperties":{"keyname":"main","keyvaulturi":"https://kv1.vault.test/","keyversion":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},"services":{"blob":{"enabled":true,"keyType":"Account"},"file":{"enabled":true,"keyType":"Account"}}}}}
        "#]],
        );
    }

    #[test]
    fn of_a_key_that_is_imported_a_preview_shows_no_material() {
        check(
            "group; vault kv1 create protected rbac; key kv1/main create own hsm tag=team:pay ends=2000",
            "group",
            &expect![[r#"
                PUT rg/providers/Microsoft.KeyVault/vaults/kv1?api-version=2026-02-01
                  {"location":"westeurope","properties":{"accessPolicies":[],"enablePurgeProtection":true,"enableRbacAuthorization":true,"enableSoftDelete":true,"sku":{"family":"A","name":"standard"},"softDeleteRetentionInDays":90,"tenantId":"00000000-0000-0000-0000-00000000000a"}}
                PUT https://kv1.vault.azure.net/keys/main?api-version=7.5
                  {"Hsm":true,"attributes":{"enabled":true,"exp":2000},"key":{"kty":"RSA","n":"{key material with the thumbprint ahxiD9KU3jzxlD1vqu7F7P3SnLy2i9gxrnRhChiBHv4}"},"tags":{"team":"pay"}}
            "#]],
        );
    }

    #[test]
    fn a_revocation_takes_every_entry_and_nothing_of_others() {
        let wanted = "vault kv1 protected; key kv1/main; account st1 system uses kv1/main revoked";
        let account = "key kv1/main A; account st1 system bound kv1/main@A";
        check(
            wanted,
            &format!("vault kv1 protected st1=get+unwrapKey st2=get; {account}"),
            &expect![[r#"
            PUT rg/providers/Microsoft.KeyVault/vaults/kv1/accessPolicies/remove?api-version=2026-02-01
              {"properties":{"accessPolicies":[{"objectId":"principal-of-st1","permissions":{"keys":["get","unwrapKey"]},"tenantId":"00000000-0000-0000-0000-00000000000a"}]}}
        "#]],
        );
    }

    #[test]
    fn a_run_that_sends_fails_where_a_preview_names() {
        let wanted = "vault kv1 protected; key kv1/main; account st1 create system uses kv1/main; group";
        let observed = observed(wanted, "group; vault kv1 protected; key kv1/main A");
        let made = plan(&desired(wanted), &observed);
        let mut strict =
            |missing: String| Err(Failure::new(crate::azure::Kind::Unsupported, format!("{missing} is not known")));
        let sent = |step: &Step| calls(&Cloud::public(), &observed, &[step], &mut strict).is_ok();
        let sent: Vec<bool> = made.steps.iter().map(sent).collect();
        assert_eq!(sent, [true, false, false], "the account, then its grant and its binding");
    }
}
