//! The words for actions, risks and things, the same in every report.

use crate::diag::codes;
use crate::model::{GrantScope, Identities, VersionRule, Who};
use crate::plan::{Action, GrantBy, RiskClass};
use std::time::Duration;

/// What an action does, as an order: "create vault kv-prod in westeurope".
pub fn action(action: &Action) -> String {
    match action {
        Action::CreateGroup { id, location } => format!("create resource group {} in {location}", id.name),
        Action::CreateVault { id, location, tenant: _, create: _, model: _, purge_protection } => {
            let protection = if *purge_protection { ", with purge protection" } else { "" };
            format!("create vault {} in {location}{protection}", id.name)
        }
        Action::RecoverVault { id, location, tenant: _, sku: _ } => format!("recover vault {} in {location}", id.name),
        Action::ProtectVault { id } => format!("turn on purge protection for vault {}", id.name),
        Action::CreateKey { vault: _, key, create, marks: _, rotation } => {
            let rotates = rotation.map_or_else(String::new, |rotation| format!(", rotated every {}", rotation.every));
            format!("create key {key}, {} {}{rotates}", create.kind, create.size_bits)
        }
        Action::SetAudit { vault, wanted: _, sinks, loses: _ } => {
            let kinds: Vec<&str> = sinks.iter().map(crate::model::audit::Sink::kind).collect();
            format!("send the audit log of vault {} to {}", vault.name, kinds.join(", "))
        }
        Action::ImportKey { vault: _, key, create, thumbprint, marks: _ } => {
            format!("import key {key}, {} {}, with the thumbprint {thumbprint}", create.kind, create.size_bits)
        }
        Action::RecoverKey { vault: _, key } => format!("recover key {key}"),
        Action::MarkKey { key, marks, .. } => {
            let dates = marks.not_before.is_some() || marks.expires.is_some();
            let what = match (dates, marks.tags.is_empty()) {
                (true, true) => "dates",
                (true, false) => "dates and tags",
                (false, _) => "tags",
            };
            format!("set {what} of key {key}")
        }
        Action::SetRotation { key, rotation, .. } => {
            format!("have Key Vault rotate key {key} every {}", rotation.every)
        }
        Action::RotateKey { key, .. } => format!("make a new version of key {key}"),
        Action::EnableVersion { key, version, .. } => format!("enable key {key} version {version}"),
        Action::DisableVersion { key, version, retired_after: Some(_), .. } => {
            format!("retire key {key} version {version}")
        }
        Action::DisableVersion { key, version, retired_after: None, .. } => {
            format!("disable key {key} version {version}")
        }
        Action::CreateIdentity { id, location } => format!("create identity {} in {location}", id.name),
        Action::CreateAccount { id, location, create: _, identity, key } => {
            let identity =
                if identity.is_empty() { String::new() } else { format!(", with {}", identities(identity, NEW)) };
            let key = key.as_ref().map_or_else(String::new, |binds| {
                format!(", encrypted with {} ({}) as {}", binds.key, version_rule(&binds.version), binds.who.name())
            });
            format!("create account {} in {location}{identity}{key}", id.name)
        }
        Action::AttachIdentity { id, identity } => {
            format!("give account {} {}", id.name, identities(identity, NEW))
        }
        Action::DetachIdentity { id, identity, keeps: _ } => {
            format!("take {} from account {}", identities(identity, "its own identity"), id.name)
        }
        Action::Grant { who, vault, key, permissions: _, by } => {
            let who = match who {
                Who::System(account) => format!("grant account {}", account.name),
                Who::User(identity) => format!("grant identity {}", identity.name),
            };
            match by {
                GrantBy::AccessPolicy => format!("{who} access to the keys of vault {}", vault.name),
                GrantBy::Role(GrantScope::Vault) => format!("{who} the encryption role on vault {}", vault.name),
                GrantBy::Role(GrantScope::Key) => format!("{who} the encryption role on key {key}"),
            }
        }
        Action::RevokeAccess { account, who: _, vault } => {
            format!("take account {}'s access to the keys of vault {} away", account.name, vault.name)
        }
        Action::LeaveKey { account, who: _, former: _ } => {
            format!("encrypt account {} with a key that Microsoft manages", account.name)
        }
        Action::SetEncryption {
            account,
            vault: _,
            key,
            version,
            who,
            then: _,
            since: _,
            attach,
            permissions: _,
            former: _,
        } => {
            let by = match who {
                Who::System(_) => String::new(),
                Who::User(identity) if attach.is_empty() => format!(", as {}", identity.name),
                Who::User(identity) => format!(", as {}, and give it {}", identity.name, identities(attach, NEW)),
            };
            format!("encrypt account {} with {key} ({}){by}", account.name, version_rule(version))
        }
        Action::SwitchIdentity { account, who, key, .. } => {
            format!("have account {} reach {key} as {who}", account.name)
        }
    }
}

