//! Writing a receipt or another document to a file: whole or not at all, readable by its owner only, and never through a link into something else.

use super::exit::Trouble;
use super::private;
use std::io;
use std::path::Path;

/// Makes sure that a document can be written, before anything is sent that it should tell of.
pub(super) fn check(path: &Path) -> Result<(), Trouble> {
    match path.symlink_metadata() {
        Ok(about) if about.is_symlink() => Err(refused(path, "it is a symbolic link")),
        Ok(about) if !about.is_file() => Err(refused(path, "it is not a plain file")),
        Ok(_) | Err(_) => private::beside(path).map(drop).map_err(|error| unwritten(path, &error)),
    }
}

/// Writes a document in the place of an earlier one.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Trouble> {
    private::write(path, text).map_err(|error| unwritten(path, &error))
}

fn refused(path: &Path, why: &str) -> Trouble {
    Trouble::new(format!("the document cannot be written to {}: {why}", path.display())).help("name another file")
}

fn unwritten(path: &Path, error: &io::Error) -> Trouble {
    refused(path, &error.to_string())
}
