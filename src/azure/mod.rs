//! HTTP towards Azure: what is sent, how it is sent and what Azure said.
//!
//! Knows no plans and decides nothing. One file a service builds calls, which are
//! pure data, and reads answers into the model's nouns; `client` is the only thing
//! that sends. No function here deletes or purges anything.

pub mod accounts;
mod asked;
pub mod call;
pub mod client;
pub mod cloud;
pub mod counted;
pub mod credential;
pub mod diagnostics;
pub mod failure;
pub mod groups;
mod holdback;
pub mod identities;
mod incoming;
pub mod key_import;
pub mod key_life;
pub mod keys;
pub mod locks;
pub mod lro;
mod meaning;
pub mod page;
mod paths;
mod retry;
pub mod roles;
pub mod said;
pub mod scopes;
pub mod subscriptions;
mod token;
pub mod transport;
pub mod vaults;

#[cfg(test)]
pub(crate) mod fake;

pub use call::{Answer, Call, Effect, Method, Service};
pub use client::{Azure, Options, Retry};
pub use cloud::Cloud;
pub use counted::{Counted, Stats};
pub use failure::{Failure, Kind, Said};
