//! A plan for a person at a terminal: what matters most first, one screen when it is safe, no risk ever cut.
//!
//! Every line says what it says in words; style only repeats it.

use super::requests::{Request, Requests};
use super::sheet::{self, AccessGroup, ReadGroup, RiskGroup, Sheet, StepStory};
use super::text::{Paint, clean, flow};
use super::{Scene, json, words};
use crate::plan::{BlindSpot, Change, Consent, Plan, Refusal};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The whole report of a plan.
pub fn plan(plan: &Plan, scene: &Scene, styled: bool) -> String {
    showing(plan, None, scene, styled)
}

/// The whole report of a plan, with the requests that each step will send.
pub fn showing(plan: &Plan, requests: Option<&Requests>, scene: &Scene, styled: bool) -> String {
    let sheet = Sheet::of(plan);
    let paint = Paint { styled };
    let mut out = head(&sheet, paint);
    let review = [
        touches(&sheet, paint),
        under(&sheet, paint),
        readable(&sheet, paint),
        doors(&sheet, paint),
        access(&sheet, paint),
        versions(&sheet, paint),
    ];
    push_block(&mut out, &review.concat());
    push_block(&mut out, &steps(&sheet, requests, paint));
    push_block(&mut out, &waits(plan, paint));
    let rest = [undo(&sheet, paint), unseen(&sheet, paint), nearby(&sheet, paint), notes(plan, paint)];
    push_block(&mut out, &rest.concat());
    push_block(&mut out, &origin(plan, scene));
    out
}

/// A block of lines after an empty one; nothing when there is nothing to say.
fn push_block(out: &mut String, block: &str) {
    if !block.is_empty() {
        out.push('\n');
        out.push_str(block);
    }
}

/// The verdict in a sentence or two.
pub fn verdict(plan: &Plan) -> String {
    sheet::verdict(plan)
}

/// Verdict, acknowledgements, refusals and risks.
fn head(sheet: &Sheet<'_>, paint: Paint) -> String {
    let Sheet { verdict, consent, asks, .. } = sheet;
    let mut out = paint.strong(&flow("", "", &format!("{verdict} {consent}")));
    for ask in asks {
        out.push_str(&paint.bad(&flow("  ", "  ", &format!("--accept {}", ask.what))));
    }
    for refusal in &sheet.plan.refusals {
        push_block(&mut out, &refused(refusal, paint));
    }
    if !sheet.plan.refusals.is_empty() && !sheet.risks.is_empty() {
        out.push('\n');
    }
    for group in sheet.risks.iter().filter(|group| group.consent != Consent::Plan) {
        let text = format!("{} ({})", group.why, sheet::consent_of(group.consent));
        out.push_str(&paint.caution(&flow("  ", "    ", &format!("{}: {text}", at_risk(&[group])))));
    }
    // What agreeing to the plan is enough for is told in full by the sections on access and on key versions.
    let agreed: Vec<&RiskGroup> = sheet.risks.iter().filter(|group| group.consent == Consent::Plan).collect();
    for same in agreed.chunk_by(|one, next| one.class == next.class) {
        out.push_str(&paint.caution(&flow("  ", "    ", &at_risk(same))));
    }
    out
}

/// Risks of one kind: the code, the things at risk and the steps.
fn at_risk(groups: &[&RiskGroup]) -> String {
    let objects: BTreeSet<&str> = groups.iter().flat_map(|group| group.objects.keys()).map(String::as_str).collect();
    let objects: Vec<&str> = objects.into_iter().collect();
    let steps: Vec<usize> = groups.iter().flat_map(|group| &group.steps).copied().collect();
    let what = groups.first().map_or_else(String::new, |group| sheet::coded(group.class));
    format!("{what}: {}, {}", objects.join(", "), sheet::in_steps(&steps))
}

/// A refusal in the manner of a compiler's error.
fn refused(refusal: &Refusal, paint: Paint) -> String {
    let Refusal { code, resource, detail, help } = refusal;
    let summary = words::summary(code).unwrap_or(resource);
    let mut out = paint.bad(&flow("", "  ", &format!("refused[{code}]: {summary}")));
    out.push_str(&flow("  ", "  ", &format!("{resource}: {detail}")));
    out.push_str(&flow("help: ", "      ", help));
    out
}

/// A section: in one paragraph when it has one thing to say, else a thing each after a dash.
fn section(title: &str, entries: &[String], paint: Paint) -> String {
    match entries {
        [] => String::new(),
        [one] => {
            let text = flow(&format!("{title}: "), "  ", one);
            let (head, rest) = text.split_at(title.len() + 1);
            format!("{}{rest}", paint.strong(head))
        }
        many => {
            let mut out = paint.strong(&format!("{title}:\n"));
            for entry in many {
                out.push_str(&flow("  - ", "    ", entry));
            }
            out
        }
    }
}

