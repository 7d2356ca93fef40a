//! Calls and answers as plain data: what will be sent, so that a preview shows the same thing, and what came back.
//! Sends nothing.

use super::cloud::Cloud;
use super::failure::{Failure, Kind};
pub use azure_core::http::Method;
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// The service that a call goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Service {
    /// Azure Resource Manager.
    Arm,
    /// The data plane of one vault.
    KeyVault {
        /// Its host: `kv-prod.vault.azure.net`.
        host: String,
    },
}

/// What a call does to Azure, and so when it may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It changes nothing: it may be sent again at will.
    Read,
    /// It makes a thing that is not there and leaves one that is there alone, by contract: it may be sent again.
    CreateIfAbsent,
    /// It changes something: it is sent again only when Azure certainly did not act on it.
    Write,
}

/// One request that may be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The HTTP method.
    pub method: Method,
    /// Where it goes.
    pub service: Service,
    /// The path, with its leading slash.
    pub path: String,
    /// The query, without the question mark: `api-version=2022-09-01`.
    pub query: String,
    /// The JSON body.
    pub body: Option<Value>,
    /// What it does.
    pub effect: Effect,
    /// The `x-ms-client-request-id`; a fresh one for each call when there is none.
    pub request_id: Option<String>,
    /// The path of the thing that every answer has to be about; nothing when it is about an operation.
    pub thing: Option<String>,
}

/// A 2xx answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The JSON body; `null` when there is none.
    pub body: Value,
    /// How long to wait before the next look.
    pub retry_after: Option<Duration>,
    /// `Location`, resolved against the request's URL.
    pub location: Option<Url>,
    /// `Azure-AsyncOperation`, resolved against the request's URL.
    pub operation: Option<Url>,
    /// Azure's id for the request.
    pub request_id: Option<String>,
    /// How large the body was, in bytes.
    pub size_bytes: usize,
}

impl Answer {
    /// Reads the body. What cannot be read is a failure with Azure's id for the request.
    pub fn read<T>(&self, call: &Call, read: impl FnOnce(&Value) -> Result<T, String>) -> Result<T, Failure> {
        read(&self.body).map_err(|reason| Failure::unintelligible(call, reason).under(self.request_id.as_deref()))
    }
}

impl Call {
    /// A call of Azure Resource Manager that reads.
    pub fn get(path: String, api_version: &str) -> Self {
        Self {
            method: Method::Get,
            service: Service::Arm,
            thing: Some(path.clone()),
            path,
            query: format!("api-version={api_version}"),
            body: None,
            effect: Effect::Read,
            request_id: None,
        }
    }

    /// A call of Azure Resource Manager that carries a body.
    pub fn send(method: Method, effect: Effect, path: String, api_version: &str, body: Value) -> Self {
        Self { method, effect, body: Some(body), ..Self::get(path, api_version) }
    }

    /// The same call under a request id of the caller's, such as a step's.
    #[must_use]
    pub fn with_request_id(self, id: impl Into<String>) -> Self {
        Self { request_id: Some(id.into()), ..self }
    }

    /// The call's URL in a cloud. Fails when the host is not one of that cloud's.
    ///
    /// The URL is always put together from the cloud's own endpoint, so that no text
    /// from outside can lead a token to another host.
    pub fn url(&self, cloud: &Cloud) -> Result<Url, Failure> {
        let mut url = match &self.service {
            Service::Arm => cloud.arm.clone(),
            Service::KeyVault { host } if cloud.is_vault_host(host) => {
                Url::parse(&format!("https://{host}/")).map_err(|_| self.foreign(host, cloud))?
            }
            Service::KeyVault { host } => return Err(self.foreign(host, cloud)),
        };
        url.set_path(&self.path);
        url.set_query(Some(&self.query).filter(|query| !query.is_empty()).map(String::as_str));
        Ok(url)
    }

    /// The read that follows a link which Azure gave in the answer to this call. Fails when the link leaves the host.
    ///
    /// Only the link's path and query are taken, so a name and a password in it go nowhere.
    pub fn follow(&self, link: &Url, cloud: &Cloud) -> Result<Self, Failure> {
        let here = self.url(cloud)?;
        let same = link.scheme() == here.scheme()
            && link.host_str() == here.host_str()
            && link.port_or_known_default() == here.port_or_known_default();
        if !same {
            return Err(self.foreign(link.host_str().unwrap_or("a URL without a host"), cloud));
        }
        Ok(Self {
            method: Method::Get,
            service: self.service.clone(),
            path: link.path().to_owned(),
            query: link.query().unwrap_or_default().to_owned(),
            body: None,
            effect: Effect::Read,
            request_id: self.request_id.clone(),
            thing: self.thing.clone(),
        })
    }

    fn foreign(&self, host: &str, cloud: &Cloud) -> Failure {
        Failure::new(
            Kind::Foreign,
            format!("{host} is not a host that this call may go to in the {} cloud", cloud.name),
        )
        .of(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read() -> Call {
        Call::get("/subscriptions/s/resourceGroups/rg".to_owned(), "2022-09-01")
    }

    #[test]
    fn a_url_is_the_clouds_endpoint_with_the_calls_path() {
        let url = read().url(&Cloud::public()).unwrap();
        assert_eq!(
            url.as_str(),
            "https://management.azure.com/subscriptions/s/resourceGroups/rg?api-version=2022-09-01"
        );
    }

    #[test]
    fn a_vault_outside_the_cloud_is_refused_before_anything_is_sent() {
        let call = Call { service: Service::KeyVault { host: "kv.vault.evil.example".to_owned() }, ..read() };
        assert_eq!(call.url(&Cloud::public()).unwrap_err().kind, Kind::Foreign);
    }

    #[test]
    fn a_path_cannot_change_the_host() {
        let call = Call { path: "//evil.example/x".to_owned(), ..read() };
        assert_eq!(call.url(&Cloud::public()).unwrap().host_str(), Some("management.azure.com"));
    }

    #[test]
    fn a_link_is_followed_on_the_same_host_only_and_never_as_a_write() {
        let call = Call { method: Method::Put, effect: Effect::Write, body: Some(Value::Null), ..read() };
        let link = Url::parse("https://management.azure.com:443/next?a=%2Fb&c=d").unwrap();
        let next = call.follow(&link, &Cloud::public()).unwrap();
        assert_eq!((next.method, next.effect, next.body.clone()), (Method::Get, Effect::Read, None));
        assert_eq!(next.url(&Cloud::public()).unwrap().as_str(), "https://management.azure.com/next?a=%2Fb&c=d");
        let link = Url::parse("https://evil.example/next").unwrap();
        assert_eq!(call.follow(&link, &Cloud::public()).unwrap_err().kind, Kind::Foreign);
    }
}
