//! (Desired, Observed) -> Evidence: what can be shown to hold, thing by thing. Pure; shares no code with the planner.
//!
//! The planner says what to do; this says what is so, for an auditor. The two come to
//! the same end by different ways: an account that the planner leaves alone must be
//! one for which everything here holds.

use crate::model::{
    Access, Account, AccountId, AccountName, Binding, Check, Desired, Encryption, Fact, KeyPermission, KeyRef, MayUse,
    Observed, Seen, SeenAccount, Timestamp, Vault, VaultName, Version, VersionRule,
};
use std::collections::BTreeSet;

/// What can be shown of everything that is desired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// When Azure was looked at, by its own clock.
    pub at: Timestamp,
    /// Every statement that should hold, and whether it does.
    pub findings: Vec<Finding>,
    /// What ARM reports of each account that should be encrypted with a key.
    pub accounts: Vec<AccountEvidence>,
}

/// A statement that should hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The thing: `account stbilling`.
    pub subject: String,
    /// The statement.
    pub statement: String,
    /// Whether it holds.
    pub check: Check,
}

/// What ARM reports of an account's encryption, and of what that hangs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountEvidence {
    /// The account.
    pub id: AccountId,
    /// The key that it should be encrypted with.
    pub key: KeyRef,
    /// The version that it is pinned to, if it is.
    pub pinned: Option<Version>,
    /// The version that is in use, from `currentVersionedKeyIdentifier`.
    pub current: Option<Version>,
    /// When the binding last changed, from `lastKeyRotationTimestamp`, as Azure writes it.
    pub rotated: Option<String>,
    /// The identity that unwraps, by principal id.
    pub principal: Option<String>,
    /// What that identity may do with the vault's keys, in Azure's words.
    pub permissions: Vec<String>,
    /// When the version in use expires, if it does.
    pub expires: Option<Timestamp>,
}

impl Evidence {
    /// Whether everything that should hold was seen to hold.
    pub fn is_proved(&self) -> bool {
        self.findings.iter().all(|finding| finding.check.is_yes())
    }
}

/// Holds everything that is desired against what was observed.
pub fn verify(desired: &Desired, observed: &Observed) -> Evidence {
    let mut facts: Vec<Fact> = desired.groups.keys().cloned().map(Fact::GroupLive).collect();
    for (name, vault) in &desired.vaults {
        facts.extend(vault_facts(desired, name, vault));
    }
    for (name, account) in &desired.accounts {
        facts.extend(account_facts(name, account));
    }
    let mut findings: Vec<Finding> = facts
        .iter()
        .map(|fact| Finding { subject: fact.subject(), statement: fact.to_string(), check: fact.check(observed) })
        .collect();
    let bound = desired.accounts.values().filter_map(|account| Some((account, account.encryption.as_ref()?)));
    findings.extend(bound.clone().map(|(account, encryption)| reported(account, encryption, observed)));
    let accounts = bound.map(|(account, encryption)| evidence(account, encryption, observed)).collect();
    Evidence { at: observed.at, findings, accounts }
}

fn vault_facts(desired: &Desired, name: &VaultName, vault: &Vault) -> Vec<Fact> {
    let mut facts = vec![Fact::VaultLive(name.clone())];
    let is_used =
        desired.accounts.values().any(|account| account.encryption.as_ref().is_some_and(|e| e.key.vault == *name));
    if is_used || vault.purge_protection == Some(true) {
        facts.push(Fact::PurgeProtected(name.clone()));
    }
    for (key, wanted) in &vault.keys {
        let key = KeyRef { vault: name.clone(), name: key.clone() };
        facts.push(Fact::KeyLive(key.clone()));
        facts.extend(wanted.import.iter().map(|own| Fact::KeyHolds(key.clone(), own.thumbprint.clone())));
    }
    facts
}

fn account_facts(name: &AccountName, account: &Account) -> Vec<Fact> {
    let mut facts = vec![Fact::AccountLive(name.clone())];
    facts.extend(account.identity.of(&account.id).map(|who| Fact::Attached(name.clone(), who)));
    facts.extend(account.removes.of(&account.id).map(|who| Fact::Detached(name.clone(), who)));
    if account.leaves_key {
        facts.push(Fact::MicrosoftManaged(name.clone()));
    }
    if let Some(Encryption { key, version, who, permissions, scope: _ }) = &account.encryption {
        match account.access {
            Access::Granted => {
                facts.push(Fact::KeyUsable(key.clone(), version.clone()));
                facts.push(Fact::CanUnwrap(who.clone(), key.clone(), permissions.clone()));
            }
            Access::Revoked => facts.push(Fact::NoAccess(who.clone(), key.vault.clone())),
        }
        facts.push(Fact::EncryptedWith(name.clone(), key.clone(), version.clone(), who.clone()));
    }
    facts
}

