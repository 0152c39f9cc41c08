//! The threads of a worker: each pinned to a core of its own while there are as many, started together and reported on
//! together.

use std::cell::Cell;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use ringside_contract::operations::{Prepared, Work, Workload};
use ringside_metal::{ThreadUsage, monotonic_ns, process_cpu_ns, thread_cpu_ns};

use super::closed::{self, BatchHistogram};
use super::open::{self, Share};
use super::orders::{RunOrder, RunReport, ThreadFigures};
use super::start::Start;
use crate::driver::pin;
use crate::latency::Latencies;

/// What one thread did.
#[derive(Debug, Clone)]
pub(super) struct ThreadReport {
    pub(super) begin_ns: u64,
    pub(super) end_ns: u64,
    pub(super) figures: ThreadFigures,
    /// Of the time-stamp counter between both.
    pub(super) cycles: Option<u64>,
    pub(super) times: Times,
}

impl ThreadReport {
    pub(super) fn new(
        begin_ns: u64,
        end_ns: u64,
        operations: u64,
        used: &ThreadUsage,
        times: Times,
    ) -> Self {
        Self {
            begin_ns,
            end_ns,
            figures: ThreadFigures {
                operations,
                cpu_ns: used.cpu_ns,
                waited_ns: used.waited_ns,
                switches: [used.switches_voluntary, used.switches_involuntary],
                faults: [used.faults_minor, used.faults_major],
                ..ThreadFigures::default()
            },
            cycles: None,
            times,
        }
    }

    fn cycles_per_ns(&self) -> Option<f64> {
        let wall_ns = self.end_ns.saturating_sub(self.begin_ns);
        let cycles = self.cycles.filter(|_| wall_ns > 0)?;
        Some(cycles as f64 / wall_ns as f64)
    }
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
    /// The system's numbers of the threads.
    ids: Vec<u32>,
    cores: u32,
    /// One has panicked, for which the others would wait at the next start.
    is_broken: Cell<bool>,
}

struct Member {
    /// It tells the system's number of the thread.
    ready: Receiver<u32>,
    orders: Sender<RunOrder>,
    reports: Receiver<ThreadReport>,
}

/// Starts the threads and hands them to `lead`; they end behind it.
///
/// # Errors
/// A thread panicked before it was ready, or could not be started.
pub(super) fn with_crew<R>(
    prepared: &dyn Prepared,
    workload: &Workload,
    cpus: &[usize],
    lead: impl FnOnce(&Crew<'_>) -> R,
) -> Result<R, String> {
    let count = workload.threads.max(1) as usize;
    let cores = if cpus.is_empty() {
        count
    } else {
        count.min(cpus.len())
    };
    let start = Start::new(count);
    thread::scope(|scope| {
        let mut handles = Vec::new();
        let mut spawn = |number: usize| {
            let (member, ends) = Member::new();
            let life = Life {
                number: number as u32,
                prepared,
                batch: workload.batch.max(1),
                cpu: cpus.get(number % cpus.len().max(1)).copied(),
                threads: count as f64,
                start: &start,
            };
            let thread = thread::Builder::new()
                .name(format!("work-{number}"))
                .spawn_scoped(scope, move || life.live(ends))
                .map_err(|error| format!("thread {number} could not be started: {error}"))?;
            handles.push(thread);
            Ok(member)
        };
        let members = (0..count).map(&mut spawn).collect::<Result<Vec<_>, _>>();
        let led = members.and_then(|threads| {
            let crew = Crew {
                prepared,
                ids: until_ready(&threads)?,
                threads,
                cores: cores as u32,
                is_broken: Cell::new(false),
            };
            Ok(lead(&crew))
        });
        // Nobody gives them orders any more. That one panicked was told already; it need not end this thread too.
        for handle in handles {
            let _ = handle.join();
        }
        led
    })
}

impl Member {
    /// With the thread's ends of its channels.
    fn new() -> (Self, Ends) {
        let (tell_ready, ready) = channel();
        let (orders, inbox) = channel();
        let (outbox, reports) = channel();
        let member = Self {
            ready,
            orders,
            reports,
        };
        (
            member,
            Ends {
                ready: tell_ready,
                orders: inbox,
                reports: outbox,
            },
        )
    }
}

fn until_ready(members: &[Member]) -> Result<Vec<u32>, String> {
    let ready = |member: &Member| member.ready.recv().map_err(|_| gone());
    members.iter().map(ready).collect()
}

impl Crew<'_> {
    /// Has all of them work, and waits for the last one.
    ///
    /// # Errors
    /// A thread panicked, now or in an earlier run, or the work cannot go on.
    pub(super) fn run(&self, order: RunOrder) -> Result<RunReport, String> {
        if self.is_broken.get() {
            return Err(gone());
        }
        let before = self.elsewhere();
        let Some(reports) = self.work(order) else {
            self.is_broken.set(true);
            return Err(gone());
        };
        let elsewhere = self.elsewhere().zip(before);
        if let Some(because) = self.prepared.stopped() {
            return Err(because);
        }
        Ok(RunReport {
            elsewhere_busy: elsewhere.map_or(0.0, |(now, before)| now.busy_since(before)),
            cores: self.cores,
            wrong: self.prepared.check().err(),
            figures: self.prepared.figures(),
            ..summed(&reports)
        })
    }

    /// What threads of the structure's own have used so far; `None` where the system does not tell.
    fn elsewhere(&self) -> Option<Elsewhere> {
        let crew = self.ids.iter().map(|&id| thread_cpu_ns(id));
        let crew: u64 = crew.sum::<Result<_, _>>().ok()?;
        let all = process_cpu_ns(std::process::id()).ok()?;
        Some(Elsewhere {
            at_ns: monotonic_ns(),
            cpu_ns: all.saturating_sub(crew),
        })
    }

    /// The reports of all; `None` when one gives none.
    fn work(&self, order: RunOrder) -> Option<Vec<ThreadReport>> {
        let members = || self.threads.iter();
        members().try_for_each(|member| member.orders.send(order).ok())?;
        members().map(|member| member.reports.recv().ok()).collect()
    }
}

