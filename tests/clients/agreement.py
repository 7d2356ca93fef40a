"""What `cmk apply` makes is what the Azure CLI sees: every path of a spec against a path of az's answers.

    agreement.py CMK AZ

Each example spec is applied by cmk itself, with its public-cloud settings. Then the spec is walked. A path for which the table
below has no row fails, so that a new field of the language cannot go unseen here.
"""

import base64
import hashlib
import json
import sys

import yaml

from stage import PROJECT, Az, Sandbox, Story, at

SPECS = [
    "quickstart",
    "guide-start",
    "guide",
    "shared-key",
    "two-subscriptions",
    "key-by-id",
    "user-assigned",
    "change-identity",
    "own-key",
    "rotation",
    "recover",
    "audited",
]

# What a spec needs on the command line beside itself.
OPTIONS = {"own-key": ["--key-dir", PROJECT / "tests/keys", "--accept", "CMK404:key/kv-own/payroll"]}


class Exempt:
    """Nothing in Azure says this, for a reason."""

    def __init__(self, reason):
        self.reason = reason


def same(wanted, found):
    return wanted == found


def owner(wanted, found):
    """A subscription is the third part of a resource's id, a group the fifth."""
    return wanted.lower() in found.lower().split("/")


def identity(wanted, found):
    return {"systemAssigned": "SystemAssigned"}[wanted] in found.replace(" ", "").split(",")


def permissions(wanted, found):
    return {word.lower() for word in wanted} == {word.lower() for word in found or []}


def version(wanted, found):
    bound, newest = found["bound"], found["newest"]
    return (bound or None) == {"latest": newest, "auto": None}.get(wanted, wanted)


def key_names(wanted):
    """The vault's and the key's name of `vault/key`, of a URI, or of an id in Resource Manager."""
    parts = wanted.split("/")
    if wanted.startswith("https://"):
        return parts[2].split(".")[0], parts[4]
    return (parts[8], parts[10]) if wanted.startswith("/") else tuple(parts)


def key(wanted, found):
    vault, name = key_names(wanted)
    host = found["keyVaultUri"].removeprefix("https://").rstrip("/")
    return host == f"{vault}.vault.azure.net" and found["keyName"] == name


def same_id(wanted, found):
    """ARM gives ids back in whatever case it likes."""
    return wanted.lower() == (found or "").lower()


def bits(wanted, found):
    """The modulus of an RSA key, which az prints in base64."""
    return wanted == len(found.rstrip("=")) * 6 // 8 * 8


def thumbprint(wanted, found):
    """RFC 7638 over what az shows of the public half, which it prints in plain base64."""
    e, n = (found[name].rstrip("=").replace("+", "-").replace("/", "_") for name in ("e", "n"))
    text = json.dumps({"e": e, "kty": "RSA", "n": n}, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).digest()
    return wanted == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


