//! Steps that the functions written here share: what mixes words, and how a short key is read.

/// Both halves of the product of two words, `xor` each other: each bit of the factors moves about half of the bits.
/// From wyhash (<https://github.com/wangyi-fudan/wyhash>).
#[inline(always)]
pub(super) fn fold(left: u64, right: u64) -> u64 {
    let [low, high] = product(left, right);
    low ^ high
}

/// The lower and the upper half of a product.
#[inline(always)]
pub(super) fn product(left: u64, right: u64) -> [u64; 2] {
    let product = u128::from(left) * u128::from(right);
    [product as u64, (product >> 64) as u64]
}

/// The last step of XXH3: what a word holds is spread over all of its bits, and nothing is lost.
#[inline(always)]
pub(super) fn spread(word: u64) -> u64 {
    let word = (word ^ (word >> 37)).wrapping_mul(0x1656_6791_9e37_79f9);
    word ^ (word >> 32)
}

/// The word at a place of a key.
///
/// # Panics
/// It has no eight bytes there.
#[inline(always)]
pub(super) fn word(key: &[u8], at: usize) -> u64 {
    let bytes = key[at..].first_chunk().expect("eight bytes are there");
    u64::from_le_bytes(*bytes)
}

/// All bytes of a key of at most 16 in two words, some of them twice. Keys of one length that differ give others.
#[inline(always)]
pub(super) fn short(key: &[u8]) -> [u64; 2] {
    let half = |at: usize| {
        let bytes = key[at..].first_chunk().expect("four bytes are there");
        u64::from(u32::from_le_bytes(*bytes))
    };
    match key.len() {
        8.. => [word(key, 0), word(key, key.len() - 8)],
        4.. => [half(0), half(key.len() - 4)],
        1.. => {
            let byte = |at: usize| u64::from(key[at]);
            let all = byte(0) | byte(key.len() / 2) << 8 | byte(key.len() - 1) << 16;
            [all, 0]
        }
        0 => [0, 0],
    }
}

/// Words without a pattern, which are the same in every build.
pub(super) const SECRET: [u64; 40] = {
    let (mut words, mut index) = ([0; 40], 0);
    while index < words.len() {
        words[index] = splitmix((index as u64 + 1).wrapping_mul(GOLDEN));
        index += 1;
    }
    words
};

/// The finishing step of splitmix64.
const fn splitmix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// The fraction of the golden ratio.
pub(super) const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_splitmix() {
        // Published first output of the seed 0.
        assert_eq!(SECRET[0], 0xe220_a839_7b1d_cdaf);
        assert_eq!(SECRET[1], 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn every_byte_of_a_short_key_has_a_place() {
        for length in 0..=16 {
            let mut seen = vec![short(&vec![0; length])];
            for place in 0..length {
                let mut key = vec![0; length];
                key[place] = 1;
                let words = short(&key);
                assert!(!seen.contains(&words), "byte {place} of {length}");
                seen.push(words);
            }
        }
    }

    #[test]
    fn a_product_has_two_halves() {
        assert_eq!(product(1 << 63, 6), [0, 3]);
        assert_eq!(fold(u64::MAX, u64::MAX), 1 ^ (u64::MAX - 1));
    }
}
