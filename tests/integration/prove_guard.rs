//! `cmk prove --guard`: what a pipeline would refuse is known before anybody has a credential, and what the simulator
//! cannot know is said and not guessed.

use super::program::cmk;
use super::simulation::worlds::{pace, whole, world};
use cmk::sandbox::{Sandbox, TENANT};
use serde_json::{Value, json};
use std::path::PathBuf;

/// No account: the shorter a spec, the shorter its proof.
const SPEC: &str = "
vaults: { kv1: { create: {}, purgeProtection: true, keys: { main: { create: {} } } } }";

/// The vault and its key are there already, somewhere that only Azure knows.
const EXPECTS: &str = "
vaults: { kv1: { keys: { main: { tags: { team: pay } } } } }
";

struct Desk(tempfile::TempDir);

/// How a proof ended.
struct Said {
    exit: Option<i32>,
    out: String,
    err: String,
}

impl Desk {
    fn new(spec: &str) -> Self {
        let desk = Self(tempfile::tempdir().expect("a folder"));
        desk.write("spec.yaml", &whole(spec));
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("it can be written");
    }

    /// A guard that allows what the spec asks for, with some lines in place of its own.
    fn guard(&self, name: &str, lines: &[(&str, &str)]) {
        let any = ("tenants", "[\"*\"]");
        let all = [
            any,
            ("subscriptions", "[\"*\"]"),
            ("resourceGroups", "[rg]"),
            ("vaults", "[\"kv*\"]"),
            ("accounts", "[\"st*\"]"),
        ];
        let kept = all.iter().filter(|(field, _)| !lines.iter().any(|(other, _)| other == field));
        let lines = kept.chain(lines).map(|(field, value)| format!("{field}: {value}\n"));
        self.write(name, &format!("version: 1\n{}", lines.collect::<String>()));
    }

    fn prove(&self, words: &[&str], environment: &[(&str, &str)]) -> Said {
        let mut program = cmk();
        program.current_dir(self.0.path()).envs(environment.iter().copied());
        let output = program.args(["prove", "spec.yaml", "--seeds=0"]).args(words).output().expect("it starts");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
        Said { exit: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

impl Said {
    fn document(&self) -> Value {
        serde_json::from_str(&self.out).expect("a document")
    }
}

#[test]
fn a_spec_that_the_pipeline_would_refuse_is_refused_with_each_breach_and_what_to_do() {
    let desk = Desk::new(SPEC);
    desk.guard("guard.yaml", &[("vaults", "[\"kv-pay*\"]"), ("keys", "{ sizes: [4096] }")]);
    let said = desk.prove(&["--guard=guard.yaml"], &[]);
    assert_eq!(said.exit, Some(3), "{}\n{}", said.out, said.err);
    for line in [
        "The first plan, from \"nothing is there\", is outside of the guard\n",
        "  refused[CMK233]: vault kv1: the guard allows kv-pay*\n    help: leave it out of this run, or have the owner of \
         the guard guard.yaml allow it; `cmk explain CMK233`\n",
        "  refused[CMK235]: key kv1/main: it has 3072 bits, and the guard allows 4096 bits\n",
        "\nOutside of the guard: a plan like this is refused\nProved: from every start",
    ] {
        assert!(said.out.contains(line), "{line}\n{}", said.out);
    }
    assert!(!said.out.contains("not checked: the tenants"), "any tenant is allowed: {}", said.out);

    // The environment's guard holds whatever the command line says.
    desk.guard("wide.yaml", &[]);
    let said = desk.prove(&["--guard=wide.yaml", "--format=json"], &[("CMK_GUARD", "guard.yaml")]);
    assert_eq!(said.exit, Some(3), "{}", said.err);
    let document = said.document();
    assert_eq!((&document["proved"], &document["guard"]["verdict"]), (&json!(true), &json!("outside of the guard")));
    let breach = &document["guard"]["breaches"][0];
    assert_eq!((&breach["code"], &breach["resource"]), (&json!("CMK233"), &json!("vault kv1")), "{document:#}");
    assert!(breach["help"].as_str().is_some_and(|help| help.contains("guard.yaml")), "{breach}");
}

#[test]
fn what_only_azure_knows_is_said_and_not_guessed() {
    let desk = Desk::new(EXPECTS);
    let zero = "[00000000-0000-0000-0000-000000000000]";
    // A key of 3072 bits stands in the simulator for one that nobody here has seen.
    desk.guard("guard.yaml", &[("tenants", zero), ("keys", "{ types: [RSA-HSM], sizes: [4096] }")]);
    let said = desk.prove(&["--guard=guard.yaml"], &[]);
    assert_eq!(said.exit, Some(0), "{}\n{}", said.out, said.err);
    for line in [
        "The first plan, from \"nothing is there\", is within the guard\n",
        "  not checked: the tenants of guard.yaml: ",
        "  not checked: the type and size of key kv1/main against guard.yaml: ",
    ] {
        assert!(said.out.contains(line), "{line}\n{}", said.out);
    }
    assert!(!said.out.contains("Outside") && !said.out.contains("limits of one run"), "{}", said.out);

    desk.guard("guard.yaml", &[("perRun", "{ accounts: 1, risk: irreversible }")]);
    let document = desk.prove(&["--guard=guard.yaml", "--format=json"], &[]).document();
    assert_eq!(document["guard"]["verdict"], "within the guard");
    let unchecked = document["guard"]["notChecked"].as_array().expect("a list");
    assert!(unchecked.len() == 1 && unchecked[0].as_str().is_some_and(|one| one.contains("limits of one run")));
}

#[test]
fn from_what_is_there_the_tenants_are_checked_too() {
    let desk = Desk::new(EXPECTS);
    let (there, _) = world("group\nvault kv1\nkey kv1/main", pace());
    Sandbox::write(&desk.path("sandbox.json"), &there).expect("it can be written");
    let live = ["--from-live", "--sandbox=sandbox.json", "--guard=guard.yaml"];
    desk.guard("guard.yaml", &[("tenants", "[00000000-0000-0000-0000-000000000000]"), ("keys", "{ sizes: [4096] }")]);
    let said = desk.prove(&live, &[]);
    assert_eq!(said.exit, Some(3), "{}\n{}", said.out, said.err);
    for line in [
        "from \"what was seen in Azure\", is outside of the guard",
        "refused[CMK230]: vault kv1",
        "refused[CMK235]: key kv1/main: it has 2048 bits",
    ] {
        assert!(said.out.contains(line), "{line}\n{}", said.out);
    }
    assert!(!said.out.contains("not checked: the t"), "{}", said.out);
    desk.guard("guard.yaml", &[("tenants", &format!("[{TENANT}]")), ("keys", "{ sizes: [2048] }")]);
    let said = desk.prove(&live, &[]);
    assert_eq!(said.exit, Some(0), "{}\n{}", said.out, said.err);
}

#[test]
fn a_guard_that_cannot_be_read_is_never_silently_off() {
    let desk = Desk::new(SPEC);
    for (words, environment) in [(&["--guard=none.yaml"][..], &[][..]), (&[], &[("CMK_GUARD", "")])] {
        let said = desk.prove(words, environment);
        assert_eq!((said.exit, said.out.as_str()), (Some(1), ""), "{}", said.err);
        assert!(said.err.contains("uard"), "{}", said.err);
    }
}
