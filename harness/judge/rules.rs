//! The rules that turn an interval and a claim's bounds into a verdict. The whole interval decides,
//! never the point alone.

use ringside_contract::{Claim, ClaimKind, Interval, Role, Verdict};

use crate::figure::apart;
use crate::metrics::Metric;

/// Process pairs that a comparison needs.
pub(crate) const PAIRS_MIN: u32 = 6;

/// Processes that an absolute figure needs: nothing cancels the state of the host there.
pub(crate) const PROCESSES_MIN: u32 = 8;

/// True for claims that compare two implementations.
pub(crate) fn compares(kind: ClaimKind) -> bool {
    matches!(
        kind,
        ClaimKind::Ratio | ClaimKind::RatioTime | ClaimKind::Reduction
    )
}

/// How many samples a claim of this kind needs.
pub(crate) fn samples_needed(kind: ClaimKind) -> u32 {
    if compares(kind) {
        PAIRS_MIN
    } else {
        PROCESSES_MIN
    }
}

/// Whether the claim asks for a good figure, so that whatever only worsened the candidate's figure
/// leaves a Met sound.
pub(crate) fn asks_for_good(claim: &Claim, metric: &Metric) -> bool {
    match claim.kind {
        ClaimKind::AtLeast | ClaimKind::Ratio => metric.more_is_better,
        ClaimKind::AtMost | ClaimKind::RatioTime | ClaimKind::Reduction => !metric.more_is_better,
        ClaimKind::Range => false,
    }
}

/// Counted figures this close to a bound meet it: the edges of a window cut through operations, so that
/// a count that is exact in the server comes out a fraction of a percent off.
const COUNT_TOLERANCE: f64 = 0.005;

/// The verdict of an interval in the claim's unit, from enough samples.
pub(crate) fn decide(claim: &Claim, metric: &Metric, interval: &Interval) -> Verdict {
    let interval = &if is_counted(claim, metric) {
        settled(claim, interval)
    } else {
        *interval
    };
    let low = claim.low.unwrap_or(f64::NEG_INFINITY);
    let high = claim.high.unwrap_or(f64::INFINITY);
    match claim.kind {
        ClaimKind::AtMost => at_most(interval, high),
        ClaimKind::Range => range(claim, metric, interval, low, high),
        ClaimKind::AtLeast | ClaimKind::Ratio | ClaimKind::RatioTime | ClaimKind::Reduction => {
            at_least(interval, low, high)
        }
    }
}

fn is_counted(claim: &Claim, metric: &Metric) -> bool {
    metric.unit == "count" && !compares(claim.kind)
}

/// Whether an end of the interval was taken for a bound that it does not reach.
pub(crate) fn counts_as_equal(claim: &Claim, metric: &Metric, interval: &Interval) -> bool {
    let settled = settled(claim, interval);
    is_counted(claim, metric) && (settled.low, settled.high) != (interval.low, interval.high)
}

/// The interval with each end that is next to a bound moved onto it.
fn settled(claim: &Claim, interval: &Interval) -> Interval {
    let onto = |value: f64| {
        let bounds = [claim.low, claim.high].into_iter().flatten();
        bounds
            .into_iter()
            .find(|bound| (value - bound).abs() <= COUNT_TOLERANCE * bound.abs())
            .unwrap_or(value)
    };
    Interval {
        low: onto(interval.low),
        high: onto(interval.high),
        ..*interval
    }
}

fn at_least(interval: &Interval, low: f64, high: f64) -> Verdict {
    if interval.low >= low {
        Verdict::Met {
            margin: distance(interval.low, low),
            exceeds: interval.low > high,
        }
    } else if interval.high < low {
        Verdict::Missed {
            shortfall: distance(interval.high, low),
        }
    } else {
        crosses(interval, low)
    }
}

fn at_most(interval: &Interval, high: f64) -> Verdict {
    if interval.high <= high {
        Verdict::Met {
            margin: distance(interval.high, high),
            exceeds: false,
        }
    } else if interval.low > high {
        Verdict::Missed {
            shortfall: distance(interval.low, high),
        }
    } else {
        crosses(interval, high)
    }
}

/// Inside is Met. Outside on the better side is more than a promise asked for; a documented limit is
/// refuted by either side.
fn range(claim: &Claim, metric: &Metric, interval: &Interval, low: f64, high: f64) -> Verdict {
    let promised = claim.role != Role::Limit;
    if interval.low >= low && interval.high <= high {
        let margin = distance(interval.low, low).min(distance(interval.high, high));
        return Verdict::Met {
            margin,
            exceeds: false,
        };
    }
    if interval.low > high {
        let far = distance(interval.low, high);
        return outside(promised && metric.more_is_better, far);
    }
    if interval.high < low {
        let far = distance(interval.high, low);
        return outside(promised && !metric.more_is_better, far);
    }
    crosses(interval, if interval.low < low { low } else { high })
}

fn outside(better: bool, far: f64) -> Verdict {
    if better {
        Verdict::Met {
            margin: far,
            exceeds: true,
        }
    } else {
        Verdict::Missed { shortfall: far }
    }
}

fn crosses(interval: &Interval, bound: f64) -> Verdict {
    let [low, high, bound] = apart([interval.low, interval.high, bound]);
    let because = format!(
        "the interval from {low} to {high} holds the bound {bound}; more rounds would narrow it"
    );
    Verdict::Undecided { because }
}

/// Distance of a figure from a bound, relative to the bound; from a bound of zero, in its unit.
fn distance(value: f64, bound: f64) -> f64 {
    let difference = (value - bound).abs();
    if bound == 0.0 {
        difference
    } else {
        difference / bound.abs()
    }
}
