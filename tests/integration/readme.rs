//! The README tells the truth: its transcript is what the program prints.

use crate::program::cmk;
use std::path::Path;

#[test]
fn the_transcript_is_what_the_first_command_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).expect("it is there");
    let command = "$ cmk apply specs/quickstart.yaml --sandbox --yes\n";
    let (_, transcript) = readme.split_once(command).expect("the transcript is there");
    let (transcript, _) = transcript.split_once("```").expect("it ends");

    let folder = tempfile::tempdir().expect("a folder");
    let output = cmk()
        .current_dir(folder.path())
        .args(["apply", "--sandbox", "--yes"])
        .arg(root.join("specs/quickstart.yaml"))
        .output()
        .expect("the program starts");
    let printed = String::from_utf8(output.stdout).expect("UTF-8");

    let fixed = |text: &str| {
        let (plan, report) = text.split_once("\nRequests:").expect("it counts its requests");
        let last = report.lines().last().unwrap_or_default().to_owned();
        // The fingerprint of a look differs from version to version: each may look at more.
        let plan: Vec<&str> = plan.lines().filter(|line| !line.starts_with("Fingerprint: ")).collect();
        (plan.join("\n"), last)
    };
    assert_eq!(fixed(&printed), fixed(transcript));
}

#[test]
fn the_two_commands_are_there() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("it is there");
    assert!(readme.contains("\ncargo run --release -- apply specs/quickstart.yaml --sandbox --yes\ncargo test\n"));
}
