//! Looks at everything that the desired state speaks of, and at what that depends on. Writes nothing, judges nothing.

use super::look::{self, KeySight};
use super::users;
use crate::azure::{Azure, Failure};
use crate::model::audit::SeenSetting;
use crate::model::{
    Account, AccountId, AccountName, Binding, Desired, Enabled, GroupId, IdentityId, Key, KeyLife, KeyName, KeyRef,
    Location, NameState, Observed, Seen, SeenAccount, SeenDeletedKey, SeenGroup, SeenKey, SeenLock, SeenScope,
    SeenSubscription, SeenUserIdentity, SeenVault, SubscriptionId, VaultName, VersionRule, Who,
};
use futures::future::try_join_all;
use futures::try_join;
use std::collections::{BTreeMap, BTreeSet};

/// Looks at the groups, vaults, keys and accounts that are desired, and whether the names of those to be made are free.
///
/// Fails when nothing could be said: no connection, no sign-in, a subscription that is
/// not there, answers that make no sense. What may not be seen is no failure.
pub async fn observe(desired: &Desired, azure: &Azure) -> Result<Observed, Failure> {
    let (groups, vaults, identities, accounts) = try_join!(
        all_groups(desired, azure),
        all_vaults(desired, azure),
        all_identities(desired, azure),
        all_accounts(desired, azure),
    )?;
    let (keys, subscriptions, vault_names, account_names) = try_join!(
        all_keys(desired, azure, &vaults, &accounts),
        all_subscriptions(desired, azure, &vaults),
        all_vault_names(desired, azure, &vaults, &groups),
        all_account_names(desired, azure, &accounts),
    )?;
    let (deleted_keys, audits, scopes) = try_join!(
        all_deleted_keys(desired, azure, &vaults, &keys),
        all_audits(desired, azure, &vaults),
        all_scopes(desired, azure, &accounts),
    )?;
    let at = azure.now();
    let (locks, outsiders) = (BTreeMap::new(), BTreeMap::new());
    let (users, vault_users) = (BTreeMap::new(), BTreeMap::new());
    Ok(Observed {
        at,
        subscriptions,
        groups,
        vaults,
        vault_names,
        keys,
        identities,
        accounts,
        account_names,
        deleted_keys,
        locks,
        outsiders,
        scopes,
        audits,
        users,
        vault_users,
        sweep: None,
    })
}

/// Looks at the locks of subscriptions. Not part of [`observe`]: only a plan with steps has use for them.
pub async fn locks(
    subscriptions: &BTreeSet<SubscriptionId>,
    azure: &Azure,
) -> Result<BTreeMap<SubscriptionId, Seen<Vec<SeenLock>>>, Failure> {
    let looks = subscriptions.iter().map(async |id| Ok((id.clone(), look::locks(azure, id).await?)));
    Ok(try_join_all(looks).await?.into_iter().collect())
}

/// Whether deleted keys hold the names of keys that are to be made in vaults that are there.
async fn all_deleted_keys(
    desired: &Desired,
    azure: &Azure,
    vaults: &Map<VaultName, SeenVault>,
    keys: &Map<KeyRef, SeenKey>,
) -> Result<Map<KeyRef, SeenDeletedKey>, Failure> {
    let wanted = desired.keys().filter(|(key, wanted)| wanted.create.is_some() && is_absent(keys, key));
    let looks = wanted.filter_map(|(key, _)| {
        // A vault whose name is not in the DNS yet was made a moment ago, and holds nothing.
        let vault = vaults.get(&key.vault).and_then(Seen::known).filter(|vault| vault.is_ready())?;
        Some(async move { Ok((key.clone(), look::deleted_key(azure, &vault.host, &key.name).await?)) })
    });
    Ok(try_join_all(looks).await?.into_iter().collect())
}

