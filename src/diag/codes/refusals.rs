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

What to do: if you want the old vault back, recover it with `az keyvault recover --name NAME` and apply
again. If not, choose another name, or wait until the date shown.",
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

What to do: bring the old key back first: recover it, enable it, or give the account's identity get,
wrapKey and unwrapKey on it again. Apply afterwards; keep the old key until the change is confirmed.",
    },
    Code {
        id: "CMK212",
        summary: "a deleted key holds the name",
        story: "\
A key of this name was deleted from the vault and can still be recovered. Key Vault makes no new key
under the name until then, and with purge protection nobody can free it earlier. cmk does not recover it
by itself: someone deleted it, and data under it may have been given up on purpose.

What to do: if you want the old key back, recover it with `az keyvault key recover` and apply again.
Otherwise choose another name for the key.",
    },
    Code {
        id: "CMK213",
        summary: "the account reaches its key through a user-assigned identity",
        story: "\
The account uses a customer-managed key through a user-assigned identity. The spec asks for the
system-assigned one. Moving from one to the other is possible in Azure, but in the wrong order it locks
the account out of its data; this version does not do it.

What to do: leave the account out of the spec for now. Or move it by hand: enable the system-assigned
identity, give it access to the key, then change the identity of the encryption settings, and apply
again.",
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
