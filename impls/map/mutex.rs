//! A hash map behind the standard library's mutex.

use std::collections::HashMap;
use std::sync::{self, MutexGuard, PoisonError};

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::map::{ConcurrentMap, MapHandle};

use super::work::{Hasher, NamedMap};

/// `map/mutex`.
pub(crate) struct Mutex(sync::Mutex<HashMap<u64, u64, Hasher>>);

static META: ImplementationMeta = ImplementationMeta {
    id: "map/mutex",
    about: "A hash map behind one std::sync::Mutex: one thread at a time, whatever it does.",
    axes: &[],
    ranked: true,
};

impl NamedMap for Mutex {
    const META: &'static ImplementationMeta = &META;

    fn with_capacity(entries: usize) -> Self {
        Self(sync::Mutex::new(HashMap::with_capacity_and_hasher(
            entries,
            Hasher::default(),
        )))
    }
}

impl ConcurrentMap for Mutex {
    type Handle<'a> = &'a Self;

    fn handle(&self) -> &Self {
        self
    }
}

impl Mutex {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, u64, Hasher>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MapHandle for &Mutex {
    #[inline]
    fn get(&mut self, key: u64) -> Option<u64> {
        self.lock().get(&key).copied()
    }

    #[inline]
    fn insert(&mut self, key: u64, value: u64) -> Option<u64> {
        self.lock().insert(key, value)
    }

    #[inline]
    fn remove(&mut self, key: u64) -> Option<u64> {
        self.lock().remove(&key)
    }
}
