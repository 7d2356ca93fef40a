//! Scenes by chance: a seed gives a world, a spec, what goes wrong, who meddles, and whether two run at once.

use super::worlds::{desired, pace, whole, world};
use cmk::model::Desired;
use cmk::plan::RiskClass;
use cmk::prove::{Act, Breach, Chance, Crash, How, Meddling, Script, Stage, in_virtual_time};
use cmk::sandbox::{Pace, Sandbox};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

/// One run of a scene, before all is well again.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    pub(super) script: Script,
    pub(super) crash: Option<Crash>,
}

/// A scene.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) seed: u64,
    pub(super) world: Vec<String>,
    pub(super) spec: String,
    pub(super) turns: Vec<Turn>,
    pub(super) meddling: Meddling,
    /// Whether the first two turns happen at once.
    pub(super) twin: bool,
    pub(super) pace: Pace,
    pub(super) concurrency: usize,
    pub(super) latency: u64,
    /// Whether the operator says yes to what brings back or opens again.
    pub(super) opens: bool,
}

/// What came of a scene.
pub(super) struct Seen {
    pub(super) breaches: Vec<Breach>,
    pub(super) log: Vec<String>,
    pub(super) met: BTreeMap<String, u64>,
}

/// The scene of a seed.
pub(super) fn scene(seed: u64) -> Scene {
    let mut chance = Chance::new(seed);
    let (mut world, mut spec) = world_and_spec(&mut chance);
    spec = with_own_key(seed, &world, spec);
    let opens = deletion(&mut Chance::new(!seed), &mut world, &mut spec);
    let wanted = desired(&spec);
    let twin = chance.one_in(6);
    let turns = (0..if twin { 2 } else { 1 + chance.below(2) })
        .map(|_| {
            let mut script = Script::by_chance(&mut chance, 45);
            if chance.one_in(6) {
                let parts = ["/vaults/kv1", "/storageaccounts/st1", "/keys/", "/resourcegroups/rg"];
                script.hidden.extend(chance.pick(&parts).map(|part| (*part).to_owned()));
            }
            let at = 1 + chance.below(40);
            let crash = match chance.below(4) {
                0 => Some(Crash::Before(at)),
                1 => Some(Crash::After(at)),
                _ => None,
            };
            Turn { script, crash }
        })
        .collect::<Vec<_>>();
    let harmless = !chance.one_in(3);
    let mut meddling = Meddling::by_chance(&mut chance, &wanted, turns.len(), 40, harmless);
    let vault = wanted.vaults.values().next();
    if let Some((vault, place)) = vault.and_then(|vault| Some((vault, vault.location.clone()?))) {
        // Somebody else makes the vault that is to be made.
        let absent = !world.iter().any(|line| line.starts_with("vault ")) && vault.create.is_some();
        if absent && chance.one_in(12) {
            meddling.acts.push((0, 6 + chance.below(14), Act::MakeVault(vault.id.clone(), place)));
        }
    }
    if !harmless && chance.one_in(2) {
        meddling.acts.extend(emergency(&mut chance, &world, &wanted));
    }
    let seconds = |chance: &mut Chance, max: u64| i64::try_from(chance.below(max * 1000)).unwrap();
    let slowly = if chance.one_in(20) { 500 } else { 40 };
    let pace = Pace {
        account_creation: seconds(&mut chance, 60),
        vault_dns: seconds(&mut chance, 60),
        grant_propagation: seconds(&mut chance, slowly),
        ..pace()
    };
    let concurrency = *chance.pick(&[1, 2, 8]).unwrap();
    let latency = chance.below(900);
    Scene { seed, world, spec, turns, meddling, twin, pace, concurrency, latency, opens }
}

