//! Writing a receipt or another document to a file: whole or not at all, readable by its owner only, and never through a link into something else.

use super::exit::Trouble;
use std::io::{self, Write as _};
use std::path::Path;

/// Makes sure that a document can be written, before anything is sent that it should tell of.
pub(super) fn check(path: &Path) -> Result<(), Trouble> {
    match path.symlink_metadata() {
        Ok(about) if about.is_symlink() => Err(refused(path, "it is a symbolic link")),
        Ok(about) if !about.is_file() => Err(refused(path, "it is not a plain file")),
        Ok(_) | Err(_) => beside(path).map(drop).map_err(|error| unwritten(path, &error)),
    }
}

/// Writes a document in the place of an earlier one.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Trouble> {
    let written = || {
        let mut file = beside(path)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)
    };
    written().map(drop).map_err(|error| unwritten(path, &error))
}

/// A fresh file in the same folder, with a name that nobody can foresee. It is removed unless it is kept.
fn beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::NamedTempFile::new_in(folder)
}

fn refused(path: &Path, why: &str) -> Trouble {
    Trouble::new(format!("the document cannot be written to {}: {why}", path.display())).help("name another file")
}

fn unwritten(path: &Path, error: &io::Error) -> Trouble {
    refused(path, &error.to_string())
}
