//! Has a worker process work, and makes of its report what a record has of a server under load.

use std::net::{SocketAddr, TcpStream};

use ringside_contract::operations::Workload;
use ringside_contract::{Arrivals, BlockTiming, Limit, Measures, Side, Threads};
use ringside_metal::CallCounter;

use super::orders::{Order, Reply, RunOrder, RunReport, Talk, ThreadFigures};
use crate::error::LoadError;
use crate::options::DriveOptions;
use crate::system::{SystemReading, load_before};
use crate::watch::{Clocks, Usage, Watched, side};

/// Prepares the worker, has it work, and counts system calls behind that.
///
/// # Errors
/// [`LoadError`]: the worker cannot be reached, refuses the workload, or ends.
pub(crate) fn drive(
    workload: &Workload,
    arrivals: &Arrivals,
    options: &DriveOptions,
) -> Result<Measures, LoadError> {
    let order = run_order(arrivals, &options.timing, options.seed)?;
    let mut worker = Worker::connect(options.targets[0])?;
    let watched = options.watch.map(Watched::Tree);
    let empty = watched.as_ref().map(Watched::usage);
    worker.prepare(workload)?;
    let (load, before) = (load_before(), Reading::now(watched.as_ref()));
    let report = worker.run(order)?;
    let after = Reading::now(watched.as_ref());
    let elapsed_s = report.elapsed_ns.max(1) as f64 / 1e9;
    // Longer than what was measured: the warm-up is in it.
    let between_s = before.seconds_until(&after);
    let mut measures = Measures {
        system: before.system.until(&after.system, between_s, load),
        ..measured(workload, &report, elapsed_s)
    };
    measures.generator = after.generator_since(&before);
    measures.server = empty.and_then(|empty| after.worker_since(&before, empty, &report));
    measures.limited_by = measures.threads.as_ref().map(|threads| {
        if threads.core_share >= Limit::SERVER_BUSY {
            Limit::Server
        } else {
            Limit::Neither
        }
    });
    count(&mut worker, options, order, watched.as_ref(), &mut measures)?;
    Ok(measures)
}

/// The connection to a worker process.
pub(super) struct Worker {
    target: SocketAddr,
    talk: Talk,
}

impl Worker {
    pub(super) fn connect(target: SocketAddr) -> Result<Self, LoadError> {
        let talk = TcpStream::connect(target).and_then(Talk::new);
        let talk = talk.map_err(|error| LoadError::Connect {
            target,
            because: error.to_string(),
        })?;
        Ok(Self { target, talk })
    }

    /// Has it build the structure and start the threads.
    pub(super) fn prepare(&mut self, workload: &Workload) -> Result<(), LoadError> {
        self.ask(&Order::Prepare(workload.clone())).map(|_| ())
    }

    pub(super) fn run(&mut self, order: RunOrder) -> Result<RunReport, LoadError> {
        match self.ask(&Order::Run(order))? {
            Reply::Ran(report) => Ok(report),
            other => Err(self.failed(format!("a report was expected, and {other:?} came"))),
        }
    }

    /// Gives an order and takes its answer.
    fn ask(&mut self, order: &Order) -> Result<Reply, LoadError> {
        let heard = self.talk.say(order).and_then(|()| self.talk.hear());
        match heard {
            Ok(Some(Reply::Failed(because))) => Err(self.failed(because)),
            Ok(Some(reply)) => Ok(reply),
            Ok(None) => Err(self.failed("it ended".to_owned())),
            Err(error) => Err(self.failed(error.to_string())),
        }
    }

    const fn failed(&self, because: String) -> LoadError {
        LoadError::Worker {
            target: self.target,
            because,
        }
    }
}

/// What is read on both sides of a run.
struct Reading {
    system: SystemReading,
    worker: Option<(Clocks, Usage)>,
    generator: (Clocks, Usage),
}

impl Reading {
    fn now(worker: Option<&Watched>) -> Self {
        let read = |watched: &Watched| (watched.clocks(&watched.members()), watched.usage());
        Self {
            worker: worker.map(read),
            generator: read(&this_thread()),
            system: SystemReading::now(),
        }
    }

    fn generator_since(&self, before: &Self) -> Side {
        let (clocks, usage) = &self.generator;
        let (clocks_before, usage_before) = &before.generator;
        side(
            [clocks_before, clocks],
            [*usage_before, *usage],
            *usage_before,
            1.0,
        )
    }

    fn seconds_until(&self, after: &Self) -> f64 {
        let at_ns = |reading: &Self| reading.generator.0.at_ns;
        at_ns(after).saturating_sub(at_ns(self)).max(1) as f64 / 1e9
    }

    /// What was used is that of the threads while they were measured: this process saw their warm-up too.
    fn worker_since(&self, before: &Self, empty: Usage, report: &RunReport) -> Option<Side> {
        let (clocks, usage) = self.worker.as_ref()?;
        let (clocks_before, usage_before) = before.worker.as_ref()?;
        let cores = f64::from(report.cores);
        let seen = side(
            [clocks_before, clocks],
            [*usage_before, *usage],
            empty,
            cores,
        );
        let sum = |of: fn(&ThreadFigures) -> u64| report.threads.iter().map(of).sum();
        Some(Side {
            cpu_ns: sum(|thread| thread.cpu_ns) + elsewhere_ns(report),
            cores_busy: cores_busy(report),
            context_switches_voluntary: sum(|thread| thread.switches[0]),
            context_switches_involuntary: sum(|thread| thread.switches[1]),
            page_faults_minor: sum(|thread| thread.faults[0]),
            page_faults_major: sum(|thread| thread.faults[1]),
            ..seen
        })
    }
}

