//! Samples of cells: alone, or paired by group and round.

use ringside_contract::Interval;

use crate::index::Cell;
use crate::interval::{NOMINAL_CONFIDENCE, median_interval, ratio_interval};
use crate::metrics::Metric;

/// The figures of a cell, one for each round that has one.
pub(crate) fn figures(cell: &Cell<'_>, metric: &Metric) -> Vec<f64> {
    cell.measures()
        .filter_map(|measures| metric.figure(measures))
        .collect()
}

/// Their median with its interval.
pub(crate) fn summary(cell: &Cell<'_>, metric: &Metric) -> Option<Interval> {
    median_interval(&figures(cell, metric), NOMINAL_CONFIDENCE)
}

/// Figures of two cells, taken in the same round: only these compare on a machine whose speed changes
/// within seconds.
pub(crate) fn pairs(candidate: &Cell<'_>, baseline: &Cell<'_>, metric: &Metric) -> Vec<(f64, f64)> {
    let figure = |(key, (_, measures)): (&_, &(_, &_))| {
        let other = baseline.rounds.get(key)?.1;
        Some((metric.figure(measures)?, metric.figure(other)?))
    };
    candidate.rounds.iter().filter_map(figure).collect()
}

/// The median of candidate / baseline with its interval.
pub(crate) fn ratio(
    candidate: &Cell<'_>,
    baseline: &Cell<'_>,
    metric: &Metric,
) -> Option<Interval> {
    ratio_interval(&pairs(candidate, baseline, metric), NOMINAL_CONFIDENCE)
}

/// The interval of a figure under a function that falls as the figure grows.
pub(crate) fn reversed(interval: Interval, map: impl Fn(f64) -> f64) -> Interval {
    Interval {
        low: map(interval.high),
        point: map(interval.point),
        high: map(interval.low),
        ..interval
    }
}

/// The interval of a figure under a function that rises with it.
pub(crate) fn mapped(interval: Interval, map: impl Fn(f64) -> f64) -> Interval {
    Interval {
        low: map(interval.low),
        point: map(interval.point),
        high: map(interval.high),
        ..interval
    }
}