# A path of the spec, with * for a name; what az was asked; a path of its answer; how the two agree.
TABLE = {
    "version": Exempt("the version of the language"),
    "defaults.subscription": Exempt("acts through the entries, which are looked at with it"),
    "defaults.resourceGroup": Exempt("acts through the entries, which are looked at with it"),
    "defaults.location": Exempt("acts through the entries, which are looked at with it"),
    "resourceGroups.*.subscription": ("group", "id", owner),
    "resourceGroups.*.location": ("group", "location", same),
    "resourceGroups.*.create": ("group", "properties.provisioningState", lambda _, found: found == "Succeeded"),
    "vaults.*.subscription": ("vault", "id", owner),
    "vaults.*.resourceGroup": ("vault", "resourceGroup", same),
    "vaults.*.location": ("vault", "location", same),
    "vaults.*.create": ("vault", "properties.provisioningState", lambda _, found: found == "Succeeded"),
    "vaults.*.create.sku": ("vault", "properties.sku.name", same),
    "vaults.*.create.softDeleteRetentionDays": ("vault", "properties.softDeleteRetentionInDays", same),
    "vaults.*.purgeProtection": ("vault", "properties.enablePurgeProtection", same),
    "vaults.*.permissionModel": (
        "vault",
        "properties.enableRbacAuthorization",
        lambda wanted, found: (wanted == "rbac") == bool(found),
    ),
    "vaults.*.keys.*.create": ("key", "attributes.enabled", lambda _, found: found is True),
    "vaults.*.keys.*.import.file": Exempt("where the material was: no vault knows"),
    "vaults.*.keys.*.import.thumbprint": ("key", "key", thumbprint),
    "vaults.*.keys.*.tags.origin": ("key", "tags.origin", same),
    "vaults.*.keys.*.create.type": ("key", "key.kty", same),
    "vaults.*.keys.*.create.size": ("key", "key.n", bits),
    "vaults.*.keys.*.tags.team": ("key", "tags.team", same),
    "vaults.*.keys.*.rotation.every": ("policy", "rotate.timeAfterCreate", same),
    "vaults.*.keys.*.rotation.notifyBefore": ("policy", "notify.timeBeforeExpiry", same),
    "vaults.*.keys.*.rotation.expireAfter": ("policy", "expiresIn", same),
    "vaults.*.keys.*.maxAge": Exempt("a threshold for cmk itself: life_story.py crosses it"),
    "vaults.*.keys.*.retireOldVersions": Exempt("a threshold for cmk itself: life_story.py crosses it"),
    "vaults.*.keys.*.recover": Exempt("for when it is deleted: life_story.py deletes it"),
    "vaults.*.recover": Exempt("for when it is deleted: life_story.py deletes it"),
    "vaults.*.audit.logAnalytics": ("audit", "workspaceId", same_id),
    "vaults.*.audit.eventHub.rule": ("audit", "eventHubAuthorizationRuleId", same_id),
    "vaults.*.audit.eventHub.name": ("audit", "eventHubName", same),
    "accounts.*.subscription": ("account", "id", owner),
    "accounts.*.resourceGroup": ("account", "resourceGroup", same),
    "accounts.*.location": ("account", "location", same),
    "accounts.*.create": ("account", "provisioningState", lambda _, found: found == "Succeeded"),
    "accounts.*.create.sku": ("account", "sku.name", same),
    "accounts.*.create.kind": ("account", "kind", same),
    "accounts.*.identity": ("account", "identity.type", identity),
    "accounts.*.identities": ("users", "", lambda wanted, found: set(wanted) <= set(found)),
    "accounts.*.removeIdentities": ("held", "", lambda wanted, found: not set(wanted) & set(found)),
    "accounts.*.encryption.identity": (
        "account",
        "encryption.encryptionIdentity.encryptionUserAssignedIdentity",
        lambda wanted, found: (found or "").lower().endswith(f"/userassignedidentities/{wanted}".lower()),
    ),
    "identities.*.subscription": ("identity", "id", owner),
    "identities.*.resourceGroup": ("identity", "resourceGroup", same),
    "identities.*.location": ("identity", "location", same),
    "identities.*.create": ("identity", "principalId", lambda _, found: bool(found)),
    "accounts.*.encryption.key": ("account", "encryption.keyVaultProperties", key),
    "accounts.*.encryption.version": ("versions", "", version),
    "accounts.*.encryption.permissions": ("permissions", "", permissions),
}

NAMED = {"resourceGroups", "vaults", "keys", "identities", "accounts"}


def leaves(value, path=(), names=()):
    """All paths of a spec that hold something, with the names that their stars stand for."""
    if isinstance(value, dict) and value:
        is_named = bool(path) and path[-1] in NAMED
        for name, inner in value.items():
            yield from leaves(inner, (*path, "*" if is_named else name), (*names, name) if is_named else names)
    else:
        yield ".".join(path), names, value


def with_defaults(spec):
    """Writes out what `defaults` gives to each entry, so that it is compared there."""
    defaults = spec.get("defaults", {})
    given = {kind: ["subscription", "resourceGroup"] for kind in ("vaults", "identities", "accounts")}
    for section in ("resourceGroups", "vaults", "identities", "accounts"):
        for entry in spec.get(section, {}).values():
            fields = given.get(section, ["subscription"]) + (["location"] if "create" in entry else [])
            for field in fields:
                if field in defaults:
                    entry.setdefault(field, defaults[field])
    return spec


