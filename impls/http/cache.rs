//! Documents that all workers share, by the request target as it came but for its query: a hit needs
//! no decoding of the path and no system call, and a client cannot fill the cache by inventing queries.
//!
//! Workers come here once a second for each target (see [`crate::worker`], which keeps what it got in
//! between), so one lock is enough.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use memchr::memchr;
use ringside_engine::{BodyMode, Content, Millis};
use rustix::process::{Resource, getrlimit};

use crate::files::{Document, Opened, Root};

/// Entries at most; nginx's examples of `open_file_cache` keep as many.
const ENTRIES_MAX: usize = 1024;
/// A target longer than this is served without being kept.
const TARGET_MAX: usize = 1024;
/// Content of files up to so many bytes is kept in memory, when the body mode asks for it.
const CONTENT_MAX: u64 = 1 << 20;
/// Bytes of content kept at most in all.
const MEMORY_MAX: usize = 256 << 20;
/// The status of a reply when descriptors or memory ran out.
pub(crate) const EXHAUSTED: u16 = 503;

/// The files of a root, with those kept that were asked for.
#[derive(Debug)]
pub(crate) struct Cache {
    root: Root,
    in_memory: bool,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    documents: HashMap<Box<[u8]>, Arc<Document>>,
    memory: usize,
    files: usize,
    files_max: usize,
}

impl Cache {
    /// A cache in front of `root`; with [`BodyMode::Memory`] it holds contents, else descriptors.
    pub(crate) fn new(root: Root, body: BodyMode) -> Self {
        Self {
            root,
            in_memory: body == BodyMode::Memory,
            kept: Mutex::new(Kept::new(files_max())),
        }
    }

    /// The document that `target` names, looked at within the last second. The target has no query:
    /// see [`without_query`].
    ///
    /// # Errors
    /// A status, as [`Root::find`] has it.
    pub(crate) fn document(&self, target: &[u8], now: Millis) -> Result<Arc<Document>, u16> {
        let known = self.kept().documents.get(target).cloned();
        if let Some(document) = known.as_ref().filter(|document| document.is_fresh(now)) {
            return Ok(Arc::clone(document));
        }
        // The lock is not held while the file system answers.
        let opened = self
            .open(target)
            .inspect_err(|_| self.kept().remove(target))?;
        if let Some(document) = known.filter(|document| opened.is(document)) {
            document.refresh(now);
            return Ok(document);
        }
        let keep = self.in_memory && opened.length() <= CONTENT_MAX;
        let document = Arc::new(opened.into_document(keep, now)?);
        if target.len() <= TARGET_MAX {
            self.kept().insert(target, Arc::clone(&document), now);
        }
        Ok(document)
    }

