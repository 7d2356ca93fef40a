//! What Azure's own errors mean here, and what to do: the table against messages that mislead.
//!
//! Read by people only. What the program does about a failure follows from its kind.

use super::failure::{Failure, Kind, Policy};

/// One error of Azure's, read for the person who meets it.
struct Meaning {
    /// Azure's code or inner code, whatever the case.
    code: &'static str,
    /// What the message must hold, in lower case, when one code has several meanings. Rows are tried in order.
    part: &'static str,
    /// What it means.
    means: &'static str,
    /// What to do.
    help: &'static str,
}

const fn row(code: &'static str, part: &'static str, means: &'static str, help: &'static str) -> Meaning {
    Meaning { code, part, means, help }
}

const AGAIN: &str = "run the same command again: it looks first and repeats nothing that is done";
const OTHER_NAME: &str = "choose another name, or correct the spec's subscription and resource group if it is yours";
const NOT_THERE: &str = "check name, resource group and subscription; it may have been deleted since cmk looked";
const SIGN_IN: &str = "sign in again, for example with `az login`, and run the same command again";

/// The table, by what is concerned.
const TABLE: &[Meaning] = &[
    // The account and its key. Azure has one message for half a dozen causes.
    row(
        "KeyVaultAuthenticationFailure",
        "grant flow",
        "Storage could not sign in as the account's own identity, which takes minutes to be known everywhere",
        "run the same command again in some minutes; if it stays so, check that the account still has its identity",
    ),
    row(
        "KeyVaultAuthenticationFailure",
        "",
        "the account's own identity, not yours, could not use the key. Azure says the same of a grant that is missing \
         or has not arrived, of a key that is disabled, expired or not valid yet, and of a firewall that shuts Storage out",
        "see with `cmk verify` whether key and grant are good; if both are, let Storage through the vault's firewall \
         with `az keyvault update --name VAULT --bypass AzureServices`",
    ),
    row(
        "KeyVaultPolicyError",
        "",
        "Storage takes keys only from vaults with soft delete and purge protection, and one of them is off",
        "write `purgeProtection: true` on the vault; it cannot be turned off again",
    ),
    row(
        "KeyVaultVaultNotFound",
        "",
        "the account's vault does not answer to its name",
        "recover it with `az keyvault recover`",
    ),
    row(
        "KeyVaultEncryptionKeyNotFound",
        "",
        "the key that the account is bound to is deleted or disabled",
        "recover it with `az keyvault key recover`, or enable its version",
    ),
    row(
        "KeyVaultAccessTokenCannotBeAcquired",
        "",
        "the identity with which the account reached its key is gone",
        "give the account its identity again, and that identity access to the key",
    ),
    row(
        "FeatureNotSupportedForAccount",
        "",
        "an account of this kind or tier does not have what was asked for",
        "use an account of kind StorageV2: the kind of this one is fixed, or is raised by its owner",
    ),
    row(
        "PropertyIsImmutable",
        "",
        "the property is fixed when the account is made, and somebody made it otherwise since cmk looked",
        AGAIN,
    ),
    row(
        "FailedIdentityOperation",
        "",
        "Azure could not make the account's identities, often because a user-assigned one is deleted",
        "look at the account's identities with `az storage account show`, and remove those that are gone",
    ),
    // Names.
    row(
        "VaultAlreadyExists",
        "",
        "names of vaults are unique in the whole cloud, and this one is taken, perhaps by a deleted vault",
        OTHER_NAME,
    ),
    row(
        "ConflictError",
        "deleted state",
        "a deleted vault of yours holds the name",
        "recover it with `az keyvault recover --name VAULT`, or choose another name",
    ),
    row(
        "VaultNameNotValid",
        "",
        "Azure takes no vault of this name",
        "use 3 to 24 letters, digits and single hyphens, beginning with a letter",
    ),
    row(
        "StorageAccountAlreadyTaken",
        "",
        "names of accounts are unique in the whole cloud, and this one is taken or was until a moment ago",
        OTHER_NAME,
    ),
    row(
        "StorageAccountInAnotherResourceGroup",
        "",
        "the account is yours, in another resource group",
        "correct the spec's `resourceGroup`",
    ),
    row("AccountNameInvalid", "", "Azure takes no account of this name", "use 3 to 24 digits and small letters"),
    row(
        "InvalidResourceLocation",
        "",
        "a resource of this name is there already, in another region",
        "correct the spec's `location`, or choose another name",
    ),
    row(
        "ObjectIsDeletedButRecoverable",
        "",
        "a deleted key holds the name",
        "recover it with `az keyvault key recover --vault-name VAULT --name KEY`, or choose another name for the key",
    ),
    // Things that are not there.
    row("ResourceGroupNotFound", "", "the resource group is not there, and so nothing in it", NOT_THERE),
    row("ResourceNotFound", "", "the resource is not there", NOT_THERE),
    row("ParentResourceNotFound", "", "what should hold the resource is not there", NOT_THERE),
    row("VaultNotFound", "", "the vault is not there", NOT_THERE),
    row("KeyNotFound", "deleted key", "no deleted key has this name", NOT_THERE),
    row(
        "KeyNotFound",
        "",
        "the vault has no key of this name; a deleted one may come back with `az keyvault key recover`",
        NOT_THERE,
    ),
    row("DeletedVaultNotFound", "", "no deleted vault of this subscription and region has the name", NOT_THERE),
    row(
        "ResourceGroupBeingDeleted",
        "",
        "somebody is deleting the resource group",
        "wait until it is gone, then plan again",
    ),
    // Who asks, and where.
    row(
        "SubscriptionNotFound",
        "was not found",
        "Storage does not know the subscription: as a rule that means that Microsoft.Storage is not registered in it",
        "run `az provider register --namespace Microsoft.Storage --subscription ID --wait`, then the same command again",
    ),
    row(
        "SubscriptionNotFound",
        "",
        "the subscription is not there, or this identity holds no role in it",
        "check the subscription's id, and that this identity may read the subscription",
    ),
    row(
        "ReadOnlyDisabledSubscription",
        "",
        "the subscription is disabled and lets itself be read only",
        "have its owner enable it, then run the same command again",
    ),
    row(
        "InvalidAuthenticationTokenTenant",
        "",
        "the token is of another tenant than the subscription",
        "set AZURE_TENANT_ID to the subscription's tenant, or `az login --tenant` there",
    ),
    row("ExpiredAuthenticationToken", "", "the token is over", SIGN_IN),
    row("InvalidAuthenticationToken", "", "Azure does not take the token", SIGN_IN),
    row(
        "PrincipalNotFound",
        "",
        "the identity is so new that the directory does not know it everywhere",
        "run the same command again in some minutes",
    ),
    row(
        "BadRequest",
        "accesspolicies",
        "the vault does not take the access policy: the identity is of another tenant, or too new to be known",
        "run the same command again in some minutes; the vault has to be of the identity's own tenant",
    ),
    // What somebody decided.
    row(
        "ScopeLocked",
        "",
        "a lock forbids this, whoever asks; the message names what is locked",
        "ask whoever set the lock; `az lock list` shows it, and `az lock delete` removes it if that is meant to be",
    ),
    row(
        "ForbiddenByFirewall",
        "",
        "the vault's firewall does not let this address in; that says nothing about permissions",
        "run cmk where the vault is open to it, or have the address added with `az keyvault network-rule add`",
    ),
    row(
        "ForbiddenByConnection",
        "",
        "the vault takes connections from its private endpoints only",
        "run cmk in the network of the vault's private endpoint",
    ),
    row(
        "ForbiddenByPolicy",
        "",
        "the vault wants a user to act, not an application alone",
        "ask for a role that allows this, or have a person run it",
    ),
    row(
        "AccessDenied",
        "",
        "the vault's access policies give this identity, which cmk runs as, no such permission",
        "ask for the key permission that it names, with `az keyvault set-policy --name VAULT --object-id ID --key-permissions PERMISSION`",
    ),
    // Under way.
    row("StorageAccountOperationInProgress", "", "Azure works on the account for somebody else", AGAIN),
    row("StorageAccountIsNotProvisioned", "", "the account is still being made", AGAIN),
    row(
        "ObjectIsBeingDeleted",
        "",
        "a key of this name is being deleted this moment",
        "wait a minute, then plan again",
    ),
    row("ObjectIsBeingRecovered", "", "a key of this name is being recovered this moment", AGAIN),
];

