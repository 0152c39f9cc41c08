//! FNV-1a, written here.

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::hash::HashFunction;

use super::work::NamedHash;

/// `hash/fnv1a`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fnv1a;

static META: ImplementationMeta = ImplementationMeta {
    id: "hash/fnv1a",
    about: "FNV-1a of 64 bits, a byte at a time: a multiplication waits for the one before.",
    axes: &[],
    ranked: true,
};

impl NamedHash for Fnv1a {
    const META: &'static ImplementationMeta = &META;

    fn find() -> Option<Self> {
        Some(Self)
    }
}

impl HashFunction for Fnv1a {
    #[inline]
    fn hash(&self, key: &[u8]) -> u64 {
        let step = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        key.iter().fold(BASIS, step)
    }
}

const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_hashes_come_out() {
        // From the test vectors of draft-eastlake-fnv, appendix C.
        for (key, hash) in [
            ("", 0xcbf2_9ce4_8422_2325),
            ("a", 0xaf63_dc4c_8601_ec8c),
            ("b", 0xaf63_df4c_8601_f1a5),
            ("foobar", 0x8594_4171_f739_67e8),
        ] {
            assert_eq!(Fnv1a.hash(key.as_bytes()), hash, "{key}");
        }
    }
}
