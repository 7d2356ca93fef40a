//! Guard files: read with every problem at once, described, and held against what a plan touches.

use cmk::diag::{self, Source, codes};
use cmk::model::{Guard, Observed, Pattern, Seen};
use cmk::plan::{RiskClass, guard};
use cmk::spec;
use expect_test::{expect, expect_file};
use serde_json::Value;

const REFERENCE: &str = include_str!("../../docs/guard.md");
const EXAMPLE: &str = include_str!("../../docs/guard.example.yaml");

fn load(text: &str) -> (Option<Guard>, String) {
    let source = Source { name: "guard.yaml".to_owned(), text: text.to_owned() };
    let (guard, diagnostics) = spec::load_guard(&source);
    (guard, diag::render(&source, &diagnostics, false))
}

#[test]
fn the_committed_schema_is_current() {
    let text = format!("{:#}\n", spec::guard_schema());
    expect_file!["../../docs/guard.schema.json"].assert_eq(&text);
}

#[test]
fn the_example_is_a_good_guard_and_stands_in_the_reference() {
    let (guard, told) = load(EXAMPLE);
    assert_eq!(told, "");
    let guard = guard.unwrap();
    assert!(guard.vaults[0].fits("kv-payroll-west") && !guard.vaults[0].fits("kv-legal"));
    assert_eq!(guard.accounts_max, Some(20));
    assert!(EXAMPLE.starts_with("# yaml-language-server: $schema=guard.schema.json\n"));
    let body: String = EXAMPLE.lines().filter(|line| !line.starts_with('#')).flat_map(|line| [line, "\n"]).collect();
    assert!(REFERENCE.contains(&format!("```yaml\n{body}```")), "{body}");
}

