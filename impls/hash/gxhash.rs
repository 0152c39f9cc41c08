//! GxHash, from a library that needs AES instructions when it is compiled.

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::hash::HashFunction;

use super::work::NamedHash;

/// `hash/gxhash`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GxHash;

static META: ImplementationMeta = ImplementationMeta {
    id: "hash/gxhash",
    about: "The crate gxhash: rounds of AES over vectors. In builds with the feature gxhash and -C target-feature=+aes alone.",
    axes: &[],
    ranked: true,
};

impl NamedHash for GxHash {
    const META: &'static ImplementationMeta = &META;
    const NEEDS: &'static [&'static str] = &["aes"];
    const IS_BUILT: bool = cfg!(feature = "gxhash");

    fn find() -> Option<Self> {
        Self::IS_BUILT.then_some(Self)
    }
}

impl HashFunction for GxHash {
    #[cfg(feature = "gxhash")]
    #[inline]
    fn hash(&self, key: &[u8]) -> u64 {
        gxhash::gxhash64(key, 0)
    }

    /// Never called: without the feature none is found.
    #[cfg(not(feature = "gxhash"))]
    fn hash(&self, key: &[u8]) -> u64 {
        key.len() as u64
    }
}
