//! The rule of the gate: at looks that are fixed beforehand, a sign test over triples says slower, and an
//! order-statistic bound says not slower. Both errors are shared out equally over the looks.
//!
//! The boundary of a regression is half the threshold: one at the threshold itself would miss a slowdown
//! of just that size half of the time.

use super::change::{left_out, slowdown};
use super::decision::Decision;
use super::effect::{GateMetric, TripleEffect};
use super::sign::{holm, sign_test};
use crate::interval::{NOMINAL_CONFIDENCE, median_interval};

/// When to look, and how often a look may err. All levels are probabilities.
#[derive(Debug, Clone, PartialEq)]
pub struct GateRule {
    /// How many triples a scenario has at each look, ascending.
    pub looks: [usize; 4],
    /// That any scenario is called slower whose slowdown is half of its threshold or less.
    pub false_alarm: f64,
    /// That a scenario passes whose slowdown is its threshold or more in the figure that a pass is measured by:
    /// processor time where that decides. What shows in the rate alone is kept from passing as long as most triples
    /// show half of the threshold.
    pub miss: f64,
    /// That base is said to differ from itself, for each figure and look.
    pub self_check: f64,
}

impl Default for GateRule {
    fn default() -> Self {
        Self {
            looks: [10, 20, 40, 60],
            false_alarm: 0.02,
            miss: 0.02,
            self_check: 0.001,
        }
    }
}

impl GateRule {
    /// The level at which one look calls something slower.
    pub fn false_alarm_of_look(&self) -> f64 {
        self.false_alarm / self.looks.len() as f64
    }

    /// The level at which one look passes something.
    pub fn miss_of_look(&self) -> f64 {
        self.miss / self.looks.len() as f64
    }

    /// Whether there is no look after this one.
    pub const fn is_last(&self, look_index: usize) -> bool {
        look_index + 1 >= self.looks.len()
    }

    /// The triples that a look may see: those measured beyond it would be a look of their own.
    pub(super) fn seen<'a>(
        &self,
        look_index: usize,
        effects: &'a [TripleEffect],
    ) -> &'a [TripleEffect] {
        let last = self.looks.len() - 1;
        &effects[..effects.len().min(self.looks[look_index.min(last)])]
    }
}

/// One scenario at a look.
#[derive(Debug, Clone)]
pub struct ScenarioEffects<'a> {
    /// The slowdown that must be caught, as a share.
    pub threshold: f64,
    /// What its triples say, in the order in which they were measured. They stay when it is decided,
    /// because its hypotheses stay in the count.
    pub effects: &'a [TripleEffect],
    /// What an earlier look decided, which stands.
    pub decided: Option<Decision>,
}

/// What each scenario comes to at a look, in the order of `scenarios`. These are all scenarios of the
/// gate, decided ones too.
pub fn look(
    rule: &GateRule,
    look_index: usize,
    scenarios: &[ScenarioEffects<'_>],
) -> Vec<Decision> {
    let states: Vec<State<'_>> = scenarios
        .iter()
        .map(|scenario| State::of(rule, look_index, scenario))
        .collect();
    let slower = slower(rule, &states);
    let decide = |(state, slower): (State<'_>, bool)| match state.settled {
        Some(decision) => decision,
        None if slower => Decision::Regression,
        None if state.passes(rule) => Decision::Pass,
        None if rule.is_last(look_index) => state.spans(rule),
        None => Decision::Continue,
    };
    states.into_iter().zip(slower).map(decide).collect()
}

/// A scenario with what is known of it before any test of head.
struct State<'a> {
    threshold: f64,
    effects: &'a [TripleEffect],
    deciding: Vec<GateMetric>,
    settled: Option<Decision>,
}

impl<'a> State<'a> {
    fn of(rule: &GateRule, look_index: usize, scenario: &ScenarioEffects<'a>) -> Self {
        let effects = rule.seen(look_index, scenario.effects);
        let decides = |metric: &GateMetric| left_out(effects, *metric).is_none();
        let mut state = Self {
            threshold: scenario.threshold,
            effects,
            deciding: GateMetric::ALL.into_iter().filter(decides).collect(),
            settled: None,
        };
        let earlier = scenario.decided.clone();
        state.settled = earlier
            .filter(|decision| *decision != Decision::Continue)
            .or_else(|| state.undecidable())
            .or_else(|| state.differs_from_itself(rule));
        state
    }

