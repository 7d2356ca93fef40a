//! Keys of one's own: imported where they are not there, and never replaced by another nor taken for one.

use super::action::Action;
use super::draft::{Draft, made};
use super::life;
use crate::model::{
    Check, Desired, Fact, HiddenReason, Key, KeyCreate, KeyImport, KeyRef, Observed, PermissionModel, Seen, Vault,
};

/// Imports a key that is not there.
pub(super) fn import(
    observed: &Observed,
    vault: &Vault,
    key_ref: &KeyRef,
    (key, create, own): (&Key, &KeyCreate, &KeyImport),
    draft: &mut Draft,
) {
    let resource = format!("key {key_ref}");
    if nobody_may(observed, vault, &resource, draft) {
        return;
    }
    let KeyCreate { kind, size_bits } = create;
    let KeyImport { source, passphrase: _, thumbprint } = own;
    let mut because = vec![
        made(&resource, "type", kind.as_str()),
        made(&resource, "size", size_bits.to_string()),
        made(&resource, "import.thumbprint", thumbprint.as_str()),
        made(&resource, "import.from", source.to_string()),
    ];
    because.extend(life::made_with(&resource, &key.life));
    let (vault, key_ref, create) = (vault.id.clone(), key_ref.clone(), create.clone());
    let (thumbprint, marks) = (thumbprint.clone(), key.life.marks.clone());
    draft.propose(Action::ImportKey { vault, key: key_ref, create, thumbprint, marks }, because);
}

/// Refuses where nobody can be let into the vault in time: one that is made with access policies has none at first.
fn nobody_may(observed: &Observed, vault: &Vault, resource: &str, draft: &mut Draft) -> bool {
    let is_made = matches!(observed.vaults.get(&vault.id.name), Some(Seen::Absent));
    let by_policies =
        vault.permission_model.unwrap_or(PermissionModel::AccessPolicies) == PermissionModel::AccessPolicies;
    if is_made && by_policies {
        draft.refuse(
            "CMK272",
            resource,
            format!("vault {} is made in this plan, with access policies: nobody may import a key into it yet", vault.id.name),
            "write `permissionModel: rbac`, where a role such as Key Vault Crypto Officer at the resource group reaches the \
             new vault; or make the vault first, let whoever runs cmk `get` and `import` keys, and then add the key",
        );
    }
    is_made && by_policies
}

/// Refuses a key that is there and is another one. It is never overwritten: data may be under it.
pub(super) fn compare(observed: &Observed, key: &KeyRef, own: &KeyImport, draft: &mut Draft) {
    let resource = format!("key {key}");
    match holds(key, own).check(observed) {
        Check::Yes | Check::Pending(_) => {}
        Check::No(why) => draft.refuse(
            "CMK270",
            &resource,
            format!("{why}, and the spec brings the one with the thumbprint {}", own.thumbprint),
            "correct the thumbprint if the live key is right; else give your key another name. A key that is there is never replaced",
        ),
        Check::Unknown(what) => {
            let permission = Some("the vault's key permission `get`".to_owned());
            draft.hidden(&resource, &HiddenReason { what: what.clone(), permission });
            draft.hides(&resource, &what, holds(key, own).to_string());
        }
    }
}

fn holds(key: &KeyRef, own: &KeyImport) -> Fact {
    Fact::KeyHolds(key.clone(), own.thumbprint.clone())
}

/// Leaves out what puts data under a key of which it could not be seen that it is the right one.
pub(super) fn withhold(desired: &Desired, observed: &Observed, draft: &mut Draft) {
    let unseen = |key: &KeyRef| {
        let own = desired.key(key)?.import.as_ref()?;
        let known = matches!(observed.keys.get(key), Some(Seen::Known(_)));
        match holds(key, own).check(observed) {
            Check::Unknown(why) if known => Some(why),
            Check::Yes | Check::No(_) | Check::Pending(_) | Check::Unknown(_) => None,
        }
    };
    let (kept, left): (Vec<_>, Vec<_>) = std::mem::take(&mut draft.proposals)
        .into_iter()
        .partition(|(action, _)| binds_to(action).and_then(unseen).is_none());
    draft.proposals = kept;
    for (action, _) in left {
        let Some(key) = binds_to(&action) else { continue };
        draft.drop_for(&action, &format!("key {key}"), &unseen(key).unwrap_or_default());
    }
}

/// The key that an action puts data under.
fn binds_to(action: &Action) -> Option<&KeyRef> {
    match action {
        Action::SetEncryption { key, .. } | Action::SwitchIdentity { key, .. } => Some(key),
        Action::CreateAccount { key, .. } => key.as_ref().map(|binds| &binds.key),
        _ => None,
    }
}