/// Once in a while, somebody has deleted the vault or a key, and the spec says that it may come back. Whether the operator
/// says so too.
fn deletion(chance: &mut Chance, world: &mut Vec<String>, spec: &mut String) -> bool {
    // Of worlds in which an account may do more than Storage needs, and of specs that retire, there are few: each has to
    // show what that is for.
    let is_rare = world.iter().any(|line| line.ends_with(" list sign")) || spec.contains("retireOldVersions");
    if is_rare || !chance.one_in(4) {
        return false;
    }
    // What is bound in the world stays bound, and can be read again only where it could before.
    *spec = spec.replace("create: {}, purgeProtection: true,", "create: {}, recover: true, purgeProtection: true,");
    *spec = spec.replace("create: { size: 2048 },", "create: { size: 2048 }, recover: true,");
    let keys: Vec<String> = world.iter().filter_map(|line| line.strip_prefix("key ").map(str::to_owned)).collect();
    let made = keys.iter().filter(|key| {
        let name = key.rsplit('/').next().unwrap_or_default();
        spec.contains(&format!("{name}: {{ create: {{ size: 2048 }}, recover: true"))
    });
    let made: Vec<&String> = made.collect();
    let protected = world.iter().any(|line| line == "vault kv1");
    if let Some(key) = chance.pick(&made).filter(|_| !chance.one_in(4)) {
        world.push(format!("delete {key}"));
    } else if protected && spec.contains("create: {}, recover: true") {
        world.push("delete kv1".to_owned());
    } else if spec.contains("create: {}, recover: true")
        && !world.iter().any(|line| line.starts_with("vault "))
        && world.iter().any(|line| line == "group")
    {
        world.push("deleted kv1".to_owned());
    }
    !chance.one_in(4)
}

/// A world and a spec that fits it: what the world lacks, the spec would have made.
fn world_and_spec(chance: &mut Chance) -> (Vec<String>, String) {
    let mut world = vec![];
    let group = !chance.one_in(3);
    if group {
        world.push("group".to_owned());
    }
    let mut spec = if group { String::new() } else { "resourceGroups: { rg: { create: {} } }\n".to_owned() };
    let there = group && !chance.one_in(3);
    let protected = chance.one_in(4) || !there || !chance.one_in(3);
    if there {
        world.push(format!("vault kv1{}", if protected { "" } else { " unprotected" }));
    }
    let mut keys = vec![];
    let mut keys_spec = vec![];
    for key in ["main", "next"] {
        let here = there && !chance.one_in(3);
        if here {
            world.push(format!("key kv1/{key}"));
            keys.push(key);
            if chance.one_in(3) {
                world.push(format!("rotate kv1/{key}"));
            }
        }
        let create = if here && chance.one_in(2) { "" } else { "create: { size: 2048 }, " };
        let life = if chance.one_in(3) { chance.pick(&LIVES).copied().unwrap_or_default() } else { "" };
        keys_spec.push(format!("{key}: {{ {create}{life} }}"));
    }
    if !keys.is_empty() && chance.one_in(4) {
        world.push("days 100".to_owned());
    }
    let create = if there && chance.one_in(2) { "" } else { "create: {}, " };
    // A vault whose keys no account uses need not be protected.
    let used = !chance.one_in(8);
    let protection = if used { "purgeProtection: true, " } else { "" };
    let _ = writeln!(spec, "vaults: {{ kv1: {{ {create}{protection}keys: {{ {} }} }} }}", keys_spec.join(", "));
    let shared = if chance.one_in(3) { Some(identity(chance, group, there, &mut world, &mut spec)) } else { None };
    let place = Place { group, vault: there && protected, keys: &keys, used };
    spec.push_str("accounts:\n");
    for name in ["st1", "st2", "st3"].into_iter().take(1 + usize::try_from(chance.below(3)).unwrap()) {
        let as_shared = shared.filter(|_| chance.one_in(2));
        spec.push_str(&match as_shared {
            Some(shared) => account_as_shared(chance, name, &place, shared, &mut world),
            None => account(chance, name, &place, &mut world),
        });
    }
    if chance.one_in(if spec.contains("retireOldVersions") { 2 } else { 8 }) {
        world.push("days 3".to_owned());
    }
    // What somebody closed in the beginning, only an operator opens again.
    let open = ["main", "next"]
        .into_iter()
        .zip(&keys_spec)
        .find(|(key, spec)| keys.contains(key) && spec.contains("enabled: true"));
    if let Some((key, _)) = open.filter(|_| chance.one_in(3)) {
        world.push(format!("disable kv1/{key}"));
    }
    (world, spec)
}

