//! foldhash in its form for sketches, from a library.

use std::hash::{BuildHasher, Hasher};

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::hash::HashFunction;

use super::work::NamedHash;

/// `hash/foldhash_quality`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FoldHash;

static META: ImplementationMeta = ImplementationMeta {
    id: "hash/foldhash_quality",
    about: "foldhash::quality with its fixed keys: the fast form, and one more folded product at the end.",
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
        let mut hasher = foldhash::quality::FixedState::default().build_hasher();
        hasher.write(key);
        hasher.finish()
    }
}
