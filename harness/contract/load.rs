//! What the load generator is asked to do. A scenario writes it, `load` carries it out.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// When operations are started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "arrivals")]
pub enum Arrivals {
    /// Each connection keeps `window` operations in flight: capacity, never a latency claim.
    Closed {
        /// Operations in flight on one connection, at least 1.
        window: u32,
    },
    /// Operations start at intended times that do not wait for answers, spread over the connections.
    /// Latency counts from the intended time.
    Open {
        /// Operations a second over all connections.
        rate_per_s: f64,
        /// Exponential gaps instead of equal ones.
        poisson: bool,
        /// Operations allowed in flight on one connection; further ones wait, their clock running.
        window: u32,
    },
    /// Open loops at rising rates, one step after another, until the knee: a step that completes less
    /// than 95 % of what was offered ends it.
    Sweep {
        /// Operations a second of each step, rising.
        rates_per_s: Vec<f64>,
        /// Exponential gaps instead of equal ones.
        poisson: bool,
        /// As for `Open`.
        window: u32,
    },
}

/// Options of the generator's sockets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketOptions {
    /// `SO_RCVBUF` in bytes; `None` keeps the system's.
    pub receive_buffer: Option<u32>,
    /// Bytes a second that one connection reads at most; `None` reads as fast as it can.
    pub read_bytes_per_s: Option<u64>,
}

/// The whole of a load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadPlan {
    /// Connections to open before the clock starts.
    pub connections: u32,
    /// With fewer connections than this it would be another question. A generator whose limits do not
    /// allow them refuses the load; at most `connections`.
    pub connections_min: u32,
    /// Connections that carry operations; the rest stay open and idle. At most `connections`.
    pub active: u32,
    /// Connections being opened at one time.
    pub connecting_max: u32,
    /// When operations start.
    pub arrivals: Arrivals,
    /// Socket options.
    pub sockets: SocketOptions,
    /// An operation without an answer after this time is a time-out.
    pub timeout: Duration,
    /// Bytes of the read buffer that all connections of a thread share.
    pub read_buffer: usize,
    /// A block goes on past its time until so many operations completed (or four times its length
    /// passed): large transfers need it. Where it is not 0, operations are counted with parts of them,
    /// told by bytes received, since the transfers of many connections end in waves that a short window
    /// catches or misses: whole ones are off by as much as 30 %.
    pub operations_min: u64,
    /// Operations end on other connections than they began on, so that one thread drives all of them.
    #[serde(default)]
    pub together: bool,
    /// The last so many connections are not read once they are ready: peers that have stopped. They
    /// carry no operations.
    #[serde(default)]
    pub stalled: u32,
    /// Completions that end one operation: a message to many subscribers is delivered to each. Each is
    /// counted and has a latency; the window counts operations. At least 1.
    #[serde(default = "one")]
    pub deliveries: u32,
}

const fn one() -> u32 {
    1
}

/// The times of one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockTiming {
    /// Load that is applied and not measured, in milliseconds.
    pub warmup_ms: u64,
    /// The measured window, in milliseconds; of each step, for a sweep.
    pub measure_ms: u64,
    /// A window after the measured one in which system calls are counted (the counting itself costs
    /// time, so it never overlaps the measured one), in milliseconds; 0 for none.
    pub count_ms: u64,
}
