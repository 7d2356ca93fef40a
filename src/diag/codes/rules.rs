//! Codes from CMK020: rules that are known without a cloud.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        id: "CMK020",
        summary: "not a name that Azure takes",
        story: "\
Azure would refuse this name, and would do so only after other things were changed; so it is checked
before. Vault names are 3 to 24 letters, digits and single hyphens, beginning with a letter; account
names are 3 to 24 lower-case letters and digits; both become host names. Key names are 1 to 127 letters,
digits and hyphens. Subscriptions are GUIDs, and regions are written like `westeurope`.

What to do: correct the name. Names of vaults and accounts cannot be changed later, so take care to
choose one that will last.",
    },
    Code {
        id: "CMK021",
        summary: "a key size that storage cannot use",
        story: "\
Azure Storage wraps its data keys with RSA keys of 2048, 3072 or 4096 bits and with no others. Key Vault
itself would make other sizes, and the account would then refuse to be bound to the key.

What to do: write `size: 3072`, which is the default and the smallest that current recommendations see
beyond 2030, or one of the two others.",
    },
    Code {
        id: "CMK022",
        summary: "a key type that storage cannot use",
        story: "\
Azure Storage wraps its data keys with RSA. Elliptic-curve keys (EC, EC-HSM) can only sign, and
symmetric keys (oct-HSM) exist in managed HSMs only, where storage does not use them either. So the type
is RSA, kept in software, or RSA-HSM, kept in a hardware security module.

What to do: write `type: RSA`, or `type: RSA-HSM` with a premium vault. The words are Key Vault's, in
upper case.",
    },
    Code {
        id: "CMK023",
        summary: "a hardware key in a standard vault",
        story: "\
The key is to be made as RSA-HSM, and the vault is to be made with the SKU standard, which holds keys in
software only. Key Vault would refuse the key after the vault had been made.

What to do: write `sku: premium` under the vault's `create`. If the key need not be in hardware, write
`type: RSA`.",
    },
    Code {
        id: "CMK024",
        summary: "not a reference to a key",
        story: "\
`encryption.key` names a key in one of three ways: by its vault and its name with one slash between them, both
from this file, as in `kv-prod/storage`; by its URI, `https://kv-prod.vault.azure.net/keys/storage`; or by its
id in Resource Manager, `/subscriptions/…/vaults/kv-prod/keys/storage`. The last two may end in a version, the
first may not: `version` says that.

What to do: write it in one of the three ways.",
    },
    Code {
        id: "CMK025",
        summary: "a vault that is not declared",
        story: "\
The account's key refers to a vault that has no entry under `vaults`. cmk needs the entry to know the
vault's subscription and resource group, to check its purge protection, and to add the account's
identity to its access policies. A key's URI names the vault alone, so it does not help here; the id of a key
in Resource Manager tells all of it.

What to do: correct the name, or add the vault. A vault that exists already gets an entry without
`create`; then it is looked at and never made. Or name the key by its id.",
    },
    Code {
        id: "CMK026",
        summary: "a key that is not declared",
        story: "\
The vault has an entry, but the key has none under its `keys`. A slip in a key's name would otherwise
show only in the plan, as a key that is not there, or worse, would be a different key that is.

What to do: correct the name, or add the key under the vault's `keys`. A key that exists already is
written `storage: {}`; one to be made is written `storage: { create: {} }`.",
    },
    Code {
        id: "CMK027",
        summary: "the same thing twice",
        story: "\
Two entries have names that differ only in upper and lower case. Azure takes them for the same vault,
key or group, so the two entries would work against each other.

What to do: keep one of the two and move what belongs together under it.",
    },
    Code {
        id: "CMK028",
        summary: "no subscription",
        story: "\
The entry does not say in which subscription the thing is, and `defaults` does not either. The
subscription that is selected in the Azure CLI is not used: the same file would then do different things
on different machines.

What to do: write `subscription:` with the GUID, in `defaults` for all entries or in the entry itself.
`az account show --query id` prints it.",
    },
    Code {
        id: "CMK029",
        summary: "no resource group",
        story: "\
The entry does not say in which resource group the thing is, and `defaults` does not either. Vaults and
accounts have names that are unique in the whole cloud, but Azure finds them only by subscription, group
and name.

What to do: write `resourceGroup:`, in `defaults` for all entries or in the entry itself. A group that
exists needs no entry of its own.",
    },
    Code {
        id: "CMK030",
        summary: "no region for something that is to be made",
        story: "\
The entry has `create`, so it may have to be made, and nothing says where. A region is never guessed: it
decides where data is kept, and it cannot be changed later.

What to do: write `location:`, in `defaults` for all entries or in the entry itself, for example
`location: westeurope`.",
    },
    Code {
        id: "CMK031",
        summary: "encryption without an identity",
        story: "\
Azure Storage reads the key as the account's managed identity. An account without one cannot be bound to
a key, so an entry with `encryption` must say which identity to use. It is asked for explicitly because
giving an account an identity is a change in its own right.

What to do: add `identity: systemAssigned` to the account. If the account has that identity already,
nothing is changed by saying so.",
    },
    Code {
        id: "CMK032",
        summary: "too few permissions for storage",
        story: "\
To use a key, storage must read it (get), wrap its data key with it (wrapKey) and unwrap it again
(unwrapKey). With fewer permissions the account could not be bound to the key, or could not read its
data after a restart of its cache. `recover` is optional; Microsoft's guide grants it too.

What to do: leave `permissions` out to get the three that are needed, or list at least these:
`permissions: [get, wrapKey, unwrapKey]`.",
    },
    Code {
        id: "CMK033",
        summary: "a vault for storage without purge protection",
        story: "\
An account uses a key of this vault, and the vault would have no purge protection. Without it somebody
could delete the key and purge it, and the data of every account under it would be lost for ever. Azure
Storage therefore refuses such a vault.

Turning it on is a one-way door: it can never be turned off again, and a deleted vault keeps its name
until the retention is over. That is why it must be written down and is not simply done.

What to do: write `purgeProtection: true` in the vault's entry.",
    },
    Code {
        id: "CMK035",
        summary: "a retention that Key Vault does not take",
        story: "\
Key Vault keeps deleted keys for 7 to 90 days, during which they can be recovered. The number is fixed
when the vault is made and can never be changed.

What to do: write a number from 7 to 90, or leave the line out to get 90. Choose long rather than short:
the only harm is that a deleted vault's name stays taken.",
    },
    Code {
        id: "CMK036",
        summary: "a SKU and a kind that do not go together",
        story: "\
Azure makes some kinds of accounts only with some SKUs: FileStorage and BlockBlobStorage live on premium
disks (FileStorage also with the V2 SKUs), BlobStorage only on standard ones. The combination in the
file would be refused when the account is made.

What to do: choose a SKU that goes with the kind. If you have no special need, leave both out: you get a
StorageV2 account with Standard_LRS.",
    },
    Code {
        id: "CMK037",
        summary: "account and vault in different regions",
        story: "\
Microsoft's guide asks that the account and the vault of its key be in the same region, and that is what
cmk checks by default. Azure has since allowed them to be in different regions; but then an outage in
either region makes the data unreadable, so it should be a decision and not an accident.

What to do: put both in one region. If two regions are what you want, say so once for the file: `policy:
{ sameRegion: false }`.",
    },
    Code {
        id: "CMK038",
        summary: "not a version of a key",
        story: "\
`version` says which version of the key the account is bound to. `latest` pins the newest enabled
version at the time of applying; `auto` names none, so that Azure follows the newest by itself within a
day; 32 hexadecimal digits name one version for good.

What to do: write one of the three. A version's digits are the last part of its id in Key Vault.",
    },
    Code {
        id: "CMK040",
        summary: "a spec that names nothing",
        story: "\
The spec is right, and it names no resource group, no vault and no account, so there will never be
anything to do. A section may have been commented out, or a template may have produced nothing.

What to do: name what should be true under `vaults` and `accounts`. If the file is empty on purpose,
there is no need to apply it.",
    },
    Code {
        id: "CMK041",
        summary: "an acknowledgement that a spec cannot give",
        story: "\
Whoever can change a spec could otherwise say yes to anything in the same change: to data becoming
unreadable, to opening what somebody closed, to another vault's owners deciding over the data, to a
protection given up. So a spec can acknowledge one kind of risk only: what cannot be undone (CMK402), and
of that only what concerns a thing which the same plan makes, on which nobody relies yet.

What to do: take the entry out. Say yes on the command line, with `--accept CODE:OBJECT` as the plan prints
it, or let somebody approve the plan (`docs/review.md`).",
    },
    Code {
        id: "CMK042",
        summary: "an acknowledgement for nothing that this spec makes",
        story: "\
An acknowledgement in a spec counts only for things that the plan of this spec makes: a vault that exists
already may be relied on by people who have never seen this file. The object is a kind and a name,
`vault/kv-prod`, and its entry in this file has `create`.

What to do: correct the name, or take the entry out. For a thing that exists, say yes on the command line
with `--accept`, or approve the plan.",
    },
    Code {
        id: "CMK043",
        summary: "an acknowledgement without a sound end",
        story: "\
An acknowledgement in a spec has to end, lest it says yes to something that nobody thought of when it was
written. The end is a day, `until: 2026-12-31`, and the acknowledgement counts through that day in UTC.
Azure's own clock decides, not this machine's.

What to do: write the day as year, month and day.",
    },
    Code {
        id: "CMK045",
        summary: "access is to be revoked, and no key is named",
        story: "\
`access: revoked` takes away what the account's identity may do with the keys of one vault: the vault of
the key that `encryption` names. Without a key it cannot be known which vault is meant, and to take
access away everywhere is more than anybody said.

What to do: name the key that the account is bound to, as `encryption: { key: vault/key }`. If nothing
is to be revoked, remove `access`.",
    },
    Code {
        id: "CMK046",
        summary: "a field that does not go with `source: microsoft`",
        story: "\
`source: microsoft` says that the account is to go back to a key that Microsoft manages. Microsoft chooses
that key and its versions, and no identity needs access to it. A key, a version or permissions beside it
contradict that, and it is not for cmk to guess which of the two is meant.

What to do: keep one of the two: `encryption: { source: microsoft }`, or the key without `source`.",
    },
    Code {
        id: "CMK050",
        summary: "not a pattern of a guard",
        story: "\
A guard names what may be touched by patterns: a name, in which `*` stands for any characters. Tenants and
subscriptions are ids, GUIDs, or `*` alone for any. A pattern that could fit no name in Azure would make a
guard that looks as if it allowed something and does not, or is a slip of the pen.

What to do: correct the pattern. Put patterns with `*` into quotes, as in `\"kv-pay-*\"`: YAML gives a bare `*`
another meaning.",
    },
    Code {
        id: "CMK051",
        summary: "a guard that allows everything",
        story: "\
Every list of places in the guard is `*`, and it sets no limit. It is read, and it will never refuse anything.
A guard that was made to be filled in later often stays so, and everybody believes that there is one.

What to do: name what this pipeline is for, or do without a guard.",
    },
    Code {
        id: "CMK052",
        summary: "not a length of time",
        story: "\
Lengths of time are written as ISO 8601 has them, in whole days: `P90D` is ninety days, `P2W` two weeks,
`P1Y6M` a year and a half. Months and years are as long as they are. Hours are not taken: Key Vault's rotation
knows days only.

What to do: write `P`, then numbers with `Y`, `M`, `W` or `D` behind them, in this order.",
    },
    Code {
        id: "CMK053",
        summary: "neither a day nor a moment",
        story: "\
A key's dates are days, as in `2027-01-31`, or moments with their time zone, as in `2027-01-31T12:00:00Z`. Of a
day, its first moment in UTC is meant.

What to do: write the date in one of the two forms.",
    },
    Code {
        id: "CMK054",
        summary: "a key that ends before it begins",
        story: "\
`expires` is not later than `notBefore`, so there is no moment at which the key could be used. Azure takes such
dates, and refuses every binding afterwards with a message that speaks of missing access.

What to do: correct one of the two.",
    },
    Code {
        id: "CMK055",
        summary: "lengths of time that Key Vault does not take",
        story: "\
Key Vault rotates a key at the earliest 7 days after a version was made, and at least 7 days before it ends; a
version lives at least 28 days; and who is to be told before the end needs an end. A version that is retired
was out of use for a day at least, since Storage looks for newer versions once a day.

What to do: write a longer time, or add `expireAfter`.",
    },
    Code {
        id: "CMK056",
        summary: "tags that Key Vault does not take",
        story: "\
A key bears at most 15 tags, each with a name of 1 to 256 characters and a value of at most 256. Tags that others
have put on the key count as well, and stay.

What to do: keep fewer or shorter ones.",
    },
    Code {
        id: "CMK057",
        summary: "a date for a key that gets new versions",
        story: "\
`expires` and `notBefore` are properties of one version. `rotation` and `maxAge` give the key new versions, and
the same date for each of them makes no sense: the second would end with the first.

What to do: remove the date. With `rotation: { every: …, expireAfter: … }` each version gets an end of its own.",
    },
    Code {
        id: "CMK060",
        summary: "an identity that is not declared",
        story: "\
An account's `identities`, and `identity` under its `encryption`, name user-assigned identities that have an
entry of their own under `identities` at the top. The entry says where the identity is, and whether cmk may
make it. A name alone would not: two resource groups may each have an identity of that name.

What to do: correct the name, or add the entry. Without `create` the identity is only used, and must be there.",
    },
    Code {
        id: "CMK061",
        summary: "more than one identity, and none said to reach the key",
        story: "\
An account may have several user-assigned identities, and Azure Storage reaches the key as one of them. With
one that is named, or with the account's own, it is clear which one is meant; with several it is not.

What to do: add `identity:` to the account's `encryption`, with the name of the one.",
    },
    Code {
        id: "CMK062",
        summary: "the account does not have the identity",
        story: "\
`identity` under `encryption` says as whom the account reaches its key. Azure takes only an identity that the
account has: one of its `identities`, or `systemAssigned` where the account says `identity: systemAssigned`.

What to do: give the account the identity, or name one that it has.",
    },
    Code {
        id: "CMK063",
        summary: "an identity that an account is to have and to lose",
        story: "\
`removeIdentities` takes identities from an account, and `identity` and `identities` give them to it. One spec
cannot ask for both of the same identity. To move an account from one identity to another, name the new one
under `identities` or `identity`, have the account reach its key as it, and name the old one under
`removeIdentities`: it goes last, when no key is reached as it.

What to do: remove the name from one of the two lists.",
    },
];
