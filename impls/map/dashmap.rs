//! DashMap: shards like those of `sharded.rs`, from a library.

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::map::{ConcurrentMap, MapHandle};

use super::work::{Hasher, NamedMap};

/// `map/dashmap`.
pub(crate) struct DashMap(dashmap::DashMap<u64, u64, Hasher>);

static META: ImplementationMeta = ImplementationMeta {
    id: "map/dashmap",
    about: "The crate dashmap: as many shards as four times the cores, each behind a lock of many readers.",
    axes: &[],
    ranked: true,
};

impl NamedMap for DashMap {
    const META: &'static ImplementationMeta = &META;

    fn with_capacity(entries: usize) -> Self {
        Self(dashmap::DashMap::with_capacity_and_hasher(
            entries,
            Hasher::default(),
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
