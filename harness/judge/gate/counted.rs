//! The rule for what is counted and not timed: more than the threshold allows is too much, with no statistics,
//! since a count of a pure function is the same each time.

use ringside_contract::{CountedChange, CountedState, GateVerdict};

/// How much can be said by a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exactness {
    /// Of a pure function: growth beyond the threshold is a regression.
    Exact,
    /// Of a running server, in which chance has a part: such growth is worth a look.
    Approximate,
}

/// What follows of a count of both builds; `None` for a build that does not have it. A growth of just the
/// threshold is within it.
pub fn counted_state(
    base: Option<f64>,
    head: Option<f64>,
    threshold: f64,
    exactness: Exactness,
) -> CountedState {
    match (base, head) {
        (None, None) => CountedState::NotCounted {
            because: "neither build has it".to_owned(),
        },
        (None, Some(_)) => CountedState::New,
        (Some(_), None) => CountedState::Gone,
        (Some(base), Some(head)) if head <= base * (1.0 + threshold) => CountedState::Same,
        (Some(_), Some(_)) => match exactness {
            Exactness::Exact => CountedState::Regression,
            Exactness::Approximate => CountedState::Warning,
        },
    }
}

/// The verdict on scenarios and counts together: a regression of a count is one of the gate, and nothing else
/// that is counted changes what the scenarios say.
pub fn with_counted(verdict: GateVerdict, counted: &[CountedChange]) -> GateVerdict {
    let worse = |change: &CountedChange| change.state == CountedState::Regression;
    if counted.iter().any(worse) {
        GateVerdict::Regression
    } else {
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(base: Option<f64>, head: Option<f64>, expected: &[CountedState; 2]) {
        let states = [Exactness::Exact, Exactness::Approximate]
            .map(|exactness| counted_state(base, head, 0.05, exactness));
        assert_eq!(&states, expected, "{base:?} {head:?}");
    }

    #[test]
    fn growth_beyond_the_threshold_fails_what_is_exact_and_warns_of_the_rest() {
        use CountedState::{Gone, New, Regression, Same, Warning};
        check(Some(1000.0), Some(1050.0), &[Same, Same]);
        check(Some(1000.0), Some(1051.0), &[Regression, Warning]);
        check(Some(1000.0), Some(500.0), &[Same, Same]);
        check(Some(0.0), Some(0.0), &[Same, Same]);
        check(Some(0.0), Some(1.0), &[Regression, Warning]);
        check(None, Some(7.0), &[New, New]);
        check(Some(7.0), None, &[Gone, Gone]);
    }

    #[test]
    fn only_a_regression_of_a_count_changes_the_verdict() {
        let of = |state| {
            let change = CountedChange {
                name: "hash/fnv1a".to_owned(),
                metric: "instructions".to_owned(),
                base: None,
                head: None,
                state,
            };
            with_counted(GateVerdict::Pass, &[change])
        };
        assert_eq!(of(CountedState::Regression), GateVerdict::Regression);
        let not_counted = CountedState::NotCounted {
            because: String::new(),
        };
        for state in [
            CountedState::Same,
            CountedState::Warning,
            CountedState::New,
            CountedState::Gone,
            not_counted,
        ] {
            assert_eq!(of(state), GateVerdict::Pass);
        }
    }
}
