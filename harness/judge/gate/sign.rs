//! The sign test: how likely so many of some independent samples lie on one side of a bound when the median
//! lies on it. It assumes nothing of their distribution, so that the outliers of a shared machine do no harm.

use super::proportion::at_least;

/// The probability that at least `successes` of `trials` fair coins show heads.
pub fn sign_test(successes: usize, trials: usize) -> f64 {
    at_least(successes, trials, 0.5)
}

/// Which of several hypotheses are rejected when the chance to reject any true one is to be at most `level`:
/// the smallest probability has to be under `level / m`, the next one under `level / (m - 1)`, and so on
/// until one is not (Holm, "A simple sequentially rejective multiple test procedure", 1979).
pub fn holm(probabilities: &[f64], level: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
    let mut rejected = vec![false; probabilities.len()];
    for (place, &index) in order.iter().enumerate() {
        let left = (probabilities.len() - place) as f64;
        // What is no number is never small enough.
        rejected[index] = probabilities[index] <= level / left;
        if !rejected[index] {
            break;
        }
    }
    rejected
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(successes: usize, trials: usize, expected: f64) {
        let found = sign_test(successes, trials);
        assert!(
            (found - expected).abs() < 1e-12,
            "{successes} of {trials}: {found}"
        );
    }

    #[test]
    fn tails_of_fair_coins_are_exact() {
        check(0, 10, 1.0);
        check(10, 10, 1.0 / 1024.0);
        check(9, 10, 11.0 / 1024.0);
        check(0, 0, 1.0);
        check(11, 10, 0.0);
        assert!(sign_test(1_500, 2_000) < 1e-100);
    }

    #[test]
    fn one_that_is_not_rejected_keeps_all_behind_it() {
        assert_eq!(holm(&[0.01, 0.04, 0.03], 0.05), [true, false, false]);
        assert_eq!(holm(&[0.01, 0.04, 0.02], 0.05), [true, true, true]);
        assert_eq!(holm(&[0.02, 0.001, 0.04], 0.05), [true, true, true]);
        assert_eq!(holm(&[f64::NAN, 0.001], 0.05), [false, true]);
        assert!(holm(&[], 0.05).is_empty());
    }
}
