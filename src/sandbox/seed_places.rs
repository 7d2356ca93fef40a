//! What a seed says of where things are: the directory, its subscriptions, and every other entry's reference to them.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de};

use super::directory::{Directory, Subscription, SubscriptionState};
use super::seed::{Account, Assignment, Group, Request, Seed, SeedError};
use super::{CALLER_OBJECT_ID, CLIENT_ID};

/// The directory, as it was written. What is left out is as in the default world.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct SeedTenant {
    id: Id,
    name: Option<String>,
    domain: Option<String>,
}

/// A subscription, as it was written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct SeedSubscription {
    id: Id,
    name: Option<String>,
    #[serde(default)]
    state: SubscriptionState,
}

/// The id of a directory or a subscription, in lower case.
#[derive(Debug)]
struct Id(String);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // The other forms that a parser of ids takes, with braces or without hyphens, are none of Azure's.
        let id = uuid::Uuid::parse_str(&text).ok().map(|id| id.to_string());
        id.filter(|id| id.eq_ignore_ascii_case(&text)).map(Self).ok_or_else(|| {
            de::Error::custom(format!("`{text}` is no id; write one such as 33333333-3333-3333-3333-333333333333"))
        })
    }
}

impl Seed {
    /// The directory that it asks for, with every subscription in use: a disabled one can only be filled before.
    pub(super) fn directory(&self) -> Directory {
        let mut directory = Directory::default();
        if let Some(SeedTenant { id, name, domain }) = &self.tenant {
            directory.tenant.clone_from(&id.0);
            directory.name = name.clone().unwrap_or(directory.name);
            directory.domain = domain.clone().unwrap_or(directory.domain);
        }
        if let Some(all) = &self.subscriptions {
            let subscription = |(one, number): (&SeedSubscription, usize)| Subscription {
                id: one.id.0.clone(),
                name: one.name.clone().unwrap_or_else(|| format!("Practice {number}")),
                state: SubscriptionState::Enabled,
            };
            directory.subscriptions = all.iter().zip(1..).map(subscription).collect();
        }
        directory
    }

    /// Puts every subscription into the state that it asks for.
    pub(super) fn close_subscriptions(&self, directory: &mut Directory) {
        let asked = self.subscriptions.iter().flatten();
        for (subscription, asked) in directory.subscriptions.iter_mut().zip(asked) {
            subscription.state = asked.state;
        }
    }

    /// What cannot be, before anything is sown: the same thing twice, and what is nowhere.
    pub(super) fn check(&self) -> Result<(), SeedError> {
        if let Some(domain) = self.tenant.as_ref().and_then(|tenant| tenant.domain.as_ref()) {
            let fine = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '.';
            if !domain.chars().all(fine) || !domain.split('.').all(|label| !label.is_empty()) || !domain.contains('.') {
                return Err(wrong("tenant.domain", format!("`{domain}` is no domain; write one such as contoso.com")));
            }
        }
        if self.subscriptions.as_ref().is_some_and(Vec::is_empty) {
            return Err(wrong("subscriptions", "there is none; leave the part out for those of the default world"));
        }
        let ids = self.subscriptions.iter().flatten().map(|one| one.id.0.clone());
        once("subscriptions", "id", None, ids)?;
        let clients = self.applications.iter().map(|one| one.client_id.to_ascii_lowercase());
        once("applications", "clientId", Some(CLIENT_ID), clients)?;
        let objects = self.applications.iter().map(|one| one.object_id.to_ascii_lowercase());
        once("applications", "objectId", Some(CALLER_OBJECT_ID), objects)?;
        self.check_references()
    }

    fn check_references(&self) -> Result<(), SeedError> {
        let directory = self.directory();
        let known = |place: String, id: &str| {
            let all: Vec<&str> = directory.subscriptions.iter().map(|one| one.id.as_str()).collect();
            let found = directory.subscription(&id.to_ascii_lowercase()).is_some();
            let why = || format!("there is no subscription `{id}`; there are {}", all.join(", "));
            if found { Ok(()) } else { Err(wrong(&place, why())) }
        };
        for (at, Group { subscription, .. }) in self.groups.iter().enumerate() {
            known(format!("groups[{at}].subscription"), subscription)?;
        }
        for (at, Account { subscription, .. }) in self.accounts.iter().enumerate() {
            known(format!("accounts[{at}].subscription"), subscription)?;
        }
        for (at, Request { url, .. }) in self.requests.iter().enumerate() {
            if let Some(id) = subscription_in(url) {
                known(format!("requests[{at}].url"), id)?;
            }
        }
        for (at, Assignment { scope, .. }) in self.assignments.iter().enumerate() {
            let place = format!("assignments[{at}].scope");
            match subscription_in(scope) {
                Some(id) => known(place, id)?,
                None => return Err(wrong(&place, format!("`{scope}` is no scope; it begins with /subscriptions/"))),
            }
        }
        Ok(())
    }
}

/// The subscription in a path of Resource Manager.
fn subscription_in(path: &str) -> Option<&str> {
    let mut segments = path.strip_prefix('/')?.split(['/', '?']);
    segments.next().filter(|first| first.eq_ignore_ascii_case("subscriptions"))?;
    segments.next().filter(|id| !id.is_empty())
}

fn wrong(place: &str, why: impl Into<String>) -> SeedError {
    SeedError::Place { place: place.to_owned(), why: why.into() }
}

/// That every entry of a list has a value of its own, and none that is taken already.
fn once(list: &str, field: &str, taken: Option<&str>, values: impl Iterator<Item = String>) -> Result<(), SeedError> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (at, value) in values.enumerate() {
        let place = format!("{list}[{at}].{field}");
        if taken == Some(value.as_str()) {
            return Err(wrong(&place, format!("`{value}` is the owner's, who is in every world")));
        }
        if let Some(first) = seen.insert(value.clone(), at) {
            return Err(wrong(&place, format!("`{value}` is there already, in {list}[{first}]")));
        }
    }
    Ok(())
}