/// What a failure means and what to do, when Azure's own words do not say it well enough.
pub(super) fn of(failure: &Failure) -> Option<String> {
    if failure.is("RequestDisallowedByPolicy") {
        return Some(disallowed(&failure.said.policies));
    }
    if failure.is("MissingSubscriptionRegistration") {
        return Some(unregistered(&failure.said.message));
    }
    let message = failure.said.message.to_lowercase();
    // The inner code says more than the one around it.
    let codes = [&failure.said.inner_code, &failure.said.code];
    let row = codes
        .into_iter()
        .flatten()
        .find_map(|code| TABLE.iter().find(|row| row.code.eq_ignore_ascii_case(code) && message.contains(row.part)));
    row.map(|Meaning { means, help, .. }| format!("{means}; {help}")).or_else(|| denied(failure))
}

/// Azure Policy is no matter of permissions: the same request by anybody else fails as well.
fn disallowed(policies: &[Policy]) -> String {
    let named: Vec<String> = policies
        .iter()
        .map(|Policy { assignment, definition }| match (assignment, definition) {
            (Some(assignment), Some(definition)) if assignment != definition => {
                format!("`{assignment}` (definition `{definition}`)")
            }
            (Some(name), _) | (None, Some(name)) => format!("`{name}`"),
            (None, None) => "one that is not named".to_owned(),
        })
        .collect();
    let named = if named.is_empty() { "that Azure's words name".to_owned() } else { named.join(" and ") };
    format!(
        "an Azure Policy forbids this, whoever asks: the assignment {named}; change the spec so that it complies, or ask \
         the policy's owner for an exemption (`az policy exemption create`), then run the same command again"
    )
}

