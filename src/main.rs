//! The `cmk` program: everything happens in the library.

fn main() {}
