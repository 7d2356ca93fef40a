//! Looks at single things: one call or few, and what its answer means for sight. Knows nothing of what is desired.

use crate::azure::{
    Azure, Call, Failure, Kind, Method, accounts, diagnostics, groups, identities, key_life, keys, locks, page, roles,
    vaults,
};
use crate::model::audit::SeenSetting;
use crate::model::{
    AccountId, GroupId, HiddenReason, IdentityId, KeyName, KeyVersion, Location, NameState, PermissionModel,
    RoleAssignment, Seen, SeenAccount, SeenDeletedKey, SeenDeletedVault, SeenGroup, SeenKey, SeenLock, SeenRotation,
    SeenSubscription, SeenUserIdentity, SeenVault, SubscriptionId, VaultId, VaultName, Version,
};
use serde_json::Value;
use std::collections::BTreeSet;

/// Codes that say that the thing itself, or the group or vault that would hold it, is not there.
///
/// Not any 404: a proxy's, or that of a subscription that is not found, says nothing
/// about the thing.
const ABSENT: [&str; 8] = [
    "ResourceNotFound",
    "ResourceGroupNotFound",
    "ParentResourceNotFound",
    "KeyNotFound",
    "VaultNotFound",
    "StorageAccountNotFound",
    "DeletedVaultNotFound",
    "NotFound",
];

/// Looks at a resource group.
pub async fn group(azure: &Azure, id: &GroupId) -> Result<Seen<SeenGroup>, Failure> {
    one(azure, &groups::get(id), groups::READ, groups::read).await
}

/// Looks at a vault.
pub async fn vault(azure: &Azure, id: &VaultId) -> Result<Seen<SeenVault>, Failure> {
    match one(azure, &vaults::get(id), vaults::READ, vaults::read).await? {
        Seen::Known(vault) if vault.permission_model == PermissionModel::Rbac => {
            let role_assignments = Some(role_assignments(azure, id).await?);
            Ok(Seen::Known(SeenVault { role_assignments, ..vault }))
        }
        seen => Ok(seen),
    }
}

/// Looks at who holds which role at a vault, above it and inside it.
async fn role_assignments(azure: &Azure, id: &VaultId) -> Result<Seen<Vec<RoleAssignment>>, Failure> {
    match page::all(azure, roles::list(id), roles::read).await {
        Ok(mut all) => {
            all.sort();
            Ok(Seen::Known(all))
        }
        Err(failure) if failure.kind == Kind::Denied => Ok(hidden(&failure, roles::READ)),
        Err(failure) => Err(failure),
    }
}

/// Looks at an account.
pub async fn account(azure: &Azure, id: &AccountId) -> Result<Seen<SeenAccount>, Failure> {
    one(azure, &accounts::get(id), accounts::READ, accounts::read).await
}

/// The accounts of a group that a list shows; none when there is no such list to be seen.
pub(super) async fn accounts(azure: &Azure, group: &GroupId) -> Result<Vec<SeenAccount>, Failure> {
    match page::all(azure, accounts::list_group(group), accounts::read).await {
        // One that nobody asked for and that cannot be read must not hide all others.
        Err(failure) if matches!(failure.kind, Kind::Denied | Kind::NotFound | Kind::Unintelligible) => Ok(vec![]),
        listed => listed,
    }
}

/// Looks at a user-assigned identity.
pub async fn user_identity(azure: &Azure, id: &IdentityId) -> Result<Seen<SeenUserIdentity>, Failure> {
    one(azure, &identities::get(id), identities::READ, identities::read).await
}

/// Looks at a subscription.
pub(super) async fn subscription(azure: &Azure, id: &SubscriptionId) -> Result<Seen<SeenSubscription>, Failure> {
    use crate::azure::subscriptions;
    one(azure, &subscriptions::get(id), subscriptions::READ, subscriptions::read).await
}

