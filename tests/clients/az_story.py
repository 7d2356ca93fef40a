"""Microsoft's guide to customer-managed keys, done with the Azure CLI as a user types it, against the sandbox.

    az_story.py CMK AZ public      with az's settings for the public cloud
    az_story.py CMK AZ sandbox     with the sandbox as a cloud of its own

CMK and AZ are the two programs. Every answer of az is looked at, not only its exit code.
"""

import json
import re
import shlex
import sys

from stage import GUID, PROJECT, SUBSCRIPTION, Az, Sandbox, Story, says, until


UNSPREAD = "KeyVaultAuthenticationFailure"
FORBIDDEN = "ForbiddenByRbac"


def sign_in(story, az, sandbox):
    if sandbox.domain == "sandbox":
        with story.step("az cloud register, az cloud set"):
            az(f"cloud register --name CmkSandbox --endpoint-resource-manager {sandbox.ready['arm']}")
            az("cloud set --name CmkSandbox")
            says(az("cloud show"), name="CmkSandbox", suffixes__keyvaultDns=".vault.sandbox.test")
    ready = sandbox.ready
    user, tenant = ready["clientId"], ready["tenantId"]
    with story.step("az login refuses a wrong secret"):
        az.is_refused(f"login --service-principal -u {user} -p wrong --tenant {tenant}", "AADSTS7000215")
    with story.step("az login --service-principal"):
        found = az(f"login --service-principal -u {user} -p {shlex.quote(ready['clientSecret'])} --tenant {tenant}")
        assert [one["id"] for one in found] == ready["subscriptions"], found
        az(f"account set --subscription {SUBSCRIPTION}")
        says(az("account show"), id=SUBSCRIPTION, tenantId=tenant, user__type="servicePrincipal", user__name=user)


def plan_is(story, sandbox, code, permissions="permissions:"):
    """Plans the guide's spec with cmk, which knows the public cloud only: in way 2 it waits for the end."""
    if sandbox.domain == "public":
        spec = sandbox.folder / "guide.yaml"
        spec.write_text((PROJECT / "specs/guide.yaml").read_text().replace("permissions:", permissions))
        with story.step(f"cmk plan specs/guide.yaml: {'nothing to do' if code == 0 else 'steps are waiting'}"):
            found = sandbox.plan(spec)
            assert found == code, f"its exit code is {found}, not {code}"


def guide(story, az, sandbox):
    """The guide with access policies. At its end specs/guide.yaml is what is there."""
    suffix = "vault.azure.net" if sandbox.domain == "public" else "vault.sandbox.test"
    uri = f"https://kv-guide.{suffix}"
    keyid = re.compile(rf"{re.escape(uri)}/keys/storage/[0-9a-f]{{32}}")
    account = "--name stguide --resource-group rg-guide"

    with story.step("az group create"):
        says(az("group create --name rg-guide --location westeurope"), properties__provisioningState="Succeeded")
    with story.step("az storage account create"):
        made = az(f"storage account create {account} --location westeurope --sku Standard_LRS --kind StorageV2")
        says(made, name="stguide", provisioningState="Succeeded", encryption__keySource="Microsoft.Storage")
    with story.step("az storage account update --assign-identity"):
        found = az(f"storage account update {account} --assign-identity")
        says(found, identity__type="SystemAssigned", identity__principalId=GUID)
        principal = found["identity"]["principalId"]
    with story.step("az keyvault create, with access policies"):
        made = az(
            "keyvault create --name kv-guide --resource-group rg-guide --location westeurope"
            " --enable-purge-protection --enable-rbac-authorization false"
        )
        says(made, properties__enablePurgeProtection=True, properties__vaultUri=f"{uri}/", properties__sku__name="standard")
        assert made["properties"]["accessPolicies"], "the vault's maker has no access policy"
    with story.step("az keyvault set-policy"):
        set_policy = f"keyvault set-policy --name kv-guide --object-id {principal}"
        found = az(f"{set_policy} --key-permissions get wrapKey unwrapKey recover")
        given = {one["objectId"]: one["permissions"]["keys"] for one in found["properties"]["accessPolicies"]}
        assert sorted(word.lower() for word in given[principal]) == ["get", "recover", "unwrapkey", "wrapkey"], given
    with story.step("az keyvault key create, list-versions"):
        made = az("keyvault key create --vault-name kv-guide --name storage --kty RSA --size 2048")
        says(made, key__kid=keyid, key__kty="RSA", attributes__enabled=True)
        first = made["key"]["kid"]
        versions = az("keyvault key list-versions --vault-name kv-guide --name storage")
        assert [one["kid"] for one in versions] == [first], versions
    use = (
        f"storage account update {account} --encryption-key-source Microsoft.Keyvault"
        f" --encryption-key-vault {uri} --encryption-key-name storage"
    )
    with story.step("az storage account update, to one version of the key"):
        found = az.once_granted(f"{use} --encryption-key-version {first.split('/')[-1]}", UNSPREAD)
        says(
            found["encryption"],
            keySource="Microsoft.Keyvault",
            keyVaultProperties__keyName="storage",
            keyVaultProperties__keyVersion=first.split("/")[-1],
            keyVaultProperties__currentVersionedKeyIdentifier=first,
        )
    plan_is(story, sandbox, 0)
    with story.step("az keyvault key rotate"):
        second = az("keyvault key rotate --vault-name kv-guide --name storage")["key"]["kid"]
        versions = az("keyvault key list-versions --vault-name kv-guide --name storage")
        assert {one["kid"] for one in versions} == {first, second} and first != second, versions
    plan_is(story, sandbox, 2)
    with story.step("az storage account update, to whatever version is newest"):
        found = az(f'{use} --encryption-key-version ""')
        says(found["encryption"], keyVaultProperties__currentVersionedKeyIdentifier=second)
        assert not found["encryption"]["keyVaultProperties"]["keyVersion"], found
    plan_is(story, sandbox, 0, "version: auto\n      permissions:")
    with story.step("az keyvault key rotate; the account follows by itself"):
        third = az("keyvault key rotate --vault-name kv-guide --name storage")["key"]["kid"]
        current = "encryption.keyVaultProperties.currentVersionedKeyIdentifier"
        until(lambda: az(f"storage account show {account} --query {current}") == third)
    with story.step("az keyvault key rotation-policy update, show"):
        policy = {
            "lifetimeActions": [{"trigger": {"timeAfterCreate": "P90D"}, "action": {"type": "Rotate"}}],
            "attributes": {"expiryTime": "P2Y"},
        }
        name = "--vault-name kv-guide --name storage"
        az(f"keyvault key rotation-policy update {name} --value {shlex.quote(json.dumps(policy))}")
        found = az(f"keyvault key rotation-policy show {name}")
        says(found, expiresIn="P2Y", lifetimeActions__0__timeAfterCreate="P90D")
    with story.step("az storage account update, to the newest version"):
        az(f"{use} --encryption-key-version {third.split('/')[-1]}")
        says(az(f"storage account show {account}")["encryption"]["keyVaultProperties"], keyVersion=third.split("/")[-1])
    plan_is(story, sandbox, 0)


