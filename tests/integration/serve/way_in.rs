//! Who is let in, and where to.

use super::{Served, answer, cmk, text};
use reqwest::StatusCode;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

#[tokio::test]
async fn both_versions_of_http_reach_the_cloud_through_the_proxy() {
    let served = Served::start(&[]);
    let client = served.client();
    let url = format!("{}/subscriptions?api-version=2022-12-01", served.said("arm"));
    let bare = client.get(&url).send().await.unwrap();
    assert_eq!((bare.status(), bare.version()), (StatusCode::UNAUTHORIZED, reqwest::Version::HTTP_2));
    let token = served.token(&client).await;
    let (status, body) = answer(client.get(&url).bearer_auth(token)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["value"][0]["subscriptionId"], served.ready["subscriptions"][0]);
}

fn through_the_proxy(served: &Served, request: &str) -> String {
    let address = served.said("proxy").strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    said
}

#[test]
fn the_proxy_leads_nowhere_else() {
    let served = Served::start(&[]);
    for request in [
        "CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\n\r\n",
        "CONNECT management.azure.com.example.com:443 HTTP/1.1\r\n\r\n",
        "CONNECT management.azure.com:22 HTTP/1.1\r\n\r\n",
        "GET http://management.azure.com/ HTTP/1.1\r\n\r\n",
        "GET http://169.254.169.254/metadata/identity HTTP/1.1\r\n\r\n",
    ] {
        let said = through_the_proxy(&served, request);
        assert!(said.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{request}: {said}");
        let (_, body) = said.split_once("\r\n\r\n").unwrap();
        assert_eq!(body.lines().count(), 1, "{said}");
    }
    // A vault that nobody made has no name in the DNS either.
    let vault = through_the_proxy(&served, "CONNECT kv-none.vault.azure.net:443 HTTP/1.1\r\n\r\n");
    assert!(vault.starts_with("HTTP/1.1 502 "), "{vault}");
}

#[test]
fn other_machines_are_not_listened_to() {
    let folder = tempfile::tempdir().unwrap();
    for option in ["--listen", "--proxy"] {
        let state = folder.path().join("state.json");
        let output = cmk().args(["sandbox", "serve", option, "0.0.0.0:0", "--state"]).arg(state).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output).contains("loopback only"), "{}", text(&output));
    }
}

#[cfg(unix)]
#[test]
fn what_is_told_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let served = Served::start(&[]);
    let folder = std::path::Path::new(served.said("caFile")).parent().unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder), 0o700);
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("PRIVATE KEY"), "{}", path.display());
    }
    let written: Value = serde_json::from_slice(&std::fs::read(folder.join("ready.json")).unwrap()).unwrap();
    assert_eq!(written["arm"], served.ready["arm"]);
    assert!(written["control"]["key"].is_string() && served.ready.get("control").is_none());
}

#[tokio::test]
async fn a_cloud_of_its_own_says_where_its_services_are() {
    let served = Served::start(&["--domain", "sandbox"]);
    assert_eq!(served.said("arm"), "https://arm.sandbox.test");
    let client = served.client();
    let document = async |version: &str| {
        answer(client.get(format!("https://arm.sandbox.test/metadata/endpoints?api-version={version}"))).await
    };
    let (status, current) = document("2022-09-01").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(current["name"], "CmkSandbox");
    assert_eq!(current["suffixes"]["keyVaultDns"], "vault.sandbox.test");
    assert_eq!(current["authentication"]["loginEndpoint"], "https://login.sandbox.test");
    let (_, list) = document("2019-05-01").await;
    assert_eq!(list[0], current);
    let (_, flat) = document("2015-01-01").await;
    assert_eq!(flat["authentication"]["loginEndpoint"], "https://login.sandbox.test/");
    let (status, _) = document("yesterday").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}
