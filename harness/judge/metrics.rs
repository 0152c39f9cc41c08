//! The metrics: what they are called, in which unit, whether more is better, and how each is read from
//! the measures of one block. Claims, rankings, reports and the CSV export all use this one table.

use ringside_contract::{Latency, Measures, Side};

/// What a metric says, which decides when a verdict may rest on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricClass {
    /// How much a second: a generator that is the limit makes it a lower bound.
    Rate,
    /// How long an operation takes.
    Latency,
    /// Processor time: it depends on load, so it compares only between saturated servers or at one
    /// offered rate.
    Processor,
    /// All else, such as memory or system calls.
    Other,
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name in claims and reports.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// True when more is better.
    pub more_is_better: bool,
    /// What it says.
    pub class: MetricClass,
    /// What has to be there for it to be measured, in words.
    pub needs: &'static str,
    /// How the figures of several blocks become one.
    pub(crate) over_blocks: OverBlocks,
    extract: fn(&Measures) -> Option<f64>,
}

/// How the figures of several blocks become one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OverBlocks {
    /// Their median.
    Median,
    /// Their median, when every block has one: slow blocks have too few operations for a far percentile,
    /// and the others alone would look better than the whole.
    MedianOfAll,
    /// The share of what happened in all of them: what is rare happens in few blocks, and a median is
    /// then 0 however bad those are. The function gives what the share of a block is of.
    Pooled(fn(&Measures) -> f64),
}

impl Metric {
    /// Its figure in [`Self::unit`], or `None` when the block did not measure it.
    pub fn figure(&self, measures: &Measures) -> Option<f64> {
        (self.extract)(measures).filter(|figure| figure.is_finite())
    }
}

/// The metric of this name.
pub fn metric(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.name == name)
}

/// Every metric, in the order of a table.
pub fn metrics() -> &'static [Metric] {
    METRICS
}

/// What a claim's metric would need that is known and that no block measures.
pub(crate) fn unobservable(name: &str) -> Option<&'static str> {
    match name {
        "cpu_copies" => Some(
            "hardware counters or kernel probes: copies by the processor inside the kernel cannot be seen from outside",
        ),
        "processing_latency_p50" | "queue_latency_p50" => Some(
            "time stamps inside the server: from outside only the whole way of a message is seen",
        ),
        _ => None,
    }
}

const OPERATIONS: &str = "completed operations";
const LATENCY: &str = "completed operations with latency";
const WATCHED: &str = "a server whose processes can be watched";
const TAIL: &str = "latencies of ten operations or more beyond the percentile in a block";
const THREADS: &str = "operations that are called in process";
const BATCHES: &str = "operations that are called in process, in a closed loop";
const SHARES: &str = "tables that share keys out among nodes";
const SESSIONS: &str = "tables of sessions";
const BUILDS: &str = "programs that were built in several ways";
const NODES: &str = "memory on several NUMA nodes";
const POOLS: &str = "pools of buffers";
const CONNECTIONS: &str = "pools of connections";
const COUNTED: &str = "counting of system calls (raw_syscalls trace points)";

const fn row(
    name: &'static str,
    unit: &'static str,
    more_is_better: bool,
    class: MetricClass,
    needs: &'static str,
    extract: fn(&Measures) -> Option<f64>,
) -> Metric {
    Metric {
        name,
        unit,
        more_is_better,
        class,
        needs,
        over_blocks: OverBlocks::Median,
        extract,
    }
}

/// A percentile far from the middle.
const fn tail_row(name: &'static str, extract: fn(&Measures) -> Option<f64>) -> Metric {
    Metric {
        over_blocks: OverBlocks::MedianOfAll,
        ..row(name, "us", LESS, Time, TAIL, extract)
    }
}

/// The share of something rare.
const fn share_row(
    name: &'static str,
    needs: &'static str,
    of: fn(&Measures) -> f64,
    extract: fn(&Measures) -> Option<f64>,
) -> Metric {
    Metric {
        over_blocks: OverBlocks::Pooled(of),
        ..row(name, "%", LESS, Other, needs, extract)
    }
}

