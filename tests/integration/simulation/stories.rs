//! Stories: a world, a spec, and how it must end, whatever goes wrong on the way.

use super::thorough;
use super::worlds::{desired, pace, world};
use cmk::prove::{AGREEABLE, Act, Crash, Ended, How, Meddling, Mishap, OTHERS, Script, Stage, in_virtual_time};
use std::collections::BTreeMap;

/// How a story ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// What the spec asks for is so.
    Converges,
    /// The plan refuses with this code, and nothing is written.
    Refuses(&'static str),
    /// What the spec asks for is so, once somebody says yes to opening what was closed; until then nothing is written.
    Opens,
    /// What was deleted is back, and then what the spec asks for is so; somebody has said yes from the beginning.
    Returns,
    /// Every run stands still until somebody says yes to a risk of this kind, and writes nothing.
    Asks(RiskClass),
}

/// A story.
pub(super) struct Story {
    pub(super) name: &'static str,
    pub(super) world: &'static str,
    pub(super) spec: &'static str,
    pub(super) end: End,
}

use End::{Asks, Converges, Opens, Refuses, Returns};
use cmk::plan::RiskClass;

pub(super) const fn story(name: &'static str, world: &'static str, spec: &'static str, end: End) -> Story {
    Story { name, world, spec, end }
}

/// A vault with one key, all to be made.
const NEW: &str = "
resourceGroups: { rg: { create: {} } }
vaults: { kv1: { create: {}, purgeProtection: true, keys: { main: { create: {} } } } }
accounts: { st1: { create: {}, identity: systemAssigned, encryption: { key: kv1/main } } }
";

/// The same where everything is there.
const THERE: &str = "
vaults: { kv1: { purgeProtection: true, keys: { main: {} } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } } }
";

/// The same, following the newest version.
const FOLLOWS: &str = "
vaults: { kv1: { purgeProtection: true, keys: { main: {} } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main, version: auto } } }
";

/// Two accounts under one key, one of which is to be out of reach.
const REVOKED: &str = "
vaults: { kv1: { keys: { main: {} } } }
accounts:
  st1: { access: revoked, identity: systemAssigned, encryption: { key: kv1/main } }
  st2: { identity: systemAssigned, encryption: { key: kv1/main } }
";

const TWO_KEYS: &str = "
vaults: { kv1: { keys: { main: {}, next: {} } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/next } } }
";

const TWO_VAULTS: &str = "
vaults: { kv1: { keys: { main: {} } }, kv2: { create: {}, purgeProtection: true, keys: { next: { create: {} } } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv2/next } } }
";

/// Every story.
pub(super) fn all() -> impl Iterator<Item = &'static Story> {
    STORIES
        .iter()
        .chain(super::stories_of_identities::STORIES)
        .chain(super::stories_of_keys::STORIES)
        .chain(super::stories_of_own_keys::STORIES)
        .chain(super::stories_of_recovery::STORIES)
        .chain(super::stories_of_audits::STORIES)
}

