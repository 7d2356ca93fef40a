//! Azure into what was observed. Reads only; what may not be seen is `Hidden`, never `Absent`.
//!
//! Decides nothing about what to do. Sends no write: every call is one of `azure`'s reads.

mod estate;
mod found;
mod look;
#[cfg(test)]
mod tests;
mod users;

pub use estate::{add_subscriptions, locks, observe};
pub use found::found;
pub use look::{KeySight, account, diagnostics, group, key, user_identity, vault};
pub use users::{outsiders, scopes, sweep, users};
