//! What threads ask for, worked out before anything is timed.

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng as _};
use ringside_contract::operations::map::{KEY_BITS, KeyChoice};

/// Numbers that look random and follow from a seed.
#[derive(Debug, Clone)]
pub(crate) struct Random(SplitMix64);

impl Random {
    /// A sequence of its own for each `stream`.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let first = |seed| SplitMix64::seed_from_u64(seed).next_u64();
        // Sequences of seeds that lie side by side overlap otherwise.
        Self(SplitMix64::seed_from_u64(first(seed ^ first(stream))))
    }

    /// The next number.
    pub(crate) fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// One of `0..bound`, each as likely but for less than a billionth.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let wide = u64::from(bound) * (self.word() >> 32);
        // The product is less than `bound` times 2^32.
        (wide >> 32) as u32
    }

    /// From 0 up to 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The key of entry `number`: no two have the same, and neighbours have nothing in common.
pub(crate) fn key(number: u32) -> u64 {
    // Odd factors and shifts lose nothing within the bits of a key.
    const MASK: u64 = (1 << KEY_BITS) - 1;
    let mut key = u64::from(number);
    for factor in [0xbf58_476d_1ce5, 0x94d0_49bb_1331] {
        key = key.wrapping_mul(factor) & MASK;
        key ^= key >> (KEY_BITS / 2);
    }
    key
}

/// Draws the numbers of entries.
#[derive(Debug)]
pub(crate) enum Draw {
    Uniform(u32),
    /// Sums of the weights up to each rank.
    Zipf(Vec<f64>),
    Hot,
}

impl Draw {
    /// From `entries` entries.
    pub(crate) fn new(keys: KeyChoice, entries: u32) -> Self {
        match keys {
            KeyChoice::Uniform => Self::Uniform(entries),
            KeyChoice::Zipf => {
                let weight = |rank: u32| f64::from(rank).powf(-EXPONENT);
                let sum = |sum: &mut f64, rank| {
                    *sum += weight(rank);
                    Some(*sum)
                };
                Self::Zipf((1..=entries).scan(0.0, sum).collect())
            }
            KeyChoice::Hot => Self::Hot,
        }
    }

    /// The next one.
    pub(crate) fn draw(&self, random: &mut Random) -> u32 {
        match self {
            Self::Uniform(entries) => random.below(*entries),
            Self::Zipf(sums) => {
                let at = random.unit() * sums.last().copied().unwrap_or(0.0);
                let rank = sums.partition_point(|&sum| sum <= at);
                // As many as there are entries, whose number is a `u32`.
                rank.min(sums.len().saturating_sub(1)) as u32
            }
            Self::Hot => 0,
        }
    }
}

/// That of the Yahoo! Cloud Serving Benchmark (Cooper et al. 2010).
const EXPONENT: f64 = 0.99;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_and_have_their_bits() {
        let mut keys: Vec<u64> = (0..200_000)
            .chain([u32::MAX - 1, u32::MAX])
            .map(key)
            .collect();
        assert!(keys.iter().all(|key| key >> KEY_BITS == 0));
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count);
    }

    /// How often each of four entries was drawn in a thousand.
    fn drawn(keys: KeyChoice) -> [u32; 4] {
        let (draw, mut random) = (Draw::new(keys, 4), Random::new(1, 0));
        let mut counts = [0; 4];
        for _ in 0..1000 {
            counts[draw.draw(&mut random) as usize] += 1;
        }
        counts
    }

    #[test]
    fn entries_are_drawn_as_often_as_they_should() {
        assert_eq!(drawn(KeyChoice::Hot), [1000, 0, 0, 0]);
        for count in drawn(KeyChoice::Uniform) {
            assert!((200..300).contains(&count), "{count}");
        }
        // The weights are 1, 0.503, 0.337 and 0.253, together 2.094.
        let zipf = drawn(KeyChoice::Zipf);
        for (count, expected) in zipf.into_iter().zip([478_u32, 240, 161, 121]) {
            assert!(count.abs_diff(expected) < 60, "{zipf:?}");
        }
    }

    #[test]
    fn streams_of_one_seed_differ_and_each_comes_again() {
        let words = |seed, stream| {
            let mut random = Random::new(seed, stream);
            [random.word(), random.word()]
        };
        assert_eq!(words(1, 2), words(1, 2));
        assert_ne!(words(1, 2), words(1, 3));
        assert_ne!(words(1, 2), words(2, 2));
    }
}
