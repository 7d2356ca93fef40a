//! (Desired, Observed, Plan) -> Status: how each account of a spec stands. Pure; for nightly jobs and for people.

use crate::model::{
    Access, Account, AccountName, Binding, Check, Desired, Fact, KeyPermission, KeyRef, Observed, Seen, SeenAccount,
    SeenKey, Timestamp, Version,
};
use crate::plan::review::{Reads, reads};
use crate::plan::{Plan, StepId};
use std::fmt;

/// How each account of a spec stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// When Azure was looked at, by its own clock.
    pub at: Timestamp,
    /// The accounts, by name.
    pub accounts: Vec<AccountStatus>,
    /// Steps that the spec asks for and that are about no account: a vault to be protected, a key to be made.
    pub other_drift: Vec<StepId>,
    /// What the plan refuses: the spec cannot be made true as it stands.
    pub refused: Vec<String>,
}

/// How one account stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountStatus {
    /// The account.
    pub account: AccountName,
    /// The key that it is bound to: `kv-prod/main`; nothing when Microsoft manages its key, or it is not there.
    pub key: Option<String>,
    /// The version in use.
    pub version: Option<Version>,
    /// Whether Azure follows the newest version by itself.
    pub follows: bool,
    /// When the version in use was made.
    pub created: Option<Timestamp>,
    /// When the version in use expires, if it does.
    pub expires: Option<Timestamp>,
    /// When the key is to get its next version, where that can be said.
    pub next_rotation: Option<NextRotation>,
    /// Whether its identity holds what it needs on that key.
    pub granted: Check,
    /// Whether it can read its data, and through what.
    pub reads: Reads,
    /// Whether the spec wants it out of reach.
    pub is_revoked: bool,
    /// The steps that a plan would take for it.
    pub drift: Vec<StepId>,
}

/// When a key is to get its next version: as long after its newest one as the policy or the spec says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NextRotation {
    /// The moment.
    pub at: Timestamp,
    /// Who makes the version.
    pub by: Rotator,
}

/// Who makes the next version of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rotator {
    /// Key Vault by itself, by the key's rotation policy. Seen only where the spec speaks of the policy.
    KeyVault,
    /// The first `cmk apply` from then on, by the spec's `maxAge`.
    Apply,
}

/// Something that a nightly job wants to hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alarm {
    /// A version in use that expires within so many days, or has expired.
    ExpiringWithin(u32),
    /// Something is not as the spec wants it.
    Drift,
    /// Data cannot be read that should be.
    Unreadable,
    /// It cannot be told whether data can be read.
    Unknown,
}