const STORIES: &[Story] = &[
    story("everything is new", "", NEW, Converges),
    story("only the group is there", "group", NEW, Converges),
    story("the vault is there and another team uses it", "group\nvault kv1", NEW, Converges),
    story("the vault is there without protection", "group\nvault kv1 unprotected\nkey kv1/main", NEW, Converges),
    story("the key is there", "group\nvault kv1\nkey kv1/main", NEW, Converges),
    story("the account is there without identity", "group\naccount st1", NEW, Converges),
    story("the account has only somebody's identity", "group\naccount st1\nusers st1", NEW, Converges),
    story("the account has an identity and somebody's", "group\naccount st1 identity\nusers st1", NEW, Converges),
    story("all is there and nothing is tied", "group\nvault kv1\nkey kv1/main\naccount st1", THERE, Converges),
    story(
        "the grant is there in part",
        "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1 get",
        THERE,
        Converges,
    ),
    story(
        "all but the encryption is there",
        "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1",
        THERE,
        Converges,
    ),
    story(
        "all is so already",
        "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main",
        THERE,
        Converges,
    ),
    story(
        "the key was rotated and the account is pinned to the old version",
        "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\nrotate kv1/main",
        THERE,
        Converges,
    ),
    story(
        "a pinned account is to follow the newest version",
        "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\nrotate kv1/main",
        FOLLOWS,
        Converges,
    ),
    story(
        "an account that follows is to be pinned",
        "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main auto",
        THERE,
        Converges,
    ),
    story(
        "an account that follows, and has not taken up the newest version yet, is to be pinned",
        "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main auto\nrotate kv1/main",
        THERE,
        Converges,
    ),
    story(
        "the account moves to another key of its vault",
        "group\nvault kv1\nkey kv1/main\nkey kv1/next\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main",
        TWO_KEYS,
        Converges,
    ),
    story(
        "the account moves to another vault that is to be made",
        "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main",
        TWO_VAULTS,
        Converges,
    ),
    story(
        "the account has infrastructure encryption",
        "group\nvault kv1\nkey kv1/main\ninfrastructure st1",
        THERE,
        Converges,
    ),
    story(
        "two accounts of one vault, one of them tied already",
        "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main",
        "
vaults: { kv1: { keys: { main: {} } } }
accounts:
  st1: { identity: systemAssigned, encryption: { key: kv1/main } }
  st2: { create: {}, identity: systemAssigned, encryption: { key: kv1/main, permissions: [get, wrapKey, unwrapKey, recover] } }
",
        Converges,
    ),
    story(
        "another permission is asked for than those that are held",
        "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main",
        "
vaults: { kv1: { keys: { main: {} } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main, permissions: [get, wrapKey, unwrapKey, recover] } } }
",
        Converges,
    ),
    story(
        "a key in hardware in a new premium vault of a group that is there",
        "group",
        "
vaults: { kv1: { create: { sku: premium, softDeleteRetentionDays: 7 }, purgeProtection: true, keys: { main: { create: { type: RSA-HSM, size: 4096 } } } } }
accounts: { st1: { create: { sku: Premium_LRS, kind: BlockBlobStorage }, identity: systemAssigned, encryption: { key: kv1/main, version: auto } } }
",
        Converges,
    ),
    story(
        "a vault without accounts and an account without a key",
        "group",
        "
vaults: { kv1: { create: {}, keys: { main: { create: {} } } } }
accounts: { st1: { create: {} } }
",
        Converges,
    ),
    story(
        "access was taken away",
        "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\nrevoke st1 kv1",
        THERE,
        Opens,
    ),
    story(
        "the identity was taken away",
        "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\ndetach st1",
        THERE,
        Asks(RiskClass::Reopening),
    ),
    story(
        "an account is put out of reach",
        "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\naccount st2 identity\ngrant st2 kv1\nbound st2 kv1/main",
        REVOKED,
        Converges,
    ),
    story(
        "an account that is out of reach stays so",
        "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\nrevoke st1 kv1\naccount st2 identity\ngrant st2 kv1\nbound st2 kv1/main",
        REVOKED,
        Converges,
    ),
    story(
        "an account is to be put out of reach that is under no key",
        "group\nvault kv1\nkey kv1/main\naccount st1 identity\naccount st2 identity\ngrant st2 kv1\nbound st2 kv1/main",
        REVOKED,
        Refuses("CMK241"),
    ),
    story(
        "an account goes back to Microsoft's key",
        "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main",
        "
vaults: { kv1: { keys: { main: {} } } }
accounts: { st1: { identity: systemAssigned, encryption: { source: microsoft } } }
",
        Converges,
    ),
    story(
        "an account is to go back to Microsoft's key and its own is disabled",
        "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\ndisable kv1/main",
        "
vaults: { kv1: { keys: { main: {} } } }
accounts: { st1: { identity: systemAssigned, encryption: { source: microsoft } } }
",
        Refuses("CMK211"),
    ),
    story("a deleted vault holds the name", "group\ndeleted kv1", NEW, Refuses("CMK203")),
    story("an elliptic curve key", "group\nvault kv1\nkey kv1/main EC\naccount st1", THERE, Refuses("CMK207")),
    story("a disabled key", "group\nvault kv1\nkey kv1/main\ndisable kv1/main\naccount st1", THERE, Refuses("CMK207")),
    story(
        "the old key is disabled and the account is to move",
        "group\nvault kv1\nkey kv1/main\nkey kv1/next\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\ndisable kv1/main",
        TWO_KEYS,
        Refuses("CMK211"),
    ),
    story("a vault that takes roles gets the role that storage needs, at the key", "group\nvault kv1\nkey kv1/main\nroles kv1\naccount st1", FOLLOWS, Converges),
    story("a vault with roles, from nothing", "", "
resourceGroups: { rg: { create: {} } }
vaults: { kv1: { create: {}, permissionModel: rbac, purgeProtection: true, keys: { main: { create: {} } } } }
accounts:
  st1: { create: {}, identity: systemAssigned, encryption: { key: kv1/main } }
  st2: { create: {}, identity: systemAssigned, encryption: { key: kv1/main, scope: vault } }
  st3: { create: {}, identity: systemAssigned, encryption: { key: kv1/main, scope: vault } }
", Converges),
    story("a role that is held at the group is enough", "group\nvault kv1\nkey kv1/main\nroles kv1\naccount st1 identity\nrole st1 group", THERE, Converges),
    story("the spec says access policies and the vault takes roles", "group\nvault kv1\nkey kv1/main\nroles kv1\naccount st1", "
vaults: { kv1: { permissionModel: accessPolicies, purgeProtection: true, keys: { main: {} } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } } }
", Refuses("CMK206")),
    story("access policies cannot be limited to a key", "group\nvault kv1\nkey kv1/main\naccount st1", "
vaults: { kv1: { purgeProtection: true, keys: { main: {} } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main, scope: key } } }
", Refuses("CMK243")),
    story("a role was taken away", "group\nvault kv1\nkey kv1/main\nroles kv1\naccount st1 identity\nrole st1 kv1\nbound st1 kv1/main\nunrole st1 kv1", THERE, Opens),
    story("an account is put out of reach of a vault with roles", "group\nvault kv1\nkey kv1/main\nroles kv1\naccount st1 identity\nrole st1 kv1/main\nrole st1 kv1\nbound st1 kv1/main\naccount st2 identity\nrole st2 kv1\nbound st2 kv1/main", REVOKED, Converges),
    story("an account is to be put out of reach and holds a role at the group", "group\nvault kv1\nkey kv1/main\nroles kv1\naccount st1 identity\nrole st1 group\nbound st1 kv1/main\naccount st2 identity\nrole st2 kv1\nbound st2 kv1/main", REVOKED, Refuses("CMK242")),
    story("nothing is there and nothing is to be made", "group", THERE, Refuses("CMK201")),
    story("a lock lies on the group", "group\nvault kv1\nkey kv1/main\naccount st1\nlock no", THERE, Refuses("CMK215")),
    story("a provider is not registered", "group\nunregistered Microsoft.KeyVault", NEW, Refuses("CMK216")),
    story(
        "the key ends soon",
        "group\nvault kv1\nkey kv1/main\nexpires kv1/main 20\naccount st1",
        THERE,
        Refuses("CMK217"),
    ),
    story(
        "a key in hardware in a vault that has none",
        "group\nvault kv1\naccount st1",
        "
vaults: { kv1: { purgeProtection: true, keys: { main: { create: { type: RSA-HSM } } } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } } }
",
        Refuses("CMK218"),
    ),
    story("somebody has a vault of this name", "group\nelsewhere kv1", NEW, Refuses("CMK202")),
    story("somebody has an account of this name", "group\nelsewhere st1", NEW, Refuses("CMK202")),
    story("the vault is in another region", "group\nvault kv1 north\nkey kv1/main\naccount st1", THERE, Refuses("CMK204")),
    story(
        "the vault is not protected and is not to be",
        "group\nvault kv1 unprotected\nkey kv1/main\naccount st1",
        "
vaults: { kv1: { keys: { main: {} } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } } }
",
        Refuses("CMK205"),
    ),
    story(
        "the account reaches its key as the identity of others",
        "group\nvault kv1\nkey kv1/main\naccount st1 identity\nusers st1\nthrough users st1 kv1/main",
        THERE,
        Converges,
    ),
    story(
        "from a user-assigned identity to its own",
        "group\nvault kv1\nkey kv1/main\nidentity id1\naccount st1\nhas st1 id1\nlet id1 kv1\nas id1 st1 kv1/main",
        THERE,
        Converges,
    ),
    story(
        "the vault has no room for another entry",
        "group\nvault kv1\nkey kv1/main\naccount st1 identity\ncrowd kv1 1022",
        THERE,
        Refuses("CMK244"),
    ),
    story("the account reaches another version as the identity of others", "group\nvault kv1\nkey kv1/main\naccount st1 identity\nusers st1\nthrough users st1 kv1/main\nrotate kv1/main", THERE, Refuses("CMK213")),
];

