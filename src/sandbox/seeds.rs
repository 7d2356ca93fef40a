//! How to make another world than the default one: more applications, and what they may do.

use sha2::{Digest, Sha256};

use super::World;
use super::assignments::Assignment;
use super::principals::Principal;
use super::roles::Role;
use super::world::guid_of;

/// A role that Azure does not build in, or the sandbox does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no built-in role `{0}` in the sandbox")]
pub struct UnknownRole(String);

impl World {
    /// Adds an application that can sign in with a secret. Of the secret only the SHA-256 is kept.
    pub fn add_application(&mut self, app_id: &str, object_id: &str, secret: &str, name: &str) {
        let application = Principal::application(app_id, object_id, secret, name);
        self.state.principals.insert(application.object.clone(), application);
    }

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
