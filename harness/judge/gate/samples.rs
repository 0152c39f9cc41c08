//! Triples for tests: made by hand, or of processes whose speeds are drawn.

use super::effect::{MetricEffect, TripleEffect};
use crate::random::Random;

/// A triple for each logarithm of a slowdown, in the rate; processor time is left out.
pub(super) fn effects(logs: &[f64]) -> Vec<TripleEffect> {
    logs.iter().map(|&log| triple(log, 0.0)).collect()
}

/// Triples without end of processes whose logarithms of speed have a normal distribution around those of
/// their builds.
pub(super) fn simulated(
    seed: u64,
    spread: f64,
    slowdown: f64,
) -> impl Iterator<Item = TripleEffect> {
    let mut random = Random::seeded(seed);
    std::iter::repeat_with(move || {
        let [base, again, head] = [(); 3].map(|()| normal(&mut random) * spread);
        let log = head + slowdown.ln_1p() - f64::midpoint(base, again);
        triple(log, again - base)
    })
}

fn triple(log: f64, again: f64) -> TripleEffect {
    let metric = |left_out: Option<String>| MetricEffect {
        slowdown: log,
        again,
        base: 1_000.0,
        head: 1_000.0 * (-log).exp(),
        left_out,
    };
    TripleEffect {
        rate: metric(None),
        processor_time: metric(Some("the server was not full".to_owned())),
    }
}

/// A draw from the normal distribution with a spread of 1 (Box and Muller, 1958).
fn normal(random: &mut Random) -> f64 {
    let radius = (-2.0 * uniform(random).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform(random)).cos()
}

/// Over 0 and at most 1.
fn uniform(random: &mut Random) -> f64 {
    (random.below(STEPS) + 1) as f64 / STEPS as f64
}

/// Every one of so many steps is a double of its own.
const STEPS: usize = 1 << 53;
