//! A hash with AVX2 that is one: vectors for long keys, folded products for the others.

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::hash::HashFunction;
use ringside_metal::simd::{Avx2, LANES, PERIOD};

use super::mixing::{GOLDEN, SECRET, fold, product, short, spread, word};
use super::work::NamedHash;

/// `hash/avx2_fixed`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx2Fixed(Avx2);

static META: ImplementationMeta = ImplementationMeta {
    id: "hash/avx2_fixed",
    about: "Keys over 256 bytes in eight accumulators of two vectors, as XXH3 has them; shorter ones in folded products of \
            words that do not wait for each other.",
    axes: &[],
    ranked: true,
};

impl NamedHash for Avx2Fixed {
    const META: &'static ImplementationMeta = &META;
    const NEEDS: &'static [&'static str] = &["avx2"];

    fn find() -> Option<Self> {
        Avx2::detect().map(Self)
    }
}

impl HashFunction for Avx2Fixed {
    #[inline]
    fn hash(&self, key: &[u8]) -> u64 {
        match key.len() {
            0..=16 => whole(key),
            17..=PAIRS_MAX => pairs(key),
            _ => self.long(key),
        }
    }
}

impl Avx2Fixed {
    #[inline(never)]
    fn long(self, key: &[u8]) -> u64 {
        let mut accumulators = FIRST;
        self.0.accumulate(&mut accumulators, key, &STRIPES);
        let (words, _) = accumulators.as_chunks::<2>();
        let length = (key.len() as u64).wrapping_mul(GOLDEN);
        let folded = words.iter().zip(MERGE.as_chunks::<2>().0);
        let sum = folded.fold(length, |sum, (words, secret)| {
            sum.wrapping_add(fold(words[0] ^ secret[0], words[1] ^ secret[1]))
        });
        spread(sum)
    }
}

/// Two products: of the words, and of both halves of that.
#[inline(always)]
fn whole(key: &[u8]) -> u64 {
    let [first, second] = short(key);
    let [low, high] = product(first ^ SECRET[0], second ^ SECRET[1]);
    fold(low ^ SECRET[2] ^ key.len() as u64, high ^ SECRET[3])
}

/// A product for each 16 bytes, each with words of the secret of its own, so that the order counts; the last 16 bytes
/// come whole, however much of them was read before.
#[inline(always)]
fn pairs(key: &[u8]) -> u64 {
    let pair = |at: usize, place: usize| {
        let [first, second] = [SECRET[place * 2], SECRET[place * 2 + 1]];
        fold(word(key, at) ^ first, word(key, at + 8) ^ second)
    };
    let before = (key.len() - 1) / 16;
    let length = (key.len() as u64).wrapping_mul(GOLDEN);
    let sum = (0..before).fold(length, |sum, place| {
        sum.wrapping_add(pair(place * 16, place))
    });
    spread(sum.wrapping_add(pair(key.len() - 16, LAST)))
}

/// The longest key in products: each has its words of the secret.
const PAIRS_MAX: usize = 256;
/// Behind the places of all others.
const LAST: usize = PAIRS_MAX / 16;

/// What accumulators begin with, what stripes are keyed with and what accumulators are merged with.
const FIRST: [u64; LANES] = part(0);
const STRIPES: [u64; PERIOD + LANES] = part(8);
const MERGE: [u64; LANES] = part(32);

/// `N` words of the secret from a place on.
const fn part<const N: usize>(begin: usize) -> [u64; N] {
    let (mut words, mut index) = ([0; N], 0);
    while index < N {
        words[index] = SECRET[begin + index];
        index += 1;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::super::work::pinned;
    use super::*;

    #[test]
    fn places_of_the_secret_are_there_and_no_key_shares_them() {
        assert_eq!(
            (PAIRS_MAX - 1) / 16,
            LAST - 1,
            "the last place is no other's"
        );
        assert!(LAST * 2 + 1 < SECRET.len());
    }

    #[test]
    fn hashes_stay_what_they_are() {
        pinned::<Avx2Fixed>(&[
            (0, 0x54d4_9062_9826_3639),
            (1, 0xcdb3_acb4_f5ee_a0b1),
            (3, 0xba2e_9b9b_a1bc_b93c),
            (4, 0x1cad_b0d0_a302_144c),
            (8, 0x5cca_1d27_66c9_1e5e),
            (15, 0x44af_f812_7f07_2ecb),
            (16, 0x1f67_c008_2ee8_32e1),
            (17, 0x3e8d_de30_060a_9ae3),
            (64, 0x5ee4_bac1_b411_7ab6),
            (255, 0x6bda_e384_3988_7d30),
            (256, 0xb347_f014_ede9_8eaf),
            (257, 0xd530_00a8_a1dc_db91),
            (1024, 0xa3ec_d399_df84_fc9d),
            (1025, 0x6155_122b_6266_91b6),
            (2000, 0xc5e0_3e2b_1104_086c),
        ]);
    }
}
