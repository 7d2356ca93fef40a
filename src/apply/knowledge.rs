//! What is known while a plan is applied: the observation it was made from, kept current by looks and answers.

use crate::azure::{Azure, Failure};
use crate::model::{
    AccountId, AccountName, Check, Desired, Fact, KeyRef, Observed, Seen, SeenAccount, SeenIdentity, SeenKey,
    SeenRotation, SeenVault, VaultId, VaultName, VersionRule, Who,
};
use crate::observe::{self, KeySight};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long the answer of our own write to an account stands for the look before the next one.
const FRESH_FOR: Duration = Duration::from_secs(30);

/// How long a look at the newest version of a key serves for all accounts that are bound to it.
const LATEST_FOR: Duration = Duration::from_secs(10);

const ALL_VERSIONS: KeySight = KeySight { all: true, versions: vec![], rotation: false, material: false };

/// The shared knowledge of all steps that run.
#[derive(Debug)]
pub(super) struct Knowledge<'a> {
    /// Whose newest answer says what time it is in Azure.
    clock: &'a Azure,
    desired: &'a Desired,
    observed: Mutex<Observed>,
    /// The identities that accounts had when the plan was made, without those that the spec takes from them.
    held: BTreeMap<AccountName, SeenIdentity>,
    /// When Azure last answered a write of this run to an account with the whole account.
    answered: Mutex<HashMap<AccountName, Instant>>,
    /// When the newest version of a key was last looked at before an account was bound to it. Whoever holds the inner lock
    /// looks, and the others wait for that.
    latest: Mutex<HashMap<KeyRef, Arc<tokio::sync::Mutex<Option<Instant>>>>>,
}

impl<'a> Knowledge<'a> {
    pub(super) fn new(azure: &'a Azure, desired: &'a Desired, observed: Observed) -> Self {
        let wanted = desired.accounts.iter();
        let held = wanted.filter_map(|(name, wanted)| {
            let seen = observed.accounts.get(name)?.known()?;
            Some((name.clone(), seen.identity.without(&wanted.removes)))
        });
        let held = held.collect();
        let (answered, latest) = (Mutex::default(), Mutex::default());
        Self { clock: azure, desired, observed: Mutex::new(observed), held, answered, latest }
    }

    /// What is known at this moment. Not to be held while waiting for anything.
    pub(super) fn observed(&self) -> MutexGuard<'_, Observed> {
        self.observed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether a fact holds in what is known, by Azure's newest clock.
    pub(super) fn check(&self, fact: &Fact) -> Check {
        let mut observed = self.observed();
        observed.at = observed.at.max(self.clock.now());
        fact.check(&observed)
    }

    /// An identity that an account had when the plan was made, is to keep and, as it was last seen, has no more. To give it
    /// another one, or to take one away, would then take this one away for good, if only the look was out of date.
    pub(super) fn lost_identity(&self, id: &AccountId) -> Option<String> {
        let observed = self.observed();
        let now = &observed.accounts.get(&id.name).and_then(Seen::known)?.identity;
        let before = self.held.get(&id.name)?;
        if before.system_principal.is_some() && now.system_principal.is_none() {
            return Some("of its own".to_owned());
        }
        let is_lost = |one: &&String| !now.user_assigned.iter().any(|held| held.eq_ignore_ascii_case(one));
        before.user_assigned.iter().find(is_lost).cloned()
    }

    /// The accounts that were last seen to reach their keys as this identity.
    pub(super) fn reaching_as(&self, who: &Who) -> Vec<SeenAccount> {
        let observed = self.observed();
        let seen: Vec<&SeenAccount> = match who {
            Who::System(id) => observed.accounts.get(&id.name).and_then(Seen::known).into_iter().collect(),
            Who::User(_) => observed.accounts.values().filter_map(Seen::known).collect(),
        };
        let by_it = |seen: &&SeenAccount| seen.encryption.binding.as_ref().is_some_and(|one| one.is_by(who));
        seen.into_iter().filter(by_it).cloned().collect()
    }

    /// Whether the newest version of a key was last seen to be disabled.
    pub(super) fn is_shut(&self, key: &KeyRef) -> bool {
        let observed = self.observed();
        let seen = observed.keys.get(key).and_then(Seen::known);
        seen.and_then(SeenKey::current).is_some_and(|newest| !newest.enabled)
    }

    /// A vault as it was last seen.
    pub(super) fn vault(&self, id: &VaultId) -> Option<SeenVault> {
        self.observed().vaults.get(&id.name).and_then(Seen::known).cloned()
    }

    /// Takes in the answer of a write, which shows the whole account.
    pub(super) fn answered(&self, seen: SeenAccount) {
        let name = seen.id.name.clone();
        self.observed().accounts.insert(name.clone(), Seen::Known(seen));
        self.answers().insert(name, Instant::now());
    }

