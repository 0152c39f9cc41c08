//! DashMap: shards like those of `sharded.rs`, from a library.

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::map::{ConcurrentMap, MapHandle};

use super::sharded::SHARDS;
use super::work::{Hasher, NamedMap};

/// `map/dashmap`.
pub(crate) struct DashMap(dashmap::DashMap<u64, u64, Hasher>);

static META: ImplementationMeta = ImplementationMeta {
    id: "map/dashmap",
    about: "The crate dashmap: shards, each behind a lock of many readers; 64 of them, as many as `sharded` has.",
    axes: &[],
    ranked: true,
};

impl NamedMap for DashMap {
    const META: &'static ImplementationMeta = &META;

    fn with_capacity(entries: usize) -> Self {
        // By itself it would have four for each core that the thread may use, and so fewer with fewer threads.
        Self(dashmap::DashMap::with_capacity_and_hasher_and_shard_amount(
            entries,
            Hasher::default(),
            SHARDS,
        ))
    }
}

impl ConcurrentMap for DashMap {
    type Handle<'a> = &'a Self;

    fn handle(&self) -> &Self {
        self
    }
}

impl MapHandle for &DashMap {
    #[inline]
    fn get(&mut self, key: u64) -> Option<u64> {
        self.0.get(&key).map(|found| *found)
    }

    #[inline]
    fn insert(&mut self, key: u64, value: u64) -> Option<u64> {
        self.0.insert(key, value)
    }

    #[inline]
    fn remove(&mut self, key: u64) -> Option<u64> {
        self.0.remove(&key).map(|(_, value)| value)
    }
}
