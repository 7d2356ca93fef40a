//! The vaults of a spec and their keys.

use super::scope::Own;
use super::{Name, Resolver};
use crate::diag::Diagnostic;
use crate::model::key::KEY_SIZES_BITS;
use crate::model::{
    Key, KeyCreate, KeyName, KeyType, PermissionModel, Vault, VaultCreate, VaultId, VaultName, VaultSku,
};
use crate::spec::shown::{nearest, shown};
use crate::spec::types::{
    KEY_TYPES, KeyCreation, KeyEntry, PermissionModelWord, VaultCreation, VaultEntry, VaultSkuWord,
};
use std::collections::BTreeMap;

impl<'s> Resolver<'s> {
    pub(super) fn vaults(&mut self) {
        let spec = self.spec;
        let mut declared: BTreeMap<VaultName, &str> = BTreeMap::new();
        for (name, entry) in &spec.document.vaults {
            let path = ["vaults", name.as_str()];
            let parsed = self.name(Name::Vault, name, spec.key_span(&path), VaultName::parse);
            if let Some(parsed) = &parsed {
                if let Some(first) = declared.get(parsed) {
                    let first_at = spec.key_span(&["vaults", first]);
                    self.twice("vault", first, first_at, name, spec.key_span(&path));
                } else {
                    declared.insert(parsed.clone(), name);
                }
            }
            if !spec.is_broken(&path) {
                self.vault(path, parsed, entry);
            }
        }
    }

