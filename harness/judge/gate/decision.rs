//! What a look at the triples ends in, and how decisions add up to a verdict.

use ringside_contract::GateVerdict;

/// What a look says of one scenario.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Decision {
    /// More triples are needed.
    #[default]
    Continue,
    /// Head is slower; a second measurement has to confirm it.
    Regression,
    /// Head is not slower by the threshold or more.
    Pass,
    /// More triples would decide nothing, or there are no more looks.
    Undecided {
        /// Why.
        because: String,
        /// What would decide it.
        remedy: String,
    },
}

/// What follows from the first measurement of a scenario and from the second one, which only a
/// regression has. A regression is one only when both say so: what made the first one slow by chance
/// does not come twice.
pub fn confirm(first: Decision, second: Option<Decision>) -> GateVerdict {
    match (first, second) {
        (Decision::Pass, _) => GateVerdict::Pass,
        (Decision::Undecided { because, remedy }, _) => GateVerdict::Undecided { because, remedy },
        (Decision::Continue, _) => undecided(
            "the measurement was not brought to its end",
            "run the gate again without interrupting it",
        ),
        (Decision::Regression, Some(Decision::Regression)) => GateVerdict::Regression,
        (Decision::Regression, None | Some(Decision::Continue)) => undecided(
            "the first measurement said slower, and the second was not brought to its end",
            "run the gate again without interrupting it",
        ),
        (Decision::Regression, Some(_)) => undecided(
            "the first measurement said slower, the second did not",
            "run the gate again, on a quieter machine if there is one",
        ),
    }
}

/// The verdict on all scenarios: a regression outweighs all, what is undecided outweighs a pass. What
/// only head has holds nothing up, but where nothing at all was compared nothing has passed.
pub fn overall(verdicts: &[GateVerdict]) -> GateVerdict {
    if verdicts.contains(&GateVerdict::Regression) {
        return GateVerdict::Regression;
    }
    let open: Vec<&GateVerdict> = verdicts
        .iter()
        .filter(|verdict| matches!(verdict, GateVerdict::Undecided { .. }))
        .collect();
    match open.as_slice() {
        [] if verdicts.iter().all(is_new) => undecided(
            "no scenario was compared",
            "name scenarios that both builds have",
        ),
        [] => GateVerdict::Pass,
        [only] => (*only).clone(),
        [GateVerdict::Undecided { because, remedy }, ..] => GateVerdict::Undecided {
            because: format!(
                "{} of {} scenarios are undecided; of the first: {because}",
                open.len(),
                verdicts.len()
            ),
            remedy: remedy.clone(),
        },
        [_, ..] => unreachable!("only what is undecided was kept"),
    }
}

const fn is_new(verdict: &GateVerdict) -> bool {
    matches!(verdict, GateVerdict::New { .. })
}

fn undecided(because: &str, remedy: &str) -> GateVerdict {
    GateVerdict::Undecided {
        because: because.to_owned(),
        remedy: remedy.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(because: &str) -> GateVerdict {
        undecided(because, "wait")
    }

    #[test]
    fn only_two_regressions_are_one() {
        use Decision::{Continue, Pass, Regression};
        assert_eq!(
            confirm(Regression, Some(Regression)),
            GateVerdict::Regression
        );
        assert_eq!(confirm(Pass, None), GateVerdict::Pass);
        for second in [None, Some(Continue), Some(Pass)] {
            let verdict = confirm(Regression, second);
            assert!(
                matches!(verdict, GateVerdict::Undecided { .. }),
                "{verdict:?}"
            );
        }
        let GateVerdict::Undecided { because, .. } = confirm(Regression, Some(Pass)) else {
            panic!("it is undecided");
        };
        assert_eq!(
            because,
            "the first measurement said slower, the second did not"
        );
        assert!(matches!(
            confirm(Continue, None),
            GateVerdict::Undecided { .. }
        ));
        let spans = Decision::Undecided {
            because: "it spans".to_owned(),
            remedy: "wait".to_owned(),
        };
        assert_eq!(confirm(spans, Some(Regression)), open("it spans"));
    }

    #[test]
    fn a_regression_outweighs_what_is_undecided_and_that_a_pass() {
        let new = GateVerdict::New {
            because: "base has no such server".to_owned(),
        };
        let pass = GateVerdict::Pass;
        assert_eq!(
            overall(&[pass.clone(), open("a"), GateVerdict::Regression]),
            GateVerdict::Regression
        );
        assert_eq!(overall(&[pass.clone(), open("a"), new.clone()]), open("a"));
        assert_eq!(
            overall(&[open("a"), pass.clone(), open("b")]),
            open("2 of 3 scenarios are undecided; of the first: a")
        );
        assert_eq!(overall(&[pass, new.clone()]), GateVerdict::Pass);
        for nothing in [&[][..], &[new]] {
            assert_eq!(
                overall(nothing),
                undecided(
                    "no scenario was compared",
                    "name scenarios that both builds have"
                )
            );
        }
    }
}
