//! What one triple says: how much slower head was than base in the rounds in which all had a turn.
//!
//! Rounds inside a triple share its processes, so they are no samples of their own; the triple is one.

use std::collections::BTreeMap;

use ringside_contract::{Limit, Placement, TripleRecord, Turn};

use crate::interval::{NOMINAL_CONFIDENCE, median_interval};

/// One of the two figures by which builds are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateMetric {
    /// Operations a second.
    Rate,
    /// Processor time of the server for each operation.
    ProcessorTime,
}

impl GateMetric {
    /// Both, in the order in which they are named.
    pub const ALL: [Self; 2] = [Self::Rate, Self::ProcessorTime];

    /// Its name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::ProcessorTime => "processor_time",
        }
    }

    /// The unit of its figures.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Rate => "op/s",
            Self::ProcessorTime => "us/op",
        }
    }

    /// The figure of a turn, in [`Self::unit`]. Where there is nothing to divide by, it is as if there were half an
    /// operation or half a nanosecond, which is worse or better than any other turn.
    fn figure(self, turn: &Turn) -> f64 {
        let some = |count: u64| (count as f64).max(0.5);
        match self {
            Self::Rate => some(turn.operations) / some(turn.wall_ns) * 1e9,
            Self::ProcessorTime => {
                some(turn.whole_server_cpu_ns) / some(turn.whole_operations()) / 1e3
            }
        }
    }

    /// The logarithm of how slow a turn was: it rises where the rate falls.
    fn slowness(self, turn: &Turn) -> f64 {
        match self {
            Self::Rate => -self.figure(turn).ln(),
            Self::ProcessorTime => self.figure(turn).ln(),
        }
    }
}

/// What one triple says of one figure.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricEffect {
    /// Median over the rounds of ln(head / base), where base is the geometric mean of both of its
    /// turns; positive when head is slower.
    pub slowdown: f64,
    /// Median over the rounds of ln(again / base), with the same sign.
    pub again: f64,
    /// Median over the turns of base and base again, in [`GateMetric::unit`].
    pub base: f64,
    /// Median over the turns of head.
    pub head: f64,
    /// Why the figure decides nothing; `None` when it decides.
    pub left_out: Option<String>,
}

/// What one triple says of both figures.
#[derive(Debug, Clone, PartialEq)]
pub struct TripleEffect {
    /// Of the operations a second.
    pub rate: MetricEffect,
    /// Of the processor time an operation.
    pub processor_time: MetricEffect,
}

impl TripleEffect {
    /// What it says of one figure.
    pub const fn of(&self, metric: GateMetric) -> &MetricEffect {
        match metric {
            GateMetric::Rate => &self.rate,
            GateMetric::ProcessorTime => &self.processor_time,
        }
    }
}

/// Why a triple says nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EffectError {
    /// It was not measured to the end.
    #[error("triple {number} was not measured to the end: {because}; measure another one")]
    Failed {
        /// The triple's number.
        number: u32,
        /// Why.
        because: String,
    },
    /// It has no such server.
    #[error("triple {number} has no server `{label}`, only {}; name one of these", servers.join(", "))]
    NoServer {
        /// The triple's number.
        number: u32,
        /// The name that was looked for.
        label: String,
        /// The names that it has.
        servers: Vec<String>,
    },
    /// Many turns lack what the figures are divided by.
    #[error(
        "triple {number}: `{server}` shows no {what} in {without} of its {turns} turns; measure another triple, \
         with longer turns if this repeats"
    )]
    Nothing {
        /// The triple's number.
        number: u32,
        /// The server.
        server: String,
        /// Turns without it.
        without: usize,
        /// All turns of the server.
        turns: usize,
        /// What is zero.
        what: &'static str,
    },
    /// A server answered wrongly, so that its speed means nothing.
    #[error(
        "triple {number}, round {round}: {wrong} of {operations} answers of `{server}` were errors or \
         wrong; check that build with `ringside verify`"
    )]
    Wrong {
        /// The triple's number.
        number: u32,
        /// The server.
        server: String,
        /// The round.
        round: u32,
        /// Errors and wrong answers.
        wrong: u64,
        /// All operations.
        operations: u64,
    },
    /// In no round did each of the three have one turn.
    #[error(
        "triple {number}: of {turns} turns no round has one each of base, again and `{head}`; \
         measure another triple"
    )]
    NoRound {
        /// The triple's number.
        number: u32,
        /// The name of head.
        head: String,
        /// Turns that there are.
        turns: usize,
    },
}

