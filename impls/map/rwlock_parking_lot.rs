//! The same as `rwlock.rs` with a lock that is a word and spins for a moment before it sleeps.

use std::collections::HashMap;

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::map::{ConcurrentMap, MapHandle};

use super::work::{Hasher, NamedMap};

/// `map/rwlock_parking_lot`.
pub(crate) struct RwLock(parking_lot::RwLock<HashMap<u64, u64, Hasher>>);

static META: ImplementationMeta = ImplementationMeta {
    id: "map/rwlock_parking_lot",
    about: "A hash map behind one parking_lot::RwLock, which spins for a moment before it sleeps.",
    axes: &[],
    ranked: true,
};

impl NamedMap for RwLock {
    const META: &'static ImplementationMeta = &META;

    fn with_capacity(entries: usize) -> Self {
        let map = HashMap::with_capacity_and_hasher(entries, Hasher::default());
        Self(parking_lot::RwLock::new(map))
    }
}

impl ConcurrentMap for RwLock {
    type Handle<'a> = &'a Self;

    fn handle(&self) -> &Self {
        self
    }
}

impl MapHandle for &RwLock {
    #[inline]
    fn get(&mut self, key: u64) -> Option<u64> {
        self.0.read().get(&key).copied()
    }

    #[inline]
    fn insert(&mut self, key: u64, value: u64) -> Option<u64> {
        self.0.write().insert(key, value)
    }

    #[inline]
    fn remove(&mut self, key: u64) -> Option<u64> {
        self.0.write().remove(&key)
    }
}
