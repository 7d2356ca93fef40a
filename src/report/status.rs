//! How the accounts of a spec stand: for a person, as a document, and for a page.

use super::text::{Paint, clean, count, wrap};
use super::{Scene, Traffic};
use crate::model::{Check, Timestamp};
use crate::plan::review::Reads;
use crate::status::{AccountStatus, NextRotation, Rotator, Status};
use serde::Serialize;

pub use super::status_page::markdown;

/// Every account in a few lines, and what sets off an alarm.
pub fn human(status: &Status, alarms: &[String], styled: bool) -> String {
    let paint = Paint { styled };
    let mut out = paint.strong(&wrap("", "", &headline(status)));
    for account in &status.accounts {
        out.push('\n');
        out.push_str(&paint.strong(&wrap(
            "",
            "  ",
            &format!("account {}: {}", account.account, reads(&account.reads)),
        )));
        for line in details(account, status.at) {
            out.push_str(&wrap("  ", "    ", &line));
        }
    }
    let rest: Vec<String> = status.other_drift.iter().map(|id| format!("the spec asks for {id}")).collect();
    for line in rest.iter().chain(&status.refused) {
        out.push_str(&paint.caution(&wrap("\ndrift: ", "  ", line)));
    }
    if !alarms.is_empty() {
        out.push('\n');
        out.push_str(&paint.bad("Alarms\n"));
        alarms.iter().map(|alarm| wrap("  ", "    ", alarm)).for_each(|line| out.push_str(&line));
    }
    out
}

pub(super) fn headline(status: &Status) -> String {
    let is_readable = |one: &&AccountStatus| one.reads.is_yes();
    let (all, readable) = (status.accounts.len(), status.accounts.iter().filter(is_readable).count());
    let adrift = status.accounts.iter().filter(|one| !one.drift.is_empty()).count();
    format!("{}: {readable} readable, {adrift} not as the spec wants, at {}", count(all, "account"), status.at)
}

pub(super) fn reads(reads: &Reads) -> String {
    match reads {
        Reads::NotThere => "it is not there".to_owned(),
        Reads::ByMicrosoft => "readable, through a key that Microsoft manages".to_owned(),
        Reads::ByKey(key) => format!("readable, through {key}"),
        Reads::No(why) => format!("NOT readable: {why}"),
        Reads::Unknown(why) => format!("whether it is readable is not known: {why}"),
    }
}

fn details(account: &AccountStatus, at: Timestamp) -> Vec<String> {
    let AccountStatus { key, version, follows, created, expires, next_rotation, granted, drift, is_revoked, .. } =
        account;
    let mut lines = vec![];
    if let Some(key) = key {
        let version = version.as_ref().map(|version| format!(" version {version}")).unwrap_or_default();
        let how = if *follows { "Azure follows the newest" } else { "pinned" };
        lines.push(format!("key: {key}{version}, {how}"));
        let made = created.map(|made| format!("made {}", age(made, at)));
        let end = expires.map_or("does not expire".to_owned(), |end| format!("expires {end}"));
        lines.push(made.into_iter().chain([end]).collect::<Vec<_>>().join(", "));
        lines.extend(next_rotation.map(|next| format!("next version: {}", next_version(next))));
        lines.push(match granted {
            Check::Yes => "grant: in place".to_owned(),
            Check::No(why) => format!("grant: {why}"),
            Check::Pending(why) | Check::Unknown(why) => format!("grant: not known: {why}"),
        });
    }
    if *is_revoked {
        lines.push("out of reach on purpose: the spec says `access: revoked`".to_owned());
    }
    if !drift.is_empty() {
        let steps: Vec<&str> = drift.iter().map(|id| id.0.as_str()).collect();
        lines.push(format!("drift: the spec asks for {}", steps.join(", ")));
    }
    lines
}

/// When the next version is due, and who makes it.
pub(super) fn next_version(next: NextRotation) -> String {
    let NextRotation { at, by } = next;
    match by {
        Rotator::KeyVault => format!("{at}, by Key Vault"),
        Rotator::Apply => format!("{at}, by the next cmk apply after that"),
    }
}

fn age(made: Timestamp, at: Timestamp) -> String {
    format!("{} days ago", (at.0 - made.0).max(0) / 86_400)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    format_version: u32,
    cloud: &'a str,
    observed_at: String,
    accounts: Vec<Entry>,
    other_drift: Vec<&'a str>,
    refused: &'a [String],
    alarms: &'a [String],
    stats: super::document::StatsEntry,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    account: String,
    key: Option<String>,
    version: Option<String>,
    follows_newest: bool,
    version_created: Option<String>,
    version_expires: Option<String>,
    next_rotation: Option<NextEntry>,
    granted: &'static str,
    readable: &'static str,
    readable_detail: String,
    revoked: bool,
    drift: Vec<String>,
}

#[derive(Serialize)]
struct NextEntry {
    at: String,
    by: &'static str,
}

/// The document of `status`.
pub fn json(status: &Status, alarms: &[String], traffic: &Traffic, scene: &Scene) -> String {
    super::json::write(&Document {
        format_version: super::json::FORMAT_VERSION,
        cloud: &scene.cloud,
        observed_at: status.at.to_string(),
        accounts: status.accounts.iter().map(entry).collect(),
        other_drift: status.other_drift.iter().map(|id| id.0.as_str()).collect(),
        refused: &status.refused,
        alarms,
        stats: super::document::stats(traffic),
    })
}

fn entry(one: &AccountStatus) -> Entry {
    Entry {
        account: one.account.to_string(),
        key: one.key.as_deref().map(clean),
        version: one.version.as_ref().map(ToString::to_string),
        follows_newest: one.follows,
        version_created: one.created.map(|at| at.to_string()),
        version_expires: one.expires.map(|at| at.to_string()),
        next_rotation: one.next_rotation.map(|next| NextEntry {
            at: next.at.to_string(),
            by: match next.by {
                Rotator::KeyVault => "keyVault",
                Rotator::Apply => "apply",
            },
        }),
        granted: match one.granted {
            Check::Yes => "yes",
            Check::No(_) => "no",
            Check::Pending(_) | Check::Unknown(_) => "unknown",
        },
        readable: one.reads.as_str(),
        readable_detail: clean(one.reads.detail()),
        revoked: one.is_revoked,
        drift: one.drift.iter().map(|id| id.0.clone()).collect(),
    }
}
