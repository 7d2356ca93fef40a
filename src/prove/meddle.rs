//! Bystanders: other people and programs who change the same things between our requests.

use super::chance::Chance;
use super::hand::{Hand, OTHERS};
use crate::model::{AccountId, Desired, Identities, IdentityId, IdentityName, KeyRef, Location, VaultId};
use serde_json::json;

/// Something that somebody else does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Another team gets more access to a vault.
    GrantOthers(VaultId),
    /// Another team's entry is taken away.
    RevokeOthers(VaultId),
    /// Tags are written on a vault.
    TagVault(VaultId),
    /// Tags and a setting are written on an account.
    TagAccount(AccountId),
    /// A user-assigned identity is attached to an account, beside what it has.
    AttachUser(AccountId),
    /// A key gets a new version.
    Rotate(KeyRef),
    /// An account's access to a vault is taken away, in an emergency.
    Revoke(AccountId, VaultId),
    /// A key's newest version is disabled.
    Disable(KeyRef),
    /// An account's own identity is removed.
    Detach(AccountId),
    /// An encryption scope of an account is put under a key.
    ScopeUnderKey(AccountId, KeyRef),
    /// The vault is deleted and nothing else.
    DeleteVault(VaultId),
    /// A vault that is not there is made, with access for another team.
    MakeVault(VaultId, Location),
}

impl Act {
    /// Its name in logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::GrantOthers(_) => "grants others",
            Self::RevokeOthers(_) => "revokes others",
            Self::TagVault(_) => "tags a vault",
            Self::TagAccount(_) => "tags an account",
            Self::AttachUser(_) => "attaches an identity",
            Self::Rotate(_) => "rotates a key",
            Self::Revoke(..) => "revokes access",
            Self::Disable(_) => "disables a key",
            Self::Detach(_) => "detaches an identity",
            Self::ScopeUnderKey(..) => "puts a scope under a key",
            Self::DeleteVault(_) => "deletes a vault",
            Self::MakeVault(..) => "makes a vault",
        }
    }

    /// Whether it leaves everything that a spec can ask for within reach.
    pub fn is_harmless(&self) -> bool {
        match self {
            Self::GrantOthers(_)
            | Self::RevokeOthers(_)
            | Self::TagVault(_)
            | Self::TagAccount(_)
            | Self::AttachUser(_)
            | Self::Rotate(_)
            | Self::MakeVault(..) => true,
            Self::Revoke(..) | Self::Disable(_) | Self::Detach(_) | Self::ScopeUnderKey(..) | Self::DeleteVault(_) => {
                false
            }
        }
    }

    /// Does it; gives the last status. What is not there is not changed.
    pub(super) fn perform(&self, hand: &mut Hand<'_>) -> u16 {
        match self {
            Self::GrantOthers(vault) => {
                hand.grant(&vault.to_string(), "add", OTHERS, "secrets", &["get", "list", "delete"])
            }
            Self::RevokeOthers(vault) => {
                hand.grant(&vault.to_string(), "remove", OTHERS, "secrets", &["set", "delete"])
            }
            Self::TagVault(vault) => hand.arm("PATCH", &vault.to_string(), &json!({ "tags": { "audited": "yes" } })).0,
            Self::TagAccount(account) => {
                let body = json!({ "tags": { "audited": "yes" }, "properties": { "accessTier": "Cool" } });
                hand.arm("PATCH", &account.to_string(), &body).0
            }
            Self::AttachUser(account) => attach_user(hand, account),
            Self::Rotate(key) => hand.rotate(key.vault.as_str(), key.name.as_str()),
            Self::Revoke(account, vault) => match hand.principal(&account.to_string()) {
                Some(principal) => {
                    let all = ["get", "wrapKey", "unwrapKey", "recover"];
                    hand.grant(&vault.to_string(), "remove", &principal, "keys", &all)
                }
                None => 0,
            },
            Self::Disable(key) => hand.enable(key.vault.as_str(), key.name.as_str(), false),
            Self::Detach(account) => {
                hand.arm("PATCH", &account.to_string(), &json!({ "identity": { "type": "None" } })).0
            }
            Self::ScopeUnderKey(account, key) => {
                hand.scope(&account.to_string(), "others", key.vault.as_str(), key.name.as_str())
            }
            Self::DeleteVault(vault) => hand.arm("DELETE", &vault.to_string(), &serde_json::Value::Null).0,
            Self::MakeVault(vault, location) => make_vault(hand, vault, location),
        }
    }
}

