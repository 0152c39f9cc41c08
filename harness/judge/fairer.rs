//! A fairer baseline: documents compare with the weakest form of what they replace, such as copying in
//! blocks of 8 KiB. Where the run has a better form of the same, the claim's note tells the figure
//! against that one too. The verdict stays with the pair that the document names.

use ringside_contract::{Claim, ClaimKind, Id, Settings};
use serde::Deserialize;

use crate::doubt::unfit;
use crate::figure::{figure, percent};
use crate::index::{Cell, Index};
use crate::lookup::Found;
use crate::measure::compared;
use crate::metrics::Metric;
use crate::pairing::summary;
use crate::rules::samples_needed;

/// What is fair in the place of what a document names: a line of `datasets/fairer.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fairer {
    /// What the document names.
    pub instead_of: Id,
    /// What is fair in its place.
    pub take: Id,
    /// Why.
    pub because: String,
}

/// The notes on what is named in the place of one of the claim's two, where the run has it.
pub(crate) fn fairer_pairs<'a>(
    index: &'a Index<'_>,
    named: &'a [Fairer],
    claim: &'a Claim,
    metric: &'a Metric,
    found: &'a Found<'_, '_>,
) -> impl Iterator<Item = String> + 'a {
    named.iter().filter_map(|fairer| {
        let baseline = found.baseline?;
        let stands_for = |cell: &Cell<'_>| cell.implementation.id == fairer.instead_of;
        let other = |beside: &Cell<'_>| {
            index.first_copies().find(|cell| {
                let is_plain = cell.implementation.axes == Settings::default();
                let is_it = cell.implementation.id == fairer.take && is_plain;
                is_it && cell.scenario == beside.scenario && unfit(cell, metric).is_none()
            })
        };
        let (words, candidate, baseline) = if stands_for(baseline) {
            let words = format!("against {}", fairer.take);
            (words, found.candidate, other(baseline)?)
        } else if stands_for(found.candidate) {
            let words = format!("with {} in place of {}", fairer.take, fairer.instead_of);
            (words, other(found.candidate)?, baseline)
        } else {
            return None;
        };
        let is_one = candidate.implementation == baseline.implementation;
        if is_one
            || unfit(candidate, metric)
                .or(unfit(baseline, metric))
                .is_some()
        {
            return None;
        }
        let interval = compared(claim.kind, metric, candidate, baseline).ok()?;
        if interval.samples < samples_needed(claim.kind) {
            return None;
        }
        let [point, low, high] =
            [interval.point, interval.low, interval.high].map(|value| written(claim, value));
        let because = &fairer.because;
        Some(format!(
            "{words} ({because}) it would be {point} ({low} to {high})"
        ))
    })
}

/// A reduction reads in per cent, as the claim's own figure does.
fn written(claim: &Claim, value: f64) -> String {
    match claim.kind {
        ClaimKind::Reduction => percent(value),
        _ => format!("{}×", figure(value)),
    }
}

/// The note, when there is a baseline of the same kind with a better figure.
pub(crate) fn fairer_baseline(
    index: &Index<'_>,
    claim: &Claim,
    metric: &Metric,
    found: &Found<'_, '_>,
) -> Option<String> {
    let baseline = found.baseline?;
    let better = |left: f64, right: f64| {
        if metric.more_is_better {
            left > right
        } else {
            left < right
        }
    };
    let mut best = (baseline, summary(baseline, metric)?.point);
    for cell in index
        .first_copies()
        .filter(|cell| same_kind(cell, baseline))
    {
        match summary(cell, metric) {
            Some(figure) if cell.invalid().is_none() && better(figure.point, best.1) => {
                best = (cell, figure.point);
            }
            _ => {}
        }
    }
    if std::ptr::eq(best.0, baseline) {
        return None;
    }
    let interval = compared(claim.kind, metric, found.candidate, best.0).ok()?;
    let write = |value: f64| written(claim, value);
    Some(format!(
        "against {}, the best of its kind here, it would be {} ({} to {})",
        best.0.implementation,
        write(interval.point),
        write(interval.low),
        write(interval.high)
    ))
}

/// Whether two cells of one engine and scenario differ in one axis, whose values have one name in
/// front, such as `copy_8k` and `copy_256k`.
fn same_kind(cell: &Cell<'_>, baseline: &Cell<'_>) -> bool {
    if cell.scenario != baseline.scenario || cell.implementation.id != baseline.implementation.id {
        return false;
    }
    let mut changed = changes(&cell.sample.axes, &baseline.sample.axes);
    let only = changed.next().filter(|_| changed.next().is_none());
    only.is_some_and(|(left, right)| kind(left).is_some() && kind(left) == kind(right))
}

fn changes<'s>(
    left: &'s Settings,
    right: &'s Settings,
) -> impl Iterator<Item = (&'s str, &'s str)> {
    left.iter()
        .filter_map(|(key, value)| Some((value, right.value(key)?)))
        .filter(|(left, right)| left != right)
}

/// The name before the amount: `copy` of `copy_64k`.
fn kind(value: &str) -> Option<&str> {
    let (name, amount) = value.rsplit_once('_')?;
    amount
        .starts_with(|first: char| first.is_ascii_digit())
        .then_some(name)
}
