//! Stories of identities: shared, changed for another, taken away.

use super::stories::End::{Asks, Converges, Refuses};
use super::stories::{Story, story};
use cmk::plan::RiskClass;

/// Two accounts that share an identity, all to be made, and the accounts with their key.
const SHARED: &str = "
resourceGroups: { rg: { create: {} } }
vaults: { kv1: { create: {}, purgeProtection: true, permissionModel: rbac, keys: { main: { create: {} } } } }
identities: { id1: { create: {} } }
accounts:
  st1: { create: {}, identities: [id1], encryption: { key: kv1/main, version: auto } }
  st2: { create: {}, identities: [id1], encryption: { key: kv1/main, version: auto } }
";

/// An account that reaches its key as an identity, where everything is there.
const AS_USER: &str = "
vaults: { kv1: { keys: { main: {} } } }
identities: { id1: {} }
accounts: { st1: { identities: [id1], encryption: { key: kv1/main } } }
";

/// The same with an identity of its own, which is the one for something else.
const BOTH: &str = "
vaults: { kv1: { keys: { main: {} } } }
identities: { id1: {} }
accounts: { st1: { identity: systemAssigned, identities: [id1], encryption: { key: kv1/main, identity: id1 } } }
";

/// Another key and another identity at once.
const KEY_AND_USER: &str = "
vaults: { kv1: { keys: { main: {} } }, kv2: { keys: { next: {} } } }
identities: { id1: {} }
accounts: { st1: { identities: [id1], encryption: { key: kv2/next } } }
";

/// The same the other way, from the identity to the account's own.
const KEY_AND_SYSTEM: &str = "
vaults: { kv1: { keys: { main: {} } }, kv2: { keys: { next: {} } } }
identities: { id1: {} }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv2/next } } }
";

/// One of two accounts that share an identity is to be out of reach.
const REVOKED_USER: &str = "
vaults: { kv1: { keys: { main: {} } } }
identities: { id1: {} }
accounts:
  st1: { access: revoked, identities: [id1], encryption: { key: kv1/main } }
  st2: { identities: [id1], encryption: { key: kv1/main } }
";

/// The only account of the spec is to be out of reach.
const REVOKED_OUTSIDE: &str = "
vaults: { kv1: { keys: { main: {} } } }
identities: { id1: {} }
accounts: { st1: { access: revoked, identities: [id1], encryption: { key: kv1/main } } }
";

/// From its own identity to another one, and its own goes.
const OWN_GOES: &str = "
vaults: { kv1: { keys: { main: {} } } }
identities: { id1: {} }
accounts: { st1: { identities: [id1], removeIdentities: [systemAssigned], encryption: { key: kv1/main } } }
";

/// From one user-assigned identity to another, and the old one goes.
const USER_GOES: &str = "
vaults: { kv1: { keys: { main: {} } } }
identities: { id1: {}, id2: {} }
accounts: { st1: { identities: [id2], removeIdentities: [id1], encryption: { key: kv1/main, version: auto } } }
";

/// Another vault and another identity, which is to be made, and the old one goes.
const ALL_CHANGES: &str = "
vaults: { kv1: { keys: { main: {} } }, kv2: { keys: { next: {} } } }
identities: { id1: { create: {} } }
accounts: { st1: { identities: [id1], removeIdentities: [systemAssigned], encryption: { key: kv2/next } } }
";

/// Back to Microsoft's key, and what reached the former key goes.
const BACK_AND_GOES: &str = "
vaults: { kv1: { keys: { main: {} } } }
identities: { id1: {} }
accounts: { st1: { removeIdentities: [id1], encryption: { source: microsoft } } }
";

/// Identities go, and nothing is said of a key.
const ONLY_GOES: &str = "
identities: { id1: {} }
accounts: { st1: { removeIdentities: [id1, systemAssigned] } }
";