#[test]
fn the_reference_names_every_field_word_and_code() {
    fn names(value: &Value, found: &mut Vec<String>) {
        if let Some(fields) = value.get("properties").and_then(|fields| fields.as_object()) {
            found.extend(fields.keys().cloned());
        }
        let words = value.get("enum").and_then(|words| words.as_array()).into_iter().flatten();
        found.extend(words.chain(value.get("const")).map(|word| word.to_string().trim_matches('"').to_owned()));
        match value {
            Value::Object(map) => map.values().for_each(|inner| names(inner, found)),
            Value::Array(items) => items.iter().for_each(|inner| names(inner, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    names(&spec::guard_schema(), &mut found);
    assert!(found.len() > 25);
    found.extend(codes::all().filter(|code| code.id >= "CMK230" && code.id < "CMK240").map(|code| code.id.to_owned()));
    for name in found {
        assert!(REFERENCE.contains(&format!("`{name}`")), "`{name}` is missing");
    }
}

#[test]
fn every_kind_of_risk_can_be_a_limit() {
    for class in std::iter::once(RiskClass::None).chain(RiskClass::ALL) {
        let (guard, told) = load(&EXAMPLE.replace("risk: irreversible", &format!("risk: {class}")));
        assert_eq!(guard.and_then(|guard| guard.risk_max).as_deref(), Some(class.as_str()), "{told}");
    }
}

#[test]
fn every_problem_of_a_guard_is_told_at_once_with_its_place() {
    let (guard, told) = load(
        "version: 1
tenants: [mine, \"*\"]
subscriptions: \"*\"
resourceGroups: [[], rg a]
vaults:
accounts: [stPayroll]
keys: { sizes: [1024, large], type: RSA }
permissions: [get, decrypt]
perRun: { accounts: -1, risk: irreversable }
",
    );
    assert!(guard.is_none());
    expect![[r#"
        error[CMK050]: `mine` fits nothing under `tenants`
         --> guard.yaml:2:11
          |
        2 | tenants: [mine, "*"]
          |           ^^^^ not a tenant's id, a GUID, or `"*"` for any
          |
        help: write a tenant's id, a GUID, or `"*"` for any

        error[CMK014]: `subscriptions` takes a list, not the text "*"
         --> guard.yaml:3:16
          |
        3 | subscriptions: "*"
          |                ^^^ not a list
          |
        help: it takes a list of ids, as in `subscriptions: [11111111-1111-1111-1111-111111111111]`

        error[CMK014]: `resourceGroups.0` takes text, not a list
         --> guard.yaml:4:18
          |
        4 | resourceGroups: [[], rg a]
          |                  ^^ not text
          |
        help: it takes a list of names, as in `resourceGroups: ["rg-pay-*"]`

        error[CMK050]: `rg a` fits nothing under `resourceGroups`
         --> guard.yaml:4:22
          |
        4 | resourceGroups: [[], rg a]
          |                      ^^^^ not letters, digits, `.`, `_`, `-`, parentheses and `*`
          |
        help: write letters, digits, `.`, `_`, `-`, parentheses and `*`

        error[CMK006]: `vaults` has no value
         --> guard.yaml:5:1
          |
        5 | vaults:
          | ^^^^^^ nothing stands behind it
          |
        help: it takes a list of names: write `vaults: ["kv-pay-*"]`, or leave the line out

        error[CMK050]: `stPayroll` fits nothing under `accounts`
         --> guard.yaml:6:12
          |
        6 | accounts: [stPayroll]
          |            ^^^^^^^^^ not lower-case letters, digits and `*`
          |
        help: write lower-case letters, digits and `*`

        error[CMK021]: storage cannot use a key of 1024 bits
         --> guard.yaml:7:17
          |
        7 | keys: { sizes: [1024, large], type: RSA }
          |                 ^^^^ storage accepts RSA keys of 2048, 3072 or 4096 bits
          |
        help: write sizes out of 2048, 3072 and 4096

        error[CMK014]: `keys.sizes.1` takes a whole number, not `large`
         --> guard.yaml:7:23
          |
        7 | keys: { sizes: [1024, large], type: RSA }
          |                       ^^^^^ not a whole number
          |
        help: it takes a list of sizes in bits, as in `sizes: [3072, 4096]`

        error[CMK013]: `keys` has no field `type`
         --> guard.yaml:7:31
          |
        7 | keys: { sizes: [1024, large], type: RSA }
          |                               ^^^^ unknown field
          |
        help: did you mean `types`?

        error[CMK015]: `permissions` cannot be `decrypt`
         --> guard.yaml:8:20
          |
        8 | permissions: [get, decrypt]
          |                    ^^^^^^^ unknown word
          |
        help: storage wraps and unwraps its data key; it never decrypts with yours: `get`, `wrapKey`, `unwrapKey`

        error[CMK014]: `perRun.accounts` takes a whole number, not `-1`
         --> guard.yaml:9:21
          |
        9 | perRun: { accounts: -1, risk: irreversable }
          |                     ^^ not a whole number
          |
        help: it takes a list of names, or in `perRun` a number, as in `accounts: ["stpay*"]`

        error[CMK015]: `risk` cannot be `irreversable`
         --> guard.yaml:9:31
          |
        9 | perRun: { accounts: -1, risk: irreversable }
          |                               ^^^^^^^^^^^^ unknown word
          |
        help: did you mean `irreversible`?
    "#]]
    .assert_eq(&told);
}

#[test]
fn a_guard_that_leaves_a_place_out_or_says_nothing_is_none() {
    for text in ["", "version: 1\n", "version: 2\ntenants: []\n", "- a\n"] {
        let (guard, told) = load(text);
        assert!(guard.is_none() && told.contains("error[CMK"), "{text}: {told}");
        assert!(!told.contains("the spec"), "{told}");
    }
    let all = "version: 1\ntenants: [\"*\"]\nsubscriptions: [\"*\"]\nresourceGroups: [\"*\"]\nvaults: [\"*\"]\naccounts: [\"*\"]\n";
    let (guard, told) = load(all);
    assert!(guard.is_some() && told.contains("warning[CMK051]"), "{told}");
}

/// A guard that allows everything that the quickstart does, to be narrowed.
fn wide() -> Guard {
    let any = || vec![Pattern::new("*")];
    Guard {
        tenants: vec![Pattern::new(cmk::sandbox::TENANT)],
        subscriptions: any(),
        resource_groups: any(),
        vaults: any(),
        accounts: any(),
        ..Guard::default()
    }
}

#[tokio::test(start_paused = true)]
async fn each_rule_refuses_what_is_outside_it_and_nothing_else() {
    let practice = crate::practice::Practice::new();
    let desired = crate::practice::example("quickstart.yaml");
    let azure = practice.azure();
    let mut seen = cmk::observe::observe(&desired, &azure).await.unwrap();
    let plan = cmk::plan::plan(&desired, &seen);
    cmk::observe::add_subscriptions(&mut seen, guard::subscriptions(&plan), &azure).await.unwrap();
    let codes = |guard: &Guard, seen: &Observed| -> Vec<&'static str> {
        let mut codes: Vec<&str> =
            guard::breaches(&plan, seen, guard, "guard.yaml").iter().map(|refusal| refusal.code).collect();
        codes.dedup();
        codes
    };
    assert_eq!(codes(&wide(), &seen), [""; 0]);
    let none = || vec![Pattern::new("none-of-it")];
    let narrow: [(&str, Guard); 10] = [
        ("CMK230", Guard { tenants: none(), ..wide() }),
        ("CMK231", Guard { subscriptions: none(), ..wide() }),
        ("CMK232", Guard { resource_groups: none(), ..wide() }),
        ("CMK233", Guard { vaults: vec![], ..wide() }),
        ("CMK234", Guard { accounts: none(), ..wide() }),
        ("CMK235", Guard { key_types: Some(["RSA-HSM".to_owned()].into()), ..wide() }),
        ("CMK235", Guard { key_sizes_bits: Some([4096].into()), ..wide() }),
        ("CMK236", Guard { permissions: Some(cmk::model::KeyPermission::needed()), ..wide() }),
        ("CMK237", Guard { accounts_max: Some(0), ..wide() }),
        ("CMK238", Guard { risk_max: Some("accessChange".to_owned()), ..wide() }),
    ];
    for (code, guard) in narrow {
        assert_eq!(codes(&guard, &seen), [code]);
        assert!(codes::find(code).is_some());
    }
    // A limit that nobody knows allows nothing of note, and a tenant that could not be seen is not an allowed one.
    assert_eq!(codes(&Guard { risk_max: Some("so-so".to_owned()), ..wide() }, &seen), ["CMK238"]);
    for subscription in seen.subscriptions.values_mut() {
        *subscription = Seen::Absent;
    }
    assert_eq!(codes(&wide(), &seen), ["CMK230"]);
    assert_eq!(codes(&Guard { tenants: vec![Pattern::new("*")], ..wide() }, &seen), [""; 0]);
}
