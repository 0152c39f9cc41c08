//! Two copies of a map: readers use one while a writer changes the other, and then they change places.

use std::collections::HashMap;

use left_right::{Absorb, ReadHandle, ReadHandleFactory, WriteHandle};
use parking_lot::Mutex;
use ringside_contract::ImplementationMeta;
use ringside_contract::operations::map::{ConcurrentMap, MapHandle};

use super::work::{Hasher, NamedMap};

/// `map/left_right`.
pub(crate) struct LeftRight {
    readers: ReadHandleFactory<Copied>,
    writer: Mutex<WriteHandle<Copied, Change>>,
}

/// One of the copies.
#[derive(Debug, Clone, Default)]
struct Copied(HashMap<u64, u64, Hasher>);

/// What is done to both of them.
enum Change {
    Insert(u64, u64),
    Remove(u64),
}

impl Absorb<Change> for Copied {
    fn absorb_first(&mut self, change: &mut Change, _: &Self) {
        match *change {
            Change::Insert(key, value) => self.0.insert(key, value),
            Change::Remove(key) => self.0.remove(&key),
        };
    }

    fn sync_with(&mut self, first: &Self) {
        self.0.clone_from(&first.0);
    }
}

static META: ImplementationMeta = ImplementationMeta {
    id: "map/left_right",
    about: "The crate left-right: two copies of a map, of which readers use one and a writer, alone, the other; each \
            write is published at once.",
    axes: &[],
    ranked: true,
};

impl LeftRight {
    fn of(map: HashMap<u64, u64, Hasher>) -> Self {
        let (writer, reader) = left_right::new_from_empty(Copied(map));
        Self {
            readers: reader.factory(),
            writer: Mutex::new(writer),
        }
    }
}

impl NamedMap for LeftRight {
    const META: &'static ImplementationMeta = &META;

    fn with_capacity(entries: usize) -> Self {
        Self::of(HashMap::with_capacity_and_hasher(
            entries,
            Hasher::default(),
        ))
    }

    /// One copy in place of one change for each entry.
    fn filled(entries: impl ExactSizeIterator<Item = (u64, u64)>) -> Self {
        Self::of(entries.collect())
    }
}

impl ConcurrentMap for LeftRight {
    type Handle<'a> = Handle<'a>;

    fn handle(&self) -> Handle<'_> {
        Handle {
            reader: self.readers.handle(),
            writer: &self.writer,
        }
    }
}

/// Each thread tells the writer by a counter of its own that it reads.
pub(crate) struct Handle<'a> {
    reader: ReadHandle<Copied>,
    writer: &'a Mutex<WriteHandle<Copied, Change>>,
}

impl Handle<'_> {
    /// Waits until no reader is left in the copy that is changed next.
    fn change(&self, key: u64, change: Change) -> Option<u64> {
        let mut writer = self.writer.lock();
        let before = writer.enter().and_then(|map| map.0.get(&key).copied());
        writer.append(change);
        writer.publish();
        before
    }
}

impl MapHandle for Handle<'_> {
    #[inline]
    fn get(&mut self, key: u64) -> Option<u64> {
        self.reader.enter()?.0.get(&key).copied()
    }

    fn insert(&mut self, key: u64, value: u64) -> Option<u64> {
        self.change(key, Change::Insert(key, value))
    }

    /// Nothing is published for a key that is not there.
    fn remove(&mut self, key: u64) -> Option<u64> {
        self.get(key)?;
        self.change(key, Change::Remove(key))
    }
}
