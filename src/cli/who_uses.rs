//! `cmk who-uses`: looks through subscriptions for the users of a key; sends no write.

use super::arguments::Format;
use super::context::{Context, block_on};
use super::exit::{Exit, Trouble};
use super::interrupt::{self, stopped};
use super::session::{traffic, trouble};
use crate::model::{KeyName, KeyRef, SubscriptionId, VaultName, Version};
use crate::observe;
use crate::report::users::{self, Question};
use std::str::FromStr;

/// A key, and perhaps a version of it: `kv-prod/main`, `kv-prod/main/0123…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyArgument {
    vault: VaultName,
    key: KeyName,
    version: Option<Version>,
}

impl KeyArgument {
    /// The key, whatever the version.
    pub(super) fn reference(&self) -> KeyRef {
        KeyRef { vault: self.vault.clone(), name: self.key.clone() }
    }

    /// The version, if one is named.
    pub(super) fn version(&self) -> Option<&Version> {
        self.version.as_ref()
    }
}

impl FromStr for KeyArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split('/');
        let (Some(vault), Some(key), version, None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err("a vault's and a key's name with a slash between them, and perhaps a version".to_owned());
        };
        Ok(Self {
            vault: VaultName::parse(vault).map_err(|error| format!("the vault's name {error}"))?,
            key: KeyName::parse(key).map_err(|error| format!("the key's name {error}"))?,
            version: version.map(Version::parse).transpose().map_err(|error| format!("the version {error}"))?,
        })
    }
}

/// Prints who uses a key. Exits with 1 when not everything could be seen: an empty list must not pass for "nobody".
pub(super) fn run(
    context: &mut Context,
    key: &KeyArgument,
    subscriptions: &[SubscriptionId],
    format: Format,
) -> Result<Exit, Trouble> {
    let azure = context.azure()?;
    let host = azure.cloud().vault_host(&key.vault);
    let stderr = context.output.stderr.clone();
    let found = block_on(async {
        let stop = interrupt::listen(stderr.clone(), None);
        tokio::select! {
            found = observe::users(&azure, &host, key.key.as_str(), subscriptions) => found.map_err(|failure| trouble(&failure)),
            () = stopped(stop) => Err(Trouble::new("interrupted while looking, which changes nothing")),
        }
    })??;
    let name = format!("{}/{}", key.vault, key.key);
    let question = Question {
        key: &name,
        version: key.version.as_ref(),
        subscriptions: subscriptions.iter().map(ToString::to_string).collect(),
    };
    let text = match format {
        Format::Human => users::human(&found, &question, context.output.stdout_styled),
        Format::Json => users::json(&found, &question, &traffic(azure.stats(), vec![]), context.scene()),
    };
    context.output.document(&text)?;
    Ok(if found.unseen.is_empty() { Exit::Good } else { Exit::Error })
}