fn touches(sheet: &Sheet<'_>, paint: Paint) -> String {
    let things: Vec<String> =
        sheet.touches.iter().map(|things| format!("{} {}", things.what, things.names.join(", "))).collect();
    let beside = if sheet.beside.is_empty() {
        String::new()
    } else {
        format!(". Not touched, and under keys of these vaults: {}", sheet.beside.join(", "))
    };
    let entries: Vec<String> = if things.is_empty() { vec![] } else { vec![things.join("; ") + &beside] };
    section("Touches", &entries, paint)
}

fn under(sheet: &Sheet<'_>, paint: Paint) -> String {
    let keys = sheet.under.iter().flatten();
    let mut entries: Vec<String> = keys.map(|(key, users)| format!("{key}: {}", users.join(", "))).collect();
    if sheet.under.as_ref().is_some_and(Vec::is_empty) {
        entries.push("nobody".to_owned());
    }
    section(sheet::UNDER, &entries, paint)
}

fn readable(sheet: &Sheet<'_>, paint: Paint) -> String {
    let mut entries: Vec<String> = sheet.readable.iter().map(reading).collect();
    entries.extend(sheet.is_unreadable().then(|| sheet::UNREADABLE.to_owned()));
    section("Readable", &entries, paint)
}

fn reading(group: &ReadGroup) -> String {
    let during = group.during.as_ref().map(|text| format!(" → during: {text}")).unwrap_or_default();
    let steps = if group.steps.is_empty() { String::new() } else { format!(" ({})", sheet::in_steps(&group.steps)) };
    format!("{}: before: {}{during} → after: {}{steps}", group.accounts.join(", "), group.before, group.after)
}

fn doors(sheet: &Sheet<'_>, paint: Paint) -> String {
    let entries: Vec<String> = sheet
        .doors()
        .map(|group| {
            let objects: Vec<&str> = group.objects.keys().map(String::as_str).collect();
            format!("{}: {} ({})", objects.join(", "), group.why, sheet::in_steps(&group.steps))
        })
        .collect();
    section("One-way door", &entries, paint)
}

fn access(sheet: &Sheet<'_>, paint: Paint) -> String {
    let entries: Vec<String> = sheet.access.iter().map(one_access).collect();
    section("Access", &entries, paint)
}

fn one_access(group: &AccessGroup) -> String {
    let AccessGroup { gains, kind, who, permissions, scope, by, more_than_needed, steps } = group;
    let names: Vec<String> = who
        .iter()
        .map(|(name, principal)| principal.as_ref().map_or_else(|| name.clone(), |id| format!("{name} ({id})")))
        .collect();
    let chosen = if who.iter().any(|(_, principal)| principal.is_none()) { " (Azure chooses the id)" } else { "" };
    let verb = if *gains { "gains" } else { "LOSES" };
    let more =
        if more_than_needed.is_empty() { String::new() } else { format!("; MORE THAN NEEDED: {more_than_needed}") };
    let steps = sheet::in_steps(steps);
    format!("{kind} {}{chosen} {verb} {permissions} on {scope}, by {by}, {steps}{more}", names.join(", "))
}

fn versions(sheet: &Sheet<'_>, paint: Paint) -> String {
    let entries: Vec<String> = sheet
        .versions
        .iter()
        .map(|moved| format!("{}: {} → {}", moved.accounts.join(", "), moved.from, moved.to))
        .collect();
    section("Key versions", &entries, paint)
}

fn steps(sheet: &Sheet<'_>, requests: Option<&Requests>, paint: Paint) -> String {
    if sheet.steps.is_empty() {
        return String::new();
    }
    let mut out = paint.strong(&flow("", "", "Steps. A run that is cut off is simply run again:"));
    for story in &sheet.steps {
        let after = if story.after.is_empty() { String::new() } else { format!("After {}.", story.after.join(", ")) };
        let first = format!("{:>3}. ", story.number);
        if let Some(like) = story.like {
            out.push_str(&paint.strong(&flow(&first, INDENT, &format!("{}. Like {like}. {after}", story.title))));
        } else {
            out.push_str(&paint.strong(&flow(&first, INDENT, &story.title)));
            out.push_str(&body(story, &after));
        }
        for request in requests.into_iter().flat_map(|requests| requests.of(&story.step.id)) {
            out.push_str(&one_request(request));
        }
    }
    out
}

const INDENT: &str = "     ";

/// What is told of a step below its title.
fn body(story: &StepStory<'_>, after: &str) -> String {
    let StepStory { number: _, step, title, risks: _, why, makes, after: _, waits, leaves, like: _ } = story;
    // The names of the codes stand at the top.
    let codes: Vec<&str> = step.risks.iter().filter_map(|risk| risk.class.code()).collect();
    let mut says: Vec<String> = vec![];
    if !codes.is_empty() {
        says.push(format!("Risk {}.", codes.join(", ")));
    }
    says.push(format!("Why: {why}. {after}"));
    says.extend(waits.as_ref().map(|waits| format!("Waits {waits}.")));
    says.push(format!("A crash leaves {leaves}."));
    if *makes {
        says.extend(properties(&step.because, title));
    }
    let mut out = flow(INDENT, INDENT, &says.join(" "));
    if !makes {
        out.push_str(&changes(&step.because, &words::target(&step.action)));
    }
    out
}