    /// Undecided when no figure decides: more triples of the same kind would not either.
    fn undecidable(&self) -> Option<Decision> {
        if !self.deciding.is_empty() {
            return None;
        }
        let reason = |metric: GateMetric| {
            let why = left_out(self.effects, metric)?;
            Some(format!("{}: {why}", words(metric)))
        };
        let reasons: Vec<String> = GateMetric::ALL.into_iter().filter_map(reason).collect();
        Some(Decision::Undecided {
            because: format!("neither figure can decide; {}", reasons.join("; ")),
            remedy:
                "load the server until it is full: give the generator more cores or the server \
                     fewer, or choose a scenario that costs the server more"
                    .to_owned(),
        })
    }

    /// Undecided when equal processes of base are surely unequal, and by more than a trifle: then a
    /// difference of head means nothing.
    fn differs_from_itself(&self, rule: &GateRule) -> Option<Decision> {
        self.deciding.iter().find_map(|&metric| {
            let apart = self.logs(metric, |effect, metric| effect.of(metric).again);
            let trials = apart.len();
            let above = apart.iter().filter(|log| **log > 0.0).count();
            let below = apart.iter().filter(|log| **log < 0.0).count();
            let probability = (2.0 * sign_test(above.max(below), trials)).min(1.0);
            let median = median_interval(&apart, NOMINAL_CONFIDENCE)?.point.exp_m1();
            (probability <= rule.self_check && median.abs() > SELF_DIFFERENCE_MIN).then(|| {
                Decision::Undecided {
                    because: format!(
                        "base differs from itself: the second process of each triple was {:.1} % \
                         slower in {} in the median of {trials} triples",
                        median * 100.0,
                        words(metric)
                    ),
                    remedy: "find what favours one of two equal processes, such as where they are \
                             placed, or measure on a quieter machine"
                        .to_owned(),
                }
            })
        })
    }

    /// How probable so many slow triples are at most, for each figure that decides, if head's slowdown
    /// is half the threshold or less. Of a settled scenario they stay in the count: as rejected where
    /// one was, and as never rejected otherwise.
    fn probabilities(&self) -> Vec<f64> {
        let bound = (self.threshold / 2.0).ln_1p();
        let open = |(place, &metric): (usize, &GateMetric)| match &self.settled {
            Some(Decision::Regression) if place == 0 => 0.0,
            Some(_) => 1.0,
            None => {
                let logs = self.slowdowns(metric);
                let above = logs.iter().filter(|log| **log > bound).count();
                sign_test(above, logs.len())
            }
        };
        self.deciding.iter().enumerate().map(open).collect()
    }

    /// Whether the leading figure has its upper bound below the threshold, and no other one that decides looks
    /// slower. As many triples on or over the threshold as there are would be too few if its median were there.
    fn passes(&self, rule: &GateRule) -> bool {
        let Some(leading) = self.leading() else {
            return false;
        };
        let below = |metric, bound: f64| {
            let logs = self.slowdowns(metric);
            (logs.iter().filter(|log| **log < bound).count(), logs.len())
        };
        let (surely, triples) = below(leading, self.threshold.ln_1p());
        let looks_slower = |metric| {
            let (faster, triples) = below(metric, (self.threshold / 2.0).ln_1p());
            2 * faster <= triples
        };
        let mut others = self.deciding.iter().filter(|metric| **metric != leading);
        sign_test(surely, triples) <= rule.miss_of_look() && !others.any(|&of| looks_slower(of))
    }

    /// The figure that a pass is measured by. A full server's rate says what its processor time says, and what
    /// others on the machine took besides.
    fn leading(&self) -> Option<GateMetric> {
        let precise = GateMetric::ProcessorTime;
        if self.deciding.contains(&precise) {
            return Some(precise);
        }
        self.deciding.first().copied()
    }

    /// Undecided after the last look.
    fn spans(&self, rule: &GateRule) -> Decision {
        let between = |&metric: &GateMetric| {
            let interval = slowdown(rule, self.effects, metric)?;
            Some(format!(
                "{} between {:.1} and {:.1} %",
                words(metric),
                interval.low * 100.0,
                interval.high * 100.0
            ))
        };
        let spans: Vec<String> = self.deciding.iter().filter_map(between).collect();
        let found = if spans.is_empty() {
            "there is none".to_owned()
        } else {
            format!("the slowdown is in {}", spans.join(", in "))
        };
        Decision::Undecided {
            because: format!(
                "after {} triples {found}: neither surely over {:.1} % nor surely under {:.1} %",
                self.effects.len(),
                self.threshold * 50.0,
                self.threshold * 100.0
            ),
            remedy:
                "measure on a quieter machine, pin both sides to cores of their own, allow more \
                     triples, or set a larger threshold for this scenario in gate.toml"
                    .to_owned(),
        }
    }

