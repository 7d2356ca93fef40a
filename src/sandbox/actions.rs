//! What a request to Resource Manager needs, and whether its caller may have it.
//!
//! The action and the scope follow from the path alone, before anyone looks whether the resource is there.
//! A list is not refused to a caller who may see some of it: what may not be seen is left out.

use serde_json::json;

use super::tokens::Caller;
use super::wire::{Answer, Ask};
use super::world::State;

/// What it takes to see a subscription.
const SEE: &str = "Microsoft.Resources/subscriptions/read";
/// What it takes to give an identity to a resource.
const ASSIGN: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action";

/// What a request needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Need {
    pub action: String,
    pub scope: String,
    /// Whether it asks for a list, of which less may be shown.
    pub list: bool,
}

/// What a request needs; `None` is a request that everyone may make who is signed in.
pub(super) fn need(method: &str, path: &[String]) -> Option<Need> {
    let lower: Vec<String> = path.iter().map(|segment| segment.to_ascii_lowercase()).collect();
    let polls = ["asyncoperations", "operationresults", "operationstatuses"];
    if lower.iter().any(|segment| polls.contains(&segment.as_str())) || lower.first()? != "subscriptions" {
        return None;
    }
    Some(match lower.iter().rposition(|segment| segment == "providers") {
        Some(at) => of_provider(method, path, at),
        None => of_resources(method, path),
    })
}

/// Subscriptions, groups and what Resource Manager itself keeps in them.
fn of_resources(method: &str, path: &[String]) -> Need {
    let verb = verb(method);
    let need = |kind: &str, depth: usize, list: bool| {
        let action = format!("Microsoft.Resources/subscriptions{kind}/{verb}");
        Need { action, scope: scope(&path[..depth]), list }
    };
    match path {
        [] | [_] => need("", 0, true),
        [_, _] => need("", 2, false),
        [_, _, groups] if groups.eq_ignore_ascii_case("resourcegroups") => need("/resourceGroups", 2, true),
        [_, _, kind, ..] if !kind.eq_ignore_ascii_case("resourcegroups") => need(&format!("/{kind}"), 2, true),
        [_, _, _] | [_, _, _, _] => need("/resourceGroups", path.len(), false),
        [_, _, _, _, kind, ..] => need(&format!("/resourceGroups/{kind}"), 4, true),
    }
}

/// `…/providers/{namespace}/{type}/{name}/{type}/{name}…`, with a type or a verb at the end or without.
fn of_provider(method: &str, path: &[String], at: usize) -> Need {
    let (above, whole) = (scope(&path[..at]), scope(path));
    let (namespace, rest) = match &path[at + 1..] {
        [namespace, rest @ ..] if !rest.is_empty() => (namespace, rest),
        _ => {
            let action = "Microsoft.Resources/subscriptions/providers/read".to_owned();
            return Need { action, scope: above, list: false };
        }
    };
    let kinds: Vec<&str> = rest.iter().step_by(2).map(String::as_str).collect();
    let (kind, ends_with_name) = (kinds.join("/"), rest.len() % 2 == 0);
    let parent = || if rest.len() == 1 { above.clone() } else { scope(&path[..path.len() - 1]) };
    match method {
        "POST" if kind.eq_ignore_ascii_case("checknameavailability") => {
            Need { action: format!("{namespace}/{kind}/read"), scope: above, list: false }
        }
        // What is posted to is a verb and no type, like `listKeys` behind an account.
        "POST" if !ends_with_name => {
            Need { action: format!("{namespace}/{kind}/action"), scope: parent(), list: false }
        }
        _ if ends_with_name => {
            Need { action: format!("{namespace}/{kind}/{}", verb(method)), scope: whole, list: false }
        }
        _ => {
            // Who may not see the locks of a scope is told so: a list that left some out would pass for "none".
            let list = !kind.eq_ignore_ascii_case("locks");
            Need { action: format!("{namespace}/{kind}/{}", verb(method)), scope: parent(), list }
        }
    }
}

