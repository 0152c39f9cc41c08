//! The document root: the only place where a path meets the file system.
//!
//! Every file is opened relative to the root's descriptor by `openat2` with `RESOLVE_BENEATH`: the
//! kernel refuses any path, and any symbolic link on it, that leaves the root, whatever the decoding
//! before it let through. What is no regular file is not opened, and what was opened is looked at again
//! through its descriptor, so there is no time between check and use.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use ringside_engine::{Content, Millis};
use ringside_wire::http::path;
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::cache::EXHAUSTED;

/// A directory whose files are served.
#[derive(Debug)]
pub(crate) struct Root {
    directory: OwnedFd,
}

/// A file as it was when it was last looked at.
#[derive(Debug)]
pub(crate) struct Document {
    /// The whole file.
    pub(crate) content: Content,
    /// Its length in bytes, at least 0.
    pub(crate) length: u64,
    /// Entity tag with its quotes: the time of the last change in nanoseconds and the length. It is weak
    /// when the file changed while it was read.
    pub(crate) etag: String,
    /// Time of the last write, in whole seconds, as HTTP dates have it.
    pub(crate) modified: SystemTime,
    /// The same as text.
    pub(crate) last_modified: String,
    /// Its media type, from the ending of its name.
    pub(crate) media_type: &'static str,
    identity: Identity,
    fresh_until: AtomicU64,
    /// Counts it while it holds a descriptor.
    _holder: Option<Arc<()>>,
}

/// What a document is: that of which file, and the media type, since that comes from the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    identity: Identity,
    media_type: &'static str,
}

/// What changes when a file changes. The time of the last write alone would not do: a program that
/// writes in place may set it back, but nobody sets the time of the last change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Identity {
    device: u64,
    inode: u64,
    changed_ns: i128,
    modified_s: i64,
    length: u64,
}

/// A regular file that was opened beneath the root.
pub(crate) struct Opened {
    file: File,
    identity: Identity,
    media_type: &'static str,
}

/// Time for which a file is taken as unchanged, as nginx does by `open_file_cache_valid`. A file that is
/// written in place and not held in memory goes out with its old tag for so long.
pub(crate) const FRESH: Millis = 1000;

impl Root {
    /// Opens the directory, and finds out whether the kernel has `openat2`.
    ///
    /// # Errors
    /// The system's answer: no such directory, or `ENOSYS`/`EPERM` where `openat2` is missing
    /// (before Linux 5.6) or refused.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(path, flags, Mode::empty())?;
        let root = Self { directory };
        root.open_beneath(b".", OFlags::PATH)?;
        Ok(root)
    }

    /// The same directory by another descriptor.
    ///
    /// # Errors
    /// No descriptor is left.
    pub(crate) fn again(&self) -> io::Result<Self> {
        let directory = self.directory.try_clone()?;
        Ok(Self { directory })
    }

    /// Opens the regular file that a request target names.
    ///
    /// # Errors
    /// The status of the reply: 400 for a target that is refused, 404 when there is no such file,
    /// [`EXHAUSTED`] when descriptors or memory ran out, 500 otherwise.
    pub(crate) fn find(&self, target: &[u8]) -> Result<Opened, u16> {
        let path = path::of_target(target)
            .and_then(path::decode)
            .map_err(|_| 400_u16)?;
        self.open_regular(path).map_err(status)
    }

    fn open_regular(&self, mut path: Vec<u8>) -> Result<Opened, Errno> {
        if path.is_empty() || path.ends_with(b"/") {
            path.extend_from_slice(b"index.html");
        }
        let mut metadata = self.look_at(&path)?;
        if metadata.is_dir() {
            path.extend_from_slice(b"/index.html");
            metadata = self.look_at(&path)?;
        }
        if !metadata.is_file() {
            return Err(Errno::NOENT);
        }
        // Should the name stand for another thing by now, a FIFO without a writer must not block the
        // worker, and a terminal must not become ours.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = File::from(self.open_beneath(&path, flags)?);
        let metadata = file.metadata().map_err(|_| Errno::IO)?;
        Opened::new(file, &metadata, &path)
    }

    /// What a path names, without opening it: to open a FIFO lets its writer go on, and to open a
    /// device may do anything.
    fn look_at(&self, path: &[u8]) -> Result<Metadata, Errno> {
        let file = File::from(self.open_beneath(path, OFlags::PATH)?);
        file.metadata().map_err(|_| Errno::IO)
    }

    fn open_beneath(&self, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let mut attempts = 64;
        loop {
            let flags = flags | OFlags::CLOEXEC;
            match rustix::fs::openat2(&self.directory, path, flags, Mode::empty(), resolve) {
                // The kernel could not rule out that a concurrent rename led out of the root.
                Err(Errno::AGAIN | Errno::INTR) if attempts > 0 => attempts -= 1,
                answer => return answer,
            }
        }
    }
}

