//! All integration tests, in one binary: linking costs more than running.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the answer")]

mod any_text;
mod apply;
mod bad_specs;
mod cli;
mod crash;
mod examples;
mod imports;
mod practice;
mod readme;
mod schema;
mod simulation;
mod spec_reference;
