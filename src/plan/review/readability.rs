//! Whether an account can read its data, before and after a plan, and what may come in between.

use super::super::action::{Action, Binds};
use super::super::types::{Step, StepId};
use super::Radius;
use crate::model::fact::pinned_version;
use crate::model::{
    AccountName, Binding, Check, Desired, Fact, KeyPermission, KeyRef, Observed, Seen, SeenAccount, SeenVault,
    Timestamp, VaultName, VersionRule, Who,
};
use std::collections::{BTreeMap, BTreeSet};

/// Whether one account can read its data, before, during and after a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readability {
    /// The account.
    pub account: AccountName,
    /// How it is when the plan is made.
    pub before: Reads,
    /// What may come in between, if anything: since when, and for how long.
    pub during: Option<String>,
    /// How it is when all steps are taken.
    pub after: Reads,
    /// The steps that change it.
    pub steps: Vec<StepId>,
}

/// Whether data can be read, and through what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reads {
    /// There is no account, so there is no data.
    NotThere,
    /// Yes, through a key that Microsoft manages.
    ByMicrosoft,
    /// Yes, through this key.
    ByKey(String),
    /// No: why.
    No(String),
    /// It cannot be told from what was seen: why.
    Unknown(String),
}

impl Reads {
    /// The name used in documents.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NotThere => "notThere",
            Self::ByMicrosoft => "byMicrosoft",
            Self::ByKey(_) => "byKey",
            Self::No(_) => "no",
            Self::Unknown(_) => "unknown",
        }
    }

    /// Through what, or why not.
    pub fn detail(&self) -> &str {
        match self {
            Self::NotThere | Self::ByMicrosoft => "",
            Self::ByKey(detail) | Self::No(detail) | Self::Unknown(detail) => detail,
        }
    }

    /// Whether there is data that can certainly be read.
    pub fn is_yes(&self) -> bool {
        matches!(self, Self::ByMicrosoft | Self::ByKey(_))
    }
}

/// Whether one account can read its data now.
pub fn reads(account: &AccountName, desired: &Desired, observed: &Observed) -> Reads {
    Look { desired, observed }.before(account)
}

/// The readability of every account that a plan touches.
pub(super) fn readability(steps: &[Step], radius: &Radius, desired: &Desired, observed: &Observed) -> Vec<Readability> {
    let look = Look { desired, observed };
    let mut theirs: BTreeMap<AccountName, Vec<&Step>> = BTreeMap::new();
    for step in steps {
        for account in concerned(&step.action, observed) {
            theirs.entry(account).or_default().push(step);
        }
    }
    radius.accounts.iter().map(|name| look.account(name, theirs.get(name).map_or(&[], Vec::as_slice))).collect()
}

/// The accounts whose data a step is about.
fn concerned(action: &Action, observed: &Observed) -> Vec<AccountName> {
    match action {
        Action::CreateAccount { id, .. } | Action::AttachIdentity { id, .. } | Action::DetachIdentity { id, .. } => {
            vec![id.name.clone()]
        }
        Action::Grant { who, .. } => super::reaching(who, observed),
        Action::EnableVersion { .. } | Action::DisableVersion { .. } => super::under(action, observed),
        Action::RecoverVault { .. } | Action::RecoverKey { .. } => super::bound_to(action, observed),
        Action::RevokeAccess { account, .. }
        | Action::LeaveKey { account, .. }
        | Action::SwitchIdentity { account, .. }
        | Action::SetEncryption { account, .. } => vec![account.name.clone()],
        Action::CreateGroup { .. }
        | Action::CreateVault { .. }
        | Action::ProtectVault { .. }
        | Action::SetAudit { .. }
        | Action::CreateIdentity { .. }
        | Action::MarkKey { .. }
        | Action::SetRotation { .. }
        | Action::RotateKey { .. }
        | Action::CreateKey { .. }
        | Action::ImportKey { .. } => vec![],
    }
}

const SAME_KEY: &str = "readable throughout: both identities may unwrap with the key, which stays";
const THROUGHOUT: &str = "readable throughout: Azure wraps anew in one operation, and on failure keeps the former key";

