//! `Microsoft.Authorization`, below any scope: the role definitions that there are, and role assignments.

use serde_json::{Value, json};

use super::arm;
use super::assignments::{Assignment, Remarks, covers};
use super::roles::{ROLES, Role};
use super::wire::{Answer, Ask, Reply};
use super::{Millis, World, groups, locks};

const KINDS: [&str; 5] = ["ServicePrincipal", "User", "Group", "ForeignGroup", "Device"];

/// Splits a path into a scope and what is asked of `Microsoft.Authorization` there, both by index.
pub(super) fn split(lower: &[&str]) -> Option<usize> {
    let at = lower.iter().rposition(|segment| *segment == "providers")?;
    (lower.get(at + 1) == Some(&"microsoft.authorization")).then_some(at)
}

/// Answers `{scope}/providers/Microsoft.Authorization/…`; `at` is where the scope ends.
pub(super) fn answer(world: &mut World, now: Millis, ask: &Ask, at: usize) -> Reply {
    let lower = ask.path_lower();
    let rest: Vec<&str> = lower.iter().skip(at + 2).map(String::as_str).collect();
    let scope = ask.path[..at].iter().flat_map(|segment| ["/", segment]).collect::<String>();
    if at > 0 {
        check_scope(world, &scope, ask)?;
    }
    match (ask.method.as_str(), rest.as_slice()) {
        (_, ["locks", ..]) if at > 0 => locks::answer(world, ask, &scope, &ask.path[at + 3..]),
        ("GET", ["roledefinitions"]) => list_roles(ask, &scope),
        ("GET", ["roledefinitions", id]) => {
            let role = Role::by_id(id).ok_or_else(|| no_role(404, id))?;
            Ok(Answer::json(200, role.body(&prefix(&scope))))
        }
        ("GET", ["roleassignments"]) if at > 0 => list(world, ask, &scope),
        ("GET", ["roleassignments", name]) if at > 0 => {
            let found = world.state.assignments.get(&key(&scope, name));
            found.map(|one| Answer::json(200, one.body())).ok_or_else(|| not_found(name))
        }
        ("PUT", ["roleassignments", _]) if at > 0 => put(world, now, ask, &scope, &ask.path[at + 3]),
        ("DELETE", ["roleassignments", name]) if at > 0 => {
            let gone = world.state.assignments.remove(&key(&scope, name));
            Ok(gone.map_or_else(|| Answer::empty(204), |one| Answer::json(200, one.body())))
        }
        (_, ["roledefinitions" | "roleassignments", ..]) if at > 0 => Err(arm::no_method(ask)),
        _ => Err(arm::no_route(ask)),
    }
}

/// Refuses a scope at which there is nothing.
fn check_scope(world: &World, scope: &str, ask: &Ask) -> Result<(), Answer> {
    if world.state.is_live(scope) {
        return Ok(());
    }
    match ask.path.as_slice() {
        [_, subscription, _, group, rest @ ..] if scope.matches('/').count() >= 4 => {
            if !world.state.groups.contains_key(&groups::key(subscription, group)) {
                return Err(groups::not_found(group));
            }
            let [_, namespace, kind, name, ..] = rest else { return Err(arm::no_route(ask)) };
            Err(arm::not_found(&format!("{namespace}/{kind}"), name, group))
        }
        _ => Err(arm::no_route(ask)),
    }
}

/// The subscription that a scope is in, as the beginning of ids; nothing for the root.
fn prefix(scope: &str) -> String {
    scope.split('/').take(3).collect::<Vec<&str>>().join("/")
}

fn key(scope: &str, name: &str) -> String {
    format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}").to_ascii_lowercase()
}

