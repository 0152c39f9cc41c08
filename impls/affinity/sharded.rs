//! Many such maps, each behind a lock of its own that reads first. Each keeps its part of the limit.

use std::hash::BuildHasher;

use ringside_contract::ImplementationMeta;

use super::form::Form;
use super::table::Table;
use super::work::{COMPACT, NamedTable, Sessions};
use crate::map::{Hasher, SHARDS};

/// `affinity/sharded`.
pub(crate) struct Sharded;

static META: ImplementationMeta = ImplementationMeta {
    id: "affinity/sharded",
    about: "64 hash maps, each behind a parking_lot::RwLock in cache lines of its own that is taken for writing only where a \
            client has no session.",
    axes: &[COMPACT],
    ranked: true,
};

/// In cache lines of its own: two, since processors fetch them by pairs.
#[repr(align(128))]
struct Shard<F: Form>(parking_lot::RwLock<Table<F>>);

/// Sessions in shards.
pub(crate) struct Shards<F: Form> {
    shards: Box<[Shard<F>]>,
    hasher: Hasher,
}

impl NamedTable for Sharded {
    const META: &'static ImplementationMeta = &META;
    type Of<F: Form> = Shards<F>;
}

impl<F: Form> Sessions<F> for Shards<F> {
    fn new(most: usize) -> Self {
        let shard = |_| Shard(parking_lot::RwLock::new(Table::new(most / SHARDS)));
        Self {
            shards: (0..SHARDS).map(shard).collect(),
            hasher: Hasher::default(),
        }
    }

    #[inline]
    fn backend(&self, key: &F::Key, now: u32, choice: u32) -> u32 {
        // The map itself uses the lowest and the highest bits.
        let place = self.hasher.hash_one(key) >> 40;
        let shard = &self.shards[place as usize % SHARDS].0;
        let found = shard.read().find(key, now);
        found.unwrap_or_else(|| shard.write().find_or_add(key, now, choice))
    }

    fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.0.read().len()).sum()
    }
}
