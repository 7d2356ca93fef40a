//! The documents by which clients find their way at the login host before they ask for a token.

use serde_json::{Value, json};

use super::hosts::{self, Domain, PUBLIC_LOGINS, Service};
use super::login::Desk;
use super::signer;
use super::wire::{Answer, Reply};

/// Answers the documents; `path` is in lower case.
pub(super) fn answer(desk: &Desk<'_>, path: &[&str]) -> Reply {
    match path {
        [tenant, "v2.0", ".well-known", "openid-configuration"] => configuration(desk, tenant, "v2.0"),
        [tenant, ".well-known", "openid-configuration"] => configuration(desk, tenant, ""),
        [_, "discovery", "v2.0", "keys"] | [_, "discovery", "keys"] => {
            Ok(Answer::json(200, json!({"keys": [signer::public_key()]})))
        }
        [_, "discovery", "instance"] => instance(desk),
        _ => Err(Answer::empty(404)),
    }
}

/// For many tenants at once the issuer has a hole in it, as Azure writes it.
fn configuration(desk: &Desk<'_>, tenant: &str, version: &str) -> Reply {
    let several = ["common", "organizations"].contains(&tenant);
    if !several {
        desk.check_tenant(tenant)?;
    }
    let domain = Domain::of(&desk.ask.host);
    let login = format!("https://{}", domain.login());
    let named = if several { "{tenantid}" } else { &desk.ask.tenant };
    let (issuer, endpoint) = if version.is_empty() {
        (domain.issuer(named), format!("{login}/{tenant}/oauth2"))
    } else {
        (format!("{login}/{named}/v2.0"), format!("{login}/{tenant}/oauth2/v2.0"))
    };
    let keys = if version.is_empty() { "discovery/keys" } else { "discovery/v2.0/keys" };
    let methods = ["client_secret_post", "private_key_jwt", "client_secret_basic"];
    Ok(Answer::json(
        200,
        json!({
            "issuer": issuer, "token_endpoint": format!("{endpoint}/token"),
            "authorization_endpoint": format!("{endpoint}/authorize"),
            "device_authorization_endpoint": format!("{endpoint}/devicecode"),
            "end_session_endpoint": format!("{endpoint}/logout"),
            "jwks_uri": format!("{login}/{tenant}/{keys}"),
            "token_endpoint_auth_methods_supported": methods,
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "subject_types_supported": ["pairwise"], "id_token_signing_alg_values_supported": ["ES256"],
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "tid", "ver"],
            "request_uri_parameter_supported": false, "tenant_region_scope": null,
            "cloud_instance_name": cloud_name(domain), "msgraph_host": domain.graph(),
            "cloud_graph_host_name": domain.graph(),
        }),
    ))
}

const fn cloud_name(domain: Domain) -> &'static str {
    match domain {
        Domain::Sandbox => "sandbox.test",
        Domain::Public => "microsoftonline.com",
    }
}

/// Says which login hosts are one and the same, and where the asked one keeps its configuration.
fn instance(desk: &Desk<'_>) -> Reply {
    let endpoint = desk.ask.query.get("authorization_endpoint").map_or("", String::as_str);
    let rest = endpoint.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
    let (host, path) = rest.unwrap_or_default();
    if hosts::service(host) != Some(Service::Login) {
        let text = "AADSTS50049: Unknown or invalid instance.";
        return Err(desk.refused(400, "invalid_instance", 50_049, text));
    }
    let tenant = path.split('/').next().filter(|tenant| !tenant.is_empty()).unwrap_or("common");
    let version = if path.contains("/v2.0") { "v2.0/" } else { "" };
    let family = |preferred: &str, cache: &str, aliases: &[&str]| -> Value {
        json!({"preferred_network": preferred, "preferred_cache": cache, "aliases": aliases})
    };
    let own = Domain::Sandbox.login();
    Ok(Answer::json(
        200,
        json!({
            "tenant_discovery_endpoint": format!("https://{host}/{tenant}/{version}.well-known/openid-configuration"),
            "api-version": "1.1",
            "metadata": [family(PUBLIC_LOGINS[0], PUBLIC_LOGINS[1], &PUBLIC_LOGINS), family(own, own, &[own])],
        }),
    ))
}
