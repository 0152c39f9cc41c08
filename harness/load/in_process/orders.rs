//! What is said between the generator and a worker process: a line of JSON each way.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;

use ringside_contract::operations::Workload;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What a worker is told to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    /// Build the structure, fill it, and start the threads; what was there before is dropped.
    Prepare(Workload),
    /// Work.
    Run(RunOrder),
    /// Run a conformance case on a bare structure.
    Case(String),
}

/// How long threads work, and when they start operations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct RunOrder {
    /// Work that is not measured, before the rest.
    pub(super) warmup_ns: u64,
    pub(super) measure_ns: u64,
    /// Operations a second of all threads together; `None` has them start as soon as the one before has ended.
    pub(super) rate_per_s: Option<f64>,
    /// Exponential gaps instead of equal ones.
    pub(super) poisson: bool,
    pub(super) seed: u64,
}

/// What a worker answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reply {
    /// It is ready to work, or the case passed.
    Done,
    /// It is not, or the case failed, and why.
    Failed(String),
    /// It has worked.
    Ran(RunReport),
}

/// What the threads did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct RunReport {
    /// From the first one's start to the last one's end.
    pub(super) elapsed_ns: u64,
    /// What each thread did and used.
    pub(super) threads: Vec<ThreadFigures>,
    /// Cores that threads of the structure's own were busy on, on average.
    #[serde(default)]
    pub(super) elsewhere_busy: f64,
    /// Cores that they could use.
    pub(super) cores: u32,
    /// Cycles of the time-stamp counter in a nanosecond; absent where there is none.
    pub(super) cycles_per_ns: Option<f64>,
    /// Quantiles of the time of an operation as the mean of a batch; absent where each had a time of its own.
    pub(super) batches: Option<BatchTimes>,
    /// From the intended start of each operation to its end.
    pub(super) latency: Option<ringside_contract::Latency>,
    /// What went wrong in this run or before it.
    pub(super) wrong: Option<String>,
    /// The family's own figures.
    pub(super) figures: Vec<(String, f64)>,
}

/// What one thread did and used while it was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ThreadFigures {
    pub(super) operations: u64,
    /// Those that were meant to start, in an open loop.
    pub(super) offered: u64,
    /// Of these, started late by the thread itself, which had nothing else to do.
    pub(super) late: u64,
    /// Of these, not started when the time was over.
    pub(super) unanswered: u64,
    /// Processor time; of an open loop the time in operations, as the thread spins in between.
    pub(super) cpu_ns: u64,
    /// Ready to go on, while others had the processor; absent where the kernel does not tell.
    pub(super) waited_ns: Option<u64>,
    /// Voluntary and involuntary ones.
    pub(super) switches: [u64; 2],
    /// Minor and major page faults.
    pub(super) faults: [u64; 2],
    /// Calls of the allocator that took memory, and the bytes; absent where nobody counts them.
    pub(super) allocations: Option<[u64; 2]>,
}

/// Time of an operation, as the mean of a batch, in nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct BatchTimes {
    pub(super) p50_ns: f64,
    pub(super) p99_ns: f64,
}

/// One end of the connection.
pub(super) struct Talk {
    reader: BufReader<TcpStream>,
    stream: TcpStream,
    /// A line that has not come to its end.
    line: String,
}

impl Talk {
    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        // Each line is an answer to the one before: none may wait for more bytes.
        stream.set_nodelay(true)?;
        Ok(Self {
            reader: BufReader::new(stream.try_clone()?),
            stream,
            line: String::new(),
        })
    }

    /// Sends one line.
    pub(super) fn say<T: Serialize>(&mut self, what: &T) -> io::Result<()> {
        let mut line = serde_json::to_vec(what)?;
        line.push(b'\n');
        self.stream.write_all(&line)
    }

    /// Waits for a line; `None` when the other side has ended. After a time-out it can be called again.
    pub(super) fn hear<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        if self.reader.read_line(&mut self.line)? == 0 {
            return Ok(None);
        }
        let line = std::mem::take(&mut self.line);
        Ok(Some(serde_json::from_str(&line)?))
    }
}
