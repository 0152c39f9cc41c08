//! 256-bit integer vectors.

use super::Proof;

/// Accumulators of [`Avx2::accumulate`].
pub const LANES: usize = 8;
/// Bytes that are mixed into all accumulators in one step.
pub const STRIPE: usize = 64;
/// After so many stripes the accumulators are stirred; the words of the secret that a stripe begins with come again
/// then.
pub const PERIOD: usize = 16;

/// AVX2 is there.
#[derive(Debug, Clone, Copy)]
pub struct Avx2(Proof);

impl Avx2 {
    /// `None` on a processor without it.
    pub fn detect() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            return Some(Self(()));
        }
        None
    }

    /// Of each 32 bytes the four words, each `xor` the state, all `xor` together; times a factor. What is left over
    /// byte by byte as in FNV-1a, of which state and factor are.
    #[inline]
    pub fn folded_lanes(self, key: &[u8]) -> u64 {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a value of this type is made only where the processor has AVX2.
        return unsafe { x86::folded_lanes(key) };
        #[cfg(not(target_arch = "x86_64"))]
        {
            let _ = key;
            match self.0 {}
        }
    }

    /// Mixes all stripes of a key into accumulators, the last 64 bytes as a stripe of their own: the loop for long
    /// keys of XXH3 (<https://github.com/Cyan4973/xxHash>). A word is `xor` a word of the secret; the product of both
    /// halves goes into its own accumulator, and the word into the neighbour's, so that nothing is lost where a
    /// product is 0. Stripe `n` of a period begins with word `n` of the secret; stirring has the words from 16 on,
    /// the last stripe those from 15 on.
    ///
    /// # Panics
    /// With a key of less than 64 bytes.
    #[inline]
    pub fn accumulate(
        self,
        accumulators: &mut [u64; LANES],
        key: &[u8],
        secret: &[u64; PERIOD + LANES],
    ) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a value of this type is made only where the processor has AVX2.
        unsafe {
            x86::accumulate(accumulators, key, secret);
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            let _ = (accumulators, key, secret);
            match self.0 {}
        }
    }
}

