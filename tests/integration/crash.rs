//! The real program, killed at any moment and run again: it converges, and no key has a second version.

use crate::program::{self, Program};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::thread;
use std::time::Duration;

/// The number of effects on the world that the quickstart has from an empty Azure.
const EFFECTS: u32 = 6;

fn quickstart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/quickstart.yaml")
}

fn cmk(state: &Path, arguments: &[&str]) -> Program {
    let mut command = program::cmk();
    command.args(arguments).arg(quickstart()).arg(format!("--sandbox={}", state.display()));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(state: &Path, arguments: &[&str], abort: Option<&str>) -> Output {
    let mut command = cmk(state, arguments);
    if let Some(abort) = abort {
        command.env("CMK_SANDBOX_ABORT", abort);
    }
    command.output().expect("the program starts")
}

fn text(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What must hold after any crash: the next run succeeds, then there is nothing to do, and the key has one version.
fn assert_converges(state: &Path, story: &str) {
    let second = run(state, &["apply", "--yes"], None);
    assert_eq!(second.status.code(), Some(0), "{story}: {}", text(&second));
    let plan = run(state, &["plan", "--detailed-exitcode"], None);
    assert_eq!(plan.status.code(), Some(0), "{story}: {}", text(&plan));
    assert_eq!(key_versions(state), 1, "{story}");
}

/// How many versions the quickstart's key has, read from the state file itself.
fn key_versions(state: &Path) -> usize {
    let text = std::fs::read_to_string(state).expect("the state was written");
    let state: serde_json::Value = serde_json::from_str(&text).expect("the state is JSON");
    let key = &state["world"]["state"]["vaults"]["kv-quickstart"]["keys"]["storage"];
    key["versions"]
        .as_object()
        .map(serde_json::Map::len)
        .or_else(|| key["versions"].as_array().map(Vec::len))
        .expect("versions")
}

/// What happens with one state file, and what must hold then.
type Story = Box<dyn Fn(&Path) + Send + Sync>;

fn side_by_side(stories: &[Story]) {
    thread::scope(|scope| {
        for story in stories {
            scope.spawn(move || {
                let folder = tempfile::tempdir().expect("a folder");
                story(&folder.path().join("state.json"));
            });
        }
    });
}

#[test]
fn aborted_before_or_after_any_effect_it_converges_when_run_again() {
    let mut stories: Vec<Story> = vec![];
    for effect in 1..=EFFECTS {
        for moment in ["before", "after"] {
            stories.push(Box::new(move |state| {
                let abort = format!("{moment}:{effect}");
                let first = run(state, &["apply", "--yes"], Some(&abort));
                assert_eq!(first.status.code(), None, "{abort} did not abort: {}", text(&first));
                assert_converges(state, &abort);
            }));
        }
    }
    // There is no seventh effect, so the stories above are all there are.
    stories.push(Box::new(|state| {
        let whole = run(state, &["apply", "--yes"], Some(&format!("before:{}", EFFECTS + 1)));
        assert_eq!(whole.status.code(), Some(0), "{}", text(&whole));
    }));
    side_by_side(&stories);
}

#[test]
fn killed_at_any_moment_it_converges_when_run_again() {
    let moments = (0..12).map(|at| Duration::from_millis(20 + at * at * 35));
    let stories: Vec<Story> = moments
        .map(|moment| {
            Box::new(move |state: &Path| {
                let mut command = cmk(state, &["apply", "--yes"]);
                let mut first = command.spawn().expect("the program starts");
                thread::sleep(moment);
                first.kill().expect("it can be killed");
                first.wait().expect("it ends");
                assert_converges(state, &format!("killed after {moment:?}"));
            }) as Story
        })
        .collect();
    side_by_side(&stories);
}
