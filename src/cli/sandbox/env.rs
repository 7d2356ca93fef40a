//! `cmk sandbox env`: what a shell exports so that every program started from it meets the sandbox and nothing else.
//!
//! Two things must not happen: that a program reaches Azure itself, and that it shows the sandbox a real credential.

use super::super::context::Context;
use super::super::exit::{Exit, Trouble};
use super::arguments::Where;
use super::control::no_server;
use super::{folder, told};
use crate::azure::Cloud;
use crate::sandbox::serve::{self, Ready};
use std::fmt::Write;
use std::path::Path;

/// Credentials of other kinds, and ways past the proxy.
const UNSET: [&str; 16] = [
    "NO_PROXY",
    "no_proxy",
    "ALL_PROXY",
    "all_proxy",
    "SSL_CERT_DIR",
    "AZURE_AUTHORITY_HOST",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_USERNAME",
    "AZURE_PASSWORD",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "MSI_ENDPOINT",
    "MSI_SECRET",
    "ARM_CLIENT_CERTIFICATE_PATH",
];

/// Prints the exports of a running server.
pub(super) fn run(context: &mut Context, place: &Where) -> Result<Exit, Trouble> {
    let folder = folder(context, place);
    let ready = serve::ready(&folder).map_err(told)?;
    let ready = ready.ok_or_else(|| no_server(&folder.display().to_string()))?;
    let folder = ready.ca_file.parent().unwrap_or(&folder).to_owned();
    context.output.document(&exports(&ready, &folder))?;
    Ok(Exit::Good)
}

fn exports(ready: &Ready, folder: &Path) -> String {
    let ca = ready.ca_file.display().to_string();
    let proxy = &ready.proxy;
    let subscription = ready.subscriptions.first().map_or("", String::as_str);
    let mut out = String::new();
    for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
        export(&mut out, name, proxy);
    }
    for name in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
        export(&mut out, name, &ca);
    }
    for prefix in ["AZURE", "ARM"] {
        export(&mut out, &format!("{prefix}_TENANT_ID"), &ready.tenant_id);
        export(&mut out, &format!("{prefix}_CLIENT_ID"), &ready.client_id);
        export(&mut out, &format!("{prefix}_CLIENT_SECRET"), &ready.client_secret);
        export(&mut out, &format!("{prefix}_SUBSCRIPTION_ID"), subscription);
    }
    export(&mut out, "AZURE_CONFIG_DIR", &folder.join("azure").display().to_string());
    export(&mut out, "AZURE_CORE_COLLECT_TELEMETRY", "no");
    let _ = writeln!(out, "unset {}", UNSET.join(" "));
    if ready.login != Cloud::public().authority.as_str().trim_end_matches('/') {
        // A cloud that nobody has heard of: tools are not to ask the public one about it.
        export(&mut out, "AZURE_AUTHORITY_HOST", &ready.login);
        export(&mut out, "AZURE_CORE_INSTANCE_DISCOVERY", "false");
        export(&mut out, "ARM_METADATA_HOSTNAME", ready.arm.trim_start_matches("https://"));
    }
    out
}

fn export(out: &mut String, name: &str, value: &str) {
    let _ = writeln!(out, "export {name}={}", quoted(value));
}

/// A text as one word of a shell: in single quotes, unless every letter of it is harmless.
pub(super) fn quoted(text: &str) -> String {
    let is_harmless = |letter: char| letter.is_ascii_alphanumeric() || "/._-:,@%+=".contains(letter);
    if !text.is_empty() && text.chars().all(is_harmless) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_value_holds_a_shell_reads_it_as_one_word() {
        assert_eq!(quoted("/tmp/ca.pem"), "/tmp/ca.pem");
        assert_eq!(quoted("practice~makes"), "'practice~makes'");
        assert_eq!(quoted("it's $(rm)"), r"'it'\''s $(rm)'");
        assert_eq!(quoted(""), "''");
    }
}