impl Alarm {
    /// Reads a list such as `expiring<30d,drift,unreadable`.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.trim() {
            "drift" => Ok(Self::Drift),
            "unreadable" => Ok(Self::Unreadable),
            "unknown" => Ok(Self::Unknown),
            other => {
                let days = other.strip_prefix("expiring<").and_then(|rest| rest.strip_suffix('d'));
                let days = days.and_then(|days| days.parse::<u32>().ok()).filter(|days| *days > 0);
                days.map(Self::ExpiringWithin).ok_or_else(|| {
                    format!("`{other}` is none of `expiring<30d` (with any number of days), `drift`, `unreadable`, `unknown`")
                })
            }
        }
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ExpiringWithin(days) => write!(f, "expiring<{days}d"),
            Self::Drift => f.write_str("drift"),
            Self::Unreadable => f.write_str("unreadable"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

const SECONDS_A_DAY: i64 = 86_400;

/// Says how each account of a spec stands.
pub fn status(desired: &Desired, observed: &Observed, plan: &Plan) -> Status {
    let accounts: Vec<AccountStatus> =
        desired.accounts.values().map(|account| one(account, desired, observed, plan)).collect();
    let is_about_none = |id: &&StepId| accounts.iter().all(|account| !account.drift.contains(id));
    let other_drift = plan.steps.iter().map(|step| &step.id).filter(is_about_none).cloned().collect();
    let refused = plan.refusals.iter().map(|one| format!("{} {}: {}", one.code, one.resource, one.detail)).collect();
    Status { at: observed.at, accounts, other_drift, refused }
}

fn one(account: &Account, desired: &Desired, observed: &Observed, plan: &Plan) -> AccountStatus {
    let name = &account.id.name;
    let seen = observed.accounts.get(name).and_then(Seen::known);
    let binding = seen.and_then(|seen| seen.encryption.binding.as_ref());
    let key = binding.and_then(|binding| bound_key(binding, desired, observed));
    let known: Option<&SeenKey> = key.as_ref().and_then(|key| observed.keys.get(key)).and_then(Seen::known);
    let version = binding.and_then(|binding| binding.in_use().cloned());
    let in_use = known.zip(version.as_ref()).and_then(|(key, version)| key.version(version));
    AccountStatus {
        account: name.clone(),
        key: binding.map(in_words),
        follows: binding.is_some_and(|binding| binding.version.is_none()),
        created: in_use.and_then(|version| version.created),
        expires: in_use.and_then(|version| version.expires),
        next_rotation: key.as_ref().zip(known).and_then(|(key, seen)| next_rotation(desired, key, seen)),
        granted: match (key, seen.and_then(SeenAccount::reaches_as)) {
            (Some(key), Some(who)) => Fact::CanUnwrap(who, key, KeyPermission::needed()).check(observed),
            (Some(_), None) => Check::Unknown("it reaches its key as an identity in no known form".to_owned()),
            (None, _) => Check::Unknown("the spec does not name the vault of its key".to_owned()),
        },
        reads: reads(name, desired, observed),
        is_revoked: account.access == Access::Revoked,
        drift: plan
            .steps
            .iter()
            .filter(|step| is_about(step.action.account(), name))
            .map(|step| step.id.clone())
            .collect(),
        version,
    }
}

fn next_rotation(desired: &Desired, key: &KeyRef, seen: &SeenKey) -> Option<NextRotation> {
    let made = seen.newest_enabled()?.created?;
    let policy = seen.rotation.as_ref().and_then(Seen::known).and_then(|policy| policy.every);
    let by_policy = policy.map(|every| NextRotation { at: every.after(made), by: Rotator::KeyVault });
    let max_age = desired.key(key).and_then(|wanted| wanted.life.max_age);
    let by_apply = max_age.map(|age| NextRotation { at: age.after(made), by: Rotator::Apply });
    by_policy.into_iter().chain(by_apply).min()
}

fn is_about(account: Option<&AccountName>, name: &AccountName) -> bool {
    account == Some(name)
}

fn in_words(binding: &Binding) -> String {
    let label = binding.vault_host.split('.').next().unwrap_or(&binding.vault_host);
    format!("{label}/{}", binding.key)
}

/// The key that an account is bound to, when its vault is of the spec.
fn bound_key(binding: &Binding, desired: &Desired, observed: &Observed) -> Option<KeyRef> {
    let vault = desired.vaults.keys().find(|name| {
        let seen = observed.vaults.get(*name).and_then(Seen::known);
        seen.is_some_and(|vault| vault.host.eq_ignore_ascii_case(&binding.vault_host))
    })?;
    Some(KeyRef { vault: vault.clone(), name: crate::model::KeyName::parse(&binding.key).ok()? })
}

impl Status {
    /// What of it sets off one of these alarms: a sentence each.
    pub fn alarms(&self, wanted: &[Alarm]) -> Vec<String> {
        wanted.iter().flat_map(|alarm| self.alarm(*alarm)).collect()
    }

    fn alarm(&self, alarm: Alarm) -> Vec<String> {
        let each = |tell: &dyn Fn(&AccountStatus) -> Option<String>| -> Vec<String> {
            self.accounts
                .iter()
                .filter_map(|one| Some(format!("{alarm}: account {}: {}", one.account, tell(one)?)))
                .collect()
        };
        match alarm {
            Alarm::ExpiringWithin(days) => each(&|one| {
                let left = one.expires?.0 - self.at.0;
                (left < i64::from(days) * SECONDS_A_DAY).then(|| match left {
                    ..=0 => "the key version in use has expired".to_owned(),
                    _ => format!("the key version in use expires in {} days", left / SECONDS_A_DAY),
                })
            }),
            Alarm::Drift => {
                let mut all = each(&|one| {
                    let steps: Vec<&str> = one.drift.iter().map(|id| id.0.as_str()).collect();
                    (!steps.is_empty()).then(|| format!("the spec asks for {}", steps.join(", ")))
                });
                all.extend(self.other_drift.iter().map(|id| format!("{alarm}: the spec asks for {id}")));
                all.extend(self.refused.iter().map(|why| format!("{alarm}: {why}")));
                all
            }
            Alarm::Unreadable => each(&|one| match &one.reads {
                Reads::No(why) if !one.is_revoked => Some(why.clone()),
                Reads::No(_) | Reads::NotThere | Reads::ByMicrosoft | Reads::ByKey(_) | Reads::Unknown(_) => None,
            }),
            Alarm::Unknown => each(&|one| match &one.reads {
                Reads::Unknown(why) => Some(why.clone()),
                Reads::No(_) | Reads::NotThere | Reads::ByMicrosoft | Reads::ByKey(_) => None,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(reads: Reads, expires: Option<i64>) -> AccountStatus {
        AccountStatus {
            account: AccountName::parse("st1").unwrap(),
            key: Some("kv1/main".to_owned()),
            version: None,
            follows: true,
            created: None,
            expires: expires.map(Timestamp),
            next_rotation: None,
            granted: Check::Yes,
            reads,
            is_revoked: false,
            drift: vec![],
        }
    }

    fn status(accounts: Vec<AccountStatus>) -> Status {
        Status { at: Timestamp(1_000_000), accounts, other_drift: vec![], refused: vec![] }
    }

    #[test]
    fn alarms_are_read_as_people_write_them() {
        assert_eq!(Alarm::parse("expiring<30d"), Ok(Alarm::ExpiringWithin(30)));
        assert_eq!(Alarm::parse(" drift"), Ok(Alarm::Drift));
        for wrong in ["", "expiring", "expiring<0d", "expiring<30", "expiring<xd", "Drift"] {
            assert!(Alarm::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_version_that_expires_soon_is_told_and_one_that_expires_late_is_not() {
        let at = |days: i64| status(vec![account(Reads::ByMicrosoft, Some(1_000_000 + days * SECONDS_A_DAY))]);
        assert_eq!(at(29).alarms(&[Alarm::ExpiringWithin(30)]).len(), 1);
        assert_eq!(
            at(-1).alarms(&[Alarm::ExpiringWithin(30)]),
            ["expiring<30d: account st1: the key version in use has expired"]
        );
        assert_eq!(at(30).alarms(&[Alarm::ExpiringWithin(30)]), Vec::<String>::new());
        assert_eq!(
            status(vec![account(Reads::ByMicrosoft, None)]).alarms(&[Alarm::ExpiringWithin(30)]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn the_next_version_is_due_by_whichever_rule_is_first() {
        use crate::plan::tests::world;
        const DAY: i64 = 86_400;
        let due = |wishes: &str, seen: &str| {
            let wanted = world::desired(&format!(
                "vault kv1 protected; key kv1/main {wishes}; account st1 system uses kv1/main"
            ));
            let seen = format!(
                "now {DAY}; vault kv1 protected; key kv1/main A made=1 {seen}; account st1 system bound kv1/main@A"
            );
            let observed =
                world::observed("vault kv1 protected; key kv1/main; account st1 system uses kv1/main", &seen);
            let found = super::status(&wanted, &observed, &crate::plan::plan(&wanted, &observed));
            found.accounts[0].next_rotation.map(|next| (next.at.0 / DAY, next.by))
        };
        assert_eq!(due("", ""), None);
        assert_eq!(due("age=P90D", ""), Some((90, Rotator::Apply)));
        assert_eq!(due("age=P90D every=P30D", "every=P30D"), Some((30, Rotator::KeyVault)));
        assert_eq!(due("age=P90D every=P100D", "every=P100D"), Some((90, Rotator::Apply)));
        assert_eq!(due("every=P30D", "policy-hidden"), None, "nobody may see it");
    }

    #[test]
    fn what_is_revoked_on_purpose_is_no_alarm() {
        let mut shut = account(Reads::No("no access".to_owned()), None);
        assert_eq!(status(vec![shut.clone()]).alarms(&[Alarm::Unreadable]), ["unreadable: account st1: no access"]);
        shut.is_revoked = true;
        assert_eq!(status(vec![shut]).alarms(&[Alarm::Unreadable]), Vec::<String>::new());
    }

    #[test]
    fn drift_of_anything_is_an_alarm() {
        let mut other = status(vec![]);
        other.other_drift.push(StepId("protection/kv1".to_owned()));
        other.refused.push("CMK207 key kv1/main: disabled".to_owned());
        assert_eq!(other.alarms(&[Alarm::Drift]).len(), 2);
        assert_eq!(other.alarms(&[Alarm::Unreadable, Alarm::Unknown]), Vec::<String>::new());
    }
}