pub(super) const STORIES: &[Story] = &[
    story("an identity and accounts with their key are made", "", SHARED, Converges),
    story(
        "an identity that is there is used",
        "group\nvault kv1\nkey kv1/main\nidentity id1\naccount st1",
        AS_USER,
        Converges,
    ),
    story(
        "an account has both kinds of identities",
        "group\nvault kv1\nkey kv1/main\nroles kv1\nidentity id1\naccount st1\nusers st1",
        BOTH,
        Converges,
    ),
    story(
        "from its own identity to a user-assigned one",
        "group\nvault kv1\nkey kv1/main\nidentity id1\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main",
        AS_USER,
        Converges,
    ),
    story(
        "another vault and another identity",
        "group\nvault kv1\nkey kv1/main\nvault kv2\nkey kv2/next\nidentity id1\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main",
        KEY_AND_USER,
        Converges,
    ),
    story(
        "another vault and its own identity",
        "group\nvault kv1\nkey kv1/main\nvault kv2\nroles kv2\nkey kv2/next\nidentity id1\naccount st1\nhas st1 id1\nlet id1 kv1\nas id1 st1 kv1/main",
        KEY_AND_SYSTEM,
        Converges,
    ),
    story(
        "one of two accounts that share an identity is to be put out of reach",
        "group\nvault kv1\nkey kv1/main\nidentity id1\naccount st1\nhas st1 id1\naccount st2\nhas st2 id1\nlet id1 kv1\nas id1 st1 kv1/main\nas id1 st2 kv1/main",
        REVOKED_USER,
        Refuses("CMK260"),
    ),
    story(
        "the user-assigned identity of an account under a key was taken from it",
        "group\nvault kv1\nkey kv1/main\nidentity id1\naccount st1\nhas st1 id1\nlet id1 kv1\nas id1 st1 kv1/main\ndetach st1",
        AS_USER,
        Asks(RiskClass::Reopening),
    ),
    story(
        "an account that the spec does not name shares the identity of one that is to be put out of reach",
        "group\nvault kv1\nkey kv1/main\nidentity id1\naccount st1\nhas st1 id1\naccount st9\nhas st9 id1\nlet id1 kv1\nas id1 st1 kv1/main\nas id1 st9 kv1/main",
        REVOKED_OUTSIDE,
        Refuses("CMK260"),
    ),
    story(
        "its own identity goes once it reads as another",
        "group\nvault kv1\nkey kv1/main\nidentity id1\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\nusers st1",
        OWN_GOES,
        Converges,
    ),
    story(
        "a user-assigned identity goes once it reads as another, and somebody else's stays",
        "group\nvault kv1\nkey kv1/main\nidentity id1\nidentity id2\naccount st1 identity\nusers st1\nhas st1 id1\nlet id1 kv1\nas id1 st1 kv1/main",
        USER_GOES,
        Converges,
    ),
    story(
        "the last of its identities goes for another, with another key",
        "group\nvault kv1\nkey kv1/main\nvault kv2\nkey kv2/next\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main",
        ALL_CHANGES,
        Converges,
    ),
    story(
        "an account goes back to Microsoft's key and loses what reached its own",
        "group\nvault kv1\nkey kv1/main\nidentity id1\naccount st1\nhas st1 id1\nlet id1 kv1\nas id1 st1 kv1/main",
        BACK_AND_GOES,
        Converges,
    ),
    story(
        "from its own identity to a user-assigned one, with a scope under another key",
        "group\nvault kv1\nkey kv1/main\nvault kv2\nkey kv2/other\nidentity id1\naccount st1 identity\ngrant st1 kv1\ngrant st1 kv2\nbound st1 kv1/main\nscope st1/payroll kv2/other",
        AS_USER,
        Converges,
    ),
    story(
        "from its own identity to a user-assigned one, with a scope under a key of the same vault",
        "group\nvault kv1\nkey kv1/main\nkey kv1/other\nidentity id1\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\nscope st1/payroll kv1/other",
        AS_USER,
        Converges,
    ),
    story(
        "identities go that nothing is reached as",
        "group\nidentity id1\naccount st1 identity\nhas st1 id1",
        ONLY_GOES,
        Converges,
    ),
    story(
        "an identity is to go that an account does not have, and that is gone itself",
        "group\naccount st1",
        ONLY_GOES,
        Converges,
    ),
    story(
        "an identity is to go that the key is reached as",
        "group\nvault kv1\nkey kv1/main\nidentity id1\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main",
        ONLY_GOES,
        Refuses("CMK263"),
    ),
    story(
        "an identity is to go that a scope's key may be reached as",
        "group\nvault kv1\nkey kv1/main\nidentity id1\naccount st1 identity\ngrant st1 kv1\nscope st1/payroll kv1/main",
        ONLY_GOES,
        Refuses("CMK263"),
    ),
];
