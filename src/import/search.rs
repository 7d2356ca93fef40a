//! A search of subscriptions, and the spec of what was found whose plan is empty. Reads only.

use super::{Import, import};
use crate::apply::{self, Sight};
use crate::azure::{Azure, Failure};
use crate::diag::Source;
use crate::model::{AccountId, Found, SubscriptionId, Who};
use crate::plan::{Action, Plan};
use crate::{observe, spec};
use std::collections::BTreeMap;
use std::fmt;

/// A spec as text, with what it was written from.
#[derive(Debug)]
pub struct Written {
    /// What was found, and is wanted.
    pub found: Found,
    /// The spec, and what it leaves out.
    pub import: Import,
    /// Its text.
    pub text: String,
    /// Its plan.
    pub plan: Plan,
}

impl Written {
    /// Whether the spec says what is: nothing would be done, and nothing was hidden.
    pub fn is_so(&self) -> bool {
        self.plan.is_empty() && self.plan.is_complete()
    }
}

/// Why no spec could be written.
#[derive(Debug)]
pub enum Unwritten {
    /// Azure could not be looked at.
    Failed(Box<Failure>),
    /// What was written is no spec: a fault of `cmk`.
    Unreadable(String),
}

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => failure.fmt(f),
            Self::Unreadable(why) => {
                write!(f, "the spec that was written cannot be read back, please report this: {why}")
            }
        }
    }
}

impl std::error::Error for Unwritten {}

impl From<Failure> for Unwritten {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

/// Searches subscriptions for the accounts that are wanted, and writes the spec whose plan is empty: an account that a plan
/// would touch or refuse is left out.
pub async fn search(
    azure: &Azure,
    subscriptions: &[SubscriptionId],
    is_wanted: impl Fn(&AccountId) -> bool,
) -> Result<Written, Unwritten> {
    let mut found = observe::found(azure, subscriptions).await?;
    found.bound.retain(|one| is_wanted(&one.account.id));
    let mut except = BTreeMap::new();
    loop {
        let import = import(&found, &except);
        let text = spec::emit(&import.document).map_err(Unwritten::Unreadable)?;
        let source = Source { name: "the imported spec".to_owned(), text: text.clone() };
        let Some(desired) = spec::load(&source).0 else { return Err(Unwritten::Unreadable(text)) };
        let (_, plan) = apply::prepare(&desired, azure, Sight::Accounts).await?;
        let before = except.len();
        except.extend(touched(&plan, &found));
        if except.len() == before {
            return Ok(Written { found, import, text, plan });
        }
    }
}

/// The accounts that a plan would touch, or refuses, with the reason.
fn touched(plan: &Plan, found: &Found) -> BTreeMap<AccountId, String> {
    let mut touched = BTreeMap::new();
    for one in &found.bound {
        let name = &one.account.id.name;
        let step = plan.steps.iter().find(|step| match &step.action {
            Action::Grant { who: Who::User(id), .. } => one.identity.as_ref() == Some(id),
            action => action.account() == Some(name),
        });
        // A key that somebody has deleted since the account was bound to it is refused by itself.
        let key = one.account.encryption.binding.as_ref().map(|binding| {
            let label = binding.vault_host.split('.').next().unwrap_or_default();
            format!("key {label}/{}", binding.key)
        });
        let is_its = |resource: &str| {
            resource == format!("account {name}") || key.as_ref().is_some_and(|key| resource.eq_ignore_ascii_case(key))
        };
        let refusal = plan.refusals.iter().find(|refusal| is_its(&refusal.resource));
        let stepped = step.and_then(|step| step.gives.first()).map(|fact| format!("it is not so that {fact}"));
        let reason = refusal.map(|refusal| format!("{}: {}", refusal.code, refusal.detail)).or(stepped);
        touched.extend(reason.map(|reason| (one.account.id.clone(), reason)));
    }
    touched
}
