//! The world: everything that exists in the sandbox, and the one function through which it is reached.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::account::Account;
use super::account_names::Held;
use super::assignments::Assignment;
use super::deleted_vaults::DeletedVault;
use super::directory::Directory;
use super::groups::Group;
use super::hosts::{self, Domain, Service};
use super::identities::Identity;
use super::keys::Key;
use super::locks::Lock;
use super::principals::Principal;
use super::shared::Shared;
use super::throttle::Buckets;
use super::vault::Vault;
use super::watch::Watch;
use super::wire::{Answer, Ask, Reply};
use super::{
    Fault, Millis, Mishap, Pace, arm, azure_policies, encryption, graph, key_vault, login, metadata, rotation, scopes,
};

/// The whole sandbox. Cloning it is taking a snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct World {
    pub(super) pace: Pace,
    pub(super) domain: Domain,
    pub(super) ids: Ids,
    pub(super) counts: Counts,
    pub(super) buckets: Buckets,
    pub(super) state: State,
    /// How far the clock of the resources is ahead of the clock that is handed in, in milliseconds.
    #[serde(default)]
    pub(super) ahead: i64,
    /// Mishaps that are still to come; a script for tests, so never written down.
    #[serde(skip)]
    pub(super) faults: Vec<Fault>,
    /// Who reads along. Not a part of what is, so never written down.
    #[serde(skip)]
    pub(super) watch: Watch,
}

/// What exists. Compared before and after a request to tell whether the request had an effect.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// Whose world it is, and where things can be.
    pub directory: Directory,
    /// By `subscription/group`, in lower case.
    pub groups: BTreeMap<String, Group>,
    /// By name: account names are unique in all of Azure.
    pub accounts: BTreeMap<String, Shared<Account>>,
    /// By name in lower case, unique in all of Azure.
    pub vaults: BTreeMap<String, Shared<Vault>>,
    /// By name in lower case. A name is here or among the vaults, never both.
    pub deleted_vaults: BTreeMap<String, DeletedVault>,
    /// User-assigned identities by resource id in lower case.
    pub identities: BTreeMap<String, Identity>,
    /// Names of deleted accounts that are not free yet.
    #[serde(default)]
    pub held_names: BTreeMap<String, Held>,
    /// When vaults were purged, by the id of the operation.
    #[serde(default)]
    pub purges: BTreeMap<String, Millis>,
    /// Providers that a subscription has not registered, as `subscription/namespace` in lower case.
    #[serde(default)]
    pub unregistered: BTreeSet<String>,
    /// Management locks, by scope and name in lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub locks: BTreeMap<String, Lock>,
    /// Azure Policies, in the order in which they are told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<azure_policies::Assignment>,
    /// Service principals by object id in lower case.
    pub principals: BTreeMap<String, Shared<Principal>>,
    /// Role assignments by id in lower case.
    pub assignments: BTreeMap<String, Assignment>,
}

impl State {
    /// Nothing but the application of the default world, which owns all subscriptions.
    fn of(directory: Directory) -> Self {
        let principal = Principal::of_the_default_world();
        let assignments = Assignment::of_the_owner(&directory).map(|assignment| (assignment.key(), assignment));
        Self {
            principals: [(principal.object.clone(), principal.into())].into_iter().collect(),
            assignments: assignments.collect(),
            directory,
            ..Self::default()
        }
    }

    /// The live vault behind a host name of the data plane.
    pub(super) fn vault_at(&self, host: &str) -> Option<&Vault> {
        self.vaults.get(hosts::vault_name(host)?).map(|vault| &**vault)
    }

    /// A live key, with the vault that holds it.
    pub(super) fn key_at(&self, host: &str, key: &str) -> Option<(&Vault, &Key)> {
        let vault = self.vault_at(host)?;
        Some((vault, vault.keys.get(&key.to_ascii_lowercase())?))
    }

    /// What happens by itself as time passes: soft-deleted things fall out of retention, and accounts
    /// bound without a version take up the newest one.
    pub(super) fn settle(&mut self, now: Millis, pace: Pace) {
        self.deleted_vaults.retain(|_, deleted| now < deleted.purge);
        // Only a vault that has something to forget is touched: touching one parts it from its copies.
        let forgets = |vault: &Vault| vault.deleted_keys.values().any(|deleted| now >= deleted.purge);
        for vault in self.vaults.values_mut().filter(|vault| forgets(vault)) {
            vault.deleted_keys.retain(|_, deleted| now < deleted.purge);
        }
        self.held_names.retain(|_, held| now < held.until);
        self.purges.retain(|_, begun| now < begun.plus_days(1));
        rotation::rotate_by_policy(self, now);
        encryption::pick_up_versions(self, now, pace);
        scopes::pick_up_versions(self, now, pace);
    }
}

/// Where ids come from: a counter and a hash, so they look random and never differ between two runs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Ids {
    drawn: u64,
}

