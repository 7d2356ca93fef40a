//! The host names that the sandbox answers for on the network: in certificates, and through the proxy.

use super::super::hosts::{self, Domain};

/// Where a running sandbox can be looked at and its clock moved. It is no part of any Azure.
pub const CONTROL_HOST: &str = "control.sandbox.test";

const DOMAINS: [Domain; 2] = [Domain::Public, Domain::Sandbox];

/// Whether the sandbox answers for a host, given in lower case.
pub(super) fn is_served(host: &str) -> bool {
    host == CONTROL_HOST || hosts::service(host).is_some()
}

/// Whether a host is a vault's, so that it may have a name today and none tomorrow.
pub(super) fn is_vault(host: &str) -> bool {
    hosts::vault_name(host).is_some()
}

/// Hosts that are served by their whole name.
fn whole() -> impl Iterator<Item = &'static str> {
    let services = DOMAINS.into_iter().flat_map(|domain| [domain.arm(), domain.login(), domain.graph()]);
    let mut whole: Vec<&str> = services.chain(hosts::PUBLIC_LOGINS).chain([CONTROL_HOST]).collect();
    whole.sort_unstable();
    whole.dedup();
    whole.into_iter()
}

/// The names in the server's certificate.
pub(super) fn certified() -> Vec<String> {
    let vaults = DOMAINS.map(|domain| format!("*.{}", domain.vault_suffix()));
    whole().map(str::to_owned).chain(vaults).collect()
}

/// What a certificate of the sandbox's authority may be about, at most: these names and what is below them.
pub(super) fn trees() -> Vec<&'static str> {
    whole().chain(DOMAINS.map(Domain::vault_suffix)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_azures_names_and_the_sandboxs_own_are_served() {
        for served in ["management.azure.com", "kv-1.vault.azure.net", "kv.vault.sandbox.test", CONTROL_HOST] {
            assert!(is_served(served), "{served}");
        }
        for foreign in ["example.com", "a.b.vault.azure.net", ".vault.azure.net", "management.azure.com.example.com"] {
            assert!(!is_served(foreign), "{foreign}");
        }
    }

    #[test]
    fn the_authority_may_certify_what_is_served_and_no_more_than_that() {
        for name in certified() {
            assert!(is_served(&name.replace('*', "kv")), "{name}");
            let name = name.trim_start_matches("*.");
            assert!(trees().contains(&name), "{name}");
        }
    }
}
