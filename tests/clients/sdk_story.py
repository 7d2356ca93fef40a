"""Microsoft's guide to customer-managed keys through the Azure SDK for Python, with its settings for the public cloud.

    sdk_story.py CMK

Nothing here says where the sandbox is: the environment of `cmk sandbox env` leads the SDK there, as it leads any program.
"""

import base64
import json
import logging
import os
import sys
import time
import uuid

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.keyvault.keys import KeyClient, KeyRotationLifetimeAction, KeyRotationPolicy, KeyRotationPolicyAction
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.msi import ManagedServiceIdentityClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.storage import StorageManagementClient

from stage import GUID, PROJECT, SUBSCRIPTION, Sandbox, Story, says, until

GROUP = "rg-guide"
REGION = "westeurope"
# How often the SDK looks whether something long is done; its own default is half a minute.
PATIENCE = {"polling_interval": 1}


def raises(code, ask):
    """Asserts that a call is refused with a code."""
    try:
        answer = ask()
    except HttpResponseError as error:
        assert code in str(error), f"not {code}, but: {error}"
        return
    raise AssertionError(f"it is not refused with {code}: {answer}")


def once_granted(code, ask, seconds=40):
    """Calls again while a grant has not spread."""
    end = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except HttpResponseError as error:
            if code not in str(error) or time.monotonic() > end:
                raise
        time.sleep(1)