/// The diagnostic settings of vaults that are there, where the spec speaks of their audit logs.
async fn all_audits(
    desired: &Desired,
    azure: &Azure,
    vaults: &Map<VaultName, SeenVault>,
) -> Result<Map<VaultName, Vec<SeenSetting>>, Failure> {
    let is_there = |name: &VaultName| vaults.get(name).and_then(Seen::known).is_some();
    let wanted = desired.vaults.iter().filter(|(name, wanted)| !wanted.audit.is_empty() && is_there(name));
    let looks = wanted.map(async |(name, wanted)| Ok((name.clone(), look::diagnostics(azure, &wanted.id).await?)));
    Ok(try_join_all(looks).await?.into_iter().collect())
}

/// The encryption scopes of accounts that are to lose an identity which they have, or to reach their keys as another one.
async fn all_scopes(
    desired: &Desired,
    azure: &Azure,
    accounts: &Map<AccountName, SeenAccount>,
) -> Result<Map<AccountName, Vec<SeenScope>>, Failure> {
    let concerned = desired.accounts.iter().filter_map(|(name, wanted)| {
        let seen = accounts.get(name).and_then(Seen::known)?;
        let loses = !seen.identity.still_has(&wanted.removes).is_empty();
        (loses || changes_reader(wanted, seen)).then_some((name, &wanted.id))
    });
    let looks = concerned.map(async |(name, id)| Ok((name.clone(), users::scopes(azure, id).await?)));
    Ok(try_join_all(looks).await?.into_iter().collect())
}

/// Whether the scopes of an account, if it has any, are to be read as somebody else than now.
fn changes_reader(wanted: &Account, seen: &SeenAccount) -> bool {
    let Some(now) = seen.scopes_reach_as() else { return false };
    match &wanted.encryption {
        Some(encryption) => encryption.who != now,
        None => wanted.leaves_key && matches!(now, Who::User(_)),
    }
}

/// Looks at subscriptions as well, at those that were not looked at: a guard has to know their tenants.
pub async fn add_subscriptions(
    observed: &mut Observed,
    wanted: impl IntoIterator<Item = SubscriptionId>,
    azure: &Azure,
) -> Result<(), Failure> {
    let unseen = wanted.into_iter().filter(|id| !observed.subscriptions.contains_key(id));
    let looks = unseen.map(async |id| Ok((id.clone(), look::subscription(azure, &id).await?)));
    let seen: Map<SubscriptionId, SeenSubscription> = try_join_all(looks).await?.into_iter().collect();
    observed.subscriptions.extend(seen);
    Ok(())
}

type Map<K, T> = BTreeMap<K, Seen<T>>;

async fn all_groups(desired: &Desired, azure: &Azure) -> Result<Map<GroupId, SeenGroup>, Failure> {
    let looks = desired.groups.keys().map(async |id| Ok((id.clone(), look::group(azure, id).await?)));
    Ok(try_join_all(looks).await?.into_iter().collect())
}

async fn all_vaults(desired: &Desired, azure: &Azure) -> Result<Map<VaultName, SeenVault>, Failure> {
    let looks =
        desired.vaults.iter().map(async |(name, wanted)| Ok((name.clone(), look::vault(azure, &wanted.id).await?)));
    Ok(try_join_all(looks).await?.into_iter().collect())
}

async fn all_identities(desired: &Desired, azure: &Azure) -> Result<Map<IdentityId, SeenUserIdentity>, Failure> {
    let looks = desired.identities.keys().map(async |id| Ok((id.clone(), look::user_identity(azure, id).await?)));
    Ok(try_join_all(looks).await?.into_iter().collect())
}

/// From how many accounts of one resource group on a list of that group takes the place of a look at each.
const LISTED_FROM: usize = 4;

async fn all_accounts(desired: &Desired, azure: &Azure) -> Result<Map<AccountName, SeenAccount>, Failure> {
    let mut groups: BTreeMap<&GroupId, Vec<&AccountId>> = BTreeMap::new();
    for wanted in desired.accounts.values() {
        groups.entry(&wanted.id.group).or_default().push(&wanted.id);
    }
    let looks = groups.into_iter().map(|(group, wanted)| accounts_of(group, wanted, azure));
    Ok(try_join_all(looks).await?.into_iter().flatten().collect())
}