struct Look<'a> {
    desired: &'a Desired,
    observed: &'a Observed,
}

impl Look<'_> {
    fn account(&self, name: &AccountName, steps: &[&Step]) -> Readability {
        let before = self.before(name);
        let mut after = before.clone();
        let mut during = None;
        let mut changed_by = vec![];
        for step in steps {
            let Some((reads, meanwhile)) = self.step(name, step, &after) else { continue };
            if reads != after {
                changed_by.push(step.id.clone());
            }
            after = reads;
            during = meanwhile.or(during);
        }
        Readability { account: name.clone(), before, during, after, steps: changed_by }
    }

    /// What one step makes of an account's readability; nothing when it has no part in it.
    fn step(&self, name: &AccountName, step: &Step, so_far: &Reads) -> Option<(Reads, Option<String>)> {
        match &step.action {
            Action::CreateAccount { key: None, .. } => Some((Reads::ByMicrosoft, None)),
            Action::CreateAccount { key: Some(Binds { key, version, since, .. }), .. } => {
                Some((self.by_key(key, version, *since), None))
            }
            // What comes back is seen afterwards: access may have been taken, and versions disabled, before it went.
            Action::RecoverVault { .. } | Action::RecoverKey { .. } if !so_far.is_yes() => {
                let why = "it can, if it could when its key was deleted; that shows once the key is back".to_owned();
                Some((Reads::Unknown(why), None))
            }
            Action::EnableVersion { .. } if matches!(so_far, Reads::No(_)) => {
                let wait = "not readable until Storage notices that the version is enabled, within minutes".to_owned();
                Some((self.as_bound(name), Some(wait)))
            }
            Action::DisableVersion { key, version, leaving, .. } if !leaving.contains(name) => {
                let why = format!("version {version} of key {key} is disabled");
                let wait = "how soon that takes effect is Azure's to say: minutes, up to an hour".to_owned();
                Some((Reads::No(why), Some(wait)))
            }
            Action::Grant { .. } if matches!(so_far, Reads::No(_)) => {
                let wait = "not readable until Azure honours the grant, usually within 5 minutes".to_owned();
                Some((self.as_bound(name), Some(wait)))
            }
            Action::SetEncryption { account, key, version, since, .. } if account.name == *name => {
                let meanwhile = so_far.is_yes().then(|| THROUGHOUT.to_owned());
                Some((self.by_key(key, version, *since), meanwhile))
            }
            Action::SwitchIdentity { key, version, .. } => {
                let meanwhile = so_far.is_yes().then(|| SAME_KEY.to_owned());
                Some((self.by_key(key, version, None), meanwhile))
            }
            Action::LeaveKey { account, .. } if account.name == *name => {
                Some((Reads::ByMicrosoft, so_far.is_yes().then(|| THROUGHOUT.to_owned())))
            }
            Action::RevokeAccess { account, vault, .. } if account.name == *name => {
                let reaches_by_it = self.bound_vault(name) == Some(&vault.name);
                let why = format!("its identity has no access to vault {} any more", vault.name);
                let wait = "how soon the revocation takes effect is Azure's to say: minutes, up to an hour".to_owned();
                reaches_by_it.then_some((Reads::No(why), Some(wait)))
            }
            _ => None,
        }
    }

    /// Through a key, with its version where that is known: not yet where the plan brings it about, `since` a moment.
    fn by_key(&self, key: &KeyRef, version: &VersionRule, since: Option<Timestamp>) -> Reads {
        if since.is_some() {
            return Reads::ByKey(format!("{key} at its newest version"));
        }
        let seen = self.observed.keys.get(key).and_then(Seen::known);
        let pinned = seen.and_then(|seen| pinned_version(seen, version));
        Reads::ByKey(pinned.map_or_else(|| key.to_string(), |version| format!("{key} version {version}")))
    }

    /// The vault of the key that an account is bound to, if it was seen.
    fn bound_vault(&self, name: &AccountName) -> Option<&VaultName> {
        let seen = self.observed.accounts.get(name).and_then(Seen::known)?;
        self.vault_of(seen.encryption.binding.as_ref()?).map(|(vault, _)| vault)
    }

    fn before(&self, name: &AccountName) -> Reads {
        match self.observed.accounts.get(name) {
            Some(Seen::Absent) => Reads::NotThere,
            Some(Seen::Hidden(reason)) => Reads::Unknown(reason.to_string()),
            None => Reads::Unknown("nobody looked".to_owned()),
            Some(Seen::Known(seen)) => match &seen.encryption.binding {
                None => Reads::ByMicrosoft,
                Some(binding) => self.bound(seen, binding),
            },
        }
    }

    /// What an account that is bound to a key reads through, once it may.
    fn as_bound(&self, name: &AccountName) -> Reads {
        let seen = self.observed.accounts.get(name).and_then(Seen::known);
        match seen.and_then(|seen| seen.encryption.binding.as_ref()) {
            Some(binding) => Reads::ByKey(in_words(binding)),
            None => Reads::ByMicrosoft,
        }
    }

    fn bound(&self, seen: &SeenAccount, binding: &Binding) -> Reads {
        let held = binding.user_assigned_identity.as_deref().unwrap_or_default();
        let Some(who) = seen.reaches_as() else {
            return Reads::Unknown(format!("it reaches its key as {held}, whose access is not read"));
        };
        match &who {
            Who::System(_) if seen.identity.system_principal.is_none() => {
                return Reads::No("it has no identity to reach its key with".to_owned());
            }
            Who::User(id) if !self.observed.identities.contains_key(id) => {
                return Reads::Unknown(format!("it reaches its key as {held}, whose access is not read"));
            }
            Who::User(id) if !seen.identity.has_user(id) => {
                return Reads::No(format!("it no longer has the identity {} to reach its key with", id.name));
            }
            Who::System(_) | Who::User(_) => {}
        }
        let Some((vault, _)) = self.vault_of(binding) else {
            return match self.lost_vault(binding) {
                Some(vault) => Reads::No(format!("vault {vault}, which holds its key, does not exist")),
                None => Reads::Unknown(format!("it is bound to {}, which the spec does not name", in_words(binding))),
            };
        };
        let unwrap = BTreeSet::from([KeyPermission::UnwrapKey]);
        let Ok(key) = crate::model::KeyName::parse(&binding.key).map(|name| KeyRef { vault: vault.clone(), name })
        else {
            return Reads::Unknown(format!("{} is no name of a key", binding.key));
        };
        let mut needs = vec![Fact::CanUnwrap(who, key.clone(), unwrap)];
        let version = binding.in_use();
        needs.extend(version.map(|version| Fact::KeyEnabled(key, version.clone())));
        for need in needs {
            match need.check(self.observed) {
                Check::Yes | Check::Pending(_) => {}
                Check::No(why) => return Reads::No(why),
                Check::Unknown(why) => return Reads::Unknown(why),
            }
        }
        Reads::ByKey(in_words(binding))
    }

    fn vault_of(&self, binding: &Binding) -> Option<(&VaultName, &SeenVault)> {
        let seen = self.observed.vaults.iter().filter_map(|(name, seen)| Some((name, seen.known()?)));
        seen.into_iter().find(|(_, vault)| vault.host.eq_ignore_ascii_case(&binding.vault_host))
    }

    /// The vault of the spec that a binding names and that is gone. A host begins with its vault's name.
    fn lost_vault(&self, binding: &Binding) -> Option<&VaultName> {
        let label = binding.vault_host.split('.').next()?;
        let name = self.desired.vaults.keys().find(|name| name.as_str().eq_ignore_ascii_case(label))?;
        self.observed.vaults.get(name).filter(|seen| seen.is_absent()).map(|_| name)
    }
}

fn in_words(binding: &Binding) -> String {
    let label = binding.vault_host.split('.').next().unwrap_or(&binding.vault_host);
    let version = binding.in_use();
    let version = version.map_or(String::new(), |version| format!(" version {version}"));
    format!("{label}/{}{version}", binding.key)
}
