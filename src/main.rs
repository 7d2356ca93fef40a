//! The `cmk` program: everything happens in the library.

fn main() -> std::process::ExitCode {
    cmk::cli::run()
}
