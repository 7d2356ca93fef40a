//! Yes and no from outside: each risk, each refusal and each approval, played through the real program.

use crate::simulation::worlds::{whole, world};
use cmk::sandbox::{Pace, Sandbox, TENANT};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A world in a file, a spec, and the program.
struct Stage {
    folder: tempfile::TempDir,
}

/// How a run of the program ended.
struct Ended {
    code: Option<i32>,
    said: String,
    document: Value,
}

impl Stage {
    fn new(there: &str, spec: &str) -> Self {
        let stage = Self { folder: tempfile::tempdir().expect("a folder") };
        stage.turns_into(there);
        std::fs::write(stage.path("spec.yaml"), whole(spec)).expect("the spec is written");
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Somebody made another world of it.
    fn turns_into(&self, there: &str) {
        let (world, _) = world(there, Pace::practice());
        Sandbox::write(&self.path("state.json"), &world).expect("the state is written");
    }

    fn output(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cmk"));
        command.env_clear().current_dir(self.folder.path()).stdin(Stdio::null());
        let named: Vec<(&str, &str)> = words.iter().filter_map(|word| word.split_once("GUARD=")).collect();
        command.envs(named.iter().map(|(name, value)| (format!("{name}GUARD"), *value)));
        command.args(words.iter().filter(|word| !word.contains("GUARD="))).arg("--sandbox=state.json");
        command.output().expect("the program starts")
    }

    /// Runs it with a JSON document.
    fn run(&self, words: &[&str]) -> Ended {
        let output = self.output(&[words, &["--format=json"]].concat());
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        let document = serde_json::from_slice(&output.stdout).unwrap_or_default();
        Ended { code: output.status.code(), said, document }
    }

    fn apply(&self, words: &[&str]) -> Ended {
        self.run(&[&["apply", "--yes"], words].concat())
    }

    /// Saves the plan and gives its digest.
    fn saved(&self) -> String {
        let plan = self.run(&["plan", "spec.yaml", "--save=plan.cmk"]);
        assert_eq!(plan.code, Some(0), "{}", plan.said);
        plan.document["digest"].as_str().expect("a digest").to_owned()
    }
}

impl Ended {
    #[track_caller]
    fn sent_nothing(&self, code: i32) {
        assert_eq!(self.code, Some(code), "{}", self.said);
        // What ends before it looks has no document.
        let sent = &self.document["stats"]["writes"]["sent"];
        assert!(sent.is_null() || *sent == json!(0), "{}", self.document);
        let done = self.document["steps"].as_array().into_iter().flatten();
        assert!(done.into_iter().all(|step| step["outcome"].is_null()), "{}", self.document);
    }

    #[track_caller]
    fn is_done(&self) {
        assert_eq!(self.code, Some(0), "{}\n{}", self.said, self.document);
        assert_eq!(self.document["summary"]["verdict"], "done", "{}", self.document);
    }

