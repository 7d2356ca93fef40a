//! Resource Manager: who may ask, what the path means, and which provider answers.

use serde_json::{Value, json};

use super::hosts::{Domain, Service};
use super::tokens::{self, Distrust};
use super::wire::{Answer, Ask, Reply};
use super::{
    Millis, World, accounts, actions, arm_keys, authorization, azure_policies, deleted_vaults, diagnostics, groups,
    identities, locks, policies, providers, resources, subscriptions, vaults, versions,
};

/// Where in Resource Manager a resource is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub subscription: String,
    /// As the request wrote it.
    pub group: String,
}

/// Answers the Resource Manager host.
pub(super) fn answer(world: &mut World, now: Millis, ask: &mut Ask) -> Reply {
    let caller = tokens::check(ask, Service::Arm);
    ask.caller = caller.map_err(|distrust| unauthorized(ask, &distrust))?;
    check_api_version(ask)?;
    let mut answer = routed(world, now, ask)?;
    actions::trim(&world.state, ask, &mut answer);
    Ok(answer)
}

fn routed(world: &mut World, now: Millis, ask: &Ask) -> Reply {
    let lower = ask.path_lower();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let [root, rest @ ..] = lower.as_slice() else { return Err(no_route(ask)) };
    match (*root, rest) {
        ("tenants", []) => reading(ask, || Ok(subscriptions::tenants(&world.state.directory, ask))),
        ("subscriptions", []) => reading(ask, || Ok(subscriptions::list(&world.state.directory, ask))),
        ("providers", ["microsoft.authorization", ..]) => authorization::answer(world, now, ask, 0),
        ("subscriptions", [subscription, below @ ..]) => {
            subscriptions::check(&world.state.directory, subscription, ask)?;
            let (header, left) = world.buckets.take(subscription, ask, now, world.pace)?;
            match in_subscription(world, now, ask, subscription, below) {
                Ok(answer) => Ok(answer.header(header, left)),
                Err(refusal) => Err(refusal.header(header, left)),
            }
        }
        _ => Err(no_route(ask)),
    }
}

fn in_subscription(world: &mut World, now: Millis, ask: &Ask, subscription: &str, below: &[&str]) -> Reply {
    actions::authorize(&world.state, ask)?;
    locks::check(&world.state, ask)?;
    azure_policies::check(world, now, ask)?;
    if let Some(at) = authorization::split(below) {
        versions::check("microsoft.authorization", below.get(at + 2).copied().unwrap_or_default(), ask)?;
        return authorization::answer(world, now, ask, at + 2);
    }
    if let Some(reply) = below
        .split_first()
        .filter(|(first, _)| **first == "providers")
        .and_then(|(_, below)| providers::answer(world, ask, subscription, below))
    {
        return reply;
    }
    if let ["providers", namespace, kind, ..] = below {
        versions::check(namespace, kind, ask)?;
    }
    match below {
        [] => reading(ask, || subscriptions::show(&world.state.directory, subscription, ask)),
        ["locations"] => reading(ask, || Ok(subscriptions::locations(subscription))),
        ["resources"] => reading(ask, || resources::list(world, now, ask, subscription, None)),
        ["resourcegroups", group, "resources"] => {
            if !world.state.groups.contains_key(&groups::key(subscription, group)) {
                return Err(groups::not_found(&ask.path[3]));
            }
            reading(ask, || resources::list(world, now, ask, subscription, Some(group)))
        }
        ["operationresults", _] => reading(ask, || Ok(Answer::empty(200))),
        ["resourcegroups"] => reading(ask, || Ok(groups::list(world, subscription))),
        ["resourcegroups", _] => groups::answer(world, now, ask, subscription),
        ["resourcegroups", _, "providers", namespace, kind, rest @ ..] => {
            let place = Place { subscription: subscription.to_owned(), group: ask.path[3].clone() };
            if !world.state.groups.contains_key(&groups::key(subscription, &place.group)) {
                return Err(groups::not_found(&place.group));
            }
            in_group(world, now, ask, &place, (namespace, kind), rest)
        }
        ["providers", "microsoft.storage", rest @ ..] => {
            accounts::answer_subscription(world, now, ask, subscription, rest)
        }
        ["providers", "microsoft.keyvault", "vaults"] => {
            reading(ask, || vaults::list(world, now, ask, subscription, None))
        }
        ["providers", "microsoft.keyvault", rest @ ..] => deleted_vaults::answer(world, now, ask, subscription, rest),
        ["providers", "microsoft.managedidentity", "userassignedidentities"] => {
            reading(ask, || Ok(identities::list(world, subscription, None)))
        }
        ["providers", namespace, rest @ ..] => Err(no_type(namespace, rest.first().copied(), ask)),
        _ => Err(no_route(ask)),
    }
}

