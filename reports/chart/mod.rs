//! Charts as SVG of our own: sizes in a fixed box, colours by class, so that one drawing serves light,
//! dark, paper and a phone. Every line has a colour, a dash and a marker: any one of them is enough to
//! tell it from the others.

mod frame;
mod interval;
mod percentile;
mod scale;
mod series;
mod slowdown;
mod sweep;

/// Microseconds that no latency of a run reaches (eleven days): what lies beyond is no measurement.
const LATENCY_MAX_US: f64 = 1e12;

pub(crate) use interval::{Domain, against_bounds, around_one, shared_row};
pub(crate) use percentile::percentile_curve;
pub(crate) use series::{SERIES_MAX, key};
pub(crate) use slowdown::SlowdownAxis;
pub(crate) use sweep::{End, held, sweep_curve};
