//! All integration tests, in one binary: linking costs more than running.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the answer")]

mod any_text;
mod apply;
mod bad_specs;
mod cli;
mod clients;
mod contracts;
mod crash;
mod examples;
mod hostile;
mod imports;
mod parity;
mod practice;
mod readme;
mod recorded;
mod schema;
mod serve;
mod simulation;
mod spec_reference;
mod surfaces;
mod verify;
