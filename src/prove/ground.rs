//! The ground of a stage: the one world, and whoever reaches it, before the eyes of the witness.

use super::clock;
use super::hand::Hand;
use super::meddle::Meddling;
use super::mishap::Mishap;
use super::witness::{Sent, Witness};
use crate::model::Desired;
use crate::sandbox::{Census, ExchangeError, Millis, Sandbox, World};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the runs on a stage share: the world, what it was, and who watches.
pub(super) struct Ground {
    pub(super) sandbox: Sandbox,
    /// What existed when it was last looked at.
    census: Mutex<Census>,
    pub(super) witness: Mutex<Witness>,
    meddling: Mutex<Meddling>,
    past: Mutex<Vec<Past>>,
}

/// The world as an effect left it.
#[derive(Debug, Clone)]
pub struct Past {
    /// When.
    pub at: Millis,
    /// The world.
    pub world: World,
    /// What kind of request that was: `PUT vaults/keys`; nothing for the beginning and for what others did.
    pub by: String,
}

impl std::fmt::Debug for Ground {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ground").finish_non_exhaustive()
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ground {
    /// A world on which nothing has happened yet. To be made in virtual time.
    pub(super) fn new(desired: &Desired, world: World, start: Millis, meddling: Meddling) -> Self {
        let census = world.census(start);
        let witness = Mutex::new(Witness::new(desired.clone(), start, census.clone()));
        let past = Mutex::new(vec![Past { at: start, world: world.clone(), by: String::new() }]);
        let sandbox = Sandbox::in_memory(world, clock::from(start));
        Self { sandbox, census: Mutex::new(census), witness, meddling: Mutex::new(meddling), past }
    }

    /// Carries a request to the world, before the eyes of the witness.
    pub(super) fn exchange(
        &self,
        run: usize,
        number: u64,
        request: &http::Request<Vec<u8>>,
        note: &str,
    ) -> Result<http::Response<Vec<u8>>, ExchangeError> {
        let now = self.sandbox.now();
        if Sent::reads(request) {
            return self.sandbox.exchange(request);
        }
        let before = self.census();
        let response = self.sandbox.exchange(request);
        let after = self.census();
        let sent = Sent::new(run, number, now, request, note);
        locked(&self.witness).wrote(&sent, &response, &before, &after);
        if before != after {
            self.keep(now, kind(request));
        }
        response
    }

    fn keep(&self, at: Millis, by: String) {
        let world = self.sandbox.world(|world| world.clone());
        locked(&self.past).push(Past { at, world, by });
    }

    /// The world after each effect on it, oldest first, the first one being where it began.
    pub(super) fn past(&self) -> Vec<Past> {
        locked(&self.past).clone()
    }

    /// What exists now.
    pub(super) fn census(&self) -> Census {
        let now = self.sandbox.now();
        let mut last = locked(&self.census);
        *last = self.sandbox.world(|world| world.census_since(now, &last));
        last.clone()
    }

    /// Tells the witness what a run was answered.
    pub(super) fn told(
        &self,
        run: usize,
        number: u64,
        request: &http::Request<Vec<u8>>,
        response: Option<&http::Response<Vec<u8>>>,
        note: &str,
    ) {
        let sent = Sent::new(run, number, self.sandbox.now(), request, note);
        locked(&self.witness).told(&sent, response);
    }

    /// Counts something that came to pass.
    pub(super) fn met(&self, kind: &str, what: &str) {
        locked(&self.witness).met(kind, what);
    }

    /// An answer that Azure's front gives instead of Azure.
    pub(super) fn made_up(&self, mishap: Mishap) -> Option<http::Response<Vec<u8>>> {
        let (status, retry_after, body) = mishap.answer()?;
        let date = jiff::Timestamp::from_second(self.sandbox.now().seconds()).ok()?;
        let mut response = http::Response::builder()
            .status(status)
            .header("content-type", "application/json")
            .header("date", date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
        if let Some(seconds) = retry_after {
            response = response.header("retry-after", seconds.to_string());
        }
        let body = if body.is_null() { vec![] } else { body.to_string().into_bytes() };
        response.body(body).ok()
    }

    /// What a read would have given some seconds ago.
    pub(super) fn stale(
        &self,
        request: &http::Request<Vec<u8>>,
        seconds: u32,
    ) -> Result<http::Response<Vec<u8>>, ExchangeError> {
        let now = self.sandbox.now();
        let then = now.plus(-i64::from(seconds) * 1000);
        let past = locked(&self.past);
        let world = past.iter().rev().find(|one| one.at <= then).or_else(|| past.first()).map(|one| &one.world);
        let mut world = match world {
            Some(world) => world.clone(),
            None => return self.sandbox.exchange(request),
        };
        // The token is good now; what is old is what is read.
        Ok(world.exchange(now, request)?)
    }

    /// Lets the meddler do what comes before this request.
    pub(super) fn meddle(&self, run: usize, number: u64) {
        let acts = locked(&self.meddling).due(run, number);
        for act in acts {
            let now = self.sandbox.now();
            let before = self.census();
            let done = self.sandbox.world(|world| act.perform(&mut Hand { world, now }));
            let after = self.census();
            locked(&self.witness).meddled(now, act.name(), done, &before, &after);
            if before != after {
                self.keep(now, String::new());
            }
        }
    }

    pub(super) fn by_hand<T>(&self, act: impl FnOnce(&mut Hand<'_>) -> T) -> T {
        let now = self.sandbox.now();
        let before = self.census();
        let result = self.sandbox.world(|world| act(&mut Hand { world, now }));
        let after = self.census();
        locked(&self.witness).meddled(now, "by hand", 200, &before, &after);
        self.keep(now, String::new());
        result
    }
}

/// What kind of request it is, whatever the names in it: the method and the types of the things in the path.
fn kind(request: &http::Request<Vec<u8>>) -> String {
    let path = request.uri().path().to_ascii_lowercase();
    let of_provider = path.split_once("/providers/").map(|(_, rest)| rest.split('/').skip(1).step_by(2));
    let types: Vec<&str> = of_provider.map_or_else(|| vec!["resourcegroups"], Iterator::collect);
    format!("{} {}", request.method(), types.join("/"))
}
