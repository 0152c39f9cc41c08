//! Samples of cells: alone, or paired by group and round.

use ringside_contract::Interval;

use crate::index::Cell;
use crate::interval::{NOMINAL_CONFIDENCE, median_interval, ratio_interval};
use crate::metrics::{Metric, OverBlocks};
use crate::pooled::pooled_interval;

/// The figures of a cell, one for each round that has one; none where all of them are needed.
pub(crate) fn figures(cell: &Cell<'_>, metric: &Metric) -> Vec<f64> {
    let figures: Vec<f64> = cell
        .measures()
        .filter_map(|measures| metric.figure(measures))
        .collect();
    let all = figures.len() == cell.measures().count();
    match metric.over_blocks {
        OverBlocks::MedianOfAll if !all => Vec::new(),
        _ => figures,
    }
}

/// What they are together, with its interval.
pub(crate) fn summary(cell: &Cell<'_>, metric: &Metric) -> Option<Interval> {
    if let OverBlocks::Pooled(of) = metric.over_blocks {
        let shares = |m| Some((metric.figure(m)?, of(m)));
        let shares: Vec<_> = cell.measures().filter_map(shares).collect();
        return pooled_interval(&shares, NOMINAL_CONFIDENCE);
    }
    median_interval(&figures(cell, metric), NOMINAL_CONFIDENCE)
}

/// Figures of two cells, taken in the same round: only these compare on a machine whose speed changes
/// within seconds.
pub(crate) fn pairs(candidate: &Cell<'_>, baseline: &Cell<'_>, metric: &Metric) -> Vec<(f64, f64)> {
    let mut blocks = 0;
    let mut pairs = Vec::new();
    for (key, (_, measures)) in &candidate.rounds {
        let Some((_, other)) = baseline.rounds.get(key) else {
            continue;
        };
        blocks += 1;
        if let (Some(figure), Some(other)) = (metric.figure(measures), metric.figure(other)) {
            pairs.push((figure, other));
        }
    }
    match metric.over_blocks {
        OverBlocks::MedianOfAll if pairs.len() < blocks => Vec::new(),
        _ => pairs,
    }
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
