//! How the accounts of a spec stand, as Markdown: alarms first, then a table, never longer than a comment may be.

use super::markdown::{LENGTH_MAX, code, prose};
use super::status::{headline, next_version, reads};
use super::text::count;
use crate::model::Check;
use crate::status::{AccountStatus, Status};
use std::fmt::Write as _;

/// What is kept free for the line that says how much is missing.
const RESERVE: usize = 200;

/// The page of `status`.
pub fn markdown(status: &Status, alarms: &[String]) -> String {
    let mut lines: Vec<String> = vec![];
    lines.extend(alarms.iter().map(|alarm| format!("- alarm: {}", prose(alarm))));
    lines.extend(status.other_drift.iter().map(|id| format!("- drift: the spec asks for {}", code(&id.0))));
    lines.extend(status.refused.iter().map(|text| format!("- drift: {}", prose(text))));
    if !lines.is_empty() {
        lines.push(String::new());
    }
    if !status.accounts.is_empty() {
        lines.push("| Account | Data | Key version | Expires | Next version | Grant | Drift |".to_owned());
        lines.push("|---|---|---|---|---|---|---|".to_owned());
        lines.extend(status.accounts.iter().map(row));
    }
    let mut page = format!("### {}\n\n", prose(&headline(status)));
    let all = lines.len();
    for (at, line) in lines.into_iter().enumerate() {
        if page.len() + line.len() + RESERVE > LENGTH_MAX {
            let _ = write!(page, "\n**Not all is shown**: {} are missing.\n", count(all - at, "line"));
            return page;
        }
        page.push_str(&line);
        page.push('\n');
    }
    page
}

fn row(one: &AccountStatus) -> String {
    let version = match (&one.key, &one.version) {
        (None, _) => "–".to_owned(),
        (Some(key), version) => {
            let version = version.as_ref().map(|version| format!(" {}", code(version.as_str()))).unwrap_or_default();
            format!("{}{version}, {}", code(key), if one.follows { "Azure follows the newest" } else { "pinned" })
        }
    };
    let expires = one.expires.map_or_else(|| "–".to_owned(), |end| end.to_string());
    let next = one.next_rotation.map_or_else(|| "–".to_owned(), next_version);
    let grant = match &one.granted {
        Check::Yes => "in place".to_owned(),
        Check::No(why) => prose(why),
        Check::Pending(why) | Check::Unknown(why) => format!("not known: {}", prose(why)),
    };
    let drift: Vec<String> = one.drift.iter().map(|id| code(&id.0)).collect();
    let drift = if drift.is_empty() { "none".to_owned() } else { drift.join(", ") };
    let account = code(one.account.as_str());
    format!("| {account} | {} | {version} | {expires} | {next} | {grant} | {drift} |", prose(&reads(&one.reads)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AccountName, Timestamp};
    use crate::plan::StepId;
    use crate::plan::review::Reads;

    fn account(name: &str, why: &str) -> AccountStatus {
        AccountStatus {
            account: AccountName::parse(name).unwrap(),
            key: Some("kv1/main".to_owned()),
            version: None,
            follows: true,
            created: None,
            expires: Some(Timestamp(1_767_225_600)),
            next_rotation: None,
            granted: Check::No(why.to_owned()),
            reads: Reads::No(why.to_owned()),
            is_revoked: false,
            drift: vec![StepId("grant/st1/kv1".to_owned())],
        }
    }

    fn status(accounts: Vec<AccountStatus>) -> Status {
        Status { at: Timestamp(1_000_000), accounts, other_drift: vec![], refused: vec![] }
    }

    #[test]
    fn alarms_come_first_and_nothing_breaks_out_of_the_table() {
        let page = markdown(&status(vec![account("st1", "a | b\n@everyone <img>")]), &["unreadable: st1".to_owned()]);
        let html = comrak::markdown_to_html(&page, &comrak_options());
        assert!(page.find("alarm").unwrap() < page.find("| Account").unwrap(), "{page}");
        assert_eq!(html.matches("<td>").count(), 7, "{html}");
        assert!(!html.contains("<img"), "{html}");
        assert!(page.contains("2026-01-01T00:00:00Z"), "{page}");
    }

    #[test]
    fn a_long_page_is_cut_below_the_limit_and_says_so() {
        let many = (0..2000).map(|n| account(&format!("st{n:04}"), &"why ".repeat(20))).collect();
        let page = markdown(&status(many), &[]);
        assert!(page.len() <= LENGTH_MAX && page.contains("**Not all is shown**"), "{}", page.len());
    }

    fn comrak_options() -> comrak::Options<'static> {
        let mut options = comrak::Options::default();
        options.extension.table = true;
        options
    }
}
