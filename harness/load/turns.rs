//! Several servers take turns under one generator: in each round every one of them is loaded alone for a
//! moment, while the others rest with their connections open. What disturbs the machine for longer than a
//! round disturbs all of them alike, so that two builds compare to a per cent on a noisy machine.
//!
//! Every server has loading threads of its own in this process; at any time those of one server run.

use std::sync::mpsc::{Receiver, channel};
use std::thread;

use ringside_contract::{Arrivals, LoadPlan, NotCounted, Params, Scenario, Turn, TurnCount, Turns};
use ringside_metal::{AllocationProbe, CallCounter};

use crate::counting::{Calls, told};
use crate::driver::{check, join, opened, sleep_ms, start_workers};
use crate::error::LoadError;
use crate::in_process;
use crate::options::{DriveOptions, TurnOptions};
use crate::segment::{Segment, turns, warmup_of};
use crate::shared::{DRAIN, Shared};
use crate::socket::connections_per_source;
use crate::system::SystemReading;
use crate::tables::{self, Threads};
use crate::tally::Tally;
use crate::watch::{Clocks, Watched, cpu_between};
use crate::worker::{Ready, Report, Setup};

/// Loads the servers in turn and gives every turn in the order in which it was taken, and what was counted.
///
/// # Errors
/// [`LoadError`] when the load could not be carried out: settings that make no sense, a target that is not
/// loopback, a server that accepts no connection.
pub fn take_turns(
    scenario: &dyn Scenario,
    params: &Params,
    options: &TurnOptions,
) -> Result<Turns, LoadError> {
    let mut plan = scenario.load(params)?;
    check_turns(&plan, options)?;
    let each: Vec<DriveOptions> = (0..options.servers.len()).map(|n| options.of(n)).collect();
    each.iter().try_for_each(|options| check(&plan, options))?;
    if let Some(workload) = scenario.workload(params, options.seed) {
        return in_process::take_turns(&workload, &plan.arrivals, options);
    }
    let mut warnings = Vec::new();
    let Threads { count, own_tables } = tables::fit(&mut plan, options.cpus.len(), &mut warnings)?;
    if let Some(because) = warnings.pop() {
        // Nobody reads a warning of a triple.
        return Err(LoadError::Settings { because });
    }
    let rounds = u32::try_from(options.order.len()).unwrap_or(u32::MAX);
    let segments = turns(&plan.arrivals, &options.timing, rounds);
    let per_source = connections_per_source();
    let setup = |options| Setup {
        scenario,
        params,
        plan: &plan,
        segments: &segments,
        options,
        threads: count,
        per_source,
    };
    let setups: Vec<Setup<'_>> = each.iter().map(setup).collect();
    let shared = each
        .iter()
        .map(|_| Shared::new(count))
        .collect::<Result<Vec<_>, _>>()?;
    thread::scope(|scope| {
        let (mut handles, mut readiness) = (Vec::new(), Vec::new());
        for (setup, shared) in setups.iter().zip(&shared) {
            let (ready, receiver) = channel();
            handles.push(start_workers(scope, setup, shared, &ready, own_tables));
            readiness.push(receiver);
        }
        let led = lead(&setups, &shared, &readiness);
        let taken = led.map(|sides| (conduct(&sides, options), count_each(&sides, options)));
        shared.iter().for_each(|shared| shared.enter(DRAIN));
        let reports = handles
            .into_iter()
            .map(join)
            .collect::<Result<Vec<_>, _>>()?;
        let (conducted, counted) = taken?;
        Ok(summed(conducted, counted, &reports))
    })
}

fn check_turns(plan: &LoadPlan, options: &TurnOptions) -> Result<(), LoadError> {
    let servers = options.servers.len();
    let is_order = |round: &Vec<usize>| {
        let mut places = round.clone();
        places.sort_unstable();
        places.iter().copied().eq(0..servers)
    };
    let because = if servers == 0 || options.order.is_empty() {
        "there is no server or no round"
    } else if !options.order.iter().all(is_order) {
        "in each round every server has one turn: write its places, from 0, once each"
    } else if matches!(plan.arrivals, Arrivals::Sweep { .. }) {
        "a sweep has no turns; take a scenario of one rate or a closed loop"
    } else if plan.operations_min > 0 {
        "its operations are larger than a turn; take a scenario of smaller ones"
    } else {
        return Ok(());
    };
    Err(LoadError::Settings {
        because: because.to_owned(),
    })
}