    fn vault(&mut self, path: [&'s str; 2], name: Option<VaultName>, entry: &'s VaultEntry) {
        let VaultEntry {
            create,
            recover,
            subscription,
            resource_group,
            location,
            purge_protection,
            audit,
            permission_model,
            keys,
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
        let permission_model = permission_model.map(|word| match word {
            PermissionModelWord::AccessPolicies => PermissionModel::AccessPolicies,
            PermissionModelWord::Rbac => PermissionModel::Rbac,
        });
        self.recovery(&path, *recover);
        let audit = audit.as_ref().map(|audit| self.audit(path, audit)).unwrap_or_default();
        let sku = create.as_ref().map(|create| create.sku);
        let create = create.as_ref().and_then(|create| self.vault_create(path, create));
        let keys = self.keys(path, keys, sku);
        let (Some(name), Some(group)) = (name, group) else { return };
        self.uses_group(&group, own.create);
        let id = VaultId { group, name: name.clone() };
        let (recover, purge_protection) = (*recover, *purge_protection);
        let vault = Vault { id, location, create, recover, purge_protection, audit, permission_model, keys };
        self.desired.vaults.entry(name).or_insert(vault);
    }

    fn vault_create(&mut self, path: [&str; 2], create: &VaultCreation) -> Option<VaultCreate> {
        let VaultCreation { sku, soft_delete_retention_days: days } = create;
        let sku = match sku {
            VaultSkuWord::Standard => VaultSku::Standard,
            VaultSkuWord::Premium => VaultSku::Premium,
        };
        let soft_delete_retention_days = u8::try_from(*days).ok().filter(|days| (7..=90).contains(days));
        if soft_delete_retention_days.is_none() {
            let span = self.spec.value_span(&[path[0], path[1], "create", "softDeleteRetentionDays"]);
            self.say(
                Diagnostic::error("CMK035", span, format!("a vault cannot keep deleted keys for {days} days"))
                    .label("must be 7 to 90")
                    .help(
                        "write `softDeleteRetentionDays: 90`, or leave the line out to get 90; it can never be changed",
                    ),
            );
        }
        Some(VaultCreate { sku, soft_delete_retention_days: soft_delete_retention_days? })
    }

    /// What is only used is somebody else's to make, and to bring back.
    fn recovery(&mut self, path: &[&str], recover: bool) {
        let within = |field| path.iter().copied().chain([field]).collect::<Vec<&str>>();
        if !recover || self.spec.has(&within("create")) {
            return;
        }
        let span = self.spec.value_span(&within("recover"));
        let what = if path.len() == 2 { "vault" } else { "key" };
        self.say(
            Diagnostic::error("CMK080", span, format!("a {what} that is only used is not recovered"))
                .label("without `create`, it is there already, and somebody else's to bring back")
                .help(format!("add `create: {{}}` to the {what}, or remove `recover`")),
        );
    }

    fn keys(
        &mut self,
        vault: [&str; 2],
        entries: &BTreeMap<String, KeyEntry>,
        sku: Option<VaultSkuWord>,
    ) -> BTreeMap<KeyName, Key> {
        let spec = self.spec;
        let mut declared: BTreeMap<KeyName, &str> = BTreeMap::new();
        let mut keys = BTreeMap::new();
        for (name, entry) in entries {
            let path = [vault[0], vault[1], "keys", name.as_str()];
            let create = entry.create.as_ref().and_then(|create| self.key_create(path, create, sku));
            self.recovery(&path, entry.recover);
            let Some(parsed) = self.name(Name::Key, name, spec.key_span(&path), KeyName::parse) else { continue };
            if let Some(first) = declared.get(&parsed) {
                let first_at = spec.key_span(&[vault[0], vault[1], "keys", first]);
                self.twice("key", first, first_at, name, spec.key_span(&path));
            } else {
                declared.insert(parsed.clone(), name);
                let (import, life) = (self.own_key(path, entry), self.life(path, entry));
                keys.insert(parsed, Key { create, import, recover: entry.recover, life });
            }
        }
        keys
    }

    fn key_create(&mut self, path: [&str; 4], create: &KeyCreation, sku: Option<VaultSkuWord>) -> Option<KeyCreate> {
        let [vaults, vault, keys, name] = path;
        let KeyCreation { kind, size } = create;
        let kind = self.key_type(path, kind);
        if kind == Some(KeyType::RsaHsm) && sku == Some(VaultSkuWord::Standard) {
            self.hsm_in_standard(path);
        }
        let size_bits = u32::try_from(*size).ok().filter(|size| KEY_SIZES_BITS.contains(size));
        if size_bits.is_none() {
            let span = self.spec.value_span(&[vaults, vault, keys, name, "create", "size"]);
            self.say(
                Diagnostic::error("CMK021", span, format!("storage cannot use a key of {size} bits"))
                    .label("storage accepts RSA keys of 2048, 3072 or 4096 bits")
                    .help("write `size: 3072`, or leave the line out to get 3072"),
            );
        }
        Some(KeyCreate { kind: kind?, size_bits: size_bits? })
    }

    fn key_type(&mut self, path: [&str; 4], written: &str) -> Option<KeyType> {
        match KeyType::parse(written) {
            KeyType::Other(_) => {
                let [vaults, vault, keys, name] = path;
                let span = self.spec.value_span(&[vaults, vault, keys, name, "create", "type"]);
                let help = match nearest(written, KEY_TYPES) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => "write `type: RSA`, or leave the line out to get RSA".to_owned(),
                };
                self.say(
                    Diagnostic::error("CMK022", span, format!("storage cannot use a key of type `{}`", shown(written)))
                        .label("storage wraps its data keys with RSA: `RSA` or `RSA-HSM`")
                        .help(help),
                );
                None
            }
            known @ (KeyType::Rsa | KeyType::RsaHsm) => Some(known),
        }
    }

    fn hsm_in_standard(&mut self, path: [&str; 4]) {
        let [vaults, vault, keys, name] = path;
        let create = self.spec.key_span(&[vaults, vault, "create"]);
        let sku = if self.spec.has(&[vaults, vault, "create", "sku"]) {
            self.spec.value_span(&[vaults, vault, "create", "sku"])
        } else {
            create
        };
        if self.spec.is_broken(&[vaults, vault, "create", "sku"]) {
            return;
        }
        let span = self.spec.value_span(&[vaults, vault, keys, name, "create", "type"]);
        self.say(
            Diagnostic::error("CMK023", span, format!("the standard vault `{}` holds no hardware keys", shown(vault)))
                .label("RSA-HSM needs a premium vault")
                .related(sku, "this makes a standard one")
                .help("write `sku: premium` under the vault's `create`, or `type: RSA`"),
        );
    }
}