/// Attaches an identity of the account's own group, and keeps what the account has.
fn attach_user(hand: &mut Hand<'_>, account: &AccountId) -> u16 {
    let Ok(name) = IdentityName::parse("id-others") else { return 0 };
    let identity = IdentityId { group: account.group.clone(), name };
    hand.arm("PUT", &identity.to_string(), &json!({ "location": "westeurope" }));
    hand.attach(&account.to_string(), &Identities { system: false, user: [identity].into() })
}

/// Makes a vault, unless there is one: made again, it would lose what others have in it.
fn make_vault(hand: &mut Hand<'_>, vault: &VaultId, location: &Location) -> u16 {
    match hand.arm("GET", &vault.to_string(), &serde_json::Value::Null).0 {
        404 => hand.make_vault(&vault.to_string(), location.as_str(), "standard", true),
        status => status,
    }
}

/// Who meddles before which request of which run. Runs are counted from 0, requests from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meddling {
    /// What is still to come.
    pub acts: Vec<(usize, u64, Act)>,
}

impl Meddling {
    /// Nobody meddles.
    pub fn none() -> Self {
        Self::default()
    }

    /// Takes what comes before a request.
    pub(super) fn due(&mut self, run: usize, number: u64) -> Vec<Act> {
        let (due, later) =
            std::mem::take(&mut self.acts).into_iter().partition(|(of, at, _)| (*of, *at) == (run, number));
        self.acts = later;
        due.into_iter().map(|(_, _, act)| act).collect()
    }

    /// Some acts by chance on the things of a spec; only harmless ones, if so wished.
    pub fn by_chance(chance: &mut Chance, desired: &Desired, runs: usize, requests: u64, harmless: bool) -> Self {
        let all: Vec<Act> = acts(desired).into_iter().filter(|act| act.is_harmless() || !harmless).collect();
        let mut chosen = vec![];
        for _ in 0..chance.below(4) {
            let run = usize::try_from(chance.below(u64::try_from(runs).unwrap_or(1))).unwrap_or(0);
            let number = 1 + chance.below(requests.max(1));
            if let Some(act) = chance.pick(&all) {
                chosen.push((run, number, act.clone()));
            }
        }
        Self { acts: chosen }
    }
}

/// Everything that could be done to the things of a spec.
pub fn acts(desired: &Desired) -> Vec<Act> {
    let mut acts = vec![];
    for vault in desired.vaults.values() {
        let id = || vault.id.clone();
        acts.extend([Act::GrantOthers(id()), Act::RevokeOthers(id()), Act::TagVault(id()), Act::DeleteVault(id())]);
        if let (Some(_), Some(location)) = (&vault.create, &vault.location) {
            acts.push(Act::MakeVault(id(), location.clone()));
        }
    }
    for (key, wanted) in desired.keys() {
        // A version of Key Vault's own under a key that is brought from outside is no harmless thing: the spec then stands
        // against it.
        acts.extend(wanted.import.is_none().then(|| Act::Rotate(key.clone())));
        acts.push(Act::Disable(key));
    }
    for account in desired.accounts.values() {
        let id = || account.id.clone();
        acts.extend([Act::TagAccount(id()), Act::AttachUser(id()), Act::Detach(id())]);
        if let Some(vault) = account.encryption.as_ref().and_then(|e| desired.vaults.get(&e.key.vault)) {
            acts.push(Act::Revoke(id(), vault.id.clone()));
        }
        // It stands against a spec that takes identities away, and makes a key's users more than accounts.
        acts.extend(desired.keys().next().map(|(key, _)| Act::ScopeUnderKey(id(), key)));
    }
    acts
}
