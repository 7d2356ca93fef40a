"""A key's life as `cmk` leads it and the Azure CLI sees it: rotated and retired, revoked and restored, closed and opened, deleted
and recovered, and back to a key that Microsoft manages.

    life_story.py CMK AZ
"""

import subprocess
import sys

from stage import PROJECT, Az, Sandbox, Story, at, says

SPEC = (PROJECT / "specs/rotation.yaml").read_text()
VAULT, KEY, ACCOUNT, GROUP = "kv-rotation", "payroll", "strotationpay", "rg-rotation"


class Desk:
    """Where an operator sits: a spec, cmk, az, and a clock that can be moved on."""

    def __init__(self, sandbox, az):
        self.sandbox, self.az = sandbox, az
        self.spec = sandbox.folder / "spec.yaml"
        self.write(SPEC)

    def write(self, text):
        self.spec.write_text(text)

    def cmk(self, verb, *words, accept=(), exit_code=0):
        said = [word for one in accept for word in ("--accept", one)]
        done = self.sandbox.run_cmk(verb, self.spec, *words, *said)
        assert done.returncode == exit_code, f"exit code {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def advance(self, duration):
        clock = [self.sandbox.cmk, "sandbox", "advance", duration, "--tls-dir", self.sandbox.tls]
        subprocess.run(clock, check=True, capture_output=True)

    def versions(self):
        """The key's versions, the oldest first: id and whether it is enabled."""
        found = self.az(f"keyvault key list-versions --vault-name {VAULT} --name {KEY}")
        found.sort(key=lambda one: one["attributes"]["created"])
        return [(one["kid"].rpartition("/")[2], one["attributes"]["enabled"]) for one in found]

    def account(self):
        return self.az(f"storage account show --name {ACCOUNT} --resource-group {GROUP}")

    def pinned(self):
        return at(self.account(), "encryption.keyVaultProperties.keyVersion")

    def permissions(self):
        """What the account's identity may do in the vault, by its access policies."""
        principal = self.account()["identity"]["principalId"]
        policies = self.az(f"keyvault show --name {VAULT}")["properties"]["accessPolicies"]
        return next((sorted(one["permissions"]["keys"]) for one in policies if one["objectId"] == principal), None)

    def is_converged(self):
        assert self.sandbox.plan(self.spec) == 0, "there is something left to do"


def made(desk, caller):
    desk.cmk("apply", "--yes")
    desk.az(
        f"keyvault set-policy --name {VAULT} --object-id {caller} --key-permissions"
        " get list update rotate delete recover getrotationpolicy setrotationpolicy"
    )
    desk.az.once_granted(f"keyvault key list --vault-name {VAULT}", "AccessDenied")
    tags = desk.az(f"keyvault key show --vault-name {VAULT} --name {KEY}")["tags"]
    assert tags == {"team": "payroll"}, tags
    policy = desk.az(f"keyvault key rotation-policy show --vault-name {VAULT} --name archive")
    says(policy, expiresIn="P2Y")
    actions = {one["action"].lower(): one for one in policy["lifetimeActions"]}
    assert actions["rotate"]["timeAfterCreate"] == "P1Y", policy
    assert actions["notify"]["timeBeforeExpiry"] == "P30D", policy


def rotated(desk):
    (first, enabled), = desk.versions()
    assert enabled and desk.pinned() == first
    desk.advance("P91D")
    desk.cmk("apply", "--yes")
    (old, old_enabled), (new, new_enabled) = desk.versions()
    assert old == first and old_enabled and new_enabled, "the old version stays until nobody needs it"
    assert desk.pinned() == new
    desk.is_converged()


def retired(desk):
    (old, _), (new, _) = desk.versions()
    desk.advance("P6D")
    desk.cmk("apply", "--yes")
    assert desk.versions() == [(old, True), (new, True)], "not before a week is over"
    desk.advance("P2D")
    desk.cmk("apply", "--yes")
    assert desk.versions() == [(old, False), (new, True)]
    desk.is_converged()


def revoked(desk):
    assert desk.permissions() == ["get", "unwrapKey", "wrapKey"]
    desk.cmk("revoke", "--account", ACCOUNT, "--yes", accept=[f"CMK406:account/{ACCOUNT}"])
    assert desk.permissions() is None
    says(desk.account(), encryption__keySource="Microsoft.Keyvault")
    desk.advance("PT2H")
    assert not desk.sandbox.can_read(ACCOUNT)


def restored(desk):
    asked = desk.cmk("apply", "--yes", exit_code=3)
    assert f"CMK405:account/{ACCOUNT}" in asked and desk.permissions() is None, asked
    desk.cmk("restore", "--account", ACCOUNT, "--yes", accept=[f"CMK405:account/{ACCOUNT}"])
    assert desk.permissions() == ["get", "unwrapKey", "wrapKey"]
    desk.advance("PT2H")
    assert desk.sandbox.can_read(ACCOUNT)
    desk.is_converged()