    fn slowdowns(&self, metric: GateMetric) -> Vec<f64> {
        self.logs(metric, |effect, metric| effect.of(metric).slowdown)
    }

    fn logs(&self, metric: GateMetric, log: fn(&TripleEffect, GateMetric) -> f64) -> Vec<f64> {
        self.effects
            .iter()
            .map(|effect| log(effect, metric))
            .collect()
    }
}

/// Which scenarios are slower in a figure, by Holm's procedure over all figures of all scenarios.
fn slower(rule: &GateRule, states: &[State<'_>]) -> Vec<bool> {
    let probabilities: Vec<Vec<f64>> = states.iter().map(State::probabilities).collect();
    let mut rejected = holm(&probabilities.concat(), rule.false_alarm_of_look()).into_iter();
    probabilities
        .iter()
        .map(|own| {
            rejected
                .by_ref()
                .take(own.len())
                .fold(false, |any, one| any | one)
        })
        .collect()
}

const fn words(metric: GateMetric) -> &'static str {
    match metric {
        GateMetric::Rate => "rate",
        GateMetric::ProcessorTime => "processor time an operation",
    }
}

/// Base may surely differ from itself by so large a share before that spoils a scenario.
const SELF_DIFFERENCE_MIN: f64 = 0.01;

#[cfg(test)]
mod tests {
    use super::super::samples::effects;
    use super::*;

