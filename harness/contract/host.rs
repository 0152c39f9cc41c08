//! What a machine offers. Filled in by a probe in `metal`, read by everything else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Whether io_uring may be used, found out by trying.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum UringSupport {
    /// A ring could be set up.
    Available {
        /// Names of the operations and set-up flags that the probe found, sorted.
        features: Vec<String>,
    },
    /// It could not.
    Refused {
        /// The system's answer and what usually causes it.
        reason: String,
    },
}

/// A description of the machine that is part of every record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// `linux`, ...
    pub os: String,
    /// `x86_64`, ...
    pub arch: String,
    /// Kernel release.
    pub kernel: String,
    /// Model name of the processor.
    pub processor: String,
    /// Logical processors that this process may use.
    pub cpus: Vec<usize>,
    /// NUMA nodes that have processors.
    pub numa_nodes: usize,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Instruction sets found at run time, such as `avx2`, sorted.
    pub cpu_features: Vec<String>,
    /// True when hardware counters can be read.
    pub hardware_counters: bool,
    /// The hard limit on open files of a process.
    pub open_files_max: u64,
    /// True for user 0.
    pub root: bool,
    /// io_uring, as probed.
    pub uring: UringSupport,
    /// Why system calls cannot be counted; `None` when they can.
    pub syscall_counting_refused: Option<String>,
    /// Kernel settings that move results, such as `net.ipv4.tcp_congestion_control`.
    pub sysctls: BTreeMap<String, String>,
    /// `virtual` or `physical`, as far as can be seen, with the hypervisor's name.
    pub virtualisation: String,
}