def closed(desk):
    says_yes = [f"CMK406:account/{ACCOUNT}", f"CMK406:key/{VAULT}/{KEY}"]
    desk.cmk("disable", "--key", f"{VAULT}/{KEY}", "--yes", accept=says_yes)
    assert [enabled for _, enabled in desk.versions()] == [False, False]
    desk.cmk("restore", "--key", f"{VAULT}/{KEY}", "--yes", accept=[f"CMK405:key/{VAULT}/{KEY}"])
    assert [enabled for _, enabled in desk.versions()] == [False, True], "only what an account is under is opened"
    desk.is_converged()


def key_recovered(desk):
    versions = desk.versions()
    desk.az(f"keyvault key delete --vault-name {VAULT} --name {KEY}")
    desk.advance("PT2H")
    assert not desk.sandbox.can_read(ACCOUNT)
    asked = desk.cmk("apply", "--yes", exit_code=3)
    assert "recover: true" in asked, asked
    desk.write(SPEC.replace("payroll:\n        create:", "payroll:\n        recover: true\n        create:"))
    desk.cmk("apply", "--yes", exit_code=3)
    desk.cmk("apply", "--yes", accept=[f"CMK405:key/{VAULT}/{KEY}"])
    assert desk.versions() == versions, "it comes back as it was"
    desk.advance("PT2H")
    assert desk.sandbox.can_read(ACCOUNT)
    desk.is_converged()


def vault_recovered(desk):
    held = desk.permissions()
    desk.az(f"keyvault delete --name {VAULT}")
    desk.write(SPEC.replace("purgeProtection: true", "recover: true\n    purgeProtection: true"))
    asked = desk.cmk("apply", "--yes", exit_code=3)
    assert f"--accept CMK405:vault/{VAULT}" in asked, asked
    desk.cmk("apply", "--yes", accept=[f"CMK405:vault/{VAULT}"])
    says(desk.az(f"keyvault show --name {VAULT}"), properties__provisioningState="Succeeded")
    assert desk.permissions() == held, "access policies come back with it"
    desk.advance("PT2H")
    assert desk.sandbox.can_read(ACCOUNT)
    desk.is_converged()


def identity_changed(desk):
    own = "identity: systemAssigned\n    encryption: { key: kv-rotation/payroll }"
    other = "identities: [id-payroll]\n    removeIdentities: [systemAssigned]\n    encryption: { key: kv-rotation/payroll }"
    moved = SPEC.replace(own, other).replace("accounts:\n", "identities: { id-payroll: { create: {} } }\naccounts:\n")
    assert moved.count("id-payroll") == 2, moved
    desk.write(moved)
    says(desk.account(), identity__type="SystemAssigned")
    asked = desk.cmk("apply", "--yes", exit_code=3)
    assert f"--accept CMK402:account/{ACCOUNT}" in asked, asked
    says(desk.account(), identity__type="SystemAssigned")
    desk.cmk("apply", "--yes", accept=[f"CMK402:account/{ACCOUNT}"])
    account = desk.account()
    says(account, identity__type="UserAssigned", identity__principalId=None)
    reads_as = at(account, "encryption.encryptionIdentity.encryptionUserAssignedIdentity")
    assert reads_as.endswith("/id-payroll") and desk.sandbox.can_read(ACCOUNT), account
    desk.is_converged()


def back(desk):
    there = SPEC.replace(f"encryption: {{ key: {VAULT}/{KEY} }}", "encryption: { source: microsoft }")
    assert there != SPEC
    desk.write(there)
    desk.cmk("apply", "--yes", exit_code=3)
    says(desk.account(), encryption__keySource="Microsoft.Keyvault")
    desk.cmk("apply", "--yes", accept=[f"CMK403:account/{ACCOUNT}"])
    says(desk.account(), encryption__keySource="Microsoft.Storage", encryption__keyVaultProperties=None)
    desk.is_converged()


def main(cmk, program):
    story = Story("a key's life")
    with Sandbox(cmk, "public") as sandbox:
        az = Az(program, sandbox.environment)
        desk = Desk(sandbox, az)
        with story.step("az login"):
            ready = sandbox.ready
            user = ready["clientId"]
            az(f"login --service-principal -u {user} -p {ready['clientSecret']} --tenant {ready['tenantId']}")
            caller = az(f"ad sp show --id {user}")["id"]
        with story.step("made: az shows the tags and the rotation policy"):
            made(desk, caller)
        for title, act in [
            ("rotated: az shows two versions, and the account pinned to the newer one", rotated),
            ("retired: az shows the old version disabled after a week, and not before", retired),
            ("revoked: az shows no policy for the account, which stays bound", revoked),
            ("restored: az shows the policy again, and not before it was asked for", restored),
            ("closed and opened: az shows every version disabled, then the one in use enabled", closed),
            ("a deleted key recovered: az shows it as it was, and not before somebody said yes", key_recovered),
            ("a deleted vault recovered: az shows it with its policies", vault_recovered),
            ("another identity: az shows the account with that one, under the same key, and without its own", identity_changed),
            ("back: az shows a key that Microsoft manages", back),
        ]:
            with story.step(title):
                act(desk)
    return story.end()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