/// The properties of a thing that is made, all of them new; but for those that the step's title names already.
fn properties(because: &[Change], title: &str) -> Option<String> {
    let named: BTreeSet<&str> = title.split([' ', ',']).collect();
    let rest = because.iter().filter(|new| !named.contains(new.after.as_str()));
    let list: Vec<String> = rest.map(|new| format!("{}: {}", new.path, new.after)).collect();
    (!list.is_empty()).then(|| format!("With {}.", list.join(", ")))
}

/// The differences that a step mends, a line each; the thing is named only where it is not the one just spoken of.
fn changes(because: &[Change], target: &str) -> String {
    let mut told = target;
    let mut out = String::new();
    for Change { resource, path, before, after } in because {
        let of = if resource == told { String::new() } else { format!("{resource}: ") };
        let before = before.as_deref().unwrap_or("(none)");
        out.push_str(&flow(INDENT, &format!("{INDENT}  "), &format!("{of}{path}: {before} → {after}")));
        told = resource;
    }
    out
}

/// A request as it will be sent. Its lines are not broken, so that they can be copied.
fn one_request(request: &Request) -> String {
    let Request { method, url, body } = request;
    // Writing to a string cannot fail.
    let mut out = String::new();
    let _ = writeln!(out, "{INDENT}sends {} {}", clean(method), clean(url));
    for line in body.iter().map(json::pretty).flat_map(|body| body.lines().map(ToOwned::to_owned).collect::<Vec<_>>()) {
        let _ = writeln!(out, "{INDENT}  {line}");
    }
    out
}

fn waits(plan: &Plan, paint: Paint) -> String {
    let entries: Vec<String> =
        plan.waits.iter().map(|wait| format!("waiting until {}: {}", wait.fact, wait.why)).collect();
    section("Under way in Azure", &entries, paint)
}

fn undo(sheet: &Sheet<'_>, paint: Paint) -> String {
    let entries: Vec<String> =
        sheet.undo.iter().map(|(way, steps)| format!("{}: {way}", sheet::in_steps(steps))).collect();
    let entries: Vec<String> = if entries.is_empty() { vec![] } else { vec![entries.join("; ")] };
    section("Undo, by hand", &entries, paint)
}

fn unseen(sheet: &Sheet<'_>, paint: Paint) -> String {
    let mut out = String::new();
    for BlindSpot { resource, why, permission, hides } in &sheet.plan.blind_spots {
        out.push_str(&paint.caution(&flow("", "  ", &format!("Not seen: {resource}: {why}"))));
        for hidden in hides {
            out.push_str(&flow("  hides: ", "         ", hidden));
        }
        if let Some(permission) = permission {
            out.push_str(&flow("  help: ", "        ", &format!("the permission {permission} would show it")));
        }
    }
    let unseen: Vec<String> = sheet.plan.review.radius.unseen.iter().map(|text| format!("{text}.")).collect();
    out.push_str(&section("Not looked for", &unseen, paint));
    out
}

fn nearby(sheet: &Sheet<'_>, paint: Paint) -> String {
    let entries: Vec<String> =
        sheet.nearby.iter().map(|(vault, who)| format!("vault {vault}: {}", who.join("; "))).collect();
    section("Left alone", &entries, paint)
}

fn notes(plan: &Plan, paint: Paint) -> String {
    let entries: Vec<String> = plan.notes.iter().map(|note| format!("{}: {}", note.resource, note.text)).collect();
    section("Told, and left as it is", &entries, paint)
}

/// Where the plan was made, of what, and by what.
fn origin(plan: &Plan, scene: &Scene) -> String {
    let tenant = plan.tenant.as_ref().map(|tenant| format!(", tenant {tenant}")).unwrap_or_default();
    let mut out = flow("", "  ", &format!("Cloud: {}{tenant}, {}", scene.cloud, super::TOOL));
    out.push_str(&sandbox_line(scene, "is"));
    if !plan.is_empty() {
        out.push_str(&flow("", "  ", &format!("Digest: {}", plan.digest)));
    }
    if !plan.fingerprint.is_empty() {
        out.push_str(&flow("", "  ", &format!("Fingerprint: {}", plan.fingerprint)));
    }
    out
}

/// Says plainly that no Azure is touched, when that is so.
pub(super) fn sandbox_line(scene: &Scene, is: &str) -> String {
    match &scene.sandbox_file {
        Some(file) => flow("", "", &format!("This is the sandbox: no Azure {is} touched. Its state is in {file}")),
        None => String::new(),
    }
}
