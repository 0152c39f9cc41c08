//! The map that document 001 describes: an array of buckets, each in a cache line of its own, that point to entries
//! which are never changed. A reader follows pointers (to the table, its buckets, and the entries) and never waits. A writer makes new entries and puts them in
//! the place of the old ones by compare-and-swap; those are freed once no reader can hold them (epochs).
//!
//! ```text
//! root -> table -> bucket 0 -> [2 | key value | key value]
//!          |       bucket 1 -> [1 | key value]           a frozen bucket has its copy in the next table
//!          next -> a table of twice as many buckets, while the map grows
//! ```
//!
//! The document says nothing of how the map grows while it is written to. Here a writer that finds it too full makes the
//! next table and moves each bucket: it freezes the bucket, copies its entries into the two buckets that they belong to
//! there, and when all are moved the next table takes the place of the root. Whoever wants to write to a frozen bucket
//! moves it first, so that a writer that was stopped in the middle keeps nobody from going on.

mod entries;
mod map;
#[cfg(all(test, ringside_loom))]
mod models;
mod sync;
mod table;

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::map::{ConcurrentMap, MapHandle};

use self::map::Map;
use super::work::NamedMap;

/// `map/bucketed`.
pub(crate) struct Bucketed(Map);

static META: ImplementationMeta = ImplementationMeta {
    id: "map/bucketed",
    about: "The lock-free map that document 001 describes: cache-padded buckets of entries that are replaced as a \
            whole by compare-and-swap, and reclaimed by epochs.",
    axes: &[],
    ranked: true,
};

impl NamedMap for Bucketed {
    const META: &'static ImplementationMeta = &META;

    fn with_capacity(entries: usize) -> Self {
        Self(Map::with_capacity(entries))
    }
}

impl ConcurrentMap for Bucketed {
    type Handle<'a> = &'a Self;

    fn handle(&self) -> &Self {
        self
    }
}

impl MapHandle for &Bucketed {
    #[inline]
    fn get(&mut self, key: u64) -> Option<u64> {
        self.0.get(key)
    }

    #[inline]
    fn insert(&mut self, key: u64, value: u64) -> Option<u64> {
        self.0.insert(key, value)
    }

    #[inline]
    fn remove(&mut self, key: u64) -> Option<u64> {
        self.0.remove(key)
    }
}
