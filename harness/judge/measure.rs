//! The figure of a claim: its cells' samples, compared as the claim's kind says, in the claim's unit.

use ringside_contract::{Claim, ClaimKind, Interval, Verdict};

use crate::index::Cell;
use crate::interval::{NOMINAL_CONFIDENCE, ratio_interval};
use crate::lookup::Found;
use crate::metrics::Metric;
use crate::pairing::{mapped, pairs, reversed, summary};
use crate::rules::compares;
use crate::units::convert;

/// The figure in the claim's unit.
pub(crate) fn claim_interval(
    claim: &Claim,
    metric: &Metric,
    found: &Found<'_, '_>,
) -> Result<Interval, Verdict> {
    let unit = if compares(claim.kind) {
        "ratio"
    } else {
        metric.unit
    };
    let factor = convert(unit, &claim.unit).ok_or_else(|| Verdict::Undecided {
        because: format!(
            "{} is measured in {unit}, which does not turn into {}",
            metric.name, claim.unit
        ),
    })?;
    let interval = match found.baseline {
        None => {
            summary(found.candidate, metric).ok_or_else(|| unmeasured(metric, found.candidate))?
        }
        Some(baseline) => compared(claim.kind, metric, found.candidate, baseline)?,
    };
    Ok(mapped(interval, |value| value * factor))
}

/// The figures of two cells in the same rounds, compared as `kind` says; `Err` says why they do not.
pub(crate) fn compared(
    kind: ClaimKind,
    metric: &Metric,
    candidate: &Cell<'_>,
    baseline: &Cell<'_>,
) -> Result<Interval, Verdict> {
    for cell in [candidate, baseline] {
        if summary(cell, metric).is_none() {
            return Err(unmeasured(metric, cell));
        }
    }
    let mut pairs = pairs(candidate, baseline, metric);
    if pairs.is_empty() {
        let because = "the two were never measured in the same round".to_owned();
        return Err(Verdict::Undecided { because });
    }
    if kind == ClaimKind::RatioTime {
        for pair in &mut pairs {
            *pair = (pair.1, pair.0);
        }
    }
    let ratio = ratio_interval(&pairs, NOMINAL_CONFIDENCE).ok_or_else(|| Verdict::Undecided {
        because: format!("{} was 0 in a round, so there is no ratio", metric.name),
    })?;
    Ok(if kind == ClaimKind::Reduction {
        reversed(ratio, |ratio| 1.0 - ratio)
    } else {
        ratio
    })
}

/// Why no block of the cell has a figure of this metric.
fn unmeasured(metric: &Metric, cell: &Cell<'_>) -> Verdict {
    let refused = &cell.sample.host.syscall_counting_refused;
    match refused {
        Some(reason) if metric.name.starts_with("syscalls") => Verdict::NotHere {
            needs: reason.clone(),
        },
        _ => Verdict::Undecided {
            because: format!(
                "{}: {} was not measured; it needs {}",
                cell.implementation, metric.name, metric.needs
            ),
        },
    }
}

/// The lower bound of a claim about a rate, in operations a second.
pub(crate) fn claim_unit_rate(claim: &Claim) -> Option<f64> {
    Some(claim.low? * convert(&claim.unit, "op/s")?)
}
