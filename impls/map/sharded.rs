//! Many hash maps, each behind a lock of its own: threads meet only where their keys fall into one. A key is hashed twice,
//! for its map and in it, as the standard library's map takes no hash from outside.

use std::collections::HashMap;
use std::hash::BuildHasher;

use parking_lot::RwLock;
use ringside_contract::ImplementationMeta;
use ringside_contract::operations::map::{ConcurrentMap, MapHandle};

use super::work::{Hasher, NamedMap};

/// `map/sharded`.
pub(crate) struct Sharded {
    shards: Box<[Shard]>,
    hasher: Hasher,
}

/// In cache lines of its own: two, since processors fetch them by pairs.
#[repr(align(128))]
struct Shard(RwLock<HashMap<u64, u64, Hasher>>);

/// A power of two, far more than the cores of the machines that this runs on.
pub(crate) const SHARDS: usize = 64;

static META: ImplementationMeta = ImplementationMeta {
    id: "map/sharded",
    about: "64 hash maps, each behind a parking_lot::RwLock in cache lines of its own.",
    axes: &[],
    ranked: true,
};

impl NamedMap for Sharded {
    const META: &'static ImplementationMeta = &META;

    fn with_capacity(entries: usize) -> Self {
        let shard = |_| {
            let map = HashMap::with_capacity_and_hasher(entries / SHARDS, Hasher::default());
            Shard(RwLock::new(map))
        };
        Self {
            shards: (0..SHARDS).map(shard).collect(),
            hasher: Hasher::default(),
        }
    }
}

impl ConcurrentMap for Sharded {
    type Handle<'a> = &'a Self;

    fn handle(&self) -> &Self {
        self
    }
}

impl Sharded {
    #[inline]
    fn shard(&self, key: u64) -> &RwLock<HashMap<u64, u64, Hasher>> {
        // The map itself uses the lowest and the highest bits.
        let place = self.hasher.hash_one(key) >> 40;
        &self.shards[place as usize % SHARDS].0
    }
}

impl MapHandle for &Sharded {
    #[inline]
    fn get(&mut self, key: u64) -> Option<u64> {
        self.shard(key).read().get(&key).copied()
    }

    #[inline]
    fn insert(&mut self, key: u64, value: u64) -> Option<u64> {
        self.shard(key).write().insert(key, value)
    }

    #[inline]
    fn remove(&mut self, key: u64) -> Option<u64> {
        self.shard(key).write().remove(&key)
    }
}