/// One turn as it was led; what was done in it the loading threads tell at the end.
struct Taken {
    server: usize,
    round: u32,
    /// When the server still rested.
    server_before: Clocks,
    server_clocks: [Clocks; 2],
    generator_clocks: [Clocks; 2],
}

/// What a server's turns of counting came to.
struct Counted {
    system_calls: Calls,
    allocations: Calls,
}

/// Waits until every server has its connections.
fn lead<'a>(
    setups: &'a [Setup<'a>],
    shared: &'a [Shared],
    readiness: &[Receiver<Ready>],
) -> Result<Vec<Led<'a>>, LoadError> {
    let mut sides = Vec::new();
    for ((setup, shared), readiness) in setups.iter().zip(shared).zip(readiness) {
        let ready: Vec<Ready> = readiness.iter().take(setup.threads).collect();
        all_open(setup, &ready)?;
        sides.push(Led {
            segments: setup.segments,
            shared,
            server: Watched::Tree(setup.options.watch.unwrap_or(0)),
            generator: Watched::Threads(ready.iter().map(|ready| ready.thread_id).collect()),
        });
    }
    Ok(sides)
}

/// All turns as they were led.
struct Conducted {
    taken: Vec<Taken>,
    /// Clocks of the servers behind their last turns.
    behind: Vec<Clocks>,
    cpu_busy: Vec<f64>,
}

fn conduct(sides: &[Led<'_>], options: &TurnOptions) -> Conducted {
    let rounds = (0..).zip(&options.order);
    let turns = rounds.flat_map(|(round, order)| order.iter().map(move |&server| (round, server)));
    let before = SystemReading::now();
    let taken = turns
        .map(|(round, server)| sides[server].turn(round, server))
        .collect();
    let cpu_busy = before.cpu_busy_until(&SystemReading::now());
    // The last one answers what was in flight; the others have rested for long.
    sleep_ms(options.timing.warmup_ms);
    let behind = |side: &Led<'_>| side.server.clocks(&side.server.members());
    Conducted {
        taken,
        behind: sides.iter().map(behind).collect(),
        cpu_busy,
    }
}

/// Counts each server, in their order: a count is moved by no neighbour.
fn count_each(sides: &[Led<'_>], options: &TurnOptions) -> Vec<Counted> {
    if options.timing.count_ms == 0 {
        return Vec::new();
    }
    let round = u32::try_from(options.order.len()).unwrap_or(u32::MAX);
    let probe = AllocationProbe::install().map_err(|error| error.to_string());
    sides.iter().map(|side| side.count(round, &probe)).collect()
}

/// With fewer connections one server would be asked for less than another.
fn all_open(setup: &Setup<'_>, ready: &[Ready]) -> Result<(), LoadError> {
    let mut warnings = Vec::new();
    opened(setup, ready, &mut warnings)?;
    match warnings.pop() {
        Some(because) => Err(LoadError::Connect {
            target: setup.options.targets[0],
            because,
        }),
        None => Ok(()),
    }
}

/// One server and its loading threads, as the conducting thread sees them.
struct Led<'a> {
    segments: &'a [Segment],
    shared: &'a Shared,
    server: Watched,
    generator: Watched,
}

impl Led<'_> {
    fn turn(&self, round: u32, server: usize) -> Taken {
        let members = (self.server.members(), self.generator.members());
        let clocks = || {
            (
                self.server.clocks(&members.0),
                self.generator.clocks(&members.1),
            )
        };
        let warmup = warmup_of(round);
        let server_before = self.server.clocks(&members.0);
        self.shared.enter(warmup);
        sleep_ms(self.segments[warmup].length_ms);
        self.shared.enter(warmup + 1);
        let start = clocks();
        sleep_ms(self.segments[warmup + 1].length_ms);
        self.shared.enter(warmup + 2);
        let end = clocks();
        Taken {
            server,
            round,
            server_before,
            server_clocks: [start.0, end.0],
            generator_clocks: [start.1, end.1],
        }
    }

    /// Counts system calls in one turn and allocations in the next one; neither is timed.
    fn count(&self, rounds: u32, probe: &Result<AllocationProbe, String>) -> Counted {
        let threads = || self.server.threads();
        let system_calls = self.count_in(rounds, || told(CallCounter::system_calls(&threads())));
        let allocations = self.count_in(rounds + 1, || {
            let (probe, threads) = (probe.as_ref().map_err(String::clone)?, threads());
            probe
                .check_seen(&threads)
                .map_err(|error| error.to_string())?;
            told(CallCounter::allocations(probe, &threads))
        });
        Counted {
            system_calls,
            allocations,
        }
    }

    /// Opens a counter in the warm-up of a turn, and has it count what belongs to the turn and nothing else.
    fn count_in(&self, round: u32, open: impl Fn() -> Result<CallCounter, String>) -> Calls {
        let warmup = warmup_of(round);
        self.shared.enter(warmup);
        sleep_ms(self.segments[warmup].length_ms);
        let counter = open();
        let started = counter.and_then(|counter| told(counter.start()).map(|()| counter));
        self.shared.enter(warmup + 1);
        sleep_ms(self.segments[warmup + 1].length_ms);
        self.shared.enter(warmup + 2);
        started.and_then(|counter| told(counter.stop()))
    }
}