    fn scenario(effects: &[TripleEffect]) -> ScenarioEffects<'_> {
        ScenarioEffects {
            threshold: 0.05,
            effects,
            decided: None,
        }
    }

    /// `slow` triples at 4 % and the rest at 0, in the logarithm.
    fn mixed(slow: usize, of: usize) -> Vec<TripleEffect> {
        let logs: Vec<f64> = (0..of)
            .map(|place| if place < slow { 0.04 } else { 0.0 })
            .collect();
        effects(&logs)
    }

    fn one(look_index: usize, effects: &[TripleEffect]) -> Decision {
        look(&GateRule::default(), look_index, &[scenario(effects)]).remove(0)
    }

    fn because(decision: &Decision) -> &str {
        match decision {
            Decision::Undecided { because, .. } => because,
            other => panic!("it is undecided, not {other:?}"),
        }
    }

    #[test]
    fn slower_takes_as_many_triples_as_the_level_of_a_look_asks() {
        // 10 of 10 has 0.1 %, 17 of 20 0.13 % and 16 of 20 0.59 %, and a look has 0.5 %.
        assert_eq!(one(0, &mixed(10, 10)), Decision::Regression);
        assert_eq!(one(1, &mixed(17, 20)), Decision::Regression);
        assert_ne!(one(1, &mixed(16, 20)), Decision::Regression);
        // On the boundary itself is not over it.
        let boundary = 0.025_f64.ln_1p();
        assert_eq!(one(0, &effects(&[boundary; 10])), Decision::Pass);
    }

    #[test]
    fn a_pass_takes_as_many_triples_under_the_threshold() {
        let threshold = 0.05_f64.ln_1p();
        let with = |over: usize, of: usize| {
            let mut logs = vec![0.0; of];
            logs[..over].fill(threshold);
            effects(&logs)
        };
        assert_eq!(one(0, &with(0, 10)), Decision::Pass);
        assert_eq!(one(0, &with(1, 10)), Decision::Continue);
        assert_eq!(one(1, &with(3, 20)), Decision::Pass);
        assert_eq!(one(1, &with(4, 20)), Decision::Continue);
    }

    #[test]
    fn a_pass_is_an_upper_bound_under_the_threshold() {
        let rule = GateRule::default();
        for over in 0..=20 {
            let mut logs = [0.0; 20];
            logs[..over].fill(0.06);
            let effects = effects(&logs);
            let high = slowdown(&rule, &effects, GateMetric::Rate).unwrap().high;
            assert_eq!(
                one(1, &effects) == Decision::Pass,
                high < 0.05,
                "{over} over it"
            );
        }
    }

    #[test]
    fn the_leading_figure_has_to_pass_and_any_is_enough_for_slower() {
        let mut both = effects(&[0.0; 10]);
        for effect in &mut both {
            effect.processor_time = effect.rate.clone();
        }
        assert_eq!(one(0, &both), Decision::Pass);
        both[0].rate.slowdown = 0.06;
        assert_eq!(one(0, &both), Decision::Pass, "the rate does not lead");
        for effect in &mut both[..5] {
            effect.rate.slowdown = 0.06;
        }
        assert_eq!(one(0, &both), Decision::Continue, "half of it looks slower");
        for effect in &mut both {
            effect.rate.slowdown = 0.0;
        }
        both[0].processor_time.slowdown = 0.06;
        assert_eq!(one(0, &both), Decision::Continue);
        for effect in &mut both {
            effect.processor_time.slowdown = 0.06;
        }
        assert_eq!(one(0, &both), Decision::Regression);
    }

    #[test]
    fn more_scenarios_ask_more_of_each() {
        let (slow, even, long) = (mixed(10, 10), mixed(0, 10), mixed(19, 20));
        let rule = GateRule::default();
        let count = |slow: &[TripleEffect], others: usize, look_index| {
            let mut all = vec![scenario(slow)];
            all.resize(1 + others, scenario(&even));
            look(&rule, look_index, &all).remove(0)
        };
        // 1 / 1024 is under 0.005 / 5 and over 0.005 / 6.
        assert_eq!(count(&slow, 4, 0), Decision::Regression);
        assert_eq!(count(&slow, 5, 0), Decision::Pass);
        assert_eq!(count(&long, 5, 1), Decision::Regression);
    }

    #[test]
    fn what_was_rejected_makes_way_and_what_passed_does_not() {
        let (slow, even) = (mixed(10, 10), mixed(0, 10));
        let decided = |decision: Decision| ScenarioEffects {
            decided: Some(decision),
            ..scenario(&even)
        };
        let count = |others: Decision| {
            let mut all = vec![scenario(&slow)];
            all.resize(6, decided(others));
            look(&GateRule::default(), 0, &all)
        };
        assert_eq!(count(Decision::Regression), vec![Decision::Regression; 6]);
        let passed = count(Decision::Pass);
        assert_eq!(passed, vec![Decision::Pass; 6], "0.005 / 6 is not reached");
    }

    #[test]
    fn what_is_decided_stands() {
        let slow = mixed(10, 10);
        let standing = ScenarioEffects {
            decided: Some(Decision::Pass),
            ..scenario(&slow)
        };
        let going_on = ScenarioEffects {
            decided: Some(Decision::Continue),
            ..scenario(&slow)
        };
        assert_eq!(
            look(&GateRule::default(), 0, &[standing, going_on]),
            [Decision::Pass, Decision::Regression]
        );
    }

    #[test]
    fn a_base_that_differs_from_itself_decides_nothing() {
        let apart = |again: f64, of: usize| {
            let mut effects = mixed(of, of);
            for effect in &mut effects {
                effect.rate.again = again;
            }
            effects
        };
        let found = one(1, &apart(-0.03, 20));
        assert!(because(&found).contains("differs from itself"), "{found:?}");
        // With 10 of 10 the two-sided test has 0.2 %, which is more than 0.1 %.
        assert_eq!(one(0, &apart(0.03, 10)), Decision::Regression);
        // Surely different, but by less than 1 %.
        assert_eq!(one(1, &apart(0.009, 20)), Decision::Regression);
        // Five such scenarios leave the count as it is.
        let (spoilt, slow) = (apart(0.03, 20), mixed(10, 10));
        let mut all = vec![scenario(&slow)];
        all.resize(6, scenario(&spoilt));
        assert_eq!(look(&GateRule::default(), 1, &all)[0], Decision::Pass);
    }

    #[test]
    fn without_a_figure_that_decides_more_triples_are_no_use() {
        let mut effects = mixed(10, 10);
        for effect in &mut effects {
            effect.rate.left_out = Some("the generator was the limit".to_owned());
        }
        let found = one(0, &effects);
        let expected = "rate: the generator was the limit (so or alike in 10 of 10 triples)";
        assert!(because(&found).contains(expected), "{found:?}");
    }

    #[test]
    fn after_the_last_look_the_interval_is_said() {
        let effects = effects(&[0.02, 0.07].repeat(30));
        assert_eq!(one(2, &effects[..40]), Decision::Continue);
        let found = one(3, &effects);
        assert_eq!(
            because(&found),
            "after 60 triples the slowdown is in rate between 2.0 and 7.3 %: neither surely over \
             2.5 % nor surely under 5.0 %"
        );
        assert_eq!(one(0, &[]), Decision::Continue);
        assert!(because(&one(3, &[])).starts_with("after 0 triples there is none"));
    }
}
