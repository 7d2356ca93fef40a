//! The steps of a small plan as a Mermaid graph.

use super::super::sheet::StepStory;
use std::fmt::Write as _;

/// With more steps than this a graph shows less than a list.
pub(super) const STEPS_MAX: usize = 16;

/// The graph: a step goes after those that point at it.
pub(super) fn graph(steps: &[StepStory<'_>]) -> String {
    let mut out = "```mermaid\nflowchart LR\n".to_owned();
    for story in steps {
        let risks = if story.risks.is_empty() { String::new() } else { format!(", {}", story.risks.join(", ")) };
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  s{}[\"{}. {}{}\"]", story.number, story.number, label(&story.title), label(&risks));
    }
    for story in steps {
        for after in story.after.iter().filter(|after| after.bytes().all(|byte| byte.is_ascii_digit())) {
            let _ = writeln!(out, "  s{after} --> s{}", story.number);
        }
    }
    out.push_str("```\n");
    out
}

/// A text for a node: letters, digits and what stands between words. Everything else could end the label or be markup.
fn label(text: &str) -> String {
    text.chars().map(|c| if c.is_alphanumeric() || " ,.-/()".contains(c) { c } else { '?' }).collect()
}
