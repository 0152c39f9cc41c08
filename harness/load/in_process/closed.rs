//! Batch after batch for a time: how much a structure can do.

use std::hint::black_box;

use hdrhistogram::Histogram;
use ringside_contract::operations::Work;
use ringside_metal::{ThreadUsage, monotonic_ns, plant, thread_allocations, time_stamp};

use super::crew::{ThreadReport, Times};
use super::orders::{BatchTimes, RunOrder};

/// Works on from operation `next`, without a pause, until the time is over, which began for all threads at `start_ns`.
pub(super) fn run(
    work: &mut dyn Work,
    order: &RunOrder,
    batch: u32,
    start_ns: u64,
    next: &mut u64,
) -> ThreadReport {
    let warm = start_ns + order.warmup_ns;
    while monotonic_ns() < warm {
        timed(work, batch, next);
    }
    let mut times = BatchHistogram::new();
    let (before, taken) = (ThreadUsage::now(), thread_allocations());
    let (begin_ns, cycles) = (monotonic_ns(), time_stamp());
    let until = warm + order.measure_ns;
    let (mut end_ns, mut operations) = (begin_ns, 0);
    while end_ns < until {
        black_box(work.run(*next, batch));
        plant::operations(batch.into());
        *next += u64::from(batch);
        let now = monotonic_ns();
        times.record(now - end_ns, batch);
        (end_ns, operations) = (now, operations + u64::from(batch));
    }
    let taken = thread_allocations()
        .zip(taken)
        .map(|(now, before)| now.since(before));
    let cycles = time_stamp()
        .zip(cycles)
        .map(|(end, begin)| end.wrapping_sub(begin));
    let used = ThreadUsage::now().since(&before);
    let mut report = ThreadReport::new(begin_ns, end_ns, operations, &used, Times::Batches(times));
    report.cycles = cycles;
    // The reading took one, to be sure that there is a count.
    report.figures.allocations =
        taken.map(|taken| [taken.calls.saturating_sub(1), taken.bytes.saturating_sub(8)]);
    report
}

/// How many operations make a batch: as many as take a small part of the time, so that no thread ends long after the
/// others, and at most `most`. It begins with one, since one may take long.
pub(super) fn batch(work: &mut dyn Work, order: &RunOrder, most: u32, next: &mut u64) -> u32 {
    let limit = order.measure_ns / BATCH_PART;
    let mut batch = 1;
    while batch < most {
        // The shorter of two: a thread that lost its core for a moment is no slow one.
        let took = timed(work, batch, next);
        if took > limit && timed(work, batch, next) > limit {
            break;
        }
        batch = (batch * 2).min(most);
    }
    batch
}

/// How long a batch took, in nanoseconds.
fn timed(work: &mut dyn Work, batch: u32, next: &mut u64) -> u64 {
    let began = monotonic_ns();
    black_box(work.run(*next, batch));
    plant::operations(batch.into());
    *next += u64::from(batch);
    monotonic_ns() - began
}

/// Times of an operation as means of batches. In picoseconds, since many operations take a few nanoseconds.
#[derive(Debug, Clone)]
pub(super) struct BatchHistogram(Histogram<u64>);

impl BatchHistogram {
    pub(super) fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, LONGEST_PS, 3);
        Self(histogram.expect("the bounds are constants that fit the digits"))
    }

    fn record(&mut self, batch_ns: u64, operations: u32) {
        let each_ps = batch_ns.saturating_mul(1000) / u64::from(operations);
        self.0.saturating_record(each_ps.max(1));
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.0
            .add(&other.0)
            .expect("all histograms have the same bounds");
    }

    /// `None` when there was no batch.
    pub(super) fn times(&self) -> Option<BatchTimes> {
        let quantile_ns = |quantile| self.0.value_at_quantile(quantile) as f64 / 1e3;
        (!self.0.is_empty()).then(|| BatchTimes {
            p50_ns: quantile_ns(0.5),
            p99_ns: quantile_ns(0.99),
        })
    }
}

/// A batch takes at most about twice this part of the measured time.
const BATCH_PART: u64 = 200;
/// Ten seconds.
const LONGEST_PS: u64 = 10_000_000_000_000;
