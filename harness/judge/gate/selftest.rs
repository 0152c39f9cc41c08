//! How often the rule is right: what it would have said of triples that are recorded already.
//!
//! A trial is a gate of one scenario: it takes triples as the rule asks for them, and when that says
//! slower, as many again as confirming it needs.

use ringside_contract::GateVerdict;

use super::decision::{Decision, confirm};
use super::effect::TripleEffect;
use super::rule::{GateRule, ScenarioEffects, look};
use crate::random::Random;

/// What came of a number of trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrialSummary {
    /// Trials that came to an end.
    pub trials: usize,
    /// Of these, confirmed regressions.
    pub regressions: usize,
    /// Passes.
    pub passes: usize,
    /// Those that decided nothing.
    pub undecided: usize,
    /// How many trials share no triple with another one. Bounds of a share need this number: drawing
    /// the same triples again tells nothing new.
    pub independent: usize,
}

impl TrialSummary {
    fn add(&mut self, verdict: &GateVerdict) {
        self.trials += 1;
        match verdict {
            GateVerdict::Regression => self.regressions += 1,
            GateVerdict::Pass => self.passes += 1,
            GateVerdict::Undecided { .. } | GateVerdict::New { .. } => self.undecided += 1,
        }
    }
}

/// Trials from `effects` in their order, each from triples of its own. Triples at the end that make no
/// whole trial are left over, so that of the trials that need many the last one may be missing.
pub fn trials(rule: &GateRule, threshold: f64, effects: &[TripleEffect]) -> TrialSummary {
    let mut summary = TrialSummary::default();
    let mut rest = effects.iter().cloned();
    loop {
        let before = rest.len();
        let Some(verdict) = trial(rule, threshold, &mut rest) else {
            break;
        };
        // A rule whose looks ask for no triple would go on for ever.
        if rest.len() == before {
            break;
        }
        summary.add(&verdict);
    }
    summary.independent = summary.trials;
    summary
}

/// `count` trials of triples that are drawn from `effects` and put back, the same for the same `seed`.
/// None when there is no triple.
pub fn resampled(
    rule: &GateRule,
    threshold: f64,
    effects: &[TripleEffect],
    seed: u64,
    count: usize,
) -> TrialSummary {
    let mut summary = TrialSummary::default();
    if effects.is_empty() {
        return summary;
    }
    let mut random = Random::seeded(seed);
    let mut drawn = std::iter::repeat_with(|| effects[random.below(effects.len())].clone());
    for _ in 0..count {
        let verdict = trial(rule, threshold, &mut drawn).expect("triples are drawn without end");
        summary.add(&verdict);
    }
    summary.independent = trials(rule, threshold, effects).trials;
    summary
}

/// One trial; `None` when the triples end before it does.
fn trial(
    rule: &GateRule,
    threshold: f64,
    triples: &mut impl Iterator<Item = TripleEffect>,
) -> Option<GateVerdict> {
    let first = measurement(rule, threshold, triples)?;
    let second = match first {
        Decision::Regression => Some(measurement(rule, threshold, triples)?),
        _ => None,
    };
    Some(confirm(first, second))
}