    fn answers(&self) -> MutexGuard<'_, HashMap<AccountName, Instant>> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The look before a step. Where the step binds an account, two looks may be saved: the answer of a write a moment ago,
    /// which gave the account its identity, was the look at it, once; and the newest version of a key is looked at once
    /// for all accounts that are bound to it at that time.
    pub(super) async fn look_before(&self, azure: &Azure, gives: &[Fact]) -> Result<(), Failure> {
        let [Fact::EncryptedWith(account, key, rule, _), rest @ ..] = gives else {
            return self.look(azure, gives).await;
        };
        if rest.iter().any(|fact| matches!(fact, Fact::PinnedSince(..))) {
            return self.look(azure, gives).await;
        }
        let only_binds = rest.iter().all(|fact| matches!(fact, Fact::NotUnder(..) | Fact::NotReachedAs(..)));
        if !(only_binds && self.was_answered(account)) {
            self.look_at_account(azure, account).await?;
        }
        match rule {
            VersionRule::Latest => self.look_at_latest(azure, key).await,
            VersionRule::Auto | VersionRule::Exact(_) => Ok(()),
        }
    }

    /// Whether a write of this run was just answered with the whole account. Says so once.
    fn was_answered(&self, account: &AccountName) -> bool {
        let at = self.answers().remove(account);
        at.is_some_and(|at| at.elapsed() <= FRESH_FOR)
    }