/// Looks at accounts of one group, many by one list. What a list does not show is looked at by itself: a list leaves out
/// what may not be seen.
async fn accounts_of(
    group: &GroupId,
    wanted: Vec<&AccountId>,
    azure: &Azure,
) -> Result<Map<AccountName, SeenAccount>, Failure> {
    let listed = if wanted.len() < LISTED_FROM { vec![] } else { look::accounts(azure, group).await? };
    let mut listed: BTreeMap<AccountName, SeenAccount> =
        listed.into_iter().filter(|seen| seen.id.group == *group).map(|seen| (seen.id.name.clone(), seen)).collect();
    let mut seen = Map::new();
    let mut unlisted = vec![];
    for id in wanted {
        match listed.remove(&id.name) {
            Some(account) => drop(seen.insert(id.name.clone(), Seen::Known(account))),
            None => unlisted.push(id),
        }
    }
    let looks = unlisted.into_iter().map(async |id| Ok((id.name.clone(), look::account(azure, id).await?)));
    seen.extend(try_join_all(looks).await?);
    Ok(seen)
}

/// The subscriptions in which a vault is to be made: it needs their tenant.
async fn all_subscriptions(
    desired: &Desired,
    azure: &Azure,
    vaults: &Map<VaultName, SeenVault>,
) -> Result<Map<SubscriptionId, SeenSubscription>, Failure> {
    let needed: BTreeSet<&SubscriptionId> = desired
        .vaults
        .iter()
        .filter(|(name, wanted)| wanted.create.is_some() && is_absent(vaults, name))
        .map(|(_, wanted)| &wanted.id.group.subscription)
        .collect();
    let looks = needed.into_iter().map(async |id| Ok((id.clone(), look::subscription(azure, id).await?)));
    Ok(try_join_all(looks).await?.into_iter().collect())
}

async fn all_vault_names(
    desired: &Desired,
    azure: &Azure,
    vaults: &Map<VaultName, SeenVault>,
    groups: &Map<GroupId, SeenGroup>,
) -> Result<Map<VaultName, NameState>, Failure> {
    let wanted = desired.vaults.iter().filter(|(name, wanted)| wanted.create.is_some() && is_absent(vaults, name));
    let looks = wanted.map(async |(name, wanted)| {
        let location = wanted.location.as_ref().or_else(|| location_of(&wanted.id.group, desired, groups));
        let elsewhere = if wanted.recover { desired.subscriptions() } else { BTreeSet::new() };
        Ok((name.clone(), look::vault_name(azure, &wanted.id, location, &elsewhere).await?))
    });
    Ok(try_join_all(looks).await?.into_iter().collect())
}

/// A group's region, as it is or as it is to be.
fn location_of<'a>(id: &GroupId, desired: &'a Desired, groups: &'a Map<GroupId, SeenGroup>) -> Option<&'a Location> {
    let seen = groups.get(id).and_then(Seen::known).map(|group| &group.location);
    seen.or_else(|| desired.groups.get(id)?.location.as_ref())
}

async fn all_account_names(
    desired: &Desired,
    azure: &Azure,
    accounts: &Map<AccountName, SeenAccount>,
) -> Result<Map<AccountName, NameState>, Failure> {
    let wanted = desired.accounts.iter().filter(|(name, wanted)| wanted.create.is_some() && is_absent(accounts, name));
    let looks = wanted.map(async |(name, wanted)| Ok((name.clone(), look::account_name(azure, &wanted.id).await?)));
    Ok(try_join_all(looks).await?.into_iter().collect())
}

fn is_absent<K: Ord, T>(seen: &Map<K, T>, name: &K) -> bool {
    seen.get(name).is_some_and(Seen::is_absent)
}

