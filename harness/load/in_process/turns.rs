//! Workers take turns under one generator: each has its structure and its threads, and works alone when its turn has come.

use std::net::SocketAddr;

use ringside_contract::operations::Workload;
use ringside_contract::{Arrivals, NotCounted, Turn, TurnCount, Turns};
use ringside_metal::{AllocationProbe, CallCounter};

use super::drive::{Worker, run_order};
use super::orders::{RunOrder, RunReport, ThreadFigures};
use crate::counting::{Calls, told};
use crate::error::LoadError;
use crate::options::TurnOptions;
use crate::system::SystemReading;
use crate::watch::Watched;

/// Has the workers work in turn and gives every turn in the order in which it was taken, and what was counted.
///
/// # Errors
/// [`LoadError`]: a worker cannot be reached, refuses the workload, or ends.
pub(crate) fn take_turns(
    workload: &Workload,
    arrivals: &Arrivals,
    options: &TurnOptions,
) -> Result<Turns, LoadError> {
    let order = run_order(arrivals, &options.timing, options.seed)?;
    let mut workers = Vec::new();
    for &(target, process) in &options.servers {
        workers.push(Turning::prepare(target, process, workload)?);
    }
    let before = SystemReading::now();
    let mut turns = Vec::new();
    for (round, places) in (0..).zip(&options.order) {
        for &place in places {
            let report = workers[place].worker.run(order)?;
            turns.push(turn(place, round, &report));
        }
    }
    let cpu_busy = before.cpu_busy_until(&SystemReading::now());
    let (mut counts, mut uncounted) = (Vec::new(), Vec::new());
    if options.timing.count_ms > 0 {
        let order = RunOrder {
            measure_ns: options.timing.count_ms * 1_000_000,
            ..order
        };
        let probe = AllocationProbe::install().map_err(|error| error.to_string());
        for (place, worker) in workers.iter_mut().enumerate() {
            counts.push(worker.count(place, order, &probe, &mut uncounted)?);
        }
    }
    Ok(Turns {
        turns,
        cpu_busy,
        counts,
        uncounted,
    })
}

/// A worker between its turns, in which it rests.
struct Turning {
    worker: Worker,
    watched: Watched,
}

impl Turning {
    fn prepare(target: SocketAddr, process: u32, workload: &Workload) -> Result<Self, LoadError> {
        let mut worker = Worker::connect(target)?;
        worker.prepare(workload)?;
        Ok(Self {
            worker,
            watched: Watched::Tree(process),
        })
    }

    /// Counts system calls in one turn and allocations in the next one; neither is timed.
    fn count(
        &mut self,
        place: usize,
        order: RunOrder,
        probe: &Result<AllocationProbe, String>,
        uncounted: &mut Vec<NotCounted>,
    ) -> Result<TurnCount, LoadError> {
        let (first, system_calls) =
            self.count_in(order, |threads| told(CallCounter::system_calls(threads)))?;
        let (second, allocations) = self.count_in(order, |threads| {
            let probe = probe.as_ref().map_err(String::clone)?;
            told(probe.check_seen(threads))?;
            told(CallCounter::allocations(probe, threads))
        })?;
        Ok(TurnCount {
            server: number(place),
            operations: first,
            system_calls: known("system calls", system_calls, uncounted),
            sent_bytes: 0,
            operations_probed: second,
            allocations: known("allocations", allocations, uncounted),
        })
    }

    /// The operations of a turn, and what was called for them: less what an order takes in which nothing is done.
    fn count_in(
        &mut self,
        order: RunOrder,
        open: impl Fn(&[u32]) -> Result<CallCounter, String>,
    ) -> Result<(u64, Calls), LoadError> {
        let nothing = RunOrder {
            warmup_ns: 0,
            measure_ns: 0,
            ..order
        };
        let (_, idle) = self.counted(nothing, &open)?;
        let work = RunOrder {
            warmup_ns: 0,
            ..order
        };
        let (operations, calls) = self.counted(work, &open)?;
        let calls = calls.and_then(|calls| Ok(calls.saturating_sub(idle?)));
        Ok((operations, calls))
    }

    fn counted(
        &mut self,
        order: RunOrder,
        open: impl Fn(&[u32]) -> Result<CallCounter, String>,
    ) -> Result<(u64, Calls), LoadError> {
        let counter = open(&self.watched.threads());
        let started = counter.and_then(|counter| told(counter.start()).map(|()| counter));
        let report = self.worker.run(order)?;
        let counted = started.and_then(|counter| told(counter.stop()));
        Ok((sum(&report, |thread| thread.operations), counted))
    }
}

/// What could not be counted is told once, with the first reason.
fn known(metric: &str, calls: Calls, uncounted: &mut Vec<NotCounted>) -> Option<u64> {
    match calls {
        Ok(calls) => Some(calls),
        Err(because) => {
            if uncounted.iter().all(|one| one.metric != metric) {
                uncounted.push(NotCounted {
                    metric: metric.to_owned(),
                    because,
                });
            }
            None
        }
    }
}

/// Threads read their own clocks at the ends of what is measured, so that nothing before it or behind it is in their time.
fn turn(place: usize, round: u32, report: &RunReport) -> Turn {
    let cpu_ns = sum(report, |thread| thread.cpu_ns);
    Turn {
        server: number(place),
        round,
        wall_ns: report.elapsed_ns,
        operations: sum(report, |thread| thread.operations),
        operations_before: 0,
        operations_behind: 0,
        wrong: u64::from(report.wrong.is_some()),
        server_cpu_ns: cpu_ns,
        whole_server_cpu_ns: cpu_ns,
        generator_cpu_ns: 0,
    }
}

fn sum(report: &RunReport, of: fn(&ThreadFigures) -> u64) -> u64 {
    report.threads.iter().map(of).sum()
}

fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
