//! A world with a clock and, if wanted, a file: what outlives a process, and what dies on purpose.
//!
//! Only requests that changed the world are written, each before its answer is given. A program that is
//! killed between two requests therefore finds the world as its last answer told it, or one effect further.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::record::Record;
use super::wire::Ask;
use super::{Fault, Millis, Pace, Unreachable, World, migrate};

const FORMAT: &str = "cmk-sandbox";
const VERSION: u64 = 3;

/// The largest file that is read. A sandbox of a thousand accounts takes less than two megabytes.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Tells the time to a sandbox.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// When to die, for rehearsing a crash. Effects are counted from 1, for each process anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abort {
    /// Right before this effect: the world never hears of the request.
    Before(u32),
    /// Right after this effect: the world has changed, durably, and nobody was told.
    After(u32),
}

/// The text is not of the form `before:N` or `after:N` with N from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write `before:N` or `after:N`, where N counts the sandbox's effects from 1; not `{0}`")]
pub struct AbortError(String);

impl FromStr for Abort {
    type Err = AbortError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || AbortError(text.to_owned());
        let (side, count) = text.split_once(':').ok_or_else(wrong)?;
        let count: u32 = count.parse().ok().filter(|count| *count > 0).ok_or_else(wrong)?;
        match side {
            "before" => Ok(Self::Before(count)),
            "after" => Ok(Self::After(count)),
            _ => Err(wrong()),
        }
    }
}

/// Why a sandbox's file cannot be used. The file is left as it was.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another part of this one, has it.
    #[error("the sandbox in {0} is in use by another process; wait for it to end, or use another file")]
    InUse(PathBuf),
    /// Following a link could overwrite anything.
    #[error("{0} is a symbolic link; the sandbox keeps its state in plain files only")]
    Link(PathBuf),
    /// Not JSON, or not the JSON of a sandbox: truncated, edited, or another program's.
    #[error("{path} does not hold a sandbox ({why}); look at it, then start afresh with `cmk sandbox reset`")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Written by a later `cmk`.
    #[error(
        "{path} was written by a newer cmk (its version is {version}, this cmk knows {VERSION}); use that cmk, or start afresh with `cmk sandbox reset`"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version that it claims.
        version: u64,
    },
    /// The file system refuses.
    #[error("cannot use the sandbox in {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The service was not reached, or its answer was lost.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    /// The effect could not be written down, so it was not had.
    #[error("the sandbox could not write {path}, and forgot the request: {source}")]
    NotSaved {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// A sandbox in use. Clones share one world.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    world: World,
    clock: Clock,
    record: Option<Record>,
    file: Option<StateFile>,
    abort: Option<Abort>,
    effects: u32,
}

struct StateFile {
    path: PathBuf,
    /// Held until the last clone of the sandbox is gone.
    _lock: File,
}

#[derive(Serialize)]
struct Written<'a> {
    format: &'static str,
    version: u64,
    world: &'a World,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Sandbox")
    }
}

impl Sandbox {
    /// A sandbox that is gone with its process.
    pub fn in_memory(world: World, clock: Clock) -> Self {
        Self::of(world, clock, None, None)
    }

    /// The sandbox in a file. Where there is none, an empty one that the first effect will write.
    pub fn open(path: &Path, clock: Clock, abort: Option<Abort>) -> Result<Self, OpenError> {
        let lock = lock(path)?;
        let world = read(path)?.unwrap_or_else(|| World::new(Pace::practice()));
        Ok(Self::of(world, clock, Some(StateFile { path: path.to_owned(), _lock: lock }), abort))
    }

    /// The same, where a file that is not there yet begins with another world than an empty one. Tells whether it was
    /// there.
    pub fn open_or(path: &Path, clock: Clock, other: World) -> Result<(Self, bool), OpenError> {
        let lock = lock(path)?;
        let found = read(path)?;
        let was_there = found.is_some();
        let world = found.unwrap_or(other);
        Ok((Self::of(world, clock, Some(StateFile { path: path.to_owned(), _lock: lock }), None), was_there))
    }

    /// Removes the sandbox in a file, whatever the file holds; true if there was one.
    pub fn reset(path: &Path) -> Result<bool, OpenError> {
        let _lock = lock(path)?;
        refuse_link(path)?;
        let io = |source| OpenError::Io { path: path.to_owned(), source };
        remove(&beside(path, ".tmp")).map_err(io)?;
        remove(path).map_err(io)
    }

