//! What each field takes, for people: the help behind a wrong or a missing value, and foreign words.

/// Each field of the language, what it takes, and how that is written.
const FIELDS: &[(&str, &str, &str)] = &[
    (
        "accept",
        "a list of acknowledgements",
        "accept: [{ code: CMK402, object: vault/kv-quickstart, until: 2026-12-31 }]",
    ),
    ("access", "the word `granted` or `revoked`", "access: revoked"),
    ("accounts", "a mapping of account names", "stquickstart: {}"),
    ("audit", "a mapping of places", "audit: { logAnalytics: /subscriptions/… }"),
    ("code", "the code of a risk that cannot be undone", "code: CMK402"),
    ("create", "a mapping of what to make it with", "create: {}"),
    ("defaults", "a mapping of `subscription`, `resourceGroup` and `location`", "defaults: { location: westeurope }"),
    ("enabled", "`true` or `false`", "enabled: false"),
    ("encryption", "a mapping", "encryption: { key: kv-quickstart/storage }"),
    ("env", "the name of an environment variable", "env: PAYROLL_KEY"),
    ("eventHub", "a mapping of `rule` and `name`", "eventHub: { rule: /subscriptions/…, name: audit }"),
    ("every", "a length of time", "every: P90D"),
    ("expireAfter", "a length of time", "expireAfter: P1Y"),
    ("expires", "a day or a moment", "expires: 2027-01-31"),
    ("file", "the name of a file", "file: payroll.pem"),
    ("identities", "a mapping of identity names, or in an account a list of them", "identities: [id-quickstart]"),
    ("identity", "the word `systemAssigned`, or under `encryption` a name", "identity: systemAssigned"),
    ("import", "a mapping", "import: { file: payroll.pem, thumbprint: NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs }"),
    ("key", "a vault's and a key's name with a slash between them, or a key's URI or id", "key: kv-quickstart/storage"),
    ("keys", "a mapping of key names", "storage: { create: {} }"),
    ("kind", "the kind of account", "kind: StorageV2"),
    ("location", "a region", "location: westeurope"),
    ("logAnalytics", "the ARM id of a workspace", "logAnalytics: /subscriptions/…"),
    ("maxAge", "a length of time", "maxAge: P90D"),
    ("name", "the name of an event hub", "name: audit"),
    ("notBefore", "a day or a moment", "notBefore: 2026-01-31"),
    ("notifyBefore", "a length of time", "notifyBefore: P30D"),
    ("object", "a kind and a name with a slash between them", "object: vault/kv-quickstart"),
    ("passphrase", "a mapping", "passphrase: { env: PAYROLL_PASSPHRASE }"),
    ("permissionModel", "the word `accessPolicies` or `rbac`", "permissionModel: rbac"),
    ("permissions", "a list of permissions", "permissions: [get, wrapKey, unwrapKey]"),
    ("policy", "a mapping of rules", "policy: { sameRegion: false }"),
    ("purgeProtection", "`true` or `false`", "purgeProtection: true"),
    ("recover", "`true` or `false`", "recover: true"),
    ("removeIdentities", "a list of identity names, or `systemAssigned`", "removeIdentities: [id-quickstart]"),
    ("resourceGroup", "a resource group's name", "resourceGroup: rg-quickstart"),
    ("resourceGroups", "a mapping of group names", "rg-quickstart: { create: {} }"),
    ("retireOldVersions", "a length of time", "retireOldVersions: P7D"),
    ("rotation", "a mapping", "rotation: { every: P90D, expireAfter: P1Y }"),
    ("rule", "the ARM id of an authorization rule", "rule: /subscriptions/…"),
    ("sameRegion", "`true` or `false`", "sameRegion: false"),
    ("scope", "the word `key` or `vault`", "scope: key"),
    ("size", "a number of bits", "size: 3072"),
    ("sku", "`standard` or `premium` for a vault, a name such as `Standard_LRS` for an account", "sku: Standard_LRS"),
    ("softDeleteRetentionDays", "a number of days, 7 to 90", "softDeleteRetentionDays: 90"),
    ("source", "the word `keyVault` or `microsoft`", "source: microsoft"),
    ("storageAccount", "the ARM id of a storage account", "storageAccount: /subscriptions/…"),
    ("subscription", "a subscription's id", "subscription: 11111111-1111-1111-1111-111111111111"),
    ("tags", "a mapping of names to values", "tags: { team: billing }"),
    (
        "thumbprint",
        "a thumbprint, as `cmk thumbprint FILE` prints it",
        "thumbprint: NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
    ),
    ("type", "a type of key", "type: RSA"),
    ("until", "a day", "until: 2026-12-31"),
    ("vaults", "a mapping of vault names", "kv-quickstart: {}"),
    ("version", "`1` at the top, `latest`, `auto` or 32 hexadecimal digits for a key", "version: 1"),
    (
        "versions",
        "a mapping of versions of a key",
        "versions: { 0123456789abcdef0123456789abcdef: { enabled: false } }",
    ),
];