    fn refusals(&self) -> Vec<&str> {
        let refusals = self.document["refusals"].as_array().into_iter().flatten();
        refusals.filter_map(|refusal| refusal["code"].as_str()).collect()
    }
}

/// A text without its line ends.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

const VAULT: &str = "vaults: { kv1: { purgeProtection: true, keys: { main: {} } } }\n";
const ACCOUNT: &str = "accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } } }\n";
const THERE: &str = "group\nvault kv1\nkey kv1/main\naccount st1 identity\n";
const BOUND: &str = "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\n";

/// Each risk that takes an operator's word: the word, the world, the spec.
fn risks() -> Vec<(&'static str, String, String)> {
    let spec = format!("{VAULT}{ACCOUNT}");
    let two = "vaults: { kv1: { keys: { main: {} } }, kv2: { keys: { main: {} } } }\n";
    vec![
        ("CMK402:vault/kv1", THERE.replace("vault kv1", "vault kv1 unprotected"), spec.clone()),
        ("CMK403:vault/kv2", "group".to_owned(), "vaults: { kv2: { create: {} } }".to_owned()),
        (
            "CMK403:account/st1",
            BOUND.to_owned(),
            format!("{VAULT}{}", ACCOUNT.replace("key: kv1/main", "source: microsoft")),
        ),
        (
            "CMK404:account/st1",
            format!("{BOUND}vault kv2\nkey kv2/main\n"),
            format!("{two}{}", ACCOUNT.replace("kv1/main", "kv2/main")),
        ),
        ("CMK405:account/st1", format!("{BOUND}revoke st1 kv1\n"), spec.clone()),
        ("CMK405:account/st1", format!("{BOUND}detach st1\n"), spec.clone()),
        (
            "CMK406:account/st1",
            BOUND.to_owned(),
            format!("{VAULT}{}", ACCOUNT.replace("identity: ", "access: revoked, identity: ")),
        ),
    ]
}

#[test]
fn each_risk_is_shown_and_refused_without_its_word_and_taken_with_it() {
    for (word, there, spec) in risks() {
        let stage = Stage::new(&there, &spec);
        let (code, object) = word.split_once(':').unwrap();
        let plan = stage.output(&["plan", "spec.yaml"]);
        let shown = String::from_utf8(plan.stdout).unwrap();
        assert_eq!(plan.status.code(), Some(0), "{word}: {shown}");
        let class = cmk::plan::RiskClass::by_code(code).unwrap();
        let name = cmk::diag::codes::find(code).unwrap().summary.split(':').next().unwrap();
        assert!(shown.contains(name), "{word} ({class}): {shown}");

        let refused = stage.apply(&["spec.yaml"]);
        refused.sent_nothing(3);
        let words: Vec<&str> =
            refused.said.lines().filter(|line| line.trim_start().starts_with("--accept")).map(str::trim).collect();
        assert_eq!(words, [format!("--accept {word}")], "{}", refused.said);
        // A word for another thing is no word for this one, and is told to be of no use.
        let other = stage.apply(&["spec.yaml", "--accept", &format!("{code}:{object}0")]);
        other.sent_nothing(3);
        assert!(other.said.contains("does not ask for it"), "{}", other.said);

        stage.apply(&["spec.yaml", "--accept", word]).is_done();
        let again = stage.apply(&["spec.yaml"]);
        again.sent_nothing(0);
    }
}

#[test]
fn a_risk_that_takes_no_word_is_taken_without_one() {
    let stage = Stage::new(THERE, &format!("{VAULT}{ACCOUNT}"));
    stage.apply(&["spec.yaml"]).is_done();
}

/// A vault keeps the tenant that it was made with when its subscription moves to another one.
#[test]
fn a_vault_that_trusts_another_tenant_is_refused() {
    let stage = Stage::new(THERE, &format!("{VAULT}{ACCOUNT}"));
    let mut there: Value = serde_json::from_slice(&std::fs::read(stage.path("state.json")).unwrap()).unwrap();
    let trusts = there.pointer_mut("/world/state/vaults/kv1/tenant").expect("a vault trusts a tenant");
    assert_eq!(*trusts, TENANT);
    *trusts = json!("99999999-0000-4000-8000-000000000000");
    std::fs::write(stage.path("state.json"), there.to_string()).unwrap();
    let plan = stage.run(&["plan", "spec.yaml"]);
    plan.sent_nothing(3);
    assert_eq!(plan.refusals(), ["CMK208"]);
    stage.apply(&["spec.yaml", "--accept=CMK404:account/st1"]).sent_nothing(3);
    stage.turns_into(THERE);
    stage.apply(&["spec.yaml"]).is_done();
}

#[test]
fn an_approved_digest_is_the_yes_to_that_plan_and_to_no_other() {
    let (_, there, spec) = risks().remove(0);
    let stage = Stage::new(&there, &spec);
    let digest = stage.saved();
    let other = stage.apply(&["spec.yaml", "--approved", &"0".repeat(64)]);
    other.sent_nothing(4);
    assert!(other.said.contains(&digest), "{}", other.said);
    stage.apply(&["spec.yaml", "--approved", &digest]).is_done();
    stage.apply(&["spec.yaml", "--approved", &digest]).sent_nothing(0);
    assert_eq!(stage.apply(&["spec.yaml", "--approved", "abc"]).code, Some(1));
}

#[test]
fn an_approved_plan_file_is_applied_afresh_also_when_somebody_did_a_part_of_it() {
    for done in ["", "grant st1 kv1 get wrapKey unwrapKey\n"] {
        let stage = Stage::new(THERE, &format!("{VAULT}{ACCOUNT}"));
        let digest = stage.saved();
        stage.turns_into(&format!("{THERE}{done}"));
        let applied = stage.apply(&["plan.cmk", "--approved", &digest]);
        applied.is_done();
        assert_eq!(applied.document["steps"].as_array().unwrap().len(), if done.is_empty() { 2 } else { 1 });
        stage.apply(&["plan.cmk", "--approved", &digest]).sent_nothing(0);
    }
}

#[test]
fn an_approval_gives_the_yes_to_the_risks_that_it_holds() {
    for (word, there, spec) in risks() {
        let stage = Stage::new(&there, &spec);
        let digest = stage.saved();
        if word.starts_with("CMK402") {
            // Without the approved digest the file says yes to nothing.
            let alone = stage.apply(&["plan.cmk"]);
            alone.sent_nothing(3);
            assert!(alone.said.contains("only detects a plan file that was damaged"), "{}", alone.said);
        }
        stage.apply(&["plan.cmk", "--approved", &digest]).is_done();
    }
}

#[test]
fn what_was_not_approved_is_not_done() {
    let spec = format!("{VAULT}{ACCOUNT}");
    for (why, then, now, told) in [
        ("a step more", BOUND.to_owned(), format!("{BOUND}revoke st1 kv1\n"), "no approved step has its name"),
        ("a risk more", THERE.to_owned(), format!("{BOUND}revoke st1 kv1\n"), "bears the risk CMK405:account/st1"),
        (
            "another account of the name",
            THERE.to_owned(),
            THERE.replace("account st1", "account st0 identity\naccount st1"),
            "another thing of the same name",
        ),
        ("another version", THERE.to_owned(), format!("{THERE}rotate kv1/main\n"), "encryption.version would become"),
    ] {
        let stage = Stage::new(&then, &spec.replace("{ main: {} }", "{ main: {}, more: { create: {} } }"));
        let digest = stage.saved();
        stage.turns_into(&now);
        for what in ["plan.cmk", "spec.yaml"] {
            let refused = stage.apply(&[what, "--approved", &digest]);
            refused.sent_nothing(4);
            assert!(what == "spec.yaml" || plain(&refused.said).contains(told), "{why}: {}", refused.said);
        }
    }
}

#[test]
fn a_plan_file_that_is_not_one_is_refused_before_any_request() {
    let stage = Stage::new(THERE, &format!("{VAULT}{ACCOUNT}"));
    let digest = stage.saved();
    let text = std::fs::read_to_string(stage.path("plan.cmk")).unwrap();
    for (code, changed) in [
        ("CMK252", text[..text.len() / 2].to_owned()),
        ("CMK252", text.replace("unwrapKey", "unwrapKey, recover")),
        ("CMK251", text.replace("\"formatVersion\": 1", "\"formatVersion\": 2")),
        ("CMK250", whole(VAULT)),
        ("CMK250", text.replace("\"cloud\": \"sandbox\"", "\"cloud\": \"public\"")),
    ] {
        std::fs::write(stage.path("plan.cmk"), &changed).unwrap();
        for words in [vec!["plan.cmk"], vec!["plan.cmk", "--approved", &digest]] {
            let refused = stage.apply(&words);
            assert_eq!(refused.code, Some(1), "{code}: {}", refused.said);
            assert!(refused.said.contains(code) && refused.document.is_null(), "{code}: {}", refused.said);
        }
    }
    // Somebody's own plan, whole and with matching digests, is not the approved one.
    std::fs::write(stage.path("spec.yaml"), whole(VAULT)).unwrap();
    stage.saved();
    stage.apply(&["plan.cmk", "--approved", &digest]).sent_nothing(4);
}

#[cfg(unix)]
#[test]
fn a_plan_is_saved_for_its_owner_and_not_through_a_link() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::new(THERE, &format!("{VAULT}{ACCOUNT}"));
    stage.saved();
    let mode = std::fs::metadata(stage.path("plan.cmk")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::os::unix::fs::symlink(stage.path("state.json"), stage.path("link.cmk")).unwrap();
    let refused = stage.run(&["plan", "spec.yaml", "--save=link.cmk"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.said.contains("symbolic link"), "{}", refused.said);
}

fn guard(change: impl Fn(&mut Vec<(&str, String)>)) -> String {
    let mut lines = vec![
        ("version", "1".to_owned()),
        ("tenants", format!("[{TENANT}]")),
        ("subscriptions", "[\"*\"]".to_owned()),
        ("resourceGroups", "[rg]".to_owned()),
        ("vaults", "[\"kv*\"]".to_owned()),
        ("accounts", "[\"st*\"]".to_owned()),
    ];
    change(&mut lines);
    lines.iter().flat_map(|(field, value)| [*field, ": ", value.as_str(), "\n"]).collect()
}

#[test]
fn each_rule_of_a_guard_is_shown_and_nothing_is_sent_until_it_allows_the_plan() {
    let zero = "00000000-0000-0000-0000-000000000000";
    let rules: [(&str, &'static str, String); 9] = [
        ("CMK230", "tenants", format!("[{zero}]")),
        ("CMK231", "subscriptions", format!("[{zero}]")),
        ("CMK232", "resourceGroups", "[\"rg-*\"]".to_owned()),
        ("CMK233", "vaults", "[kv2]".to_owned()),
        ("CMK234", "accounts", "[]".to_owned()),
        ("CMK235", "keys", "{ sizes: [4096] }".to_owned()),
        ("CMK236", "permissions", "[get, wrapKey]".to_owned()),
        ("CMK237", "perRun", "{ accounts: 0 }".to_owned()),
        ("CMK238", "perRun", "{ risk: none }".to_owned()),
    ];
    let stage = Stage::new(THERE, &format!("{VAULT}{ACCOUNT}"));
    let digest = stage.saved();
    for (code, field, value) in rules {
        let text = guard(|lines| {
            lines.retain(|(known, _)| *known != field);
            lines.push((field, value.clone()));
        });
        std::fs::write(stage.path("guard.yaml"), text).unwrap();
        let plan = stage.run(&["plan", "spec.yaml", "--guard=guard.yaml", "--save=refused.cmk"]);
        plan.sent_nothing(3);
        assert!(!stage.path("refused.cmk").exists() && plan.said.contains("not saved"), "{}", plan.said);
        assert!(
            !plan.refusals().is_empty() && plan.refusals().iter().all(|one| *one == code),
            "{code}: {:?}",
            plan.refusals()
        );
        // Neither an acknowledgement nor an approval lifts it.
        for words in [
            vec!["spec.yaml", "--guard=guard.yaml", "--accept=CMK404:account/st1"],
            vec!["spec.yaml", "--guard=guard.yaml", "--approved", &digest],
            vec!["plan.cmk", "CMK_GUARD=guard.yaml", "--approved", &digest],
        ] {
            stage.apply(&words).sent_nothing(3);
        }
    }
    let text = guard(|_| {});
    std::fs::write(stage.path("wide.yaml"), &text).unwrap();
    // Both hold where both are given.
    stage.apply(&["spec.yaml", "--guard=wide.yaml", "CMK_GUARD=guard.yaml"]).sent_nothing(3);
    stage.apply(&["spec.yaml", "--guard=guard.yaml", "CMK_GUARD=wide.yaml"]).sent_nothing(3);
    stage.apply(&["spec.yaml", "CMK_GUARD=wide.yaml", "--receipt=receipt.json"]).is_done();
    let receipt: Value = serde_json::from_slice(&std::fs::read(stage.path("receipt.json")).unwrap()).unwrap();
    assert_eq!(receipt["guardDigests"], json!([cmk::plan::text_digest(&text)]));
}

#[test]
fn an_identity_is_taken_away_last_and_only_when_the_operator_says_so() {
    let stage = Stage::new(
        "group\nvault kv1\nkey kv1/main\nidentity id1\naccount st1 identity\nusers st1\ngrant st1 kv1\nbound st1 kv1/main",
        "
vaults: { kv1: { keys: { main: {} } } }
identities: { id1: {} }
accounts: { st1: { identities: [id1], removeIdentities: [systemAssigned], encryption: { key: kv1/main } } }
",
    );
    let refused = stage.apply(&["spec.yaml"]);
    refused.sent_nothing(3);
    assert!(refused.said.contains("--accept CMK402:account/st1"), "{}", refused.said);
    let told = String::from_utf8(stage.output(&["plan", "spec.yaml"]).stdout).expect("UTF-8");
    for part in [
        "take its own identity from account st1",
        "step 4: none: another identity of its own would be somebody else",
        "readable throughout",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let applied = stage.apply(&["spec.yaml", "--accept=CMK402:account/st1"]);
    applied.is_done();
    let ids: Vec<&Value> = applied.document["steps"].as_array().unwrap().iter().map(|step| &step["id"]).collect();
    assert_eq!(ids, ["identity/st1", "grant/id1/kv1/main", "reach/st1", "removal/st1"]);
    let again = stage.apply(&["spec.yaml"]);
    assert_eq!((again.code, &again.document["summary"]["verdict"]), (Some(0), &json!("nothingToDo")));
    assert_eq!(again.document["stats"]["writes"]["sent"], json!(0), "{}", again.document);
    let verified = stage.run(&["verify", "spec.yaml"]);
    assert_eq!(verified.code, Some(0), "{}", verified.document);
    assert!(verified.document.to_string().contains("account st1 has no system-assigned identity"));
}

#[test]
fn a_scope_that_may_become_unreadable_when_the_identity_changes_is_said_before_anything_is_sent() {
    let there = "group\nvault kv1\nkey kv1/main\nvault kv2\nkey kv2/other\nidentity id1\naccount st1 identity\n\
                 grant st1 kv1\ngrant st1 kv2\nbound st1 kv1/main\nscope st1/payroll kv2/other";
    let spec = "
vaults: { kv1: { keys: { main: {} } } }
identities: { id1: {} }
accounts: { st1: { identities: [id1], encryption: { key: kv1/main } } }
";
    let stage = Stage::new(there, spec);
    let refused = stage.apply(&["spec.yaml"]);
    refused.sent_nothing(3);
    assert!(refused.said.contains("--accept CMK406:account/st1"), "{}", refused.said);
    let told = stage.run(&["plan", "spec.yaml"]).document.to_string();
    assert!(told.contains("its encryption scope payroll is under kv2.vault.sandbox.test/other"), "{told}");
    stage.apply(&["spec.yaml", "--accept=CMK406:account/st1"]).is_done();
    // Nothing is to be said where nothing changes for the scope.
    let same = Stage::new(
        &there.replace("kv2/other", "kv1/other").replace("vault kv2\n", "").replace("grant st1 kv2\n", ""),
        spec,
    );
    same.apply(&["spec.yaml"]).is_done();
}

#[test]
fn a_guard_that_cannot_be_read_ends_the_run_before_any_request() {
    let stage = Stage::new(THERE, &format!("{VAULT}{ACCOUNT}"));
    std::fs::write(stage.path("bad.yaml"), guard(|lines| lines.truncate(3))).unwrap();
    for word in ["--guard=none.yaml", "CMK_GUARD=none.yaml", "CMK_GUARD=", "--guard=.", "--guard=bad.yaml"] {
        for command in ["plan", "apply"] {
            let refused = stage.run(&[command, "spec.yaml", word]);
            assert_eq!(refused.code, Some(1), "{word}: {}", refused.said);
            assert!(refused.document.is_null() && refused.said.contains("uard"), "{word}: {}", refused.said);
            assert!(
                refused.said.contains("no request was sent") || refused.said.contains("nothing was sent"),
                "{word}: {}",
                refused.said
            );
        }
    }
}