impl Ids {
    /// 32 bytes that no other draw gives.
    pub(super) fn bytes(&mut self) -> [u8; 32] {
        self.drawn += 1;
        Sha256::digest(format!("sandbox id {}", self.drawn)).into()
    }

    pub(super) fn guid(&mut self) -> String {
        guid_of(self.bytes())
    }

    /// 32 hexadecimal digits, like a key version.
    pub(super) fn version(&mut self) -> String {
        self.guid().replace('-', "")
    }
}

/// The id that a hash stands for.
pub(super) fn guid_of(bytes: [u8; 32]) -> String {
    let mut half = [0; 16];
    half.copy_from_slice(&bytes[..16]);
    uuid::Builder::from_random_bytes(half).into_uuid().to_string()
}

/// What has been asked of the sandbox so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Requests by service (`arm`, `graph`, `keyVault`, `login`) and then by method in capitals.
    pub requests: BTreeMap<String, BTreeMap<String, u64>>,
    /// Requests that by their kind ask for a change, refused ones included; not those for a token.
    pub writes: u64,
    /// Requests that did change the world.
    pub effects: u64,
}

impl Counts {
    fn saw(&mut self, service: Service, ask: &Ask) {
        let methods = self.requests.entry(service.name().to_owned()).or_default();
        *methods.entry(ask.method.clone()).or_default() += 1;
        self.writes += u64::from(!ask.only_reads());
    }

    /// All requests of all services.
    pub fn total(&self) -> u64 {
        self.requests.values().flat_map(BTreeMap::values).sum()
    }

    /// Requests to one service with one method.
    pub fn of(&self, service: &str, method: &str) -> u64 {
        self.requests.get(service).and_then(|methods| methods.get(method)).copied().unwrap_or_default()
    }
}

/// No answer came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// The name is not in the DNS: no such service, or a vault that is not registered yet or was deleted.
    #[error("could not resolve host: {0}")]
    NoSuchHost(String),
    /// The connection broke. Whether the request had its effect is not known to the sender.
    #[error("connection reset by {0} before an answer came")]
    Lost(String),
}

impl World {
    /// An empty world under the sandbox's own names: two subscriptions and nothing in them, and the application
    /// that owns both.
    #[must_use]
    pub fn new(pace: Pace) -> Self {
        Self::of(pace, Domain::Sandbox)
    }

    /// An empty world that hands out the names of a domain.
    #[must_use]
    pub fn of(pace: Pace, domain: Domain) -> Self {
        Self::of_directory(pace, domain, Directory::default())
    }

    /// The same of another directory than the default one.
    pub(super) fn of_directory(pace: Pace, domain: Domain, directory: Directory) -> Self {
        Self {
            pace,
            domain,
            ids: Ids::default(),
            counts: Counts::default(),
            buckets: Buckets::default(),
            state: State::of(directory),
            ahead: 0,
            faults: Vec::new(),
            watch: Watch::default(),
        }
    }

    /// Answers one request. A host that does not resolve and a broken connection look as they do through a
    /// proxy: 502. Use [`World::exchange`] to tell them from an answer.
    pub fn handle(&mut self, now: Millis, request: &http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
        self.exchange(now, request).unwrap_or_else(|unreachable| {
            Answer::error(502, "BadGatewayConnection", &unreachable.to_string()).written()
        })
    }

