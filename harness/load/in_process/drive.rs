//! Has a worker process work, and makes of its report what a record has of a server under load.

use std::net::{SocketAddr, TcpStream};

use ringside_contract::operations::Workload;
use ringside_contract::{Arrivals, Limit, Measures, Side, Threads};
use ringside_metal::CallCounter;

use super::orders::{Order, Reply, RunOrder, RunReport, Talk};
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
    let order = order(arrivals, options)?;
    let target = options.targets[0];
    let mut talk = connect(target)?;
    let watched = options.watch.map(Watched::Tree);
    let empty = watched.as_ref().map(Watched::usage);
    ask(&mut talk, target, &Order::Prepare(workload.clone()))?;
    let (load, before) = (load_before(), Reading::now(watched.as_ref()));
    let report = run(&mut talk, target, order)?;
    let after = Reading::now(watched.as_ref());
    let elapsed_s = report.elapsed_ns.max(1) as f64 / 1e9;
    let mut measures = Measures {
        system: before.system.until(&after.system, elapsed_s, load),
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
    count(&mut talk, options, order, watched.as_ref(), &mut measures)?;
    Ok(measures)
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

    /// Processor time is that of the threads while they were measured: this process saw their warm-up too.
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
        Some(Side {
            cpu_ns: report.cpu_ns.iter().sum(),
            cores_busy: cores_busy(report),
            ..seen
        })
    }
}

/// Has the worker go on and counts its system calls, which costs time.
fn count(
    talk: &mut Talk,
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
    let order = RunOrder {
        warmup_ns: 0,
        measure_ns: options.timing.count_ms * 1_000_000,
        ..order
    };
    let report = run(talk, options.targets[0], order)?;
    let operations: u64 = report.operations.iter().sum();
    if let (Some(server), Ok(calls)) = (&mut measures.server, counter.stop()) {
        server.syscalls_per_op = (operations > 0).then(|| calls as f64 / operations as f64);
    }
    Ok(())
}

fn order(arrivals: &Arrivals, options: &DriveOptions) -> Result<RunOrder, LoadError> {
    let (rate_per_s, poisson) = match arrivals {
        Arrivals::Closed { .. } => (None, false),
        Arrivals::Open {
            rate_per_s,
            poisson,
            ..
        } => (Some(*rate_per_s), *poisson),
        Arrivals::Sweep { .. } => {
            return Err(LoadError::Settings {
                because: "operations in process have no sweep; take load=closed or load=open"
                    .to_owned(),
            });
        }
    };
    Ok(RunOrder {
        warmup_ns: options.timing.warmup_ms * 1_000_000,
        measure_ns: options.timing.measure_ms * 1_000_000,
        rate_per_s,
        poisson,
        seed: options.seed,
    })
}

fn connect(target: SocketAddr) -> Result<Talk, LoadError> {
    let talk = TcpStream::connect(target).and_then(Talk::new);
    talk.map_err(|error| LoadError::Connect {
        target,
        because: error.to_string(),
    })
}

/// Gives an order and takes its answer.
fn ask(talk: &mut Talk, target: SocketAddr, order: &Order) -> Result<Reply, LoadError> {
    let failed = |because: String| LoadError::Worker { target, because };
    let heard = talk.say(order).and_then(|()| talk.hear());
    match heard {
        Ok(Some(Reply::Failed(because))) => Err(failed(because)),
        Ok(Some(reply)) => Ok(reply),
        Ok(None) => Err(failed("it ended".to_owned())),
        Err(error) => Err(failed(error.to_string())),
    }
}

fn run(talk: &mut Talk, target: SocketAddr, order: RunOrder) -> Result<RunReport, LoadError> {
    match ask(talk, target, &Order::Run(order))? {
        Reply::Ran(report) => Ok(report),
        other => Err(LoadError::Worker {
            target,
            because: format!("a report was expected, and {other:?} came"),
        }),
    }
}

/// What the report says by itself.
fn measured(workload: &Workload, report: &RunReport, elapsed_s: f64) -> Measures {
    let operations: u64 = report.operations.iter().sum();
    let (least, most) = (
        report.operations.iter().min(),
        report.operations.iter().max(),
    );
    let fairness = *least.unwrap_or(&0) as f64 / (*most.unwrap_or(&0)).max(1) as f64;
    let wrong = report.wrong.clone();
    Measures {
        duration_s: elapsed_s,
        operations,
        corrupt: u64::from(wrong.is_some()),
        error_samples: wrong.into_iter().collect(),
        throughput_per_s: operations as f64 / elapsed_s,
        connections: 1,
        latency: report.latency.clone(),
        threads: Some(Threads {
            threads: workload.threads,
            core_share: cores_busy(report) / f64::from(report.cores.max(1)),
            computes: workload.computes,
            fairness,
            batch_p50_ns: report.batches.map(|batches| batches.p50_ns),
            batch_p99_ns: report.batches.map(|batches| batches.p99_ns),
            figures: report.figures.iter().cloned().collect(),
        }),
        ..Measures::default()
    }
}

fn cores_busy(report: &RunReport) -> f64 {
    let cpu_ns: u64 = report.cpu_ns.iter().sum();
    cpu_ns as f64 / report.elapsed_ns.max(1) as f64
}

fn this_thread() -> Watched {
    let id = rustix::thread::gettid().as_raw_nonzero().get();
    Watched::Threads(u32::try_from(id).into_iter().collect())
}
