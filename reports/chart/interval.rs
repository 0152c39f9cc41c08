//! Small bars: an interval against the bounds of a claim, against 1, or beside its competitors.

use maud::{Markup, html};
use ringside_contract::{Claim, ClaimKind, Interval};

use super::scale::Scale;
use super::series::at;
use crate::format::bound;
use crate::view::claim_unit;

/// Width of a bar in its own units.
const WIDTH: f64 = 240.0;
/// Room on both sides, so that no cap is cut.
const INSET: f64 = 10.0;
/// Height of the line of the interval.
const MIDDLE: f64 = 11.0;
/// Width of a letter of a label, the widest of common fonts.
const LETTER: f64 = 8.0;
/// Values that lie further apart than this need a logarithmic axis.
const LOG_FROM: f64 = 8.0;

/// The measured interval of a claim; what the claim promises is shaded, its bounds are dashed.
pub(crate) fn against_bounds(claim: &Claim, measured: &Interval, class: &str) -> Option<Markup> {
    let bounds: Vec<f64> = [claim.low, claim.high].into_iter().flatten().collect();
    if bounds.is_empty() || !measured.point.is_finite() {
        return None;
    }
    let x = claim_scale(&bounds, measured);
    let (from, to) = promised(claim);
    let (left, right) = (
        from.map_or(0.0, |value| x.place(value)),
        to.map_or(WIDTH, |value| x.place(value)),
    );
    Some(html! {
        svg.bar viewBox={ "0 0 " (WIDTH) " 36" } width=(WIDTH) height="36" aria-hidden="true" {
            rect.zone x=(at(left)) y="2" width=(at((right - left).max(0.0))) height="18" {}
            @for &value in &bounds {
                line.bound x1=(at(x.place(value))) x2=(at(x.place(value))) y1="1" y2="22" {}
            }
            @for (place, text) in labels(&x, &bounds, claim_unit(claim)) {
                text.tick x=(at(place)) y="33" text-anchor="middle" { (text) }
            }
            g class={ "iv " (class) } { (whisker(&x, measured)) }
        }
    })
}

/// The bounds' labels with their places: without the unit where it is long, and only those that fit
/// beside each other; the bounds stand in words below the bar anyway.
fn labels(x: &Scale, bounds: &[f64], unit: &str) -> Vec<(f64, String)> {
    let mut end = 0.0;
    let mut labels = Vec::new();
    for &value in bounds {
        let text = if unit.chars().count() > 8 {
            bound(value, "")
        } else {
            bound(value, unit)
        };
        let half = (text.chars().count() as f64 * LETTER / 2.0).min(WIDTH / 2.0);
        let place = x.place(value).clamp(half, WIDTH - half);
        if place - half >= end {
            end = place + half + LETTER;
            labels.push((place, text));
        }
    }
    labels
}

/// The ratio of two equal things; the line in the middle is 1, its shade 2 % to both sides.
pub(crate) fn around_one(ratio: &Interval) -> Markup {
    let reach = [ratio.low, ratio.high, ratio.point]
        .into_iter()
        .filter(|value| value.is_finite())
        .map(|value| (value - 1.0).abs())
        .fold(0.04, f64::max);
    let x = Scale::linear(1.0 - reach, 1.0 + reach, INSET, WIDTH - INSET);
    let (left, right) = (x.place(0.98), x.place(1.02));
    let class = if ratio.low <= 1.0 && 1.0 <= ratio.high {
        "plain"
    } else {
        "open"
    };
    html! {
        svg.bar viewBox={ "0 0 " (WIDTH) " 22" } width=(WIDTH) height="22" aria-hidden="true" {
            rect.zone x=(at(left)) y="2" width=(at(right - left)) height="18" {}
            line.one x1=(at(x.place(1.0))) x2=(at(x.place(1.0))) y1="0" y2="22" {}
            g class={ "iv " (class) } { (whisker(&x, ratio)) }
        }
    }
}

/// An axis from 0 that several rows share.
pub(crate) struct Domain(Scale);