/// In some scenes the second key is brought from outside, where it is to be made in a vault that is there. Draws nothing, so
/// that all else of a seed is as it is without.
fn with_own_key(seed: u64, world: &[String], spec: String) -> String {
    let there = world.iter().any(|line| line.starts_with("vault kv1"));
    let own =
        "next: { create: { size: 2048 }, import: { env: KEY, thumbprint: NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs }";
    let is_here = world.iter().any(|line| line == "key kv1/next");
    let renews = ["rotation", "maxAge"].iter().any(|field| {
        spec.split("next: {").nth(1).is_some_and(|rest| rest.lines().next().unwrap_or_default().contains(field))
    });
    if there && !is_here && !renews && !seed.is_multiple_of(3) {
        spec.replace("next: { create: { size: 2048 }, ", &format!("{own}, "))
    } else {
        spec
    }
}

/// What may be asked of a key through its life. In a world that nobody has meddled with, none of it opens or closes anything
/// that an account needs.
const LIVES: [&str; 8] = [
    "maxAge: P90D",
    "maxAge: P90D, retireOldVersions: P2D",
    "retireOldVersions: P1D",
    "tags: { team: pay }",
    "tags: { team: pay }, expires: 2099-01-31",
    "rotation: { every: P90D }",
    "rotation: { every: P90D, expireAfter: P2Y, notifyBefore: P30D }, maxAge: P60D",
    "enabled: true",
];

/// Where accounts are to be.
struct Place<'a> {
    group: bool,
    /// Whether there is a vault that keeps its keys.
    vault: bool,
    keys: &'a [&'a str],
    used: bool,
}

/// A user-assigned identity, for accounts to share: whether it is there, and whether it is let at the vault's keys.
#[derive(Clone, Copy)]
struct Shared {
    here: bool,
    let_in: bool,
}

fn identity(chance: &mut Chance, group: bool, vault: bool, world: &mut Vec<String>, spec: &mut String) -> Shared {
    let here = group && chance.one_in(2);
    let let_in = here && vault && chance.one_in(2);
    world.extend(here.then(|| "identity id1".to_owned()));
    world.extend(let_in.then(|| "let id1 kv1".to_owned()));
    let create = if here && chance.one_in(2) { "" } else { "create: {}" };
    let _ = writeln!(spec, "identities: {{ id1: {{ {create} }} }}");
    Shared { here, let_in }
}

/// An account that is to reach its key as the shared identity: without one, with it, under a key as it, or still as its own.
fn account_as_shared(
    chance: &mut Chance,
    name: &str,
    place: &Place<'_>,
    shared: Shared,
    world: &mut Vec<String>,
) -> String {
    let here = place.group && !chance.one_in(3);
    let own = chance.one_in(3);
    if here {
        world.push(format!("account {name}{}", if own { " identity" } else { "" }));
        let key = chance.pick(place.keys).filter(|_| place.vault && !chance.one_in(3));
        match key {
            Some(key) if own => {
                world.push(format!("grant {name} kv1 get wrapKey unwrapKey"));
                world.push(format!("bound {name} kv1/{key}"));
            }
            Some(key) if shared.let_in => {
                world.push(format!("has {name} id1"));
                world.push(format!("as id1 {name} kv1/{key}"));
            }
            Some(_) | None if shared.here && chance.one_in(2) => world.push(format!("has {name} id1")),
            Some(_) | None => {}
        }
    }
    let create = if here && chance.one_in(2) { "" } else { "create: {}, " };
    let goes = own && place.used && chance.one_in(2);
    let system = match (own, goes) {
        (true, true) => "removeIdentities: [systemAssigned], ",
        (true, false) => "identity: systemAssigned, ",
        (false, _) => "",
    };
    if !place.used {
        return format!("  {name}: {{ {create}{system}identities: [id1] }}\n");
    }
    let key = *chance.pick(&["main", "main", "next"]).unwrap();
    let version = *chance.pick(&["latest", "auto"]).unwrap();
    format!(
        "  {name}: {{ {create}{system}identities: [id1], encryption: {{ key: kv1/{key}, version: {version}, identity: id1 }} }}\n"
    )
}

