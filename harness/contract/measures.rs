//! What one block measured. Written by the load generator, which watches the server's processes too,
//! so that both sides are read at the same two instants.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Latency from the intended start to the completion, in microseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Arithmetic mean.
    pub mean_us: f64,
    /// Median.
    pub p50_us: f64,
    /// 90th percentile.
    pub p90_us: f64,
    /// 95th percentile.
    pub p95_us: f64,
    /// 99th percentile.
    pub p99_us: f64,
    /// 99.9th percentile.
    pub p999_us: f64,
    /// 99.99th percentile.
    pub p9999_us: f64,
    /// Longest.
    pub max_us: f64,
    /// The HDR histogram in nanoseconds, V2 with deflate, in base64: histograms of several blocks can
    /// be added, percentiles cannot.
    pub histogram: String,
}

/// The resources that one side (all processes of it) used in the measured window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// Processor time, in nanoseconds.
    pub cpu_ns: u64,
    /// Processor time over wall time: 1.0 is one core kept busy.
    pub cores_busy: f64,
    /// Cores that it was allowed to use.
    pub cores: f64,
    /// Highest resident set of the process tree so far, in bytes.
    pub rss_peak_bytes: u64,
    /// Resident set before the first connection was opened, in bytes.
    #[serde(default)]
    pub rss_before_bytes: u64,
    /// Resident set at the end of the window, in bytes.
    pub rss_bytes: u64,
    /// Address space before the first connection was opened, in bytes.
    #[serde(default)]
    pub virtual_before_bytes: u64,
    /// Address space at the end of the window, in bytes.
    #[serde(default)]
    pub virtual_bytes: u64,
    /// Growth of the resident set during the window, in bytes.
    pub rss_growth_bytes: i64,
    /// Switches because it had to wait.
    pub context_switches_voluntary: u64,
    /// Switches because the kernel took the core away.
    pub context_switches_involuntary: u64,
    /// Page faults without I/O.
    pub page_faults_minor: u64,
    /// Page faults with I/O.
    pub page_faults_major: u64,
    /// Threads at the end of the window.
    pub threads: u32,
    /// System calls an operation, from the counting window; `None` when they could not be counted.
    pub syscalls_per_op: Option<f64>,
}

/// What the whole machine did in the measured window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct System {
    /// Time that the hypervisor took away, as a share of all processor time.
    pub steal_share: f64,
    /// Time in soft interrupts, as a share of all processor time.
    pub softirq_share: f64,
    /// Interrupts.
    pub interrupts: u64,
    /// TCP segments sent again.
    pub tcp_retransmits: u64,
    /// Share of the window in which some task waited for a processor (pressure stall information);
    /// `None` where the kernel does not tell.
    pub pressure_cpu: Option<f64>,
    /// Run queue length averaged over the last minute, before the block.
    pub load_before: f64,
    /// Busy share of each logical processor.
    pub cpu_busy: Vec<f64>,
    /// Memory that the kernel had taken at the end of the window since before the first connection, in bytes:
    /// objects in use, stacks of threads, page tables, and the bytes of sockets. It is the whole machine's, so
    /// that it holds the sockets of both ends. `None` where the kernel does not tell (it needs root).
    #[serde(default)]
    pub kernel_memory_growth_bytes: Option<i64>,
}

/// What kept a block from going faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The server used 90 % or more of its cores and was no less busy than the generator, or it used
    /// 98 % or more.
    Server,
    /// The server was not the limit and the generator used 95 % or more of its cores; in an open loop,
    /// which waits for intended times and wakes for each, it started over 1 % late besides.
    Generator,
    /// Neither: waiting, or the offered rate.
    Neither,
}

impl Limit {
    /// The server can be the limit from this share of its cores on, if the generator is no busier.
    pub const SERVER_BUSY: f64 = 0.90;
    /// From this share on it is the limit however busy the generator is: it has nothing left to give.
    pub const SERVER_FULL: f64 = 0.98;
    /// The generator is the limit from this share of its cores on, unless the server is.
    pub const GENERATOR_BUSY: f64 = 0.95;

    /// What limits a closed loop in which each side used such a share of its cores.
    pub fn of(server: f64, generator: f64) -> Self {
        let no_less_busy = server >= generator || server >= Self::SERVER_FULL;
        if server >= Self::SERVER_BUSY && no_less_busy {
            Self::Server
        } else if generator >= Self::GENERATOR_BUSY {
            Self::Generator
        } else {
            Self::Neither
        }
    }
}

