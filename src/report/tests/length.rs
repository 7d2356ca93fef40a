//! Markdown always fits into a comment, and says in its first line when that costs something.

use super::super::markdown::{self, LENGTH_MAX};
use super::scene;
use crate::plan::tests::world::{desired, observed};
use crate::plan::{Plan, plan};
use expect_test::expect;

/// So many accounts moved from a key in one vault to a key in another.
fn moves(accounts: usize) -> Plan {
    let names = || (0..accounts).map(|n| format!("st{n:05}"));
    let each = |text: &str| names().map(|name| text.replace("NAME", &name)).collect::<String>();
    let wanted = each("account NAME system uses kv2/new; ");
    let seen = each("account NAME system bound kv1/main@A; ");
    let grants = each("NAME=get+wrapKey+unwrapKey ");
    let wanted = format!("vault kv1 protected; vault kv2 protected; key kv1/main; key kv2/new; {wanted}");
    let seen = format!("vault kv1 protected {grants}; vault kv2 protected; key kv1/main A; key kv2/new B; {seen}");
    plan(&desired(&wanted), &observed(&wanted, &seen))
}

#[test]
fn what_is_too_long_loses_details_first_then_steps_and_never_a_risk_in_silence() {
    let mut told: Vec<String> = vec![];
    for accounts in [1, 30, 150, 300, 900] {
        let text = markdown::plan(&moves(accounts), &scene());
        assert!(text.len() < LENGTH_MAX, "{accounts}: {}", text.len());
        let first = text.lines().next().unwrap_or_default();
        let details = text.contains("A crash leaves");
        let steps = text.contains("\n2. ");
        let graph = text.contains("mermaid");
        let asks = text.matches("\n- `--accept ").count();
        let first: String = first.chars().take(60).collect();
        told.push(format!("{accounts}: details {details}, steps {steps}, graph {graph}, asks {asks}: {first}\n"));
    }
    expect![[r#"
        1: details true, steps true, graph true, asks 1: ### cmk plan: 2 steps to take. Highest risk: custody change 
        30: details true, steps true, graph false, asks 30: ### cmk plan: 60 steps to take. Highest risk: custody change
        150: details true, steps true, graph false, asks 150: ### cmk plan: 300 steps to take. Highest risk: custody chang
        300: details false, steps false, graph false, asks 300: ### cmk plan: 600 steps to take. Highest risk: custody chang
        900: details false, steps false, graph false, asks 100: **not reviewable here**: left out for length are 880 account
    "#]].assert_eq(&told.concat());
}

#[test]
fn what_is_missing_is_counted_in_the_first_line() {
    let text = markdown::plan(&moves(2000), &scene());
    expect!["**not reviewable here**: left out for length are 1980 accounts whose data may be concerned, 1900 acknowledgements, 1980 changes of access, 1980 moves between key versions, 3960 risks, 1980 things that are touched. Read the plan with `cmk plan` or `cmk plan --format json`."].assert_eq(text.lines().next().unwrap_or_default());
    assert!(
        text.lines().last().unwrap_or_default().contains("digest `"),
        "what binds the text to a plan is always there"
    );
}
