//! Many at once, and much to list.

use super::{Served, answer};
use reqwest::StatusCode;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

const CROWD: usize = 200;
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn two_hundred_connections_are_served_at_once() {
    let served = Served::start(&[]);
    cmk::azure::transport::install_crypto();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(served.said("caFile")).unwrap()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let (listen, all) = (served.said("listen").to_owned(), Arc::new(Barrier::new(CROWD)));
    let one = async |connector: TlsConnector, listen: String, all: Arc<Barrier>| {
        let stream = TcpStream::connect(listen).await.unwrap();
        let name = ServerName::try_from("arm.sandbox.test").unwrap();
        let mut stream = connector.connect(name, stream).await.unwrap();
        // Nobody asks before everybody is in.
        all.wait().await;
        stream
            .write_all(b"GET /tenants HTTP/1.1\r\nhost: arm.sandbox.test\r\nconnection: close\r\n\r\n")
            .await
            .unwrap();
        stream.flush().await.unwrap();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).await.unwrap();
        assert!(said.starts_with(b"HTTP/1.1 401 "));
    };
    let everybody = (0..CROWD).map(|_| one(connector.clone(), listen.clone(), Arc::clone(&all)));
    tokio::time::timeout(PATIENCE, futures::future::join_all(everybody)).await.expect("in bounded time");
}

#[tokio::test]
async fn a_thousand_accounts_are_listed_page_by_page() {
    let folder = tempfile::tempdir().unwrap();
    let seed = folder.path().join("seed.yaml");
    let subscription = "11111111-1111-1111-1111-111111111111";
    let mut text = format!(
        "version: 1\npace: instant\ngroups:\n  - {{ subscription: {subscription}, name: rg, location: westeurope }}\naccounts:\n"
    );
    for number in 0..1_000 {
        let account = format!("name: stcrowd{number:04}, resourceGroup: rg, location: westeurope");
        writeln!(text, "  - {{ subscription: {subscription}, {account} }}").unwrap();
    }
    std::fs::write(&seed, text).unwrap();
    let served = Served::start_in(folder, &["--seed", seed.to_str().unwrap()]);
    let client = served.client();
    let token = served.token(&client).await;
    let base = format!("{}/subscriptions/{subscription}/providers/Microsoft.Storage", served.said("arm"));
    let mut next = Some(format!("{base}/storageAccounts?api-version=2025-06-01"));
    let mut names = std::collections::BTreeSet::new();
    while let Some(url) = next {
        let (status, page) = answer(client.get(url).bearer_auth(&token)).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        names.extend(page["value"].as_array().unwrap().iter().map(|account| account["name"].to_string()));
        next = page["nextLink"].as_str().map(str::to_owned);
    }
    assert_eq!(names.len(), 1_000);
}
