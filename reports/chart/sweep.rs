//! Latency against offered rate, up to and past the knee.

use maud::{Markup, html};
use ringside_contract::SweepPoint;

use super::LATENCY_MAX_US;
use super::frame::{BOTTOM, LEFT, RIGHT, TOP, Tick, frame};
use super::scale::Scale;
use super::series::{at, marker, points};
use crate::format::bound;

/// A rate counts as held while this share of it completes; the step below ends a sweep.
const HELD: f64 = 0.95;

/// How a sweep ended behind the last rate that was held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The server did not hold the next rate: the last one held is its knee.
    Knee,
    /// The generator could not offer the next rate: the knee lies higher.
    Generator,
    /// There was no next rate: the knee lies higher.
    Open,
}

/// The last step whose rate was held, and what came behind it. `None` when not even the first was held.
pub(crate) fn held(sweep: &[SweepPoint]) -> Option<(&SweepPoint, End)> {
    let held = |step: &&SweepPoint| {
        !step.generator_limited && step.achieved_per_s >= HELD * step.offered_per_s
    };
    let count = sweep.iter().take_while(held).count();
    let end = match sweep.get(count) {
        Some(next) if next.generator_limited => End::Generator,
        Some(_) => End::Knee,
        None => End::Open,
    };
    Some((sweep.get(count.checked_sub(1)?)?, end))
}

/// The P99 of each series against the offered rate; the knee is ringed. `None` without a usable step.
pub(crate) fn sweep_curve(
    id: &str,
    title: &str,
    series: &[(usize, &[SweepPoint])],
) -> Option<Markup> {
    let all = || {
        series
            .iter()
            .flat_map(|(_, sweep)| sweep.iter())
            .filter(|step| usable(step))
    };
    all().next()?;
    let rate_max = all().map(|step| step.offered_per_s).fold(0.0, f64::max);
    let low = all().map(|step| step.p99_us).fold(f64::INFINITY, f64::min);
    let high = all().map(|step| step.p99_us).fold(0.0, f64::max);
    let x = Scale::linear(0.0, rate_max, LEFT, RIGHT);
    let y = Scale::log(low, high, BOTTOM, TOP);
    let plot = html! {
        @for &(look, sweep) in series {
            @let places: Vec<(f64, f64)> = sweep.iter().filter(|step| usable(step)).map(|step| (x.place(step.offered_per_s), y.place(step.p99_us))).collect();
            g.series.{ "s" (look) } {
                polyline.ln points=(points(&places)) {}
                @if let Some((step, End::Knee)) = held(sweep).filter(|(step, _)| usable(step)) {
                    circle.knee cx=(at(x.place(step.offered_per_s))) cy=(at(y.place(step.p99_us))) r="8.5" {}
                }
                @for step in sweep.iter().filter(|step| usable(step)) {
                    g.late[step.generator_limited] {
                        (marker(look, x.place(step.offered_per_s), y.place(step.p99_us), 3.6))
                    }
                }
            }
        }
    };
    let ticks = |scale: &Scale, unit: &str| -> Vec<Tick> {
        let tick = |value| Tick {
            place: scale.place(value),
            text: bound(value, unit),
        };
        scale.ticks(4).into_iter().map(tick).collect()
    };
    let about = format!(
        "99th percentile of latency on a logarithmic axis against the rate offered, for {} implementations. The figures of each step are listed below.",
        series.len()
    );
    let axes = (ticks(&x, ""), ticks(&y, "us"));
    Some(frame(
        id,
        title,
        &about,
        ("offered, operations a second", &axes.0),
        ("P99 latency", &axes.1),
        &plot,
    ))
}

fn usable(step: &SweepPoint) -> bool {
    (0.0..1e12).contains(&step.offered_per_s) && step.p99_us > 0.0 && step.p99_us < LATENCY_MAX_US
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(offered_per_s: f64, achieved_per_s: f64) -> SweepPoint {
        SweepPoint {
            offered_per_s,
            achieved_per_s,
            p50_us: 50.0,
            p99_us: 90.0,
            late_share: 0.0,
            generator_limited: false,
        }
    }

    #[test]
    fn the_knee_is_the_last_rate_held_before_one_that_was_not() {
        let sweep = [
            step(10.0, 10.0),
            step(20.0, 19.5),
            step(30.0, 21.0),
            step(40.0, 40.0),
        ];
        let found = |sweep: &[SweepPoint]| held(sweep).map(|(step, end)| (step.offered_per_s, end));
        assert_eq!(found(&sweep), Some((20.0, End::Knee)));
        assert_eq!(found(&sweep[..2]), Some((20.0, End::Open)));
        assert_eq!(found(&[step(10.0, 1.0)]), None);
        assert_eq!(found(&[]), None);
    }

    #[test]
    fn a_rate_that_the_generator_could_not_offer_is_no_knee() {
        let beyond = SweepPoint {
            generator_limited: true,
            ..step(30.0, 21.0)
        };
        let sweep = [step(10.0, 10.0), step(20.0, 20.0), beyond];
        let (step, end) = held(&sweep).unwrap();
        assert_eq!((step.offered_per_s, end), (20.0, End::Generator));
    }

    #[test]
    fn one_step_is_a_chart_and_none_is_not() {
        assert!(sweep_curve("s", "t", &[(0, &[])]).is_none());
        let drawn = sweep_curve("s", "t", &[(0, &[step(10.0, 10.0)])])
            .unwrap()
            .into_string();
        assert!(drawn.contains("<circle") && !drawn.contains("NaN"));
    }
}
