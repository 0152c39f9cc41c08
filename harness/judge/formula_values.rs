//! Arithmetic of figures with intervals: the quotients and the least that formulas are made of.

use std::collections::BTreeSet;

use ringside_contract::{Bound, Formula, FormulaTerm, Interval};

use crate::units::in_base;

/// A figure with its interval, or a constant, which holds always.
#[derive(Clone, Copy)]
pub(crate) struct Value {
    pub(crate) interval: Interval,
    /// Where the figure is only a bound, on which side.
    pub(crate) bound: Option<Bound>,
}

impl Value {
    pub(crate) fn constant(figure: f64) -> Self {
        let interval = Interval {
            low: figure,
            point: figure,
            high: figure,
            confidence: 1.0,
            samples: 0,
        };
        Self {
            interval,
            bound: None,
        }
    }
}

/// The parts multiplied and divided, in the unit of the formula.
pub(crate) fn quotient(formula: &Formula, term: &FormulaTerm, figures: &[f64]) -> f64 {
    let base = |unit: &str| in_base(unit).unwrap_or(1.0);
    let mut product = 1.0 / base(&formula.unit);
    for (part, figure) in term.parts.iter().zip(figures) {
        let figure = figure * base(&part.unit);
        product = if part.divides {
            product / figure
        } else {
            product * figure
        };
    }
    product
}

/// The quotient of measured figures. Its interval goes from the least that theirs allow to the most.
/// `None` where they are bounds on both sides.
pub(crate) fn measured_quotient(
    formula: &Formula,
    term: &FormulaTerm,
    values: &[Value],
) -> Option<Value> {
    let end = |small: bool| {
        let figures: Vec<f64> = term
            .parts
            .iter()
            .zip(values)
            .map(|(part, value)| {
                if small == part.divides {
                    value.interval.high
                } else {
                    value.interval.low
                }
            })
            .collect();
        quotient(formula, term, &figures)
    };
    let points: Vec<f64> = values.iter().map(|value| value.interval.point).collect();
    let bounds: BTreeSet<bool> = term
        .parts
        .iter()
        .zip(values)
        .filter_map(|(part, value)| Some((value.bound? == Bound::AtLeast) != part.divides))
        .collect();
    let bound = match (bounds.contains(&true), bounds.contains(&false)) {
        (true, false) => Some(Bound::AtLeast),
        (false, true) => Some(Bound::AtMost),
        (false, false) => None,
        // Bounds on both sides leave nothing.
        (true, true) => return None,
    };
    let interval = Interval {
        low: end(true),
        point: quotient(formula, term, &points),
        high: end(false),
        ..held(values)
    };
    // Nothing is divided by a figure of 0.
    let figures = [interval.low, interval.point, interval.high];
    let is_finite = figures.iter().all(|figure| figure.is_finite());
    is_finite.then_some(Value { interval, bound })
}

/// How often all intervals hold at once, at least: what each may miss adds up.
fn held(values: &[Value]) -> Interval {
    let measured = || {
        values
            .iter()
            .map(|value| value.interval)
            .filter(|interval| interval.samples > 0)
    };
    let missed: f64 = measured().map(|interval| 1.0 - interval.confidence).sum();
    let is_sure = measured().all(|interval| interval.confidence > 0.0);
    Interval {
        confidence: if is_sure {
            (1.0 - missed).max(0.0)
        } else {
            0.0
        },
        samples: measured()
            .map(|interval| interval.samples)
            .min()
            .unwrap_or(0),
        ..Value::constant(0.0).interval
    }
}

/// The least of figures with intervals; a bound when the least of them is one.
pub(crate) fn least(values: &[Value]) -> Option<Value> {
    let of = |read: fn(&Interval) -> f64| {
        let figures = values.iter().map(|value| read(&value.interval));
        figures.reduce(f64::min)
    };
    let (low, point, high) = (of(|i| i.low)?, of(|i| i.point)?, of(|i| i.high)?);
    let first = values
        .iter()
        .find(|value| value.interval.point.total_cmp(&point).is_eq())?;
    Some(Value {
        interval: Interval {
            low,
            point,
            high,
            ..held(values)
        },
        bound: first.bound,
    })
}