/// Looks whether an account's name is free.
pub(super) async fn account_name(azure: &Azure, id: &AccountId) -> Result<Seen<NameState>, Failure> {
    let call = accounts::check_name(&id.group.subscription, &id.name);
    match one(azure, &call, accounts::READ_NAME, vaults::read_name).await {
        // Storage has not heard of a subscription that has not registered it, and says that there is none. That there
        // is one is known: Resource Manager found no account in it.
        Err(failure) if failure.is("SubscriptionNotFound") || is_unregistered(&failure) => {
            Ok(Seen::Known(NameState::Unregistered { provider: "Microsoft.Storage" }))
        }
        asked => asked,
    }
}

/// Whether Azure said that the subscription has not registered the resource provider.
fn is_unregistered(failure: &Failure) -> bool {
    failure.is("MissingSubscriptionRegistration")
}

/// Looks whether a deleted key holds a name, in the vault itself. What the vault does not show is hidden.
pub(super) async fn deleted_key(azure: &Azure, host: &str, key: &KeyName) -> Result<Seen<SeenDeletedKey>, Failure> {
    match one(azure, &keys::vault_get_deleted(host, key), keys::DELETED_READ, keys::read_deleted).await {
        Err(failure) if is_blind(&failure) => Ok(hidden(&failure, keys::DELETED_READ)),
        result => result,
    }
}

/// Lists a vault's diagnostic settings.
pub async fn diagnostics(azure: &Azure, id: &VaultId) -> Result<Seen<Vec<SeenSetting>>, Failure> {
    match page::all(azure, diagnostics::list(id), diagnostics::read).await {
        Ok(mut settings) => {
            settings.sort_by(|one, other| one.name.cmp(&other.name));
            Ok(Seen::Known(settings))
        }
        Err(failure) if failure.kind == Kind::Denied => Ok(hidden(&failure, diagnostics::READ)),
        Err(failure) => Err(failure),
    }
}

/// Lists the locks of a subscription.
pub(super) async fn locks(azure: &Azure, id: &SubscriptionId) -> Result<Seen<Vec<SeenLock>>, Failure> {
    match page::all(azure, locks::list(id), locks::read).await {
        Ok(mut locks) => {
            // Azure lists them in whatever order.
            locks.sort();
            Ok(Seen::Known(locks))
        }
        Err(failure) if failure.kind == Kind::Denied => Ok(hidden(&failure, locks::READ)),
        Err(failure) => Err(failure),
    }
}

/// Looks whether a vault's name is free, and if not, whether a deleted vault holds it.
///
/// Where the vault is to be recovered, one of another region or of another subscription of the spec, `elsewhere`, is
/// looked for as well: it can be recovered, though not as the spec says.
pub(super) async fn vault_name(
    azure: &Azure,
    id: &VaultId,
    location: Option<&Location>,
    elsewhere: &BTreeSet<SubscriptionId>,
) -> Result<Seen<NameState>, Failure> {
    let subscription = &id.group.subscription;
    let call = vaults::check_name(subscription, &id.name);
    let asked = match one(azure, &call, vaults::READ_NAME, vaults::read_name).await {
        Err(failure) if is_unregistered(&failure) => {
            return Ok(Seen::Known(NameState::Unregistered { provider: "Microsoft.KeyVault" }));
        }
        asked => asked?,
    };
    let (Seen::Known(NameState::Taken(_)), Some(location)) = (&asked, location) else {
        return Ok(asked);
    };
    let call = vaults::get_deleted(subscription, location, &id.name);
    match one(azure, &call, vaults::READ_NAME, vaults::read_deleted).await? {
        Seen::Known(deleted) => return Ok(Seen::Known(NameState::SoftDeleted(deleted))),
        // Not to be seen is not to be told apart from another's: taken either way.
        Seen::Absent | Seen::Hidden(_) => {}
    }
    for subscription in elsewhere {
        let listed = match page::all(azure, vaults::list_deleted(subscription), vaults::read_deleted).await {
            Err(failure) if failure.kind == Kind::Denied || is_unregistered(&failure) => vec![],
            listed => listed?,
        };
        let is_it = |deleted: &SeenDeletedVault| deleted.was.as_ref().is_some_and(|was| was.name == id.name);
        if let Some(deleted) = listed.into_iter().find(is_it) {
            return Ok(Seen::Known(NameState::SoftDeleted(deleted)));
        }
    }
    Ok(asked)
}