/// Has the worker go on and counts its system calls, which costs time.
fn count(
    worker: &mut Worker,
    options: &DriveOptions,
    order: RunOrder,
    watched: Option<&Watched>,
    measures: &mut Measures,
) -> Result<(), LoadError> {
    let (Some(watched), true) = (watched, options.timing.count_ms > 0) else {
        return Ok(());
    };
    let counter = CallCounter::system_calls(&watched.threads());
    let started = counter.and_then(|counter| counter.start().map(|()| counter));
    let counter = match started {
        Ok(counter) => counter,
        Err(error) => {
            measures
                .warnings
                .push(format!("system calls were not counted: {error}"));
            return Ok(());
        }
    };
    let report = worker.run(RunOrder {
        warmup_ns: 0,
        measure_ns: options.timing.count_ms * 1_000_000,
        ..order
    })?;
    let operations: u64 = report.threads.iter().map(|thread| thread.operations).sum();
    if let (Some(server), Ok(calls)) = (&mut measures.server, counter.stop()) {
        server.syscalls_per_op = (operations > 0).then(|| calls as f64 / operations as f64);
    }
    Ok(())
}

/// Far more than any clock can tell apart.
const RATE_MAX: f64 = 1e8;

/// What threads are told to do for such a load.
///
/// # Errors
/// A sweep, which they do not have, or a rate that nobody can offer.
pub(super) fn run_order(
    arrivals: &Arrivals,
    timing: &BlockTiming,
    seed: u64,
) -> Result<RunOrder, LoadError> {
    let refused = |because: &str| LoadError::Settings {
        because: because.to_owned(),
    };
    let (rate_per_s, poisson) = match arrivals {
        Arrivals::Closed { .. } => (None, false),
        Arrivals::Open {
            rate_per_s,
            poisson,
            ..
        } if *rate_per_s <= RATE_MAX => (Some(*rate_per_s), *poisson),
        Arrivals::Open { .. } => {
            return Err(refused(
                "no more than 100,000,000 operations a second can be started; take a lower rate",
            ));
        }
        Arrivals::Sweep { .. } => {
            return Err(refused(
                "operations in process have no sweep; take load=closed or load=open",
            ));
        }
    };
    Ok(RunOrder {
        warmup_ns: timing.warmup_ms * 1_000_000,
        measure_ns: timing.measure_ms * 1_000_000,
        rate_per_s,
        poisson,
        seed,
    })
}

/// What the report says by itself.
fn measured(workload: &Workload, report: &RunReport, elapsed_s: f64) -> Measures {
    let sum = |of: fn(&ThreadFigures) -> u64| report.threads.iter().map(of).sum::<u64>();
    let operations = sum(|thread| thread.operations);
    let each = || report.threads.iter().map(|thread| thread.operations);
    let fairness = each().min().unwrap_or(0) as f64 / each().max().unwrap_or(0).max(1) as f64;
    let wrong = report.wrong.clone();
    Measures {
        duration_s: elapsed_s,
        operations,
        offered: sum(|thread| thread.offered),
        late_sends: sum(|thread| thread.late),
        unanswered: sum(|thread| thread.unanswered),
        corrupt: u64::from(wrong.is_some()),
        error_samples: wrong.into_iter().collect(),
        throughput_per_s: operations as f64 / elapsed_s,
        connections: 1,
        latency: report.latency.clone(),
        threads: Some(Threads {
            threads: workload.threads,
            core_share: cores_busy(report) / f64::from(report.cores.max(1)),
            taken_share: taken_share(report),
            fairness,
            batch_p50_ns: report.batches.map(|batches| batches.p50_ns),
            batch_p99_ns: report.batches.map(|batches| batches.p99_ns),
            cycles_per_ns: report.cycles_per_ns,
            allocations_per_op: allocated(report, 0),
            allocated_bytes_per_op: allocated(report, 1),
            figures: report.figures.iter().cloned().collect(),
        }),
        ..Measures::default()
    }
}

/// Calls of the allocator or their bytes for each operation; `None` where a thread did not count them, or where others than
/// these work for the structure, which count for themselves.
fn allocated(report: &RunReport, which: usize) -> Option<f64> {
    if report.elsewhere_busy > 0.0 {
        return None;
    }
    let of = |thread: &ThreadFigures| Some(thread.allocations?[which]);
    let sum: u64 = report.threads.iter().map(of).sum::<Option<u64>>()?;
    let operations: u64 = report.threads.iter().map(|thread| thread.operations).sum();
    (operations > 0).then(|| sum as f64 / operations as f64)
}

/// Processor time of the structure's own threads while the others were measured, in nanoseconds.
fn elsewhere_ns(report: &RunReport) -> u64 {
    (report.elsewhere_busy * report.elapsed_ns as f64) as u64
}

fn cores_busy(report: &RunReport) -> f64 {
    let cpu_ns: u64 = report.threads.iter().map(|thread| thread.cpu_ns).sum();
    cpu_ns as f64 / report.elapsed_ns.max(1) as f64 + report.elsewhere_busy
}

/// `None` where the kernel does not tell.
fn taken_share(report: &RunReport) -> Option<f64> {
    let waited_ns: Option<u64> = report.threads.iter().map(|thread| thread.waited_ns).sum();
    let all_ns = report.elapsed_ns.max(1) as f64 * report.threads.len().max(1) as f64;
    Some(waited_ns? as f64 / all_ns)
}

fn this_thread() -> Watched {
    let id = rustix::thread::gettid().as_raw_nonzero().get();
    Watched::Threads(u32::try_from(id).into_iter().collect())
}
