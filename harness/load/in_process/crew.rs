//! The threads of a worker: each pinned to a core of its own while there are as many, started together and reported on
//! together.

use std::sync::Barrier;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use ringside_contract::operations::{Prepared, Workload};

use super::closed::{self, BatchHistogram};
use super::open;
use super::orders::{RunOrder, RunReport};
use crate::driver::pin;
use crate::latency::Latencies;

/// What one thread did.
#[derive(Debug, Clone)]
pub(super) struct ThreadReport {
    pub(super) begin_ns: u64,
    pub(super) end_ns: u64,
    pub(super) operations: u64,
    pub(super) cpu_ns: u64,
    pub(super) times: Times,
}

/// How long operations took.
#[derive(Debug, Clone)]
pub(super) enum Times {
    /// Batches, one after the other.
    Batches(BatchHistogram),
    /// Single ones, from their intended start.
    Each(Latencies),
}

/// Threads that wait for work.
pub(super) struct Crew<'a> {
    prepared: &'a dyn Prepared,
    threads: Vec<Member>,
    cores: u32,
}

struct Member {
    orders: Sender<RunOrder>,
    reports: Receiver<ThreadReport>,
}

/// Starts the threads and hands them to `lead`; they end behind it.
///
/// # Errors
/// A thread panicked, or could not be started: its number, and what it said.
pub(super) fn with_crew<R>(
    prepared: &dyn Prepared,
    workload: &Workload,
    cpus: &[usize],
    lead: impl FnOnce(&Crew<'_>) -> R,
) -> Result<R, String> {
    let count = workload.threads.max(1) as usize;
    let start_together = Barrier::new(count);
    thread::scope(|scope| {
        let (mut members, mut ready) = (Vec::new(), Vec::new());
        for number in 0..count {
            let (orders, inbox) = channel();
            let (outbox, reports) = channel();
            let (tell, told) = channel();
            let life = Life {
                number: number as u32,
                prepared,
                batch: workload.batch.max(1),
                cpu: cpus.get(number % cpus.len().max(1)).copied(),
                threads: count as f64,
                start_together: &start_together,
            };
            thread::Builder::new()
                .name(format!("work-{number}"))
                .spawn_scoped(scope, move || life.live(&tell, inbox, &outbox))
                .map_err(|error| format!("thread {number} could not be started: {error}"))?;
            members.push(Member { orders, reports });
            ready.push(told);
        }
        for (number, ready) in ready.iter().enumerate() {
            ready.recv().map_err(|_| gone(number))?;
        }
        let cores = if cpus.is_empty() {
            count
        } else {
            count.min(cpus.len())
        };
        Ok(lead(&Crew {
            prepared,
            threads: members,
            cores: cores as u32,
        }))
    })
}

fn gone(number: usize) -> String {
    format!("thread {number} has panicked; the worker's standard error says where")
}

impl Crew<'_> {
    /// Has all of them work, and waits for the last one.
    ///
    /// # Errors
    /// A thread panicked.
    pub(super) fn run(&self, order: RunOrder) -> Result<RunReport, String> {
        for (number, member) in self.threads.iter().enumerate() {
            member.orders.send(order).map_err(|_| gone(number))?;
        }
        let reports = self.threads.iter().enumerate();
        let reports = reports
            .map(|(number, member)| member.reports.recv().map_err(|_| gone(number)))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(RunReport {
            cores: self.cores,
            wrong: self.prepared.check().err(),
            figures: self.prepared.figures(),
            ..summed(&reports)
        })
    }
}

/// What all threads did together.
fn summed(reports: &[ThreadReport]) -> RunReport {
    let begin = reports.iter().map(|report| report.begin_ns).min();
    let end = reports.iter().map(|report| report.end_ns).max();
    let (mut batches, mut each) = (BatchHistogram::new(), Latencies::new());
    for report in reports {
        match &report.times {
            Times::Batches(times) => batches.add(times),
            Times::Each(times) => each.add(times),
        }
    }
    RunReport {
        elapsed_ns: end.unwrap_or(0).saturating_sub(begin.unwrap_or(0)),
        operations: reports.iter().map(|report| report.operations).collect(),
        cpu_ns: reports.iter().map(|report| report.cpu_ns).collect(),
        batches: batches.times(),
        latency: each.summary(),
        ..RunReport::default()
    }
}

/// What a thread needs.
struct Life<'a> {
    number: u32,
    prepared: &'a dyn Prepared,
    batch: u32,
    cpu: Option<usize>,
    /// How many there are, among which a rate is divided.
    threads: f64,
    start_together: &'a Barrier,
}

impl Life<'_> {
    fn live(&self, ready: &Sender<()>, orders: Receiver<RunOrder>, reports: &Sender<ThreadReport>) {
        if let Some(cpu) = self.cpu {
            // Where it is refused, the share of the cores shows it.
            let _ = pin(cpu);
        }
        let mut work = self.prepared.work(self.number);
        // Nobody listens any more when another thread has panicked.
        let _ = ready.send(());
        let mut next = 0;
        for order in orders {
            self.start_together.wait();
            let report = match order.rate_per_s {
                None => closed::run(work.as_mut(), &order, self.batch, &mut next),
                Some(rate) => {
                    let seed = order.seed.wrapping_add(self.number.into());
                    open::run(work.as_mut(), &order, rate / self.threads, seed, &mut next)
                }
            };
            let _ = reports.send(report);
        }
    }
}
