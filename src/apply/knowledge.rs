//! What is known while a plan is applied: the observation it was made from, kept current by looks and answers.

use crate::azure::{Azure, Failure};
use crate::model::{
    AccountName, Check, Desired, Fact, KeyRef, Observed, Seen, SeenAccount, SeenVault, VaultId, VaultName, VersionRule,
    Who,
};
use crate::observe;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long the answer of our own write to an account stands for the look before the next one.
const FRESH_FOR: Duration = Duration::from_secs(30);

/// The shared knowledge of all steps that run.
#[derive(Debug)]
pub(super) struct Knowledge<'a> {
    /// Whose newest answer says what time it is in Azure.
    clock: &'a Azure,
    desired: &'a Desired,
    observed: Mutex<Observed>,
    /// When Azure last answered a write of this run to an account with the whole account.
    answered: Mutex<HashMap<AccountName, Instant>>,
}

impl<'a> Knowledge<'a> {
    pub(super) fn new(azure: &'a Azure, desired: &'a Desired, observed: Observed) -> Self {
        Self { clock: azure, desired, observed: Mutex::new(observed), answered: Mutex::default() }
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

    /// The look before a step. Where the step only binds an account, the answer of a write a moment ago, which gave it
    /// its identity, was that look: once.
    pub(super) async fn look_before(&self, azure: &Azure, gives: &[Fact]) -> Result<(), Failure> {
        let [Fact::EncryptedWith(account, key, rule, _)] = gives else { return self.look(azure, gives).await };
        let answered = self.answers().remove(account);
        if answered.is_none_or(|at| at.elapsed() > FRESH_FOR) {
            return self.look(azure, gives).await;
        }
        self.look_for_latest(azure, key, rule).await
    }

    /// Looks again at everything that these facts speak of, at each thing once, through a step's own client.
    pub(super) async fn look(&self, azure: &Azure, facts: &[Fact]) -> Result<(), Failure> {
        let mut seen: Vec<String> = vec![];
        for fact in facts {
            let subject = fact.subject();
            if !seen.contains(&subject) {
                self.look_at(azure, fact).await?;
                seen.push(subject);
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
            Fact::KeyUsable(key, VersionRule::Latest | VersionRule::Auto) | Fact::KeyLive(key) => {
                self.look_at_key(azure, key, false).await?;
            }
            Fact::KeyUsable(key, VersionRule::Exact(_)) | Fact::KeyEnabled(key, _) => {
                self.look_at_key(azure, key, true).await?;
            }
            Fact::IdentityLive(id) => {
                let seen = observe::user_identity(azure, id).await?;
                self.observed().identities.insert(id.clone(), seen);
            }
            Fact::AccountLive(account)
            | Fact::Attached(account, _)
            | Fact::MicrosoftManaged(account)
            | Fact::BoundTo(account, ..)
            | Fact::EncryptedWith(account, ..) => {
                if let Some(wanted) = self.desired.accounts.get(account) {
                    let seen = observe::account(azure, &wanted.id).await?;
                    self.observed().accounts.insert(account.clone(), seen);
                }
                if let Fact::EncryptedWith(_, key, rule, _) | Fact::BoundTo(_, key, rule) = fact {
                    self.look_for_latest(azure, key, rule).await?;
                }
            }
        }
        Ok(())
    }

    /// What is the latest version may have changed since, and an older one must not be pinned.
    async fn look_for_latest(&self, azure: &Azure, key: &KeyRef, rule: &VersionRule) -> Result<(), Failure> {
        match rule {
            VersionRule::Latest => self.look_at_key(azure, key, false).await,
            VersionRule::Auto | VersionRule::Exact(_) => Ok(()),
        }
    }

    /// Looks at a key, at all its versions when asked or when the current one is disabled.
    async fn look_at_key(&self, azure: &Azure, key: &KeyRef, all_versions: bool) -> Result<(), Failure> {
        let Some(id) = self.vault_id(&key.vault) else { return Ok(()) };
        let host = self.vault(id).map(|vault| vault.host);
        let had_all = self.observed().keys.get(key).and_then(Seen::known).is_some_and(|key| key.all_versions);
        let seen = observe::key(azure, id, host.as_deref(), key, all_versions || had_all).await?;
        self.observed().keys.insert(key.clone(), seen);
        Ok(())
    }

    fn vault_id(&self, vault: &VaultName) -> Option<&VaultId> {
        self.desired.vaults.get(vault).map(|vault| &vault.id)
    }
}