const MORE: bool = true;
const LESS: bool = false;

use MetricClass::{Latency as Time, Other, Processor, Rate};

const METRICS: &[Metric] = &[
    row("throughput", "op/s", MORE, Rate, OPERATIONS, |m| {
        Some(m.throughput_per_s)
    }),
    row("bandwidth", "GB/s", MORE, Rate, OPERATIONS, |m| {
        per(bytes_moved(m) / 1e9, m.duration_s)
    }),
    row("latency_mean", "us", LESS, Time, LATENCY, |m| {
        latency(m, |l| l.mean_us)
    }),
    row("latency_p50", "us", LESS, Time, LATENCY, |m| {
        latency(m, |l| l.p50_us)
    }),
    tail_row("latency_p90", |m| tail(m, 10, |l| l.p90_us)),
    tail_row("latency_p95", |m| tail(m, 20, |l| l.p95_us)),
    tail_row("latency_p99", |m| tail(m, 100, |l| l.p99_us)),
    tail_row("latency_p999", |m| tail(m, 1_000, |l| l.p999_us)),
    tail_row("latency_p9999", |m| tail(m, 10_000, |l| l.p9999_us)),
    row("latency_max", "us", LESS, Time, LATENCY, |m| {
        latency(m, |l| l.max_us)
    }),
    // An operation of a fan-out ends with its last delivery.
    row("publish_latency_p50", "ms", LESS, Time, LATENCY, |m| {
        latency(m, |l| l.p50_us / 1e3)
    }),
    row("transfer_time", "ms", LESS, Time, LATENCY, |m| {
        latency(m, |l| l.p50_us / 1e3)
    }),
    row("cpu_per_op", "us", LESS, Processor, WATCHED, |m| {
        per(m.server.as_ref()?.cpu_ns as f64 / 1e3, operations(m))
    }),
    row(
        "generator_cpu_per_op",
        "us",
        LESS,
        Processor,
        OPERATIONS,
        |m| per(m.generator.cpu_ns as f64 / 1e3, operations(m)),
    ),
    row(
        "operations_per_cpu_s",
        "op/s",
        MORE,
        Processor,
        WATCHED,
        |m| per(right_operations(m), m.server.as_ref()?.cpu_ns as f64 / 1e9),
    ),
    row("cpu_per_gb", "s", LESS, Processor, WATCHED, |m| {
        per(m.server.as_ref()?.cpu_ns as f64 / 1e9, bytes_moved(m) / 1e9)
    }),
    row("cpu_per_byte", "ns", LESS, Processor, WATCHED, |m| {
        per(m.server.as_ref()?.cpu_ns as f64, bytes_moved(m))
    }),
    row("cpu_utilisation", "%", LESS, Processor, WATCHED, |m| {
        let server = m.server.as_ref()?;
        per(100.0 * server.cores_busy, server.cores)
    }),
    row("peak_memory", "MiB", LESS, Other, WATCHED, |m| {
        Some(m.server.as_ref()?.rss_peak_bytes as f64 / 1_048_576.0)
    }),
    row("memory_total", "MB", LESS, Other, WATCHED, |m| {
        Some(m.server.as_ref()?.rss_bytes as f64 / 1e6)
    }),
    row(
        "memory_per_connection",
        "KiB",
        LESS,
        Other,
        WATCHED,
        added_memory,
    ),
    row(
        "generator_memory_per_connection",
        "KiB",
        LESS,
        Other,
        OPERATIONS,
        |m| {
            let side = &m.generator;
            let added = side.rss_bytes.saturating_sub(side.rss_before_bytes);
            per(added as f64 / 1024.0, many(m)?)
        },
    ),
    row(
        "kernel_memory_per_connection",
        "KiB",
        LESS,
        Other,
        "a kernel that tells what its objects take (/proc/slabinfo, as root), and a thousand connections",
        |m| {
            let added = m.system.kernel_memory_growth_bytes?;
            per(added as f64 / 1024.0, many(m)?)
        },
    ),
    // Buffers cannot be told from the rest: all that a connection added is the most that they can be.
    row(
        "buffer_memory_per_connection",
        "KiB",
        LESS,
        Other,
        WATCHED,
        added_memory,
    ),
    row(
        "virtual_memory_per_connection",
        "KiB",
        LESS,
        Other,
        WATCHED,
        |m| {
            // Records of older versions hold none.
            let server = m.server.as_ref().filter(|side| side.virtual_bytes > 0)?;
            let added = server
                .virtual_bytes
                .saturating_sub(server.virtual_before_bytes);
            per(added as f64 / 1024.0, f64::from(m.connections))
        },
    ),
    row(
        "context_switches_per_op",
        "count",
        LESS,
        Other,
        WATCHED,
        |m| {
            server_count(m, |s| {
                s.context_switches_voluntary + s.context_switches_involuntary
            })
        },
    ),
    row("page_faults_per_op", "count", LESS, Other, WATCHED, |m| {
        server_count(m, |s| s.page_faults_minor + s.page_faults_major)
    }),
    row("syscalls_per_op", "count", LESS, Other, COUNTED, |m| {
        m.server.as_ref()?.syscalls_per_op
    }),
    row("syscalls_per_gib", "count", LESS, Other, COUNTED, |m| {
        let calls = m.server.as_ref()?.syscalls_per_op? * operations(m);
        per(calls * 1_073_741_824.0, bytes_moved(m))
    }),
    row("bytes_per_op", "B", LESS, Other, OPERATIONS, |m| {
        per(m.bytes_sent as f64 + m.bytes_received as f64, operations(m))
    }),
    share_row("error_rate", OPERATIONS, tried, |m| {
        let bad = m.errors + m.corrupt + m.timeouts;
        per(100.0 * bad as f64, tried(m))
    }),
    row(
        "connect_rate",
        "conn/s",
        MORE,
        Rate,
        "connections that were opened",
        |m| {
            let rate = if m.connects > m.operations / 2 {
                // Each operation is a connection of its own.
                m.throughput_per_s
            } else {
                m.connect_per_s
            };
            (rate > 0.0).then_some(rate)
        },
    ),
    row(
        "serves_without_io_uring",
        "bool",
        MORE,
        Other,
        "a server that io_uring is kept from",
        |m| {
            let serves = m.operations > 0 && m.errors + m.corrupt + m.timeouts == 0;
            m.without_io_uring.then(|| f64::from(u8::from(serves)))
        },
    ),
    row(
        "connections",
        "conn",
        MORE,
        Other,
        "connections that were opened",
        |m| Some(f64::from(m.connections)),
    ),
    // Of operations in process: too short to be timed one by one, so that they are means of batches.
    row("operation_time_p50", "ns", LESS, Rate, BATCHES, batch_p50),
    row("read_latency_p50", "ns", LESS, Rate, BATCHES, batch_p50),
    row(
        "uncontended_atomic_latency",
        "cycles",
        LESS,
        Rate,
        BATCHES,
        |m| Some(batch_p50(m)? * m.threads.as_ref()?.cycles_per_ns?),
    ),
    row("fairness", "ratio", MORE, Other, THREADS, |m| {
        Some(m.threads.as_ref()?.fairness)
    }),
    row("pick_latency_p50", "ns", LESS, Rate, BATCHES, batch_p50),
    row("allocations_per_op", "count", LESS, Other, BATCHES, |m| {
        m.threads.as_ref()?.allocations_per_op
    }),
    row("allocated_bytes_per_op", "B", LESS, Other, BATCHES, |m| {
        m.threads.as_ref()?.allocated_bytes_per_op
    }),
    row("imbalance", "ratio", LESS, Other, SHARES, |m| {
        own(m, "imbalance")
    }),
    row("memory_per_session", "B", LESS, Other, SESSIONS, |m| {
        own(m, "memory_per_session")
    }),
    row("access_latency", "ns", LESS, Rate, BATCHES, batch_p50),
    row("remote_accesses", "%", LESS, Other, NODES, |m| {
        own(m, "remote_accesses")
    }),
    row(
        "remote_to_local_latency",
        "ratio",
        LESS,
        Other,
        NODES,
        |m| own(m, "remote_to_local_latency"),
    ),
    row(
        "local_to_remote_bandwidth",
        "ratio",
        LESS,
        Other,
        NODES,
        |m| own(m, "local_to_remote_bandwidth"),
    ),
    row("ops_per_cache_miss", "op", MORE, Other, NODES, |m| {
        own(m, "ops_per_cache_miss")
    }),
    row("hit_rate", "%", MORE, Other, POOLS, |m| own(m, "hit_rate")),
    row("preheat_time", "ms", LESS, Other, POOLS, |m| {
        own(m, "preheat_time")
    }),
    row("fragmentation", "ratio", LESS, Other, POOLS, |m| {
        own(m, "fragmentation")
    }),
    row("atomic_latency", "ns", LESS, Rate, BUILDS, |m| {
        own(m, "atomic_latency")
    }),
    row("float_latency", "ns", LESS, Rate, BUILDS, |m| {
        own(m, "float_latency")
    }),
    row("binary_size", "B", LESS, Other, BUILDS, |m| {
        own(m, "binary_size")
    }),
    row("expand_time", "ms", LESS, Other, CONNECTIONS, |m| {
        own(m, "expand_time")
    }),
    // As document 004 counts: the time of so many operations of all threads together.
    row("elapsed", "ms", LESS, Rate, POOLS, |m| {
        per(own(m, "elapsed_operations")? * 1e3, m.throughput_per_s)
    }),
    row("core_share", "%", MORE, Other, THREADS, |m| {
        Some(100.0 * m.threads.as_ref()?.core_share)
    }),
    share_row("late_share", "an open loop", offered, |m| {
        per(100.0 * m.late_sends as f64, offered(m))
    }),
];

