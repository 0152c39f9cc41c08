//! Keys like those that programs have.

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng as _};
use ringside_contract::operations::hash::KeyForm;

/// Keys that are like each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys {
    /// What they are.
    pub(super) name: &'static str,
    /// How many of them are looked at.
    pub(super) count: u32,
    /// Writes one of them by its number.
    write: fn(u32, &mut String),
}

/// Those of the quality tests.
pub(super) const SETS: [Keys; 5] = [
    Keys {
        name: "user names",
        count: 1_000_000,
        write: |number, key| KeyForm::User.write(number + 1, key),
    },
    Keys {
        name: "addresses",
        count: 300_000,
        write: |number, key| KeyForm::Url.write(number, key),
    },
    Keys {
        name: "identifiers",
        count: 300_000,
        write: |number, key| KeyForm::Uuid.write(number, key),
    },
    Keys {
        name: "documents",
        count: 100_000,
        write: |number, key| KeyForm::Document.write(number, key),
    },
    Keys {
        name: "sentences",
        count: 300_000,
        write: sentence,
    },
];

impl Keys {
    /// Calls `each` with every key.
    pub(super) fn each(&self, mut each: impl FnMut(u32, &[u8])) {
        let mut key = String::new();
        for number in 0..self.count {
            key.clear();
            (self.write)(number, &mut key);
            each(number, key.as_bytes());
        }
    }

    /// The beginning of a key, to be shown.
    pub(super) fn shown(&self, number: u32) -> String {
        let mut key = String::new();
        (self.write)(number, &mut key);
        if key.len() > SHOWN {
            key.truncate(SHOWN);
            key.push('…');
        }
        format!("`{key}`")
    }
}

/// The same nine words in another order each time.
fn sentence(number: u32, key: &mut String) {
    let mut words = vec![
        "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    ];
    let mut rest = number as usize;
    while !words.is_empty() {
        let place = rest % words.len();
        rest /= words.len();
        key.push_str(words.remove(place));
        key.push(' ');
    }
}

/// Random bytes, the same in each process.
pub(super) fn random_bytes(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    random().fill_bytes(&mut bytes);
    bytes
}

/// Numbers that look random, the same in each process.
pub(super) fn random() -> SplitMix64 {
    SplitMix64::seed_from_u64(1)
}

/// Bytes of a key that are shown at most.
const SHOWN: usize = 90;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_keys_of_a_set_are_the_same() {
        for keys in SETS {
            let mut seen = HashSet::new();
            keys.each(|number, key| {
                // Those that lie far apart, for the time that all of them would take.
                if number % 7 == 0 {
                    assert!(seen.insert(key.to_vec()), "{}: {number}", keys.name);
                }
            });
        }
        assert_eq!(SETS[0].shown(0), "`user:000001`");
        assert!(SETS[3].shown(5).starts_with("`{\"order\":000000005,"));
    }
}
