//! The program from outside: exit codes, what goes to stdout, and what is said when something is missing.

use crate::program::cmk;
use serde_json::Value;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn spec(name: &str) -> PathBuf {
    root().join("specs").join(name)
}

fn output(command: &mut Command) -> Output {
    command.output().expect("the program starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("stdout holds one JSON document and nothing else")
}

/// A state file in a folder of its own.
fn state() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let option = format!("--sandbox={}", folder.path().join("state.json").display());
    (folder, option)
}

#[test]
fn plan_exits_2_before_and_0_after_and_the_second_apply_sends_no_write() {
    let (_folder, sandbox) = state();
    let quickstart = spec("quickstart.yaml");
    let plan = || output(cmk().args(["plan", "--detailed-exitcode", &sandbox]).arg(&quickstart));
    let apply = || output(cmk().args(["apply", "--yes", "--format", "json", &sandbox]).arg(&quickstart));
    assert_eq!(plan().status.code(), Some(2));

    let first = apply();
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    let document = json(&first);
    assert_eq!(document["stats"]["writes"]["succeeded"], 6);
    let outcomes: Vec<&str> =
        document["steps"].as_array().unwrap().iter().map(|step| step["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["done"; 6]);

    let second = apply();
    assert_eq!(second.status.code(), Some(0), "{}", stderr(&second));
    assert_eq!(json(&second)["stats"]["writes"], serde_json::json!({ "sent": 0, "succeeded": 0 }));
    assert_eq!(plan().status.code(), Some(0));
}

#[test]
fn plan_as_json_is_a_versioned_document_with_every_part() {
    let (_folder, sandbox) = state();
    let plan = output(cmk().args(["plan", "--format", "json", &sandbox]).arg(spec("quickstart.yaml")));
    let document = json(&plan);
    let parts = [
        "formatVersion",
        "cloud",
        "tenant",
        "digest",
        "summary",
        "steps",
        "refusals",
        "waits",
        "blindSpots",
        "notes",
        "stats",
    ];
    for part in parts {
        assert!(document.get(part).is_some(), "{part} is missing");
    }
    let step = &document["steps"][4];
    assert_eq!(step["id"], "grant/stquickstart/kv-quickstart");
    assert_eq!(step["action"], "grant");
    assert_eq!(step["risk"], "accessChange");
    assert_eq!(step["because"][0]["after"], "get, wrapKey, unwrapKey, recover");
    assert_eq!(step["after"], serde_json::json!(["vault/kv-quickstart", "account/stquickstart"]));
    assert_eq!(document["stats"]["requests"]["login"]["POST"], 1);
    let requests: u64 = document["stats"]["requests"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|methods| methods.as_object().unwrap().values())
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert_eq!(requests, 8);
}

#[test]
fn verify_exits_1_before_and_0_after_and_the_receipt_says_what_azure_reports() {
    let (folder, sandbox) = state();
    let quickstart = spec("quickstart.yaml");
    let verify = || output(cmk().args(["verify", "--format", "json", &sandbox]).arg(&quickstart));
    let before = verify();
    assert_eq!(before.status.code(), Some(1));
    assert_eq!(json(&before)["proved"], false);

    let path = folder.path().join("receipt.json");
    let receipt = format!("--receipt={}", path.display());
    let apply = output(cmk().args(["apply", "--yes", &receipt, &sandbox]).arg(&quickstart));
    assert_eq!(apply.status.code(), Some(0), "{}", stderr(&apply));

    let after = verify();
    assert_eq!(after.status.code(), Some(0), "{}", stdout(&after));
    let evidence = json(&after);
    assert_eq!(evidence["stats"]["writes"]["sent"], 0);
    let account = &evidence["accounts"][0];
    assert_eq!(account["currentVersion"], account["pinnedVersion"]);
    assert_eq!(account["permissions"], serde_json::json!(["get", "wrapKey", "unwrapKey", "recover"]));

    let written: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(written["proved"], true);
    assert_eq!(written["accounts"][0]["currentVersion"], account["currentVersion"]);
    assert_eq!(written["specDigest"], cmk::plan::text_digest(&std::fs::read_to_string(&quickstart).unwrap()));
    let steps = written["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 6);
    assert!(steps.iter().all(|step| step["outcome"] == "done" && step["requestId"].as_str().unwrap().len() == 36));
    let moved = "Azure reports that the key of account stquickstart was changed by this run";
    let findings = written["findings"].as_array().unwrap();
    assert!(findings.iter().any(|finding| finding["statement"] == moved && finding["holds"] == "yes"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[cfg(unix)]
#[test]
fn a_receipt_is_not_written_through_a_link_and_then_nothing_is_sent() {
    let (folder, sandbox) = state();
    let (target, link) = (folder.path().join("precious"), folder.path().join("receipt.json"));
    std::fs::write(&target, "precious").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let receipt = format!("--receipt={}", link.display());
    let refused = output(cmk().args(["apply", "--yes", &receipt, &sandbox]).arg(spec("quickstart.yaml")));
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("symbolic link"), "{}", stderr(&refused));
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "precious");
    assert!(!folder.path().join("state.json").exists(), "a world was made, so something was sent");
}

#[test]
fn a_timeout_stops_in_order_and_the_next_run_goes_on() {
    let (_folder, sandbox) = state();
    let quickstart = spec("quickstart.yaml");
    let cut = output(cmk().args(["apply", "--yes", "--timeout=1s", "--format", "json", &sandbox]).arg(&quickstart));
    assert_eq!(cut.status.code(), Some(1), "{}", stderr(&cut));
    assert!(stderr(&cut).contains("The time allowed is over"), "{}", stderr(&cut));
    let document = json(&cut);
    let outcomes: Vec<&str> =
        document["steps"].as_array().unwrap().iter().map(|step| step["outcome"].as_str().unwrap()).collect();
    assert!(outcomes.contains(&"done") && outcomes.contains(&"skipped"), "{outcomes:?}");
    let again = output(cmk().args(["apply", "--yes", &sandbox]).arg(&quickstart));
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
}

#[test]
fn a_refused_plan_exits_3_and_sends_nothing() {
    let (_folder, sandbox) = state();
    for command in ["plan", "apply"] {
        let refused = output(cmk().args([command, "--format", "json", &sandbox]).arg(spec("guide.yaml")));
        assert_eq!(refused.status.code(), Some(3), "{}", stderr(&refused));
        let document = json(&refused);
        assert_eq!(document["stats"]["writes"]["sent"], 0);
        let codes: Vec<&str> =
            document["refusals"].as_array().unwrap().iter().map(|refusal| refusal["code"].as_str().unwrap()).collect();
        assert!(codes.contains(&"CMK201"), "{codes:?}");
    }
}

#[test]
fn a_bad_spec_exits_1_and_sends_no_request() {
    let (folder, sandbox) = state();
    let bad = root().join("tests/bad_specs/six-problems.yaml");
    for command in ["plan", "apply"] {
        let refused = output(cmk().args([command, &sandbox]).arg(&bad));
        assert_eq!(refused.status.code(), Some(1));
        assert_eq!(stdout(&refused), "");
        assert_eq!(stderr(&refused).matches("error[CMK").count(), 6, "{}", stderr(&refused));
    }
    assert!(!folder.path().join("state.json").exists(), "a world was made, so something was sent");
}

#[test]
fn no_bad_spec_sends_a_request_or_panics() {
    let (folder, sandbox) = state();
    let mut tried = 0;
    for entry in std::fs::read_dir(root().join("tests/bad_specs")).expect("the folder is there") {
        let path = entry.expect("a readable entry").path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        tried += 1;
        let refused = output(cmk().args(["plan", &sandbox]).arg(&path));
        let expected = std::fs::read_to_string(path.with_extension("txt")).expect("a snapshot");
        // A warning alone stops nothing.
        let code = i32::from(expected.contains("error[CMK"));
        assert_eq!(refused.status.code(), Some(code), "{}: {}", path.display(), stderr(&refused));
        assert!(stderr(&refused).contains("[CMK"), "{}: {}", path.display(), stderr(&refused));
    }
    assert!(tried >= 40, "{tried}");
    assert!(!folder.path().join("state.json").exists(), "a world was made, so something was sent");
}

#[test]
fn validate_gives_every_problem_with_its_place_as_json() {
    let bad = root().join("tests/bad_specs/six-problems.yaml");
    let result = output(cmk().args(["validate", "--format", "json"]).arg(&bad).arg(spec("quickstart.yaml")));
    assert_eq!(result.status.code(), Some(1));
    let document = json(&result);
    assert!(document["formatVersion"].is_number());
    let diagnostics = document["diagnostics"].as_array().unwrap();
    assert_eq!(diagnostics.len(), 6);
    for diagnostic in diagnostics {
        for part in ["code", "severity", "file", "line", "column", "message", "help"] {
            assert!(!diagnostic[part].is_null(), "{part} is missing in {diagnostic}");
        }
    }
    assert_eq!((&diagnostics[0]["line"], &diagnostics[0]["column"]), (&8.into(), &30.into()));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the promise is about a real program in real time")]
fn without_a_credential_it_says_within_three_seconds_what_it_looked_for() {
    let began = Instant::now();
    let result = output(cmk().arg("plan").arg(spec("quickstart.yaml")));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(result.status.code(), Some(1));
    for word in ["CMK301", "AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE", "az login"] {
        assert!(stderr(&result).contains(word), "{word} is not in: {}", stderr(&result));
    }
}

#[test]
fn a_closed_pipe_is_quiet() {
    let (_folder, sandbox) = state();
    let mut command = cmk();
    command.args(["plan", &sandbox]).arg(spec("quickstart.yaml")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).expect("UTF-8");
    child.wait().expect("it ends");
    assert!(!said.contains("panic") && !said.contains("Broken pipe"), "{said}");
}

#[test]
fn bad_usage_exits_1_and_help_and_version_exit_0() {
    assert_eq!(output(cmk().arg("--no-such-flag")).status.code(), Some(1));
    assert_eq!(output(&mut cmk()).status.code(), Some(1));
    assert_eq!(output(cmk().arg("--help")).status.code(), Some(0));
    let version = output(cmk().arg("--version"));
    assert_eq!(version.status.code(), Some(0));
    assert_eq!(stdout(&version), format!("cmk {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn explain_tells_the_long_story_and_knows_what_it_does_not_know() {
    let known = output(cmk().args(["explain", "cmk205"]));
    assert_eq!(known.status.code(), Some(0));
    assert!(stdout(&known).contains("purge protection"), "{}", stdout(&known));
    let unknown = output(cmk().args(["explain", "CMK999"]));
    assert_eq!(unknown.status.code(), Some(1));
    assert_eq!(stdout(&unknown), "");
}

#[test]
fn schema_prints_the_committed_schema() {
    let schema = output(cmk().arg("schema"));
    let committed = std::fs::read_to_string(root().join("docs/cmk.schema.json")).expect("it is committed");
    assert_eq!(stdout(&schema), committed);
}

#[test]
fn a_sandbox_is_reset_and_a_second_opener_of_its_state_is_told() {
    let (folder, sandbox) = state();
    let apply = output(cmk().args(["apply", "--yes", &sandbox]).arg(spec("guide-start.yaml")));
    assert_eq!(apply.status.code(), Some(0), "{}", stderr(&apply));
    assert!(stdout(&apply).contains("no Azure was touched"), "{}", stdout(&apply));
    let file = folder.path().join("state.json");
    assert!(file.exists());

    let held = cmk::sandbox::Sandbox::open(&file, std::sync::Arc::new(|| cmk::sandbox::Millis(0)), None).expect("free");
    let second = output(cmk().args(["plan", &sandbox]).arg(spec("guide-start.yaml")));
    assert_eq!(second.status.code(), Some(1));
    assert!(stderr(&second).contains("in use"), "{}", stderr(&second));
    drop(held);

    assert_eq!(output(cmk().args(["sandbox", "reset", &sandbox])).status.code(), Some(0));
    assert!(!file.exists());
}

#[test]
fn import_writes_a_spec_whose_plan_is_empty_and_leaves_out_what_a_plan_would_change() {
    let (folder, sandbox) = state();
    let subscription = "11111111-1111-1111-1111-111111111111";
    let import = || output(cmk().args(["import", "--subscription", subscription, &sandbox]));
    assert!(output(cmk().args(["apply", "--yes", &sandbox]).arg(spec("quickstart.yaml"))).status.success());
    let found = import();
    assert_eq!(found.status.code(), Some(0), "{}", stderr(&found));
    let imported = folder.path().join("imported.yaml");
    std::fs::write(&imported, &found.stdout).expect("it can be written");
    let plan = output(cmk().args(["plan", "--detailed-exitcode", &sandbox]).arg(&imported));
    assert_eq!(plan.status.code(), Some(0), "{}{}", stdout(&plan), stderr(&plan));

    let text = std::fs::read_to_string(spec("quickstart.yaml")).expect("the example is there");
    let revoked = folder.path().join("revoked.yaml");
    std::fs::write(&revoked, text + "    access: revoked\n").expect("it can be written");
    let accept = ["--accept", "CMK406:account/stquickstart"];
    assert!(output(cmk().args(["apply", "--yes", &sandbox]).args(accept).arg(&revoked)).status.success());
    let found = import();
    assert!(!stdout(&found).contains("stquickstart"), "{}", stdout(&found));
    assert!(stderr(&found).contains("left out: account stquickstart"), "{}", stderr(&found));
}
