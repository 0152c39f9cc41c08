//! Implementations against themselves: how far two equal things seem apart on this machine, and how
//! often the interval says so wrongly.

use std::collections::BTreeMap;

use ringside_contract::SelfControl;

use crate::doubt::only_a_bound;
use crate::index::{Cell, Index};
use crate::input::ScenarioInfo;
use crate::interval::{NOMINAL_CONFIDENCE, median_interval, ratio_interval};
use crate::metrics::metric;
use crate::pairing::pairs;
use crate::random::Random;

/// Pairs of one resampled trial: what an absolute claim and the quick plan rest on.
const TRIAL_PAIRS: usize = 8;

/// Trials: enough that the share is known to about 1 of 100.
const TRIALS: u32 = 2000;

/// Every implementation that ran as two copies, by the metric that ranks its scenario and by
/// throughput.
pub(crate) fn controls(index: &Index<'_>, scenarios: &[ScenarioInfo]) -> Vec<SelfControl> {
    let seconds: BTreeMap<_, &Cell<'_>> = index
        .cells
        .iter()
        .filter(|cell| cell.replica == 1)
        .map(|cell| ((cell.scenario, cell.implementation), cell))
        .collect();
    let mut controls = Vec::new();
    for first in index.first_copies() {
        let Some(second) = seconds.get(&(first.scenario, first.implementation)) else {
            continue;
        };
        let ranked_by = scenarios
            .iter()
            .find(|scenario| scenario.id == first.scenario.id)
            .map_or("throughput", |scenario| scenario.ranked_by.as_str());
        controls.extend(control(first, second, ranked_by));
        if ranked_by != "throughput" {
            controls.extend(control(first, second, "throughput"));
        }
    }
    controls
}

fn control(first: &Cell<'_>, second: &Cell<'_>, name: &str) -> Option<SelfControl> {
    let metric = metric(name)?;
    let pairs = pairs(second, first, metric);
    let ratio = ratio_interval(&pairs, NOMINAL_CONFIDENCE)?;
    let logs: Vec<f64> = pairs
        .iter()
        .map(|(second, first)| (second / first).ln())
        .collect();
    Some(SelfControl {
        scenario: first.scenario.clone(),
        implementation: first.implementation.clone(),
        metric: metric.name.to_owned(),
        ratio,
        coverage: coverage(&logs),
        doubt: [first, second]
            .into_iter()
            .find_map(|cell| cell.invalid().or_else(|| only_a_bound(cell, metric))),
    })
}

/// In how many of 100 resampled trials a nominal interval of 8 pairs holds 1. A trial draws
/// recorded pairs with replacement, so a lasting difference between the copies shows.
/// `log_ratios` are of independent process pairs; `None` when there are fewer than one trial
/// needs, or one is not finite.
pub fn coverage(log_ratios: &[f64]) -> Option<f64> {
    if log_ratios.len() < TRIAL_PAIRS {
        return None;
    }
    let mut random = Random::new();
    let mut held = 0_u32;
    for _ in 0..TRIALS {
        let trial: Vec<f64> = (0..TRIAL_PAIRS)
            .map(|_| log_ratios[random.below(log_ratios.len())])
            .collect();
        let interval = median_interval(&trial, NOMINAL_CONFIDENCE)?;
        held += u32::from(interval.low <= 0.0 && interval.high >= 0.0);
    }
    Some(100.0 * f64::from(held) / f64::from(TRIALS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_copies_are_covered_as_promised() {
        // As many above as below 0: 8 draws on one side have a chance of 2 / 256.
        let logs: Vec<f64> = (1..=20)
            .flat_map(|n| [f64::from(n) / 1e3, -f64::from(n) / 1e3])
            .collect();
        let covered = coverage(&logs).unwrap();
        assert!((98.0..=100.0).contains(&covered), "{covered}");
    }

    #[test]
    fn a_bias_between_the_copies_is_seen() {
        let covered = coverage(&[0.05; 12]).unwrap();
        assert_eq!(covered, 0.0);
    }

    #[test]
    fn too_few_pairs_give_no_share_and_a_share_repeats() {
        assert_eq!(coverage(&[0.0; 7]), None);
        let logs = [0.01, -0.02, 0.03, 0.01, -0.01, 0.02, -0.03, 0.02, 0.01];
        assert_eq!(coverage(&logs), coverage(&logs));
    }
}
