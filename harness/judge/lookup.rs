//! Finds the cells that a claim speaks of.
//!
//! A claim names only what narrows its scenario; a record holds every parameter and axis with its
//! value. A cell fits when it has what the claim names and its own default for all else. A latency
//! claim without a load of its own takes the open loop of its scenario, where latency counts from the
//! intended time, and a closed loop only where there is no other.

use ringside_contract::{
    Claim, ImplementationSpec, RunRecord, ScenarioSpec, Settings, parse_duration, parse_size,
};

use crate::index::{Cell, Index};
use crate::metrics::{Metric, MetricClass};

/// The cells behind one claim, of one scenario.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<'i, 'a> {
    pub(crate) candidate: &'i Cell<'a>,
    /// Present for every comparing claim.
    pub(crate) baseline: Option<&'i Cell<'a>>,
}

/// What the records have for a claim.
#[derive(Debug)]
pub(crate) enum Lookup<'i, 'a> {
    Found(Found<'i, 'a>),
    /// No cell of this implementation in a scenario that fits.
    Missing(&'i ImplementationSpec),
}

/// Parameters that say only how operations arrive.
const ARRIVAL_PARAMETERS: [&str; 3] = ["load", "rate", "arrivals"];

/// The best cells for the claim. Among several open loops the one with the highest rate counts: the
/// documents promise latency under load.
pub(crate) fn find<'i, 'a>(
    index: &'i Index<'a>,
    claim: &'i Claim,
    metric: &Metric,
) -> Lookup<'i, 'a> {
    let any_arrivals = prefers_open(claim, metric);
    let elsewhere = claim.baseline_scenario();
    let of = |implementation: &'i ImplementationSpec, scenario| {
        index.first_copies().filter(move |cell| {
            fits_implementation(implementation, cell.sample)
                && fits_scenario(scenario, cell.sample, any_arrivals)
        })
    };
    let mut best: Option<(Found<'i, 'a>, Preference)> = None;
    let mut candidate_seen = false;
    for candidate in of(&claim.candidate, &claim.scenario) {
        candidate_seen = true;
        let mut params = candidate.sample.params.clone();
        for (key, value) in claim.baseline_params.iter() {
            params.set(key, value);
        }
        // All else is the same, what the claim does not name as well.
        let beside = |cell: &&'i Cell<'a>| has_all(&params, &cell.sample.params);
        let baseline = claim
            .baseline
            .as_ref()
            .and_then(|baseline| of(baseline, &elsewhere).find(beside));
        if claim.baseline.is_some() && baseline.is_none() {
            continue;
        }
        let found = Found {
            candidate,
            baseline,
        };
        let preference = preference(&found);
        if best.as_ref().is_none_or(|(_, other)| preference > *other) {
            best = Some((found, preference));
        }
    }
    match (best, &claim.baseline) {
        (Some((found, _)), _) => Lookup::Found(found),
        (None, Some(baseline)) if candidate_seen => Lookup::Missing(baseline),
        (None, _) => Lookup::Missing(&claim.candidate),
    }
}

/// Measured before not measured, open before closed, a higher rate before a lower one.
type Preference = (bool, bool, u64);

fn preference(found: &Found<'_, '_>) -> Preference {
    let measured = |cell: &Cell<'_>| !cell.rounds.is_empty();
    let both = measured(found.candidate) && found.baseline.is_none_or(measured);
    let open = found.candidate.load() == "open";
    let rate = found
        .candidate
        .sample
        .params
        .value("rate")
        .and_then(|rate| rate.parse::<f64>().ok());
    // A rate is never negative, and the cast of a float to an integer saturates.
    (
        both,
        open,
        if open { rate.unwrap_or(0.0) as u64 } else { 0 },
    )
}

fn prefers_open(claim: &Claim, metric: &Metric) -> bool {
    metric.class == MetricClass::Latency
        && metric.name.contains("latency")
        && claim.scenario.params.value("load").is_none()
}

fn fits_scenario(claim: &ScenarioSpec, record: &RunRecord, any_arrivals: bool) -> bool {
    let excused = |key: &str| any_arrivals && ARRIVAL_PARAMETERS.contains(&key);
    claim.id == record.scenario.id
        && has_all(&claim.params, &record.params)
        && record
            .scenario
            .params
            .iter()
            .all(|(key, _)| claim.params.value(key).is_some() || excused(key))
        && !(any_arrivals && record.params.value("load") == Some("sweep"))
}

fn fits_implementation(claim: &ImplementationSpec, record: &RunRecord) -> bool {
    claim.id == record.implementation.id
        && has_all(&claim.axes, &record.axes)
        && record
            .implementation
            .axes
            .iter()
            .all(|(key, _)| claim.axes.value(key).is_some())
}

fn has_all(wanted: &Settings, has: &Settings) -> bool {
    wanted
        .iter()
        .all(|(key, value)| has.value(key).is_some_and(|other| same_value(value, other)))
}

/// Whether two texts name one value: `1024B` is `1KiB`, `20000` is `2e4`.
fn same_value(left: &str, right: &str) -> bool {
    fn both<T: PartialEq>(parse: impl Fn(&str) -> Option<T>, left: &str, right: &str) -> bool {
        parse(left).is_some_and(|value| parse(right).is_some_and(|other| value == other))
    }
    left == right
        || both(parse_size, left, right)
        || both(parse_duration, left, right)
        || both(|text| text.parse::<f64>().ok(), left, right)
}

#[cfg(test)]
mod tests {
    use super::same_value;

    #[test]
    fn values_are_compared_by_what_they_name() {
        for (left, right, same) in [
            ("1KiB", "1024B", true),
            ("1KB", "1KiB", false),
            ("400", "400", true),
            ("20000", "2e4", true),
            ("1s", "1000ms", true),
            ("epoll", "uring", false),
        ] {
            assert_eq!(same_value(left, right), same, "{left} {right}");
        }
    }
}
