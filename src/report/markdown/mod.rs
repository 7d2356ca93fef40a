//! A plan for a pull request: risk first, details collapsed, always short enough to be posted.
//!
//! Where a plan is too long, its steps' details go first, then its steps. Risks are never left out in silence: when they
//! do not fit, the first line says that the plan cannot be reviewed here, and how much is missing.

mod escape;
mod graph;
mod page;

use super::requests::{Request, Requests};
use super::sheet::{self, AccessGroup, ReadGroup, RiskGroup, Sheet, StepStory};
use super::text::count;
use super::{Scene, json, words};
use crate::plan::{BlindSpot, Plan, Refusal};
pub(in crate::report) use escape::{code, prose};
use page::{Detail, Page};
// Writing to a string cannot fail.
use std::fmt::Write as _;

/// The longest comment that GitHub takes, in characters; kept to in bytes, which are never fewer.
pub const LENGTH_MAX: usize = 65_536;

/// How many acknowledgements a page names that cannot name all.
const ASKS_MAX: usize = 100;

/// The whole report of a plan.
pub fn plan(plan: &Plan, scene: &Scene) -> String {
    showing(plan, None, scene)
}

/// The whole report of a plan, with the requests that each step will send.
pub fn showing(plan: &Plan, requests: Option<&Requests>, scene: &Scene) -> String {
    let sheet = Sheet::of(plan);
    for detail in [Detail::Whole, Detail::Titles, Detail::Groups] {
        let mut page = Page::new(detail, LENGTH_MAX);
        page.push(&heading(&sheet));
        write(&mut page, &sheet, requests, scene);
        if let Some(text) = page.whole() {
            return text;
        }
    }
    cut(&sheet, requests, scene)
}

/// As much as there is room for, and in the first line what is missing.
fn cut(sheet: &Sheet<'_>, requests: Option<&Requests>, scene: &Scene) -> String {
    // The first line and the origin have to fit in any case.
    let mut page = Page::new(Detail::Cut, LENGTH_MAX - 2_000);
    page.push(&heading(sheet));
    write(&mut page, sheet, requests, scene);
    let (text, missing) = page.cut();
    let missing: Vec<String> = missing.iter().map(|(what, number)| format!("{number} {what}")).collect();
    format!(
        "**not reviewable here**: left out for length are {}. Read the plan with `cmk plan` or `cmk plan --format json`.\n\n{text}",
        missing.join(", ")
    )
}

fn heading(sheet: &Sheet<'_>) -> String {
    format!("### cmk plan: {}\n\n", prose(&sheet.verdict))
}

fn write(page: &mut Page, sheet: &Sheet<'_>, requests: Option<&Requests>, scene: &Scene) {
    // Short, and it binds the text to a plan: so it is written first of all and put at the end.
    let origin = origin(sheet.plan, scene);
    consent(page, sheet);
    refusals(page, sheet);
    risks(page, sheet);
    touches(page, sheet);
    readable(page, sheet);
    doors(page, sheet);
    access(page, sheet);
    versions(page, sheet);
    unseen(page, sheet);
    steps(page, sheet, requests);
    waits(page, sheet.plan);
    undo(page, sheet);
    nearby(page, sheet);
    notes(page, sheet.plan);
    page.push(&origin);
}

fn consent(page: &mut Page, sheet: &Sheet<'_>) {
    if sheet.consent.is_empty() {
        return;
    }
    page.push(&format!("**{}**\n\n", sheet.consent));
    // With thousands of them, there has to be room for what they are about.
    let most = if page.detail() == Detail::Cut { ASKS_MAX } else { usize::MAX };
    page.missing("acknowledgements", sheet.asks.len().saturating_sub(most));
    for ask in sheet.asks.iter().take(most) {
        page.row("acknowledgements", 1, &format!("- {}\n", code(&format!("--accept {}", ask.what))));
    }
    page.push(if sheet.asks.is_empty() { "" } else { "\n" });
}

