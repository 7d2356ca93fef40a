//! The worlds that a proof of a spec starts from.

use super::clock::BEGINNING;
use super::hand::Hand;
use crate::model::{Account, Desired, Encryption, Key, KeyType, Vault, VersionRule};
use crate::sandbox::{Millis, Pace, Watch, World};
use serde_json::{Value, json};

/// Something that happened to a world since it was as desired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drift {
    /// Other teams wrote tags, entries and identities of their own beside ours.
    Neighbours,
    /// Every key has a new version.
    Rotated,
    /// Every second account is back at Microsoft's key.
    Unbound,
    /// Access that no account uses now was taken away.
    Revoked,
    /// Accounts have the identities again that the spec takes from them.
    Regained,
}

impl Drift {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Neighbours, Self::Rotated, Self::Unbound, Self::Revoked, Self::Regained];

    /// What it is, as the end of "from a world in which".
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Neighbours => "other teams have written beside us",
            Self::Rotated => "every key has a new version",
            Self::Unbound => "every second account is back at Microsoft's key",
            Self::Revoked => "unused access was taken away",
            Self::Regained => "accounts have identities again that they are to lose",
        }
    }

    /// Whether a spec says anything that it touches.
    pub(super) fn concerns(self, desired: &Desired) -> bool {
        match self {
            Self::Neighbours | Self::Rotated | Self::Unbound | Self::Revoked => true,
            Self::Regained => desired.accounts.values().any(|account| !account.removes.is_empty()),
        }
    }

    /// Lets it happen.
    pub(super) fn happen(self, desired: &Desired, hand: &mut Hand<'_>) {
        match self {
            Self::Neighbours => super::meddle::acts(desired)
                .iter()
                .filter(|act| act.is_harmless() && !matches!(act, super::Act::Rotate(_)))
                .for_each(|act| {
                    act.perform(hand);
                }),
            Self::Rotated => rotate_all(desired, hand),
            Self::Unbound => every_second(desired).for_each(|account| {
                hand.bind(&account.id.to_string(), None);
            }),
            Self::Revoked => every_second(desired).for_each(|account| {
                hand.bind(&account.id.to_string(), None);
                let vault = account.encryption.as_ref().and_then(|wanted| desired.vaults.get(&wanted.key.vault));
                if let (Some(vault), Some(principal)) = (vault, hand.principal(&account.id.to_string())) {
                    let all = ["get", "wrapKey", "unwrapKey", "recover"];
                    hand.grant(&vault.id.to_string(), "remove", &principal, "keys", &all);
                }
            }),
            Self::Regained => desired.accounts.values().for_each(|account| {
                for id in &account.removes.user {
                    hand.arm("PUT", &id.to_string(), &json!({ "location": location(desired, account) }));
                }
                hand.attach(&account.id.to_string(), &account.removes);
            }),
        }
    }
}

fn every_second(desired: &Desired) -> impl Iterator<Item = &Account> {
    desired.accounts.values().filter(|account| account.encryption.is_some()).step_by(2)
}

/// What the owner of keys, as whom cmk runs, may do with them: what a key's life takes.
const OWNER: [&str; 6] = ["create", "get", "update", "rotate", "getrotationpolicy", "setrotationpolicy"];

/// The owner of the keys lets themselves in first, and waits until that counts.
fn rotate_all(desired: &Desired, hand: &mut Hand<'_>) {
    for vault in desired.vaults.values() {
        let owner = crate::sandbox::CALLER_OBJECT_ID;
        hand.grant(&vault.id.to_string(), "add", owner, "keys", &OWNER);
    }
    hand.wait(arrival_seconds(hand.world.pace()));
    // A key that is brought from outside has no other versions.
    for (key, _) in desired.keys().filter(|(_, wanted)| wanted.import.is_none()) {
        hand.rotate(key.vault.as_str(), key.name.as_str());
    }
}

/// When all that was begun is through.
pub(super) fn arrival_seconds(pace: Pace) -> i64 {
    let Pace { account_creation, vault_dns, grant_propagation, .. } = pace;
    1 + account_creation.max(vault_dns).max(grant_propagation) / 1000
}

/// A world in which nothing is but what the spec expects to find: those things are there, and bare.
pub(super) fn empty(desired: &Desired, pace: Pace, watch: &Watch) -> Result<(World, Millis), String> {
    let mut world = bare(desired, pace);
    world.set_watch(watch.clone());
    let mut hand = Hand { world: &mut world, now: BEGINNING };
    for (id, group) in desired.groups.iter().filter(|(_, group)| !group.create) {
        let location = group.location.as_ref().map_or("westeurope", |location| location.as_str());
        made(hand.group(&id.to_string(), location), &format!("resource group {}", id.name))?;
    }
    for vault in desired.vaults.values().filter(|vault| is_there(desired, vault)) {
        group_of(&mut hand, desired, &vault.id.group)?;
        there(desired, &mut hand, vault)?;
    }
    for account in desired.accounts.values().filter(|account| account.create.is_none()) {
        group_of(&mut hand, desired, &account.id.group)?;
        let (path, location) = (account.id.to_string(), location(desired, account));
        made(hand.make_account(&path, &location, "Standard_LRS", "StorageV2", false), &path)?;
    }
    let_importer_in(desired, &mut hand)?;
    hand.wait(arrival_seconds(pace));
    let now = hand.now;
    let mut world = with_versions(desired, world)?;
    // What was written down and read again has forgotten who reads along.
    world.set_watch(watch.clone());
    Ok((world, now))
}

