//! How hashes of keys like those of programs lie.

use ringside_contract::operations::hash::HashFunction;

use super::keys::{Keys, SETS};
use crate::case::{Failure, ensure};

/// Whole hashes and both of their halves. Tells of the worst: whole hashes before halves, then many before few.
pub(super) fn keys_do_not_collide(function: &dyn HashFunction) -> Result<(), Failure> {
    let mut worst: Option<Found> = None;
    let mut note = |found: Option<Found>| {
        let is_worse = |found: &Found| worst.as_ref().is_none_or(|worst| worst.0 < found.0);
        if let Some(found) = found.filter(is_worse) {
            worst = Some(found);
        }
    };
    for keys in SETS {
        let mut hashes = hashes(function, &keys);
        note(collisions(&keys, &mut hashes, 64, "hash"));
        for (shift, part) in [
            (32, "upper half of the hash"),
            (0, "lower half of the hash"),
        ] {
            let half = |&(hash, number): &(u64, u32)| (hash >> shift & 0xffff_ffff, number);
            let mut halves: Vec<_> = hashes.iter().map(half).collect();
            note(collisions(&keys, &mut halves, 32, part));
        }
    }
    worst.map_or(Ok(()), |(_, because)| Err(Failure::new(because)))
}

/// By the most and the least significant bits: one of them is what a table or a ring looks at.
pub(super) fn keys_fill_buckets_evenly(function: &dyn HashFunction) -> Result<(), Failure> {
    for keys in SETS {
        let mut buckets = [[0_u32; BUCKETS]; 2];
        keys.each(|_, key| {
            let hash = function.hash(key);
            buckets[0][(hash >> (64 - BUCKETS.ilog2())) as usize] += 1;
            buckets[1][hash as usize % BUCKETS] += 1;
        });
        for (buckets, bits) in buckets.iter().zip(["highest", "lowest"]) {
            let found = chi_square(buckets);
            // Its mean is one less than there are buckets, its variance twice that.
            let freedom = (BUCKETS - 1) as f64;
            let most = freedom + 6.0 * (2.0 * freedom).sqrt();
            let fullest = buckets.iter().max().copied().unwrap_or_default();
            ensure(found <= most, || {
                format!(
                    "{} {} in {BUCKETS} buckets by their {bits} bits: {fullest} in one of them where {} are expected; chi-square is \
                     {found:.0}, and {most:.0} is within chance",
                    keys.count,
                    keys.name,
                    keys.count as usize / BUCKETS
                )
            })?;
        }
    }
    Ok(())
}

/// Bits of which there are equal ones and how many are, and a sentence with a proof.
type Found = ((u32, usize), String);

const BUCKETS: usize = 1024;

fn hashes(function: &dyn HashFunction, keys: &Keys) -> Vec<(u64, u32)> {
    let mut hashes = Vec::with_capacity(keys.count as usize);
    keys.each(|number, key| hashes.push((function.hash(key), number)));
    hashes
}

/// Pairs of neighbours in order that are the same, if they are six standard deviations more than chance gives.
fn collisions(keys: &Keys, hashes: &mut [(u64, u32)], bits: u32, part: &str) -> Option<Found> {
    hashes.sort_unstable();
    let pairs = hashes.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    let found = pairs.clone().count();
    let count = f64::from(keys.count);
    let expected = count * (count - 1.0) / 2.0 / f64::from(bits).exp2();
    let most = expected + 6.0 * expected.sqrt();
    if found as f64 <= most {
        return None;
    }
    let pair = pairs.min_by_key(|pair| pair[1].1);
    let proof = pair.map_or_else(String::new, |pair| {
        let [first, second] = [pair[0].1, pair[1].1].map(|number| keys.shown(number));
        format!("{first} and {second} both have {:#x}", pair[0].0)
    });
    let sentence = format!(
        "{found} of {} {} have the {part} of another one, where {most:.0} are within chance: {proof}",
        keys.count, keys.name
    );
    Some(((bits, found), sentence))
}

/// Pearson's statistic against equal counts.
fn chi_square(buckets: &[u32]) -> f64 {
    let all: u64 = buckets.iter().map(|&count| u64::from(count)).sum();
    let expected = all as f64 / buckets.len() as f64;
    let distance = |&count: &u32| (f64::from(count) - expected).powi(2) / expected;
    buckets.iter().map(distance).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chi_square_of_known_counts() {
        assert_eq!(chi_square(&[5, 5, 5, 5]), 0.0);
        // By hand: (25 + 25 + 0 + 0) / 10.
        assert_eq!(chi_square(&[15, 5, 10, 10]), 5.0);
    }

    #[test]
    fn equal_hashes_are_found_with_their_keys() {
        let mut hashes = [(7, 0), (9, 1), (7, 2), (8, 3)];
        let (severity, sentence) = collisions(&SETS[0], &mut hashes, 64, "hash").unwrap();
        assert_eq!(severity, (64, 1));
        assert!(
            sentence.contains("1 of 1000000 user names have the hash")
                && sentence.contains("`user:000001` and `user:000003` both have 0x7"),
            "{sentence}"
        );
        let none = collisions(&SETS[0], &mut [(1, 0), (2, 1)], 64, "hash");
        assert_eq!(none, None);
    }
}