    fn of(world: World, clock: Clock, file: Option<StateFile>, abort: Option<Abort>) -> Self {
        let inner = Inner { world, clock, record: None, file, abort, effects: 0 };
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    /// Writes a world to a file, as a sandbox would that was opened there.
    pub fn write(path: &Path, world: &World) -> Result<(), OpenError> {
        let _lock = lock(path)?;
        save(path, world).map_err(|source| OpenError::Io { path: path.to_owned(), source })
    }

    /// Looks at the world, or meddles with it. Meddling is not written to the file until the next effect.
    pub fn world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.locked().world)
    }

    /// Adds a mishap to the script.
    pub fn inject(&self, fault: Fault) {
        self.world(|world| world.inject(fault));
    }

    /// What time it is in the sandbox.
    pub fn now(&self) -> Millis {
        let clock = self.locked().clock.clone();
        clock()
    }

    /// Answers one request. If it changed the world, the change is in the file before the answer is here.
    pub fn exchange(&self, request: &http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, ExchangeError> {
        let now = self.now();
        let mut inner = self.locked();
        let answer = inner.exchange(now, request);
        if let Some(record) = &inner.record {
            record.write(now, request, answer.as_ref().ok());
        }
        answer
    }

    /// Adds every exchange from now on to a file, as a line of JSON without what opens anything.
    pub fn record(&self, path: &Path) -> io::Result<()> {
        self.locked().record = Some(Record::open(path)?);
        Ok(())
    }

    /// Changes the world outside of a request. The change is in the file when this returns, or it is not had.
    pub fn change<T>(&self, change: impl FnOnce(&mut World, Millis) -> T) -> Result<T, ExchangeError> {
        let now = self.now();
        self.locked().change(|world| change(world, now))
    }

    /// Writes down what no effect has written yet: how much was asked. An untouched sandbox leaves no file.
    pub fn close(&self) -> Result<(), ExchangeError> {
        let inner = self.locked();
        if inner.world.counts().total() == 0 { Ok(()) } else { inner.write(&inner.world) }
    }

    /// Moves the clock of resources on, for good. Gives the time that it is then.
    pub fn advance(&self, milliseconds: i64) -> Result<Millis, ExchangeError> {
        self.change(|world, now| {
            world.advance(now, milliseconds);
            world.resources(now)
        })
    }

    fn locked(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere leaves a world that is whole: it is replaced in one move.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn change<T>(&mut self, change: impl FnOnce(&mut World) -> T) -> Result<T, ExchangeError> {
        let mut next = self.world.clone();
        let result = change(&mut next);
        self.write(&next)?;
        self.world = next;
        Ok(result)
    }

    fn write(&self, world: &World) -> Result<(), ExchangeError> {
        let Some(StateFile { path, .. }) = &self.file else { return Ok(()) };
        save(path, world).map_err(|source| ExchangeError::NotSaved { path: path.clone(), source })
    }

    fn exchange(
        &mut self,
        now: Millis,
        request: &http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, ExchangeError> {
        if (self.file.is_none() && self.abort.is_none()) || Ask::read(request).only_reads() {
            // Nothing can have to be taken back, and a large world takes a while to copy.
            return Ok(self.world.exchange(now, request)?);
        }
        let mut next = self.world.clone();
        let answer = next.exchange(now, request);
        if next.counts().effects > self.world.counts().effects {
            self.effects += 1;
            if self.abort == Some(Abort::Before(self.effects)) {
                std::process::abort();
            }
            self.write(&next)?;
            if self.abort == Some(Abort::After(self.effects)) {
                std::process::abort();
            }
        }
        self.world = next;
        Ok(answer?)
    }
}

pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).map_err(io)?;
    }
    let beside = beside(path, ".lock");
    let file = open_plain(private().create(true).truncate(false), &beside)?;
    for tries_left in (0..LOCK_TRIES).rev() {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if tries_left > 0 => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::WouldBlock) => break,
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
    }
    Err(OpenError::InUse(path.to_owned()))
}

/// A process that was just killed, or is just starting another, lets go of its lock a moment later.
const LOCK_TRIES: u32 = 10;
const LOCK_PAUSE: Duration = Duration::from_millis(30);

fn read(path: &Path) -> Result<Option<World>, OpenError> {
    match read_plain(path) {
        Err(OpenError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        text => decode(path, &text?).map(Some),
    }
}

/// Reads a plain file, up to a little more than is taken.
pub(super) fn read_plain(path: &Path) -> Result<Vec<u8>, OpenError> {
    let file = open_plain(OpenOptions::new().read(true), path)?;
    let mut text = vec![];
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut text).map_err(io)?;
    Ok(text)
}

/// Reads the text of a sandbox's file; `path` is for the error only.
pub fn decode(path: &Path, text: &[u8]) -> Result<World, OpenError> {
    let unreadable = |why: String| OpenError::Unreadable { path: path.to_owned(), why };
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
        return Err(unreadable(format!("it is larger than {} MiB", FILE_BYTES_MAX >> 20)));
    }
    let mut whole: Value = serde_json::from_slice(text).map_err(|error| unreadable(error.to_string()))?;
    if whole.get("format").is_none_or(|format| format != FORMAT) {
        return Err(unreadable(format!("its format is not \"{FORMAT}\"")));
    }
    let version = whole["version"].as_u64().ok_or_else(|| unreadable("it has no version".into()))?;
    if version > VERSION {
        return Err(OpenError::Newer { path: path.to_owned(), version });
    }
    migrate::to_newest(version, &mut whole["world"]);
    let mut world = World::deserialize(whole["world"].take()).map_err(|error| unreadable(error.to_string()))?;
    if version < VERSION {
        // The identities of an older world have been known for long.
        world.state.take_census(Millis::default());
    }
    Ok(world)
}

/// Opens a file that is nothing but a file: no link is followed, and no pipe is waited for.
///
/// The system is asked not to follow, since a look beforehand may be out of date.
fn open_plain(options: &mut OpenOptions, path: &Path) -> Result<File, OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    refuse_link(path)?;
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let file = options.open(path).map_err(io)?;
    let is_file = file.metadata().map_err(io)?.is_file();
    if is_file { Ok(file) } else { Err(io(io::Error::other("it is not a plain file"))) }
}

/// Writes a new file beside the old one and puts it in its place, so there is always one that is whole.
fn save(path: &Path, world: &World) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_symlink()) {
        return Err(io::Error::other("it has become a symbolic link"));
    }
    let fresh = beside(path, ".tmp");
    remove(&fresh)?;
    let mut file = private().create_new(true).open(&fresh)?;
    let written = Written { format: FORMAT, version: VERSION, world };
    file.write_all(&serde_json::to_vec(&written)?)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&fresh, path)?;
    sync_directory(path)
}

#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Files that only their owner can read.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

pub(super) fn refuse_link(path: &Path) -> Result<(), OpenError> {
    let link = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_symlink());
    if link { Err(OpenError::Link(path.to_owned())) } else { Ok(()) }
}

pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Removes a file; true if there was one.
pub(super) fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
