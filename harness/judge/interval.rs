//! Intervals for a median from order statistics (the sign test turned round). They assume only that
//! the samples are independent, which is why the unit is a fresh process pair and not a block inside
//! one process; means and t intervals break on the outliers of a shared machine.

use ringside_contract::Interval;

/// The coverage that is asked for. 8 samples reach it with their extremes (exactly 99.2 %).
pub const NOMINAL_CONFIDENCE: f64 = 0.98;

/// Fewer samples give no interval at all. 6 are bounded by their extremes with 96.9 % and 7 with
/// 98.4 %; what an interval really covers is always stated in it.
pub const SAMPLES_MIN: usize = 6;

/// The median of `samples` with order-statistic bounds that cover it with at least `nominal`, or, from
/// [`SAMPLES_MIN`] samples on, with what the extremes give. Below that the confidence is 0 and the
/// bounds are the extremes. `None` when there is no sample, or one that is not a finite number.
pub fn median_interval(samples: &[f64], nominal: f64) -> Option<Interval> {
    if samples.iter().any(|sample| !sample.is_finite()) {
        return None;
    }
    median_of(samples, nominal)
}

/// The median of `candidate / baseline` over pairs, as [`median_interval`] of the logarithms: there a
/// half and a double are equally far from 1. `None` when there is no pair or one has no finite
/// ratio; a candidate of zero is a ratio of zero.
pub fn ratio_interval(pairs: &[(f64, f64)], nominal: f64) -> Option<Interval> {
    let usable = |(candidate, baseline): &(f64, f64)| {
        *candidate >= 0.0 && *baseline > 0.0 && (candidate / baseline).is_finite()
    };
    if !pairs.iter().all(usable) {
        return None;
    }
    let logs: Vec<f64> = pairs
        .iter()
        .map(|(candidate, baseline)| (candidate / baseline).ln())
        .collect();
    let interval = median_of(&logs, nominal)?;
    Some(Interval {
        low: interval.low.exp(),
        point: interval.point.exp(),
        high: interval.high.exp(),
        ..interval
    })
}

/// The same on samples that may hold minus infinity, the logarithm of a ratio of zero.
fn median_of(samples: &[f64], nominal: f64) -> Option<Interval> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len();
    let (first, last) = (*sorted.first()?, *sorted.last()?);
    let point = median_of_sorted(&sorted);
    let samples = u32::try_from(count).unwrap_or(u32::MAX);
    if count < SAMPLES_MIN {
        return Some(Interval {
            low: first,
            point,
            high: last,
            confidence: 0.0,
            samples,
        });
    }
    let (rank, confidence) = rank_and_coverage(count, nominal);
    Some(Interval {
        low: sorted[rank - 1],
        point,
        high: sorted[count - rank],
        confidence,
        samples,
    })
}

/// The middle value of sorted samples, or the mean of the middle two. The slice is not empty.
fn median_of_sorted(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        // Halved before the sum, so that two huge values do not overflow.
        sorted[middle - 1] / 2.0 + sorted[middle] / 2.0
    }
}