    /// Looks at the newest version of a key, unless that was done a moment ago or is being done.
    async fn look_at_latest(&self, azure: &Azure, key: &KeyRef) -> Result<(), Failure> {
        let shared = {
            let mut all = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(key.clone()).or_default())
        };
        let mut looked = shared.lock().await;
        if looked.is_some_and(|at| at.elapsed() <= LATEST_FOR) {
            return Ok(());
        }
        self.look_at_key(azure, key, KeySight::default()).await?;
        *looked = Some(Instant::now());
        Ok(())
    }

    /// Looks again at everything that these facts speak of, at each thing once, through a step's own client.
    pub(super) async fn look(&self, azure: &Azure, facts: &[Fact]) -> Result<(), Failure> {
        let mut seen: Vec<String> = vec![];
        for fact in facts {
            let subject = fact.subject();
            if !seen.contains(&subject) {
                self.look_at(azure, fact).await?;
                seen.push(subject);
                seen.extend(looked_for_latest(fact).map(|key| Fact::KeyLive(key.clone()).subject()));
            }
        }
        Ok(())
    }

    async fn look_at(&self, azure: &Azure, fact: &Fact) -> Result<(), Failure> {
        match fact {
            Fact::GroupLive(id) => {
                let seen = observe::group(azure, id).await?;
                self.observed().groups.insert(id.clone(), seen);
            }
            Fact::VaultLive(vault)
            | Fact::PurgeProtected(vault)
            | Fact::CanUnwrap(_, KeyRef { vault, .. }, _)
            | Fact::NoAccess(_, vault) => {
                if let Some(id) = self.vault_id(vault) {
                    let seen = observe::vault(azure, id).await?;
                    self.observed().vaults.insert(vault.clone(), seen);
                }
            }
            Fact::Audited(vault, _) => {
                if let Some(id) = self.vault_id(vault) {
                    let seen = observe::diagnostics(azure, id).await?;
                    self.observed().audits.insert(vault.clone(), seen);
                }
            }
            Fact::KeyUsable(key, VersionRule::Latest | VersionRule::Auto)
            | Fact::KeyLive(key)
            | Fact::KeyHolds(key, _)
            | Fact::KeyMarked(key, _)
            | Fact::RotatedSince(key, _) => self.look_at_key(azure, key, KeySight::default()).await?,
            Fact::KeyUsable(key, VersionRule::Exact(_)) | Fact::KeyEnabled(key, _) | Fact::VersionDisabled(key, _) => {
                self.look_at_key(azure, key, ALL_VERSIONS).await?;
            }
            Fact::RotatesBy(key, _) => {
                self.look_at_key(azure, key, KeySight { rotation: true, ..KeySight::default() }).await?;
            }
            Fact::Retirable(key, ..) => {
                self.look_at_key(azure, key, ALL_VERSIONS).await?;
                self.look_at_users(azure, key).await?;
            }
            Fact::IdentityLive(id) => {
                let seen = observe::user_identity(azure, id).await?;
                self.observed().identities.insert(id.clone(), seen);
            }
            Fact::AccountLive(account)
            | Fact::Attached(account, _)
            | Fact::Detached(account, _)
            | Fact::NotReachedAs(account, _)
            | Fact::MicrosoftManaged(account)
            | Fact::NotUnder(account, ..) => self.look_at_account(azure, account).await?,
            Fact::NoScopeUnderKey(account) => self.look_at_scopes(azure, account).await?,
            Fact::BoundTo(account, key, rule) | Fact::EncryptedWith(account, key, rule, _) => {
                self.look_at_account(azure, account).await?;
                self.look_for_latest(azure, key, rule).await?;
            }
            Fact::PinnedSince(account, key, _) => {
                self.look_at_account(azure, account).await?;
                self.look_for_latest(azure, key, &VersionRule::Latest).await?;
            }
        }
        Ok(())
    }

    async fn look_at_account(&self, azure: &Azure, account: &AccountName) -> Result<(), Failure> {
        if let Some(wanted) = self.desired.accounts.get(account) {
            let seen = observe::account(azure, &wanted.id).await?;
            self.observed().accounts.insert(account.clone(), seen);
        }
        Ok(())
    }

    async fn look_at_scopes(&self, azure: &Azure, account: &AccountName) -> Result<(), Failure> {
        if let Some(wanted) = self.desired.accounts.get(account) {
            let seen = observe::scopes(azure, &wanted.id).await?;
            self.observed().scopes.insert(account.clone(), seen);
        }
        Ok(())
    }

    /// What is the latest version may have changed since, and an older one must not be pinned.
    async fn look_for_latest(&self, azure: &Azure, key: &KeyRef, rule: &VersionRule) -> Result<(), Failure> {
        match rule {
            VersionRule::Latest => self.look_at_key(azure, key, KeySight::default()).await,
            VersionRule::Auto | VersionRule::Exact(_) => Ok(()),
        }
    }

    /// Looks at a key, at least as closely as it was looked at before. A rotation policy that was seen stays as it was
    /// where nobody asks for it again.
    async fn look_at_key(&self, azure: &Azure, key: &KeyRef, sight: KeySight) -> Result<(), Failure> {
        let Some(id) = self.vault_id(&key.vault) else { return Ok(()) };
        let host = self.vault(id).map(|vault| vault.host);
        let before = self.observed().keys.get(key).and_then(Seen::known).cloned();
        let had_all = before.as_ref().is_some_and(|key| key.all_versions);
        // An account may be under a version that is no longer the newest: what was known of it is not forgotten.
        let known = before.iter().flat_map(|key| &key.versions).map(|version| version.id.clone()).collect();
        let material = self.desired.key(key).is_some_and(|wanted| wanted.import.is_some());
        let sight = KeySight { all: sight.all || had_all, versions: known, material, ..sight };
        let seen = match observe::key(azure, id, host.as_deref(), &key.name, &sight).await? {
            Seen::Known(seen) => Seen::Known(SeenKey { rotation: seen.rotation.or_else(|| before?.rotation), ..seen }),
            other => other,
        };
        self.observed().keys.insert(key.clone(), seen);
        Ok(())
    }

    /// Looks who uses a key, over all subscriptions of the spec.
    async fn look_at_users(&self, azure: &Azure, key: &KeyRef) -> Result<(), Failure> {
        let Some(host) = self.vault_id(&key.vault).and_then(|id| self.vault(id)).map(|vault| vault.host) else {
            return Ok(());
        };
        let all = observe::sweep(azure, &self.desired.subscriptions()).await?;
        self.observed().users.insert(key.clone(), all.of(&host, key.name.as_str()));
        Ok(())
    }

    /// Takes in what the vault itself answered about a key that was imported.
    pub(super) fn answered_import(&self, key: &KeyRef, answer: SeenKey) {
        self.observed().keys.insert(key.clone(), Seen::Known(answer));
    }

    /// Takes in what the vault itself answered about one version of a key.
    pub(super) fn answered_version(&self, key: &KeyRef, answer: SeenKey) {
        let mut observed = self.observed();
        if let Some(Seen::Known(seen)) = observed.keys.get_mut(key)
            && let Some(version) = answer.versions.into_iter().next()
        {
            let id = version.id.clone();
            seen.take_in(version);
            if seen.current().is_some_and(|current| current.id == id) {
                seen.tags = answer.tags;
            }
        }
    }

    /// Takes in what the vault itself answered about a key's rotation policy.
    pub(super) fn answered_policy(&self, key: &KeyRef, policy: SeenRotation) {
        if let Some(Seen::Known(seen)) = self.observed().keys.get_mut(key) {
            seen.rotation = Some(Seen::Known(policy));
        }
    }

    fn vault_id(&self, vault: &VaultName) -> Option<&VaultId> {
        self.desired.vaults.get(vault).map(|vault| &vault.id)
    }
}

/// The key that is looked at together with the account that a fact is about, since its newest version counts.
fn looked_for_latest(fact: &Fact) -> Option<&KeyRef> {
    match fact {
        Fact::BoundTo(_, key, VersionRule::Latest)
        | Fact::EncryptedWith(_, key, VersionRule::Latest, _)
        | Fact::PinnedSince(_, key, _) => Some(key),
        _ => None,
    }
}
