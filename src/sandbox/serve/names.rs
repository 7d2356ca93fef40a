//! The host names that the sandbox answers for on the network: in certificates, and through the proxy.

/// Where a running sandbox can be looked at and its clock moved. It is no part of any Azure.
pub const CONTROL_HOST: &str = "control.sandbox.test";

/// Hosts that are served by their whole name.
const HOSTS: [&str; 10] = [
    "management.azure.com",
    "login.microsoftonline.com",
    "login.windows.net",
    "login.microsoft.com",
    "sts.windows.net",
    "graph.microsoft.com",
    "arm.sandbox.test",
    "login.sandbox.test",
    "graph.sandbox.test",
    CONTROL_HOST,
];

/// What vaults' names are put before.
const VAULTS: [&str; 2] = ["vault.azure.net", "vault.sandbox.test"];

/// What a certificate of the sandbox's authority may be about, at most.
const TREES: [&str; 8] = [
    "management.azure.com",
    "login.microsoftonline.com",
    "login.windows.net",
    "login.microsoft.com",
    "sts.windows.net",
    "graph.microsoft.com",
    "vault.azure.net",
    "sandbox.test",
];

/// Whether the sandbox answers for a host, given in lower case.
pub(super) fn is_served(host: &str) -> bool {
    HOSTS.contains(&host) || is_vault(host)
}

/// Whether a host is a vault's: one label before a suffix.
pub(super) fn is_vault(host: &str) -> bool {
    let label = |suffix: &str| host.strip_suffix(suffix).and_then(|rest| rest.strip_suffix('.'));
    VAULTS.iter().filter_map(|suffix| label(suffix)).any(|label| !label.is_empty() && !label.contains('.'))
}

/// The names in the server's certificate.
pub(super) fn certified() -> Vec<String> {
    let whole = HOSTS.iter().chain(&VAULTS).map(|host| (*host).to_owned());
    whole.chain(VAULTS.iter().map(|suffix| format!("*.{suffix}"))).collect()
}

/// The trees that the authority is confined to.
pub(super) fn trees() -> &'static [&'static str] {
    &TREES
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
            let name = name.trim_start_matches("*.");
            assert!(TREES.iter().any(|tree| name == *tree || name.ends_with(&format!(".{tree}"))), "{name}");
        }
    }
}