/// Looks at a key, through ARM and, where that shows nothing, in the vault itself.
///
/// `host` is the vault's own host when it was seen.
pub async fn key(
    azure: &Azure,
    vault: &VaultId,
    host: Option<&str>,
    key: &KeyName,
    sight: &KeySight,
) -> Result<Seen<SeenKey>, Failure> {
    let seen = key_with(azure, vault, host, key, sight).await?;
    let Seen::Known(seen) = seen else { return Ok(seen) };
    let seen = if sight.material { with_material(azure, vault, host, key, seen).await? } else { seen };
    if !sight.rotation || seen.rotation.is_some() {
        return Ok(Seen::Known(seen));
    }
    let own = azure.cloud().vault_host(&vault.name);
    let rotation = Some(rotation(azure, host.unwrap_or(&own), key).await?);
    Ok(Seen::Known(SeenKey { rotation, ..seen }))
}

/// A key with the public half of its current version, which the vault itself shows and Resource Manager does not. Where
/// the vault does not show it, or shows another version by now, the key stays without.
async fn with_material(
    azure: &Azure,
    vault: &VaultId,
    host: Option<&str>,
    key: &KeyName,
    mut seen: SeenKey,
) -> Result<SeenKey, Failure> {
    let own = azure.cloud().vault_host(&vault.name);
    let Some(current) = seen.versions.first_mut().filter(|current| current.thumbprint.is_none()) else {
        return Ok(seen);
    };
    if let Seen::Known(shown) = in_vault(azure, host.unwrap_or(&own), key, &KeySight::default()).await? {
        let same = shown.versions.into_iter().find(|shown| shown.id == current.id);
        current.thumbprint = same.and_then(|shown| shown.thumbprint);
    }
    Ok(seen)
}

/// Looks at a key's rotation policy, in the vault itself. What the vault does not show is hidden.
async fn rotation(azure: &Azure, host: &str, key: &KeyName) -> Result<Seen<SeenRotation>, Failure> {
    let call = key_life::get_policy(host, key);
    match one(azure, &call, key_life::POLICY_READ, key_life::read_policy).await {
        Err(failure) if is_blind(&failure) => Ok(hidden(&failure, key_life::POLICY_READ)),
        result => result,
    }
}

/// What has to be seen of a key. Without more, the current version, and every version where that one is disabled.
#[derive(Debug, Clone, Default)]
pub struct KeySight {
    /// Every version.
    pub all: bool,
    /// These versions: every version is read unless each of these is the current one.
    pub versions: Vec<Version>,
    /// Its rotation policy.
    pub rotation: bool,
    /// The public half of its current version.
    pub material: bool,
}

impl KeySight {
    fn is_enough(&self, key: &SeenKey) -> bool {
        let current = key.versions.first();
        !self.all
            && current
                .is_some_and(|current| current.enabled && self.versions.iter().all(|wanted| *wanted == current.id))
    }
}

/// A reader of one kind of body.
type Read<T> = fn(&Value) -> Result<T, String>;

