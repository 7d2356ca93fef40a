//! The directory: applications with a secret, and the identities that Azure makes for resources.
//!
//! Identities come into the directory with their resource and leave it with their resource. A newcomer is not
//! known everywhere at once: that is why an assignment that does not say what its principal is may fail.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::world::{State, guid_of};
use super::{CALLER_OBJECT_ID, CLIENT_ID, CLIENT_SECRET, Millis, World};

/// A service principal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Principal {
    /// The object id.
    pub object: String,
    /// The application, or client, id.
    pub application: String,
    pub name: String,
    pub kind: Kind,
    /// When it came into the directory.
    pub born: Millis,
}

/// What a service principal stands for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Kind {
    /// An application, with the SHA-256 of its secret in hexadecimal digits.
    Application { secret: String },
    /// A resource, by its id.
    ManagedIdentity { resource: String },
}

impl Principal {
    /// An application that has always been there.
    pub(super) fn application(application: &str, object: &str, secret: &str, name: &str) -> Self {
        Self {
            object: object.to_ascii_lowercase(),
            application: application.to_ascii_lowercase(),
            name: name.to_owned(),
            kind: Kind::Application { secret: digest(secret) },
            born: Millis::default(),
        }
    }

    /// The application that every world begins with.
    pub(super) fn of_the_default_world() -> Self {
        Self::application(CLIENT_ID, CALLER_OBJECT_ID, CLIENT_SECRET, "cmk-practice")
    }

    /// Whether this is the application's secret. Nothing but an application has one.
    pub(super) fn has_secret(&self, secret: &str) -> bool {
        match &self.kind {
            Kind::Application { secret: known } => *known == digest(secret),
            Kind::ManagedIdentity { .. } => false,
        }
    }
}

fn digest(secret: &str) -> String {
    Sha256::digest(secret).iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"))
}

impl State {
    /// The application with a client id.
    pub(super) fn application(&self, id: &str) -> Option<&Principal> {
        self.principals.values().map(|principal| &**principal).find(|principal| {
            matches!(principal.kind, Kind::Application { .. }) && principal.application.eq_ignore_ascii_case(id)
        })
    }

    /// Takes the identities of new resources into the directory and strikes those of resources that are gone.
    pub(super) fn take_census(&mut self, now: Millis) {
        let Self { identities, accounts, principals, .. } = self;
        let systems =
            accounts.values().filter_map(|account| Some((account.identity.as_ref()?.system.as_ref()?, account)));
        let users = identities.values().map(|identity| &identity.principal);
        let living: BTreeSet<&String> = systems.clone().map(|(object, _)| object).chain(users).collect();
        principals.retain(|object, principal| match principal.kind {
            Kind::Application { .. } => true,
            Kind::ManagedIdentity { .. } => living.contains(object),
        });
        for (object, account) in systems {
            principals.entry(object.clone()).or_insert_with(|| {
                Principal {
                    object: object.clone(),
                    application: guid_of(Sha256::digest(format!("sandbox client of {object}")).into()),
                    name: account.name.clone(),
                    kind: Kind::ManagedIdentity { resource: account.id() },
                    born: now,
                }
                .into()
            });
        }
        for identity in identities.values() {
            principals.entry(identity.principal.clone()).or_insert_with(|| {
                Principal {
                    object: identity.principal.clone(),
                    application: identity.client.clone(),
                    name: identity.name.clone(),
                    kind: Kind::ManagedIdentity { resource: identity.id() },
                    born: now,
                }
                .into()
            });
        }
    }
}

impl World {
    /// Adds an application that can sign in with a secret, of which only the SHA-256 is kept. It may do nothing
    /// before it is given a role.
    pub fn add_application(&mut self, app_id: &str, object_id: &str, secret: &str, name: &str) {
        let application = Principal::application(app_id, object_id, secret, name);
        self.state.principals.insert(application.object.clone(), application.into());
    }
}
