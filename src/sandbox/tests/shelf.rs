//! The file that a sandbox lives in, and the transport.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use azure_core::http::{HttpClient, Method, Request};

use super::*;
use crate::sandbox::{Abort, CLIENT_SECRET, Clock, Local, OpenError, Sandbox};

fn clock() -> Clock {
    Arc::new(|| START)
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("practice/sandbox.json");
    (directory, path)
}

fn open(path: &Path) -> Result<Sandbox, OpenError> {
    Sandbox::open(path, clock(), None)
}

fn ask(method: &str, path: &str, body: &Value) -> http::Request<Vec<u8>> {
    let token = token(&owner(), ARM_HOST, START, START.plus(60_000));
    request(method, &format!("https://{ARM_HOST}{path}?api-version=2021-04-01"), Some(&token), body)
}

fn put_group(sandbox: &Sandbox, name: &str) -> u16 {
    sandbox.exchange(&ask("PUT", &group(name), &json!({"location": "westeurope"}))).unwrap().status().as_u16()
}

fn get_group(sandbox: &Sandbox, name: &str) -> u16 {
    sandbox.exchange(&ask("GET", &group(name), &Value::Null)).unwrap().status().as_u16()
}

#[test]
fn what_was_made_is_there_after_opening_again() {
    let (_directory, path) = place();
    let first = open(&path).unwrap();
    assert_eq!(put_group(&first, "rg"), 201);
    drop(first);
    let second = open(&path).unwrap();
    assert_eq!(get_group(&second, "rg"), 200);
    assert_eq!(second.world(|world| world.counts().effects), 1);
}

#[test]
fn looking_writes_nothing() {
    let (_directory, path) = place();
    let sandbox = open(&path).unwrap();
    assert_eq!(get_group(&sandbox, "rg"), 404);
    assert!(!path.exists());
}

#[test]
fn a_second_opener_is_told_which_file_is_in_use() {
    let (_directory, path) = place();
    let first = open(&path).unwrap();
    let copy = first.clone();
    drop(first);
    let refused = open(&path).unwrap_err();
    assert!(matches!(refused, OpenError::InUse(_)));
    assert!(refused.to_string().contains("sandbox.json"), "{refused}");
    assert!(matches!(Sandbox::reset(&path), Err(OpenError::InUse(_))));
    drop(copy);
    open(&path).unwrap();
}