/// A figure of the family's own.
fn own(measures: &Measures, name: &str) -> Option<f64> {
    measures.threads.as_ref()?.figures.get(name).copied()
}

/// Median time of an operation in process, as the mean of a batch.
fn batch_p50(measures: &Measures) -> Option<f64> {
    measures.threads.as_ref()?.batch_p50_ns
}

/// What the connections added, in KiB for each: the process had a size before the first of them.
fn added_memory(measures: &Measures) -> Option<f64> {
    if measures.threads.is_some() {
        // A worker's only connection brings it orders.
        return None;
    }
    let server = measures.server.as_ref()?;
    let added = server.rss_bytes.saturating_sub(server.rss_before_bytes);
    per(added as f64 / 1024.0, f64::from(measures.connections))
}

/// Connections, when there are enough of them to be told from what else a machine does.
fn many(measures: &Measures) -> Option<f64> {
    (measures.connections >= 1000).then_some(measures.connections.into())
}

/// Operations that ended in one way or another.
fn tried(measures: &Measures) -> f64 {
    (measures.operations + measures.timeouts) as f64
}

/// Operations of an open loop.
fn offered(measures: &Measures) -> f64 {
    measures.offered as f64
}

/// The bytes of the busier direction: what a transfer moved, without requests or acknowledgements.
fn bytes_moved(measures: &Measures) -> f64 {
    measures.bytes_sent.max(measures.bytes_received) as f64
}

