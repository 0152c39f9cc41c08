//! What the cache holds: documents by what they are, and the targets that name them.

use std::collections::HashMap;
use std::sync::Arc;

use ringside_engine::Millis;

use super::{TARGET_MAX, is_file};
use crate::files::{Document, Key};

/// Documents at most; nginx's examples of `open_file_cache` keep as many.
pub(super) const ENTRIES_MAX: usize = 1024;
/// Targets that are kept of one document. Usual are `/`, `/index.html` and the like; a client may
/// invent any number, and those beyond are looked up in the file system each time.
pub(super) const NAMES_MAX: usize = 8;
/// Bytes of content kept at most in all.
pub(super) const MEMORY_MAX: usize = 256 << 20;

/// The documents with their names, and what they take.
#[derive(Debug)]
pub(super) struct Kept {
    names: HashMap<Arc<[u8]>, Key>,
    documents: HashMap<Key, Entry>,
    pub(super) memory: usize,
    pub(super) files: usize,
    pub(super) files_max: usize,
}

#[derive(Debug)]
struct Entry {
    document: Arc<Document>,
    names: Vec<Arc<[u8]>>,
}

impl Kept {
    pub(super) fn new(files_max: usize) -> Self {
        Self {
            names: HashMap::new(),
            documents: HashMap::new(),
            memory: 0,
            files: 0,
            files_max,
        }
    }

    /// The document that a target named when it was last looked at.
    pub(super) fn find(&self, target: &[u8]) -> Option<Arc<Document>> {
        let entry = self.documents.get(self.names.get(target)?)?;
        Some(Arc::clone(&entry.document))
    }

    /// The document of a file that is known already, perhaps by other names; the target is one more.
    pub(super) fn share(&mut self, target: &[u8], key: Key) -> Option<Arc<Document>> {
        if self.names.get(target) != Some(&key) {
            self.remove(target);
            self.name(target, key);
        }
        let entry = self.documents.get(&key)?;
        Some(Arc::clone(&entry.document))
    }

    /// Keeps a document that is not known yet.
    pub(super) fn insert(&mut self, target: &[u8], document: Arc<Document>, now: Millis) {
        self.remove(target);
        let key = document.key();
        if !self.documents.contains_key(&key) {
            if !self.has_room(&document) {
                self.retain(|document| document.is_fresh(now));
            }
            while !self.has_room(&document) && self.remove_oldest() {}
            self.memory += document.memory();
            self.files += usize::from(is_file(&document));
            let names = Vec::new();
            self.documents.insert(key, Entry { document, names });
        }
        self.name(target, key);
    }

    fn name(&mut self, target: &[u8], key: Key) {
        if let Some(entry) = self.documents.get_mut(&key)
            && entry.names.len() < NAMES_MAX
            && target.len() <= TARGET_MAX
        {
            let name: Arc<[u8]> = target.into();
            entry.names.push(Arc::clone(&name));
            self.names.insert(name, key);
        }
    }

    fn has_room(&self, document: &Document) -> bool {
        self.documents.len() < ENTRIES_MAX
            && self.memory + document.memory() <= MEMORY_MAX
            && self.files + usize::from(is_file(document)) <= self.files_max
    }

    /// Forgets a name, and with its last name the document.
    pub(super) fn remove(&mut self, target: &[u8]) {
        let Some(key) = self.names.remove(target) else {
            return;
        };
        if let Some(entry) = self.documents.get_mut(&key) {
            entry.names.retain(|name| **name != *target);
            if entry.names.is_empty() {
                self.remove_document(key);
            }
        }
    }

    fn remove_document(&mut self, key: Key) {
        if let Some(Entry { document, names }) = self.documents.remove(&key) {
            self.memory -= document.memory();
            self.files -= usize::from(is_file(&document));
            for name in names {
                self.names.remove(&name);
            }
        }
    }

    /// Drops the document that was looked at longest ago; false when there is none.
    fn remove_oldest(&mut self) -> bool {
        let oldest = self
            .documents
            .iter()
            .min_by_key(|(_, entry)| entry.document.fresh_until());
        let Some(key) = oldest.map(|(key, _)| *key) else {
            return false;
        };
        self.remove_document(key);
        true
    }

    /// Drops the descriptors that nobody else holds, so that each of them is closed.
    pub(super) fn drop_unused_files(&mut self) {
        self.keep_entries(|entry| {
            !is_file(&entry.document) || Arc::strong_count(&entry.document) > 1
        });
    }

    fn retain(&mut self, keep: impl Fn(&Document) -> bool) {
        self.keep_entries(|entry| keep(&entry.document));
    }

    fn keep_entries(&mut self, keep: impl Fn(&Entry) -> bool) {
        let gone = self.documents.iter().filter(|(_, entry)| !keep(entry));
        let gone: Vec<Key> = gone.map(|(key, _)| *key).collect();
        for key in gone {
            self.remove_document(key);
        }
    }

    /// How many documents and how many names there are.
    #[cfg(test)]
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.documents.len(), self.names.len())
    }
}