def traps(story, az):
    """What the guide warns of is refused, for the reason that Azure gives."""
    with story.step("a vault without purge protection is refused"):
        az(
            "keyvault create --name kv-loose --resource-group rg-guide --location westeurope"
            " --enable-rbac-authorization false --no-wait"
        )
        az("keyvault wait --name kv-loose --created --interval 1")
        az.once_granted("keyvault key create --vault-name kv-loose --name storage", "AccessDenied")
        vault = az("keyvault show --name kv-loose")["properties"]["vaultUri"]
        az.is_refused(
            "storage account update --name stguide --resource-group rg-guide --encryption-key-source Microsoft.Keyvault"
            f" --encryption-key-vault {vault} --encryption-key-name storage",
            "KeyVaultPolicyError",
        )
    with story.step("an account that is not there is not found"):
        az.is_refused("storage account show --name stnowhere --resource-group rg-guide", "ResourceNotFound")


def roles(story, az):
    """A vault with role assignments, and an account that reaches it as an identity of the user's."""
    where = "--resource-group rg-guide --location westeurope"
    with story.step("az identity create"):
        identity = az(f"identity create --name id-guide {where}")
        says(identity, type="Microsoft.ManagedIdentity/userAssignedIdentities", principalId=GUID, clientId=GUID)
    with story.step("az keyvault create, with role assignments"):
        az(
            f"keyvault create --name kv-roles {where} --enable-purge-protection --enable-rbac-authorization true --no-wait"
        )
        az("keyvault wait --name kv-roles --created --interval 1")
        vault = az("keyvault show --name kv-roles")
        says(vault, properties__enableRbacAuthorization=True, properties__accessPolicies=[])
    create = "keyvault key create --vault-name kv-roles --name storage"
    with story.step("az keyvault key create is refused without a role"):
        az.is_refused(create, FORBIDDEN)
    with story.step("az role assignment create --assignee: the user, who then makes a key"):
        user = az.environment["AZURE_CLIENT_ID"]
        given = az(f"role assignment create --assignee {user} --role 'Key Vault Crypto Officer' --scope {vault['id']}")
        says(given, principalType="ServicePrincipal", scope=vault["id"])
        key = az.once_granted(create, FORBIDDEN)["key"]["kid"]
    with story.step("az role assignment create --assignee-object-id: the identity"):
        given = az(
            "role assignment create --role 'Key Vault Crypto Service Encryption User'"
            f" --assignee-object-id {identity['principalId']} --assignee-principal-type ServicePrincipal"
            f" --scope {vault['id']}"
        )
        says(given, principalId=identity["principalId"], principalType="ServicePrincipal", type=re.compile(".*/roleAssignments"))
        found = az(f"role assignment list --scope {vault['id']}")
        names = {one["roleDefinitionName"] for one in found}
        assert "Key Vault Crypto Service Encryption User" in names, names
    encrypt = (
        f"--identity-type UserAssigned --user-identity-id {identity['id']} --key-vault-user-identity-id {identity['id']}"
        f" --encryption-key-source Microsoft.Keyvault --encryption-key-vault {vault['properties']['vaultUri']}"
        " --encryption-key-name storage"
    )
    bound = {
        "identity__type": "UserAssigned",
        "encryption__keySource": "Microsoft.Keyvault",
        "encryption__encryptionIdentity__encryptionUserAssignedIdentity": identity["id"],
        "encryption__keyVaultProperties__currentVersionedKeyIdentifier": key,
    }
    with story.step("az storage account update, with the user's identity"):
        az(f"storage account create --name stroles {where} --sku Standard_LRS")
        name = "--name stroles --resource-group rg-guide"
        says(az.once_granted(f"storage account update {name} {encrypt}", UNSPREAD), **bound)
    with story.step("az storage account create, with its key from the beginning"):
        says(az(f"storage account create --name stborn {where} --sku Standard_LRS {encrypt}"), **bound)