/// What `record`, which was measured on `placement`, says of the server `head_label` against base.
pub fn effect(
    record: &TripleRecord,
    head_label: &str,
    placement: &Placement,
) -> Result<TripleEffect, EffectError> {
    if let Some(because) = &record.failed {
        return Err(EffectError::Failed {
            number: record.number,
            because: because.clone(),
        });
    }
    let rounds = whole_rounds(record, head_label)?;
    let shares = Shares::of(record, &rounds, placement);
    Ok(TripleEffect {
        rate: metric_effect(GateMetric::Rate, &rounds, shares.why_not_rate()),
        processor_time: metric_effect(
            GateMetric::ProcessorTime,
            &rounds,
            shares.why_not_processor_time(),
        ),
    })
}

/// The turns of base, base again and head in one round.
struct Round<'a> {
    base: &'a Turn,
    again: &'a Turn,
    head: &'a Turn,
}

/// The rounds in which each of the three had one turn. A fault in any of their turns is an error.
fn whole_rounds<'a>(
    record: &'a TripleRecord,
    head_label: &str,
) -> Result<Vec<Round<'a>>, EffectError> {
    let mut rounds: BTreeMap<u32, [Vec<&Turn>; 3]> = BTreeMap::new();
    for (place, label) in ["base", "again", head_label].into_iter().enumerate() {
        let server = server_of(record, label)?;
        let turns = record.turns.iter().filter(|turn| turn.server == server);
        check_turns(record.number, label, &turns.clone().collect::<Vec<_>>())?;
        turns.for_each(|turn| rounds.entry(turn.round).or_default()[place].push(turn));
    }
    let whole = |turns: &[Vec<&'a Turn>; 3]| match turns.each_ref().map(Vec::as_slice) {
        [&[base], &[again], &[head]] => Some(Round { base, again, head }),
        _ => None,
    };
    let rounds: Vec<Round<'a>> = rounds.values().filter_map(whole).collect();
    if rounds.is_empty() {
        return Err(EffectError::NoRound {
            number: record.number,
            head: head_label.to_owned(),
            turns: record.turns.len(),
        });
    }
    Ok(rounds)
}

/// The number by which turns name a server.
fn server_of(record: &TripleRecord, label: &str) -> Result<u32, EffectError> {
    (0..)
        .zip(&record.servers)
        .find_map(|(place, server)| (server == label).then_some(place))
        .ok_or_else(|| EffectError::NoServer {
            number: record.number,
            label: label.to_owned(),
            servers: record.servers.clone(),
        })
}

/// Refuses turns whose figures would mean nothing. In single turns nothing may end, where something else had the
/// core: those are as slow as can be, and a median stands them as long as they are less than half.
fn check_turns(number: u32, label: &str, turns: &[&Turn]) -> Result<(), EffectError> {
    type Figure = fn(&Turn) -> u64;
    let needed: [(&str, Figure); 3] = [
        ("operations", |turn| turn.operations),
        ("length", |turn| turn.wall_ns),
        ("processor time", |turn| turn.whole_server_cpu_ns),
    ];
    for (what, figure) in needed {
        let without = turns.iter().filter(|turn| figure(turn) == 0).count();
        if without > 0 && 2 * without >= turns.len() {
            return Err(EffectError::Nothing {
                number,
                server: label.to_owned(),
                without,
                turns: turns.len(),
                what,
            });
        }
    }
    match turns.iter().find(|turn| turn.wrong > 0) {
        None => Ok(()),
        Some(turn) => Err(EffectError::Wrong {
            number,
            server: label.to_owned(),
            round: turn.round,
            wrong: turn.wrong,
            operations: turn.operations,
        }),
    }
}

