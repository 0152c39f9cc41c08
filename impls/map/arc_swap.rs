//! A map that is never changed behind a pointer that is: a write copies all of it.

use std::collections::HashMap;

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::map::{ConcurrentMap, MapHandle};

use super::work::{Hasher, NamedMap};

/// `map/arc_swap`.
pub(crate) struct ArcSwap(arc_swap::ArcSwap<HashMap<u64, u64, Hasher>>);

static META: ImplementationMeta = ImplementationMeta {
    id: "map/arc_swap",
    about: "A hash map behind an arc_swap::ArcSwap: a reader takes the pointer and never waits, a write copies the map.",
    axes: &[],
    ranked: true,
};

impl NamedMap for ArcSwap {
    const META: &'static ImplementationMeta = &META;

    fn with_capacity(entries: usize) -> Self {
        let map = HashMap::with_capacity_and_hasher(entries, Hasher::default());
        Self(arc_swap::ArcSwap::from_pointee(map))
    }

    /// One copy in place of one for each entry.
    fn filled(entries: impl ExactSizeIterator<Item = (u64, u64)>) -> Self {
        Self(arc_swap::ArcSwap::from_pointee(entries.collect()))
    }
}

impl ConcurrentMap for ArcSwap {
    type Handle<'a> = &'a Self;

    fn handle(&self) -> &Self {
        self
    }
}

impl MapHandle for &ArcSwap {
    #[inline]
    fn get(&mut self, key: u64) -> Option<u64> {
        self.0.load().get(&key).copied()
    }

    /// Tries again until nobody else has put another map there meanwhile.
    fn insert(&mut self, key: u64, value: u64) -> Option<u64> {
        let before = self.0.rcu(|map| {
            let mut map = HashMap::clone(map);
            map.insert(key, value);
            map
        });
        before.get(&key).copied()
    }

    /// Nothing is copied for a key that is not there.
    fn remove(&mut self, key: u64) -> Option<u64> {
        self.get(key)?;
        let before = self.0.rcu(|map| {
            let mut map = HashMap::clone(map);
            map.remove(&key);
            map
        });
        before.get(&key).copied()
    }
}