/// Each field of a guard, what it takes, and how that is written.
const GUARD_FIELDS: &[(&str, &str, &str)] = &[
    ("accounts", "a list of names, or in `perRun` a number", "accounts: [\"stpay*\"]"),
    ("keys", "a mapping of `types` and `sizes`", "keys: { types: [RSA-HSM], sizes: [3072, 4096] }"),
    ("perRun", "a mapping of `accounts` and `risk`", "perRun: { accounts: 20, risk: irreversible }"),
    ("permissions", "a list of permissions", "permissions: [get, wrapKey, unwrapKey]"),
    ("resourceGroups", "a list of names", "resourceGroups: [\"rg-pay-*\"]"),
    ("risk", "a kind of risk", "risk: irreversible"),
    ("sizes", "a list of sizes in bits", "sizes: [3072, 4096]"),
    ("subscriptions", "a list of ids", "subscriptions: [11111111-1111-1111-1111-111111111111]"),
    ("tenants", "a list of ids", "tenants: [00000000-0000-0000-0000-00000000000a]"),
    ("types", "a list of types of keys", "types: [RSA, RSA-HSM]"),
    ("vaults", "a list of names", "vaults: [\"kv-pay-*\"]"),
    ("version", "the number 1", "version: 1"),
];

/// The two languages that are read here: of specs, and of the guards that bound what a spec may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// What should be true.
    Spec,
    /// What may be touched at all.
    Guard,
}

impl Language {
    /// Its text in a sentence: "the spec".
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Spec => "the spec",
            Self::Guard => "the guard",
        }
    }

    /// An example to start from.
    pub(crate) fn example(self) -> &'static str {
        match self {
            Self::Spec => "specs/quickstart.yaml",
            Self::Guard => "docs/guard.example.yaml",
        }
    }

    fn fields(self) -> &'static [(&'static str, &'static str, &'static str)] {
        match self {
            Self::Spec => FIELDS,
            Self::Guard => GUARD_FIELDS,
        }
    }
}

/// Words of other tools and of Azure's own API, with what they are called here.
const FOREIGN: &[(&str, &str)] = &[
    ("account_kind", "the kind of account is `kind` under `create`"),
    ("account_replication_type", "performance and replication are one word here: `sku: Standard_LRS` under `create`"),
    ("account_tier", "performance and replication are one word here: `sku: Standard_LRS` under `create`"),
    (
        "accessPolicies",
        "access policies are not listed: each account with `encryption` gets its own entry, and others are left alone",
    ),
    (
        "access_policy",
        "access policies are not listed: each account with `encryption` gets its own entry, and others are left alone",
    ),
    ("customer_managed_key", "the key of an account is `encryption: { key: vault/key }`"),
    ("enablePurgeProtection", "it is called `purgeProtection` here"),
    ("enableRbacAuthorization", "it is called `permissionModel` here"),
    ("enableSoftDelete", "soft delete is always on in Azure; leave the line out"),
    ("keyName", "the key of an account is one word: `key: vault/key`"),
    ("keySize", "it is called `size` here, under `create`"),
    ("keySource", "naming a `key` makes it Microsoft.Keyvault; the way back is `source: microsoft`"),
    ("keyType", "it is called `type` here, under `create`"),
    ("keyVaultUri", "the key of an account is one word: `key: vault/key`"),
    ("keyVersion", "it is called `version` here, under `encryption`"),
    ("key_size", "it is called `size` here, under `create`"),
    ("key_type", "it is called `type` here, under `create`"),
    ("key_vault_key_id", "it is called `key` here, under `encryption`, and takes the key's URI too"),
    ("keyvaultproperties", "the key of an account is `encryption: { key: vault/key }`"),
    ("kty", "it is called `type` here, under `create`"),
    ("keyVaults", "it is called `vaults` here"),
    ("key_vaults", "it is called `vaults` here"),
    ("name", "an entry's name is the key before its colon: `stquickstart:`"),
    ("permissions", "permissions belong under `encryption` of the account that gets them"),
    ("properties", "there is no `properties` level here; its fields stand in the entry itself"),
    ("region", "it is called `location` here"),
    ("resource_group_name", "it is called `resourceGroup` here"),
    ("sku_name", "it is called `sku` here, under `create`"),
    ("storageAccounts", "it is called `accounts` here"),
    ("storage_accounts", "it is called `accounts` here"),
    ("subscriptionId", "it is called `subscription` here"),
    ("tags", "tags are managed on keys alone; those of other things are left as they are"),
    ("tenant", "the tenant is the subscription's; leave the line out"),
    ("tenantId", "the tenant is the subscription's; leave the line out"),
];

