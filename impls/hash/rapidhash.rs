//! rapidhash, from a library.

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::hash::HashFunction;

use super::work::NamedHash;

/// `hash/rapidhash`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RapidHash;

static META: ImplementationMeta = ImplementationMeta {
    id: "hash/rapidhash",
    about: "rapidhash V3 by the crate of this name, as its C++ original has it: folded products of words.",
    axes: &[],
    ranked: true,
};

impl NamedHash for RapidHash {
    const META: &'static ImplementationMeta = &META;

    fn find() -> Option<Self> {
        Some(Self)
    }
}

impl HashFunction for RapidHash {
    #[inline]
    fn hash(&self, key: &[u8]) -> u64 {
        rapidhash::v3::rapidhash_v3(key)
    }
}

#[cfg(test)]
mod tests {
    use super::super::mixing::{fold, product, word};
    use super::*;

    /// Its secret, by the original (<https://github.com/Nicoshev/rapidhash>).
    const SECRET: [u64; 7] = [
        0x2d35_8dcc_aa6c_78a5,
        0x8bb8_4b93_962e_acc9,
        0x4b33_a62e_d433_d4a3,
        0x4d5a_2da5_1de1_aa47,
        0xa076_1d64_78bd_642f,
        0xe703_7ed1_a0b4_28db,
        0x90ed_1765_281c_388c,
    ];

    /// The original's way of any key, with the seed 0.
    fn by_definition(key: &[u8]) -> u64 {
        let seed = fold(SECRET[2], SECRET[1]);
        let (words, seed, rest) = if key.len() > 16 {
            long(key, seed)
        } else {
            short(key, seed)
        };
        let [low, high] = product(words[0] ^ SECRET[1], words[1] ^ seed);
        fold(low ^ 0xaaaa_aaaa_aaaa_aaaa, high ^ SECRET[1] ^ rest)
    }

    fn short(key: &[u8], seed: u64) -> ([u64; 2], u64, u64) {
        let length = key.len();
        let number = |bytes: &[u8]| {
            let digits = bytes.iter().rev();
            digits.fold(0, |all, &byte| all << 8 | u64::from(byte))
        };
        let byte = |at: usize| u64::from(key[at]);
        let half = if length < 8 { 4 } else { 8 };
        let (words, seed) = match length {
            0 => ([0, 0], seed),
            1..4 => ([byte(0) << 45 | byte(length - 1), byte(length / 2)], seed),
            _ => (
                [number(&key[..half]), number(&key[length - half..])],
                seed ^ length as u64,
            ),
        };
        (words, seed, length as u64)
    }

    fn long(key: &[u8], mut seed: u64) -> ([u64; 2], u64, u64) {
        let mut rest = key;
        if rest.len() > 112 {
            let mut lanes = [seed; 7];
            while rest.len() > 112 {
                for (lane, seed) in lanes.iter_mut().enumerate() {
                    *seed = fold(
                        word(rest, lane * 16) ^ SECRET[lane],
                        word(rest, lane * 16 + 8) ^ *seed,
                    );
                }
                rest = &rest[112..];
            }
            seed = lanes.iter().fold(0, |all, lane| all ^ lane);
        }
        for (step, secret) in [2, 2, 1, 1, 2, 1].into_iter().enumerate() {
            if rest.len() > 16 * (step + 1) {
                seed = fold(
                    word(rest, step * 16) ^ SECRET[secret],
                    word(rest, step * 16 + 8) ^ seed,
                );
            }
        }
        let left = rest.len() as u64;
        let [first, last] = [16, 8].map(|before| word(key, key.len() - before));
        ([first ^ left, last], seed, left)
    }

    #[test]
    fn keys_are_hashed_by_definition() {
        let bytes: Vec<u8> = (0..1500_u32)
            .map(|number| (number * 13 + (number >> 6) + 11) as u8)
            .collect();
        for length in (0..=500).chain([1023, 1024, 1025, 1500]) {
            let key = &bytes[..length];
            assert_eq!(RapidHash.hash(key), by_definition(key), "{length} bytes");
        }
    }
}
