//! What the gate has to reach, held against what the trials show.

use serde::Serialize;

use super::case::Condition;
use super::summary::{HeadSummary, Trials, together};
use crate::exit::Exit;

/// One thing that is asked of the gate.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Goal {
    /// In words.
    pub(super) asked: String,
    /// The trials that it is held against.
    pub(super) trials: Trials,
    /// Whether it holds.
    pub(super) state: State,
}

/// What became of a goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// It holds in as many independent trials as were asked for.
    Met,
    /// It holds in fewer trials.
    TooFew,
    /// It does not hold.
    Missed,
}

/// Independent trials without a change that none may call slower: no process is in two of them.
const NULL_TRIALS: usize = 300;
/// Independent trials behind every other share.
const TRIALS: usize = 20;

/// The goals that the recordings can speak of.
pub(super) fn goals(all: &[HeadSummary]) -> Vec<Goal> {
    let mut goals = Vec::new();
    for condition in Condition::ALL {
        let of = |percent: u64| {
            let fits = move |one: &&HeadSummary| {
                one.condition == condition.name() && one.planted == percent
            };
            all.iter().filter(fits)
        };
        let null = together(of(0).map(|one| &one.alone));
        let name = condition.name();
        goals.extend(never(
            format!("{name}: no change, never called slower"),
            null,
        ));
        let one = together(of(1).map(|one| &one.trials));
        goals.extend(at_most(
            format!("{name}: 1 % planted, called slower in 1 of 100 at most"),
            one,
        ));
        if condition == Condition::Neighbour {
            // There undecided is allowed.
            continue;
        }
        for (percent, share) in [(5, 0.95), (10, 0.99)] {
            for head in of(percent) {
                let asked = format!(
                    "{name}, {}: {percent} % planted, caught in {:.0} of 100",
                    head.case,
                    share * 100.0
                );
                goals.extend(at_least(asked, head.trials, share));
            }
        }
    }
    goals
}

/// 1 when a goal is missed, 5 when one has too few trials.
pub(super) fn exit(all: &[HeadSummary]) -> Exit {
    let goals = goals(all);
    let any = |state| goals.iter().any(|goal| goal.state == state);
    if any(State::Missed) {
        Exit::Error
    } else if any(State::TooFew) || goals.is_empty() {
        Exit::Undecided
    } else {
        Exit::Ok
    }
}

fn never(asked: String, trials: Trials) -> Option<Goal> {
    goal(asked, trials, trials.regressions == 0, NULL_TRIALS)
}

fn at_most(asked: String, trials: Trials) -> Option<Goal> {
    let holds = trials.regressions * 100 <= trials.trials;
    goal(asked, trials, holds, TRIALS)
}

fn at_least(asked: String, trials: Trials, share: f64) -> Option<Goal> {
    let holds = trials.regressions as f64 >= share * trials.trials as f64;
    goal(asked, trials, holds, TRIALS)
}

/// None of nothing that was tried.
fn goal(asked: String, trials: Trials, holds: bool, wanted: usize) -> Option<Goal> {
    let state = match (holds, trials.independent >= wanted) {
        (false, _) => State::Missed,
        (true, false) => State::TooFew,
        (true, true) => State::Met,
    };
    (trials.trials > 0).then_some(Goal {
        asked,
        trials,
        state,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trials(regressions: usize, trials: usize) -> Trials {
        Trials {
            trials,
            regressions,
            independent: trials,
            ..Trials::default()
        }
    }

    fn state(goal: Option<Goal>) -> Option<State> {
        goal.map(|goal| goal.state)
    }

    #[test]
    fn a_goal_is_met_only_in_enough_trials_and_missed_in_any() {
        let never = |regressions, count| state(never(String::new(), trials(regressions, count)));
        assert_eq!(never(0, 300), Some(State::Met));
        assert_eq!(never(0, 299), Some(State::TooFew));
        assert_eq!(never(1, 3_000), Some(State::Missed));
        assert_eq!(never(0, 0), None);
        let at_most =
            |regressions, count| state(at_most(String::new(), trials(regressions, count)));
        assert_eq!(at_most(1, 100), Some(State::Met));
        assert_eq!(at_most(1, 99), Some(State::Missed));
        let caught = |regressions| state(at_least(String::new(), trials(regressions, 40), 0.95));
        assert_eq!(caught(38), Some(State::Met));
        assert_eq!(caught(37), Some(State::Missed));
    }
}
