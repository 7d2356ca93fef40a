//! Codes of calls to Azure that failed.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        id: "CMK301",
        summary: "no way to sign in is configured",
        story: "\
cmk chooses how to sign in by what is configured, in this order: a client secret (AZURE_TENANT_ID,
AZURE_CLIENT_ID and AZURE_CLIENT_SECRET), a workload identity (AZURE_FEDERATED_TOKEN_FILE instead of the
secret), the Azure CLI (`az` on PATH, after `az login`). Nothing of it was found, or one was half
configured. Half a configuration is never skipped: cmk would then sign in as somebody else than was
meant.

What to do: set the variables of one of the three, or sign in with `az login`. To try cmk without Azure,
add `--sandbox`.",
    },
    Code {
        id: "CMK302",
        summary: "not supported yet",
        story: "\
Something is configured that this version cannot do. AZURE_AUTHORITY_HOST, for one, names another cloud
than the public one: cmk would send its secret to the wrong place, so it stops before anything is sent.

What to do: unset what the message names, or wait for a version that supports it.",
    },
    Code {
        id: "CMK303",
        summary: "signing in failed",
        story: "\
A credential was chosen and gave no token, or Azure did not take the token. The message has what Entra
ID or `az` said. cmk does not fall back to another credential: a mistake in one would then become a
sign-in as another identity. A token of another tenant shows as InvalidAuthenticationTokenTenant.

What to do: renew the secret, sign in again with `az login`, or set AZURE_TENANT_ID to the
subscription's tenant.",
    },
    Code {
        id: "CMK304",
        summary: "Azure refused access",
        story: "\
The identity that cmk runs as lacks a permission. A look that is refused does not stop a plan: the thing
is shown as hidden, and nothing is created in its place. A write that is refused fails its step.
KeyVaultAuthenticationFailure on an account is different: there the account's own identity, not yours,
could not use the key.

What to do: ask for a role that holds the permission which the message names. A new role takes some
minutes to count.",
    },
    Code {
        id: "CMK305",
        summary: "Azure found nothing there",
        story: "\
This is a 404 that does not say that the thing itself is absent: the subscription is not found, or
something between here and Azure answered. cmk does not take it for absence, because it would then
create what is there.

What to do: check the subscription's id, and that the identity may see it.",
    },
    Code {
        id: "CMK306",
        summary: "the state of the resource does not allow this",
        story: "\
Azure answered with a conflict: a name that is taken, a lock, a provider that is not registered. Azure's
own words follow the code. It does not end by itself, so sending it again would not help.

What to do: resolve what Azure's words name, then run the same command again.",
    },
    Code {
        id: "CMK307",
        summary: "another operation is under way on the resource",
        story: "\
Azure works on the resource for somebody else, or for an earlier run that was cut short. cmk waited
within its budget, and the other operation was not over.

What to do: wait for it to end, then run the same command again.",
    },
    Code {
        id: "CMK308",
        summary: "Azure is throttling",
        story: "\
There are too many requests in this subscription, perhaps by others. cmk waited as Azure asked, up to a
cap each time, and gave up after several tries. A throttled request changes nothing.

What to do: run the same command again in a few minutes, perhaps with a smaller `--concurrency`.",
    },
    Code {
        id: "CMK309",
        summary: "Azure refused the request",
        story: "\
Azure understood the request and will not carry it out. Its words follow the code. Sending it again
would not help.

What to do: read Azure's words; often they name a property, a policy or a limit.",
    },
    Code {
        id: "CMK310",
        summary: "Azure failed",
        story: "\
This is a 5xx or a timeout inside Azure. Reads, and the creation of a key, which changes nothing when
repeated, were sent again. Other writes are not sent again blindly, since Azure may have acted.

What to do: run the same command again. It looks first and repeats nothing that is done.",
    },
    Code {
        id: "CMK311",
        summary: "the operation failed",
        story: "\
Azure accepted the request and reported later that it failed or was canceled. Its reason follows the
code. What it had made by then may be left behind.

What to do: resolve the reason, then run the same command again. It looks first.",
    },
    Code {
        id: "CMK312",
        summary: "not over in time",
        story: "\
Azure accepted the request and was not done within the time allowed. It may still succeed by itself.

What to do: run the same command again to see. It waits for what is under way and sends nothing twice.",
    },
    Code {
        id: "CMK313",
        summary: "the answer was lost",
        story: "\
The request may have arrived; its answer did not. A write is never sent again blindly then: cmk looks
whether it had its effect.

What to do: run the same command again. It looks first and repeats nothing that is done.",
    },
    Code {
        id: "CMK314",
        summary: "no connection; nothing was sent",
        story: "\
No connection to Azure could be made, after several tries. Nothing has changed in Azure.

What to do: check the network and, behind a proxy, HTTPS_PROXY and NO_PROXY.",
    },
    Code {
        id: "CMK315",
        summary: "the host's name is not known; nothing was sent",
        story: "\
The name does not resolve. For a vault that may mean a private DNS zone which this machine does not see;
it never means that the vault is absent.

What to do: check the network's name resolution, or run cmk where the private zone is seen.",
    },
    Code {
        id: "CMK316",
        summary: "no trusted connection; nothing was sent",
        story: "\
The certificate is not trusted, or this machine has no certificates of authorities at all. cmk does not
try again, and has no way to skip the check: it would hand its token to whoever answers.

What to do: install the `ca-certificates` package, or name the authority's file in SSL_CERT_FILE.",
    },
    Code {
        id: "CMK317",
        summary: "a host outside the cloud; nothing was sent",
        story: "\
Tokens go only to the chosen cloud's Resource Manager, its Entra ID and its vaults, which have exactly
one label in front of the vault suffix. A link or a vault's address led elsewhere, and cmk did not
follow it.

What to do: look at what names this host. If Azure's own answer did, please report it.",
    },
    Code {
        id: "CMK318",
        summary: "the answer makes no sense",
        story: "\
The answer is not JSON, lacks what it must have, or is a list that leads in a circle. A captive portal
or a proxy may have answered in Azure's place.

What to do: open the endpoint from this machine and see who answers.",
    },
];
