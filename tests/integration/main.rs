//! All integration tests, in one binary: linking costs more than running.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the answer")]

mod any_text;
mod apply;
mod approval;
mod bad_specs;
mod blind;
mod cli;
mod clients;
#[path = "../contracts/mod.rs"]
#[expect(clippy::panic, reason = "contracts that cannot be read are no contracts")]
mod contracts;
mod crash;
mod errors;
mod examples;
mod guard;
mod held;
mod hostile;
mod identities;
mod import;
mod imports;
mod noise;
mod own_key;
mod pains;
mod parity;
mod practice;
mod program;
mod prove_guard;
mod readme;
mod recorded;
mod recovery;
mod refusals;
mod schema;
mod serve;
mod sight;
mod simulation;
mod spec_reference;
mod surfaces;
mod verbs;
mod verify;
mod who_uses;
