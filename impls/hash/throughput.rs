//! Keys that are hashed one after the other.

use std::hint::black_box;

use ringside_contract::operations::hash::{HashFunction, LENGTH_MAX};
use ringside_contract::operations::{Prepared, Work};

use crate::script::Random;

/// Keys, parts of one piece of memory.
pub(super) struct Keys<H> {
    function: H,
    bytes: Box<[u8]>,
    script: Box<[Place]>,
    chained: bool,
    /// The sum of the first keys, before all work.
    first: u64,
}

/// Where a key lies.
#[derive(Debug, Clone, Copy)]
struct Place {
    begin: u32,
    length: u32,
}

impl<H: HashFunction> Keys<H> {
    pub(super) fn new(function: H, length: u32, mixed: bool, chained: bool, seed: u64) -> Self {
        let mut random = Random::new(seed, 0);
        let words = (0..BYTES / 8).flat_map(|_| random.word().to_le_bytes());
        let bytes = words.collect();
        let length = length.clamp(1, LENGTH_MAX);
        let mut place = || Place {
            // As an allocator has it.
            begin: random.below(STARTS) * 8,
            length: if mixed {
                1 + random.below(length)
            } else {
                length
            },
        };
        let mut keys = Self {
            function,
            bytes,
            script: (0..STEPS).map(|_| place()).collect(),
            chained,
            first: 0,
        };
        keys.first = keys.sum();
        keys
    }

    /// Of some keys; outside of what is timed.
    fn sum(&self) -> u64 {
        let hashes = (0..16).map(|step| self.hash(step));
        hashes.fold(0, |sum, hash| sum.rotate_left(5) ^ hash)
    }

    /// The hash of the key at a step of the script.
    #[inline(always)]
    fn hash(&self, step: u64) -> u64 {
        let Place { begin, length } = self.script[step as usize % STEPS];
        let (begin, length) = (begin as usize, length as usize);
        self.function.hash(&self.bytes[begin..begin + length])
    }
}

impl<H: HashFunction> Prepared for Keys<H> {
    fn work(&self, _: u32) -> Box<dyn Work + '_> {
        if self.chained {
            Box::new(Thread::<H, true>(self))
        } else {
            Box::new(Thread::<H, false>(self))
        }
    }

    fn check(&self) -> Result<(), String> {
        match self.sum() {
            sum if sum == self.first => Ok(()),
            sum => Err(format!(
                "the keys had the sum {:#x}, and then {sum:#x}",
                self.first
            )),
        }
    }
}

/// What one thread works with.
struct Thread<'a, H, const CHAINED: bool>(&'a Keys<H>);

impl<H: HashFunction, const CHAINED: bool> Work for Thread<'_, H, CHAINED> {
    fn run(&mut self, first: u64, count: u32) -> u64 {
        // Nothing, which no compiler knows: a step is known when the hash before is.
        let nothing = black_box(0);
        let (mut sum, mut tie) = (0_u64, 0);
        for number in first..first + u64::from(count) {
            let hash = self.0.hash(number ^ tie);
            if CHAINED {
                tie = hash & nothing;
            }
            // A hash in another place gives another sum, and none waits for the one before.
            sum = sum.rotate_left(5) ^ hash;
        }
        sum
    }
}

/// So many that no branch predictor knows their lengths by heart.
const STEPS: usize = 1 << 13;
/// Where keys begin, in words: within 8 KiB, so that short keys come from the first cache and their time is the
/// function's.
const STARTS: u32 = 1 << 10;
/// Every start has room for the longest key behind it.
const BYTES: u32 = STARTS * 8 + LENGTH_MAX;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// Shows the bytes of a key.
    struct Shown;

    impl HashFunction for Shown {
        fn hash(&self, key: &[u8]) -> u64 {
            let start = |hash: u64, &byte: &u8| hash.rotate_left(8) ^ u64::from(byte);
            key.iter().fold(key.len() as u64, start)
        }
    }

    #[test]
    fn both_orders_hash_the_same_keys() {
        let sums = [false, true].map(|chained| {
            let keys = Keys::new(Shown, 100, true, chained, 7);
            let mut work = keys.work(0);
            [work.run(0, 1000), work.run(1000, 50), work.run(0, 1000)]
        });
        assert_eq!(sums[0], sums[1]);
        assert_eq!(sums[0][0], sums[0][2]);
        assert_ne!(sums[0][0], sums[0][1]);
    }

    #[test]
    fn keys_have_the_lengths_that_were_asked_for() {
        for (length, mixed) in [(1, false), (64, false), (64, true), (LENGTH_MAX, true)] {
            let keys = Keys::new(Shown, length, mixed, false, 1);
            let lengths = keys.script.iter().map(|place| place.length);
            let (least, most) = (lengths.clone().min().unwrap(), lengths.max().unwrap());
            assert!(most <= length && most > length - length / 100 - 1, "{most}");
            assert!(if mixed {
                least <= 1 + length / 1000
            } else {
                least == length
            });
            let ends = keys.script.iter().map(|place| place.begin + place.length);
            assert!(ends.max().unwrap() <= BYTES);
        }
    }

    #[test]
    fn a_function_that_changes_its_mind_is_found() {
        struct Counting(AtomicU64);
        impl HashFunction for Counting {
            fn hash(&self, _: &[u8]) -> u64 {
                self.0.fetch_add(1, Ordering::Relaxed)
            }
        }
        let keys = Keys::new(Counting(AtomicU64::new(0)), 8, false, false, 1);
        assert!(keys.check().unwrap_err().contains("had the sum"));
    }
}
