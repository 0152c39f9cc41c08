//! The CRC32 instruction of SSE 4.2.

use super::Proof;

/// The instruction is there.
#[derive(Debug, Clone, Copy)]
pub struct Crc32(Proof);

impl Crc32 {
    /// `None` on a processor without it.
    pub fn detect() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("sse4.2") {
            return Some(Self(()));
        }
        None
    }

    /// Eight bytes at a time into one checksum, then what is left byte by byte, each as a word of its own.
    #[inline]
    pub fn one_lane(self, key: &[u8]) -> u64 {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a value of this type is made only where the processor has the instruction.
        return unsafe { x86::one_lane(key) };
        #[cfg(not(target_arch = "x86_64"))]
        {
            let _ = key;
            match self.0 {}
        }
    }

    /// The words of a key, by turns into two pairs of checksums. Of each pair one has the words themselves and the
    /// other one their products with an odd factor: words that collide in the one, which is linear, hardly ever do
    /// in the other. The last 16 bytes come whole, however much of them was read before.
    ///
    /// # Panics
    /// With a key of less than 16 bytes.
    #[inline]
    pub fn four_lanes(self, key: &[u8], seed: u64) -> [u64; 2] {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a value of this type is made only where the processor has the instruction.
        return unsafe { x86::four_lanes(key, seed) };
        #[cfg(not(target_arch = "x86_64"))]
        {
            let _ = (key, seed);
            match self.0 {}
        }
    }
}

/// An odd factor without a pattern: the fraction of the golden ratio.
#[cfg(target_arch = "x86_64")]
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// Both halves of a word's product, `xor` each other: of the lower half alone the highest bit would be as linear as
/// it was.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn folded(word: u64) -> u64 {
    let product = u128::from(word) * u128::from(FACTOR);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::_mm_crc32_u64;

    #[target_feature(enable = "sse4.2")]
    pub(super) fn one_lane(key: &[u8]) -> u64 {
        let (words, rest) = key.as_chunks();
        let mut hash = 0;
        for word in words {
            hash = _mm_crc32_u64(hash, u64::from_ne_bytes(*word));
        }
        for &byte in rest {
            hash = _mm_crc32_u64(hash, byte.into());
        }
        hash
    }

    #[target_feature(enable = "sse4.2")]
    pub(super) fn four_lanes(key: &[u8], seed: u64) -> [u64; 2] {
        let (pairs, rest) = key.as_chunks::<16>();
        let last = key.last_chunk::<16>().expect("a key of 16 bytes or more");
        let mut lanes = [seed & LOW, seed >> 32, !seed & LOW, !seed >> 32];
        for pair in pairs {
            lanes = step(lanes, pair);
        }
        if !rest.is_empty() {
            lanes = step(lanes, last);
        }
        [lanes[0] | lanes[1] << 32, lanes[2] | lanes[3] << 32]
    }

    #[inline]
    #[target_feature(enable = "sse4.2")]
    fn step([a, b, c, d]: [u64; 4], pair: &[u8; 16]) -> [u64; 4] {
        let whole = u128::from_le_bytes(*pair);
        let (first, second) = (whole as u64, (whole >> 64) as u64);
        [
            _mm_crc32_u64(a, first),
            _mm_crc32_u64(b, super::folded(first)),
            _mm_crc32_u64(c, second),
            _mm_crc32_u64(d, super::folded(second)),
        ]
    }

    /// A checksum has 32 bits.
    const LOW: u64 = 0xffff_ffff;
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    /// The polynomial of Castagnoli, bits reversed, a bit at a time, as the instruction is defined.
    fn by_bits(checksum: u64, word: u64) -> u64 {
        (0..64).fold(checksum ^ word, |state, _| {
            let factor = if state & 1 == 1 { 0x82f6_3b78 } else { 0 };
            (state >> 1) ^ factor
        })
    }

    fn word(bytes: &[u8]) -> u64 {
        u64::from_le_bytes(bytes.try_into().expect("eight bytes"))
    }

    #[test]
    fn the_lanes_are_those_of_the_definition_at_any_length_and_place() {
        let Some(crc32) = Crc32::detect() else {
            eprintln!("skipped: the processor has no CRC32 instruction");
            return;
        };
        let bytes: Vec<u8> = (0..400_u32)
            .map(|number| ((number * 37) >> 2) as u8)
            .collect();
        for (begin, length) in
            (0..16).flat_map(|begin| (0..=300).map(move |length| (begin, length)))
        {
            let key = &bytes[begin..begin + length];
            let whole = length / 8 * 8;
            let words = key[..whole].chunks(8).map(word);
            let rest = key[whole..].iter().map(|&byte| u64::from(byte));
            let one = words.chain(rest).fold(0, by_bits);
            assert_eq!(crc32.one_lane(key), one, "{length} bytes from {begin}");
            if length < 16 {
                continue;
            }
            let seed = 0x0123_4567_89ab_cdef;
            let mut lanes = [
                seed & 0xffff_ffff,
                seed >> 32,
                !seed & 0xffff_ffff,
                !seed >> 32,
            ];
            let mut pairs: Vec<&[u8]> = key.chunks_exact(16).collect();
            if length % 16 > 0 {
                pairs.push(&key[length - 16..]);
            }
            for pair in pairs {
                let (first, second) = (word(&pair[..8]), word(&pair[8..]));
                let words = [first, folded(first), second, folded(second)];
                for (lane, word) in lanes.iter_mut().zip(words) {
                    *lane = by_bits(*lane, word);
                }
            }
            let expected = [lanes[0] | lanes[1] << 32, lanes[2] | lanes[3] << 32];
            assert_eq!(
                crc32.four_lanes(key, seed),
                expected,
                "{length} bytes from {begin}"
            );
        }
    }
}
