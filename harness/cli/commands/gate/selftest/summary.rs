//! What the rule would have said of the recorded triples.

use ringside_contract::Interval;
use ringside_judge::{
    GateMetric, GateRule, NOMINAL_CONFIDENCE, TrialSummary, TripleEffect, changes, median_interval,
    proportion_bounds, resampled, trials,
};
use serde::Serialize;

use super::effects::{HeadEffects, Said};

/// One head of one case and condition.
#[derive(Debug, Clone, Serialize)]
pub(super) struct HeadSummary {
    pub(super) case: String,
    pub(super) condition: String,
    pub(super) head: String,
    /// How much slower it should be, in per cent.
    pub(super) planted: u64,
    /// How much slower it was over all triples, as a share, in the figure that decides; absent when none does.
    pub(super) slowdown: Option<Interval>,
    /// `rate`, `processor_time`, both with a comma between, or nothing.
    pub(super) decided_by: String,
    /// How far the logarithms of single triples lie apart: their median distance from their median, times 1.4826,
    /// which is the standard deviation where they have a normal distribution.
    pub(super) spread: f64,
    /// Triples that say something.
    pub(super) triples: usize,
    /// Why triples say nothing.
    pub(super) lost: Vec<String>,
    /// Trials that share no triple.
    pub(super) trials: Trials,
    /// Those of triples in which no other head without a change counts: only they can be added to the other head's.
    pub(super) alone: Trials,
    /// Trials of triples that were drawn again and again.
    pub(super) resampled: Trials,
}

/// How trials ended, with 95 % bounds (Clopper and Pearson) of the share of regressions.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Trials {
    pub(super) trials: usize,
    pub(super) regressions: usize,
    pub(super) passes: usize,
    pub(super) undecided: usize,
    /// Trials that share no triple.
    pub(super) independent: usize,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// Trials of several heads or recordings together.
pub(super) fn together<'a>(all: impl Iterator<Item = &'a Trials>) -> Trials {
    let mut sum = Trials::default();
    for one in all {
        sum.trials += one.trials;
        sum.regressions += one.regressions;
        sum.passes += one.passes;
        sum.undecided += one.undecided;
        sum.independent += one.independent;
    }
    sum.bounded()
}

/// What the rule says of all triples of a head, and of trials of them.
pub(super) fn summary(head: HeadEffects) -> HeadSummary {
    let rule = GateRule::default();
    let effects = head.all();
    let all = GateRule {
        looks: [effects.len(); 4],
        ..rule.clone()
    };
    let changes = changes(&all, &effects, 0);
    let deciding: Vec<_> = changes
        .iter()
        .filter(|one| one.left_out.is_none())
        .collect();
    let names: Vec<&str> = deciding.iter().map(|one| one.metric.as_str()).collect();
    let leading = deciding.first();
    let metric = leading.and_then(|one| {
        GateMetric::ALL
            .into_iter()
            .find(|of| of.name() == one.metric)
    });
    let formed = |of: fn(&Said) -> bool| {
        let recordings = head.recordings.iter().map(|said| {
            let chosen = said.iter().filter(|said| of(said));
            let effects: Vec<TripleEffect> = chosen.map(|said| said.effect.clone()).collect();
            Trials::of(&trials(&rule, THRESHOLD, &effects))
        });
        together(recordings.collect::<Vec<_>>().iter())
    };
    let (trials, alone) = (formed(|_| true), formed(|said| said.is_alone));
    HeadSummary {
        case: head.case.to_owned(),
        condition: head.condition.name().to_owned(),
        head: head.head,
        planted: head.planted,
        slowdown: leading.map(|change| change.slowdown),
        decided_by: names.join(", "),
        spread: metric.map_or(0.0, |metric| spread(&effects, metric)),
        triples: effects.len(),
        lost: head.lost,
        trials,
        alone,
        resampled: Trials {
            independent: trials.independent,
            ..Trials::of(&resampled(&rule, THRESHOLD, &effects, 1, RESAMPLED))
        }
        .bounded(),
    }
}

fn spread(effects: &[TripleEffect], metric: GateMetric) -> f64 {
    let median =
        |figures: &[f64]| median_interval(figures, NOMINAL_CONFIDENCE).map(|one| one.point);
    let logs: Vec<f64> = effects
        .iter()
        .map(|effect| effect.of(metric).slowdown)
        .collect();
    let Some(middle) = median(&logs) else {
        return 0.0;
    };
    let distances: Vec<f64> = logs.iter().map(|log| (log - middle).abs()).collect();
    1.4826 * median(&distances).unwrap_or(0.0)
}

impl Trials {
    fn of(summary: &TrialSummary) -> Self {
        Self {
            trials: summary.trials,
            regressions: summary.regressions,
            passes: summary.passes,
            undecided: summary.undecided,
            independent: summary.independent,
            ..Self::default()
        }
        .bounded()
    }

    /// Drawing the same triples again adds no knowledge, so that bounds follow from the independent trials alone.
    fn bounded(mut self) -> Self {
        let share = self.regressions as f64 / self.trials.max(1) as f64;
        let seen = (share * self.independent as f64).round() as usize;
        (self.low, self.high) = proportion_bounds(seen, self.independent, 0.95);
        self
    }
}

/// The threshold of the gate's own plan.
const THRESHOLD: f64 = 0.05;
/// Trials that are drawn.
const RESAMPLED: usize = 2_000;

#[cfg(test)]
mod tests {
    use ringside_judge::MetricEffect;

    use super::*;

    fn effects(logs: &[f64]) -> Vec<TripleEffect> {
        let metric = |slowdown| MetricEffect {
            slowdown,
            again: 0.0,
            base: 1.0,
            head: 1.0,
            left_out: None,
        };
        let effect = |&log: &f64| TripleEffect {
            rate: metric(log),
            processor_time: metric(0.0),
        };
        logs.iter().map(effect).collect()
    }

    #[test]
    fn the_spread_is_that_of_most_triples() {
        // The one far away has no say: the distances from 0.03 are 0.02, 0.01, 0, 0.01 and 9.97.
        let effects = effects(&[0.01, 0.02, 0.03, 0.04, 10.0]);
        let found = spread(&effects, GateMetric::Rate);
        assert!((found - 0.014826).abs() < 1e-12, "{found}");
        assert_eq!(spread(&[], GateMetric::Rate), 0.0);
    }

    #[test]
    fn bounds_follow_from_independent_trials_alone() {
        let drawn = Trials {
            trials: 2_000,
            regressions: 1_000,
            independent: 10,
            ..Trials::default()
        };
        let drawn = drawn.bounded();
        let (low, high) = proportion_bounds(5, 10, 0.95);
        assert_eq!((drawn.low, drawn.high), (low, high));
        let twice = together([&drawn, &drawn].into_iter());
        assert_eq!((twice.trials, twice.independent), (4_000, 20));
        assert!(twice.low > drawn.low && twice.high < drawn.high);
        assert_eq!(Trials::default().bounded().high, 1.0);
    }
}