/// What came of playing stories.
#[derive(Default)]
pub(super) struct Played {
    pub(super) checked: BTreeMap<&'static str, u64>,
    pub(super) met: BTreeMap<String, u64>,
    pub(super) scenes: u64,
    pub(super) failures: Vec<String>,
}

impl Played {
    pub(super) fn take(&mut self, title: &str, stage: &Stage) {
        self.scenes += 1;
        stage.witness(|witness| {
            for (invariant, times) in witness.checked() {
                *self.checked.entry(invariant).or_default() += times;
            }
            for (what, times) in witness.met_all() {
                *self.met.entry(what.clone()).or_default() += times;
            }
            if !witness.breaches().is_empty() {
                let log: Vec<String> = witness.log().iter().map(|line| format!("    {line}")).collect();
                self.failures.push(format!("{title}\n{}", log.join("\n")));
            }
        });
    }

    pub(super) fn assert_good(&self) {
        let some: Vec<&String> = self.failures.iter().take(3).collect();
        let text = some.iter().map(|text| text.as_str()).collect::<Vec<_>>().join("\n\n");
        assert!(self.failures.is_empty(), "{} of {} scenes failed:\n{text}", self.failures.len(), self.scenes);
    }
}

/// Plays a story once; gives how many requests the first run sent, and which of them were writes. Plays it with something going wrong first, and then to its end.
pub(super) async fn play(story: &Story, how: &How, title: &str, played: &mut Played) -> (u64, Vec<u64>) {
    let wanted = desired(story.spec);
    let (world, start) = world(story.world, pace());
    let stage = Stage::new(&wanted, world, start, Meddling::none());
    let opening = || How { accepts: AGREEABLE.into_iter().chain([RiskClass::Reopening]).collect(), ..how.clone() };
    let first = stage.run(&wanted, &if story.end == Returns { opening() } else { how.clone() }).await;
    let written = stage.witness(|witness| witness.writes_of(0));
    match story.end {
        Converges => {
            stage.converges(&wanted).await;
        }
        Refuses(code) => {
            let last = stage.run(&wanted, &How::default()).await;
            let refused =
                matches!(&last.ended, Ended::Applied(plan, _) if plan.refusals.iter().any(|r| r.code == code));
            stage.hold("refusal", refused, || format!("{code} was expected: {}", last.ended));
            stage.hold("refusal", last.effects == 0, || "something was written".to_owned());
        }
        Opens => {
            let last = stage.run(&wanted, &How::default()).await;
            stage.hold("refusal", last.ended.is_refused(), || format!("nobody was asked: {}", last.ended));
            stage.hold("refusal", last.effects == 0, || "something was written".to_owned());
            let mut accepts = AGREEABLE.to_vec();
            accepts.push(RiskClass::Reopening);
            stage.converges_as(&wanted, &How { accepts, ..How::default() }).await;
        }
        Returns => {
            let accepts = opening().accepts;
            key_shows(&stage).await;
            stage.converges_as(&wanted, &How { accepts, ..How::default() }).await;
        }
        Asks(class) => {
            let last = stage.run(&wanted, &How::default()).await;
            let asked = matches!(&last.ended, Ended::Applied(_, outcome)
                if outcome.unaccepted.iter().any(|ask| ask.what.class == class));
            stage.hold("refusal", asked, || format!("{class} was to be asked for: {}", last.ended));
            stage.hold("refusal", last.effects == 0, || "something was written".to_owned());
        }
    }
    played.take(&format!("{}, {title}", story.name), &stage);
    (first.requests, written)
}

