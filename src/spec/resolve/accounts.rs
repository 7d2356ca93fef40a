//! The accounts of a spec and the keys they ask for.

use super::scope::Own;
use super::{Name, Resolver};
use crate::diag::Diagnostic;
use crate::model::{
    Access, Account, AccountCreate, AccountId, AccountName, Encryption, GrantScope, Identities, KeyPermission, Version,
    VersionRule,
};
use crate::spec::complaints::{missing_field, word};
use crate::spec::fields::Language;
use crate::spec::shown::{nearest, shown};
use crate::spec::types::{
    ACCOUNT_KINDS, ACCOUNT_SKUS, AccessWord, AccountCreation, AccountEntry, EncryptionEntry, IdentityWord,
    PermissionWord, ScopeWord, SourceWord,
};
use std::collections::BTreeSet;

impl<'s> Resolver<'s> {
    pub(super) fn accounts(&mut self) {
        self.vaults_by_id();
        let spec = self.spec;
        for (name, entry) in &spec.document.accounts {
            let path = ["accounts", name.as_str()];
            let parsed = self.name(Name::Account, name, spec.key_span(&path), AccountName::parse);
            if !spec.is_broken(&path) {
                self.account(path, parsed, entry);
            }
        }
    }

    fn account(&mut self, path: [&'s str; 2], name: Option<AccountName>, entry: &'s AccountEntry) {
        let AccountEntry {
            create,
            subscription,
            resource_group,
            location,
            identity,
            identities,
            remove_identities,
            encryption,
            access,
        } = entry;
        let own = Own {
            path,
            subscription: subscription.as_deref(),
            resource_group: resource_group.as_deref(),
            location: location.as_deref(),
            create: self.spec.has(&[path[0], path[1], "create"]),
        };
        let group = self.group(&own);
        let location = self.location(&own);
        let create = create.as_ref().and_then(|create| self.account_create(path, create));
        let system = identity.is_some_and(|IdentityWord::SystemAssigned| true);
        let identity = self.account_identities(path, system, identities);
        let removes = self.removed_identities(path, &identity, remove_identities);
        let leaves_key = encryption.as_ref().is_some_and(|entry| entry.source == SourceWord::Microsoft);
        let encryption = encryption.as_ref().filter(|_| !leaves_key);
        if leaves_key {
            self.leaves_key(path);
        }
        let access = self.access(path, *access, encryption.is_some());
        let says_whom = self.spec.has(&[path[0], path[1], "identity"])
            || self.spec.has(&[path[0], path[1], "identities", "0"])
            || self.spec.is_broken(&[path[0], path[1], "identities"]);
        if encryption.is_some() && !says_whom {
            self.no_identity(path);
        }
        let id = name.clone().zip(group).map(|(name, group)| AccountId { group, name });
        let encryption = encryption.and_then(|encryption| self.encryption(path, id.as_ref(), &identity, encryption));
        let (Some(name), Some(id)) = (name, id) else { return };
        self.uses_group(&id.group, own.create);
        self.desired
            .accounts
            .insert(name, Account { id, location, create, identity, removes, encryption, access, leaves_key });
    }

    fn account_create(&mut self, path: [&str; 2], create: &AccountCreation) -> Option<AccountCreate> {
        let AccountCreation { sku, kind } = create;
        let known_sku = self.one_of(path, "sku", sku, &ACCOUNT_SKUS);
        let known_kind = self.one_of(path, "kind", kind, &ACCOUNT_KINDS);
        if !known_sku || !known_kind {
            return None;
        }
        if let Err(takes) = fits(kind, sku) {
            let written = |field| self.spec.has(&[path[0], path[1], "create", field]);
            let field = if written("sku") { "sku" } else { "kind" };
            let span = self.spec.value_span(&[path[0], path[1], "create", field]);
            self.say(
                Diagnostic::error("CMK036", span, format!("Azure makes no {kind} account with {sku}"))
                    .label(format!("{kind} goes with {takes}"))
                    .help(format!("choose a `sku` that goes with `kind: {kind}`, or another kind")),
            );
            return None;
        }
        Some(AccountCreate { sku: sku.clone(), kind: kind.clone() })
    }

    fn one_of(&mut self, path: [&str; 2], field: &str, written: &str, known: &[&'static str]) -> bool {
        let right = known.contains(&written);
        if !right {
            let span = self.spec.value_span(&[path[0], path[1], "create", field]);
            self.say(word(field, written, known.iter().copied(), span));
        }
        right
    }

    fn no_identity(&mut self, path: [&str; 2]) {
        let span = self.spec.key_span(&[path[0], path[1], "encryption"]);
        self.say(
            Diagnostic::error("CMK031", span, format!("`{}` has no identity to reach its key with", shown(path[1])))
                .label("storage unwraps its data key as the account's identity")
                .help("add `identity: systemAssigned` to the account, or `identities: [name]` with one under `identities`"),
        );
    }

    /// Whether the account may use its key; to take away what was never given is a mistake.
    fn access(&mut self, path: [&str; 2], word: AccessWord, has_key: bool) -> Access {
        match word {
            AccessWord::Granted => Access::Granted,
            AccessWord::Revoked if has_key => Access::Revoked,
            AccessWord::Revoked => {
                let span = self.spec.value_span(&[path[0], path[1], "access"]);
                self.say(
                    Diagnostic::error("CMK045", span, format!("`{}` names no key to take it from", shown(path[1])))
                        .label("which key's vault?")
                        .help("name the key that the account is bound to: `encryption: { key: vault/key }`"),
                );
                Access::Revoked
            }
        }
    }

    /// `source: microsoft` says everything: what else stands beside it contradicts it.
    fn leaves_key(&mut self, path: [&str; 2]) {
        for field in ["key", "version", "permissions", "scope", "identity"] {
            let place = [path[0], path[1], "encryption", field];
            if self.spec.has(&place) {
                self.say(
                    Diagnostic::error(
                        "CMK046",
                        self.spec.key_span(&place),
                        format!("`{field}` does not go with `source: microsoft`"),
                    )
                    .label("Microsoft chooses its own key")
                    .help(format!("remove `{field}`, or remove `source: microsoft`")),
                );
            }
        }
    }

    fn lacks_key(&mut self, path: [&str; 2]) {
        let place = [path[0], path[1], "encryption"];
        if self.spec.has(&[place[0], place[1], place[2], "key"]) {
            return;
        }
        let names: Vec<String> = place.iter().map(ToString::to_string).collect();
        self.say(missing_field(Language::Spec, &names, "key", self.spec.key_span(&place)));
    }

    fn encryption(
        &mut self,
        path: [&'s str; 2],
        account: Option<&AccountId>,
        identities: &Identities,
        entry: &'s EncryptionEntry,
    ) -> Option<Encryption> {
        let EncryptionEntry { source: _, key, version, identity, permissions, scope } = entry;
        if key.is_none() {
            self.lacks_key(path);
        }
        let named = key.as_ref().and_then(|key| self.key_reference(path, key));
        let version = match named.as_ref().and_then(|named| named.version.as_ref()) {
            Some(pinned) => self.pinned(path, version, pinned),
            None => self.version(path, version),
        };
        let permissions = self.permissions(path, permissions);
        let scope = scope.map(|word| match word {
            ScopeWord::Vault => GrantScope::Vault,
            ScopeWord::Key => GrantScope::Key,
        });
        let who = self.who(path, account?, identities, identity.as_deref());
        Some(Encryption { key: named?.key, version: version?, who: who?, permissions: permissions?, scope })
    }

    /// The version that the reference to the key pins; `version` beside it may say the same and nothing else.
    fn pinned(&mut self, path: [&str; 2], written: &str, pinned: &Version) -> Option<VersionRule> {
        let says = self.spec.has(&[path[0], path[1], "encryption", "version"]);
        if says && Version::parse(written).as_ref() != Ok(pinned) {
            self.another_version(path, pinned, written);
            return None;
        }
        Some(VersionRule::Exact(pinned.clone()))
    }

    fn version(&mut self, path: [&str; 2], written: &str) -> Option<VersionRule> {
        match written {
            "latest" => return Some(VersionRule::Latest),
            "auto" => return Some(VersionRule::Auto),
            _ => {}
        }
        if let Ok(version) = Version::parse(written) {
            return Some(VersionRule::Exact(version));
        }
        let help = match nearest(written, ["latest", "auto"]) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "write `latest` to pin the newest, `auto` to let Azure follow it, or the 32 digits at the end of a key's id".to_owned(),
        };
        let span = self.spec.value_span(&[path[0], path[1], "encryption", "version"]);
        self.say(
            Diagnostic::error("CMK038", span, format!("`{}` names no version of a key", shown(written)))
                .label("neither `latest` nor `auto` nor 32 hexadecimal digits")
                .help(help),
        );
        None
    }

    fn permissions(&mut self, path: [&str; 2], words: &[PermissionWord]) -> Option<BTreeSet<KeyPermission>> {
        let given: BTreeSet<KeyPermission> = words.iter().map(|word| word.permission()).collect();
        let place = [path[0], path[1], "encryption", "permissions"];
        let missing: Vec<&str> =
            KeyPermission::needed().difference(&given).map(|permission| permission.as_str()).collect();
        if missing.is_empty() {
            return Some(given);
        }
        // Of a list with an unknown word nobody knows what was meant.
        let broken = (0..).map(|at: usize| at.to_string()).map_while(|at| {
            let item = [place[0], place[1], place[2], place[3], &at];
            self.spec.has(&item).then(|| self.spec.is_broken(&item))
        });
        if broken.into_iter().any(|broken| broken) {
            return None;
        }
        let span = self.spec.value_span(&place);
        let all = KeyPermission::ALL.iter().filter(|known| given.contains(known) || missing.contains(&known.as_str()));
        let all: Vec<&str> = all.map(|permission| permission.as_str()).collect();
        self.say(
            Diagnostic::error("CMK032", span, format!("`{}` could not use its key", shown(path[1])))
                .label(format!("storage also needs {}", missing.join(", ")))
                .help(format!(
                    "write `permissions: [{}]`, or leave the line out to get what is needed",
                    all.join(", ")
                )),
        );
        None
    }
}

/// Whether Azure makes accounts of a kind with a SKU; if not, what the kind goes with.
fn fits(kind: &str, sku: &str) -> Result<(), &'static str> {
    let second = sku.contains("V2_");
    let (right, takes) = match kind {
        "FileStorage" => (second || sku.starts_with("Premium_"), "Premium and the V2 SKUs"),
        "BlockBlobStorage" => (sku.starts_with("Premium_"), "Premium_LRS and Premium_ZRS"),
        "BlobStorage" => (
            matches!(sku, "Standard_LRS" | "Standard_GRS" | "Standard_RAGRS"),
            "Standard_LRS, Standard_GRS and Standard_RAGRS",
        ),
        _ => (!second, "all SKUs but the V2 ones"),
    };
    if right { Ok(()) } else { Err(takes) }
}
