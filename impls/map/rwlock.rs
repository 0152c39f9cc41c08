//! A hash map behind the standard library's lock of many readers, as document 001 has it to begin with.

use std::collections::HashMap;
use std::sync::{self, PoisonError, RwLockWriteGuard};

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::map::{ConcurrentMap, MapHandle};

use super::work::{Hasher, NamedMap};

/// `map/rwlock`.
pub(crate) struct RwLock(sync::RwLock<HashMap<u64, u64, Hasher>>);

static META: ImplementationMeta = ImplementationMeta {
    id: "map/rwlock",
    about: "A hash map behind one std::sync::RwLock: readers share it, and all of them write to its counter.",
    axes: &[],
    ranked: true,
};

impl NamedMap for RwLock {
    const META: &'static ImplementationMeta = &META;

    fn with_capacity(entries: usize) -> Self {
        Self(sync::RwLock::new(HashMap::with_capacity_and_hasher(
            entries,
            Hasher::default(),
        )))
    }
}

impl ConcurrentMap for RwLock {
    type Handle<'a> = &'a Self;

    fn handle(&self) -> &Self {
        self
    }
}

impl RwLock {
    fn write(&self) -> RwLockWriteGuard<'_, HashMap<u64, u64, Hasher>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MapHandle for &RwLock {
    #[inline]
    fn get(&mut self, key: u64) -> Option<u64> {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        map.get(&key).copied()
    }

    #[inline]
    fn insert(&mut self, key: u64, value: u64) -> Option<u64> {
        self.write().insert(key, value)
    }

    #[inline]
    fn remove(&mut self, key: u64) -> Option<u64> {
        self.write().remove(&key)
    }
}