class Clients:
    """One client a package, as a program has them."""

    def __init__(self):
        tenant, application, secret = (os.environ[f"AZURE_{name}"] for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"))
        self.tenant = tenant
        self.credential = ClientSecretCredential(tenant, application, secret)
        self.resources = ResourceManagementClient(self.credential, SUBSCRIPTION)
        self.storage = StorageManagementClient(self.credential, SUBSCRIPTION)
        self.vaults = KeyVaultManagementClient(self.credential, SUBSCRIPTION)
        self.roles = AuthorizationManagementClient(self.credential, SUBSCRIPTION)
        self.identities = ManagedServiceIdentityClient(self.credential, SUBSCRIPTION)

    def keys(self, vault):
        return KeyClient(f"https://{vault}.vault.azure.net", self.credential)

    def caller(self):
        """The object id of whoever is signed in, out of a token."""
        token = self.credential.get_token("https://management.azure.com/.default").token
        claims = token.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["oid"]

    def make_vault(self, name, **properties):
        parameters = {
            "location": REGION,
            "properties": {
                "tenantId": self.tenant,
                "sku": {"family": "A", "name": "standard"},
                "accessPolicies": [],
                **properties,
            },
        }
        return self.vaults.vaults.begin_create_or_update(GROUP, name, parameters, **PATIENCE).result().as_dict()

    def policy(self, principal, keys):
        return {"tenantId": self.tenant, "objectId": principal, "permissions": {"keys": keys}}

    def make_account(self, name, **more):
        parameters = {"location": REGION, "sku": {"name": "Standard_LRS"}, "kind": "StorageV2", **more}
        return self.storage.storage_accounts.begin_create(GROUP, name, parameters, **PATIENCE).result().as_dict()

    def update_account(self, name, parameters):
        return self.storage.storage_accounts.update(GROUP, name, parameters).as_dict()

    def give(self, role, principal, scope):
        """Assigns a role that is known by its name."""
        found = list(self.roles.role_definitions.list(scope, filter=f"roleName eq '{role}'"))
        assert [one.role_name for one in found] == [role], found
        given = {"roleDefinitionId": found[0].id, "principalId": principal, "principalType": "ServicePrincipal"}
        return self.roles.role_assignments.create(scope, str(uuid.uuid4()), {"properties": given})


def customer_key(vault, key, version=None, identity=None):
    """The encryption of an account, as Resource Manager writes it."""
    properties = {"keyvaulturi": f"https://{vault}.vault.azure.net", "keyname": key}
    if version is not None:
        properties["keyversion"] = version
    encryption = {"keySource": "Microsoft.Keyvault", "keyvaultproperties": properties}
    if identity:
        encryption["identity"] = {"userAssignedIdentity": identity}
    return {"encryption": encryption}


def sign_in(story, clients):
    with story.step("ClientSecretCredential refuses a wrong secret"):
        wrong = ClientSecretCredential(clients.tenant, os.environ["AZURE_CLIENT_ID"], "wrong")
        try:
            wrong.get_token("https://management.azure.com/.default")
        except ClientAuthenticationError as error:
            assert "AADSTS7000215" in str(error), error
        else:
            raise AssertionError("a wrong secret gets a token")
    with story.step("ClientSecretCredential: a token for each audience"):
        for audience in ("https://management.azure.com", "https://vault.azure.net"):
            assert clients.credential.get_token(f"{audience}/.default").token.count(".") == 2


def guide(story, clients, sandbox):
    """The guide with access policies. At its end specs/guide.yaml is what is there."""
    caller = clients.caller()
    keys = clients.keys("kv-guide")
    bound = "properties__encryption__"
    current = f"{bound}keyvaultproperties__currentVersionedKeyIdentifier"

    with story.step("azure-mgmt-resource: a group"):
        made = clients.resources.resource_groups.create_or_update(GROUP, {"location": REGION})
        assert made.properties.provisioning_state == "Succeeded", made
    with story.step("azure-mgmt-storage: an account, then its identity"):
        made = clients.make_account("stguide")
        says(made, properties__provisioningState="Succeeded", properties__encryption__keySource="Microsoft.Storage")
        found = clients.update_account("stguide", {"identity": {"type": "SystemAssigned"}})
        says(found, identity__type="SystemAssigned", identity__principalId=GUID)
        principal = found["identity"]["principalId"]
    with story.step("azure-mgmt-keyvault: a protected vault, and a policy for the account"):
        policies = [clients.policy(caller, ["all", "purge"])]
        made = clients.make_vault("kv-guide", enablePurgeProtection=True, enableRbacAuthorization=False, accessPolicies=policies)
        says(made, properties__enablePurgeProtection=True, properties__vaultUri="https://kv-guide.vault.azure.net/")
        grant = clients.policy(principal, ["get", "wrapKey", "unwrapKey", "recover"])
        clients.vaults.vaults.update_access_policy(GROUP, "kv-guide", "add", {"properties": {"accessPolicies": [grant]}})
        found = clients.vaults.vaults.get(GROUP, "kv-guide").properties.access_policies
        assert {one.object_id for one in found} == {caller, principal}, found
    with story.step("azure-keyvault-keys: a key, and its versions"):
        first = once_granted("AccessDenied", lambda: keys.create_rsa_key("storage", size=2048))
        assert [one.id for one in keys.list_properties_of_key_versions("storage")] == [first.id]
    with story.step("azure-mgmt-storage: one version of the key"):
        wanted = {"properties": customer_key("kv-guide", "storage", first.properties.version)}
        found = once_granted("KeyVaultAuthenticationFailure", lambda: clients.update_account("stguide", wanted))
        says(found, **{f"{bound}keySource": "Microsoft.Keyvault", current: first.id})
    with story.step("cmk plan specs/guide.yaml: nothing to do"):
        assert sandbox.plan(PROJECT / "specs/guide.yaml") == 0
    with story.step("azure-keyvault-keys: rotation by hand and by policy; cmk plan: steps are waiting"):
        second = keys.rotate_key("storage")
        assert {one.id for one in keys.list_properties_of_key_versions("storage")} == {first.id, second.id}
        action = KeyRotationLifetimeAction(KeyRotationPolicyAction.rotate, time_after_create="P90D")
        keys.update_key_rotation_policy("storage", KeyRotationPolicy(), lifetime_actions=[action], expires_in="P2Y")
        found = keys.get_key_rotation_policy("storage")
        assert found.expires_in == "P2Y" and found.lifetime_actions[0].time_after_create == "P90D", found
        assert sandbox.plan(PROJECT / "specs/guide.yaml") == 2
    with story.step("azure-mgmt-storage: whatever version is newest"):
        found = clients.update_account("stguide", {"properties": customer_key("kv-guide", "storage", "")})
        says(found, **{current: second.id})
        third = keys.rotate_key("storage")
        following = lambda: clients.storage.storage_accounts.get_properties(GROUP, "stguide").encryption
        until(lambda: following().key_vault_properties.current_versioned_key_identifier == third.id)
    with story.step("azure-mgmt-storage: the newest version; cmk plan: nothing to do"):
        newest = keys.get_key("storage").properties.version
        found = clients.update_account("stguide", {"properties": customer_key("kv-guide", "storage", newest)})
        says(found, **{current: third.id})
        assert sandbox.plan(PROJECT / "specs/guide.yaml") == 0


def traps(story, clients):
    with story.step("what the guide warns of is refused"):
        clients.make_vault("kv-loose", enableRbacAuthorization=False, accessPolicies=[clients.policy(clients.caller(), ["all"])])
        once_granted("AccessDenied", lambda: clients.keys("kv-loose").create_rsa_key("storage", size=2048))
        wanted = {"properties": customer_key("kv-loose", "storage")}
        raises("KeyVaultPolicyError", lambda: clients.update_account("stguide", wanted))
        raises("ResourceNotFound", lambda: clients.storage.storage_accounts.get_properties(GROUP, "stnowhere"))


def roles(story, clients):
    """A vault with role assignments, and accounts that reach it as an identity of the user's."""
    keys = clients.keys("kv-roles")
    with story.step("azure-mgmt-msi: an identity"):
        identity = clients.identities.user_assigned_identities.create_or_update(GROUP, "id-guide", {"location": REGION})
        assert GUID.fullmatch(identity.principal_id) and GUID.fullmatch(identity.client_id), identity
    with story.step("azure-mgmt-authorization: roles in a vault without policies"):
        vault = clients.make_vault("kv-roles", enablePurgeProtection=True, enableRbacAuthorization=True)
        raises("ForbiddenByRbac", lambda: keys.create_rsa_key("storage", size=3072))
        clients.give("Key Vault Crypto Officer", clients.caller(), vault["id"])
        key = once_granted("ForbiddenByRbac", lambda: keys.create_rsa_key("storage", size=3072))
        clients.give("Key Vault Crypto Service Encryption User", identity.principal_id, vault["id"])
        found = list(clients.roles.role_assignments.list_for_scope(vault["id"], filter="atScope()"))
        assert identity.principal_id in {one.principal_id for one in found}, found
    user = {"type": "UserAssigned", "userAssignedIdentities": {identity.id: {}}}
    encryption = customer_key("kv-roles", "storage", identity=identity.id)
    bound = {
        "identity__type": "UserAssigned",
        "properties__encryption__identity__userAssignedIdentity": identity.id,
        "properties__encryption__keyvaultproperties__currentVersionedKeyIdentifier": key.id,
    }
    with story.step("azure-mgmt-storage: an account with the user's identity, changed and new"):
        clients.make_account("stroles")
        wanted = {"identity": user, "properties": encryption}
        says(once_granted("KeyVaultAuthenticationFailure", lambda: clients.update_account("stroles", wanted)), **bound)
        says(clients.make_account("stborn", identity=user, properties=encryption), **bound)


def scopes(story, clients):
    scope = clients.storage.encryption_scopes
    key = "https://kv-guide.vault.azure.net/keys/storage"
    with story.step("azure-mgmt-storage: encryption scopes"):
        wanted = {"source": "Microsoft.KeyVault", "keyVaultProperties": {"keyUri": key}}
        made = scope.put(GROUP, "stguide", "payroll", {"properties": wanted}).as_dict()
        says(made, properties__state="Enabled", properties__keyVaultProperties__keyUri=key)
        scope.put(GROUP, "stguide", "plain", {"properties": {"source": "Microsoft.Storage"}})
        scope.patch(GROUP, "stguide", "plain", {"properties": {"state": "Disabled"}})
        says(scope.get(GROUP, "stguide", "plain").as_dict(), properties__state="Disabled")
        found = [one.as_dict() for one in scope.list(GROUP, "stguide")]
        assert [one["name"] for one in found] == ["payroll", "plain"], found


def deletion(story, clients, sandbox):
    keys = clients.keys("kv-guide")
    with story.step("azure-keyvault-keys: a key deleted and recovered"):
        assert sandbox.can_read("stguide")
        deleted = keys.begin_delete_key("storage").result()
        assert deleted.recovery_id.endswith("/deletedkeys/storage"), deleted.recovery_id
        assert not sandbox.can_read("stguide")
        until(lambda: [one.name for one in keys.list_deleted_keys()] == ["storage"])
        raises("purge protection is enabled", lambda: keys.purge_deleted_key("storage"))
        keys.begin_recover_deleted_key("storage").result()
        until(lambda: sandbox.can_read("stguide"))
    with story.step("azure-mgmt-keyvault: a vault deleted and recovered"):
        clients.vaults.vaults.delete(GROUP, "kv-guide")
        assert not sandbox.can_read("stguide")
        assert [one.name for one in clients.vaults.vaults.list_deleted()] == ["kv-guide"]
        raises("not allowed", lambda: clients.vaults.vaults.begin_purge_deleted("kv-guide", REGION).result())
        found = clients.make_vault("kv-guide", createMode="recover")
        says(found, properties__enablePurgeProtection=True)
        until(lambda: sandbox.can_read("stguide"))
    with story.step("cmk plan specs/guide.yaml: nothing to do"):
        assert sandbox.plan(PROJECT / "specs/guide.yaml") == 0


def lists(story, clients):
    with story.step("lists, page by page, and what is not there"):
        found = {one.name for one in clients.storage.storage_accounts.list()}
        assert found == {"stguide", "stroles", "stborn"}, found
        found = {one.name for one in clients.vaults.vaults.list_by_resource_group(GROUP)}
        assert found == {"kv-guide", "kv-loose", "kv-roles"}, found
        try:
            clients.keys("kv-guide").get_key("nothing")
        except ResourceNotFoundError as error:
            assert "KeyNotFound" in str(error), error
        else:
            raise AssertionError("a key that is not there is found")


def main(cmk):
    story = Story("sdk")
    # The SDK logs what it raises as well.
    logging.getLogger("azure").setLevel(logging.CRITICAL)
    with Sandbox(cmk, "public") as sandbox:
        os.environ.clear()
        os.environ.update(sandbox.environment)
        clients = Clients()
        sign_in(story, clients)
        guide(story, clients, sandbox)
        traps(story, clients)
        roles(story, clients)
        scopes(story, clients)
        deletion(story, clients, sandbox)
        lists(story, clients)
    return story.end()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