/// Processor time of each turn from its beginning to the next turn of its server, or to the reading behind all.
fn whole_turns(taken: &[Taken], behind: &[Clocks]) -> Vec<u64> {
    let mut next = behind.to_vec();
    let back = taken.iter().rev().map(|turn| {
        let used = cpu_between(&turn.server_before, &next[turn.server]);
        next[turn.server] = turn.server_before.clone();
        used
    });
    let mut whole: Vec<u64> = back.collect();
    whole.reverse();
    whole
}

/// All that was done by a server's threads in one segment.
fn tally(reports: &[Report], segment: usize) -> Tally {
    let mut sum = Tally::new(false);
    let tallies = reports.iter().map(|report| &report.tallies[segment]);
    tallies.for_each(|tally| sum.add(tally));
    sum
}

/// Adds what the threads told to what was read of the clocks and counted.
fn summed(conducted: Conducted, counted: Vec<Counted>, reports: &[Vec<Report>]) -> Turns {
    let Conducted {
        taken,
        behind,
        cpu_busy,
    } = conducted;
    let whole = whole_turns(&taken, &behind);
    let rounds = taken.iter().map(|turn| turn.round + 1).max().unwrap_or(0);
    let uncounted = uncounted(&counted);
    let count = |(server, counted): (usize, Counted)| {
        let tally = |round| tally(&reports[server], warmup_of(round) + 1);
        let (first, second) = (tally(rounds), tally(rounds + 1));
        TurnCount {
            server: u32::try_from(server).unwrap_or(u32::MAX),
            operations: first.operations,
            system_calls: counted.system_calls.ok(),
            sent_bytes: first.received,
            operations_probed: second.operations,
            allocations: counted.allocations.ok(),
        }
    };
    let counts = counted.into_iter().enumerate().map(count).collect();
    Turns {
        turns: told_turns(taken, &whole, reports),
        cpu_busy,
        counts,
        uncounted,
    }
}