/// For some seconds after its recovery has begun, Azure shows a key neither as deleted nor as live. A run of just then can
/// not know better than that there is none, and is refused by Azure or by itself.
pub(super) async fn key_shows(stage: &Stage) {
    let pace = stage.now().1.pace().deleted_object;
    tokio::time::sleep(std::time::Duration::from_millis(u64::try_from(pace).unwrap_or_default())).await;
}

#[test]
fn every_story_ends_as_it_must_and_its_plan_applied_twice_does_nothing_more() {
    let mut played = Played::default();
    in_virtual_time(async {
        for story in all() {
            play(story, &How { again: true, ..How::default() }, "each step twice", &mut played).await;
        }
    })
    .unwrap();
    played.assert_good();
    assert!(all().count() >= 40);
}

#[test]
fn a_crash_at_any_request_of_any_story_leaves_a_world_from_which_it_ends_as_it_must() {
    let mut played = Played::default();
    in_virtual_time(async {
        for (at, story) in (0..).zip(all()) {
            let (requests, written) = play(story, &How::default(), "calm", &mut played).await;
            for number in 1..=requests {
                // The world after a read is the world before it: of reads, the bounded suite takes some, and of every
                // second write the one crash or the other, in turn.
                let writes = written.contains(&number);
                let turn: u64 = number + at;
                let before =
                    (thorough() || writes && turn.is_multiple_of(4) || turn % 13 == 1).then_some(Crash::Before(number));
                let after = (thorough() || writes && turn % 4 == 2).then_some(Crash::After(number));
                for crash in [before, after].into_iter().flatten() {
                    let how = How { crash: Some(crash), ..How::default() };
                    play(story, &how, &format!("crash {crash:?}"), &mut played).await;
                }
            }
        }
    })
    .unwrap();
    played.assert_good();
}

