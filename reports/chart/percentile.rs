//! Latency by percentile: one step of the axis for each nine, because a mean hides the tail and a
//! linear axis hides it too.

use maud::{Markup, html};
use ringside_contract::CurvePoint;

use super::LATENCY_MAX_US;
use super::frame::{BOTTOM, LEFT, RIGHT, TOP, Tick, frame};
use super::scale::{Scale, nines};
use super::series::{marker, points};
use crate::format::bound;

/// Width of a letter of a tick in the larger letters of a phone, with the gap between two ticks.
const LETTER: f64 = 10.5;

/// The nines of P50, where the axis begins: what lies below it says little, and a lowest latency of a
/// few microseconds would take decades of the other axis.
const FIRST: f64 = std::f64::consts::LOG10_2;

/// Where the longest latency stands: this far right of the last nine, since it has no percentile.
const MAX_GAP: f64 = 0.5;

/// The curve of each series (index of its look, points). `None` when no point can be drawn.
pub(crate) fn percentile_curve(
    id: &str,
    title: &str,
    series: &[(usize, &[CurvePoint])],
) -> Option<Markup> {
    let all = || {
        series
            .iter()
            .flat_map(|(_, curve)| curve.iter())
            .filter(|point| usable(point))
    };
    let last = all()
        .filter_map(|point| nines(point.percentile))
        .fold(f64::NAN, f64::max);
    let has_max = all().any(|point| nines(point.percentile).is_none());
    if !last.is_finite() && !has_max {
        return None;
    }
    let last = last.max(1.0);
    let x = Scale::linear(
        FIRST,
        if has_max { last + MAX_GAP } else { last },
        LEFT,
        RIGHT,
    );
    let low = all()
        .map(|point| positive(point.low_us, point.latency_us))
        .fold(f64::INFINITY, f64::min);
    let high = all()
        .map(|point| point.high_us.max(point.latency_us).min(LATENCY_MAX_US))
        .fold(0.0, f64::max);
    let y = Scale::log(low, high, BOTTOM, TOP);
    let place = |point: &CurvePoint| x.place(nines(point.percentile).unwrap_or(last + MAX_GAP));
    let plot = html! {
        @for &(look, curve) in series {
            @let shown: Vec<&CurvePoint> = curve.iter().filter(|point| usable(point)).collect();
            g.series.{ "s" (look) } {
                polygon.band points=(band(&shown, place, &y)) {}
                polyline.ln points=(points(&shown.iter().map(|p| (place(p), y.place(p.latency_us))).collect::<Vec<_>>())) {}
                @for point in shown.iter().filter(|point| marked(point.percentile) || shown.len() == 1) {
                    (marker(look, place(point), y.place(point.latency_us), 3.6))
                }
            }
        }
    };
    let y_ticks: Vec<Tick> = y
        .ticks(0)
        .into_iter()
        .map(|tick| Tick {
            place: y.place(tick),
            text: bound(tick, "us"),
        })
        .collect();
    let about = format!(
        "Latency in microseconds on a logarithmic axis against percentile, one step for each nine, for {} implementations. The table below has the figures.",
        series.len()
    );
    Some(frame(
        id,
        title,
        &about,
        ("percentile", &x_ticks(&x, last, has_max)),
        ("latency", &y_ticks),
        &plot,
    ))
}

/// P50 and each further nine, as far as they fit beside each other and beside the longest.
fn x_ticks(x: &Scale, last: f64, has_max: bool) -> Vec<Tick> {
    let named = [
        (FIRST, "50"),
        (1.0, "90"),
        (2.0, "99"),
        (3.0, "99.9"),
        (4.0, "99.99"),
        (5.0, "99.999"),
        (6.0, "99.9999"),
    ];
    let half = |text: &str| text.len() as f64 * LETTER / 2.0;
    let longest = has_max.then(|| x.place(last + MAX_GAP));
    let room = longest.map_or(f64::INFINITY, |place| place - half("max"));
    let mut end = 0.0;
    let mut ticks = Vec::new();
    for (nine, text) in named {
        let place = x.place(nine);
        let fits = place - half(text) >= end && place + half(text) <= room;
        if nine <= last + 1e-6 && fits {
            end = place + half(text);
            ticks.push(Tick {
                place,
                text: text.to_owned(),
            });
        }
    }
    ticks.extend(longest.map(|place| Tick {
        place,
        text: "max".to_owned(),
    }));
    ticks
}

fn band(shown: &[&CurvePoint], place: impl Fn(&CurvePoint) -> f64, y: &Scale) -> String {
    let upper = shown
        .iter()
        .map(|point| (place(point), y.place(point.high_us)));
    let lower = shown.iter().rev().map(|point| {
        (
            place(point),
            y.place(positive(point.low_us, point.latency_us)),
        )
    });
    points(&upper.chain(lower).collect::<Vec<_>>())
}

/// True for the percentiles that get a marker: those that people name.
fn marked(percentile: f64) -> bool {
    [50.0, 90.0, 99.0, 99.9, 99.99, 99.999, 100.0]
        .into_iter()
        .any(|named| (named - percentile).abs() < 1e-9)
}

fn usable(point: &CurvePoint) -> bool {
    point.latency_us > 0.0
        && point.latency_us < LATENCY_MAX_US
        && (50.0..=100.0).contains(&point.percentile)
}

fn positive(value: f64, otherwise: f64) -> f64 {
    if value > 0.0 { value } else { otherwise }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(percentile: f64, latency_us: f64) -> CurvePoint {
        CurvePoint {
            percentile,
            latency_us,
            low_us: latency_us,
            high_us: latency_us,
        }
    }

    #[test]
    fn a_single_point_is_drawn_and_none_is_no_chart() {
        let one = [point(50.0, 120.0)];
        let drawn = percentile_curve("c", "t", &[(0, &one)])
            .unwrap()
            .into_string();
        assert!(drawn.contains("<circle"), "{drawn}");
        assert!(!drawn.contains("NaN"));
        assert!(percentile_curve("c", "t", &[(0, &[])]).is_none());
        assert!(percentile_curve("c", "t", &[(0, &[point(50.0, 0.0)])]).is_none());
    }

    #[test]
    fn the_axis_begins_at_the_median_and_ticks_keep_apart() {
        let curve = [
            point(0.0, 1.0),
            point(50.0, 100.0),
            point(99.9999, 900.0),
            point(100.0, 950.0),
        ];
        let drawn = percentile_curve("c", "t", &[(0, &curve)])
            .unwrap()
            .into_string();
        for (tick, shown) in [
            ("50", true),
            ("99.9", true),
            ("0", false),
            ("99.9999", false),
        ] {
            assert_eq!(
                drawn.contains(&format!(">{tick}<")),
                shown,
                "{tick}: {drawn}"
            );
        }
    }

    #[test]
    fn the_longest_latency_stands_right_of_the_nines() {
        let curve = [
            point(50.0, 100.0),
            point(99.0, 300.0),
            point(100.0, 4_000.0),
        ];
        let drawn = percentile_curve("c", "t", &[(1, &curve)])
            .unwrap()
            .into_string();
        assert!(drawn.contains(">max<") && drawn.contains(">99<"), "{drawn}");
        assert!(drawn.contains(&format!("cx=\"{RIGHT}\"")) || drawn.contains(&format!("{RIGHT},")));
    }
}
