//! The certificates of a running sandbox: an authority made for this one run, and the server's own.
//!
//! A user trusts the authority with a file, so it must be harmless in the wrong hands: it may only certify names
//! that the sandbox serves, for a week at most, and its key is forgotten as soon as it has signed once.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, NameConstraints,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::super::Millis;
use super::names;

const AN_HOUR: Duration = Duration::from_secs(3_600);
const A_WEEK: Duration = Duration::from_secs(7 * 86_400);

/// What a server needs to speak TLS, and what its clients need to believe it.
pub(super) struct Certificates {
    pub acceptor: TlsAcceptor,
    /// The authority's certificate, for clients to trust.
    pub authority_pem: String,
    /// The server's certificate, for people to look at.
    pub server_pem: String,
}

/// Makes both, valid from an hour ago, for clocks that differ, until seven days after that.
pub(super) fn make(now: Millis) -> Result<Certificates, Box<dyn std::error::Error + Send + Sync>> {
    let authority_key = KeyPair::generate()?;
    let authority = authority(now)?;
    let authority_pem = authority.self_signed(&authority_key)?.pem();
    let server_key = KeyPair::generate()?;
    let certificate = server(now)?.signed_by(&server_key, &Issuer::new(authority, authority_key))?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(server_key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Ok(Certificates { acceptor, authority_pem, server_pem: certificate.pem() })
}

fn authority(now: Millis) -> Result<CertificateParams, rcgen::Error> {
    let mut params = dated(CertificateParams::new(Vec::new())?, now);
    params.distinguished_name.push(DnType::CommonName, "cmk sandbox authority: trust it in tests only");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let permitted = names::trees().into_iter().map(|tree| GeneralSubtree::DnsName(tree.to_owned())).collect();
    params.name_constraints = Some(NameConstraints { permitted_subtrees: permitted, excluded_subtrees: Vec::new() });
    Ok(params)
}

fn server(now: Millis) -> Result<CertificateParams, rcgen::Error> {
    let mut params = dated(CertificateParams::new(names::certified())?, now);
    params.distinguished_name.push(DnType::CommonName, "cmk sandbox");
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn dated(mut params: CertificateParams, now: Millis) -> CertificateParams {
    let since_1970 = Duration::from_secs(u64::try_from(now.seconds()).unwrap_or_default());
    let begin = rcgen::date_time_ymd(1970, 1, 1) + since_1970.saturating_sub(AN_HOUR);
    params.not_before = begin;
    params.not_after = begin + A_WEEK;
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_is_confined_to_the_sandboxs_names_and_to_a_week() {
        let params = authority(Millis(1_767_225_600_000)).unwrap();
        assert_eq!(params.not_before + A_WEEK, params.not_after);
        assert_eq!(params.is_ca, IsCa::Ca(BasicConstraints::Constrained(0)));
        assert!(params.key_usages.contains(&KeyUsagePurpose::KeyCertSign));
        let permitted = params.name_constraints.unwrap().permitted_subtrees;
        assert!(permitted.contains(&GeneralSubtree::DnsName("vault.sandbox.test".to_owned())));
        assert_eq!(permitted.len(), names::trees().len());
    }

    #[test]
    fn what_is_written_of_the_certificates_holds_no_private_key() {
        let made = make(Millis(1_767_225_600_000)).unwrap();
        for pem in [made.authority_pem, made.server_pem] {
            assert!(pem.starts_with("-----BEGIN CERTIFICATE-----") && !pem.contains("PRIVATE"), "{pem}");
        }
    }
}
