//! Progress as plain lines, for a log or a screen without a live view.

use super::text::clean;
use super::words::duration;
use crate::apply::{Event, StepOutcome};
use crate::plan::StepId;
use std::collections::BTreeMap;
use std::time::Duration;

/// Between two lines about one and the same wait, at least this long.
const REPEAT: Duration = Duration::from_secs(15);

/// Turns events into lines and remembers which waits were told already.
#[derive(Debug, Default)]
pub struct Lines {
    told: BTreeMap<StepId, (String, Duration)>,
}

impl Lines {
    /// The line for an event; nothing when the same wait was told a moment ago.
    pub fn line(&mut self, event: &Event) -> Option<String> {
        match event {
            Event::Waiting { step, what, elapsed, budget: _ } => {
                if self.told.get(step).is_some_and(|(told, at)| told == what && *elapsed < *at + REPEAT) {
                    return None;
                }
                self.told.insert(step.clone(), (what.clone(), *elapsed));
            }
            Event::Started { .. } => {}
            Event::Finished { step, .. } => {
                self.told.remove(step);
            }
        }
        Some(line(event))
    }
}

/// An event as one line: `grant/st1/kv1: waiting until the grant is honoured (4 s of at most 5 min)`.
pub fn line(event: &Event) -> String {
    match event {
        Event::Started { step } => clean(&format!("{step}: begins")),
        Event::Waiting { step, .. } => format!("{}: {}", clean(&step.0), state(event)),
        Event::Finished { step, outcome } => format!("{}: {}", clean(&step.0), ending(outcome)),
    }
}

/// What a step is at, without its name.
pub fn state(event: &Event) -> String {
    match event {
        Event::Started { .. } => "looking, then acting".to_owned(),
        Event::Waiting { step: _, what, elapsed, budget } => {
            clean(&format!("waiting until {what} ({} of at most {})", duration(*elapsed), duration(*budget)))
        }
        Event::Finished { step: _, outcome } => ending(outcome),
    }
}

/// The end of a step in one line; a long story is cut to its first paragraph, for the report tells it whole.
fn ending(outcome: &StepOutcome) -> String {
    let detail = outcome.detail();
    match detail.lines().next() {
        Some(first) if !first.is_empty() => format!("{}: {}", outcome.as_str(), clean(first)),
        Some(_) | None => outcome.as_str().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn waiting(seconds: u64) -> Event {
        Event::Waiting {
            step: StepId("encryption/st1".to_owned()),
            what: "the grant is honoured".to_owned(),
            elapsed: Duration::from_secs(seconds),
            budget: Duration::from_secs(300),
        }
    }

    #[test]
    fn a_wait_says_what_for_and_for_how_long() {
        let step = StepId("encryption/st1".to_owned());
        let failed = StepOutcome::Failed("Azure refused\u{1b}[2J it.\nA second paragraph.".to_owned());
        let events = [Event::Started { step: step.clone() }, waiting(4), Event::Finished { step, outcome: failed }];
        let lines: Vec<String> = events.iter().map(line).collect();
        expect![[r"
            encryption/st1: begins
            encryption/st1: waiting until the grant is honoured (4 s of at most 5 min)
            encryption/st1: failed: Azure refused\u{1b}[2J it."]]
        .assert_eq(&lines.join("\n"));
    }

    #[test]
    fn the_same_wait_is_not_told_at_every_poll() {
        let mut lines = Lines::default();
        let told: Vec<u64> =
            [0, 1, 5, 14, 15, 20, 31].into_iter().filter(|s| lines.line(&waiting(*s)).is_some()).collect();
        assert_eq!(told, [0, 15, 31]);
    }
}
