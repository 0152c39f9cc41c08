//! From a figure to a place on an axis, and the ticks that a reader finds round.

/// A linear or logarithmic axis between two places.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    log: bool,
}

impl Scale {
    /// A linear axis from `low` at place `from` to `high` at place `to`. An empty domain is widened.
    pub(super) fn linear(low: f64, high: f64, from: f64, to: f64) -> Self {
        let (low, high) = if low < high {
            (low, high)
        } else {
            (low - 0.5, low + 0.5)
        };
        Self {
            low,
            high,
            from,
            to,
            log: false,
        }
    }

    /// A logarithmic axis, widened outwards to whole ticks. Bounds must be positive.
    pub(super) fn log(low: f64, high: f64, from: f64, to: f64) -> Self {
        let low = if low > 0.0 { low } else { 1e-3 };
        let high = high.max(low);
        let (low, high) = (round_down(low), round_up(high));
        let high = if low < high { high } else { low * 10.0 };
        Self {
            low,
            high,
            from,
            to,
            log: true,
        }
    }

    /// As [`Self::log`], with the bounds as they are.
    pub(super) fn log_exact(low: f64, high: f64, from: f64, to: f64) -> Self {
        Self {
            low,
            high,
            from,
            to,
            log: true,
        }
    }

    /// The place of a value, held within the axis.
    pub(super) fn place(&self, value: f64) -> f64 {
        let share = if self.log {
            (value.max(self.low) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        let share = if share.is_finite() {
            share.clamp(0.0, 1.0)
        } else {
            0.0
        };
        self.from + share * (self.to - self.from)
    }

    /// Round values inside the axis: about `wanted` of a linear one; 1 and 3 of each power of ten of a
    /// logarithmic one, only the powers when there are more than four, only some of them beyond seven.
    pub(super) fn ticks(&self, wanted: usize) -> Vec<f64> {
        if self.log {
            self.log_ticks()
        } else {
            self.linear_ticks(wanted)
        }
    }

    fn linear_ticks(&self, wanted: usize) -> Vec<f64> {
        let step = round_step((self.high - self.low) / wanted.max(1) as f64);
        let first = (self.low / step).ceil() as i64;
        (0..64)
            .map(|index| (first + index) as f64 * step)
            .take_while(|&tick| tick <= self.high + step * 1e-9)
            .collect()
    }

    fn log_ticks(&self) -> Vec<f64> {
        let decades = (self.high / self.low).log10();
        let first = self.low.log10().floor() as i32;
        let multiples: &[f64] = if decades > 4.0 { &[1.0] } else { &[1.0, 3.0] };
        // Seven labels have room above each other.
        let step = ((decades / 7.0).ceil() as usize).max(1);
        (0..40)
            .step_by(step)
            .flat_map(|power| {
                multiples
                    .iter()
                    .map(move |m| m * 10_f64.powi(first + power))
            })
            .filter(|&tick| tick >= self.low * 0.999 && tick <= self.high * 1.001)
            .collect()
    }
}

/// Where a percentile stands when each nine is one step: 90 is 1, 99 is 2. `None` for 100, which has no
/// end of nines.
pub(super) fn nines(percentile: f64) -> Option<f64> {
    let above = 1.0 - percentile / 100.0;
    (above > 1e-9 && above <= 1.0).then(|| -above.log10())
}

fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let multiple = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|m| m * power >= step * 0.999)
        .unwrap_or(10.0);
    multiple * power
}

fn round_down(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    if value >= 3.0 * power {
        3.0 * power
    } else {
        power
    }
}

fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 3.0]
        .into_iter()
        .map(|m| m * power)
        .find(|&tick| tick >= value * 0.999)
        .unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-9 * right.abs().max(1.0)
    }

    #[test]
    fn linear_places_and_ticks() {
        let scale = Scale::linear(0.0, 80.0, 10.0, 90.0);
        assert!(close(scale.place(40.0), 50.0));
        assert!(close(scale.place(-5.0), 10.0) && close(scale.place(900.0), 90.0));
        assert_eq!(scale.ticks(4), [0.0, 20.0, 40.0, 60.0, 80.0]);
    }

    #[test]
    fn log_axes_end_on_ticks() {
        let scale = Scale::log(150.0, 6_100.0, 0.0, 100.0);
        let ticks = scale.ticks(0);
        assert!(
            close(ticks[0], 100.0) && close(ticks[ticks.len() - 1], 10_000.0),
            "{ticks:?}"
        );
        assert!(close(scale.place(1_000.0), 50.0));
        assert_eq!(ticks.len(), 5);
    }

    #[test]
    fn a_single_value_and_strange_ones_have_a_place() {
        for scale in [
            Scale::linear(3.0, 3.0, 0.0, 10.0),
            Scale::log(3.0, 3.0, 0.0, 10.0),
            Scale::log(0.0, 0.0, 0.0, 10.0),
        ] {
            for value in [3.0, 0.0, -1.0, f64::NAN, f64::INFINITY] {
                let place = scale.place(value);
                assert!((0.0..=10.0).contains(&place), "{scale:?} {value} {place}");
            }
            assert!(!scale.ticks(4).is_empty(), "{scale:?}");
        }
    }

    #[test]
    fn each_nine_is_one_step() {
        assert!(close(nines(90.0).unwrap(), 1.0) && close(nines(99.9).unwrap(), 3.0));
        assert!(close(nines(0.0).unwrap() + 1.0, 1.0));
        assert_eq!(nines(100.0), None);
    }
}
