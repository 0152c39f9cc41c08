//! scc: buckets with a lock each, of which readers take a share.

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::map::{ConcurrentMap, MapHandle};

use super::work::{Hasher, NamedMap};

/// `map/scc`.
pub(crate) struct Scc(scc::HashMap<u64, u64, Hasher>);

static META: ImplementationMeta = ImplementationMeta {
    id: "map/scc",
    about: "The crate scc: a small lock for each bucket of 32 entries, and growth a bucket at a time.",
    axes: &[],
    ranked: true,
};

impl NamedMap for Scc {
    const META: &'static ImplementationMeta = &META;

    fn with_capacity(entries: usize) -> Self {
        Self(scc::HashMap::with_capacity_and_hasher(
            entries,
            Hasher::default(),
        ))
    }
}

impl ConcurrentMap for Scc {
    type Handle<'a> = &'a Self;

    fn handle(&self) -> &Self {
        self
    }
}

impl MapHandle for &Scc {
    #[inline]
    fn get(&mut self, key: u64) -> Option<u64> {
        self.0.read_sync(&key, |_, &value| value)
    }

    #[inline]
    fn insert(&mut self, key: u64, value: u64) -> Option<u64> {
        self.0.upsert_sync(key, value)
    }

    #[inline]
    fn remove(&mut self, key: u64) -> Option<u64> {
        self.0.remove_sync(&key).map(|(_, value)| value)
    }
}
