//! How much the figures changed, as a reader sees it: shares with the bounds that the rule works with.

use ringside_contract::{Interval, MetricChange};

use super::effect::{GateMetric, TripleEffect};
use super::rule::GateRule;
use crate::interval::{NOMINAL_CONFIDENCE, median_interval};

/// How each figure changed over the triples of a look, what decides first. The lower bound is one-sided
/// at the level of a regression and the upper one at that of a pass; that other scenarios are looked at
/// too (Holm) widens no bound, so that a lower bound over half the threshold is not yet a regression.
/// Empty when there is no triple.
pub fn changes(rule: &GateRule, effects: &[TripleEffect], look_index: usize) -> Vec<MetricChange> {
    let effects = rule.seen(look_index, effects);
    let mut changes: Vec<MetricChange> = GateMetric::ALL
        .into_iter()
        .filter_map(|metric| change(rule, effects, metric))
        .collect();
    // What decides comes first, and of two that do, the one that slowed down more.
    changes.sort_by(|a, b| {
        let decides = a.left_out.is_some().cmp(&b.left_out.is_some());
        decides.then(b.slowdown.point.total_cmp(&a.slowdown.point))
    });
    changes
}

fn change(rule: &GateRule, effects: &[TripleEffect], metric: GateMetric) -> Option<MetricChange> {
    let middle = |figure: fn(&TripleEffect, GateMetric) -> f64| {
        let figures: Vec<f64> = effects
            .iter()
            .map(|effect| figure(effect, metric))
            .collect();
        median_interval(&figures, NOMINAL_CONFIDENCE).map(|interval| interval.point)
    };
    Some(MetricChange {
        metric: metric.name().to_owned(),
        unit: metric.unit().to_owned(),
        base: middle(|effect, metric| effect.of(metric).base)?,
        head: middle(|effect, metric| effect.of(metric).head)?,
        slowdown: slowdown(rule, effects, metric)?,
        left_out: left_out(effects, metric),
    })
}

/// The median slowdown as a share, with a bound on each side at its level.
pub(super) fn slowdown(
    rule: &GateRule,
    effects: &[TripleEffect],
    metric: GateMetric,
) -> Option<Interval> {
    let logs: Vec<f64> = effects
        .iter()
        .map(|effect| effect.of(metric).slowdown)
        .collect();
    // Order statistics that cover with 1 - 2 level miss on each side with `level` at most.
    let below = median_interval(&logs, 1.0 - 2.0 * rule.false_alarm_of_look())?;
    let above = median_interval(&logs, 1.0 - 2.0 * rule.miss_of_look())?;
    Some(Interval {
        low: below.low.exp_m1(),
        point: below.point.exp_m1(),
        high: above.high.exp_m1(),
        confidence: f64::midpoint(below.confidence, above.confidence),
        samples: below.samples,
    })
}

/// Why a figure decides nothing of a scenario: it did not in half of the triples or more.
pub(super) fn left_out(effects: &[TripleEffect], metric: GateMetric) -> Option<String> {
    let reasons: Vec<&String> = effects
        .iter()
        .filter_map(|effect| effect.of(metric).left_out.as_ref())
        .collect();
    let last = reasons.last()?;
    (reasons.len() * 2 >= effects.len()).then(|| {
        format!(
            "{last} (so or alike in {} of {} triples)",
            reasons.len(),
            effects.len()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::samples::effects;
    use super::*;

    #[test]
    fn bounds_are_shares_at_the_levels_of_a_look() {
        let logs: Vec<f64> = (1..=20).map(|step| f64::from(step) / 100.0).collect();
        let changes = changes(&GateRule::default(), &effects(&logs), 1);
        // With 20 and 0.5 % a side, P(Bin < 4) = 0.129 % and P(Bin < 5) = 0.591 %: the fourth.
        let [rate, processor_time] = changes.as_slice() else {
            panic!("two figures: {changes:?}");
        };
        assert_eq!((rate.metric.as_str(), rate.unit.as_str()), ("rate", "op/s"));
        assert!((rate.slowdown.low - 0.04_f64.exp_m1()).abs() < 1e-12);
        assert!((rate.slowdown.point - 0.105_f64.exp_m1()).abs() < 1e-12);
        assert!((rate.slowdown.high - 0.17_f64.exp_m1()).abs() < 1e-12);
        let tail = 1_351.0 / 1_048_576.0;
        assert!((rate.slowdown.confidence - (1.0 - 2.0 * tail)).abs() < 1e-9);
        assert_eq!(rate.slowdown.samples, 20);
        assert_eq!(rate.left_out, None);
        let reason = processor_time.left_out.as_deref().unwrap();
        assert!(reason.ends_with("in 20 of 20 triples)"), "{reason}");
    }

    #[test]
    fn a_look_sees_no_triple_beyond_its_own() {
        let mut logs = vec![0.01; 10];
        logs.extend([0.09; 10]);
        let first = &changes(&GateRule::default(), &effects(&logs), 0)[0];
        assert_eq!(first.slowdown.samples, 10);
        assert!((first.slowdown.high - 0.01_f64.exp_m1()).abs() < 1e-12);
        assert!(changes(&GateRule::default(), &[], 0).is_empty());
    }

    #[test]
    fn bounds_with_two_levels_have_the_coverage_of_both() {
        let rule = GateRule {
            miss: 0.2,
            ..GateRule::default()
        };
        let logs: Vec<f64> = (1..=20).map(|step| f64::from(step) / 100.0).collect();
        let slowdown = slowdown(&rule, &effects(&logs), GateMetric::Rate).unwrap();
        // With 5 % a side P(Bin < 6) = 2.07 % and P(Bin < 7) = 5.77 %: the sixth from above.
        assert!((slowdown.low - 0.04_f64.exp_m1()).abs() < 1e-12);
        assert!((slowdown.high - 0.15_f64.exp_m1()).abs() < 1e-12);
        let tails = (1_351.0 + 21_700.0) / 1_048_576.0;
        assert!((slowdown.confidence - (1.0 - tails)).abs() < 1e-9);
    }

    #[test]
    fn what_is_left_out_in_half_of_the_triples_decides_nothing() {
        let mut some = effects(&[0.0; 4]);
        some[0].rate.left_out = Some("one".to_owned());
        assert_eq!(left_out(&some, GateMetric::Rate), None);
        some[2].rate.left_out = Some("two".to_owned());
        assert_eq!(
            left_out(&some, GateMetric::Rate).unwrap(),
            "two (so or alike in 2 of 4 triples)"
        );
    }
}
