//! Who uses a key: for a person, and as a document.

use super::text::{Paint, clean, count, wrap};
use super::{Scene, Traffic};
use crate::model::{KeyUser, KeyUsers, Unseen, Version};
use serde::Serialize;

/// What was asked.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// The key: `kv-prod/main`.
    pub key: &'a str,
    /// Only users of this version.
    pub version: Option<&'a Version>,
    /// The subscriptions that were looked through.
    pub subscriptions: Vec<String>,
}

/// The users, the ones in doubt marked, and what could not be seen.
pub fn human(found: &KeyUsers, question: &Question<'_>, styled: bool) -> String {
    let paint = Paint { styled };
    let users: Vec<&KeyUser> = wanted(found, question).collect();
    let what = question
        .version
        .map_or_else(|| question.key.to_owned(), |version| format!("{} version {version}", question.key));
    let seen = count(found.accounts, "account");
    let mut out = paint.strong(&wrap("", "", &format!("{} of key {what}, among {seen}", count(users.len(), "user"))));
    for user in users {
        out.push_str(&wrap("  ", "    ", &line(user)));
    }
    if !found.unseen.is_empty() {
        out.push('\n');
        out.push_str(&paint.caution("Not seen, and may hold users\n"));
        for Unseen { what, why, permission } in &found.unseen {
            out.push_str(&wrap("  ", "    ", &format!("{what}: {why}")));
            out.push_str(&wrap("    help: ", "          ", &format!("the permission {permission} would show it")));
        }
    }
    out.push('\n');
    out.push_str(&wrap("", "", ELSEWHERE));
    out
}

const ELSEWHERE: &str = "Only storage was looked at: disks, databases and other services may use the key as well.";

fn wanted<'a>(found: &'a KeyUsers, question: &Question<'a>) -> impl Iterator<Item = &'a KeyUser> {
    let version = question.version;
    found.users.iter().filter(move |user| version.is_none_or(|version| user.may_use(version)))
}

fn line(user: &KeyUser) -> String {
    let KeyUser { account, scope, who: _, pinned, current, moved: _ } = user;
    let scope = scope.as_ref().map(|scope| format!(", encryption scope {scope}")).unwrap_or_default();
    let how = match (pinned, current) {
        (Some(version), _) => format!("pinned to version {version}"),
        (None, Some(version)) => format!("follows the newest; version {version} is in use"),
        (None, None) => "follows the newest; which version is in use is not told".to_owned(),
    };
    format!("{account}{scope}: {how}")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    format_version: u32,
    cloud: String,
    key: String,
    version: Option<String>,
    subscriptions: Vec<String>,
    accounts_looked_at: usize,
    complete: bool,
    users: Vec<UserEntry>,
    unseen: Vec<UnseenEntry>,
    stats: super::document::StatsEntry,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserEntry {
    account: String,
    scope: Option<String>,
    pinned_version: Option<String>,
    current_version: Option<String>,
}

#[derive(Serialize)]
struct UnseenEntry {
    what: String,
    why: String,
    permission: String,
}

/// The document of `who-uses`.
pub fn json(found: &KeyUsers, question: &Question<'_>, traffic: &Traffic, scene: &Scene) -> String {
    let user = |user: &KeyUser| UserEntry {
        account: user.account.to_string(),
        scope: user.scope.as_deref().map(clean),
        pinned_version: user.pinned.as_ref().map(ToString::to_string),
        current_version: user.current.as_ref().map(ToString::to_string),
    };
    let unseen =
        |one: &Unseen| UnseenEntry { what: clean(&one.what), why: clean(&one.why), permission: one.permission.clone() };
    super::json::write(&Document {
        format_version: super::json::FORMAT_VERSION,
        cloud: scene.cloud.clone(),
        key: question.key.to_owned(),
        version: question.version.map(ToString::to_string),
        subscriptions: question.subscriptions.clone(),
        accounts_looked_at: found.accounts,
        complete: found.unseen.is_empty(),
        users: wanted(found, question).map(user).collect(),
        unseen: found.unseen.iter().map(unseen).collect(),
        stats: super::document::stats(traffic),
    })
}
