//! Keys of one's own, by the program from outside: what it reads, what it refuses, and that nothing of a key is ever shown.

use crate::practice::{Practice, example, text};
use crate::program::cmk;
use cmk::prove::{BEGINNING, Hand};
use cmk::sandbox::{Pace, SUBSCRIPTIONS, Sandbox, World};
use std::path::{Path, PathBuf};
use std::process::Output;

const THUMBPRINT: &str = "MOFWr57oMpI2nHaYGzmjtULVmBKjqwys1H1bzLJgBaY";
const YES: [&str; 3] = ["--yes", "--accept", "CMK404:key/kv-own/payroll"];

fn keys() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys")
}

fn spec() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/own-key.yaml")
}

/// A sandbox in which whoever runs cmk may import keys.
fn sandbox(folder: &Path) -> String {
    let mut world = World::new(Pace { grant_propagation: 0, ..Pace::azure() });
    let mut hand = Hand { world: &mut world, now: BEGINNING };
    assert_eq!(hand.let_in(&format!("/subscriptions/{}", SUBSCRIPTIONS[0])), 201);
    let path = folder.join("state.json");
    Sandbox::write(&path, &world).expect("the sandbox is written");
    format!("--sandbox={}", path.display())
}

fn all(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The private members of the test key, each as it would stand in a request.
fn private() -> Vec<String> {
    let text = std::fs::read_to_string(keys().join("test-key.jwk.json")).expect("the key is there");
    let jwk: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    ["d", "p", "q", "dp", "dq", "qi"].iter().map(|name| jwk[name].as_str().expect("a member").to_owned()).collect()
}

#[test]
fn a_key_of_one_s_own_is_applied_once_and_nothing_of_it_is_shown_or_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let sandbox = sandbox(folder.path());
    let (receipt, saved) = (folder.path().join("receipt.json"), folder.path().join("plan.json"));
    let mut told = String::new();
    let plan = cmk().args(["plan", &sandbox, "--show-requests", "--save"]).arg(&saved).arg(spec()).output().unwrap();
    assert_eq!(plan.status.code(), Some(0), "{}", all(&plan));
    assert!(all(&plan).contains(&format!("{{key material with the thumbprint {THUMBPRINT}}}")), "{}", all(&plan));
    told.push_str(&all(&plan));

    let mut apply = cmk();
    apply.args(["apply", &sandbox, "--log", "trace", "--receipt"]).arg(&receipt).args(YES).arg("--key-dir").arg(keys());
    let first = apply.arg(spec()).output().unwrap();
    assert_eq!(first.status.code(), Some(0), "{}", all(&first));
    told.push_str(&all(&first));
    told.push_str(&std::fs::read_to_string(apply.record()).expect("the exchanges are recorded"));

    // Without the folder: what is there needs no material.
    let second = cmk().args(["apply", &sandbox, "--yes", "--format", "json"]).arg(spec()).output().unwrap();
    assert_eq!(second.status.code(), Some(0), "{}", all(&second));
    assert!(all(&second).contains("\"sent\": 0"), "{}", all(&second));

    let verify = cmk().args(["verify", &sandbox]).arg(spec()).output().unwrap();
    assert_eq!(verify.status.code(), Some(0), "{}", all(&verify));
    let told_by = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let holds = format!("key kv-own/payroll is the one with the thumbprint {THUMBPRINT}");
    assert!(told_by(&std::fs::read_to_string(&receipt).expect("a receipt")).contains(&holds));

    for file in [&receipt, &saved, &folder.path().join("state.json")] {
        told.push_str(&std::fs::read_to_string(file).expect("it was written"));
    }
    for member in private() {
        assert!(!told.contains(&member), "a private member of the key was shown or kept");
    }
    assert!(told.contains(THUMBPRINT));
}

