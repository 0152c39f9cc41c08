//! The order of the cells in a round and the seeds of their loads: random, and the same each time for
//! the same plan.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// The cells' indices in the order in which round `round` of group `group` runs them.
pub(crate) fn shuffled(cells: usize, seed: u64, group: u32, round: u32) -> Vec<usize> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(mixed(seed, group, round));
    let mut order: Vec<usize> = (0..cells).collect();
    // Fisher-Yates; the bias of the remainder is below 2^-50 for any plan.
    for last in (1..cells).rev() {
        let other = random.next_u64() % (last as u64 + 1);
        order.swap(last, usize::try_from(other).unwrap_or(last));
    }
    order
}

/// The seed of the loads of a round: the same for all of its cells, so that they get the same work.
/// Below 2^53, so that it survives readers that keep numbers as floating point.
pub(crate) fn load_seed(seed: u64, group: u32, round: u32) -> u64 {
    Xoshiro256PlusPlus::seed_from_u64(mixed(seed, group, round)).next_u64() >> 11
}

fn mixed(seed: u64, group: u32, round: u32) -> u64 {
    seed ^ (u64::from(group) << 32 | u64::from(round)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_order() {
        assert_eq!(shuffled(20, 7, 1, 2), shuffled(20, 7, 1, 2));
    }

    #[test]
    fn each_round_has_its_own_order_of_every_cell() {
        let rounds: Vec<_> = (0..8).map(|round| shuffled(20, 7, 0, round)).collect();
        for order in &rounds {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..20).collect::<Vec<_>>());
        }
        assert!(rounds.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn every_cell_comes_first_now_and_then() {
        let mut first = [0; 4];
        for round in 0..400 {
            first[shuffled(4, 1, 0, round)[0]] += 1;
        }
        assert!(
            first.iter().all(|&times| (60..140).contains(&times)),
            "{first:?}"
        );
    }
}
