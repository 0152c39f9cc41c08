//! Triples until the rule has decided on every comparison, or until its last look.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ringside_contract::{NotCounted, Phase, Placement, TripleRecord};
use ringside_judge::{
    Decision, EffectError, GateRule, ScenarioEffects, ServedCount, TripleEffect, effect, look,
    served_counts,
};
use ringside_run::{
    Contestant, GateCell, GatePlan, Launch, Subject, TripleLog, TripleOrder, TurnLengths,
};

use super::progress::GateProgress;
use super::sides::Side;
use crate::session::Session;

/// One cell with what is started for it.
pub(super) struct Comparison<'a> {
    /// Scenario, implementation and threshold.
    pub(super) cell: &'a GateCell,
    pub(super) base: Contender<'a>,
    pub(super) head: Contender<'a>,
    /// The document root.
    pub(super) root: PathBuf,
    /// Where both sides are.
    pub(super) placement: Placement,
    /// The same as far as it is judged by it: a generator that only gives orders is no limit, whoever else has its core.
    pub(super) judged: Placement,
}

/// A build and what it serves.
pub(super) struct Contender<'a> {
    pub(super) side: &'a Side,
    pub(super) subject: Subject<'a>,
}

/// What is the same for every triple of a gate.
pub(super) struct Conditions<'a> {
    pub(super) session: &'a Session,
    pub(super) plan: &'a GatePlan,
    pub(super) rule: &'a GateRule,
    pub(super) seed: u64,
    /// A folder for the servers' files.
    pub(super) tmp: &'a Path,
}

/// What was measured of one comparison.
#[derive(Debug, Default)]
pub(super) struct Measured {
    /// What its triples say, in their order.
    pub(super) effects: Vec<TripleEffect>,
    /// What follows.
    pub(super) decision: Decision,
    /// The look at which that was decided.
    pub(super) look_index: usize,
    /// What its first triples counted of the servers.
    pub(super) counts: Vec<ServedCount>,
    /// What could not be counted of them.
    pub(super) uncounted: Vec<NotCounted>,
    /// Why triples counted for nothing.
    pub(super) failures: Vec<EffectError>,
    /// Time that its triples took.
    pub(super) took: Duration,
    /// Triples begun, failed ones too.
    begun: u32,
    /// How turns are taken, from the first triple on.
    turns: Option<TurnLengths>,
}

/// The label of head in a triple.
const HEAD: &str = "head";
/// Triples that may fail before nothing more is tried: one may fail by chance, several will go on to.
const FAILURES_MAX: usize = 3;
/// As long as no larger part of the triples fails than one in so many, more are tried all the same.
const FAILURES_PART: usize = 5;
/// Counts vary so little that so many triples say enough.
const COUNTING: u32 = 5;
/// How long each server is counted in one of those, in milliseconds.
const COUNT_MS: u64 = 60;

