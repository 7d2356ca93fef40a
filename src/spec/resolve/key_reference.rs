//! How an account names its key: `vault/key` of the spec, the key's URI, or its id in Resource Manager.
//!
//! An id tells all that there is to know of a vault, so that it needs no entry. A URI tells its name only.

use super::{Name, Resolver};
use crate::diag::Diagnostic;
use crate::model::{
    GroupId, GroupName, Key, KeyLife, KeyName, KeyRef, SubscriptionId, Vault, VaultId, VaultName, Version,
};
use crate::spec::shown::{nearest, shown};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// What follows a vault's name in its host. Microsoft's public cloud is the only one that cmk knows, and the sandbox
/// stands in for it.
const VAULT_SUFFIX: &str = ".vault.azure.net";

/// The hosts of managed HSMs, whose keys look like those of vaults.
const HSM_SUFFIX: &str = ".managedhsm.azure.net";

/// What stands between the subscription, the group, the vault and the key of an id, in lower case.
const ID_WORDS: [&str; 6] = ["subscriptions", "resourcegroups", "providers", "microsoft.keyvault", "vaults", "keys"];

/// A reference in its parts, none of which was checked.
#[derive(Clone, Copy)]
enum Reference<'w> {
    /// `vault/key`.
    Names { vault: &'w str, key: &'w str },
    /// `https://HOST/keys/KEY[/VERSION]`.
    Uri { host: &'w str, key: &'w str, version: Option<&'w str> },
    /// `/subscriptions/…/vaults/VAULT/keys/KEY[/versions/VERSION]`.
    Id { subscription: &'w str, group: &'w str, vault: &'w str, key: &'w str, version: Option<&'w str> },
}

impl<'w> Reference<'w> {
    fn read(written: &'w str) -> Option<Self> {
        if let Some(rest) = written.strip_prefix("https://") {
            let parts: Vec<&str> = rest.split('/').collect();
            return match parts.as_slice() {
                [host, "keys", key] => Some(Self::Uri { host, key, version: None }),
                [host, "keys", key, version] if !version.is_empty() => {
                    Some(Self::Uri { host, key, version: Some(version) })
                }
                _ => None,
            };
        }
        if let Some(rest) = written.strip_prefix('/') {
            let parts: Vec<&str> = rest.split('/').collect();
            let [subscriptions, subscription, groups, group, providers, provider, vaults, vault, keys, key, more @ ..] =
                parts.as_slice()
            else {
                return None;
            };
            let words = [subscriptions, groups, providers, provider, vaults, keys];
            let version = match more {
                [] => None,
                [versions, version] if versions.eq_ignore_ascii_case("versions") => Some(*version),
                _ => return None,
            };
            let is_key = words.iter().zip(ID_WORDS).all(|(word, known)| word.eq_ignore_ascii_case(known));
            return is_key.then_some(Self::Id { subscription, group, vault, key, version });
        }
        let (vault, key) = written.split_once('/').filter(|(_, key)| !key.contains('/'))?;
        Some(Self::Names { vault, key })
    }
}

/// The vaults that accounts name by id, with the place where each is named first.
pub(super) type ById = BTreeMap<VaultName, (VaultId, Range<usize>)>;

/// The key that an account names, and the version that the reference pins.
pub(super) struct Named {
    pub key: KeyRef,
    pub version: Option<Version>,
}

impl<'s> Resolver<'s> {
    /// Finds the vaults that accounts name by id and that have no entry, so that the order of accounts does not matter.
    pub(super) fn vaults_by_id(&mut self) {
        let spec = self.spec;
        let mut named: Vec<(Range<usize>, VaultId)> = Vec::new();
        for (name, entry) in &spec.document.accounts {
            let written = entry.encryption.as_ref().and_then(|encryption| encryption.key.as_deref());
            let Some(Reference::Id { subscription, group, vault, .. }) = written.and_then(Reference::read) else {
                continue;
            };
            let id = vault_id(subscription, group, vault).filter(|_| self.declared(vault).is_none());
            let span = spec.value_span(&["accounts", name.as_str(), "encryption", "key"]);
            named.extend(id.map(|id| (span, id)));
        }
        named.sort_by_key(|(span, _)| span.start);
        for (span, id) in named {
            self.by_id.entry(id.name.clone()).or_insert((id, span));
        }
    }

    /// Reads what `encryption.key` says. Complains of what is no key, and of a vault that is not known.
    pub(super) fn key_reference(&mut self, path: [&'s str; 2], written: &'s str) -> Option<Named> {
        let span = self.spec.value_span(&[path[0], path[1], "encryption", "key"]);
        let Some(reference) = Reference::read(written) else {
            self.no_reference(span, written);
            return None;
        };
        let (vault, key, version) = match reference {
            Reference::Names { vault, key } => (vault, key, None),
            Reference::Uri { host, key, version } => (self.vault_at(span.clone(), host)?, key, version),
            Reference::Id { subscription, group, vault, key, version } => {
                self.is_where(span.clone(), [subscription, group, vault])?;
                (vault, key, version)
            }
        };
        let version = match version {
            Some(text) => Some(self.version_in_reference(span.clone(), text)?),
            None => None,
        };
        let known = VaultName::parse(vault).ok().and_then(|name| self.by_id.get(&name)).map(|(id, _)| id.clone());
        let key = match (reference, known) {
            (Reference::Uri { .. } | Reference::Id { .. }, Some(id)) => self.used(span, id, key)?,
            (Reference::Uri { host, .. }, None) if self.declared(vault).is_none() => {
                self.no_vault_at(span, host, vault, key);
                return None;
            }
            _ => {
                let (declared, key) = self.lookup(span, vault, key)?;
                self.uses.push((path[1], declared));
                key?
            }
        };
        Some(Named { key, version })
    }

    /// The vault under `vaults` of this name, as its entry spells it.
    fn declared(&self, vault: &str) -> Option<&'s str> {
        let vaults = &self.spec.document.vaults;
        vaults.keys().find(|name| name.eq_ignore_ascii_case(vault)).map(String::as_str)
    }

    /// A key of a vault that is used and has no entry: both have to be there, and are never made.
    fn used(&mut self, span: Range<usize>, id: VaultId, key: &str) -> Option<KeyRef> {
        let name = self.name(Name::Key, key, span, KeyName::parse)?;
        let reference = KeyRef { vault: id.name.clone(), name: name.clone() };
        let vault = self.desired.vaults.entry(id.name.clone()).or_insert(Vault {
            id,
            location: None,
            create: None,
            recover: false,
            audit: BTreeSet::new(),
            purge_protection: None,
            permission_model: None,
            keys: BTreeMap::new(),
        });
        vault.keys.entry(name).or_insert(Key { create: None, import: None, recover: false, life: KeyLife::default() });
        Some(reference)
    }

    /// The vault's name in the host of a URI, if the host is one of Azure's public cloud.
    fn vault_at<'w>(&mut self, span: Range<usize>, host: &'w str) -> Option<&'w str> {
        let cut = host.len().checked_sub(VAULT_SUFFIX.len()).and_then(|at| host.split_at_checked(at));
        let is_vault =
            |(vault, suffix): &(&str, &str)| !vault.contains('.') && suffix.eq_ignore_ascii_case(VAULT_SUFFIX);
        if let Some((vault, _)) = cut.filter(is_vault) {
            self.name(Name::Vault, vault, span, VaultName::parse)?;
            return Some(vault);
        }
        let help = if host.to_ascii_lowercase().ends_with(HSM_SUFFIX) {
            "name a key in a vault: cmk manages no keys of managed HSMs"
        } else {
            "write the host as Azure's public cloud has it: `https://NAME.vault.azure.net/keys/KEY`"
        };
        self.say(
            Diagnostic::error("CMK070", span, format!("`{}` is the host of no vault", shown(host)))
                .label("a vault's name, and `.vault.azure.net` behind it")
                .help(help),
        );
        None
    }

    /// Whether a vault that is named by id is where the spec, or another account, says that it is.
    fn is_where(&mut self, span: Range<usize>, [subscription, group, vault]: [&str; 3]) -> Option<()> {
        let subscription = self.name(Name::Subscription, subscription, span.clone(), SubscriptionId::parse);
        let group = self.name(Name::Group, group, span.clone(), GroupName::parse);
        let name = self.name(Name::Vault, vault, span.clone(), VaultName::parse)?;
        let here = VaultId { group: GroupId { subscription: subscription?, name: group? }, name };
        let (there, place, label) = if let Some(declared) = self.declared(vault) {
            let id = self.desired.vaults.get(&here.name).map(|vault| vault.id.clone());
            (id, self.spec.key_span(&["vaults", declared]), "has its entry here")
        } else {
            let (id, span) = self.by_id.get(&here.name)?.clone();
            (Some(id), span, "is named here too")
        };
        let Some(there) = there.filter(|there| *there != here) else { return Some(()) };
        let GroupId { subscription, name } = &there.group;
        self.say(
            Diagnostic::error("CMK072", span, format!("vault `{}` would be in two places", shown(vault)))
                .label(format!(
                    "in resource group `{}` of {}",
                    shown(here.group.name.as_str()),
                    here.group.subscription
                ))
                .related(place, format!("{label}: in `{}` of {subscription}", shown(name.as_str())))
                .help("correct the one that is wrong: a vault's name is unique in the whole cloud"),
        );
        None
    }

    fn version_in_reference(&mut self, span: Range<usize>, written: &str) -> Option<Version> {
        let version = Version::parse(written).ok();
        if version.is_none() {
            self.say(
                Diagnostic::error("CMK071", span, format!("`{}` is no version of a key", shown(written)))
                    .label("ends in something else than 32 hexadecimal digits")
                    .help("leave the version out, or copy the 32 digits at the end of the key's id"),
            );
        }
        version
    }

    /// Says that `version` says something else than the version in the reference beside it.
    pub(super) fn another_version(&mut self, path: [&str; 2], pinned: &Version, written: &str) {
        let place = |field| self.spec.value_span(&[path[0], path[1], "encryption", field]);
        let (version, key) = (place("version"), place("key"));
        self.say(
            Diagnostic::error("CMK071", version, format!("`{}` contradicts the version in `key`", shown(written)))
                .label("another version")
                .related(key, format!("pins {pinned}"))
                .help("remove `version`, or take the version out of `key`"),
        );
    }

    fn no_vault_at(&mut self, span: Range<usize>, host: &str, vault: &str, key: &str) {
        let known = self.spec.document.vaults.keys().map(String::as_str);
        let help = match nearest(vault, known.chain(self.by_id.keys().map(VaultName::as_str))) {
            Some(meant) => format!("did you mean `https://{}{VAULT_SUFFIX}/keys/{}`?", shown(meant), shown(key)),
            None => format!(
                "add `{}` under `vaults`, where it is only used without `create`; or name the key by its id, \
                 `/subscriptions/…/resourceGroups/…/providers/Microsoft.KeyVault/vaults/{}/keys/{}`",
                shown(vault),
                shown(vault),
                shown(key)
            ),
        };
        self.say(
            Diagnostic::error("CMK025", span, format!("no vault at `{}` is declared", shown(host)))
                .label("a URI does not say in which subscription and resource group the vault is")
                .help(help),
        );
    }

    fn no_reference(&mut self, span: Range<usize>, written: &str) {
        let is_address = written.contains("://") || written.starts_with('/');
        let label = if is_address {
            "neither a key's URI nor its id in Resource Manager"
        } else {
            "a vault's name, one slash, and a key's name"
        };
        let help = if is_address {
            "write `https://NAME.vault.azure.net/keys/KEY`, `/subscriptions/…/resourceGroups/…/providers/\
             Microsoft.KeyVault/vaults/NAME/keys/KEY`, or `vault/key`"
                .to_owned()
        } else {
            self.names_help(written)
        };
        self.say(
            Diagnostic::error("CMK024", span, format!("`{}` names no key", shown(written))).label(label).help(help),
        );
    }

    /// The way out for a key by one name alone, or with its version.
    fn names_help(&self, written: &str) -> String {
        let vaults = &self.spec.document.vaults;
        let holder = vaults.iter().find(|(_, vault)| vault.keys.contains_key(written));
        let first_key = vaults.get(written).and_then(|vault| vault.keys.keys().next());
        let parts: Vec<&str> = written.split('/').collect();
        match (holder, first_key, parts.as_slice()) {
            (Some((vault, _)), _, _) => format!("write `key: {}/{}`", shown(vault), shown(written)),
            (None, Some(key), _) => format!("write `key: {}/{}`", shown(written), shown(key)),
            (None, None, [vault, key, version]) if Version::parse(version).is_ok() => {
                format!("write `key: {}/{}` and `version: {version}`", shown(vault), shown(key))
            }
            (None, None, _) => "write `key: vault/key`, with the names under `vaults` and its `keys`".to_owned(),
        }
    }
}

fn vault_id(subscription: &str, group: &str, vault: &str) -> Option<VaultId> {
    let group =
        GroupId { subscription: SubscriptionId::parse(subscription).ok()?, name: GroupName::parse(group).ok()? };
    Some(VaultId { group, name: VaultName::parse(vault).ok()? })
}
