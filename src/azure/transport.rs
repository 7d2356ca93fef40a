//! The transport to the real network: TLS by rustls and ring, no redirects, errors that no retry can mend told apart.

use super::failure::{Failure, Kind, chain};
use azure_core::error::ErrorKind;
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Makes ring the process's cryptography. Harmless when called again; `reqwest` panics without one.
pub fn install_crypto() {
    // An error means that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A transport over HTTPS with the platform's certificates. Fails when the machine has none.
///
/// `HTTPS_PROXY`, `NO_PROXY` and `SSL_CERT_FILE` count, as with every client on rustls.
pub fn https() -> Result<Arc<dyn HttpClient>, Failure> {
    install_crypto();
    let client = reqwest::Client::builder()
        .https_only(true)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .build()
        .map_err(|error| {
            let help =
                "install the system's CA certificates (package `ca-certificates`), or name a file in SSL_CERT_FILE";
            Failure::new(Kind::Tls, format!("{}; {help}", chain(&error)))
        })?;
    Ok(Arc::new(Https(client)))
}

#[derive(Debug)]
struct Https(reqwest::Client);

#[async_trait::async_trait]
impl HttpClient for Https {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let response = self.0.execute_request(request).await.map_err(classified)?;
        // Read to the end here, so that a body that breaks off is a lost answer to the retry policy too.
        let (status, headers, body) = response.deconstruct();
        let bytes = body.collect().await.map_err(|error| azure_core::Error::new(ErrorKind::Io, error))?;
        Ok(AsyncRawResponse::from_bytes(status, headers, bytes))
    }
}

/// Marks the errors before sending that trying again cannot mend.
fn classified(error: azure_core::Error) -> azure_core::Error {
    if *error.kind() != ErrorKind::Connection {
        return error;
    }
    let said = chain(&error);
    let Some(kind) = permanent(&error, &said) else { return error };
    azure_core::Error::with_error(ErrorKind::Connection, Failure::new(kind, said), "the connection failed for good")
}

fn permanent(error: &azure_core::Error, said: &str) -> Option<Kind> {
    if has_tls_error(error) {
        return Some(Kind::Tls);
    }
    // The resolver's error has no type of its own. "Temporary failure" is what it says; all else is final.
    let lower = said.to_ascii_lowercase();
    (lower.contains("dns error") && !lower.contains("temporary failure") && !lower.contains("try again"))
        .then_some(Kind::Dns)
}

fn has_tls_error(error: &azure_core::Error) -> bool {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if error.is::<rustls::Error>() {
            return true;
        }
        // An io::Error shows the causes of what it holds, not what it holds.
        next = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(cause: impl Into<Box<dyn Error + Send + Sync>>) -> azure_core::Error {
        azure_core::Error::with_error(ErrorKind::Connection, cause, "failed to execute `reqwest` request")
    }

    fn kind(error: azure_core::Error) -> Option<Kind> {
        super::super::failure::inside(&classified(error)).map(|failure| failure.kind)
    }

    #[test]
    fn an_untrusted_certificate_is_permanent() {
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        assert_eq!(kind(connection(std::io::Error::other(tls))), Some(Kind::Tls));
    }

    #[test]
    fn an_unknown_name_is_permanent_and_a_busy_resolver_is_not() {
        assert_eq!(kind(connection("dns error: Name or service not known")), Some(Kind::Dns));
        assert_eq!(kind(connection("dns error: Temporary failure in name resolution")), None);
    }

    #[test]
    fn a_refused_connection_is_worth_another_try() {
        assert_eq!(kind(connection(std::io::Error::from(std::io::ErrorKind::ConnectionRefused))), None);
    }
}
