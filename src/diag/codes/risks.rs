//! Codes from CMK401: the kinds of risk that a plan names, and that an operator says yes to by code and object.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        id: "CMK401",
        summary: "access change: who may use a key, or whose key data depends on",
        story: "\
The step gives an identity access to keys, or makes data depend on a key on which it did not depend
before. From then on, whoever may use, disable or delete that key decides whether the data can be read.
It can be undone. It needs no acknowledgement beyond agreeing to the plan.

What to do: look at who gains what on which key, and whether that is meant.",
    },
    Code {
        id: "CMK402",
        summary: "irreversible: the step cannot be undone",
        story: "\
Purge protection cannot be turned off again, by nobody, not even by Microsoft. A protected vault that is
deleted keeps its name and its keys until its retention is over. For a vault that this very plan
makes, `purgeProtection: true` in the spec has said so already; for one that exists, other people may
rely on its being as it is.

What to do: when it is meant, add `--accept CMK402:vault/NAME`, or approve the plan.",
    },
    Code {
        id: "CMK403",
        summary: "protection lowered: something that guards data or keys is given up",
        story: "\
The step gives up a protection, or makes a thing without it: an account goes back to a key that Microsoft
manages, a vault is made without purge protection, so that whoever may purge it can destroy its keys at
once. Nothing becomes unreadable by it, but less stands between the data and a mistake.

What to do: when it is meant, add `--accept CMK403:OBJECT` as the plan prints it, or approve the plan.",
    },
    Code {
        id: "CMK404",
        summary: "custody change: somebody else holds the key that data depends on",
        story: "\
The account is bound to a key in one vault now, and the step binds it to a key in another vault: its
owners, its access policies, its tenant and subscription decide over the data from then on. A change of a
spec that does this may be a migration, or somebody taking the data over.

Or the step imports a key whose material comes from outside. Whoever has a copy of the material can unwrap
what is under the key, whatever is done in the vault afterwards.

What to do: check who holds the new vault, or who has the material. When it is meant, add `--accept
CMK404:account/NAME`, or `CMK404:key/VAULT/KEY`, or approve the plan. Keep the former key until the move
is confirmed: Azure needs it once more.",
    },
    Code {
        id: "CMK405",
        summary: "re-opening: what somebody closed would come back",
        story: "\
An account is bound to a key, and its access to that key is gone: the access policy was taken away, or the
identity was removed, perhaps made anew with another principal id. That is how one locks data on
purpose, for example after an incident. Giving the access back makes the data readable again, so it is
never done in passing.

What to do: find out who closed it and why. When it should be open again, add
`--accept CMK405:account/NAME`, or approve the plan.",
    },
    Code {
        id: "CMK406",
        summary: "could become unreadable: data that can be read now could not be afterwards",
        story: "\
After the step, the account can no longer unwrap its key, so reading and writing its data answers 403.
Nothing is lost as long as key and vault are kept: giving the access back makes the data readable
again. How soon a revocation takes effect is Azure's to say; expect minutes, up to an hour.

What to do: check that nobody needs the data now. When it is meant, add `--accept CMK406:OBJECT` as the
plan prints it, or approve the plan.",
    },
];
