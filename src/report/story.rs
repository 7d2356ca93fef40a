//! The story of an action: why it is taken, what it waits for, what a crash after it leaves behind, and how it is undone.
//!
//! Each is a function of the action alone, and each matches every action: a new one cannot be told without its story.

use super::words::duration;
use crate::apply::Budgets;
use crate::plan::{Action, Former};

/// Why an action is taken, as the end of "because".
pub fn why(action: &Action) -> &'static str {
    match action {
        Action::CreateGroup { .. }
        | Action::CreateVault { .. }
        | Action::CreateKey { .. }
        | Action::ImportKey { .. }
        | Action::CreateIdentity { .. }
        | Action::CreateAccount { .. } => "it does not exist",
        Action::MarkKey { .. } => "the spec gives its current version other dates or tags",
        Action::SetRotation { .. } => "the spec has it rotated by another policy",
        Action::RotateKey { .. } => "its newest version is older than the spec allows",
        Action::EnableVersion { .. } => "the spec says that it can be used",
        Action::DisableVersion { retired_after: Some(_), .. } => "nobody uses it any more, and has not for long enough",
        Action::DisableVersion { retired_after: None, .. } => "the spec says that it can not be used",
        Action::RecoverVault { .. } | Action::RecoverKey { .. } => "it was deleted, and the spec says to bring it back",
        Action::SetAudit { .. } => "the spec says that its audit log goes there",
        Action::ProtectVault { .. } => "Storage takes no key that somebody could purge",
        Action::AttachIdentity { identity, .. } if identity.user.is_empty() => {
            "it has none of its own to reach a key with"
        }
        Action::AttachIdentity { .. } => "the spec gives it that identity",
        Action::DetachIdentity { .. } => "the spec takes that identity from it",
        Action::SwitchIdentity { .. } => "the spec names another identity than the one it reads as",
        Action::Grant { .. } => "Storage wraps and unwraps as this identity",
        Action::RevokeAccess { .. } => "the spec says that its access is revoked",
        Action::LeaveKey { .. } => "the spec says that Microsoft manages its key",
        Action::SetEncryption { since: Some(_), former: Some(_), .. } => "its key gets a new version, and it is pinned",
        Action::SetEncryption { former: None, .. } => "it is not bound to the key that the spec names",
        Action::SetEncryption { former: Some(_), .. } => "the spec names another key or version than the one in use",
    }
}

/// What a step waits for before it counts as done, and how long that takes.
///
/// That Azure honours a grant shows only when an account is bound, so the wait for it is the binding's.
pub fn waits(action: &Action, goes_after_grant: bool) -> Option<String> {
    let budgets = Budgets::default();
    match action {
        Action::CreateAccount { key: Some(_), .. } if goes_after_grant => Some(format!(
            "until Azure honours the grant, usually 5 min, at most {}, and the account is ready",
            duration(budgets.grant)
        )),
        Action::CreateVault { .. } | Action::RecoverVault { .. } | Action::CreateAccount { .. } => {
            Some(format!("until it is ready, usually 1 min, at most {}", duration(budgets.provisioning)))
        }
        Action::RecoverKey { .. } => {
            Some(format!("until it can be read, usually 1 min, at most {}", duration(budgets.visible)))
        }
        Action::RevokeAccess { .. } => {
            Some("until it is gone from the vault; it takes effect within minutes, up to an hour".to_owned())
        }
        Action::SetEncryption { .. } | Action::SwitchIdentity { .. } if goes_after_grant => {
            Some(format!("until Azure honours the grant, usually 5 min, at most {}", duration(budgets.grant)))
        }
        Action::DisableVersion { retired_after: None, .. } => {
            Some("until Storage notices, which is Azure's to say: minutes, up to an hour".to_owned())
        }
        // Their answer shows their effect.
        Action::CreateGroup { .. }
        | Action::ProtectVault { .. }
        | Action::SetAudit { .. }
        | Action::CreateKey { .. }
        | Action::ImportKey { .. }
        | Action::MarkKey { .. }
        | Action::SetRotation { .. }
        | Action::RotateKey { .. }
        | Action::EnableVersion { .. }
        | Action::DisableVersion { .. }
        | Action::AttachIdentity { .. }
        | Action::DetachIdentity { .. }
        | Action::Grant { .. }
        | Action::LeaveKey { .. }
        | Action::CreateIdentity { .. }
        | Action::SwitchIdentity { .. }
        | Action::SetEncryption { .. } => None,
    }
}