/// Each thing that could not be counted of a server, with the first reason.
fn uncounted(counted: &[Counted]) -> Vec<NotCounted> {
    let first = |metric: &str, calls: fn(&Counted) -> &Calls| {
        let because = counted.iter().find_map(|one| calls(one).as_ref().err())?;
        Some(NotCounted {
            metric: metric.to_owned(),
            because: because.clone(),
        })
    };
    [
        first("system calls", |one| &one.system_calls),
        first("allocations", |one| &one.allocations),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn told_turns(taken: Vec<Taken>, whole: &[u64], reports: &[Vec<Report>]) -> Vec<Turn> {
    let turn = |(taken, &whole_server_cpu_ns): (Taken, &u64)| {
        let warmup = warmup_of(taken.round);
        let tally = |segment: usize| tally(&reports[taken.server], segment);
        let turn = tally(warmup + 1);
        // Wrong is wrong whenever it was: also in the warm-up, and where an answer came behind the turn.
        let corrupt: u64 = (warmup..=warmup + 2)
            .map(|segment| tally(segment).corrupt)
            .sum();
        let [start, end] = &taken.server_clocks;
        let [generator_start, generator_end] = &taken.generator_clocks;
        Turn {
            server: u32::try_from(taken.server).unwrap_or(u32::MAX),
            round: taken.round,
            wall_ns: generator_end.at_ns.saturating_sub(generator_start.at_ns),
            operations: turn.operations,
            operations_before: tally(warmup).operations,
            operations_behind: tally(warmup + 2).operations,
            wrong: turn.errors + turn.timeouts + corrupt,
            server_cpu_ns: cpu_between(start, end),
            whole_server_cpu_ns,
            generator_cpu_ns: cpu_between(generator_start, generator_end),
        }
    };
    taken.into_iter().zip(whole).map(turn).collect()
}

#[cfg(test)]
mod tests {
    use ringside_contract::BlockTiming;

    use super::*;
    use crate::testing::{Server, closed, echo, numbers, params};

    const TIMING: BlockTiming = BlockTiming {
        warmup_ms: 2,
        measure_ms: 10,
        count_ms: 0,
    };

    fn options(servers: &[&Server], order: Vec<Vec<usize>>) -> TurnOptions {
        let process = std::process::id();
        TurnOptions {
            servers: servers
                .iter()
                .map(|server| (server.address, process))
                .collect(),
            order,
            timing: TIMING,
            seed: 1,
            cpus: Vec::new(),
            congestion: None,
            allow_remote: false,
        }
    }

    #[test]
    fn turns_are_taken_in_the_order_asked_for_and_each_is_counted() {
        let start = || Server::start(|stream| echo(|_| {})(stream));
        let (first, second) = (start(), start());
        let order = vec![vec![1, 0], vec![0, 1], vec![1, 0]];
        let options = options(&[&first, &second], order);
        let taken = take_turns(&numbers(closed(3, 2)), &params(), &options).unwrap();
        assert!(!taken.cpu_busy.is_empty());
        assert!(taken.cpu_busy.iter().all(|busy| (0.0..=1.0).contains(busy)));
        assert_eq!(taken.counts, []);
        let turns = taken.turns;
        let places: Vec<_> = turns.iter().map(|turn| (turn.round, turn.server)).collect();
        assert_eq!(places, [(0, 1), (0, 0), (1, 0), (1, 1), (2, 1), (2, 0)]);
        for turn in turns {
            assert!(turn.operations > 0 && turn.wrong == 0, "{turn:?}");
            assert!(
                turn.wall_ns >= 10_000_000 && turn.server_cpu_ns > 0,
                "{turn:?}"
            );
            assert!(turn.whole_operations() > turn.operations, "{turn:?}");
            assert!(turn.whole_server_cpu_ns >= turn.server_cpu_ns, "{turn:?}");
        }
    }

    #[test]
    fn a_wrong_answer_before_the_measured_part_is_told_of() {
        let server = Server::start(|stream| {
            let mut first = true;
            echo(|message| message[0] ^= u8::from(std::mem::take(&mut first)))(stream);
        });
        let mut options = options(&[&server], vec![vec![0]; 2]);
        // Long enough for the first answers to lie in it.
        options.timing.warmup_ms = 100;
        let taken = take_turns(&numbers(closed(2, 1)), &params(), &options).unwrap();
        let wrong: Vec<u64> = taken.turns.iter().map(|turn| turn.wrong).collect();
        assert_eq!(wrong, [2, 0]);
    }

    #[test]
    fn each_server_is_counted_once_behind_all_rounds() {
        let start = || Server::start(|stream| echo(|_| {})(stream));
        let (first, second) = (start(), start());
        let mut options = options(&[&first, &second], vec![vec![1, 0]; 2]);
        options.timing.count_ms = 20;
        let taken = take_turns(&numbers(closed(2, 1)), &params(), &options).unwrap();
        assert_eq!(taken.turns.len(), 4);
        let servers: Vec<u32> = taken.counts.iter().map(|count| count.server).collect();
        assert_eq!(servers, [0, 1]);
        for count in &taken.counts {
            assert!(count.operations > 0 && count.sent_bytes > 0, "{count:?}");
            assert!(count.operations_probed > 0, "{count:?}");
            // An echo reads and writes. Where nobody may count, it says why.
            let enough = |calls| calls >= count.operations;
            assert!(count.system_calls.is_none_or(enough), "{count:?}");
            let counted = [
                ("system calls", count.system_calls),
                ("allocations", count.allocations),
            ];
            for (metric, calls) in counted {
                let told = taken.uncounted.iter().any(|one| one.metric == metric);
                assert_eq!(calls.is_none(), told, "{metric}");
            }
        }
    }

    #[test]
    fn an_order_that_leaves_a_server_out_is_refused() {
        let server = Server::start(|stream| echo(|_| {})(stream));
        let options = options(&[&server, &server], vec![vec![0, 0]]);
        let error = take_turns(&numbers(closed(1, 1)), &params(), &options).unwrap_err();
        assert!(error.to_string().contains("one turn"), "{error}");
    }
}
