//! Codes from CMK201: what a plan refuses to do.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        id: "CMK201",
        summary: "does not exist, and the spec does not say to create it",
        story: "\
The spec speaks of a thing that Azure says is not there, and its entry has no `create`. Without `create`
an entry means \"this exists already\". Often the name, the subscription or the resource group is wrong;
making a new, empty thing under the wrong name would only hide that.

What to do: check name, subscription and resource group. If it should be made, add `create: {}` to its
entry; a vault or an account then needs a region as well.",
    },
    Code {
        id: "CMK202",
        summary: "the name is taken by somebody else",
        story: "\
Names of vaults and accounts are unique in the whole cloud, over all customers, because they become host
names. Azure says that this one is in use, and it is not where the spec says: it may be in another
resource group or subscription of yours, or belong to somebody else.

What to do: if it is yours, correct `subscription` and `resourceGroup` so that they say where it is.
Otherwise choose another name.",
    },
    Code {
        id: "CMK203",
        summary: "the name is held by a deleted vault",
        story: "\
A vault of this name was deleted and can still be recovered. Until its retention is over, the name is
taken, and with purge protection nobody can free it earlier. cmk does not recover it by itself: someone
deleted it, perhaps on purpose, and recovery brings its keys and old access policies back.

What to do: if you want the old vault back, write `recover: true` in its entry, plan again, and apply with
`--accept CMK405:vault/NAME`. If not, choose another name, or wait until the date shown.",
    },
    Code {
        id: "CMK204",
        summary: "account and vault are in different regions",
        story: "\
Azure says that the account is in one region and the vault of its key in another. Microsoft's guide asks
for the same region, and cmk checks that by default. Azure has since allowed different regions; but then
an outage in either region makes the data unreadable.

What to do: use a vault in the account's region, since neither can be moved. If two regions are what you
want, write `policy: { sameRegion: false }`.",
    },
    Code {
        id: "CMK205",
        summary: "purge protection is off, and the spec does not turn it on",
        story: "\
The vault exists and has no purge protection. Storage refuses to use a key in such a vault, because the
key could be purged and all data under it lost. Turning purge protection on can never be undone, so it
is done only when the spec says so.

What to do: write `purgeProtection: true` in the vault's entry. If the vault must stay without it, for
example in a test environment, put the key into another vault.",
    },
    Code {
        id: "CMK206",
        summary: "the vault decides about access in another way than the spec says",
        story: "\
A vault decides about access to its keys by its own access policies, or by Azure role assignments. The
spec names one, and the vault does the other. To switch a live vault takes access away from everybody
who has it in the former way, at once, so cmk never does it.

What to do: write the way in which the vault works, or leave `permissionModel` out: cmk then goes by
what it sees. To switch, first give everybody their access in the new way, and switch by hand.",
    },
    Code {
        id: "CMK207",
        summary: "the key cannot be used by storage",
        story: "\
The key is there, but storage cannot wrap with it: it is disabled, it has expired, it is not valid yet,
or it is not an RSA key of 2048, 3072 or 4096 bits. Azure would refuse the binding with a message that
speaks of missing access, which sends people looking in the wrong place. cmk does not enable a disabled
key or move its dates: somebody set them.

What to do: if the key should be used, enable it or correct its dates in Key Vault and apply again.
Otherwise name another key, or make a new version.",
    },
    Code {
        id: "CMK208",
        summary: "the vault trusts another tenant",
        story: "\
Access to the vault is decided in another Microsoft Entra tenant than the one that the account's
identity comes from. An access policy for that identity would have no effect. Keys over tenant borders
need a multi-tenant application and a user-assigned identity, which this version does not manage.

What to do: use a vault of the account's own tenant. If a subscription was moved between tenants, give
the vault its new tenant first; that is a change for everybody who uses it.",
    },
    Code {
        id: "CMK210",
        summary: "the resource is in a failed state or is being deleted",
        story: "\
Azure says that the last change of this resource failed, was cancelled, or that it is being deleted.
Changes to a resource in such a state fail or have surprising effects, and building other things on it
would make the damage larger.

What to do: look at the resource in the portal or with `az resource show`. When it is being deleted,
wait until it is gone; when it has failed, repeat or repair the last change. Then apply again.",
    },
    Code {
        id: "CMK211",
        summary: "the present key of the account cannot be used",
        story: "\
The account is bound to another key now, and that key cannot be used: it is deleted, disabled, out of
date, or access to it is missing. To move to a new key Azure must first unwrap the account's data key
with the old one. As long as that fails, the change fails too, and the data cannot be read anyway.

What to do: bring the old key back first. A deleted vault comes back with its keys by `az keyvault recover
--name VAULT`, a deleted key by `az keyvault key recover --vault-name VAULT --name KEY`, and a disabled
version is enabled by `az keyvault key set-attributes --vault-name VAULT --name KEY --version VERSION
--enabled true`. If access is missing, give the account's identity get, wrapKey and unwrapKey again. Apply
afterwards; keep the old key until the change is confirmed.",
    },
    Code {
        id: "CMK212",
        summary: "a deleted key holds the name",
        story: "\
A key of this name was deleted from the vault and can still be recovered. Key Vault makes no new key
under the name until then, and with purge protection nobody can free it earlier. cmk does not recover it
by itself: someone deleted it, and data under it may have been given up on purpose. It sees deleted keys only
where it has the permission `get` in the vault itself. Where it has not, a note says so, and Azure refuses.

What to do: if you want the old key back, write `recover: true` in its entry, plan again, and apply with
`--accept CMK405:key/VAULT/NAME`; cmk then needs the vault's permission `recover`. Otherwise choose another name for the key, or wait until the date shown.",
    },
    Code {
        id: "CMK213",
        summary: "the account reaches its key as an identity that the spec does not name",
        story: "\
The spec wants the account to reach another key, or another version, as another identity. Azure does not
change both at once, so cmk first moves the account to the key as the identity that it reads as now, and then
has it reach that key as the new one. For the first step the present identity has to be let at the new key,
and this identity is not of the spec: nobody has looked at what it may do.

What to do: add the identity under `identities`, without `create`. It is not taken from the account.",
    },
    Code {
        id: "CMK214",
        summary: "what a step needs does not hold",
        story: "\
A step needs something that does not hold in Azure now, that is not under way, and that nothing in this
spec brings about. The detail names it. Taking the step anyway would fail at best, and at worst leave an
account half changed, so nothing at all is sent.

What to do: bring it about by hand, or add it to the spec, and plan again. If the spec already says it,
please report this: a plan should have its own words for every such case.",
    },
    Code {
        id: "CMK215",
        summary: "a lock forbids the change",
        story: "\
There is a ReadOnly lock on the thing, on its resource group or on its subscription. Azure Resource Manager
refuses every change below it, whoever asks, with ScopeLocked. Some steps would have been taken before the
locked one was reached, so nothing is sent at all. A CanNotDelete lock is no obstacle: cmk deletes nothing.
Locks are looked at only when a plan has steps. Where they may not be seen, a note says so.

What to do: ask whoever set the lock. If the change is meant to be, remove the lock as the help shows, apply,
and set it again. `az lock list` shows all of them.",
    },
    Code {
        id: "CMK216",
        summary: "the subscription has not registered a resource provider",
        story: "\
Azure makes vaults and storage accounts only in subscriptions that have registered Microsoft.KeyVault or
Microsoft.Storage. A new subscription often has not. Azure's own words mislead: asked for the name of an account, Storage
says that the subscription was not found. cmk does not register a provider by itself, because that is a
decision about the whole subscription and takes a permission there.

What to do: run `az provider register --namespace NAME --subscription ID --wait` once, as somebody who may
change the subscription. Then plan again.",
    },
    Code {
        id: "CMK217",
        summary: "the key expires within 30 days",
        story: "\
An account is to be bound to a version of the key that expires in less than 30 days, by Azure's own clock.
Storage goes on reading with an expired key, but binds and wraps with none, and its message then speaks of
missing access. So the first thing after this change would be another change in a hurry. An account that
is bound to this version already is left alone. That the key may rotate by itself is no exception: whether
it does so in time cannot be seen from here.

What to do: make a new version with `az keyvault key rotate`, or move the date if it was set by mistake.
Then plan again.",
    },
    Code {
        id: "CMK218",
        summary: "the vault's tier has no hardware keys",
        story: "\
A key of type RSA-HSM is to be made in a vault that is there already, and the vault is of the standard
tier. Only premium vaults keep keys in hardware. The tier of an existing vault is not changed by cmk: it
costs money for everybody who uses the vault.

What to do: write `type: RSA` for the key. If it has to be kept in hardware, use a premium vault, or ask the
vault's owner to raise it to premium. Then plan again.",
    },
    Code {
        id: "CMK230",
        summary: "outside the guard: the tenant",
        story: "\
A step touches a thing of a tenant that the guard does not allow, or of which the tenant could not be seen:
the tenant of a subscription, that a vault trusts, or of an account's identity. Keys in another tenant are
in other people's hands. What could not be seen is not taken for allowed.

What to do: leave it out of this run. If this pipeline should be allowed to do it, the owner of the guard file
adds it there (`docs/guard.md`).",
    },
    Code {
        id: "CMK231",
        summary: "outside the guard: the subscription",
        story: "\
A step touches a thing in a subscription that the guard does not allow. The guard looks at what the steps of
the plan touch, whatever the spec calls it. Nothing was sent.

What to do: leave it out of this run. If this pipeline should be allowed to do it, the owner of the guard file
adds it there (`docs/guard.md`).",
    },
    Code {
        id: "CMK232",
        summary: "outside the guard: the resource group",
        story: "\
A step touches a thing in a resource group that the guard does not allow. The group of the vault counts as
well as the group of the account. Nothing was sent.

What to do: leave it out of this run. If this pipeline should be allowed to do it, the owner of the guard file
adds it there (`docs/guard.md`).",
    },
    Code {
        id: "CMK233",
        summary: "outside the guard: the vault",
        story: "\
A step writes to a vault that the guard does not allow, or makes data depend on a key in it. Whoever holds
the vault decides over the data, so this is the rule that keeps keys in the hands they belong in.

What to do: leave it out of this run. If this pipeline should be allowed to do it, the owner of the guard file
adds it there (`docs/guard.md`).",
    },
    Code {
        id: "CMK234",
        summary: "outside the guard: the account",
        story: "\
A step touches a storage account that the guard does not allow: it makes it, changes its identity or its
key, or changes what its identity may do with keys. Nothing was sent.

What to do: leave it out of this run. If this pipeline should be allowed to do it, the owner of the guard file
adds it there (`docs/guard.md`).",
    },
    Code {
        id: "CMK235",
        summary: "outside the guard: the key",
        story: "\
A step makes a key of a type or a size that the guard does not allow, or makes data depend on one. For a key
that exists, what Azure shows of it counts. What could not be seen is not taken for allowed.

What to do: leave it out of this run. If this pipeline should be allowed to do it, the owner of the guard file
adds it there (`docs/guard.md`).",
    },
    Code {
        id: "CMK236",
        summary: "outside the guard: the permissions",
        story: "\
A step grants an account's identity a permission on keys that the guard does not allow. Storage needs get,
wrapKey and unwrapKey; a guard that allows fewer lets no account be bound.

What to do: leave it out of this run. If this pipeline should be allowed to do it, the owner of the guard file
adds it there (`docs/guard.md`).",
    },
    Code {
        id: "CMK237",
        summary: "outside the guard: too many accounts in one run",
        story: "\
The plan touches more storage accounts than the guard allows in one run. A change that reaches many accounts
at once is more often a mistake in a template than meant. Nothing was sent.

What to do: split the spec, and apply the parts one after the other. If one run should reach so many, the
owner of the guard file raises `perRun.accounts` (`docs/guard.md`).",
    },
    Code {
        id: "CMK238",
        summary: "outside the guard: too grave a risk",
        story: "\
A step bears a risk that is graver than the guard allows in this pipeline. An acknowledgement or an approved
plan does not lift it: those say that a risk is meant, the guard says what may be meant here at all.

What to do: leave the step out, or take it where the guard allows it, for example from an administrator's
own machine.",
    },
    Code {
        id: "CMK241",
        summary: "there is no access to revoke",
        story: "\
The spec says `access: revoked`, and the account is not bound to the key that it names: it does not exist
yet, Microsoft manages its key, or it is bound to another key. Taking an entry out of that key's vault
would leave its data as readable as before, and look as if it had been closed.

What to do: name the key that the account is bound to now. To bind it to a key first, remove
`access: revoked`, apply, and revoke afterwards.",
    },
    Code {
        id: "CMK242",
        summary: "access that comes from above would keep the data readable",
        story: "\
The spec says `access: revoked`. The account's identity holds a role at the resource group, the
subscription or above, and such a role reaches the vault as well. To take away only what is at the vault
would leave the data as readable as before; to take away the role above would touch more than this
vault, which is not what the spec says.

What to do: look whether the role above is meant. If not, delete it by hand with the command shown, and
apply again. If it is, the data cannot be put out of reach in this way: disable the key instead.",
    },
    Code {
        id: "CMK243",
        summary: "access policies cannot be limited to one key",
        story: "\
The spec says `scope: key`: the account's identity is to be let at one key and at no other of the vault.
The vault has access policies, and those reach every key. To grant more than the spec says is not for
cmk to do.

What to do: remove `scope: key` if every key may be reached. Otherwise use a vault of its own for the
key, or one with `permissionModel: rbac`.",
    },
    Code {
        id: "CMK244",
        summary: "the vault's access policies are full",
        story: "\
Azure allows 1,024 entries in a vault's access policies, one for each identity. What is to be granted would be more than
that, and Azure would refuse all of it, in the middle of the run.

What to do: let accounts share a user-assigned identity, which takes one entry for all of them; spread the accounts over
several vaults; or have the vault's owner move it to role assignments (`permissionModel: rbac`), after which cmk assigns
roles at the keys.",
    },
    Code {
        id: "CMK250",
        summary: "not a plan that can be used here",
        story: "\
The file is no plan that `cmk plan --save` wrote, or it was made for another cloud. An approval speaks of one
plan, so a file that only looks like one is not taken. No request was sent.

What to do: name the file that `cmk plan --save` wrote. A spec may have any name that does not end in `.cmk`.",
    },
    Code {
        id: "CMK251",
        summary: "a saved plan of another version",
        story: "\
The plan was saved in another version of the form than this cmk reads. An approval must not be half
understood: a field that one side does not know may be the one that matters. No request was sent.

What to do: plan, approve and apply with the same version of cmk.",
    },
    Code {
        id: "CMK252",
        summary: "a saved plan that was damaged",
        story: "\
The file was cut off or changed after it was written: what is in it is not what its own digests speak of. That
is found without `--approved` too. It finds damage, not forgery: whoever can write the file can write
matching digests.

What to do: save the plan again and copy it whole. Pass the approved digest with `--approved`, from a place
that those who can change the file cannot change (`docs/review.md`).",
    },
    Code {
        id: "CMK260",
        summary: "access of an identity that serves other accounts",
        story: "\
`access: revoked` on an account takes away what its identity may do with the vault's keys. This account
reaches its key as a user-assigned identity, and other accounts reach theirs as the same one: their data
would be out of reach as well, which nobody asked for.

What to do: give the account an identity of its own and apply that first; then its access can be taken
away by itself. Or, if all of them are meant, write `access: revoked` on each of them.",
    },
    Code {
        id: "CMK261",
        summary: "the key has no such version",
        story: "\
`versions` of a key names versions that should be usable, or should not. The key that Azure shows has no version of
these digits. cmk makes no version under a name: Key Vault chooses it.

What to do: correct the digits. `cmk status` and `az keyvault key list-versions` show those that there are.",
    },
    Code {
        id: "CMK262",
        summary: "the account is to be bound to a key that the spec disables",
        story: "\
The spec says `enabled: false` of the key, and at the same time that an account which is not under it should be
bound to it. Azure would refuse the binding; and if it came first, the account's data would be out of reach as
soon as the key is disabled.

What to do: remove `enabled: false`, or name another key for the account.",
    },
    Code {
        id: "CMK263",
        summary: "an identity that is to be taken away is in use",
        story: "\
`removeIdentities` takes identities from an account. Azure would take one away while the account still reaches
its key as it, and the account's data would be out of reach at once. So cmk takes away only what no key is
reached as: neither the account's own key nor the key of one of its encryption scopes. Of a scope, Azure does
not say as which of the account's identities its key is reached; so while a scope is under a key of your own,
the account keeps all that it has.

What to do: have the account reach its key as another identity, which the same spec may say, or give it back to
Microsoft's key with `source: microsoft`. Of a scope, change its key source to Microsoft's first:
`az storage account encryption-scope update --key-source Microsoft.Storage`. Or keep the identity.",
    },
    Code {
        id: "CMK270",
        summary: "another key than the one that the spec brings",
        story: "\
A key of this name is in the vault, and its public half has another thumbprint than the key that the spec brings.
Somebody made or rotated it there, or the thumbprint in the spec is of another file. Data may be under the live key.
An import would add a version to it, and everybody who follows the key would move to that; so cmk never does.

What to do: if the live key is right, take `import` out of its entry or correct the thumbprint. If yours is right,
import it under another name, and move the accounts to that.",
    },
    Code {
        id: "CMK271",
        summary: "the material of a key is not at hand",
        story: "\
The plan imports a key, and its material could not be read, is of another key, or is of another size than the spec
says. It is looked for right before the first step: files in the folder that `--key-dir` names, where no link is
followed, and environment variables. Whatever is wrong, nothing is sent, so that no half of a plan is carried out.

What to do: put the file or the variable in its place, and apply again. `cmk thumbprint FILE` prints the thumbprint of
a file, to be compared with the one in the spec. For an encrypted file the spec names the variable of its passphrase.",
    },
    Code {
        id: "CMK272",
        summary: "a key of your own for a vault that nobody can be let into in time",
        story: "\
Keys are imported through the vault itself, which asks for the key permissions `get` and `import`. A vault that is made
with access policies has none at first, and cmk gives nobody more than Storage needs. The import would be refused after
everything else had been made.

What to do: write `permissionModel: rbac`, where a role at the resource group or the subscription reaches the new vault.
Or make the vault without the key first, let whoever runs cmk in, and then add the key to the spec.",
    },
    Code {
        id: "CMK275",
        summary: "what was deleted cannot be recovered as the spec asks",
        story: "\
The spec says `recover: true`, and a deleted vault or key holds the name. But Azure brings a deleted vault back only
in the subscription, the resource group and the region that it was in, and nothing whose time is over: then it is
purged at any moment. A key that belongs to a certificate comes back with the certificate alone. And what an account
with `access: revoked` is bound to does not come back: it could read again.

What to do: write in the spec where the vault was, as the refusal says it. If the name is to become free, wait until
the thing is purged and plan again, or choose another name.",
    },
    Code {
        id: "CMK276",
        summary: "the vault has as many diagnostic settings as Azure allows",
        story: "\
A resource has at most five diagnostic settings, and this vault has five, none of them cmk's own. None of them sends the
audit log to all the places that the spec names. cmk does not change the settings of others: what they send, and
where, is somebody's affair.

What to do: have the owner of one of them add the category AuditEvent and the place, or take one away that nobody
needs. Where a setting of others sends the audit log to a place of the spec, cmk is content with it.",
    },
    Code {
        id: "CMK277",
        summary: "two diagnostic settings would send the audit log to one place",
        story: "\
Azure lets one setting of a resource send a category to a place, and refuses a second one with a 409. cmk's own setting
sends other logs to a place to which somebody else's setting sends the audit log already. With the audit log in it,
cmk's own would be that second one. Somebody must have changed it by hand.

What to do: take that place out of the setting `cmk-audit`, or the category AuditEvent out of the other one.",
    },
    Code {
        id: "CMK290",
        summary: "the plan was judged unsafe",
        story: "\
Every plan is held against what was seen by a second piece of code, which shares nothing with the planner.
It found that some allowed order of the steps would do harm: make an account unreadable, make something
that exists, open a one-way door unseen, or give back access that somebody took away.

What to do: nothing was sent. This is a mistake in cmk, not in your spec: please report it, with the output
of `cmk plan --format json`. Planning again may help when something changed in Azure meanwhile.",
    },
];
