//! Progress on stderr while steps are taken: a live view on a terminal, plain lines elsewhere.

use super::output::Stderr;
use crate::apply::Event;
use crate::plan::StepId;
use crate::report::progress::{Lines, line, state};
use crate::report::text::clean;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often the live view moves.
const TICK: Duration = Duration::from_millis(120);

/// The way in which progress is told.
pub(super) enum Progress {
    /// Not at all.
    Silent,
    /// A line an event.
    Plain(Lines, Stderr),
    /// A view that moves.
    Live(View),
}

/// One moving line a running step, and finished ones above.
pub(super) struct View {
    screen: MultiProgress,
    running: BTreeMap<StepId, ProgressBar>,
}

impl Progress {
    /// The way that suits where stderr leads to.
    pub(super) fn new(stderr: &Stderr) -> Self {
        match stderr.live() {
            _ if stderr.quiet => Self::Silent,
            Some(screen) => Self::Live(View { screen: screen.clone(), running: BTreeMap::new() }),
            None => Self::Plain(Lines::default(), stderr.clone()),
        }
    }

    /// Tells of an event.
    pub(super) fn tell(&mut self, event: &Event) {
        match self {
            Self::Silent => {}
            Self::Plain(lines, stderr) => {
                if let Some(line) = lines.line(event) {
                    stderr.tell(&format!("{line}\n"));
                }
            }
            Self::Live(view) => view.tell(event),
        }
    }
}

impl View {
    fn tell(&mut self, event: &Event) {
        match event {
            Event::Started { step } | Event::Waiting { step, .. } => {
                let screen = &self.screen;
                let bar = self.running.entry(step.clone()).or_insert_with(|| spinner(screen));
                bar.set_message(format!("{}: {}", clean(&step.0), state(event)));
            }
            Event::Finished { step, .. } => {
                if let Some(bar) = self.running.remove(step) {
                    bar.finish_and_clear();
                }
                let text = line(event);
                self.screen.suspend(|| super::output::write_line(&text));
            }
        }
    }
}

/// A moving line that is gone when this is.
pub(super) struct Looking(Option<ProgressBar>);

impl Drop for Looking {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// Shows on a terminal that a look at Azure is under way.
pub(super) fn looking(stderr: &Stderr) -> Looking {
    Looking(stderr.live().map(|screen| {
        let bar = spinner(screen);
        bar.set_message("looking at Azure");
        bar
    }))
}

/// A new moving line at the bottom of the view.
fn spinner(screen: &MultiProgress) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{spinner} {wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = screen.add(ProgressBar::new_spinner().with_style(style));
    bar.enable_steady_tick(TICK);
    bar
}