fn metric_effect(
    metric: GateMetric,
    rounds: &[Round<'_>],
    left_out: Option<String>,
) -> MetricEffect {
    let slower = |round: &Round<'_>| {
        let base = f64::midpoint(metric.slowness(round.base), metric.slowness(round.again));
        metric.slowness(round.head) - base
    };
    let again = |round: &Round<'_>| metric.slowness(round.again) - metric.slowness(round.base);
    let both = rounds.iter().flat_map(|round| [round.base, round.again]);
    MetricEffect {
        slowdown: median(rounds.iter().map(slower)),
        again: median(rounds.iter().map(again)),
        base: median(both.map(|turn| metric.figure(turn))),
        head: median(rounds.iter().map(|round| metric.figure(round.head))),
        left_out,
    }
}

/// How busy both sides were.
struct Shares {
    /// Of the generator's cores.
    generator: f64,
    /// Of the server's cores.
    server: f64,
}

impl Shares {
    fn of(record: &TripleRecord, rounds: &[Round<'_>], placement: &Placement) -> Self {
        let cores = |cpus: &[usize]| cores_busy(record, cpus).filter(|_| !placement.shared);
        let by_clocks = |used: fn(&Turn) -> u64, cpus: &[usize]| {
            let sum = |of: fn(&Turn) -> u64| rounds.iter().map(|round| of(round.base)).sum::<u64>();
            // Where no core is named, one thread may use one.
            sum(used) as f64 / sum(|turn| turn.wall_ns) as f64 / cpus.len().max(1) as f64
        };
        let (server, generator) = (&placement.server_cpus, &placement.generator_cpus);
        Self {
            generator: cores(generator)
                .unwrap_or_else(|| by_clocks(|turn| turn.generator_cpu_ns, generator)),
            server: cores(server).unwrap_or_else(|| by_clocks(|turn| turn.server_cpu_ns, server)),
        }
    }

    /// The rate is the generator's where that is full and the server is not.
    fn why_not_rate(&self) -> Option<String> {
        (Limit::of(self.server, self.generator) == Limit::Generator).then(|| {
            format!(
                "the generator was the limit: it used {:.0} % of its cores in base's turns, and the server \
                 {:.0} % of its own",
                self.generator * 100.0,
                self.server * 100.0
            )
        })
    }

    /// Processor time an operation falls as load rises, until the server is full.
    fn why_not_processor_time(&self) -> Option<String> {
        (self.server < Limit::SERVER_BUSY).then(|| {
            format!(
                "the server was not full: it used {:.0} % of its cores, and then what an operation \
                 takes depends on the load",
                self.server * 100.0
            )
        })
    }
}

/// How busy these processors were. The clocks of processes would not tell on a shared machine: a server whose core
/// the hypervisor gave to another is full with less time than there was.
fn cores_busy(record: &TripleRecord, cpus: &[usize]) -> Option<f64> {
    let busy = cpus.iter().map(|&cpu| record.cpu_busy.get(cpu));
    let sum: Option<f64> = busy.sum();
    sum.filter(|_| !cpus.is_empty())
        .map(|sum| sum / cpus.len() as f64)
}

/// The median of figures, which are finite and above zero.
fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let figures: Vec<f64> = figures.collect();
    median_interval(&figures, NOMINAL_CONFIDENCE)
        .expect("there is a whole round and its figures are finite")
        .point
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringside_contract::{GATE_SCHEMA, Phase};

