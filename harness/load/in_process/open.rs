//! Operations at intended times, whether or not the one before has ended: how long a structure makes one wait.

use std::hint::{black_box, spin_loop};

use ringside_contract::operations::Work;
use ringside_metal::{ThreadUsage, monotonic_ns, plant};

use super::crew::{ThreadReport, Times};
use super::orders::{RunOrder, ThreadFigures};
use crate::latency::Latencies;
use crate::schedule::Schedule;

/// The part of a thread in an open loop.
pub(super) struct Share {
    /// Operations a second that it starts.
    pub(super) rate_per_s: f64,
    /// Where in a gap it starts, from 0 up to 1: threads of equal gaps do not all start at once.
    pub(super) phase: f64,
    pub(super) seed: u64,
}

/// Starts operations at their times until the time is over. Their latency counts from the intended start, so that one
/// that had to wait for the one before says so; one that was not started in time has waited at least until the end. The
/// thread spins in between: what wakes late would be the system's latency.
pub(super) fn run(
    work: &mut dyn Work,
    order: &RunOrder,
    share: &Share,
    start_ns: u64,
    next: &mut u64,
) -> ThreadReport {
    let begin_ns = start_ns + order.warmup_ns;
    let until = begin_ns + order.measure_ns;
    let mut state = OpenLoop {
        schedule: share.schedule(order.poisson, start_ns),
        begin_ns,
        before: None,
        free_at: start_ns,
        began_at: start_ns,
        is_behind: false,
        busy_ns: 0,
        figures: ThreadFigures::default(),
        times: Latencies::new(),
    };
    while state.schedule.next() < until && state.free_at < until {
        state.wait();
        black_box(work.run(*next, 1));
        plant::operations(1);
        *next += 1;
        state.done();
    }
    state.end(until)
}

/// More than this is late.
const LATE_NS: u64 = 1_000_000;
/// Reading the clocks takes some microseconds, in which no operation should have to wait.
const READING_NS: u64 = 100_000;

impl Share {
    fn schedule(&self, poisson: bool, start: u64) -> Schedule {
        if poisson {
            return Schedule::poisson(start, self.rate_per_s, self.seed);
        }
        let offset = self.phase * 1e9 / self.rate_per_s;
        // Of a rate of nothing nothing comes, wherever it starts.
        let offset = if offset.is_finite() { offset as u64 } else { 0 };
        Schedule::constant(start + offset, self.rate_per_s)
    }
}

/// Where a thread stands.
struct OpenLoop {
    schedule: Schedule,
    /// From here on operations count.
    begin_ns: u64,
    /// What the thread had used when it began to count.
    before: Option<ThreadUsage>,
    /// When the last operation began.
    began_at: u64,
    /// When it ended.
    free_at: u64,
    /// It works off what a late start has left.
    is_behind: bool,
    /// Time in operations.
    busy_ns: u64,
    figures: ThreadFigures,
    times: Latencies,
}

impl OpenLoop {
    /// Until the next operation is to start.
    fn wait(&mut self) {
        let intended = self.schedule.next();
        let mut now = monotonic_ns();
        while now < intended {
            self.read_at(now);
            spin_loop();
            now = monotonic_ns();
        }
        let could_start = intended.max(self.free_at);
        // Once it was late by its own doing, what waits behind that is late by it too.
        self.is_behind &= intended < self.free_at;
        self.is_behind |= now.saturating_sub(could_start) > LATE_NS;
        if intended >= self.begin_ns {
            self.read_at(now);
            self.figures.offered += 1;
            let is_late = self.is_behind && now.saturating_sub(intended) > LATE_NS;
            self.figures.late += u64::from(is_late);
        }
        self.began_at = now;
    }

    /// Reads the clocks once, just before what counts.
    fn read_at(&mut self, now: u64) {
        if self.before.is_none() && now + READING_NS >= self.begin_ns {
            self.before = Some(ThreadUsage::now());
        }
    }

    fn done(&mut self) {
        let intended = self.schedule.next();
        self.free_at = monotonic_ns();
        if intended >= self.begin_ns {
            self.times.record(self.free_at - intended);
            self.busy_ns += self.free_at - self.began_at;
            self.figures.operations += 1;
        }
        self.schedule.advance();
    }

    /// Waits for the end, and counts what was not started by then.
    fn end(mut self, until: u64) -> ThreadReport {
        while monotonic_ns() < until {
            self.read_at(monotonic_ns());
            spin_loop();
        }
        let end_ns = self.free_at.max(until);
        while self.schedule.next() < until {
            if self.schedule.next() >= self.begin_ns {
                self.figures.offered += 1;
                self.figures.unanswered += 1;
                self.times.record(end_ns - self.schedule.next());
            }
            self.schedule.advance();
        }
        let now = ThreadUsage::now();
        let used = now.since(&self.before.unwrap_or(now));
        let report = ThreadReport::new(
            self.begin_ns,
            end_ns,
            self.figures.operations,
            &used,
            Times::Each(self.times),
        );
        ThreadReport {
            figures: ThreadFigures {
                // It spins in between, which is not what an operation costs.
                cpu_ns: self.busy_ns,
                offered: self.figures.offered,
                late: self.figures.late,
                unanswered: self.figures.unanswered,
                ..report.figures
            },
            ..report
        }
    }
}
