//! The login host: gives out tokens to applications that prove who they are.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::hosts::Domain;
use super::principals::Principal;
use super::tokens::{Caller, Token};
use super::wire::{Answer, Ask, Reply, pairs};
use super::world::guid_of;
use super::{Millis, World, assertions, hosts, openid};

/// Answers the login host.
pub(super) fn answer(world: &World, ask: &Ask) -> Reply {
    let lower = ask.path_lower();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let desk = Desk { world, now: ask.at, ask };
    match (ask.method.as_str(), lower.as_slice()) {
        ("POST", [tenant, "oauth2", "v2.0", "token"]) => desk.token(tenant, Version::Two),
        ("POST", [tenant, "oauth2", "token"]) => desk.token(tenant, Version::One),
        ("GET", path) => openid::answer(&desk, path),
        _ => Err(Answer::empty(404)),
    }
}

/// The two forms in which tokens are asked for: with a resource, and with a scope.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// A request at the login host.
pub(super) struct Desk<'a> {
    pub world: &'a World,
    pub now: Millis,
    pub ask: &'a Ask,
}

impl Desk<'_> {
    fn token(&self, tenant: &str, version: Version) -> Reply {
        self.check_tenant(tenant)?;
        let form = pairs(&self.ask.body);
        let grant = self.field(&form, "grant_type")?;
        if grant != "client_credentials" {
            let text = format!("AADSTS70003: The app requested an unsupported grant type '{grant}'.");
            return Err(self.refused(400, "unsupported_grant_type", 70_003, &text));
        }
        let client = self.field(&form, "client_id")?;
        let Some(application) = self.world.state.application(client) else {
            let text = format!(
                "AADSTS700016: Application with identifier '{client}' was not found in the directory 'Sandbox'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
            );
            return Err(self.refused(400, "unauthorized_client", 700_016, &text));
        };
        let proof = self.proof(&form, application)?;
        let audience = self.audience(&form, version)?;
        Ok(self.given(application, audience, proof, version))
    }

    /// A field that has to be there.
    fn field<'a>(&self, form: &'a BTreeMap<String, String>, name: &str) -> Result<&'a str, Answer> {
        form.get(name).map(String::as_str).filter(|value| !value.is_empty()).ok_or_else(|| {
            let text = format!("AADSTS900144: The request body must contain the following parameter: '{name}'.");
            self.refused(400, "invalid_request", 900_144, &text)
        })
    }

    pub(super) fn check_tenant(&self, tenant: &str) -> Result<(), Answer> {
        if tenant == self.ask.tenant {
            return Ok(());
        }
        if ["common", "organizations", "consumers"].contains(&tenant) {
            let text = "AADSTS50059: No tenant-identifying information found in either the request or implied by any provided credentials.";
            return Err(self.refused(400, "invalid_request", 50_059, text));
        }
        let text = format!(
            "AADSTS90002: Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."
        );
        Err(self.refused(400, "invalid_request", 90_002, &text))
    }

    /// How the application proves itself, as its token will say.
    fn proof(&self, form: &BTreeMap<String, String>, application: &Principal) -> Result<&'static str, Answer> {
        if let Some(secret) = form.get("client_secret") {
            if application.has_secret(secret) {
                return Ok("1");
            }
            let text = format!(
                "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{}'.",
                application.application
            );
            return Err(self.refused(401, "invalid_client", 7_000_215, &text));
        }
        if form.contains_key("client_assertion") {
            let fault = assertions::check(form, &application.application, &self.ask.tenant, self.now);
            return fault
                .map(|()| "2")
                .map_err(|(code, text)| self.refused(401, "invalid_client", code, &format!("AADSTS{code}: {text}")));
        }
        let text = "AADSTS7000216: 'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.";
        Err(self.refused(401, "invalid_client", 7_000_216, text))
    }

    /// What the token is wanted for: in a scope, whatever stands before `/.default`, a slash at its end included.
    fn audience<'a>(&self, form: &'a BTreeMap<String, String>, version: Version) -> Result<&'a str, Answer> {
        let resource = match version {
            Version::One => self.field(form, "resource")?,
            Version::Two => {
                // Some clients ask for an identity token as well, which no application gets.
                let scope = self.field(form, "scope")?;
                let identity = ["openid", "profile", "offline_access"];
                let scope = scope.split_whitespace().find(|word| !identity.contains(word)).unwrap_or_default();
                scope.strip_suffix("/.default").ok_or_else(|| {
                    let text = format!(
                        "AADSTS1002012: The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
                    );
                    self.refused(400, "invalid_scope", 1_002_012, &text)
                })?
            }
        };
        if hosts::audience(resource).is_some() {
            return Ok(resource);
        }
        let text = format!(
            "AADSTS500011: The resource principal named {resource} was not found in the tenant named {}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.",
            self.world.state.directory.name
        );
        Err(self.refused(400, "invalid_resource", 500_011, &text))
    }

    fn given(&self, application: &Principal, audience: &str, proof: &'static str, version: Version) -> Answer {
        let lifetime = self.world.pace.token_lifetime;
        let (from, until) = (self.now, self.now.plus(lifetime));
        let caller = Caller { object: application.object.clone(), application: application.application.clone() };
        let issuer = self.world.domain().issuer(&self.ask.tenant);
        let token = Token { caller: &caller, audience, issuer, tenant: &self.ask.tenant, proof, from, until }.signed();
        let seconds = lifetime / 1000;
        // The older form writes its numbers as texts.
        let body = match version {
            Version::Two => json!({
                "token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token,
            }),
            Version::One => json!({
                "token_type": "Bearer", "expires_in": seconds.to_string(), "ext_expires_in": seconds.to_string(),
                "expires_on": until.seconds().to_string(), "not_before": from.seconds().to_string(),
                "resource": audience, "access_token": token,
            }),
        };
        Answer::json(200, body).header("pragma", "no-cache")
    }

    /// A refusal in the words of the directory, which are not those of Resource Manager.
    pub(super) fn refused(&self, status: u16, error: &str, code: u32, text: &str) -> Answer {
        let said = self.now.whole().replace('T', " ");
        let trace = |what: &str| -> Value {
            let seed = format!("sandbox {what} {} {}", self.world.counts.total(), self.now.0);
            json!(guid_of(Sha256::digest(seed).into()))
        };
        let (trace_id, correlation_id) = (trace("trace"), trace("correlation"));
        let plain = |id: &Value| id.as_str().unwrap_or_default().to_owned();
        let description = format!(
            "{text} Trace ID: {} Correlation ID: {} Timestamp: {said}",
            plain(&trace_id),
            plain(&correlation_id)
        );
        let login = Domain::of(&self.ask.host).login();
        Answer::json(
            status,
            json!({
                "error": error, "error_description": description, "error_codes": [code], "timestamp": said,
                "trace_id": trace_id, "correlation_id": correlation_id,
                "error_uri": format!("https://{login}/error?code={code}"),
            }),
        )
    }
}
