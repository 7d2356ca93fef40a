//! Role assignments: who holds which role where, and what follows from that.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::directory::Directory;
use super::roles::Role;
use super::world::{State, guid_of};
use super::{CALLER_OBJECT_ID, Millis, World, roles};

/// A role assignment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Assignment {
    /// The resource, the group or the subscription, as it was written, without a slash at the end.
    pub scope: String,
    /// A GUID, drawn by whoever assigns.
    pub name: String,
    /// The id of the role.
    pub role: String,
    /// The object id of the holder.
    pub principal: String,
    /// `ServicePrincipal`, `User` or `Group`.
    pub kind: String,
    /// What is kept as it was sent and decides nothing here: a condition and a description.
    pub remarks: Remarks,
    pub created: Millis,
    pub updated: Millis,
    /// The object id of whoever assigned.
    pub by: String,
    /// When the vaults have heard of it. Resource Manager knows at once.
    pub arrives: Millis,
}

/// What an assignment says beside who may do what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Remarks {
    pub condition: Value,
    pub condition_version: Value,
    pub description: Value,
}

impl Assignment {
    /// An assignment that has always been there.
    pub(super) fn seeded(name: String, principal: &str, role: &str, scope: &str) -> Self {
        Self {
            scope: scope.trim_end_matches('/').to_owned(),
            name,
            role: role.to_owned(),
            principal: principal.to_ascii_lowercase(),
            kind: "ServicePrincipal".to_owned(),
            remarks: Remarks::default(),
            created: Millis::default(),
            updated: Millis::default(),
            by: CALLER_OBJECT_ID.to_owned(),
            arrives: Millis::default(),
        }
    }

    /// What every world begins with: the default application owns all subscriptions.
    pub(super) fn of_the_owner(directory: &Directory) -> impl Iterator<Item = Self> {
        directory.subscriptions.iter().zip(1..).map(|(subscription, number)| {
            let name = format!("a551960e-0000-4000-8000-{number:012}");
            let scope = format!("/subscriptions/{}", subscription.id);
            Self::seeded(name, CALLER_OBJECT_ID, roles::OWNER, &scope)
        })
    }

    /// The default application owns a subscription that a world has besides.
    pub(super) fn of_an_owner(subscription: &str) -> Self {
        let name = guid_of(Sha256::digest(format!("sandbox owner of {subscription}")).into());
        Self::seeded(name, CALLER_OBJECT_ID, roles::OWNER, &format!("/subscriptions/{subscription}"))
    }

    pub(super) fn id(&self) -> String {
        format!("{}/providers/Microsoft.Authorization/roleAssignments/{}", self.scope, self.name)
    }

    /// How the assignment is found, however its id was written.
    pub(super) fn key(&self) -> String {
        self.id().to_ascii_lowercase()
    }

    /// The assignment as a GET shows it. What is not set is null, not absent.
    pub(super) fn body(&self) -> Value {
        let Self { scope, name, role, principal, kind, remarks, created, updated, by, arrives: _ } = self;
        let Remarks { condition, condition_version, description } = remarks;
        let subscription: Vec<&str> = scope.split('/').take(3).collect();
        let prefix = subscription.join("/");
        json!({
            "id": self.id(), "type": "Microsoft.Authorization/roleAssignments", "name": name,
            "properties": {
                "roleDefinitionId": format!("{prefix}/providers/Microsoft.Authorization/roleDefinitions/{role}"),
                "principalId": principal, "principalType": kind, "scope": scope,
                "condition": condition, "conditionVersion": condition_version, "description": description,
                "createdOn": created.ticks(), "updatedOn": updated.ticks(), "createdBy": by, "updatedBy": by,
                "delegatedManagedIdentityResourceId": null,
            },
        })
    }
}

