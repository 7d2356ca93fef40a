//! `cmk`: a declarative reconciler for customer-managed keys on Azure Storage.

pub mod model;

pub mod diag;

pub mod spec;

pub mod plan;

pub mod apply;

#[cfg(feature = "sandbox")]
pub mod sandbox;
