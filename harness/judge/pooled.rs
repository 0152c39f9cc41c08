//! Shares of what is rare, over all blocks together, with an interval from resampled blocks (the bootstrap
//! of Efron and Tibshirani, 1993, section 13): the unit is the block, since one stall spoils many
//! operations of one block.

use ringside_contract::Interval;

use crate::interval::SAMPLES_MIN;
use crate::random::Random;

/// Resampled sets of blocks.
const TRIALS: usize = 2000;

/// The share in all blocks, of their shares and what each is of. Below [`SAMPLES_MIN`] blocks the
/// confidence is 0. `None` without anything to have a share of.
pub(crate) fn pooled_interval(blocks: &[(f64, f64)], nominal: f64) -> Option<Interval> {
    let point = pooled(blocks.iter())?;
    let mut random = Random::new();
    let mut trials: Vec<f64> = (0..TRIALS)
        .filter_map(|_| pooled((0..blocks.len()).map(|_| &blocks[random.below(blocks.len())])))
        .collect();
    trials.sort_by(f64::total_cmp);
    let tail = ((1.0 - nominal) / 2.0 * trials.len() as f64) as usize;
    let enough = blocks.len() >= SAMPLES_MIN;
    Some(Interval {
        low: *trials.get(tail)?,
        point,
        high: *trials.get(trials.len() - 1 - tail)?,
        confidence: if enough { nominal } else { 0.0 },
        samples: u32::try_from(blocks.len()).unwrap_or(u32::MAX),
    })
}

fn pooled<'a>(blocks: impl Iterator<Item = &'a (f64, f64)>) -> Option<f64> {
    let (amount, whole) = blocks.fold((0.0, 0.0), |(amount, whole), (share, of)| {
        (amount + share * of, whole + of)
    });
    (whole > 0.0 && amount.is_finite()).then(|| amount / whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_in_few_blocks_is_seen() {
        // 6 of 40 blocks of 1,000 operations had 2 % late: 0.3 % of all, where the median is 0.
        let blocks: Vec<_> = (0..40)
            .map(|block| (if block < 6 { 2.0 } else { 0.0 }, 1000.0))
            .collect();
        let interval = pooled_interval(&blocks, 0.98).unwrap();
        assert!((interval.point - 0.3).abs() < 1e-12);
        assert!((0.05..0.2).contains(&interval.low), "{interval:?}");
        assert!((0.5..0.7).contains(&interval.high), "{interval:?}");
        assert_eq!(interval.samples, 40);
    }

    #[test]
    fn blocks_count_by_what_they_have_a_share_of() {
        let interval = pooled_interval(&[(100.0, 1.0), (0.0, 99.0)], 0.98).unwrap();
        assert_eq!((interval.point, interval.confidence), (1.0, 0.0));
        assert_eq!(pooled_interval(&[], 0.98), None);
        assert_eq!(pooled_interval(&[(0.0, 0.0)], 0.98), None);
        let never = pooled_interval(&[(0.0, 10.0); 8], 0.98).unwrap();
        assert_eq!((never.low, never.high), (0.0, 0.0));
    }
}
