//! The requests that steps will send, as they are shown. Made from the calls that would be sent, by the code that sends.

use crate::apply::Preview;
use crate::plan::StepId;
use serde_json::Value;
use std::collections::BTreeMap;

/// The requests of a plan by the steps that send them.
#[derive(Debug, Clone, Default)]
pub struct Requests(BTreeMap<StepId, Vec<Request>>);

/// One request: what stands in it for what only Azure knows is in braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The HTTP method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The JSON body.
    pub body: Option<Value>,
}

impl Requests {
    /// The requests of previews, in the order of the steps.
    pub fn new(previews: Vec<Preview>) -> Self {
        let mut all: BTreeMap<StepId, Vec<Request>> = BTreeMap::new();
        for Preview { step, method, url, body } in previews {
            all.entry(step).or_default().push(Request { method, url, body });
        }
        Self(all)
    }

    /// The requests of one step.
    pub fn of(&self, step: &StepId) -> &[Request] {
        self.0.get(step).map_or(&[], Vec::as_slice)
    }
}
