//! Waiting for effects in Azure: within a budget, told as it goes, and ended by a wish to stop.

use super::event::Event;
use crate::plan::StepId;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// How long effects are waited for at most.
#[derive(Debug, Clone)]
pub struct Budgets {
    /// A vault or an account that is being made, an account that is busy.
    pub provisioning: Duration,
    /// A grant that has been made but is not honoured yet. Azure speaks of minutes.
    pub grant: Duration,
    /// A change that was accepted and does not show in reads yet.
    pub visible: Duration,
    /// The first pause between two looks; pauses grow by half from one to the next.
    pub pause_first: Duration,
    /// The longest pause between two looks.
    pub pause_max: Duration,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            provisioning: Duration::from_secs(15 * 60),
            grant: Duration::from_secs(10 * 60),
            visible: Duration::from_secs(2 * 60),
            pause_first: Duration::from_secs(1),
            pause_max: Duration::from_secs(15),
        }
    }
}

/// Why a wait ended without its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// The budget is used up.
    Budget(Duration),
    /// Somebody wishes to stop.
    Stopped,
}

/// What waiting steps share: where they tell of it, whether to stop, and the account of all waits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) events: mpsc::UnboundedSender<Event>,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) budgets: Budgets,
    total: Mutex<Vec<(String, Duration)>>,
}

impl Waiting {
    pub(super) fn new(events: mpsc::UnboundedSender<Event>, stop: watch::Receiver<bool>, budgets: Budgets) -> Self {
        Self { events, stop, budgets, total: Mutex::default() }
    }

    /// Every wait so far: until what, and for how long.
    pub(super) fn total(&self) -> Vec<(String, Duration)> {
        self.total.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Begins to wait until something is so, on behalf of some steps.
    pub(super) fn until(&self, steps: &[StepId], what: String, budget: Duration) -> Wait<'_> {
        let pause = self.budgets.pause_first;
        Wait { waiting: self, steps: steps.to_vec(), what, budget, began: Instant::now(), pause, paused: false }
    }
}

/// One wait under way. When it ends, it enters the account of all waits.
pub(super) struct Wait<'a> {
    waiting: &'a Waiting,
    steps: Vec<StepId>,
    what: String,
    budget: Duration,
    began: Instant,
    pause: Duration,
    paused: bool,
}

impl Wait<'_> {
    /// Pauses before the next look, or says why there should be none.
    pub(super) async fn pause(&mut self) -> Result<(), Over> {
        if *self.waiting.stop.borrow() {
            return Err(Over::Stopped);
        }
        let left = self.budget.saturating_sub(self.began.elapsed());
        if left.is_zero() {
            return Err(Over::Budget(self.budget));
        }
        self.tell(self.began.elapsed());
        self.paused = true;
        let mut stop = self.waiting.stop.clone();
        tokio::select! {
            biased;
            () = tokio::time::sleep(self.pause.min(left)) => {}
            // An error means that nobody can ask to stop any more: then the pause is all there is.
            Ok(_) = stop.wait_for(|stop| *stop) => return Err(Over::Stopped),
        }
        self.pause = (self.pause + self.pause / 2).min(self.waiting.budgets.pause_max);
        Ok(())
    }

    /// Tells that it is still being waited for.
    pub(super) fn tell(&self, elapsed: Duration) {
        for step in &self.steps {
            let (step, what, budget) = (step.clone(), self.what.clone(), self.budget);
            // Nobody listening is nobody's loss.
            let _ = self.waiting.events.send(Event::Waiting { step, what, elapsed, budget });
        }
    }

    /// Marks time spent in somebody else's pauses as waited.
    pub(super) fn waited(&mut self, elapsed: Duration) {
        self.paused = true;
        self.tell(elapsed);
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if self.paused {
            let entry = (self.what.clone(), self.began.elapsed());
            self.waiting.total.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
        }
    }
}