fn refusals(page: &mut Page, sheet: &Sheet<'_>) {
    for Refusal { code: id, resource, detail, help } in &sheet.plan.refusals {
        let summary = words::summary(id).unwrap_or(resource);
        let text = format!(
            "- **{}**: {}\n  - {}: {}\n  - help: {}\n",
            prose(id),
            prose(summary),
            prose(resource),
            prose(detail),
            prose(help)
        );
        page.row("refusals", 1, &text);
    }
    page.push(if sheet.plan.refusals.is_empty() { "" } else { "\n" });
}

/// Names in code spans, as many as this page shows of a list, and how many are left out.
fn names<'a>(page: &mut Page, what: &'static str, all: impl ExactSizeIterator<Item = &'a String>) -> String {
    let (total, most) = (all.len(), page.names_max());
    let shown: Vec<String> = all.take(most).map(|name| code(name)).collect();
    let left = total - shown.len();
    page.missing(what, left);
    let more = if left == 0 { String::new() } else { format!(" and {left} more") };
    format!("{}{more}", shown.join(", "))
}

fn risks(page: &mut Page, sheet: &Sheet<'_>) {
    page.table(!sheet.risks.is_empty(), &["Risk", "Object", "Why", "Steps"]);
    for RiskGroup { class, consent, why, objects, steps } in &sheet.risks {
        let most = page.names_max();
        let shown: Vec<String> = objects
            .iter()
            .take(most)
            .map(|(object, times)| if *times > 1 { format!("{} ×{times}", code(object)) } else { code(object) })
            .collect();
        let left = objects.len() - shown.len();
        page.missing("risks", left);
        let more = if left == 0 { String::new() } else { format!(" and {left} more") };
        let why = format!("{} ({})", prose(why), sheet::consent_of(*consent));
        let cells = [&sheet::coded(*class), &format!("{}{more}", shown.join(", ")), &why, &page.numbers(steps)];
        page.cells("risks", shown.len(), &cells);
    }
    page.push(if sheet.risks.is_empty() { "" } else { "\n" });
}

fn touches(page: &mut Page, sheet: &Sheet<'_>) {
    for things in &sheet.touches {
        let names = names(page, "things that are touched", things.names.iter());
        page.row("things that are touched", things.names.len(), &format!("- Touches {} {names}\n", things.what));
    }
    if !sheet.beside.is_empty() {
        let names = names(page, "accounts beside", sheet.beside.iter());
        let text = format!("- Not touched, and under keys of these vaults: {names}\n");
        page.row("accounts beside", sheet.beside.len(), &text);
    }
    under(page, sheet);
    page.push(if sheet.touches.is_empty() { "" } else { "\n" });
}

fn under(page: &mut Page, sheet: &Sheet<'_>) {
    let Some(keys) = &sheet.under else { return };
    if keys.is_empty() {
        page.push(&format!("- {}: nobody\n", sheet::UNDER));
    }
    for (key, users) in keys {
        let names = names(page, "users of keys", users.iter());
        page.row("users of keys", users.len(), &format!("- {}: {}: {names}\n", sheet::UNDER, code(key)));
    }
}

fn readable(page: &mut Page, sheet: &Sheet<'_>) {
    page.table(!sheet.readable.is_empty(), &["Readable", "Before", "During", "After", "Steps"]);
    for ReadGroup { accounts, before, during, after, steps, unreadable: _ } in &sheet.readable {
        let shown = names(page, "accounts whose data may be concerned", accounts.iter());
        let during = during.as_deref().map_or_else(|| "no change".to_owned(), prose);
        let cells = [&shown, &prose(before), &during, &prose(after), &page.numbers(steps)];
        page.cells("accounts whose data may be concerned", accounts.len(), &cells);
    }
    page.push(if sheet.readable.is_empty() { "" } else { "\n" });
    if sheet.is_unreadable() {
        page.push(&format!("{}\n\n", sheet::UNREADABLE));
    }
}

fn doors(page: &mut Page, sheet: &Sheet<'_>) {
    let mut any = false;
    for group in sheet.doors() {
        let objects = names(page, "one-way doors", group.objects.keys().collect::<Vec<_>>().into_iter());
        let text = format!("- **One-way door**: {objects}: {} ({})\n", prose(&group.why), page.numbers(&group.steps));
        page.row("one-way doors", group.objects.len(), &text);
        any = true;
    }
    page.push(if any { "\n" } else { "" });
}

