//! A hash with the CRC32 instruction that is one.

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::hash::HashFunction;
use ringside_metal::simd::Crc32;

use super::mixing::{GOLDEN, SECRET, fold, product, short};
use super::work::NamedHash;

/// `hash/crc32_fixed`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crc32Fixed(Crc32);

static META: ImplementationMeta = ImplementationMeta {
    id: "hash/crc32_fixed",
    about: "Four CRC32, of which each word goes into two, once as it is and once as a product, which is no more linear; two folded \
            products at the end.",
    axes: &[],
    ranked: true,
};

impl NamedHash for Crc32Fixed {
    const META: &'static ImplementationMeta = &META;
    const NEEDS: &'static [&'static str] = &["sse4_2"];

    fn find() -> Option<Self> {
        Crc32::detect().map(Self)
    }
}

impl HashFunction for Crc32Fixed {
    #[inline]
    fn hash(&self, key: &[u8]) -> u64 {
        let length = key.len() as u64;
        let [first, second] = if key.len() < 16 {
            short(key)
        } else {
            self.0.four_lanes(key, length.wrapping_mul(GOLDEN))
        };
        let [low, high] = product(first ^ SECRET[0], second ^ SECRET[1]);
        fold(low ^ SECRET[2] ^ length, high ^ SECRET[3])
    }
}

#[cfg(test)]
mod tests {
    use super::super::work::pinned;
    use super::*;

    #[test]
    fn hashes_stay_what_they_are() {
        pinned::<Crc32Fixed>(&[
            (0, 0x54d4_9062_9826_3639),
            (1, 0xcdb3_acb4_f5ee_a0b1),
            (3, 0xba2e_9b9b_a1bc_b93c),
            (4, 0x1cad_b0d0_a302_144c),
            (8, 0x5cca_1d27_66c9_1e5e),
            (15, 0x44af_f812_7f07_2ecb),
            (16, 0x8eee_608b_28b5_d712),
            (17, 0x7907_efae_2312_f35a),
            (64, 0x8ed9_a172_7850_47b7),
            (255, 0xc4f1_b1d7_4a0c_c037),
            (256, 0x1284_3a58_579c_fcc4),
            (257, 0x186e_53bb_e557_1dcf),
            (1024, 0x36a0_78ca_ca6d_3f1c),
            (1025, 0x2d4b_4346_fe21_7129),
            (2000, 0x5774_4a8e_7aaf_68db),
        ]);
    }
}
