//! What tells one line from another: class (colour and dash), and marker.

use maud::{Markup, html};

/// Lines that one chart can hold and a reader can still tell apart.
pub(crate) const SERIES_MAX: usize = 8;

/// The marker of a series at a place, with half its size in units of the chart.
pub(super) fn marker(series: usize, x: f64, y: f64, half: f64) -> Markup {
    let (left, right, top, bottom) = (x - half, x + half, y - half, y + half);
    match series % SERIES_MAX {
        0 => html! { circle.m cx=(at(x)) cy=(at(y)) r=(at(half)) {} },
        1 => {
            html! { rect.m x=(at(left)) y=(at(top)) width=(at(2.0 * half)) height=(at(2.0 * half)) {} }
        }
        2 => path(&[
            (x, top - 1.0),
            (right + 1.0, y),
            (x, bottom + 1.0),
            (left - 1.0, y),
        ]),
        3 => path(&[(x, top - 0.5), (right + 0.5, bottom), (left - 0.5, bottom)]),
        4 => path(&[(x, bottom + 0.5), (right + 0.5, top), (left - 0.5, top)]),
        5 => html! {
            path.m.open d={ "M" (at(left)) " " (at(top)) "L" (at(right)) " " (at(bottom)) "M" (at(left)) " " (at(bottom)) "L" (at(right)) " " (at(top)) } {}
        },
        6 => html! {
            path.m.open d={ "M" (at(left)) " " (at(y)) "H" (at(right)) "M" (at(x)) " " (at(top)) "V" (at(bottom)) } {}
        },
        _ => html! { circle.m.open cx=(at(x)) cy=(at(y)) r=(at(half)) {} },
    }
}

/// A small picture of a series' marker for legends and tables.
pub(crate) fn key(series: usize) -> Markup {
    html! {
        svg.key.{ "s" (series % SERIES_MAX) } viewBox="-12 -7 24 14" width="24" height="14" aria-hidden="true" {
            line.ln x1="-12" y1="0" x2="12" y2="0" {}
            (marker(series, 0.0, 0.0, 4.0))
        }
    }
}

/// A coordinate with one digit behind the point: a tenth of a pixel is finer than any screen.
pub(super) fn at(place: f64) -> String {
    let text = format!("{place:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// The `points` of a line.
pub(super) fn points(places: &[(f64, f64)]) -> String {
    places
        .iter()
        .map(|&(x, y)| format!("{},{}", at(x), at(y)))
        .collect::<Vec<_>>()
        .join(" ")
}

fn path(places: &[(f64, f64)]) -> Markup {
    html! { polygon.m points=(points(places)) {} }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_has_a_marker_of_its_own() {
        let drawn: std::collections::BTreeSet<String> = (0..SERIES_MAX)
            .map(|series| marker(series, 0.0, 0.0, 4.0).into_string())
            .collect();
        assert_eq!(drawn.len(), SERIES_MAX);
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!(at(12.04), "12");
        assert_eq!(at(12.06), "12.1");
        assert_eq!(points(&[(1.0, 2.25), (3.0, 4.0)]), "1,2.2 3,4");
    }
}
