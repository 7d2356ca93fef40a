//! Somebody who reads along: is shown every exchange, and changes nothing.

use std::fmt;
use std::sync::Arc;

/// Is shown a request and its answer; without an answer, the connection broke or there was nobody to ask.
type Shown = dyn Fn(&http::Request<Vec<u8>>, Option<&http::Response<Vec<u8>>>) + Send + Sync;

/// Who reads along: nobody, or one.
#[derive(Clone)]
pub struct Watch(Option<Arc<Shown>>);

impl Watch {
    /// Somebody.
    pub fn new(
        shown: impl Fn(&http::Request<Vec<u8>>, Option<&http::Response<Vec<u8>>>) + Send + Sync + 'static,
    ) -> Self {
        Self(Some(Arc::new(shown)))
    }

    pub(super) fn show(&self, request: &http::Request<Vec<u8>>, answer: Option<&http::Response<Vec<u8>>>) {
        if let Some(shown) = &self.0 {
            shown(request, answer);
        }
    }
}

/// Nobody; in the sandbox's own tests, one who holds every exchange of every world against Azure's contracts.
impl Default for Watch {
    #[cfg(not(test))]
    fn default() -> Self {
        Self(None)
    }

    #[cfg(test)]
    fn default() -> Self {
        Self::new(super::tests::contracts::hold)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() { "Watch(somebody)" } else { "Watch(nobody)" })
    }
}
