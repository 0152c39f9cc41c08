//! aHash, from a library.

use std::hash::{BuildHasher, Hasher};

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::hash::HashFunction;

use super::work::NamedHash;

/// `hash/ahash`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AHash;

static META: ImplementationMeta = ImplementationMeta {
    id: "hash/ahash",
    about: "The crate ahash with fixed keys: AES instructions where the build has them, folded products elsewhere.",
    axes: &[],
    ranked: true,
};

impl NamedHash for AHash {
    const META: &'static ImplementationMeta = &META;

    fn find() -> Option<Self> {
        Some(Self)
    }
}

/// Keys of our own: those of `AHasher::default()` are random wherever another crate turns that feature on.
const STATE: ahash::RandomState = ahash::RandomState::with_seeds(1, 2, 3, 4);

impl HashFunction for AHash {
    #[inline]
    fn hash(&self, key: &[u8]) -> u64 {
        let mut hasher = STATE.build_hasher();
        hasher.write(key);
        hasher.finish()
    }
}