#[test]
fn without_its_material_nothing_is_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let sandbox = sandbox(folder.path());
    let other = folder.path().join("keys");
    std::fs::create_dir(&other).expect("a folder");
    let refused = |key_dir: Option<&Path>, why: &str| {
        let mut command = cmk();
        command.args(["apply", &sandbox]).args(YES).arg(spec());
        if let Some(folder) = key_dir {
            command.arg("--key-dir").arg(folder);
        }
        let output = command.output().unwrap();
        let told = all(&output).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(output.status.code(), Some(3), "{told}");
        assert!(told.contains("refused[CMK271]") && told.contains(why), "{why}: {told}");
        let record = std::fs::read_to_string(command.record()).unwrap_or_default();
        assert!(
            !record.contains("\"method\":\"PUT\"") && !record.contains("\"method\":\"PATCH\""),
            "something was sent"
        );
    };
    refused(None, "`--key-dir` does not say in which folder");
    refused(Some(&other), "No such file");
    std::fs::copy(keys().join("test-ec.pem"), other.join("test-key.pem")).expect("a file");
    refused(Some(&other), "it is no RSA key");
    std::fs::remove_file(other.join("test-key.pem")).expect("a file");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(keys().join("test-key.pem"), other.join("test-key.pem")).expect("a link");
        refused(Some(&other), "it is a link");
    }
}

#[test]
fn a_key_comes_from_the_environment_too_and_an_encrypted_one_with_its_passphrase() {
    let folder = tempfile::tempdir().expect("a folder");
    let sandbox = sandbox(folder.path());
    let from = "env: OWN_KEY\n          passphrase: { env: OWN_PASSPHRASE }";
    let spec = folder.path().join("spec.yaml");
    std::fs::write(&spec, text("own-key.yaml").replace("file: test-key.pem", from)).expect("a spec");
    let pem = std::fs::read_to_string(keys().join("test-key-encrypted.pem")).expect("the key is there");
    let apply = |passphrase: &str| {
        let mut command = cmk();
        command.args(["apply", &sandbox]).args(YES).arg(&spec);
        command.env("OWN_KEY", &pem).env("OWN_PASSPHRASE", passphrase).output().unwrap()
    };
    let wrong = apply("hunter2");
    assert_eq!(wrong.status.code(), Some(3), "{}", all(&wrong));
    assert!(!all(&wrong).contains("hunter2"));
    let right = apply("test");
    assert_eq!(right.status.code(), Some(0), "{}", all(&right));
}

#[test]
fn the_thumbprint_of_a_key_is_printed_and_nothing_else_of_it() {
    for name in ["test-key.pem", "test-key-pkcs1.pem", "test-key.jwk.json"] {
        let output = cmk().arg("thumbprint").arg(keys().join(name)).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{THUMBPRINT}\n"), "{name}");
    }
    let encrypted = keys().join("test-key-encrypted.pem");
    let mut command = cmk();
    command.env("PASS", "test").args(["thumbprint", "--passphrase-env", "PASS"]).arg(&encrypted);
    assert_eq!(String::from_utf8_lossy(&command.output().unwrap().stdout), format!("{THUMBPRINT}\n"));
    let output = cmk().arg("thumbprint").arg(keys().join("test-ec.pem")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_key_of_one_s_own_is_imported_and_the_account_reads_through_it() {
    let practice = Practice::new();
    let wanted = example("own-key.yaml");
    practice.let_importer_in(&wanted).await;
    let applied = practice.converge(&wanted).await;
    let imports = applied.plan.steps.iter().filter(|step| step.action.name() == "importKey").count();
    assert_eq!(imports, 1);
    let now = practice.sandbox.now();
    let truth = practice.sandbox.world(|world| world.truth(now, "stown"));
    assert!(truth.readable, "{}", truth.why);
}

#[test]
fn a_key_of_one_s_own_is_not_rotated_by_cmk() {
    let folder = tempfile::tempdir().expect("a folder");
    let sandbox = sandbox(folder.path());
    let rotate = ["rotate", &sandbox, "--key", "kv-own/payroll", "--since", "2026-01-01T00:00:00Z"];
    let output = cmk().args(rotate).arg(spec()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", all(&output));
    assert!(all(&output).contains("a key of your own"), "{}", all(&output));
}