/// What stirred accumulators are multiplied by: a prime of 32 bits, XXH32's first.
#[cfg(target_arch = "x86_64")]
const STIR: u32 = 0x9e37_79b1;

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256i, _mm256_add_epi64, _mm256_loadu_si256, _mm256_mul_epu32, _mm256_set1_epi32,
        _mm256_set1_epi64x, _mm256_shuffle_epi32, _mm256_slli_epi64, _mm256_srli_epi64,
        _mm256_storeu_si256, _mm256_xor_si256,
    };

    use super::{LANES, PERIOD, STIR, STRIPE};

    #[target_feature(enable = "avx2")]
    pub(super) fn folded_lanes(key: &[u8]) -> u64 {
        let (chunks, rest) = key.as_chunks::<32>();
        let mut hash = BASIS;
        for chunk in chunks {
            let lanes = words(_mm256_xor_si256(
                _mm256_set1_epi64x(hash as i64),
                load(chunk),
            ));
            hash = (lanes[0] ^ lanes[1] ^ lanes[2] ^ lanes[3]).wrapping_mul(PRIME);
        }
        for &byte in rest {
            hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        }
        hash
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn accumulate(
        accumulators: &mut [u64; LANES],
        key: &[u8],
        secret: &[u64; PERIOD + LANES],
    ) {
        let last = key
            .last_chunk::<STRIPE>()
            .expect("a key of 64 bytes or more");
        // Each but the last, of which a whole one is a copy.
        let (stripes, _) = key[..key.len() - 1].as_chunks::<STRIPE>();
        let (low, high) = accumulators.split_at(4);
        let mut lanes = [load_words(low), load_words(high)];
        let mut periods = stripes.chunks_exact(PERIOD);
        for period in periods.by_ref() {
            for (stripe, words) in period.iter().zip(secret.windows(LANES)) {
                lanes = step(lanes, stripe, words);
            }
            lanes = stir(lanes, &secret[PERIOD..]);
        }
        for (stripe, words) in periods.remainder().iter().zip(secret.windows(LANES)) {
            lanes = step(lanes, stripe, words);
        }
        lanes = step(lanes, last, &secret[PERIOD - 1..]);
        let [first, second] = lanes.map(|half| words(half));
        accumulators[..4].copy_from_slice(&first);
        accumulators[4..].copy_from_slice(&second);
    }

    /// `secret` has eight words or more.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn step([low, high]: [__m256i; 2], stripe: &[u8; STRIPE], secret: &[u64]) -> [__m256i; 2] {
        let (halves, _) = stripe.as_chunks::<32>();
        [
            mix(low, load(&halves[0]), load_words(&secret[..4])),
            mix(high, load(&halves[1]), load_words(&secret[4..8])),
        ]
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn mix(lanes: __m256i, data: __m256i, secret: __m256i) -> __m256i {
        let keyed = _mm256_xor_si256(data, secret);
        let product = _mm256_mul_epu32(keyed, _mm256_srli_epi64::<32>(keyed));
        // Each 64-bit word in the place of its neighbour.
        let crossed = _mm256_shuffle_epi32::<0b0100_1110>(data);
        _mm256_add_epi64(_mm256_add_epi64(product, crossed), lanes)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn stir(lanes: [__m256i; 2], secret: &[u64]) -> [__m256i; 2] {
        let factor = _mm256_set1_epi32(STIR as i32);
        let [low, high] = lanes;
        let stirred = |lanes: __m256i, secret: &[u64]| {
            let shifted = _mm256_xor_si256(lanes, _mm256_srli_epi64::<47>(lanes));
            let keyed = _mm256_xor_si256(shifted, load_words(secret));
            // A product of 64 by 32 bits, of which the lower 64 bits are left.
            let high = _mm256_mul_epu32(_mm256_srli_epi64::<32>(keyed), factor);
            _mm256_add_epi64(
                _mm256_mul_epu32(keyed, factor),
                _mm256_slli_epi64::<32>(high),
            )
        };
        [stirred(low, &secret[..4]), stirred(high, &secret[4..])]
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load(bytes: &[u8; 32]) -> __m256i {
        // SAFETY: 32 bytes can be read there, at any alignment.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
    }

    /// The first four words.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn load_words(words: &[u64]) -> __m256i {
        let four: &[u64; 4] = words.first_chunk().expect("four words");
        // SAFETY: 32 bytes can be read there, at any alignment.
        unsafe { _mm256_loadu_si256(four.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn words(lanes: __m256i) -> [u64; 4] {
        let mut words = [0; 4];
        // SAFETY: 32 bytes can be written there, at any alignment.
        unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), lanes) };
        words
    }

    /// FNV-1a's offset basis and prime.
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    fn detected() -> Option<Avx2> {
        let detected = Avx2::detect();
        if detected.is_none() {
            eprintln!("skipped: the processor has no AVX2");
        }
        detected
    }

    fn bytes(count: usize) -> Vec<u8> {
        (0..count as u64)
            .map(|number| (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
            .collect()
    }

    fn words(bytes: &[u8]) -> Vec<u64> {
        let (words, _) = bytes.as_chunks();
        words.iter().map(|word| u64::from_le_bytes(*word)).collect()
    }

    /// The same without vectors.
    fn by_words(accumulators: &mut [u64; LANES], key: &[u8], secret: &[u64; PERIOD + LANES]) {
        let stripes = key[..key.len() - 1].chunks_exact(STRIPE);
        for (number, stripe) in stripes.enumerate() {
            step(accumulators, stripe, &secret[number % PERIOD..]);
            if number % PERIOD == PERIOD - 1 {
                for (lane, accumulator) in accumulators.iter_mut().enumerate() {
                    let stirred = *accumulator ^ (*accumulator >> 47) ^ secret[PERIOD + lane];
                    *accumulator = stirred.wrapping_mul(STIR.into());
                }
            }
        }
        let last = &key[key.len() - STRIPE..];
        step(accumulators, last, &secret[PERIOD - 1..]);
    }

    fn step(accumulators: &mut [u64; LANES], stripe: &[u8], secret: &[u64]) {
        for (lane, word) in words(stripe).into_iter().enumerate() {
            let keyed = word ^ secret[lane];
            let product = (keyed & 0xffff_ffff).wrapping_mul(keyed >> 32);
            accumulators[lane] = accumulators[lane].wrapping_add(product);
            accumulators[lane ^ 1] = accumulators[lane ^ 1].wrapping_add(word);
        }
    }

    #[test]
    fn vectors_give_what_words_give_at_any_length_and_place() {
        let Some(avx2) = detected() else { return };
        let data = bytes(4096);
        let secret: [u64; PERIOD + LANES] = words(&bytes(8 * (PERIOD + LANES))).try_into().unwrap();
        let lengths = (64..=300).chain([1023, 1024, 1025, 1088, 1089, 2048, 2049, 3500]);
        for (length, begin) in lengths.flat_map(|length| (0..33).map(move |begin| (length, begin)))
        {
            let key = &data[begin..begin + length];
            let mut expected = [1, 2, 3, 4, 5, 6, 7, 8];
            let mut found = expected;
            by_words(&mut expected, key, &secret);
            avx2.accumulate(&mut found, key, &secret);
            assert_eq!(found, expected, "{length} bytes from {begin}");
        }
    }

    #[test]
    fn folded_lanes_are_those_of_words() {
        let Some(avx2) = detected() else { return };
        let data = bytes(400);
        for (length, begin) in
            (0..=300).flat_map(|length| (0..33).map(move |begin| (length, begin)))
        {
            let key = &data[begin..begin + length];
            let (prime, whole) = (0x0000_0100_0000_01b3_u64, length / 32 * 32);
            let fold = |hash: u64, chunk: &[u8]| {
                let lanes = words(chunk).into_iter().map(|word| hash ^ word);
                lanes.fold(0, |sum, lane| sum ^ lane).wrapping_mul(prime)
            };
            let hash = key[..whole].chunks(32).fold(0xcbf2_9ce4_8422_2325, fold);
            let rest = key[whole..].iter();
            let expected = rest.fold(hash, |hash, &byte| {
                (hash ^ u64::from(byte)).wrapping_mul(prime)
            });
            assert_eq!(
                avx2.folded_lanes(key),
                expected,
                "{length} bytes from {begin}"
            );
        }
    }
}
