//! Slowdowns of head against base on one axis in per cent, with zero in its middle.

use maud::{Markup, html};
use ringside_contract::Interval;

use super::scale::Scale;
use super::series::at;
use crate::format::bound;

/// Width of a drawing in its own units.
const WIDTH: f64 = 240.0;
/// Room on both sides, so that no cap is cut.
const INSET: f64 = 10.0;
/// Height of the line of the interval.
const MIDDLE: f64 = 11.0;
/// Half the height of a cap at an end of the interval.
const CAP: f64 = 5.0;
/// The axis reaches at least so many thresholds to both sides, so that the band is never all of it.
const REACH_MIN: f64 = 2.0;
/// And at most so many: beyond, one far outlier would press all others together. It gets an arrow.
const REACH_MAX: f64 = 3.0;
/// The threshold where a document holds none that could be drawn.
const THRESHOLD: f64 = 0.05;

/// An axis that all rows of a page share, so that they can be compared by eye.
pub(crate) struct SlowdownAxis {
    scale: Scale,
    /// Where the axis ends, as a share to both sides.
    reach: f64,
}

impl SlowdownAxis {
    /// The axis for intervals, each with the threshold of its row; both are shares.
    pub(crate) fn of<'a>(rows: impl Iterator<Item = (f64, &'a Interval)>) -> Self {
        let (mut threshold, mut farthest) = (0.0_f64, 0.0_f64);
        for (limit, interval) in rows {
            threshold = threshold.max(drawable(limit));
            for value in [interval.low, interval.point, interval.high] {
                if value.is_finite() {
                    farthest = farthest.max(value.abs());
                }
            }
        }
        let threshold = drawable(threshold);
        let reach = (farthest * 1.1).clamp(REACH_MIN * threshold, REACH_MAX * threshold);
        Self {
            scale: Scale::linear(-reach, reach, INSET, WIDTH - INSET),
            reach,
        }
    }

    /// One interval: the band within the threshold shaded, its slower edge dashed, zero a line. `None`
    /// when there is no figure. `class` gives the colour of the verdict, which also stands in words.
    pub(crate) fn draw(&self, threshold: f64, slowdown: &Interval, class: &str) -> Option<Markup> {
        let values = [slowdown.low, slowdown.point, slowdown.high];
        if values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let threshold = drawable(threshold);
        let place = |value| at(self.scale.place(value));
        let band = self.scale.place(threshold) - self.scale.place(-threshold);
        Some(html! {
            svg.bar.slowdown viewBox={ "0 0 " (WIDTH) " 36" } width=(WIDTH) height="36" aria-hidden="true" {
                rect.zone x=(place(-threshold)) y="2" width=(at(band)) height="18" {}
                line.one x1=(place(0.0)) x2=(place(0.0)) y1="0" y2="22" {}
                line.bound x1=(place(threshold)) x2=(place(threshold)) y1="1" y2="22" {}
                text.tick x="0" y="33" { "faster" }
                text.tick x=(place(0.0)) y="33" text-anchor="middle" { "0" }
                text.tick x=(place(threshold)) y="33" text-anchor="middle" { (bound(threshold, "share")) }
                text.tick x=(WIDTH) y="33" text-anchor="end" { "slower" }
                g class={ "iv " (class) } {
                    line x1=(place(slowdown.low)) x2=(place(slowdown.high)) y1=(MIDDLE) y2=(MIDDLE) {}
                    (self.end(slowdown.low))
                    (self.end(slowdown.high))
                    circle cx=(place(slowdown.point)) cy=(MIDDLE) r="5" {}
                }
            }
        })
    }

    /// A cap where the interval ends, or an arrow where it goes on beyond the axis.
    fn end(&self, value: f64) -> Markup {
        let x = self.scale.place(value);
        let tip = x + CAP * value.signum();
        html! {
            @if value.abs() > self.reach {
                line.beyond x1=(at(x)) x2=(at(tip)) y1=(MIDDLE - CAP) y2=(MIDDLE) {}
                line.beyond x1=(at(x)) x2=(at(tip)) y1=(MIDDLE + CAP) y2=(MIDDLE) {}
            } @else {
                line x1=(at(x)) x2=(at(x)) y1=(MIDDLE - CAP) y2=(MIDDLE + CAP) {}
            }
        }
    }
}

/// A threshold that has a band; documents may come from anywhere.
fn drawable(threshold: f64) -> f64 {
    if threshold.is_finite() && threshold > 0.0 {
        threshold
    } else {
        THRESHOLD
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(low: f64, point: f64, high: f64) -> Interval {
        Interval {
            low,
            point,
            high,
            confidence: 0.98,
            samples: 9,
        }
    }

    #[test]
    fn zero_is_in_the_middle_and_slower_to_the_right() {
        let one = interval(0.01, 0.02, 0.03);
        let axis = SlowdownAxis::of([(0.05, &one)].into_iter());
        assert_eq!(axis.scale.place(0.0), WIDTH / 2.0);
        assert!(axis.scale.place(0.05) > WIDTH / 2.0);
        assert!(
            axis.scale.place(0.05) < axis.scale.place(0.09),
            "room beside the band"
        );
    }

    #[test]
    fn an_outlier_gets_an_arrow_and_leaves_the_others_their_room() {
        let (near, far) = (interval(0.01, 0.02, 0.03), interval(2.0, 3.0, 4.0));
        let axis = SlowdownAxis::of([(0.05, &near), (0.05, &far)].into_iter());
        assert!(axis.scale.place(0.03) - axis.scale.place(0.01) > 10.0);
        let drawn = |interval| axis.draw(0.05, interval, "met").unwrap().into_string();
        assert!(drawn(&far).contains("beyond") && !drawn(&near).contains("beyond"));
    }

    #[test]
    fn what_is_no_figure_is_not_drawn() {
        let none = interval(f64::NAN, 0.0, f64::INFINITY);
        let axis = SlowdownAxis::of([(f64::NAN, &none)].into_iter());
        assert!(axis.draw(f64::NAN, &none, "met").is_none());
        let whole = interval(0.0, 0.0, 0.0);
        let drawn = axis.draw(0.0, &whole, "met").unwrap().into_string();
        assert!(!drawn.contains("NaN"), "{drawn}");
    }
}