fn seen<'a>(account: &Account, observed: &'a Observed) -> Option<&'a SeenAccount> {
    observed.accounts.get(&account.id.name).and_then(Seen::known)
}

fn binding<'a>(account: &Account, observed: &'a Observed) -> Option<&'a Binding> {
    seen(account, observed)?.encryption.binding.as_ref()
}

/// Whether the version that ARM reports to be in use is the wanted one. What is asked for and what is in use are two
/// fields of Azure's, and only the second says what the data is under.
fn reported(account: &Account, encryption: &Encryption, observed: &Observed) -> Finding {
    let name = &account.id.name;
    let current = binding(account, observed).and_then(|binding| binding.current.as_ref());
    let key = observed.keys.get(&encryption.key).and_then(Seen::known);
    let wanted = match &encryption.version {
        VersionRule::Exact(version) => Some(version),
        VersionRule::Latest => key.and_then(|key| key.newest_enabled()).map(|version| &version.id),
        // Azure follows by itself within a day, so any version in use is as wanted.
        VersionRule::Auto => current,
    };
    let check = match (current, wanted) {
        (None, _) => Check::No("Azure reports no version in use".to_owned()),
        (Some(current), Some(wanted)) if current == wanted => Check::Yes,
        (Some(current), Some(wanted)) => Check::No(format!("Azure reports version {current}, not {wanted}")),
        (Some(_), None) => Check::Unknown("which version is the newest could not be seen".to_owned()),
    };
    Finding {
        subject: format!("account {name}"),
        statement: format!("Azure reports the wanted version of {} to be in use for account {name}", encryption.key),
        check,
    }
}

fn evidence(account: &Account, encryption: &Encryption, observed: &Observed) -> AccountEvidence {
    let bound = binding(account, observed);
    let principal = encryption.who.principal(observed).map(str::to_owned);
    let key = observed.keys.get(&encryption.key).and_then(Seen::known);
    let current = bound.and_then(|binding| binding.current.clone());
    let in_use = key.zip(current.as_ref()).and_then(|(key, version)| key.version(version));
    let vault = observed.vaults.get(&encryption.key.vault).and_then(Seen::known);
    let held = |permission: &KeyPermission| {
        let one = BTreeSet::from([*permission]);
        let pair = vault.zip(principal.as_deref());
        pair.is_some_and(|(vault, who)| vault.lets(who, Some(encryption.key.name.as_str()), &one) == MayUse::Yes)
    };
    AccountEvidence {
        id: account.id.clone(),
        key: encryption.key.clone(),
        pinned: bound.and_then(|binding| binding.version.clone()),
        rotated: bound.and_then(|binding| binding.rotated.clone()),
        permissions: KeyPermission::ALL.iter().filter(|one| held(one)).map(ToString::to_string).collect(),
        expires: in_use.and_then(|version| version.expires),
        current,
        principal,
    }
}

/// Holds what ARM reports after a run against what it reported before: for every account that was bound anew, the moment
/// of the last rotation must have moved. An unmoved one means that Azure took the request and changed nothing.
pub fn moved(before: &Evidence, after: &Evidence, bound: &[AccountName]) -> Vec<Finding> {
    let rotated = |evidence: &Evidence, name: &AccountName| {
        evidence.accounts.iter().find(|account| account.id.name == *name).and_then(|account| account.rotated.clone())
    };
    bound
        .iter()
        .map(|name| Finding {
            subject: format!("account {name}"),
            statement: format!("Azure reports that the key of account {name} was changed by this run"),
            check: match (rotated(before, name), rotated(after, name)) {
                (_, None) => Check::No("it reports no rotation at all".to_owned()),
                (Some(before), Some(after)) if before == after => {
                    Check::No(format!("the last rotation is still {before}"))
                }
                (_, Some(_)) => Check::Yes,
            },
        })
        .collect()
}