fn list_roles(ask: &Ask, scope: &str) -> Reply {
    let mut wanted = None;
    for clause in clauses(ask) {
        match clause {
            Clause::Equals("rolename", name) => wanted = Some(name),
            Clause::AtScope | Clause::Equals("type", "BuiltInRole") => {}
            Clause::Equals(..) | Clause::AssignedTo(_) | Clause::Unknown => return Err(bad_filter()),
        }
    }
    let shown = ROLES.iter().filter(|role| wanted.is_none_or(|name| role.name.eq_ignore_ascii_case(name)));
    Ok(Answer::json(200, json!({"value": shown.map(|role| role.body(&prefix(scope))).collect::<Vec<Value>>()})))
}

/// All assignments that have to do with a scope: those at it, above it and, unless told otherwise, below it.
fn list(world: &World, ask: &Ask, scope: &str) -> Reply {
    let mut shown: Vec<&Assignment> = world.state.assignments.values().collect();
    shown.retain(|one| covers(&one.scope, scope) || covers(scope, &one.scope));
    for clause in clauses(ask) {
        match clause {
            Clause::AtScope => shown.retain(|one| covers(&one.scope, scope)),
            Clause::Equals("principalid", id) | Clause::AssignedTo(id) => {
                shown.retain(|one| one.principal.eq_ignore_ascii_case(id));
            }
            Clause::Equals(..) | Clause::Unknown => return Err(bad_filter()),
        }
    }
    Ok(Answer::json(200, json!({"value": shown.into_iter().map(Assignment::body).collect::<Vec<Value>>()})))
}

enum Clause<'a> {
    AtScope,
    AssignedTo(&'a str),
    /// A field in lower case.
    Equals(&'static str, &'a str),
    Unknown,
}

/// The parts of a `$filter`, all of which have to hold.
fn clauses(ask: &Ask) -> Vec<Clause<'_>> {
    let Some(filter) = ask.query.get("$filter").filter(|filter| !filter.trim().is_empty()) else { return Vec::new() };
    filter.split(" and ").map(|text| clause(text.trim())).collect()
}

fn clause(text: &str) -> Clause<'_> {
    let lower = text.to_ascii_lowercase();
    if lower == "atscope()" {
        return Clause::AtScope;
    }
    let quoted = |rest: &str, end: &str| {
        let start = text.len() - rest.len();
        text.get(start..).and_then(|rest| rest.strip_suffix(end)).filter(|value| !value.contains('\''))
    };
    if let Some(rest) = lower.strip_prefix("assignedto('") {
        return quoted(rest, "')").map_or(Clause::Unknown, Clause::AssignedTo);
    }
    for field in ["principalid", "rolename", "type"] {
        if let Some(rest) = lower.strip_prefix(field).and_then(|rest| rest.strip_prefix(" eq '")) {
            return quoted(rest, "'").map_or(Clause::Unknown, |value| Clause::Equals(field, value));
        }
    }
    Clause::Unknown
}

fn bad_filter() -> Answer {
    Answer::error(400, "UnsupportedQuery", "The filter is not supported.")
}

/// Assigns a role. The answer is 201 even for an assignment that is there, and does not say who made it.
fn put(world: &mut World, now: Millis, ask: &Ask, scope: &str, name: &str) -> Reply {
    if uuid::Uuid::parse_str(name).is_err() {
        let text = format!("The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID.");
        return Err(Answer::error(400, "InvalidRoleAssignmentId", &text));
    }
    let wanted = wanted(world, now, ask, scope, name)?;
    let key = wanted.key();
    if let Some(present) = world.state.assignments.get_mut(&key) {
        if present.role != wanted.role || !present.principal.eq_ignore_ascii_case(&wanted.principal) {
            let text = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.";
            return Err(Answer::error(400, "RoleAssignmentUpdateNotPermitted", text));
        }
        present.remarks = wanted.remarks;
        present.updated = now;
        return Ok(made(present));
    }
    let clash = world.state.assignments.values().find(|one| {
        one.scope.eq_ignore_ascii_case(&wanted.scope)
            && one.role == wanted.role
            && one.principal.eq_ignore_ascii_case(&wanted.principal)
    });
    if clash.is_some() {
        return Err(Answer::error(409, "RoleAssignmentExists", "The role assignment already exists."));
    }
    let answer = made(&wanted);
    world.state.assignments.insert(key, wanted);
    Ok(answer)
}