fn in_group(world: &mut World, now: Millis, ask: &Ask, place: &Place, kind: (&str, &str), rest: &[&str]) -> Reply {
    if let (
        "microsoft.keyvault",
        "vaults",
        [_, "providers", "microsoft.insights", "diagnosticsettings", settings @ ..],
    ) = (kind.0, kind.1, rest)
    {
        versions::check("microsoft.insights", "diagnosticSettings", ask)?;
        let vault = ask.path.get(7).map_or("", String::as_str);
        return diagnostics::answer(world, ask, place, vault, settings);
    }
    versions::check(kind.0, kind.1, ask)?;
    providers::check_registered(world, ask, &place.subscription, kind.0)?;
    // The resource's own name, as written: subscriptions/s/resourceGroups/g/providers/ns/kind/NAME.
    let written = |index: usize| ask.path.get(7 + index).map_or("", String::as_str);
    match (kind, rest) {
        (("microsoft.storage", "storageaccounts"), rest) => accounts::answer(world, now, ask, place, written(0), rest),
        (("microsoft.keyvault", "managedhsms"), []) => reading(ask, || Ok(Answer::json(200, json!({"value": []})))),
        (("microsoft.keyvault", "vaults"), []) => {
            reading(ask, || vaults::list(world, now, ask, &place.subscription, Some(&place.group)))
        }
        (("microsoft.keyvault", "vaults"), [_]) => vaults::answer(world, now, ask, place, written(0)),
        (("microsoft.keyvault", "vaults"), [_, "accesspolicies", operation]) => {
            policies::answer(world, now, ask, place, written(0), operation)
        }
        (("microsoft.keyvault", "vaults"), [_, "keys", rest @ ..]) => {
            arm_keys::answer(world, now, ask, place, written(0), written(2), rest)
        }
        (("microsoft.managedidentity", "userassignedidentities"), []) => {
            reading(ask, || Ok(identities::list(world, &place.subscription, Some(&place.group))))
        }
        (("microsoft.managedidentity", "userassignedidentities"), [_]) => {
            identities::answer(world, ask, place, written(0))
        }
        ((namespace, kind), _) => Err(no_type(namespace, Some(kind), ask)),
    }
}

/// Lets only reads through to `answer`.
pub(super) fn reading(ask: &Ask, answer: impl FnOnce() -> Reply) -> Reply {
    if ask.method == "GET" { answer() } else { Err(no_method(ask)) }
}

pub(super) fn no_method(ask: &Ask) -> Answer {
    let text = format!("The requested resource does not support http method '{}'.", ask.method);
    Answer::error(405, "UnsupportedHttpMethod", &text).gateway()
}

pub(super) fn no_route(ask: &Ask) -> Answer {
    let text = format!("No HTTP resource was found that matches the request URI '/{}'.", ask.path.join("/"));
    Answer::error(404, "InvalidResourceType", &text).gateway()
}

fn no_type(namespace: &str, kind: Option<&str>, ask: &Ask) -> Answer {
    let known = ["microsoft.storage", "microsoft.keyvault", "microsoft.managedidentity", "microsoft.authorization"]
        .contains(&namespace);
    let version = ask.api_version();
    let (code, text) = if known {
        let kind = kind.unwrap_or_default();
        let text = format!(
            "The resource type '{kind}' could not be found in the namespace '{namespace}' for api version '{version}'."
        );
        ("InvalidResourceType", text)
    } else {
        ("InvalidResourceNamespace", format!("The resource namespace '{namespace}' is invalid."))
    };
    Answer::error(404, code, &text).gateway()
}