fn access(page: &mut Page, sheet: &Sheet<'_>) {
    page.table(!sheet.access.is_empty(), &["Access", "May", "On", "By", "More than needed", "Steps"]);
    for AccessGroup { gains, kind, who, permissions, scope, by, more_than_needed, steps } in &sheet.access {
        let most = page.names_max();
        let shown: Vec<String> = who
            .iter()
            .take(most)
            .map(|(name, id)| {
                let id = id.as_deref().map_or_else(|| "Azure chooses its id".to_owned(), code);
                format!("{} ({id})", code(name))
            })
            .collect();
        let left = who.len() - shown.len();
        page.missing("changes of access", left);
        let more = if left == 0 { String::new() } else { format!(" and {left} more") };
        let verb = if *gains { "gains" } else { "**LOSES**" };
        let excess =
            if more_than_needed.is_empty() { "no".to_owned() } else { format!("**yes**: {}", prose(more_than_needed)) };
        let cells = [
            &format!("{verb}: {} {}{more}", prose(kind), shown.join(", ")),
            &prose(permissions),
            &prose(scope),
            &prose(by),
            &excess,
            &page.numbers(steps),
        ];
        page.cells("changes of access", shown.len(), &cells);
    }
    page.push(if sheet.access.is_empty() { "" } else { "\n" });
}

fn versions(page: &mut Page, sheet: &Sheet<'_>) {
    page.table(!sheet.versions.is_empty(), &["Key version", "From", "To", "Steps"]);
    for moved in &sheet.versions {
        let shown = names(page, "moves between key versions", moved.accounts.iter());
        let cells = [&shown, &prose(&moved.from), &prose(&moved.to), &page.numbers(&moved.steps)];
        page.cells("moves between key versions", moved.accounts.len(), &cells);
    }
    page.push(if sheet.versions.is_empty() { "" } else { "\n" });
}

fn unseen(page: &mut Page, sheet: &Sheet<'_>) {
    for BlindSpot { resource, why, permission, hides } in &sheet.plan.blind_spots {
        let mut text = format!("- **Not seen**: {}: {}\n", prose(resource), prose(why));
        for hidden in hides {
            let _ = writeln!(text, "  - hides: {}", prose(hidden));
        }
        if let Some(permission) = permission {
            let _ = writeln!(text, "  - help: the permission {} would show it", code(permission));
        }
        page.row("blind spots", 1, &text);
    }
    let unseen = &sheet.plan.review.radius.unseen;
    for text in unseen {
        page.row("things that were not looked for", 1, &format!("- Not looked for: {}.\n", prose(text)));
    }
    if !unseen.is_empty() || !sheet.plan.blind_spots.is_empty() {
        page.push("\n");
    }
}

fn steps(page: &mut Page, sheet: &Sheet<'_>, requests: Option<&Requests>) {
    if sheet.steps.is_empty() {
        return;
    }
    let all = count(sheet.steps.len(), "step");
    let (title, without) = match page.detail() {
        Detail::Whole => (format!("{all}, in order"), ""),
        Detail::Titles => {
            (format!("{all}, in order"), "Left out for length: what each step changes. `cmk plan` shows it.\n\n")
        }
        Detail::Groups | Detail::Cut => {
            let text = format!("Left out for length: {all} one by one. `cmk plan` shows them.\n\n");
            return page.push(&text);
        }
    };
    page.push(&format!("<details><summary>{title}</summary>\n\n{without}"));
    if sheet.steps.len() <= graph::STEPS_MAX && page.detail() == Detail::Whole {
        page.push(&graph::graph(&sheet.steps));
        page.push("\n");
    }
    for story in &sheet.steps {
        page.push(&one_step(story, page.detail()));
        let requests = requests.filter(|_| page.detail() == Detail::Whole);
        for request in requests.into_iter().flat_map(|requests| requests.of(&story.step.id)) {
            page.push(&one_request(request));
        }
        if page.is_over() {
            return;
        }
    }
    page.push("\n</details>\n\n");
}

