//! The directory's own interface: as much of it as clients ask while they look after keys and storage.
//!
//! Whoever is signed in may look; in Azure an application needs a permission for that.

use serde_json::{Value, json};

use super::hosts::Service;
use super::principals::{Kind, Principal};
use super::tokens::Distrust;
use super::wire::{Answer, Ask, Reply};
use super::{World, tokens};

/// Answers the directory's host.
pub(super) fn answer(world: &World, ask: &mut Ask) -> Reply {
    ask.caller = tokens::check(ask, Service::Graph).map_err(|distrust| unauthorized(&distrust))?;
    let lower = ask.path_lower();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let ["v1.0" | "beta", rest @ ..] = lower.as_slice() else { return Err(no_segment("")) };
    match (ask.method.as_str(), rest) {
        ("GET", ["me"]) => {
            let text = "/me request is only valid with delegated authentication flow.";
            Err(Answer::error(400, "BadRequest", text))
        }
        ("GET", ["serviceprincipals"]) => find(world, ask),
        ("GET", ["serviceprincipals" | "directoryobjects", id]) => {
            let found = world.state.principals.get(*id).map(|one| body(one, &ask.tenant));
            found.map(|body| Answer::json(200, body)).ok_or_else(|| not_found(id))
        }
        // There are no people here and nobody to group.
        ("GET", [kind @ ("users" | "groups")]) => Ok(page(kind, json!([]))),
        ("GET", ["users" | "groups", id]) => Err(not_found(id)),
        ("POST", ["directoryobjects", "getbyids"]) => by_ids(world, ask),
        (_, rest) => Err(no_segment(rest.first().copied().unwrap_or_default())),
    }
}

/// A page of service principals, or those to whom a simple filter applies.
fn find(world: &World, ask: &Ask) -> Reply {
    let filter = ask.query.get("$filter").map(|filter| filter.trim().to_owned()).unwrap_or_default();
    let value = filter.split('\'').nth(1).unwrap_or_default();
    let head = filter.split('\'').next().unwrap_or_default().to_ascii_lowercase();
    let matches: fn(&Principal, &str) -> bool = match head.trim() {
        "" => |_, _| true,
        "id eq" => |one, id| one.object.eq_ignore_ascii_case(id),
        "displayname eq" => |one, name| one.name.eq_ignore_ascii_case(name),
        "startswith(displayname," => |one, start| one.name.to_lowercase().starts_with(&start.to_lowercase()),
        // An application is known by its client id alone.
        head if head == "appid eq" || head.starts_with("serviceprincipalnames/any(") => {
            |one, id| one.application.eq_ignore_ascii_case(id)
        }
        _ => {
            let text = "Unsupported or invalid query filter clause.";
            return Err(Answer::error(400, "Request_UnsupportedQuery", text));
        }
    };
    let found = world.state.principals.values().filter(|one| matches(one, value));
    Ok(page("servicePrincipals", found.map(|one| body(one, &ask.tenant)).collect::<Vec<Value>>()))
}

/// The objects with these ids; an id that is nobody's is left out.
fn by_ids(world: &World, ask: &Ask) -> Reply {
    let sent = ask.object()?;
    let ids = sent["ids"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let found = ids.filter_map(|id| world.state.principals.get(&id.to_ascii_lowercase()));
    let typed = found.map(|principal| {
        let mut body = body(principal, &ask.tenant);
        body["@odata.type"] = json!("#microsoft.graph.servicePrincipal");
        body
    });
    Ok(page("directoryObjects", typed.collect::<Vec<Value>>()))
}

fn page(kind: &str, value: impl Into<Value>) -> Answer {
    let value: Value = value.into();
    Answer::json(
        200,
        json!({"@odata.context": format!("https://graph.microsoft.com/v1.0/$metadata#{kind}"), "value": value}),
    )
}

fn body(principal: &Principal, tenant: &str) -> Value {
    let Principal { object, application, name, kind, born } = principal;
    let (kind, others) = match kind {
        Kind::Application { .. } => ("Application", json!([])),
        Kind::ManagedIdentity { resource } => ("ManagedIdentity", json!(["isExplicit=True", resource])),
    };
    json!({
        "id": object, "appId": application, "displayName": name, "appDisplayName": name, "accountEnabled": true,
        "servicePrincipalType": kind, "servicePrincipalNames": [application], "alternativeNames": others,
        "appOwnerOrganizationId": tenant, "createdDateTime": born.whole(),
    })
}

fn no_segment(segment: &str) -> Answer {
    Answer::error(400, "BadRequest", &format!("Resource not found for the segment '{segment}'."))
}

fn not_found(id: &str) -> Answer {
    let text =
        format!("Resource '{id}' does not exist or one of its queried reference-property objects are not present.");
    Answer::error(404, "Request_ResourceNotFound", &text)
}

fn unauthorized(distrust: &Distrust) -> Answer {
    let text = match distrust {
        Distrust::Missing => "Access token is empty.",
        Distrust::Unreadable => "Access token validation failure. Invalid signature.",
        Distrust::Expired(_) => "Lifetime validation failed, the token is expired.",
        Distrust::WrongAudience(_) => "Access token validation failure. Invalid audience.",
        Distrust::WrongIssuer(_) => "Access token validation failure. Invalid issuer.",
    };
    Answer::error(401, "InvalidAuthenticationToken", text)
}
