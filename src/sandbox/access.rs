//! Who may do what with the keys of a vault: its access policies decide, or else role assignments.

use super::Millis;
use super::tokens::Caller;
use super::vault::Vault;
use super::wire::Answer;
use super::world::State;

/// The data action behind a permission of the access policies, which have names of their own for it all.
fn data_action(permission: &str) -> String {
    let action = match permission.to_ascii_lowercase().as_str() {
        "get" | "list" => "keys/read".to_owned(),
        "delete" => "keys/delete".to_owned(),
        "wrapkey" => "keys/wrap/action".to_owned(),
        "unwrapkey" => "keys/unwrap/action".to_owned(),
        "getrotationpolicy" => "keyrotationpolicies/read".to_owned(),
        "setrotationpolicy" => "keyrotationpolicies/write".to_owned(),
        verb => format!("keys/{verb}/action"),
    };
    format!("Microsoft.KeyVault/vaults/{action}")
}

/// The scope of a key, or of the vault when no key is meant.
fn scope(vault: &Vault, key: Option<&str>) -> String {
    key.map_or_else(|| vault.id(), |key| format!("{}/keys/{key}", vault.id()))
}

/// Whether a principal may do something with a key, or with the list of keys, as far as the grant has arrived.
pub(super) fn lets(
    state: &State,
    vault: &Vault,
    key: Option<&str>,
    principal: &str,
    permission: &str,
    now: Millis,
) -> bool {
    if vault.uses_rbac() {
        return state.may_touch(principal, &data_action(permission), &scope(vault, key), now);
    }
    vault.policies_let(principal, permission, now)
}

/// How a vault turns a caller away at its own door.
pub(super) fn denied(vault: &Vault, key: Option<&str>, caller: &Caller, permission: &str) -> Answer {
    if vault.uses_rbac() {
        let text = by_roles("", vault, key, caller, &data_action(permission));
        return Answer::inner_error(403, "Forbidden", &text, "ForbiddenByRbac");
    }
    let text = format!(
        "The user, group or application '{}' does not have keys {permission} permission on key vault '{};location={}'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287",
        named(vault, caller),
        vault.name,
        vault.location
    );
    Answer::inner_error(403, "Forbidden", &text, "AccessDenied")
}

/// Whether a caller may reach a vault's keys through Resource Manager.
///
/// Resource Manager has let the caller through already, by the same roles. But the vault's provider asks again,
/// whatever the vault's permission model is, and hears of assignments later. What it asks for is the right to
/// manage keys, not one of the data actions: an owner passes and a crypto officer does not. It says so with a
/// 400, where the vault's own door says 403.
pub(super) fn check_through_arm(
    state: &State,
    vault: &Vault,
    key: Option<&str>,
    caller: &Caller,
    verb: &str,
    now: Millis,
) -> Result<(), Answer> {
    let action = format!("Microsoft.KeyVault/vaults/keys/{verb}");
    if state.may_at_vaults(&caller.object, &action, &scope(vault, key), now) {
        return Ok(());
    }
    let text = by_roles("name=KeyVault/ManagementPlane;", vault, key, caller, &action);
    Err(Answer::error(400, "ForbiddenByRbac", &format!("[ForbiddenByRbac (Forbidden)] {text}")))
}

fn by_roles(prefix: &str, vault: &Vault, key: Option<&str>, caller: &Caller, action: &str) -> String {
    format!(
        "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\nCaller: {prefix}{}\r\nAction: '{action}'\r\nResource: '{}'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: 'DeniedWithNoValidRBAC' \r\nVault: {};location={}\r\n",
        named(vault, caller),
        scope(vault, key).to_ascii_lowercase(),
        vault.name,
        vault.location
    )
}

fn named(vault: &Vault, caller: &Caller) -> String {
    let Caller { object, application } = caller;
    format!("appid={application};oid={object};iss=https://sts.windows.net/{}/", vault.tenant)
}

/// Whether a caller may move a vault between access policies and roles: that gives or takes access, so it takes
/// the right to assign roles, which a mere contributor does not have.
pub(super) fn check_model_change(
    state: &State,
    vault: &Vault,
    rbac: Option<bool>,
    caller: &Caller,
) -> Result<(), Answer> {
    const ACTION: &str = "Microsoft.Authorization/roleAssignments/write";
    let same = rbac.unwrap_or_default() == vault.uses_rbac();
    if same || state.may(&caller.object, ACTION, &vault.id()) {
        return Ok(());
    }
    let text = format!(
        "Caller is not allowed to change permission model. For more information on how to change the permissions model follow this link: https://go.microsoft.com/fwlink/?linkid=2155160. Details: oid={}; action={ACTION}; resource={}; decision=NotAllowed; ",
        caller.object,
        vault.id()
    );
    Err(Answer::error(403, "InsufficientPermissions", &text))
}