/// Processor time of this process without its crew's, at a moment.
#[derive(Debug, Clone, Copy)]
struct Elsewhere {
    at_ns: u64,
    cpu_ns: u64,
}

impl Elsewhere {
    /// Cores that it was since then, on average.
    fn busy_since(self, before: Self) -> f64 {
        let wall_ns = self.at_ns.saturating_sub(before.at_ns).max(1);
        let busy = self.cpu_ns.saturating_sub(before.cpu_ns) as f64 / wall_ns as f64;
        // Less is what it takes to read the clocks and to pass orders on.
        if busy < 0.01 { 0.0 } else { busy }
    }
}

fn gone() -> String {
    "a thread has panicked; the worker's standard error says where".to_owned()
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
        threads: reports.iter().map(|report| report.figures).collect(),
        cycles_per_ns: reports.iter().find_map(ThreadReport::cycles_per_ns),
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
    start: &'a Start,
}

/// The system's number of the calling thread.
fn thread_id() -> u32 {
    let id = rustix::thread::gettid().as_raw_nonzero().get();
    id.unsigned_abs()
}

/// Where a thread stands between two runs.
struct Thread<'a> {
    work: &'a mut dyn Work,
    /// Number of its next operation.
    next: u64,
    /// Operations of a batch, once that was found out.
    batch: Option<u32>,
}

/// The thread's ends of the channels.
struct Ends {
    ready: Sender<u32>,
    orders: Receiver<RunOrder>,
    reports: Sender<ThreadReport>,
}

impl Life<'_> {
    fn live(&self, ends: Ends) {
        if let Some(cpu) = self.cpu {
            // Where it is refused, the share of the cores shows it.
            let _ = pin(cpu);
        }
        let _attendance = self.start.attend();
        let mut work = self.prepared.work(self.number);
        // Nobody listens any more when another thread has panicked.
        let _ = ends.ready.send(thread_id());
        let mut thread = Thread {
            work: work.as_mut(),
            next: 0,
            batch: None,
        };
        for order in ends.orders {
            let Some(report) = self.run(&order, &mut thread) else {
                return;
            };
            let _ = ends.reports.send(report);
        }
    }

    /// `None` when another thread has panicked.
    fn run(&self, order: &RunOrder, thread: &mut Thread<'_>) -> Option<ThreadReport> {
        let Some(rate_per_s) = order.rate_per_s else {
            let (work, next) = (&mut *thread.work, &mut thread.next);
            let batch = *thread
                .batch
                .get_or_insert_with(|| closed::batch(work, order, self.batch, next));
            let start_ns = self.start.wait()?;
            return Some(closed::run(work, order, batch, start_ns, next));
        };
        let start_ns = self.start.wait()?;
        let share = self.share(order, rate_per_s);
        Some(open::run(
            thread.work,
            order,
            &share,
            start_ns,
            &mut thread.next,
        ))
    }

    /// Of a rate that is divided among all threads.
    fn share(&self, order: &RunOrder, rate_per_s: f64) -> Share {
        Share {
            rate_per_s: rate_per_s / self.threads,
            phase: f64::from(self.number) / self.threads,
            seed: order.seed.wrapping_add(self.number.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_other_threads_used_counts_and_what_passing_orders_takes_does_not() {
        let at = |at_ns, cpu_ns| Elsewhere { at_ns, cpu_ns };
        let before = at(1_000_000, 500);
        assert_eq!(at(2_000_000, 1_500_500).busy_since(before), 1.5);
        assert_eq!(at(2_000_000, 9_500).busy_since(before), 0.0);
    }
}
