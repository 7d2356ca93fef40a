//! A vault's audit log: where it is to go, and the diagnostic settings that send it there.

use std::collections::BTreeSet;
use std::fmt;

/// The name of the one diagnostic setting that is made and changed here. All others are somebody else's.
pub const OUR_SETTING: &str = "cmk-audit";

/// How many diagnostic settings Azure allows a resource.
pub const SETTINGS_MAX: usize = 5;

/// A place that an audit log goes to. Ids are in lower case: Azure gives them back in any.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sink {
    /// A Log Analytics workspace, by its ARM id.
    LogAnalytics(String),
    /// A storage account, by its ARM id.
    StorageAccount(String),
    /// An event hub.
    EventHub {
        /// The ARM id of the authorization rule to write with.
        rule: String,
        /// The hub's name; of a setting of others that names none, nothing.
        hub: Option<String>,
    },
}

impl Sink {
    /// The subscription that it is in, as its id says.
    pub fn subscription(&self) -> Option<&str> {
        let (Self::LogAnalytics(id) | Self::StorageAccount(id) | Self::EventHub { rule: id, .. }) = self;
        let mut parts = id.trim_start_matches('/').split('/');
        parts.next().filter(|word| word.eq_ignore_ascii_case("subscriptions"))?;
        parts.next()
    }

    /// The kind of place, in the spec's word. A setting has at most one of each.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::LogAnalytics(_) => "logAnalytics",
            Self::StorageAccount(_) => "storageAccount",
            Self::EventHub { .. } => "eventHub",
        }
    }
}

impl fmt::Display for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LogAnalytics(id) | Self::StorageAccount(id) => f.write_str(id),
            Self::EventHub { rule, hub: Some(hub) } => write!(f, "{hub} by {rule}"),
            Self::EventHub { rule, hub: None } => f.write_str(rule),
        }
    }
}

/// A log that is sent: one category, or a group of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Log {
    /// A category: `AuditEvent`.
    Category(String),
    /// A group of categories: `audit`, `allLogs`.
    Group(String),
}

/// A diagnostic setting as it was seen: of logs and metrics, those that are on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenSetting {
    /// Its name.
    pub name: String,
    /// The logs that it sends.
    pub logs: BTreeSet<Log>,
    /// The metrics that it sends.
    pub metrics: BTreeSet<String>,
    /// Where it sends them.
    pub sinks: BTreeSet<Sink>,
    /// Where else it sends them: the id of a partner's resource.
    pub partner: Option<String>,
    /// How tables of a workspace are called, when that was chosen.
    pub tables: Option<String>,
}

impl SeenSetting {
    /// Whether it is the one that is made and changed here.
    pub fn is_ours(&self) -> bool {
        self.name.eq_ignore_ascii_case(OUR_SETTING)
    }

    /// Whether it sends the audit log.
    pub fn audits(&self) -> bool {
        self.logs.iter().any(|log| match log {
            Log::Category(name) => name.eq_ignore_ascii_case("AuditEvent"),
            Log::Group(name) => name.eq_ignore_ascii_case("audit") || name.eq_ignore_ascii_case("allLogs"),
        })
    }
}

/// The places that no setting sends the audit log to.
pub fn unserved<'a>(wanted: &'a BTreeSet<Sink>, settings: &[SeenSetting]) -> Vec<&'a Sink> {
    let served = |sink: &&Sink| settings.iter().any(|one| one.audits() && one.sinks.contains(*sink));
    wanted.iter().filter(|sink| !served(sink)).collect()
}
