//! papaya: a table without locks, whose old entries are reclaimed once no reader can hold them.

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::map::{ConcurrentMap, MapHandle};

use super::work::{Hasher, NamedMap};

/// `map/papaya`.
pub(crate) struct Papaya(papaya::HashMap<u64, u64, Hasher>);

static META: ImplementationMeta = ImplementationMeta {
    id: "map/papaya",
    about: "The crate papaya: readers never wait and write nothing that others read; a write allocates an entry.",
    axes: &[],
    ranked: true,
};

impl NamedMap for Papaya {
    const META: &'static ImplementationMeta = &META;

    fn with_capacity(entries: usize) -> Self {
        Self(papaya::HashMap::with_capacity_and_hasher(
            entries,
            Hasher::default(),
        ))
    }
}

impl ConcurrentMap for Papaya {
    type Handle<'a> = &'a Self;

    fn handle(&self) -> &Self {
        self
    }
}

impl MapHandle for &Papaya {
    #[inline]
    fn get(&mut self, key: u64) -> Option<u64> {
        self.0.get(&key, &self.0.guard()).copied()
    }

    #[inline]
    fn insert(&mut self, key: u64, value: u64) -> Option<u64> {
        self.0.insert(key, value, &self.0.guard()).copied()
    }

    #[inline]
    fn remove(&mut self, key: u64) -> Option<u64> {
        self.0.remove(&key, &self.0.guard()).copied()
    }
}
