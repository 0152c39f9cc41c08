//! When the operations of an open loop are meant to start. Pure: time is a number of nanoseconds.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng as _};

/// An endless rising sequence of intended times.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    start: u64,
    gap_ns: f64,
    gaps: Gaps,
    next: u64,
}

#[derive(Debug, Clone)]
enum Gaps {
    /// Each time is computed from its index, so that rounding never adds up to a drift.
    Constant { index: u64 },
    /// The sum is kept in floating point: 2^53 ns, beyond which a nanosecond is lost, is 104 days.
    Exponential {
        elapsed_ns: f64,
        random: Box<Xoshiro256PlusPlus>,
    },
}

impl Schedule {
    /// `rate_per_s` operations a second at equal gaps, the first one at `start`.
    pub(crate) fn constant(start: u64, rate_per_s: f64) -> Self {
        let gap_ns = gap_ns(rate_per_s);
        let next = if gap_ns.is_finite() { start } else { u64::MAX };
        Self {
            start,
            gap_ns,
            gaps: Gaps::Constant { index: 0 },
            next,
        }
    }

    /// `rate_per_s` operations a second on average, at exponential gaps that follow from `seed`.
    pub(crate) fn poisson(start: u64, rate_per_s: f64, seed: u64) -> Self {
        let random = Box::new(Xoshiro256PlusPlus::seed_from_u64(seed));
        let gaps = Gaps::Exponential {
            elapsed_ns: 0.0,
            random,
        };
        let mut schedule = Self {
            start,
            gap_ns: gap_ns(rate_per_s),
            gaps,
            next: start,
        };
        schedule.advance();
        schedule
    }

    /// The next intended time; `u64::MAX` when there is none.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Goes on to the time after it.
    pub(crate) fn advance(&mut self) {
        let elapsed = match &mut self.gaps {
            Gaps::Constant { index } => {
                *index += 1;
                self.gap_ns * *index as f64
            }
            Gaps::Exponential { elapsed_ns, random } => {
                *elapsed_ns += self.gap_ns * unit_exponential(random.next_u64());
                *elapsed_ns
            }
        };
        self.next = if elapsed.is_finite() {
            self.start.saturating_add(elapsed as u64)
        } else {
            u64::MAX
        };
    }
}

fn gap_ns(rate_per_s: f64) -> f64 {
    if rate_per_s > 0.0 {
        1e9 / rate_per_s
    } else {
        f64::INFINITY
    }
}

/// An exponential variate of mean 1 by inversion. The 53 upper bits give a number in (0, 1]: never 0,
/// whose logarithm would be infinite.
fn unit_exponential(bits: u64) -> f64 {
    let uniform = ((bits >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    -uniform.ln()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn constant_gaps_do_not_drift_over_a_million_operations() {
        let mut schedule = Schedule::constant(5, 30_000.0);
        for index in 0..1_000_000_u64 {
            let exact = 5 + u64::try_from(u128::from(index) * 1_000_000_000 / 30_000).unwrap();
            assert!(
                schedule.next().abs_diff(exact) <= 1,
                "{index}: {}",
                schedule.next()
            );
            schedule.advance();
        }
    }

    #[test]
    fn poisson_gaps_have_the_right_mean_and_spread() {
        let count = 200_000;
        let mut schedule = Schedule::poisson(0, 1e6, 42);
        let (mut last, mut sum, mut squares) = (0, 0.0, 0.0);
        for _ in 0..count {
            let gap = (schedule.next() - last) as f64;
            last = schedule.next();
            sum += gap;
            squares += gap * gap;
            schedule.advance();
        }
        let mean = sum / f64::from(count);
        let deviation = (squares / f64::from(count) - mean * mean).sqrt();
        // Mean and standard deviation are both 1,000 ns; 1 % is over four standard errors.
        assert!((mean - 1000.0).abs() < 10.0, "mean {mean}");
        assert!((deviation - 1000.0).abs() < 15.0, "deviation {deviation}");
    }

    #[test]
    fn a_rate_of_zero_never_starts_anything() {
        assert_eq!(Schedule::constant(1, 0.0).next(), u64::MAX);
        assert_eq!(Schedule::poisson(1, 0.0, 1).next(), u64::MAX);
    }

    proptest! {
        #[test]
        fn times_never_go_back(seed: u64, rate in 0.1_f64..1e7, start in 0_u64..1 << 60) {
            for mut schedule in [Schedule::constant(start, rate), Schedule::poisson(start, rate, seed)] {
                let mut last = start;
                for _ in 0..200 {
                    prop_assert!(schedule.next() >= last);
                    last = schedule.next();
                    schedule.advance();
                }
            }
        }

        #[test]
        fn one_seed_gives_one_sequence(seed: u64) {
            let mut one = Schedule::poisson(0, 1000.0, seed);
            let mut other = Schedule::poisson(0, 1000.0, seed);
            for _ in 0..100 {
                prop_assert_eq!(one.next(), other.next());
                one.advance();
                other.advance();
            }
        }
    }
}
