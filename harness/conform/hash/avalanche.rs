//! What one bit of a key does to its hash.

use rand_xoshiro::rand_core::Rng as _;
use ringside_contract::operations::hash::HashFunction;

use super::keys::random;
use crate::case::{Failure, ensure};

/// Every bit is turned round in a few random keys.
pub(super) fn each_bit_counts(function: &dyn HashFunction) -> Result<(), Failure> {
    let mut random = random();
    for length in (1..=80).chain([127, 128, 129, 256, 257, 300, 1000, 1024, 1500]) {
        let mut keys = [(); 4].map(|()| vec![0; length]);
        keys.iter_mut().for_each(|key| random.fill_bytes(key));
        for bit in 0..length * 8 {
            let says = keys
                .iter_mut()
                .any(|key| difference(function, key, bit) != 0);
            ensure(says, || {
                format!(
                    "bit {} of byte {} says nothing in {} keys of {length} bytes, such as {}",
                    bit % 8,
                    bit / 8,
                    keys.len(),
                    hexadecimal(&keys[0])
                )
            })?;
        }
    }
    Ok(())
}

/// Each bit of a key by itself, of long keys with fewer samples; and any bit of keys of other lengths. The bounds are
/// six standard deviations from a half: a good function leaves them once in a thousand times that all of this is
/// done, and it is always the same keys.
pub(super) fn each_bit_moves_half_of_the_hash(function: &dyn HashFunction) -> Result<(), Failure> {
    let mut random = random();
    for (length, samples) in EACH {
        let bits = length * 8;
        let (mut key, mut each) = (vec![0; length], Vec::with_capacity(bits));
        for bit in 0..bits {
            let mut counts = BitCounts::default();
            for _ in 0..samples {
                random.fill_bytes(&mut key);
                counts.add(difference(function, &mut key, bit));
            }
            each.push(counts.shares());
        }
        let mean = each.iter().flatten().sum::<f64>() / (64 * bits) as f64;
        ensure((mean - 0.5).abs() <= 0.01, || {
            format!(
                "a bit of keys of {length} bytes moves {:.1} % of the hash",
                mean * 100.0
            )
        })?;
        for (bit, shares) in each.iter().enumerate() {
            let turned = format!("bit {} of byte {} of {length}", bit % 8, bit / 8);
            near_a_half(shares, samples, &turned)?;
        }
    }
    // Of shorter ones there are too few to count as samples.
    for length in [3, 12, 16, 17, 40, 100, 200, 300, 1024, 1100] {
        let (mut counts, mut key) = (BitCounts::default(), vec![0; length]);
        for _ in 0..SAMPLES {
            random.fill_bytes(&mut key);
            let bit = random.next_u64() as usize % (length * 8);
            counts.add(difference(function, &mut key, bit));
        }
        let turned = format!("any bit of keys of {length} bytes");
        near_a_half(&counts.shares(), SAMPLES, &turned)?;
    }
    Ok(())
}

fn near_a_half(shares: &[f64; 64], samples: u32, turned: &str) -> Result<(), Failure> {
    let far = |share: &f64| (share - 0.5).abs();
    let worst = (0..64).max_by(|&left, &right| far(&shares[left]).total_cmp(&far(&shares[right])));
    let worst = worst.unwrap_or_default();
    let most = 6.0 * 0.5 / f64::from(samples).sqrt();
    ensure(far(&shares[worst]) <= most, || {
        format!(
            "turning {turned} round changes bit {worst} of the hash in {:.1} % of {samples} keys, where {:.1} to {:.1} % are \
             within chance",
            shares[worst] * 100.0,
            (0.5 - most) * 100.0,
            (0.5 + most) * 100.0
        )
    })
}

/// The bits of the hash that change with a bit of the key, which is left as it was.
fn difference(function: &dyn HashFunction, key: &mut [u8], bit: usize) -> u64 {
    let before = function.hash(key);
    key[bit / 8] ^= 1 << (bit % 8);
    let after = function.hash(key);
    key[bit / 8] ^= 1 << (bit % 8);
    before ^ after
}

fn hexadecimal(key: &[u8]) -> String {
    let shown = key.iter().take(16).map(|byte| format!("{byte:02x}"));
    let more = if key.len() > 16 { "…" } else { "" };
    shown.collect::<String>() + more
}

/// How often each bit was set. Eight counts of eight bits lie in a word, so that eight sums do for 64 bits.
#[derive(Debug, Clone)]
struct BitCounts {
    totals: [u32; 64],
    bytes: [u64; 8],
    added: u32,
}

impl Default for BitCounts {
    fn default() -> Self {
        Self {
            totals: [0; 64],
            bytes: [0; 8],
            added: 0,
        }
    }
}

impl BitCounts {
    fn add(&mut self, word: u64) {
        for (counts, byte) in self.bytes.iter_mut().zip(word.to_le_bytes()) {
            *counts += SPREAD[usize::from(byte)];
        }
        self.added += 1;
        if self.added.is_multiple_of(255) {
            self.settle();
        }
    }

    fn settle(&mut self) {
        for (totals, counts) in self.totals.chunks_exact_mut(8).zip(&mut self.bytes) {
            for (total, count) in totals.iter_mut().zip(counts.to_le_bytes()) {
                *total += u32::from(count);
            }
            *counts = 0;
        }
    }

    /// As parts of all that were added.
    fn shares(mut self) -> [f64; 64] {
        self.settle();
        let added = f64::from(self.added.max(1));
        self.totals.map(|total| f64::from(total) / added)
    }
}

/// Each bit of a byte in a byte of its own.
static SPREAD: [u64; 256] = {
    let (mut words, mut byte) = ([0; 256], 0);
    while byte < 256 {
        let mut bit = 0;
        while bit < 8 {
            words[byte] |= ((byte as u64 >> bit) & 1) << (8 * bit);
            bit += 1;
        }
        byte += 1;
    }
    words
};

const SAMPLES: u32 = 100_000;

/// Lengths, in bytes, of whose keys each bit is looked at by itself, and in how many keys: those at which functions
/// go another way, and one behind each.
const EACH: [(usize, u32); 6] = [
    (4, SAMPLES),
    (8, SAMPLES),
    (16, 10_000),
    (17, 10_000),
    (64, 2_000),
    (300, 500),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted() {
        let mut counts = BitCounts::default();
        for number in 0..1000_u64 {
            counts.add(1 | (number % 2) << 33 | u64::from(number < 100) << 63);
        }
        let shares = counts.shares();
        assert_eq!(
            [shares[0], shares[1], shares[33], shares[63]],
            [1.0, 0.0, 0.5, 0.1]
        );
    }
}
