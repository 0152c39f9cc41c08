//! foldhash in its fast form, from a library.

use std::hash::{BuildHasher, Hasher};

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::hash::HashFunction;

use super::work::NamedHash;

/// `hash/foldhash`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FoldHash;

static META: ImplementationMeta = ImplementationMeta {
    id: "hash/foldhash",
    about: "foldhash::fast with its fixed keys, the form that it recommends for hash tables: one folded product of words.",
    axes: &[],
    ranked: true,
};

impl NamedHash for FoldHash {
    const META: &'static ImplementationMeta = &META;

    fn find() -> Option<Self> {
        Some(Self)
    }
}

impl HashFunction for FoldHash {
    #[inline]
    fn hash(&self, key: &[u8]) -> u64 {
        let mut hasher = foldhash::fast::FixedState::default().build_hasher();
        hasher.write(key);
        hasher.finish()
    }
}
