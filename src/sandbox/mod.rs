//! An Azure to practise on: another cloud, chosen like any other, that lives inside this process.
//!
//! Its core, [`World::handle`], takes a request and the time and gives an answer. It opens no socket, reads
//! no clock and rolls no dice, so the same requests at the same times give the same answers. Nothing here may
//! use another module of the crate: a field that the client misspells must not be misspelt here as well.
//!
//! It tries to be as dangerous as Azure, because a kind sandbox proves nothing: a PUT on a live vault
//! replaces its access policies, an account is created later than it is answered, grants arrive late, a
//! second create of a key adds a version, and an identity that was taken off and put back is a stranger.
//!
//! Reading order: `hosts`, [`world`] and its state, one file a service (`login`, `graph`, `arm`, `groups`,
//! `accounts` with `scopes` and `services`, `vaults`, `arm_keys`, `key_vault` with `crypto`, `import` and
//! `rotation`, `authorization`), what all of them share (`subscriptions`, `providers`, `resources`, `paging`), who
//! may do what (`tokens`, `principals`, `roles`, `assignments`, then `actions` for Resource Manager and `access`
//! for vaults), then [`truth`], [`census`], [`faults`], [`store`] and [`local`], and what makes it a program of its own:
//! [`seed`] with `seed_places`, `metadata`, `shown`, [`serve`].

mod access;
mod account;
mod account_identity;
mod account_names;
mod accounts;
mod actions;
mod arm;
mod arm_keys;
mod assertions;
mod assignments;
mod authorization;
mod azure_policies;
pub mod census;
mod crypto;
mod deleted_vaults;
mod diagnostics;
mod directory;
mod encryption;
pub mod faults;
mod graph;
mod groups;
mod hosts;
mod identities;
mod import;
mod key_vault;
mod keys;
pub mod local;
mod locks;
mod login;
mod metadata;
mod migrate;
mod openid;
mod pace;
mod paging;
mod policies;
mod principals;
mod providers;
mod record;
mod redact;
mod regions;
mod resources;
mod roles;
mod rotation;
mod scopes;
pub mod seed;
mod seed_places;
pub mod serve;
mod services;
mod shared;
mod shown;
mod signer;
pub mod store;
mod subscriptions;
mod throttle;
mod time;
mod tokens;
pub mod truth;
mod vault;
mod vault_versions;
mod vaults;
mod versions;
mod watch;
mod wire;
pub mod world;

#[cfg(test)]
mod tests;

pub use assignments::UnknownRole;
pub use census::Census;
pub use faults::{Fault, Mishap};
pub use hosts::Domain;
pub use local::Local;
pub use pace::Pace;
pub use store::{Abort, Clock, ExchangeError, OpenError, Sandbox};
pub use time::Millis;
pub use truth::Readability;
pub use watch::Watch;
pub use world::{Counts, Unreachable, World};

/// The directory of the default world.
pub const TENANT: &str = "7e57ab1e-0000-4000-8000-00000000d1e5";
/// The application that may sign in.
pub const CLIENT_ID: &str = "c11e47ed-0000-4000-8000-000000000001";
/// Its password. Not a secret: it opens nothing but the sandbox.
pub const CLIENT_SECRET: &str = "practice~makes.perfect-but-opens-nothing";
/// The object id of the application's service principal: what an access policy names.
pub const CALLER_OBJECT_ID: &str = "0b1ec71d-0000-4000-8000-000000000002";
/// The subscriptions of the default world; the application owns both.
pub const SUBSCRIPTIONS: [&str; 2] = ["11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"];
/// Where Resource Manager answers. Its tokens' audience is `https://` and this.
pub const ARM_HOST: &str = "arm.sandbox.test";
/// Where tokens are given out.
pub const LOGIN_HOST: &str = "login.sandbox.test";
/// Where the directory answers. Its tokens' audience is `https://` and this.
pub const GRAPH_HOST: &str = "graph.sandbox.test";
/// What a vault's name is put before. Key Vault tokens' audience is `https://` and this.
pub const VAULT_SUFFIX: &str = "vault.sandbox.test";
