//! Seeds: what a world begins with, as a YAML document that a person writes.
//!
//! A seed builds nothing by itself. It sends ordinary requests, so a world that was seeded is one that some client
//! could have made. Nothing is waited for, and the requests are counted nowhere. `docs/sandbox.md` is the reference.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::assignments::UnknownRole;
use super::seed_places::{SeedSubscription, SeedTenant};
use super::world::Counts;
use super::{CLIENT_ID, CLIENT_SECRET, Domain, Millis, Pace, World, azure_policies};

/// The largest seed that is read. A thousand accounts take a tenth of it.
pub const BYTES_MAX: u64 = 1 << 20;

/// A seed, as it was written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Seed {
    version: u64,
    #[serde(default)]
    pace: PaceName,
    pub(super) tenant: Option<SeedTenant>,
    pub(super) subscriptions: Option<Vec<SeedSubscription>>,
    #[serde(default)]
    pub(super) groups: Vec<Group>,
    #[serde(default)]
    pub(super) accounts: Vec<Account>,
    #[serde(default)]
    pub(super) requests: Vec<Request>,
    #[serde(default)]
    pub(super) applications: Vec<Application>,
    #[serde(default)]
    pub(super) assignments: Vec<Assignment>,
    #[serde(default)]
    policies: Vec<Policy>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum PaceName {
    #[default]
    Practice,
    Azure,
    Instant,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Group {
    pub(super) subscription: String,
    name: String,
    location: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Account {
    pub(super) subscription: String,
    resource_group: String,
    name: String,
    location: String,
    #[serde(default = "standard_lrs")]
    sku: String,
    #[serde(default = "storage_v2")]
    kind: String,
}

fn standard_lrs() -> String {
    "Standard_LRS".to_owned()
}

fn storage_v2() -> String {
    "StorageV2".to_owned()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Request {
    method: String,
    /// `https://…`, or a path of Resource Manager.
    pub(super) url: String,
    #[serde(default)]
    body: Value,
}

/// An application that can sign in with a secret.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Application {
    pub(super) client_id: String,
    pub(super) object_id: String,
    secret: String,
    name: String,
}

/// What a principal may do, and where.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Assignment {
    /// Its object id.
    principal: String,
    /// The role's name or id.
    role: String,
    pub(super) scope: String,
}

/// An Azure Policy that forbids, from the moment at which the seed has grown.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Policy {
    /// The assignment's name.
    name: String,
    /// What people call it; its name, when it is not said.
    display_name: Option<String>,
    scope: String,
    rule: azure_policies::Rule,
    /// For the rule about regions.
    #[serde(default)]
    locations: Vec<String>,
}

impl Policy {
    fn assigned(&self) -> azure_policies::Assignment {
        let Self { name, display_name, scope, rule, locations } = self;
        let display_name = display_name.as_ref().unwrap_or(name).clone();
        azure_policies::Assignment {
            scope: scope.clone(),
            name: name.clone(),
            display_name,
            rule: *rule,
            locations: locations.clone(),
        }
    }
}

