//! The user-assigned identities of a spec, and those that its accounts name.

use super::scope::Own;
use super::{Name, Resolver};
use crate::diag::Diagnostic;
use crate::model::{
    AccountId, Encryption, Identities, Identity, IdentityId, IdentityName, KeyPermission, VaultName, Who,
};
use crate::spec::shown::{nearest, shown};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The word for the identity that lives and dies with the account.
const SYSTEM: &str = "systemAssigned";

impl<'s> Resolver<'s> {
    pub(super) fn identities(&mut self) {
        let spec = self.spec;
        let mut declared: BTreeMap<IdentityName, &str> = BTreeMap::new();
        for (name, entry) in &spec.document.identities {
            let path = ["identities", name.as_str()];
            let parsed = self.name(Name::Identity, name, spec.key_span(&path), IdentityName::parse);
            if spec.is_broken(&path) {
                continue;
            }
            let own = Own {
                path,
                subscription: entry.subscription.as_deref(),
                resource_group: entry.resource_group.as_deref(),
                location: entry.location.as_deref(),
                create: spec.has(&[path[0], path[1], "create"]),
            };
            let group = self.group(&own);
            let location = self.location(&own);
            let (Some(name), Some(group)) = (parsed, group) else { continue };
            if let Some(first) = declared.get(&name) {
                let first_at = spec.key_span(&["identities", first]);
                self.twice("identity", first, first_at, path[1], spec.key_span(&path));
                continue;
            }
            declared.insert(name.clone(), path[1]);
            self.uses_group(&group, own.create);
            let id = IdentityId { group, name };
            self.desired.identities.insert(id.clone(), Identity { id, location, create: entry.create.is_some() });
        }
    }

    /// The identities that an account is to have.
    pub(super) fn account_identities(&mut self, path: [&'s str; 2], system: bool, named: &[String]) -> Identities {
        let mut user = BTreeSet::new();
        for (at, name) in named.iter().enumerate() {
            let at = at.to_string();
            let place = [path[0], path[1], "identities", &at];
            let span = self.spec.value_span(&place);
            if !self.spec.is_broken(&place) {
                user.extend(self.declared_identity(name, span));
            }
        }
        Identities { system, user }
    }

    /// The identities that an account is to lose: none that it is to have.
    pub(super) fn removed_identities(
        &mut self,
        path: [&'s str; 2],
        wanted: &Identities,
        named: &[String],
    ) -> Identities {
        let mut gone = Identities::default();
        for (at, name) in named.iter().enumerate() {
            let at = at.to_string();
            let place = [path[0], path[1], "removeIdentities", &at];
            if self.spec.is_broken(&place) {
                continue;
            }
            let span = self.spec.value_span(&place);
            let is_wanted = if name == SYSTEM {
                gone.system = true;
                wanted.system
            } else {
                let Some(id) = self.declared_identity(name, span.clone()) else { continue };
                let is_wanted = wanted.user.contains(&id);
                gone.user.insert(id);
                is_wanted
            };
            if is_wanted {
                let field = if name == SYSTEM { "identity" } else { "identities" };
                self.say(
                    Diagnostic::error(
                        "CMK063",
                        span,
                        format!("`{}` is to have the identity `{}` and to lose it", shown(path[1]), shown(name)),
                    )
                    .label(format!("`{field}` gives it to the account"))
                    .help(format!("remove it here, or from `{field}`")),
                );
            }
        }
        gone
    }

    /// The identity of the spec under a name.
    fn declared_identity(&mut self, written: &str, span: Range<usize>) -> Option<IdentityId> {
        let mut known = self.desired.identities.keys();
        if let Some(id) = known.find(|id| id.name.as_str().eq_ignore_ascii_case(written)) {
            return Some(id.clone());
        }
        // What is declared and could not be read has been complained about.
        let names = self.spec.document.identities.keys();
        if !names.clone().any(|name| name.eq_ignore_ascii_case(written)) {
            let help = match nearest(written, names.map(String::as_str)) {
                Some(meant) => format!("did you mean `{}`?", shown(meant)),
                None => format!("add `{}` under `identities`; without `create` it must be there", shown(written)),
            };
            self.say(
                Diagnostic::error("CMK060", span, format!("no identity `{}` is declared", shown(written)))
                    .label("not a name under `identities`")
                    .help(help),
            );
        }
        None
    }

    /// As whom an account is to reach its key: what `encryption.identity` says, else the only one that is named.
    pub(super) fn who(
        &mut self,
        path: [&'s str; 2],
        account: &AccountId,
        identities: &Identities,
        written: Option<&str>,
    ) -> Option<Who> {
        let place = [path[0], path[1], "encryption", "identity"];
        let Some(written) = written else {
            return match (identities.system, identities.user.len()) {
                (true, _) => Some(Who::System(account.clone())),
                (false, 1) => identities.user.first().cloned().map(Who::User),
                (false, 0) => None,
                (false, _) => {
                    let span = self.spec.key_span(&[path[0], path[1], "identities"]);
                    self.say(
                        Diagnostic::error("CMK061", span, format!("as whom is `{}` to reach its key?", shown(path[1])))
                            .label("one of these, and it is not said which")
                            .help("add `identity:` to its `encryption`, with the name of one of them"),
                    );
                    None
                }
            };
        };
        let span = self.spec.value_span(&place);
        if written == SYSTEM {
            if !identities.system {
                self.not_its_own(path, written, span, "add `identity: systemAssigned` to the account");
                return None;
            }
            return Some(Who::System(account.clone()));
        }
        let id = self.declared_identity(written, span.clone())?;
        if !identities.user.contains(&id) {
            self.not_its_own(path, written, span, "add it to the account's `identities`");
            return None;
        }
        Some(Who::User(id))
    }

    /// What one identity may do with a vault's keys is one list: all that any account asks for that reaches it so.
    pub(super) fn share_permissions(&mut self) {
        let mut shared: BTreeMap<(Who, VaultName), BTreeSet<KeyPermission>> = BTreeMap::new();
        let accounts = self.desired.accounts.values_mut();
        let mut encryptions: Vec<&mut Encryption> = accounts.filter_map(|one| one.encryption.as_mut()).collect();
        for one in &encryptions {
            let of = (one.who.clone(), one.key.vault.clone());
            shared.entry(of).or_default().extend(one.permissions.iter().copied());
        }
        for one in &mut encryptions {
            let of = (one.who.clone(), one.key.vault.clone());
            one.permissions.extend(shared.get(&of).into_iter().flatten().copied());
        }
    }

    fn not_its_own(&mut self, path: [&str; 2], written: &str, span: Range<usize>, help: &str) {
        self.say(
            Diagnostic::error(
                "CMK062",
                span,
                format!("`{}` does not have the identity `{}`", shown(path[1]), shown(written)),
            )
            .label("an account reaches its key as an identity that it has")
            .help(help),
        );
    }
}