/// What resources are divided by: large transfers are cut off by both ends of the window, so that they
/// are counted by their bytes, in fractions, where the generator did so.
fn operations(measures: &Measures) -> f64 {
    measures
        .operations_by_bytes
        .unwrap_or(measures.operations as f64)
}

fn right_operations(measures: &Measures) -> f64 {
    measures
        .operations_by_bytes
        .unwrap_or(measures.throughput_per_s * measures.duration_s)
}

fn latency(measures: &Measures, read: fn(&Latency) -> f64) -> Option<f64> {
    measures.latency.as_ref().map(read)
}

/// A percentile beyond which one in `one_in` operations lies. With few of them there it is only how the
/// longest happened to be, and a percentile of which there is none is the longest under another name.
fn tail(measures: &Measures, one_in: u64, read: fn(&Latency) -> f64) -> Option<f64> {
    let timed = measures.operations + measures.unanswered;
    (timed >= TAIL_MIN * one_in)
        .then(|| latency(measures, read))
        .flatten()
}

/// Operations beyond a percentile that make it one.
const TAIL_MIN: u64 = 10;

fn server_count(measures: &Measures, read: fn(&Side) -> u64) -> Option<f64> {
    per(read(measures.server.as_ref()?) as f64, operations(measures))
}

/// The quotient, or `None` where there is nothing to divide by.
fn per(amount: f64, of: f64) -> Option<f64> {
    (of > 0.0).then(|| amount / of)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measures() -> Measures {
        Measures {
            duration_s: 2.0,
            operations: 1000,
            throughput_per_s: 500.0,
            bytes_sent: 1 << 10,
            bytes_received: 1 << 30,
            connections: 4,
            latency: Some(Latency {
                p50_us: 1500.0,
                ..Latency::default()
            }),
            server: Some(Side {
                cpu_ns: 1_000_000_000,
                cores_busy: 0.5,
                cores: 1.0,
                rss_bytes: 12288,
                rss_before_bytes: 4096,
                syscalls_per_op: Some(262.144),
                ..Side::default()
            }),
            ..Measures::default()
        }
    }

    #[test]
    fn figures_follow_from_the_measures() {
        let check = |name: &str, expected: f64| {
            let figure = metric(name).unwrap().figure(&measures()).unwrap();
            assert!((figure / expected - 1.0).abs() < 1e-12, "{name}: {figure}");
        };
        check("cpu_per_op", 1000.0);
        check("operations_per_cpu_s", 1000.0);
        check("syscalls_per_gib", 262_144.0);
        check("transfer_time", 1.5);
        check("cpu_utilisation", 50.0);
        check("memory_per_connection", 2.0);
        let mut many = measures();
        many.system.kernel_memory_growth_bytes = Some(8 << 20);
        let kernel = metric("kernel_memory_per_connection").unwrap();
        assert_eq!(kernel.figure(&many), None, "of four connections");
        many.connections = 1024;
        assert_eq!(kernel.figure(&many), Some(8.0));
        check("bandwidth", 0.536_870_912);
        check("cpu_per_gb", 1.0 / 1.073_741_824);
    }

    #[test]
    fn large_transfers_are_counted_by_their_bytes() {
        let whole = measures();
        let part = Measures {
            operations_by_bytes: Some(500.0),
            ..measures()
        };
        for name in ["cpu_per_op", "bytes_per_op"] {
            let figure = |measures| metric(name).unwrap().figure(measures).unwrap();
            assert_eq!(figure(&part), 2.0 * figure(&whole), "{name}");
        }
        let calls = metric("syscalls_per_gib").unwrap();
        assert_eq!(
            calls.figure(&part).unwrap() * 2.0,
            calls.figure(&whole).unwrap()
        );
    }

    #[test]
    fn what_was_not_measured_has_no_figure() {
        for metric in metrics() {
            let figure = metric.figure(&Measures::default());
            assert!(figure.is_none_or(f64::is_finite), "{}", metric.name);
        }
        assert_eq!(
            metric("cpu_per_op").unwrap().figure(&Measures::default()),
            None
        );
        assert!(metric("cpu_copies").is_none() && unobservable("cpu_copies").is_some());
    }

    #[test]
    fn connects_are_operations_where_each_has_its_own_connection() {
        let rate = |connects| {
            let measures = Measures {
                operations: 100,
                throughput_per_s: 50.0,
                connect_per_s: 9.0,
                connects,
                ..Measures::default()
            };
            metric("connect_rate").unwrap().figure(&measures)
        };
        assert_eq!((rate(100), rate(3)), (Some(50.0), Some(9.0)));
    }

    #[test]
    fn a_family_has_figures_of_its_own() {
        let mut threads = ringside_contract::Threads::default();
        threads.figures.insert("imbalance".to_owned(), 1.25);
        let measures = Measures {
            threads: Some(threads),
            ..Measures::default()
        };
        let imbalance = metric("imbalance").unwrap();
        assert_eq!(imbalance.figure(&measures), Some(1.25));
        assert_eq!(imbalance.figure(&Measures::default()), None);
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = metrics().iter().map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), metrics().len());
    }
}