/// Why a seed gives no world.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// Not YAML, or not of a seed's form.
    #[error("it is not a seed: {0}")]
    Form(#[from] serde_yaml::Error),
    /// Of a form that this program does not know.
    #[error("its version is {0}; this cmk knows version 1")]
    Version(u64),
    /// More than any seed needs.
    #[error("it is larger than {} MiB", BYTES_MAX >> 20)]
    TooLarge,
    /// Something in it cannot be.
    #[error("{place}: {why}")]
    Place {
        /// Where in the seed, as `subscriptions[1].id`; the first of a list is 0.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// Two accounts with one name.
    #[error("it has the account {0} twice")]
    Twice(String),
    /// A role that nobody knows.
    #[error(transparent)]
    Role(#[from] UnknownRole),
    /// A request is none at all.
    #[error("{method} {url} is no request: {why}")]
    NoRequest {
        /// The method.
        method: String,
        /// Where to.
        url: String,
        /// What is wrong.
        why: String,
    },
    /// The sandbox refuses a request.
    #[error("{method} {url} was answered with {status}: {body}")]
    Refused {
        /// The method.
        method: String,
        /// Where to.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The answer.
        body: String,
    },
}

impl Seed {
    /// Reads a seed.
    pub fn parse(text: &str) -> Result<Self, SeedError> {
        if u64::try_from(text.len()).unwrap_or(u64::MAX) > BYTES_MAX {
            return Err(SeedError::TooLarge);
        }
        let seed: Self = serde_yaml::from_str(text)?;
        if seed.version != 1 {
            return Err(SeedError::Version(seed.version));
        }
        seed.check()?;
        Ok(seed)
    }

    /// The world that grows from it.
    pub fn grow(&self, now: Millis, domain: Domain) -> Result<World, SeedError> {
        let world = World::of_directory(Pace::instant(), domain, self.directory());
        let mut sower = Sower { world, now, tokens: BTreeMap::new() };
        for Group { subscription, name, location } in &self.groups {
            let path = format!("/subscriptions/{subscription}/resourcegroups/{name}?api-version=2022-09-01");
            sower.send("PUT", &path, &json!({"location": location}))?;
        }
        self.sow_accounts(&mut sower)?;
        for Request { method, url, body } in &self.requests {
            sower.send(method, url, body)?;
        }
        let mut world = sower.world;
        for Application { client_id, object_id, secret, name } in &self.applications {
            world.add_application(client_id, object_id, secret, name);
        }
        for Assignment { principal, role, scope } in &self.assignments {
            world.add_assignment(principal, role, scope)?;
        }
        world.state.policies = self.policies.iter().map(Policy::assigned).collect();
        self.close_subscriptions(&mut world.state.directory);
        world.counts = Counts::default();
        world.set_pace(match self.pace {
            PaceName::Practice => Pace::practice(),
            PaceName::Azure => Pace::azure(),
            PaceName::Instant => Pace::instant(),
        });
        Ok(world)
    }

    /// Each account is made while the others are set aside: a request copies the world, and a thousand copies of a
    /// thousand accounts take a while.
    fn sow_accounts(&self, sower: &mut Sower) -> Result<(), SeedError> {
        let mut made = BTreeMap::new();
        for Account { subscription, resource_group, name, location, sku, kind } in &self.accounts {
            let path = format!(
                "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.Storage/storageAccounts/{name}?api-version=2025-06-01"
            );
            sower.send("PUT", &path, &json!({"location": location, "sku": {"name": sku}, "kind": kind}))?;
            for (name, account) in std::mem::take(&mut sower.world.state.accounts) {
                if made.insert(name.clone(), account).is_some() {
                    return Err(SeedError::Twice(name));
                }
            }
        }
        sower.world.state.accounts = made;
        Ok(())
    }
}

struct Sower {
    world: World,
    now: Millis,
    /// Tokens by what they are for.
    tokens: BTreeMap<String, String>,
}

impl Sower {
    fn send(&mut self, method: &str, url: &str, body: &Value) -> Result<(), SeedError> {
        let url =
            if url.starts_with('/') { format!("https://{}{url}", self.world.domain().arm()) } else { url.to_owned() };
        let token = self.token(&url)?;
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let header = [("authorization", format!("Bearer {token}")), ("content-type", "application/json".to_owned())];
        self.ask(method, &url, &header, body).map(|_| ())
    }

    /// A token for whoever answers at a URL.
    fn token(&mut self, url: &str) -> Result<String, SeedError> {
        let host = url.split('/').nth(2).unwrap_or_default();
        let domain = Domain::of(host);
        let resource = if host == domain.arm() {
            domain.arm()
        } else if host == domain.graph() {
            domain.graph()
        } else {
            domain.vault_suffix()
        };
        if let Some(token) = self.tokens.get(resource) {
            return Ok(token.clone());
        }
        let form = format!(
            "grant_type=client_credentials&client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}&scope=https://{resource}/.default"
        );
        let login = format!("https://{}/{}/oauth2/v2.0/token", self.world.domain().login(), self.world.tenant());
        let form_type = [("content-type", "application/x-www-form-urlencoded".to_owned())];
        let answer = self.ask("POST", &login, &form_type, form.into_bytes())?;
        let token = answer["access_token"].as_str().unwrap_or_default().to_owned();
        self.tokens.insert(resource.to_owned(), token.clone());
        Ok(token)
    }

    fn ask(&mut self, method: &str, url: &str, headers: &[(&str, String)], body: Vec<u8>) -> Result<Value, SeedError> {
        let (method, url) = (method.to_owned(), url.to_owned());
        let mut request = http::Request::builder().method(method.to_ascii_uppercase().as_str()).uri(&url);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = match request.body(body) {
            Ok(request) => request,
            Err(error) => return Err(SeedError::NoRequest { method, url, why: error.to_string() }),
        };
        let answer = self.world.handle(self.now, &request);
        let status = answer.status();
        if !status.is_success() {
            let body = String::from_utf8_lossy(answer.body()).into_owned();
            return Err(SeedError::Refused { method, url, status: status.as_u16(), body });
        }
        Ok(serde_json::from_slice(answer.body()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBSCRIPTION: &str = super::super::SUBSCRIPTIONS[0];

    #[test]
    fn a_seed_grows_into_what_its_requests_make() {
        let text = format!(
            "version: 1\npace: azure\n\
             groups: [{{ subscription: {SUBSCRIPTION}, name: rg, location: westeurope }}]\n\
             accounts: [{{ subscription: {SUBSCRIPTION}, resourceGroup: rg, name: st1, location: westeurope }}]\n\
             requests: [{{ method: DELETE, url: '/subscriptions/{SUBSCRIPTION}/resourcegroups/none?api-version=2022-09-01' }}]\n"
        );
        let seed = Seed::parse(&text).unwrap();
        let refused = seed.grow(Millis(0), Domain::Public).unwrap_err().to_string();
        assert!(refused.contains("ResourceGroupNotFound"), "{refused}");
        let world = Seed { requests: Vec::new(), ..seed }.grow(Millis(0), Domain::Public).unwrap();
        assert_eq!(world.accounts(), ["st1"]);
        assert_eq!(world.pace(), Pace::azure());
        assert_eq!(world.counts().total(), 0);
    }

    #[test]
    fn an_account_that_is_there_twice_is_an_error() {
        let account = format!("{{ subscription: {SUBSCRIPTION}, resourceGroup: rg, name: st1, location: westeurope }}");
        let group = format!("{{ subscription: {SUBSCRIPTION}, name: rg, location: westeurope }}");
        let text = format!("version: 1\ngroups: [{group}]\naccounts: [{account}, {account}]\n");
        let error = Seed::parse(&text).unwrap().grow(Millis(0), Domain::Sandbox).unwrap_err();
        assert!(matches!(error, SeedError::Twice(_)), "{error}");
    }

    #[test]
    fn an_application_of_a_seed_signs_in_and_may_do_what_it_was_assigned() {
        let text = format!(
            "version: 1\napplications: [{{ clientId: app-1, objectId: object-1, secret: s3cret, name: reader }}]\n\
             assignments: [{{ principal: object-1, role: Reader, scope: /subscriptions/{SUBSCRIPTION} }}]\n"
        );
        let world = Seed::parse(&text).unwrap().grow(Millis(0), Domain::Sandbox).unwrap();
        assert!(world.state.application("app-1").is_some_and(|application| application.has_secret("s3cret")));
        assert!(world.state.assignments.values().any(|assignment| assignment.principal == "object-1"));
        let unknown = text.replace("role: Reader", "role: Emperor");
        assert!(Seed::parse(&unknown).unwrap().grow(Millis(0), Domain::Sandbox).is_err());
    }

    #[test]
    fn a_word_that_no_seed_has_is_an_error() {
        assert!(Seed::parse("version: 1\nacounts: []\n").is_err());
        assert!(matches!(Seed::parse("version: 2\n"), Err(SeedError::Version(2))));
    }

    #[test]
    fn a_seed_has_a_directory_and_subscriptions_of_its_own() {
        let (tenant, third) = ("CCCCCCCC-0000-4000-8000-00000000000C", "33333333-3333-3333-3333-333333333333");
        let text = format!(
            "version: 1\ntenant: {{ id: {tenant}, name: Contoso }}\n\
             subscriptions: [{{ id: {SUBSCRIPTION} }}, {{ id: {third}, name: Archive, state: Disabled }}]\n\
             groups: [{{ subscription: {third}, name: rg, location: westeurope }}]\n"
        );
        let world = Seed::parse(&text).unwrap().grow(Millis(0), Domain::Sandbox).unwrap();
        assert_eq!(world.tenant(), tenant.to_ascii_lowercase());
        assert_eq!(world.subscriptions(), [SUBSCRIPTION, third]);
        let directory = &world.state.directory;
        assert_eq!((directory.name.as_str(), directory.domain.as_str()), ("Contoso", "sandbox.test"));
        assert_eq!(directory.subscriptions[1].state.name(), "Disabled");
        assert_eq!(world.state.groups.len(), 1);
        assert_eq!(world.state.assignments.len(), 2);
    }

    #[test]
    fn what_cannot_be_is_told_with_its_place() {
        let tell = |text: &str| Seed::parse(&format!("version: 1\n{text}\n")).unwrap_err().to_string();
        let twice = format!("subscriptions: [{{ id: {SUBSCRIPTION} }}, {{ id: {SUBSCRIPTION} }}]");
        let elsewhere = "22222222-0000-0000-0000-222222222222";
        let owner = format!("{{ clientId: {CLIENT_ID}, objectId: o, secret: s, name: n }}");
        let cases = [
            ("tenant: { id: mine }".to_owned(), "tenant: `mine` is no id", "at line 2"),
            (
                "subscriptions: [{ id: '{11111111-1111-1111-1111-111111111111}' }]".to_owned(),
                "subscriptions[0]: `{11",
                "line 2",
            ),
            (format!("subscriptions: [{{ id: {elsewhere}, state: Gone }}]"), "subscriptions[0]", "line 2"),
            (format!("tenant: {{ id: {elsewhere}, domain: 'a b' }}"), "tenant.domain:", "no domain"),
            ("subscriptions: []".to_owned(), "subscriptions:", "there is none"),
            (twice, "subscriptions[1].id:", "in subscriptions[0]"),
            (format!("applications: [{owner}]"), "applications[0].clientId:", "the owner's"),
            (
                format!("groups: [{{ subscription: {elsewhere}, name: rg, location: x }}]"),
                "groups[0].subscription:",
                elsewhere,
            ),
            (
                format!("accounts: [{{ subscription: {elsewhere}, resourceGroup: rg, name: a, location: x }}]"),
                "accounts[0].subscription:",
                "there are 11111111",
            ),
            (
                format!("requests: [{{ method: GET, url: '/subscriptions/{elsewhere}?x=1' }}]"),
                "requests[0].url:",
                elsewhere,
            ),
            (
                format!("assignments: [{{ principal: p, role: Reader, scope: /subscriptions/{elsewhere} }}]"),
                "assignments[0].scope:",
                elsewhere,
            ),
            ("assignments: [{ principal: p, role: Reader, scope: / }]".to_owned(), "assignments[0].scope:", "no scope"),
        ];
        for (text, place, why) in cases {
            let said = tell(&text);
            assert!(said.contains(place) && said.contains(why), "{text}: {said}");
        }
        let long = format!("version: 1\n#{}", "x".repeat(1 << 20));
        assert_eq!(Seed::parse(&long).unwrap_err().to_string(), "it is larger than 1 MiB");
    }
}