#[test]
fn a_file_that_is_no_sandbox_is_refused_and_left_as_it_is() {
    let (_directory, path) = place();
    put_group(&open(&path).unwrap(), "rg");
    let whole = std::fs::read_to_string(&path).unwrap();
    let half = &whole[..whole.len() / 2];
    let wrong = [
        "",
        "nonsense",
        "[]",
        half,
        "{\"format\":\"other\"}",
        "{\"format\":\"cmk-sandbox\",\"version\":3,\"world\":{}}",
        "{\"format\":\"cmk-sandbox\",\"version\":2,\"world\":{}}",
        "{\"format\":\"cmk-sandbox\",\"version\":1,\"world\":{}}",
        "{\"format\":\"cmk-sandbox\",\"version\":1,\"world\":{\"pace\":1,\"state\":{\"vaults\":{\"a\":2}}}}",
    ];
    for text in wrong {
        std::fs::write(&path, text).unwrap();
        let refused = open(&path).unwrap_err();
        assert!(refused.to_string().contains("cmk sandbox reset"), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn a_file_of_a_newer_cmk_is_refused() {
    let (_directory, path) = place();
    put_group(&open(&path).unwrap(), "rg");
    let newer = std::fs::read_to_string(&path).unwrap().replace("\"version\":3", "\"version\":4");
    std::fs::write(&path, newer).unwrap();
    assert!(matches!(open(&path).unwrap_err(), OpenError::Newer { version: 4, .. }));
}

#[test]
fn reset_removes_a_sandbox_whatever_it_holds() {
    let (_directory, path) = place();
    assert!(!Sandbox::reset(&path).unwrap());
    drop(open(&path).unwrap());
    std::fs::write(&path, "nonsense").unwrap();
    assert!(Sandbox::reset(&path).unwrap());
    assert!(!path.exists());
    open(&path).unwrap();
}

#[cfg(unix)]
#[test]
fn the_file_is_private_and_never_a_link() {
    use std::os::unix::fs::PermissionsExt;
    let (directory, path) = place();
    put_group(&open(&path).unwrap(), "rg");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let link = directory.path().join("link.json");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(matches!(open(&link).unwrap_err(), OpenError::Link(_)));
    assert!(matches!(Sandbox::reset(&link).unwrap_err(), OpenError::Link(_)));
}

#[test]
fn an_effect_that_cannot_be_written_is_not_had() {
    let (directory, path) = place();
    let sandbox = open(&path).unwrap();
    std::fs::remove_dir_all(directory.path()).unwrap();
    let put = ask("PUT", &group("rg"), &json!({"location": "westeurope"}));
    let refused = sandbox.exchange(&put).unwrap_err();
    assert!(refused.to_string().contains("forgot the request"), "{refused}");
    assert_eq!(get_group(&sandbox, "rg"), 404);
}

#[test]
fn neither_tokens_nor_secrets_are_written_down() {
    let (_directory, path) = place();
    let sandbox = open(&path).unwrap();
    let form = format!("client_id=x&client_secret={CLIENT_SECRET}&grant_type=client_credentials");
    let login = http::Request::post(format!("https://login.sandbox.test/{TENANT}/oauth2/v2.0/token"));
    sandbox.exchange(&login.body(form.into_bytes()).unwrap()).unwrap();
    put_group(&sandbox, "rg");
    let text = std::fs::read_to_string(&path).unwrap();
    let token = token(&owner(), ARM_HOST, START, START.plus(60_000));
    assert!(!text.contains(CLIENT_SECRET) && !text.contains(&token) && !text.to_lowercase().contains("bearer"));
}

#[test]
fn when_to_die_is_read_from_text() {
    assert_eq!("before:3".parse(), Ok(Abort::Before(3)));
    assert_eq!("after:1".parse(), Ok(Abort::After(1)));
    for wrong in ["", "before", "after:0", "after:-1", "during:2", "before:two"] {
        assert!(wrong.parse::<Abort>().is_err(), "{wrong}");
    }
}

/// Run by [`a_process_dies_right_before_or_right_after_an_effect`] in a process of its own.
#[test]
#[ignore = "it kills its process"]
fn dies_at_the_second_effect() {
    // The last argument is the path, as the other test has put it there.
    let Some(path) = std::env::args().next_back().filter(|path| path.contains(".json")) else { return };
    let abort = if path.contains("before") { Abort::Before(2) } else { Abort::After(2) };
    let sandbox = Sandbox::open(&PathBuf::from(path), clock(), Some(abort)).unwrap();
    put_group(&sandbox, "one");
    put_group(&sandbox, "two");
}

#[test]
fn a_process_dies_right_before_or_right_after_an_effect() {
    let directory = tempfile::tempdir().unwrap();
    for (name, second) in [("before.json", 404), ("after.json", 200)] {
        let path = directory.path().join(name);
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args([
            "--ignored",
            "--exact",
            "sandbox::tests::shelf::dies_at_the_second_effect",
            "--nocapture",
            "--skip",
        ]);
        let output = child.arg(&path).output().unwrap();
        assert!(!output.status.success());
        let sandbox = open(&path).unwrap();
        assert_eq!(get_group(&sandbox, "one"), 200);
        assert_eq!(get_group(&sandbox, "two"), second, "{name}");
    }
}

#[tokio::test]
async fn an_azure_client_reaches_the_sandbox_through_its_transport() {
    let sandbox = Sandbox::in_memory(Stage::new(Pace::instant()).world, clock());
    let local = Local(sandbox);
    let url = format!("https://{ARM_HOST}{}?api-version=2021-04-01", group("rg"));
    let mut request = Request::new(url.parse().unwrap(), Method::Get);
    request.insert_header("authorization", format!("Bearer {}", token(&owner(), ARM_HOST, START, START.plus(60_000))));
    let response = local.execute_request(&request).await.unwrap();
    assert_eq!(u16::from(response.status()), 200);
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["name"], "rg");
    let absent = Request::new(format!("https://none.{VAULT_SUFFIX}/keys").parse().unwrap(), Method::Get);
    let error = local.execute_request(&absent).await.unwrap_err();
    assert!(matches!(error.kind(), azure_core::error::ErrorKind::Connection), "{error:?}");
}