/// One measurement: from look to look until one decides.
fn measurement(
    rule: &GateRule,
    threshold: f64,
    triples: &mut impl Iterator<Item = TripleEffect>,
) -> Option<Decision> {
    let mut effects: Vec<TripleEffect> = Vec::new();
    let mut decision = Decision::Continue;
    for (look_index, &wanted) in rule.looks.iter().enumerate() {
        effects.extend(triples.by_ref().take(wanted - effects.len().min(wanted)));
        if effects.len() < wanted {
            return None;
        }
        let scenario = ScenarioEffects {
            threshold,
            effects: &effects,
            decided: None,
        };
        decision = look(rule, look_index, &[scenario]).pop()?;
        if decision != Decision::Continue {
            break;
        }
    }
    Some(decision)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{effects, simulated};
    use super::*;

    const THRESHOLD: f64 = 0.05;

    #[test]
    fn a_regression_takes_the_triples_of_two_measurements() {
        // A pass takes 10, and a confirmed regression 20; 5 are left over.
        let mut logs = vec![0.0; 10];
        logs.extend([0.08; 20]);
        logs.extend([0.0; 15]);
        let summary = trials(&GateRule::default(), THRESHOLD, &effects(&logs));
        assert_eq!(
            summary,
            TrialSummary {
                trials: 3,
                regressions: 1,
                passes: 2,
                undecided: 0,
                independent: 3,
            }
        );
        // What does not come again is no regression.
        let mut once = vec![0.08; 10];
        once.extend([0.0; 10]);
        let summary = trials(&GateRule::default(), THRESHOLD, &effects(&once));
        assert_eq!((summary.trials, summary.undecided), (1, 1));
        // A trial whose confirming triples are missing has not ended.
        let summary = trials(&GateRule::default(), THRESHOLD, &effects(&[0.08; 19]));
        assert_eq!(summary, TrialSummary::default());
    }

    #[test]
    fn draws_follow_from_the_seed_and_make_no_trial_independent() {
        let logs: Vec<f64> = (0..30).map(|step| f64::from(step) / 400.0).collect();
        let effects = effects(&logs);
        let draw = |seed| resampled(&GateRule::default(), THRESHOLD, &effects, seed, 100);
        assert_eq!(draw(1), draw(1));
        let other = (2..8).map(draw).any(|summary| summary != draw(1));
        assert!(other, "the seed changes the draws");
        assert_eq!(draw(1).trials, 100);
        assert!(draw(1).independent <= 3, "{:?}", draw(1));
        assert_eq!(
            resampled(&GateRule::default(), THRESHOLD, &[], 1, 9),
            TrialSummary::default()
        );
    }

    /// 300 gates of processes whose speed differs by `spread` from start to start.
    fn simulate(spread: f64, slowdown: f64) -> TrialSummary {
        let mut triples = simulated(0x9a7e, spread, slowdown);
        let mut summary = TrialSummary::default();
        for _ in 0..300 {
            let verdict = trial(&GateRule::default(), THRESHOLD, &mut triples).unwrap();
            summary.add(&verdict);
        }
        summary
    }

    #[test]
    fn a_spread_of_one_per_cent_hides_no_slowdown_and_makes_no_alarm() {
        let even = simulate(0.01, 0.0);
        assert_eq!(even.regressions, 0, "{even:?}");
        assert!(even.passes >= 294, "{even:?}");
        let at_threshold = simulate(0.01, 0.05);
        assert!(at_threshold.regressions >= 285, "{at_threshold:?}");
        let double = simulate(0.01, 0.10);
        assert!(double.regressions >= 297, "{double:?}");
    }

    /// What a gate of several scenarios says of each, and the triples of the one that needed most.
    fn gate(triples: &mut [impl Iterator<Item = TripleEffect>]) -> (Vec<Decision>, usize) {
        let rule = GateRule::default();
        let mut effects = vec![Vec::new(); triples.len()];
        let mut decided = vec![Decision::Continue; triples.len()];
        for (look_index, &wanted) in rule.looks.iter().enumerate() {
            for (place, effects) in effects.iter_mut().enumerate() {
                if decided[place] == Decision::Continue {
                    let more = wanted - effects.len();
                    effects.extend(triples[place].by_ref().take(more));
                }
            }
            let scenarios: Vec<_> = effects
                .iter()
                .zip(&decided)
                .map(|(effects, decided)| ScenarioEffects {
                    threshold: THRESHOLD,
                    effects,
                    decided: Some(decided.clone()),
                })
                .collect();
            for (known, found) in decided.iter_mut().zip(look(&rule, look_index, &scenarios)) {
                if *known == Decision::Continue {
                    *known = found;
                }
            }
        }
        (decided, effects.iter().map(Vec::len).max().unwrap_or(0))
    }

    /// Six scenarios share the error that one has alone: ten triples are too few to call one of them slower, twenty do.
    #[test]
    fn of_six_scenarios_the_slow_one_is_found_with_twenty_triples() {
        let (mut found, mut alarms, mut most) = (0, 0, Vec::new());
        for number in 0..200_u64 {
            let mut triples: Vec<_> = (0..6)
                .map(|place| {
                    let slowdown = if place == 0 { 0.05 } else { 0.0 };
                    simulated(0x51c0 + number * 6 + place, 0.01, slowdown)
                })
                .collect();
            let (decisions, needed) = gate(&mut triples);
            let slower = |decision: &Decision| *decision == Decision::Regression;
            if slower(&decisions[0]) {
                // The confirmation is of the slow one alone.
                let (again, _) = gate(&mut triples[..1]);
                found += usize::from(slower(&again[0]));
            }
            alarms += decisions[1..].iter().filter(|one| slower(one)).count();
            most.push(needed);
        }
        assert_eq!(alarms, 0);
        assert!(found >= 190, "{found} of 200");
        most.sort_unstable();
        assert_eq!((most[0], most[100]), (20, 20), "{most:?}");
    }

    #[test]
    fn a_spread_of_two_per_cent_makes_no_alarm() {
        let even = simulate(0.02, 0.0);
        assert_eq!(even.regressions, 0, "{even:?}");
    }
}
