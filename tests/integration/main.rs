//! All integration tests, in one binary: linking costs more than running.

mod apply;
mod bad_specs;
mod contracts;
mod crash;
mod examples;
mod imports;
mod practice;
mod recorded;
mod schema;
