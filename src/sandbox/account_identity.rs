//! The identities that an account has, and how a request changes them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::wire::Answer;
use super::world::{Ids, State};

/// The identities of an account. Without any it reads `None`, which differs from never having had one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct AccountIdentity {
    /// The principal of the account itself. It is drawn anew each time the identity is switched on.
    pub system: Option<String>,
    /// User-assigned identities by resource id as it was sent.
    pub users: BTreeMap<String, Attached>,
}

/// A user-assigned identity as the account knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Attached {
    pub principal: String,
    pub client: String,
}

impl AccountIdentity {
    pub(super) fn body(&self, tenant: &str) -> Value {
        let kind = match (&self.system, self.users.is_empty()) {
            (None, true) => "None",
            (Some(_), true) => "SystemAssigned",
            (None, false) => "UserAssigned",
            (Some(_), false) => "SystemAssigned,UserAssigned",
        };
        let mut body = json!({"type": kind});
        if let Some(principal) = &self.system {
            body["principalId"] = json!(principal);
            body["tenantId"] = json!(tenant);
        }
        for (id, attached) in &self.users {
            let Attached { principal, client } = attached;
            body["userAssignedIdentities"][id] =
                json!({"principalId": principal, "tenantId": tenant, "clientId": client});
        }
        body
    }

    /// The principal of an attached identity, if it still exists.
    pub(super) fn user(&self, id: &str, state: &State) -> Option<&str> {
        let (_, attached) = self.users.iter().find(|(attached, _)| attached.eq_ignore_ascii_case(id))?;
        let alive = state.identities.get(&id.to_ascii_lowercase())?;
        (alive.principal == attached.principal).then_some(&attached.principal)
    }
}

/// A request that changes the identities of an account.
pub(super) struct Change<'a> {
    /// The resource id of the account, for error texts.
    pub account: &'a str,
    pub sent: &'a Value,
    /// PATCH goes on from the user-assigned identities that are there, PUT starts from none.
    pub merge: bool,
}

/// The identities after a request. Leaving `identity` out leaves them alone; anything else says it all: a
/// type without `SystemAssigned` throws the account's own principal away, and everything granted to it.
pub(super) fn changed(
    before: Option<&AccountIdentity>,
    change: &Change<'_>,
    state: &State,
    ids: &mut Ids,
) -> Result<Option<AccountIdentity>, Answer> {
    let Change { account, sent, merge } = change;
    if sent.is_null() {
        return Ok(before.cloned());
    }
    let written = sent["type"].as_str().unwrap_or_default();
    let kinds: Vec<String> = written.split(',').map(|kind| kind.trim().to_ascii_lowercase()).collect();
    let known = kinds.iter().all(|kind| ["none", "systemassigned", "userassigned"].contains(&kind.as_str()));
    if !known || (kinds.len() > 1 && kinds.iter().any(|kind| kind == "none")) {
        let text = format!("The value '{written}' of the property 'identity.type' is not supported.");
        return Err(Answer::error(400, "InvalidIdentityType", &text).gateway());
    }
    let has = |kind: &str| kinds.iter().any(|one| one == kind);
    let before = before.cloned().unwrap_or_default();
    let system = has("systemassigned").then(|| before.system.clone().unwrap_or_else(|| ids.guid()));
    let mut users = BTreeMap::new();
    if has("userassigned") {
        if *merge || sent["userAssignedIdentities"].is_null() {
            users = before.users;
        }
        attach(&mut users, account, &sent["userAssignedIdentities"], state)?;
    }
    Ok(Some(AccountIdentity { system, users }))
}

fn attach(users: &mut BTreeMap<String, Attached>, account: &str, sent: &Value, state: &State) -> Result<(), Answer> {
    for (id, value) in sent.as_object().into_iter().flatten() {
        users.retain(|present, _| !present.eq_ignore_ascii_case(id));
        if value.is_null() {
            continue;
        }
        let identity = state
            .identities
            .get(&id.to_ascii_lowercase())
            .ok_or_else(|| failed(account, &format!("Resource '{id}' was not found.")))?;
        let (principal, client) = (identity.principal.clone(), identity.client.clone());
        users.insert(id.clone(), Attached { principal, client });
    }
    if users.is_empty() {
        return Err(failed(account, "The identity type UserAssigned needs at least one user-assigned identity."));
    }
    Ok(())
}

fn failed(account: &str, why: &str) -> Answer {
    let inner = json!({"error": {"code": "BadRequest", "message": why}});
    let text = format!(
        "Identity operation for resource '{account}' failed with error 'Failed to perform resource identity operation. Status: 'BadRequest'. Response: '{inner}'.'."
    );
    Answer::error(400, "FailedIdentityOperation", &text).gateway()
}