/// One step of a rate sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepStep {
    /// Operations a second offered.
    pub offered_per_s: f64,
    /// Operations a second completed.
    pub achieved_per_s: f64,
    /// Operations that started more than 1 ms late, as a share.
    pub late_share: f64,
    /// Latency of the step.
    pub latency: Latency,
    /// Server processor time an operation, in nanoseconds.
    pub server_cpu_ns_per_op: f64,
    /// What kept the step from going faster; absent when the server's processes could not be watched.
    #[serde(default)]
    pub limited_by: Option<Limit>,
}

/// What the threads of a worker process did, of operations that are called in process.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Threads {
    /// How many there were.
    pub threads: u32,
    /// The part of its cores that they used: the rest was taken by others, or spent waiting.
    pub core_share: f64,
    /// The part of the time in which a thread was ready to go on and others had its core, on average over the threads;
    /// absent where the kernel does not tell.
    #[serde(default)]
    pub taken_share: Option<f64>,
    /// Operations of the thread that did fewest over those of the one that did most: 1 when all did as many.
    pub fairness: f64,
    /// Median time of an operation in nanoseconds, as means of batches; absent in an open loop.
    pub batch_p50_ns: Option<f64>,
    /// 99th percentile of these means.
    pub batch_p99_ns: Option<f64>,
    /// Cycles of the processor's time-stamp counter in a nanosecond; absent where there is none.
    #[serde(default)]
    pub cycles_per_ns: Option<f64>,
    /// Calls of the allocator that took memory, for each operation; absent in an open loop.
    #[serde(default)]
    pub allocations_per_op: Option<f64>,
    /// Bytes that they asked for.
    #[serde(default)]
    pub allocated_bytes_per_op: Option<f64>,
    /// Figures of the family's own, by the name of their metric.
    #[serde(default)]
    pub figures: BTreeMap<String, f64>,
}

/// What one block measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// Length of the measured window, in seconds.
    pub duration_s: f64,
    /// Operations completed in it, rightly or not.
    pub operations: u64,
    /// Of these, answered by an error of the protocol, or lost with their connection.
    pub errors: u64,
    /// Answered by the wrong bytes, out of order or twice: in the window, and before and behind it too.
    pub corrupt: u64,
    /// Operations without an answer in time.
    pub timeouts: u64,
    /// Operations of an open loop that the generator itself started more than 1 ms late. Waiting for a
    /// full window is the server's doing: it counts in the latency, and a warning tells the share.
    pub late_sends: u64,
    /// Operations offered by an open loop in the window; 0 for a closed loop.
    pub offered: u64,
    /// Operations that had no answer when the window ended. Each that had waited for longer than the
    /// median is in the latencies with its time so far, the least that it can have taken, so that a server
    /// that stalls for good does not hide it.
    /// Of an open loop, all that were meant to start in the window: a few in flight are normal, at most
    /// rate times latency. Of a closed loop, only those in flight for longer than 50 ms, a tenth of the
    /// window and every latency seen in it.
    #[serde(default)]
    pub unanswered: u64,
    /// True when operations ended in the first half of the window and none in the second, while some were
    /// in flight: the server hangs.
    #[serde(default)]
    pub stopped: bool,
    /// True when io_uring was kept from the server.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_io_uring: bool,
    /// Operations with parts of them, told by bytes received; present for loads of few large operations
    /// (`LoadPlan::operations_min`), of which the ends of a window cut many. Rates and costs an
    /// operation count with it in place of `operations`.
    #[serde(default)]
    pub operations_by_bytes: Option<f64>,
    /// Right operations a second; with parts of operations where `operations_by_bytes` is present.
    pub throughput_per_s: f64,
    /// Bytes that the generator sent.
    pub bytes_sent: u64,
    /// Bytes that the generator received.
    pub bytes_received: u64,
    /// Connections open at the end of the window.
    pub connections: u32,
    /// Connections that could not be opened.
    pub connect_failures: u32,
    /// Connections opened a second during set-up.
    pub connect_per_s: f64,
    /// Connections opened within the window, by loads whose operations need one each.
    #[serde(default)]
    pub connects: u64,
    /// Latency; absent when nothing completed.
    pub latency: Option<Latency>,
    /// Steps of a sweep; empty otherwise.
    pub sweep: Vec<SweepStep>,
    /// Threads that called operations in process; absent for services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<Threads>,
    /// The server's side; absent when its processes could not be watched.
    pub server: Option<Side>,
    /// The generator's side.
    pub generator: Side,
    /// The machine.
    pub system: System,
    /// What kept the block from going faster.
    pub limited_by: Option<Limit>,
    /// The first errors in words, at most ten.
    pub error_samples: Vec<String>,
    /// What could not be measured or arranged, with the reason.
    pub warnings: Vec<String>,
}
