//! What tells a thing from another under the same name: ids that the cloud chooses and never changes.

use super::super::touched::Touched;
use super::super::types::Step;
use crate::model::fact::pinned_version;
use crate::model::{
    AccountId, IdentityId, KeyCreate, KeyRef, KeyVersion, Observed, Seen, Thumbprint, VaultId, VersionRule,
};
use std::collections::BTreeMap;

/// What each thing is known by: by the thing, `vault/kv-prod`, and by what is known of it, `tenant`.
pub type Identities = BTreeMap<String, BTreeMap<String, String>>;

/// Stands for what the cloud chooses when a step of the same plan makes the thing.
pub const MADE: &str = "made by this plan";

/// Stands for what Azure did not show. Resource Manager shows no key's modulus; only the vault itself does.
pub const NOT_SEEN: &str = "not seen";

/// The identities of all things that these steps touch.
pub(super) fn identities(steps: &[Step], observed: &Observed) -> Identities {
    let mut known = Known { observed, all: Identities::new() };
    for step in steps {
        known.touched(&Touched::by(&step.action));
    }
    known.all
}

struct Known<'a> {
    observed: &'a Observed,
    all: Identities,
}

impl Known<'_> {
    fn touched(&mut self, touched: &Touched<'_>) {
        if let Some(id) = touched.group {
            self.know(&format!("group/{}", id.name), "id", &id.to_string());
        }
        if let Some(vault) = touched.vault {
            self.vault(vault, touched.tenant);
        }
        if let Some(account) = touched.account {
            self.account(account, touched.makes_identity);
        }
        for identity in &touched.identities {
            self.user_identity(identity);
        }
        if let Some(key) = touched.key {
            self.key(key, touched.version.unwrap_or(&VersionRule::Latest), touched.key_made);
        }
    }

    /// The first that is known of a thing counts: what a step makes comes before the steps that use it.
    fn know(&mut self, object: &str, fact: &str, value: &str) {
        let facts = self.all.entry(object.to_ascii_lowercase()).or_default();
        facts.entry(fact.to_owned()).or_insert_with(|| value.to_ascii_lowercase());
    }

    fn vault(&mut self, id: &VaultId, made_for: Option<&str>) {
        let seen = self.observed.vaults.get(&id.name).and_then(Seen::known);
        let (place, tenant) = match seen {
            Some(seen) => (seen.id.to_string(), seen.tenant.clone()),
            None => (id.to_string(), made_for.unwrap_or(NOT_SEEN).to_owned()),
        };
        let object = format!("vault/{}", id.name);
        self.know(&object, "id", &place);
        self.know(&object, "tenant", &tenant);
    }

    fn account(&mut self, id: &AccountId, identity_is_made: bool) {
        let seen = self.observed.accounts.get(&id.name).and_then(Seen::known);
        let object = format!("account/{}", id.name);
        let place = seen.map_or_else(|| id.to_string(), |seen| seen.id.to_string());
        self.know(&object, "id", &place);
        match seen.and_then(|seen| seen.identity.system_principal.as_deref()) {
            Some(principal) => self.know(&object, "principal", principal),
            None if identity_is_made => self.know(&object, "principal", MADE),
            None => {}
        }
    }

    fn user_identity(&mut self, id: &IdentityId) {
        let object = format!("identity/{}", id.name);
        self.know(&object, "id", &id.to_string());
        match self.observed.identities.get(id) {
            Some(Seen::Known(seen)) => {
                self.know(&object, "principal", &seen.principal);
                self.know(&object, "client", seen.client.as_deref().unwrap_or(NOT_SEEN));
            }
            Some(Seen::Absent) => self.know(&object, "principal", MADE),
            Some(Seen::Hidden(_)) | None => self.know(&object, "principal", NOT_SEEN),
        }
    }

    fn key(&mut self, key: &KeyRef, rule: &VersionRule, made_as: Option<&KeyCreate>) {
        let object = format!("key/{key}");
        let Some(seen) = self.observed.keys.get(key).and_then(Seen::known) else {
            if let Some(KeyCreate { kind, size_bits }) = made_as {
                self.know(&object, "kind", &format!("{kind} {size_bits}"));
                self.know(&object, "version", MADE);
            }
            return;
        };
        let bits = seen.size_bits.map_or(NOT_SEEN.to_owned(), |bits| bits.to_string());
        self.know(&object, "kind", &format!("{} {bits}", seen.kind));
        let used = match rule {
            VersionRule::Auto => seen.current(),
            VersionRule::Latest | VersionRule::Exact(_) => {
                pinned_version(seen, rule).and_then(|version| seen.version(version))
            }
        };
        if let Some(KeyVersion { id, thumbprint, .. }) = used {
            self.know(&object, &format!("modulus of {id}"), thumbprint.as_ref().map_or(NOT_SEEN, Thumbprint::as_str));
        }
    }
}
