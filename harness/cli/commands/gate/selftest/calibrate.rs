//! How much has to be planted for a slowdown of so many per cent.

use std::path::Path;

use anyhow::bail;
use ringside_judge::{GateRule, TripleEffect, changes, effect};

use super::triples::{Bench, Head};
use crate::session::Session;

/// Units that slow the case down by a tenth; `None` when it was interrupted.
///
/// # Errors
/// Nothing that can be planted makes a difference, or triples cannot be measured.
pub(super) fn units_of_a_tenth(
    bench: &Bench<'_>,
    session: &Session,
    program: &Path,
    triples: u32,
) -> anyhow::Result<Option<u64>> {
    let mut units = bench.case.guess;
    // From a guess to its neighbourhood, and from there with all triples.
    for number in 0..STEPS_MAX {
        let Some(found) = slowdown(bench, session, program, units, (number, FEW))? else {
            return Ok(None);
        };
        if NEAR.contains(&found) {
            let exact = slowdown(bench, session, program, units, (STEPS_MAX, triples))?;
            return Ok(exact.map(|exact| scaled(units, exact)));
        }
        // A slowdown that cannot be seen says nothing of how far away the right one is.
        units = if found < 0.01 {
            units.saturating_mul(4)
        } else {
            scaled(units, found)
        };
    }
    bail!(
        "no amount of {:?} slows {} down by a tenth: {units} millionths an operation were tried last",
        bench.case.kind,
        bench.case.name
    )
}

/// Units for another share than a tenth: what is planted costs the same each time.
pub(super) fn units_of(percent: u64, of_a_tenth: u64) -> u64 {
    (of_a_tenth * percent).div_ceil(10)
}

fn scaled(units: u64, found: f64) -> u64 {
    ((units as f64 * 0.1 / found).round() as u64).max(1)
}

/// The slowdown by `units` as a share, in the figure that decides.
fn slowdown(
    bench: &Bench<'_>,
    session: &Session,
    program: &Path,
    units: u64,
    (step, triples): (u32, u32),
) -> anyhow::Result<Option<f64>> {
    let head = Head {
        label: "probe".to_owned(),
        program: program.to_owned(),
        units,
    };
    let mut effects: Vec<TripleEffect> = Vec::new();
    for number in 0..triples {
        let number = step * 1_000 + number;
        let Some(record) = bench.triple(std::slice::from_ref(&head), number) else {
            return Ok(None);
        };
        effects.push(effect(&record, &head.label, &session.placement)?);
    }
    let rule = GateRule::default();
    let changes = changes(&rule, &effects, rule.looks.len() - 1);
    match changes.into_iter().find(|change| change.left_out.is_none()) {
        Some(change) => Ok(Some(change.slowdown.point)),
        None => bail!(
            "neither figure of {} decides here, so that nothing can be planted; `ringside gate` says why",
            bench.case.name
        ),
    }
}

/// Triples that tell whether a guess is near.
const FEW: u32 = 4;
/// Guesses.
const STEPS_MAX: u32 = 8;
/// From here a line through zero leads to a tenth.
const NEAR: std::ops::Range<f64> = 0.07..0.14;