    /// Answers one request, or says why no answer came.
    pub fn exchange(
        &mut self,
        now: Millis,
        request: &http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, Unreachable> {
        let answer = self.answered(now, request);
        self.watch.show(request, answer.as_ref().ok());
        answer
    }

    fn answered(
        &mut self,
        now: Millis,
        request: &http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, Unreachable> {
        let mut ask = Ask::read(request);
        ask.at = now;
        ask.tenant.clone_from(&self.state.directory.tenant);
        let now = self.resources(now);
        let Some(service) = self.service_at(&ask.host, now) else {
            return Err(Unreachable::NoSuchHost(ask.host));
        };
        self.counts.saw(service, &ask);
        let mishap = self.next_mishap(&ask);
        match mishap {
            Some(Mishap::Answer { status, headers, body }) => {
                let answer = Answer { status, headers, body };
                return Ok(self.dressed(answer, service, now).written());
            }
            Some(Mishap::LostBefore) => return Err(Unreachable::Lost(ask.host)),
            Some(Mishap::LostAfter) | None => {}
        }
        let answer = self.answer(now, service, &mut ask);
        if mishap.is_some() {
            return Err(Unreachable::Lost(ask.host));
        }
        let mut response = self.dressed(answer, service, now).written();
        if ask.method == "HEAD" {
            response.body_mut().clear();
        }
        Ok(response)
    }

    /// Adds a subscription, which the application of the default world owns like the others.
    pub fn add_subscription(&mut self, subscription: &str) {
        let subscription = subscription.to_ascii_lowercase();
        if self.state.directory.subscription(&subscription).is_none() {
            let owner = Assignment::of_an_owner(&subscription);
            self.state.assignments.insert(owner.key(), owner);
            self.state.directory.add(subscription);
        }
    }

    /// Requests seen and effects had so far.
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The names of all storage accounts, in every subscription.
    pub fn accounts(&self) -> Vec<String> {
        self.state.accounts.keys().cloned().collect()
    }

    /// The id of the one directory that there is.
    pub fn tenant(&self) -> &str {
        &self.state.directory.tenant
    }

    /// The ids of the subscriptions that there are.
    pub fn subscriptions(&self) -> Vec<String> {
        self.state.directory.subscriptions.iter().map(|subscription| subscription.id.clone()).collect()
    }

    /// Whose names this world hands out.
    pub const fn domain(&self) -> Domain {
        self.domain
    }

    /// Hands out the names of another domain from now on. What others have written down stays as it is.
    pub fn set_domain(&mut self, domain: Domain) {
        self.domain = domain;
        let State { vaults, deleted_vaults, .. } = &mut self.state;
        let deleted = deleted_vaults.values_mut().map(|deleted| &mut deleted.vault);
        for vault in vaults.values_mut().map(|vault| &mut **vault).chain(deleted) {
            vault.domain = domain;
        }
    }

    /// Shows every exchange with this world, and with its clones, to somebody who reads along.
    pub fn set_watch(&mut self, watch: Watch) {
        self.watch = watch;
    }

    /// Changes the delays, for what is asked from now on.
    pub const fn set_pace(&mut self, pace: Pace) {
        self.pace = pace;
    }

    /// The delays of this world.
    pub const fn pace(&self) -> Pace {
        self.pace
    }

    /// What time it is for resources: later than for tokens, once the clock has been moved.
    pub const fn resources(&self, now: Millis) -> Millis {
        now.plus(self.ahead)
    }

    /// Moves the clock of resources on, and lets happen what happens by itself.
    pub fn advance(&mut self, now: Millis, milliseconds: i64) {
        self.ahead = self.ahead.saturating_add(milliseconds.max(0));
        self.settle(self.resources(now));
    }

    /// Whether a host has a name that leads anywhere: a service, or a vault that is registered.
    pub fn resolves(&self, now: Millis, host: &str) -> bool {
        self.service_at(host, self.resources(now)).is_some()
    }

    /// Lets time pass up to `now`.
    pub(super) fn settle(&mut self, now: Millis) {
        self.state.settle(now, self.pace);
    }

    fn answer(&mut self, now: Millis, service: Service, ask: &mut Ask) -> Answer {
        self.settle(now);
        let before = (!ask.only_reads()).then(|| self.state.clone());
        let reply: Reply = match service {
            Service::Arm if metadata::is_asked(ask) => metadata::answer(ask),
            Service::Arm => arm::answer(self, now, ask),
            Service::KeyVault => key_vault::answer(self, now, ask),
            Service::Login => login::answer(self, ask),
            Service::Graph => graph::answer(self, ask),
        };
        match reply {
            Ok(answer) => {
                if before.is_some() {
                    self.state.take_census(now);
                    self.state.forget_lost_assignments();
                }
                self.counts.effects += u64::from(before.is_some_and(|before| before != self.state));
                answer
            }
            Err(refusal) => {
                // A refused request changes nothing, however far it got.
                if let Some(before) = before {
                    self.state = before;
                }
                refusal
            }
        }
    }

    fn service_at(&self, host: &str, now: Millis) -> Option<Service> {
        match hosts::service(host)? {
            Service::KeyVault => {
                self.state.vault_at(host).filter(|vault| vault.resolves(now)).map(|_| Service::KeyVault)
            }
            service @ (Service::Arm | Service::Login | Service::Graph) => Some(service),
        }
    }

    /// Adds the headers that every answer of a service carries.
    fn dressed(&self, answer: Answer, service: Service, now: Millis) -> Answer {
        let seen = self.counts.total();
        let request_id = guid_of(Sha256::digest(format!("sandbox request {seen} {}", now.0)).into());
        let answer = answer
            .header("date", now.http_date())
            .header("cache-control", "no-cache")
            .header("x-content-type-options", "nosniff")
            .header("strict-transport-security", "max-age=31536000; includeSubDomains")
            .header("x-ms-request-id", request_id.clone());
        match service {
            Service::Arm => answer
                .header("x-ms-correlation-request-id", request_id.clone())
                .header("x-ms-routing-request-id", format!("SANDBOX:{}:{request_id}", now.whole())),
            Service::KeyVault => answer
                .header("x-ms-correlation-request-id", request_id)
                .header("x-ms-keyvault-service-version", "1.9.1988.1")
                .header("x-ms-keyvault-network-info", "conn_type=Ipv4;addr=127.0.0.1;act_addr_fam=InterNetwork;"),
            Service::Login => answer.header("x-ms-correlation-request-id", request_id),
            Service::Graph => answer.header("request-id", request_id.clone()).header("client-request-id", request_id),
        }
    }
}