/// The keys that are desired, and those that accounts are bound to now in vaults of the spec.
async fn all_keys(
    desired: &Desired,
    azure: &Azure,
    vaults: &Map<VaultName, SeenVault>,
    accounts: &Map<AccountName, SeenAccount>,
) -> Result<Map<KeyRef, SeenKey>, Failure> {
    let sights = sights(desired, azure, vaults, accounts);
    let looks = sights.into_iter().map(async |(key, sight)| {
        let seen = one_key(desired, azure, vaults, &key, &sight).await?;
        Ok((key, seen))
    });
    Ok(try_join_all(looks).await?.into_iter().collect())
}

async fn one_key(
    desired: &Desired,
    azure: &Azure,
    vaults: &Map<VaultName, SeenVault>,
    key: &KeyRef,
    sight: &KeySight,
) -> Result<Seen<SeenKey>, Failure> {
    match vaults.get(&key.vault) {
        Some(Seen::Known(vault)) => match look::key(azure, &vault.id, Some(&vault.host), &key.name, sight).await {
            Err(failure) if !vault.is_ready() => look::unless_fatal(failure),
            result => result,
        },
        // Without the vault there is no key, and nobody to ask.
        Some(Seen::Absent) => Ok(Seen::Absent),
        Some(Seen::Hidden(_)) | None => {
            // Spelled as the spec does, which is what ARM was asked with.
            let name = desired.vaults.get(&key.vault).map_or(&key.vault, |vault| &vault.id.name);
            look::key_in_vault(azure, name, &key.name, sight).await
        }
    }
}

/// Which keys have to be looked at, and how closely.
fn sights(
    desired: &Desired,
    azure: &Azure,
    vaults: &Map<VaultName, SeenVault>,
    accounts: &Map<AccountName, SeenAccount>,
) -> BTreeMap<KeyRef, KeySight> {
    let mut sights: BTreeMap<KeyRef, KeySight> = desired.keys().map(|(key, wanted)| (key, sight(wanted))).collect();
    for encryption in desired.accounts.values().filter_map(|account| account.encryption.as_ref()) {
        let sight = sights.entry(encryption.key.clone()).or_default();
        match &encryption.version {
            VersionRule::Exact(version) => sight.versions.push(version.clone()),
            VersionRule::Latest | VersionRule::Auto => {}
        }
    }
    let bindings = accounts.values().filter_map(|account| account.known()?.encryption.binding.as_ref());
    for (binding, key) in bindings.filter_map(|binding| Some((binding, bound_key(binding, desired, azure, vaults)?))) {
        let sight = sights.entry(key.clone()).or_default();
        sight.all |= desired.key(&key).is_none();
        // The version that wraps the data key: to move off it, it has to be seen. An account that follows the newest
        // version has taken up an older one until Azure has looked again.
        sight.versions.extend(binding.in_use().cloned());
    }
    sights
}

/// What has to be seen of a key for what is asked of it.
fn sight(wanted: &Key) -> KeySight {
    let KeyLife { enabled, versions, marks: _, rotation, max_age: _, rotated_since: _, retire_after } = &wanted.life;
    // To enable what is in use, or the newest, the versions in use and the newest are enough.
    let disables = matches!(enabled, Some(Enabled::No)) || retire_after.is_some();
    KeySight {
        all: disables || !versions.is_empty(),
        versions: vec![],
        rotation: rotation.is_some(),
        material: wanted.import.is_some(),
    }
}

/// The key that an account is bound to, if it is in a vault of the spec.
fn bound_key(
    binding: &Binding,
    desired: &Desired,
    azure: &Azure,
    vaults: &Map<VaultName, SeenVault>,
) -> Option<KeyRef> {
    let host = |name: &VaultName| match vaults.get(name).and_then(Seen::known) {
        Some(vault) => vault.host.clone(),
        None => azure.cloud().vault_host(name),
    };
    let vault = desired.vaults.keys().find(|name| host(name).eq_ignore_ascii_case(&binding.vault_host))?;
    Some(KeyRef { vault: vault.clone(), name: KeyName::parse(&binding.key).ok()? })
}
