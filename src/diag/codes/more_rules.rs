//! Codes from CMK070: how an account names its key, key material from outside, what comes back, and where audit logs go.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        id: "CMK070",
        summary: "a key's URI at a host that is no vault's",
        story: "\
A key's URI begins with the host of its vault, and in Azure's public cloud that is the vault's name with
`.vault.azure.net` behind it. Another host may be of another cloud, of a managed HSM, or somebody's who would
like to be asked for a key. In the sandbox, too, keys are named as in the public cloud.

What to do: copy the URI as Azure shows it, without a port, or write `vault/key`.",
    },
    Code {
        id: "CMK071",
        summary: "a key's version that is none, or is said in two ways",
        story: "\
A key's URI, and its id in Resource Manager, may end in a version: 32 hexadecimal digits. The account is then
bound to that version for good, as if `version` said it. Where `version` stands beside it and says something
else, such as `latest`, it is not for cmk to guess which of the two is meant.

What to do: keep one of the two. Without either, the newest version is pinned.",
    },
    Code {
        id: "CMK072",
        summary: "a vault that is named in two places",
        story: "\
A vault's name is unique in the whole cloud. A key's id in Resource Manager says in which subscription and
resource group its vault is, and another part of this file says that a vault of this name is elsewhere: its
entry under `vaults`, with what `defaults` fill in, or the id at another account. One of the two is wrong.

What to do: correct it. `az keyvault show --name NAME --query id` prints where the vault is.",
    },
    Code {
        id: "CMK073",
        summary: "a key of your own from nowhere, or from two places",
        story: "\
`import` says where the material of a key is when the spec is applied: in a `file`, in the folder that
`--key-dir` names, or in an environment variable, `env`. It has to be one of the two. The material itself never
stands in a spec.

What to do: write one of them and remove the other.",
    },
    Code {
        id: "CMK074",
        summary: "a file outside of the folder of keys",
        story: "\
Files with key material are looked for in the one folder that the operator names with `--key-dir`. A spec may come
from somebody else, and a path that begins with a slash, or leads upwards with `..`, would let it have any file of
this machine read. Links are not followed either, neither of the file nor of a folder on the way to it.

What to do: put the file into the folder, and write its name.",
    },
    Code {
        id: "CMK075",
        summary: "not the name of an environment variable",
        story: "\
`env` names an environment variable: letters, digits and underscores, and no digit in front. The message does not
repeat what stands there, because it may be the key or the passphrase itself. A secret in a spec is known to
everybody who can read the spec and its history.

What to do: put the secret into a variable, and write the variable's name. If a secret stood in the spec, take
another one.",
    },
    Code {
        id: "CMK076",
        summary: "not a thumbprint of a key",
        story: "\
The thumbprint says which key is meant: SHA-256 over its public half as RFC 7638 has it, in base64url, 43
characters. Plans and approvals are bound to it, so that another key of the same name is refused. It gives
nothing away of the private half.

What to do: run `cmk thumbprint FILE` and write down what it prints.",
    },
    Code {
        id: "CMK077",
        summary: "a rotation of a key of your own",
        story: "\
`rotation` and `maxAge` make new versions whose material Key Vault makes by itself. The newest version would then
be another key than the one that the spec brings, and accounts would move to it. Where the material is to come
from you, only you can bring the next.

What to do: remove the field. For a new key, add it under another name, and move the accounts to it.",
    },
    Code {
        id: "CMK078",
        summary: "a key of your own that is not to be made",
        story: "\
`import` says of what a key is made, and `create` that it is made at all, with its type and its size. A key without
`create` must be there already, and is never made. The size has to be that of your key; the type says whether it
is kept in software or in hardware.

What to do: add `create`, as in `create: { type: RSA, size: 3072 }`, or remove `import`.",
    },
    Code {
        id: "CMK080",
        summary: "a thing that is only used is not recovered",
        story: "\
`recover: true` says that a deleted vault or key of this name is brought back. Without `create` the entry says that
the thing is there already and that somebody else looks after it: whether it comes back is theirs to say. Bringing
back what others deleted on purpose could open what they closed.

What to do: add `create: {}` if this spec is to look after it, or remove `recover`.",
    },
    Code {
        id: "CMK081",
        summary: "not the ARM id of a place for audit logs",
        story: "\
`audit` names places by their whole ARM ids, because they often belong to another team, in another group or
subscription. The id has to be one of the right kind: a Log Analytics workspace, a storage account, or an
authorization rule of an event hubs namespace. Azure would take a wrong one for a place that is not there.

What to do: copy the id from the portal, where it is called resource ID, or from `az resource show --query id`.",
    },
    Code {
        id: "CMK082",
        summary: "an audit log that goes nowhere",
        story: "\
`audit` says where a vault's audit log goes, and here it names no place. That says nothing: cmk leaves the settings
that are there as they are. It could be a slip, with the places at the wrong depth of the file.

What to do: name one of `logAnalytics`, `storageAccount` and `eventHub` under `audit`, or remove `audit`.",
    },
];
