//! The box of a chart: grid, ticks and the names of both axes.

use maud::{Markup, html};

use super::series::at;

/// Width of a chart in its own units. Two stand side by side on a desktop screen and are drawn larger
/// there; a phone is some 340 pixels wide, so that letters of 16 units have 13 pixels.
pub(super) const WIDTH: f64 = 420.0;
/// Height of a chart.
pub(super) const HEIGHT: f64 = 294.0;
/// Left edge of the plot: room for a tick such as `300 µs` in the larger letters of a phone.
pub(super) const LEFT: f64 = 66.0;
/// Right edge of the plot.
pub(super) const RIGHT: f64 = 396.0;
/// Upper edge of the plot.
pub(super) const TOP: f64 = 34.0;
/// Lower edge of the plot.
pub(super) const BOTTOM: f64 = 236.0;

/// A tick: its place and its text.
pub(super) struct Tick {
    pub(super) place: f64,
    pub(super) text: String,
}

/// Draws grid and axes under `plot` and wraps both for a screen reader.
pub(super) fn frame(
    id: &str,
    title: &str,
    about: &str,
    (x_name, x_ticks): (&str, &[Tick]),
    (y_name, y_ticks): (&str, &[Tick]),
    plot: &Markup,
) -> Markup {
    html! {
        svg.chart viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } width=(WIDTH) height=(HEIGHT) role="img"
            aria-labelledby={ (id) "-t " (id) "-d" } {
            title id={ (id) "-t" } { (title) }
            desc id={ (id) "-d" } { (about) }
            @for tick in y_ticks {
                line.grid x1=(LEFT) x2=(RIGHT) y1=(at(tick.place)) y2=(at(tick.place)) {}
                text.tick x=(LEFT - 8.0) y=(at(tick.place + 4.0)) text-anchor="end" { (tick.text) }
            }
            @for tick in x_ticks {
                line.grid x1=(at(tick.place)) x2=(at(tick.place)) y1=(TOP) y2=(BOTTOM) {}
                text.tick x=(at(tick.place)) y=(BOTTOM + 23.0) text-anchor="middle" { (tick.text) }
            }
            line.base x1=(LEFT) x2=(RIGHT) y1=(BOTTOM) y2=(BOTTOM) {}
            text.axis x=((LEFT + RIGHT) / 2.0) y=(HEIGHT - 12.0) text-anchor="middle" { (x_name) }
            text.axis x="4" y="14" { (y_name) }
            (plot)
        }
    }
}
