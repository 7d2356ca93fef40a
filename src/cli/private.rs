//! Files that only their owner can read, written whole or not at all, and never through a link into something else.

use std::io::{self, Write as _};
use std::path::Path;

/// Writes a file in the place of an earlier one.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = beside(path)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// A fresh file in the same folder, with a name that nobody can foresee. It is removed unless it is kept.
pub(super) fn beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::NamedTempFile::new_in(folder)
}

/// Makes a folder, and those that it is in, unless it is there.
#[cfg(feature = "sandbox")]
pub(super) fn folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    let is_folder = path.symlink_metadata()?.is_dir();
    if is_folder { Ok(()) } else { Err(io::Error::other("it is a link, or no folder")) }
}
