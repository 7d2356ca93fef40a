//! Clouds: the hosts that are one Azure, and the only ones that its tokens may go to. Sends nothing.

use crate::model::VaultName;
use url::Url;

/// An Azure: its endpoints, and the audiences of the tokens that they take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cloud {
    /// Its name: `public` or `sandbox`.
    pub name: String,
    /// The endpoint of Azure Resource Manager.
    pub arm: Url,
    /// The audience of tokens for Azure Resource Manager, without a slash at its end.
    pub arm_audience: String,
    /// The endpoint of Entra ID, which gives the tokens.
    pub authority: Url,
    /// What follows a vault's name in its host: `vault.azure.net`.
    pub vault_suffix: String,
    /// The audience of tokens for vaults.
    pub vault_audience: String,
}

impl Cloud {
    /// Azure's public cloud.
    ///
    /// ```
    /// let cloud = cmk::azure::Cloud::public();
    /// assert!(cloud.is_vault_host("kv-prod.vault.azure.net"));
    /// assert!(!cloud.is_vault_host("kv-prod.vault.azure.net.example.com"));
    /// ```
    pub fn public() -> Self {
        Self::at("public", "management.azure.com", "login.microsoftonline.com", "vault.azure.net")
    }

    /// The cloud at hosts that are known: those of Resource Manager and of Entra ID, and what follows a vault's name.
    ///
    /// # Panics
    ///
    /// If a host is none. No host that somebody could choose comes here.
    pub fn at(name: &str, arm: &'static str, login: &'static str, vault_suffix: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            arm: fixed(&format!("https://{arm}/")),
            arm_audience: format!("https://{arm}"),
            authority: fixed(&format!("https://{login}/")),
            vault_suffix: vault_suffix.to_owned(),
            vault_audience: format!("https://{vault_suffix}"),
        }
    }

    /// The host of a vault's data plane: `kv-prod.vault.azure.net`.
    pub fn vault_host(&self, vault: &VaultName) -> String {
        format!("{}.{}", vault.as_str().to_ascii_lowercase(), self.vault_suffix)
    }

    /// Whether a host is a vault of this cloud: exactly one label in front of the suffix.
    pub fn is_vault_host(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let label = host.strip_suffix(&self.vault_suffix.to_ascii_lowercase()).and_then(|rest| rest.strip_suffix('.'));
        label.is_some_and(|label| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
    }

    /// Whether a URL leads to a vault of this cloud, at the port of HTTPS.
    pub fn is_vault(&self, url: &Url) -> bool {
        url.scheme() == "https" && url.port().is_none() && url.host_str().is_some_and(|host| self.is_vault_host(host))
    }

    /// Whether a URL leads to this cloud's Resource Manager: the same scheme, host and port.
    pub fn is_arm(&self, url: &Url) -> bool {
        same_origin(url, &self.arm)
    }

    /// Whether a URL leads to this cloud's Entra ID.
    pub fn is_authority(&self, url: &Url) -> bool {
        same_origin(url, &self.authority)
    }
}

fn fixed(text: &str) -> Url {
    Url::parse(text).expect("a fixed text that is a URL")
}

fn same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host_str() == other.host_str()
        && one.port_or_known_default() == other.port_or_known_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vault_is_one_label_in_front_of_the_suffix() {
        let cloud = Cloud::public();
        for right in ["kv.vault.azure.net", "KV-1.Vault.Azure.Net"] {
            assert!(cloud.is_vault_host(right), "{right}");
        }
        for wrong in [
            "vault.azure.net",
            ".vault.azure.net",
            "a.b.vault.azure.net",
            "kvvault.azure.net",
            "kv.vault.azure.net.evil.example",
            "evil.example/kv.vault.azure.net",
            "kv.vault.azure.net:8443",
            "a@kv.vault.azure.net",
        ] {
            assert!(!cloud.is_vault_host(wrong), "{wrong}");
        }
    }

    #[test]
    fn arm_is_one_host_and_the_default_port_may_be_written_out() {
        let cloud = Cloud::public();
        let url = |text: &str| Url::parse(text).unwrap();
        assert!(cloud.is_arm(&url("https://management.azure.com:443/subscriptions")));
        assert!(!cloud.is_arm(&url("https://management.azure.com:8443/subscriptions")));
        assert!(!cloud.is_arm(&url("http://management.azure.com/subscriptions")));
        assert!(!cloud.is_arm(&url("https://management.azure.com.evil.example/")));
    }
}
