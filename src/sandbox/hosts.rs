//! Host names: which service answers to which, and which ones the sandbox hands out.
//!
//! The sandbox always answers both to names of its own and to those of the public cloud, because a proxy may
//! lead a client that knows nothing of sandboxes here. What a world writes into its answers (a vault's
//! address, the issuer of a token) follows its [`Domain`]; a challenge, a link to a next page and the
//! documents of the login host follow the name that was asked, because clients refuse what does not match it.

use serde::{Deserialize, Serialize};

use super::{ARM_HOST, GRAPH_HOST, LOGIN_HOST, VAULT_SUFFIX};

/// Whose names a world hands out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Domain {
    /// A cloud of its own, under a domain that can exist nowhere.
    #[default]
    Sandbox,
    /// A stand-in for the public cloud, for clients that are led here unawares.
    Public,
}

/// A service of the cloud, as a host name says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Arm,
    KeyVault,
    Login,
    Graph,
}

impl Service {
    /// What the service is called where requests are counted.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Arm => "arm",
            Self::KeyVault => "keyVault",
            Self::Login => "login",
            Self::Graph => "graph",
        }
    }
}

/// The names by which the public cloud's login host goes; the first is the one that it prefers.
pub(super) const PUBLIC_LOGINS: [&str; 4] =
    ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"];

impl Domain {
    /// Where Resource Manager answers.
    pub const fn arm(self) -> &'static str {
        match self {
            Self::Sandbox => ARM_HOST,
            Self::Public => "management.azure.com",
        }
    }

    /// Where tokens are given out.
    pub const fn login(self) -> &'static str {
        match self {
            Self::Sandbox => LOGIN_HOST,
            Self::Public => PUBLIC_LOGINS[0],
        }
    }

    /// Where the directory answers.
    pub const fn graph(self) -> &'static str {
        match self {
            Self::Sandbox => GRAPH_HOST,
            Self::Public => "graph.microsoft.com",
        }
    }

    /// What a vault's name is put before, without a dot at the beginning.
    pub const fn vault_suffix(self) -> &'static str {
        match self {
            Self::Sandbox => VAULT_SUFFIX,
            Self::Public => "vault.azure.net",
        }
    }

    /// Who says that a token is genuine: the `iss` of tokens in the first version's form.
    pub(super) fn issuer(self, tenant: &str) -> String {
        match self {
            Self::Sandbox => format!("https://{LOGIN_HOST}/{tenant}/"),
            Self::Public => format!("https://sts.windows.net/{tenant}/"),
        }
    }

    /// The family that a host name belongs to.
    pub(super) fn of(host: &str) -> Self {
        if host.ends_with(".sandbox.test") { Self::Sandbox } else { Self::Public }
    }
}

const DOMAINS: [Domain; 2] = [Domain::Sandbox, Domain::Public];

/// The service behind a host name in lower case.
pub(super) fn service(host: &str) -> Option<Service> {
    let is = |name: fn(Domain) -> &'static str| DOMAINS.into_iter().any(|domain| name(domain) == host);
    if is(Domain::arm) {
        Some(Service::Arm)
    } else if is(Domain::graph) {
        Some(Service::Graph)
    } else if is(Domain::login) || PUBLIC_LOGINS.contains(&host) {
        Some(Service::Login)
    } else {
        vault_name(host).map(|_| Service::KeyVault)
    }
}

/// The name of the vault behind a host of the data plane.
pub(super) fn vault_name(host: &str) -> Option<&str> {
    let name = |domain: Domain| host.strip_suffix(domain.vault_suffix())?.strip_suffix('.');
    DOMAINS.into_iter().find_map(name).filter(|name| !name.is_empty() && !name.contains('.'))
}

/// The service that a token for a resource is good for. A slash at its end says nothing.
pub(super) fn audience(resource: &str) -> Option<Service> {
    let host = resource.trim_end_matches('/').strip_prefix("https://")?;
    let is = |name: fn(Domain) -> &'static str| DOMAINS.into_iter().any(|domain| name(domain) == host);
    if is(Domain::arm) || host == "management.core.windows.net" {
        Some(Service::Arm)
    } else if is(Domain::vault_suffix) {
        Some(Service::KeyVault)
    } else {
        is(Domain::graph).then_some(Service::Graph)
    }
}

/// Whether a token's issuer is this directory, under either name.
pub(super) fn issues(tenant: &str, issuer: &str) -> bool {
    DOMAINS.into_iter().any(|domain| domain.issuer(tenant) == issuer)
}
