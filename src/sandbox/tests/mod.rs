//! Tests of the sandbox, one file an area.
