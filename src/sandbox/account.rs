//! What a storage account is, and how it is shown.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Millis;
use super::account_identity::AccountIdentity;
use super::encryption::Encryption;
use super::scopes::Scopes;
use super::wire::Answer;

pub(super) const KIND: &str = "Microsoft.Storage/storageAccounts";

/// A storage account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Account {
    /// The directory that its identities are of: the world's.
    pub tenant: String,
    pub subscription: String,
    pub group: String,
    pub name: String,
    pub location: String,
    pub kind: String,
    pub sku: String,
    pub tags: Value,
    /// `None` until an identity is spoken of for the first time.
    pub identity: Option<AccountIdentity>,
    /// Properties that are kept as they were sent.
    pub settings: Map<String, Value>,
    pub encryption: Encryption,
    pub created: Millis,
    /// When the account is `Succeeded`.
    pub ready: Millis,
    /// The id of the operation that creates it.
    pub operation: String,
    #[serde(default)]
    pub scopes: Scopes,
    /// What has been set for its services, by their names.
    #[serde(default)]
    pub services: Map<String, Value>,
}

/// Where in the life of an account a body is shown: lists know less than a GET.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Single,
    Listed,
}

impl Account {
    pub(super) fn id(&self) -> String {
        let Self { subscription, group, name, .. } = self;
        format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/{KIND}/{name}")
    }

    pub(super) fn provisioned(&self, now: Millis) -> bool {
        now >= self.ready
    }

    pub(super) fn body(&self, now: Millis, view: View) -> Value {
        let ready = self.provisioned(now);
        let mut properties = self.settings.clone();
        let mut set = |name: &str, value: Value| properties.insert(name.to_owned(), value);
        let made = if ready { json!(self.created.ticks()) } else { Value::Null };
        set("keyCreationTime", json!({"key1": made, "key2": made}));
        set("privateEndpointConnections", json!([]));
        set("encryption", self.encryption.body());
        let state = match (ready, view) {
            (true, _) => "Succeeded",
            (false, View::Single) => "Creating",
            (false, View::Listed) => "ResolvingDns",
        };
        set("provisioningState", json!(state));
        set("creationTime", json!(self.created.ticks()));
        set("primaryLocation", json!(self.location));
        if ready {
            set("primaryEndpoints", self.endpoints(""));
            set("statusOfPrimary", json!("available"));
        }
        if let Some(region) = self.secondary().filter(|_| ready) {
            set("secondaryLocation", json!(region));
            set("statusOfSecondary", json!("available"));
            if self.sku.contains("_RA") {
                set("secondaryEndpoints", self.endpoints("-secondary"));
            }
        }
        let mut body = json!({
            "id": self.id(), "name": self.name, "type": KIND, "location": self.location, "tags": self.tags,
            "sku": {"name": self.sku, "tier": self.tier()}, "kind": self.kind, "properties": properties,
        });
        if let Some(identity) = &self.identity {
            body["identity"] = identity.body(&self.tenant);
        }
        body
    }

    pub(super) fn tier(&self) -> &'static str {
        if self.sku.starts_with("Premium") { "Premium" } else { "Standard" }
    }

    /// Where a copy is kept, for the replications that keep one elsewhere.
    fn secondary(&self) -> Option<&'static str> {
        let elsewhere = ["GRS", "GZRS"].iter().any(|ending| self.sku.ends_with(ending));
        elsewhere.then(|| super::regions::pair(&self.location)).flatten()
    }

    fn endpoints(&self, mark: &str) -> Value {
        let services: &[&str] = match self.kind.as_str() {
            "Storage" => &["blob", "queue", "table", "file"],
            "BlobStorage" => &["dfs", "blob", "table"],
            "BlockBlobStorage" => &["dfs", "web", "blob"],
            "FileStorage" => &["file"],
            _ => &["dfs", "web", "blob", "queue", "table", "file"],
        };
        // Files are not to be read at the secondary place.
        let all = services.iter().filter(|service| mark.is_empty() || **service != "file").map(|service| {
            let zone = if *service == "web" { "z1." } else { "" };
            let url = format!("https://{}{mark}.{zone}{service}.storage.sandbox.test/", self.name);
            ((*service).to_owned(), json!(url))
        });
        Value::Object(all.collect())
    }
}

