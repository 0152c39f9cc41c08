//! Operations at intended times, whether or not the one before has ended: how long a structure makes one wait.

use std::hint::{black_box, spin_loop};

use ringside_contract::operations::Work;
use ringside_metal::{monotonic_ns, own_cpu_ns};

use super::crew::{ThreadReport, Times};
use super::orders::RunOrder;
use crate::latency::Latencies;
use crate::schedule::Schedule;

/// Starts `rate_per_s` operations a second. Their latency counts from the intended start, so that one that had to wait
/// for the one before says so. The thread spins in between: what wakes late would be the system's latency.
pub(super) fn run(
    work: &mut dyn Work,
    order: &RunOrder,
    rate_per_s: f64,
    seed: u64,
    next: &mut u64,
) -> ThreadReport {
    let start = monotonic_ns();
    let begin_ns = start + order.warmup_ns;
    let until = begin_ns + order.measure_ns;
    let mut schedule = if order.poisson {
        Schedule::poisson(start, rate_per_s, seed)
    } else {
        Schedule::constant(start, rate_per_s)
    };
    let mut times = Latencies::new();
    // Read at the first operation that counts: the warm-up is no part of it.
    let mut cpu_before = None;
    let (mut operations, mut end_ns) = (0, begin_ns);
    while schedule.next() < until {
        let intended = schedule.next();
        if intended >= begin_ns {
            cpu_before.get_or_insert_with(own_cpu_ns);
        }
        while monotonic_ns() < intended {
            spin_loop();
        }
        black_box(work.run(*next, 1));
        *next += 1;
        end_ns = monotonic_ns();
        if intended >= begin_ns {
            times.record(end_ns - intended);
            operations += 1;
        }
        schedule.advance();
    }
    ThreadReport {
        begin_ns,
        end_ns: end_ns.max(until),
        operations,
        cpu_ns: cpu_before.map_or(0, |before| own_cpu_ns() - before),
        times: Times::Each(times),
    }
}
