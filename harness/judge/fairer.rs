//! A fairer baseline: documents compare with the weakest form of what they replace, such as copying in
//! blocks of 8 KiB. Where the run has a better form of the same, the claim's note tells the figure
//! against that one too. The verdict stays with the pair that the document names.

use ringside_contract::{Claim, ClaimKind, Settings};

use crate::figure::{figure, percent};
use crate::index::{Cell, Index};
use crate::lookup::Found;
use crate::measure::compared;
use crate::metrics::Metric;
use crate::pairing::summary;

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
    // A reduction reads in per cent, as the claim's own figure does.
    let write = |value: f64| match claim.kind {
        ClaimKind::Reduction => percent(value),
        _ => format!("{}×", figure(value)),
    };
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