#[test]
fn a_mishap_at_any_request_of_any_story_leaves_a_world_from_which_it_ends_as_it_must() {
    let mut played = Played::default();
    in_virtual_time(async {
        for (at, story) in all().enumerate() {
            let (requests, _) = play(story, &How::default(), "calm", &mut played).await;
            for number in 1..=requests {
                for (kind, mishap) in Mishap::ALL.into_iter().enumerate() {
                    // The bounded suite takes some of all pairs: every kind, and every request of some story.
                    let chosen = (usize::try_from(7 * number).unwrap() + 3 * at + kind).is_multiple_of(149);
                    if chosen || thorough() {
                        let how = How { script: Script::once(number, mishap), ..How::default() };
                        play(story, &how, &format!("{} at request {number}", mishap.name()), &mut played).await;
                    }
                }
            }
        }
    })
    .unwrap();
    played.assert_good();
}

#[test]
fn access_that_is_taken_away_after_the_plan_was_made_is_not_given_back() {
    let spec = "
vaults: { kv1: { keys: { main: {} } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main, permissions: [get, wrapKey, unwrapKey, recover] } } }
";
    let wanted = desired(spec);
    let things = "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main";
    let (account, vault) =
        (wanted.accounts.values().next().unwrap().id.clone(), wanted.vaults.values().next().unwrap().id.clone());
    in_virtual_time(async {
        let (world, start) = world(things, pace());
        // The fourth request is the last one of observing, the fifth is the look before the grant.
        let emergency = Meddling { acts: vec![(0, 5, Act::Revoke(account, vault))] };
        let stage = Stage::new(&wanted, world, start, emergency);
        let run = stage.run(&wanted, &How::default()).await;
        let Ended::Applied(_, outcome) = &run.ended else { unreachable!("nothing goes wrong with looking") };
        let (id, outcome) = &outcome.steps[0];
        let log = stage.witness(|witness| witness.log().join("\n"));
        assert_eq!((id.0.as_str(), outcome.as_str()), ("grant/st1/kv1", "blocked"), "{outcome:?}\n{log}");
        assert!(outcome.detail().contains("its access was taken away"), "{outcome:?}");
        assert_eq!(run.effects, 0);
        stage.witness(|witness| assert!(witness.breaches().is_empty(), "{:?}", witness.breaches()));
    })
    .unwrap();
}

