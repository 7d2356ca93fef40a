//! Mishaps on demand: a short script of what goes wrong next, for tests.

use serde_json::Value;

use super::World;
use super::wire::Ask;

/// One mishap, waiting for the request that it happens to.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The method in capitals; `None` is any.
    pub method: Option<&'static str>,
    /// A part of `host/path`, in whatever case; empty is any.
    pub path: String,
    /// How many matching requests pass unharmed first.
    pub after: u32,
    /// How many matching requests it then happens to.
    pub times: u32,
    /// What happens.
    pub mishap: Mishap,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Mishap {
    /// This is answered instead, and the request has no effect.
    Answer {
        /// The HTTP status.
        status: u16,
        /// Headers besides the usual ones; names in lower case.
        headers: Vec<(&'static str, String)>,
        /// The body, if there is one.
        body: Option<Value>,
    },
    /// The connection breaks before the request arrives: no effect, no answer.
    LostBefore,
    /// The connection breaks before the answer arrives: the effect is there, the answer is not.
    LostAfter,
}

impl Fault {
    /// A mishap that happens once, to the next request with this method and this part of its path.
    pub fn once(method: &'static str, path: impl Into<String>, mishap: Mishap) -> Self {
        Self { method: Some(method), path: path.into(), after: 0, times: 1, mishap }
    }
}

impl Mishap {
    /// Azure's error body under a status.
    #[must_use]
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::json!({"error": {"code": code, "message": message}});
        Self::Answer { status, headers: Vec::new(), body: Some(body) }
    }

    /// Resource Manager's answer to too many requests.
    #[must_use]
    pub fn throttled(seconds: u32) -> Self {
        let message = format!(
            "Number of write requests for subscription exceeded the limit of '1200' for time interval '01:00:00'. Please try again after '{seconds}' seconds."
        );
        let body = serde_json::json!({"error": {"code": "SubscriptionRequestsThrottled", "message": message}});
        Self::Answer { status: 429, headers: vec![("retry-after", seconds.to_string())], body: Some(body) }
    }
}

impl World {
    /// Adds a mishap to the script. The first one in the script that matches a request happens to it.
    pub fn inject(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// What goes wrong with this request, if anything; counts it off the script.
    pub(super) fn next_mishap(&mut self, ask: &Ask) -> Option<Mishap> {
        let place = format!("{}/{}", ask.host, ask.path.join("/")).to_ascii_lowercase();
        let index = self.faults.iter_mut().position(|fault| {
            let matches = fault.method.is_none_or(|method| method == ask.method)
                && place.contains(&fault.path.to_ascii_lowercase());
            let passes = matches && fault.after > 0;
            fault.after -= u32::from(passes);
            matches && !passes
        })?;
        let fault = &mut self.faults[index];
        let mishap = fault.mishap.clone();
        fault.times = fault.times.saturating_sub(1);
        if fault.times == 0 {
            self.faults.remove(index);
        }
        Some(mishap)
    }
}
