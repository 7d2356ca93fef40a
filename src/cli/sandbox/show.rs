//! `cmk sandbox show`: what there is in the sandbox, and who can read what.

use super::super::arguments::Format;
use super::super::context::Context;
use super::super::exit::{Exit, Trouble};
use super::arguments::Where;
use super::control::{self, Place};
use reqwest::Method;
use serde_json::Value;
use std::fmt::Write;

/// Prints the world.
pub(super) fn run(context: &mut Context, place: &Where, format: Format) -> Result<Exit, Trouble> {
    let world = match control::find(context, place)? {
        Place::Running(ready) => control::ask(&ready, Method::GET, "/world", None)?,
        Place::Ours(sandbox) => {
            let now = sandbox.now();
            sandbox.world(|world| world.shown(now))
        }
    };
    let text = match format {
        Format::Human => human(&world),
        Format::Json => format!("{world:#}\n"),
    };
    context.output.document(&text)?;
    Ok(Exit::Good)
}

fn human(world: &Value) -> String {
    let mut out = format!("The sandbox at {}, after {} writes\n", text(&world["now"]), world["writes"]);
    section(&mut out, "Accounts", &world["accounts"], |account| {
        let reads = if account["readable"] == true { "readable" } else { "NOT readable" };
        format!("{}  {reads}: {}", name(account), text(&account["why"]))
    });
    section(&mut out, "Vaults", &world["vaults"], |vault| {
        let keys: Vec<String> = list(&vault["keys"]).map(key).collect();
        let keys = if keys.is_empty() { "no keys".to_owned() } else { keys.join(", ") };
        let protection = if vault["purgeProtection"] == true { "purge protection" } else { "no purge protection" };
        format!("{}  {protection}; {keys}", name(vault))
    });
    section(&mut out, "Deleted vaults", &world["deletedVaults"], |vault| text(&vault["name"]).to_owned());
    section(&mut out, "Subscriptions", &world["subscriptions"], |subscription| {
        let aside = if subscription["state"] == "Disabled" { "  disabled" } else { "" };
        format!("{}  {}{aside}", text(&subscription["id"]), text(&subscription["name"]))
    });
    section(&mut out, "Resource groups", &world["groups"], |group| name(group).to_owned());
    out
}

fn section(out: &mut String, title: &str, values: &Value, line: impl Fn(&Value) -> String) {
    let mut values = list(values).peekable();
    if values.peek().is_none() {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    for value in values {
        let _ = writeln!(out, "  {}", line(value));
    }
}

fn key(key: &Value) -> String {
    let versions: Vec<&Value> = list(&key["versions"]).collect();
    let disabled = versions.iter().filter(|version| version["enabled"] == false).count();
    let aside = if disabled == 0 { String::new() } else { format!(", {disabled} disabled") };
    let plural = if versions.len() == 1 { "" } else { "s" };
    format!("{} ({} version{plural}{aside})", text(&key["name"]), versions.len())
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The last part of an id.
fn name(value: &Value) -> &str {
    text(&value["id"]).rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    #[test]
    fn a_world_is_shown_with_what_matters_first() {
        let version = json!({"id": "1", "enabled": false});
        let world = json!({
            "now": "2026-01-01T00:00:00Z", "writes": 4,
            "accounts": [{"id": "/x/st1", "readable": false, "why": "the vault kv1 is not live"}],
            "vaults": [{"id": "/x/kv1", "purgeProtection": true, "keys": [{"name": "k", "versions": [version]}]}],
            "deletedVaults": [],
            "subscriptions": [{"id": "s", "name": "Practice one", "state": "Disabled"}],
            "groups": [{"id": "/subscriptions/s/resourceGroups/rg"}],
        });
        expect![[r"
            The sandbox at 2026-01-01T00:00:00Z, after 4 writes

            Accounts
              st1  NOT readable: the vault kv1 is not live

            Vaults
              kv1  purge protection; k (1 version, 1 disabled)

            Subscriptions
              s  Practice one  disabled

            Resource groups
              rg
        "]]
        .assert_eq(&human(&world));
    }
}
