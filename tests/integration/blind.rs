//! Blind spots: what may not be seen is not made, and is told with the permission that would show it and what it hides.

use super::practice::{Practice, desired, example};
use cmk::plan::{Action, Plan};
use cmk::sandbox::{Fault, Mishap};

const DENIED: &str = "The client 'c' does not have authorization to perform action 'a' over scope 's'.";

/// The plan for the quickstart in an Azure that refuses these looks.
async fn blind(practice: &Practice, method: &'static str, path: &str, times: u32) -> Plan {
    let mishap = Mishap::error(403, "AuthorizationFailed", DENIED);
    practice.sandbox.inject(Fault { method: Some(method), path: path.to_owned(), after: 0, times, mishap });
    practice.plan(&example("quickstart.yaml")).await.0
}

/// What a plan makes, by the kind of thing.
fn made(plan: &Plan) -> Vec<&'static str> {
    let kinds = plan.steps.iter().filter_map(|step| match step.action {
        Action::CreateGroup { .. } => Some("group"),
        Action::CreateVault { .. } => Some("vault"),
        Action::CreateKey { .. } | Action::ImportKey { .. } => Some("key"),
        Action::CreateAccount { .. } => Some("account"),
        Action::CreateIdentity { .. } => Some("identity"),
        Action::ProtectVault { .. }
        | Action::RecoverVault { .. }
        | Action::SetAudit { .. }
        | Action::RecoverKey { .. }
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
        | Action::SetEncryption { .. } => None,
    });
    kinds.collect()
}

/// Own look, kind, thing in the plan, permission, and a word of what is hidden by it.
const LOOKS: [(&str, &str, &str, &str, &str); 4] = [
    (
        "/resourceGroups/rg-quickstart",
        "group",
        "resource group rg-quickstart",
        "Microsoft.Resources/subscriptions/resourceGroups/read",
        "vault kv-quickstart is ready",
    ),
    (
        "/vaults/kv-quickstart",
        "vault",
        "vault kv-quickstart",
        "Microsoft.KeyVault/vaults/read",
        "the identity of stquickstart may get, wrapKey, unwrapKey",
    ),
    (
        "/vaults/kv-quickstart/keys/storage",
        "key",
        "key kv-quickstart/storage",
        "Microsoft.KeyVault/vaults/keys/read",
        "account stquickstart is encrypted",
    ),
    (
        "/storageAccounts/stquickstart",
        "account",
        "account stquickstart",
        "Microsoft.Storage/storageAccounts/read",
        "account stquickstart is encrypted",
    ),
];

#[tokio::test(start_paused = true)]
async fn nothing_is_made_whose_own_look_was_hidden_whether_it_is_there_or_not() {
    for is_there in [false, true] {
        for (path, kind, thing, permission, hidden) in LOOKS {
            // The look at a key is made only in a vault that is there, so there its absence is that of the key alone.
            let practice = Practice::new();
            if is_there {
                practice.converge(&example("quickstart.yaml")).await;
            } else if kind == "key" {
                practice.converge(&desired(&without_key())).await;
            }
            let plan = blind(&practice, "GET", path, 1).await;
            let title = format!("{thing}, there: {is_there}: {plan:#?}");
            assert!(!made(&plan).contains(&kind), "{title}");
            let spot = plan.blind_spots.iter().find(|spot| spot.resource == thing).expect(&title);
            assert_eq!(spot.permission.as_deref(), Some(permission), "{title}");
            let hides = spot.hides.iter().any(|one| one.contains(hidden));
            // Where all is as it should be, nothing hangs on what only contains other things.
            assert!(hides || (is_there && kind == "group"), "{title}");
            assert!(plan.refusals.is_empty() && !plan.is_complete(), "{title}");
            if is_there {
                assert_eq!(made(&plan), Vec::<&str>::new(), "{title}");
            }
        }
    }
}

/// The quickstart before anybody asked for a key.
fn without_key() -> String {
    "version: 1
defaults: { subscription: 11111111-1111-1111-1111-111111111111, resourceGroup: rg-quickstart, location: westeurope }
resourceGroups: { rg-quickstart: { create: {} } }
vaults: { kv-quickstart: { create: {}, purgeProtection: true, permissionModel: accessPolicies } }
accounts: { stquickstart: { create: {}, identity: systemAssigned } }
"
    .to_owned()
}

#[tokio::test(start_paused = true)]
async fn what_only_warns_early_is_a_note_with_its_permission_when_hidden() {
    let looks = [
        ("POST", "/Microsoft.KeyVault/checkNameAvailability", "Microsoft.KeyVault/checkNameAvailability/read"),
        ("POST", "/Microsoft.Storage/checkNameAvailability", "Microsoft.Storage/checkNameAvailability/read"),
        ("GET", "/Microsoft.Authorization/locks", "Microsoft.Authorization/locks/read"),
    ];
    for (method, path, permission) in looks {
        let plan = blind(&Practice::new(), method, path, 1).await;
        assert_eq!(plan.steps.len(), 6, "{path}: {plan:#?}");
        assert!(plan.is_complete(), "{path}: {plan:#?}");
        let notes: Vec<&str> = plan.notes.iter().map(|note| note.text.as_str()).collect();
        assert!(matches!(notes[..], [note] if note.contains(permission)), "{path}: {notes:?}");
    }
    let practice = Practice::new();
    practice.converge(&desired(&without_key())).await;
    let (plan, _) = practice.plan(&example("quickstart.yaml")).await;
    let told = plan.notes.iter().any(|note| note.text.contains("for want of the vault's key permission `get`"));
    assert!(told && made(&plan) == ["key"], "{plan:#?}");
}
