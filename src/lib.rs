//! `cmk`: a declarative reconciler for customer-managed keys on Azure Storage.
//!
//! The modules, in the order in which to read them. `docs/architecture.md` is the map.

pub mod model;

pub mod diag;

pub mod spec;

pub mod azure;

pub mod observe;

pub mod plan;

pub mod material;

pub mod apply;

pub mod verify;

pub mod status;

pub mod import;

pub mod report;

pub mod cli;

#[cfg(feature = "sandbox")]
pub mod sandbox;

#[cfg(feature = "sandbox")]
pub mod prove;