    fn turn(server: u32, round: u32, operations: u64, server_cpu_ns: u64) -> Turn {
        Turn {
            server,
            round,
            wall_ns: 1_000_000,
            operations,
            operations_before: operations / 4,
            operations_behind: operations / 4,
            wrong: 0,
            server_cpu_ns,
            whole_server_cpu_ns: server_cpu_ns * 3 / 2,
            generator_cpu_ns: 500_000,
        }
    }

    fn record(turns: Vec<Turn>) -> TripleRecord {
        TripleRecord {
            schema: GATE_SCHEMA,
            scenario: "echo/small".parse().unwrap(),
            implementation: "echo/epoll".parse().unwrap(),
            phase: Phase::First,
            number: 7,
            seed: 1,
            began_at: 0,
            servers: ["base", "again", "head", "slow"]
                .map(str::to_owned)
                .to_vec(),
            turns,
            cpu_busy: Vec::new(),
            counts: Vec::new(),
            uncounted: Vec::new(),
            failed: None,
        }
    }

    /// Two rounds of base at 100 and 400 operations (in the mean 200) and head at 160.
    fn turns() -> Vec<Turn> {
        (0..2)
            .flat_map(|round| {
                [
                    turn(2, round, 160, 960_000),
                    turn(1, round, 400, 1_000_000),
                    turn(0, round, 100, 950_000),
                    turn(3, round, 50, 1_000_000),
                ]
            })
            .collect()
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
    }

    #[test]
    fn a_slower_head_is_positive_in_both_figures() {
        let effect = effect(&record(turns()), "head", &cores(1, 1)).unwrap();
        near(effect.rate.slowdown, (200.0_f64 / 160.0).ln());
        near(effect.rate.again, -(4.0_f64.ln()));
        near(effect.rate.base, 250_000.0);
        near(effect.rate.head, 160_000.0);
        // Base takes 9.5 and 2.5 us an operation, head 6.
        near(effect.processor_time.base, 6.0);
        near(effect.processor_time.head, 6.0);
        near(effect.processor_time.again, (2.5_f64 / 9.5).ln());
        near(
            effect.processor_time.slowdown,
            (6.0 / (9.5_f64 * 2.5).sqrt()).ln(),
        );
        assert_eq!(effect.rate.left_out, None);
        assert_eq!(effect.processor_time.left_out, None);
    }

    #[test]
    fn another_head_beside_the_same_base_is_compared_by_its_label() {
        let effect = effect(&record(turns()), "slow", &cores(1, 1)).unwrap();
        near(effect.rate.slowdown, 4.0_f64.ln());
    }

    #[test]
    fn a_round_that_lacks_a_turn_or_has_one_twice_counts_for_nothing() {
        let mut uneven = turns();
        uneven.extend([turn(0, 2, 1, 1), turn(1, 2, 1, 1)]);
        uneven.extend([0, 1, 2, 2].map(|server| turn(server, 3, 1, 1)));
        assert_eq!(
            effect(&record(uneven), "head", &cores(1, 1)),
            effect(&record(turns()), "head", &cores(1, 1))
        );
    }

    /// So many cores of the server and of the generator.
    fn cores(server: usize, generator: usize) -> Placement {
        Placement {
            server_cpus: (0..server).collect(),
            generator_cpus: (server..server + generator).collect(),
            shared: false,
        }
    }

    /// Shares of one core in per cent, and which of rate and processor time decide.
    fn check(generator: u64, server: u64, placement: &Placement, expected: [bool; 2]) {
        let mut turns = turns();
        for turn in &mut turns {
            turn.generator_cpu_ns = generator * 10_000;
            // Head is full throughout, and has no say.
            turn.server_cpu_ns = if turn.server == 2 { 100 } else { server } * 10_000;
            turn.whole_server_cpu_ns = turn.server_cpu_ns;
        }
        let effect = effect(&record(turns), "head", placement).unwrap();
        let decides = GateMetric::ALL.map(|metric| effect.of(metric).left_out.is_none());
        assert_eq!(
            decides, expected,
            "generator {generator} %, server {server} %"
        );
    }

