//! A hash table with the function under test: what its speed and its collisions cost together. The table is that of the
//! standard library (`hashbrown`), which takes a hash as it comes.

use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::HashTable;
use ringside_contract::operations::hash::{HashFunction, KeyForm};
use ringside_contract::operations::{Prepared, Work};

use crate::script::Random;

/// A table of keys, each with its number.
pub(super) struct Filled<H> {
    function: H,
    table: HashTable<Entry>,
    /// The keys again, as whoever asks has them, in the order in which they are asked for.
    asked: Box<[Entry]>,
    /// Look-ups that did not find what they had to find.
    wrong: AtomicU64,
}

#[derive(Debug, Clone)]
struct Entry {
    key: Box<[u8]>,
    number: u32,
}

impl<H: HashFunction> Filled<H> {
    pub(super) fn new(function: H, entries: u32, keys: KeyForm, seed: u64) -> Self {
        let entries = entries.max(1);
        let entry = |number| {
            let mut key = String::new();
            keys.write(number, &mut key);
            Entry {
                key: key.into_bytes().into(),
                number,
            }
        };
        let hash = |entry: &Entry| function.hash(&entry.key);
        let mut table = HashTable::with_capacity(entries as usize);
        for entry in (0..entries).map(entry) {
            table.insert_unique(hash(&entry), entry, hash);
        }
        let mut random = Random::new(seed, 0);
        let length = entries.clamp(STEPS_MIN, STEPS_MAX).next_power_of_two();
        let asked = (0..length).map(|_| entry(random.below(entries)));
        Self {
            asked: asked.collect(),
            table,
            function,
            wrong: AtomicU64::new(0),
        }
    }
}

impl<H: HashFunction> Prepared for Filled<H> {
    fn work(&self, _: u32) -> Box<dyn Work + '_> {
        Box::new(Thread(self))
    }

    fn check(&self) -> Result<(), String> {
        match self.wrong.load(Ordering::Relaxed) {
            0 => Ok(()),
            wrong => Err(format!("{wrong} keys of the table were not found in it")),
        }
    }
}

/// What one thread works with.
struct Thread<'a, H>(&'a Filled<H>);

impl<H: HashFunction> Work for Thread<'_, H> {
    fn run(&mut self, first: u64, count: u32) -> u64 {
        let Filled {
            function,
            table,
            asked,
            wrong,
        } = self.0;
        let (mut sum, mut missing) = (0_u64, 0);
        for number in first..first + u64::from(count) {
            let wanted = &asked[number as usize & (asked.len() - 1)];
            let found = table.find(function.hash(&wanted.key), |entry| entry.key == wanted.key);
            let found = found.map_or(u32::MAX, |entry| entry.number);
            missing += u64::from(found != wanted.number);
            sum = sum.rotate_left(5) ^ u64::from(found);
        }
        if missing > 0 {
            wrong.fetch_add(missing, Ordering::Relaxed);
        }
        sum
    }
}

/// As many look-ups as there are entries, so that most are asked for; few would be learnt by heart by the branch
/// predictor.
const STEPS_MIN: u32 = 1 << 13;
const STEPS_MAX: u32 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    struct Constant;

    impl HashFunction for Constant {
        fn hash(&self, _: &[u8]) -> u64 {
            7
        }
    }

    #[test]
    fn every_key_is_found_whatever_the_function() {
        let filled = Filled::new(Constant, 100, KeyForm::Url, 3);
        filled.work(0).run(0, 500);
        assert_eq!(filled.check(), Ok(()));
    }

    #[test]
    fn a_function_that_changes_its_mind_finds_nothing() {
        struct Counting(AtomicU64);
        impl HashFunction for Counting {
            fn hash(&self, _: &[u8]) -> u64 {
                // In steps that change the bits by which a table tells hashes apart.
                self.0.fetch_add(1 << 57 | 1, Ordering::Relaxed)
            }
        }
        let filled = Filled::new(Counting(AtomicU64::new(0)), 100, KeyForm::User, 3);
        filled.work(0).run(0, 500);
        assert!(filled.check().is_err());
    }
}
