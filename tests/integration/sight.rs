//! `--encryption-scopes`: whoever reads a plan may wish to see everybody who uses the vaults that it touches. It costs
//! requests, and changes no step.

use super::practice::{Practice, desired, example, text};
use super::program::cmk;
use super::simulation::worlds::{pace, whole, world};
use cmk::apply::Sight;
use cmk::azure::Stats;
use cmk::sandbox::{Fault, Mishap, Sandbox};
use serde_json::Value;
use std::process::Output;

/// An account of the spec, and one of others whose encryption scope uses the same key.
const WORLD: &str = "group\nvault kv1\nkey kv1/main\naccount st1 identity\ngrant st1 kv1\nbound st1 kv1/main\n\
                     account st9 identity\ngrant st9 kv1\nscope st9/payroll kv1/main";

/// The key is older than that.
const SPEC: &str = "
vaults: { kv1: { keys: { main: { maxAge: P30D } } } }
accounts: { st1: { identity: systemAssigned, encryption: { key: kv1/main } } }
";

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (there, _) = world(WORLD, pace());
        Sandbox::write(&folder.path().join("sandbox.json"), &there).expect("it can be written");
        std::fs::write(folder.path().join("spec.yaml"), whole(SPEC)).expect("it can be written");
        Self(folder)
    }

    fn run(&self, words: &[&str]) -> Output {
        let mut program = cmk();
        program.current_dir(self.0.path()).args(words).arg("--sandbox=sandbox.json");
        program.output().expect("the program starts")
    }

    /// What it prints, without its line ends.
    fn says(&self, words: &[&str]) -> String {
        let out = String::from_utf8(self.run(words).stdout).expect("UTF-8");
        out.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn document(&self, words: &[&str]) -> Value {
        let output = self.run(&[words, &["--format=json"]].concat());
        assert!(output.stderr.is_empty() || output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("a document")
    }
}

/// How often Resource Manager was asked.
fn asked(stats: &Stats) -> u64 {
    stats.requests.values().flat_map(|methods| methods.values()).sum()
}

fn asked_of(document: &Value) -> u64 {
    let services = document["stats"]["requests"].as_object().expect("services");
    services.values().flat_map(|methods| methods.as_object().expect("methods").values()).filter_map(Value::as_u64).sum()
}

#[test]
fn a_scope_of_an_account_outside_of_the_spec_is_shown_when_asked_for_and_else_said_to_be_unseen() {
    let desk = Desk::new();
    let shown = "Under keys of these vaults, encryption scopes included: kv1/main: st1, encryption scope payroll of st9 (not \
                 in the spec, group rg)";
    let line = "Not looked for: encryption scopes (`--encryption-scopes` looks at them), other subscriptions and other \
                services, which may use the same keys.";
    let elsewhere = "Not looked for: other subscriptions and other services, which may use the same keys.";
    let narrow = desk.says(&["plan", "spec.yaml"]);
    assert!(narrow.contains("make a new version of key kv1/main"), "{narrow}");
    assert!(narrow.contains(line) && !narrow.contains("st9 (not"), "{narrow}");
    for words in [
        &["plan", "spec.yaml", "--encryption-scopes"][..],
        &["apply", "spec.yaml", "--encryption-scopes", "--yes"],
        &["rotate", "spec.yaml", "--key=kv1/main", "--since=2026-06-01T00:00:00Z", "--encryption-scopes", "--yes"],
    ] {
        let wide = Desk::new().says(words);
        assert!(wide.contains(shown) && wide.contains(elsewhere), "{words:?}: {wide}");
    }
    let page = desk.says(&["plan", "spec.yaml", "--encryption-scopes", "--format=markdown"]);
    assert!(
        page.contains("included: `kv1/main`: `st1`, `encryption scope payroll of st9 (not in the spec, group rg)`"),
        "{page}"
    );
}

#[test]
fn whoever_approves_with_the_wide_view_and_whoever_applies_with_the_narrow_one_agree() {
    let desk = Desk::new();
    let narrow = desk.document(&["plan", "spec.yaml"]);
    let wide = desk.document(&["plan", "spec.yaml", "--encryption-scopes"]);
    for same in ["digest", "observed", "steps", "refusals", "asks", "notes", "blindSpots"] {
        assert_eq!(narrow[same], wide[same], "{same}");
    }
    assert_eq!(narrow["review"]["radius"]["under"], Value::Null);
    let under = &wide["review"]["radius"]["under"][0];
    assert_eq!(under["key"], "kv1/main");
    assert_eq!(
        (&under["users"][1]["scope"], &under["users"][1]["inSpec"]),
        (&"payroll".into(), &false.into()),
        "{under}"
    );
    assert_eq!(asked_of(&wide), asked_of(&narrow) + 2, "the scopes of two accounts; the list of accounts serves both");

    let digest = wide["digest"].as_str().expect("a digest");
    let done = desk.document(&["apply", "spec.yaml", "--yes", "--approved", digest]);
    assert_eq!(done["summary"]["verdict"], "done", "{done}");
}

#[tokio::test(start_paused = true)]
async fn each_look_has_its_price_and_a_plan_without_steps_or_without_sharers_pays_none() {
    let practice = Practice::new();
    let quickstart = example("quickstart.yaml");
    for sight in [Sight::Accounts, Sight::EncryptionScopes] {
        let (fresh, stats) = practice.plan_seeing(&quickstart, sight).await;
        assert!(!fresh.is_empty() && fresh.review.radius.under.is_none(), "a vault that is not there has no users");
        assert_eq!(asked(&stats), 8, "{sight:?}: {:?}", stats.requests);
    }
    practice.converge(&quickstart).await;
    for sight in [Sight::Accounts, Sight::EncryptionScopes] {
        let (done, stats) = practice.plan_seeing(&quickstart, sight).await;
        assert!(done.is_empty());
        assert_eq!(asked(&stats), 5, "{sight:?}: {:?}", stats.requests);
    }
    let second = desired(&text("quickstart.yaml").replace("stquickstart", "stsecond"));
    let (narrow, few) = practice.plan_seeing(&second, Sight::Accounts).await;
    let (wide, more) = practice.plan_seeing(&second, Sight::EncryptionScopes).await;
    assert_eq!(narrow.digest, wide.digest);
    assert_eq!(narrow.review.radius.outsiders, wide.review.radius.outsiders);
    assert_eq!((asked(&few), asked(&more)), (8, 9), "one account has an identity, and so may have scopes");
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_closes_something_looks_at_everybody_once_however_much_is_wished() {
    let practice = Practice::new();
    practice.converge(&example("quickstart.yaml")).await;
    let quickstart = example("quickstart.yaml");
    let account = quickstart.accounts.keys().next().expect("an account").clone();
    let revoked = cmk::spec::Edit::Revoke(account).of(&quickstart).expect("it is in the spec");
    let mut counts = vec![];
    for sight in [Sight::Accounts, Sight::EncryptionScopes] {
        let (plan, stats) = practice.plan_seeing(&revoked, sight).await;
        assert!(!plan.is_empty());
        let under = plan.review.radius.under.expect("everybody was looked at");
        assert_eq!(under.keys().collect::<Vec<_>>(), ["kv-quickstart/storage"]);
        counts.push(asked(&stats));
    }
    assert_eq!(counts, [8, 8], "one list of accounts and one of scopes");
}

#[tokio::test(start_paused = true)]
async fn scopes_that_may_not_be_seen_are_told_with_the_permission_and_stop_nothing() {
    let practice = Practice::new();
    practice.converge(&example("quickstart.yaml")).await;
    let mishap = Mishap::error(403, "AuthorizationFailed", "The client may not.");
    let path = "/encryptionScopes".to_owned();
    practice.sandbox.inject(Fault { method: Some("GET"), path, after: 0, times: 1, mishap });
    let second = desired(&text("quickstart.yaml").replace("stquickstart", "stsecond"));
    let (plan, _) = practice.plan_seeing(&second, Sight::EncryptionScopes).await;
    assert!(!plan.steps.is_empty() && plan.blind_spots.is_empty(), "{:?}", plan.blind_spots);
    let unseen = &plan.review.radius.unseen;
    assert!(unseen[0].starts_with("the encryption scopes of account stquickstart: "), "{unseen:?}");
    assert!(
        unseen[0].contains("Microsoft.Storage/storageAccounts/encryptionScopes/read would show them"),
        "{unseen:?}"
    );
}
