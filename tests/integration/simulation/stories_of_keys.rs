//! Stories of a key's life: dates and tags, rotation and retirement, closing and opening again.

use super::stories::End::{Converges, Opens, Refuses};
use super::stories::{Story, story};

/// A vault with one key, all to be made, with all that can be said of a key.
const NEW: &str = "
resourceGroups: { rg: { create: {} } }
vaults:
  kv1:
    create: {}
    purgeProtection: true
    keys: { main: { create: {}, tags: { team: pay }, rotation: { every: P90D, expireAfter: P1Y, notifyBefore: P30D } } }
accounts: { st1: { create: {}, identity: systemAssigned, encryption: { key: kv1/main, version: auto } } }
";

/// A key that is there is given a date and tags.
const MARKED: &str = "
vaults: { kv1: { keys: { main: { tags: { team: pay }, expires: 2099-01-31, notBefore: 2020-01-31 } } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } } }
";

/// The same that is to be rotated by Key Vault itself.
const ROTATES: &str = "
vaults: { kv1: { keys: { main: { rotation: { every: P90D } } } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main, version: auto } } }
";

/// A key that may be ninety days old, under which one account is pinned, one follows, and one is to be bound.
const AGED: &str = "
vaults: { kv1: { keys: { main: { maxAge: P90D } } } }
accounts:
  st1: { identity: systemAssigned, encryption: { key: kv1/main } }
  st2: { identity: systemAssigned, encryption: { key: kv1/main, version: auto } }
  st3: { identity: systemAssigned, encryption: { key: kv1/main } }
";

/// A key of any age whose old versions go.
const RETIRES: &str = "
vaults: { kv1: { keys: { main: { retireOldVersions: P7D } } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } } }
";

/// The whole staircase.
const STAIRS: &str = "
vaults: { kv1: { keys: { main: { maxAge: P90D, retireOldVersions: P7D } } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } } }
";

/// A key that nobody is to use.
const CLOSED: &str = "
vaults: { kv1: { keys: { main: { enabled: false } } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } } }
";

/// A key that is left, and then closed.
const LEFT: &str = "
vaults: { kv1: { keys: { main: { enabled: false }, next: {} } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/next } } }
";

/// A key that is to be usable.
const OPEN: &str = "
vaults: { kv1: { keys: { main: { enabled: true } } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } } }
";

pub(super) const STORIES: &[Story] = &[
    story("a key is made with its tags and its rotation", "", NEW, Converges),
    story(
        "a key is given dates and tags beside those of others",
        "group\nvault kv1\nkey kv1/main\ntag kv1/main owner them\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main",
        MARKED,
        Converges,
    ),
    story(
        "a key that somebody disabled is given tags, and stays disabled",
        "group\nvault kv1\nkey kv1/main\ndisable kv1/main",
        "vaults: { kv1: { keys: { main: { tags: { team: pay } } } } }",
        Converges,
    ),
    story(
        "a key that has run out is to be good again",
        "group\nvault kv1\nkey kv1/main\nexpires kv1/main 20\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\ndays 30",
        MARKED,
        Opens,
    ),
    story(
        "a key is rotated by itself, and more often than before",
        "group\nvault kv1\nkey kv1/main\npolicy kv1/main P1Y\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main auto",
        ROTATES,
        Converges,
    ),
    story(
        "a key that is too old gets a new version, and the accounts move to it",
        "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\naccount st2 identity\ngrant st2 kv1\nbound st2 kv1/main auto\naccount st3\ndays 100",
        AGED,
        Converges,
    ),
    story(
        "a key that is too old and has run out gets a new version",
        "group\nvault kv1\nkey kv1/main\nexpires kv1/main 40\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\naccount st2 identity\naccount st3\ndays 100",
        AGED,
        Converges,
    ),
    story(
        "a key that is too old is not rotated once somebody has disabled it",
        "group\nvault kv1\nkey kv1/main\ndays 100\ndisable kv1/main",
        "vaults: { kv1: { keys: { main: { maxAge: P90D } } } }",
        Converges,
    ),
    story(
        "an old version goes once nobody has needed it for long enough",
        "group\nvault kv1\nkey kv1/main\nrotate kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\ndays 9",
        RETIRES,
        Converges,
    ),
    story(
        "an old version stays until the waiting time is over",
        "group\nvault kv1\nkey kv1/main\nrotate kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\ndays 2",
        RETIRES,
        Converges,
    ),
    story(
        "an old version stays as long as somebody whom no spec names is under it",
        "group\nvault kv1\nkey kv1/main\naccount st9 identity\ngrant st9 kv1\nbound st9 kv1/main\nrotate kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\ndays 30",
        RETIRES,
        Converges,
    ),
    story(
        "the account moves first, and the old version stays for now",
        "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\ndays 100",
        STAIRS,
        Converges,
    ),
    story(
        "a key is closed to the account under it, and to others",
        "group\nvault kv1\nkey kv1/main\naccount st9 identity\ngrant st9 kv1\nbound st9 kv1/main\nrotate kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main",
        CLOSED,
        Converges,
    ),
    story(
        "an account leaves a key that is then closed",
        "group\nvault kv1\nkey kv1/main\nkey kv1/next\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main",
        LEFT,
        Converges,
    ),
    story(
        "an account is to be bound to a key that is to be closed",
        "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1",
        CLOSED,
        Refuses("CMK262"),
    ),
    story(
        "a version is to be closed that there is not",
        "group\nvault kv1\nkey kv1/main",
        "vaults: { kv1: { keys: { main: { versions: { 0123456789abcdef0123456789abcdef: { enabled: false } } } } } }",
        Refuses("CMK261"),
    ),
    story(
        "a key that somebody closed is to be open again",
        "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\ndisable kv1/main",
        OPEN,
        Opens,
    ),
    story(
        "a newer version that somebody closed is to be open again, and the account moves to it",
        "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\nrotate kv1/main\ndisable kv1/main",
        OPEN,
        Opens,
    ),
];
