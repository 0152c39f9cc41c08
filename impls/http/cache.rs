//! Documents that all workers share, by the request target as it came but for its query: a hit needs
//! no decoding of the path and no system call, and a client cannot fill the cache by inventing queries.
//! Targets that name the same file share one document, so it cannot fill it by inventing spellings
//! either.
//!
//! Workers come here once a second for each target (see [`crate::worker`], which keeps what it got in
//! between), so one lock is enough.

mod kept;
mod reserve;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use memchr::memchr;
use ringside_engine::{BodyMode, Content, Millis};
use rustix::process::{Resource, getrlimit};

use self::kept::Kept;
use self::reserve::Reserve;
use crate::files::{Document, Opened, Root};

/// A target longer than this is served without being kept.
const TARGET_MAX: usize = 1024;
/// Content of files up to so many bytes is kept in memory, when the body mode asks for it.
const CONTENT_MAX: u64 = 1 << 20;
/// The status of a reply when descriptors or memory ran out.
pub(crate) const EXHAUSTED: u16 = 503;

/// The files of a root, with those kept that were asked for.
#[derive(Debug)]
pub(crate) struct Cache {
    root: Root,
    in_memory: bool,
    kept: Mutex<Kept>,
    reserve: Reserve,
    /// Counts the documents that hold a descriptor, here or in a worker: each has a clone.
    holders: Arc<()>,
}

impl Cache {
    /// A cache in front of `root`; with [`BodyMode::Memory`] it holds contents, else descriptors.
    pub(crate) fn new(root: Root, body: BodyMode) -> Self {
        Self::empty(root, body == BodyMode::Memory)
    }

    /// An empty one in front of the same root, with descriptors of its own.
    ///
    /// # Errors
    /// No descriptor is left.
    pub(crate) fn anew(&self) -> io::Result<Self> {
        Ok(Self::empty(self.root.again()?, self.in_memory))
    }

    /// The root's descriptor.
    pub(crate) fn directory(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    fn empty(root: Root, in_memory: bool) -> Self {
        Self {
            root,
            in_memory,
            kept: Mutex::new(Kept::new(files_max())),
            reserve: Reserve::new(),
            holders: Arc::default(),
        }
    }

    /// The document that `target` names, looked at within the last second; where no descriptor is left
    /// to look at it, as it was known. The target has no query: see [`without_query`].
    ///
    /// # Errors
    /// A status, as [`Root::find`] has it.
    pub(crate) fn document(&self, target: &[u8], now: Millis) -> Result<Arc<Document>, u16> {
        let known = self.kept().find(target);
        if let Some(document) = known.as_ref().filter(|document| document.is_fresh(now)) {
            return Ok(Arc::clone(document));
        }
        // The lock is not held while the file system answers.
        let opened = match (self.open(target), known) {
            (Ok(opened), _) => opened,
            (Err(EXHAUSTED), Some(document)) => {
                document.refresh(now);
                return Ok(document);
            }
            (Err(status), _) => {
                self.kept().remove(target);
                return Err(status);
            }
        };
        if let Some(document) = self.kept().share(target, opened.key()) {
            document.refresh(now);
            return Ok(document);
        }
        let keep = self.in_memory && opened.length() <= CONTENT_MAX;
        let document = Arc::new(opened.into_document(keep, &self.holders, now)?);
        if target.len() <= TARGET_MAX {
            self.kept().insert(target, Arc::clone(&document), now);
        }
        Ok(document)
    }

    /// True when more descriptors are held in all than this cache may keep, so that a worker should not
    /// hold documents that are gone from here.
    pub(crate) fn is_exceeded(&self) -> bool {
        Arc::strong_count(&self.holders) - 1 > self.kept().files_max
    }

    /// Opens the file; where descriptors ran out, those that are only kept for later make room, and
    /// then the reserve does.
    fn open(&self, target: &[u8]) -> Result<Opened, u16> {
        match self.root.find(target) {
            Err(EXHAUSTED) => {
                self.kept().drop_unused_files();
                self.reserve.spend(|| self.root.find(target))
            }
            answer => {
                self.reserve.refill();
                answer
            }
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Each change is done in one call that does not panic half-way: the map is whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of a request target that names a file. A query does not change which one it is.
pub(crate) fn without_query(target: &[u8]) -> &[u8] {
    memchr(b'?', target).map_or(target, |end| &target[..end])
}

/// How many descriptors may be kept: a quarter of what the process may have, since connections need
/// theirs.
fn files_max() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(limit / 4).unwrap_or(usize::MAX).max(1)
}

fn is_file(document: &Document) -> bool {
    matches!(document.content, Content::File(_))
}

#[cfg(test)]
mod tests;