fn unregistered(message: &str) -> String {
    let named = message.split_once("namespace '").and_then(|(_, rest)| rest.split_once('\'')).map(|(name, _)| name);
    let is_plain = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    let namespace = named.filter(is_plain).unwrap_or("Microsoft.KeyVault");
    format!(
        "the subscription has not registered the resource provider; \
         run `az provider register --namespace {namespace} --subscription ID --wait`, then the same command again"
    )
}

/// A missing permission, with what Azure says of it.
fn denied(failure: &Failure) -> Option<String> {
    let permission = failure.permission().filter(|_| failure.kind == Kind::Denied)?;
    let place = scope(&failure.said.message).map(|scope| format!(" on `{scope}`")).unwrap_or_default();
    if failure.is("LinkedAuthorizationFailed") {
        return Some(format!(
            "the change itself is allowed, but not to lend out what it links to; ask for a role that allows \
             `{permission}`{place}, such as Managed Identity Operator for an identity"
        ));
    }
    Some(format!("ask for a role that allows `{permission}`{place}; a new one takes some minutes to count"))
}

/// The last scope that a message names.
fn scope(message: &str) -> Option<&str> {
    let after = ["linked scope(s) '", "over scope '", "Resource: '"];
    let (_, rest) = after.into_iter().find_map(|word| message.split_once(word))?;
    rest.split_once('\'').map(|(scope, _)| scope).filter(|scope| !scope.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::said;
    use super::*;
    use serde_json::{Value, json};

    fn help(status: u16, body: &Value) -> String {
        said::read(status, body.to_string().as_bytes()).help().unwrap_or_default()
    }

    fn of_code(status: u16, code: &str, message: &str) -> String {
        help(status, &json!({ "error": { "code": code, "message": message } }))
    }

    #[test]
    fn a_policy_is_told_by_the_names_of_its_assignment_and_its_definition() {
        let info = json!({ "policyDefinitionDisplayName": "Allowed locations", "policyDefinitionName": "e56962a6",
            "policyAssignmentDisplayName": "Only Europe", "policyAssignmentName": "fd5e2cb3" });
        let body = json!({ "error": { "code": "RequestDisallowedByPolicy", "message": "Resource 'st1' was disallowed by policy.",
            "additionalInfo": [{ "type": "PolicyViolation", "info": info }] } });
        let told = help(403, &body);
        assert!(told.contains("`Only Europe` (definition `Allowed locations`)") && !told.contains("role"), "{told}");
    }

    #[test]
    fn a_policy_that_is_named_in_the_message_only_is_found_there() {
        let identifiers = r#"[{"policyAssignment":{"name":"Only Europe","id":"/a"},"policyDefinition":{"name":"Allowed locations","id":"/d"}}]"#;
        let message = format!("Resource 'st1' was disallowed by policy. Policy identifiers: '{identifiers}'.");
        let told = of_code(403, "RequestDisallowedByPolicy", &message);
        assert!(told.contains("`Only Europe` (definition `Allowed locations`)"), "{told}");
        assert!(of_code(403, "RequestDisallowedByPolicy", "no").contains("that Azure's words name"));
    }

    #[test]
    fn one_code_with_two_meanings_is_told_apart_by_its_message() {
        let grant = of_code(403, "KeyVaultAuthenticationFailure", "Failure in AAD Client Credentials Grant Flow");
        let other =
            of_code(403, "KeyVaultAuthenticationFailure", "The operation failed because of authentication issue.");
        assert!(grant.contains("could not sign in") && other.contains("expired") && other.contains("firewall"));
        let storage = of_code(404, "SubscriptionNotFound", "Subscription 1 was not found.");
        let gateway = of_code(404, "SubscriptionNotFound", "The subscription '1' could not be found.");
        assert!(storage.contains("az provider register") && gateway.contains("check the subscription's id"));
    }

    #[test]
    fn the_inner_code_says_more() {
        let body = json!({ "error": { "code": "Forbidden", "message": "Client address is not authorized.",
            "innererror": { "code": "ForbiddenByFirewall" } } });
        assert!(help(403, &body).contains("firewall"));
    }

    #[test]
    fn a_missing_permission_is_told_with_its_place() {
        let message = "The client 'a' does not have authorization to perform action 'Microsoft.X/read' over scope '/s' or the scope is invalid.";
        assert!(of_code(403, "AuthorizationFailed", message).contains("`Microsoft.X/read` on `/s`"));
        let message = "has permission to perform action 'Microsoft.X/write' on scope '/s'; however, it does not have permission \
                       to perform action 'Microsoft.Y/assign/action' on the linked scope(s) '/t' or they are invalid.";
        let told = of_code(403, "LinkedAuthorizationFailed", message);
        assert!(told.contains("`Microsoft.Y/assign/action` on `/t`"), "{told}");
    }

    #[test]
    fn a_provider_is_registered_by_its_own_name() {
        let message = "The subscription is not registered to use namespace 'Microsoft.Storage'. See https://aka.ms/x.";
        assert!(of_code(409, "MissingSubscriptionRegistration", message).contains("--namespace Microsoft.Storage "));
        let evil = message.replace("Microsoft.Storage", "$(reboot)");
        assert!(!of_code(409, "MissingSubscriptionRegistration", &evil).contains("reboot"));
    }

    #[test]
    fn every_row_can_be_reached() {
        for (at, row) in TABLE.iter().enumerate() {
            let first = TABLE.iter().position(|one| one.code == row.code && row.part.contains(one.part));
            assert_eq!(first, Some(at), "{} {}", row.code, row.part);
        }
    }
}