fn account(chance: &mut Chance, name: &str, place: &Place<'_>, world: &mut Vec<String>) -> String {
    let Place { group, vault, keys, used } = *place;
    let here = group && !chance.one_in(3);
    if here {
        let identity = !chance.one_in(3);
        world.push(format!("account {name}{}", if identity { " identity" } else { "" }));
        if chance.one_in(4) {
            world.push(format!("users {name}"));
        }
        if identity && vault && !chance.one_in(3) {
            let full = !chance.one_in(4);
            world.push(format!("grant {name} kv1 {}", if full { "get wrapKey unwrapKey" } else { "get wrapKey" }));
            if chance.one_in(4) {
                world.push(format!("grant {name} kv1 list sign"));
            }
            if let Some(key) = chance.pick(keys).filter(|_| full && !chance.one_in(3)) {
                let auto = if chance.one_in(2) { " auto" } else { "" };
                world.push(format!("bound {name} kv1/{key}{auto}"));
                if chance.one_in(3) {
                    world.push(format!("rotate kv1/{key}"));
                }
            }
        }
    }
    let create = if here && chance.one_in(2) { "" } else { "create: {}, " };
    if !used || chance.one_in(10) {
        return format!("  {name}: {{ {create}identity: systemAssigned }}\n");
    }
    let key = *chance.pick(&["main", "main", "next"]).unwrap();
    let version = *chance.pick(&["latest", "auto"]).unwrap();
    let permissions = if chance.one_in(3) { ", permissions: [get, wrapKey, unwrapKey, recover]" } else { "" };
    format!(
        "  {name}: {{ {create}identity: systemAssigned, encryption: {{ key: kv1/{key}, version: {version}{permissions} }} }}\n"
    )
}

/// The access of an account that is under a key is taken away.
fn emergency(chance: &mut Chance, world: &[String], wanted: &Desired) -> Option<(usize, u64, Act)> {
    let bound: Vec<&str> =
        world.iter().filter_map(|line| line.strip_prefix("bound ")?.split_whitespace().next()).collect();
    let name = *chance.pick(&bound)?;
    let account = wanted.accounts.values().find(|account| account.id.name.as_str() == name)?;
    let vault = wanted.vaults.values().next()?;
    let at = 1 + chance.below(12);
    // Not an emergency, but as sudden: a part of the account comes under a key of its own.
    let key = world.iter().find_map(|line| line.strip_prefix(&format!("bound {name} kv1/"))?.split_whitespace().next());
    if let Some((key, _)) = wanted.keys().find(|(one, _)| Some(one.name.as_str()) == key).filter(|_| chance.one_in(3)) {
        return Some((0, at, Act::ScopeUnderKey(account.id.clone(), key)));
    }
    Some((0, at, Act::Revoke(account.id.clone(), vault.id.clone())))
}

impl Scene {
    /// Plays the scene; what `as_told` says holds for every run of it.
    pub(super) fn play(&self, as_told: &How) -> Seen {
        in_virtual_time(self.played(as_told)).expect("virtual time can be had")
    }

    async fn played(&self, as_told: &How) -> Seen {
        let wanted = desired(&self.spec);
        let (world, start) = world(&self.world.join("\n"), self.pace);
        let stage = Stage::new(&wanted, world, start, self.meddling.clone());
        let how = |turn: &Turn| How {
            script: turn.script.clone(),
            crash: turn.crash,
            concurrency: self.concurrency,
            latency: std::time::Duration::from_millis(self.latency),
            ..self.as_told(as_told)
        };
        let hows: Vec<How> = self.turns.iter().map(how).collect();
        match hows.as_slice() {
            [one, two] if self.twin => {
                futures::join!(stage.run(&wanted, one), stage.run(&wanted, two));
            }
            all => {
                for how in all {
                    stage.run(&wanted, how).await;
                }
            }
        }
        let all_is_true = self.end(&stage, &self.as_told(as_told)).await;
        stage.imports(&wanted, all_is_true).await;
        stage.witness(|witness| Seen {
            breaches: witness.breaches().to_vec(),
            log: witness.log().to_vec(),
            met: witness.met_all().clone(),
        })
    }