fn version_rule(version: &VersionRule) -> String {
    match version {
        VersionRule::Latest => "newest, pinned".to_owned(),
        VersionRule::Auto => "always the newest".to_owned(),
        VersionRule::Exact(version) => format!("version {version}"),
    }
}

/// The word for an account's own identity that it does not have yet.
const NEW: &str = "a system-assigned identity";

/// Identities in words, the account's own by this one: "a system-assigned identity and the identity id-billing".
fn identities(identities: &Identities, own: &str) -> String {
    let own = identities.system.then(|| own.to_owned());
    let user = identities.user.iter().map(|id| format!("the identity {}", id.name));
    own.into_iter().chain(user).collect::<Vec<_>>().join(" and ")
}

/// The thing that an action is about, in short: "vault kv-prod".
pub fn target(action: &Action) -> String {
    match action {
        Action::CreateGroup { id, .. } => format!("resource group {}", id.name),
        Action::CreateVault { id, .. }
        | Action::RecoverVault { id, .. }
        | Action::SetAudit { vault: id, .. }
        | Action::ProtectVault { id } => {
            format!("vault {}", id.name)
        }
        Action::CreateKey { key, .. }
        | Action::ImportKey { key, .. }
        | Action::RecoverKey { key, .. }
        | Action::MarkKey { key, .. }
        | Action::SetRotation { key, .. }
        | Action::RotateKey { key, .. }
        | Action::EnableVersion { key, .. }
        | Action::DisableVersion { key, .. } => format!("key {key}"),
        Action::CreateIdentity { id, .. } => format!("identity {}", id.name),
        Action::CreateAccount { id, .. } | Action::AttachIdentity { id, .. } | Action::DetachIdentity { id, .. } => {
            format!("account {}", id.name)
        }
        Action::Grant { vault, .. } | Action::RevokeAccess { vault, .. } => format!("vault {}", vault.name),
        Action::SetEncryption { account, .. }
        | Action::SwitchIdentity { account, .. }
        | Action::LeaveKey { account, .. } => {
            format!("account {}", account.name)
        }
    }
}

/// Whether an action makes a thing that was not there.
pub fn is_creation(action: &Action) -> bool {
    match action {
        Action::CreateGroup { .. }
        | Action::CreateVault { .. }
        | Action::CreateKey { .. }
        | Action::ImportKey { .. }
        | Action::CreateIdentity { .. }
        | Action::CreateAccount { .. } => true,
        Action::ProtectVault { .. }
        | Action::RecoverVault { .. }
        | Action::RecoverKey { .. }
        | Action::SetAudit { .. }
        | Action::MarkKey { .. }
        | Action::SetRotation { .. }
        | Action::RotateKey { .. }
        | Action::EnableVersion { .. }
        | Action::DisableVersion { .. }
        | Action::AttachIdentity { .. }
        | Action::DetachIdentity { .. }
        | Action::Grant { .. }
        | Action::RevokeAccess { .. }
        | Action::LeaveKey { .. }
        | Action::SwitchIdentity { .. }
        | Action::SetEncryption { .. } => false,
    }
}

/// A kind of risk in few words.
pub fn risk_name(class: RiskClass) -> &'static str {
    match class {
        RiskClass::None => "none",
        RiskClass::AccessChange => "access change",
        RiskClass::Irreversible => "irreversible",
        RiskClass::ProtectionLowered => "protection lowered",
        RiskClass::CustodyChange => "custody change",
        RiskClass::Reopening => "re-opening",
        RiskClass::Unreadable => "could become unreadable",
    }
}

/// The fixed summary of a code; nothing when the list of codes does not know it.
pub fn summary(code: &str) -> Option<&'static str> {
    codes::find(code).map(|code| code.summary)
}

/// A duration to the precision that people want: "0.4 s", "12 s", "5 min", "2 min 30 s".
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 60, seconds % 60) {
        (0, 0..10) => {
            let tenths = duration.as_millis() / 100;
            if tenths.is_multiple_of(10) {
                format!("{seconds} s")
            } else {
                format!("{}.{} s", tenths / 10, tenths % 10)
            }
        }
        (0, _) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, rest) => format!("{minutes} min {rest} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_like_speech() {
        let texts: Vec<String> =
            [0, 450, 4_000, 12_345, 300_000, 150_000].map(|ms| duration(Duration::from_millis(ms))).into();
        assert_eq!(texts, ["0 s", "0.4 s", "4 s", "12 s", "5 min", "2 min 30 s"]);
    }
}