/// Whether an action gives an identity access that Azure takes a while to honour.
pub fn is_grant(action: &Action) -> bool {
    match action {
        Action::Grant { .. } => true,
        Action::CreateGroup { .. }
        | Action::CreateVault { .. }
        | Action::RecoverVault { .. }
        | Action::RecoverKey { .. }
        | Action::SetAudit { .. }
        | Action::ProtectVault { .. }
        | Action::CreateKey { .. }
        | Action::ImportKey { .. }
        | Action::MarkKey { .. }
        | Action::SetRotation { .. }
        | Action::RotateKey { .. }
        | Action::EnableVersion { .. }
        | Action::DisableVersion { .. }
        | Action::CreateAccount { .. }
        | Action::AttachIdentity { .. }
        | Action::DetachIdentity { .. }
        | Action::RevokeAccess { .. }
        | Action::LeaveKey { .. }
        | Action::CreateIdentity { .. }
        | Action::SwitchIdentity { .. }
        | Action::SetEncryption { .. } => false,
    }
}

/// What is left behind when the run is cut off after this step and before the next one.
pub fn leaves(action: &Action) -> String {
    match action {
        Action::CreateGroup { .. } => "an empty group".to_owned(),
        Action::CreateVault { .. } => "an unused vault".to_owned(),
        Action::RecoverVault { .. } => "a vault as it was, without its role assignments".to_owned(),
        Action::RecoverKey { .. } => "a key as it was".to_owned(),
        Action::ProtectVault { .. } => "a vault that is protected for good".to_owned(),
        Action::CreateKey { .. } => "an unused key".to_owned(),
        Action::ImportKey { .. } => "an unused key, whose material is in the vault for good".to_owned(),
        Action::RotateKey { .. } => "a new version that pinned accounts are not under yet".to_owned(),
        Action::DisableVersion { .. } => "a version that nothing enables by itself".to_owned(),
        Action::CreateIdentity { .. } => "an unused identity".to_owned(),
        Action::CreateAccount { key: None, .. } => "an account under Microsoft's key".to_owned(),
        Action::CreateAccount { key: Some(binds), .. } => format!("an account under key {}", binds.key),
        Action::AttachIdentity { .. } => "an identity that may do nothing yet".to_owned(),
        Action::DetachIdentity { .. } => "an account without that identity, under the same key".to_owned(),
        Action::Grant { vault, .. } => format!("unused access to the keys of vault {}", vault.name),
        Action::RevokeAccess { .. } => "an account without access, which nothing gives back by itself".to_owned(),
        Action::LeaveKey { .. }
        | Action::SetEncryption { .. }
        | Action::SwitchIdentity { .. }
        | Action::MarkKey { .. }
        | Action::SetAudit { .. }
        | Action::SetRotation { .. }
        | Action::EnableVersion { .. } => "nothing half done".to_owned(),
    }
}

/// How a step is undone, by hand; else why it cannot be. `cmk` undoes nothing by itself.
pub fn undo(action: &Action) -> Result<String, &'static str> {
    match action {
        Action::CreateVault { purge_protection: true, .. } | Action::ProtectVault { .. } => {
            Err("none: purge protection stays on for good")
        }
        Action::CreateGroup { .. }
        | Action::CreateVault { purge_protection: false, .. }
        | Action::CreateKey { .. }
        | Action::CreateIdentity { .. }
        | Action::CreateAccount { .. } => Ok("delete what was made, while nothing uses it".to_owned()),
        Action::ImportKey { .. } => {
            Ok("delete the key, while nothing uses it; whoever has seen its material still has it".to_owned())
        }
        Action::RecoverVault { .. } | Action::RecoverKey { .. } => {
            Ok("delete it again, once no data depends on it".to_owned())
        }
        Action::MarkKey { .. } => Ok("set the dates and tags back".to_owned()),
        Action::SetAudit { .. } => Ok("set the former places again, or delete the setting cmk-audit".to_owned()),
        Action::SetRotation { .. } => Ok("set the former policy again".to_owned()),
        Action::RotateKey { .. } => {
            Ok("pin the accounts to the former version again; the new one stays, and does no harm".to_owned())
        }
        Action::EnableVersion { .. } => Ok("disable it again".to_owned()),
        Action::DisableVersion { .. } => Ok("enable it again, which asks to be accepted".to_owned()),
        // Whatever an account's own identity was allowed, the next one is not.
        Action::DetachIdentity { identity, .. } if identity.system => {
            Err("none: another identity of its own would be somebody else to Azure")
        }
        Action::DetachIdentity { .. } => Ok("give it the identity again".to_owned()),
        Action::AttachIdentity { .. } => Ok("remove the identity, while no key is reached with it".to_owned()),
        Action::Grant { .. } => Ok("take the access back, once no data depends on it".to_owned()),
        Action::RevokeAccess { .. } => {
            Ok("give the access back by `access: granted`, which asks to be accepted".to_owned())
        }
        Action::SwitchIdentity { from, .. } => Ok(format!("have it reach its key as {from} again")),
        Action::LeaveKey { former, .. } | Action::SetEncryption { former, .. } => Ok(match former {
            Some(Former { key, version, left: _ }) => format!("bind it to {key} version {version} again"),
            None => "bind it to what it was under before; no data is lost".to_owned(),
        }),
    }
}
