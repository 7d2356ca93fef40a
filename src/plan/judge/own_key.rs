//! What can go wrong with a key that is brought from outside: it replaces another, or nobody is told which it is.

use super::super::action::Action;
use super::super::types::{Change, Plan};
use super::{Bench, absent, unless};
use crate::model::{KeyCreate, KeyRef, KeyType, Seen, Thumbprint};

impl Bench<'_> {
    /// It replaces nothing, is shown, and is of a kind that Storage takes.
    pub(super) fn imported(
        &self,
        key: &KeyRef,
        create: &KeyCreate,
        own: &Thumbprint,
        because: &[Change],
    ) -> Vec<String> {
        let held = matches!(self.observed.deleted_keys.get(key), Some(Seen::Known(_)));
        let shown = because.iter().any(|change| change.after == own.as_str());
        let KeyCreate { kind, size_bits } = create;
        let fits = matches!(kind, KeyType::Rsa | KeyType::RsaHsm) && [2048, 3072, 4096].contains(size_bits);
        [
            absent(self.observed.keys.get(key), "the key"),
            unless(!held, "a deleted key holds its name"),
            unless(shown, "it does not show the reader which key is brought"),
            unless(fits, "it is of a type or a size that Storage does not take"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// A key that is brought from outside has no version that comes from elsewhere, whatever the order of the steps.
pub(super) fn at_odds(plan: &Plan, key: &KeyRef) -> Option<String> {
    let makes = plan.steps.iter().filter(|step| match &step.action {
        Action::CreateKey { key: of, .. }
        | Action::ImportKey { key: of, .. }
        | Action::RecoverKey { key: of, .. }
        | Action::RotateKey { key: of, .. }
        | Action::SetRotation { key: of, .. } => of == key,
        _ => false,
    });
    unless(makes.count() == 1, "another step of the same plan makes the key, or a version of it, too")
}
