//! Files laid out as traps, for the real program: nothing is overwritten through them, nothing hangs, nothing is shown
//! to others.
#![cfg(unix)]

use crate::program;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const QUICKSTART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/specs/quickstart.yaml");

/// Runs the program with a bare environment, and fails when it is not over in time.
fn cmk(arguments: &[&str]) -> Output {
    let mut command = program::cmk();
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    for _ in 0..3000 {
        if child.try_wait().expect("it can be waited for").is_some() {
            return child.wait_with_output().expect("its output can be read");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().expect("it can be killed");
    panic!("cmk {arguments:?} hangs");
}

fn apply(state: &Path) -> Output {
    cmk(&["apply", QUICKSTART, "--yes", &format!("--sandbox={}", state.display())])
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo is there").success());
}

fn state(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("state.json")
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", path.display()))
}

#[test]
fn a_spec_that_is_no_file_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    pipe(&fifo);
    let link = folder.path().join("link");
    symlink(&fifo, &link).unwrap();
    let socket = folder.path().join("socket");
    let _held = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for path in [fifo, link, socket, "/dev/zero".into(), "/dev/null".into(), folder.path().to_owned()] {
        let output = cmk(&["validate", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1), "{}", path.display());
        assert!(said(&output).contains("not a spec file"), "{}: {}", path.display(), said(&output));
    }
}

#[test]
fn a_spec_may_be_a_link_to_a_file_and_may_come_through_a_shells_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("link.yaml");
    symlink(QUICKSTART, &link).unwrap();
    assert_eq!(cmk(&["validate", link.to_str().unwrap()]).status.code(), Some(0));
    let script = format!("{} validate <(sleep 0.2; cat {QUICKSTART})", env!("CARGO_BIN_EXE_cmk"));
    let Ok(output) = Command::new("bash").args(["-c", &script]).output() else { return };
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn the_sandboxs_files_are_for_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = state(&folder);
    // One that others could read is replaced, not written into.
    assert!(apply(&path).status.success());
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    let output = cmk(&["apply", QUICKSTART, "--yes", &format!("--sandbox={}", path.display())]);
    assert!(output.status.success(), "{}", said(&output));
    fs::remove_file(&path).unwrap();
    assert!(apply(&path).status.success());
    for file in [path.clone(), beside(&path, ".lock")] {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
    assert!(!beside(&path, ".tmp").exists());
}

#[test]
fn nothing_is_overwritten_through_a_link_that_lies_in_the_way() {
    for ending in ["", ".lock", ".tmp"] {
        let folder = tempfile::tempdir().unwrap();
        let path = state(&folder);
        let victim = folder.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        symlink(&victim, beside(&path, ending)).unwrap();
        let output = apply(&path);
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious", "{ending}");
        if ending == ".tmp" {
            // The link is taken away, not followed.
            assert!(output.status.success(), "{}", said(&output));
            assert!(fs::symlink_metadata(&path).unwrap().is_file());
        } else {
            assert_eq!(output.status.code(), Some(1), "{ending}");
            assert!(said(&output).contains("symbolic link"), "{}", said(&output));
        }
    }
}

#[test]
fn a_link_that_leads_nowhere_makes_no_file_where_it_points() {
    for ending in ["", ".lock", ".tmp"] {
        let folder = tempfile::tempdir().unwrap();
        let path = state(&folder);
        let elsewhere = folder.path().join("elsewhere");
        symlink(&elsewhere, beside(&path, ending)).unwrap();
        apply(&path);
        assert!(!elsewhere.exists(), "{ending}");
    }
}

#[test]
fn a_file_with_a_second_name_keeps_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = state(&folder);
    let victim = folder.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    for ending in [".lock", ".tmp"] {
        fs::hard_link(&victim, beside(&path, ending)).unwrap();
    }
    assert!(apply(&path).status.success());
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
}

#[test]
fn what_is_no_file_in_the_sandboxs_place_is_told_at_once() {
    for ending in ["", ".lock", ".tmp"] {
        for kind in ["fifo", "folder"] {
            let folder = tempfile::tempdir().unwrap();
            let path = state(&folder);
            let trap = beside(&path, ending);
            match kind {
                "fifo" => pipe(&trap),
                _ => fs::create_dir(&trap).unwrap(),
            }
            let output = apply(&path);
            // A pipe under the name of the new file is taken away; all else is in the way.
            if ending != ".tmp" || kind == "folder" {
                assert_eq!(output.status.code(), Some(1), "{kind}{ending}: {}", said(&output));
                assert!(said(&output).contains("state.json"), "{kind}{ending}: {}", said(&output));
            }
        }
    }
}

#[test]
fn in_a_folder_that_all_may_write_to_the_state_is_still_private() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o1777)).unwrap();
    let path = state(&folder);
    assert!(apply(&path).status.success());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_state_that_is_no_state_is_told_in_one_breath() {
    let folder = tempfile::tempdir().unwrap();
    let path = state(&folder);
    for text in [
        "",
        "null",
        "5",
        "[]",
        "{}",
        "{\"format\":\"cmk-sandbox\"",
        "\u{1b}[2J",
        "{\"format\":\"cmk-sandbox\",\"version\":1}",
    ] {
        fs::write(&path, text).unwrap();
        let output = apply(&path);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(said(&output).contains("does not hold a sandbox"), "{text}: {}", said(&output));
        assert!(!said(&output).contains('\u{1b}'), "{}", said(&output));
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "it is left as it was");
    }
}