    /// Opens the file; where descriptors ran out, those that are only kept for later make room.
    fn open(&self, target: &[u8]) -> Result<Opened, u16> {
        match self.root.find(target) {
            Err(EXHAUSTED) => {
                self.kept().drop_unused_files();
                self.root.find(target)
            }
            answer => answer,
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

impl Kept {
    fn new(files_max: usize) -> Self {
        Self {
            documents: HashMap::new(),
            memory: 0,
            files: 0,
            files_max,
        }
    }

    fn insert(&mut self, target: &[u8], document: Arc<Document>, now: Millis) {
        self.remove(target);
        if !self.has_room(&document) {
            self.retain(|document| document.is_fresh(now));
        }
        while !self.has_room(&document) && self.remove_oldest() {}
        self.memory += document.memory();
        self.files += usize::from(is_file(&document));
        self.documents.insert(target.into(), document);
    }

    fn has_room(&self, document: &Document) -> bool {
        self.documents.len() < ENTRIES_MAX
            && self.memory + document.memory() <= MEMORY_MAX
            && self.files + usize::from(is_file(document)) <= self.files_max
    }

    fn remove(&mut self, target: &[u8]) {
        if let Some(document) = self.documents.remove(target) {
            self.memory -= document.memory();
            self.files -= usize::from(is_file(&document));
        }
    }

    /// Drops the entry that was looked at longest ago; false when there is none.
    fn remove_oldest(&mut self) -> bool {
        let oldest = self
            .documents
            .iter()
            .min_by_key(|(_, document)| document.fresh_until());
        let Some(target) = oldest.map(|(target, _)| target.clone()) else {
            return false;
        };
        self.remove(&target);
        true
    }

    /// Drops the descriptors that nobody else holds, so that each of them is closed.
    fn drop_unused_files(&mut self) {
        self.documents
            .retain(|_, document| !is_file(document) || Arc::strong_count(document) > 1);
        self.count();
    }

    fn retain(&mut self, keep: impl Fn(&Document) -> bool) {
        self.documents.retain(|_, document| keep(document));
        self.count();
    }

    fn count(&mut self) {
        let documents = self.documents.values();
        self.memory = documents.clone().map(|document| document.memory()).sum();
        self.files = documents.filter(|document| is_file(document)).count();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(body: BodyMode, files: usize) -> (tempfile::TempDir, Cache) {
        let root = tempfile::tempdir().unwrap();
        for index in 0..files {
            std::fs::write(root.path().join(index.to_string()), "x").unwrap();
        }
        let cache = Cache::new(Root::open(root.path()).unwrap(), body);
        (root, cache)
    }

    #[test]
    fn query_is_no_part_of_the_name() {
        assert_eq!(without_query(b"/a?b?c"), b"/a");
        assert_eq!(without_query(b"/a%3Fb"), b"/a%3Fb");
        assert_eq!(without_query(b"?"), b"");
    }

    #[test]
    fn descriptors_stay_below_their_limit_and_the_oldest_goes() {
        let (_root, cache) = cache(BodyMode::Sendfile, 5);
        cache.kept().files_max = 3;
        for index in 0..5 {
            cache
                .document(format!("/{index}").as_bytes(), index)
                .unwrap();
        }
        let kept = cache.kept();
        assert_eq!((kept.files, kept.documents.len()), (3, 3));
        assert!(!kept.documents.contains_key(&b"/1"[..]));
        assert!(kept.documents.contains_key(&b"/4"[..]));
    }

    #[test]
    fn names_of_one_file_do_not_outgrow_the_cache() {
        let (_root, cache) = cache(BodyMode::Memory, 1);
        for count in 1..ENTRIES_MAX {
            let target = [&b"/".repeat(count)[..], b"0"].concat();
            cache.document(&target, 0).unwrap();
        }
        cache.document(b"/./0", 0).unwrap();
        cache.document(b"/././0", 0).unwrap();
        let kept = cache.kept();
        assert_eq!(kept.documents.len(), ENTRIES_MAX);
        assert_eq!(kept.memory, ENTRIES_MAX);
        assert!(kept.documents.contains_key(&b"/././0"[..]));
    }

    #[test]
    fn contents_stay_below_their_limit() {
        let (root, cache) = cache(BodyMode::Memory, 0);
        let mebibyte = std::fs::File::create(root.path().join("a")).unwrap();
        mebibyte.set_len(CONTENT_MAX).unwrap();
        cache.kept().memory = MEMORY_MAX - 1;
        cache.document(b"/a", 0).unwrap();
        assert_eq!(cache.kept().memory, 1 << 20);
    }

    #[test]
    fn only_descriptors_that_nobody_uses_are_given_up() {
        let (_root, cache) = cache(BodyMode::Sendfile, 2);
        let used = cache.document(b"/0", 0).unwrap();
        cache.document(b"/1", 0).unwrap();
        cache.kept().drop_unused_files();
        assert_eq!(cache.kept().files, 1);
        assert!(Arc::ptr_eq(&used, &cache.document(b"/0", 0).unwrap()));
    }
}