/// What older versions of the API do not show, with the version that brought it.
const SINCE: [(&str, &str); 3] = [
    ("/networkAcls/ipv6Rules", "2023-01-01"),
    ("/allowCrossTenantDelegationSas", "2025-06-01"),
    ("/keyCreationTime", "2021-02-01"),
];

/// A body as a version of the API shows it.
pub(super) fn shaped(mut body: Value, api_version: &str) -> Value {
    for (pointer, since) in SINCE {
        let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
        let parent = body.get_mut("properties").and_then(|properties| properties.pointer_mut(parent));
        if let Some(parent) = parent.and_then(Value::as_object_mut).filter(|_| api_version < since) {
            parent.remove(name);
        }
    }
    body
}

/// Switches among the properties.
const SWITCHES: [&str; 11] = [
    "allowBlobPublicAccess",
    "allowCrossTenantReplication",
    "allowSharedKeyAccess",
    "allowCrossTenantDelegationSas",
    "supportsHttpsTrafficOnly",
    "defaultToOAuthAuthentication",
    "isHnsEnabled",
    "isSftpEnabled",
    "isLocalUserEnabled",
    "isNfsV3Enabled",
    "enableExtendedGroups",
];
/// Properties with a few values.
const CHOICES: [(&str, &[&str]); 6] = [
    ("minimumTlsVersion", &["TLS1_0", "TLS1_1", "TLS1_2", "TLS1_3"]),
    ("accessTier", &["Hot", "Cool", "Cold", "Premium"]),
    ("publicNetworkAccess", &["Enabled", "Disabled", "SecuredByPerimeter"]),
    ("dnsEndpointType", &["Standard", "AzureDnsZone"]),
    ("allowedCopyScope", &["PrivateLink", "AAD"]),
    ("largeFileSharesState", &["Enabled", "Disabled"]),
];
/// Properties that are objects.
const OBJECTS: [&str; 6] = [
    "keyPolicy",
    "sasPolicy",
    "routingPreference",
    "customDomain",
    "immutableStorageWithVersioning",
    "azureFilesIdentityBasedAuthentication",
];

/// The properties of a new account that sends none, as a version of the API gives them.
pub(super) fn defaults(api_version: &str, kind: &str) -> Map<String, Value> {
    let modern = api_version >= "2025-06-01";
    let recent = api_version >= "2023-01-01";
    let mut settings = Map::new();
    let mut set = |name: &str, value: Value| settings.insert(name.to_owned(), value);
    set("minimumTlsVersion", json!(if modern { "TLS1_2" } else { "TLS1_0" }));
    set("allowBlobPublicAccess", json!(!recent));
    set("supportsHttpsTrafficOnly", json!(true));
    set("allowCrossTenantDelegationSas", json!(false));
    if recent {
        // Before that it was allowed unless someone said otherwise, and so it was not shown.
        set("allowCrossTenantReplication", json!(false));
    }
    // The oldest kind has no tiers.
    if kind != "Storage" {
        set("accessTier", json!("Hot"));
    }
    set(
        "networkAcls",
        json!({
            "ipv6Rules": [], "bypass": "AzureServices", "virtualNetworkRules": [], "ipRules": [], "defaultAction": "Allow",
        }),
    );
    settings
}

/// Lays the properties that were sent over those there are. What the service does not know it ignores.
pub(super) fn set(settings: &mut Map<String, Value>, sent: &Value) -> Result<(), Answer> {
    let mut keep = |name: &str, good: bool| {
        if sent[name].is_null() {
            return Ok(());
        }
        if !good {
            return Err(invalid(name));
        }
        settings.insert(name.to_owned(), sent[name].clone());
        Ok(())
    };
    for name in SWITCHES {
        keep(name, sent[name].is_boolean())?;
    }
    for (name, values) in CHOICES {
        keep(name, sent[name].as_str().is_some_and(|value| values.contains(&value)))?;
    }
    for name in OBJECTS {
        keep(name, sent[name].is_object())?;
    }
    if let (Some(acls), Some(present)) = (sent["networkAcls"].as_object(), settings.get_mut("networkAcls")) {
        for (name, value) in acls {
            present[name] = value.clone();
        }
    }
    Ok(())
}

pub(super) fn invalid(name: &str) -> Answer {
    let text = format!("Values for request parameters are invalid: {name}.");
    Answer::error(400, "InvalidValuesForRequestParameters", &text)
}
