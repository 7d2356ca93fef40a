//! The folder of a running sandbox: what its clients have to know, for the owner's eyes only.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::OpenError;
use super::super::store::{beside, lock, private, read_plain, refuse_link, remove};
use super::ServeError;

/// What a client of a running sandbox has to know. Its JSON is the ready line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ready {
    /// Always `ready`.
    pub event: String,
    /// Where Resource Manager is: `https://` and a host, without a slash at its end.
    pub arm: String,
    /// Where Entra ID is, in the same form.
    pub login: String,
    /// The proxy that leads there, for `HTTPS_PROXY`.
    pub proxy: String,
    /// Where the HTTPS listener is: an address and a port.
    pub listen: String,
    /// The file with the authority's certificate, by its whole path.
    pub ca_file: PathBuf,
    /// The directory that signs in.
    pub tenant_id: String,
    /// The application that may sign in.
    pub client_id: String,
    /// Its password, which opens nothing but the sandbox.
    pub client_secret: String,
    /// The subscriptions that exist.
    pub subscriptions: Vec<String>,
    /// How to reach the server itself. Not in the line that is printed, which may end in a log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<Control>,
}

/// The way to look at a running sandbox and to move its clock.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// The host to ask for, at the address of the HTTPS listener.
    pub host: String,
    /// What to send as the bearer token.
    pub key: String,
}

impl std::fmt::Debug for Control {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Control").field("host", &self.host).finish_non_exhaustive()
    }
}

/// A folder that this process has to itself until it is dropped.
pub(super) struct Folder {
    path: PathBuf,
    /// Held as long as the server runs.
    _lock: File,
}

const READY: &str = "ready.json";

impl Folder {
    /// Makes the folder if need be, and takes it.
    pub(super) fn take(path: &Path) -> Result<Self, ServeError> {
        let io = |source| OpenError::Io { path: path.to_owned(), source };
        refuse_link(path)?;
        make(path).map_err(io)?;
        if others_may_write(path).map_err(io)? {
            return Err(
                io(io::Error::other("others may write to it, and could put an authority of theirs there")).into()
            );
        }
        let path = fs::canonicalize(path).map_err(io)?;
        let lock = lock(&path.join(READY)).map_err(|error| match error {
            OpenError::InUse(_) => ServeError::FolderInUse(path.clone()),
            other => ServeError::Folder(other),
        })?;
        // What a server that was killed has left behind.
        remove(&path.join(READY)).map_err(io)?;
        Ok(Self { path, _lock: lock })
    }

    /// Writes one of its files, whole or not at all, and gives its path.
    pub(super) fn write(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        let fresh = beside(&path, ".tmp");
        remove(&fresh)?;
        let mut file = private().create_new(true).open(&fresh)?;
        file.write_all(text.as_bytes())?;
        drop(file);
        fs::rename(&fresh, &path)?;
        Ok(path)
    }

    /// Tells the clients that all is ready.
    pub(super) fn announce(&self, ready: &Ready) -> io::Result<()> {
        self.write(READY, &serde_json::to_string(ready)?).map(|_| ())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Whoever asks next would be led to nobody. If it cannot be removed, the free lock says the same.
        let _ = remove(&self.path.join(READY));
    }
}

/// What the server that has a folder has told; `None` where no server has it.
pub fn ready(folder: &Path) -> Result<Option<Ready>, OpenError> {
    let path = folder.join(READY);
    if !path.try_exists().unwrap_or(false) {
        return Ok(None);
    }
    match lock(&path) {
        // The one who wrote it is gone.
        Ok(_) => return Ok(None),
        Err(OpenError::InUse(_)) => {}
        Err(error) => return Err(error),
    }
    let text = read_plain(&path)?;
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| OpenError::Unreadable { path: path.clone(), why: error.to_string() })
}

#[cfg(unix)]
fn make(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(path)
}

#[cfg(unix)]
fn others_may_write(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::metadata(path)?.permissions().mode() & 0o022 != 0)
}

#[cfg(not(unix))]
fn others_may_write(_path: &Path) -> io::Result<bool> {
    Ok(false)
}