    fn as_told(&self, how: &How) -> How {
        let mut how = how.clone();
        how.accepts.extend(self.opens.then_some(RiskClass::Reopening));
        how
    }

    /// All is well again. Only somebody's harm may lead to a refusal, and then nothing is written. True if in the end all
    /// is as desired.
    async fn end(&self, stage: &Stage, as_told: &How) -> bool {
        let wanted = desired(&self.spec);
        super::stories::key_shows(stage).await;
        let is_deleted = self.world.iter().any(|line| line.starts_with("delete"));
        let is_closed = self.world.iter().any(|line| line.starts_with("disable ")) || (is_deleted && !self.opens);
        // A run that moves an account off a key may leave versions of it that nobody needs: the next one sees that.
        if self.spec.contains("retireOldVersions") {
            stage.run(&wanted, as_told).await;
        }
        if !is_closed && self.meddling.acts.iter().all(|(_, _, act)| act.is_harmless()) {
            return stage.converges_as(&wanted, as_told).await;
        }
        // What comes back shows only then, and with it what somebody did to it.
        for _ in 0..2 {
            let last = stage.run(&wanted, as_told).await;
            if last.ended.is_refused() {
                stage.hold("S13", last.effects == 0, || "something was written although the plan refuses".to_owned());
                return false;
            }
        }
        // Who is under a version that somebody disabled cannot read, and it is not for us to enable it.
        let is_shut = is_closed || self.meddling.acts.iter().any(|(_, _, act)| matches!(act, Act::Disable(_)));
        !is_shut && stage.converges_as(&wanted, as_told).await
    }

    /// The same failure with less: as long as anything can be left out, it is.
    pub(super) fn shrunk(&self, as_told: &How) -> Self {
        let broken = |scene: &Self| scene.play(as_told).breaches.first().map(|breach| breach.invariant);
        let wanted = broken(self);
        let mut best = self.clone();
        while let Some(less) = best.lesser().into_iter().find(|less| wanted.is_some() && broken(less) == wanted) {
            best = less;
        }
        best
    }

    /// Every scene that lacks one thing of this one.
    fn lesser(&self) -> Vec<Self> {
        let mut all = vec![];
        for at in 0..self.turns.len() {
            if !self.twin && self.turns.len() > 1 && !self.meddling.acts.iter().any(|(run, _, _)| *run >= at) {
                let mut less = self.clone();
                less.turns.remove(at);
                all.push(less);
            }
            if self.turns[at].crash.is_some() {
                let mut less = self.clone();
                less.turns[at].crash = None;
                all.push(less);
            }
            for number in self.turns[at].script.mishaps.keys() {
                let mut less = self.clone();
                less.turns[at].script.mishaps.remove(number);
                all.push(less);
            }
            if !self.turns[at].script.hidden.is_empty() {
                let mut less = self.clone();
                less.turns[at].script.hidden.clear();
                all.push(less);
            }
        }
        for at in 0..self.meddling.acts.len() {
            let mut less = self.clone();
            less.meddling.acts.remove(at);
            all.push(less);
        }
        if self.twin {
            all.push(Self { twin: false, ..self.clone() });
        }
        all
    }

    /// Saves the scene for somebody to step through: `cmk plan spec.yaml --sandbox=sandbox.json`.
    pub(super) fn save(&self, seen: &Seen) -> PathBuf {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("simulation/seed-{}", self.seed));
        std::fs::create_dir_all(&folder).expect("the folder for failures");
        let (world, _) = world(&self.world.join("\n"), self.pace);
        std::fs::write(folder.join("spec.yaml"), whole(&self.spec)).expect("the spec can be saved");
        Sandbox::write(&folder.join("sandbox.json"), &world).expect("the sandbox can be saved");
        let text = format!("{self:#?}\n\n{}\n", seen.log.join("\n"));
        std::fs::write(folder.join("log.txt"), text).expect("the log can be saved");
        folder
    }
}