/// The body of a resource that is asked for and does not exist.
pub(super) fn not_found(kind: &str, name: &str, group: &str) -> Answer {
    let text = format!(
        "The Resource '{kind}/{name}' under resource group '{group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    );
    Answer::error(404, "ResourceNotFound", &text).gateway()
}

/// A resource cannot move: the same name under the same id in another region is a clash.
pub(super) fn moved(name: &str, is: &str, wanted: &str, group: &str) -> Answer {
    let text = format!(
        "The resource '{name}' already exists in location '{is}' in resource group '{group}'. A resource with the same name cannot be created in location '{wanted}'. Please select a new resource name."
    );
    Answer::error(409, "InvalidResourceLocation", &text).gateway()
}

/// Refuses members of a resource that Resource Manager does not know, as it does.
pub(super) fn check_members(body: &Value) -> Result<(), Answer> {
    const KNOWN: [&str; 13] = [
        "id",
        "name",
        "type",
        "location",
        "tags",
        "properties",
        "sku",
        "kind",
        "identity",
        "zones",
        "etag",
        "plan",
        "systemData",
    ];
    let mut members = body.as_object().into_iter().flat_map(|object| object.keys());
    if let Some(member) = members.find(|member| !KNOWN.contains(&member.as_str())) {
        let text = format!(
            "The request content was invalid and could not be deserialized: 'Could not find member '{member}' on object of type 'ResourceDefinition'.'."
        );
        return Err(Answer::error(400, "InvalidRequestContent", &text).gateway());
    }
    Ok(())
}

/// The location a new resource names, in its plain form.
pub(super) fn location(body: &Value, kind: &str) -> Result<String, Answer> {
    let Some(location) = body["location"].as_str().filter(|location| !location.is_empty()) else {
        let text = "The location property is required for this definition.";
        return Err(Answer::error(400, "LocationRequired", text).gateway());
    };
    super::regions::known(location, kind)
}

/// The tags of a body: always an object, never null.
pub(super) fn tags(body: &Value) -> Value {
    if body["tags"].is_object() { body["tags"].clone() } else { json!({}) }
}

fn check_api_version(ask: &Ask) -> Result<(), Answer> {
    let version = ask.api_version();
    if version.is_empty() {
        let text = "The api-version query parameter (?api-version=) is required for all requests.";
        return Err(Answer::error(400, "MissingApiVersionParameter", text).gateway());
    }
    let (date, _) = version.split_at_checked(10).unwrap_or((version, ""));
    let preview = ["", "-preview", "-alpha", "-beta"].contains(&version.get(10..).unwrap_or("-"));
    if preview && date.parse::<jiff::civil::Date>().is_ok() {
        return Ok(());
    }
    let text = format!(
        "The api-version '{version}' is invalid. The supported versions are '2025-04-01,2022-09-01,2021-04-01,2020-06-01'."
    );
    Err(Answer::error(400, "InvalidApiVersionParameter", &text).gateway())
}

fn unauthorized(ask: &Ask, distrust: &Distrust) -> Answer {
    let domain = Domain::of(&ask.host);
    let tenant = &ask.tenant;
    let (code, text) = match distrust {
        Distrust::Missing => {
            ("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.".to_owned())
        }
        Distrust::Unreadable => ("InvalidAuthenticationToken", "The access token is invalid.".to_owned()),
        Distrust::Expired(end) => {
            let text = format!(
                "The access token expiry UTC time '{}' is earlier than current UTC time '{}'.",
                end.whole(),
                ask.at.whole()
            );
            ("ExpiredAuthenticationToken", text)
        }
        Distrust::WrongAudience(audience) => {
            let text = format!(
                "The access token has been obtained for wrong audience or resource '{audience}'. It should exactly match with one of the allowed audiences 'https://{}'.",
                domain.arm()
            );
            ("InvalidAuthenticationTokenAudience", text)
        }
        Distrust::WrongIssuer(issuer) => {
            let own = domain.issuer(tenant);
            let text = format!(
                "The access token is from the wrong issuer '{issuer}'. It must match the tenant '{own}' associated with this subscription. Please use the authority (URL) 'https://{}/{tenant}' to get the token. Note, if the subscription is transferred to another tenant there is no impact to the services, but information about new tenant could take time to propagate (up to an hour). If you just transferred your subscription and see this error message, please try back later.",
                domain.login()
            );
            ("InvalidAuthenticationTokenTenant", text)
        }
    };
    let challenge = format!(
        "Bearer authorization_uri=\"https://{}/{tenant}\", error=\"invalid_token\", error_description=\"{text}\"",
        domain.login()
    );
    Answer::error(401, code, &text).gateway().header("www-authenticate", challenge)
}
