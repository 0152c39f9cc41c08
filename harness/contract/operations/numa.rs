//! Memory on machines where some of it is nearer to a processor than the rest.

use serde::{Deserialize, Serialize};

/// What is done with memory by threads that are spread over all nodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumaTask {
    /// Each thread reads lines of memory of its own, where each tells which is next.
    Touch {
        /// Bytes of each thread, far more than a cache holds.
        bytes: u64,
    },
    /// Each thread takes a buffer, fills it, reads it and gives it back.
    Buffers {
        /// Bytes of a buffer.
        bytes: u64,
    },
}

/// What not every implementation does: lend buffers.
pub const LENDS: &str = "numa_buffers";

/// Placement of memory, for conformance cases.
pub trait TestedNuma: Send + Sync {
    /// For each node, the node on which each page of memory lies that a thread there works on.
    ///
    /// # Errors
    /// What could not be had.
    fn placed(&self, bytes: u64) -> Result<Vec<Placed>, String>;

    /// What thousands of buffers that threads take, fill, read and give back at the same time had in them that nobody put there.
    ///
    /// # Errors
    /// What could not be had.
    fn foreign_words(&self) -> Result<u64, String>;
}

/// Where memory of a thread lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The thread's node, where its memory was promised to lie; none where nothing was promised.
    pub promised: Option<usize>,
    /// The node of each page; none for one that is not there.
    pub pages: Vec<Option<usize>>,
}