/// Keys of one's own are imported by somebody who may: in vaults that go by roles, by a role at the subscription.
pub(super) fn let_importer_in(desired: &Desired, hand: &mut Hand<'_>) -> Result<(), String> {
    let own = |vault: &&Vault| vault.keys.values().any(|key| key.import.is_some());
    for vault in desired.vaults.values().filter(own) {
        let scope = format!("/subscriptions/{}", vault.id.group.subscription);
        match hand.let_in(&scope) {
            // They hold it already.
            409 => {}
            status => made(status, &format!("a role at {scope}"))?,
        }
    }
    Ok(())
}

/// A world with the subscriptions of a spec and nothing in them.
pub(super) fn bare(desired: &Desired, pace: Pace) -> World {
    let mut world = World::new(pace);
    let groups = desired.groups.keys();
    let of_vaults = desired.vaults.values().map(|vault| &vault.id.group);
    let of_accounts = desired.accounts.values().map(|account| &account.id.group);
    for group in groups.chain(of_vaults).chain(of_accounts) {
        world.add_subscription(group.subscription.as_str());
    }
    world
}

/// A thing that is there needs its group, even if the spec would have made that.
fn group_of(hand: &mut Hand<'_>, desired: &Desired, id: &crate::model::GroupId) -> Result<(), String> {
    if hand.arm("GET", &id.to_string(), &Value::Null).0 == 200 {
        return Ok(());
    }
    let location = desired.groups.get(id).and_then(|group| group.location.as_ref());
    made(hand.group(&id.to_string(), location.map_or("westeurope", |one| one.as_str())), &id.to_string())
}

fn made(status: u16, what: &str) -> Result<(), String> {
    if (200..300).contains(&status) { Ok(()) } else { Err(format!("the sandbox cannot make {what}: {status}")) }
}

fn has_exact(desired: &Desired, vault: &Vault, key: &crate::model::KeyName) -> bool {
    exact(desired).any(|(wanted, _)| wanted.key.vault == vault.id.name && wanted.key.name == *key)
}

/// The bindings to one version for good, which has to be there.
fn exact(desired: &Desired) -> impl Iterator<Item = (&Encryption, &str)> {
    desired.accounts.values().filter_map(|account| account.encryption.as_ref()).filter_map(|wanted| {
        match &wanted.version {
            VersionRule::Exact(version) => Some((wanted, version.as_str())),
            VersionRule::Latest | VersionRule::Auto => None,
        }
    })
}

/// Whether a vault has to be there: it is not to be made, or something in it is not.
fn is_there(desired: &Desired, vault: &Vault) -> bool {
    vault.create.is_none()
        || vault.keys.iter().any(|(name, key)| key.create.is_none() || has_exact(desired, vault, name))
}

fn there(desired: &Desired, hand: &mut Hand<'_>, vault: &Vault) -> Result<(), String> {
    let path = vault.id.to_string();
    let user = desired
        .accounts
        .values()
        .find(|account| account.encryption.as_ref().is_some_and(|wanted| wanted.key.vault == vault.id.name));
    let of_user = user.and_then(|account| account.location.as_ref());
    let location = vault.location.as_ref().or(of_user).map_or("westeurope", |location| location.as_str());
    let hardware = |key: &Key| key.create.as_ref().is_some_and(|create| create.kind == KeyType::RsaHsm);
    let sku = match &vault.create {
        Some(create) => create.sku.as_str(),
        None if vault.keys.values().any(hardware) => "premium",
        None => "standard",
    };
    // Bare, unless the spec could not mend it.
    let protected = vault.purge_protection != Some(true);
    made(hand.make_vault(&path, location, sku, protected), &path)?;
    for (name, key) in &vault.keys {
        if key.create.is_none() || has_exact(desired, vault, name) {
            made(hand.make_key(&path, name.as_str(), "RSA", 3072), &format!("{path}/keys/{name}"))?;
        }
    }
    Ok(())
}

/// Where an account is that the spec does not place: where its vault is.
fn location(desired: &Desired, account: &Account) -> String {
    let vault = account.encryption.as_ref().and_then(|wanted| desired.vaults.get(&wanted.key.vault));
    let of_vault = vault.and_then(|vault| vault.location.as_ref());
    account.location.as_ref().or(of_vault).map_or("westeurope", |location| location.as_str()).to_owned()
}

/// Gives the newest version of each key the id that the spec names, which nobody but Key Vault can choose in Azure.
fn with_versions(desired: &Desired, world: World) -> Result<World, String> {
    if exact(desired).next().is_none() {
        return Ok(world);
    }
    let unread = |error: serde_json::Error| format!("the sandbox cannot be written down: {error}");
    let mut whole = serde_json::to_value(&world).map_err(unread)?;
    for (wanted, version) in exact(desired) {
        let (vault, key) = (wanted.key.vault.as_str(), wanted.key.name.as_str());
        let place = format!("/state/vaults/{}/keys/{}/versions", vault.to_ascii_lowercase(), key.to_ascii_lowercase());
        let versions = whole.pointer_mut(&place).and_then(Value::as_array_mut);
        let Some(versions) = versions else { return Err(format!("the sandbox has no key {vault}/{key}")) };
        let held = versions.iter().any(|one| one["id"] == version);
        match versions.last().cloned() {
            Some(last) if !held && versions.len() == 1 && !is_named(desired, &last["id"]) => {
                versions[0]["id"] = json!(version);
            }
            Some(mut last) if !held => {
                last["id"] = json!(version);
                versions.insert(0, last);
            }
            Some(_) | None => {}
        }
    }
    serde_json::from_value(whole).map_err(unread)
}

fn is_named(desired: &Desired, id: &Value) -> bool {
    exact(desired).any(|(_, version)| id == version)
}
