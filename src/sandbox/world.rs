//! The world: everything that exists in the sandbox, and the one function through which it is reached.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::account::Account;
use super::deleted_vaults::DeletedVault;
use super::groups::Group;
use super::identities::Identity;
use super::keys::Key;
use super::throttle::Buckets;
use super::vault::Vault;
use super::wire::{Answer, Ask, Reply};
use super::{ARM_HOST, Fault, LOGIN_HOST, Millis, Mishap, Pace, VAULT_SUFFIX, arm, encryption, key_vault, login};

/// The whole sandbox. Cloning it is taking a snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct World {
    pub(super) pace: Pace,
    pub(super) ids: Ids,
    pub(super) counts: Counts,
    pub(super) buckets: Buckets,
    pub(super) state: State,
    /// Mishaps that are still to come; a script for tests, so never written down.
    #[serde(skip)]
    pub(super) faults: Vec<Fault>,
}

/// What exists. Compared before and after a request to tell whether the request had an effect.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// By `subscription/group`, in lower case.
    pub groups: BTreeMap<String, Group>,
    /// By name: account names are unique in all of Azure.
    pub accounts: BTreeMap<String, Account>,
    /// By name in lower case, unique in all of Azure.
    pub vaults: BTreeMap<String, Vault>,
    /// By name in lower case. A name is here or among the vaults, never both.
    pub deleted_vaults: BTreeMap<String, DeletedVault>,
    /// User-assigned identities by resource id in lower case.
    pub identities: BTreeMap<String, Identity>,
}

impl State {
    /// The live vault behind a host name of the data plane.
    pub(super) fn vault_at(&self, host: &str) -> Option<&Vault> {
        let name = host.strip_suffix(VAULT_SUFFIX)?.strip_suffix('.')?;
        self.vaults.get(name)
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
        for vault in self.vaults.values_mut() {
            vault.deleted_keys.retain(|_, deleted| now < deleted.purge);
        }
        encryption::pick_up_versions(self, now, pace);
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

fn guid_of(bytes: [u8; 32]) -> String {
    let mut half = [0; 16];
    half.copy_from_slice(&bytes[..16]);
    uuid::Builder::from_random_bytes(half).into_uuid().to_string()
}

/// What has been asked of the sandbox so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Requests by service (`arm`, `keyVault`, `login`) and then by method in capitals.
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

#[derive(Clone, Copy)]
enum Service {
    Arm,
    KeyVault,
    Login,
}

impl Service {
    const fn name(self) -> &'static str {
        match self {
            Self::Arm => "arm",
            Self::KeyVault => "keyVault",
            Self::Login => "login",
        }
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
    /// An empty world: two subscriptions and nothing in them.
    #[must_use]
    pub fn new(pace: Pace) -> Self {
        Self {
            pace,
            ids: Ids::default(),
            counts: Counts::default(),
            buckets: Buckets::default(),
            state: State::default(),
            faults: Vec::new(),
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
        let ask = Ask::read(request);
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
        let answer = self.answer(now, service, &ask);
        if mishap.is_some() {
            return Err(Unreachable::Lost(ask.host));
        }
        let mut response = self.dressed(answer, service, now).written();
        if ask.method == "HEAD" {
            response.body_mut().clear();
        }
        Ok(response)
    }

    /// Requests seen and effects had so far.
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The names of all storage accounts, in every subscription.
    pub fn accounts(&self) -> Vec<String> {
        self.state.accounts.keys().cloned().collect()
    }

    /// The delays of this world.
    pub const fn pace(&self) -> Pace {
        self.pace
    }

    /// Lets time pass up to `now`.
    pub(super) fn settle(&mut self, now: Millis) {
        self.state.settle(now, self.pace);
    }

    fn answer(&mut self, now: Millis, service: Service, ask: &Ask) -> Answer {
        self.settle(now);
        let before = (!ask.only_reads()).then(|| self.state.clone());
        let reply: Reply = match service {
            Service::Arm => arm::answer(self, now, ask),
            Service::KeyVault => key_vault::answer(self, now, ask),
            Service::Login => login::answer(self, now, ask),
        };
        match reply {
            Ok(answer) => {
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
        match host {
            ARM_HOST => Some(Service::Arm),
            LOGIN_HOST => Some(Service::Login),
            _ => self.state.vault_at(host).filter(|vault| vault.resolves(now)).map(|_| Service::KeyVault),
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
        }
    }
}