/// The two ways to a key.
enum Way<'a> {
    Arm(&'a VaultId),
    Vault(&'a str),
}

async fn key_with(
    azure: &Azure,
    vault: &VaultId,
    host: Option<&str>,
    key: &KeyName,
    sight: &KeySight,
) -> Result<Seen<SeenKey>, Failure> {
    let hidden = match by(azure, &Way::Arm(vault), key, sight).await? {
        Seen::Hidden(reason) => reason,
        seen => return Ok(seen),
    };
    let own = azure.cloud().vault_host(&vault.name);
    match in_vault(azure, host.unwrap_or(&own), key, sight).await? {
        Seen::Hidden(reason) => {
            let what = format!("{}; the vault itself: {}", hidden.what, reason.what);
            Ok(Seen::Hidden(HiddenReason { what, ..hidden }))
        }
        seen => Ok(seen),
    }
}

/// Looks at a key in the vault itself, when ARM shows not even the vault.
pub(super) async fn key_in_vault(
    azure: &Azure,
    vault: &VaultName,
    key: &KeyName,
    sight: &KeySight,
) -> Result<Seen<SeenKey>, Failure> {
    let host = azure.cloud().vault_host(vault);
    in_vault(azure, &host, key, sight).await
}

async fn in_vault(azure: &Azure, host: &str, key: &KeyName, sight: &KeySight) -> Result<Seen<SeenKey>, Failure> {
    match by(azure, &Way::Vault(host), key, sight).await {
        // This way is a second try: a vault that cannot be reached from here, or trusts
        // another tenant, hides its keys but is no reason to stop.
        Err(failure) if is_blind(&failure) => Ok(hidden(&failure, keys::ARM_READ)),
        result => result,
    }
}

fn is_blind(failure: &Failure) -> bool {
    matches!(failure.kind, Kind::Dns | Kind::NotSent | Kind::Tls)
        || (failure.kind == Kind::Credential && failure.said.status == Some(401))
}

async fn by(azure: &Azure, way: &Way<'_>, key: &KeyName, sight: &KeySight) -> Result<Seen<SeenKey>, Failure> {
    let (call, read): (Call, Read<SeenKey>) = match way {
        Way::Arm(vault) => (keys::arm_get(vault, key), keys::read_arm),
        Way::Vault(host) => (keys::vault_get(host, key), keys::read_vault),
    };
    let seen = match one(azure, &call, keys::ARM_READ, read).await? {
        Seen::Known(seen) => seen,
        other => return Ok(other),
    };
    if sight.is_enough(&seen) { Ok(Seen::Known(seen)) } else { all_versions(azure, way, key, seen).await }
}

async fn all_versions(azure: &Azure, way: &Way<'_>, key: &KeyName, seen: SeenKey) -> Result<Seen<SeenKey>, Failure> {
    let (call, read): (Call, Read<KeyVersion>) = match way {
        Way::Arm(vault) => (keys::arm_versions(vault, key), keys::read_arm_version),
        Way::Vault(host) => (keys::vault_versions(host, key), keys::read_vault_version),
    };
    let versions = match page::all(azure, call, read).await {
        Ok(versions) => versions,
        // Listing takes another permission than looking: what was read stands, as not the whole.
        Err(failure) if failure.kind == Kind::Denied => return Ok(Seen::Known(seen)),
        Err(failure) => return Err(failure),
    };
    if versions.is_empty() {
        return Ok(Seen::Known(seen));
    }
    Ok(Seen::Known(keys::with_versions(seen, versions)))
}

/// One call, and what its answer means for sight. A failure that says nothing about the thing stays one.
async fn one<T>(
    azure: &Azure,
    call: &Call,
    permission: &str,
    read: impl Fn(&Value) -> Result<T, String>,
) -> Result<Seen<T>, Failure> {
    match azure.call(call).await {
        Ok(answer) => answer.read(call, read).map(Seen::Known),
        Err(failure) if failure.kind == Kind::NotFound && ABSENT.iter().any(|code| failure.is(code)) => {
            Ok(Seen::Absent)
        }
        // Nothing is there of a provider that is not registered: it does not let itself be unregistered before.
        Err(failure) if call.method == Method::Get && is_unregistered(&failure) => Ok(Seen::Absent),
        Err(failure) if failure.kind == Kind::Denied => Ok(hidden(&failure, permission)),
        Err(failure) => Err(failure),
    }
}

/// For a vault that is still being made: what it refuses to show is hidden for now.
pub(super) fn unless_fatal<T>(failure: Failure) -> Result<Seen<T>, Failure> {
    match failure.kind {
        Kind::Rejected | Kind::Conflict | Kind::Busy | Kind::Server | Kind::NotFound => {
            Ok(Seen::Hidden(HiddenReason { what: failure.summary(), permission: None }))
        }
        Kind::NoCredential
        | Kind::Unsupported
        | Kind::Credential
        | Kind::Denied
        | Kind::Throttled
        | Kind::OperationFailed
        | Kind::Deadline
        | Kind::Lost
        | Kind::NotSent
        | Kind::Dns
        | Kind::Tls
        | Kind::Foreign
        | Kind::Unintelligible => Err(failure),
    }
}

fn hidden<T>(failure: &Failure, permission: &str) -> Seen<T> {
    Seen::Hidden(HiddenReason { what: failure.summary(), permission: Some(permission.to_owned()) })
}