    #[test]
    fn what_decides_follows_from_which_side_was_full() {
        let one = cores(1, 1);
        check(94, 50, &one, [true, false]);
        check(95, 50, &one, [false, false]);
        check(95, 89, &one, [false, false]);
        check(96, 95, &one, [false, true]);
        check(96, 96, &one, [true, true]);
        check(100, 98, &one, [true, true]);
        check(50, 90, &one, [true, true]);
        check(50, 90, &cores(2, 1), [true, false]);
        check(50, 180, &cores(2, 1), [true, true]);
        check(150, 50, &cores(1, 2), [true, false]);
        check(190, 50, &cores(1, 2), [false, false]);
    }

    #[test]
    fn a_turn_in_which_nothing_ended_is_slow_and_no_more() {
        let mut turns = turns();
        turns.extend((2..5).flat_map(|round| [0, 1, 2].map(|server| turn(server, round, 100, 1))));
        let place = turns.len() - 1;
        assert_eq!(turns[place].server, 2);
        turns[place].operations = 0;
        let effect = effect(&record(turns), "head", &cores(1, 1)).unwrap();
        // Of five rounds two are at 200 / 160, two even, and one has no bounds.
        near(effect.rate.slowdown, (200.0_f64 / 160.0).ln());
    }

    #[test]
    fn a_core_that_the_hypervisor_took_is_not_idle() {
        let decides = |cpu_busy: &[f64], placement: &Placement| {
            let mut record = record(turns());
            for turn in &mut record.turns {
                turn.server_cpu_ns = 800_000;
            }
            record.cpu_busy = cpu_busy.to_vec();
            let effect = effect(&record, "head", placement).unwrap();
            GateMetric::ALL.map(|metric| effect.of(metric).left_out.is_none())
        };
        assert_eq!(decides(&[0.95, 0.6], &cores(1, 1)), [true, true]);
        assert_eq!(decides(&[0.85, 0.6], &cores(1, 1)), [true, false]);
        assert_eq!(decides(&[0.85, 0.97], &cores(1, 1)), [false, false]);
        // Where both sides have the same cores, or nothing was read of them, the clocks tell.
        let shared = Placement {
            shared: true,
            ..cores(1, 1)
        };
        assert_eq!(decides(&[0.95, 0.6], &shared), [true, false]);
        assert_eq!(decides(&[0.95], &cores(1, 1)), [true, true]);
        assert_eq!(decides(&[], &cores(1, 1)), [true, false]);
    }

    fn check_error(edit: impl FnOnce(&mut TripleRecord), head: &str, expected: &str) {
        let mut record = record(turns());
        edit(&mut record);
        let found = effect(&record, head, &cores(1, 1)).unwrap_err().to_string();
        assert!(found.contains(expected), "{found}");
    }

    #[test]
    fn a_triple_that_says_nothing_says_why() {
        check_error(|_| (), "hat", "no server `hat`, only base, again");
        check_error(
            |record| record.turns[0].operations = 0,
            "head",
            "`head` shows no operations in 1 of its 2 turns",
        );
        check_error(
            |record| record.turns[1].wall_ns = 0,
            "head",
            "`again` shows no length in 1 of its 2",
        );
        check_error(
            |record| record.turns[2].whole_server_cpu_ns = 0,
            "head",
            "no processor time",
        );
        check_error(
            |record| record.turns[2].wrong = 3,
            "head",
            "3 of 100 answers of `base`",
        );
        check_error(
            |record| record.turns.retain(|turn| turn.server != 1),
            "head",
            "of 6 turns no round",
        );
        check_error(
            |record| record.failed = Some("the server ended".to_owned()),
            "head",
            "triple 7 was not measured to the end: the server ended",
        );
    }
}
