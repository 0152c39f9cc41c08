//! The document's hash with the CRC32 instruction.

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::hash::HashFunction;
use ringside_metal::simd::Crc32;

use super::work::NamedHash;

/// `hash/crc32_doc`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crc32Doc(Crc32);

static META: ImplementationMeta = ImplementationMeta {
    id: "hash/crc32_doc",
    about: "As a document has it: one CRC32 of all words and then of each byte left over. Half of its bits are always 0.",
    axes: &[],
    ranked: true,
};

impl NamedHash for Crc32Doc {
    const META: &'static ImplementationMeta = &META;
    const NEEDS: &'static [&'static str] = &["sse4_2"];

    fn find() -> Option<Self> {
        Crc32::detect().map(Self)
    }
}

impl HashFunction for Crc32Doc {
    #[inline]
    fn hash(&self, key: &[u8]) -> u64 {
        self.0.one_lane(key)
    }
}

#[cfg(test)]
mod tests {
    use super::super::work::pinned;
    use super::*;

    #[test]
    fn hashes_stay_what_they_are() {
        pinned::<Crc32Doc>(&[
            (0, 0x0000_0000_0000_0000),
            (1, 0x0000_0000_0000_0000),
            (3, 0x0000_0000_e352_691c),
            (4, 0x0000_0000_e34a_016e),
            (8, 0x0000_0000_6540_2ed1),
            (15, 0x0000_0000_7cc9_a7a8),
            (16, 0x0000_0000_209b_ee33),
            (17, 0x0000_0000_b028_5eb9),
            (64, 0x0000_0000_c4fa_e6c3),
            (255, 0x0000_0000_ba9a_7c89),
            (256, 0x0000_0000_fdca_fed9),
            (257, 0x0000_0000_be81_b0ab),
            (1024, 0x0000_0000_bf51_22e4),
            (1025, 0x0000_0000_d92d_cb3c),
            (2000, 0x0000_0000_bae0_0d00),
        ]);
    }
}