def scopes(story, az):
    """Encryption scopes of the guide's account."""
    scope = "--account-name stguide --resource-group rg-guide"
    key = az("keyvault key show --vault-name kv-guide --name storage")["key"]["kid"].rpartition("/")[0]
    with story.step("az storage account encryption-scope create"):
        made = az(
            f"storage account encryption-scope create {scope} --name payroll"
            f" --key-source Microsoft.KeyVault --key-uri {key}"
        )
        says(made, name="payroll", state="Enabled", source="Microsoft.Keyvault", keyVaultProperties__keyUri=key)
        az(f"storage account encryption-scope create {scope} --name plain --key-source Microsoft.Storage")
    with story.step("az storage account encryption-scope update, show, list"):
        az(f"storage account encryption-scope update {scope} --name plain --state Disabled")
        says(az(f"storage account encryption-scope show {scope} --name plain"), state="Disabled")
        found = az(f"storage account encryption-scope list {scope}")
        assert [(one["name"], one["state"]) for one in found] == [("payroll", "Enabled"), ("plain", "Disabled")], found


def deletion(story, az, sandbox):
    """What is deleted by mistake comes back, and meanwhile the account cannot read."""
    key = "--vault-name kv-guide --name storage"
    with story.step("az keyvault key delete: the account cannot read"):
        assert sandbox.can_read("stguide")
        says(az(f"keyvault key delete {key}"), recoveryId=re.compile(".*/deletedkeys/storage"))
        assert not sandbox.can_read("stguide")
    with story.step("az keyvault key list-deleted, purge refused, recover: the account can read"):
        found = until(lambda: az("keyvault key list-deleted --vault-name kv-guide"))
        assert [one["recoveryId"].rpartition("/")[2] for one in found] == ["storage"], found
        az.is_refused(f"keyvault key purge {key}", "does not have keys purge permission")
        az(f"keyvault key recover {key}")
        until(lambda: sandbox.can_read("stguide"))
    with story.step("az keyvault delete, list-deleted, purge refused, recover"):
        az("keyvault delete --name kv-guide --resource-group rg-guide")
        assert not sandbox.can_read("stguide")
        assert [one["name"] for one in az("keyvault list-deleted --resource-type vault")] == ["kv-guide"]
        az.is_refused("keyvault purge --name kv-guide --location westeurope", "not allowed")
        found = az("keyvault recover --name kv-guide --resource-group rg-guide --location westeurope")
        says(found, name="kv-guide", properties__enablePurgeProtection=True)
        until(lambda: sandbox.can_read("stguide"))
    plan_is(story, sandbox, 0)


def main(cmk, program, domain):
    story = Story(f"az, {domain}")
    with Sandbox(cmk, domain) as sandbox:
        az = Az(program, sandbox.environment)
        sign_in(story, az, sandbox)
        guide(story, az, sandbox)
        traps(story, az)
        roles(story, az)
        scopes(story, az)
        deletion(story, az, sandbox)
        with story.step("the server stopped, cmk plan --sandbox specs/guide.yaml: nothing to do"):
            sandbox.stop()
            assert sandbox.plan(PROJECT / "specs/guide.yaml", f"--sandbox={sandbox.folder / 'state.json'}") == 0
    return story.end()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