/// What a field takes, as the end of a sentence, and an example; nothing when it is not a field but a name.
pub(crate) fn takes(language: Language, field: &str) -> Option<(&'static str, &'static str)> {
    language.fields().iter().find(|(name, ..)| *name == field).map(|(_, takes, example)| (*takes, *example))
}

/// The way out when a field or an entry has no value.
pub(crate) fn missing_value(language: Language, key: &str) -> String {
    match takes(language, key) {
        Some((takes, example)) => {
            let under = if example.starts_with(&format!("{key}:")) { "write" } else { "write below it, indented," };
            format!("it takes {takes}: {under} `{example}`, or leave the line out")
        }
        None => "indent its fields below it, or write `{}` if there is nothing to say about it".to_owned(),
    }
}

/// Words that somebody may expect to work as values, with what to know about them.
const FOREIGN_WORDS: &[(&str, &str)] = &[
    ("all", "cmk grants what storage uses and nothing else: `get`, `wrapKey`, `unwrapKey` and, if you like, `recover`"),
    ("encrypt", "storage wraps and unwraps its data key; it never encrypts with yours: `get`, `wrapKey`, `unwrapKey`"),
    ("decrypt", "storage wraps and unwraps its data key; it never decrypts with yours: `get`, `wrapKey`, `unwrapKey`"),
    ("list", "storage never lists keys: `get`, `wrapKey`, `unwrapKey`"),
    ("none", "an identity is never taken away; leave the line out to leave it as it is"),
    (
        "systemAssigned, userAssigned",
        "write `systemAssigned`; user-assigned identities that are there already are kept",
    ),
    ("userAssigned", "user-assigned identities are named, as in `identities: [id-quickstart]`"),
    ("roles", "role assignments are called `rbac` here"),
];

/// What to know about a word that is not one of the language.
pub(crate) fn foreign_word(word: &str) -> Option<&'static str> {
    FOREIGN_WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, help)| *help)
}

/// What a word of another tool is called here.
pub(crate) fn foreign(field: &str) -> Option<&'static str> {
    FOREIGN.iter().find(|(word, _)| word.eq_ignore_ascii_case(field)).map(|(_, help)| *help)
}

/// The way out when a known field stands in the wrong entry.
pub(crate) fn misplaced(field: &str) -> Option<&'static str> {
    Some(match field {
        "sku" => "it belongs under `create` of the vault or the account",
        "softDeleteRetentionDays" => "it belongs under `create` of a vault",
        "kind" => "it belongs under `create` of an account",
        "size" | "type" => "it belongs under `create` of a key",
        "subscription" | "resourceGroup" | "location" => {
            "it belongs into `defaults`, or into the entry itself beside `create`"
        }
        "purgeProtection" | "permissionModel" | "keys" => "it belongs into the vault's entry, beside `create`",
        "identity" | "encryption" => "it belongs into the account's entry, beside `create`",
        "key" | "version" | "permissions" => "it belongs under `encryption` of an account",
        "enabled" | "versions" | "notBefore" | "expires" | "rotation" | "maxAge" | "retireOldVersions" => {
            "it belongs into a key's entry, beside `create`"
        }
        "every" | "notifyBefore" | "expireAfter" => "it belongs under `rotation` of a key",
        "sameRegion" => "it belongs under `policy` at the top",
        "code" | "object" | "until" => "it belongs into an item of `accept`, at the top",
        "vaults" | "accounts" | "resourceGroups" | "identities" | "defaults" | "policy" | "accept" => {
            "it belongs at the top of the file, without indentation"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_field_of_the_schemas_says_what_it_takes() {
        fn collect(value: &serde_json::Value, found: &mut BTreeSet<String>) {
            if let Some(fields) = value.get("properties").and_then(|fields| fields.as_object()) {
                found.extend(fields.keys().cloned());
            }
            value.as_object().into_iter().flat_map(|map| map.values()).for_each(|inner| collect(inner, found));
        }
        for (schema, language) in
            [(crate::spec::schema(), Language::Spec), (crate::spec::guard_schema(), Language::Guard)]
        {
            let mut found = BTreeSet::new();
            collect(&schema, &mut found);
            let listed: BTreeSet<String> = language.fields().iter().map(|(name, ..)| (*name).to_owned()).collect();
            assert_eq!(found, listed);
        }
    }
}
