//! What a count of events says of how often they happen: the exact bounds of Clopper and Pearson (1934).

/// The bounds of a share of which `count` of `trials` were seen, which hold it with `confidence` or more.
/// Without a trial they are 0 and 1.
///
/// # Panics
///
/// When there are more events than trials.
pub fn proportion_bounds(count: usize, trials: usize, confidence: f64) -> (f64, f64) {
    assert!(count <= trials, "{count} of {trials} cannot be");
    let tail = (1.0 - confidence) / 2.0;
    let low = if count == 0 {
        0.0
    } else {
        bisect(|share| at_least(count, trials, share) < tail)
    };
    // That `count` or fewer happen is that `trials - count` or more do not.
    let high = if count == trials {
        1.0
    } else {
        1.0 - bisect(|share| at_least(trials - count, trials, share) < tail)
    };
    (low, high)
}

/// Where `below`, which is true from 0 on, becomes false.
fn bisect(below: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    // Each step halves it: 60 leave nothing that a double of this size can tell.
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// The probability of `successes` or more in `trials` when each succeeds with `share`, which lies
/// between 0 and 1.
pub(super) fn at_least(successes: usize, trials: usize, share: f64) -> f64 {
    // Logarithms, because the first terms may leave the range of a double.
    let odds = share.ln() - (-share).ln_1p();
    let mut log_mass = trials as f64 * (-share).ln_1p();
    let mut tail = 0.0;
    for happened in 0..=trials {
        if happened >= successes {
            tail += log_mass.exp();
        }
        log_mass += ((trials - happened) as f64 / (happened + 1) as f64).ln() + odds;
    }
    tail.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(count: usize, trials: usize, expected: (f64, f64)) {
        let (low, high) = proportion_bounds(count, trials, 0.95);
        assert!(
            (low - expected.0).abs() < 1e-6 && (high - expected.1).abs() < 1e-6,
            "{count} of {trials}: {low} to {high}"
        );
    }

    #[test]
    fn bounds_are_those_of_the_tables() {
        check(0, 0, (0.0, 1.0));
        // With none or all, the other bound is a root: 1 - 0.025^(1/10).
        check(0, 10, (0.0, 1.0 - 0.025_f64.powf(0.1)));
        check(10, 10, (0.025_f64.powf(0.1), 1.0));
        check(1, 10, (0.002_528_579, 0.445_016_117));
        check(5, 10, (0.187_086_028, 0.812_913_972));
        check(0, 300, (0.0, 1.0 - 0.025_f64.powf(1.0 / 300.0)));
    }

    #[test]
    fn each_bound_leaves_its_tail_outside() {
        for (count, trials) in [(3, 40), (20, 41), (2_900, 3_000)] {
            let (low, high) = proportion_bounds(count, trials, 0.95);
            assert!(low < count as f64 / trials as f64 && high > count as f64 / trials as f64);
            assert!((at_least(count, trials, low) - 0.025).abs() < 1e-9);
            assert!((at_least(count + 1, trials, high) - 0.975).abs() < 1e-9);
        }
    }
}
