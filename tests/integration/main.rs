//! All integration tests, in one binary: linking costs more than running.

mod bad_specs;
mod examples;
mod schema;