class Seen:
    """What az shows of the things in a spec, each asked for once."""

    def __init__(self, az, spec):
        self.run, self.spec = az, spec
        self.answers = {}

    def az(self, command):
        if command not in self.answers:
            self.answers[command] = self.run(command)
        return self.answers[command]

    def look_inside(self, caller):
        """Lets the user look at keys: cmk makes them through Resource Manager and gives nobody a policy for that."""
        for vault, entry in self.spec.get("vaults", {}).items():
            if entry.get("permissionModel") == "rbac":
                self.run(
                    f"role assignment create --assignee-object-id {caller} --assignee-principal-type ServicePrincipal"
                    f" --role 00482a5a-887f-4fb3-b363-3b7fe8e74483 --scope {self.vault(vault)['id']}"
                )
                self.run.once_granted(f"keyvault key list --vault-name {vault}", "ForbiddenByRbac")
                continue
            self.run(
                f"keyvault set-policy --name {vault} --subscription {entry['subscription']}"
                f" --object-id {caller} --key-permissions get list getrotationpolicy"
            )
            self.run.once_granted(f"keyvault key list --vault-name {vault}", "AccessDenied")

    def group(self, name):
        return self.az(f"group show --name {name} --subscription {self.spec['resourceGroups'][name]['subscription']}")

    def vault(self, name):
        return self.az(f"keyvault show --name {name} --subscription {self.spec['vaults'][name]['subscription']}")

    def key(self, vault, name):
        return self.az(f"keyvault key show --vault-name {vault} --name {name}")

    def policy(self, vault, name):
        found = self.az(f"keyvault key rotation-policy show --vault-name {vault} --name {name}")
        return found | {one["action"].lower(): one for one in found["lifetimeActions"]}

    def audit(self, vault):
        found = self.az(f"monitor diagnostic-settings show --name cmk-audit --resource {self.vault(vault)['id']}")
        sent = [one["category"] for one in found["logs"] if one["enabled"]]
        assert sent == ["AuditEvent"], sent
        return found

    def account(self, name):
        entry = self.spec["accounts"][name]
        return self.az(
            f"storage account show --name {name} --resource-group {entry['resourceGroup']}"
            f" --subscription {entry['subscription']}"
        )

    def identity(self, name):
        entry = self.spec["identities"][name]
        return self.az(
            f"identity show --name {name} --resource-group {entry['resourceGroup']}"
            f" --subscription {entry['subscription']}"
        )

    def users(self, account):
        found = at(self.account(account), "identity.userAssignedIdentities") or {}
        return [one.rpartition("/")[2] for one in found]

    def held(self, account):
        """Every identity of the account, in the words of a spec."""
        own = identity("systemAssigned", at(self.account(account), "identity.type") or "")
        return self.users(account) + (["systemAssigned"] if own else [])

    def versions(self, account):
        vault, name = key_names(self.spec["accounts"][account]["encryption"]["key"])
        found = self.az(f"keyvault key list-versions --vault-name {vault} --name {name}")
        enabled = [one for one in found if one["attributes"]["enabled"]]
        newest = max(enabled, key=lambda one: one["attributes"]["created"])["kid"].rpartition("/")[2]
        return {"bound": at(self.account(account), "encryption.keyVaultProperties.keyVersion"), "newest": newest}

    def permissions(self, account):
        vault, _ = key_names(self.spec["accounts"][account]["encryption"]["key"])
        principal = self.account(account)["identity"]["principalId"]
        policies = self.vault(vault)["properties"]["accessPolicies"]
        return next((one["permissions"]["keys"] for one in policies if one["objectId"] == principal), None)


def compare(seen, path, names, wanted):
    """Asserts that one path of the spec agrees with Azure; gives what the path is compared with."""
    row = TABLE.get(path)
    if row is None:
        raise AssertionError(f"{path} has no row in the table: say where az shows it, or why it shows it nowhere")
    if isinstance(row, Exempt):
        return f"exempt: {row.reason}"
    kind, there, agree = row
    found = at(getattr(seen, kind)(*names), there)
    if not agree(wanted, found):
        raise AssertionError(f"{path} of {'/'.join(names)} is {wanted!r} in the spec, but az shows {there} {found!r}")
    return f"{kind} {there}".strip()


def main(cmk, program):
    story = Story("agreement")
    with Sandbox(cmk, "public") as sandbox:
        ready = sandbox.ready
        az = Az(program, sandbox.environment)
        with story.step("az login"):
            user = ready["clientId"]
            az(f"login --service-principal -u {user} -p {ready['clientSecret']} --tenant {ready['tenantId']}")
            caller = az(f"ad sp show --id {user}")["id"]
        with story.step("a role for whoever imports keys, long before there is a vault"):
            az(
                f"role assignment create --assignee-object-id {caller} --assignee-principal-type ServicePrincipal"
                " --role 14b46e9e-c2b7-41b4-b07b-48a6ebf60603 --scope /subscriptions/11111111-1111-1111-1111-111111111111"
            )
        for name in SPECS:
            path = PROJECT / f"specs/{name}.yaml"
            with story.step(f"cmk apply specs/{name}.yaml"):
                done = sandbox.run_cmk("apply", path, "--yes", *OPTIONS.get(name, []))
                assert done.returncode == 0, done.stdout + done.stderr
                assert sandbox.plan(path) == 0, "there is something left to do"
            spec = with_defaults(yaml.safe_load(path.read_text()))
            found = list(leaves(spec))
            with story.step(f"az shows specs/{name}.yaml: {len(found)} paths agree"):
                seen = Seen(az, spec)
                seen.look_inside(caller)
                for one in found:
                    compare(seen, *one)
        with story.step("a path without a row fails"):
            try:
                compare(None, "vaults.*.colour", ("kv-quickstart",), "blue")
            except AssertionError:
                pass
            else:
                raise AssertionError("it passed")
    return story.end()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
