//! Stories of what was deleted: it comes back when spec and operator say so, and as it was.

use super::stories::End::{Opens, Refuses, Returns};
use super::stories::{Story, story};

/// A vault, its key and an account, all to be made or brought back.
const BACK: &str = "
resourceGroups: { rg: { create: {} } }
vaults: { kv1: { create: {}, recover: true, purgeProtection: true, keys: { main: { create: {}, recover: true } } } }
accounts: { st1: { create: {}, identity: systemAssigned, encryption: { key: kv1/main } } }
";

/// The same with a key that nobody said may come back.
const UNASKED: &str = "
vaults: { kv1: { create: {}, purgeProtection: true, keys: { main: { create: {} } } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } } }
";

/// An account that is to be out of reach, under a key that comes back.
const SHUT: &str = "
vaults: { kv1: { create: {}, recover: true, purgeProtection: true, keys: { main: { create: {} } } } }
accounts: { st1: { access: revoked, identity: systemAssigned, encryption: { key: kv1/main } } }
";

/// A vault in which roles decide, with an identity of its own for the account.
const ROLES: &str = "
vaults: { kv1: { create: {}, recover: true, purgeProtection: true, permissionModel: rbac, keys: { main: { create: {} } } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } } }
";

/// A vault and its key, which no account uses.
const KEY_ONLY: &str = "
vaults: { kv1: { create: {}, recover: true, purgeProtection: true, keys: { main: { create: {} } } } }
";

/// A vault that is to be in another region than it was.
const NORTH: &str = "
vaults: { kv1: { create: {}, location: northeurope, recover: true, purgeProtection: true } }
";

pub(super) const STORIES: &[Story] = &[
    story(
        "a vault that was deleted by mistake comes back with its key, and the account reads again",
        VAULT_GONE,
        BACK,
        Returns,
    ),
    story("a vault comes back only once somebody says yes", VAULT_GONE, BACK, Opens),
    story("an empty vault comes back, and its key and its account are made", "group\ndeleted kv1", BACK, Returns),
    story("a vault comes back in which the key was deleted before", BOTH_GONE, BACK, Returns),
    story("a vault comes back and another key is there too", SOME_KEY, BACK, Returns),
    story("a vault in which roles decide comes back without them", ROLES_GONE, ROLES, Returns),
    story("a vault does not come back for an account that is to be out of reach", VAULT_GONE, SHUT, Refuses("CMK275")),
    story("a vault comes back with a key that somebody had disabled", DISABLED, KEY_ONLY, Returns),
    story("a key that was deleted by mistake comes back, and the account reads again", KEY_GONE, BACK, Returns),
    story("a key comes back only once somebody says yes", KEY_GONE, BACK, Opens),
    story(
        "a key comes back to which nobody was bound",
        "group\nvault kv1\nkey kv1/main\ndelete kv1/main",
        BACK,
        Returns,
    ),
    story("a deleted key holds the name", KEY_GONE, UNASKED, Refuses("CMK212")),
    story("a deleted vault was in another region", VAULT_GONE, NORTH, Refuses("CMK275")),
];

const VAULT_GONE: &str =
    "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\ndelete kv1";
const KEY_GONE: &str =
    "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\ndelete kv1/main";
const BOTH_GONE: &str = "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\ndelete kv1/main\ndelete kv1";
const SOME_KEY: &str =
    "group\nvault kv1\nkey kv1/other\nkey kv1/main\nrotate kv1/main\naccount st1 identity\ndelete kv1";
const ROLES_GONE: &str =
    "group\nvault kv1\nkey kv1/main\nroles kv1\naccount st1 identity\nrole st1 kv1\nbound st1 kv1/main\ndelete kv1";
const DISABLED: &str = "group\nvault kv1\nkey kv1/main\ndisable kv1/main\ndelete kv1";
