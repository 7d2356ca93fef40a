//! What a reviewer should know about an action before agreeing to it.

use super::types::{Action, Risk};

/// The gravest thing that can be said of an action by itself.
pub(super) fn risk(action: &Action) -> Risk {
    match action {
        Action::CreateVault { purge_protection: true, .. } | Action::ProtectVault { .. } => Risk::Irreversible,
        Action::SetEncryption { .. } => Risk::CustodyChange,
        Action::Grant { .. } => Risk::AccessChange,
        Action::CreateGroup { .. }
        | Action::CreateVault { purge_protection: false, .. }
        | Action::CreateKey { .. }
        | Action::CreateAccount { .. }
        | Action::AttachIdentity { .. } => Risk::None,
    }
}