/// Whether a scope is another one or lies above it.
pub(super) fn covers(above: &str, below: &str) -> bool {
    let (above, below) = (above.trim_end_matches('/').to_ascii_lowercase(), below.to_ascii_lowercase());
    below.strip_prefix(&above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl State {
    fn held_by<'a>(&'a self, principal: &'a str) -> impl Iterator<Item = (&'a Assignment, &'static Role)> {
        let held = self.assignments.values().filter(|one| one.principal.eq_ignore_ascii_case(principal));
        held.filter_map(|one| Some((one, Role::by_id(&one.role)?)))
    }

    /// Whether a principal may manage what is at a scope in this way.
    pub(super) fn may(&self, principal: &str, action: &str, scope: &str) -> bool {
        self.held_by(principal).any(|(one, role)| covers(&one.scope, scope) && role.allows(action))
    }

    /// Whether a principal may manage anything below a scope in this way.
    pub(super) fn may_somewhere(&self, principal: &str, action: &str, scope: &str) -> bool {
        self.held_by(principal).any(|(one, role)| covers(scope, &one.scope) && role.allows(action))
    }

    /// Whether a principal holds any role above, at or below a scope.
    pub(super) fn knows(&self, principal: &str, scope: &str) -> bool {
        self.held_by(principal).any(|(one, _)| covers(&one.scope, scope) || covers(scope, &one.scope))
    }

    /// Whether the vaults know by now that a principal may manage what is at a scope in this way.
    pub(super) fn may_at_vaults(&self, principal: &str, action: &str, scope: &str, now: Millis) -> bool {
        let mut arrived = self.held_by(principal).filter(|(one, _)| one.arrives <= now);
        arrived.any(|(one, role)| covers(&one.scope, scope) && role.allows(action))
    }

    /// Whether the vaults know by now that a principal may touch what is inside a scope in this way.
    pub(super) fn may_touch(&self, principal: &str, action: &str, scope: &str, now: Millis) -> bool {
        let mut arrived = self.held_by(principal).filter(|(one, _)| one.arrives <= now);
        arrived.any(|(one, role)| covers(&one.scope, scope) && role.allows_data(action))
    }

    /// Forgets the assignments of what is gone. A vault that comes back comes back without them.
    pub(super) fn forget_lost_assignments(&mut self) {
        let mut locks = std::mem::take(&mut self.locks);
        locks.retain(|_, lock| self.is_live(&lock.scope));
        self.locks = locks;
        let mut assignments = std::mem::take(&mut self.assignments);
        assignments.retain(|_, one| self.is_live(&one.scope));
        self.assignments = assignments;
    }

    /// Whether there is something at a scope. Of what is inside a resource only the resource is looked at.
    pub(super) fn is_live(&self, scope: &str) -> bool {
        let lower = scope.to_ascii_lowercase();
        let segments: Vec<&str> = lower.split('/').filter(|segment| !segment.is_empty()).collect();
        match segments.as_slice() {
            ["subscriptions", subscription] => self.directory.subscription(subscription).is_some(),
            ["subscriptions", subscription, "resourcegroups", group] => self.has_group(subscription, group),
            ["subscriptions", subscription, "resourcegroups", group, "providers", namespace, kind, name, ..] => {
                self.has_group(subscription, group) && self.has_resource((namespace, kind), (subscription, group), name)
            }
            _ => false,
        }
    }

    fn has_group(&self, subscription: &str, group: &str) -> bool {
        self.groups.contains_key(&super::groups::key(subscription, group))
    }

    fn has_resource(&self, kind: (&str, &str), place: (&str, &str), name: &str) -> bool {
        let here = |subscription: &str, group: &str| subscription == place.0 && group.eq_ignore_ascii_case(place.1);
        match kind {
            ("microsoft.keyvault", "vaults") => {
                self.vaults.get(name).is_some_and(|vault| here(&vault.subscription, &vault.group))
            }
            ("microsoft.storage", "storageaccounts") => {
                self.accounts.get(name).is_some_and(|account| here(&account.subscription, &account.group))
            }
            ("microsoft.managedidentity", "userassignedidentities") => self.identities.values().any(|identity| {
                identity.name.eq_ignore_ascii_case(name) && here(&identity.subscription, &identity.group)
            }),
            _ => false,
        }
    }
}

/// A role that Azure does not build in, or the sandbox does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no built-in role `{0}` in the sandbox")]
pub struct UnknownRole(String);

impl World {
    /// Gives a principal, by its object id, a role, by its name or id, at a scope: a subscription, a group or a
    /// resource. It counts everywhere at once. A scope at which there is nothing yet loses its assignments with
    /// the next change of the world, as a scope does that was deleted.
    pub fn add_assignment(&mut self, object_id: &str, role: &str, scope: &str) -> Result<(), UnknownRole> {
        let role = Role::by_name(role).or_else(|| Role::by_id(role)).ok_or_else(|| UnknownRole(role.to_owned()))?;
        let seed = format!("sandbox seed {object_id} {} {scope}", role.id).to_ascii_lowercase();
        let name = guid_of(Sha256::digest(seed).into());
        let assignment = Assignment::seeded(name, object_id, role.id, scope);
        self.state.assignments.insert(assignment.key(), assignment);
        Ok(())
    }
}