/// The greatest rank k whose interval from the k-th smallest to the k-th greatest of `count` samples
/// covers the median with `nominal` or more, and the exact coverage 1 - 2 P(Binomial(count, 1/2) < k).
/// Rank 1 when none does.
fn rank_and_coverage(count: usize, nominal: f64) -> (usize, f64) {
    // Logarithms, because 2^-count leaves the range of a double at 1,075 samples.
    let mut log_mass = -(count as f64) * std::f64::consts::LN_2;
    let mut below = log_mass.exp();
    let mut best = (1, 1.0 - 2.0 * below);
    for rank in 2..=count / 2 {
        let successes = (rank - 1) as f64;
        log_mass += ((count as f64 - successes + 1.0) / successes).ln();
        below += log_mass.exp();
        let coverage = 1.0 - 2.0 * below;
        if coverage < nominal {
            break;
        }
        best = (rank, coverage);
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(samples: &[f64], expected: (f64, f64, f64, f64)) {
        let interval = median_interval(samples, NOMINAL_CONFIDENCE).unwrap();
        let (low, point, high, confidence) = expected;
        assert_eq!(
            (interval.low, interval.point, interval.high),
            (low, point, high),
            "{samples:?}"
        );
        assert!(
            (interval.confidence - confidence).abs() < 1e-9,
            "{}",
            interval.confidence
        );
        assert_eq!(interval.samples as usize, samples.len());
    }

    #[test]
    fn known_answers() {
        check(&[3.0], (3.0, 3.0, 3.0, 0.0));
        check(&[5.0, 1.0, 3.0], (1.0, 3.0, 5.0, 0.0));
        check(&[1.0, 2.0, 3.0, 4.0, 5.0], (1.0, 3.0, 5.0, 0.0));
        check(
            &[6.0, 5.0, 4.0, 3.0, 2.0, 1.0],
            (1.0, 3.5, 6.0, 1.0 - 2.0 / 64.0),
        );
        check(
            &[8.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0],
            (1.0, 4.5, 8.0, 1.0 - 2.0 / 256.0),
        );
        // With 10, the second from each end covers 1 - 2 (1 + 10) / 1024 = 97.9 %: not enough.
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        check(&ten, (1.0, 5.5, 10.0, 1.0 - 2.0 / 1024.0));
        // With 11 it is 1 - 2 (1 + 11) / 2048 = 98.8 %.
        let eleven: Vec<f64> = (1..=11).map(f64::from).collect();
        check(&eleven, (2.0, 6.0, 10.0, 1.0 - 24.0 / 2048.0));
    }

    #[test]
    fn one_outlier_does_not_move_the_median() {
        check(
            &[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 900.0],
            (1.0, 1.0, 900.0, 1.0 - 2.0 / 256.0),
        );
    }

    #[test]
    fn samples_without_a_figure_give_none() {
        assert!(median_interval(&[], NOMINAL_CONFIDENCE).is_none());
        assert!(median_interval(&[1.0, f64::NAN], NOMINAL_CONFIDENCE).is_none());
        assert!(ratio_interval(&[(1.0, 0.0)], NOMINAL_CONFIDENCE).is_none());
    }

    #[test]
    fn ratios_are_medians_of_logarithms() {
        let pairs = [
            (1.0, 2.0),
            (2.0, 1.0),
            (1.0, 2.0),
            (2.0, 1.0),
            (1.0, 1.0),
            (1.0, 1.0),
        ];
        let interval = ratio_interval(&pairs, NOMINAL_CONFIDENCE).unwrap();
        assert!((interval.low - 0.5).abs() < 1e-12 && (interval.high - 2.0).abs() < 1e-12);
        assert!((interval.point - 1.0).abs() < 1e-12);
        let zero = ratio_interval(&[(0.0, 2.0); 8], NOMINAL_CONFIDENCE).unwrap();
        assert_eq!((zero.low, zero.point, zero.high), (0.0, 0.0, 0.0));
    }

    #[test]
    fn rank_rises_with_the_samples_and_coverage_is_kept() {
        let mut before = 1;
        for count in 8..3_000 {
            let (rank, coverage) = rank_and_coverage(count, NOMINAL_CONFIDENCE);
            assert!(
                rank >= before && rank * 2 <= count,
                "{count} samples: rank {rank}"
            );
            assert!(
                (NOMINAL_CONFIDENCE..=1.0).contains(&coverage),
                "{count} samples: {coverage}"
            );
            before = rank;
        }
    }

    proptest! {
        #[test]
        fn interval_holds_the_median(samples in prop::collection::vec(-1e12..1e12f64, 1..60)) {
            let interval = median_interval(&samples, NOMINAL_CONFIDENCE).unwrap();
            prop_assert!(interval.low <= interval.point && interval.point <= interval.high);
        }

        #[test]
        fn a_lower_confidence_never_widens(samples in prop::collection::vec(0.1..1e6f64, 6..60)) {
            let wide = median_interval(&samples, 0.98).unwrap();
            let narrow = median_interval(&samples, 0.90).unwrap();
            prop_assert!(narrow.low >= wide.low && narrow.high <= wide.high);
        }

        #[test]
        fn the_inverse_ratio_has_the_inverse_interval(
            pairs in prop::collection::vec((0.1..1e6f64, 0.1..1e6f64), 1..40)
        ) {
            let swapped: Vec<_> = pairs.iter().map(|&(a, b)| (b, a)).collect();
            let forth = ratio_interval(&pairs, NOMINAL_CONFIDENCE).unwrap();
            let back = ratio_interval(&swapped, NOMINAL_CONFIDENCE).unwrap();
            prop_assert!((forth.low * back.high - 1.0).abs() < 1e-9);
            prop_assert!((forth.point * back.point - 1.0).abs() < 1e-9);
        }
    }
}
