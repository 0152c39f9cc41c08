//! XXH3, from a library.

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::hash::HashFunction;
use xxhash_rust::xxh3::xxh3_64;

use super::work::NamedHash;

/// `hash/xxh3`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Xxh3;

static META: ImplementationMeta = ImplementationMeta {
    id: "hash/xxh3",
    about: "XXH3 of 64 bits by the crate xxhash-rust, with the vector instructions of the build, which are those of SSE2 in a usual one.",
    axes: &[],
    ranked: true,
};

impl NamedHash for Xxh3 {
    const META: &'static ImplementationMeta = &META;

    fn find() -> Option<Self> {
        Some(Self)
    }
}

impl HashFunction for Xxh3 {
    #[inline]
    fn hash(&self, key: &[u8]) -> u64 {
        xxh3_64(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_hashes_come_out() {
        // Of xxHash: its sanity check hashes the beginnings of these bytes.
        let next = |state: &mut u64| {
            let byte = (*state >> 56) as u8;
            *state = state.wrapping_mul(11_400_714_785_074_694_797);
            Some(byte)
        };
        let bytes: Vec<u8> = (0..512)
            .scan(2_654_435_761, |state, _| next(state))
            .collect();
        for (length, hash) in [
            (0, 0x2d06_8005_38d3_94c2),
            (1, 0xc44b_dff4_074e_ecdb),
            (6, 0x27b5_6a84_cd2d_7325),
            (12, 0xa713_daf0_dfbb_77e7),
            (24, 0xa3fe_70bf_9d35_10eb),
            (48, 0x397d_a259_ecba_1f11),
            (195, 0xcd94_217e_e362_ec3a),
            (512, 0x617e_4959_9013_cb6b),
        ] {
            assert_eq!(Xxh3.hash(&bytes[..length]), hash, "{length} bytes");
        }
    }
}
