//! Random numbers for resampling: the same on every machine, so that the same records give the same
//! figures.

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng as _};

/// Random numbers.
pub(crate) struct Random(SplitMix64);

impl Random {
    /// With a fixed first number.
    pub(crate) fn new() -> Self {
        Self::seeded(0x5eed)
    }

    /// With numbers that follow from `seed`.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(SplitMix64::seed_from_u64(seed))
    }

    /// A number below `bound`; the bias of a 64-bit product is far below what 2,000 trials can see.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.0.next_u64()) * bound as u128) >> 64) as usize
    }
}