impl Domain {
    /// The axis that holds all `intervals`; `None` when there is none above 0.
    pub(crate) fn of<'a>(intervals: impl Iterator<Item = &'a Interval>) -> Option<Self> {
        let high = intervals
            .flat_map(|interval| [interval.point, interval.high])
            .filter(|value| value.is_finite())
            .fold(0.0, f64::max);
        (high > 0.0).then(|| Self(Scale::linear(0.0, high, 1.0, WIDTH - 4.0)))
    }
}

/// One row of a shared axis: a bar from 0 to the median, the interval over its end.
pub(crate) fn shared_row(domain: &Domain, interval: &Interval, class: &str) -> Markup {
    let Domain(x) = domain;
    html! {
        svg.bar.row viewBox={ "0 0 " (WIDTH) " 22" } width=(WIDTH) height="22" preserveAspectRatio="none" aria-hidden="true" {
            rect.fill.(class) x="1" y="5" width=(at((x.place(interval.point) - 1.0).max(0.0))) height="12" {}
            line.whisker x1=(at(x.place(interval.low))) x2=(at(x.place(interval.high))) y1="11" y2="11" {}
            line.cap x1=(at(x.place(interval.low))) x2=(at(x.place(interval.low))) y1="7" y2="15" {}
            line.cap x1=(at(x.place(interval.high))) x2=(at(x.place(interval.high))) y1="7" y2="15" {}
        }
    }
}

fn whisker(x: &Scale, interval: &Interval) -> Markup {
    html! {
        line x1=(at(x.place(interval.low))) x2=(at(x.place(interval.high))) y1=(MIDDLE) y2=(MIDDLE) {}
        circle cx=(at(x.place(interval.point))) cy=(MIDDLE) r="5" {}
    }
}

/// An axis that shows the interval and every bound with room around them.
fn claim_scale(bounds: &[f64], measured: &Interval) -> Scale {
    let values = || {
        bounds
            .iter()
            .copied()
            .chain([measured.low, measured.point, measured.high])
            .filter(|v| v.is_finite())
    };
    let (low, high) = (
        values().fold(f64::INFINITY, f64::min),
        values().fold(f64::NEG_INFINITY, f64::max),
    );
    if low > 0.0 && high / low > LOG_FROM {
        let room = (high / low).powf(0.15);
        return Scale::log_exact(low / room, high * room, INSET, WIDTH - INSET);
    }
    let room = if high > low {
        (high - low) * 0.25
    } else {
        high.abs().max(1.0) * 0.1
    };
    Scale::linear(low - room, high + room, INSET, WIDTH - INSET)
}

/// What the claim promises, from and to; `None` is an open side. A comparing claim's upper bound is only
/// how far the document's promise goes: beyond it the claim is met all the more.
fn promised(claim: &Claim) -> (Option<f64>, Option<f64>) {
    match claim.kind {
        ClaimKind::AtMost => (None, claim.high.or(claim.low)),
        ClaimKind::Range => (claim.low, claim.high),
        ClaimKind::AtLeast | ClaimKind::Ratio | ClaimKind::RatioTime | ClaimKind::Reduction => {
            (claim.low.or(claim.high), None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_apart_values_share_a_logarithmic_axis() {
        let interval = Interval {
            low: 0.4,
            point: 0.5,
            high: 0.6,
            confidence: 0.98,
            samples: 8,
        };
        let near = claim_scale(&[0.7], &interval);
        let far = claim_scale(&[500.0], &interval);
        assert!(near.place(0.55) - near.place(0.45) > 20.0);
        assert!(
            far.place(0.6) - far.place(0.4) > 3.0,
            "the interval stays visible"
        );
        assert!(far.place(500.0) > 150.0);
    }

    #[test]
    fn a_shared_axis_needs_something_above_zero() {
        assert!(Domain::of([].iter()).is_none());
        let zero = Interval {
            low: 0.0,
            point: 0.0,
            high: 0.0,
            confidence: 0.0,
            samples: 1,
        };
        assert!(Domain::of([zero].iter()).is_none());
    }
}