#[test]
fn a_version_that_is_made_after_the_plan_is_the_one_that_is_pinned() {
    let wanted = desired(THERE);
    let things = "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1";
    let (key, _) = wanted.keys().next().unwrap();
    in_virtual_time(async {
        let (world, start) = world(things, pace());
        // The fourth request is the last one of observing.
        let rotation = Meddling { acts: vec![(0, 5, Act::Rotate(key))] };
        let stage = Stage::new(&wanted, world, start, rotation);
        let first = stage.run(&wanted, &How::default()).await;
        assert!(first.ended.is_good(), "{}", first.ended);
        let second = stage.run(&wanted, &How::default()).await;
        assert_eq!(second.effects, 0, "{}", stage.witness(|witness| witness.log().join("\n")));
    })
    .unwrap();
}

#[test]
fn a_vault_that_others_make_while_azure_throttles_ours_keeps_their_access() {
    let spec = "
vaults: { kv1: { create: {}, purgeProtection: true, keys: { main: { create: {} } } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } } }
";
    let wanted = desired(spec);
    let vault = wanted.vaults.values().next().unwrap();
    let made = || Act::MakeVault(vault.id.clone(), vault.location.clone().unwrap());
    in_virtual_time(async {
        let (world, start) = world("group\naccount st1 identity", pace());
        let calm = Stage::new(&wanted, world.clone(), start, Meddling::none());
        calm.run(&wanted, &How::default()).await;
        let put = calm.witness(|witness| witness.writes_of(0))[0];
        for mishap in [Mishap::Throttled(30), Mishap::NotSent] {
            // The vault is made before the request that comes next, whatever that is.
            let meddling = Meddling { acts: vec![(0, put + 1, made())] };
            let stage = Stage::new(&wanted, world.clone(), start, meddling);
            let how = How { script: Script::once(put, mishap), ..How::default() };
            stage.run(&wanted, &how).await;
            stage.converges(&wanted).await;
            stage.witness(|witness| {
                let log = witness.log().join("\n");
                assert!(witness.breaches().is_empty(), "{log}");
                assert!(witness.met_all().contains_key("meddling makes a vault"), "{log}");
                assert!(!witness.met_all().contains_key("window two make one vault"), "{log}");
            });
            let policies = stage.by_hand(|hand| hand.arm("GET", &vault.id.to_string(), &serde_json::Value::Null).1);
            let theirs = policies["properties"]["accessPolicies"].as_array().unwrap();
            assert!(theirs.iter().any(|entry| entry["objectId"] == OTHERS), "{policies}");
        }
    })
    .unwrap();
}

#[test]
fn nothing_is_revoked_on_role_assignments_that_were_hidden() {
    let story = all().find(|story| story.name.contains("holds a role at the group")).unwrap();
    let wanted = desired(story.spec);
    in_virtual_time(async {
        let (world, start) = world(story.world, pace());
        let hidden = Script { hidden: vec!["/roleassignments".to_owned()], ..Script::calm() };
        for script in [hidden, Script::once(5, Mishap::Denied)] {
            let stage = Stage::new(&wanted, world.clone(), start, Meddling::none());
            let run = stage.run(&wanted, &How { script, ..How::default() }).await;
            assert_eq!(run.effects, 0, "{}", stage.witness(|witness| witness.log().join("\n")));
            let Ended::Applied(plan, _) = &run.ended else { unreachable!("the rest can be seen") };
            assert!(plan.blind_spots.iter().any(|spot| !spot.hides.is_empty()), "{:?}", plan.blind_spots);
        }
    })
    .unwrap();
}
