//! `cmk`: a declarative reconciler for customer-managed keys on Azure Storage.

#[cfg(feature = "sandbox")]
pub mod sandbox;
