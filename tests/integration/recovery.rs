//! A vault and a key that were deleted, brought back by the program itself, and a second plan without a step.

use super::practice::{Practice, desired, text};
use super::program::cmk;
use super::simulation::worlds::{pace, whole, world_since};
use cmk::sandbox::{Millis, Sandbox};
use std::time::SystemTime;

const UNDER: &str = "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\n";
const SPEC: &str = "
vaults: { kv1: { create: {}, recover: true, purgeProtection: true, keys: { main: { create: {}, recover: true } } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } } }
";

/// What the program says of a spec in a folder of its own, and how it ends.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new(deleted: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (there, _) = world_since(yesterday(), &format!("{UNDER}delete {deleted}"), pace());
        Sandbox::write(&folder.path().join("sandbox.json"), &there).expect("it can be written");
        std::fs::write(folder.path().join("spec.yaml"), whole(SPEC)).expect("it can be written");
        Self(folder)
    }

    fn says(&self, words: &[&str]) -> (i32, String) {
        let mut program = cmk();
        program.current_dir(self.0.path()).args(words).args([
            "spec.yaml",
            "--sandbox=sandbox.json",
            "--color",
            "never",
        ]);
        let output = program.output().expect("the program starts");
        let said = [output.stdout, output.stderr].concat();
        // Lines are broken where they end in a narrow terminal.
        let said = String::from_utf8(said).expect("UTF-8").split_whitespace().collect::<Vec<_>>().join(" ");
        (output.status.code().unwrap_or(-1), said)
    }
}

/// The program itself knows only the machine's clock, by which nothing may be purged yet.
#[expect(clippy::disallowed_methods, reason = "a world for a program that goes by the machine's clock")]
fn yesterday() -> Millis {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later").as_millis();
    Millis(i64::try_from(since_1970).expect("it is not that late") - 86_400_000)
}

fn comes_back(deleted: &str) {
    let desk = Desk::new(deleted);
    let kind = if deleted.contains('/') { "key" } else { "vault" };
    let (exit, said) = desk.says(&["plan", "--show-requests", "--detailed-exitcode"]);
    assert_eq!(exit, 2, "{said}");
    assert!(said.contains(&format!("recover {kind} {deleted}")), "{said}");
    assert!(said.contains("the same command goes on from what is seen then"), "{said}");
    assert!(
        said.contains(if kind == "key" { "/deletedkeys/main/recover" } else { "\"createMode\": \"recover\"" }),
        "{said}"
    );
    let ask = format!("CMK405:{kind}/{deleted}");
    let (exit, said) = desk.says(&["apply", "--yes"]);
    assert_eq!(exit, 3, "{said}");
    assert!(said.contains(&format!("--accept {ask}")) && said.contains("Nothing was sent"), "{said}");
    let (exit, said) = desk.says(&["apply", "--yes", "--accept", &ask]);
    assert_eq!(exit, 0, "{said}");
    let (exit, said) = desk.says(&["plan", "--detailed-exitcode"]);
    assert!(exit == 0 && said.contains("Nothing to do"), "{said}");
    let (exit, said) = desk.says(&["verify"]);
    assert_eq!(exit, 0, "{said}");
}

#[test]
fn a_vault_that_was_deleted_by_mistake_comes_back_and_nothing_is_left_to_do() {
    comes_back("kv1");
}

#[test]
fn a_key_that_was_deleted_by_mistake_comes_back_and_nothing_is_left_to_do() {
    comes_back("kv1/main");
}

#[test]
fn the_verb_restore_brings_a_deleted_key_back_though_the_spec_does_not_say_so() {
    let desk = Desk::new("kv1/main");
    std::fs::write(desk.0.path().join("spec.yaml"), whole(&SPEC.replace(", recover: true", "")))
        .expect("it is written");
    let (exit, said) = desk.says(&["apply", "--yes"]);
    assert!(exit == 3 && said.contains("recover: true"), "{said}");
    let restore = ["restore", "--key", "kv1/main", "--yes", "--accept", "CMK405:key/kv1/main"];
    let (exit, said) = desk.says(&restore[..4]);
    assert!(exit == 3 && said.contains("--accept CMK405:key/kv1/main"), "{said}");
    let (exit, said) = desk.says(&restore);
    assert_eq!(exit, 0, "{said}");
    let (exit, said) = desk.says(&["plan", "--detailed-exitcode"]);
    assert!(exit == 0 && said.contains("Nothing to do"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn what_is_there_costs_no_request_more_when_it_may_be_recovered() {
    let practice = Practice::new();
    let spec = text("recover.yaml");
    practice.converge(&desired(&spec)).await;
    let asked = practice.plan(&desired(&spec)).await.1.total();
    let plain = spec.replace("    recover: true\n", "").replace(", recover: true", "");
    assert!(!plain.contains("recover: true }"), "{plain}");
    assert_eq!(practice.plan(&desired(&plain)).await.1.total(), asked);
}