fn made(assignment: &Assignment) -> Answer {
    let mut body = assignment.body();
    body["properties"]["createdBy"] = Value::Null;
    Answer::json(201, body)
}

/// The assignment that a request asks for, if it makes sense.
fn wanted(world: &World, now: Millis, ask: &Ask, scope: &str, name: &str) -> Result<Assignment, Answer> {
    let sent = ask.object()?;
    let properties = &sent["properties"];
    let text = |name: &str| properties[name].as_str().unwrap_or_default();
    let said = text("scope");
    if !said.is_empty() && !said.trim_end_matches('/').eq_ignore_ascii_case(scope) {
        let text = format!(
            "The request to create role assignment '{name}' is not valid. Role assignment scope '{said}' must match the scope specified on the URI '{scope}'."
        );
        return Err(Answer::error(400, "InvalidCreateRoleAssignmentRequest", &text));
    }
    let principal = text("principalId");
    if uuid::Uuid::parse_str(principal).is_err() {
        let text = format!("The Principal ID '{principal}' is not valid. Principal ID must be a GUID.");
        return Err(Answer::error(400, "InvalidPrincipalId", &text));
    }
    let definition = text("roleDefinitionId").rsplit('/').next().unwrap_or_default();
    let role = Role::by_id(definition).ok_or_else(|| no_role(400, definition))?;
    let kind = kind(world, now, principal, text("principalType"))?;
    let remark = |name: &str| properties[name].clone();
    Ok(Assignment {
        scope: scope.to_owned(),
        name: name.to_owned(),
        role: role.id.to_owned(),
        principal: principal.to_owned(),
        kind,
        remarks: Remarks {
            condition: remark("condition"),
            condition_version: remark("conditionVersion"),
            description: remark("description"),
        },
        created: now,
        updated: now,
        by: ask.caller.object.clone(),
        arrives: now.plus(world.pace.grant_propagation),
    })
}

/// What the principal is. Who says it is believed, so the principal need not be known here yet.
fn kind(world: &World, now: Millis, principal: &str, said: &str) -> Result<String, Answer> {
    let known = world.state.principals.get(&principal.to_ascii_lowercase());
    let known = known.filter(|known| now >= known.born.plus(world.pace.principal_replication));
    if said.is_empty() {
        let directory = &world.state.directory.tenant;
        let plain = principal.replace('-', "");
        let text = format!(
            "Principal {plain} does not exist in the directory {directory}. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype"
        );
        known.ok_or_else(|| Answer::error(400, "PrincipalNotFound", &text))?;
        return Ok("ServicePrincipal".to_owned());
    }
    let Some(kind) = KINDS.into_iter().find(|kind| kind.eq_ignore_ascii_case(said)) else {
        return Err(Answer::error(400, "BadRequestFormat", "The request was incorrectly formatted."));
    };
    if known.is_some() && kind != "ServicePrincipal" {
        let plain = principal.replace('-', "");
        let text = format!(
            "The PrincipalId '{plain}' has type 'ServicePrincipal' , which is different from specified PrinciaplType '{kind}'."
        );
        return Err(Answer::error(400, "UnmatchedPrincipalType", &text));
    }
    Ok(kind.to_owned())
}

fn no_role(status: u16, id: &str) -> Answer {
    let text = format!("The specified role definition with ID '{id}' does not exist.");
    Answer::error(status, "RoleDefinitionDoesNotExist", &text)
}

fn not_found(name: &str) -> Answer {
    Answer::error(404, "RoleAssignmentNotFound", &format!("The role assignment '{name}' is not found."))
}