fn one_step(story: &StepStory<'_>, detail: Detail) -> String {
    let StepStory { number, step, title, risks, why, makes: _, after, waits, leaves, like } = story;
    let risk = if risks.is_empty() { String::new() } else { format!(" (**{}**)", risks.join(", ")) };
    let mut out = format!("{number}. {}{risk}\n", prose(title));
    if detail != Detail::Whole {
        return out;
    }
    let after = if after.is_empty() { String::new() } else { format!(" After {}.", prose(&after.join(", "))) };
    if let Some(like) = like {
        let _ = writeln!(out, "    - Like {like}.{after}");
        return out;
    }
    let waits = waits.as_ref().map(|waits| format!(" Waits {}.", prose(waits))).unwrap_or_default();
    let _ = writeln!(out, "    - Why: {why}.{after}{waits} A crash leaves {}.", prose(leaves));
    let target = words::target(&step.action);
    for change in &step.because {
        let of = if change.resource == target { String::new() } else { format!("{}: ", prose(&change.resource)) };
        let before = change.before.as_deref().map_or_else(|| "(none)".to_owned(), code);
        let _ = writeln!(out, "    - {of}{}: {before} → {}", code(&change.path), code(&change.after));
    }
    out
}

fn one_request(request: &Request) -> String {
    let Request { method, url, body } = request;
    let mut out = format!("    - sends {} {}\n", code(method), code(url));
    if let Some(body) = body {
        out.push_str("\n      ```json\n");
        // A backtick could end the block; inside of JSON's strings it has another spelling.
        for line in json::pretty(body).replace('`', "\\u0060").lines() {
            let _ = writeln!(out, "      {line}");
        }
        out.push_str("      ```\n");
    }
    out
}

fn waits(page: &mut Page, plan: &Plan) {
    for wait in &plan.waits {
        let text = format!("- Under way in Azure, until {}: {}\n", prose(&wait.fact.to_string()), prose(&wait.why));
        page.row("waits", 1, &text);
    }
    page.push(if plan.waits.is_empty() { "" } else { "\n" });
}

fn undo(page: &mut Page, sheet: &Sheet<'_>) {
    if sheet.undo.is_empty() {
        return;
    }
    page.push("<details><summary>Undo, by hand</summary>\n\n");
    for (way, steps) in &sheet.undo {
        let text = format!("- {}: {}\n", page.numbers(steps), prose(way));
        page.row("ways to undo", steps.len(), &text);
    }
    page.push("\n</details>\n\n");
}

fn nearby(page: &mut Page, sheet: &Sheet<'_>) {
    if sheet.nearby.is_empty() {
        return;
    }
    let all: usize = sheet.nearby.iter().map(|(_, who)| who.len()).sum();
    page.push(&format!("<details><summary>Left alone: {all} with access of their own</summary>\n\n"));
    for (vault, who) in &sheet.nearby {
        let most = if page.detail() == Detail::Whole { usize::MAX } else { 20 };
        let shown: Vec<String> = who.iter().take(most).map(|one| prose(one)).collect();
        let left = who.len() - shown.len();
        let more = if left == 0 { String::new() } else { format!("; and {left} more") };
        page.row("others with access", who.len(), &format!("- vault {}: {}{more}\n", code(vault), shown.join("; ")));
    }
    page.push("\n</details>\n\n");
}

fn notes(page: &mut Page, plan: &Plan) {
    for note in &plan.notes {
        page.row("notes", 1, &format!("- Told, and left as it is: {}: {}\n", prose(&note.resource), prose(&note.text)));
    }
    page.push(if plan.notes.is_empty() { "" } else { "\n" });
}

/// Where the plan was made, of what, and by what.
fn origin(plan: &Plan, scene: &Scene) -> String {
    let mut parts = vec![format!("cloud {}", code(&scene.cloud))];
    parts.extend(plan.tenant.as_ref().map(|tenant| format!("tenant {}", code(tenant))));
    parts.extend((!plan.is_empty()).then(|| format!("digest {}", code(&plan.digest))));
    parts.extend((!plan.fingerprint.is_empty()).then(|| format!("seen {}", code(&plan.fingerprint))));
    parts.push(format!("made by {}", super::TOOL));
    if scene.sandbox_file.is_some() {
        parts.push("this is the sandbox: no Azure is touched".to_owned());
    }
    format!("{}\n", parts.join(", "))
}