fn verb(method: &str) -> &'static str {
    match method {
        "PUT" | "PATCH" => "write",
        "DELETE" => "delete",
        "POST" => "action",
        _ => "read",
    }
}

fn scope(path: &[String]) -> String {
    format!("/{}", path.join("/"))
}

/// Refuses a request that its caller may not make.
pub(super) fn authorize(state: &State, ask: &Ask) -> Result<(), Answer> {
    let Some(need) = need(&ask.method, &ask.path) else { return Ok(()) };
    let caller = &ask.caller.object;
    let allowed = may(state, caller, &need) || (need.list && state.may_somewhere(caller, &need.action, &need.scope));
    if allowed { check_linked(state, ask, &need) } else { Err(failed(&ask.caller, &need)) }
}

/// Whoever holds a role anywhere in a subscription may see that there is one.
fn may(state: &State, caller: &str, need: &Need) -> bool {
    let sees = need.action == SEE && !need.list && state.knows(caller, &need.scope);
    sees || state.may(caller, &need.action, &need.scope)
}

/// A resource that gets a user-assigned identity acts as that identity, so its caller has to be allowed to lend
/// the identity out.
fn check_linked(state: &State, ask: &Ask, need: &Need) -> Result<(), Answer> {
    if !["PUT", "PATCH"].contains(&ask.method.as_str()) {
        return Ok(());
    }
    let body = ask.object().unwrap_or_default();
    let wanted = body["identity"]["userAssignedIdentities"].as_object().into_iter().flatten();
    let lent = wanted.filter(|(_, value)| !value.is_null()).map(|(id, _)| id.as_str());
    let caller = &ask.caller;
    let refused: Vec<&str> = lent.filter(|id| !state.may(&caller.object, ASSIGN, id)).collect();
    if refused.is_empty() {
        return Ok(());
    }
    let Caller { object, application } = caller;
    let Need { action, scope, .. } = need;
    let text = format!(
        "The client '{application}' with object id '{object}' has permission to perform action '{action}' on scope '{scope}'; however, it does not have permission to perform action '{ASSIGN}' on the linked scope(s) '{}' or the linked scope(s) are invalid.",
        refused.join(",")
    );
    Err(Answer::error(403, "LinkedAuthorizationFailed", &text).gateway())
}

fn failed(caller: &Caller, need: &Need) -> Answer {
    let Caller { object, application } = caller;
    let Need { action, scope, .. } = need;
    let text = format!(
        "The client '{application}' with object id '{object}' does not have authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials."
    );
    Answer::error(403, "AuthorizationFailed", &text).gateway()
}

/// Leaves out of a list what its caller may not see.
pub(super) fn trim(state: &State, ask: &Ask, answer: &mut Answer) {
    let caller = &ask.caller.object;
    let Some(need) = need(&ask.method, &ask.path).filter(|need| need.list && !may(state, caller, need)) else { return };
    let rows = answer.body.as_mut().and_then(|body| body["value"].as_array_mut());
    if let Some(rows) = rows {
        rows.retain(|row| {
            let action = row["type"].as_str().map_or_else(|| need.action.clone(), read_of);
            let scope = row["id"].as_str().unwrap_or_default().to_owned();
            may(state, caller, &Need { action, scope, list: false })
        });
        let left = rows.len();
        if let Some(count) = answer.body.as_mut().and_then(|body| body.pointer_mut("/count/value")) {
            *count = json!(left);
        }
    }
}

/// The action of looking at a resource of a type. Groups are below subscriptions in actions, and not in types.
fn read_of(kind: &str) -> String {
    if kind.eq_ignore_ascii_case("Microsoft.Resources/resourceGroups") {
        return "Microsoft.Resources/subscriptions/resourceGroups/read".to_owned();
    }
    format!("{kind}/read")
}
