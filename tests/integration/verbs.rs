//! `cmk rotate`, `disable`, `revoke` and `restore`, by the program itself.

use super::program::cmk;
use super::simulation::worlds::{pace, whole, world};
use cmk::sandbox::Sandbox;
use std::path::PathBuf;

/// One account, pinned to the newest version of its key, in a folder of its own.
struct Desk {
    folder: tempfile::TempDir,
}

/// What the program said, and how it ended.
struct Said {
    exit: i32,
    out: String,
    err: String,
}

impl Said {
    fn all(&self) -> String {
        // Lines are broken where they end in a narrow terminal.
        format!("{}\n{}", self.out, self.err).split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

const WORLD: &str = "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main";

impl Desk {
    fn new(spec: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (there, _) = world(WORLD, pace());
        Sandbox::write(&folder.path().join("sandbox.json"), &there).expect("it can be written");
        let desk = Self { folder };
        desk.write(spec);
        desk
    }

    fn write(&self, spec: &str) {
        std::fs::write(self.path("spec.yaml"), whole(spec)).expect("it can be written");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn says(&self, verb: &str, words: &[&str]) -> Said {
        let mut program = cmk();
        program.current_dir(self.folder.path()).arg(verb).args([
            "spec.yaml",
            "--sandbox=sandbox.json",
            "--color",
            "never",
        ]);
        let output = program.args(words).output().expect("the program starts");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
        Said { exit: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// What `cmk status` says of the account.
    fn status(&self) -> String {
        self.says("status", &[]).all()
    }
}

const SPEC: &str = "
vaults: { kv1: { keys: { main: {} } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } } }
";

#[test]
fn a_key_is_closed_and_opened_again() {
    let desk = Desk::new(SPEC);
    let asked = desk.says("disable", &["--key", "kv1/main", "--yes"]);
    assert_eq!(asked.exit, 3, "{}", asked.all());
    assert!(asked.err.contains("--accept CMK406:account/st1") && asked.err.contains("--accept CMK406:key/kv1/main"));
    assert!(asked.all().contains("Writes: 0 sent"), "{}", asked.all());

    let closed = desk.says(
        "disable",
        &["--key", "kv1/main", "--yes", "--accept", "CMK406:account/st1", "--accept", "CMK406:key/kv1/main"],
    );
    assert_eq!(closed.exit, 0, "{}", closed.all());
    assert!(closed.all().contains("vaults: { kv1: { keys: { main: { enabled: false } } } }"), "{}", closed.all());

    // What is closed stays closed: an ordinary apply stops, and says so.
    let ordinary = desk.says("apply", &["--yes"]);
    assert_eq!(ordinary.exit, 3, "{}", ordinary.all());
    // With the line in the spec there is nothing to do.
    desk.write(&SPEC.replace("main: {}", "main: { enabled: false }"));
    let lasting = desk.says("apply", &["--yes"]);
    assert_eq!(lasting.exit, 0, "{}", lasting.all());
    assert!(lasting.all().contains("Writes: 0 sent"), "{}", lasting.all());

    let asked = desk.says("restore", &["--key", "kv1/main", "--yes"]);
    assert_eq!(asked.exit, 3, "{}", asked.all());
    let opened = desk.says("restore", &["--key", "kv1/main", "--yes", "--accept", "CMK405:key/kv1/main"]);
    assert_eq!(opened.exit, 0, "{}", opened.all());
    desk.write(SPEC);
    let after = desk.says("apply", &["--yes"]);
    assert_eq!((after.exit, after.all().contains("Writes: 0 sent")), (0, true), "{}", after.all());
}

#[test]
fn a_rotation_is_repeated_without_a_second_version() {
    let desk = Desk::new(SPEC);
    let nobody = desk.says("rotate", &["--key", "kv1/main", "--yes"]);
    assert_eq!(nobody.exit, 1, "{}", nobody.all());
    assert!(nobody.err.contains("--since"), "{}", nobody.all());

    let since = ["--key", "kv1/main", "--yes", "--since", "2026-06-01T00:00:00Z"];
    let rotated = desk.says("rotate", &since);
    assert_eq!(rotated.exit, 0, "{}", rotated.all());
    assert!(rotated.all().contains("make a new version of key kv1/main"), "{}", rotated.all());
    assert!(rotated.all().contains("encrypt account st1 with kv1/main"), "{}", rotated.all());
    let again = desk.says("rotate", &since);
    assert_eq!((again.exit, again.all().contains("Writes: 0 sent")), (0, true), "{}", again.all());

    let to_come = desk.says("rotate", &["--key", "kv1/main", "--yes", "--since", "2999-01-01T00:00:00Z"]);
    assert!(to_come.all().contains("yet to come by Azure's clock"), "{}", to_come.all());
    let unknown = desk.says("rotate", &["--key", "kv1/other", "--yes", "--since", "2026-06-01T00:00:00Z"]);
    assert_eq!(unknown.exit, 1, "{}", unknown.all());
    assert!(unknown.err.contains("the spec has no key kv1/other; no request was sent"), "{}", unknown.all());
}

#[test]
fn access_is_revoked_and_given_back() {
    let desk = Desk::new(SPEC);
    let asked = desk.says("revoke", &["--account", "st1", "--yes"]);
    assert_eq!(asked.exit, 3, "{}", asked.all());
    let revoked = desk.says("revoke", &["--account", "st1", "--yes", "--accept", "CMK406:account/st1"]);
    assert_eq!(revoked.exit, 0, "{}", revoked.all());
    assert!(revoked.all().contains("accounts: { st1: { access: revoked } }"), "{}", revoked.all());
    assert!(revoked.all().contains("403"), "it says what answers 403: {}", revoked.all());
    let ordinary = desk.says("apply", &["--yes"]);
    assert_eq!(ordinary.exit, 3, "what is closed stays closed: {}", ordinary.all());

    let restored = desk.says("restore", &["--account", "st1", "--yes", "--accept", "CMK405:account/st1"]);
    assert_eq!(restored.exit, 0, "{}", restored.all());
    assert!(desk.status().contains("st1"), "{}", desk.status());
    let after = desk.says("apply", &["--yes"]);
    assert_eq!((after.exit, after.all().contains("Writes: 0 sent")), (0, true), "{}", after.all());
}

#[test]
fn a_saved_plan_is_nothing_for_a_verb() {
    let desk = Desk::new(SPEC);
    let saved = desk.says("plan", &["--save", "plan.cmk"]);
    assert_eq!(saved.exit, 0, "{}", saved.all());
    let mut program = cmk();
    program.current_dir(desk.folder.path()).args(["revoke", "plan.cmk", "--account", "st1", "--sandbox=sandbox.json"]);
    let output = program.output().expect("the program starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("a verb edits a spec"));
}
