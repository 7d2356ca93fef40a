//! S15: what is outside the operator's guard stays as it is, and no account comes under a key outside it.

use super::honest::Finding;
use super::sight::Sight;
use crate::model::{Guard, Pattern};
use serde_json::Value;
use std::collections::BTreeSet;

fn fits(patterns: &[Pattern], name: &str) -> bool {
    patterns.iter().any(|pattern| pattern.fits(name))
}

/// The names in a part of one census or the other, of things that were touched between the two.
fn names<'a>(before: Sight<'a>, after: Sight<'a>, part: &str) -> BTreeSet<&'a str> {
    let of = |sight: Sight<'a>| sight.census.things().get(part).into_iter().flat_map(|all| all.keys());
    let all = of(before).chain(of(after)).map(String::as_str);
    all.filter(|name| !after.census.is_untouched(before.census, part, name)).collect()
}

/// Holds one effect against the guard.
pub(super) fn findings(guard: &Guard, before: Sight<'_>, after: Sight<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = vec![];
    for (part, allowed) in [("vaults", &guard.vaults), ("accounts", &guard.accounts)] {
        for name in names(before, after, part).into_iter().filter(|name| !fits(allowed, name)) {
            let of = |sight: Sight<'_>| sight.census.thing(part, name).map_or(Value::Null, |thing| Value::clone(thing));
            findings.push(("S15", of(before) == of(after), format!("{part}/{name} is outside the guard")));
        }
    }
    for name in names(before, after, "accounts") {
        let place = |sight: Sight<'_>| sight.binding(name).map(|binding| (binding.vault, binding.key));
        let Some((vault, key)) = place(after).filter(|now| place(before).as_ref() != Some(now)) else { continue };
        findings.push(("S15", fits(&guard.vaults, &vault), format!("account {name} came under {vault}/{key}")));
    }
    findings
}
