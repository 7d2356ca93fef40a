//! Plans whose every text was chosen by somebody with bad intent, on every surface, before a real GFM implementation.

use super::super::{human, json, markdown};
use super::plans::{Story, stories};
use super::{scene, traffic_of_a_look};
use crate::plan::review::{Readability, Reads};
use crate::plan::{BlindSpot, Change, Note, Plan, Refusal, Wait};
use comrak::Options;

/// The stories, but for the one that only says the same thirty times.
fn different() -> impl Iterator<Item = Story> {
    stories().into_iter().filter(|story| story.name != "thirty-accounts")
}

/// What breaks tables, code, links, comments, pages, terminals and CI systems.
const EVIL: [&str; 12] = [
    "a | b | c\n| x | y |",
    "`code` ``` ~~~",
    "```\n# heading\n```",
    "@octocat @org/team #1 org/repo#2 GH-3 !4 0123456789abcdef0123456789abcdef01234567",
    "[link](https://evil.example) ![image](https://evil.example/x.png) <https://evil.example> www.evil.example me@evil.example",
    "<script>alert(1)</script><img src=x onerror=alert(1)></details><!-- ",
    "--> </td></tr></table> &lt;b&gt; \\| \\` \\",
    "::error file=x::owned\n::set-output name=x::y",
    "##vso[task.setvariable variable=x]y ##[group]z ##vso[task.complete]",
    "\u{1b}[2J\u{1b}]0;owned\u{7}\r\u{202e}desrever\u{200b}",
    "\"]; s1 --> evil[\"x\"] %%{init: {}}%% click s1 \"https://evil.example\" end",
    "1. one\n- two\n> three\n$$x$$ $x$ :tada: [^1] ~~z~~ **b** _i_ ^^u^^ ==m== ||s||",
];

/// Puts a text behind every text of a plan.
fn poison(plan: &mut Plan, evil: &str) {
    let spoil = |text: &mut String| *text = format!("{text} {evil}");
    let Plan { steps, refusals, waits, blind_spots, notes, review, tenant, bound: _, digest, fingerprint } = plan;
    for step in steps {
        for Change { resource, path, before, after } in &mut step.because {
            [resource, path, after].into_iter().for_each(spoil);
            before.iter_mut().for_each(spoil);
        }
        step.risks.iter_mut().for_each(|risk| [&mut risk.object, &mut risk.why].into_iter().for_each(spoil));
    }
    for Refusal { code: _, resource, detail, help } in refusals {
        [resource, detail, help].into_iter().for_each(spoil);
    }
    for Wait { fact: _, why } in waits {
        spoil(why);
    }
    for BlindSpot { resource, why, permission, hides } in blind_spots {
        [resource, why].into_iter().chain(permission).chain(hides).for_each(spoil);
    }
    for Note { resource, text } in notes {
        [resource, text].into_iter().for_each(spoil);
    }
    for Readability { account: _, before, during, after, steps: _ } in &mut review.readability {
        for reads in [before, after] {
            if let Reads::ByKey(text) | Reads::No(text) | Reads::Unknown(text) = reads {
                spoil(text);
            }
        }
        during.iter_mut().for_each(spoil);
    }
    for access in &mut review.access {
        let (who, principal, scope) = (&mut access.who, &mut access.principal, &mut access.scope);
        [who, scope].into_iter().chain(principal).for_each(spoil);
        access.permissions.iter_mut().chain(&mut access.more_than_needed).for_each(spoil);
    }
    for moved in &mut review.versions {
        moved.from.iter_mut().chain([&mut moved.to]).for_each(|used| spoil(&mut used.key));
    }
    for neighbour in &mut review.nearby {
        neighbour.permissions.iter_mut().chain([&mut neighbour.principal]).for_each(spoil);
    }
    tenant.iter_mut().chain([digest, fingerprint]).for_each(spoil);
}

/// GitHub's extensions, and every other that a forge may have.
fn html(markdown: &str) -> String {
    let mut options = Options::default();
    let on = &mut options.extension;
    (on.strikethrough, on.table, on.autolink, on.tasklist) = (true, true, true, true);
    (on.superscript, on.footnotes, on.inline_footnotes, on.description_lists) = (true, true, true, true);
    (on.alerts, on.math_dollars, on.math_code, on.wikilinks_title_after_pipe) = (true, true, true, true);
    (on.underline, on.subscript, on.spoiler, on.multiline_block_quotes) = (true, true, true, true);
    options.parse.relaxed_autolinks = true;
    options.render.r#unsafe = true;
    comrak::markdown_to_html(markdown, &options)
}