impl AsFd for Root {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }
}

impl Opened {
    fn new(file: File, metadata: &Metadata, path: &[u8]) -> Result<Self, Errno> {
        if !metadata.is_file() {
            return Err(Errno::NOENT);
        }
        Ok(Self {
            file,
            identity: Identity::of(metadata),
            media_type: media_type(path),
        })
    }

    /// Length in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.identity.length
    }

    /// What the document of this file would be.
    pub(crate) fn key(&self) -> Key {
        Key {
            identity: self.identity,
            media_type: self.media_type,
        }
    }

    /// Makes a document of it, its content read into memory when `keep` is set; else it is one of the
    /// `holders` of a descriptor. A file that changed meanwhile is looked at again at the next request.
    ///
    /// # Errors
    /// 500 when it cannot be read, or became shorter while it was.
    pub(crate) fn into_document(
        self,
        keep: bool,
        holders: &Arc<()>,
        now: Millis,
    ) -> Result<Document, u16> {
        let length = self.identity.length;
        let mut rested = true;
        let content = if keep {
            let mut bytes = vec![0; usize::try_from(length).map_err(|_| 500_u16)?];
            self.file
                .read_exact_at(&mut bytes, 0)
                .map_err(|_| 500_u16)?;
            let after = self.file.metadata().map_err(|_| 500_u16)?;
            rested = Identity::of(&after) == self.identity;
            Content::Memory(bytes.into())
        } else {
            Content::File(Arc::new(self.file))
        };
        // Times before 1970 have no HTTP date in every library; such a file counts as from 1970.
        let seconds = u64::try_from(self.identity.modified_s).unwrap_or(0);
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.min(DATE_MAX));
        let weak = if rested { "" } else { "W/" };
        Ok(Document {
            content,
            length,
            etag: format!("{weak}\"{:x}-{length:x}\"", self.identity.changed_ns),
            modified,
            last_modified: httpdate::fmt_http_date(modified),
            media_type: self.media_type,
            identity: self.identity,
            fresh_until: AtomicU64::new(if rested { now + FRESH } else { 0 }),
            _holder: (!keep).then(|| Arc::clone(holders)),
        })
    }
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        let seconds = i128::from(metadata.ctime()) * 1_000_000_000;
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            changed_ns: seconds + i128::from(metadata.ctime_nsec()),
            modified_s: metadata.mtime(),
            length: metadata.len(),
        }
    }
}

/// The last second of the year 9999, the last that an HTTP date can say.
const DATE_MAX: u64 = 253_402_300_799;

impl Document {
    /// What it is.
    pub(crate) fn key(&self) -> Key {
        Key {
            identity: self.identity,
            media_type: self.media_type,
        }
    }

    /// True while it need not be looked at again.
    pub(crate) fn is_fresh(&self, now: Millis) -> bool {
        now < self.fresh_until()
    }

    /// Until when it counts as unchanged.
    pub(crate) fn fresh_until(&self) -> Millis {
        // Relaxed: the time alone is read, and a stale one only costs a look too many.
        self.fresh_until.load(Ordering::Relaxed)
    }

    /// It was looked at and had not changed.
    pub(crate) fn refresh(&self, now: Millis) {
        // Relaxed: as above.
        self.fresh_until.store(now + FRESH, Ordering::Relaxed);
    }

    /// Bytes of memory that its content takes.
    pub(crate) fn memory(&self) -> usize {
        match &self.content {
            Content::Memory(bytes) => bytes.len(),
            Content::File(_) => 0,
        }
    }
}

/// The reply to a failed open. A file that may not be read is not there for a client, as one outside
/// of the root (`XDEV`) is not.
fn status(error: Errno) -> u16 {
    match error {
        Errno::MFILE | Errno::NFILE | Errno::NOMEM => EXHAUSTED,
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NAMETOOLONG => 404,
        Errno::ACCESS | Errno::PERM | Errno::XDEV | Errno::NXIO | Errno::NODEV => 404,
        _ => 500,
    }
}

/// The media type by the ending of a name.
fn media_type(path: &[u8]) -> &'static str {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
    let Some(dot) = name.iter().rposition(|&byte| byte == b'.') else {
        return DEFAULT_TYPE;
    };
    let ending = name[dot + 1..].to_ascii_lowercase();
    let known = MEDIA_TYPES
        .iter()
        .find(|(known, _)| known.as_bytes() == ending);
    known.map_or(DEFAULT_TYPE, |(_, media_type)| media_type)
}

const DEFAULT_TYPE: &str = "application/octet-stream";

const MEDIA_TYPES: &[(&str, &str)] = &[
    ("html", "text/html; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("txt", "text/plain; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("webp", "image/webp"),
    ("wasm", "application/wasm"),
    ("pdf", "application/pdf"),
];