impl Conditions<'_> {
    /// Measures all comparisons, their triples in turn, so that what disturbs the machine for minutes falls on all
    /// of them. When it is interrupted, what was not decided by then is left at [`Decision::Continue`].
    ///
    /// # Errors
    /// Triples could not be written.
    pub(super) fn measure(
        &self,
        comparisons: &[&Comparison<'_>],
        phase: Phase,
        log: &mut TripleLog,
        progress: &mut GateProgress<'_>,
    ) -> anyhow::Result<Vec<Measured>> {
        let mut all: Vec<Measured> = comparisons.iter().map(|_| Measured::default()).collect();
        for (look_index, &wanted) in self.rule.looks.iter().enumerate() {
            if open(&all) == 0 {
                break;
            }
            progress.look(phase, open(&all), wanted);
            while all.iter().any(|one| one.wants(wanted)) {
                for (comparison, measured) in comparisons.iter().zip(&mut all) {
                    if !measured.wants(wanted) {
                        continue;
                    }
                    let Some(record) = self.triple(comparison, phase, measured) else {
                        return Ok(all);
                    };
                    log.append(&record)?;
                    progress.triple(comparison.cell, &record, measured.effects.len());
                }
            }
            self.decide(comparisons, look_index, &mut all);
        }
        Ok(all)
    }

    /// Runs a triple and keeps what it says; `None` when it was interrupted.
    fn triple(
        &self,
        comparison: &Comparison<'_>,
        phase: Phase,
        measured: &mut Measured,
    ) -> Option<TripleRecord> {
        let began = Instant::now();
        let sides = [
            ("base", &comparison.base),
            ("again", &comparison.base),
            (HEAD, &comparison.head),
        ];
        let contestants = sides.map(|(label, contender)| Contestant {
            label,
            executable: contender.side.executable(),
            subject: &contender.subject,
            environment: Vec::new(),
        });
        let mut order = TripleOrder {
            launch: Launch {
                placement: &comparison.placement,
                ..self.session.launch()
            },
            scenario: &comparison.cell.scenario,
            implementation: &comparison.cell.implementation,
            contestants: &contestants,
            turns: TurnLengths::LONG,
            seed: self.seed,
            root: &comparison.root,
            tmp: self.tmp,
            phase,
            number: measured.begun,
        };
        order.turns = match measured.turns.or(self.plan.turns) {
            Some(turns) => turns,
            None => order.fitted()?,
        };
        measured.turns = Some(order.turns);
        // The first triples count as well.
        if phase == Phase::First && measured.begun < COUNTING {
            order.turns.timing.count_ms = COUNT_MS;
        }
        let record = order.run()?;
        measured.begun += 1;
        measured.took += began.elapsed();
        measured.counts.extend(served_counts(&record));
        if measured.uncounted.is_empty() {
            measured.uncounted.clone_from(&record.uncounted);
        }
        match effect(&record, HEAD, &comparison.judged) {
            Ok(effect) => measured.effects.push(effect),
            Err(error) => measured.failures.push(error),
        }
        Some(record)
    }

    fn decide(&self, comparisons: &[&Comparison<'_>], look_index: usize, all: &mut [Measured]) {
        for measured in all.iter_mut() {
            measured.give_up();
        }
        let scenarios: Vec<ScenarioEffects<'_>> = comparisons
            .iter()
            .zip(&*all)
            .map(|(comparison, measured)| ScenarioEffects {
                threshold: comparison.cell.threshold,
                effects: &measured.effects,
                decided: Some(measured.decision.clone()),
            })
            .collect();
        let decisions = look(self.rule, look_index, &scenarios);
        for (measured, decision) in all.iter_mut().zip(decisions) {
            if measured.is_open() {
                measured.look_index = look_index;
                measured.decision = decision;
            }
        }
    }
}

impl Measured {
    /// Whether further triples could still change what follows.
    fn is_open(&self) -> bool {
        self.decision == Decision::Continue
    }

    fn wants(&self, triples: usize) -> bool {
        self.is_open() && self.effects.len() < triples && !self.has_failed()
    }

    /// Whether so many triples failed that no more were tried.
    fn has_failed(&self) -> bool {
        let failures = self.failures.len();
        failures >= FAILURES_MAX && failures * FAILURES_PART > failures + self.effects.len()
    }

    /// Whether a build does not do what it should. Where some turns ended without an operation, a busy machine has
    /// spoilt them, which says nothing of either build; but a head that does nothing in any turn hangs.
    pub(super) fn is_broken(&self) -> bool {
        let starved = |error: &EffectError| match error {
            EffectError::Nothing {
                server,
                without,
                turns,
                ..
            } => server != HEAD || without < turns,
            _ => false,
        };
        self.has_failed() && !self.failures.iter().all(starved)
    }

    fn give_up(&mut self) {
        if !self.is_open() || !self.has_failed() {
            return;
        }
        let failures = self.failures.len();
        let triples = failures + self.effects.len();
        let last = self
            .failures
            .last()
            .map_or_else(String::new, ToString::to_string);
        let remedy = if self.is_broken() {
            "run `ringside verify` on both builds, and look at what they print"
        } else {
            "measure on a quieter machine, or with longer turns (`turns` in the plan)"
        };
        self.decision = Decision::Undecided {
            because: format!(
                "{failures} of {triples} triples could not be measured; the last one: {last}"
            ),
            remedy: remedy.to_owned(),
        };
    }
}

fn open(all: &[Measured]) -> usize {
    all.iter().filter(|measured| measured.is_open()).count()
}

#[cfg(test)]
mod tests {
    use ringside_judge::MetricEffect;

    use super::*;

    fn measured(good: usize, failures: Vec<EffectError>) -> Measured {
        let metric = || MetricEffect {
            slowdown: 0.0,
            again: 0.0,
            base: 1.0,
            head: 1.0,
            left_out: None,
        };
        let effect = |_| TripleEffect {
            rate: metric(),
            processor_time: metric(),
        };
        Measured {
            effects: (0..good).map(effect).collect(),
            failures,
            ..Measured::default()
        }
    }

    fn without(server: &str, without: usize) -> EffectError {
        EffectError::Nothing {
            number: 0,
            server: server.to_owned(),
            without,
            turns: 4,
            what: "operations",
        }
    }

    fn starved(_: u32) -> EffectError {
        without("base", 4)
    }

    fn ended(number: u32) -> EffectError {
        EffectError::Failed {
            number,
            because: "the server ended".to_owned(),
        }
    }

    /// What gives up, whether a build is to blame, and what to do.
    fn check(mut measured: Measured, gives_up: bool, is_broken: bool, remedy: &str) {
        measured.give_up();
        assert_eq!(measured.has_failed(), gives_up);
        assert_eq!(measured.is_broken(), is_broken);
        match measured.decision {
            Decision::Undecided { remedy: found, .. } => {
                assert!(gives_up && found.contains(remedy), "{found}");
            }
            other => assert!(!gives_up && other == Decision::Continue, "{other:?}"),
        }
    }

    #[test]
    fn a_few_failures_end_no_measurement_and_a_busy_machine_breaks_no_build() {
        check(measured(0, vec![ended(0), ended(1)]), false, false, "");
        check(
            measured(0, (0..3).map(ended).collect()),
            true,
            true,
            "verify",
        );
        // 3 of 15 are a fifth.
        check(measured(12, (0..3).map(ended).collect()), false, false, "");
        check(
            measured(11, (0..3).map(ended).collect()),
            true,
            true,
            "verify",
        );
        check(
            measured(2, (0..3).map(starved).collect()),
            true,
            false,
            "quieter",
        );
        check(
            measured(2, vec![starved(0), starved(1), ended(2)]),
            true,
            true,
            "verify",
        );
    }

    #[test]
    fn a_head_that_does_nothing_hangs_and_one_that_is_starved_does_not() {
        let all = |failure: fn() -> EffectError| measured(0, (0..3).map(|_| failure()).collect());
        check(all(|| without("head", 4)), true, true, "verify");
        check(all(|| without("head", 3)), true, false, "quieter");
        check(all(|| without("again", 4)), true, false, "quieter");
    }
}