/// The tags of a page in order, and the texts between them that are not code.
fn parts(html: &str) -> (Vec<&str>, Vec<&str>) {
    let (mut tags, mut texts, mut in_code) = (vec![], vec![], 0);
    let mut rest = html;
    while let Some(begin) = rest.find('<') {
        if in_code == 0 {
            texts.push(&rest[..begin]);
        }
        let end = begin + rest[begin..].find('>').expect("a tag ends") + 1;
        let tag = &rest[begin..end];
        match tag {
            "<code>" | "<code class=\"language-json\">" | "<code class=\"language-mermaid\">" => in_code += 1,
            "</code>" => in_code -= 1,
            tag => tags.push(tag),
        }
        rest = &rest[end..];
    }
    (tags, texts)
}

const TAGS: [&str; 16] = [
    "h3", "p", "strong", "pre", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "details", "summary",
    "br",
];

/// Fails when a page holds anything but what the report puts there.
pub(super) fn assert_sound(name: &str, markdown: &str) {
    let html = html(markdown);
    let (tags, texts) = parts(&html);
    for tag in &tags {
        let plain = tag.trim_matches(['<', '>', '/', ' ']);
        let plain = plain.split(' ').next().unwrap_or_default();
        assert!(TAGS.contains(&plain), "{name}: {tag} in\n{markdown}");
    }
    for text in texts {
        let mentions = ["@", "#", "://", "www.", "&lt;", "`", "|", "$", ":tada:", "[", "]", "!", "*", "~", "GH-"];
        let found: Vec<&&str> = mentions.iter().filter(|mention| text.contains(**mention)).collect();
        assert!(found.is_empty(), "{name}: {found:?} in {text:?}");
    }
    let rows = html.split("<tr>").skip(1).map(|row| row.matches("<td>").count() + row.matches("<th>").count());
    for (table, widths) in html.split("<table>").skip(1).zip(1..) {
        let heads = table.matches("<th>").count();
        let body = table.split("</table>").next().unwrap_or_default();
        for row in body.split("<tr>").skip(1) {
            let cells = row.matches("<td>").count() + row.matches("<th>").count();
            assert_eq!(cells, heads, "{name}: a row of table {widths}");
        }
    }
    assert!(rows.count() > 0 || !markdown.contains("| --- |"), "{name}: a table is not one");
    assert_eq!(html.matches("<details>").count(), html.matches("</details>").count(), "{name}");
}

#[test]
fn markdown_renders_as_it_is_meant() {
    for story in stories() {
        assert_sound(story.name, &markdown::plan(&story.plan().0, &scene()));
    }
}

#[test]
fn nothing_in_a_plan_breaks_out_of_its_place_in_markdown() {
    for story in different() {
        let mut tame = story.plan().0;
        poison(&mut tame, "tame");
        let tame = html(&markdown::plan(&tame, &scene()));
        for evil in EVIL {
            let mut plan = story.plan().0;
            poison(&mut plan, evil);
            let text = markdown::plan(&plan, &scene());
            assert_sound(story.name, &text);
            let same = parts(&html(&text)).0 == parts(&tame).0;
            assert!(same, "{} with {evil:?} is built otherwise\n{text}", story.name);
            if let Some(graph) = text.split("```mermaid\n").nth(1).and_then(|rest| rest.split("```").next()) {
                let node =
                    |line: &str| line.starts_with("  s") && line.ends_with("\"]") && line.matches('"').count() == 2;
                let link =
                    |line: &str| line.split(" --> ").all(|end| end.trim().starts_with('s') && end.trim().len() <= 4);
                assert!(graph.lines().skip(1).all(|line| node(line) || link(line)), "{graph}");
            }
        }
    }
}

#[test]
fn no_line_of_any_surface_is_a_command_to_a_ci_system_or_steers_a_terminal() {
    for story in different() {
        for evil in EVIL {
            let mut plan = story.plan().0;
            poison(&mut plan, evil);
            let human = human::plan(&plan, &scene(), false);
            let json = json::plan(&plan, &traffic_of_a_look(), &scene());
            for text in [human, json, markdown::plan(&plan, &scene())] {
                for line in text.lines() {
                    let harmful = line.chars().any(|c| c.is_control() || ('\u{200b}'..='\u{202e}').contains(&c));
                    let command =
                        line.trim_start().starts_with("::") || line.contains("##vso[") || line.contains("##[");
                    assert!(!harmful && !command, "{}: {line:?}", story.name);
                }
            }
        }
    }
}
